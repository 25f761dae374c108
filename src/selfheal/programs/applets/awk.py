"""awk, as far as one-liners go: ``awk -F: '/ready/ {print $1, $NF}'``.

Patterns are ``BEGIN``, ``END``, ``/regex/`` and ``NR==2`` (``NF``, ``$2``, ``!=``, ``<``, ``>`` likewise); the only
statement is ``print``, of fields, ``NR``, ``NF``, numbers and strings. Anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, NamedTuple

from selfheal.programs.applets.regexes import regex
from selfheal.programs.applets.registry import applet, lines_of, options, texts, usage
from selfheal.programs.process import Exit, Process

WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(\$?(?:NF|NR|\d+(?:\.\d+)?))|(,))')
RULE = re.compile(r"\s*(BEGIN|END|/(?:[^/\\]|\\.)*/|[^{}\s][^{}]*?)?\s*(?:\{([^{}]*)\}|$)\s*;?", re.DOTALL)
CONDITION = re.compile(r'(\$?(?:NF|NR|\d+))\s*(==|!=|<=|>=|<|>)\s*"?([^"]*?)"?')
ESCAPES = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}


class Line(NamedTuple):
    """A line that is looked at."""

    text: str
    fields: list[str]
    number: int


class Rule(NamedTuple):
    """A pattern, and what is printed where it holds: each a list of words, one after the other."""

    pattern: str
    prints: list[list[str]]


@applet("awk", usage="[OPTIONS] [AWK_PROGRAM] [FILE]...")
def awk(p: Process) -> Generator[Any, Any, int]:
    given = options(p, "F:", stop_early=True)
    if not given.words:
        raise usage(p)
    program, paths = given.words[0], given.words[1:]
    rules, separator = _rules(p, program), given.get("F", "")
    number = 0
    line = Line("", [], 0)
    _apply(p, [r for r in rules if r.pattern == "BEGIN"], line)
    left = [r for r in rules if r.pattern != "BEGIN"]
    status = 0
    if left:
        found, status = yield from texts(p, paths)
        for _, text in found:
            for one in lines_of(text):
                number += 1
                fields = re.split(separator, one) if len(separator) > 1 else one.split(separator or None)
                line = Line(one, fields, number)
                _apply(p, [r for r in left if r.pattern != "END" and _holds(p, r.pattern, line)], line)
    _apply(p, [r for r in left if r.pattern == "END"], line)
    return status


def _rules(p: Process, program: str) -> list[Rule]:
    rules, at = [], 0
    program = program.strip()
    while at < len(program):
        found = RULE.match(program, at)
        if found is None or found.end() == at:
            raise _refused(p)
        at = found.end()
        statements = [s.strip() for s in (found[2] if found[2] is not None else "print").split(";")]
        rules.append(Rule((found[1] or "").strip(), [_words(p, s) for s in statements if s]))
    return rules


def _words(p: Process, statement: str) -> list[str]:
    """The words of a print: ``$1``, ``NR``, ``"text``, and a comma where a space stands."""
    verb, _, rest = statement.partition(" ")
    verb, dollar, more = verb.partition("$")
    rest = dollar + more + " " + rest
    if verb != "print":
        raise _refused(p)
    words, at = [], 0
    rest = rest.strip()
    while at < len(rest):
        found = WORD.match(rest, at)
        if found is None:
            raise _refused(p)
        at = found.end()
        words.append('"' + found[1] if found[1] is not None else found[2] or ",")
    return words or ["$0"]


def _refused(p: Process) -> Exit:
    p.complain("cmd. line:1: Unexpected token")
    return Exit(1)


def _value(word: str, line: Line) -> str:
    if word.startswith('"'):
        return re.sub(r"\\.", lambda m: ESCAPES.get(m[0], m[0]), word[1:])
    if word == ",":
        return " "
    if not word.startswith("$"):
        return {"NF": str(len(line.fields)), "NR": str(line.number)}.get(word, word)
    index = len(line.fields) if word == "$NF" else line.number if word == "$NR" else int(word[1:])
    if index == 0:
        return line.text
    return line.fields[index - 1] if index <= len(line.fields) else ""


def _holds(p: Process, pattern: str, line: Line) -> bool:
    if not pattern:
        return True
    if pattern.startswith("/"):
        return regex(p, pattern[1:-1], extended=True).search(line.text) is not None
    found = CONDITION.fullmatch(pattern)
    if found is None:
        raise _refused(p)
    left, right = _value(found[1], line), found[3]
    try:
        a, b = float(left), float(right)
    except ValueError:
        return {"==": left == right, "!=": left != right}.get(
            found[2], left < right if "<" in found[2] else left > right
        )
    return {"==": a == b, "!=": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[found[2]]


def _apply(p: Process, rules: list[Rule], line: Line) -> None:
    for rule in rules:
        for words in rule.prints:
            p.log("".join(_value(word, line) for word in words))
