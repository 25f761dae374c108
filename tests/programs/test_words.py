"""Quoting, expansion and arithmetic, for any text."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.programs.shell.arithmetic import Arithmetic, ArithmeticProblem
from selfheal.programs.shell.parser import parse
from selfheal.programs.shell.patterns import escape, matches
from tests.programs.box import Box

BOX = Box("sleep infinity")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
shellish = st.text("ab $`\"'\\(){}[]<>|&;#*?~!=\n\t01:-+/%@", max_size=20)


@given(st.lists(st.one_of(texts, shellish), max_size=4))
@settings(deadline=None)
def test_what_is_quoted_stays_as_it_is(words: list[str]) -> None:
    line = " ".join(["printf '<%s>'", *map(shlex.quote, words)])
    assert BOX.sh(line).output == "".join(f"<{word}>" for word in words or [""])


@given(shellish)
@settings(deadline=None)
def test_a_variable_in_double_quotes_keeps_every_letter(text: str) -> None:
    run = BOX.sh(f'x={shlex.quote(text)}; printf \'<%s>\' "$x" "${{x}}" "${{x:-no}}"')
    assert run.output == f"<{text}>" * 2 + f"<{text or 'no'}>"


@given(shellish)
@settings(deadline=None)
def test_a_here_document_with_a_quoted_end_is_literal(text: str) -> None:
    if "\nEND\n" in f"\n{text}\n":
        return
    assert BOX.sh(f"cat <<'END'\n{text}\nEND\n").output == f"{text}\n"


@given(shellish)
@settings(deadline=None, max_examples=300)
def test_any_script_is_either_run_or_refused(script: str) -> None:
    parsed = parse(script)
    assert parsed.problem is None or parsed.problem.message.startswith("syntax error")
    box = Box("sleep infinity")
    box.sh(script)
    box.run(5)


@given(shellish)
def test_an_escaped_pattern_matches_only_itself(text: str) -> None:
    assert matches(escape(text), text)
    assert not matches(escape(text), text + "x")


numbers = st.integers(-(1 << 40), 1 << 40)
operators = st.sampled_from(["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "&&", "||"])


@given(numbers, operators, numbers, operators, numbers)
def test_arithmetic_is_that_of_c(a: int, first: str, b: int, second: str, c: int) -> None:
    expression = Arithmetic(f"({a} {first} {b}) {second} {c}", lambda _: "", lambda _, __: None)
    left = _c(first, a, b) if not (first in "/%" and b == 0) else None
    decided = second in ("&&", "||") and left is not None and bool(left) == (second == "||")
    if left is None or (second in "/%" and c == 0 and not decided):
        with pytest.raises(ArithmeticProblem, match="divide by zero"):
            expression.value()
    else:
        assert expression.value() == _c(second, left, c)


def _c(operator: str, a: int, b: int) -> int:
    if operator in ("/", "%"):
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return _wrap(quotient if operator == "/" else a - quotient * b)
    python = {"&&": lambda: bool(a) and bool(b), "||": lambda: bool(a) or bool(b)}
    if operator in python:
        return int(python[operator]())
    return _wrap(int(eval(f"a {operator} b", {"a": a, "b": b})))


def _wrap(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
