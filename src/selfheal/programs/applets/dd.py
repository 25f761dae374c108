"""dd: blocks from here to there, and the memory that takes."""

from __future__ import annotations

import re

from selfheal.programs.applets.registry import applet, stdin, usage
from selfheal.programs.filesystem import FileError
from selfheal.programs.process import Exit, Process, Running
from selfheal.programs.spinner import Spinner
from selfheal.programs.streams import Stream


@applet("dd", usage="[if=FILE] [of=FILE] [bs=N] [count=N] [skip=N] [seek=N]")
def dd(p: Process) -> Running:
    given = dict.fromkeys(("if", "of", "bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag"), "")
    for word in p.argv[1:]:
        name, equals, value = word.partition("=")
        if not equals or name not in given:
            raise usage(p)
        given[name] = value
    size = _bytes(p, given["bs"] or given["ibs"] or "512")
    count = _bytes(p, given["count"]) if given["count"] else None
    path = given["if"]
    try:
        reader = p.open(path) if path else stdin(p)
        path = given["of"]
        writer = p.open(path, "w") if path else p.fds.get(1, Stream())
    except FileError as error:
        return p.fail(f"can't open '{path}': {error}")
    p.kernel.allocate(p, size)
    if p.ended:
        return 137
    if given["skip"]:
        yield from reader.read(size * _bytes(p, given["skip"]))
    blocks = partial_blocks = total = 0
    spinner = Spinner(p.kernel.clock)
    while count is None or blocks + partial_blocks < count:
        if reader.endless and type(writer) is Stream:
            length = size  # nobody will look at it
        else:
            try:
                text = yield from reader.read(min(size, 1 << 26))
            except FileError as error:
                return p.fail(f"read error: {error}")
            writer.write(text)
            length = len(text)
        if not length:
            break
        blocks, partial_blocks = blocks + (length == size), partial_blocks + (length < size)
        total += length
        pause = spinner.turn()
        if pause is not None:
            yield pause
    p.kernel.allocate(p, 0)
    if given["status"] not in ("none", "noxfer"):
        counts = f"{blocks}+{partial_blocks}"
        p.say(f"{counts} records in\n{counts} records out")
    return 0


def _bytes(p: Process, text: str) -> int:
    """``4``, ``1k``, ``96M`` → bytes"""
    found = re.fullmatch(r"(\d{1,15})(c|w|b|k|K|KB|kB|KiB|M|MB|MiB|G|GB|GiB)?", text)
    if found is None:
        p.complain(f"invalid number '{text}'")
        raise Exit(1)
    unit = found[2] or "c"
    base = 1000 if unit in ("KB", "kB", "MB", "GB") else 1024
    power = {"c": 0, "w": 0, "b": 0, "k": 1, "K": 1, "M": 2, "G": 3}[unit[0]]
    size: int = int(found[1]) * base**power
    return size * {"w": 2, "b": 512}.get(unit, 1)
