"""What is logged is what the learner saw: terms, their shares, and the true returns of finished episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.rollout import ENV, Rollout

_SUMS = ("env", "shaped", "length")


def reward_metrics(rollout: Rollout) -> dict[str, Any]:
    """``{"terms": means, "shares": sum|term| / sum over terms of sum|.|, "discount": mean}``, unmasked.

    Shares are 0 if every term is 0 everywhere. All numbers are 0 if every step is masked.

    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.array([[0.0], [1.0]]), "bonus": np.array([[0.5], [-0.5]])},
    ...     discount=np.array([[0.9], [0.0]]), terminated=np.array([[False], [True]]), truncated=np.zeros((2, 1), bool))
    >>> metrics = reward_metrics(rollout)
    >>> metrics["terms"], metrics["shares"], metrics["discount"]
    ({'env': 0.5, 'bonus': 0.0}, {'env': 0.5, 'bonus': 0.5}, 0.45)
    """
    mask = host_array(rollout.mask)
    count = max(int(mask.sum()), 1)
    terms = {name: host_array(term)[mask].astype(np.float64) for name, term in rollout.terms.items()}
    sizes = {name: float(np.abs(term).sum()) for name, term in terms.items()}
    total = sum(sizes.values()) or 1.0
    return {
        "terms": {name: float(term.sum()) / count for name, term in terms.items()},
        "shares": {name: size / total for name, size in sizes.items()},
        "discount": float(host_array(rollout.discount)[mask].astype(np.float64).sum()) / count,
    }


@dataclass(frozen=True)
class Episodes:
    """Finished episodes in the order of their ends, each array ``(E,)``.

    Attributes:
        env: True returns: undiscounted sums of the term ``"env"``.
        shaped: Undiscounted sums of all terms.
        length: Numbers of unmasked steps.
    """

    env: np.ndarray[Any, Any]
    shaped: np.ndarray[Any, Any]
    length: np.ndarray[Any, Any]

    def metrics(self) -> dict[str, Any]:
        """``{"episodes": E, "return": {"env": mean, "shaped": mean}, "length": mean}``. The mean of none is None."""

        def mean(values: np.ndarray[Any, Any]) -> float | None:
            return float(values.mean()) if values.size else None

        returns = {"env": mean(self.env), "shaped": mean(self.shaped)}
        return {"episodes": int(self.env.size), "return": returns, "length": mean(self.length)}


class ReturnTracker:
    """Adds up episodes that run across rollouts. Masked steps do not exist for it.

    Args:
        num_envs: B of the rollouts.
    """

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self._sums = np.zeros((len(_SUMS), num_envs))

    def update(self, rollout: Rollout) -> Episodes:
        """Takes the rollout that follows the last one. Returns the episodes that end in it.

        Raises:
            ValueError: If the rollout has another number of environments.
        """
        if rollout.num_envs != self.num_envs:
            raise ValueError(
                f"this ReturnTracker follows {self.num_envs} environments, got a rollout of {rollout.num_envs}; "
                "make one tracker for each set of environments"
            )
        mask = host_array(rollout.mask)
        done = host_array(rollout.done) & mask
        env = np.where(mask, host_array(rollout.terms[ENV]), 0.0)
        gains = np.stack([env, host_array(rollout.reward).astype(np.float64), mask.astype(np.float64)], axis=1)
        finished = []
        for gain, ends in zip(gains, done, strict=True):
            self._sums += gain
            if ends.any():
                finished.append(self._sums[:, ends])
                self._sums[:, ends] = 0.0
        return Episodes(*(np.concatenate(finished, axis=1) if finished else np.zeros((len(_SUMS), 0))))

    def reset(self) -> None:
        """Forgets the unfinished episodes. Call it when the environments are reset from outside."""
        self._sums[:] = 0.0

    def state_dict(self) -> dict[str, Any]:
        """The sums of the unfinished episodes."""
        return {"sums": self._sums.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            ValueError: If it was saved for another number of environments.
        """
        sums = np.asarray(state["sums"], dtype=np.float64)
        if sums.shape != self._sums.shape:
            raise ValueError(f"saved sums must have shape {self._sums.shape}, got {sums.shape}: another number of envs")
        self._sums = sums.copy()
