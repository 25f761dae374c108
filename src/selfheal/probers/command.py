"""``selfheal probe``: one probe as the kubelet makes it, and what it would say and do about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal.probes import Outcome

SUCCESS, FAILURE, BAD_INPUT, ERRORED = 0, 1, 2, 3
"""Exit codes: it counts as a success (a warning too); as a failure; nothing was probed; it does not count."""

EXAMPLES = """\
examples:
  selfheal probe http http://127.0.0.1:8080/healthz          as httpGet; add --header 'X-Name: value' as often as needed
  selfheal probe tcp 127.0.0.1:5432 --timeout 3              as tcpSocket
  selfheal probe grpc 127.0.0.1:5000 --service liveness      as grpc
  selfheal probe exec --env FILE=/tmp/healthy -- cat '$(FILE)'   as exec: no shell, $(NAME) is replaced as in a manifest

exit code: 0 success (a warning too), 1 failure, 2 bad input, 3 an error, which the kubelet does not count
"""


def add_arguments(probe: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    probe.epilog, probe.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    handlers = probe.add_subparsers(dest="handler", metavar="http|tcp|exec|grpc", required=True)
    for name, target, text in (
        ("http", "URL", "an HTTP GET: 200 to 399 is well"),
        ("tcp", "HOST:PORT", "a connection, closed at once"),
        ("grpc", "HOST:PORT", "grpc.health.v1, Check"),
        ("exec", "COMMAND", "a command, started by no shell: 0 is well"),
    ):
        handler = handlers.add_parser(name, help=text, epilog=EXAMPLES, formatter_class=probe.formatter_class)
        handler.add_argument("--timeout", type=_timeout, default=1, metavar="S", help="timeoutSeconds (default 1)")
        handler.add_argument(
            "--as", dest="kind", choices=("liveness", "readiness", "startup"), default="liveness", help="for its texts"
        )
        handler.add_argument("--json", action="store_true", help="print the verdict as JSON")
        if name == "http":
            handler.add_argument("--header", action="append", default=[], type=_header, metavar="'NAME: VALUE'")
        elif name == "grpc":
            handler.add_argument("--service", default="", metavar="NAME", help="the service to ask for (default: '')")
        elif name == "exec":
            handler.add_argument("--env", action="append", default=[], type=_variable, metavar="NAME=VALUE")
            handler.add_argument("--workdir", metavar="PATH", help="where the command runs")
        handler.add_argument("target", nargs="+" if name == "exec" else None, metavar=target)


def run(options: argparse.Namespace) -> int:
    """Probe, print, and give the exit code."""
    import asyncio

    from selfheal.probers.retries import tried

    try:
        attempt = _attempt(options)
    except ValueError as error:
        sys.stderr.write(f"selfheal: {error}\n")
        return BAD_INPUT
    except ModuleNotFoundError as error:
        if error.name != "grpc":
            raise
        sys.stderr.write('selfheal: a gRPC probe needs grpcio: pip install "selfheal[probe]"\n')
        return BAD_INPUT
    outcome, attempts = asyncio.run(tried(attempt))
    sys.stdout.write(_as_json(outcome, attempts, options.kind) if options.json else _as_text(outcome, options.kind))
    if outcome.error is not None:
        return ERRORED
    return SUCCESS if outcome.result in ("success", "warning") else FAILURE


def _attempt(options: argparse.Namespace) -> Callable[[], Awaitable[Outcome]]:
    timeout = options.timeout * 1_000_000
    if options.handler == "exec":
        from selfheal.probers import exec as command

        words: Sequence[str] = options.target
        return lambda: command.probe(words, timeout, dict(options.env), options.workdir)
    from selfheal.probers import http

    if options.handler == "http":
        action = http.action(options.target, options.header)
        return lambda: http.probe(action, timeout)
    host, port = http.split(options.target)
    if options.handler == "tcp":
        from selfheal.probers import tcp

        return lambda: tcp.probe(host, port, timeout)
    from selfheal.probers import grpc

    return lambda: grpc.probe(host, port, options.service, timeout)


def _as_text(outcome: Outcome, kind: str) -> str:
    from selfheal.probes.result import go_duration, told

    event = told(outcome, kind)
    verdict = "error, not counted" if outcome.error is not None else outcome.result
    lines = [f"{verdict} after {go_duration(outcome.duration // 1000 * 1000)}"]
    if event is not None:
        lines.append(f"Warning  {event[0]}  {event[1]}")
    elif outcome.output:
        lines.append(outcome.output.rstrip("\n"))
    return "\n".join(lines) + "\n"


def _as_json(outcome: Outcome, attempts: int, kind: str) -> str:
    from selfheal.probes.result import told

    event = told(outcome, kind)
    found = {
        "result": outcome.result,
        "counted": outcome.error is None,
        "output": outcome.output,
        "error": outcome.error,
        "attempts": attempts,
        "seconds": outcome.duration / 1_000_000,
        "event": None if event is None else {"type": "Warning", "reason": event[0], "message": event[1]},
    }
    return json.dumps(found, ensure_ascii=False) + "\n"


def _timeout(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:7]) <= 3600):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of seconds from 1 to 3600")
    return int(text)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    plain = name.replace("-", "")
    if not colon or not (plain.isascii() and plain.isalnum()) or "\r" in value or "\n" in value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME: VALUE")
    return name, value.strip()


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
