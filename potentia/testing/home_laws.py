"""The laws of where a shaper is used: arrays and tensors, modes of PyTorch, processes, drivers."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch

from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case, learn
from potentia.testing.compare import Results, as_tensors, check_equal, check_untouched, columns_of, results, terms
from potentia.testing.scope_laws import check_form
from potentia.testing.second_process import call_elsewhere


def backends(case: Case) -> None:
    """NumPy and PyTorch (and CUDA, where there is one) give the same numbers, of one kind. Tensors stay as they are."""
    rollout = case.rollout(case.rng())
    want, shaper = terms(case.trained(), rollout), case.trained()
    learn(shaper, rollout)
    learned = terms(shaper, rollout)
    for device in ["cpu"] + (["cuda"] if torch.cuda.is_available() else []):
        for dtype in (torch.float64, torch.float32):
            shaper, tensors = case.trained(), as_tensors(rollout, device, dtype)
            before = copy.deepcopy(tensors)
            try:
                shaped, _ = shaper.shape(tensors, shaper.init(rollout.num_envs))
                learn(shaper, shaped)
            except Exception as error:
                raise AssertionError(_no_tensors(shaper, device, error)) from error
            check_form(shaper, tensors, shaped)
            check_untouched(before, tensors, f"the tensors ({device}) given to shape or update were written into")
            if dtype == torch.float64:
                check_equal(want, results(shaped), f"numpy and torch ({device}) differ")
                check_equal(learned, terms(shaper, rollout), f"learning from torch ({device}) and from numpy differ")


def _no_tensors(shaper: Shaper, device: str, error: Exception) -> str:
    return (
        f"it takes no tensors ({device}): {type(error).__name__}: {error}; of the columns that it reads "
        f"({columns_of(shaper)}), read those that NumPy needs by potentia.arrays.host_array, and return the term by "
        "potentia.arrays.like_column(values, rollout.discount)"
    )


def surroundings(case: Case) -> None:
    """It changes nothing that a process shares (seeds, modes, default dtype), and works under any mode of PyTorch."""
    with left_as_it_was():
        want = _ledger(case, _MODES["torch.enable_grad()"])
        for name, mode in _MODES.items():
            try:
                got = _ledger(case, mode)
            except AssertionError:
                raise
            except Exception as error:
                problem = f"under {name} it raises {type(error).__name__}: {error}; {_ADVICE}"
                raise AssertionError(problem) from error
            check_equal(want, got, f"under {name} it gives other numbers; {_ADVICE}")


_ADVICE = (
    "learn under torch.inference_mode(False) and torch.enable_grad(), score under torch.no_grad(), and name the dtype "
    "of what is made"
)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


_MODES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "torch.enable_grad()": torch.enable_grad,
    "torch.no_grad()": torch.no_grad,
    "torch.inference_mode()": torch.inference_mode,
    "torch.set_default_dtype(torch.float64)": lambda: _default_dtype(torch.float64),
}


def _ledger(case: Case, mode: Callable[[], AbstractContextManager[Any]]) -> Results:
    """What it makes of tensors that are made, shaped and learned from under a mode, and after it."""
    shaper, rng = case.trained(), case.rng()
    first, second = case.rollout(rng), case.rollout(rng)
    with mode():
        inside = as_tensors(first)
        with _nothing_shared("shape"):
            shaped, carry = shaper.shape(inside, shaper.init(inside.num_envs))
        with _nothing_shared("update"):
            learn(shaper, shaped)
    again, carry = shaper.shape(as_tensors(second), carry)
    learn(shaper, inside)
    with mode():
        learn(shaper, as_tensors(second))
        last, _ = shaper.shape(as_tensors(first), carry)
    with _nothing_shared("state_dict"):
        state = shaper.state_dict()
    with _nothing_shared("load_state_dict"):
        shaper.load_state_dict(state)
    parts = {"before": results(shaped), "after": results(again), "again": results(last)}
    return {f"{name} {when}": column for when, part in parts.items() for name, column in part.items()}


@contextmanager
def left_as_it_was() -> Iterator[None]:
    """What a process shares is the same after this as before it, whatever a shaper does."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state(), np.geterr()  # noqa: NPY002
    grad, inference, dtype = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        np.seterr(**states[3])
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad or inference)


@contextmanager
def _nothing_shared(verb: str) -> Iterator[None]:
    """Raises ``AssertionError`` if something that the whole process shares changes meanwhile."""
    random.seed(867)  # as nobody would, so that who seeds anew is seen
    np.random.seed(867)  # noqa: NPY002
    torch.manual_seed(867)
    with np.errstate(under="print"):
        before = _shared()
        yield
        changed = [name for name, value in _shared().items() if value != before[name]]
    assert not changed, f"{verb} changed {', '.join(changed)}, which others share: draw from generators of your own"


def _shared() -> dict[str, Any]:
    numbers: Any = np.random.get_state()  # noqa: NPY002
    return {
        "the seed of random": random.getstate(),
        "the seed of numpy.random": (numbers[1].tobytes(), numbers[2:]),
        "the seed of PyTorch": torch.get_rng_state().numpy().tobytes(),
        "PyTorch's grad mode": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "PyTorch's default dtype": torch.get_default_dtype(),
        "PyTorch's number of threads": torch.get_num_threads(),
        "PyTorch's deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "NumPy's handling of errors": np.geterr(),
        "the working directory": os.getcwd(),
        "the variables of the environment": dict(os.environ),
    }


def processes(case: Case) -> None:
    """Another process, in which texts have other hashes, comes to the same numbers."""
    message = "another process gives other numbers: there hash() of a text is another, as is the order of a set"
    check_equal(in_this_process(case), call_elsewhere(in_this_process, case), message)


def in_this_process(case: Case) -> Results:
    """What a shaper makes of a rollout, before and after it learns."""
    shaper, rng = case.taught(), case.rng()
    rollout = case.rollout(rng)
    fresh = terms(case.make(), rollout)
    return {f"{name}, fresh": column for name, column in fresh.items()} | terms(shaper, rollout)
