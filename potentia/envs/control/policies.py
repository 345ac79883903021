"""Policies as actions: an action is a network's genome, and a step is the whole episode that it plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from potentia.arrays import array_namespace, is_tensor
from potentia.envs.control.env import ControlEnv
from potentia.envs.control.loops import DISABLED, SAME_STEP
from potentia.envs.control.network import Network
from potentia.envs.control.policy_loop import evaluate_loop
from potentia.envs.control.rules import Rules
from potentia.envs.control.vector import ControlVectorEnv
from potentia.envs.control.worlds import ControlWorlds
from potentia.limits import check_at_least

__all__ = ["PolicyEnv", "PolicyVectorEnv", "PolicyWorlds"]

GENES = 5.0
"""Genes lie within so much of zero in SERENE and STAX (Paolo et al. 2021). Larger ones are played as they are."""
_PARALLEL_FROM = 32
"""The number of policies from which waking a second core pays."""


class PolicyWorlds(ControlWorlds):
    """N worlds of one set of rules, in each of which a policy plays an episode a step.

    Args:
        rules: The world.
        num_envs: N.
        mode: What happens to a world that ended, which is after each step.
        network: Of whose weights a genome is made.
        path_length: L, how many points a path has.
        limit: Another time limit of the episodes than the world's own.
        cut: A limit of the steps that are episodes. It changes nothing.
        parallel: Whether all cores play. None: if there are many policies.

    Attributes:
        path: ``(N, L, d)``: the descriptor at evenly spaced times, the last ones repeated after an early end. L is 0
            unless paths are wanted.
    """

    kept = (*ControlWorlds.kept, "path")
    free_keys = ("success", "descriptor", "area", "steps")

    def __init__(
        self,
        rules: Rules,
        num_envs: int,
        mode: int,
        network: Network,
        *,
        path_length: int,
        limit: int | None = None,
        cut: int | None = None,
        parallel: bool | None = None,
    ) -> None:
        self.network = network
        super().__init__(
            rules, num_envs, mode, limit=limit, parallel=num_envs >= _PARALLEL_FROM if parallel is None else parallel
        )
        self.observation = self._zeros(1, dtype=np.float32)
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Box(-GENES, GENES, (network.genome_size,), np.float32)
        self.keys = tuple(key for key in (*self.keys, "steps", "path") if key not in ("potential", "state_hash"))
        self.path_length, self.path = path_length, self._zeros(0, len(rules.described))
        self._units, self._actions = self._zeros(network.scratch), self._zeros(rules.action_size)

    def _link(self) -> None:
        super()._link()
        self._step = evaluate_loop(self.rules, self.network, self.parallel)

    @property
    def time_limit(self) -> int:
        """One step is an episode."""
        return 1

    @property
    def random_return(self) -> float | None:
        """What random policies earn is not known: random actions earn something else."""
        return None

    def keep_paths(self) -> None:
        """From the next step on, paths are written."""
        if not self.path.shape[1]:
            self.path = self._zeros(self.path_length, len(self.rules.described))
            self.path[:] = self.descriptor[:, None]

    def begin(self, mask: Any) -> None:
        """Begins an episode in the worlds of a mask."""
        super().begin(mask)
        where = array_namespace(self.path).where
        self.path[:] = where(mask[:, None, None], self.descriptor[:, None], self.path)

    def rows(self, actions: Any) -> Any:
        """Genomes ``(N, P)`` as float64.

        Raises:
            ValueError: If their shape is another, or one has a gene that is no number.
        """
        genomes = np.asarray(actions.cpu() if is_tensor(actions) else actions)
        self._check_shape(genomes.shape)
        if not np.isfinite(genomes).all():
            raise ValueError(f"genes must be finite numbers, got {genomes[~np.isfinite(genomes)][0]}")
        return np.ascontiguousarray(genomes, np.float64)

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        wanted = self.num_envs, self.network.genome_size
        if shape != wanted:
            raise ValueError(
                f"actions must be genomes of shape {wanted}, of a network of {self.network.sizes} units"
                f"{' with shared biases' if self.network.shared_bias else ''}, got {tuple(shape)}"
            )

    def action_text(self, action: Any) -> str:
        """An action of one world in words."""
        return f"a policy of {self.network.sizes} units, {np.linalg.norm(action):.3g} from zero"

    def step(self, rows: Any) -> None:
        """An episode of each policy ``(N, P)``, in each world that isn't waiting to begin anew."""
        self._step.run(*self._rows, rows, self.path, self._units, self._actions, self.limit)
        if self.mode != SAME_STEP:
            self.waiting[:] = self.terminated

    def _column(self, key: str) -> Any:
        if key in ("steps", "path"):
            return self._copy(self.time if key == "steps" else self.path)
        return super()._column(key)


