"""The examples and the README's code run as they stand, and show what they say they show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

ROOT = Path(__file__).parent.parent


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores(output: str) -> dict[str, float]:
    return {name.strip(): float(score) for name, score in re.findall(r"^(.+?) +true return (\S+)", output, re.M)}


def test_own_shaper() -> None:
    output = run("own_shaper.py")
    assert "StepCost keeps its word." in output
    assert "FalseClaim does not: telescoping: " in output
    assert "learned from: -0.01, true: 0.0" in output


def test_own_loop() -> None:
    found = scores(run("own_loop.py"))
    assert found.keys() == {"none", "count", "oracle and count"}
    assert found["count"] > 0.9


def test_minus_the_distance_keeps_a_learner_from_the_goal_and_a_shift_leads_to_it() -> None:
    found = scores(run("choosing_a_potential.py", "--firm", "--steps", "4096", "--seeds", "3"))
    assert found["none"] == found["minus distance, shift=1"] == 1.0
    assert found["minus distance"] == found["minus distance, shift=-1"] == 0.0


def test_stable_baselines3_learns_with_a_potential_what_it_does_not_learn_without() -> None:
    pytest.importorskip("stable_baselines3")
    found = scores(run("with_stable_baselines3.py"))
    assert found["none"] < 0.1
    assert found["potential"] > 0.9


def test_shaping_pays_a_detour_on_the_web_no_more() -> None:
    pytest.importorskip("jinja2")
    output = run("web_task.py")
    assert output.startswith('Buy "Grey pan"')
    sums = {
        way: [float(number) for number in re.findall(r"-?\d\.\d{4}", rest)]
        for way, rest in re.findall(r"^(straight|detour) +(.+)$", output, re.M)
    }
    assert sums["straight"] == [0.951, 1.0, -0.1111]  # 0.99^5; minus the potentials of the start
    assert sums["detour"] == [0.9227, 1.0, -0.1111]  # 0.99^8; the rest as before


def test_the_code_of_the_web_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jinja2")
    from potentia.envs.web.tasks import TEMPLATES

    monkeypatch.chdir(tmp_path)
    before, ids = dict(TEMPLATES), set(gym.registry)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/web.md").read_text("utf-8"), re.S)
    try:
        ends = [ran(block) for block in blocks if "browsergym" not in block]
    finally:
        TEMPLATES.clear()
        TEMPLATES.update(before)
        for identifier in set(gym.registry) - ids:
            del gym.registry[identifier]
    quick, own, recorded = ends
    assert quick["rewards"].shape == (16,)
    for names in (own, recorded):
        assert (names["reward"], names["terminated"]) == (1.0, True)
    assert [path.name for path in Path("episodes").iterdir()] == ["episode-000000.zip"]


def test_the_web_page_lists_every_task_as_it_is() -> None:
    pytest.importorskip("jinja2")
    from potentia.envs.web.catalogue import MINIWOB_TASKS
    from potentia.envs.web.tasks import TEMPLATES
    from potentia.envs.web.tasks.episode import Episode

    lines = ["| task | applications | difficulty | steps | tags | a goal |", "|---|---|---|---|---|---|"]
    for name, template in TEMPLATES.items():
        apps, tags = ", ".join(app.title for app in template.apps), ", ".join(template.tags)
        goal = Episode(template(), 0).goal
        lines.append(f"| `{name}` | {apps} | {template.difficulty} | {template().budget} | {tags} | {goal} |")
    table, page = "\n".join(lines), (ROOT / "docs/web.md").read_text("utf-8")
    assert f"\n\n{table}\n\n" in page, f"docs/web.md must hold this table:\n{table}"
    assert f"{len(TEMPLATES)} tasks on six applications" in page
    assert f"the {len(MINIWOB_TASKS)} pages of MiniWoB++" in page.replace("\n", " ")


def ran(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "docs/web.md", "exec"), names)
    return names


PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "web.md")]


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Python blocks of a page, one after the other; a text block that follows one at once is what it prints."""
    code = (ROOT / page).read_text("utf-8")
    if "stable_baselines3" in code:
        pytest.importorskip("stable_baselines3")
    monkeypatch.chdir(tmp_path)
    if "After `potentia study run smoke`" in code:
        subprocess.run([sys.executable, "-m", "potentia", "study", "run", "smoke"], check=True, capture_output=True)
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.finditer(r"^```python\n(.*?)^```(?:\n+```text\n(.*?)^```)?", code, re.S | re.M):
        line = code[: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], page, "exec", dont_inherit=True), names)
        printed = capsys.readouterr().out
        assert block[2] in (None, printed), f"{page}, line {line}: the page must show what its code prints"


def test_the_pages_link_to_what_exists() -> None:
    for page in [*PAGES, "docs/web.md", "CONTRIBUTING.md", "examples/README.md", "CHANGELOG.md"]:
        text = (ROOT / page).read_text("utf-8")
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page} links to {target}, which is not there"
            if anchor:
                titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
                assert anchor in {slug(title) for title in titles}, f"{page} links to {target}#{anchor}: no such title"


def slug(title: str) -> str:
    """The anchor that GitHub gives a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
