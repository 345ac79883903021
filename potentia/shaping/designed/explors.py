"""A learner that pays itself: for actions whose returns were better than expected, and for states that are new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from potentia.arrays import array_namespace, host_array, like_column
from potentia.limits import check_among, check_at_least
from potentia.returns import gae
from potentia.rollout import ENV, Array, Rollout
from potentia.shaping._models.count_table import CountTable
from potentia.shaping._models.keys import Keys, state_keys
from potentia.shaping._models.learned import rows_of
from potentia.shaping.columns import info_column
from potentia.shaping.designed.action_chances import action_chances, numbered_actions
from potentia.shaping.designed.self_rewards import NetworkRewards, SelfRewards, TableRewards
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree, map_tree

__all__ = ["ExploRS"]

_NETWORK = {"learning_rate": 1e-3, "critic_rate": 5e-3, "wait_steps": 5000, "wait_returns": 100}
_TABLE = {"learning_rate": 0.01, "critic_rate": 0.01, "wait_steps": 0, "wait_returns": 0}
"""Settings of the authors' code, for the neural and the tabular form."""


class ExploRS(Shaper):
    """``R(obs, action) + B(next_obs)``: a reward that one's own returns teach, and a bonus for what is new.

    Devidze, Kamalaruban and Singla 2022, "Exploration-guided reward shaping for reinforcement learning under sparse
    rewards" (NeurIPS). ``B(s) = scale / sqrt((scale / bonus)^2 + N(s))`` is 0 where the episode ends. N(s) counts the
    visits in earlier rollouts. R climbs ``mean of pi(a | s) (G - V(s)) (R(s, a) - sum_b pi(b | s) R(s, b))``. G is the
    return of the world's own reward and V what was returned from s on average. So a step changes the R of a state's
    actions by amounts that sum to 0. In a table, ``R(s, .) += learning_rate g (onehot(a) - pi(. | s))``, ``g = pi(a |
    s) (G - V(s))``.

    The authors learn from the ten latest episodes at every fifth, so that each counts twice. Here `update` learns from
    what it is given, once, with the policy that it is given. Where an episode is cut by the rollout, or by a limit
    behind which the discount goes on, V stands for the rest of G. N is counted by rollout, theirs by step.

    With ``bonus=0`` it is the paper's SelfRS, and with ``learning_rate=0`` its bonus alone (ExploB).

    Args:
        observation_space: The space of observations. The tabular form takes ``Discrete``.
        action_space: The space of actions: ``Discrete``.
        form: ``"tabular"`` or ``"neural"``.
        bonus: B of a state that was never visited.
        scale: lambda: B falls to about ``scale / sqrt(N)``.
        key: What tells states apart where they are counted: None for all of the observation, the name of an info
            column, or a function from observations ``(T, B, ...)`` to keys ``(T, B, ...)``.
        hash_bits: As for `potentia.shaping.Count`.
        learning_rate: R's: by default 0.01 in a table, and Adam's 1e-3.
        critic_rate: V's: by default 0.01 in a table, and Adam's 5e-3.
        clip: The largest |R|. The authors' network has 0.1, and their table 0.01 for Q-learning and none for
            REINFORCE. None stands for 0.1, and none.
        wait_steps: R is learned from the start, but not paid before so many steps: by default 5000 for the network.
        wait_returns: Likewise, before so many updates that saw a reward: by default 100 for the network.
        hidden: Width of the networks' layer.
        batch_size: Steps in a minibatch of the networks.
        device: Where networks and counts are.
        seed: Seeds the networks.
        name: The term's name.

    Raises:
        TypeError: If the actions are not ``Discrete``, or in a table the observations are not.
        ValueError: If a setting is out of range.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> ends = np.array([[False, True]])
    >>> rollout = Rollout(
    ...     obs=np.array([[0, 1]]), action=np.array([[1, 0]]), next_obs=np.array([[1, 1]]),
    ...     terms={"env": np.array([[2.0, 0.0]])}, discount=0.9 * ~ends, terminated=ends, truncated=ends & False)
    >>> shaper = ExploRS(spaces.Discrete(2), spaces.Discrete(2))
    >>> shaper.shape(rollout)[0].terms["ExploRS"][0].tolist()  # new, and an end
    [1.0, 0.0]
    """

    saved = ("rewards", "table", "_steps", "_paid")

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        *,
        form: Literal["tabular", "neural"] = "tabular",
        bonus: float = 1.0,
        scale: float = 1.0,
        key: Callable[[Tree], Array] | str | None = None,
        hash_bits: int | None = None,
        learning_rate: float | None = None,
        critic_rate: float | None = None,
        clip: float | None = None,
        wait_steps: int | None = None,
        wait_returns: int | None = None,
        hidden: int = 256,
        batch_size: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(("tabular", "neural"), form=form)
        check_at_least(0, bonus=bonus, scale=scale, learning_rate=learning_rate, critic_rate=critic_rate, clip=clip)
        check_at_least(1, hidden=hidden)
        usual = _TABLE if form == "tabular" else _NETWORK
        rate = usual["learning_rate"] if learning_rate is None else learning_rate
        critic = usual["critic_rate"] if critic_rate is None else critic_rate
        self.wait_steps = usual["wait_steps"] if wait_steps is None else wait_steps
        self.wait_returns = usual["wait_returns"] if wait_returns is None else wait_returns
        self.bonus, self.scale, self._key, self._hash_bits, self._seed = bonus, scale, key, hash_bits, seed
        self.device = torch.device(device)
        self._actions, self._first = numbered_actions(action_space, self.name)
        self.table = CountTable(device)
        self._steps, self._paid = 0, 0
        self.rewards: SelfRewards
        if form == "neural":
            self.rewards = NetworkRewards(
                observation_space, self._actions, self._first, rate=rate, critic_rate=critic, hidden=hidden, seed=seed,
                reach=0.1 if clip is None else clip, batch_size=batch_size, device=self.device,
            )  # fmt: skip
        elif isinstance(observation_space, spaces.Discrete):
            size, start = int(observation_space.n), int(observation_space.start)
            self.rewards = TableRewards(size, self._actions, start, self._first, rate, critic, clip)
        else:
            raise TypeError(f"a table needs Discrete observations, got {observation_space}; use form='neural'")
        columns = {f"info:{key}", f"info:next_{key}"} if isinstance(key, str) else set()
        self.contract: Contract = Contract(
            reads=frozenset({"obs", "action", "next_obs", "terminated"} | columns), scope="lifelong", needs_policy=True
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        xp, example = array_namespace(rollout.discount), rollout.discount
        term = xp.zeros_like(example)
        if self.bonus and self.scale:
            seen = self.table.counts(self._keys(rollout, "next_"))
            found = self.scale / ((self.scale / self.bonus) ** 2 + seen) ** 0.5
            term = xp.where(rollout.terminated, term, xp.astype(like_column(found, example), example.dtype))
        if self._steps >= self.wait_steps and self._paid >= self.wait_returns:
            term = term + xp.astype(like_column(self.rewards.rewards(rollout), example), example.dtype)
        return rollout.add(self.name, term), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Counts the unmasked ``obs``, and learns R and V from the world's returns and the policy's probabilities.

        Raises:
            ValueError: If there is no policy.
        """
        mask = torch.as_tensor(host_array(rollout.mask))
        self.table.add(self._keys(rollout, ""), rollout.mask.ravel())
        obs = map_tree(lambda leaf: leaf[mask.ravel()], rows_of(rollout.obs, torch.device("cpu"), mask.ravel()))
        chances = action_chances(policy, obs, self._actions, self._first, self.name)
        values, after = (self.rewards.values(part, mask).cpu() for part in (rollout.obs, rollout.next_obs))
        advantage = torch.from_numpy(_advantage(rollout, values, after))
        if mask.any():
            self.rewards.learn(rollout, advantage, chances)
        self._steps += int(mask.sum())
        self._paid += int((host_array(rollout.terms[ENV])[mask.numpy()] != 0).any())
        size = float(np.abs(advantage.numpy()[mask.numpy()]).mean()) if mask.any() else 0.0
        return {"states": float(len(self.table)), "surprise": size}

    def _keys(self, rollout: Rollout, which: Literal["", "next_"]) -> Keys:
        if isinstance(self._key, str):
            seen: Any = info_column(rollout, f"{which}{self._key}", self.name)
        else:
            seen = rollout.next_obs if which else rollout.obs
            seen = seen if self._key is None else self._key(seen)
        return state_keys(seen, self._hash_bits, self._seed)


def _advantage(rollout: Rollout, values: Tensor, after: Tensor) -> np.ndarray[Any, Any]:
    """The return of the world's own reward less V, ``(T, B)``."""
    own = {name: np.asarray(host_array(getattr(rollout, name))) for name in ("discount", "terminated", "truncated")}
    paid = np.asarray(host_array(rollout.terms[ENV]), np.float64)
    plain = replace(
        rollout, obs=values.numpy(), next_obs=after.numpy(), action=paid, terms={ENV: paid}, info={},
        mask=np.asarray(host_array(rollout.mask)), **(own | {"discount": own["discount"].astype(np.float64)}),
    )  # fmt: skip
    return np.asarray(gae(plain, values.numpy(), after.numpy(), 1.0))
