"""What each world of this library offers beside Gymnasium's interface, once for all families.

A world's ``info`` has the keys that it was asked for: at `gym.make` by ``info_keys``, later by `ask`. What costs
something to compute is computed only then. A world also says its goal and its actions in words, its time limit, and
what a random and the best policy earn, where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from potentia.envs.info_keys import INFO_KEYS, InfoKey

__all__ = ["INFO_KEYS", "InfoKey", "Restorable", "World", "ask", "ask_offered", "offered_keys"]

Wanted = Sequence[str] | None
"""The argument ``info_keys`` of a world: None for those that cost nothing, "all", or names."""


class World:
    """A world, single or vector. It stands before Gymnasium's class among the bases.

    ``__init__`` calls `offer` when all is there that `_describe` needs.

    Attributes:
        offered_keys: The keys that ``info`` can have, those of `INFO_KEYS` first, in their order.
        info_keys: Those that it has, at each reset and step alike.
        chance: Whether an action may lead from one state to several: by slipping, or as others move. Then the distance
            is that of the luckiest run, or as if nothing else moved. None where that is not known.
    """

    offered_keys: tuple[str, ...] = ()
    info_keys: tuple[str, ...] = ()
    chance: bool | None = None

    def offer(self, offered: Iterable[str], free: Iterable[str], info_keys: Wanted) -> None:
        """Notes what ``info`` can have, and what it is to have.

        Args:
            offered: All keys that this world can give: of `INFO_KEYS`, or keys of its own.
            free: Those of them that cost nothing: the default.
            info_keys: The keys wanted: names, "all", or None for the default.

        Raises:
            ValueError: If a key that is wanted is not offered.
        """
        can = frozenset(listed := tuple(offered))
        self.offered_keys = tuple(dict.fromkeys((*(key for key in INFO_KEYS if key in can), *listed)))
        if info_keys is None:
            wanted = frozenset(free)
        elif isinstance(info_keys, str):
            if info_keys != "all":
                raise ValueError(f'info_keys must be None, "all" or names such as ("success",), got {info_keys!r}')
            wanted = can
        else:
            wanted = frozenset(info_keys)
        if unknown := sorted(map(str, wanted - can)):
            raise ValueError(f"info_keys must be among {self.offered_keys} in this world, got {unknown}")
        self.info_keys = tuple(key for key in self.offered_keys if key in wanted)
        self._describe()

    def ask(self, keys: Iterable[str]) -> None:
        """From the next reset or step on, ``info`` has these keys, too.

        Raises:
            ValueError: If this world does not offer one.
        """
        wanted = frozenset(keys)
        if unknown := sorted(map(str, wanted.difference(self.offered_keys))):
            raise ValueError(f"{type(self).__name__} has no info {unknown}; it offers {self.offered_keys}")
        if more := wanted.difference(self.info_keys):
            self.info_keys = tuple(key for key in self.offered_keys if key in more or key in self.info_keys)
            self._describe()

    def _describe(self) -> None:
        """Prepares to compute ``self.info_keys``, which have changed. An episode may be going on."""

    @property
    def time_limit(self) -> int | None:
        """The number of steps after which an episode is truncated. None means never."""
        return None

    @property
    def random_return(self) -> float | None:
        """The expected return of random actions, None where it is not known."""
        return None

    @property
    def optimal_return(self) -> float | None:
        """The largest expected return there is, None where it is not known."""
        return None

    @property
    def action_names(self) -> Sequence[str]:
        """The names of the discrete actions, by number. The sequence is empty where they have none."""
        return ()

    def action_text(self, action: Any) -> str:
        """An action of one environment in words."""
        names = self.action_names
        return names[int(action)] if names else str(action)

    def info_now(self) -> dict[str, Any]:
        """The info of the present state without its events, as a reset gives it. It is empty before the first reset."""
        raise NotImplementedError

    def goal_text(self) -> str:
        """What is to be done in this episode, in words. It is "" where that is not said."""
        return ""


@runtime_checkable
class Restorable(Protocol):
    """A world whose whole state can be kept, random numbers included."""

    def save(self) -> Any:
        """A copy of the state, for `restore` here or in another world made alike."""
        ...

    def restore(self, saved: Any) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state. Returns what is seen there and its info."""
        ...


def offered_keys(env: Any) -> frozenset[str]:
    """The info keys that the worlds inside ``env`` offer: those of all, or none if one is not of this library.

    Args:
        env: An environment in any wrappers: single, a vector (Gymnasium's Sync and Async among them), or one of
            Stable-Baselines3.
    """
    offers = [offer for inside in _insides(env) for offer in inside.offers()]
    return frozenset.intersection(*offers) if offers else frozenset()


def ask(env: Any, keys: Iterable[str]) -> None:
    """Asks the worlds inside ``env`` for info: from the next reset or step on it has ``keys``, too.

    Environments that are not of this library keep the info that they have.

    Args:
        env: See `offered_keys`.
        keys: Names in `INFO_KEYS`.

    Raises:
        ValueError: If a world of this library does not offer one.

    >>> import gymnasium as gym
    >>> from gymnasium.wrappers import TimeLimit
    >>> import potentia
    >>> env = TimeLimit(gym.make("potentia/Chain-v0"), 5)
    >>> env.reset(seed=0)[1]
    {'success': array(False)}
    >>> ask(env, ["distance"])
    >>> env.reset(seed=0)[1]
    {'distance': np.float64(18.0), 'success': array(False)}
    """
    wanted = tuple(dict.fromkeys(keys))
    for inside in _insides(env):
        inside.ask(wanted)


def ask_offered(env: Any, keys: Iterable[str]) -> None:
    """`ask` for those of the keys that the worlds inside ``env`` offer. A wrapper around them may give the others."""
    ask(env, offered_keys(env).intersection(keys))


class _Here:
    """A world in this process."""

    def __init__(self, world: World) -> None:
        self.world = world

    def offers(self) -> list[frozenset[str]]:
        return [frozenset(self.world.offered_keys)]

    def ask(self, keys: tuple[str, ...]) -> None:
        self.world.ask(keys)


class _Foreign:
    """An environment that nothing can be asked of."""

    def offers(self) -> list[frozenset[str]]:
        return [frozenset()]

    def ask(self, keys: tuple[str, ...]) -> None:
        """Does nothing."""


class _Elsewhere:
    """The environments of a vector in other processes: Gymnasium's ``call``, Stable-Baselines3's ``env_method``."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def offers(self) -> list[frozenset[str]]:
        # An attribute that is missing would end the process: each environment says first whether it has one.
        if not all(self.call("has_wrapper_attr", "offered_keys")):
            return [frozenset()]
        return [frozenset(keys) for keys in self.call("get_wrapper_attr", "offered_keys")]

    def ask(self, keys: tuple[str, ...]) -> None:
        if not all(self.call("has_wrapper_attr", "offered_keys")):
            return
        for offer in self.offers():
            if unknown := sorted(set(keys) - offer):
                raise ValueError(f"the worlds of this vector have no info {unknown}; they offer {tuple(sorted(offer))}")
        self.call("ask", keys)


def _insides(env: Any) -> list[_Here | _Foreign | _Elsewhere]:
    base = getattr(env, "unwrapped", env)
    if isinstance(base, World):
        return [_Here(base)]
    if isinstance(envs := getattr(base, "envs", None), list | tuple):
        return [inside for one in envs for inside in _insides(one)]
    call = getattr(base, "call", None) or getattr(base, "env_method", None)
    # Only a vector's: a single environment may have a method of that name.
    return [_Elsewhere(call)] if callable(call) and hasattr(base, "num_envs") else [_Foreign()]
