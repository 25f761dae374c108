"""``selfheal labs up``, ``down`` and ``doctor``, and ``selfheal run … --on kubectl``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from selfheal.scenario import Scenario
from selfheal.timeline import Record, Timeline

EXAMPLES = """\
examples:
  selfheal labs doctor                    what the labs need, and whether it is there
  selfheal labs up                        a cluster of three nodes with kind (needs Docker, 4 GiB, two minutes)
  selfheal labs up --emulator             a cluster without Docker, in a second
  selfheal labs up --emulator --speed 10  … whose clock goes ten times as fast
  selfheal run pod.yaml --on kubectl      a scenario there; `-o real.jsonl` keeps what was seen
  selfheal labs down                      removes it
"""


def add_arguments(labs: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    labs.epilog, labs.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    orders = labs.add_subparsers(dest="order", metavar="up|down|doctor", required=True)
    up = orders.add_parser("up", help="make a cluster for the labs")
    up.add_argument("--emulator", action="store_true", help="without Docker: simulated, behind a real API")
    up.add_argument("--speed", type=_speed, metavar="X", help="the emulator's seconds in a second (default 1)")
    orders.add_parser("down", help="remove what `up` has made, and nothing else")
    orders.add_parser("doctor", help="what the labs need, what is there, and how to mend the rest")


def run(options: argparse.Namespace) -> int:
    """Do it, print, and give the exit code. Raises LabError."""
    from selfheal.labs import clusters, doctor
    from selfheal.labs.errors import LabError

    say = sys.stdout.write
    if options.order == "doctor":
        findings = doctor.examine()
        say("".join(f"{finding}\n" for finding in findings))
        return 0 if doctor.ready(findings) else 1
    if options.order == "down":
        say(f"{clusters.down()}\n")
        return 0
    if options.speed is not None and not options.emulator:
        raise LabError("--speed is for the emulator; a real cluster's clock goes as it goes")
    say(f"{clusters.up(emulator=options.emulator, speed=options.speed or clusters.SPEED)}\n")
    return 0


def perform(scenario: Scenario, follow: Callable[[Record], object] | None) -> Timeline:
    """A scenario on the cluster that a lab may use, in a namespace of its own, which goes again. Raises LabError."""
    from selfheal.labs.lab import Lab

    name = re.sub(r"[^a-z0-9]+", "-", scenario.name.lower()).strip("-")[:40].strip("-") or "scenario"
    aside = sys.stderr
    with Lab(name, scenario=scenario, say=lambda text: aside.write(f"{text}\n")) as lab:
        return lab.run(live=False, follow=follow)


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None
    if not 0.1 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 100")
    return value
