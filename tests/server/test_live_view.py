"""`selfheal up` on a terminal, as somebody who sits before it sees it: a pseudo-terminal, and what it shows."""

from __future__ import annotations

import asyncio
import io
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest
from rich.console import Console

from selfheal import Cluster
from selfheal.clock import SECOND
from selfheal.server import Emulator, live
from selfheal.server.glance import Glance, shares
from tests.server.api import deployment

fcntl, pty, termios = (
    pytest.importorskip(module, reason="pseudo-terminals are at home on Unix") for module in ("fcntl", "pty", "termios")
)

WIDTH, HEIGHT = 110, 40

SICK = """
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  containers: [{name: c, image: "busybox:1.36", command: ["false"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: rude}
spec:
  containers:
  - name: app
    image: busybox:1.36
    command: [sleep, "1000000"]
    livenessProbe:
      periodSeconds: 7
      failureThreshold: 99
      exec: {command: [sh, -c, 'printf "\\033[2J[red]sick[/red]"; exit 1']}
"""


class Terminal:
    """A terminal with `selfheal up` in its foreground."""

    def __init__(self, *words: str, size: tuple[int, int] = (WIDTH, HEIGHT), start: str = "") -> None:
        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(theirs)
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.said = b""
        program = start or "import sys; from selfheal.cli import main; sys.exit(main(sys.argv[1:]))"
        takes = (
            "import fcntl, signal, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "signal.signal(signal.SIGHUP, signal.SIG_DFL); "  # nohup around the tests would be inherited
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", takes + program, "up", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}, "TERM": "xterm-256color"},
        )
        self._theirs = theirs

    def read(self, patience: float = 0.1) -> bool:
        """What has come; whether something has."""
        if not select.select([self._end], [], [], patience)[0]:
            return False
        data = os.read(self._end, 65536)
        self.said += data
        self._stream.feed(data)
        return bool(data)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def until(self, holds: Callable[[str], object]) -> str:
        """What it shows, once that holds."""
        end = time.monotonic() + 60
        while not holds(shown := "\n".join(self.lines)):
            assert time.monotonic() < end, shown
            while self.read():  # a page at a time: what is half drawn is nothing to judge
                pass
        return shown

    def press(self, key: bytes) -> None:
        os.write(self._end, key)

    def ended(self) -> int:
        """Its exit code, when everything that it said is there."""
        end = time.monotonic() + 60
        while self.process.poll() is None:
            assert time.monotonic() < end, "it goes on"
            self.read()
        while self.read():
            pass
        return self.process.returncode

    @property
    def after(self) -> Any:
        return termios.tcgetattr(self._theirs)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._end)
        os.close(self._theirs)


