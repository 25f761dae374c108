"""The battery: what a well made workload stands, and what each fault shows of one that is not."""

from __future__ import annotations

import json

import pytest

from selfheal.clinic import BATTERY, App, Examination
from selfheal.clinic.cases import run
from tests.clinic.manifests import GOOD, subject


def wrong(case: str, app: App | None = None, seed: int = 1, text: str = GOOD, **changes: object) -> str:
    """What did not hold."""
    return run(subject(text, **changes), app or App(), BATTERY[case], seed)[0].wrong


@pytest.mark.parametrize("case", BATTERY)
def test_a_well_made_workload_stands_every_case(case: str) -> None:
    for seed in (1, 2, 3):
        assert wrong(case, seed=seed) == ""


def test_a_liveness_probe_that_asks_the_database_kills_while_it_is_away() -> None:
    assert wrong("dependency", livenessProbe__httpGet__path="/readyz") == "restarts"


@pytest.mark.parametrize(
    ("way", "case", "changes"),
    [
        ("no probe at all", "deadlock", {"livenessProbe": None}),
        ("a threshold that forgives everything", "deadlock", {"livenessProbe__failureThreshold": 100000}),
        ("a probe once a day", "deadlock", {"livenessProbe__periodSeconds": 86400}),
        ("a probe that begins tomorrow", "deadlock", {"livenessProbe__initialDelaySeconds": 86400}),
        ("thirty replicas", "dependency", {"livenessProbe__httpGet__path": "/readyz"}),
    ],
)
def test_a_way_around_does_not_pass(way: str, case: str, changes: dict[str, object]) -> None:
    text = GOOD.replace("replicas: 2", "replicas: 30") if way == "thirty replicas" else GOOD
    assert wrong(case, text=text, **changes) != ""


def test_a_timeout_of_one_second_kills_when_answers_take_two() -> None:
    assert wrong("slow", livenessProbe__timeoutSeconds=1) == "restarts"
    assert wrong("slow", App(slow=0.9), livenessProbe__timeoutSeconds=1) == ""


def test_a_readiness_probe_that_cannot_wait_takes_every_pod_from_its_users_at_once() -> None:
    assert wrong("slow", readinessProbe__timeoutSeconds=1) == "lost"


def test_a_slow_start_without_a_startup_probe_is_killed_again_and_again() -> None:
    assert wrong("start", App(starts=60), startupProbe=None) == "restarts"
    assert wrong("start", App(starts=20), startupProbe=None) == ""
    assert wrong("start", App(starts=20)) == ""


def test_a_deadlock_that_nobody_asks_about_does_not_heal() -> None:
    assert wrong("deadlock", livenessProbe=None) == "heal"
    assert wrong("deadlock", livenessProbe__failureThreshold=1000) == "heal"
    assert wrong("deadlock", livenessProbe={"tcpSocket": {"port": 8080}}) == "heal"


def test_a_pause_kills_where_the_threshold_is_one() -> None:
    changes = {
        "livenessProbe__failureThreshold": 1,
        "livenessProbe__periodSeconds": 1,
        "livenessProbe__timeoutSeconds": 1,
    }
    assert wrong("pause", **changes) == "restarts"


def test_an_app_listens_where_its_service_sends_users_whatever_it_declares() -> None:
    """A container need not declare its ports, and many do not."""
    text = GOOD.replace("        ports:\n        - containerPort: 8080\n", "").replace("8080", "9000")
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    text += service + "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 9000}]}\n"
    bare = {"readinessProbe": None, "livenessProbe": None, "startupProbe": None}
    assert wrong("pause", text=text, **bare) == ""
    outcome = run(subject(text, **bare), App(), BATTERY["crash"], 1)[0]
    assert 0 < outcome.lost < outcome.sent / 10


def test_a_process_that_ends_by_itself_is_no_matter_of_probes() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: busybox, args: [ls]}]}"
    assert wrong("start", text=pod) == "ends"


