"""What is wrong with a shaping before it trains and while it does, and what it can do to what is optimal, proved.

`audit` looks at shapers, stacks, models, studies, scripts and settings. `Watch` follows a training. `certify` solves a
world with a shaping and without. The distances say how far apart two rewards are.
"""

from potentia.audit.battery import Battery, HeuristicRow, heuristic_battery, heuristics, random_worlds
from potentia.audit.certificate import Certificate, Change, certify
from potentia.audit.distances import canonical, dard_distance, epic_distance, starc_distance
from potentia.audit.findings import audit
from potentia.audit.transitions import Transitions, transitions_of
from potentia.audit.watch import Watch
from potentia.shaping.fit import Finding

__all__ = [
    "Battery",
    "Certificate",
    "Change",
    "Finding",
    "HeuristicRow",
    "Transitions",
    "Watch",
    "audit",
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
