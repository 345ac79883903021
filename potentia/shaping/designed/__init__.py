"""Rewards that are computed or learned to teach."""
