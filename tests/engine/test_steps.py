"""What runs cost, in simulation steps: the same on every machine.

``SELFHEAL_STEPS=store pytest tests/engine/test_steps.py`` stores what is measured now.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.engine.scenarios import ALL

STORED = Path(__file__).with_name("steps.json")
SEED = 1


@pytest.mark.parametrize("name", ALL)
def test_a_run_takes_no_more_steps_than_it_did(name: str) -> None:
    steps = ALL[name](SEED).clock.steps
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    if os.environ.get("SELFHEAL_STEPS") == "store":
        STORED.write_text(json.dumps({**stored, name: steps}, indent=2) + "\n")
        return
    assert steps <= stored[name] * 1.1, (
        f"{name} takes {steps} simulation steps, {steps / stored[name] - 1:.0%} more than the {stored[name]} stored. "
        "If the rules need them: SELFHEAL_STEPS=store pytest tests/engine/test_steps.py"
    )
