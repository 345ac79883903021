"""What a shaping does while it trains: do sums agree, do scales drift, does what is paid part from the truth?"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from potentia.arrays import host_array
from potentia.audit.books import Books, Numbers, Step
from potentia.rollout import ENV, Rollout
from potentia.shaping.compose import members
from potentia.shaping.fit import Finding
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.shaper import Shaper

_SCALES = ("sigma", "scale", "std")
"""The last parts of the names of metrics that are running scales."""
_DRIFT = 2.0
_FEWEST = 8


class Watch:
    """Follows a training: ``observe(rollout)``, or ``step(...)`` in a loop of one's own. Returns metrics by name.

    - ``telescoping``: the greatest ``|sum_t D_t F_t - (D_T potential(last) - potential(first))|`` of the episodes that
      ended, relative to the greatest potential in it or to 1. ``D_t`` is the product of the discounts before step t.
      It is asked of each `PotentialShaping` in ``shaper`` whose potential does not learn, and of rollouts, for a step
      alone has no observations.
    - ``ledger``: the greatest ``|reward - sum of its terms|`` of a step, relative to the greatest term or to 1: whether
      the learner was given what was named.
    - ``returns``: the mean sum of each term over the episodes that ended, ``"env"`` being the true return.
    - ``gap``: the mean of shaped less true returns of these episodes.
    - ``drift``: for each running scale, how many times larger or smaller it is than it was a window ago.

    What is wrong is in ``findings``, each kind once:

    - ``telescoping``, ``ledger``: beyond ``tolerance``.
    - ``drift``: a scale has changed more than twofold within a window, so that rewards of before and after differ in
      meaning. This is not severe.
    - ``hacking``: within the last ``window`` episodes the shaped return rises and the true one falls, each by more
      than three standard errors of the difference between the window's halves.

    Args:
        shaper: What shapes. None if its potentials are not to be looked at.
        window: How many episodes, or readings of a scale, are looked back.
        tolerance: What counts as equal, relative to the greatest number in the sum, or to 1.

    Attributes:
        findings: What is wrong so far.

    Raises:
        ValueError: If ``window`` is less than 8.

    >>> watch = Watch()
    >>> info = {"terms": {"env": 0.0, "bonus": 0.5}, "discount": 0.9}
    >>> watch.step(0.5, False, False, info)["ledger"]
    0.0
    >>> watch.step(1.0, True, False, info)["ledger"], watch.findings[0].name  # something outside doubled it
    (0.5, 'ledger')
    """

    def __init__(self, shaper: Shaper | None = None, *, window: int = 100, tolerance: float = 1e-3) -> None:
        if window < _FEWEST:
            raise ValueError(
                f"window must be at least {_FEWEST} episodes, so that halves can be compared, got {window}"
            )
        self.window, self.tolerance = window, tolerance
        self.findings: list[Finding] = []
        parts = () if shaper is None else members(shaper)
        self._potentials = [one for one in parts if isinstance(one, PotentialShaping) and not one.potential.changes]
        self._ended: deque[tuple[float, float]] = deque(maxlen=window)  # shaped and true returns
        self._scales: dict[str, deque[float]] = {}
        self.begin()

    def begin(self) -> None:
        """Forgets the unfinished episodes. Call it when the environments are reset from outside."""
        self._books: Books | None = None

    def observe(self, rollout: Rollout, metrics: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Takes the shaped rollout that follows the last one, as the learner is given it.

        Args:
            rollout: ``(T, B)``.
            metrics: What `potentia.shaping.Shaper.update` returned, in which running scales are found by their names.
        """
        terms = {name: _host(term) for name, term in rollout.terms.items()}
        ends = host_array(rollout.done)
        potentials = {
            one.name: tuple(_host(one.potential.values(rollout, side, one.name)) + one.shift for side in ("", "next_"))
            for one in self._potentials
            if one.name in terms
        }
        reward, discount, mask = _host(rollout.reward), _host(rollout.discount), host_array(rollout.mask)
        steps = [
            Step(
                {name: term[t] for name, term in terms.items()},
                reward[t],
                discount[t],
                mask[t],
                ends[t],
                {name: (before[t], after[t]) for name, (before, after) in potentials.items()},
            )
            for t in range(len(ends))
        ]
        return self._take(steps, metrics)

    def step(
        self, reward: Any, terminated: Any, truncated: Any, info: Any, metrics: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Takes one step of a loop with `potentia.wrappers.ShapeReward` or ``ShapeVectorReward`` inside.

        Args:
            reward: What the learner is given, a number or ``(N,)``.
            terminated: As the environment returned it.
            truncated: Likewise.
            info: Likewise, or a list of N as Stable-Baselines3 has them. Its ``terms`` and ``discount`` are read.
            metrics: As for `observe`.

        Raises:
            KeyError: If info has no ``terms``.
        """
        infos = [info] if isinstance(info, Mapping) else info
        if not all("terms" in one for one in infos):
            raise KeyError(
                "info has no 'terms': put potentia.wrappers.ShapeReward inside, or give whole rollouts to Watch.observe"
            )
        names = infos[0]["terms"]
        terms = {name: np.concatenate([_row(one["terms"][name]) for one in infos]) for name in names}
        discount = np.concatenate([_row(one["discount"]) for one in infos])
        done = np.asarray(terminated, bool).reshape(-1) | np.asarray(truncated, bool).reshape(-1)
        return self._take([Step(terms, _row(reward), discount, np.ones(len(done), bool), done, {})], metrics)

    def _take(self, steps: list[Step], metrics: Mapping[str, Any] | None) -> dict[str, Any]:
        if self._books is None:
            self._books = Books(len(steps[0].done))
        off = max(step.off() for step in steps)
        ended = [episodes for step in steps if (episodes := self._books.add(step)) is not None]
        for episodes in ended:
            self._ended.extend(zip(episodes.shaped.tolist(), episodes.terms[ENV].tolist(), strict=True))
        residuals = [float(each.max()) for episodes in ended for each in episodes.residuals.values()]
        residual = max(residuals, default=None)
        drift = dict(self._drift(metrics or {}))
        for finding in (*self._unequal(off, residual), *self._drifted(drift), *self._hacked()):
            if finding.name not in {known.name for known in self.findings}:
                self.findings.append(finding)
        names = ended[0].terms if ended else ()
        gaps = [episodes.shaped - episodes.terms[ENV] for episodes in ended]
        return {
            "telescoping": residual,
            "ledger": off,
            "returns": {
                name: float(np.concatenate([episodes.terms[name] for episodes in ended]).mean()) for name in names
            },
            "gap": float(np.concatenate(gaps).mean()) if gaps else None,
            "drift": drift,
        }

    def _unequal(self, off: float, residual: float | None) -> Iterator[Finding]:
        if off > self.tolerance:
            problem = f"the reward of a step is {off:.3g} off the sum of its terms"
            yield Finding("ledger", problem, "find what changes it outside of the shaping: potentia.audit.audit(env)")
        if residual is not None and residual > self.tolerance:
            problem = f"the terms of an episode are {residual:.3g} off what those of a potential add up to"
            advice = "find what scales, clips or drops them, or hides the true next observation or the discount"
            yield Finding("telescoping", problem, advice)

    def _drift(self, metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
        for name, value in metrics.items():
            if name.rpartition("/")[2] in _SCALES and float(value) > 0:
                past = self._scales.setdefault(name, deque(maxlen=self.window))
                past.append(float(value))
                yield name, max(past[-1] / past[0], past[0] / past[-1])

    def _drifted(self, drift: Mapping[str, float]) -> Iterator[Finding]:
        for name, factor in drift.items():
            if factor > _DRIFT and len(self._scales[name]) >= _FEWEST:
                problem = f"{name} has changed {factor:.3g}-fold within {len(self._scales[name])} updates"
                advice = "let it settle before learning, and keep potentials outside of what it scales"
                yield Finding("drift", problem, advice, severe=False)

    def _hacked(self) -> Iterator[Finding]:
        if len(self._ended) < self.window:
            return
        shaped, true = np.array(self._ended).T
        if _rises(shaped) and _rises(-true):
            half = self.window // 2
            problem = (
                f"within {self.window} episodes the shaped return rose from {shaped[:half].mean():.3g} to "
                f"{shaped[half:].mean():.3g} while the true one fell from {true[:half].mean():.3g} to "
                f"{true[half:].mean():.3g}"
            )
            advice = "look at episodes of this policy (potentia replay); pay as a potential what is paid by the step"
            yield Finding("hacking", problem, advice)


def _rises(values: Numbers) -> bool:
    """Whether the later half is more, by three standard errors of the difference."""
    early, late = np.array_split(values, 2)
    error = math.sqrt(early.var(ddof=1) / len(early) + late.var(ddof=1) / len(late))
    return bool(late.mean() - early.mean() > max(3 * error, 1e-9))


def _host(array: Any) -> Numbers:
    return host_array(array).astype(np.float64)


def _row(value: Any) -> Numbers:
    return np.asarray(host_array(value) if hasattr(value, "shape") else value, np.float64).reshape(-1)
