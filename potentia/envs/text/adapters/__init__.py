"""Other people's text engines as text worlds of this library. Each is imported only where it is used.

Each function makes a `potentia.envs.text.TextGame`. It can be registered as a world of one's own:
``register_text_world("Coins", "potentia.envs.text.adapters:from_textworld_express", task="coin")``.
"""

from __future__ import annotations

from potentia.envs.text.adapters.jericho_story import from_jericho
from potentia.envs.text.adapters.reasoning_gym import from_reasoning_gym
from potentia.envs.text.adapters.scienceworld import from_scienceworld
from potentia.envs.text.adapters.textarena import from_textarena
from potentia.envs.text.adapters.textworld_express import from_textworld_express

__all__ = ["from_jericho", "from_reasoning_gym", "from_scienceworld", "from_textarena", "from_textworld_express"]
