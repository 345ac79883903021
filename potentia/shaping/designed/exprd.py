"""A designed reward in the place of the world's own: explicable reward design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from potentia.arrays import array_namespace, like_column
from potentia.envs.exact import TransitionModel, find_model
from potentia.gamma import needs_gamma
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import info_column, look_up
from potentia.shaping.designed.reward_design import HORIZONS, Design, design_reward
from potentia.shaping.shaper import Carry, Contract, Shaper

__all__ = ["EXPRD", "model_of", "replaced"]


class EXPRD(Shaper):
    """``R(obs, action) - reward``: R keeps the optimal policies of a known world, and tells them from others soon.

    Devidze, Radanovic, Kamalaruban and Singla 2021, "Explicable reward design for reinforcement learning agents"
    (NeurIPS). R is found by `potentia.shaping.designed.reward_design.design_reward`, which says what is maximised.
    With a budget it is other than 0 in a few states, so that a person can read it.

    R holds in one world at one discount, so the contract promises nothing. `potentia.audit.certify` proves in a world
    what holds there. R is a reward of states and actions, not a difference of potentials, so it also changes returns.

    Args:
        model: The world, or the id of an enumerable world of `potentia.envs.exact`.
        gamma: The learner's discount factor, below 1.
        horizons: Within how many further steps actions are to be told apart.
        r_max: No reward is larger, of either sign. None stands for the world's own largest.
        budget: In how many states R may be other than 0. None: in all.
        sparsity: The price of R's size.
        policies: How many optimal policies are averaged at most.
        corners: Of how many equally good rewards the mean is taken.
        states: The info column with the numbers of the states, such as ``"state_hash"``. None: the observation is it.
        options: What the function that makes the model takes, if ``model`` is an id.
        name: The term's name.

    Attributes:
        design: What was found.

    Raises:
        ValueError: If ``model`` is an unknown id, or no reward within the budget and ``r_max`` keeps the optimum.
        ImportError: If SciPy is not installed (the extra ``designed``).

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> no = np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=np.array([[2, 2]]), action=np.array([[1, 0]]), next_obs=np.array([[3, 1]]),
    ...     terms={"env": np.zeros((1, 2))}, discount=np.full((1, 2), 0.9), terminated=no, truncated=no)
    >>> shaper = EXPRD("potentia/Chain-v0", gamma=0.9, options={"length": 6})
    >>> right, left = shaper.shape(rollout)[0].reward[0]
    >>> bool(right - left >= 0.9**2 - 0.9 * 0.9**3 - 1e-5)  # the gap of cell 2: right has 0.9^2, left 0.9 V(1)
    True
    """

    @needs_gamma
    def __init__(
        self,
        model: TransitionModel | str,
        *,
        gamma: float,
        horizons: Sequence[int] = HORIZONS,
        r_max: float | None = None,
        budget: int | None = None,
        sparsity: float = 0.0,
        policies: int = 8,
        corners: int = 1,
        states: str | None = None,
        options: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.design: Design = design_reward(
            model_of(model, options), gamma=gamma, horizons=tuple(horizons), r_max=r_max, budget=budget,
            sparsity=sparsity, policies=policies, corners=corners,
        )  # fmt: skip
        self.states = states
        self.contract: Contract = Contract(reads=reads_of(states), rescales=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return replaced(rollout, self.design.reward, self.states, self.name), carry


def model_of(model: TransitionModel | str, options: Mapping[str, Any] | None) -> TransitionModel:
    """The model, or that under an id with these options.

    Raises:
        ValueError: If the id is unknown.
        TypeError: If it is neither, or a model with options.
    """
    if isinstance(model, str):
        return find_model(model, **(options or {}))
    if not isinstance(model, TransitionModel) or options:
        raise TypeError(f"model must be a TransitionModel, or an id with options, got {type(model).__name__} {options}")
    return model


def reads_of(states: str | None) -> frozenset[str]:
    """The columns that `replaced` reads."""
    return frozenset({"action", "reward", "obs" if states is None else f"info:{states}"})


def replaced(rollout: Rollout, reward: np.ndarray[Any, Any], states: str | None, name: str) -> Rollout:
    """The rollout with a term that puts the rewards of a table ``(S, A)`` in the place of the reward so far."""
    index: Array = rollout.obs if states is None else info_column(rollout, states, name)
    paid = look_up(reward, "states and actions", index, rollout.action)
    paid = array_namespace(rollout.discount).astype(like_column(paid, rollout.discount), rollout.discount.dtype)
    return rollout.add(name, paid - rollout.reward)
