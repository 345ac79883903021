"""What a learner with a network saves: all that its next action and its next update depend on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


def learner_state(learner: Any) -> dict[str, Any]:
    """Its ``network``, ``optimizer``, ``generator`` and ``steps``."""
    return {
        "network": dict(learner.network.state_dict()),
        "optimizer": learner.optimizer.state_dict(),
        "generator": learner.generator.get_state(),
        "steps": learner.steps,
    }


def restore_learner(learner: Any, state: Mapping[str, Any]) -> None:
    """Restores what `learner_state` returned, into one made with the same spaces and configuration."""
    learner.network.load_state_dict(state["network"])
    learner.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))  # torch would share its tensors
    learner.generator.set_state(state["generator"].cpu())
    learner.steps = int(state["steps"])
