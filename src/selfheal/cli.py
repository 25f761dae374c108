"""The command line: what ``selfheal run``, ``compare``, ``up``, ``advance``, ``status`` and ``down`` take and do.

``labs``, ``diagnose``, ``sweep`` and ``probe`` have rooms of their own, which say what they take.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from selfheal import __version__
from selfheal.cluster import Cluster
from selfheal.errors import ApiError
from selfheal.headlines import headline, told
from selfheal.rules import BELIEFS
from selfheal.scenario import Scenario, folder
from selfheal.scenario.actions import LATEST
from selfheal.timeline import Record, Timeline
from selfheal.timeline.compare import compare
from selfheal.timeline.log import TimelineError
from selfheal.verdict import verdict

OK, DIFFERENT, BAD_INPUT = 0, 1, 2
"""Exit codes: done; the timelines differ; something was wrong with what was given."""

EXAMPLES = """\
examples:
  selfheal run pod.yaml                                what a cluster would do with this manifest, for two minutes
  selfheal run pod.yaml --until 600 --seed 3           another draw of chance, for ten minutes
  selfheal run pod.yaml --do actions.yaml              with actions: exec, kill, http, delete, scale …
  selfheal run web.yaml --nodes 3 --traffic web=20     on three nodes, with 20 requests a second to the Service
  selfheal run nodes.yaml pod.yaml --record out.jsonl  keep the timeline
  selfheal run pod.yaml --belief readiness-restarts    what would happen if a common belief were true
  selfheal compare real.jsonl --with out.jsonl         is a simulated run what a real cluster did?
