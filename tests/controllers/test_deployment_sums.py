"""How large each ReplicaSet of a Deployment becomes: upstream's own tables."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.controllers.deployment import arithmetic as sums
from selfheal.objects import Object, name
from tests.controllers.worlds import deployment


def rs(size: int, available: int | None = None, number: int = 1, maximum: int | None = None) -> Object:
    """The ``number``-th ReplicaSet by age."""
    notes = {sums.MAX: str(maximum)} if maximum is not None else {}
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"rs-{number}",
            "creationTimestamp": f"2026-01-01T08:00:{number:02}Z",
            "annotations": notes,
        },
        "spec": {"replicas": size},
        "status": {"availableReplicas": size if available is None else available},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable"),
    [(1, 1, 0), (2, 1, 0), (3, 1, 0), (4, 1, 1), (10, 3, 2)],
)
def test_a_quarter_is_rounded_up_for_surge_and_down_for_unavailable(
    replicas: int, surge: int, unavailable: int
) -> None:
    made = deployment(replicas)
    assert (sums.max_surge(made), sums.max_unavailable(made)) == (surge, unavailable)


@pytest.mark.parametrize(
    ("surge", "unavailable", "expected"),
    [(0, 0, (0, 1)), ("0%", "0%", (0, 1)), (0, 50, (0, 10)), ("100%", 0, (10, 0)), (2, "30%", (2, 3))],
)
def test_the_two_are_never_both_nothing_and_unavailable_never_more_than_all(
    surge: Any, unavailable: Any, expected: tuple[int, int]
) -> None:
    made = deployment(10, surge, unavailable)
    assert (sums.max_surge(made), sums.max_unavailable(made)) == expected


@pytest.mark.parametrize(
    ("surge", "old", "new", "expected"),
    [
        pytest.param(0, 10, 0, 0, id="C130 no room"),
        pytest.param(2, 5, 0, 7, id="C131 more room"),
        pytest.param(2, 10, 2, 2, id="C132 full"),
    ],
)
def test_C130_C131_C132_the_new_one_grows_into_what_room_there_is(
    surge: int, old: int, new: int, expected: int
) -> None:
    new_rs = rs(new, number=2)
    assert sums.new_replicas(deployment(10, surge, 1 if surge == 0 else 0), [rs(old), new_rs], new_rs) == expected


@pytest.mark.parametrize(
    ("unavailable", "old", "old_available", "new", "new_available", "expected"),
    [
        pytest.param(2, 10, 10, 0, 0, 8, id="C133 two may be missing"),
        pytest.param(2, 10, 8, 0, 0, 8, id="C134 the unhealthy go first"),
        pytest.param(2, 8, 8, 2, 0, 8, id="C135 the new are not there yet"),
    ],
)
def test_C133_C134_C135_the_old_ones_shrink_to_what_must_be_available(
    unavailable: int, old: int, old_available: int, new: int, new_available: int, expected: int
) -> None:
    made, old_rs, new_rs = deployment(10, 0, unavailable), rs(old, old_available), rs(new, new_available, number=2)
    budget = sums.may_remove(made, [old_rs, new_rs], new_rs)
    size = old
    if budget > 0:
        cleaned = sums.cleanup_unhealthy([old_rs], budget)
        size = cleaned.get("rs-1", size)
        after = rs(size, old_available)
        size = sums.scale_down_old(made, [after, new_rs], [after]).get("rs-1", size)
    assert size == expected


@pytest.mark.parametrize(("limit", "removed"), [(1, 1), (3, 2), (0, 0)])
def test_C136_unhealthy_pods_go_up_to_a_limit(limit: int, removed: int) -> None:
    assert 10 - sums.cleanup_unhealthy([rs(10, 8)], limit).get("rs-1", 10) == removed


@pytest.mark.parametrize(
    ("before", "after", "sizes", "expected", "surges"),
    [
        pytest.param(10, 12, [10], [12], (0, 0), id="C137 one"),
        pytest.param(5, 10, [2, 3], [4, 6], (0, 0), id="C138 doubled"),
        pytest.param(9, 4, [8, 1], [4, 0], (0, 0), id="C139 fewer"),
        pytest.param(7, 10, [2, 3, 2], [3, 4, 3], (0, 0), id="C140 three"),
        pytest.param(3, 4, [1, 1, 1], [2, 1, 1], (0, 0), id="C141 the newest gets what is left over"),
        pytest.param(3, 2, [1, 1, 1], [1, 1, 0], (0, 0), id="C142 the oldest loses"),
        pytest.param(6, 0, [3, 2, 1], [0, 0, 0], (0, 0), id="C143 to nothing"),
        pytest.param(10, 50, [5, 8], [22, 34], (3, 6), id="C145 size and surge"),
    ],
)
def test_C137_to_C145_scaling_within_a_rollout_keeps_the_proportions(
    before: int, after: int, sizes: list[int], expected: list[int], surges: tuple[int, int]
) -> None:
    """Sizes are listed newest first, as upstream's table has them."""
    sets = [rs(size, number=len(sizes) - i, maximum=before + surges[0]) for i, size in enumerate(sizes)]
    made = deployment(after, surges[1], 1 if surges[1] == 0 else 0)
    if surges[1] == 0:
        made["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = 0
    found = sums.proportional(made, sums.active(sets))
    assert [found.get(name(s), 0) for s in sets] == expected


def test_C144_from_nothing_the_newest_gets_all() -> None:
    old = [rs(0, number=1), rs(0, number=2)]
    new = rs(0, number=3)
    assert sums.active_or_latest(new, old) is new
    assert sums.active_or_latest(None, old) is old[1]
    assert sums.active_or_latest(rs(3, number=3), old) == rs(3, number=3)
    assert sums.active_or_latest(rs(3, number=3), [rs(1)]) is None


def test_the_hash_of_a_template_is_short_harmless_and_its_own() -> None:
    made = deployment()["spec"]["template"]
    digest = sums.template_hash(made, None)
    assert digest == sums.template_hash(dict(made), None)
    assert set(digest) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert 1 <= len(digest) <= 10
    assert sums.template_hash(made, 1) != digest
    assert sums.template_hash({**made, "spec": {}}, None) != digest


def test_templates_are_compared_without_the_hash_label() -> None:
    made = deployment()["spec"]["template"]
    hashed = {**made, "metadata": {"labels": {**made["metadata"]["labels"], "pod-template-hash": "x"}}}
    assert sums.same_template(made, hashed)
    assert not sums.same_template(made, {**hashed, "spec": {}})
