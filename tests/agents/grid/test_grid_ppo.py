"""PPO with the small network: the same in any loop, saved and restored, and named by a study."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from potentia.agents import GridPPO, GridPPOConfig, evaluate
from potentia.agents.grid import device_loop
from potentia.collect import collect
from potentia.envs.grid import GridVectorEnv
from potentia.shaping import Stream
from potentia.study.learners import learner_problems, make_learner
from potentia.study.spec import LearnerSpec

IMAGE, ACTIONS = spaces.Box(0, 255, (7, 7, 3), np.uint8), spaces.Discrete(7)
SMALL: dict[str, Any] = {"n_minibatches": 2, "n_epochs": 2, "widths": (32,), "shared": False}


def weights(agent: GridPPO) -> torch.Tensor:
    return torch.cat([part.detach().flatten() for part in agent.network.parameters()])


@pytest.mark.parametrize("encoding", ["codes", "numbers"])
def test_it_learns_from_a_rollout_what_the_loop_on_a_device_learns(encoding: Any) -> None:
    """The loop knows old probabilities and values from acting; `learn` asks the network for them again."""
    envs = GridVectorEnv("LavaGapS5", 6, device="cpu", info_keys=(), max_steps=8)
    loop = device_loop(envs, GridPPOConfig(encoding=encoding, **SMALL), num_steps=16, gamma=0.99)
    agent = GridPPO(IMAGE, ACTIONS, GridPPOConfig(encoding=encoding, **SMALL))
    assert torch.equal(weights(loop.agent), weights(agent))
    for _ in range(3):
        rollout = loop.collector.collect(loop.agent)
        agent.generator.set_state(loop.agent.generator.get_state())
        loop.agent.learn(rollout)
        agent.learn(replace(rollout, info={}))
        torch.testing.assert_close(weights(loop.agent), weights(agent), rtol=1e-4, atol=1e-5)
    assert agent.steps == loop.agent.steps == 3 * 16 * 6


def play(agent: GridPPO, rollouts: int, seed: int = 0) -> list[dict[str, float]]:
    envs = GridVectorEnv("Empty-5x5", 16, autoreset_mode=AutoresetMode.SAME_STEP, info_keys=())
    state, metrics = None, []
    for _ in range(rollouts):
        rollout, state = collect(envs, agent, 64, gamma=0.99, state=state, seed=seed)
        metrics.append({name: float(value) for name, value in agent.learn(rollout).items()})
    return metrics


def test_it_solves_empty_in_the_library_s_own_loop() -> None:
    agent = GridPPO(IMAGE, ACTIONS, GridPPOConfig(learning_rate=2e-3, shared=False), seed=1)
    metrics = play(agent, 25)
    assert metrics[-1]["entropy"] < metrics[0]["entropy"]
    found = evaluate(lambda: GridVectorEnv("Empty-5x5", 8, info_keys=()), agent, 32, seed=5)
    assert np.mean(found.returns) > 0.9
    greedy = evaluate(lambda: GridVectorEnv("Empty-5x5", 8, info_keys=()), agent, 8, seed=5, greedy=True)
    assert greedy.lengths == [5] * 8  # two steps, a turn, two steps


def test_what_is_saved_goes_on_the_same() -> None:
    agent = GridPPO(IMAGE, ACTIONS, GridPPOConfig(**SMALL), seed=3)
    play(agent, 2)
    buffer = io.BytesIO()
    torch.save(agent.state_dict(), buffer)
    again = GridPPO(IMAGE, ACTIONS, GridPPOConfig(**SMALL), seed=4)
    again.load_state_dict(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    assert play(agent, 2, seed=7) == play(again, 2, seed=7)
    assert torch.equal(weights(agent), weights(again))


def test_its_policy_gives_probabilities_to_shapers() -> None:
    agent = GridPPO(IMAGE, ACTIONS, seed=0)
    images = torch.randint(0, 3, (5, 7, 7, 3), dtype=torch.uint8)
    total = sum(agent.policy.log_prob(images, torch.full((5,), action)).exp() for action in range(7))
    torch.testing.assert_close(total, torch.ones(5))


def test_a_study_names_it() -> None:
    config = {"rollout_steps": 64, "widths": [32, 32], "encoding": "numbers", "shared": False}
    spec = LearnerSpec(type="grid_ppo", config=config)
    assert learner_problems(spec, "learners[0]") == []
    learner = make_learner(spec, {"learning_rate": 0.5}, IMAGE, ACTIONS, streams={}, device="cpu", seed=0)
    assert isinstance(learner, GridPPO)
    assert learner.config == GridPPOConfig(widths=(32, 32), encoding="numbers", learning_rate=0.5, shared=False)
    wrong = LearnerSpec(type="grid_ppo", config={"recurrent": 8})
    assert "recurrent" in learner_problems(wrong, "learners[0]")[0]
    old = LearnerSpec(type="grid_ppo", config={"entropy_weight": 0.1})
    assert learner_problems(old, "learners[0]") == ["learners[0].config.entropy_weight: write ent_coef"]
    valued = make_learner(spec, {}, IMAGE, ACTIONS, streams={"rnd": Stream()}, device="cpu", seed=0)
    assert valued.network.towers[1][-1].out_features == 2
    added = make_learner(spec, {"streams": False}, IMAGE, ACTIONS, streams={"rnd": Stream()}, device="cpu", seed=0)
    assert added.network.towers[1][-1].out_features == 1
    with pytest.raises(ValueError, match=r"sees MiniGrid's image \(7, 7, 3\)"):
        make_learner(spec, {}, spaces.Discrete(3), ACTIONS, streams={}, device="cpu", seed=0)


@pytest.mark.parametrize("shared", [False, True])
def test_a_stream_is_valued_apart(shared: bool) -> None:
    """With weight 0 a bonus of 100 leaves the policy alone, while its own head learns that it is worth a lot."""
    streams = {"bonus": Stream(gamma=0.5, episodic=False, weight=0.0)}
    settings: dict[str, Any] = {**SMALL, "learning_rate": 1e-2, "max_grad_norm": 1e9, "shared": shared}
    agents = [GridPPO(IMAGE, ACTIONS, GridPPOConfig(**settings), streams=streams, seed=1) for _ in range(2)]
    envs = GridVectorEnv("Empty-5x5", 8, info_keys=())
    rollout, _ = collect(envs, agents[0], 16, gamma=0.99, seed=0)
    agents[1].generator.set_state(agents[0].generator.get_state())
    none, much = (
        agent.learn(rollout.add("bonus", np.full((16, 8), bonus)))
        for agent, bonus in zip(agents, (0.0, 100.0), strict=True)
    )
    assert much["value_loss"] > 1000 * none["value_loss"]
    with pytest.raises(ValueError, match=r"the streams \['bonus'\] have no term"):
        agents[0].learn(rollout)
    if not shared:
        policy = [torch.cat([p.detach().flatten() for p in agent.network.towers[0].parameters()]) for agent in agents]
        assert torch.equal(*policy)
        seen = agents[1].network.read(torch.as_tensor(rollout.obs[0]))
        values = agents[1].network.evaluate(seen, torch.zeros(8))[2]
        assert values[:, 1].mean() > values[:, 0].mean() + 1


def test_a_rollout_of_nothing_but_resets_teaches_nothing() -> None:
    agent = GridPPO(IMAGE, ACTIONS, seed=1)
    rollout, _ = collect(GridVectorEnv("Empty-5x5", 2, info_keys=()), agent, 4, gamma=0.9, seed=0)
    agent.learn(rollout)  # so that the optimizer has momentum
    before = weights(agent)
    assert agent.learn(replace(rollout, mask=np.zeros_like(rollout.mask))) == {}
    assert torch.equal(weights(agent), before)
