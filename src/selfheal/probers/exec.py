"""The exec probe: does a command end with 0? (pkg/probe/exec/exec.go)

The command is started as it is, by no shell. It gets no input, this process's environment with what is added, and
``$(NAME)`` is replaced by what is added alone, as the kubelet knows only a container's own variables.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from selfheal.probes import Outcome
from selfheal.probes.exec import expand, timed_out, verdict
from selfheal.probes.result import BODY_LIMIT

REST = 0.1
"""Seconds in which what a command has said is read, once it has ended: a child of it may hold its pipes for ever."""


async def probe(
    command: Sequence[str], timeout: int, env: Mapping[str, str] | None = None, cwd: str | None = None
) -> Outcome:
    """One attempt. ``timeout`` in µs."""
    words = [expand(word, env or {}) for word in command]
    whole = {**os.environ, **(env or {})}
    missing = _missing(words[0], whole, cwd)
    if missing is not None:
        return Outcome("unknown", error=missing)
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        run = await asyncio.create_subprocess_exec(*words, stdin=null, stdout=pipe, stderr=pipe, env=whole, cwd=cwd)
    except (OSError, ValueError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        return Outcome("unknown", error=f'exec: "{words[0]}": {why}')
    assert run.stdout is not None
    assert run.stderr is not None
    out, err = Kept(), Kept()
    readers = [asyncio.create_task(out.read(run.stdout)), asyncio.create_task(err.read(run.stderr))]
    try:
        async with asyncio.timeout(timeout / 1_000_000):
            await _ended(run)
        await asyncio.wait(readers, timeout=REST)
    except TimeoutError:
        return timed_out(words, timeout)
    finally:
        if run.returncode is None:
            run.kill()  # it alone: what it has put into the background lives on
            await _ended(run)
        for reader in readers:
            reader.cancel()
        run._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - else its pipes stay until they are collected
    code = run.returncode or 0
    text = (out.data + err.data)[:BODY_LIMIT].decode(errors="replace")
    return verdict(128 - code if code < 0 else code, text)


class Kept:
    """The first bytes of a stream; the others are read and forgotten, so that whoever writes them need not wait."""

    def __init__(self) -> None:
        self.data = b""

    async def read(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(BODY_LIMIT):
            self.data += chunk[: BODY_LIMIT - len(self.data)]


async def _ended(run: asyncio.subprocess.Process) -> None:
    """Wait for the process alone: ``run.wait()`` waits for its pipes too, which a child may hold."""
    while run.returncode is None:  # noqa: ASYNC110 - asyncio has no event that tells of the end alone
        await asyncio.sleep(0.005)


def _missing(name: str, env: Mapping[str, str], cwd: str | None) -> str | None:
    """Why a command cannot be started, in the words of the container runtime (runc); None: it can."""
    if "/" not in name:
        found = shutil.which(name, path=env.get("PATH", os.defpath))
        return None if found else f'exec: "{name}": executable file not found in $PATH'
    path = Path(cwd or ".") / name
    if not path.exists():
        return f'exec: "{name}": stat {name}: no such file or directory'
    return None if path.is_file() and os.access(path, os.X_OK) else f'exec: "{name}": permission denied'
