"""Searches: learners whose actions are policies' genomes, which look for what is new as well as for what is good."""

from potentia.agents.search.novelty_search import NoveltySearch, NoveltySearchConfig
from potentia.agents.search.random_search import RandomSearch
from potentia.agents.search.ribs_search import CMAMAE, CMAME, MAPElites, RibsConfig
from potentia.agents.search.search import Search, SearchConfig
from potentia.agents.search.serene import SERENE, SERENEConfig
from potentia.agents.search.signature import log_signature
from potentia.agents.search.stax import STAX, STAXConfig
from potentia.agents.search.taxons import TAXONS, TAXONSConfig

__all__ = [
    "CMAMAE",
    "CMAME",
    "SERENE",
    "STAX",
    "TAXONS",
    "MAPElites",
    "NoveltySearch",
    "NoveltySearchConfig",
    "RandomSearch",
    "RibsConfig",
    "SERENEConfig",
    "STAXConfig",
    "Search",
    "SearchConfig",
    "TAXONSConfig",
    "log_signature",
]
