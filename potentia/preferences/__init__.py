"""From comparisons to learned rewards: what a preference is, and who judges it."""
