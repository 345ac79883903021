"""What the learner was paid for: the share of each reward term over training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from potentia.study.report.cells import Cells, Method
from potentia.study.statistics.estimates import Floats


@dataclass(frozen=True)
class Shares:
    """Share of |reward| of each term over training, averaged over the completed runs of a cell."""

    environment: str
    method: Method
    runs: int
    steps: Floats
    terms: dict[str, Floats]


def reward_shares(cells: Cells) -> list[Shares]:
    """Shares of the shaped methods of each world, on the steps that the first of their runs logged."""
    found = []
    for environment in cells.environments:
        for method in cells.methods:
            logs = [run.training for run in cells.completed(environment, method) if run.training.steps.size]
            terms = list(dict.fromkeys(name for log in logs for name in log.shares))
            if len(terms) < 2:
                continue
            steps = logs[0].steps
            means = {
                name: np.mean(
                    [
                        np.interp(steps, log.steps, np.nan_to_num(log.shares.get(name, np.zeros(log.steps.size))))
                        for log in logs
                    ],
                    axis=0,
                )
                for name in terms
            }
            found.append(Shares(environment, method, len(logs), steps, means))
    return found
