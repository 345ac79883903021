"""N worlds of one set of rules, stepped together: their arrays, and what an info tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.envs.control.draws import seed_row
from potentia.envs.control.loops import SAME_STEP, begin_loop, hash_state, look_loop, paint_loop, step_loop, tell_loop
from potentia.envs.control.rules import Rules
from potentia.envs.control.spaces import action_rows, action_space_of, action_words, observation_space_of

__all__ = ["IMAGE", "ControlWorlds", "caption"]

IMAGE = (64, 64, 3)
"""The shape of the picture in an info."""
_PARALLEL_FROM = 256
"""The number of worlds from which waking a second core pays."""
_ROWS = (
    "state", "draws", "seen", "descriptor", "inside", "entered", "time", "waiting",
    "reward", "terminated", "truncated", "success",
)  # fmt: skip
"""What the loops are given, in their order. To begin an episode takes the first eight."""
_LINKED = ("_begin", "_step", "_rows")


class ControlWorlds:
    """The state of N worlds, and the arrays into which a step writes. All may be read and written.

    Args:
        rules: The world.
        num_envs: N.
        mode: What happens to a world that ended: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``, as in Gymnasium.
        limit: Another time limit than the world's own.
        cut: Episodes are cut after so many steps, if that is sooner. The world doesn't know of it.
        parallel: Whether all cores step. None: if there are many worlds.

    Attributes:
        state: ``(N, S)`` float64.
        draws: ``(N, 1)`` uint64, the random numbers.
        observation: ``(N, O)`` float32, what is given to the agent.
        observation_space: The space of one world's.
        action_space: The space of one world's actions.
        keys: The keys that ``info`` can have.
        descriptor: ``(N, d)`` float64.
        inside: ``(N,)`` int64: the area that the descriptor is in, -1 for none.
        entered: ``(N,)`` int64: the area that was entered in this step, -1 for none.
        time: ``(N,)`` int64, the steps of the episode.
        waiting: ``(N,)`` bool: ended, and begins anew with the next step.
        reward: ``(N,)`` float64.
        terminated: ``(N,)`` bool.
        truncated: ``(N,)`` bool.
        success: ``(N,)`` bool.
    """

    kept: tuple[str, ...] = ("state", "draws", "time", "waiting")
    """The arrays that are the state."""
    free_keys: tuple[str, ...] = ("success",)
    """The keys of ``info`` that cost nothing: what it has unless it is asked for more."""

    def __init__(
        self,
        rules: Rules,
        num_envs: int,
        mode: int,
        *,
        limit: int | None = None,
        cut: int | None = None,
        parallel: bool | None = None,
    ) -> None:
        self.rules, self.num_envs, self.mode = rules, num_envs, mode
        self.limit = rules.limit if limit is None else limit
        self.cut = self.limit if cut is None else min(cut, self.limit)
        self.parallel = num_envs >= _PARALLEL_FROM if parallel is None else parallel
        self.state = self._zeros(len(rules.state))
        self.draws = self._zeros(1, dtype=np.uint64)
        self.seen = self.observation = self._zeros(len(rules.observed), dtype=np.float32)
        self.descriptor = self._zeros(len(rules.described))
        self.inside, self.entered = self._zeros(dtype=np.int64) - 1, self._zeros(dtype=np.int64) - 1
        self.time, self.reward = self._zeros(dtype=np.int64), self._zeros()
        self.waiting, self.terminated, self.truncated, self.success = (self._zeros(dtype=np.bool_) for _ in range(4))
        self.observation_space: spaces.Box = observation_space_of(rules)
        self.action_space: spaces.Space[Any] = action_space_of(rules)
        some = {"potential": rules.potential, "progress": rules.progress, "image": rules.paint, "subgoals": rules.areas}
        self.keys: tuple[str, ...] = (
            "success", "state_hash", "caption", "descriptor", "area", *(key for key, known in some.items() if known)
        )  # fmt: skip
        self._link()

    def _zeros(self, *shape: int, dtype: Any = np.float64) -> Any:
        """An array ``(N, *shape)`` where the worlds are."""
        return np.zeros((self.num_envs, *shape), dtype)

    def _copy(self, array: Any) -> Any:
        return array.copy()

    def _link(self) -> None:
        """Finds the loops, and what they write to."""
        self._rows = tuple(getattr(self, name) for name in _ROWS)
        self._begin, self._step = begin_loop(self.rules), step_loop(self.rules, self.parallel)

    def __getstate__(self) -> dict[str, Any]:
        """All but the loops, which are not copied."""
        return {name: value for name, value in self.__dict__.items() if name not in _LINKED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, which goes on as the worlds do that it was made of."""
        self.__dict__.update(state)
        self._link()

    @property
    def time_limit(self) -> int:
        """After how many steps an episode is truncated."""
        return self.cut

    @property
    def random_return(self) -> float | None:
        """The expected return of random actions, None where it is not known, or not for this time limit."""
        return self.rules.random_return if self.cut == self.rules.limit else None

    @property
    def optimal_return(self) -> float | None:
        """The largest expected return there is, None where it is not known, or not for a time limit so short."""
        return self.rules.optimal_return if self.cut >= self.rules.limit else None

    def seed(self, n: int, seed: int | None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment."""
        seed_row(self.draws[n], seed)

    def begin(self, mask: Any) -> None:
        """Begins an episode in the worlds of a mask."""
        self._begin.run(*self._rows[:8], mask)
        self.success &= ~mask

    def rows(self, actions: Any) -> Any:
        """Actions as rows of numbers for `step`: see `potentia.envs.control.spaces.action_rows`."""
        return action_rows(self.rules, actions, self.num_envs)

    def action_text(self, action: Any) -> str:
        """An action of one world in words."""
        return action_words(self.rules, action)

    def step(self, rows: Any) -> None:
        """One action ``(N, A)`` float64, within the bounds, in each world that isn't waiting to begin anew."""
        self._step.run(*self._rows, rows, self.limit, self.cut)
        if self.mode != SAME_STEP:
            self.waiting[:] = self.terminated | self.truncated

    def info(self, keys: tuple[str, ...]) -> dict[str, Any]:
        """The columns of info of all worlds, in new arrays. Its ``subgoals`` are a dictionary of columns."""
        return {key: self._column(key) for key in keys}

    def _column(self, key: str) -> Any:
        kept = {"success": self.success, "descriptor": self.descriptor, "area": self.inside}
        if key in kept:
            return self._copy(kept[key])
        if key == "state_hash":
            return hash_state(self.state)
        if key == "caption":
            return np.array([caption(self.rules, *row) for row in zip(self.state, self.inside, strict=True)], object)
        if key == "subgoals":
            return {area.name: self.entered == k for k, area in enumerate(self.rules.areas)}
        if key == "image":
            return self.picture(IMAGE)
        out = self._zeros()
        self._tell(key).run(self.state, out)
        return out

    def _tell(self, key: str) -> Any:
        return tell_loop(self.rules, key)

    def _look(self) -> Any:
        return look_loop(self.rules)

    def picture(self, shape: tuple[int, int, int]) -> Any:
        """A picture of each world, ``(N, *shape)`` uint8."""
        out = np.zeros((self.num_envs, *shape), np.uint8)
        paint_loop(self.rules, self.parallel).run(self.state, out)
        return out

    def save(self) -> tuple[Any, ...]:
        """A copy of the whole state, random numbers included, for `restore`."""
        return tuple(self._copy(getattr(self, name)) for name in self.kept)

    def restore(self, saved: tuple[Any, ...]) -> None:
        """Writes back what `save` returned."""
        for name, kept in zip(self.kept, saved, strict=True):
            getattr(self, name)[:] = kept
        self.success[:] = False
        state, _, *shown = self._rows[:6]
        self._look().run(state, *shown)


def caption(rules: Rules, state: Any, area: int) -> str:
    """A state in words: its named numbers, and the area that it is in."""
    told = ", ".join(f"{name} {value:.4g}" for name, value in zip(rules.state, state, strict=True) if name[0] != "_")
    return told + (f"; in {rules.areas[area].name}" if area >= 0 else "")
