"""A reward model's score, reshaped: bounded, centred on what the initial policy earned, or normalised."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from potentia.arrays import host_array, like_column
from potentia.limits import check_among
from potentia.rollout import Rollout
from potentia.shaping._models.running import RunningMoments
from potentia.shaping.columns import info_column, reward_before
from potentia.shaping.shaper import Carry, Contract, Shaper

Form = Literal[
    "par", "centered", "sigmoid", "tanh", "arctan", "polynomial", "sgfc", "lsc", "ceiling", "clip", "mean_std",
    "min_max",
]  # fmt: skip

_SIGMOID_FIT = np.polynomial.Polynomial.fit(np.linspace(-5, 5, 1001), 1 / (1 + np.exp(-np.linspace(-5, 5, 1001))), 5)
_Q85 = 1.0364333894937898
"""The 85th percentile of a standard normal."""


def _sigmoid(x: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


_CENTRED: dict[str, Callable[[Any], Any]] = {
    "par": _sigmoid,
    "centered": lambda x: x,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "polynomial": lambda x: _SIGMOID_FIT(np.clip(x, -5.0, 5.0)),
    "sgfc": lambda x: _sigmoid(x - 3.0),
}
_RUNNING = ("clip", "mean_std", "min_max")
FORMS: tuple[str, ...] = (*_CENTRED, "sigmoid", "lsc", "ceiling", *_RUNNING)


class PAR(Shaper):
    """``mean over references of sigmoid(k (r - reference)) - r``: preference as reward, r the reward so far.

    Fu et al. 2025, "Reward shaping to mitigate reward hacking in RLHF", arXiv 2502.18770. A score of a learned reward
    model is trusted less the further it leaves what it was trained on. So the reward shall be bounded, rise fast where
    learning begins and then saturate, and depend on the score less that of the initial policy. The other forms are
    those that the paper compares:

    - ``"par"``: sigmoid(k x), x = r - reference. ``"centered"``: k x. ``"tanh"``, ``"arctan"``: of k x.
      ``"polynomial"``: the fit of degree 5 to the sigmoid on [-5, 5]. ``"sgfc"``: sigmoid(k x - 3), slow at first.
    - ``"sigmoid"``: sigmoid(k r), not centred. ``"lsc"``: log sigmoid(k (r - q)), q the 85th percentile of a normal
      with the references' mean and deviation. ``"ceiling"``: min(r, ceiling).
    - ``"clip"``: r clipped to its running mean plus or minus its running deviation. ``"mean_std"``: (r - mean) /
      deviation. ``"min_max"``: (r - min) / (max - min). All are those of every reward that `update` has seen. Before
      the first they leave the reward alone.

    It changes what is optimal on purpose. It applies to the steps that end an episode, where such scores are paid, or
    to every step.

    Args:
        form: Which of them.
        reference: The scores of the initial policy: numbers, or the name of an info column ``(T, B)`` or ``(T, B, M)``
            with those for the same task. Needed by centred forms and ``"lsc"``.
        k: The steepness.
        ceiling: Of the form ``"ceiling"``.
        when: ``"end"`` or ``"always"``.
        name: The term's name.

    Raises:
        ValueError: If a choice is unknown, or a reference or ceiling is missing.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, ends = np.zeros((1, 2)), np.ones((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": np.array([[1.0, 9.0]])}, discount=zeros,
    ...     terminated=ends, truncated=~ends)
    >>> PAR(reference=[0.0, 1.0]).shape(rollout)[0].reward[0].round(3).tolist()  # (sigmoid(1) + sigmoid(0)) / 2, ...
    [0.616, 1.0]
    """

    saved = ("_moments", "_least", "_most")

    def __init__(
        self,
        form: Form = "par",
        *,
        reference: Sequence[float] | str | None = None,
        k: float = 1.0,
        ceiling: float | None = None,
        when: Literal["end", "always"] = "end",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(FORMS, form=form)
        check_among(("end", "always"), when=when)
        if reference is None and (form in _CENTRED or form == "lsc"):
            raise ValueError(
                f"the form {form!r} needs reference=: the initial policy's scores, or an info column's name"
            )
        if ceiling is None and form == "ceiling":
            raise ValueError("the form 'ceiling' needs ceiling=, the greatest reward")
        self.form, self.k, self.ceiling, self.when = form, float(k), ceiling, when
        self.reference = reference if isinstance(reference, str) or reference is None else np.asarray(reference, float)
        self._moments, self._least, self._most = RunningMoments(), math.inf, -math.inf
        reads = {"reward"} | ({"terminated", "truncated"} if when == "end" else set())
        if isinstance(reference, str):
            reads.add(f"info:{reference}")
        self.contract: Contract = Contract(
            reads=frozenset(reads), scope="lifelong" if form in _RUNNING else "step", rescales=True
        )

    @property
    def learns(self) -> bool:
        return self.form in _RUNNING

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = np.asarray(host_array(rollout.reward), np.float64)
        shaped = self._shaped(reward, rollout)
        if self.when == "end":
            shaped = np.where(host_array(rollout.done), shaped, reward)
        return rollout.add(self.name, like_column(shaped - reward, rollout.discount)), carry

    def _shaped(self, reward: np.ndarray[Any, Any], rollout: Rollout) -> np.ndarray[Any, Any]:
        if self.form in _RUNNING:
            return self._normalised(reward)
        if self.form == "ceiling":
            return np.asarray(np.minimum(reward, float(self.ceiling or 0.0)))
        if self.form == "sigmoid":
            return np.asarray(_sigmoid(self.k * reward))
        reference = self._references(rollout)
        if self.form == "lsc":
            q85 = reference.mean(-1) + _Q85 * reference.std(-1)
            return np.asarray(-np.logaddexp(0.0, np.nan_to_num(-self.k * (reward - q85))))
        return np.asarray(_CENTRED[self.form](self.k * (reward[..., None] - reference)).mean(-1))

    def _references(self, rollout: Rollout) -> np.ndarray[Any, Any]:
        """``(T, B, M)``, or ``(M,)`` if they are the same everywhere."""
        if not isinstance(self.reference, str):
            assert self.reference is not None
            return self.reference
        column = np.asarray(host_array(info_column(rollout, self.reference, self.name)), np.float64)
        return column if column.ndim == 3 else column[..., None]

    def _normalised(self, reward: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if not self._moments.count:
            return reward
        mean, std = float(self._moments.mean), float(self._moments.var) ** 0.5
        if self.form == "clip":
            return np.asarray(np.clip(reward, mean - std, mean + std))
        low, width = (mean, std) if self.form == "mean_std" else (self._least, self._most - self._least)
        return np.asarray((reward - low) / (width if width > 0 else 1.0))

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Takes in the rewards that it was given: those of ends alone, or of all steps."""
        del policy
        if self.form not in _RUNNING:
            return {}
        where = host_array(rollout.mask) & (host_array(rollout.done) if self.when == "end" else True)
        seen = reward_before(rollout, self.name).numpy()[where]
        if not len(seen):
            return {}
        values: Tensor = torch.from_numpy(seen)
        self._moments.update(values, torch.ones(len(seen), dtype=torch.bool))
        self._least, self._most = min(self._least, float(seen.min())), max(self._most, float(seen.max()))
        return {"mean": float(self._moments.mean), "std": float(self._moments.var) ** 0.5}
