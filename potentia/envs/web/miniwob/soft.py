"""On which pages an episode may begin without loading the page anew."""

SOFT: frozenset[str] = frozenset()
