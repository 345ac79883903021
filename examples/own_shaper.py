"""A shaper of one's own: a cost for each step, and the laws that hold it to its contract."""

from __future__ import annotations

import gymnasium as gym

from potentia import Rollout
from potentia.shaping import Contract, Shaper
from potentia.shaping.shaper import Carry
from potentia.testing import check_shaper
from potentia.wrappers import ShapeReward


class StepCost(Shaper):
    """``-cost`` for each step: an agent in a hurry. It can change what is optimal, so it claims no guarantee."""

    contract = Contract(guarantee="unconstrained")

    def __init__(self, cost: float = 0.01, name: str | None = None) -> None:
        super().__init__(name)
        self.cost = cost

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term; `Rollout.add` sets it to 0 on masked steps."""
        return rollout.add(self.name, 0.0 * rollout.discount - self.cost), carry


class FalseClaim(StepCost):
    """The same, with a promise that it can't keep."""

    contract = Contract(guarantee="policy_invariant")


def main() -> None:
    """Checks both, and runs the honest one."""
    check_shaper(StepCost)
    print("StepCost keeps its word.")
    try:
        check_shaper(FalseClaim)
    except AssertionError as error:
        print(f"FalseClaim does not: {str(error).splitlines()[0]}")

    env = ShapeReward(gym.make("FrozenLake-v1"), StepCost(), gamma=0.99)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(2)
    print(f"learned from: {reward}, true: {info['true_reward']}, terms: {info['terms']}")


if __name__ == "__main__":
    main()
