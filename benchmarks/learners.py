"""Can a learner be trusted? PPO and Q-learning on worlds that everybody knows, seed by seed, beside Stable-Baselines3.

``OMP_NUM_THREADS=1 python benchmarks/learners.py run --seeds 5`` trains what is missing of ``learners.jsonl``, one run
at a time on one thread. So it may be stopped and started again, and several may run beside each other on other worlds
(``--only CartPole-v1``). ``python benchmarks/learners.py table`` prints the table of ``README.md``. A world whose
package is absent (``pip install gymnasium[box2d]``, ``gymnasium[mujoco]``) is left out, and its name is printed.

``ours, default`` has `PPOConfig` or `QLearningConfig` as they are. ``ours, equal`` and ``sb3, equal`` have the settings
in `WORLDS`: as many environments, steps, epochs and minibatches, two towers of 64 and 64 tanh units, no normalisation,
the same potential. Everything else is each library's own default. ``ours, vf_coef 1`` is ``ours, equal`` with values
that count as much as in Stable-Baselines3, whose squared error is not halved. ``sb3, tuned``
has the settings that RL Baselines3
Zoo ships for that world or its earlier version (DLR-RM/rl-baselines3-zoo, hyperparams/ppo.yml), without a potential and
with as few steps as ours. Each run is scored by the true return of 50 episodes after its last step. A policy draws its
actions, a table takes the best. Each run is one line of the file, with the return of every episode, so that `table` can
tell two runs with one mean from one run that was counted twice.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.agents import PPO, EnvCollector, Evaluation, Loop, PPOConfig, QLearning, QLearningConfig, evaluate
from potentia.shaping import PotentialShaping, Shaper
from potentia.wrappers import ShapeReward

FILE = Path(__file__).with_name("learners.jsonl")
README = Path(__file__).with_name("README.md")
HEAD = "| world | steps | learner | return of each seed | median | CPU s a run |"
EPISODES = 50
MANY = 5  # so many different returns in 50 episodes are not met twice by chance
WHO = ("ours, default", "ours, equal", "ours, vf_coef 1", "sb3, equal", "sb3, tuned")


def hill(obs: Any) -> Any:
    """MountainCar's height and speed, as energy: what the car must gain to reach the flag."""
    position, velocity = obs[..., 0], obs[..., 1]
    return np.sin(3 * position) * 0.45 + 0.55 + 100 * velocity**2


def falling(start: float) -> Callable[[float], float]:
    """The zoo's ``lin_``: from ``start`` to 0 in a straight line."""
    return lambda remaining: remaining * start


def steep_hill(obs: Any) -> Any:
    """`hill`, so that all of it is worth what the flag is, 100: an episode's pushes cost about 10."""
    return 100.0 * hill(obs)


@dataclass(frozen=True)
class World:
    """A world, and what both libraries are given in it.

    Attributes:
        steps: Transitions of training.
        num_envs: Environments side by side.
        num_steps: Steps of each in a rollout.
        config: Ours, by the names that Stable-Baselines3 has too.
        gamma: The discount factor.
        potential: What shapes the reward in training, or None.
        table: Settings of Q-learning, for worlds whose states can be counted; None where PPO learns.
        tuned: What RL Baselines3 Zoo ships: ``envs``, ``steps`` (at most ours), and PPO's arguments; None if nothing.
    """

    steps: int
    num_envs: int = 8
    num_steps: int = 128
    config: dict[str, Any] = field(default_factory=lambda: {"learning_rate": 1e-3, "n_epochs": 10, "ent_coef": 0.0})
    gamma: float = 0.99
    potential: Callable[[Any], Any] | None = None
    table: dict[str, Any] | None = None
    tuned: dict[str, Any] | None = None


