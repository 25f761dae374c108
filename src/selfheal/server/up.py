"""``selfheal up``: the emulator at a prompt, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from selfheal.server.emulator import Emulator

Say = Callable[[str], object]


def up(*, say: Say, aside: Say, watched: bool = False, **options: Any) -> None:
    """Run until SIGINT or SIGTERM, with the options of an :class:`Emulator`.

    ``say`` gets the line to copy, ``aside`` what a person wants to know beside it. ``watched``: with a live view where
    there is a terminal.
    """
    emulator = Emulator(**options)
    asyncio.run(_run(emulator, say, aside, watched))


async def _run(emulator: Emulator, say: Say, aside: Say, watched: bool) -> None:
    _on("SIGINT", emulator.end)
    _on("SIGTERM", emulator.end)
    if not _ignored("SIGHUP"):  # nohup asks to live on
        _on("SIGHUP", emulator.end)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(emulator.stop)
        await emulator.start()
        count = len(emulator.cluster.nodes)
        pace = "" if emulator.time.speed == 1 else f", {emulator.time.speed:g} times as fast as a clock"
        aside(f"A cluster of {count} node{'s' if count > 1 else ''} at {emulator.address}{pace}. Ctrl-C ends it.")
        aside("In another terminal:\n")
        line = f"export KUBECONFIG={shlex.quote(str(emulator.kubeconfig))}"
        say(line)
        if watched:
            await stack.enter_async_context(_view(emulator, line, aside))
        await emulator.serve()


@contextlib.asynccontextmanager
async def _view(emulator: Emulator, line: str, aside: Say) -> AsyncIterator[None]:
    """The live view, if rich is there and a terminal to draw on."""
    try:
        from selfheal.server import live
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        if sys.stdout.isatty():
            aside('\nFor a live view of it here: pip install "selfheal[server]"')
        yield
        return
    if not live.possible():
        yield
        return
    view = live.View(emulator, line)
    _on("SIGTSTP", view.suspend)
    showing = asyncio.ensure_future(view.show())
    try:
        yield
    finally:
        view.end()
        await showing


def _on(name: str, call: Callable[[], None]) -> None:
    with contextlib.suppress(NotImplementedError, AttributeError):  # Windows: Ctrl-C comes as KeyboardInterrupt
        asyncio.get_running_loop().add_signal_handler(getattr(signal, name), call)


def _ignored(name: str) -> bool:
    return hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_IGN
