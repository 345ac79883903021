"""Adversarial imitation: reward for what can't be told from demonstrations (GAIL, DAC, SAM)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium as gym
import torch
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.demonstrations import Demonstrations, as_demonstrations
from potentia.encoders import Kind
from potentia.limits import check_among, check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.learned import own_modes
from potentia.shaping.imitation.adversary import PENALTIES, Adversary, Penalty
from potentia.shaping.imitation.preconditioning import Preconditioner
from potentia.shaping.imitation.transition_features import READS, SEES, Sees, TransitionFeatures
from potentia.shaping.shaper import Carry, Contract, Shaper

Form = Literal["-log(1-D)", "log D", "AIRL"]
"""How a probability becomes a reward."""

FORMS: tuple[Form, ...] = ("-log(1-D)", "log D", "AIRL")
_DYNAMICS = ("obs", "action")


class Discriminator(Shaper):
    """``-log(1 - D(obs, action))``: D is trained to be 1 on demonstrations and 0 on what the learner does.

    Ho and Ermon 2016, "Generative adversarial imitation learning", arXiv 1606.03476. The defaults are those of Blonde,
    Strasser and Kalousis 2020, "Lipschitzness is all you need to tame off-policy generative adversarial imitation
    learning", arXiv 2006.16785, who find that imitation from a replay fails unless D's gradient is penalised: the loss
    is the cross-entropy, less 0.001 times D's entropy, plus lambda times ``max(0, |grad logit| - k)^2``. Put
    `HideReward` before it where the learner should not see the world's reward.

    The form decides how the reward leans, whatever D has learned (Kostrikov et al. 2018, "Discriminator-actor-critic",
    arXiv 1809.02925):

    - ``"-log(1-D)"`` is positive: each further step pays, so the learner is drawn to survive, and in worlds that end
      when the task is done it is paid for not doing it.
    - ``"log D"`` is negative: each further step costs, so the learner is drawn to an early end, even by dying.
    - ``"AIRL"`` is ``log D - log(1 - D)`` (Fu, Luo and Levine 2017, arXiv 1710.11248), of both signs: it leans towards
      survival where the learner already does well, and towards an end where it does not.

    At a termination nothing follows, so these biases stay: the reward of the last step stands alone. With ``absorbing``
    they are undone as Kostrikov et al. do it. The state behind a termination is a state of its own, which D sees among
    the demonstrations as often as they terminate, and the learner is paid for staying there for ever:
    ``absorbing / (1 - absorbing)`` times its reward. ``absorbing`` is the learner's gamma.

    D sees features, normalised by the moments of all that was seen and clipped to [-5, 5]: observations as they are, or
    through a frozen random encoder if they are pictures or grids, and actions one-hot or scaled by their bounds. The
    gradient is that of the logit by these features. A rollout is paid by D as it was before it was learned from. A
    replay that shapes what it draws is paid by the present D (`potentia.agents.SAC` with ``rewards="present"``).

    Args:
        observation_space: The space of ``obs``.
        action_space: The space of ``action``.
        demonstrations: Whole episodes, or the path of a file of them (`potentia.demonstrations`).
        sees: ``"state_action"``, ``"transition"`` (obs and next_obs, for demonstrations whose actions are unknown), or
            ``"state"`` (next_obs).
        form: ``"-log(1-D)"``, ``"log D"`` or ``"AIRL"``.
        penalty: Where D's gradient is penalised: ``"wgan-gp"`` on lines between demonstrations and the learner's steps,
            ``"dragan"`` around demonstrations, ``"nagard"`` around the learner's steps, ``"bare"`` at them. None
            penalises nowhere.
        penalty_weight: lambda.
        lipschitz: k, the norm of the gradient that is free.
        noise: The standard deviation of the noise of ``"dragan"`` and ``"nagard"``, in normalised features.
        spectral_norm: Whether each layer is divided by its greatest singular value (Miyato et al. 2018).
        smoothing: The target of a demonstration is drawn uniformly between these. (1, 1) is no smoothing.
        ent_coef: The weight of D's entropy, which is maximised.
        every: Which steps of a demonstration are used: each so-manieth, from its first on. Ho and Ermon, and Blonde et
            al. after them, use each 20th.
        absorbing: The learner's gamma, if the state behind a termination is to be judged too. None leaves it out.
        purple: Whether the reward is multiplied by kappa in [0.7, 1], less where the world reacts steeply
            (`potentia.shaping.imitation.preconditioning`).
        purple_limit: The norm of the Jacobian of the dynamics that is free.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the two hidden layers.
        n_epochs: Passes over each rollout.
        learning_rate: Adam's step size.
        batch_size: Steps of the learner in a minibatch, and as many of the demonstrations.
        device: Where the networks live.
        seed: Seeds the networks, the minibatches and what is drawn in them.
        name: The term's name.

    Raises:
        TypeError: If the demonstrations are something else.
        ValueError: If they don't fit the spaces, or an argument is out of its range.
        OSError: If their file can't be read.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box, Discrete
    >>> from potentia import Rollout
    >>> def moves(*actions):
    ...     zeros = np.zeros((len(actions), 1))
    ...     obs, end = zeros[..., None].astype(np.float32), np.arange(len(actions))[:, None] == len(actions) - 1
    ...     return Rollout(obs=obs, action=np.array(actions)[:, None], next_obs=obs, terms={"env": zeros},
    ...                    discount=zeros + 0.99, terminated=end & False, truncated=end)
    >>> gail = Discriminator(Box(-1, 1, (1,)), Discrete(3), moves(1, 1, 1, 2), learning_rate=0.01)
    >>> for _ in range(300):  # the learner does 0 half of the time and 2 else, the expert 1 three times of four
    ...     metrics = gail.update(moves(0, 0, 2, 2))
    >>> reward = gail.shape(moves(0, 1, 2))[0].terms["Discriminator"][:, 0]
    >>> (reward / reward[1]).round().tolist()
    [0.0, 1.0, 0.0]
    """

    saved = ("features", "adversary", "preconditioner")

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        demonstrations: Demonstrations,
        *,
        sees: Sees = "state_action",
        form: Form = "-log(1-D)",
        penalty: Penalty | None = "wgan-gp",
        penalty_weight: float = 10.0,
        lipschitz: float = 1.0,
        noise: float = 10.0,
        spectral_norm: bool = False,
        smoothing: tuple[float, float] = (0.7, 1.2),
        ent_coef: float = 0.001,
        every: int = 1,
        absorbing: float | None = None,
        purple: bool = False,
        purple_limit: float = 9.0,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 100,
        n_epochs: int = 1,
        learning_rate: float = 5e-4,
        batch_size: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(SEES, sees=sees)
        check_among(FORMS, form=form)
        if penalty is not None:
            check_among(PENALTIES, penalty=penalty)
        check_at_least(0, penalty_weight=penalty_weight, lipschitz=lipschitz, noise=noise, purple_limit=purple_limit)
        check_at_least(1, hidden=hidden, n_epochs=n_epochs, every=every)
        if not smoothing[0] <= smoothing[1]:
            raise ValueError(f"smoothing must be two numbers in order, got {smoothing}")
        if absorbing is not None and not 0 <= absorbing < 1:
            raise ValueError(f"absorbing is the learner's gamma and must lie in [0, 1), got {absorbing}")
        self.form, self.absorbing, self.n_epochs = form, absorbing, n_epochs
        self.update_size, self.device = batch_size, torch.device(device)
        self._sees = READS[sees]
        self._columns = tuple(dict.fromkeys((*self._sees, *((*_DYNAMICS, "next_obs") if purple else ()))))
        reads = {*self._columns, *(() if absorbing is None else ("terminated",))}
        self.contract: Contract = Contract(reads=frozenset(reads), scope="lifelong")
        shown = as_demonstrations(demonstrations, observation_space, action_space)
        self.features = TransitionFeatures(
            observation_space, action_space, shown, kinds=kinds, device=self.device, seed=seed
        )
        trained: dict[str, Any] = {
            "hidden": hidden, "learning_rate": learning_rate, "batch_size": batch_size, "device": self.device,
        }  # fmt: skip
        self.adversary = Adversary(
            self.features.width(self._sees) + (absorbing is not None), penalty=penalty, penalty_weight=penalty_weight,
            lipschitz=lipschitz, noise=noise, spectral_norm=spectral_norm, smoothing=smoothing, ent_coef=ent_coef,
            seed=seed + 1, **trained,
        )  # fmt: skip
        self.preconditioner: Preconditioner | None = None
        if purple:
            widths = self.features.width(("obs",)), self.features.width(_DYNAMICS)
            self.preconditioner = Preconditioner(*widths, limit=purple_limit, least=0.7, seed=seed + 2, **trained)
        self._keep(shown, every)

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        encoded, _ = self._encoded(rollout)
        reward = reward_of(self.adversary.logits(self._seen(encoded)), self.form)
        if self.preconditioner is not None:
            reward = reward * self.preconditioner.kappa(self.features.joined(encoded, _DYNAMICS))
        if self.absorbing is not None:
            after = reward_of(self.adversary.logits(self._absorbed(1)), self.form)
            stays = self.absorbing / (1 - self.absorbing) * after
            reward = reward + torch.where(self._terminated(rollout), stays, 0.0)
        term = reward.unflatten(0, (rollout.num_steps, rollout.num_envs))
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Takes the moments in, then trains D and, for PURPLE, the model of the world."""
        del policy
        encoded, mask = self._encoded(rollout)
        self.features.observe(encoded, mask)
        metrics: dict[str, Any] = {}
        if self.preconditioner is not None:
            x, after = (self.features.joined(encoded, columns) for columns in (_DYNAMICS, ("next_obs",)))
            metrics["dynamics_loss"] = self.preconditioner.learn(x, after, mask)
            metrics["kappa"] = _mean(self.preconditioner.kappa(x), mask)
        mine, shown = self._seen(encoded), self._seen(self._shown)
        if self.absorbing is not None:
            mine = torch.cat([mine, self._absorbed(len(mine))])
            mask = torch.cat([mask, mask & self._terminated(rollout)])
            shown = torch.cat([shown, self._absorbed(self._ends)])
        for _ in range(self.n_epochs):
            metrics |= self.adversary.learn(mine, shown, mask)
        # Of 0.5 each they can't be told apart.
        metrics["d_learner"] = _mean(self.adversary.logits(mine).sigmoid(), mask)
        metrics["d_shown"] = self.adversary.logits(shown).sigmoid().mean()
        return metrics

    def _keep(self, shown: Rollout, every: int) -> None:
        """Keeps steps of the demonstrations, and begins the moments with them."""
        encoded, mask = self._encoded(shown)
        kept = mask & (torch.arange(shown.num_steps, device=self.device) % every == 0).repeat_interleave(shown.num_envs)
        self.features.observe(encoded, kept)
        self._shown = {name: column[kept] for name, column in encoded.items()}
        self._ends = int((self._terminated(shown) & mask).sum())

    def _encoded(self, rollout: Rollout) -> tuple[dict[str, Tensor], Tensor]:
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        return self.features.encode(rollout, self._columns), mask

    def _terminated(self, rollout: Rollout) -> Tensor:
        return torch.as_tensor(rollout.terminated, device=self.device).ravel()

    def _seen(self, encoded: Mapping[str, Tensor]) -> Tensor:
        """What D sees of steps, ``(N, inputs)``: with ``absorbing``, a last number says that it is one."""
        rows = self.features.joined(encoded, self._sees)
        return rows if self.absorbing is None else nn.functional.pad(rows, (0, 1))

    def _absorbed(self, count: int) -> Tensor:
        """What D sees of the state behind a termination, ``(count, inputs)``."""
        rows = torch.zeros(count, self.features.width(self._sees) + 1, dtype=torch.float32, device=self.device)
        rows[:, -1] = 1
        return rows


def reward_of(logit: Tensor, form: Form) -> Tensor:
    """The reward of ``logit = log D - log(1 - D)``, any shape. It rises with D in each form.

    >>> [reward_of(torch.zeros(()), form).item() for form in FORMS]  # D = 0.5
    [0.6931471824645996, -0.6931471824645996, 0.0]
    """
    if form == "-log(1-D)":
        return nn.functional.softplus(logit)
    return nn.functional.logsigmoid(logit) if form == "log D" else logit


def _mean(rows: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, rows, 0).sum() / mask.sum().clamp(min=1)
