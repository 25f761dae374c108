"""POSIX regular expressions, as grep, sed and expr take them."""

from __future__ import annotations

import re

from selfheal.programs.process import Exit, Process


def basic(pattern: str, extended: bool = False) -> str:
    """A POSIX regular expression as one of Python's: basic, or extended (``-E``)."""
    out: list[str] = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        i += 1
        if c == "[":
            end = pattern.find("]", i + (2 if pattern[i : i + 1] == "^" else 1))
            if end < 0:
                raise re.error("Unmatched [")
            inside = pattern[i:end]
            if "[:" in inside and pattern.find(":]]", i) > 0:
                end = pattern.find(":]]", i) + 2
                inside = pattern[i:end]
            for name, letters in RANGES.items():
                inside = inside.replace(name, letters)
            out.append("[" + inside.replace("\\", "\\\\").replace("[", r"\[") + "]")
            i = end + 1
        elif c == "\\" and i < len(pattern):
            following = pattern[i]
            i += 1
            if following in "(){}|+?":
                out.append("\\" + following if extended else following)
            elif following in "<>":
                out.append(r"\b")
            else:
                out.append("\\" + following)
        elif c in "(){}|+?" and not extended:
            out.append("\\" + c)
        elif c == "*" and not extended and (not out or out == ["^"] or out[-1] in ("(", "|")):
            out.append(r"\*")
        else:
            out.append(c)
    return "".join(out)


RANGES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:blank:]": " \t",
    "[:punct:]": "!-/:-@\\[-`{-~",
}


def regex(p: Process, pattern: str, extended: bool, flags: int = 0) -> re.Pattern[str]:
    """A compiled POSIX regular expression, or the end of the process."""
    try:
        return re.compile(basic(pattern, extended), flags)
    except (re.error, OverflowError):
        p.complain(f"bad regex '{pattern}'")
        raise Exit(2) from None
