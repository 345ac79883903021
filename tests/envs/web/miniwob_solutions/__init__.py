"""A solution of every page of MiniWoB++ that can be solved, by nothing but actions of the text view.

A solution reads what an agent may read: the goal, the fields and the element table; where the answer is in a drawing,
`Player.see` stands in for eyes.
"""

from tests.envs.web.miniwob_solutions import drawing, games, pressing, sites, writing
from tests.envs.web.miniwob_solutions.player import Player

__all__ = ["MOST", "SOLUTIONS", "UNSOLVED", "Player"]

SOLUTIONS = {
    **pressing.SOLUTIONS,
    **writing.SOLUTIONS,
    **drawing.SOLUTIONS,
    **sites.SOLUTIONS,
    **games.SOLUTIONS,
}
"""What solves a page, by the page's name."""

MOST = {
    "bisect-angle": 0.98,
    "chase-circle": 0.98,
    "circle-center": 0.97,
    "find-midpoint": 0.97,
    "right-angle": 0.997,
}
"""What can be had at least where nearness pays and pixels are whole, or time pays and the first action takes some."""

UNSOLVED = {"hover-shape": "the page never ends an episode: its reward is commented out"}
"""Pages that can't be solved, and why."""
