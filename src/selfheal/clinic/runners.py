"""Who runs the tasks of a sweep: all cores of this machine, or a Dask cluster. The result is the same, to the byte."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from selfheal import __version__
from selfheal.clinic.grid import Point, Runner, Task, measure
from selfheal.errors import BadRequest

OnPoint = Callable[[int, int, Point], object]
"""Called whenever a point is known: how many are, of how many, and the point."""


def pool(workers: int | None = None, on_point: OnPoint = lambda *_: None) -> Runner:
    """As many processes as there are cores, or ``workers``. After Ctrl-C the points that are known are given."""

    def run(tasks: Sequence[Task]) -> list[Point | None]:
        found: list[Point | None] = [None] * len(tasks)
        count = min(workers or os.cpu_count() or 1, len(tasks))
        with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_leave_ctrl_c) as processes:
            futures = {processes.submit(measure, task): n for n, task in enumerate(tasks)}
            try:
                _collect(futures, found, on_point)
            except KeyboardInterrupt:
                processes.shutdown(wait=True, cancel_futures=True)
        return found

    return run


def _collect(futures: dict[Future[Point], int], found: list[Point | None], on_point: OnPoint) -> None:
    """Wait for all, and put each into its place."""
    left, done = set(futures), 0
    while left:
        ready, left = wait(left, return_when=FIRST_COMPLETED)
        for future in sorted(ready, key=lambda f: futures[f]):
            point = future.result()
            found[futures[future]] = point
            done += 1
            on_point(done, len(found), point)


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches every process of a terminal; it is for the first alone to act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def dask(address: str, on_point: OnPoint = lambda *_: None) -> Runner:
    """The workers of the Dask scheduler at ``address`` (``tcp://host:8786``); they need this package, of this version.

    Raises BadRequest if there is no such scheduler, or if its workers cannot run this.
    """
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise BadRequest('--scheduler needs dask: pip install "selfheal[scale]"') from None

    def run(tasks: Sequence[Task]) -> list[Point | None]:
        found: list[Point | None] = [None] * len(tasks)
        try:
            client = distributed.Client(address, set_as_default=False, timeout=10)
        except (OSError, ValueError) as error:
            raise BadRequest(f"no Dask scheduler answers at {address}: {' '.join(str(error).split())}") from None
        with client:
            _check(client.run(version), address)
            futures = client.map(measure, tasks, pure=False)
            places = {future.key: n for n, future in enumerate(futures)}
            try:
                known = distributed.as_completed(futures, loop=client.loop, with_results=True)
                for done, (future, point) in enumerate(known, 1):
                    found[places[future.key]] = point
                    on_point(done, len(tasks), point)
            except KeyboardInterrupt:
                client.cancel(futures)
        return found

    return run


def version() -> str:
    """Of this package, where it runs."""
    return __version__


def _check(versions: dict[str, str], address: str) -> None:
    """All workers must be there, and of one mind."""
    if not versions:
        raise BadRequest(f"the Dask scheduler at {address} has no workers")
    others = sorted({v for v in versions.values() if v != __version__})
    if others:
        raise BadRequest(f"workers at {address} have selfheal {', '.join(others)}, and this is {__version__}")
