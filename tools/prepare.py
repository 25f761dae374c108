"""Makes the virtual environment and installs what the lock pins: ``python tools/prepare.py learn|all``.

``learn`` is what a reader needs, ``all`` what a developer needs; both at the versions of
requirements.txt. A stamp remembers what was installed, so that a second call returns at once.
Quiet when all is well; one line and ``prepare.log`` in the environment when it is not.
The environment is ``.venv``, or what ``VENV`` names. `uv` does the installing where it is at hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TextIO

LOCK, PROJECT = Path("requirements.txt"), Path("pyproject.toml")
BACKEND = ["hatchling", "editables"]
SETS = {
    "learn": [["-c", str(LOCK), *BACKEND], ["-c", str(LOCK), "--no-build-isolation", "-e", ".[learn]"]],
    "all": [["-r", str(LOCK)], ["--no-deps", "--no-build-isolation", "-e", "."]],
}
PIP = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]


class Refusal(Exception):
    """What stands in the way, in one line."""


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def version_of(environment: Path) -> tuple[int, ...]:
    """The Python of an environment, or () when there is none that runs."""
    ask = "import sys; print(*sys.version_info[:3])"
    try:
        told = subprocess.run([python_of(environment), "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(map(int, told.stdout.split()))


def stamp_for(what: str, checkout: Path = Path()) -> str:
    asked = (checkout / LOCK).read_bytes() + (checkout / PROJECT).read_bytes()
    return f"{what} {hashlib.sha256(asked).hexdigest()}"


def is_ready(environment: Path, what: str, checkout: Path = Path()) -> bool:
    """Whether ``what`` (or everything) was installed here at the versions of today's lock."""
    try:
        stamp = (environment / ".prepared").read_text("utf-8")
    except OSError:
        return False
    return stamp in {stamp_for(what, checkout), stamp_for("all", checkout)} and os.access(
        python_of(environment), os.X_OK
    )


def create(environment: Path) -> None:
    """Makes the environment with the Python that runs this; one that can be used stays as it is."""
    have, named = version_of(environment), os.environ.get("PYTHON")
    if have >= (3, 11) and (not named or have[:2] == sys.version_info[:2]):
        return
    if environment.exists() and any(environment.iterdir()) and not (environment / "pyvenv.cfg").exists():
        raise Refusal(f"{environment} is in the way: it is no virtual environment")
    making = [sys.executable, "-m", "venv", "--clear", str(environment)]
    made = subprocess.run(making, check=False, capture_output=True, text=True)
    if made.returncode:
        raise Refusal(f"could not make {environment}: {last_line(made.stderr + made.stdout)}")


def install(environment: Path, what: str) -> None:
    python, log = str(python_of(environment)), environment / "prepare.log"
    uv = shutil.which("uv") or ""
    with log.open("w", encoding="utf-8") as told:
        fast = [uv, "pip", "install", "--quiet", "--python", python]
        if uv and all(run(*fast, *step, told=told) for step in SETS[what]):  # or it is a shim with nothing behind it
            return
        if not run(python, "-c", "import pip", told=told):
            run(python, "-m", "ensurepip", told=told)
        if all(run(python, *PIP, *step, told=told) for step in SETS[what]):
            return
    raise Refusal(f"installing failed: {last_line(log.read_text('utf-8'))} (all of it: {log})")


def run(*command: str, told: TextIO) -> bool:
    """Whether a command did its work. What it says goes into the log; it is asked nothing."""
    own = {**os.environ, "PIP_USER": "0", "PIP_ROOT_USER_ACTION": "ignore", "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=told, stderr=told, env=own)
    return done.returncode == 0


def last_line(text: str) -> str:
    """The line of an installer's output that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines)[-1]


def prepare(environment: Path, what: str) -> None:
    if is_ready(environment, what):
        return
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Preparing {environment} (Python {version}); the first time takes a minute or two …", flush=True)
    create(environment)
    install(environment, what)
    (environment / ".prepared").write_text(stamp_for(what), "utf-8")


def main() -> int:
    try:
        prepare(Path(os.environ.get("VENV") or ".venv"), sys.argv[1])
    except (Refusal, OSError) as problem:
        print(f"selfheal: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
