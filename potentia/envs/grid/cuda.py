"""The compiled worlds on a CUDA device: the same functions, compiled for it, on tensors that stay there.

Needs the package ``numba-cuda`` (or, to be stepped through on a CPU, Numba's simulator: ``NUMBA_ENABLE_CUDASIM=1``).
Random numbers, levels, steps, hashes, events and distances are those of the CPU, world for world.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numba import cuda

from potentia.compiling import part
from potentia.compiling.kernels import kernel, launch, on_device, shared, usable
from potentia.envs.grid.description import Description, measure, note_reset, note_step, steps_of, tell_distance
from potentia.envs.grid.distance import size_of, solve
from potentia.envs.grid.levels.level import NO_AIM, SEARCHED, Family, Level
from potentia.envs.grid.loops import added_rules, step_world
from potentia.envs.grid.pcg64 import seeded_state
from potentia.envs.grid.rules import World, observe_one
from potentia.envs.grid.ways import Ways
from potentia.envs.grid.worlds import NEXT_STEP, SAME_STEP, GridWorlds, Output, aim_and_poses

_SCRATCH_BYTES = 2**30
"""How much memory the searches for distances may take: as many worlds are measured at once as it has room for."""
_ROOM = 64
"""Room for ways by cell, twice what was ever needed. It can't be made larger there: without it a distance is NaN."""
_LINKED = {
    "_state", "_out", "_tables", "_step", "_begin", "_description", "_describe_step", "_describe_reset", "_ways",
    "_slots",
}  # fmt: skip


@lru_cache
def _kernels(family: Family) -> tuple[Any, Any]:
    """The step of each world of a family, and its drawing where it begins anew."""
    draw = family.draw
    prepare, judge = added_rules(family)

    @kernel
    def step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, image, reward, terminated, truncated, success, waiting, fresh, before,
        actions, mode, plan, offsets, light,
    ):  # fmt: skip
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < actions.shape[0]:
            step_world(
                cells, agent, task, rng, scratch, image, reward, terminated, truncated, success, waiting, fresh, before,
                n, actions[n], mode, plan, offsets, light, prepare, judge,
            )  # fmt: skip

    @kernel
    def begin(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, image, final, waiting, mask, plan, parameters, offsets, light
    ):
        n = cuda.grid(1)  # type: ignore[attr-defined]
        if n < mask.shape[0] and mask[n]:
            world = World(cells, agent, task, rng, scratch)
            for k in range(image.shape[1]):
                final[n, k] = image[n, k]
            draw(world, n, plan, parameters)
            observe_one(world, n, image, offsets, light)
            waiting[n] = False

    return step, begin


@part(forceinline=True)
def _find_distance(  # type: ignore[no-untyped-def]
    cells, agent, task, d, n, plan, aim, slot, known, marks, head, pool
):
    """Finds the distance of world n, if it waits for a table, in the row ``slot`` of the ways."""
    if d.lacking[n]:
        if solve(cells, agent, task, n, plan, aim, d.table, known[slot], marks[slot], head[slot], pool[slot]):
            tell_distance(d.distance, d.potential, n, plan, steps_of(d.table, agent, n, plan))
        else:
            d.distance[n], d.potential[n] = np.nan, np.nan
        d.stale[n], d.lacking[n] = False, False


@lru_cache
def _describing_kernels(aim: int) -> tuple[Any, Any]:
    """The description of each world after a step, and of those of a mask after a reset.

    The worlds are dealt out among as many threads as there are rows of scratch. ``aim`` decides what is searched for.
    """

    @kernel
    def after_step(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, terminated, success, before,
        cells_hash, state_hash, events, table, stale, lacking, distance, potential,
        known, marks, head, pool, slots, plan,
    ):  # fmt: skip
        slot = cuda.grid(1)  # type: ignore[attr-defined]
        if slot < slots:
            world = World(cells, agent, task, rng, scratch)
            d = Description(cells_hash, state_hash, events, table, stale, lacking, distance, potential)
            for n in range(slot, success.shape[0], slots):
                if note_step(world, d, n, plan, before, terminated[n], success[n]):
                    measure(world, d, n, plan, aim, terminated[n], success[n])
                    _find_distance(cells, agent, task, d, n, plan, aim, slot, known, marks, head, pool)

    @kernel
    def after_reset(  # type: ignore[no-untyped-def]
        cells, agent, task, rng, scratch, mask,
        cells_hash, state_hash, events, table, stale, lacking, distance, potential,
        known, marks, head, pool, slots, plan,
    ):  # fmt: skip
        slot = cuda.grid(1)  # type: ignore[attr-defined]
        if slot < slots:
            world = World(cells, agent, task, rng, scratch)
            d = Description(cells_hash, state_hash, events, table, stale, lacking, distance, potential)
            for n in range(slot, mask.shape[0], slots):
                if mask[n]:
                    note_reset(world, d, n, plan)
                    measure(world, d, n, plan, aim, False, False)
                    _find_distance(cells, agent, task, d, n, plan, aim, slot, known, marks, head, pool)

    return after_step, after_reset


