"""``kill``: signals from one process to another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from selfheal.programs.process import SIGNALS, Process


def kill(p: Process, args: Sequence[str], prefix: str) -> int:
    """``kill [-SIGNAL] PID…``; ``prefix`` begins its complaints."""
    words = list(args)
    signal = "TERM"
    if words and words[0] == "-l":
        return _list(p, words[1:], prefix)
    if words and words[0].startswith("-") and words[0] != "--":
        name = words.pop(0)[1:]
        if name == "s":
            name = words.pop(0) if words else ""
        found = number(name)
        if found is None:
            p.say(f"{prefix}: bad signal name '{name}'")
            return 1
        signal = found
    if words and words[0] == "--":
        words.pop(0)
    if not words:
        p.say(f"{prefix}: you need to specify whom to kill")
        return 1
    status = 0
    for word in words:
        if not re.fullmatch(r"-?\d+", word, re.ASCII):
            p.say(f"{prefix}: invalid number '{word}'")
            status = 1
        elif not send(p, int(word[:18]), signal):
            p.say(f"{prefix}: can't kill pid {word}: No such process")
            status = 1
    return status


def send(p: Process, pid: int, signal: str) -> bool:
    """Send a signal; ``"0"`` only looks. 0 and -1 are all but process 1 and the sender; False if there is none."""
    kernel = p.kernel
    kernel.restless += 1
    if pid in (0, -1):
        targets = [q for q in tuple(kernel.processes.values()) if q is not p and q.pid != 1]
    else:
        found = kernel.processes.get(abs(pid))
        if found is None:
            return False
        targets = [found]
    if signal != "0":
        for target in targets:
            kernel.signal(target, signal, p.cause)
    return True


def number(name: str) -> str | None:
    """A signal's name from its name (with or without SIG) or number; None if there is no such signal."""
    if name.isdecimal():
        return "0" if int(name[:9]) == 0 else next((s for s, n in SIGNALS.items() if n == int(name[:9])), None)
    name = name.upper().removeprefix("SIG")
    return name if name in SIGNALS else None


def _list(p: Process, words: list[str], prefix: str) -> int:
    if not words:
        for name, value in SIGNALS.items():
            p.write(f"{value:>2}) {name}\n")
        return 0
    for word in words:
        found = number(str(int(word[:9]) & 0x7F)) if word.isdecimal() else number(word)
        if found is None:
            p.say(f"{prefix}: unknown signal '{word}'")
            return 1
        p.write((found if word.isdecimal() else str(SIGNALS[found])) + "\n")
    return 0
