"""Policies as actions in anybody's environments: an action is a genome, and a step is the episode that it plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from potentia.arrays import is_tensor
from potentia.envs.control.network import Network
from potentia.envs.vector_reset import seeds_of
from potentia.envs.world import World, ask_offered, offered_keys
from potentia.limits import check_at_least
from potentia.transitions import autoreset_mode
from potentia.trees import map_tree

__all__ = ["PolicyAsAction", "PolicyAsActionEnv", "policy_vector_env"]

Describe = Callable[[Any, Mapping[str, Any]], Any]
_GENES = 5.0
_TOLD = ("descriptor", "area", "steps")


class PolicyAsAction(World, VectorEnv[Any, Any, Any]):
    """N environments in which an action is a policy, a genome ``(P,)``, and a step the whole episode that it plays.

    What ``potentia/<World>Policies-v0`` is for compiled worlds, this is for any other: the policy is a
    `potentia.envs.control.Network` over the flat observation, the reward is the episode's return, each step is
    terminated, and ``info`` tells of the episode's end what the environment told, and ``descriptor``, ``steps`` and
    ``area``, which is -1 if the environment tells none. The observation is ``(N, 1)``, zero. All N play until the last
    one has ended.

    Each episode is seeded: the first by the seed of ``reset``, each later one by a number drawn from that. So what a
    genome earns depends on no other genome.

    Args:
        envs: A vector environment whose ``reset`` takes a list of seeds, in any autoreset mode, with actions ``Box`` or
            ``Discrete`` and observations ``Box`` or a ``Dict`` of them.
        hidden: The numbers of units of the policy's hidden layers.
        shared_bias: Whether the units of a layer share one bias.
        descriptor: How an episode is described: the name of an info key or of a part of the observations, or a function
            from the last observations ``(N, ...)`` and the columns of info to ``(N, d)``.
        max_steps: Longer episodes are left after so many steps. None: the environment ends them.

    Raises:
        TypeError: If actions or observations are of other spaces.
    """

    def __init__(
        self,
        envs: VectorEnv[Any, Any, Any],
        *,
        hidden: Sequence[int] = (5, 5),
        shared_bias: bool = False,
        descriptor: str | Describe = "descriptor",
        max_steps: int | None = None,
    ) -> None:
        check_at_least(1, max_steps=max_steps)
        self.env, self.num_envs, self.autoreset_mode = envs, envs.num_envs, AutoresetMode.SAME_STEP
        self.render_mode = envs.render_mode
        self._mode, self._description, self._max_steps = autoreset_mode(envs), descriptor, max_steps
        outputs = _outputs(envs.single_action_space)
        self.network = Network((_width(envs.single_observation_space), *hidden, outputs), shared_bias)
        self.single_observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.single_action_space = spaces.Box(-_GENES, _GENES, (self.network.genome_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, envs.num_envs)
        self.action_space = batch_space(self.single_action_space, envs.num_envs)
        self.metadata = {**envs.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}
        self._seeds: list[np.random.Generator] = []
        self._now: dict[str, Any] = {}
        self.offer(offered_keys(envs) | set(_TOLD), _TOLD, None)

    def _describe(self) -> None:
        named = (self._description,) if isinstance(self._description, str) else ()
        ask_offered(self.env, (*self.info_keys, *named))

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return dict(self._now)

    def render(self) -> Any:
        """What the environment renders."""
        return self.env.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the environments."""
        self.env.close(**kwargs)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode in all environments.

        Args:
            seed: See `potentia.envs.vector_reset.seeds_of`.
            options: Handed on. A mask is refused: all environments play together.
        """
        if options and options.get("reset_mask") is not None:
            raise ValueError("each step plays whole episodes in all environments: reset_mask must be None")
        seeds = seeds_of(seed, self.num_envs)
        if not self._seeds:
            self._seeds = [np.random.default_rng() for _ in range(self.num_envs)]
        for n, own in enumerate(seeds):
            if own is not None:
                self._seeds[n] = np.random.default_rng(own)
        info = self._begin([self._drawn(n) if own is None else own for n, own in enumerate(seeds)], options)
        return self._nothing(), info

    def _drawn(self, n: int) -> int:
        return int(self._seeds[n].integers(2**31))

    def _begin(self, seeds: list[int], options: dict[str, Any] | None = None) -> dict[str, Any]:
        self._obs, info = self.env.reset(seed=seeds, options=options)  # type: ignore[arg-type] # lists are fine
        everywhere = np.ones(self.num_envs, bool)
        self._now = self._told(self._obs, _columns(info, everywhere), np.zeros(self.num_envs, np.int64))
        return dict(self._now)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """An episode of each genome ``(N, P)``.

        Raises:
            RuntimeError: If it comes before the first reset.
            ValueError: If the genomes have another shape, or one has a gene that is no number.
        """
        if not self._seeds:
            raise RuntimeError("step() came before reset(): call reset() first")
        genomes = self._genomes(actions)
        obs, last = self._obs, None
        told: dict[str, Any] = {}
        playing, earned = np.ones(self.num_envs, bool), np.zeros(self.num_envs)
        steps = np.zeros(self.num_envs, np.int64)
        while playing.any() and (self._max_steps is None or steps.max() < self._max_steps):
            obs, reward, terminated, truncated, info = self.env.step(self._act(genomes, obs))
            earned[playing] += np.asarray(reward, np.float64)[playing]
            steps += playing
            done = np.asarray(terminated) | np.asarray(truncated)
            seen, here = obs, info
            if self._mode is AutoresetMode.SAME_STEP and done.any():
                seen, here = _final(obs, info, done)
            last = _chosen(playing, seen, last)
            told = _chosen(playing, _columns(here, playing), told or None)
            playing = playing & ~done
            if self._mode is AutoresetMode.DISABLED and done.any() and playing.any():
                obs, _ = self.env.reset(options={"reset_mask": done})
        final = self._told(last, told, steps)
        everywhere = np.ones(self.num_envs, bool)
        info = self._begin([self._drawn(n) for n in range(self.num_envs)])
        info |= {"final_obs": self._nothing(), "_final_obs": everywhere, "final_info": final, "_final_info": everywhere}
        return self._nothing(), earned, everywhere.copy(), ~everywhere, info

    def _genomes(self, actions: Any) -> Any:
        genomes = np.asarray(actions.cpu() if is_tensor(actions) else actions, np.float64)
        wanted = self.num_envs, self.network.genome_size
        if genomes.shape != wanted or not np.isfinite(genomes).all():
            raise ValueError(
                f"actions must be genomes of shape {wanted}, finite numbers, for a network of {self.network.sizes} "
                f"units, got shape {genomes.shape}"
            )
        return genomes

    def _act(self, genomes: Any, obs: Any) -> Any:
        outputs = self.network.outputs(genomes, _flat(self.env.single_observation_space, obs))
        return _scaled(self.env.single_action_space, outputs)

    def _told(self, obs: Any, columns: dict[str, Any], steps: Any) -> dict[str, Any]:
        named = self._description
        if not isinstance(named, str):
            descriptor = named(obs, columns)
        elif named in columns:
            descriptor = columns[named]
        elif isinstance(obs, Mapping) and named in obs:
            descriptor = obs[named]
        else:
            raise KeyError(
                f"descriptor must be the name of an info key or of a part of the observations, or a function, got "
                f"{named!r}; info has {sorted(columns)}"
            )
        rows = np.array(descriptor, np.float64).reshape(self.num_envs, -1)
        nowhere = {"area": np.full(self.num_envs, -1)}
        told = nowhere | columns | {"descriptor": rows, "steps": steps.copy()}
        return told | {f"_{key}": np.ones(self.num_envs, bool) for key in told}

    def _nothing(self) -> Any:
        return np.zeros((self.num_envs, 1), np.float32)


def _outputs(space: gym.Space[Any]) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape))
    raise TypeError(f"actions must be a Box or Discrete, so that a policy can take them, got {space}")


def _scaled(space: gym.Space[Any], outputs: Any) -> Any:
    """A policy's outputs ``(N, O)`` in [-1, 1] as actions: within the bounds, or the choice of the largest output."""
    if isinstance(space, spaces.Discrete):
        return space.start + outputs.argmax(axis=1)
    assert isinstance(space, spaces.Box)
    low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    return (middle + half * outputs).astype(space.dtype).reshape(-1, *space.shape)


