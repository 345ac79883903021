"""Who plays a page of MiniWoB++: what an agent may read and do there."""

from __future__ import annotations

import re

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.web import WebEnv
from potentia.envs.web.browser import loop
from potentia.envs.web.elements import page_text

_PATIENCE = 10


class Player:
    """Plays a page by the text view; refers to rows by role and name.

    A row is its index in the element table, a point is in CSS pixels.
    """

    def __init__(self, page):
        self.env = WebEnv(
            f"MiniWoB-{page}",
            actions="text",
            rows=100,
            observation=("goal",),
            info_keys=("success", "potential", "action_error", "failure"),
        )

    def begin(self, seed):
        """Begins an episode; returns the player."""
        self.info = self.env.reset(seed=seed)[1]
        self.reward, self.terminated, self.truncated = 0.0, False, False
        return self

    # ---- what is read ----
    @property
    def rows(self):
        return self.env.play.state.elements

    @property
    def names(self):
        return [row.name.strip() for row in self.rows]

    @property
    def goal(self):
        return self.env.play.task.goal

    @property
    def fields(self):
        return self.env.play.task.fields

    @property
    def quoted(self):
        return re.findall(r'"([^"]+)"', self.goal)

    def asked(self, pattern):
        """What the groups of a pattern find in the goal: a text, or a tuple of several."""
        groups = re.search(pattern, self.goal).groups()
        return groups[0] if len(groups) == 1 else groups

    def find(self, role, name=None, nth=0):
        """The nth row with this role and name; None if there is none."""
        rows = [i for i, row in enumerate(self.rows) if row.role == role and name in (None, row.name.strip())]
        return rows[nth] if len(rows) > nth else None

    def after(self, row, name):
        """The next row of this name after a row."""
        return self.names.index(name, row + 1)

    def middle(self, row):
        x, y, width, height = self.rows[row].box
        return x + width // 2, y + height // 2

    def is_bare(self, point, row):
        """Whether no later row than this one lies over a point."""
        x, y = point
        boxes = (later.box for later in self.rows[row + 1 :])
        return not any(left <= x <= left + width and top <= y <= top + height for left, top, width, height in boxes)

    def bare_point(self, row):
        """A point of a row over which no later row lies."""
        x, y, width, height = self.rows[row].box
        points = [(left, top) for left in range(x + 2, x + width, 4) for top in range(y + 2, y + height, 4)]
        bare = [point for point in points if self.is_bare(point, row)]
        return bare[len(bare) // 2]

    def see(self, expression):
        """What eyes would see and the element table does not tell, by a script that only reads."""
        return loop.run(self.env.play.page._tab.evaluate(expression))

    # ---- what is done ----
    @property
    def over(self):
        return self.terminated or self.truncated

    def do(self, action):
        assert not self.over, f"{self.goal}: over before {action}"
        _, self.reward, self.terminated, self.truncated, self.info = self.env.step(action)
        assert self.info["action_error"] == self.info["failure"] == ""

    def wait(self, actions=1):
        for _ in range(actions):
            self.do("noop()")

    def press(self, key, times=1):
        for _ in range(times):
            self.do(f'press("{key}")')

    def click(self, role, name=None, nth=0):
        """Clicks a row, once it is there."""
        for _ in range(_PATIENCE):
            if (row := self.find(role, name, nth)) is not None:
                break
            self.wait()
        assert row is not None, f"{self.goal}: no {role} {name!r}:\n{page_text(self.env.play.state)}"
        self.click_row(row)

    def click_row(self, row):
        self.do(f"click({row})")

    def fill(self, text, nth=0):
        self.fill_row(self.find("textbox", nth=nth), text)

    def fill_row(self, row, text):
        self.do(f'fill({row}, "{text}")')

    def submit(self, text):
        """Fills the first text box and presses "Submit"."""
        self.fill(text)
        self.click("button", "Submit")

    def mouse(self, kind, point):
        """Click, move, down or up at a point."""
        self.do(f"{kind}_at({round(point[0])}, {round(point[1])})")

    def draw(self, *points):
        """Presses the button at the first point, moves over the others and lets it go at the last."""
        first, *others, last = points
        self.mouse("down", first)
        for point in others:
            self.mouse("move", point)
        self.mouse("up", last)

    def drag(self, row, target):
        """A row's middle onto another's."""
        self.do(f"drag({row}, {target})")
