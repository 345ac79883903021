"""Actions as text: what is read, what is refused, and that both ways are one."""

from __future__ import annotations

import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potentia.envs.action_text import ActionCall, format_action, parse_action

ARGUMENTS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(st.characters(exclude_categories=["Cs"]))
)
CALLS = st.builds(ActionCall, st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.lists(ARGUMENTS).map(tuple))


@given(CALLS)
def test_what_is_written_is_read_back_with_the_same_types(call: ActionCall) -> None:
    again = parse_action(format_action(call))
    assert again == call
    assert [type(argument) for argument in again.arguments] == [type(argument) for argument in call.arguments]


@given(st.text())
def test_any_text_is_read_or_refused_with_a_value_error(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            call = parse_action(text)
        except ValueError:
            return
    assert parse_action(format_action(call)) == call


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("noop()", "noop", ()),
        ("click(3)", "click", (3,)),
        ('fill(3, "red shoes")', "fill", (3, "red shoes")),
        ("click_at(120, 45.5)", "click_at", (120, 45.5)),
        ("  drag ( 3 ,-7 )\n", "drag", (3, -7)),
        (r'answer("a \"b\", (c) \u00e9 \n")', "answer", ('a "b", (c) é \n',)),
        ('fill(0, "")', "fill", (0, "")),
    ],
)
def test_what_is_read(text: str, name: str, arguments: tuple[object, ...]) -> None:
    assert parse_action(text) == ActionCall(name, arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not start with a name"),
        ("Click(3)", "does not start with a name"),
        ("click", r"'\(' must follow the name 'click'"),
        ("click 3", r"'\(' must follow"),
        ("click(3", r"',' or '\)' must follow argument 1"),
        ("click(", "must be a number or a text"),
        ("click(3,)", "must be a number or a text"),
        ("click(,3)", "must be a number or a text"),
        ("click(3 4)", r"',' or '\)' must follow argument 1"),
        ("click(03)", r"',' or '\)' must follow argument 1"),
        ("click(id=3)", "not 'id=3"),
        ("fill(3, 'text')", "double quotes"),
        ('fill(3, "text)', "Unterminated string"),
        ('fill(3, "two\nlines")', "Invalid control character"),
        (r'fill(3, "\d")', r"Invalid \\escape"),
        (r'fill(3, "\ud800")', "lone surrogate"),
        ("click(True)", "not 'True"),
        ("click([3])", r"not '\[3\]"),
        ("click(-Infinity)", "not finite"),
        ("click(1e999)", "must be finite"),
        ("click(1" + "0" * 400 + ")", "no larger than a float"),
        ("click(-)", "Expecting value"),
        ("click(1)(2)", "something follows the call"),
        ("click(1); click(2)", "something follows the call"),
        ("click(1) # done", "something follows the call"),
        ("click(click(1))", "must be a number or a text"),
        ("let us click(3)", "must follow the name 'let'"),
    ],
)
def test_what_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_action(text)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("Click", (), "small letters"),
        ("", (), "small letters"),
        ("click", (True,), "int, float or str, got bool"),
        ("click", (None,), "got NoneType"),
        ("click", (float("nan"),), "must be finite and .*, got nan"),
        ("fill", ("\ud800",), "lone surrogate"),
    ],
)
def test_a_call_that_no_text_could_hold_is_not_made(name: str, arguments: tuple[object, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ActionCall(name, arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "f(" + "[" * 200_000,
        "f(" + "1," * 200_000,
        "f" * 400_000,
        'f("\\ud800' + "9" * 400_000 + '")',
        "f(" + "9" * 400_000,
    ],
)
def test_a_hostile_text_is_refused_at_once_and_shown_in_part(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError, match=r"an action must be one call") as refused:
        parse_action(text)
    assert time.perf_counter() - start < 2.0
    assert len(str(refused.value)) < 400
