"""PPO for element tables: what it reads, that order does not matter, and words that it has never met."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia.agents import PPO, ElementPPO, ElementPPOConfig, PPOConfig, evaluate
from potentia.agents.elements.element_table import read_table
from potentia.collect import collect
from potentia.shaping import Stream
from potentia.study.learners import learner_problems, make_learner
from potentia.study.spec import LearnerSpec
from tests.agents.elements.element_world import BUTTON, TEXT, TEXTBOX, table_space, vocabulary, worlds

SEEN, HELD_OUT = vocabulary(200, 0), vocabulary(200, 1)
SPACES = table_space(10, 2)
SMALL: dict[str, Any] = {"widths": (32,), "n_epochs": 2, "word_width": 8}


def train(agent: PPO | ElementPPO, rollouts: int, seed: int = 0, **sizes: int) -> list[dict[str, float]]:
    envs, state, metrics = worlds(SEEN, **sizes), None, []
    for _ in range(rollouts):
        rollout, state = collect(envs, agent, 64, gamma=0.99, state=state, seed=seed if state is None else None)
        metrics.append(agent.learn(rollout))
    return metrics


def success(agent: PPO | ElementPPO, words: list[str], **sizes: int) -> float:
    found = evaluate(lambda: worlds(words, **sizes), agent, 200, seed=5, greedy=True)
    return float(found.metrics["success_rate"])


def test_it_solves_forms_with_words_that_it_never_met() -> None:
    """After 24576 steps, 12 s of one core. A random agent has 6 %, and PPO that must learn to spell has no more."""
    assert not set(SEEN) & set(HELD_OUT)
    sizes = {"elements": 8, "length": 8, "goal": 72}
    observations, actions = table_space(8, 2, 8, 72)
    agent = ElementPPO(observations, actions, ElementPPOConfig(learning_rate=2e-3), seed=0)
    train(agent, 24, **sizes)
    assert agent.steps == 24 * 64 * 16
    assert success(agent, HELD_OUT, **sizes) >= 0.95
    plain = PPO(observations, actions, PPOConfig(learning_rate=1e-3, n_epochs=2), seed=0)
    train(plain, 24, **sizes)
    assert success(plain, HELD_OUT, **sizes) < 0.3


def some_table(seed: int, count: int = 6) -> dict[str, np.ndarray]:
    """Tables met in play, with boxes at random and every row's answer possible."""
    agent = ElementPPO(*SPACES, seed=seed)
    rollout, _ = collect(worlds(SEEN, count), agent, 4, gamma=0.99, seed=seed)
    obs = {key: np.array(part[-1]) for key, part in rollout.obs.items()}
    rng = np.random.default_rng(seed)
    live = (obs["role"] != 0)[..., None]
    obs["box"] = (rng.integers(1, 300, obs["box"].shape) * live).astype(np.int16)
    obs["action_mask"][:, 31:41] = live[..., 0]
    return obs


@torch.no_grad()
def log_probs(agent: ElementPPO, obs: dict[str, np.ndarray]) -> np.ndarray:
    """``(N, A)``."""
    seen = agent.network.read(tensors(obs))
    features, _ = agent.network.features(seen)
    return agent.network.distribution(features, agent.network.mask(seen)).log_softmax(-1).numpy()


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    agent = ElementPPO(*SPACES, ElementPPOConfig(learning_rate=1e-2), seed=seed)
    train(agent, 2)
    obs, rng = some_table(seed), np.random.default_rng(seed)
    order = rng.permutation(10)
    moved = {key: part[:, order] if key in ("role", "flags", "box") else part for key, part in obs.items()}
    moved |= {key: obs[key][:, order] for key in ("name_bytes", "value_bytes")}
    typing = 11 + (order[:, None] * 2 + np.arange(2)).ravel()
    place = np.concatenate([[0], 1 + order, typing, 31 + order, np.arange(41, 45)])
    moved["action_mask"] = obs["action_mask"][:, place]
    want = log_probs(agent, obs)
    np.testing.assert_allclose(log_probs(agent, moved), want[:, place], rtol=1e-4, atol=1e-5)
    assert want[obs["action_mask"] == 1].std() > 0.01  # it does prefer some actions
    assert (np.exp(want[obs["action_mask"] == 0]) == 0).all()
    with torch.no_grad():
        values = [
            agent.network.evaluate(agent.network.read(tensors(part)), torch.zeros(len(part["role"])))[2]
            for part in (obs, moved)
        ]
    torch.testing.assert_close(values[0], values[1], rtol=1e-4, atol=1e-5)


