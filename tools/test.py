"""All tests, in four rounds: ``make test``.

The package, the browser, the chapters and a lab each get processes of their own, since a browser's driver and a
kernel's client both want the process's event loop; each round gets one a processor. Coverage adds up and is shown
once, at the end. With ``--core`` the browser, the lab and the coverage are left out (a second Python's round). Other
arguments go to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

NOTHING_COLLECTED = 5
LAB = "labs/02-wrong-endpoint.ipynb"
"""The lab of every round; `make labs` runs them all."""
EVERY = "not nightly and not labs"
PARALLEL = ["-n", "auto", "--dist", "worksteal"]
CHAPTERS = ["--nbval", "book", "-n", "auto", "--dist", "loadfile"]  # a notebook's cells need its kernel
COUNTED = ["-m", "slipcover", "--dont-wrap-pytest", "--json", "--out"]


def main(argv: list[str]) -> int:
    core = "--core" in argv
    rest = [arg for arg in argv if arg != "--core"]
    counted = not core and find_spec("slipcover") is not None
    rounds = [["tests", "-m", f"{EVERY} and not browser", *PARALLEL]]
    if not core:
        rounds.append(["tests", "-m", f"{EVERY} and browser", *PARALLEL])
    rounds.append(CHAPTERS)
    worst = 0
    with tempfile.TemporaryDirectory() as place:
        for number, arguments in enumerate(rounds):
            # a notebook's kernel is a process of its own, in which nothing is counted
            coverage = [*COUNTED, f"{place}/{number}.json"] if counted and arguments is not CHAPTERS else []
            print("pytest", " ".join(arguments), flush=True)
            code = python(*coverage, "-m", "pytest", *arguments, *rest)
            if code != NOTHING_COLLECTED:
                worst = worst or code
        if not core:
            print("tools/run_labs.py", LAB, flush=True)
            worst = worst or python("tools/run_labs.py", "--check", LAB)
        if counted:
            parts = sorted(map(str, Path(place).glob("?.json")))
            python("-m", "slipcover", "--out", f"{place}/all.json", "--merge", *parts)
    return worst


def python(*arguments: str) -> int:
    """Run Python to its end; its exit code. What starts again and again is compiled once, whatever the shell says."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, *arguments], env=own, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
