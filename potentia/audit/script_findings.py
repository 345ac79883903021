"""A training script, read and not run: the order of its wrappers, its discounts, and what it does at an end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from potentia.audit.named_layers import call_name
from potentia.audit.script import OFF_POLICY, Script
from potentia.shaping.fit import Finding
from potentia.wrappers.layers import Learner, evaluation_findings, findings_of

_EVALUATES = ("evaluate_policy", "EvalCallback", "MaskableEvalCallback")
_FINAL = ("final_obs", "final_observation", "terminal_observation")
_BONUS = re.compile(r"intrinsic|bonus|curios|novelty|shaping|r_int", re.IGNORECASE)
_ADVANTAGES = re.compile(r"advantage|^advs?$|^returns$", re.IGNORECASE)
_DONE = re.compile(r"done|terminal", re.IGNORECASE)
_REPLAY = re.compile(r"^rb$|replay|buffer|memory", re.IGNORECASE)
_STORED = 5
"""What is stored of a transition: observation, next one, action, reward, whether it ended."""


def read_script(path: Path, *, gamma: float | None = None) -> list[Finding]:
    """What is wrong in a training script, with its lines.

    - The rules of `potentia.testing.check_stack`, for wrappers in assignments such as ``env = ClipReward(env)``, in
      functions that make environments, and for wrappers that the script defines itself.
    - ``truncation``: terminations and truncations are merged, and that stops the next value. It is severe where a
      shaping counts on the next value.
    - ``final_obs``: a replay stores next observations, and nothing reads the last one of an episode; or it is read by
      the name that it had before Gymnasium 1.0.
    - ``late``: a bonus is added to advantages, so that no step before it gets credit for it.
    - ``evaluation``: a policy is evaluated on a changed reward.

    Args:
        path: The script.
        gamma: The learner's discount factor, if it is another than the script says.

    Raises:
        OSError: If it can't be read.
        ValueError: If it is not Python.
    """
    try:
        tree = ast.parse(path.read_text("utf-8"), str(path))
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: it is not Python: {error}") from error
    script = Script(tree, path.name, gamma)
    rules = (_stacks, _replays, _late, _evaluations)
    return list(dict.fromkeys(finding for rule in rules for finding in rule(script)))


def _stacks(script: Script) -> Iterator[Finding]:
    """The order of the wrappers, and what the learner does with them at a cut."""
    cut = _cut(script)
    stores = next((call_name(call) for call in script.models if call_name(call) in OFF_POLICY), "")
    shapes = [layer for stack in script.stacks for layer in stack if layer.role == "shapes"]
    for stack in script.stacks:
        yield from findings_of(stack, Learner(script.gamma, None if cut is None else "terminal", stores))
    if cut is not None and not any(layer.truncation is not None for layer in shapes):  # else it is compared
        yield replace(cut, severe=bool(shapes))


def _cut(script: Script) -> Finding | None:
    """Whether a cut stops the next value: flags are merged and subtracted from 1, and no last observation is read."""
    merged = next((node for node in script.nodes if isinstance(node, ast.Assign) and _merges(node.value)), None)
    names = _holding_merged(script)
    stop = next((node for node in script.nodes if isinstance(node, ast.expr) and _stops(node, names)), None)
    if merged is None or stop is None or _reads_final(script):
        return None
    return Finding(
        "truncation",
        f"line {merged.lineno} merges terminated and truncated, and so a cut by a limit stops the next value as if the "
        "task had ended",
        "keep both, and where truncated use the value of the last observation, info['final_obs']",
        place=script.at(stop),
    )


def _merges(node: ast.expr) -> bool:
    """Whether it is ``terminated or truncated`` in any notation."""
    if isinstance(node, ast.Call) and call_name(node) in ("logical_or", "bitwise_or", "maximum"):
        sides: list[ast.expr] = node.args
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.Add):
        sides = [node.left, node.right]
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        sides = node.values
    elif isinstance(node, ast.Call) and node.args:  # np.array(terminated | truncated)
        return any(_merges(part) for part in node.args)
    else:
        return False
    words = [" ".join(_words(side)).lower() for side in sides]
    return any("term" in word for word in words) and any("trunc" in word for word in words)


def _holding_merged(script: Script) -> set[str]:
    """The names of what holds merged flags: those they were assigned to, and those that were assigned from them."""
    assigned = [node for node in script.nodes if isinstance(node, ast.Assign)]
    holding: set[str] = set()
    for _ in range(3):  # next_done -> dones -> a tensor of them
        for node in assigned:
            if _merges(node.value) or holding.intersection(_words(node.value)):
                holding.update(word for target in node.targets for word in _words(target) if _DONE.search(word))
    return holding


def _stops(node: ast.expr, names: set[str]) -> bool:
    """Whether it is ``1 - done``, or ``~done`` times something."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        one = isinstance(node.left, ast.Constant) and node.left.value == 1
        return one and not names.isdisjoint(_words(node.right))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        inverted = (side for side in (node.left, node.right) if isinstance(side, ast.UnaryOp))
        return any(not names.isdisjoint(_words(side)) for side in inverted)
    return False


