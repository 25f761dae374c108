"""What `selfheal up` costs, beside what a real control plane does: ``make bench``.

The real one had three nodes on two cores of the same kind (:data:`REAL`). Seconds are those on the wall, so a busy
machine counts.
"""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTS, ASKED = 5, 20
REAL = {"ready": "about 20 s", "memory": "1.16 GB", "get pods": "0.08 to 0.13 s"}
"""What a real control plane took: until all nodes were Ready, resident, and for `kubectl get pods -A`."""


def start(folder: Path, *options: str) -> tuple[subprocess.Popen[str], float]:
    """An emulator, of three nodes unless the options say otherwise, and how long it took until it could be asked."""
    command = [
        sys.executable,
        "-m",
        "selfheal.cli",
        "up",
        "--nodes",
        "3",
        "--quiet",
        "--kubeconfig",
        str(folder / "config"),
        *options,
    ]
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process, time.monotonic() - begin


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def resident(process: subprocess.Popen[str]) -> float:
    """MB of memory that a process holds; Linux only."""
    text = Path(f"/proc/{process.pid}/status").read_text("ascii")
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def processor(process: subprocess.Popen[str]) -> float:
    """Seconds of processor time that a process has had; Linux only."""
    fields = Path(f"/proc/{process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(what: str, value: str, aim: str, real: str = "") -> None:
    print(f"{what:<44} {value:>12}   aim {aim:<10} {f'a real one: {real}' if real else ''}".rstrip())


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        took, worked = [], []
        for _ in range(STARTS):
            process, seconds = start(folder)
            took.append(seconds)
            if Path("/proc").is_dir():
                worked.append(processor(process))
            stop(process)
        say("ready (3 nodes), the median of five", f"{statistics.median(took):.2f} s", "<= 0.5 s", REAL["ready"])
        if worked:
            say("  of which the processor worked", f"{statistics.median(worked):.2f} s", "-")
        process, _ = start(folder)
        try:
            if Path("/proc").is_dir():
                say("memory after the start", f"{resident(process):.0f} MB", "<= 80 MB", REAL["memory"])
            if kubectl := shutil.which("kubectl"):
                environment = {**os.environ, "KUBECONFIG": str(folder / "config"), "HOME": name}

                def ask(*words: str) -> float:
                    begin = time.monotonic()
                    subprocess.run([kubectl, *words], env=environment, capture_output=True, check=True)
                    return time.monotonic() - begin

                ask("create", "deployment", "web", "--image=nginx:1.27", "--replicas=50")
                ask("rollout", "status", "deployment/web")
                seconds = statistics.median(ask("get", "pods", "-A") for _ in range(ASKED))
                say("kubectl get pods -A, 50 pods", f"{seconds:.3f} s", "<= 0.13 s", REAL["get pods"])
                if Path("/proc").is_dir():
                    say("memory with 50 pods", f"{resident(process):.0f} MB", "<= 80 MB", REAL["memory"])
        finally:
            stop(process)


if __name__ == "__main__":
    main()
