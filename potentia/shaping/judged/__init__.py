"""Credit from whoever answers questions: checklists, arbiters, rules that read an agent's answer."""