def test_a_request_that_is_lost_in_a_race_while_a_pod_is_replaced_is_not_judged() -> None:
    """SIGTERM and the endpoints' change are on their way at the same time; who is first is a matter of chance."""
    outcomes = [run(subject(), App(), BATTERY["rollout"], seed)[0] for seed in range(1, 9)]
    assert any(o.lost for o in outcomes)
    assert {o.wrong for o in outcomes} == {""}
    slept = [
        run(subject(lifecycle={"preStop": {"sleep": {"seconds": 2}}}), App(), BATTERY["rollout"], s) for s in (1, 8)
    ]
    assert not any(o.lost for o, _ in slept)


def test_a_worker_without_any_port_is_seen_to_hang() -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: corp.example/worker}]}"
    outcome = run(subject(pod), App(), BATTERY["deadlock"], 1)[0]
    assert (outcome.sent, outcome.heal, outcome.wrong) == (0, None, "heal")


def test_a_bad_version_that_no_readiness_probe_holds_back_loses_requests() -> None:
    assert wrong("bad-version", readinessProbe=None, startupProbe=None) == "lost"


def test_a_new_version_without_a_readiness_probe_gets_users_before_it_listens() -> None:
    assert wrong("rollout", readinessProbe=None, startupProbe=None) == "lost"


def test_one_replica_is_no_replica_when_its_node_is_lost() -> None:
    alone = GOOD.replace("replicas: 2", "replicas: 1")
    assert wrong("node", text=alone) == "down"
    assert wrong("crash", text=alone) == "lost"
    assert wrong("drain", text=alone) == "lost"


def test_a_budget_that_allows_nothing_blocks_the_drain() -> None:
    budget = (
        "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
        "spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}\n"
    )
    assert wrong("drain", text=GOOD + budget) == "blocked"


def test_an_exec_probe_asks_the_app_whatever_it_is_called() -> None:
    asks = {"exec": {"command": ["/opt/bin/check", "--quick"]}, "timeoutSeconds": 3}
    assert wrong("start", livenessProbe=asks) == ""
    assert wrong("deadlock", livenessProbe=asks) == ""
    assert wrong("dependency", App(depends=("/opt/bin/check --quick",)), livenessProbe=asks) == "restarts"


def test_a_grpc_probe_is_answered_too() -> None:
    asks = {"grpc": {"port": 9090, "service": "live"}, "timeoutSeconds": 3}
    assert wrong("start", livenessProbe=asks) == ""
    assert wrong("deadlock", livenessProbe=asks) == ""
    assert wrong("dependency", App(depends=("live",)), livenessProbe=asks) == "restarts"


def test_an_app_that_ignores_sigterm_stays_for_its_whole_grace_period() -> None:
    def gone(app: App) -> float:
        timeline = run(subject(), app, BATTERY["rollout"], 1)[1].cluster.timeline
        return max(r["t"] for r in timeline.select(kind="Pod") if r.get("deleted"))

    assert 25 < gone(App(term="ignore")) - gone(App()) < 65  # two pods one after the other, 30 s each


def test_the_same_seed_gives_the_same_bytes() -> None:
    once, again = (Examination(subject(livenessProbe__timeoutSeconds=1), App(), seeds=2) for _ in range(2))
    for examination in (once, again):
        list(examination)
    assert json.dumps([o.json() for o in once.outcomes]) == json.dumps([o.json() for o in again.outcomes])


def test_the_first_verdict_needs_no_more_than_one_round() -> None:
    """Counted in runs, not in seconds: the first seed of every case comes before the second of any."""
    examination = Examination(subject(livenessProbe__httpGet__path="/readyz"), App())
    first = examination.first()
    assert first is not None
    assert (first.case, first.wrong) == ("dependency", "restarts")
    assert len(examination.outcomes) <= len(BATTERY)
    list(examination)
    assert len(examination.outcomes) == 5 * len(BATTERY), "it goes on where it stopped"
    assert [o for o in examination.outcomes if o.wrong and o.case != "dependency"] == []
