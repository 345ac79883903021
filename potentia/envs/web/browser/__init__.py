"""A real Chromium as the place where pages live: found, walled in, driven by two drivers, and never waited for in vain."""
