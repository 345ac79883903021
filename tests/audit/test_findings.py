"""Planted faults, each found by its name and with its advice, and clean stacks of which nothing is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv
from gymnasium.wrappers import vector
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnvWrapper, VecMonitor, VecNormalize

from potentia.audit import Finding, audit
from potentia.rollout import Rollout
from potentia.shaping import RND, Chain, ClipReward, Contract, Count, EpisodicCount, PotentialShaping, Scale, Shaper
from potentia.shaping.credit.redistribution import Redistribution
from potentia.shaping.fit import Home
from potentia.shaping.shaper import Stream
from potentia.study.executor import Executor
from potentia.study.runner import run_study
from potentia.study.spec import parse_study
from potentia.wrappers import ShapeReward, ShapeVectorReward

TABLE = np.arange(16.0)
GAMMA = 0.9


def lake() -> gym.Env[Any, Any]:
    return gym.make("FrozenLake-v1", is_slippery=False)


def shaped(gamma: float = GAMMA, **settings: Any) -> ShapeReward:
    return ShapeReward(lake(), PotentialShaping(TABLE), gamma=gamma, **settings)


def model(kind: Any, env: Any, **settings: Any) -> Any:
    return kind("MlpPolicy", env, gamma=GAMMA, device="cpu", **settings)


def normalised(make: Callable[[], gym.Env[Any, Any]]) -> VecNormalize:
    return VecNormalize(DummyVecEnv([make]), norm_obs=False, gamma=GAMMA)


class Bonus(gym.Wrapper[Any, Any, Any, Any]):
    """Pays a little more, in a step of its own."""

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward + 0.1, terminated, truncated, info


class Approach(gym.Wrapper[Any, Any, Any, Any]):
    """A potential by hand, with two mistakes: no gamma, and the end has a potential."""

    def potential(self, obs: Any) -> float:
        return float(obs)

    def reset(self, **kwargs: Any) -> Any:
        self.last, info = self.env.reset(**kwargs)
        return self.last, info

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        reward = float(reward) + self.potential(obs) - self.potential(self.last)
        self.last = obs
        return obs, reward, terminated, truncated, info


class Careful(Approach):
    """The same without them."""

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        ahead = 0.0 if terminated else self.potential(obs)
        reward = float(reward) + GAMMA * ahead - self.potential(self.last)
        self.last = obs
        return obs, reward, terminated, truncated, info


class Outside(VecEnvWrapper):
    """A bonus for a whole vector."""

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        obs, reward, done, info = self.venv.step_wait()
        return obs, reward + 1, done, info


class Novelty(Shaper):
    """A bonus within an episode, in whatever stream it is given."""

    contract = Contract(reads=frozenset({"next_obs"}), scope="episode")

    def __init__(self, episodic: bool) -> None:
        super().__init__()
        self.episodic = episodic

    @property
    def streams(self) -> dict[str, Stream]:
        return {self.name: Stream(episodic=self.episodic)}

    def shape(self, rollout: Rollout, carry: Any = ()) -> tuple[Rollout, Any]:
        return rollout.add(self.name, 0 * rollout.discount), carry


class Mortal(RND):
    """A lifelong bonus whose stream ends with the episode."""

    @property
    def streams(self) -> dict[str, Stream]:
        return {self.name: Stream(episodic=True)}


PPO_SCRIPT = """
import gymnasium as gym
import numpy as np
import torch
from dataclasses import dataclass
{imports}

@dataclass
class Args:
    gamma: float = {gamma}
    gae_lambda: float = 0.95

def make_env(env_id, gamma):
    def thunk():
        env = gym.make(env_id)
{wrappers}
        return env
    return thunk

