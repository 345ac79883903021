"""The table of a study of adversarial imitation: true returns, and how steep D and Q became.

    python benchmarks/imitation_table.py STUDY_FOLDER [...]

For each method: the median and the range over seeds of the true return at the end, the mean norm of the gradient of D's
logit (by normalised features) and of Q (by observation and action), both at the demonstrations' steps and at those of
the learned policy, and the mean kappa. A run that is not finished is left out and counted.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from potentia.collect import collect
from potentia.rollout import Rollout
from potentia.shaping import Discriminator
from potentia.shaping.imitation.lipschitz import gradient_norms
from potentia.study import load
from potentia.study.trained import read_checkpoint, restored


def steepness(folder: Path) -> dict[str, float]:
    """How steep D and Q are at the steps of a run's learned policy."""
    trained = restored(*read_checkpoint(folder))
    envs = gym.make_vec(trained.config.environment.id, 4, vectorization_mode="sync")
    rollout, _ = collect(envs, trained.learner.frozen(seed=0), 200, gamma=trained.config.gamma, seed=0)
    found = {"grad Q": q_norms(trained.learner, rollout)}
    shaper: Any = trained.shaper
    for part in getattr(shaper, "shapers", ()):
        if isinstance(part, Discriminator):
            encoded, mask = part._encoded(rollout)
            x = part._seen(encoded)[mask]
            found["grad D"] = float(gradient_norms(part.adversary.logit, x).mean().detach())
            if part.preconditioner is not None:
                found["kappa"] = float(part.preconditioner.kappa(x).mean())
    return found


def q_norms(learner: Any, rollout: Rollout) -> float:
    """The mean norm of the gradient of the lesser Q by observation and action (scaled to [-1, 1])."""
    mask = torch.as_tensor(rollout.mask).ravel()
    obs = torch.as_tensor(rollout.obs).flatten(0, 1)[mask].float()
    action = learner.actor.scaled(torch.as_tensor(rollout.action).flatten(0, 1)[mask].float())
    size = obs.shape[1]
    norms = gradient_norms(lambda x: learner.critics(x[:, :size], x[:, size:]).amin(0), torch.cat([obs, action], 1))
    return float(norms.mean().detach())


def main() -> None:
    """Prints a table for each study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="+", type=Path)
    torch.set_num_threads(1)
    for study in parser.parse_args().studies:
        results = load(study)
        rows: dict[str, list[dict[str, float]]] = defaultdict(list)
        for run in results.study.runs:
            if run.completed:
                rows[run.shaping].append({"return": run.final_return, **steepness(run.folder)})
        print(f"\n{study.name}\n")
        print("| method | runs | true return: median (range) | grad D | grad Q | kappa |")
        print("|---|---|---|---|---|---|")
        for method, runs in rows.items():
            returns = np.array([run["return"] for run in runs])
            means = {
                key: f"{np.mean([run[key] for run in runs]):.2f}" if all(key in run for run in runs) else ""
                for key in ("grad D", "grad Q", "kappa")
            }
            print(
                f"| {method} | {len(runs)} | {np.median(returns):.0f} ({returns.min():.0f} to {returns.max():.0f}) | "
                + " | ".join(means.values())
                + " |"
            )


if __name__ == "__main__":
    main()
