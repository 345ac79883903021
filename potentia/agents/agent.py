"""What a learner is: an actor that learns from rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from potentia.collect import Actor
from potentia.rollout import Rollout
from potentia.shaping.shaper import Contract


def columns_of(agent: Agent) -> frozenset[str]:
    """The names of the info columns that an agent learns from."""
    return Contract(reads=getattr(agent, "reads", frozenset())).info_columns


class Agent(Actor, Protocol):
    """An actor that learns. It owns no gamma: the rollout's discount column is the only one there is.

    Its class has a frozen dataclass ``Config`` of its settings, and a constructor of one form, so that a study can make
    any: ``Class(observation_space, action_space, config=None, *, streams=None, device="cpu", seed=0)``, where
    ``streams`` are reward terms that it should value apart (`potentia.shaping.Stream`). If it can't, it refuses them.
    ``Config.renamed``, if there is one, says what a setting of another name is called. An agent that learns from
    columns of info, too, names them in an attribute ``reads``, as a contract does: ``{"info:next_descriptor"}``. A
    class attribute ``rollout_steps`` says how many steps of each environment it learns from at once, if a study does
    not. One that shapes anew what it has stored has a method ``attach(shaper)``, which a `potentia.agents.Loop` calls.

    An agent may search for policies: its actions are policies, and a step is an episode. Then the metrics of `learn`
    are those of `potentia.agents.search.measures.Measures`, which studies tell in tables and curves, and
    ``archive_map()`` gives what it keeps: arrays ``descriptor`` ``(n, d)`` and ``return`` ``(n,)``. Where the behaviour
    space ends say its settings ``bounds``, a lowest and a highest value for each number of a descriptor.
    """

    @property
    def policy(self) -> Any:
        """What `Shaper.update` is given: it has ``log_prob(obs, action)`` and ``parameters()``, or is None."""
        ...

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Learns from a shaped rollout that its current parameters collected. Returns metrics by name.

        A metric is a number, or a tensor of one number where reading it would wait for the device.
        """
        ...

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with the agent's present policy and randomness of its own. Using it leaves the agent unchanged."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly: tensors, arrays, numbers and strings in dicts and lists."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        ...
