"""Chapter 16: a pod that is started by hand among those of a ReplicaSet."""

from __future__ import annotations

from collections.abc import Iterator

from selfheal.cluster import Cluster
from selfheal.controllers.pods import DELETION_COST
from selfheal.lessons.exercises.exercise import Finding, Trial
from selfheal.objects import Object, controller_of, name, terminating

UNTIL = 60
GUEST = "try-out"


def examine(trial: Trial) -> Iterator[Finding]:
    house = [obj for obj in trial.objects if obj["kind"] != "Pod"]
    visitor = next(obj for obj in trial.objects if obj["kind"] == "Pod")
    cluster = Cluster(seed=trial.seed, nodes=2)
    cluster.apply(house)
    cluster.run(until=20)
    cluster.apply([visitor])
    cluster.run(until=UNTIL)
    pods = [pod for pod in cluster.get("pods") if not terminating(pod)]
    stays = _stays(pods, visitor)
    yield stays
    if stays.ok:
        yield _users(cluster, pods)
        yield _house(pods)


def _stays(pods: list[Object], visitor: Object) -> Finding:
    found = next((pod for pod in pods if name(pod) == GUEST), None)
    cost = (visitor["metadata"].get("annotations") or {}).get(DELETION_COST)
    if found is None:
        text = (
            f"Pod {GUEST} was deleted as soon as it was there. Its labels match the ReplicaSet's selector and it has "
            "no owner, so it was adopted; then there were 4 of 3, and one had to go."
        )
        if cost is not None:
            text += " The deletion cost does not save it: a pod that has no node yet goes before all others."
        return Finding(False, text)
    owner = controller_of(found)
    if owner is None:
        return Finding(True, f"Pod {GUEST} is left alone: it belongs to nobody.")
    return Finding(False, f"Pod {GUEST} has been adopted by {owner['kind']} {owner['name']}: it is one of the 3 now.")


def _users(cluster: Cluster, pods: list[Object]) -> Finding:
    endpoints = [e for s in cluster.get("endpointslices") for e in s["endpoints"] or () if e["conditions"]["ready"]]
    names = {endpoint["targetRef"]["name"] for endpoint in endpoints}
    missing = [name(pod) for pod in pods if name(pod) not in names]
    if GUEST in names and not missing:
        return Finding(True, f"Users are sent to all {len(names)} pods, the guest among them.")
    if GUEST in names:
        return Finding(
            False,
            f"Users are sent to {GUEST}, but not to {', '.join(missing)}: the Service selects the shop's pods by a "
            "label that they no longer have.",
        )
    return Finding(
        False,
        f"No users are sent to {GUEST}. The Service selects by label as well, and the guest does not have it any "
        "more. ReplicaSet and Service need not select by the same labels.",
    )


def _house(pods: list[Object]) -> Finding:
    owned = [pod for pod in pods if controller_of(pod) is not None and name(pod) != GUEST]
    if len(owned) == 3:
        return Finding(True, "The ReplicaSet has 3 pods of its own.")
    return Finding(False, f"The ReplicaSet has {len(owned)} pods besides the guest, and should have 3.")
