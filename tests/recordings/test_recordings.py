"""The simulator against a real cluster: each recording, both takes, by the envelope of a set of seeds."""

from __future__ import annotations

import pytest

from selfheal.timeline.compare import compare
from tests.recordings.simulate import SCENARIOS, runs, takes

WIDEST_MEDIAN = 0.2
"""Seconds: the envelopes' median width stays narrow, or a comparison would prove nothing."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_simulator_does_what_the_real_cluster_did(name: str) -> None:
    comparison = compare(takes(name), runs(name))
    print(comparison.report())
    assert comparison, "\n".join(comparison.problems)
    assert comparison.widths()[0] <= WIDEST_MEDIAN
