"""What the chapters on controllers say in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re

from selfheal import Cluster
from selfheal.lessons import stepper
from selfheal.lessons.stepper import ACTORS
from tests.book.notebooks import output, prose, rows
from tests.book.test_claims import numbers

SEVENTEEN = "17-reconciliation.ipynb"

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "selfheal/patient:1"}]}
"""


def shops() -> Cluster:
    cluster = Cluster(seed=1, nodes=3)
    cluster.apply(SHOP)
    return cluster.run(until=10)


# -- chapter 17


def test_a_successor_is_there_within_hundredths_of_a_second_and_before_the_old_pod_has_ended() -> None:
    assert 0 < numbers(output(SEVENTEEN, "night-when"))[0] < 100
    told = output(SEVENTEEN, "stepper")
    assert told.index("manageReplicas") < told.index("HandlePodUpdates")


def test_a_pod_without_its_label_is_released_and_with_it_adopted_again() -> None:
    owned = output(SEVENTEEN, "label-run")
    assert len(owned.splitlines()) == 4
    assert owned.count("owned by nobody") == 1
    again = output(SEVENTEEN, "label-back")
    assert again.startswith("Deleted pod: ")
    assert len(again.splitlines()) == 4
    assert "nobody" not in again
    assert "has 4 active pods and wants 3" in output(SEVENTEEN, "explain-adopted").replace("\n           ", " ")


def test_the_past_makes_no_difference() -> None:
    told = {row[0]: [int(n) for n in row[1:]] for row in rows(output(SEVENTEEN, "pasts"))}
    assert told == {
        "two deleted": [2, 0, 3],
        "up and down": [0, 0, 3],
        "label off and on": [0, 0, 3],
        "nobody there": [0, 0, 3],
    }


def test_only_a_deployment_brings_a_new_version() -> None:
    told = {row[0]: row[1:] for row in rows(output(SEVENTEEN, "generations-run"))}
    assert told["ReplicationController"][:2] == told["ReplicaSet"][:2] == ["3", "0"]
    assert told["Deployment"] == ["0", "3", "ReplicaSet"]


def test_an_unready_pod_is_replaced_in_a_belief_only() -> None:
    assert output(SEVENTEEN, "belief-run").splitlines()[:2] == [
        "true: 0 pods made after second 33",
        "believed: 1 pods made after second 33",
    ]


def test_a_deleted_replica_set_is_made_again_under_the_same_name() -> None:
    cluster = shops()
    before = cluster.get("rs")[0]["metadata"]
    cluster.delete(f"rs/{before['name']}")
    cluster.run(until=30)
    (after,) = cluster.get("rs")
    assert after["metadata"]["name"] == before["name"]
    assert after["metadata"]["uid"] != before["uid"]
    assert "Delete a ReplicaSet, and the Deployment makes it again, under the same name" in prose(SEVENTEEN)


def test_a_walk_asks_who_is_next_and_has_one_right_answer() -> None:
    cluster = shops()
    cluster.delete(f"pod/{cluster.get('pods')[0]['metadata']['name']}")
    cluster.run(until=20)
    walk = stepper(cluster.timeline, since=10).steps
    actors = {who for who, _ in ACTORS.values()}
    assert {step.who for step in walk} <= actors
    for before, step in zip((None, *walk), walk, strict=False):
        assert (step.ask is not None) == (before is None or before.who != step.who)
        assert re.fullmatch(r"(pkg|staging)/\S+\.go", step.source)
        assert "was deleted" not in step.says
        if step.ask is not None:
            assert [a.says.rstrip(".").lower() for a in step.ask.answers if a.right] == [step.who.lower()]
            assert len(step.ask.answers) == 3