def tensors(obs: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {key: torch.from_numpy(part) for key, part in obs.items()}


def test_what_is_said_of_a_page_does_not_depend_on_those_beside_it() -> None:
    """Batches leave out what is empty in all of their pages: acting on one and learning from many must agree."""
    agent = ElementPPO(*SPACES, seed=1)
    obs = some_table(2)
    alone = [log_probs(agent, {key: part[i : i + 1] for key, part in obs.items()}) for i in range(6)]
    np.testing.assert_allclose(np.concatenate(alone), log_probs(agent, obs), rtol=1e-5, atol=1e-6)


def page() -> dict[str, np.ndarray]:
    """Two boxes, a button on the line of a text, and a goal that fills one box and presses the button."""
    space, _ = table_space(6, 3, 16, 96)
    obs = {key: np.zeros((1, *(box.shape or ())), box.dtype) for key, box in space.spaces.items()}

    def write(key: str, text: str, row: int | None = None) -> None:
        target = obs[key][0] if row is None else obs[key][0, row]
        target[: len(text)] = np.frombuffer(text.encode(), np.uint8)

    write("goal_bytes", 'Fill Due date with "12 May" and delete Bob')
    for row, (role, name) in enumerate([(TEXTBOX, "Due date:"), (TEXTBOX, "Name"), (TEXT, "Bob"), (BUTTON, "Delete")]):
        obs["role"][0, row] = role
        write("name_bytes", name, row)
    obs["box"][0, 2:4] = [[0, 100, 200, 20], [400, 105, 50, 12]]
    write("value_bytes", "12 may", 1)
    write("field_bytes", "12 May", 0)
    write("field_bytes", "Bob", 1)
    obs["action_mask"][0, 7:13] = 1  # the first two rows can be typed into
    return obs


def test_what_it_reads_by_hand() -> None:
    seen = read_table(tensors(page()), 64)
    assert {key: tuple(part.shape) for key, part in seen.items()} == {
        "role": (1, 4), "facts": (1, 4, 20), "names": (1, 4, 8), "pairs": (1, 2, 3, 7), "fields": (1, 3, 4),
        "beside": (1, 3, 2), "goal": (1, 64), "page": (1, 3), "slots": (1, 2), "action_mask": (1, 35),
    }  # fmt: skip
    # Words of the goal: fill 0, due 1, date 2, with 3, 12 4, may 5, and 6, delete 7, bob 8.
    date, name, bob, delete = seen["facts"][0, :, 6:]
    torch.testing.assert_close(date[5:10], torch.tensor([1, 2 / 64, 2 / 8, 1, 2 / 9]))
    assert date[10:].tolist() == [0, 0, 0, 0]
    assert name[5:].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 0]  # its value is a field
    laid = [100 / 450, 110 / 120, 200 / 450, 20 / 120, 1]  # the rows reach 450 pixels to the right and 120 down
    torch.testing.assert_close(bob, torch.tensor([*laid, 1, 9 / 64, 1 / 8, 1, 1 / 9, 1, 0, 0, 1]))
    assert delete[-1] == 1  # "Bob" is on its line, and all of it is in the goal
    pairs = seen["pairs"][0]
    # "Due date" and "date" end one word before the first field; the second begins five words behind "date".
    assert pairs[0].tolist() == [[0, 0, 0.5, 0, 0.5, 0, 0], [0, 0, *[pytest.approx(1 / 6), 0] * 2, 0], [0] * 7]
    assert pairs[1].tolist() == [[1, 0, 0, 0, 0, 0, 0], [0] * 7, [0] * 7]
    torch.testing.assert_close(seen["fields"][0], torch.tensor([[1, 1, 5 / 64, 1], [1, 1, 9 / 64, 0], [0, 0, 0, 0]]))
    words = seen["goal"][0].tolist()
    assert seen["beside"][0].tolist() == [[words[3], words[6]], [words[7], 0], [0, 0]]
    torch.testing.assert_close(seen["page"][0], torch.tensor([2 / 3, 1 / 2, 4 / 6]))
    assert seen["slots"].tolist() == [[0, 1]]


