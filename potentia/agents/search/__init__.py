"""Searches: learners whose actions are policies' genomes, which look for what is new as well as for what is good."""
