"""`make labs`: runs the labs' notebooks, each on an emulator of its own, and stores or compares what they show.

    python tools/run_labs.py                          all of them; what they show is stored anew
    python tools/run_labs.py --check                  … is compared with what is stored (nbval)
    python tools/run_labs.py labs/02-….ipynb          one of them
    LAB_CONTEXT=kind-selfheal python tools/run_labs.py --check     on that cluster instead of emulators

``--speed X``: seconds of cluster time in a second (default 10; more than 20, and clients no longer keep up).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from run_chapters import run

SPEED = 10.0
CELL = 1800
"""Seconds that a cell may take on a real cluster."""
PATIENCE = 30.0
"""Seconds in which an emulator must be there."""


@contextlib.contextmanager
def cluster(speed: float) -> Iterator[dict[str, str]]:
    """The variables by which a lab finds its cluster: an emulator that lasts as long as this, unless one is named."""
    if os.environ.get("LAB_CONTEXT"):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="selfheal-labs-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        words = ["up", "--quiet", "--nodes", "3", "--speed", f"{speed:g}", "--kubeconfig", str(kubeconfig)]
        process = subprocess.Popen([sys.executable, "-m", "selfheal.cli", *words], stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + PATIENCE
            while not kubeconfig.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("the emulator did not start")
                time.sleep(0.05)
            yield {"KUBECONFIG": str(kubeconfig)}
        finally:
            process.terminate()
            process.wait(10)


def check(path: Path, variables: dict[str, str]) -> bool:
    """Whether a notebook shows what is stored in it."""
    words = [sys.executable, "-m", "pytest", "-q", "--nbval", str(path)]
    return subprocess.run(words, check=False, env={**os.environ, **variables}).returncode == 0


def store(path: Path, variables: dict[str, str]) -> bool:
    os.environ.update(variables)
    print(f"{path.as_posix()}: {'changed' if run(path, CELL) else 'as it was'}", flush=True)
    return True


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Runs the labs' notebooks, each on an emulator of its own.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="compare with what is stored, instead of storing")
    parser.add_argument("--speed", type=float, default=SPEED)
    options = parser.parse_args(arguments)
    differ = []
    for path in options.notebooks or sorted(Path("labs").glob("*.ipynb")):
        with cluster(options.speed) as variables:
            if not (check if options.check else store)(path, variables):
                differ.append(path.as_posix())
    if differ:
        print("not as stored:", ", ".join(differ))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
