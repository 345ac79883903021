"""What pages and goals of application tasks must hold for agents that see bytes, and how an application is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from potentia.envs.web.apps.application import App
from potentia.envs.web.backends.document import Document
from potentia.envs.web.backends.html import HtmlPage
from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Request, Response, request_to
from potentia.envs.web.tasks.episode import Episode
from potentia.envs.web.tasks.template import Template
from tests.envs.web.solving import opened

ROWS, FIELDS, TEXT, GOAL = 48, 6, 48, 256


def get(app: App, path: str) -> Response:
    return app.handle(request_to("GET", f"http://{app.host}{path}"))


def post(app: App, path: str, **form: str | list[str]) -> Response:
    sent = {key: value if isinstance(value, list) else [value] for key, value in form.items()}
    return app.handle(Request("POST", app.host, path, {}, sent))


def shown(app: App, path: str) -> list[str]:
    """The names of the rows of a page."""
    response = get(app, path)
    assert response.status == 200, path
    return [element.name for element in Document(response.body.decode()).elements()]


def refused(app: App, path: str, said: str, /, **form: str | list[str]) -> None:
    """A form is not accepted: the page says so, and nothing has changed."""
    before = app.save()
    response = post(app, path, **form)
    assert response.status == 400
    assert said in response.body.decode()
    assert app.save() == before


def check_tasks(template: type[Template], seeds: range, noise: int) -> list[int]:
    """The lengths of the reference solutions, each of which an agent that sees only so many rows and bytes can play."""
    lengths = []
    for seed in seeds:
        episode = Episode(template(), seed, noise=noise)
        said = f"seed {seed}: {episode.goal}"
        assert len(episode.goal.encode()) <= GOAL, said
        assert len(episode.fields) <= FIELDS, said
        assert all(len(text.encode()) <= TEXT for text in episode.fields), said
        lengths.append(sum(1 for _ in _checked_steps(episode, said)))
        assert lengths[-1] <= episode.template.budget / 2, said
        assert episode.succeeds(episode.answer), said
    return lengths


def _checked_steps(episode: Episode, said: str) -> Iterator[None]:
    page = opened(episode)
    while not (episode.reached and episode.answer is None):
        state = page.state()
        check_names(state)
        hint = episode.hint(state)
        assert hint is not None, said
        yield
        if hint.kind == "answer":
            shown = state.elements[:ROWS]
            assert any(hint.text in (element.name, element.value) for element in shown), said
            return
        assert 0 <= hint.row < ROWS, said
        assert hint.kind != "fill" or hint.text in episode.fields, said
        page.act(hint)


def pages(app: App, most: int = 150) -> Iterator[PageState]:
    """The pages to which links lead from the front page, each once."""
    page = HtmlPage(app.handle, frozenset((app.host,)))
    ahead, seen = [f"http://{app.host}/"], set[str]()
    while ahead and len(seen) < most:
        if (url := ahead.pop(0)) in seen:
            continue
        seen.add(url)
        page.open(url)
        state = page.state()
        yield state
        for row, element in enumerate(state.elements):
            if element.role == "link":
                page.click(row)
                ahead.append(page.url)
                page.open(url)


def check_names(state: PageState) -> None:
    """Each link, button and control has a name of its own, in the bytes that an agent sees of it."""
    acting = [e for e in state.elements if "interactive" in e.flags and e.role != "option"]
    counted = Counter(e.name.encode()[:TEXT] for e in acting)
    assert counted.most_common(1)[0][1] == 1, (state.url, counted.most_common(3))
    assert b"" not in counted, state.url
