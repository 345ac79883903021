"""What somebody's own wrapper does to the reward, read from its source without running it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

_POTENTIAL = re.compile(r"phi|potential", re.IGNORECASE)
_LIBRARIES = ("np.", "numpy.", "torch.", "th.", "math.", "jnp.")
_CASTS = ("float", "float32", "float64", "asarray", "array", "item")
_PARTS = 4
"""What ``step`` returns at least: the second part is the reward, the third whether the episode ended."""


@dataclass(frozen=True)
class OwnStep:
    """What was read of a ``step`` or a ``reward``.

    Attributes:
        changes: It returns another reward than the one inside.
        potential: It adds the difference of a potential: two values of one function, or of things so called.
        discounted: The later of the two is multiplied by something, as by gamma.
        sees_end: It asks whether the episode terminated.
        line: Of the difference, or of the change. 0 if there is none.
    """

    changes: bool = False
    potential: bool = False
    discounted: bool = False
    sees_end: bool = False
    line: int = 0


@cache
def read_class(kind: type) -> OwnStep:
    """What a class's own ``step``, ``step_wait`` or ``reward`` does. Of one without source nothing is known."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):
        return OwnStep()
    return read_definition(tree.body[0]) if isinstance(tree.body[0], ast.ClassDef) else OwnStep()


def read_definition(definition: ast.ClassDef) -> OwnStep:
    """The same of a class in a file."""
    methods = {node.name: node for node in definition.body if isinstance(node, ast.FunctionDef)}
    for name in ("step", "step_wait"):
        if name in methods:
            return _read_step(methods[name])
    if "reward" in methods:
        line, potential, discounted = _difference([methods["reward"]], _bound(methods["reward"], ""))
        return OwnStep(True, potential, discounted, False, line or methods["reward"].lineno)
    return OwnStep()


def _read_step(step: ast.FunctionDef) -> OwnStep:
    reward, terminated = _names(step)
    edits = list(_edits(step, reward))
    if not edits:
        return OwnStep()
    line, potential, discounted = _difference(edits, _bound(step, reward))
    return OwnStep(True, potential, discounted, _is_asked(step, terminated), line or edits[0].lineno)


def _names(step: ast.FunctionDef) -> tuple[str, str]:
    """What it calls the reward inside and the flag of termination. Empty where it does not name them."""
    for node in ast.walk(step):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Tuple):
            called = node.value.func
            parts = node.targets[0].elts
            names = [part.id if isinstance(part, ast.Name) else "" for part in parts]
            if isinstance(called, ast.Attribute) and called.attr in ("step", "step_wait") and len(names) > 2:
                return names[1], names[2]
    return "", ""


def _edits(step: ast.FunctionDef, reward: str) -> Iterator[ast.stmt]:
    """The statements that make another reward of it."""
    if not reward:
        return
    for node in ast.walk(step):
        if isinstance(node, ast.AugAssign) and _is(node.target, reward):
            yield node
        elif isinstance(node, ast.Assign) and any(_is(target, reward) for target in node.targets):
            if not _passes_on(node.value, reward):
                yield node
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            parts = node.value.elts
            if len(parts) >= _PARTS and not _passes_on(parts[1], reward):
                yield node


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _passes_on(node: ast.expr, reward: str) -> bool:
    """Whether an expression is the reward itself, or that as another type."""
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        inner = node.args[0] if node.args else called.value if isinstance(called, ast.Attribute) else None
        return name in _CASTS and inner is not None and _passes_on(inner, reward)
    return _is(node, reward)


def _bound(step: ast.FunctionDef, reward: str) -> dict[str, ast.expr]:
    """What names other than the reward's stand for: ``ahead = 0 if terminated else self.potential(obs)``."""
    return {
        target.id: node.value
        for node in ast.walk(step)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id != reward
    }


def _difference(nodes: Sequence[ast.AST], bound: Mapping[str, ast.expr]) -> tuple[int, bool, bool]:
    """The line of the first difference of a potential, whether there is one, and whether it is discounted."""
    for root in nodes:
        for node in _parts(root, bound):
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
                continue
            left, right = list(_parts(node.left, bound)), list(_parts(node.right, bound))
            if _calls(left) & _calls(right) or all(any(map(_POTENTIAL.search, _words(side))) for side in (left, right)):
                times = any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult) for part in left)
                return node.lineno, True, times
    return 0, False, False


def _parts(root: ast.AST, bound: Mapping[str, ast.expr]) -> Iterator[ast.AST]:
    """The parts of an expression, and those of what its names stand for."""
    seen: set[str] = set()
    waiting = [root]
    while waiting:
        for node in ast.walk(waiting.pop()):
            yield node
            if isinstance(node, ast.Name) and node.id in bound and node.id not in seen:
                seen.add(node.id)
                waiting.append(bound[node.id])


def _calls(parts: Sequence[ast.AST]) -> set[str]:
    """The functions that are called with something, other than those of any arithmetic."""
    names = {ast.unparse(part.func) for part in parts if isinstance(part, ast.Call) and part.args}
    return {name for name in names if name not in _CASTS and not name.startswith(_LIBRARIES)}


def _words(parts: Sequence[ast.AST]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def _is_asked(step: ast.FunctionDef, terminated: str) -> bool:
    """Whether the flag is read other than to be returned."""
    returned = {
        id(part)
        for node in ast.walk(step)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        for part in node.value.elts
    }
    read = (node for node in ast.walk(step) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return any(node.id == terminated and id(node) not in returned for node in read)
