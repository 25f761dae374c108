"""``test`` and ``[``: is it so?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfheal.programs.filesystem import Directory, Executable, File, Link, Node
from selfheal.programs.process import Process
from selfheal.programs.shell.patterns import matches

UNARY = frozenset(
    [
        "-b",
        "-c",
        "-d",
        "-e",
        "-f",
        "-g",
        "-h",
        "-k",
        "-L",
        "-n",
        "-p",
        "-r",
        "-s",
        "-S",
        "-t",
        "-u",
        "-w",
        "-x",
        "-z",
        "-G",
        "-O",
    ]
)
BINARY = frozenset(["=", "==", "!=", "<", ">", "-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-nt", "-ot", "-ef", "=~"])


class TestProblem(Exception):
    """The expression makes no sense; the text is busybox's."""


def holds(p: Process, args: Sequence[str], patterns: bool = False) -> bool:
    """Whether the expression is true. TestProblem if it is none. ``patterns``: ``==`` matches one, as in ``[[``."""
    if not args:
        return False
    test = _Test(p, args, patterns)
    if len(args) == 1:
        return bool(args[0])
    if len(args) == 2 and args[0] == "!":
        return not args[1]
    if len(args) == 3 and args[1] in BINARY:
        return test.binary(args[0], args[1], args[2])
    result = test.either()
    if test.at < len(args):
        lacking = "argument expected" if args[test.at] in BINARY else "unknown operand"
        raise TestProblem(f"{args[test.at]}: {lacking}")
    return result


class _Test:
    def __init__(self, p: Process, args: Sequence[str], patterns: bool) -> None:
        self.p = p
        self.patterns = patterns
        self.args = args
        self.at = 0

    def either(self) -> bool:
        result = self.both()
        while self.at < len(self.args) and self.args[self.at] == "-o":
            self.at += 1
            other = self.both()
            result = result or other
        return result

    def both(self) -> bool:
        result = self.opposite()
        while self.at < len(self.args) and self.args[self.at] == "-a":
            self.at += 1
            other = self.opposite()
            result = result and other
        return result

    def opposite(self) -> bool:
        if self.at < len(self.args) and self.args[self.at] == "!" and self.at + 1 < len(self.args):
            self.at += 1
            return not self.opposite()
        return self.primary()

    def primary(self) -> bool:
        args, at = self.args, self.at
        if at >= len(args):
            raise TestProblem("argument expected")
        if at + 2 < len(args) and args[at + 1] in BINARY:
            self.at += 3
            return self.binary(args[at], args[at + 1], args[at + 2])
        if args[at] == "(":
            self.at += 1
            result = self.either()
            if self.at >= len(args) or args[self.at] != ")":
                raise TestProblem("closing paren expected")
            self.at += 1
            return result
        if args[at] in UNARY and at + 1 < len(args):
            self.at += 2
            return self.unary(args[at], args[at + 1])
        self.at += 1
        return bool(args[at])

    def unary(self, op: str, word: str) -> bool:
        if op == "-n":
            return bool(word)
        if op == "-z":
            return not word
        if op == "-t":
            return False
        node = self._node(word, follow=op not in ("-h", "-L"))
        if node is None:
            return False
        if op == "-d":
            return isinstance(node, Directory)
        if op == "-f":
            return isinstance(node, File | Executable)
        if op in ("-h", "-L"):
            return isinstance(node, Link)
        if op == "-s":
            return isinstance(node, Directory | Executable) or (isinstance(node, File) and bool(node.text))
        if op == "-x":
            return bool(node.mode & 0o111)
        if op == "-c":
            return node.kind == "c"
        return op not in ("-b", "-p", "-S", "-g", "-k", "-u")  # root may read and write everything

    def binary(self, left: str, op: str, right: str) -> bool:
        if op == "=~":
            try:
                return re.search(right, left) is not None
            except re.error:
                raise TestProblem(f"bad regex '{right}'") from None
        if op in ("=", "==", "!="):
            same = matches(right, left) if self.patterns else left == right
            return same == (op != "!=")
        if op == "<":
            return left < right
        if op == ">":
            return left > right
        if op in ("-nt", "-ot", "-ef"):
            a, b = self._node(left), self._node(right)
            if op == "-ef":
                return a is not None and a is b
            if a is None or b is None:
                return False
            return a.mtime > b.mtime if op == "-nt" else a.mtime < b.mtime
        a_, b_ = _number(left), _number(right)
        return {
            "-eq": a_ == b_,
            "-ne": a_ != b_,
            "-gt": a_ > b_,
            "-ge": a_ >= b_,
            "-lt": a_ < b_,
            "-le": a_ <= b_,
        }[op]

    def _node(self, path: str, follow: bool = True) -> Node | None:
        return self.p.fs.node(self.p.path(path), follow) if path else None


def _number(word: str) -> int:
    try:
        if "_" in word:
            raise ValueError
        return int(word)
    except ValueError:
        raise TestProblem(f"{word}: bad number") from None


def run(p: Process, name: str, args: Sequence[str], prefix: str) -> int:
    """``test`` or ``[`` as a command; ``prefix`` begins its complaints."""
    words = list(args)
    if name in ("[", "[["):
        closing = "]" if name == "[" else "]]"
        if not words or words[-1] != closing:
            p.say(f"{prefix}: missing {closing}")
            return 2
        words.pop()
        if name == "[[":
            words = [{"&&": "-a", "||": "-o"}.get(word, word) for word in words]
    try:
        return int(not holds(p, words, patterns=name == "[["))
    except TestProblem as problem:
        p.say(f"{prefix}: {problem}")
        return 2
