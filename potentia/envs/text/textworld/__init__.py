"""TextWorld's generated quests: ``potentia/TextWorld-<Kind>-v0``."""

from __future__ import annotations

from potentia.envs.text.forms import register_text_world
from potentia.envs.text.textworld.kinds import KINDS

__all__ = ["register"]


def register() -> None:
    """Register one id a kind."""
    for kind in KINDS:
        register_text_world(f"TextWorld-{kind}", "potentia.envs.text.textworld.world:TextWorld", kind=kind)