def _width(space: gym.Space[Any]) -> int:
    parts = list(space.spaces.values()) if isinstance(space, spaces.Dict) else [space]
    if not all(isinstance(part, spaces.Box) for part in parts):
        raise TypeError(f"observations must be a Box or a Dict of them, so that a policy can take them, got {space}")
    return sum(int(np.prod(part.shape or ())) for part in parts)


def _flat(space: gym.Space[Any], obs: Any) -> Any:
    parts = [obs[name] for name in space.spaces] if isinstance(space, spaces.Dict) else [obs]
    return np.concatenate([np.asarray(part, np.float64).reshape(len(part), -1) for part in parts], axis=1)


def _columns(info: Mapping[str, Any], where: Any) -> dict[str, Any]:
    """The columns of numbers that all environments of a mask have."""
    columns = {}
    for key, column in info.items():
        mask = info.get(f"_{key}")
        if isinstance(column, np.ndarray) and column.dtype != object and mask is not None and mask[where].all():
            columns[key] = column
    return columns


def _final(obs: Any, info: Mapping[str, Any], done: Any) -> tuple[Any, dict[str, Any]]:
    """Observations and info with those of the episodes that ended in the rows where they did."""
    last = info["final_obs"]
    if isinstance(obs, Mapping):
        seen: Any = {name: np.array(part) for name, part in obs.items()}
        for n in np.flatnonzero(done):
            for name, part in seen.items():
                part[n] = last[name][n] if isinstance(last, Mapping) else last[n][name]
    else:
        seen = np.array(obs)
        for n in np.flatnonzero(done):
            seen[n] = last[n]
    final = info.get("final_info", {})
    merged = dict(info)
    for key, column in final.items():
        if isinstance(column, np.ndarray) and not key.startswith("_"):
            merged[key] = np.array(info[key]) if key in info else np.zeros_like(column)
            merged[key][done] = column[done]
            merged[f"_{key}"] = np.where(done, final[f"_{key}"], info.get(f"_{key}", False))
    return seen, merged