CONTINUOUS_CAR = {
    "envs": 1,
    "normalize": True,
    "batch_size": 256,
    "n_steps": 8,
    "gamma": 0.9999,
    "learning_rate": 7.77e-5,
    "ent_coef": 0.00429,
    "clip_range": 0.1,
    "n_epochs": 10,
    "gae_lambda": 0.9,
    "max_grad_norm": 5.0,
    "vf_coef": 0.19,
    "use_sde": True,
    "policy_kwargs": {"log_std_init": -3.29, "ortho_init": False},
}
WORLDS = {
    "CartPole-v1": World(
        50_000,
        tuned={
            "envs": 8,
            "n_steps": 32,
            "batch_size": 256,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "n_epochs": 20,
            "ent_coef": 0.0,
            "learning_rate": falling(1e-3),
            "clip_range": falling(0.2),
        },
    ),
    "Acrobot-v1": World(
        60_000,
        tuned={"envs": 16, "normalize": True, "n_steps": 256, "gae_lambda": 0.94, "n_epochs": 4, "ent_coef": 0.0},
    ),
    "MountainCar-v0": World(
        80_000,
        potential=hill,
        tuned={"envs": 16, "normalize": True, "n_steps": 16, "gae_lambda": 0.98, "n_epochs": 4, "ent_coef": 0.0},
    ),
    "Pendulum-v1": World(
        100_000,
        num_envs=4,
        num_steps=1024,
        config={"learning_rate": 1e-3, "n_epochs": 10, "n_minibatches": 64, "ent_coef": 0.0},
        gamma=0.9,
        tuned={
            "envs": 4,
            "n_steps": 1024,
            "gae_lambda": 0.95,
            "gamma": 0.9,
            "n_epochs": 10,
            "ent_coef": 0.0,
            "learning_rate": 1e-3,
            "clip_range": 0.2,
            "use_sde": True,
            "sde_sample_freq": 4,
        },
    ),
    "MountainCarContinuous-v0": World(20_000, num_steps=256, potential=steep_hill, tuned=CONTINUOUS_CAR),
    "MountainCarContinuous-v0, no potential": World(20_000, num_steps=256),
    "LunarLander-v3": World(
        200_000,
        num_steps=256,
        gamma=0.999,
        tuned={
            "envs": 16,
            "n_steps": 1024,
            "batch_size": 64,
            "gae_lambda": 0.98,
            "gamma": 0.999,
            "n_epochs": 4,
            "ent_coef": 0.01,
        },
    ),
    "InvertedPendulum-v5": World(
        60_000,
        tuned={
            "envs": 1,
            "normalize": True,
            "batch_size": 64,
            "n_steps": 32,
            "gamma": 0.999,
            "learning_rate": 2.22425e-4,
            "ent_coef": 1.37976e-7,
            "clip_range": 0.4,
            "n_epochs": 5,
            "gae_lambda": 0.9,
            "max_grad_norm": 0.3,
            "vf_coef": 0.19816,
        },
    ),
    "Hopper-v5": World(
        100_000,
        num_steps=256,
        config={"learning_rate": 3e-4, "n_epochs": 10, "n_minibatches": 32, "ent_coef": 0.0},
        tuned={
            "envs": 1,
            "normalize": True,
            "batch_size": 32,
            "n_steps": 512,
            "gamma": 0.999,
            "learning_rate": 9.80828e-5,
            "ent_coef": 0.00229519,
            "clip_range": 0.2,
            "n_epochs": 5,
            "gae_lambda": 0.99,
            "max_grad_norm": 0.7,
            "vf_coef": 0.835671,
            "policy_kwargs": {
                "log_std_init": -2,
                "ortho_init": False,
                "activation_fn": torch.nn.ReLU,
                "net_arch": {"pi": [256, 256], "vf": [256, 256]},
            },
        },
    ),
    "Taxi-v3": World(200_000, num_steps=16, table={"learning_rate": 0.5, "epsilon": 0.1}),
    "FrozenLake-v1": World(200_000, num_steps=16, table={"learning_rate": 0.05, "epsilon": 0.3, "initial": 1.0}),
}


def make(name: str) -> gym.Env[Any, Any]:
    """One environment. What stands behind a comma only tells two of `WORLDS` apart."""
    return gym.make(name.partition(",")[0])


def envs_of(name: str, count: int) -> SyncVectorEnv:
    """Copies, stepped one by one."""
    return SyncVectorEnv([lambda: make(name)] * count, autoreset_mode=AutoresetMode.SAME_STEP)


