"""Bonuses from the agent's own experience: counts, prediction errors, distances within an episode."""
