"""Functions of the reward so far: clipped, normalised."""
