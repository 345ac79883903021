"""Makes each part of a study once, before any run starts: what can be seen to fail is told at once, in one list."""

from __future__ import annotations

from collections.abc import Iterable

from potentia.study.documents import SpecError
from potentia.study.plan import RunConfig


def check_cells(configs: Iterable[RunConfig], source: str) -> None:
    """Makes every world, and in it every shaping and every learner, and asks whether they fit.

    Raises:
        SpecError: With one line for each world, shaping or learner that can't be made, or reads what its world lacks.
    """
    from potentia.agents.loop import EPISODES, ROLLOUTS, home_of  # noqa: PLC0415
    from potentia.shaping.fit import fit  # noqa: PLC0415
    from potentia.study.learners import make_learner  # noqa: PLC0415 - torch is slow to import
    from potentia.study.shapings import make_shaper  # noqa: PLC0415
    from potentia.study.world import World  # noqa: PLC0415

    problems: dict[str, None] = {}
    worlds: dict[str, World | None] = {}
    seen: set[tuple[str, str, str]] = set()
    for config in configs:
        label, shaping = config.environment.label, config.shaping.name
        if (label, shaping, config.learner.label) in seen:
            continue
        seen.add((label, shaping, config.learner.label))
        if label not in worlds:
            worlds[label] = None
            try:
                worlds[label] = World.probe(config)
            except Exception as error:
                problems[f"{label}: can't be made: {_said(error)}"] = None
        world = worlds[label]
        if world is None:
            continue
        spaces = world.observation_space, world.action_space
        try:
            shaper = make_shaper(config.shaping, *spaces, seed=0, device="cpu")
        except Exception as error:
            problems[f"{label}, shaping {shaping}: can't be made: {_said(error)}"] = None
            continue
        try:
            learner = make_learner(config.learner, config.environment.learner, *spaces, streams=shaper.streams, seed=0)
        except Exception as error:
            problems[f"{label}, learner {config.learner.label}: can't be made: {_said(error)}"] = None
            continue
        home = EPISODES if shaper.contract.needs_episodes else ROLLOUTS
        for finding in fit(shaper, home_of(learner, shaper, home, world.info_keys)):
            if finding.severe:
                problems[f"{label}, shaping {shaping}: {finding.message}"] = None
    if problems:
        raise SpecError(source, list(problems))


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
