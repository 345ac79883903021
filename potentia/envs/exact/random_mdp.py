"""Random worlds, for properties that must hold everywhere."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import TransitionModel

__all__ = ["random_mdp"]


def random_mdp(
    states: int = 12,
    actions: int = 3,
    branching: int | None = None,
    *,
    mdp_seed: int = 0,
    reward: str = "sparse",
    time_limit: int = 100,
) -> TransitionModel:
    """P(. | s, a) ~ Dirichlet(1) over ``branching`` random successors: a GARNET world.

    After Archibald, McKinnon and Thomas 1995 (J. Opl. Res. Soc. 46). The last state is the goal, which is
    terminal and pays 1 on arrival, if the reward is sparse. If it is dense nothing ends and r(s, a) is
    uniform in [0, 1).

    Args:
        states: S, at least 2.
        actions: A, at least 1.
        branching: Number of successors of each (s, a). None stands for all S.
        mdp_seed: Seeds the tensors, not the episodes.
        reward: "sparse" or "dense".
        time_limit: Steps an episode.

    Returns:
        The model. It starts uniformly in any state that is not the goal.

    Raises:
        ValueError: If a size is out of range or the reward is unknown.
    """
    width = states if branching is None else branching
    if states < 2 or actions < 1 or not 1 <= width <= states:
        raise ValueError(
            f"wanted states >= 2, actions >= 1 and 1 <= branching <= states, got {states}, {actions}, {branching}"
        )
    if reward not in {"sparse", "dense"}:
        raise ValueError(f'reward must be "sparse" or "dense", got {reward!r}')
    generator = np.random.default_rng(mdp_seed)
    transition = np.zeros((states, actions, states))
    for state in range(states):
        for action in range(actions):
            successors = generator.choice(states, size=width, replace=False)
            weights = generator.dirichlet(np.ones(width))
            transition[state, action, successors] = weights / weights.sum()
    sparse = reward == "sparse"
    goal = (np.arange(states) == states - 1) & sparse
    return TransitionModel(
        transition=transition,
        reward=np.broadcast_to(goal.astype(np.float64), transition.shape)
        if sparse
        else generator.random((states, actions)),
        terminal=goal,
        start=~goal / (~goal).sum(),
        success=goal,
        names=tuple(f"You are in state {i} of {states}." for i in range(states)),
        events={"reached_goal": goal} if sparse else {},
        time_limit=time_limit,
    )
