"""A real Chromium as the place where pages live: found, walled in, driven by two drivers, never waited for in vain."""