args = Args()
envs = gym.vector.SyncVectorEnv([make_env("CartPole-v1", args.gamma) for _ in range(4)])
next_obs, _ = envs.reset()
for step in range(128):
    dones[step] = next_done
    next_obs, reward, terminations, truncations, infos = envs.step(action)
    rewards[step] = torch.tensor(reward)
{done}
for t in reversed(range(128)):
    nextnonterminal = 1.0 - {flag}
    delta = rewards[t] + args.gamma * nextvalues * nextnonterminal - values[t]
    advantages[t] = lastgaelam = delta + args.gamma * args.gae_lambda * nextnonterminal * lastgaelam
{after}
"""
CLEANRL = "env = gym.wrappers.RecordEpisodeStatistics(env)\nenv = gym.wrappers.NormalizeReward(env, gamma=gamma)\n"
CLEANRL += "env = gym.wrappers.TransformReward(env, lambda reward: np.clip(reward, -10, 10))"
KEPT = """    next_done = terminations
    values_next = np.where(truncations, value_of(infos.get("final_obs")), 0)"""
MERGED = "    next_done = np.logical_or(terminations, truncations)"
OURS = "from potentia.shaping import PotentialShaping\nfrom potentia.wrappers import ShapeReward"

DQN_SCRIPT = """
import gymnasium as gym
from stable_baselines3.common.buffers import ReplayBuffer

def make_env(env_id):
    def thunk():
        env = gym.make(env_id)
        env = gym.wrappers.RecordEpisodeStatistics(env)
        return env
    return thunk

