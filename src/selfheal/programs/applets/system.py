"""sleep, date, hostname, env, id and their like: time, names and surroundings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from selfheal.clock import SECOND
from selfheal.programs.applets.registry import APPLETS, VERSION, applet, options, usage
from selfheal.programs.applets.running import become
from selfheal.programs.filesystem import FileError, normal
from selfheal.programs.process import Process, Running
from selfheal.programs.shell.sh import sh

applet("sh", "ash")(sh)

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
FOREVER = 1e11
"""Seconds beyond which a sleep is for ever."""


@applet("sleep", usage="[N]...")
def sleep(p: Process) -> Running:
    total = 0.0
    if len(p.argv) < 2:
        raise usage(p)
    for word in p.argv[1:]:
        found = re.fullmatch(r"(\d+\.?\d*|\.\d+)([smhd]?)", word)
        if found is None and word not in ("inf", "infinity"):
            return p.fail(f"invalid number '{word}'")
        total += FOREVER if found is None else float(found[1]) * UNITS[found[2]]
    yield p.forever() if total >= FOREVER else p.sleep(total)
    return 0


@applet("usleep", usage="N")
def usleep(p: Process) -> Running:
    if len(p.argv) < 2:
        raise usage(p)
    if not p.argv[1].isdecimal():
        return p.fail(f"invalid number '{p.argv[1]}'")
    yield p.sleep(int(p.argv[1][:15]) / SECOND)
    return 0


@applet("true", ":")
def true(p: Process) -> int:
    del p
    return 0


@applet("false")
def false(p: Process) -> int:
    del p
    return 1


@applet("date", usage="[OPTIONS] [+FMT] [[-s] TIME]")
def date(p: Process) -> int:
    form, when, wanted = "", None, ""
    words = p.argv[1:]
    while words:
        word = words.pop(0)
        if word.startswith("+"):
            form = word[1:]
        elif word in ("-d", "--date") and words:
            wanted = words.pop(0)
        elif word.startswith("-d"):
            wanted = word[2:]
        elif word.startswith("-I"):
            form = {"": "%Y-%m-%d", "seconds": "%Y-%m-%dT%H:%M:%S+00:00", "minutes": "%Y-%m-%dT%H:%M+00:00"}.get(
                word[2:], "%Y-%m-%d"
            )
        elif word == "-R":
            form = "%a, %d %b %Y %H:%M:%S +0000"
        elif word == "-r" and words:
            node = p.fs.node(p.path(words[0]))
            if node is None:
                return p.fail(f"can't stat '{words[0]}': No such file or directory")
            when = datetime.fromtimestamp(node.mtime // SECOND, UTC)
            words.pop(0)
        elif word != "-u":
            return p.fail(f"invalid date '{word}'")
    if wanted:
        when = _moment(p, wanted)
        if when is None:
            return p.fail(f"invalid date '{wanted}'")
    if when is None:
        p.kernel.restless += 1
        when = datetime.fromtimestamp(p.kernel.clock.unix_seconds(), UTC)
    p.log(formatted(when, form or "%a %b %e %H:%M:%S UTC %Y"))
    return 0


def formatted(when: datetime, form: str) -> str:
    """A date by ``strftime``'s letters, in English and UTC; unknown ones stay as they are."""
    values = {
        "a": DAYS[when.weekday()][:3],
        "A": DAYS[when.weekday()],
        "b": MONTHS[when.month - 1][:3],
        "h": MONTHS[when.month - 1][:3],
        "B": MONTHS[when.month - 1],
        "c": f"{DAYS[when.weekday()][:3]} {MONTHS[when.month - 1][:3]} {when.day:>2} {when:%H:%M:%S} {when.year}",
        "d": f"{when.day:02}",
        "e": f"{when.day:>2}",
        "D": f"{when:%m/%d}/{when.year % 100:02}",
        "F": f"{when.year}-{when:%m-%d}",
        "H": f"{when.hour:02}",
        "I": f"{(when.hour - 1) % 12 + 1:02}",
        "j": f"{when.timetuple().tm_yday:03}",
        "k": f"{when.hour:>2}",
        "l": f"{(when.hour - 1) % 12 + 1:>2}",
        "m": f"{when.month:02}",
        "M": f"{when.minute:02}",
        "n": "\n",
        "p": "AM" if when.hour < 12 else "PM",
        "P": "am" if when.hour < 12 else "pm",
        "r": f"{(when.hour - 1) % 12 + 1:02}:{when:%M:%S} {'AM' if when.hour < 12 else 'PM'}",
        "R": f"{when:%H:%M}",
        "s": str(int(when.timestamp())),
        "S": f"{when.second:02}",
        "t": "\t",
        "T": f"{when:%H:%M:%S}",
        "u": str(when.isoweekday()),
        "w": str(when.isoweekday() % 7),
        "x": f"{when:%m/%d}/{when.year % 100:02}",
        "X": f"{when:%H:%M:%S}",
        "y": f"{when.year % 100:02}",
        "Y": str(when.year),
        "z": "+0000",
        "Z": "UTC",
        "%": "%",
    }
    return re.sub(r"%(.)", lambda found: values.get(found[1], found[0]), form)


DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def _moment(p: Process, text: str) -> datetime | None:
    """``@SECONDS``, ``YYYY-MM-DD hh:mm:ss``, ``hh:mm``"""
    found = re.fullmatch(r"@(\d{1,12})", text)
    try:
        if found:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(found[1]))
        found = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text)
        if found:
            p.kernel.restless += 1
            now = datetime.fromtimestamp(p.kernel.clock.unix_seconds(), UTC)
            return now.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0))
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


@applet("hostname", usage="[-sidf]")
def hostname(p: Process) -> int:
    given = options(p, "sidfF:")
    if "i" in given:
        p.log(p.kernel.interface.ip)
    elif "d" not in given:
        p.log(p.kernel.hostname)
    return 0


@applet("env", usage="[-i0] [-u NAME]... [-] [NAME=VALUE]... [PROG ARGS]")
def env(p: Process) -> Running:
    given = options(p, "i0u:", stop_early=True)
    variables = {} if "i" in given or given.words[:1] == ["-"] else dict(p.env)
    words = given.words[1:] if given.words[:1] == ["-"] else given.words
    variables.pop(given.get("u", ""), None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    if not words:
        for name, value in variables.items():
            p.log(f"{name}={value}")
        return 0
    return (yield from become(p, words, variables))


@applet("printenv", usage="[VARIABLE]...")
def printenv(p: Process) -> int:
    if len(p.argv) == 1:
        for name, value in p.env.items():
            p.log(f"{name}={value}")
        return 0
    status = 0
    for name in p.argv[1:]:
        if name in p.env:
            p.log(p.env[name])
        else:
            status = 1
    return status


@applet("uname", usage="[-amnrspvio]")
def uname(p: Process) -> int:
    given = options(p, "amnrspvio")
    values = {
        "s": "Linux",
        "n": p.kernel.hostname,
        "r": "6.1.0",
        "v": "#1 SMP PREEMPT_DYNAMIC",
        "m": "x86_64",
        "o": "GNU/Linux",
    }
    letters = "snrvmo" if "a" in given else [letter for letter in "snrvmo" if letter in given] or "s"
    p.log(" ".join(values[letter] for letter in letters))
    return 0


@applet("pwd")
def pwd(p: Process) -> int:
    p.log(p.cwd)
    return 0


@applet("basename", usage="FILE [SUFFIX]")
def basename(p: Process) -> int:
    if not 2 <= len(p.argv) <= 3:
        raise usage(p)
    name = p.argv[1].rstrip("/").rpartition("/")[2] or ("/" if p.argv[1] else "")
    if len(p.argv) == 3 and name != p.argv[2]:
        name = name.removesuffix(p.argv[2])
    p.log(name)
    return 0


@applet("dirname", usage="FILENAME")
def dirname(p: Process) -> int:
    if len(p.argv) != 2:
        raise usage(p)
    path = p.argv[1].rstrip("/") or p.argv[1][:1]
    directory = path.rpartition("/")[0].rstrip("/") or "/" if "/" in path else "."
    p.log(directory)
    return 0


@applet("which", usage="[-a] COMMAND...")
def which(p: Process) -> int:
    status = 0
    for name in options(p, "a").words:
        path = p.kernel.where(name, p.env.get("PATH", ""), p.cwd)
        if path is None:
            status = 1
        else:
            p.log(normal(p.path(path)))
    return status


@applet("nproc")
def nproc(p: Process) -> int:
    p.log("2")
    return 0


@applet("tty")
def tty(p: Process) -> int:
    p.log("not a tty")
    return 1


@applet("uptime")
def uptime(p: Process) -> int:
    p.kernel.restless += 1
    now = datetime.fromtimestamp(p.kernel.clock.unix_seconds(), UTC)
    minutes = int(p.kernel.clock.seconds) // 60
    p.log(f" {now:%H:%M:%S} up {minutes} min,  load average: 0.00, 0.00, 0.00")
    return 0


@applet("free", usage="[-bkmgh]")
def free(p: Process) -> int:
    limit = (p.kernel.memory_limit or 8 << 30) // 1024
    used = p.kernel.memory // 1024
    p.log("              total        used        free")
    p.log(f"Mem:     {limit:>10}  {used:>10}  {limit - used:>10}")
    return 0


@applet("busybox")
def busybox(p: Process) -> Running:
    if len(p.argv) == 1:
        p.log(VERSION)
        return 0
    if p.argv[1] == "--list":
        p.write("".join(f"{name}\n" for name in sorted(APPLETS)))
        return 0
    program = APPLETS.get(p.argv[1])
    if program is None:
        p.say(f"{p.argv[1]}: applet not found")
        return 127
    p.argv = p.argv[1:]
    result = program(p)
    if isinstance(result, int) or result is None:
        return result
    return (yield from result)


@applet("logger", usage="[-s] [-t TAG] [-p PRIO] [MESSAGE]")
def logger(p: Process) -> int:
    given = options(p, "st:p:")
    try:
        p.open("/dev/log", "a").write(" ".join(given.words) + "\n")
    except FileError as error:
        return p.fail(str(error))
    return 0
