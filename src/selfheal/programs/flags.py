"""Command-line flags as Go programs take them: ``--port=80``, ``--port 80``, ``-port 80``, ``--on``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class FlagError(Exception):
    """A flag that is unknown, or whose value is wrong."""


def parse(words: Sequence[str], known: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Values of the flags (``known``: name → default) and the words that are none. FlagError for an unknown flag."""
    values = dict(known)
    rest: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word == "-":
            rest.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if name not in known:
            raise FlagError(f"unknown flag: --{name}")
        if not equals:
            if not words:
                raise FlagError(f"flag needs an argument: --{name}")
            value = words.pop(0)
        values[name] = value
    return values, rest


def number(values: Mapping[str, str], name: str) -> int:
    """A flag as a whole number. FlagError if it is none."""
    try:
        return int(values[name])
    except ValueError:
        problem = f'strconv.ParseInt: parsing "{values[name]}": invalid syntax'
        raise FlagError(f'invalid argument "{values[name]}" for "--{name}" flag: {problem}') from None


def seconds(values: Mapping[str, str], name: str) -> float:
    """A flag as a number of seconds ≥ 0. FlagError if it is none."""
    try:
        value = float(values[name])
    except ValueError:
        value = -1
    if not 0 <= value < 1e9:
        raise FlagError(f"--{name} must be a number of seconds, not {values[name]!r}")
    return value
