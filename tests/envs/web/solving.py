"""Plays the reference solution of an application task, and solutions that are not it, without a browser."""

from __future__ import annotations

from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.tasks.episode import Episode


def opened(episode: Episode) -> HtmlPage:
    page = HtmlPage(episode.world.handle, episode.world.hosts)
    page.open(episode.start)
    return page


def follow(episode: Episode, page: HtmlPage, limit: int) -> tuple[int, str | None]:
    """Takes the hints until the goal is reached; the number of actions, and the answer given."""
    for taken in range(limit):
        if episode.answer is None and episode.reached:
            return taken, None
        hint = episode.hint(page.state())
        if hint is None:
            return taken, None
        if hint.kind == "answer":
            return taken + 1, hint.text
        page.act(hint)
    return limit, None


def play_mistake(episode: Episode, page: HtmlPage) -> None:
    """Makes the template's mistake through the pages."""
    wrong = Episode.__new__(Episode)
    wrong.__dict__.update({key: value for key, value in vars(episode).items() if not key.startswith("_")})
    wrong._initial = episode._initial
    wrong._judged = wrong._stage_at = None
    wrong.stages = episode.template.mistake(episode._initial, episode.params)
    follow(wrong, page, 60)
