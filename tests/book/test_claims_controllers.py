"""What the chapters on controllers say in words holds for the numbers that stand beside the words."""

from __future__ import annotations

import re
from typing import Any

from selfheal import Cluster
from selfheal.lessons import stepper
from selfheal.lessons.stepper import ACTORS
from selfheal.words import words
from tests.book.notebooks import cells, output, prose, rows, source
from tests.book.test_claims import numbers

RECONCILIATION, ROLLOUTS = "16-reconciliation.ipynb", "17-rollouts.ipynb"
OTHERS, OWN = "18-other-controllers.ipynb", "19-your-own-controller.ipynb"
LAST = "20-what-it-cannot-heal.ipynb"

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


# -- chapter 16


def test_a_successor_is_there_within_hundredths_of_a_second_and_before_the_old_pod_has_ended() -> None:
    assert 0 < numbers(output(RECONCILIATION, "night-when"))[0] < 100
    told = output(RECONCILIATION, "stepper")
    assert told.index("manageReplicas") < told.index("HandlePodUpdates")


def test_a_pod_without_its_label_is_released_and_with_it_adopted_again() -> None:
    owned = output(RECONCILIATION, "label-run")
    assert len(owned.splitlines()) == 4
    assert owned.count("owned by nobody") == 1
    again = output(RECONCILIATION, "label-back")
    assert again.startswith("Deleted pod: ")
    assert len(again.splitlines()) == 4
    assert "nobody" not in again
    assert "has 4 active pods and wants 3" in output(RECONCILIATION, "explain-adopted").replace("\n           ", " ")


def test_the_past_makes_no_difference() -> None:
    told = {row[0]: [int(n) for n in row[1:]] for row in rows(output(RECONCILIATION, "pasts"))}
    assert told == {
        "two deleted": [2, 0, 3],
        "up and down": [0, 0, 3],
        "label off and on": [0, 0, 3],
        "nobody there": [0, 0, 3],
    }


def test_only_a_deployment_brings_a_new_version() -> None:
    told = {row[0]: row[1:] for row in rows(output(RECONCILIATION, "generations-run"))}
    assert told["ReplicationController"][:2] == told["ReplicaSet"][:2] == ["3", "0"]
    assert told["Deployment"] == ["0", "3", "ReplicaSet"]


