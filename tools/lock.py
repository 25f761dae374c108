"""`make lock`: writes requirements.txt, the one lock of everything, from the extras in pyproject.toml.

Universal: the same file serves each Python from 3.11 on and each system. What is pinned stays
where it is unless ``UPGRADE=1`` (everything moves) or pyproject.toml asks for something else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path("requirements.txt")
COMMAND = [
    *("uv", "pip", "compile", "--universal", "--all-extras", "--python-version", "3.11", "--no-header"),
    *("--no-emit-index-url", "--no-emit-find-links", "pyproject.toml", "--output-file", str(LOCK)),
]


def main() -> int:
    if shutil.which("uv") is None:
        print("selfheal: `make lock` needs uv, which pip can install", file=sys.stderr)
        return 1
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    if subprocess.run([*COMMAND, *upgrade, "--quiet"], check=False).returncode:
        return 1
    text = LOCK.read_text("utf-8")
    LOCK.write_text(f"# {' '.join(COMMAND)}\n{text}", "utf-8")
    print(f"{LOCK}: {sum('==' in line for line in text.splitlines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
