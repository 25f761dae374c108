"""``cluster.logs`` shows what ``kubectl logs`` shows."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import Cluster
from selfheal.errors import BadRequest
from tests.conformance.pods import container, pod

COUNTS = "n=$(cat /data/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > /data/n; echo life $n; sleep 1; exit 1"
VOLUME = {"volumes": [{"name": "data", "emptyDir": {}}]}
MOUNT = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}


def crashing() -> Cluster:
    """A container that ends after a second, and says its how-manieth life it is."""
    cluster = Cluster(seed=1)
    cluster.apply(pod(container(command=COUNTS, **MOUNT), **VOLUME))
    return cluster


def container_status(cluster: Cluster) -> dict[str, Any]:
    found: list[dict[str, Any]] = (cluster.get("pod", "pod").get("status") or {}).get("containerStatuses") or []
    return found[0] if found else {"state": {}, "restartCount": 0}


def reason(cluster: Cluster) -> str:
    return str((container_status(cluster)["state"].get("waiting") or {}).get("reason", ""))


def test_a_container_in_crash_loop_back_off_shows_its_last_life_with_previous_and_without() -> None:
    cluster = crashing()
    while reason(cluster) != "CrashLoopBackOff":
        cluster.run(for_=0.5)
    lived = container_status(cluster)["restartCount"] + 1
    assert cluster.logs("pod") == f"life {lived}\n"
    assert cluster.logs("pod", previous=True) == f"life {lived}\n"


def test_a_running_container_shows_its_own_life_and_the_one_before_with_previous() -> None:
    cluster = crashing()
    while container_status(cluster)["restartCount"] < 1 or "running" not in container_status(cluster)["state"]:
        cluster.run(for_=0.1)
    assert cluster.logs("pod") == "life 2\n"
    assert cluster.logs("pod", previous=True) == "life 1\n"


def test_the_first_life_has_none_before_it() -> None:
    cluster = crashing().run(until=1.5)
    assert cluster.logs("pod") == "life 1\n"
    with pytest.raises(BadRequest, match='previous terminated container "app" in pod "pod" not found'):
        cluster.logs("pod", previous=True)