def test_an_unready_pod_is_replaced_in_a_belief_only() -> None:
    assert output(RECONCILIATION, "belief-run").splitlines()[:2] == [
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
    assert "Delete a ReplicaSet, and the Deployment makes it again, under the same name" in prose(RECONCILIATION)


def test_a_walk_asks_who_is_next_and_has_one_right_answer() -> None:
    cluster = shops()
    cluster.delete(f"pod/{cluster.get('pods')[0]['metadata']['name']}")
    cluster.run(until=20)
    walk = stepper(cluster.timeline, since=10).steps
    actors = {words("loops")[actor]["who"] for actor in ACTORS}
    assert {step.who for step in walk} <= actors
    for before, step in zip((None, *walk), walk, strict=False):
        assert (step.ask is not None) == (before is None or before.who != step.who)
        assert re.fullmatch(r"(pkg|staging)/\S+\.go", step.source)
        assert "was deleted" not in step.says
        if step.ask is not None:
            assert [a.says.rstrip(".").lower() for a in step.ask.answers if a.right] == [step.who.lower()]
            assert len(step.ask.answers) == 3


# -- chapter 17


def test_a_version_that_never_gets_ready_stops_and_costs_nothing() -> None:
    told = output(ROLLOUTS, "bad-run")
    assert re.search(r"^shop +3/4 ", told, re.MULTILINE)
    assert re.search(r"^shop-\w+ +2 +2 +0 ", told, re.MULTILINE)
    assert "0 of 12000 requests lost since then" in told
    assert "Three pods of version 1 are left" in prose(ROLLOUTS)


def test_a_stuck_rollout_leaves_the_floor_and_fills_the_surge() -> None:
    for wanted, old, new, together in ([int(n) for n in row] for row in rows(output(ROLLOUTS, "where"))):
        assert old == wanted - wanted // 4
        assert together == wanted + -(-wanted // 4) == old + new
    assert [10, 8, 5, 13] in [[int(n) for n in row] for row in rows(output(ROLLOUTS, "where"))]


def test_it_is_reported_after_ten_minutes_and_left_as_it_is() -> None:
    told = output(ROLLOUTS, "back-run")
    assert re.search(r"Progressing +False +ProgressDeadlineExceeded", told)
    assert 600 <= numbers(re.findall(r"reported .*", told)[0])[0] <= 601
    assert told.endswith("old and new pods: 3 2")
    assert output(ROLLOUTS, "believed").splitlines()[:2] == [
        "true:     old and new pods 3 2",
        "believed: old and new pods 4 0",
    ]
    assert 0 < numbers(output(ROLLOUTS, "undo-run").splitlines()[-2])[0] < 5
    assert "0 requests lost" in output(ROLLOUTS, "undo-run")


def test_what_each_setting_costs_is_what_the_text_reads_from_the_table() -> None:
    cost = {row[0]: [int(n) for n in row[1:]] for row in rows(output(ROLLOUTS, "settings"))}
    assert cost["readiness probe"][:2] == cost["readiness, minReadySeconds 60"][:2] == [0, 0]
    for exposed in ("no readiness probe", "readiness, maxUnavailable 100%", "readiness, Recreate"):
        assert cost[exposed][0] > 100
        assert min(cost[exposed][1:]) > 5000
    assert cost["no probe, minReadySeconds 60"][0] > 100
    assert cost["readiness, minReadySeconds 60"][2] < cost["readiness, minReadySeconds 30"][2] < 5000
    assert cost["readiness probe"][2] > 5000


def test_a_complete_rollout_reports_no_later_sickness() -> None:
    assert output(ROLLOUTS, "told-check").splitlines() == [
        "Progressing True NewReplicaSetAvailable",
        "Available False MinimumReplicasUnavailable",
    ]


def test_a_wrong_liveness_port_lets_a_rollout_complete() -> None:
    cluster = shops()
    probe = "livenessProbe: {httpGet: {path: /, port: 80}}, readinessProbe: {httpGet: {path: /, port: 8080}}"
    cluster.apply(SHOP.replace('"selfheal/patient:1"', f'"selfheal/patient:2", {probe}'))
    cluster.run(until=100)
    status = cluster.get("deployment", "shop")["status"]
    assert {c["reason"] for c in status["conditions"]} >= {"NewReplicaSetAvailable"}
    cluster.run(until=120)
    assert all(pod["status"]["containerStatuses"][0]["restartCount"] for pod in cluster.get("pods"))


def test_a_rollout_goes_on_an_hour_after_its_deadline() -> None:
    cluster = shops()
    ready = "{httpGet: {path: /readyz, port: 8080}}"
    late = f'"selfheal/patient:2", args: [--readyz-after, "0=503"], readinessProbe: {ready}'
    cluster.apply(SHOP.replace('"selfheal/patient:1"', late))
    cluster.run(until=4200)
    for _ in range(4):
        for pod in cluster.get("pods"):
            cluster.http(pod["metadata"]["name"], "/switch?readyz=200", method="POST")
        cluster.run(for_=30)
    assert cluster.get("deployment", "shop")["status"]["updatedReplicas"] == 3
    assert {c["reason"] for c in cluster.get("deployment", "shop")["status"]["conditions"]} >= {
        "NewReplicaSetAvailable"
    }


# -- chapter 18


def test_four_controllers_have_four_ideas_of_when_a_pod_is_missing() -> None:
    after = {row[0]: (float(row[1]), row[2]) for row in rows(output(OTHERS, "first-run"))}
    assert after["Deployment"][0] < 0.1
    assert 9 <= after["Job"][0] <= 10.1
    assert 20 <= after["DaemonSet"][0] < after["StatefulSet"][0] < 22
    assert {kind for kind, (_, name) in after.items() if name == "the same"} == {"StatefulSet"}


def test_a_killed_process_makes_a_new_pod_only_where_nobody_may_restart_it() -> None:
    told = {row[0]: row[1:] for row in rows(output(OTHERS, "accidents-run"))}
    assert {kind for kind, (killed, _) in told.items() if killed != "never"} == {"Job"}
    assert {kind for kind, (_, power) in told.items() if power == "never"} == {"StatefulSet", "DaemonSet"}
    for kind in ("Deployment", "Job"):
        assert 340 <= numbers(told[kind][1])[0] <= 360
    assert "after some six minutes" in prose(OTHERS)


def test_a_stateful_set_keeps_its_bad_pod_until_somebody_deletes_it() -> None:
    assert re.search(r"shop-2 +0/1 .*\n\nargs of shop-2: \['--readyz-after', '0=503'\]", output(OTHERS, "stuck-run"))
    assert re.search(r"shop-2 +1/1 ", output(OTHERS, "stuck-freed"))


def test_a_daemon_set_that_goes_back_heals() -> None:
    daemon = SHOP.replace("kind: Deployment", "kind: DaemonSet").replace("  replicas: 3\n", "")
    ready = "readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 5}"
    good = daemon.replace('image: "selfheal/patient:1"', f'image: "selfheal/patient:1", {ready}')
    cluster = Cluster(seed=1, nodes=3)
    for manifest in (
        good,
        good.replace("patient:1", "patient:2").replace(ready, f'args: [--readyz-after, "0=503"], {ready}'),
        good,
    ):
        cluster.apply(manifest)
        cluster.run(for_=120)
    assert cluster.get("ds", "shop")["status"]["numberReady"] == 3
    assert "| DaemonSet | when the old one has ended | stays where it is | heals |" in prose(OTHERS)


def test_only_an_eviction_asks_the_budget() -> None:
    told = {row[0]: row[1:] for row in rows(output(OTHERS, "budget-run"))}
    assert told["evicted"][0].startswith("no: Cannot evict pod")
    assert told["evicted"][1] == "3"
    assert {tuple(told[way]) for way in ("deleted", "unready", "power cut")} == {("was not asked", "2")}


def test_a_sick_pod_may_be_evicted_if_enough_others_are_well_or_the_budget_says_always() -> None:
    told = [row[1:] for row in rows(output(OTHERS, "unhealthy-run"))]
    assert told == [["evicted", "evicted"], ["refused", "evicted"], ["refused", "evicted"]]


def test_the_autoscaler_adds_nothing_for_the_sick_and_takes_pods_when_all_are() -> None:
    well, some, everyone = ([*row[:2], numbers(row[2])[0], *row[3:]] for row in rows(output(OTHERS, "autoscaler-run")))
    assert well[1] == some[1] == everyone[1] == well[3] == some[3]
    assert int(some[4]) == int(some[1]) - 2
    assert everyone[2] == 0
    assert int(everyone[3]) < int(everyone[1])


def test_a_job_gives_up() -> None:
    told = output(OTHERS, "job-gives-up")
    assert re.search(r"shop +Failed", told)
    failures = numbers(told.splitlines()[-1])[0]
    assert failures > 6
    assert failures % 3 == 0
    assert told.endswith("BackoffLimitExceeded")


def test_in_parallel_a_stateful_set_heals_when_it_goes_back() -> None:
    """What the sandbox of chapter 18 lets readers find out."""
    text = SHOP.replace("kind: Deployment", "kind: StatefulSet").replace(
        "  replicas: 3", "  replicas: 3\n  serviceName: shop\n  podManagementPolicy: Parallel"
    )
    ready = "readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 5}"
    good = text.replace('image: "selfheal/patient:1"', f'image: "selfheal/patient:1", {ready}')
    cluster = Cluster(seed=1, nodes=3)
    for manifest in (good, good.replace(ready, f'args: [--readyz-after, "0=503"], {ready}'), good):
        cluster.apply(manifest)
        cluster.run(for_=120)
    assert cluster.get("sts", "shop")["status"]["readyReplicas"] == 3


# -- chapter 19


def test_nobody_looks_after_the_lingering_sick_but_your_controller() -> None:
    assert re.search(r"^shop-\S+ +0/1 +Running +0 +60m", output(OWN, "shops"), re.MULTILINE)
    told = output(OWN, "controller-run")
    assert 33 + 60 <= numbers(told)[0] <= 33 + 60 + 6
    assert len(re.findall(r"^shop-\S+ +1/1 ", told, re.MULTILINE)) == 3


def test_who_listens_misses_what_came_before_and_who_looks_does_not() -> None:
    told = {(row[0], row[1]): row[2] for row in rows(output(OWN, "edge"))}
    assert told["listens", "50 s"] == "never"
    assert told["looks", "10 s"] == told["looks", "50 s"] == told["listens", "10 s"] != "never"


def test_without_a_limit_it_deletes_every_pod_about_once_a_minute() -> None:
    deleted = numbers(output(OWN, "weapon-run"))[0]
    assert 3 * 7 <= deleted <= 3 * 10


def test_the_same_function_works_on_a_real_api() -> None:
    lines = output(OWN, "real-run").splitlines()
    assert [line.endswith(": True") for line in lines] == [True] * 4
    assert (
        len(source(cells_by_id(OWN, "controller")).splitlines())
        + len(source(cells_by_id(OWN, "interface")).splitlines())
        <= 45
    )
    for cell in ("real-interface", "real-run"):
        assert "skip-live" in cells_by_id(OWN, cell)["metadata"]["tags"], "a page has no server"


def cells_by_id(page: str, id: str) -> dict[str, Any]:
    return next(cell for cell in cells(page, "code") if cell["id"] == id)


# -- chapter 20


def test_a_probe_that_asks_the_database_outlives_its_outage() -> None:
    told = output(LAST, "fleet-run")
    lost, last = numbers(re.findall(r".*requests lost, the last at .*", told)[0])
    assert lost > 300
    assert 240 < last < 260
    assert "more than half a minute after the database was back" in prose(LAST)
    first = [numbers(line)[0] for line in output(LAST, "explain-kill").splitlines()]
    assert max(first[:4]) - min(first[:4]) < 1
    assert max(first[4:]) - min(first[4:]) < 1
    cost = {row[0]: row[1:] for row in rows(output(LAST, "fleet-table"))}
    assert int(cost["liveness asks the database"][0]) == 20, "four pods, five rounds, the last of them held back"
    assert cost["the same, patient: 30 failures"] == cost["liveness asks /healthz"] == ["0", "0", "none"]
    kills, lost_requests, _ = cost["readiness asks the database"]
    assert kills == "0"
    assert int(lost_requests) > 100 * 20


def test_retries_keep_an_outage_alive_that_a_node_began() -> None:
    told = {row[0]: row[1:] for row in rows(output(LAST, "storm-run"))}
    for name in ("no retries, no liveness", "no retries, liveness", "two retries, liveness, sheds load"):
        assert 120 <= numbers(told[name][1])[0] <= 140, "a minute, as long as the node was away"
    assert told["two retries, no liveness"][1] == told["two retries, liveness"][1] == "never"
    assert int(told["two retries, liveness"][0]) > int(told["no retries, liveness"][0]) > 0


def test_a_wrong_setting_goes_out_with_all_lights_green() -> None:
    told = output(LAST, "config-run")
    assert re.search(r"^shop +4/4 ", told, re.MULTILINE)
    lost, sent = numbers(re.findall(r".*requests lost", told)[0])
    assert lost > 0.95 * sent
    assert "NewReplicaSetAvailable" in told
    assert numbers(output(LAST, "config-undo"))[0] < 10


def test_a_restart_loses_the_container_s_files_and_a_replacement_the_pod_s() -> None:
    lines = output(LAST, "data-run").splitlines()
    there = [line.endswith("17 apples") for line in lines]
    assert there == [True, True, True, False, False, False]