def _words(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        word = getattr(part, "id", None) or getattr(part, "attr", None)
        if isinstance(word, str):
            yield word


def _reads_final(script: Script) -> bool:
    return any(isinstance(node, ast.Constant) and node.value in _FINAL for node in script.nodes)


def _replays(script: Script) -> Iterator[Finding]:
    """What is stored of the last step of an episode."""
    for node in script.nodes:
        if isinstance(node, ast.Constant) and node.value == "final_observation" and "gymnasium" in script.packages:
            problem = "since Gymnasium 1.0 info has no 'final_observation', so that no last observation is found"
            advice = "read 'final_obs', and make the vector with AutoresetMode.SAME_STEP"
            yield Finding("final_obs", problem, advice, severe=False, place=script.at(node))
            break
    vectors = any(call_name(call) in ("SyncVectorEnv", "AsyncVectorEnv", "make_vec") for call in script.calls)
    merged = _holding_merged(script)
    for call in script.calls:
        if not _stores(call):
            continue
        if vectors and not _reads_final(script):
            problem = (
                "a replay stores next observations of environments that start anew by themselves, and nothing reads"
            )
            advice = "store info['final_obs'] where an episode ended, and not a step that merely resets"
            yield Finding("final_obs", f"{problem} the last one of an episode", advice, place=script.at(call))
        if any(isinstance(part, ast.Name) and part.id in merged for part in call.args):
            problem = "a replay stores terminated and truncated merged, so that a cut is learned as an end"
            yield Finding("truncation", problem, "store terminated alone", severe=False, place=script.at(call))


def _stores(call: ast.Call) -> bool:
    """Whether it adds a transition to a replay."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("add", "push", "append", "store"):
        return False
    named = any(_REPLAY.search(word) for word in _words(call.func.value))
    count = len(call.args[0].elts) if call.args and isinstance(call.args[0], ast.Tuple) else len(call.args)
    return named and count + len(call.keywords) >= _STORED


def _late(script: Script) -> Iterator[Finding]:
    """A bonus that joins the advantages after they were computed."""
    for node in script.nodes:
        target: ast.expr
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            target, added = node.target, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Add):
            target, added = node.targets[0], node.value
        else:
            continue
        word = ast.unparse(target).partition("[")[0].rpartition(".")[2]
        bonus = [name for name in _words(added) if _BONUS.search(name) and not _ADVANTAGES.search(name)]
        if _ADVANTAGES.search(word) and not _BONUS.search(word) and bonus:
            problem = f"{bonus[0]} is added to {word}, so that no step before it gets credit for it"
            advice = "add it to the rewards, before the advantages are computed"
            yield Finding("late", problem, advice, place=script.at(node))


def _evaluations(script: Script) -> Iterator[Finding]:
    """Environments for evaluation whose statistics, if any, stand outside of what changes the reward."""
    for call in script.calls:
        name = call_name(call)
        if name not in _EVALUATES:
            continue
        place = 1 if name == "evaluate_policy" else 0
        named = next((word.value for word in call.keywords if word.arg in ("env", "eval_env")), None)
        env = named if named is not None else call.args[place] if len(call.args) > place else None
        for finding in evaluation_findings([script.stack(env)] if env is not None else []):
            yield replace(finding, place=script.at(call))
