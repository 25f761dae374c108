"""All tests, in four rounds: ``make test``.

The package, the browser, the chapters and a lab each get processes of their own, since a browser's driver and a
kernel's client both want the process's event loop; the package gets one a processor. Coverage adds up and is shown
once, at the end. With ``--core`` the browser, the lab and the coverage are left out (a second Python's round). Other
arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys

NOTHING_COLLECTED = 5
LAB = "labs/02-wrong-endpoint.ipynb"
"""The lab of every round; `make labs` runs them all."""
EVERY = "not nightly and not labs"
PARALLEL = ["-n", "auto", "--dist", "worksteal"]


def main(argv: list[str]) -> int:
    core = "--core" in argv
    rest = [arg for arg in argv if arg != "--core"]
    rounds = [["tests", "-m", f"{EVERY} and not browser", *PARALLEL]]
    if not core:
        rounds.append(["tests", "-m", f"{EVERY} and browser"])
    rounds.append(["--nbval", "book"])
    worst = 0
    for number, arguments in enumerate(rounds):
        # a notebook's kernel is a process of its own, in which nothing is counted
        coverage = (
            [] if core or "--nbval" in arguments else ["--cov", "--cov-report=", *["--cov-append"] * (number > 0)]
        )
        print("pytest", " ".join(arguments), flush=True)
        run = subprocess.run([sys.executable, "-m", "pytest", *coverage, *arguments, *rest], check=False)
        if run.returncode != NOTHING_COLLECTED:
            worst = worst or run.returncode
    if not core:
        print("tools/run_labs.py", LAB, flush=True)
        worst = worst or subprocess.run([sys.executable, "tools/run_labs.py", "--check", LAB], check=False).returncode
        subprocess.run([sys.executable, "-m", "coverage", "report"], check=False)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