gamma = 0.99
envs = gym.vector.SyncVectorEnv([make_env("CartPole-v1")], autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
rb = ReplayBuffer(10000, envs.single_observation_space, envs.single_action_space)
obs, _ = envs.reset()
for step in range(10000):
    next_obs, rewards, terminations, truncations, infos = envs.step(actions)
    real_next_obs = next_obs.copy()
{fix}
    rb.add(obs, real_next_obs, actions, rewards, terminations, infos)
    obs = next_obs
    data = rb.sample(128)
    target = data.rewards.flatten() + gamma * target_max * (1 - data.dones.flatten())
"""
SB3_SCRIPT = """
import gymnasium as gym
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

class Living(gym.RewardWrapper):
    def reward(self, reward):
        return reward - 0.01

env = Living(Monitor(gym.make("CartPole-v1")))
model = PPO("MlpPolicy", env, gamma=0.98)
model.learn(10000)
print(evaluate_policy(model, {evaluation}))
"""


def ppo_script(
    wraps: str = CLEANRL,
    done: str = KEPT,
    after: str = "",
    gamma: float = 0.99,
    imports: str = "",
    flag: str = "next_done",
) -> str:
    indented = "\n".join(" " * 8 + line for line in wraps.splitlines())
    return PPO_SCRIPT.format(wrappers=indented, done=done, after=after, gamma=gamma, imports=imports, flag=flag)


ZOO = """
default: &default
  n_timesteps: !!float 1e6
  policy: MlpPolicy
  gamma: 0.98
MountainCar-v0:
  <<: *default
  n_envs: 16
  normalize: {normalize}
  env_wrapper:
{wrappers}
"""


def zoo(*names: str, normalize: str = "true", more: str = "") -> str:
    return ZOO.format(normalize=normalize, wrappers="\n".join(f"    - {name}" for name in names)) + more


def study(**changes: Any) -> Any:
    return parse_study(
        {
            "name": "a_study",
            "environments": [{"id": "potentia/Chain-v0", "kwargs": {"length": 6}, "num_envs": 2}],
            "shapings": [{"name": "none"}],
            "learners": [{"type": "q_learning"}],
            "gamma": 0.95,
            "steps": 160,
        }
        | changes
    )


FAULTS: dict[str, tuple[Callable[[], Any], dict[str, Any], str, str]] = {
    # name: what makes the target, what else is told, the finding, a part of its advice
    "another gamma": (lambda: shaped(1.0), {"gamma": GAMMA}, "gamma", "use one number"),
    "clipped after a potential": (lambda: wrappers.ClipReward(shaped(), -1, 1), {}, "rescaled", "put it inside"),
    "clipped after a chain with a potential": (
        lambda: wrappers.ClipReward(
            ShapeReward(lake(), Chain(PotentialShaping(TABLE), Count()), gamma=GAMMA), -1, 1
        ), {}, "rescaled", "put it inside",
    ),
    "normalised after a vector's potential": (
        lambda: vector.NormalizeReward(
            ShapeVectorReward(SyncVectorEnv([lake]), PotentialShaping(TABLE), gamma=GAMMA), gamma=GAMMA
        ), {}, "rescaled", "put it inside",
    ),
    "another rule at a cut": (shaped, {"truncation": "terminal"}, "truncation", "wrap with truncation='terminal'"),
    "an own bonus outside of ours": (lambda: Bonus(shaped()), {}, "rescaled", "put it inside"),
    "an own bonus inside of ours": (
        lambda: ShapeReward(Bonus(lake()), PotentialShaping(TABLE), gamma=GAMMA), {}, "changed", "true_reward",
    ),
    "a potential under a schedule": (
        lambda: Scale(PotentialShaping(TABLE), lambda step: 0.9**step), {}, "schedule", "weight it by a number",
    ),
    "an episodic bonus in a stream that goes on": (lambda: Novelty(False), {}, "stream", "episodic=True"),
    "a lifelong bonus in a stream that ends": (
        lambda: Mortal(gym.spaces.Discrete(4)), {}, "stream", "episodic=False",
    ),
    "whole episodes, online": (
        lambda: Redistribution(form="uniform"), {"home": Home("an environment")}, "episodes", "collect_episodes",
    ),
    "Gymnasium: statistics outside": (
        lambda: wrappers.RecordEpisodeStatistics(wrappers.NormalizeReward(lake(), gamma=GAMMA)),
        {"gamma": GAMMA}, "monitor", "put it inside",
    ),
    "Gymnasium: another gamma": (
        lambda: wrappers.NormalizeReward(wrappers.RecordEpisodeStatistics(lake())), {"gamma": GAMMA}, "gamma", "0.9",
    ),
    "Gymnasium: a changed reward that is evaluated": (
        lake, {"evaluation": wrappers.NormalizeReward(lake())}, "evaluation", "leave it out there",
    ),
    "Gymnasium: a potential by hand without gamma": (
        lambda: Approach(lake()), {"gamma": GAMMA}, "gamma", "multiply the later one",
    ),
    "Gymnasium: a potential by hand at an end": (lambda: Approach(lake()), {}, "terminal", "count it as 0"),
    "Gymnasium: in another process": (
        lambda: AsyncVectorEnv([lambda: wrappers.ClipReward(shaped(), -1, 1)]), {}, "rescaled", "put it inside",
    ),
    "Gymnasium: a specification": (
        lambda: wrappers.ClipReward(shaped(), -1, 1).spec, {}, "rescaled", "put it inside",
    ),
    "SB3: VecNormalize around a potential": (
        lambda: model(PPO, normalised(shaped)), {}, "rescaled", "put it inside",
    ),
    "SB3: a bonus outside of VecNormalize": (
        lambda: model(DQN, Outside(VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")]), gamma=GAMMA))),
        {}, "dropped", "put it inside",
    ),
    "SB3: VecMonitor outside of VecNormalize": (
        lambda: VecMonitor(VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")]))), {}, "monitor", "inside",
    ),
    "SB3: a replay that takes cuts for ends": (
        lambda: model(DQN, DummyVecEnv([lake]), replay_buffer_kwargs={"handle_timeout_termination": False}),
        {}, "truncation", "leave it True",
    ),
    "SB3: normalised twice": (
        lambda: model(
            PPO, normalised(lambda: wrappers.NormalizeReward(Monitor(lake()), gamma=GAMMA)),
        ), {}, "doubled", "leave one out",
    ),
    "script: cuts taken for ends": (lambda: ppo_script(done=MERGED), {}, "truncation", "final_obs"),
    "script: cuts taken for ends under a potential": (
        lambda: ppo_script(
            "env = ShapeReward(env, PotentialShaping(phi), gamma=gamma)", MERGED, imports=OURS
        ), {}, "truncation", "wrap with truncation='terminal'",
    ),
    "script: another gamma": (
        lambda: ppo_script("env = gym.wrappers.RecordEpisodeStatistics(env)\nenv = gym.wrappers.NormalizeReward(env)",
                           gamma=0.95), {}, "gamma", "give it gamma=0.95",
    ),
    "script: statistics outside": (
        lambda: ppo_script(CLEANRL + "\nenv = gym.wrappers.RecordEpisodeStatistics(env)"), {}, "monitor", "inside",
    ),
    "script: a bonus for advantages": (
        lambda: ppo_script(after="advantages += 0.1 * intrinsic_rewards"), {}, "late", "add it to the rewards",
    ),
    "script: no last observation": (lambda: DQN_SCRIPT.format(fix=""), {}, "final_obs", "store info['final_obs']"),
    "script: an old key": (
        lambda: DQN_SCRIPT.format(fix='    real_next_obs[truncations] = infos["final_observation"][truncations]'),
        {}, "final_obs", "read 'final_obs'",
    ),
    "script: evaluated on a changed reward": (
        lambda: SB3_SCRIPT.format(evaluation='Monitor(Living(gym.make("CartPole-v1")))'), {}, "evaluation", "leave it",
    ),
    "zoo: VecNormalize around a potential": (
        lambda: zoo("my_wrappers.PotentialShapingWrapper"), {}, "rescaled", "put it inside",
    ),
    "zoo: another gamma": (
        lambda: zoo("my_wrappers.PotentialShapingWrapper: {gamma: 1.0}", normalize="false"), {}, "gamma", "one number",
    ),
    "zoo: an action repeat around a potential": (
        lambda: zoo("my_wrappers.PotentialShapingWrapper",
                    "stable_baselines3.common.atari_wrappers.MaxAndSkipEnv", normalize="false"),
        {}, "repeated", "put it inside",
    ),
    "zoo: normalised twice": (
        lambda: zoo("gymnasium.wrappers.NormalizeReward: {gamma: 0.98}"), {}, "doubled", "leave one out",
    ),
    "zoo: hindsight": (
        lambda: zoo("my_wrappers.ShapingWrapper", normalize="false", more="  replay_buffer_class: HerReplayBuffer\n"),
        {}, "relabelled", "without hindsight",
    ),
    "study: a potential under a schedule": (
        lambda: study(
            shapings=[{"name": "none"}, {"name": "fading", "shapers": [
                {"type": "PotentialShaping", "potential": "potential", "weight": {"type": "linear", "start": 1.0,
                 "end": 0.0, "steps": 100}}]}]
        ), {}, "schedule", "weight it by a number",
    ),
}  # fmt: skip


def findings(target: Any, told: dict[str, Any], folder: Path) -> list[Finding]:
    if isinstance(target, str):
        path = folder / ("script.py" if "import" in target else "ppo.yml")
        path.write_text(target, "utf-8")
        return audit(path, **told)
    return audit(target, **told)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.filterwarnings("ignore:The environment is already wrapped with a `Monitor`:UserWarning")
def test_a_planted_fault_is_found_by_its_name_and_with_its_advice(fault: str, tmp_path: Path) -> None:
    make, told, name, advice = FAULTS[fault]
    target = make()
    found = findings(target, told, tmp_path)
    if hasattr(target, "close"):
        target.close()
    assert name in [finding.name for finding in found], found
    assert any(advice in finding.advice for finding in found if finding.name == name), found
    if isinstance(target, str):
        first = next(finding for finding in found if finding.name == name)
        assert first.place.partition(" ")[0].rpartition(":")[2].isdigit(), first


CLEAN: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "ours": (lambda: wrappers.TimeLimit(shaped(), 9), {"gamma": GAMMA, "truncation": "bootstrap"}),
    "ours, statistics inside, clipped before": (
        lambda: ShapeReward(
            wrappers.RecordEpisodeStatistics(lake()), Chain(ClipReward(), PotentialShaping(TABLE)), gamma=GAMMA
        ), {"gamma": GAMMA, "evaluation": lake()},
    ),
    "ours, a vector": (
        lambda: ShapeVectorReward(SyncVectorEnv([lake] * 2), Chain(EpisodicCount(), Count()), gamma=GAMMA), {},
    ),
    "a shaper": (lambda: Chain(RND(gym.spaces.Discrete(4)), Scale(PotentialShaping(TABLE), 2.0)), {}),
    "a stream of its own kind": (lambda: Novelty(True), {}),
    "Gymnasium": (
        lambda: wrappers.NormalizeReward(wrappers.RecordEpisodeStatistics(lake()), gamma=GAMMA), {"gamma": GAMMA},
    ),
    "Gymnasium, a potential by hand": (lambda: Careful(lake()), {"gamma": GAMMA}),
    "SB3": (lambda: model(PPO, normalised(lambda: Monitor(lake()))), {}),
    "SB3, shaped": (
        lambda: model(
            DQN, DummyVecEnv([lambda: ShapeReward(Monitor(lake()), PotentialShaping(TABLE), gamma=GAMMA)])
        ), {},
    ),
    "script: PPO": (ppo_script, {}),
    "script: DQN": (
        lambda: DQN_SCRIPT.format(fix='    real_next_obs[truncations] = infos["final_obs"][truncations]'), {},
    ),
    "script: SB3": (lambda: SB3_SCRIPT.format(evaluation='Monitor(gym.make("CartPole-v1"))'), {}),
    "zoo": (lambda: zoo("sb3_contrib.common.wrappers.TimeFeatureWrapper"), {}),
    "zoo, a potential": (
        lambda: zoo("my_wrappers.PotentialShapingWrapper: {gamma: 0.98}", normalize='"{\'norm_reward\': False}"'), {},
    ),
    "study": (lambda: study(shapings=[{"name": "none"}, {"name": "count", "shapers": [{"type": "Count"}]}]), {}),
}  # fmt: skip


@pytest.mark.parametrize("stack", CLEAN)
def test_nothing_is_said_of_a_clean_stack(stack: str, tmp_path: Path) -> None:
    make, told = CLEAN[stack]
    target = make()
    assert findings(target, told, tmp_path) == []
    if hasattr(target, "close"):
        target.close()


def test_the_bound_of_a_wrong_gamma_is_said() -> None:
    [finding] = audit(shaped(1.0), gamma=GAMMA)
    assert finding.problem.endswith("worth up to 15, at a greatest potential of 15")  # (1 - 0.9) * 15 / (1 - 0.9)
    unknown = ShapeReward(lake(), PotentialShaping(lambda obs: 0.0 * obs), gamma=0.95)
    [finding] = audit(unknown, gamma=0.99)
    assert finding.problem.endswith("worth up to 4 times the greatest potential")  # 0.04 / 0.01


def test_a_chain_refuses_what_is_out_of_order_also_in_chains_inside() -> None:
    """The inner chain as a whole is unconstrained, and yet a clip would spoil the potential in it."""
    with pytest.raises(ValueError, match="would destroy the guarantee of PotentialShaping"):
        Chain(Chain(PotentialShaping(TABLE), Count(), name="inner"), ClipReward())


def test_a_study_that_is_refused_says_so_in_findings() -> None:
    shapings = [{"name": "none"}, {"name": "lost", "shapers": [{"type": "PotentialShaping", "potential": "nowhere"}]}]
    [finding] = audit(study(shapings=shapings))
    assert (finding.name, finding.severe) == ("columns", True)
    assert finding.place.startswith("shapings[1].shapers[0]")
    [finding] = audit(study(environments=[{"id": "Nowhere-v0"}]))
    assert finding.name == "refused"


def test_what_cannot_be_audited_is_said() -> None:
    with pytest.raises(TypeError, match="audit takes a shaper, an environment or its spec"):
        audit(3)
    with pytest.raises(ValueError, match="no_such_study"):
        audit("no_such_study")
    with pytest.raises(OSError, match=r"nowhere\.py"):
        audit("nowhere.py")


def test_what_a_replay_stores_apart_is_not_taken_for_merged(tmp_path: Path) -> None:
    """``done`` only says when to reset: what stops the next value is what was stored, the termination."""
    script = tmp_path / "dqn.py"
    script.write_text(
        "import gymnasium as gym\n"
        "env = gym.make('CartPole-v1')\n"
        "obs, _ = env.reset()\n"
        "for step in range(1000):\n"
        "    next_obs, reward, terminated, truncated, info = env.step(act(obs))\n"
        "    done = terminated or truncated\n"
        "    replay.add(obs, next_obs, action, reward, terminated)\n"
        "    obs = env.reset()[0] if done else next_obs\n"
        "    batch = replay.sample(32)\n"
        "    target = batch.rewards + 0.99 * values * (1 - batch.dones)\n",
        "utf-8",
    )
    assert audit(script) == []


def test_a_study_is_run_after_its_findings_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Executor, "run", lambda self: None)
    make, _, name, _ = FAULTS["study: a potential under a schedule"]
    told: list[Finding] = []
    run_study(make(), "a_study", tmp_path, warn=told.append)
    assert [finding.name for finding in told] == [name]
    assert told[0].place == "shapings[1].shapers[0] (potentia/Chain-v0, shaping fading)"
