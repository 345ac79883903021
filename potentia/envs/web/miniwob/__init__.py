"""MiniWoB++: the pages of Farama's wheel ``miniwob``, played by this library's own environment."""
