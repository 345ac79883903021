"""PPO with the small network: the same in any loop, saved and restored, and named by a study."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from potentia.agents import GridPPO, GridPPOConfig, evaluate
from potentia.agents.device_ppo import DevicePPO, DevicePPOConfig
from potentia.collect import collect
from potentia.envs.grid import GridVectorEnv
from potentia.study.learners import learner_problems, make_learner
from potentia.study.spec import LearnerSpec

IMAGE, ACTIONS = spaces.Box(0, 255, (7, 7, 3), np.uint8), spaces.Discrete(7)
SMALL: dict[str, Any] = {"minibatches": 2, "epochs": 2, "widths": (32,), "shared": False}


def weights(agent: GridPPO) -> torch.Tensor:
    return torch.cat([part.detach().flatten() for part in agent.network.parameters()])


@pytest.mark.parametrize("encoding", ["codes", "numbers"])
def test_it_learns_from_a_rollout_what_the_loop_on_a_device_learns(encoding: Any) -> None:
    """The loop knows old probabilities and values from acting; `learn` asks the network for them again."""
    envs = GridVectorEnv("LavaGapS5", 6, device="cpu", info_keys=(), max_steps=8)
    loop = DevicePPO(envs, DevicePPOConfig(num_steps=16, encoding=encoding, **SMALL))
    agent = GridPPO(IMAGE, ACTIONS, GridPPOConfig(encoding=encoding, **SMALL))
    assert torch.equal(weights(loop.learner), weights(agent))
    for _ in range(3):
        rollout, old = loop._collect()
        values = loop._values
        agent.generator.set_state(loop.learner.generator.get_state())
        loop.learner.learn_from(rollout, loop._seen[:-1].flatten(0, 1), old.flatten(), values[:-1], values[1:])
        agent.learn(rollout)
        torch.testing.assert_close(weights(loop.learner), weights(agent), rtol=1e-4, atol=1e-5)
    assert agent.steps == loop.steps == 3 * 16 * 6


def play(agent: GridPPO, rollouts: int, seed: int = 0) -> list[dict[str, float]]:
    envs = GridVectorEnv("Empty-5x5", 16, autoreset_mode=AutoresetMode.SAME_STEP, info_keys=())
    state, metrics = None, []
    for _ in range(rollouts):
        rollout, state = collect(envs, agent, 64, discount=0.99, state=state, seed=seed)
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
    spec = LearnerSpec(type="grid_ppo", config={"rollout_steps": 64, "widths": [32, 32], "encoding": "numbers"})
    assert learner_problems(spec, "learners[0]") == []
    learner = make_learner(spec, {"learning_rate": 0.5}, IMAGE, ACTIONS, streams={}, seed=0)
    assert isinstance(learner, GridPPO)
    assert learner.config == GridPPOConfig(widths=(32, 32), encoding="numbers", learning_rate=0.5)
    wrong = LearnerSpec(type="grid_ppo", config={"recurrent": 8})
    assert "recurrent" in learner_problems(wrong, "learners[0]")[0]
    with pytest.raises(ValueError, match=r"sees MiniGrid's image \(7, 7, 3\)"):
        make_learner(spec, {}, spaces.Discrete(3), ACTIONS, streams={}, seed=0)