"""


class Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``selfheal`` command; returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(words)
    options = parser.parse_args(words)
    if options.command is None:
        parser.print_help()
        return BAD_INPUT
    try:
        return int(options.function(options))
    except BrokenPipeError:  # whoever read along has seen enough
        sys.stdout = None  # else the interpreter would complain on its way out
        return OK
    except (ApiError, TimelineError, OSError) as error:
        print(f"selfheal: {_one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """What can be said. The options of a command with a room of its own are known once somebody names it."""
    parser = Parser(
        prog="selfheal",
        description="See how Kubernetes heals itself: the real rules, in simulated time.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"selfheal {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _run_arguments(commands)
    _compare_arguments(commands)
    _up_arguments(commands)
    for verb, function, about in (
        ("advance", _advance, "let cluster time pass in a running cluster, at once"),
        ("status", _status, "how a running cluster is"),
        ("down", _down, "end a running cluster"),
    ):
        command = commands.add_parser(verb, help=about)
        if verb == "advance":
            command.add_argument("time", type=_duration, metavar="TIME", help="seconds, or 90s, 10m, 1h30m")
        command.add_argument("--kubeconfig", metavar="FILE", help="of that cluster (default: what KUBECONFIG names)")
        command.set_defaults(function=function)

    labs = commands.add_parser("labs", help="a cluster for the labs: up, down, doctor")
    if "labs" in words:
        from selfheal.labs import command as laboratory

        laboratory.add_arguments(labs)
        labs.set_defaults(function=laboratory.run)

    diagnose = commands.add_parser("diagnose", help="what can go wrong with manifests, found by running them")
    if "diagnose" in words:
        from selfheal.clinic import command as diagnosing

        diagnosing.add_arguments(diagnose)
        diagnose.set_defaults(function=lambda options: diagnosing.run_command(options, Printer()))

    sweep = commands.add_parser("sweep", help="how to choose values: everything that goes wrong, over a grid of them")
    if "sweep" in words:
        from selfheal.clinic import sweeping

        sweeping.add_arguments(sweep)
        sweep.set_defaults(function=sweeping.run)

    probe = commands.add_parser("probe", help="one real probe, with the kubelet's verdict and its reason")
    if "probe" in words:
        from selfheal.probers import command as probing

        probing.add_arguments(probe)
        probe.set_defaults(function=probing.run)
    return parser


def _run_arguments(commands: argparse._SubParsersAction[Parser]) -> None:
    beliefs = "\n".join(f"  {belief.key:<30} {belief.says}" for belief in BELIEFS.values())
    run = commands.add_parser(
        "run",
        help="run manifests on a simulated cluster and print what happens",
        epilog=f"{EXAMPLES}\nbeliefs:\n{beliefs}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="manifests (YAML or JSON, files or folders; may hold Nodes), or a recording's folder",
    )
    run.add_argument(
        "--on", choices=("simulator", "kubectl"), default="simulator", help="kubectl: on the cluster that a lab may use"
    )
    run.add_argument("--do", metavar="FILE", help="actions to perform in time (YAML)")
    run.add_argument("--nodes", type=_between(1, 5000), default=1, metavar="N", help="nodes of the cluster (default 1)")
    run.add_argument("--seed", type=_whole, default=0, metavar="S", help="what chance is drawn from (default 0)")
    run.add_argument(
        "--second", type=_between(0, 59), metavar="0..59", help="second of the minute at which the cluster begins"
    )
    run.add_argument("--until", type=_seconds, metavar="S", help="seconds of cluster time (default 120)")
    run.add_argument("--belief", metavar="KEY", help="run with a common wrong idea instead of the real rule; see below")
    run.add_argument(
        "--traffic", action="append", default=[], metavar="SERVICE=RATE", help="requests per second that users send"
    )
    run.add_argument(
        "-o",
        "--record",
        metavar="FILE|DIR",
        help="write the timeline, as a recorder on a real cluster would see it; into a folder: the scenario with it",
    )
    run.add_argument("--record-all", metavar="FILE", help="write the timeline with probes, traffic and causes")
    run.add_argument("--quiet", action="store_true", help="print the verdict only")
    run.set_defaults(function=_run)


def _compare_arguments(commands: argparse._SubParsersAction[Parser]) -> None:
    comparison = commands.add_parser("compare", help="compare timelines of a real cluster with simulated ones")
    comparison.add_argument("real", nargs="+", metavar="REAL.jsonl", help="takes of a real cluster")
    comparison.add_argument(
        "--with",
        nargs="+",
        required=True,
        dest="simulated",
        metavar="OTHER.jsonl",
        help="simulated runs, one for each seed",
    )
    comparison.set_defaults(function=_compare)


def _up_arguments(commands: argparse._SubParsersAction[Parser]) -> None:
    up = commands.add_parser("up", help="a cluster for kubectl and every other client, on this machine alone")
    up.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="seconds of cluster time in a second")
    up.add_argument("--nodes", type=_between(1, 5000), default=1, metavar="N", help="nodes of the cluster (default 1)")
    up.add_argument(
        "--port", type=_between(0, 65535), default=0, metavar="P", help="port on 127.0.0.1 (default: one that is free)"
    )
    up.add_argument("--kubeconfig", metavar="FILE", help="where to write the kubeconfig (default: a temporary file)")
    up.add_argument("--seed", type=_whole, default=0, metavar="S", help="what chance is drawn from (default 0)")
    up.add_argument("-f", "--filename", action="append", default=[], metavar="PATH", help="manifests to begin with")
    up.add_argument("--state", metavar="FILE", help="keep the cluster in this file, and go on from it")
    up.add_argument("--quiet", action="store_true", help="print the line to copy only")
    up.set_defaults(function=_up)


def _run(options: argparse.Namespace) -> int:
    if options.belief not in (None, *BELIEFS):
        raise ApiError(f'no belief "{options.belief}"; there are {", ".join(BELIEFS)}')
    scenario = _scenario(options)
    _check_traffic(scenario)
    record = _place(options.record, scenario)
    if options.on == "kubectl":
        if options.record_all:
            raise ApiError("--record-all: probes and causes are known to the simulator alone")
        from selfheal.labs import command as laboratory

        timeline = laboratory.perform(scenario, None if options.quiet else Printer())
        print(verdict(timeline) if options.quiet else f"\n{verdict(timeline)}")
        if record:
            timeline.save(record)
        return OK
    if options.record_all:
        Path(options.record_all).open("a").close()
    cluster = Cluster.of(scenario)
    if not options.quiet:
        cluster.timeline.subscribe(Printer())
    cluster.play(scenario)
    for warning in cluster.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    timeline = cluster.timeline
    print(verdict(timeline) if options.quiet else f"\n{verdict(timeline)}")
    if scenario.belief is not None:
        belief = BELIEFS[scenario.belief]
        print(f"This was a run on the belief: {belief.says}\nIn truth: {belief.truth} ({belief.source})")
    if record:
        timeline.save(record)
    if options.record_all:
        timeline.save(options.record_all, record_all=True)
    return OK


def _scenario(options: argparse.Namespace) -> Scenario:
    """What is to be run; of a recording's folder, what the recording says where nothing else is said."""
    paths = [Path(path) for path in options.paths]
    whole = [path for path in paths if folder.is_scenario(path)]
    do = folder.actions(whole[0]) if options.do is None and whole else options.do
    said = folder.header(whole[0]) if whole else {}
    return Scenario.load(
        [path / folder.MANIFEST if path in whole else path for path in paths],
        actions=None if do is None else Path(do),
        seed=options.seed,
        nodes=options.nodes,
        second=int(said["second"]) if options.second is None and "second" in said else options.second,
        until=said.get("until", 120) if options.until is None else options.until,
        belief=options.belief,
        traffic=[_traffic(text) for text in options.traffic],
    )


