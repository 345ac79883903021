"""The Gymnasium environment over a stock MiniHack or NetHack task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from potentia.envs.info_keys import flag, number, whole
from potentia.envs.minihack import key_macro
from potentia.envs.minihack.captions import Surroundings, message_text
from potentia.envs.minihack.catalogue import CUSTOM, TASKS
from potentia.envs.minihack.hidden_state import HiddenState
from potentia.envs.minihack.observations import DEFAULT_KEYS, Observer
from potentia.envs.minihack.oracles import Question, make_oracle
from potentia.envs.minihack.state_hash import StateHash, stable_hash
from potentia.envs.minihack.stock_game import build_game, nethack
from potentia.envs.minihack.subgoals import EVENTS, Progress, ProgressReader
from potentia.envs.world import World

_ALWAYS = ("caption", "state_hash", "subgoals", "success")
_ORACLE_KEYS = ("distance", "potential")
_HIDDEN_KEYS = ("state_hash", "distance", "potential", "subgoals")
_SEED_BOUND = 2**31 - 1

Observation = dict[str, np.ndarray]


class MiniHackWorld(World, gym.Env[Observation, np.int64]):
    """A stock MiniHack or NetHack task with exact seeds, true ends of episodes and a known hidden state.

    The game, its actions and its reward are the stock task's. What differs, and why:

    * `reset(seed=...)` decides everything that follows. Each later reset draws the next level from that seed.
    * The stock time limit truncates. It does not terminate. Success or death on the last step still
      terminates.
    * Observations are fresh arrays: by default a 9x9 crop of glyph numbers around the hero (`glyphs_crop`,
      int16) and the bottom-line numbers scaled into [-1, 1] (`blstats`, float32). `Observer` tells the
      other keys.
    * `info` describes the state reached, with the same keys at reset and at every step: `success`, and what was
      asked for of `caption` (the game's message, or else what is in sight), `state_hash` (of the true state, see
      `StateHash`), `distance` (actions left to success, -1.0 if there is no way, see the oracles), `potential` =
      -min(distance, D) / D in [-1, 0] and `subgoals` (what has just happened). Tasks whose distance is not known
      offer no `distance` and no `potential`.

    MiniHack: Samvelyan et al. 2021, arXiv 2109.13202. NLE: Kuettler et al. 2020, arXiv 2006.13760.

    Args:
        task: a key of `TASKS`, for example "MiniHack-Room-5x5-v0", or of `CUSTOM`, which need a level of your own:
            ``des_file``, a text in NetHack's level language or the name of a file ending in ".des". A custom
            navigation task ends at the stairs down, to which its distance leads.
        observation_keys: keys of the observation.
        info_keys: keys of the info, "all", or None for `success`. The function `potentia.envs.world.ask` adds more.
        crop: side of the crops, odd.
        max_episode_steps: steps before truncation. None means the stock task's own limit.
        render_mode: "ansi" for the terminal as text, "rgb_array" for a picture in tiles, or None.
        **game: arguments of the stock task (`character`, `penalty_step`, `reward_win`, `actions` ...).

    Raises:
        ValueError: on an unknown task, observation key or info key, or an info key the task cannot give.
        ImportError: if the extra "minihack" is not installed.
    """

    chance = True
    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}  # type: ignore[misc]

    def __init__(
        self,
        task: str,
        *,
        observation_keys: Sequence[str] = DEFAULT_KEYS,
        info_keys: Sequence[str] | None = None,
        crop: int = 9,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **game: Any,
    ) -> None:
        if task not in TASKS and task not in CUSTOM:
            raise ValueError(f"task must be one of potentia.envs.minihack.TASKS or CUSTOM, got {task!r}")
        if task in CUSTOM and not game.get("des_file"):
            raise ValueError(
                f"{task} has no level of its own: give des_file, a text in NetHack's level language or the name of a "
                'file ending in ".des"'
            )
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode must be None, 'ansi' or 'rgb_array', got {render_mode!r}")
        self._task = TASKS[task] if task in TASKS else CUSTOM[task]
        self.render_mode = render_mode
        self._observer = Observer(observation_keys, crop)
        self._build(max_episode_steps, game)
        self.observation_space = self._observer.space
        self.action_space = spaces.Discrete(len(self._game.actions))
        self._hidden = HiddenState(self._game.nethack)
        self._hash = StateHash()
        self._surroundings: Surroundings | None = None
        self._progress_reader = ProgressReader(
            monsters="defeated_monster" in self._task.events, keys="picked_up_key" in self._task.events
        )
        self._progress: Progress | None = None
        self._question: Question | None = None
        self._running = self._reads_hidden = False
        oracle = () if self._task.oracle == "none" else _ORACLE_KEYS
        self.offer((*_ALWAYS, *oracle), ("success",), info_keys)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Refuses to be copied.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            "a MiniHack world can't be copied or pickled, since its game is in NetHack's own memory: make another one "
            "with the same options, reset it with the same seed and repeat the actions"
        )

    def _describe(self) -> None:
        if "caption" in self.info_keys and self._surroundings is None:
            self._surroundings = Surroundings()
        reads_hidden = not set(_HIDDEN_KEYS).isdisjoint(self.info_keys)
        if self._running and reads_hidden and not self._reads_hidden:
            self._hidden.attach(*self._place)
        self._reads_hidden = reads_hidden

    @property
    def time_limit(self) -> int:
        """The stock task's, or `max_episode_steps`."""
        return self._limit

    @property
    def action_names(self) -> list[str]:
        """The game's names, with the keys that print."""
        keys = self._game.actions
        return [f"{key.name.lower()} ({chr(key)})" if 32 < key < 127 else key.name.lower() for key in keys]

    def _build(self, max_episode_steps: int | None, arguments: dict[str, Any]) -> None:
        buffers = [*self._observer.buffers, *self._task.buffers]
        self._doors: frozenset[int] = frozenset()
        if self._task.oracle == "key":
            buffers += key_macro.BUFFERS
            self._doors = key_macro.closed_door_glyphs()
        if self.render_mode == "ansi":
            buffers.append("tty_chars")
        if self.render_mode is not None:
            arguments = {**arguments, "render_mode": "pixel" if self.render_mode == "rgb_array" else "ansi"}
        if max_episode_steps is not None:
            arguments = {**arguments, "max_episode_steps": max_episode_steps}
        self._game = build_game(self._task.entry_point, buffers, **arguments)
        self._buffers: dict[str, np.ndarray] = self._game.nethack._obs_buffers
        self._limit = int(self._game._max_episode_steps)
        # The game's own limit would report a truncation as an end of the task.
        self._game._check_abort = _never
        self._rules = getattr(self._game, "reward_manager", None)
        self._oracle = make_oracle(self._task.oracle, self._game.actions)
        command = nethack().Command
        self._apply = int(command.APPLY)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts the next level.

        Args:
            seed: starts the sequence of levels anew. None goes on with it.
            options: not used.
        """
        super().reset(seed=seed, options=options)
        self._hidden.detach()
        game = self._game
        core, display, layout = (int(value) for value in self.np_random.integers(1, _SEED_BOUND, 3))
        if hasattr(game, "minigrid_env"):
            game.minigrid_env.reset(seed=layout)
        game.nethack.set_initial_seeds(core, display, False)
        if hasattr(game, "_frozen_steps"):
            game._frozen_steps = 0
        game._previous_obs, game._previous_action = None, None
        game.reset(options=None)
        self._steps, self._question, self._running = 0, None, True
        self._place = self._hero_seen()
        if self._reads_hidden:
            self._hidden.attach(*self._place)
            self._progress = None
        return self._observation(), self._information(success=False, dead=False)

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Takes one action of the stock task.

        Args:
            action: index into the task's actions.

        Raises:
            gymnasium.error.ResetNeeded: if no episode is running.
        """
        if not self._running:
            raise ResetNeeded("no episode is running: call reset() first")
        game, chosen = self._game, int(action)
        code = int(game.actions[chosen])
        dead = self._doors and code == self._apply and key_macro.use_key(game, self._buffers, self._doors)
        before = tuple(buffer.copy() for buffer in game.last_observation)
        if not dead:
            observation, dead = game.nethack.step(game.actions[chosen])
            if self._buffers["program_state"][0] == 1 or not game._allow_all_modes:
                observation, dead = game._perform_known_steps(observation, dead, exceptions=True)
        game._previous_obs, game._previous_action = before, chosen
        game._steps += 1
        status = game.StepStatus(dead or game._is_episode_end(game.last_observation))
        reward = float(game._reward_fn(before, chosen, game.last_observation, status))
        success = status.name == "TASK_SUCCESSFUL"
        self._steps += 1
        terminated = bool(status)
        truncated = not terminated and self._steps >= self._limit
        self._running = not (terminated or truncated)
        self._question = self._open_question(code)
        if not dead:
            self._place = self._hero_seen()
        return (
            self._observation(),
            reward,
            terminated,
            truncated,
            self._information(success=success, dead=bool(dead)),
        )

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return self._information(success=False, dead=False) if self._running else {}

    def render(self) -> str | np.ndarray | None:  # type: ignore[override]
        """The screen, in the mode chosen at construction."""
        if self.render_mode == "ansi":
            return "\n".join(line.tobytes().decode("latin-1") for line in self._buffers["tty_chars"])
        if self.render_mode == "rgb_array":
            return np.array(self._game.render())
        return None

    def close(self) -> None:
        """Ends the game and removes its files."""
        self._running = False
        self._hidden.detach()
        self._game.close()
        if hasattr(self._game, "minigrid_env"):
            self._game.minigrid_env.close()

    def _open_question(self, code: int) -> Question | None:
        """What the game is waiting to be told after the key `code`. One command may ask several times."""
        if not self._buffers["internal"][1]:
            return None
        command = code if self._question is None else self._question.command
        return Question(command, direction="direction?" in message_text(self._buffers["message"]))

    def _hero_seen(self) -> tuple[int, int]:
        blstats = self._buffers["blstats"]
        return int(blstats[0]), int(blstats[1])

    def _observation(self) -> Observation:
        return self._observer.observe(self._buffers, *self._place)

    def _information(self, *, success: bool, dead: bool) -> dict[str, Any]:
        info: dict[str, Any] = {}
        if self._reads_hidden and not dead:
            self._hidden.refresh()
        keys = self.info_keys
        if "caption" in keys:
            info["caption"] = self._caption()
        if "state_hash" in keys:
            info["state_hash"] = whole(self._state_hash(success=success, dead=dead))
        if not set(_ORACLE_KEYS).isdisjoint(keys):
            distance, horizon = self._distance(success=success, dead=dead), self._task.horizon
            left = horizon if distance < 0 else min(distance, horizon)
            if "distance" in keys:
                info["distance"] = number(distance)
            if "potential" in keys:
                info["potential"] = number(-left / horizon if left else 0.0)
        if "subgoals" in keys:
            info["subgoals"] = self._subgoals(success=success, dead=dead)
        if "success" in keys:
            info["success"] = flag(success)
        return info

    def _distance(self, *, success: bool, dead: bool) -> int:
        if success:
            return 0
        if dead or self._oracle is None:
            return -1
        return self._oracle.distance(self._hidden, self._question)

    def _caption(self) -> str:
        said = message_text(self._buffers["message"])
        if said or self._surroundings is None:
            return said
        return self._surroundings.describe(self._buffers["glyphs"], *self._place)

    def _state_hash(self, *, success: bool, dead: bool) -> int:
        if dead:
            # A finished game has freed its lists: what is left is that it is over, where, and how.
            return stable_hash(b"over", repr((self._place, success)).encode("ascii"))
        return self._hash(self._hidden, self._buffers["blstats"], self._question, solved=success)

    def _subgoals(self, *, success: bool, dead: bool) -> dict[str, bool]:
        events = dict.fromkeys((*self._task.events, "reached_goal"), False)
        events["reached_goal"] = success
        if not dead and self._task.events:
            now = self._progress_reader.read(self._hidden)
            if self._progress is not None:
                for name in self._task.events:
                    events[name] = EVENTS[name](self._progress, now)
            self._progress = now
        return events


def _never(observation: object) -> bool:
    return False