def measurable_there(level: Level) -> bool:
    """Whether the distance in a level can be measured on a device; a search over states is the host's."""
    return level.family.aim not in (NO_AIM, SEARCHED)


class CudaGridWorlds:
    """`GridWorlds` on a CUDA device: the state and what a step writes are tensors there, shared with the kernels.

    Kernels run on PyTorch's current stream. Nothing is read back, but by `mission`.

    Args:
        level: The level.
        num_envs: N.
        mode: ``NEXT_STEP``, ``SAME_STEP`` or ``DISABLED``.
        max_steps: Another time limit than the level's.
        limit: As in `GridWorlds`.
        described: Whether hash and events are kept up to date.
        measured: Whether the distance is, too, where the level has one.
        scratch_bytes: How much memory the ways may take by which distances are found. Those of a world take 50 KB in
            DoorKey-5x5, 80 in KeyCorridorS3R3 and 460 in LockedRoom. Where there is no room for all, worlds take turns.
        device: The CUDA device, the first. In the simulator it is the CPU.

    Raises:
        RuntimeError: If Numba can't use the device.
        ValueError: If it is none of CUDA's.

    Attributes:
        state: As in `GridWorlds`, tensors. Unsigned numbers are signed ones here.
        out: As in `GridWorlds`, tensors.
        description: As in `GridWorlds`, tensors.
        final_description: As in `GridWorlds`. In mode ``SAME_STEP`` each step has a new one.
    """

    def __init__(
        self,
        level: Level,
        num_envs: int,
        mode: int = NEXT_STEP,
        max_steps: int | None = None,
        *,
        limit: int | None = None,
        described: bool = False,
        measured: bool = False,
        scratch_bytes: int = _SCRATCH_BYTES,
        device: torch.device | str = "cuda",
    ) -> None:
        if any(isinstance(parameter, bytes) for parameter in level.parameters):
            raise ValueError(f"a level of a {level.family.name.lower()} is drawn on the host: use GridVectorEnv")
        self.device = usable(device, "GridVectorEnv, whose worlds are on the CPU")
        host = GridWorlds(level, num_envs, mode, max_steps, limit=limit)
        self.level, self.num_envs, self.mode, self.plan = level, num_envs, mode, host.plan
        self.state, self.out = World(*map(self.tensor, host.state)), Output(*map(self.tensor, host.out))
        self._scratch_bytes = scratch_bytes
        self._all = torch.ones(num_envs, dtype=torch.bool, device=self.device)
        self._link()
        self.describe(described=described, measured=measured)

    def __getstate__(self) -> dict[str, Any]:
        """What is no view of a tensor and no kernel."""
        return {name: value for name, value in self.__dict__.items() if name not in _LINKED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, which goes on as the worlds do that it was made of."""
        self.__dict__.update(state)
        self._link()
        self._link_description()

    def _link(self) -> None:
        """Finds the kernels that step, and shares with them what they take."""
        host = GridWorlds(self.level, 1)
        self._state = shared(self.state, host.state)
        flat = self.out._replace(image=self.out.image.flatten(1), final=self.out.final.flatten(1))
        self._out = Output(*shared(flat, host.out))
        tables = host.offsets, host.light
        self._tables = shared([self.tensor(table) for table in tables], tables)
        self._step, self._begin = _kernels(self.level.family)

    def _link_description(self) -> None:
        """The same with the kernels that describe."""
        self._description = shared(self.description, Description.of(1, 0))
        self._describe_step, self._describe_reset = _describing_kernels(self.aim)
        self._ways, self._slots = self._make_ways(self._scratch_bytes) if self.described else ((), 0)

    def describe(self, *, described: bool, measured: bool) -> None:
        """As `GridWorlds.describe`."""
        self.aim, poses = aim_and_poses(self.level, measured and measurable_there(self.level))
        self.described = described or measured
        self.description = Description(*map(self.tensor, Description.of(self.num_envs, poses)))
        self.final_description = self.description
        self._link_description()

    def refresh(self) -> None:
        """As `GridWorlds.refresh`, but what is seen is up to date already."""
        if self.described:
            (chosen,) = shared([self._all])
            self._describe(self._describe_reset, chosen)

    def tensor(self, array: np.ndarray[Any, Any]) -> torch.Tensor:
        """A copy of an array on the device. Unsigned numbers become signed ones of the same bits."""
        return on_device(array, self.device)

    def _make_ways(self, most_bytes: int) -> tuple[tuple[Any, ...], int]:
        """A row for the ways of each search that is made at once, and how many rows there are."""
        if self.aim == NO_AIM:
            return shared([self.tensor(part) for part in Ways.of(1, 1, 1)]), self.num_envs
        size = size_of(self.plan)
        rows = Ways.rows_for(self.num_envs, size, _ROOM * size, most_bytes)
        return shared([self.tensor(part) for part in Ways.of(rows, size, _ROOM * size)]), rows

    def _launch(self, made: Any, threads: int, *arguments: Any) -> None:
        launch(made, threads, self.device, *arguments)

    def seed(self, seeds: list[int | None], mask: torch.Tensor | None = None) -> None:
        """Seeds world n as ``env.reset(seed=seed)`` seeds a Gymnasium environment with the n-th, or those of a mask."""
        rows = self.tensor(np.stack([seeded_state(seed) for seed in seeds]))
        self.state.rng.copy_(rows if mask is None else torch.where(mask[:, None], rows, self.state.rng))

    def reset(self, mask: torch.Tensor | None = None) -> None:
        """Draws new levels in the worlds of ``mask``, or in all. What was seen before goes to ``final``."""
        (chosen,) = shared([self._all if mask is None else mask])
        out = self._out
        self._launch(
            self._begin, self.num_envs, *self._state, out.image, out.final, out.waiting, chosen, self.plan,
            self.level.parameters, *self._tables,
        )  # fmt: skip
        if self.described:
            self._describe(self._describe_reset, chosen)

    def _describe(self, kernel: Any, *given: Any) -> None:
        more = self._slots, self.plan
        self._launch(kernel, self._slots, *self._state, *given, *self._description, *self._ways, *more)

    def step(self, actions: torch.Tensor) -> None:
        """One action ``(N,)`` int64, 0 to 6, in each world.

        Nothing is read back, so wrong actions are not refused. Another number does nothing but pass time.
        """
        (chosen,) = shared([actions])
        out = self._out
        self._launch(
            self._step, self.num_envs, *self._state, out.image, out.reward, out.terminated, out.truncated, out.success,
            out.waiting, out.fresh, out.before, chosen, self.mode, self.plan, *self._tables,
        )  # fmt: skip
        if self.described:
            self._describe(self._describe_step, out.terminated, out.success, out.before)
            if self.mode == SAME_STEP:
                table = self.description.table
                parts = (part if part is table else part.clone() for part in self.description)
                self.final_description = Description(*parts)
        if self.mode in (NEXT_STEP, SAME_STEP):
            self.reset(self.out.fresh)

    @property
    def shown(self) -> Any:
        """As in `GridWorlds`; nothing else can be shown."""
        return self.out.image

    @property
    def final_shown(self) -> Any:
        """As in `GridWorlds`."""
        return self.out.final

    seen, final_seen = shown, final_shown

    @property
    def final_agent(self) -> Any:
        """Not kept, since images alone are shown: the present state's."""
        return self.state.agent

    @property
    def final_task(self) -> Any:
        """The same."""
        return self.state.task

    def mission(self, n: int) -> str:
        """What the agent of world n is told. This reads from the device."""
        return self.level.tell_mission(self.state.task[n].cpu().numpy())
