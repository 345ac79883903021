"""Judges that make an answer of several answers."""