def train_ours(name: str, seed: int, *, default: bool, **more: Any) -> Evaluation | None:
    """Trains one of our learners and plays `EPISODES` episodes. A table has no more settings."""
    world = WORLDS[name]
    if world.table is not None and more:
        return None
    envs = envs_of(name, world.num_envs)
    spaces = envs.single_observation_space, envs.single_action_space
    agent: Any
    if world.table is None:
        settings = {} if default else {"n_minibatches": 16, **world.config, **more}
        agent = PPO(*spaces, PPOConfig(**settings), seed=seed)
    else:
        agent = QLearning(*spaces, QLearningConfig(**({} if default else world.table)), seed=seed)
    shaper: Shaper | None = None if world.potential is None else PotentialShaping(world.potential)
    loop = Loop(EnvCollector(envs, world.num_steps, gamma=world.gamma), agent, shaper)
    loop.begin(seed)
    while loop.steps < world.steps:
        loop.iterate()
    greedy = world.table is not None  # its exploration is no part of what a table has learned
    return evaluate(lambda: envs_of(name, 10), agent, EPISODES, seed=10_000 + seed, greedy=greedy)


def train_sb3(name: str, seed: int, *, tuned: bool) -> Evaluation | None:
    """The same by Stable-Baselines3's PPO; None where its zoo has no settings."""
    from stable_baselines3 import PPO as SB3PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    world = WORLDS[name]
    if world.table is not None or (tuned and world.tuned is None):
        return None

    def shaped(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
        if world.potential is None or tuned:
            return env
        return ShapeReward(env, PotentialShaping(world.potential), gamma=world.gamma)

    settings: dict[str, Any] = dict(world.tuned or {}) if tuned else equal_settings(world)
    count, normalize = settings.pop("envs"), settings.pop("normalize", False)
    envs: Any = make_vec_env(lambda: make(name), count, seed=seed, wrapper_class=shaped)
    envs = VecNormalize(envs, gamma=settings.get("gamma", 0.99)) if normalize else envs
    model = SB3PPO("MlpPolicy", envs, seed=seed, device="cpu", **settings)
    model.learn(world.steps)
    return evaluate(lambda: envs_of(name, 10), Theirs(model, envs if normalize else None), EPISODES, seed=10_000 + seed)


def equal_settings(world: World) -> dict[str, Any]:
    """Ours as Stable-Baselines3 takes them."""
    ours = dict(world.config)
    minibatches = ours.pop("n_minibatches", 16)
    batch = world.num_envs * world.num_steps // minibatches
    return {"envs": world.num_envs, "n_steps": world.num_steps, "batch_size": batch, "gamma": world.gamma, **ours}


class Theirs:
    """A model of Stable-Baselines3 as an agent that only acts."""

    def __init__(self, model: Any, normalizer: Any) -> None:
        self.model, self.normalizer = model, normalizer

    def init(self, num_envs: int) -> Any:
        """It has no memory."""
        del num_envs
        return ()

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Any:
        """Itself; its draws are of torch's global generator."""
        del greedy
        torch.manual_seed(seed)
        return self

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        """Draws actions."""
        obs = obs if self.normalizer is None else self.normalizer.normalize_obs(obs)
        return self.model.predict(obs, deterministic=False)[0], carry


def done() -> list[dict[str, Any]]:
    """The runs so far."""
    return [json.loads(line) for line in FILE.read_text("utf-8").splitlines()] if FILE.exists() else []


def installed(name: str) -> bool:
    """Whether the world can be made here. If not, says what its package wants."""
    try:
        make(name).close()
    except (gym.error.DependencyNotInstalled, ImportError) as error:
        print(f"{name} is left out: {error}", flush=True)
        return False
    return True


def train(name: str, one: str, seed: int) -> Evaluation | None:
    """One run; None where there is none."""
    if one == "ours, vf_coef 1":
        return train_ours(name, seed, default=False, vf_coef=1.0)
    if one.startswith("ours"):
        return train_ours(name, seed, default=one == "ours, default")
    return train_sb3(name, seed, tuned=one == "sb3, tuned")


def run(seeds: int, only: list[str], who: list[str], limit: float) -> None:
    """Trains what is missing, seeds outermost, until ``limit`` CPU seconds are spent."""
    torch.set_num_threads(1)
    begin = time.process_time()
    names = [name for name in only or list(WORLDS) if installed(name)]
    for seed in range(seeds):
        for name, one in ((name, one) for name in names for one in who):
            if any((line["world"], line["who"], line["seed"]) == (name, one, seed) for line in done()):
                continue
            if time.process_time() - begin > limit:
                return
            cpu = time.process_time()
            found = train(name, one, seed)
            if found is None:
                continue
            line = {
                "world": name, "who": one, "seed": seed, "steps": WORLDS[name].steps,
                "return": round(float(np.mean(found.returns)), 4), "cpu_seconds": round(time.process_time() - cpu, 1),
                "returns": [round(value, 3) for value in found.returns],
            }  # fmt: skip
            with FILE.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print({name: value for name, value in line.items() if name != "returns"}, flush=True)


def require_different(lines: list[dict[str, Any]]) -> None:
    """Raises ``ValueError`` if two runs have the same return in each episode, as one run counted twice would have.

    Tables that take the best action may well agree, and so may policies whose episodes are nearly all alike.
    """
    seen: dict[tuple[Any, ...], str] = {}
    for line in lines:
        key, this = (line["world"], *line["returns"]), f"{line['who']}, seed {line['seed']}"
        if WORLDS[line["world"]].table is not None or len(set(line["returns"])) < MANY:
            continue
        if seen.setdefault(key, this) != this:
            raise ValueError(f"{line['world']}: {this} has the episodes of {seen[key]}; remove both and run again")


def optimum(name: str) -> float:
    """The best mean return within the world's limit, by dynamic programming over its table ``P``."""
    env = make(name)
    assert env.spec is not None
    moves: Any = env.unwrapped
    values = np.zeros(len(moves.P))
    for _ in range(env.spec.max_episode_steps or 0):
        values = np.array(
            [
                max(sum(p * (r + (not end) * values[to]) for p, to, r, end in ways) for ways in moves.P[state].values())
                for state in range(len(values))
            ]
        )
    return float(moves.initial_state_distrib @ values)


def table() -> list[str]:
    """Lines of a Markdown table: returns seed by seed."""
    found = [HEAD, "|---|---|---|---|---|---|"]
    lines = done()
    require_different(lines)
    for name, world in WORLDS.items():
        for one in WHO:
            rows = [line for line in lines if (line["world"], line["who"]) == (name, one)]
            if rows:
                returns = [line["return"] for line in sorted(rows, key=lambda line: line["seed"])]
                each, median = ", ".join(f"{value:.4g}" for value in returns), statistics.median(returns)
                seconds = statistics.median(line["cpu_seconds"] for line in rows)
                found.append(f"| {name} | {rows[0]['steps']:,} | {one} | {each} | {median:.4g} | {seconds:.0f} |")
        if world.table is not None:
            found.append(f"| {name} | | the best there is | | {optimum(name):.4g} | |")
    return found


def write(lines: list[str]) -> None:
    """Puts the table where the last one stands in ``README.md``."""
    before, _, rest = README.read_text("utf-8").partition(HEAD)
    _, _, after = rest.partition("\n\n")
    README.write_text(before + "\n".join(lines) + "\n\n" + after, "utf-8")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run")
    running.add_argument("--seeds", type=int, default=5)
    running.add_argument("--only", nargs="+", default=[], choices=WORLDS)
    running.add_argument("--who", nargs="+", default=list(WHO), choices=WHO)
    running.add_argument("--limit", type=float, default=float("inf"), help="CPU seconds, of runs that begin")
    commands.add_parser("table").add_argument("--write", action="store_true", help="into README.md as well")
    options = parser.parse_args()
    if options.command == "run":
        run(options.seeds, options.only, options.who, options.limit)
        return
    lines = table()
    print("\n".join(lines))
    if options.write:
        write(lines)


if __name__ == "__main__":
    main()
