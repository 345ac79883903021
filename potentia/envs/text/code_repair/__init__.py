"""Bugs in small packages, mended in words and tested in a sandbox."""

from __future__ import annotations

from potentia.envs.text.code_repair.edits import line_edits
from potentia.envs.text.code_repair.game import CodeRepair
from potentia.envs.text.code_repair.package import PACKAGES
from potentia.envs.text.code_repair.sandbox import Outcome, Sandbox, SandboxUnavailableError
from potentia.envs.text.forms import register_text_world

__all__ = ["PACKAGES", "CodeRepair", "Outcome", "Sandbox", "SandboxUnavailableError", "line_edits", "register"]


def register() -> None:
    """Registers ``potentia/CodeRepair-v0``."""
    register_text_world("CodeRepair", "potentia.envs.text.code_repair.game:CodeRepair")
