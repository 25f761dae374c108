"""ps, kill, timeout, nohup and their like: processes that look at, start and end others."""

from __future__ import annotations

import re

from selfheal.clock import micros
from selfheal.programs.applets.regexes import regex
from selfheal.programs.applets.registry import applet, decimal, options, usage
from selfheal.programs.applets.running import become, lookup, run, start
from selfheal.programs.applets.system import UNITS
from selfheal.programs.filesystem import NOT_FOUND
from selfheal.programs.process import Process, Running
from selfheal.programs.signals import kill, number, send


@applet("kill", usage="[-l] [-SIG] PID...")
def kill_(p: Process) -> int:
    return kill(p, p.argv[1:], "kill")


def _others(p: Process, name: str, whole: bool) -> list[Process]:
    """The other processes whose name (or whole command line) fits."""
    p.kernel.restless += 1
    wanted = regex(p, name, extended=True)
    return [
        q for q in p.kernel.processes.values() if q is not p and wanted.search(" ".join(q.argv) if whole else q.name)
    ]


@applet("pgrep", usage="[-flanovx] [-s SID|-P PPID|PATTERN]")
def pgrep(p: Process) -> int:
    given = options(p, "flanovxP:")
    if not given.words:
        raise usage(p, code=2)
    found = _others(p, given.words[0], "f" in given)
    for process in found:
        line = " ".join(process.argv) if "a" in given else process.name
        p.log(f"{process.pid} {line}" if "l" in given or "a" in given else str(process.pid))
    return int(not found)


@applet("pkill", usage="[-l|-SIGNAL] [-xfvno] [-s SID|-P PPID|PATTERN]")
def pkill(p: Process) -> int:
    words = p.argv[1:]
    signal = "TERM"
    if words and words[0].startswith("-") and number(words[0][1:]) is not None:
        signal = number(words.pop(0)[1:]) or signal
    whole = "-f" in words
    words = [word for word in words if not word.startswith("-")]
    if not words:
        raise usage(p, code=2)
    found = _others(p, words[0], whole)
    for process in found:
        send(p, process.pid, signal)
    return int(not found)


@applet("pidof", usage="[NAME]...")
def pidof(p: Process) -> int:
    p.kernel.restless += 1
    pids = [str(q.pid) for q in p.kernel.processes.values() if q is not p and q.name in p.argv[1:]]
    if pids:
        p.log(" ".join(reversed(pids)))
    return int(not pids)


@applet("killall", usage="[-lq] [-SIG] NAME...")
def killall(p: Process) -> int:
    words = p.argv[1:]
    signal = "TERM"
    quiet = False
    while words and words[0].startswith("-"):
        word = words.pop(0)[1:]
        if word == "q":
            quiet = True
        elif (found := number(word)) is not None:
            signal = found
        else:
            return p.fail(f"bad signal name '{word}'")
    if not words:
        raise usage(p)
    status = 0
    for name in words:
        targets = [q for q in tuple(p.kernel.processes.values()) if q is not p and q.name == name]
        p.kernel.restless += 1
        for process in targets:
            send(p, process.pid, signal)
        if not targets:
            status = 1 if quiet else p.fail(f"{name}: no process killed")
    return status


@applet("ps", usage="[-o COL1,COL2=HEADER] [-T]")
def ps(p: Process) -> int:
    p.kernel.restless += 1
    columns = p.argv[p.argv.index("-o") + 1].split(",") if "-o" in p.argv[:-1] else ["pid", "user", "time", "args"]
    titles = {
        "pid": "PID  ",
        "ppid": "PPID ",
        "user": "USER    ",
        "time": "TIME ",
        "args": "COMMAND",
        "comm": "COMMAND",
    }
    p.log(" ".join(titles.get(column, column.upper()) for column in columns))
    for q in sorted(p.kernel.processes.values(), key=lambda process: process.pid):
        values = {
            "pid": f"{q.pid:>5}",
            "ppid": f"{q.parent.pid if q.parent else 0:>5}",
            "user": "root    ",
            "time": " 0:00",
            "args": " ".join(q.argv),
            "comm": q.name,
        }
        p.log(" ".join(values.get(column, "-") for column in columns))
    return 0


@applet("timeout", usage="[-s SIG] SECS PROG ARGS")
def timeout(p: Process) -> Running:
    given = options(p, "s:k:t:", stop_early=True)
    words = given.words
    signal = number(given.get("s", "TERM"))
    if signal is None:
        return p.fail(f"bad signal name '{given['s']}'")
    limit = given.get("t") or (words.pop(0) if words else "")
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", limit)
    if not words:
        raise usage(p)
    if found is None:
        return p.fail(f"invalid number '{limit}'")
    child = start(p, words)
    if isinstance(child, int):
        return child
    if child.ended:
        return child.exit_code
    kernel = p.kernel
    patience = decimal(p, given.get("k", "0"))

    def late() -> None:
        kernel.signal(child, signal)
        if "k" in given and not child.ended:
            p.after(patience, lambda: kernel.signal(child, "KILL"))

    timer = p.after(micros(float(found[1]) * UNITS[found[2]]) / 1_000_000, late)
    yield child.end_gate
    timer.cancel()
    if child.signal and p.pid != 1:
        kernel.end(p, 0, signal=child.signal)  # the command is this process: a helper watched the time
    return child.exit_code


@applet("nohup", usage="PROG ARGS")
def nohup(p: Process) -> Running:
    words = p.argv[1:]
    if not words:
        raise usage(p)
    if lookup(p, words) is None:
        return p.fail(f"failed to run command '{words[0]}': {NOT_FOUND}", 127)
    p.on("HUP", None)
    return (yield from become(p, words, p.env))


@applet("nice", "setsid", "ionice", usage="[OPTIONS] PROG ARGS")
def as_it_is(p: Process) -> Running:
    given = options(p, "n:c:p:t", stop_early=True)
    if not given.words:
        return 0
    return (yield from become(p, given.words, p.env))


@applet("time", usage="[-vpa] [-o FILE] PROG ARGS")
def time(p: Process) -> Running:
    began = p.kernel.clock.now
    p.kernel.restless += 1
    code = yield from run(p, p.argv[1:])
    took = (p.kernel.clock.now - began) / 1_000_000
    p.say(f"real\t{int(took // 60)}m {took % 60:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s")
    return code


@applet("watch", usage="[-n SEC] [-t] PROG ARGS")
def watch(p: Process) -> Running:
    given = options(p, "n:dt", stop_early=True)
    if not given.words:
        raise usage(p)
    period = given.get("n", "2")
    pause = max(0.1, decimal(p, period))
    while True:
        yield from run(p, ["sh", "-c", " ".join(given.words)])
        yield p.sleep(pause)
