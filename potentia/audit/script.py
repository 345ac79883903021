"""A training script as a tree: which wrappers it puts around which, and what its settings are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from potentia.audit.named_layers import DEFAULT_GAMMA, call_name, layer_named
from potentia.wrappers.layers import Layer
from potentia.wrappers.own_step import read_definition

OFF_POLICY = ("DQN", "QRDQN", "SAC", "TD3", "DDPG", "TQC", "CrossQ")
MODELS = (*OFF_POLICY, "PPO", "A2C", "RecurrentPPO", "MaskablePPO", "TRPO", "ARS")
"""The learners of Stable-Baselines3 and sb3-contrib."""

_VECTORS = ("SyncVectorEnv", "AsyncVectorEnv", "DummyVecEnv", "SubprocVecEnv", "make_vec_env")


class Script:
    """A script's tree, what its names mean, and the stacks of wrappers that it makes.

    Args:
        tree: The module.
        file: Its name, for places.
        gamma: The learner's discount factor. None if it is what the script says.

    Attributes:
        nodes: All that has a line, in order.
        calls: Those that are calls.
        models: Those that make a model of Stable-Baselines3.
        gamma: The learner's discount factor, or None.
    """

    def __init__(self, tree: ast.Module, file: str, gamma: float | None) -> None:
        self.tree, self.file = tree, file
        nodes: list[Any] = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
        nodes.sort(key=lambda node: (node.lineno, node.col_offset))
        self.nodes: list[ast.AST] = nodes
        self.functions = {node.name: node for node in self.nodes if isinstance(node, ast.FunctionDef)}
        self.classes = {node.name: node for node in self.nodes if isinstance(node, ast.ClassDef)}
        self.calls = [node for node in self.nodes if isinstance(node, ast.Call)]
        self.imports = dict(_imports(self.nodes))
        self.settings = dict(_settings(self.nodes))
        self.models = [call for call in self.calls if call_name(call) in MODELS and call_name(call) in self.imports]
        self.gamma = gamma if gamma is not None else self._gamma_of_learner()
        self._stacks: dict[tuple[Layer, ...], None] = {}
        self._variables: dict[str, tuple[Layer, ...]] = {}
        self._open: set[str] = set()
        self._run(tree.body)
        for function in self.functions.values():
            self._made_by(function)

    @property
    def stacks(self) -> list[tuple[Layer, ...]]:
        """The whole stacks, outermost wrapper first."""
        return [stack for stack in self._stacks if not any(_is_inside(stack, other) for other in self._stacks)]

    @property
    def packages(self) -> set[str]:
        """The packages that it imports."""
        return {dotted.partition(".")[0] for dotted in self.imports.values()}

    def at(self, node: ast.AST) -> str:
        """The place of a node."""
        return f"{self.file}:{getattr(node, 'lineno', 0)}"

    def _gamma_of_learner(self) -> float | None:
        for call in self.models:
            given = next((word.value for word in call.keywords if word.arg == "gamma"), None)
            if not any(word.arg is None for word in call.keywords):  # **settings may hold it
                return DEFAULT_GAMMA if given is None else self._number(given)
        return self.settings.get("gamma")

    def _number(self, node: ast.expr) -> float | None:
        """A number, or a setting by the last part of its name: ``args.gamma``, ``GAMMA``."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        return self.settings.get(name.lower())

    def _run(self, body: list[ast.stmt]) -> tuple[Layer, ...]:
        """Follows the assignments of a body in order. Returns the stack of what it returns."""
        returned: tuple[Layer, ...] = ()
        for node in _own_statements(body):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._variables[node.targets[0].id] = self.stack(node.value)
            elif isinstance(node, ast.Return) and node.value is not None:
                returned = self.stack(node.value) or returned
            elif isinstance(node, ast.Expr):
                self.stack(node.value)
        return returned

    def _made_by(self, function: ast.FunctionDef) -> tuple[Layer, ...]:
        """The stack of what a function makes."""
        if function.name in self._open:
            return ()
        self._open.add(function.name)
        outer, self._variables = self._variables, dict(self._variables)
        made = self._run(function.body)
        self._variables = outer
        self._open.discard(function.name)
        return made

    def stack(self, node: ast.expr) -> tuple[Layer, ...]:
        """The wrappers of an expression, outermost first."""
        if isinstance(node, ast.Name):
            function = self.functions.get(node.id)
            return self._variables.get(node.id) or (self._made_by(function) if function is not None else ())
        if isinstance(node, ast.Lambda):
            return self.stack(node.body)
        if isinstance(node, ast.List | ast.Tuple):
            return next((stack for part in node.elts if (stack := self.stack(part))), ())
        if isinstance(node, ast.ListComp):
            return self.stack(node.elt)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):  # [make] * 8
            return self.stack(node.left)
        return self._called(node) if isinstance(node, ast.Call) else ()

    def _called(self, call: ast.Call) -> tuple[Layer, ...]:
        name = call_name(call)
        if isinstance(call.func, ast.Name) and name in self.functions:
            return self._made_by(self.functions[name])
        inside = call.args[0] if call.args else next((w.value for w in call.keywords if w.arg in ("env", "venv")), None)
        if inside is None:
            return ()
        if name in _VECTORS:
            return self.stack(inside)
        layer = self._layer(call)
        if layer is None:
            return ()
        stack = (layer, *self.stack(inside))
        self._stacks[stack] = None
        return stack

    def _layer(self, call: ast.Call) -> Layer | None:
        """What a call puts around an environment, or None if it is no wrapper."""
        name, place = call_name(call), self.at(call)
        if name in self.classes:
            layer = self._own_layer(self.classes[name], place)
        else:
            layer = layer_named(self._dotted(call.func), call, place)
        given = next((word.value for word in call.keywords if word.arg == "gamma"), None)
        return layer if layer is None or given is None else replace(layer, gamma=self._number(given))

    def _own_layer(self, definition: ast.ClassDef, place: str) -> Layer | None:
        bases = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in definition.bases]
        if not any(base.endswith("Wrapper") for base in bases):
            return None
        own = read_definition(definition)
        if own.potential:
            place = f"{self.file}:{own.line}"
            return Layer(definition.name, "shapes", True, discounted=own.discounted, sees_end=own.sees_end, place=place)
        if own.changes or any("Reward" in base for base in bases):
            return Layer(definition.name, "changes", place=place)
        passes = any(base.startswith(("Observation", "Action")) for base in bases)
        return Layer(definition.name, "passes" if passes else "steps", place=place)

    def _dotted(self, node: ast.expr) -> str:
        """The whole name of a class: ``gym.wrappers.X`` with what ``gym`` was imported as."""
        head, *rest = ast.unparse(node).split(".")
        return ".".join([self.imports.get(head, head), *rest])


def _own_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body in order, those of its branches too, without those of functions and classes inside."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from _own_statements(getattr(node, part, []))


def _imports(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """What each imported name stands for."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                yield name, alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"


def _settings(nodes: list[ast.AST]) -> Iterator[tuple[str, float]]:
    """Numbers by their names in small letters: fields of classes, constants, defaults of arguments and options."""
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield from _setting(node.target.id, node.value)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield from _setting(node.targets[0].id, node.value)
        elif isinstance(node, ast.Call) and call_name(node) == "add_argument" and node.args:
            option = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            default = next((word.value for word in node.keywords if word.arg == "default"), None)
            yield from _setting(str(option).lstrip("-").replace("-", "_"), default)


def _setting(name: str, value: ast.expr | None) -> Iterator[tuple[str, float]]:
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        yield name.lower(), float(value.value)


def _is_inside(stack: tuple[Layer, ...], other: tuple[Layer, ...]) -> bool:
    return len(stack) < len(other) and other[-len(stack) :] == stack