def _place(named: str | None, scenario: Scenario) -> Path | None:
    """Where the timeline goes; it is better to know now than after the run whether it can."""
    if not named:
        return None
    path = Path(named)
    if path.is_dir() or named.endswith(("/", os.sep)):
        path = folder.save(scenario, path)
    path.open("a").close()
    return path


def _compare(options: argparse.Namespace) -> int:
    result = compare([Timeline.load(p) for p in options.real], [Timeline.load(p) for p in options.simulated])
    print(result.report())
    return OK if result else DIFFERENT


def _up(options: argparse.Namespace) -> int:
    from selfheal.server.up import up

    def say(text: str) -> None:
        print(text, flush=True)

    up(
        nodes=options.nodes,
        seed=options.seed,
        speed=options.speed,
        port=options.port,
        kubeconfig=None if options.kubeconfig is None else Path(options.kubeconfig),
        state=None if options.state is None else Path(options.state),
        manifests=[Path(path) for path in options.filename],
        say=say,
        aside=(lambda _: None) if options.quiet else say,
        watched=not options.quiet,
    )
    return OK


def _remote(options: argparse.Namespace) -> Any:
    from selfheal.server.remote import Remote

    return Remote.find(options.kubeconfig)


def _advance(options: argparse.Namespace) -> int:
    told = _remote(options).ask("POST", "/selfheal/clock", {"advance": options.time})
    print(f"It is {told['time']} in the cluster.")
    return OK


def _status(options: argparse.Namespace) -> int:
    told = _remote(options).ask("GET", "/selfheal/status")
    print(
        f"{told['address']}, at {told['speed']:g} times the speed of a clock; it is {told['time']} there.\n"
        f"nodes: {told['nodesReady']} of {told['nodes']} ready; pods: {told['podsReady']} of {told['pods']} ready"
    )
    return OK


def _down(options: argparse.Namespace) -> int:
    _remote(options).ask("POST", "/selfheal/down")
    print("The cluster is gone.")
    return OK


class Printer:
    """Prints records as they come, and of an object only what is new to a reader."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], str] = {}

    def __call__(self, record: Record) -> None:
        if record["kind"] == "Probe" and record["result"] == "skipped":
            return
        key = (record["kind"], f"{record.get('namespace')}/{record.get('object')}/{record.get('probe')}")
        text = told(record)
        if self._last.get(key) != text or record["kind"] in ("Event", "Action"):
            self._last[key] = text
            print(headline(record), flush=True)


def _check_traffic(scenario: Scenario) -> None:
    """Users can only send to Services that will be there."""
    applied = [m for action in scenario.actions for m in action.manifests]
    services = {o["metadata"]["name"] for o in (*scenario.manifests, *applied) if o["kind"] == "Service"}
    for service, _ in scenario.traffic:
        if service not in services:
            raise ApiError(f'--traffic {service}: no Service "{service}" in the manifests')


def _traffic(text: str) -> tuple[str, float]:
    service, _, rate = text.partition("=")
    try:
        value = float(rate)
    except ValueError:
        value = 0.0
    if not service or not 0 < value <= 100_000:
        raise ApiError(f"--traffic {text}: write SERVICE=RATE, for instance web=20")
    return service, value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number") from None


def _between(low: int, high: int) -> Callable[[str], int]:
    def bounded(text: str) -> int:
        value = _whole(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    return bounded


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None
    if not 0.001 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.001 and 10000")
    return value


def _duration(text: str) -> float:
    """Go's way of writing a time: ``1h30m``, ``90s``; a number alone is seconds."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    hours, minutes, seconds = (float(part or 0) for part in parts.groups()) if parts and text else (0.0, 0.0, 0.0)
    value = hours * 3600 + minutes * 60 + seconds
    if not 0 < value <= LATEST:
        raise argparse.ArgumentTypeError(f"{text} is no time; write seconds, or 90s, 10m, 1h30m")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds") from None
    if not 0 < value <= LATEST:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {LATEST:.0f} seconds")
    return value


def _one_line(error: Any) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{Path(error.filename)}: {error.strerror}"
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
