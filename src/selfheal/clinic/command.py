"""``selfheal diagnose``: what can go wrong with somebody's manifests, found by running them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from selfheal import __version__
from selfheal.clinic.app import App
from selfheal.clinic.cases import BATTERY, run
from selfheal.clinic.diagnosing import examine
from selfheal.clinic.findings import SEEDS
from selfheal.clinic.report import FORMATS, Diagnosis
from selfheal.clinic.subject import Subject, read, texts
from selfheal.errors import ApiError
from selfheal.timeline import Record
from selfheal.verdict import verdict
from selfheal.words import words

NOTHING, FOUND, STOPPED = 0, 1, 130
"""Exit codes: nothing found, something found, stopped by Ctrl-C (2 is bad input, as everywhere)."""

KNOWN = ("starts", "slow", "pause", "depends", "term")

EXAMPLES = """\
examples:
  selfheal diagnose deploy.yaml                             everything that goes wrong some day, five times each
  helm template my-chart | selfheal diagnose -              a chart, as it would be installed
  kubectl get deploy,svc,pdb -o yaml | selfheal diagnose -  what runs in a cluster
  selfheal diagnose deploy.yaml --starts 40 --depends /ready   with what you know of the app
  selfheal diagnose k8s/ --first                            stop at the first proof that something does not hold
  selfheal diagnose k8s/ --format sarif > found.sarif       for a code host; the exit code is 1 if anything is found

exit code: 0 nothing found, 1 something found, 2 bad input, 130 stopped
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    cases = "\n".join(f"  {c.name:<12} {c.told(App())}" for c in BATTERY.values())
    parser.epilog, parser.formatter_class = f"{EXAMPLES}\ncases:\n{cases}\n", argparse.RawDescriptionHelpFormatter
    parser.add_argument("paths", nargs="+", metavar="PATH", help="manifests: files, folders, or - for standard input")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="default: text")
    parser.add_argument("--seeds", type=whole, default=SEEDS, metavar="N", help=f"runs of each case (default {SEEDS})")
    parser.add_argument(
        "--case", action="append", default=[], choices=tuple(BATTERY), help="only this; may be repeated"
    )
    parser.add_argument("--first", action="store_true", help="stop at the first proof; no remedies, no ranges")
    parser.add_argument("--replay", metavar="KIND/NAME:CASE:SEED", help="show one run, record by record")
    add_app(parser)


def add_app(parser: argparse.ArgumentParser) -> None:
    """What is known of the app, and its manifest does not say."""
    app = App()
    known = parser.add_argument_group("what you know of the app (else, as in brackets, it is assumed)")
    known.add_argument("--starts", type=_time, metavar="S", help=f"seconds until it listens ({app.starts:g})")
    known.add_argument("--slow", type=_time, metavar="S", help=f"what an answer takes under load ({app.slow:g})")
    known.add_argument("--pause", type=_time, metavar="S", help=f"how long it stalls now and then ({app.pause:g})")
    known.add_argument("--depends", action="append", metavar="PAGE", help="a page that needs the database; or none")
    known.add_argument("--term", type=_term, metavar="obey|ignore|S", help="at SIGTERM (obey: it ends at once)")


def known(options: argparse.Namespace) -> tuple[App, list[str]]:
    """What is taken for granted of the app, and the flags that say so."""
    given: dict[str, Any] = {}
    flags = []
    for name in ("starts", "slow", "pause", "term"):
        value = getattr(options, name)
        if value is not None:
            given[name] = value
            flags += [f"--{name}", value if isinstance(value, str) else f"{value:g}"]
    if options.depends is not None:
        given["depends"] = tuple(d for d in options.depends if d != "none")
        flags += [word for page in options.depends for word in ("--depends", page)]
    return App(**given), flags


def run_command(options: argparse.Namespace, printer: Callable[[Record], object]) -> int:
    """Diagnose, print, and give the exit code. Raises ApiError, OSError."""
    chosen, passed = load(options.paths)
    app, flags = known(options)
    if options.replay:
        return _replay(chosen, app, options.replay, printer)
    diagnosis = Diagnosis(__version__, app, flags, passed=passed, texts=texts(options.paths))
    given = frozenset(name for name in KNOWN if getattr(options, name) is not None)
    progress = Progress()
    examine(chosen, diagnosis, given, seeds=options.seeds, cases=options.case, first=options.first, tell=progress)
    sys.stdout.write(FORMATS[options.format](diagnosis))
    return STOPPED if diagnosis.stopped else FOUND if diagnosis.findings else NOTHING


def load(sources: list[str]) -> tuple[list[Subject], list[str]]:
    """The workloads of paths and of standard input. Raises ApiError if there are none."""
    chosen, passed = read(sources)
    if not chosen:
        told = f" ({'; '.join(passed)})" if passed else ""
        raise ApiError(f"no Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod in {', '.join(sources)}{told}")
    return chosen, passed


def _replay(chosen: list[Subject], app: App, what: str, printer: Callable[[Record], object]) -> int:
    """One run, as ``selfheal run`` would show it."""
    parts = what.rsplit(":", 2)
    subject = next((s for s in chosen if len(parts) == 3 and s.ref == parts[0]), None)
    if subject is None or parts[1] not in BATTERY or not parts[2].isdecimal():
        there = ", ".join(s.ref for s in chosen)
        raise ApiError(f"--replay {what}: write KIND/NAME:CASE:SEED; there is {there}, and cases {', '.join(BATTERY)}")
    outcome, trial = run(subject, app, BATTERY[parts[1]], int(parts[2]))
    for record in trial.cluster.timeline:
        printer(record)
    wrong = words("clinic")["report"]["went.wrong"].format(t=f"{trial.begun:.1f}", told=BATTERY[parts[1]].told(app))
    sys.stdout.write(f"\n{verdict(trial.cluster.timeline)}\n{wrong}\n")
    return FOUND if outcome.wrong else NOTHING


class Progress:
    """One line on a terminal's standard error; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{text[:100]}")
            sys.stderr.flush()


def whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:7]) <= 1000):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to 1000")
    return int(text)


def _time(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600 seconds")
    return value


def _term(text: str) -> str:
    if text not in ("obey", "ignore"):
        _time(text)
    return text
