"""What a stack of shapings can do to what is optimal: exact certificates and distances between rewards."""

from potentia.audit.certificate import Certificate, Change, certify
from potentia.audit.distances import canonical, dard_distance, epic_distance, starc_distance
from potentia.audit.transitions import Transitions, transitions_of

__all__ = [
    "Certificate",
    "Change",
    "Transitions",
    "canonical",
    "certify",
    "dard_distance",
    "epic_distance",
    "starc_distance",
    "transitions_of",
]
