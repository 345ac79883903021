"""What a stack of shapings can do to what is optimal: exact certificates and distances between rewards."""

from potentia.audit.battery import Battery, HeuristicRow, heuristic_battery, heuristics, random_worlds
from potentia.audit.certificate import Certificate, Change, certify
from potentia.audit.distances import canonical, dard_distance, epic_distance, starc_distance
from potentia.audit.transitions import Transitions, transitions_of

__all__ = [
    "Battery",
    "Certificate",
    "Change",
    "HeuristicRow",
    "Transitions",
    "canonical",
    "certify",
    "dard_distance",
    "epic_distance",
    "heuristic_battery",
    "heuristics",
    "random_worlds",
    "starc_distance",
    "transitions_of",
]
