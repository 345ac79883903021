"""Makes each part of a study once, before any run starts: what can be seen to fail is told at once, in one list."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from potentia.objects import ObjectError
from potentia.study.documents import SpecError
from potentia.study.plan import RunConfig
from potentia.study.spec import StudySpec

if TYPE_CHECKING:
    from potentia.shaping.fit import Finding
    from potentia.study.world import World


def check_cells(study: StudySpec, configs: Iterable[RunConfig], source: str) -> list[Finding]:
    """Makes every world, and in it every shaping and every learner, and asks whether they fit.

    Args:
        study: The study.
        configs: The runs that are to be done.
        source: Where the study came from, for messages.

    Returns:
        What does not keep the study from running, and yet is worth knowing before it does.

    Raises:
        SpecError: With one line for each world, shaping or learner that can't be made, or reads what its world lacks.
    """
    refused, warned = rehearse(study, configs)
    if refused:
        raise SpecError(source, [f"{finding.place}: {finding.message}" for finding in refused])
    return warned


def rehearse(study: StudySpec, configs: Iterable[RunConfig]) -> tuple[list[Finding], list[Finding]]:
    """The same, as what keeps the study from running and what does not. Equal ones are told once."""
    found = Found()
    found.refuse(*_device_problems(study.device))
    worlds: dict[str, World | None] = {}
    seen: set[tuple[str, str, str]] = set()
    for config in configs if not found.refused else ():
        label = config.environment.label
        cell = (label, config.shaping.name, config.learner.label)
        if cell in seen:
            continue
        seen.add(cell)
        if label not in worlds:
            worlds[label] = _rehearse_world(study, config, found)
        world = worlds[label]
        if world is not None:
            _rehearse_parts(study, config, world, found)
    return list(dict.fromkeys(found.refused)), list(dict.fromkeys(found.warned))


class Found:
    """What a rehearsal has found so far.

    Attributes:
        refused: What keeps the study from running.
        warned: What does not.
    """

    def __init__(self) -> None:
        self.refused: list[Finding] = []
        self.warned: list[Finding] = []

    def refuse(self, *problems: tuple[str, str]) -> None:
        """Adds problems, each after its place."""
        from potentia.shaping.fit import Finding  # noqa: PLC0415 - torch is slow to import

        self.refused += [Finding("refused", problem, "", place=place) for place, problem in problems]

    def add(self, findings: Iterable[Finding], place: str, *, refused: bool = False) -> None:
        """Adds findings at a place. With ``refused`` severe ones keep the study from running."""
        for finding in findings:
            (self.refused if refused and finding.severe else self.warned).append(replace(finding, place=place))


def _rehearse_world(study: StudySpec, config: RunConfig, found: Found) -> World | None:
    """One copy is asked what it is. Then copies in the form in which a run has them take a step."""
    from potentia.study.world import World  # noqa: PLC0415 - torch is slow to import
    from potentia.wrappers.stack import check_stack, untrue_reward  # noqa: PLC0415

    where = f"environments[{study.environments.index(config.environment)}]"
    label = config.environment.label
    try:
        world = World.probe(config)
        with contextlib.closing(world.make(min(2, config.environment.num_envs), world.info_keys)) as envs:
            envs.reset(seed=0)
            *_, info = envs.step(envs.action_space.sample())
            untrue = untrue_reward(envs, "a study", info)
            around = check_stack(envs, gamma=study.gamma)
    except (Exception, SystemExit) as error:  # a world that ends the process must not end this one
        kwargs = config.environment.kwargs
        if kwargs and _can_be_made(config):
            found.refuse((f"{where}.kwargs ({label})", f"can't be made with {_shown(kwargs)}: {_in_words(error)}"))
        else:
            found.refuse((f"{where} ({label})", f"can't be made: {_in_words(error)}"))
        return None
    world = replace(world, info_keys=world.info_keys.union(info, info.get("final_info", ())))
    if untrue:
        found.refuse((f"{where} ({label})", untrue))
        return world
    found.add((finding for finding in around if finding.name != "changed"), f"{where} ({label})")
    random, optimal = world.anchors["random"], world.anchors["optimal"]
    if random is not None and optimal is not None and random >= optimal:
        problem = f"random must be less than optimal, got {random} and {optimal} (one of them is the world's own)"
        found.refuse((f"{where}.anchors", problem))
    return world


def _can_be_made(config: RunConfig) -> bool:
    """Whether the world can be made without the arguments of the study."""
    try:
        gym.make(config.environment.id).close()
    except (Exception, SystemExit):
        return False
    return True


def _rehearse_parts(study: StudySpec, config: RunConfig, world: World, found: Found) -> None:
    from potentia.agents.agent import columns_of  # noqa: PLC0415
    from potentia.agents.loop import EPISODES, ROLLOUTS, home_of  # noqa: PLC0415
    from potentia.audit.composition import composition  # noqa: PLC0415
    from potentia.shaping.fit import fit  # noqa: PLC0415
    from potentia.study.learners import make_learner  # noqa: PLC0415
    from potentia.study.shapings import make_shaper  # noqa: PLC0415
    from potentia.transitions import info_keys  # noqa: PLC0415

    spaces = world.observation_space, world.action_space
    where = f"shapings[{study.shapings.index(config.shaping)}]"
    label = f"{config.environment.label}, shaping {config.shaping.name}"
    try:
        shaper = make_shaper(config.shaping, *spaces, device=config.device, seed=0, where=where, folder=config.folder)
    except ObjectError as error:
        place, _, problem = str(error).partition(": ")
        return found.refuse((place, f"{problem} ({label})"))
    except Exception as error:
        return found.refuse((f"{where} ({label})", f"can't be made: {_in_words(error)}"))
    overrides, place = config.environment.learner, f"learners[{study.learners.index(config.learner)}]"
    told = f"{place} ({config.environment.label}, learner {config.learner.label})"
    try:
        learner = make_learner(
            config.learner,
            overrides,
            *spaces,
            streams=shaper.streams,
            device=config.device,
            seed=0,
            folder=config.folder,
        )
    except Exception as error:
        settings = {**config.learner.config, **overrides}
        with_settings = f" with {_shown(settings)}" if settings else ""
        return found.refuse((told, f"can't be made{with_settings}: {_in_words(error)}"))
    lacking = sorted(set(info_keys(columns_of(learner))) - world.info_keys)
    if lacking:
        problem = f"it learns from {', '.join(map(repr, lacking))} of info, which this world does not give; it gives "
        return found.refuse((told, problem + (", ".join(sorted(world.info_keys)) or "nothing")))
    kind = EPISODES if shaper.contract.needs_episodes else ROLLOUTS
    for index, member in enumerate(shaper.shapers):
        at = f"{where}.shapers[{index}] ({label})"
        found.add(fit(member, home_of(learner, member, kind, world.info_keys)), at, refused=True)
        found.add(composition(member), at)
    return None


def _device_problems(device: str) -> list[tuple[str, str]]:
    if device == "cpu":
        return []
    import torch  # noqa: PLC0415

    try:
        torch.zeros(1, device=device).item()  # "meta" has tensors and no numbers
    except Exception as error:
        return [("device", f"{device!r} can't be used here: {_in_words(error)}; write 'device: cpu'")]
    return []


def _shown(settings: dict[str, Any]) -> str:
    return str(settings)[:200]


def _in_words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