def _chosen(mask: Any, new: Any, old: Any) -> Any:
    """Rows of ``new`` where the mask is True, else those of ``old``."""
    if old is None or mask.all():
        return {k: np.array(v) for k, v in new.items()} if isinstance(new, Mapping) else np.array(new)
    if isinstance(new, Mapping):
        return {key: _chosen(mask, new[key], old[key]) if key in new else old[key] for key in old}
    old[mask] = new[mask]
    return old


class PolicyAsActionEnv(gym.Env[Any, Any]):
    """One environment in which an action is a policy: `PolicyAsAction` of one.

    Args:
        env: The id of the environment in which policies act.
        options: Those of `PolicyAsAction`, and those of the environment.
    """

    def __init__(self, env: str, **options: Any) -> None:
        self._envs = policy_vector_env(1, env=env, **options)
        self._acts_in = env, {name: value for name, value in options.items() if name not in _OWN}
        self.observation_space, self.action_space = self._envs.single_observation_space, self._envs.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        obs, info = self._envs.reset(seed=seed, options=options)
        return obs[0], _first(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The episode of a genome ``(P,)``."""
        obs, reward, *_, info = self._envs.step(np.asarray(action)[None])
        return obs[0], float(reward[0]), True, False, _first(info["final_info"])

    @property
    def acts_in(self) -> tuple[str, dict[str, Any]]:
        """The id and the arguments of the environment in which its policies act."""
        return self._acts_in

    def action_of(self, genome: Any, obs: Any) -> Any:
        """What a policy ``(P,)`` does in that environment where it sees ``obs``."""
        return self._envs._act(np.asarray(genome)[None], map_tree(lambda part: np.asarray(part)[None], obs))[0]

    def close(self) -> None:
        """Closes the environment."""
        self._envs.close()


def _first(info: Mapping[str, Any]) -> dict[str, Any]:
    return {key: column[0] for key, column in info.items() if not key.startswith(("_", "final_"))}


_OWN = ("hidden", "shared_bias", "descriptor", "max_steps")


def policy_vector_env(num_envs: int = 1, *, env: str, autoreset_mode: Any = None, **options: Any) -> PolicyAsAction:
    """`PolicyAsAction` of N environments of an id.

    Args:
        num_envs: N.
        env: The id.
        autoreset_mode: None or ``SAME_STEP``, which is the wrapper's.
        options: Those of `PolicyAsAction`, and those of the environment.

    Raises:
        ValueError: If another autoreset mode is wanted.
    """
    if autoreset_mode is not None and AutoresetMode(autoreset_mode) is not AutoresetMode.SAME_STEP:
        raise ValueError(f"policies as actions begin anew in the same step: got autoreset_mode={autoreset_mode}")
    own = {name: options.pop(name) for name in _OWN if name in options}
    mode = None if env.startswith("potentia/") else "sync"  # other people's vector forms may take one seed only
    return PolicyAsAction(gym.make_vec(env, num_envs, vectorization_mode=mode, **options), **own)
