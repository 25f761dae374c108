"""Shell patterns: ``*``, ``?``, ``[a-z]``, and the files they stand for.

In a pattern a backslash takes the next character's meaning away; :func:`escape` writes it before
whatever had been quoted.
"""

from __future__ import annotations

import re
from functools import lru_cache

from selfheal.programs.filesystem import Directory, FileError, Filesystem

CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
}


def escape(text: str) -> str:
    """A pattern that matches just ``text``."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def literal(pattern: str) -> str:
    """The text of a pattern without its backslashes."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


@lru_cache(maxsize=1024)
def compiled(pattern: str, greedy: bool = True) -> re.Pattern[str]:
    """A pattern as a regular expression, for ``fullmatch`` and ``match``."""
    out: list[str] = []
    more = "" if greedy else "?"
    i, n = 0, len(pattern)
    while i < n:
        c = pattern[i]
        i += 1
        if c == "*":
            out.append(f".*{more}")
        elif c == "?":
            out.append(".")
        elif c == "\\" and i < n:
            out.append(re.escape(pattern[i]))
            i += 1
        elif c == "[" and (bracket := _bracket(pattern, i)) is not None:
            text, i = bracket
            out.append(text)
        else:
            out.append(re.escape(c))
    return re.compile("".join(out), re.DOTALL)


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """``[…]`` from behind its bracket, and where it ends; None if it is none."""
    i = at
    negated = pattern[i : i + 1] in ("!", "^")
    if negated:
        i += 1
    begin = i
    out: list[str] = []
    while i < len(pattern):
        c = pattern[i]
        if c == "]" and i > begin:
            inside = "".join(out)
            return (f"[{'^' if negated else ''}{inside}]", i + 1) if inside else None
        if pattern.startswith("[:", i) and (end := pattern.find(":]", i)) > 0:
            out.append(CLASSES.get(pattern[i + 2 : end], ""))
            i = end + 2
            continue
        if c == "\\" and i + 1 < len(pattern):
            i += 1
            c = pattern[i]
            out.append("\\" + c)
        elif c == "-" and begin < i < len(pattern) - 1 and pattern[i + 1] != "]" and pattern[i - 1] <= pattern[i + 1]:
            out.append("-")
        else:
            out.append("\\" + c if c in r"\]^-[&~|" else c)
        i += 1
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether all of ``text`` fits the pattern."""
    return compiled(pattern).fullmatch(text) is not None


def paths(fs: Filesystem, cwd: str, pattern: str) -> list[str]:
    """The existing files whose names fit the pattern, in order."""
    absolute = pattern.startswith("/")
    found = ["/" if absolute else ""]
    parts = [part for part in pattern.split("/") if part]
    for i, part in enumerate(parts):
        grown = []
        for base in found:
            here = base if absolute else f"{cwd.rstrip('/')}/{base}"
            try:
                directory = fs.directory(here or "/")
            except FileError:
                continue
            if any(c in part for c in "*?["):
                names = [
                    name
                    for name in sorted(directory.entries)
                    if matches(part, name) and (not name.startswith(".") or part.startswith("."))
                ]
            else:
                names = [literal(part)] if literal(part) in (*directory.entries, ".", "..") else []
            if i < len(parts) - 1:
                names = [n for n in names if n in (".", "..") or isinstance(directory.entries[n], Directory)]
                grown += [f"{base}{name}/" for name in names]
            else:
                grown += [base + name for name in names]
        found = grown
    return found
