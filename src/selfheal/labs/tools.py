"""Programs that labs call: kubectl, docker, kind."""

from __future__ import annotations

import shutil
import subprocess

from selfheal.labs.errors import LabError


def program(name: str) -> str:
    """Its path. Raises LabError if it is not there."""
    found = shutil.which(name)
    if found is None:
        raise LabError(f"this needs {name}, which is not on the PATH; `selfheal labs doctor` says how to get it")
    return found


def run(name: str, *words: str, patience: float, shown: bool = False) -> str:
    """What a program prints; with ``shown`` the reader sees it instead. Raises LabError with its last line."""
    try:
        done = subprocess.run(  # noqa: S603 - a program by its name, no shell
            [program(name), *words],
            stdin=subprocess.DEVNULL,
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE,
            text=True,
            check=False,
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{name} {words[0]} took longer than {patience:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout or "").strip().splitlines()
        raise LabError(f"{name} {words[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout or ""
