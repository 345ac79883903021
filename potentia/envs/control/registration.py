"""The ids of the control worlds."""

from __future__ import annotations

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry

from potentia.envs.control.catalogue import WORLDS

__all__ = ["register"]

_FORMS = {
    "": ("env:ControlEnv", "vector:ControlVectorEnv"),
    "Policies": ("policies:PolicyEnv", "policies:PolicyVectorEnv"),
}


def register() -> None:
    """Registers ``potentia/<World>-v0`` for every world, and ``potentia/<World>Policies-v0``, where policies act.

    ``potentia/PolicyAsAction-v0`` lets them act in any environment, ``env="<id>"``.
    """
    for name in WORLDS:
        for suffix, (single, vector) in _FORMS.items():
            if (identifier := f"potentia/{name}{suffix}-v0") not in registry:
                register_id(
                    id=identifier,
                    entry_point=f"potentia.envs.control.{single}",
                    vector_entry_point=f"potentia.envs.control.{vector}",
                    kwargs={"world": name},
                )
    if (identifier := "potentia/PolicyAsAction-v0") not in registry:
        register_id(
            id=identifier,
            entry_point="potentia.wrappers.policy_as_action:PolicyAsActionEnv",
            vector_entry_point="potentia.wrappers.policy_as_action:policy_vector_env",
        )