@pytest.fixture
def terminal() -> Iterator[Callable[..., Terminal]]:
    made: list[Terminal] = []

    def make(*words: str, **options: Any) -> Terminal:
        made.append(Terminal(*words, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_nodes_pods_probes_and_events_and_nothing_is_left_behind(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    manifest, kubeconfig = tmp_path / "sick.yaml", tmp_path / "kubeconfig"
    manifest.write_text(SICK)
    words = ("--nodes", "2", "--speed", "10", "-f", str(manifest), "--kubeconfig", str(kubeconfig))
    seen = terminal(*words)
    shown = seen.until(lambda text: re.search(r"crash +\w+ +0/1 +\d+ +\d+ s", text) and " of 99" in text)
    rows = [line.split() for line in shown.splitlines()]
    assert shown.splitlines()[1] == f"export KUBECONFIG={kubeconfig}"
    assert ["node-2", "Ready"] in [row[:2] for row in rows]
    [crash] = [row for row in rows if row[:1] == ["crash"]]
    assert crash[2] == "0/1"
    assert int(crash[3]) > 0
    assert 0 <= int(crash[4]) <= 300  # seconds of its back-off that are left
    assert crash[5] == "s"
    [probe] = [row for row in rows if row[:3] == ["rude", "app", "liveness"]]
    assert probe[3] == "failed,"
    assert (probe[-3], probe[-1]) == ("Success", "s")
    assert 0 <= int(probe[-2]) <= 7
    assert "Liveness probe failed: ·[2J[red]sick[/red]" in shown
    seen.press(b"\x03")
    assert seen.ended() == 0
    assert seen.said.endswith(b"\x1b[?1049l\x1b[?25h")  # the first screen, and the cursor
    assert seen.after == seen.before
    assert not kubeconfig.exists()


def test_it_ticks(terminal: Callable[..., Terminal]) -> None:
    seen = terminal("--speed", "10")
    first = seen.until(lambda text: "since the start" in text).splitlines()[2]
    seen.until(lambda text: text.splitlines()[2] != first)
    seen.process.send_signal(signal.SIGHUP)  # the window is closed
    assert seen.ended() == 0


def test_quiet_and_without_a_terminal_there_are_words_alone(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    quiet = terminal("--quiet", "--kubeconfig", str(path))
    quiet.until(lambda text: "export" in text)
    quiet.press(b"\x03")
    assert quiet.ended() == 0
    assert quiet.said == f"export KUBECONFIG={path}\r\n^C".encode()
    command = [sys.executable, "-m", "selfheal.cli", "up", "--kubeconfig", str(path)]
    piped = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "FORCE_COLOR": "1"})
    assert piped.stdout is not None
    for start in (
        "A cluster of 1 node at https://127.0.0.1:",
        "In another terminal:",
        "\n",
        f"export KUBECONFIG={path}",
    ):
        assert piped.stdout.readline().startswith(start)
    piped.terminate()
    assert piped.communicate(timeout=20)[0] == ""


def test_without_rich_there_are_the_words_and_how_to_get_it(terminal: Callable[..., Terminal]) -> None:
    bare = "import sys; sys.modules['rich.console'] = None; from selfheal.cli import main; sys.exit(main(sys.argv[1:]))"
    seen = terminal(start=bare)
    seen.until(lambda text: 'pip install "selfheal[server]"' in text and "export KUBECONFIG=" in text)
    seen.press(b"\x03")
    assert seen.ended() == 0
    assert b"\x1b" not in seen.said
    assert b"Traceback" not in seen.said


def test_on_a_small_terminal_the_line_is_whole_and_trouble_comes_first(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    manifest, kubeconfig = tmp_path / "many.yaml", tmp_path / "a rather long name of a folder" / "kubeconfig"
    many = deployment()
    many["spec"]["replicas"] = 30
    Path(manifest).write_text(f"{SICK}---\n{__import__('json').dumps(many)}")
    words = ("--speed", "20", "-f", str(manifest), "--kubeconfig", str(kubeconfig))
    seen = terminal(*words, size=(50, 14))
    shown = seen.until(lambda text: "… and 2" in text and "crash " in text)
    lines = shown.splitlines()
    head = lines[1 : next(i for i, line in enumerate(lines) if line.startswith("nodes:"))]
    assert "".join(line.ljust(50) for line in head).rstrip() == f"export KUBECONFIG='{kubeconfig}'"
    pods = lines[next(i for i, line in enumerate(lines) if line.startswith("POD ")) + 1 :]
    assert pods[0].startswith("crash ")


def test_what_has_not_changed_is_not_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "PAUSE", 0.001)
    monkeypatch.setattr(live, "_foreground", lambda: True)
    looks = 0
    tables = Glance.tables

    def counted(self: Glance, now: int, height: int) -> Any:
        nonlocal looks
        looks += 1
        if looks == 50:
            view.end()
        return tables(self, now, height)

    monkeypatch.setattr(Glance, "tables", counted)
    screen = io.StringIO()

    async def watch() -> None:
        await emulator.start()
        await view.show()
        await emulator.stop()

    with asyncio.Runner() as runner:
        emulator = Emulator(speed=0, kubeconfig=tmp_path / "kubeconfig")
        console = Console(file=screen, force_terminal=True, width=WIDTH, height=HEIGHT, _environ={})
        view = live.View(emulator, "export KUBECONFIG=x", console)
        runner.run(watch())
    assert looks >= 50
    assert screen.getvalue().count("export KUBECONFIG=x") == 1


def test_looking_changes_nothing() -> None:
    """The timeline of a cluster that was looked at all the time is that of one that nobody looked at."""
    watched, alone = Cluster(2, seed=5), Cluster(2, seed=5)
    glance = Glance(watched)
    for cluster in (watched, alone):
        cluster.apply(SICK)
    for second in range(1, 120):
        watched.run(until=second)
        assert glance.tables(watched.clock.now, HEIGHT)
    alone.run(until=119)
    assert watched.timeline.to_jsonl(record_all=True) == alone.timeline.to_jsonl(record_all=True)


def test_the_countdowns_are_kept() -> None:
    """What the view says is left of a back-off, and until a probe is due, is what is left."""
    cluster = Cluster(1, seed=5)
    glance = Glance(cluster)
    cluster.apply(SICK)

    def row(*cells: str) -> tuple[str, ...]:
        shown = [line.cells for table in glance.tables(cluster.clock.now, HEIGHT) for line in table.lines]
        return next(found for found in shown if found[: len(cells)] == cells)

    def restarts() -> int:
        return int(row("crash")[3])

    def asked() -> int:
        return sum(r["times"] for r in cluster.timeline.select(kind="Probe", object="Pod/rude"))

    cluster.run(lambda: restarts() == 3)
    cluster.run(for_=5)
    left = float(row("crash")[4].removesuffix(" s"))
    then = cluster.now
    cluster.run(lambda: not row("crash")[4])
    assert cluster.now - then == pytest.approx(left, abs=1)
    assert restarts() == 3
    cluster.run(lambda: restarts() == 4, limit=30)  # the sync that finds the back-off over
    due = cluster.now + float(row("rude", "app", "liveness")[5].removesuffix(" s"))
    before = asked()
    cluster.run(until=due - 1)
    assert asked() == before
    cluster.run(until=due + 1.5)
    assert asked() == before + 1


def test_room_is_shared_fairly() -> None:
    assert shares([3, 100, 40], 30) == [3, 14, 13]
    assert shares([3, 4, 5], 30) == [3, 4, 5]
    assert shares([9, 9], 1) == [0, 1]
    assert sum(shares([100, 100, 100], 31)) == 31
    assert Cluster().clock.now < SECOND
