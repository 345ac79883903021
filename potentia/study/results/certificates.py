"""What was proved of a run's shaping in its world, or why nothing was: from the file that the run kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from potentia.study.results.files import json_object, number

FILE = "certificate.json"


@dataclass(frozen=True)
class RunCertificate:
    """The numbers of `potentia.audit.Certificate` for the trained shaping of one run.

    Attributes:
        promised: The guarantee of the shaping's contract.
        optimum_preserved: Whether whoever is optimal with the shaping is optimal in truth. None if it was not
            certified. The numbers are then NaN.
        worst_regret: What the worst policy loses that is optimal with it, from the start.
        worst_regret_anywhere: The same from the state where it loses most.
        optimal_value: The true optimal value of the start.
        num_changed: How many states have other optimal actions.
        num_nodes: Of how many.
        not_covered: What the verdict leaves out, in sentences.
        reason: Why it was not certified, "" if it was.
    """

    promised: str
    optimum_preserved: bool | None
    worst_regret: float
    worst_regret_anywhere: float
    optimal_value: float
    num_changed: float
    num_nodes: float
    not_covered: tuple[str, ...]
    reason: str

    @property
    def certified(self) -> bool:
        """Whether the world was solved, with whatever verdict."""
        return self.optimum_preserved is not None


_NUMBERS = ("worst_regret", "worst_regret_anywhere", "optimal_value", "num_changed", "num_nodes")


def read_certificate(folder: Path) -> RunCertificate | None:
    """That of a run's folder. It is None where the run has kept none."""
    document = json_object(folder / FILE)
    if document is None:
        return None
    preserved = document.get("optimum_preserved")
    reason = "" if isinstance(preserved, bool) else str(document.get("reason") or f"{FILE} has no verdict")
    lines = document.get("not_covered")
    return RunCertificate(
        promised=str(document.get("promised", "")),
        optimum_preserved=None if reason else preserved,
        **{name: number(document.get(name)) for name in _NUMBERS},
        not_covered=tuple(map(str, lines)) if isinstance(lines, list) else (),
        reason=reason,
    )
