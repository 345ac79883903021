"""Judges around a judge that change what an answer costs, and not what it says."""
