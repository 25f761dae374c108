"""``selfheal up``: the emulator at a prompt, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
from collections.abc import Callable
from typing import Any

from selfheal.server.emulator import Emulator

Say = Callable[[str], object]


def up(*, say: Say, aside: Say, **options: Any) -> None:
    """Run until SIGINT or SIGTERM, with the options of an :class:`Emulator`.

    ``say`` gets the line to copy, ``aside`` what a person wants to know beside it.
    """
    emulator = Emulator(**options)
    asyncio.run(_run(emulator, say, aside))


async def _run(emulator: Emulator, say: Say, aside: Say) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C comes as KeyboardInterrupt
            loop.add_signal_handler(number, emulator.end)
    try:
        await emulator.start()
        count = len(emulator.cluster.nodes)
        pace = "" if emulator.time.speed == 1 else f", {emulator.time.speed:g} times as fast as a clock"
        aside(f"A cluster of {count} node{'s' if count > 1 else ''} at {emulator.address}{pace}. Ctrl-C ends it.")
        aside("In another terminal:\n")
        say(f"export KUBECONFIG={shlex.quote(str(emulator.kubeconfig))}")
        await emulator.serve()
    finally:
        await emulator.stop()