class PolicyEnv(ControlEnv):
    """A control world in which an action is a policy: its genome ``(P,)``. One step is the whole episode it plays.

    It gives what `PolicyVectorEnv` gives for each of its worlds. That class describes it.

    Args:
        world: As `potentia.envs.control.ControlEnv` takes it.
        hidden: The numbers of units of the policy's hidden layers.
        shared_bias: Whether the units of a layer share one bias.
        path_length: L, how many points a path has.
        options: Those of `potentia.envs.control.ControlEnv`. ``time_limit`` is that of the episode a policy plays.
    """

    def __init__(
        self,
        world: str | Rules,
        *,
        hidden: Sequence[int] = (5, 5),
        shared_bias: bool = False,
        path_length: int = 64,
        **options: Any,
    ) -> None:
        self._network_options = _checked(hidden, shared_bias, path_length)
        self._world, self._options = world, options
        super().__init__(world, **options)

    @property
    def acts_in(self) -> tuple[str, dict[str, Any]]:
        """The id and the arguments of the world in which its policies act.

        Raises:
            ValueError: If it was made of rules, which have no id.
        """
        if not isinstance(self._world, str):
            raise ValueError(f"the rules of {self.rules.title} have no id; make the environment by the world's name")
        return f"potentia/{self._world}-v0", dict(self._options)

    def action_of(self, genome: Any, obs: Any) -> Any:
        """What a policy ``(P,)`` does in that world where it sees ``obs``."""
        worlds: Any = self.worlds
        network, rules = worlds.network, self.rules
        units = np.zeros(network.scratch)
        network.act(np.asarray(genome, np.float64), np.asarray(obs, np.float64), units)
        outputs = units[: len(rules.actions)]
        if rules.discrete:
            return int(outputs.argmax())
        low, high = np.array(rules.action_low), np.array(rules.action_high)
        return (0.5 * (low + high) + 0.5 * (high - low) * outputs).astype(np.float32)

    def _make_worlds(self, time_limit: int | None) -> ControlWorlds:
        return PolicyWorlds(
            self.rules, 1, DISABLED, **_with_network(self.rules, *self._network_options), limit=time_limit
        )

    def _describe(self) -> None:
        _keep_paths(self.worlds, self.info_keys)


class PolicyVectorEnv(ControlVectorEnv):
    """N control worlds in which an action is a policy: genomes ``(N, P)``. One step is the whole episode each plays.

    The policy is a `potentia.envs.control.Network` that sees what the world shows. The reward is the episode's return,
    and the step is terminated. ``info`` describes where the episode ended: ``success``, ``descriptor`` ``(N, d)``,
    ``area``, ``steps``, and what was asked for of ``image`` ``(N, 64, 64, 3)``, ``path`` ``(N, L, d)``, ``subgoals``
    (the area it ended in), ``progress`` and ``caption``. The observation is ``(N, 1)``, zero.

    Of a rollout's columns, ``next_descriptor`` is what the policy did: ``descriptor`` is where it began.

    Args:
        world: As `potentia.envs.control.ControlVectorEnv` takes it.
        num_envs: N.
        hidden: The numbers of units of the policy's hidden layers.
        shared_bias: Whether the units of a layer share one bias.
        path_length: L, how many points a path has.
        autoreset_mode: When a world begins anew. In ``NEXT_STEP`` every second step is spent on it.
        options: Those of `potentia.envs.control.ControlVectorEnv`. ``time_limit`` is that of the episodes that policies
            play, ``parallel`` None plays on all cores if there are 32 policies. ``device`` "cuda" makes a
            `potentia.envs.control.CudaPolicyVectorEnv`.
    """

    worlds_of: type[ControlWorlds] = PolicyWorlds

    def __init__(
        self,
        world: str | Rules,
        num_envs: int = 1,
        *,
        hidden: Sequence[int] = (5, 5),
        shared_bias: bool = False,
        path_length: int = 64,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        **options: Any,
    ) -> None:
        self._network_options = _checked(hidden, shared_bias, path_length)
        super().__init__(world, num_envs, autoreset_mode=autoreset_mode, **options)

    def _make_worlds(self, mode: int, **options: Any) -> ControlWorlds:
        return super()._make_worlds(mode, **_with_network(self.rules, *self._network_options), **options)

    def _describe(self) -> None:
        _keep_paths(self.worlds, self.info_keys)


def _checked(hidden: Sequence[int], shared_bias: bool, path_length: int) -> tuple[tuple[int, ...], bool, int]:
    check_at_least(2, path_length=path_length)
    return tuple(int(units) for units in hidden), bool(shared_bias), path_length


def _with_network(rules: Rules, hidden: tuple[int, ...], shared_bias: bool, path_length: int) -> dict[str, Any]:
    return {"network": Network.of(rules, hidden, shared_bias), "path_length": path_length}


def _keep_paths(worlds: Any, keys: tuple[str, ...]) -> None:
    if "path" in keys:
        worlds.keep_paths()
