"""What can be named in a study, and what it says of itself, read from source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def shapers() -> dict[str, str]:
    """Every shaper by name: its docstring, or the package that offers it."""
    return _classes("potentia.shaping", "Shaper") | _offered("potentia.shapers")


def learners() -> dict[str, str]:
    """Every learner by the name that a study gives it: its docstring, and those of its configuration."""
    texts = {}
    for name, where in _learner_classes():
        module, _, attribute = where.partition(":")
        classes = [_find_class(module, attribute), *_configurations(module, f"{attribute}Config")]
        texts[name] = "\n\n".join(_text(found[1]) for found in classes if found)
    return texts | _offered("potentia.learners")


def _configurations(module: str, name: str) -> list[tuple[str, ast.ClassDef]]:
    """A configuration and those that it derives from."""
    found = _find_class(module, name)
    if found is None:
        return []
    bases = [base.id for base in found[1].bases if isinstance(base, ast.Name)]
    return [found, *(part for base in bases for part in _configurations(found[0], base))]


def judges() -> dict[str, str]:
    """Every judge by name: its docstring, or the package that offers it."""
    return _classes("potentia.judges", "Judge") | _offered("potentia.judges")


def _classes(package: str, base: str) -> dict[str, str]:
    """The docstrings of the classes that a package exports and that derive from one of this name."""
    own = {name: found for name in _imports(package) if (found := _find_class(package, name))}
    return {name: _text(node) for name, (module, node) in own.items() if _derives(module, node, base)}


def _offered(group: str) -> dict[str, str]:
    points = entry_points(group=group)
    return {point.name: f"(of {point.dist.name if point.dist else point.value})" for point in points}


def _learner_classes() -> Iterator[tuple[str, str]]:
    """The names and places in ``potentia.study.learners``: the one mapping of texts to texts ``module:name`` there."""
    for node in ast.walk(_tree("potentia.study.learners")):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant) and ":" in str(value.value):
                    yield str(key.value), str(value.value)


def _text(node: ast.ClassDef | ast.FunctionDef) -> str:
    return ast.get_docstring(node) or ""


@cache
def _tree(module: str) -> ast.Module:
    path = _ROOT.parent.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text("utf-8"))


@cache
def _imports(module: str) -> dict[str, tuple[str, str]]:
    """The names that a module imports from this package: each with its module and its name there."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("potentia.")
        for alias in node.names
    }


def _find_class(module: str, name: str) -> tuple[str, ast.ClassDef] | None:
    """A class, in the module that defines it. The result is None if the name is something else."""
    for node in _tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
    found = _imports(module).get(name)
    return _find_class(*found) if found else None


def _derives(module: str, node: ast.ClassDef, base: str) -> bool:
    bases = [one.id for one in node.bases if isinstance(one, ast.Name)]
    if base in bases:
        return True
    parents = [found for one in bases if (found := _find_class(module, one))]
    return any(_derives(*parent, base) for parent in parents)
