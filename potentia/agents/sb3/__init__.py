"""Stable-Baselines3 under shaping: before advantages are computed, or when a replay is sampled.

The package also checks the stack of wrappers.

On-policy (PPO, A2C): ``model.learn(steps, callback=ShapingCallback(shaper))``. Off-policy (DQN, SAC, TD3):
``shape_replay(model, shaper)`` before ``model.learn(steps)``. The environment stays unshaped, so that whatever
monitors it reports the true return. Shapers see observations and actions as the environment does: not normalised,
not rescaled.

``model.save`` knows nothing of the shaper: keep it with ``potentia.checkpoint.save(path, shaper=shaper.state_dict())``
and restore it with ``shaper.load_state_dict(potentia.checkpoint.load(path)["shaper"])``. Give a loaded off-policy model
its shaped replay anew.
"""

from importlib.util import find_spec

if find_spec("stable_baselines3") is None:
    raise ImportError("this needs the extra 'sb3': pip install 'potentia[sb3]'")

from potentia.agents.sb3.on_policy import ShapingCallback
from potentia.agents.sb3.replay import ShapedReplayBuffer, shape_replay
from potentia.agents.sb3.stack import check_stack
from potentia.agents.sb3.watching import WatchCallback
from potentia.shaping.fit import Finding

__all__ = ["Finding", "ShapedReplayBuffer", "ShapingCallback", "WatchCallback", "check_stack", "shape_replay"]
