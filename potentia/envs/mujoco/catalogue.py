"""The names of the worlds that MuJoCo simulates. They are written down here, so that registering imports no engine."""

from __future__ import annotations

__all__ = ["MAZES", "MAZE_BODIES", "METAWORLD_TASKS"]

METAWORLD_TASKS: tuple[str, ...] = (
    "assembly",
    "basketball",
    "bin-picking",
    "box-close",
    "button-press",
    "button-press-topdown",
    "button-press-topdown-wall",
    "button-press-wall",
    "coffee-button",
    "coffee-pull",
    "coffee-push",
    "dial-turn",
    "disassemble",
    "door-close",
    "door-lock",
    "door-open",
    "door-unlock",
    "drawer-close",
    "drawer-open",
    "faucet-close",
    "faucet-open",
    "hammer",
    "hand-insert",
    "handle-press",
    "handle-press-side",
    "handle-pull",
    "handle-pull-side",
    "lever-pull",
    "peg-insert-side",
    "peg-unplug-side",
    "pick-out-of-hole",
    "pick-place",
    "pick-place-wall",
    "plate-slide",
    "plate-slide-back",
    "plate-slide-back-side",
    "plate-slide-side",
    "push",
    "push-back",
    "push-wall",
    "reach",
    "reach-wall",
    "shelf-place",
    "soccer",
    "stick-pull",
    "stick-push",
    "sweep",
    "sweep-into",
    "window-close",
    "window-open",
)
"""Meta-World's tasks, each with a scripted policy."""

MAZE_BODIES: tuple[str, ...] = ("PointMaze", "AntMaze")
"""Who goes through a maze: a ball that is pushed, or an ant of eight joints."""

MAZES: dict[str, tuple[str, int, int]] = {
    "Open": ("OPEN", 300, 700),
    "OpenDiverseG": ("OPEN_DIVERSE_G", 300, 700),
    "OpenDiverseGR": ("OPEN_DIVERSE_GR", 300, 700),
    "UMaze": ("U_MAZE", 300, 700),
    "Medium": ("MEDIUM_MAZE", 600, 1000),
    "MediumDiverseG": ("MEDIUM_MAZE_DIVERSE_G", 600, 1000),
    "MediumDiverseGR": ("MEDIUM_MAZE_DIVERSE_GR", 600, 1000),
    "Large": ("LARGE_MAZE", 800, 1000),
    "LargeDiverseG": ("LARGE_MAZE_DIVERSE_G", 800, 1000),
    "LargeDiverseGR": ("LARGE_MAZE_DIVERSE_GR", 800, 1000),
}
"""Each maze: its name in Gymnasium-Robotics' ``maps``, and the time limits of the ball and of the ant there."""
