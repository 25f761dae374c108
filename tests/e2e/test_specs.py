"""specs/*.yaml: each spec of Kubernetes' end-to-end suite → the test that does what it does, or why it cannot pass.

``test_jobs.py::test_deletes_a_job``, or with the parameter's name in brackets; ``cannot: …`` where there is none.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


def table() -> dict[str, Any]:
    """All specs; one that stands twice is refused."""
    found: dict[str, Any] = {}
    for path in sorted((HERE / "specs").glob("*.yaml")):
        area = yaml.safe_load(path.read_text("utf-8"))
        assert not found.keys() & area.keys(), path
        found |= area
    return found


def test_each_spec_has_its_test_or_a_reason_and_each_test_its_spec() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", "", str(HERE)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    tests = {line.rpartition("tests/e2e/")[2] for line in listed.splitlines() if "::" in line}
    tests -= {t for t in tests if t.startswith(Path(__file__).name)}
    named = {spec: test for spec, test in table().items() if isinstance(test, str)}
    assert set(named.values()) == tests
    for spec, reason in table().items():
        assert spec.startswith("[sig-")
        if spec not in named:
            assert set(reason) == {"cannot"}, spec
            assert len(reason["cannot"]) > 10, spec
