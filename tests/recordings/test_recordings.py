"""The simulator against a real cluster: each recording, both takes, by the envelope of a set of seeds."""

from __future__ import annotations

import pytest

from selfheal.timeline.compare import compare
from tests.recordings.simulate import SCENARIOS, runs, takes

WIDEST_MEDIAN = 0.2
"""Seconds: the envelopes' median width stays narrow, or a comparison would prove nothing."""
WIDER = {
    "image-pull": 1.2,  # each wait after an image error is drawn: 10 to 15 s and up to 1 s of polling
    "init-containers": 1.2,  # most steps follow an exit that the kubelet sees 0 to 1 s later
}
UNLIKE = {
    ("http-statuses", 1): "the pod https started after 2.8 s, later than any seed draws; with a delay of 3 s and a "
    "period of 5 s its first probe then comes one whole period later",
    ("timeouts", 2): "the machine stood still for 1.5 s, so the answers of several pods at 21.4 s came at 22.9 s",
}
"""(recording, take): why no seed does the same."""


def judge(name: str, *numbers: int) -> None:
    recorded = takes(name)
    comparison = compare([recorded[n - 1] for n in numbers], runs(name))
    print(comparison.report())
    assert comparison, "\n".join(comparison.problems)
    assert comparison.widths()[0] <= WIDER.get(name, WIDEST_MEDIAN)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_simulator_does_what_the_real_cluster_did(name: str) -> None:
    judge(name, *(n for n in range(1, len(takes(name)) + 1) if (name, n) not in UNLIKE))


@pytest.mark.parametrize(
    ("name", "take"),
    [pytest.param(*key, marks=pytest.mark.xfail(strict=True, reason=why)) for key, why in UNLIKE.items()],
)
def test_takes_that_no_seed_is_like(name: str, take: int) -> None:
    judge(name, take)