def test_forms_are_filled_in_order_where_there_is_a_layout() -> None:
    obs = page()
    obs["box"][0, :2] = [[0, 60, 200, 20], [0, 30, 200, 20]]  # the second row stands above the first
    order = read_table(tensors(obs), 64)["pairs"][0, :, :, -1]
    assert order.tolist() == [[0, 1, 0], [1, 0, 0]]  # "12 May", "Bob" and no third text
    obs["box"][0, 1] = [220, 60, 200, 20]  # beside it
    assert read_table(tensors(obs), 64)["pairs"][0, :, :, -1].tolist() == [[1, 0, 0], [0, 1, 0]]


def test_an_empty_page_is_read() -> None:
    obs = {key: np.zeros_like(part) for key, part in some_table(0).items()}
    shares = np.exp(log_probs(ElementPPO(*SPACES, seed=0), obs))
    np.testing.assert_allclose(shares.sum(1), 1.0, rtol=1e-5)  # no mask: all are possible
    assert (shares > 0).all()


def test_what_is_saved_goes_on_the_same() -> None:
    agent, again = (ElementPPO(*SPACES, ElementPPOConfig(**SMALL), seed=seed) for seed in (3, 4))
    train(agent, 2)
    buffer = io.BytesIO()
    torch.save(agent.state_dict(), buffer)
    again.load_state_dict(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    assert train(agent, 2, seed=7) == train(again, 2, seed=7)
    for one, two in zip(agent.policy.state_dict().values(), again.policy.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_the_first_policy_is_near_uniform_over_what_is_possible() -> None:
    obs = some_table(1)
    shares = np.exp(log_probs(ElementPPO(*SPACES, seed=0), obs))
    possible = obs["action_mask"] != 0
    ratio = shares * possible.sum(1, keepdims=True)
    np.testing.assert_allclose(ratio[possible], 1.0, atol=0.1)


def test_a_stream_has_a_value_of_its_own() -> None:
    agent = ElementPPO(*SPACES, ElementPPOConfig(**SMALL), streams={"bonus": Stream(0.9, False, 1.0)}, seed=0)
    rollout, _ = collect(worlds(SEEN), agent, 8, gamma=0.99, seed=0)
    metrics = agent.learn(rollout.add("bonus", np.ones(rollout.discount.shape)))
    assert "explained_variance_bonus" in metrics
    assert agent.network.value_head.out_features == 2


def test_a_study_names_it() -> None:
    spec = LearnerSpec(type="element_ppo", config={"rollout_steps": 64, "widths": [32, 32], "word_width": 16})
    assert learner_problems(spec, "learners[0]") == []
    learner = make_learner(spec, {"learning_rate": 0.5}, *SPACES, streams={}, device="cpu", seed=0)
    assert isinstance(learner, ElementPPO)
    assert learner.config == ElementPPOConfig(widths=(32, 32), word_width=16, learning_rate=0.5)
    for name in ("recurrent", "shared"):
        assert name in learner_problems(LearnerSpec(type="element_ppo", config={name: 1}), "learners[0]")[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((spaces.Discrete(3), SPACES[1]), "observations must be a Dict with the boxes role, flags"),
        ((spaces.Dict({"role": SPACES[0]["role"]}), SPACES[1]), "without flags, box"),
        ((spaces.Dict({**SPACES[0].spaces, "goal": spaces.Text(9)}), SPACES[1]), "got the texts goal"),
        ((SPACES[0], spaces.Discrete(44)), "must be a Box of integers"),
        ((table_space(9, 2)[0], SPACES[1]), "must be a Box of integers"),
    ],
)
def test_what_does_not_fit_is_refused(given: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ElementPPO(*given)
