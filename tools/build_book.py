"""`make book`: the site in ``_build/html``, here or under the folder named; any warning an error.

The site is made from nothing, so that a page which the table of contents has lost is not published any more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OPTIONS = ["build", ".", "--all", "--warningiserror", "--nitpick", "--keep-going", "--quiet"]
WORTH_READING = re.compile(r"WARNING|ERROR|Error|Exception|^\S+:\d+:")


def main() -> int:
    program = shutil.which("jupyter-book", path=Path(sys.executable).parent) or "jupyter-book"
    place = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    began = time.monotonic()
    shutil.rmtree(place / "_build" / "html", ignore_errors=True)
    built = subprocess.run(
        [program, *OPTIONS, "--path-output", str(place)], check=False, capture_output=True, text=True
    )
    if built.returncode:
        told = (built.stdout + built.stderr).splitlines()
        print("\n".join(filter(WORTH_READING.search, told)) or "\n".join(told[-30:]), file=sys.stderr)
        print("selfheal: the book was not built", file=sys.stderr)
        return 1
    print(f"The book is in _build/html ({time.monotonic() - began:.0f} s); `make serve` shows it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
