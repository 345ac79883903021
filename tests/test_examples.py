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


def scores(told: str) -> dict[str, float]:
    return {name.strip(): float(score) for name, score in re.findall(r"^(.+?) +true return (\S+) of", told, re.M)}


def test_own_shaper() -> None:
    told = run("own_shaper.py")
    assert "StepCost keeps its word." in told
    assert "FalseClaim does not: telescoping: " in told
    assert "learned from: -0.01, true: 0.0" in told


def test_own_loop() -> None:
    found = scores(run("own_loop.py"))
    assert found.keys() == {"none", "count", "oracle and count"}
    assert found["count"] > 0.9


def test_stable_baselines3_learns_with_a_potential_what_it_does_not_learn_without() -> None:
    pytest.importorskip("stable_baselines3")
    found = scores(run("with_stable_baselines3.py"))
    assert found["none"] < 0.1
    assert found["potential"] > 0.9


def test_shaping_pays_a_detour_on_the_web_no_more() -> None:
    pytest.importorskip("jinja2")
    told = run("web_task.py")
    assert told.startswith('Buy "Grey pan"')
    sums = {
        way: [float(number) for number in re.findall(r"-?\d\.\d{4}", rest)]
        for way, rest in re.findall(r"^(straight|detour) +(.+)$", told, re.M)
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
        told = [ran(block) for block in blocks if "browsergym" not in block]
    finally:
        TEMPLATES.clear()
        TEMPLATES.update(before)
        for identifier in set(gym.registry) - ids:
            del gym.registry[identifier]
    quick, own, recorded = told
    assert quick["rewards"].shape == (16,)
    for names in (own, recorded):
        assert (names["reward"], names["terminated"], names["info"]["success"]) == (1.0, True, True)
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


def test_the_code_of_the_worlds_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/worlds.md").read_text("utf-8"), re.S)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, "docs/worlds.md", "exec"), {})


def test_the_readmes_code_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert blocks
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, "README.md", "exec"), names)
        assert set(names["info"]["terms"]) == {"env", "PotentialShaping", "EpisodicCount"}  # type: ignore[index]
