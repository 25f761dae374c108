"""Programs that take more memory than their container may have, and pipes that fill up."""

from __future__ import annotations

import pytest

from tests.programs.box import Box

LIMIT = {"resources": {"limits": {"memory": "50Mi"}}}


@pytest.mark.parametrize(
    "line",
    [
        "tail /dev/zero",
        "sleep 1; tail -c 100m /dev/zero",
        "cat /dev/zero | tail; echo never",
        "head -c 100m /dev/zero | sort",
        "a=xxxxxxxx; while true; do a=$a$a; done",
        "a=$(head -c 60m /dev/zero | tr '\\0' x)",
    ],
)
def test_whoever_keeps_what_never_ends_is_killed(line: str) -> None:
    box = Box(line, **LIMIT).run(10)
    assert box.end is not None
    assert box.end[1:] == (137, "OOMKilled")
    assert not box.log


def test_without_a_limit_it_just_goes_on() -> None:
    assert Box("tail /dev/zero").run(100).end is None
    assert Box("wc -c /dev/zero", **LIMIT).run(100).end is None


def test_who_writes_waits_for_who_reads_and_ends_with_them() -> None:
    box = Box(
        "tr -dc a-z </dev/urandom | head -c 8 | wc -c; cat /dev/zero | head -c 3 | wc -c; head -c 1k /dev/zero | wc -c"
    )
    assert box.run(1).log == ["8", "3", "1024"]


def test_tr_squeezes_what_it_has_changed() -> None:
    assert Box("echo aabbc | tr -s ab; echo aabb | tr -s a b; echo abcb | tr -d b").run(1).log == ["abc", "b", "ac"]
