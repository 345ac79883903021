"""A hidden intent is asked for: as values of attributes, and as an item of a catalogue in a dialogue."""

from __future__ import annotations

from potentia.envs.text.forms import register_text_world
from potentia.envs.text.inquiry.belief import Question, entropy, gain, greedy, posterior
from potentia.envs.text.inquiry.dialogue import Dialogue
from potentia.envs.text.inquiry.game import Inquiry
from potentia.envs.text.inquiry.intents import Intents

__all__ = ["Dialogue", "Inquiry", "Intents", "Question", "entropy", "gain", "greedy", "posterior", "register"]


def register() -> None:
    """Registers ``potentia/Inquiry-v0`` and ``potentia/Dialogue-v0``."""
    register_text_world("Inquiry", "potentia.envs.text.inquiry.game:Inquiry")
    register_text_world("Dialogue", "potentia.envs.text.inquiry.dialogue:Dialogue")
