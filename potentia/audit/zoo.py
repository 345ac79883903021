"""RL-Zoo's files of settings: which wrappers they put around a world, and what the learner does with the reward."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from potentia.audit.named_layers import DEFAULT_GAMMA, layer_named
from potentia.shaping.fit import Finding
from potentia.wrappers.layers import Layer, Learner, cut_is_an_end, findings_of, relabelled

_OFF_POLICY = frozenset({"buffer_size", "learning_starts", "replay_buffer_class", "replay_buffer_kwargs"})
"""Settings that only learners with a replay have."""
_KNOWN = frozenset({"n_timesteps", "policy", "normalize", "env_wrapper", "vec_env_wrapper", "n_envs"})
"""Settings by which a file of RL-Zoo is known."""


def is_zoo(path: Path) -> bool:
    """Whether a YAML file holds RL-Zoo's settings: worlds by name, each with settings of its own.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is not YAML.
    """
    return any(_KNOWN.intersection(key.value for key, _ in settings.value) for _, settings in _worlds(path))


def read_zoo(path: Path, *, gamma: float | None = None) -> list[Finding]:
    """What is wrong in a file of RL-Zoo's settings, with its lines.

    The rules are those of `potentia.testing.check_stack` and `potentia.agents.sb3.check_stack`, for the stack that
    RL-Zoo makes: a Monitor, then ``env_wrapper`` in the order of its list, ``vec_env_wrapper``, and ``VecNormalize``
    if ``normalize`` says so, with the learner's gamma.

    Args:
        path: The file.
        gamma: The learner's discount factor, if it is another than the file says.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is not YAML.
    """
    return list(
        dict.fromkeys(finding for world, node in _worlds(path) for finding in _of_world(world, node, path.name, gamma))
    )


def _worlds(path: Path) -> Iterator[tuple[str, yaml.MappingNode]]:
    try:
        tree = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: it is not YAML: {' '.join(str(error).split())}") from error
    if isinstance(tree, yaml.MappingNode):
        for key, node in tree.value:
            if isinstance(node, yaml.MappingNode):
                yield str(key.value), node


def _of_world(world: str, node: yaml.MappingNode, file: str, gamma: float | None) -> Iterator[Finding]:
    settings = {key.value: value for key, value in node.value if key.value != "<<"}
    for key, merged in node.value:  # <<: *defaults, which the keys beside it override
        if key.value == "<<" and isinstance(merged, yaml.MappingNode):
            settings = {inner.value: value for inner, value in merged.value} | settings
    values = {name: _value(value) for name, value in settings.items()}
    discount = gamma if gamma is not None else _number(values.get("gamma"), DEFAULT_GAMMA)
    layers = [Layer("Monitor", "reports")]
    for name in ("env_wrapper", "vec_env_wrapper"):
        layers += _wrappers(settings.get(name), file)
    layers += _normalizing(values.get("normalize"), settings, discount, file)
    stores = "an off-policy learner" if _OFF_POLICY.intersection(values) else ""
    found = findings_of(layers[::-1], Learner(discount, "bootstrap", stores))
    for finding in (*found, *_of_replay(settings, values, layers, file)):
        yield replace(finding, place=f"{finding.place or file} ({world})")


def _value(node: yaml.Node) -> Any:
    """What a node says. A text that is a Python literal or ``dict(...)`` is that, as RL-Zoo takes it."""
    value = yaml.SafeLoader("").construct_object(node, deep=True)
    if not isinstance(value, str):
        return value
    try:
        tree = ast.parse(value, mode="eval").body
        if isinstance(tree, ast.Call) and ast.unparse(tree.func) == "dict":
            return {word.arg: _literal(word.value) for word in tree.keywords}
        return ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return value


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def _number(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise


def _wrappers(node: yaml.Node | None, file: str) -> list[Layer]:
    """The wrappers of an entry, innermost first: a name, a name with arguments, or a list of these."""
    if node is None:
        return []
    entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
    layers = []
    for entry in entries:
        pairs = entry.value if isinstance(entry, yaml.MappingNode) else [(entry, None)]
        for name, arguments in pairs:
            layer = layer_named(str(name.value), place=f"{file}:{name.start_mark.line + 1}")
            if layer is not None:
                given = {} if arguments is None else _value(arguments) or {}
                layers.append(_with_arguments(layer, given))
    return layers


def _with_arguments(layer: Layer, given: Any) -> Layer:
    if not isinstance(given, dict):
        return layer
    if isinstance(given.get("gamma"), int | float):
        layer = replace(layer, gamma=float(given["gamma"]))
    if layer.tells:  # ours, whose shaper is data here
        shaper = str(given.get("shaper", ""))
        layer = replace(layer, invariant=any(word in shaper for word in ("Potential", "Advice", "Machine", "LTL")))
        layer = replace(layer, truncation=given.get("truncation", "bootstrap"))
    return layer


def _normalizing(value: Any, settings: dict[str, yaml.Node], gamma: float, file: str) -> list[Layer]:
    """``VecNormalize`` with the learner's gamma, if it is asked for and not for observations alone."""
    if not value or (isinstance(value, dict) and value.get("norm_reward") is False):
        return []
    return [Layer("VecNormalize", "changes", gamma=gamma, place=f"{file}:{settings['normalize'].start_mark.line + 1}")]


def _of_replay(
    settings: dict[str, yaml.Node], values: dict[str, Any], layers: list[Layer], file: str
) -> Iterator[Finding]:
    """What a replay does to a shaping, or to any reward at a cut."""
    shaping = next((layer for layer in layers if layer.role == "shapes"), None)
    if shaping is not None and "HerReplayBuffer" in str(values.get("replay_buffer_class")):
        place = f"{file}:{settings['replay_buffer_class'].start_mark.line + 1}"
        yield replace(relabelled(shaping.name), place=place)
    kwargs = values.get("replay_buffer_kwargs")
    if isinstance(kwargs, dict) and kwargs.get("handle_timeout_termination") is False:
        place = f"{file}:{settings['replay_buffer_kwargs'].start_mark.line + 1}"
        yield replace(cut_is_an_end("an off-policy learner"), place=place)
