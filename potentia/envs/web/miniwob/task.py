"""A MiniWoB++ page as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from potentia.envs.web.catalogue import MINIWOB_TASKS
from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Request, Response
from potentia.envs.web.miniwob.goals import named_texts
from potentia.envs.web.miniwob.mail import Inbox
from potentia.envs.web.miniwob.pages import HOST, page_folder, serve
from potentia.envs.web.miniwob.soft import SOFT
from potentia.envs.web.task import Opening, Verdict

__all__ = ["MiniWobTask"]

_PROBE = """() => {
  const said = core.getUtterance();
  const plain = typeof said === "string" || said === null;
  return [WOB_DONE_GLOBAL, WOB_RAW_REWARD_GLOBAL, plain ? said : said.utterance,
          plain ? [] : Object.values(said.fields || {}).map(String),
          [...document.querySelectorAll("#query .bold, #query b")].map((node) => node.textContent), WOB_TASK_READY];
}"""

# An element that had the focus, was scrolled to or is half-way through an animation would show in the next episode.
_BEGIN = """(seed) => {
  const still = () => {
    for (const node of document.querySelectorAll("*")) node.scrollTop = node.scrollLeft = 0;
    scrollTo(0, 0);
  };
  if (window.jQuery) jQuery(":animated").finish();
  if (document.activeElement) document.activeElement.blur();
  still();
  core.EPISODE_MAX_TIME = 1e9;
  Math.seedrandom(seed);
  if (core.cover_div === null) core.startEpisode();
  core.startEpisodeReal();
  still();
}"""

_PACE = 500.0
"""Virtual milliseconds an action: the longest animation of jQuery UI takes 400."""
_QUICK = {
    "button-delay": 250.0,
    "chase-circle": 200.0,
    "moving-items": 200.0,
    "simon-says": 200.0,
    "stock-market": 225.0,
}
"""Those of pages on which things happen within half a second."""


class MiniWobTask:
    """A page of MiniWoB++ (Shi et al. 2017, and Liu et al. 2018, arXiv 1802.08802), unchanged.

    The reward is the page's own without its time penalty, in [-1, 1], or 1 for success alone. The episode ends when the
    page says so. Success is a reward of the page above 0. Its ten seconds are not counted: time stands still while
    the agent thinks. ``potential`` is ``J - 1`` in [-1, 0], J the Jaccard index of the texts that the goal names and
    those that are set on the page: typed, ticked or chosen. Each empty text box counts as a text that is wrong.
    Beginnings and ends will do where the goal asks for them. This ``potential`` is no oracle: it knows nothing of the
    task. It is 0 at success, and -1 where the goal names no text. On the mail pages (email-inbox-...),
    where most of what is to be done sets no text, it is an oracle: minus the actions left, divided by the most there
    can be.

    Args:
        name: A file's name without ".html", such as "click-button".
        always_fresh: Whether to load the page anew for each episode even where going on in the page was proven equal.
        reward: "page" is the page's own. "success" is 1 at success, else 0, as success rates count.

    Raises:
        ImportError: If the package miniwob is not installed.
        ValueError: If there is no such page or reward.
    """

    viewport = (160, 210)
    asks = False
    clicks_anything = True
    needs_browser = True
    probe = _PROBE
    skip = "#query, #reward-display, #click-canvas, #sync-task-cover"
    info_keys = ("potential",)

    def __init__(self, name: str, *, always_fresh: bool = False, reward: Literal["page", "success"] = "page") -> None:
        if name not in MINIWOB_TASKS:
            raise ValueError(f"there is no MiniWoB page {name!r}; there are {', '.join(MINIWOB_TASKS)}")
        if reward not in ("page", "success"):
            raise ValueError(f"reward must be 'page' or 'success', got {reward!r}")
        page_folder()
        self.name, self.budget = f"MiniWoB-{name}", MINIWOB_TASKS[name]
        self._page, self._soft = name, name in SOFT and not always_fresh
        self._sparse = reward == "success"
        self.goal = ""
        self.fields: Sequence[str] = ()
        self._drawn = (0, 0)
        self._success = False
        self._inbox: Inbox | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """One, for the wheel's files."""
        return frozenset((HOST,))

    def handle(self, request: Request) -> Response:
        """Answers with a file."""
        return serve(request)

    def begin(self, seed: int, index: int) -> Opening:
        """The page's own generator is seeded by seed and index."""
        self._drawn, self._success, self.goal, self.fields, self._inbox = (seed, index), False, "", (), None
        script = f'({_BEGIN})("{seed}|{index}")'
        url = f"http://{HOST}/miniwob/{self._page}.html"
        return Opening(url, seed * 1_000_003 + index, script, self._soft, _QUICK.get(self._page, _PACE))

    def judge(self, page: PageState, answer: str | None) -> Verdict:
        """What the page itself says."""
        del answer
        if page.probe is None:
            return Verdict()
        done, reward, said, given, stressed, _ = page.probe
        if not self.goal:
            self.goal = " ".join((said or "").split())
            self.fields = named_texts(self.goal, given, stressed)
            self._inbox = Inbox(self.goal, given) if self._page.startswith("email-inbox") else None
        if self._inbox is not None:
            self._inbox.see(page)
        self._success = bool(done and reward > 0)
        earned = self._success if self._sparse else reward if done else 0.0
        return Verdict(float(earned), bool(done), self._success)

    def describe(self, key: str, page: PageState) -> Any:
        """``potential``."""
        del key
        if self._success or not self.fields:
            return 0.0 if self._success else -1.0
        if self._inbox is not None:
            return self._inbox.potential
        held = {row.value for row in page.elements if row.value}
        held |= {row.name for row in page.elements if "checked" in row.flags}
        empty = sum(row.role == "textbox" and not row.value for row in page.elements)
        pairs = [(value, text) for value in held for text in self.fields if self._meets(value, text)]
        right, met = ({pair[side] for pair in pairs} for side in (0, 1))
        return len(met) / (len(self.fields) + len(held - right) + empty) - 1.0

    def _meets(self, value: str, text: str) -> bool:
        """Whether what is set is what is named."""
        if "starts with" in self.goal:
            return value.startswith(text) or value.endswith(text)
        return value == text

    def identity(self) -> Any:
        """What the page drew."""
        return self._drawn
