"""Differences of a potential: of states, of states and actions, of progress."""
