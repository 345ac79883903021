"""The whole state of a simulation of MuJoCo and of the Python objects that run it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Snapshot", "put", "take"]

_PLAIN = (bool, int, float, str, type(None))


class Snapshot(NamedTuple):
    """What `put` needs to go back.

    Attributes:
        state: MuJoCo's state, with what it starts its solver from.
        positions: Where the model's bodies and sites are. Tasks move them.
        attributes: By object, what it remembers itself.
    """

    state: np.ndarray[Any, Any]
    positions: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
    attributes: tuple[dict[str, Any], ...]


def take(model: Any, data: Any, objects: Sequence[Any]) -> Snapshot:
    """A copy of the state.

    Args:
        model: MuJoCo's model.
        data: MuJoCo's data.
        objects: Those whose attributes are part of the state. Numbers, texts, arrays and generators are kept.
    """
    kept = tuple({name: _copy(value) for name, value in vars(one).items() if _is_state(value)} for one in objects)
    import mujoco  # noqa: PLC0415 - it comes with an extra

    spec = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(model, spec))
    mujoco.mj_getState(model, data, state, spec)
    return Snapshot(state, (model.body_pos.copy(), model.site_pos.copy()), kept)


def put(model: Any, data: Any, objects: Sequence[Any], snapshot: Snapshot) -> None:
    """Goes back to a state that was taken here or of a simulation of the same model."""
    import mujoco  # noqa: PLC0415 - it comes with an extra

    model.body_pos[:], model.site_pos[:] = snapshot.positions
    spec = mujoco.mjtState.mjSTATE_INTEGRATION
    mujoco.mj_setState(model, data, snapshot.state, spec)
    mujoco.mj_forward(model, data)  # computes where all bodies are, and changes what the solver starts from
    mujoco.mj_setState(model, data, snapshot.state, spec)
    for one, attributes in zip(objects, snapshot.attributes, strict=True):
        for name, value in attributes.items():
            if not _looks_at_the_simulation(getattr(one, name, None)):
                setattr(one, name, _copy(value))


def _is_state(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return not _looks_at_the_simulation(value)
    if isinstance(value, list | tuple):
        return all(_is_state(part) for part in value)
    return isinstance(value, (*_PLAIN, np.generic))


def _looks_at_the_simulation(value: Any) -> bool:
    """Whether it is a view of MuJoCo's own memory, which moves as the simulation does."""
    while isinstance(value, np.ndarray):
        if value.base is None:
            return False
        value = value.base
    return value is not None and not isinstance(value, (*_PLAIN, np.generic, list, tuple, bytes))


def _copy(value: Any) -> Any:
    return copy.deepcopy(value)
