"""On which MiniWoB++ pages may an episode begin within the page, instead of after a fresh load of it?

Run: python benchmarks/miniwob_soft.py [--chains 2] [--episodes 8] [--steps 8] [--write] [PAGE ...]

For each page, chains of episodes are played in one tab, each begun softly after all before it, with random actions:
clicks on rows and on pixels, typing, keys, drags, scrolling, waiting. Most episodes are left in the middle. Then the
same episodes are played with the same actions in another tab, in reverse order, each after a fresh load. A page passes
if the two agree at the beginning of every episode and after each action: in the goal, the element table with boxes and
flags, the reward and the end, and in the whole document, which is its markup, the values of controls, scroll positions,
focus and selection. Left out are the page's own display of rewards, its click tracker, and the order of classes; the
numbers in ids that jQuery UI counts up are renamed in order. What random play never meets goes unseen: the more chains,
the stronger the proof. With --write, the pages that passed are written to potentia/envs/web/miniwob/soft.py.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from potentia.envs.web import WebEnv
from potentia.envs.web.actions import KEYS, Action, write_text
from potentia.envs.web.catalogue import MINIWOB_TASKS
from potentia.envs.web.elements import PageState
from potentia.envs.web.miniwob import soft
from potentia.envs.web.miniwob.task import MiniWobTask
from potentia.envs.web.task import Opening, Verdict

DOCUMENT = """() => {
  const ids = new Map();
  const renamed = (text) => text.replace(/ui-id-\\d+/g, (id) => {
    if (!ids.has(id)) ids.set(id, `ui-id-#${ids.size}`);
    return ids.get(id);
  });
  const all = [...document.querySelectorAll("*")];
  const copy = document.documentElement.cloneNode(true);
  for (const node of copy.querySelectorAll("#reward-display, #click-canvas, #sync-task-cover")) node.remove();
  for (const node of copy.querySelectorAll("[data-tampered]")) node.removeAttribute("data-tampered");
  for (const node of copy.querySelectorAll("[class]")) {
    const names = [...node.classList].sort();
    if (names.length) node.setAttribute("class", names.join(" "));
    else node.removeAttribute("class");
  }
  const held = [];
  all.forEach((node, index) => {
    if (node.closest("#reward-display, #click-canvas, #sync-task-cover")) return;
    const facts = [node.value, node.checked, node.selectedIndex, node.scrollTop || 0, node.scrollLeft || 0,
                   node === document.activeElement, node.disabled];
    if (node.localName === "script" || node.localName === "style") return;
    const written = (fact) => fact === undefined ? "-" : typeof fact === "string" ? renamed(fact) : String(fact);
    held.push(facts.map(written).join());
  });
  return [renamed(copy.outerHTML), held.join("\\n"), getSelection().toString(), scrollX, scrollY];
}"""


class WatchedTask(MiniWobTask):
    """A page whose whole document is read with each observation.

    Args:
        name: The page.
        softly: Whether episodes begin within the page.
        pace: Virtual milliseconds an action; None for the page's own.
    """

    def __init__(self, name: str, *, softly: bool, pace: float | None) -> None:
        super().__init__(name, always_fresh=True)
        self.probe = f"() => [({MiniWobTask.probe})(), ({DOCUMENT})()]"
        self.document: Any = None
        self._softly, self._pace = softly, pace

    def begin(self, seed: int, index: int) -> Opening:
        """As it is, but for how it begins."""
        opening = super().begin(seed, index)
        return replace(opening, soft=self._softly, pace=self._pace or opening.pace)

    def judge(self, page: PageState, answer: str | None) -> Verdict:
        """As it is; keeps the document."""
        told, self.document = page.probe or (None, None)
        return super().judge(replace(page, probe=told), answer)


@dataclass
class Episode:
    """What was done, and what was seen before it and after each action."""

    seed: int
    actions: list[str] = field(default_factory=list)
    seen: list[tuple[str, ...]] = field(default_factory=list)


def digest(part: Any) -> str:
    """16 hexadecimal digits."""
    return hashlib.blake2b(repr(part).encode(), digest_size=8).hexdigest()


def look(env: WebEnv, task: WatchedTask, outcome: Any) -> tuple[str, ...]:
    """Digests of the goal, the element table, the outcome, and each part of the document."""
    rows = [(row.role, row.name, row.value, sorted(row.flags), row.box) for row in env.play.state.elements]
    return (digest(task.goal), digest(rows), digest(outcome), *map(digest, task.document or ["none"] * 5))


PARTS = ("goal", "elements", "outcome", "markup", "controls", "selection", "scroll x", "scroll y")


def draw(rng: np.random.Generator, state: PageState, fields: tuple[str, ...]) -> Action:
    """A random action; more often than not one that does something."""
    width, height = MiniWobTask.viewport
    rows = len(state.elements)
    point = int(rng.integers(width)), int(rng.integers(height))
    editable = [row for row, element in enumerate(state.elements) if "editable" in element.flags]
    kind: Any = rng.choice(
        ["click", "fill", "click_at", "move_at", "down_at", "up_at", "drag", "press", "scroll", "noop"],
        p=[0.37, 0.2, 0.1, 0.03, 0.04, 0.04, 0.07, 0.07, 0.05, 0.03],
    )
    if kind == "fill" and editable:
        return Action("fill", int(rng.choice(editable)), str(rng.choice([*fields, "a", "12"])))
    if kind in ("click", "fill") and rows:
        return Action("click", int(rng.integers(rows)))
    if kind == "drag" and rows:
        return Action("drag", int(rng.integers(rows)), target=int(rng.integers(rows)))
    if kind == "press":
        return Action("press", text=str(rng.choice(list(KEYS))))
    if kind == "scroll":
        return Action("scroll", text=str(rng.choice(["up", "down"])))
    return Action("noop") if kind == "noop" else Action(kind if kind.endswith("_at") else "click_at", point=point)


def explore(env: WebEnv, task: WatchedTask, seed: int, steps: int) -> Episode:
    """An episode of random actions."""
    rng = np.random.default_rng((seed, 1))
    episode = Episode(seed)
    env.reset(seed=seed)
    episode.seen.append(look(env, task, None))
    for _ in range(int(rng.integers(1, steps + 1))):
        episode.actions.append(write_text(draw(rng, env.play.state, tuple(task.fields))))
        _, reward, terminated, truncated, info = env.step(episode.actions[-1])
        episode.seen.append(look(env, task, (reward, terminated, info["failure"])))
        if terminated or truncated:
            break
    return episode


def difference(env: WebEnv, task: WatchedTask, episode: Episode) -> str:
    """Plays an episode again; what is seen otherwise first, or ""."""
    env.reset(seed=episode.seed)
    outcome: Any = None
    for step, expected in enumerate(episode.seen):
        if step:
            _, reward, terminated, _, info = env.step(episode.actions[step - 1])
            outcome = reward, terminated, info["failure"]
        differs = [part for part, a, b in zip(PARTS, look(env, task, outcome), expected, strict=True) if a != b]
        if differs:
            return f"step {step}: {', '.join(differs)}"
    return ""


def compare(page: str, pace: float | None, seed: int, episodes: int, steps: int, *, softly: bool = True) -> str:
    """The first difference of a chain that is begun softly (or not) from one of fresh loads, or ""."""
    tasks = [WatchedTask(page, softly=soft, pace=pace) for soft in (softly, False)]
    envs = [
        WebEnv(task, actions="text", observation=("goal",), info_keys=("failure",), max_steps=1000) for task in tasks
    ]
    try:
        chain = [explore(envs[0], tasks[0], seed + k, steps) for k in range(episodes)]
        for episode in reversed(chain):
            if found := difference(envs[1], tasks[1], episode):
                return found
    finally:
        for env in envs:
            env.close()
    return ""


def write(passed: list[str]) -> None:
    """Rewrites soft.py."""
    told = f"no run of benchmarks/{Path(__file__).name} saw a difference."
    head = f'"""On which pages an episode may begin without a fresh load: {told}"""\n'
    lines = "".join(f'        "{page}",\n' for page in passed)
    Path(soft.__file__).write_text(f"{head}\nSOFT: frozenset[str] = frozenset(\n    (\n{lines}    )\n)\n", "utf-8")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", default=list(MINIWOB_TASKS))
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--episodes", type=int, default=8)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    start, passed = time.perf_counter(), []
    # One environment stays open, so that the browser does.
    keeper = WebEnv("MiniWoB-click-test")
    keeper.reset(seed=0)
    for page in chosen.pages:
        found = ""
        for chain in range(chosen.chains):
            # In every other chain more time passes, so that timers of one episode would end in another.
            pace = 2000.0 if chain % 2 else None
            found = compare(page, pace, 1000 * chain, chosen.episodes, chosen.steps)
            if found:
                again = compare(page, pace, 1000 * chain, chosen.episodes, chosen.steps, softly=False)
                found = f"chain {chain}, {found}" + (f" (fresh loads differ as well: {again})" if again else "")
                break
        passed += [page] if not found else []
        print(f"{page:32s} {found or 'equal'}", flush=True)
    keeper.close()
    print(f"{len(passed)} of {len(chosen.pages)} pages are equal ({time.perf_counter() - start:.0f} s)")
    if chosen.write:
        write(passed)


if __name__ == "__main__":
    main()
