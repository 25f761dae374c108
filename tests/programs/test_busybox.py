"""The shell and its commands say what busybox says.

``busybox.json`` holds what a real busybox (1.35, Debian) printed for each script, in a directory
with five files; the simulated one must print the same, to standard output and error, and end with
the same code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.programs.box import Box

RECORDED = json.loads((Path(__file__).parent / "busybox.json").read_text())


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = RECORDED["cases"]
    return found


@pytest.mark.parametrize("number", range(len(RECORDED["cases"])))
def test_the_shell_prints_what_busybox_prints(number: int, cases: list[dict[str, Any]]) -> None:
    case = cases[number]
    box = Box("sleep infinity", env={"PATH": "/bin", "HOME": "/root"}, workingDir="/tmp/w")
    for name, file in RECORDED["files"].items():
        box.container.fs.write(f"/tmp/w/{name}", file["text"])
        box.container.fs.chmod(f"/tmp/w/{name}", file["mode"])
    run = box.sh(case["script"])
    box.run(20)
    assert run.done, case["script"]
    assert (run.stdout, run.stderr, run.exit_code) == (case["out"], case["err"], case["code"]), case["script"]
