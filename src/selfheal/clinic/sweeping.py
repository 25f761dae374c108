"""``selfheal sweep``: how to choose values, by trying all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selfheal.clinic.cases import BATTERY
from selfheal.clinic.command import add_app, known, load, whole
from selfheal.clinic.grid import CASES, LARGEST, SEEDS, Point, Sweep, sweep
from selfheal.clinic.runners import dask, pool
from selfheal.clinic.subject import Subject
from selfheal.errors import BadRequest
from selfheal.words import words
from selfheal.words.width import padded

DONE, STOPPED = 0, 130

EXAMPLES = """\
examples:
  selfheal sweep shop.yaml --vary livenessProbe.periodSeconds=1..30 --vary livenessProbe.failureThreshold=1..5
  selfheal sweep shop.yaml --vary readinessProbe.timeoutSeconds=1,2,5 --slow 1.5 --plot shop.svg
  selfheal sweep shop.yaml --vary spec.replicas=1..5 --case node --case crash --format json > replicas.json
  selfheal sweep shop.yaml --vary … --scheduler tcp://10.0.0.1:8786     the same tasks on a Dask cluster

A path is one of the workload (spec.replicas) or of its main container (livenessProbe.periodSeconds).
Values: 1..30, every second of them 1..30..2, or some: 1,2,5.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("path", metavar="PATH", help="a manifest (file, folder, or - for standard input)")
    parser.add_argument("--object", metavar="KIND/NAME", help="which workload, if there are several")
    parser.add_argument("--vary", action="append", required=True, type=_varied, metavar="PATH=VALUES", help="see below")
    parser.add_argument("--case", action="append", choices=tuple(BATTERY), help=f"(default: {', '.join(CASES)})")
    parser.add_argument("--seeds", type=whole, default=SEEDS, metavar="N", help=f"runs of each case (default {SEEDS})")
    parser.add_argument("--workers", type=whole, metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="run on a Dask cluster instead")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.add_argument("--plot", metavar="FILE", help="draw the trade-off: .svg; .png or .pdf with matplotlib")
    add_app(parser)


def run(options: argparse.Namespace) -> int:
    """Sweep, print, and give the exit code. Raises ApiError, OSError."""
    subject = _chosen(options)
    app, _ = known(options)
    vary = dict(options.vary)
    if len(vary) < len(options.vary):
        raise BadRequest("--vary: one path is given twice")
    if options.plot:
        _check_plot(options.plot)
    bar = Bar()
    runner = dask(options.scheduler, bar) if options.scheduler else pool(options.workers, bar)
    cases = tuple(options.case or CASES)
    swept = sweep(subject, vary, app=app, cases=cases, seeds=options.seeds, runner=runner)
    bar.clear()
    if not swept.points:
        sys.stderr.write(f"selfheal: {words('clinic')['sweep']['row.none']}\n")
        return STOPPED
    if options.plot:
        _plot(swept, options.plot)
    sys.stdout.write(swept.json() if options.format == "json" else "\n".join(_lines(swept)) + "\n")
    return STOPPED if swept.missing else DONE


def _chosen(options: argparse.Namespace) -> Subject:
    found, _ = load([options.path])
    if options.object:
        found = [s for s in found if s.ref == options.object]
    if len(found) != 1:
        there = ", ".join(s.ref for s in load([options.path])[0])
        raise BadRequest(f"a sweep needs one workload: choose it with --object KIND/NAME; there is {there}")
    return found[0]


def _lines(swept: Sweep) -> Iterator[str]:
    """What came of it, for people."""
    say = words("clinic")["sweep"]
    yield _row(say["chosen"], swept.told(swept.best))
    if swept.now is not None:
        yield _row(say["row.now"], swept.told(swept.now))
    good = swept.as_good
    told = say["row.good"].format(good=len(good), all=len(swept.points), ranges=_ranges(swept, good))
    yield _row(say["good"], told)
    yield say["row.front"]
    for point in swept.front:
        yield _row("", swept.told(point))
    refused = [p for p in swept.points if p.refused]
    if refused:
        yield _row(say["row.refused"], say["row.refusals"].format(n=len(refused), what=swept.told(refused[0])))
    if swept.missing:
        yield say["row.missing"].format(n=swept.missing)


def _row(name: str, told: str) -> str:
    return padded(name, 10) + told


def _ranges(swept: Sweep, points: list[Point]) -> str:
    """From where to where the values of some points reach."""
    say, said = words("clinic")["sweep"], []
    for n, path in enumerate(swept.paths):
        values = [v for v in swept.grid[n] if any(p.values[n] == v for p in points)]
        name = ".".join(path.split(".")[-2:])
        span = say["range"].format(name=name, a=values[0], b=values[-1])
        said.append(f"{name} {values[0]}" if len(values) == 1 else span)
    return str(words("punctuation")["comma"]).join(said)


def _check_plot(file: str) -> None:
    """Better to know now than after the runs."""
    suffix = Path(file).suffix
    if suffix not in (".svg", ".png", ".pdf"):
        raise BadRequest(f"--plot {file}: write to a .svg, .png or .pdf")
    if suffix != ".svg" and find_spec("matplotlib") is None:
        raise BadRequest(f'--plot {file}: needs matplotlib (pip install "selfheal[plot]"); a .svg does not')
    Path(file).open("ab").close()


def _plot(swept: Sweep, file: str) -> None:
    if file.endswith(".svg"):
        swept.plot().save(file)
    else:
        figure: Any = swept.plot(backend="matplotlib")
        figure.savefig(file)


class Bar:
    """A progress bar on a terminal's standard error; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int, point: Point) -> None:
        del point
        if self._shown:
            full = 40 * done // total
            told = words("clinic")["sweep"]["bar"].format(done=done, all=total)
            sys.stderr.write(f"\r\x1b[K[{'#' * full}{'.' * (40 - full)}] {told}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _varied(text: str) -> tuple[str, tuple[Any, ...]]:
    path, equals, values = text.partition("=")
    try:
        if not equals or not path:
            raise ValueError
        return path, _values(values)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: write PATH=1..30, PATH=1..30..2 or PATH=1,2,5") from None


def _values(text: str) -> tuple[Any, ...]:
    if ".." in text:
        first, last, *step = (int(part) for part in text.split(".."))
        if last < first or len(step) > 1 or step == [0] or (last - first) > LARGEST:
            raise ValueError
        return tuple(range(first, last + 1, *step))
    values = tuple(int(part) if part.lstrip("-").isdecimal() else part for part in text.split(",") if part)
    if not values or len(set(values)) < len(values):
        raise ValueError
    return values
