"""PPO on one device beside Stable-Baselines3's: steps a second, and time to 95 % success.

``python benchmarks/device_ppo.py speed``: Empty-8x8, two towers of 64 and 64 tanh units on the 147 numbers, 4 epochs of
4 minibatches; Stable-Baselines3 with 16 worlds of MiniGrid and 128 steps, ours with 1024 worlds and 32 steps. Medians
over interleaved rounds. ``--worlds 16`` leaves the rest out. On one thread (``OMP_NUM_THREADS=1``) the seconds are
those of the processor, which other work on the machine disturbs less.

``python benchmarks/device_ppo.py solve Empty-8x8 --seeds 5`` (or DoorKey-8x8): seconds until 95 % of the episodes that
ended within 65,536 steps, at least 100, succeeded; network (codes, two towers of 64 and 64 relu units), worlds (64),
steps (128), 16 minibatches, 4 epochs and rates are the same for both. One thread each, so that two may run at a time.

``python benchmarks/device_ppo.py share``: DoorKey-8x8 with a potential and a count on the state's hash, and with each
of the exploration bonuses: nanoseconds a step, and shares of the loop.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import nn

from potentia.agents.grid import GridPPOConfig, device_loop
from potentia.agents.grid.towers import cell_codes, code_vectors
from potentia.envs.grid import GridVectorEnv
from potentia.envs.grid.vector import IMAGE_SPACE
from potentia.shaping import E3B, RND, Chain, Count, EpisodicCount, EpisodicNovelty, NovelD, PotentialShaping, Scale

SOLVE = GridPPOConfig(learning_rate=1e-3, n_minibatches=16, activation="relu", shared=False)
SHAPED = GridPPOConfig(learning_rate=1e-3, shared=False)
WINDOW, ENOUGH = 65_536, 100


def minigrid_worlds(level: str, count: int) -> Any:
    """MiniGrid's worlds as Stable-Baselines3 takes them: 147 numbers."""
    import minigrid  # noqa: F401 - registers its worlds
    from minigrid.wrappers import ImgObsWrapper
    from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

    def make() -> Any:
        return gym.wrappers.FlattenObservation(ImgObsWrapper(gym.make(f"MiniGrid-{level}-v0")))

    return VecMonitor(DummyVecEnv([make] * count))


