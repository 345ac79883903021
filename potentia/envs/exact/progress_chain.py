"""A load to lift before a walk: where what imitation pays later hides what has to be learned first."""

from __future__ import annotations

import numpy as np

from potentia.envs.exact.model import FloatArray, TransitionModel

__all__ = ["progress_chain", "progress_gammas"]

LIFT, WALK = range(2)


def progress_chain(
    lift: int = 20,
    dark: int = 4,
    slip: float = 0.04,
    holding: float = 0.69,
    empty: float = 0.99,
    time_limit: int | None = None,
) -> TransitionModel:
    """A load is lifted in m steps, then carried through d dark stages to the far end, which pays 1.

    Action 0 at the start begins the lift, which then goes on by itself, and action 1 walks away empty-handed, for
    which there is no way back. With the load lifted, action 0 holds it, and action 1 walks: at the first step the
    load slips with probability q and buries the agent. In the dark, action 1 walks on and action 0 stays.

    The world's own reward is sparse. What imitation of a carrier would pay is told beside it, as
    ``info["resemblance"]``: minus how unlike the demonstration the state is that was reached. It is 0 on each step of
    the lift and at the far end with the load, -(1 - w) there without it, -(1 - h) for holding the load, and -1 in the
    dark, under the load, and before anything was begun. With it as the reward, p = 1 - q, p < w and h < p, the
    thresholds of `progress_gammas` say what is optimal at each gamma (Liu et al. 2024, ICLR, arXiv 2310.07433,
    observed the like of rewards by optimal transport):

    - below the low one, to lift the load and hold it: the early part alone;
    - between them, to lift it and carry it to the far end, as is right, with success p;
    - above the high one, to walk empty-handed: what is paid late is too much to be risked for the lift.

    Args:
        lift: m, at least 1.
        dark: d, at least 1.
        slip: q, in [0, 1).
        holding: h, in [0, 1].
        empty: w, in [0, 1].
        time_limit: Steps an episode. The default is twice those of the shortest way, m + d + 1.

    Returns:
        The model, with m + 2 d + 5 states, of which states 0 to m + d + 1 are those of the demonstration.

    Raises:
        ValueError: If a number is out of its range.

    >>> model = progress_chain()
    >>> low, high = progress_gammas()
    >>> print(f"{low:.4f} {high:.4f}")
    0.9208 0.9838
    """
    _check(lift, dark, slip, holding, empty)
    lifted, far = lift, lift + dark + 1
    held, walking, end, buried = far + 1, far + 2, far + 2 + dark, far + 3 + dark
    count = buried + 1
    after = np.tile(np.arange(count)[:, None], (1, 2))  # where an action has no meaning one stays
    after[0] = 1, walking
    after[1:lift] = np.arange(2, lift + 1)[:, None]
    after[[lifted, held], LIFT] = held
    after[lifted + 1 : far, WALK] += 1
    after[walking:end, WALK] += 1
    transition = np.eye(count)[after]
    for state in (lifted, held):
        transition[state, WALK] = 0.0
        transition[state, WALK, [lifted + 1, buried]] = 1.0 - slip, slip
    states = np.arange(count)
    success = states == far
    reward = np.zeros(transition.shape)
    reward[~success, :, far] = 1.0
    return TransitionModel(
        transition=transition,
        reward=reward,
        terminal=success,
        start=np.eye(count)[0],
        success=success,
        names=_names(lift, dark),
        events={
            "lifted_load": states == lifted,
            "left_empty_handed": (states >= walking) & (states <= end),
            "buried": states == buried,
            "reached_goal": success,
        },
        columns={"resemblance": _resemblance(lift, far, holding, empty, count)},
        time_limit=2 * (lift + dark + 1) if time_limit is None else time_limit,
    )


def progress_gammas(
    lift: int = 20, dark: int = 4, slip: float = 0.04, holding: float = 0.69, empty: float = 0.99
) -> tuple[float, float]:
    """The low one is (h / p)**(1/d), and at the high one 1 - gamma**m = gamma**d (w - p gamma**m).

    In units of 1 / (1 - gamma), and counted from the worst there is, holding is worth h from now on, walking with the
    load p gamma**d, walking away empty-handed w gamma**d, and the lift alone 1 - gamma**m. The sides of the second
    equation cross once: (1 - x) / (w - p x) falls from 1 / w to 0 as x = gamma**m rises, since p < w, and gamma**d
    rises. Without a dark stage, high would be ((1 - w) / (1 - p))**(1/m): what each step loses without the load,
    against what the slip loses m steps later.

    Args:
        lift: m of `progress_chain`.
        dark: d.
        slip: q = 1 - p.
        holding: h, below p.
        empty: w, above p.

    Returns:
        The gammas between which the load is carried, if low < high.

    Raises:
        ValueError: If p is not between h and w: then gamma does not decide so.
    """
    _check(lift, dark, slip, holding, empty)
    carried = 1.0 - slip
    if not holding < carried < empty:
        raise ValueError(f"wanted holding < 1 - slip < empty, got {holding}, {carried} and {empty}")
    least, most = 0.0, 1.0
    for _ in range(64):
        gamma = (least + most) / 2
        lifts = 1.0 - gamma**lift > gamma**dark * (empty - carried * gamma**lift)
        least, most = (gamma, most) if lifts else (least, gamma)
    return (holding / carried) ** (1.0 / dark), least


def _check(lift: int, dark: int, slip: float, holding: float, empty: float) -> None:
    if lift < 1 or dark < 1:
        raise ValueError(f"lift and dark must be at least 1, got {lift} and {dark}")
    if not 0.0 <= slip < 1.0:
        raise ValueError(f"slip must be in [0, 1), got {slip}")
    if not (0.0 <= holding <= 1.0 and 0.0 <= empty <= 1.0):
        raise ValueError(f"holding and empty must be in [0, 1], got {holding} and {empty}")


def _resemblance(lift: int, far: int, holding: float, empty: float, count: int) -> FloatArray:
    alike = np.zeros(count)
    alike[1 : lift + 1] = alike[far] = 1.0
    alike[far + 1], alike[count - 2] = holding, empty
    return alike - 1.0


def _names(lift: int, dark: int) -> tuple[str, ...]:
    lifting = [f"You have lifted the load {i} of {lift} notches." for i in range(1, lift + 1)]
    ahead = range(dark, 0, -1)
    carrying = [f"You carry the load through the dark, {steps} steps from the far end." for steps in ahead]
    walking = [f"You walk empty-handed in the dark, {steps} steps from the far end." for steps in ahead]
    return (
        "You stand before a load that lies on the ground.",
        *lifting,
        *carrying,
        "You brought the load to the far end.",
        "You hold the lifted load and do not walk.",
        *walking,
        "You are at the far end with empty hands.",
        "The load slipped, and you lie buried under it.",
    )