def extractor(config: GridPPOConfig) -> Any:
    """Our encoding of cells as a Stable-Baselines3 features extractor."""
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

    codes = code_vectors(config.code_width, torch.Generator().manual_seed(0))

    class Codes(BaseFeaturesExtractor):
        def __init__(self, space: Any) -> None:
            super().__init__(space, 49 * config.code_width)
            self.codes = nn.Parameter(codes, requires_grad=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.codes[cell_codes(x.byte().unflatten(1, (7, 7, 3))).int()].flatten(1)

    return Codes


def sb3(envs: Any, seed: int, *, steps: int, batch: int, activation: Any, rate: float, codes: bool) -> Any:
    """Stable-Baselines3's PPO with the same numbers."""
    from stable_baselines3 import PPO

    policy: dict[str, Any] = {"net_arch": {"pi": [64, 64], "vf": [64, 64]}, "activation_fn": activation}
    if codes:
        policy["features_extractor_class"] = extractor(SOLVE)
    return PPO(
        "MlpPolicy", envs, n_steps=steps, batch_size=batch, n_epochs=4, learning_rate=rate, ent_coef=0.01, seed=seed,
        policy_kwargs=policy, device="cpu",
    )  # fmt: skip


def loop_on(envs: Any, config: GridPPOConfig, **more: Any) -> Any:
    """Our loop."""
    return device_loop(envs, config, gamma=0.99, **more)


def clear(loop: Any) -> None:
    """Begins to measure."""
    loop.profile.clear()
    loop.collector.profile.clear()


def parts_of(loop: Any) -> dict[str, float]:
    """Seconds to act, to step the worlds, to shape and to learn; a shaper's own learning is part of shaping."""
    inside, outside = loop.collector.profile.seconds, loop.profile.seconds
    # What collecting takes besides acting and stepping is bookkeeping of the steps.
    step = outside["collect"] - inside["act"]
    return {
        "act": inside["act"], "step": step, "shape": outside["shape"] + outside["update"], "learn": outside["learn"]
    }  # fmt: skip


def speed(rounds: int, sizes: list[int]) -> None:
    """Prints a table of steps a second."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    base: dict[str, Any] = {"encoding": "numbers", "shared": False, "learning_rate": 1e-3}
    ours = {
        "ours, 16 worlds": (16, 128, GridPPOConfig(**base)),
        "ours, 1024 worlds": (1024, 32, GridPPOConfig(**base)),
        "ours, 1024 worlds, compiled": (1024, 32, GridPPOConfig(**base, compile=True)),
        "ours, 1024 worlds, bfloat16": (1024, 32, GridPPOConfig(**base, bfloat16=True)),
        "ours, 1024 worlds, compiled, bfloat16": (1024, 32, GridPPOConfig(**base, compile=True, bfloat16=True)),
    }
    loops = {
        name: loop_on(GridVectorEnv("Empty-8x8", n, device="cpu", info_keys=()), config, num_steps=steps)
        for name, (n, steps, config) in ours.items()
        if n in sizes
    }
    theirs = sb3(minigrid_worlds("Empty-8x8", 16), 0, steps=128, batch=512, activation=nn.Tanh, rate=1e-3, codes=False)
    theirs.learn(2048)
    rates: dict[str, list[float]] = {}
    for loop in loops.values():
        loop.iterate()
        loop.iterate()
        clear(loop)
    for _ in range(rounds):
        begin = clock()
        theirs.learn(3 * 2048, reset_num_timesteps=False)
        rates.setdefault("Stable-Baselines3, 16 worlds", []).append(3 * 2048 / (clock() - begin))
        for name, loop in loops.items():
            begin, before = clock(), loop.agent.steps
            while clock() - begin < 2.0:
                loop.iterate()
            rates.setdefault(name, []).append((loop.agent.steps - before) / (clock() - begin))
    a, b = torch.randn(8192, 147), torch.randn(147, 128)
    begin = clock()
    for _ in range(300):
        a @ b
    flops = 300 * 2 * 8192 * 147 * 128 / (clock() - begin)
    base_rate = statistics.median(rates["Stable-Baselines3, 16 worlds"])
    print("| | steps/s | ratio | act | step | learn |\n|---|---|---|---|---|---|")
    for name, found in rates.items():
        parts = ["", "", ""]
        if name in loops:
            profile = parts_of(loops[name])
            parts = [f"{profile[key] / sum(profile.values()):.0%}" for key in ("act", "step", "learn")]
        median = statistics.median(found)
        print(f"| {name} | {median:,.0f} | {median / base_rate:.1f}x | {' | '.join(parts)} |")
    # Two towers, forward once to act and four times to learn, twice as much backward (but not into the inputs).
    one = 2 * 2 * (147 * 64 + 64 * 64 + 64 * 4)
    work = one + 4 * (3 * one - 2 * 2 * 147 * 64)
    print(f"matrix products: {flops / 1e9:.0f} GFLOP/s in this run, at most {flops / work:,.0f} steps/s in fp32")


def shapers(image: Any, actions: Any) -> dict[str, Any]:
    """Functions that make what is measured, by name."""
    return {
        "potential and Count": lambda: Chain(PotentialShaping("potential"), Scale(Count(key="state_hash"), 0.01)),
        "EpisodicCount": lambda: EpisodicCount("state_hash"),
        "RND": lambda: RND(image, kinds="vector"),
        "RND, trained on a quarter": lambda: RND(image, kinds="vector", proportion=0.25),
        "RND by convolutions": lambda: RND(image),
        "NovelD": lambda: NovelD(image, "state_hash", kinds="vector"),
        "E3B": lambda: E3B(image, actions, kinds="vector"),
        "EpisodicNovelty": lambda: EpisodicNovelty(image, actions, memory=128, kinds="vector"),
    }


def share(rollouts: int) -> None:
    """Prints a table of where the time goes with shaping."""
    print("| shaping | worlds | steps/s | act | step | shape | learn |\n|---|---|---|---|---|---|---|")
    makers = shapers(IMAGE_SPACE, gym.spaces.Discrete(7))
    first = next(iter(makers))
    for name, n in [*((first, n) for n in (16, 64, 1024, 4096)), *((name, 1024) for name in makers if name != first)]:
        shaper = makers[name]()
        keys = sorted({column.removeprefix("next_") for column in shaper.contract.info_columns})
        worlds = GridVectorEnv("DoorKey-8x8", n, device="cpu", info_keys=tuple(keys))
        loop = loop_on(worlds, SHAPED, num_steps=32, shaper=shaper)
        for _ in range(2):
            loop.iterate()
        clear(loop)
        before = loop.agent.steps
        while loop.agent.steps - before < rollouts * 32_768:
            loop.iterate()
        profile = parts_of(loop)
        whole, steps = sum(profile.values()), loop.agent.steps - before
        parts = [f"{part / steps * 1e9:,.0f} ns ({part / whole:.1%})" for part in profile.values()]
        print(f"| {name} | {n} | {steps / whole:,.0f} | {' | '.join(parts)} |", flush=True)


def solve(level: str, seeds: list[int], limit: float, who: str) -> None:
    """Prints, for each seed, seconds and steps to 95 % success."""
    torch.set_num_threads(1)
    found = []
    for seed in seeds:
        seconds, steps = (solve_ours if who == "ours" else solve_sb3)(level, seed, limit)
        found.append((seconds, steps))
        print(f"{who} {level} seed {seed}: {seconds:.1f} s, {steps:,} steps", flush=True)
    times = [seconds for seconds, _ in found]
    print(
        f"{who} {level}: median {statistics.median(times):.1f} s, solved {sum(t < limit for t in times)}/{len(times)}"
    )


def solve_ours(level: str, seed: int, limit: float) -> tuple[float, int]:
    """Seconds and steps; the limit if it was not solved."""
    loop = loop_on(GridVectorEnv(level, 64, device="cpu", info_keys=()), SOLVE, num_steps=128, seed=seed)
    collector: Any = loop.collector
    begin, window = time.perf_counter(), 0
    while time.perf_counter() - begin < limit:
        loop.iterate()
        if loop.agent.steps - window >= WINDOW or collector.episodes[0] >= 10 * ENOUGH:
            window, done = loop.agent.steps, collector.read_episodes()
            if done["episodes"] >= ENOUGH and done["success"] >= 0.95:
                return time.perf_counter() - begin, loop.agent.steps
    return limit, loop.agent.steps


def solve_sb3(level: str, seed: int, limit: float) -> tuple[float, int]:
    """The same for Stable-Baselines3."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Until(BaseCallback):
        window, ended, solved = 0, (0, 0), False

        def _on_step(self) -> bool:
            for info in self.locals["infos"]:
                if "episode" in info:
                    self.ended = self.ended[0] + 1, self.ended[1] + (info["episode"]["r"] > 0)
            if self.num_timesteps - self.window >= WINDOW or self.ended[0] >= 10 * ENOUGH:
                self.solved = self.ended[0] >= ENOUGH and self.ended[1] >= 0.95 * self.ended[0]
                self.window, self.ended = self.num_timesteps, (0, 0)
            return not self.solved and time.perf_counter() - begin < limit

    learner = sb3(
        minigrid_worlds(level, 64), seed, steps=128, batch=512, activation=nn.ReLU, rate=1e-3, codes=True
    )  # fmt: skip
    np.random.seed(seed)  # noqa: NPY002 - what Stable-Baselines3 shuffles with
    begin, until = time.perf_counter(), Until()
    learner.learn(10**9, callback=until)
    return (time.perf_counter() - begin if until.solved else limit), learner.num_timesteps


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    fast = commands.add_parser("speed")
    fast.add_argument("--rounds", type=int, default=5)
    fast.add_argument("--worlds", type=int, nargs="+", default=[16, 1024], choices=(16, 1024))
    commands.add_parser("share").add_argument("--rollouts", type=int, default=8)
    solving = commands.add_parser("solve")
    solving.add_argument("level")
    solving.add_argument("--seeds", type=int, default=5)
    solving.add_argument("--limit", type=float, default=300.0)
    solving.add_argument("--who", choices=("ours", "sb3"), default="ours")
    given = parser.parse_args()
    if given.command == "speed":
        speed(given.rounds, given.worlds)
    elif given.command == "share":
        share(given.rollouts)
    else:
        solve(given.level, list(range(given.seeds)), given.limit, given.who)


if __name__ == "__main__":
    main()
