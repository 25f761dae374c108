"""What a Deployment does: one version after the other, a few pods at a time."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal.controllers.deployment.arithmetic import max_surge, max_unavailable
from selfheal.objects import Object, condition, name, replace, terminating
from selfheal.store import WatchEvent
from tests.controllers.worlds import World, deployment, template


class Kubelets(World):
    """Nodes whose pods run, are Ready after a second unless their image is broken, and go when they are deleted."""

    start = 1.0
    stop = 0.5

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for n in self.store.list("Node"):
            self.store.watch("Pod", self._on_pod, node=name(n))

    def _on_pod(self, event: WatchEvent) -> None:
        pod = event.object
        uid = pod["metadata"]["uid"]
        if event.type == "ADDED" and pod["spec"]["containers"][0]["image"] != "broken":
            self.clock.after(round(self.start * 1e6), lambda: self._if_there(name(pod), uid, self.ready))
        elif event.type == "MODIFIED" and terminating(pod) and event.old is not None and not terminating(event.old):
            self.clock.after(round(self.stop * 1e6), lambda: self._if_there(name(pod), uid, self.gone))

    def _if_there(self, called: str, uid: str, do: Any) -> None:
        found = self.store.get("Pod", "default", called)
        if found is not None and found["metadata"]["uid"] == uid:
            do(called)

    def update(self, image: str) -> None:
        self.set("Deployment", "web", "spec.template", template(image))

    def sets(self) -> list[Object]:
        """ReplicaSets, oldest first."""
        return sorted(self.store.list("ReplicaSet"), key=lambda s: int(s["metadata"]["annotations"][REVISION]))

    def sizes(self) -> list[int]:
        return [s["spec"]["replicas"] for s in self.sets()]

    def progress(self) -> tuple[str, str]:
        found = condition(self.get("Deployment", "web"), "Progressing")
        assert found is not None
        return found["status"], found["reason"]

    def writes(self, *, kind: str = "Deployment") -> list[tuple[Any, ...]]:
        """(replicas, updated, ready, available, unavailable, reason) as they went on."""
        out: list[tuple[Any, ...]] = []
        for _, event in self.history:
            if event.object["kind"] != kind:
                continue
            status = event.object["status"]
            counts = [
                status.get(k, 0)
                for k in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
            ]
            reason = (condition(event.object, "Progressing") or {}).get("reason")
            if not out or out[-1] != (*counts, reason):
                out.append((*counts, reason))
        return out


REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture
def world() -> Kubelets:
    world = Kubelets()
    world.store.create(deployment())
    world.wait(5)
    return world


def test_it_makes_one_replicaset_for_its_template(world: Kubelets) -> None:
    (made,) = world.sets()
    digest = made["metadata"]["labels"]["pod-template-hash"]
    assert name(made) == f"web-{digest}"
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert made["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {name(made)} from 0 to 3"]
    assert world.get("Deployment", "web")["metadata"]["annotations"][REVISION] == "1"


def test_the_writes_of_a_creation_are_those_of_a_real_cluster(world: Kubelets) -> None:
    writes = world.writes()
    assert writes[:4] == [
        (0, 0, 0, 0, 0, None),
        (0, 0, 0, 0, 0, "NewReplicaSetCreated"),
        (0, 0, 0, 0, 3, "NewReplicaSetCreated"),
        (3, 3, 0, 0, 3, "ReplicaSetUpdated"),
    ]
    assert writes[-1] == (3, 3, 3, 3, 0, "NewReplicaSetAvailable")
    available = condition(world.get("Deployment", "web"), "Available")
    assert available is not None
    assert (available["reason"], available["message"]) == (
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
    )
    progressing = condition(world.get("Deployment", "web"), "Progressing")
    assert progressing is not None
    assert progressing["message"] == f'ReplicaSet "{name(world.sets()[0])}" has successfully progressed.'


def test_an_update_adds_one_and_removes_one_at_a_time(world: Kubelets) -> None:
    world.history.clear()
    world.update("v2")
    world.wait(30)
    old, new = (name(s) for s in world.sets())
    assert world.events("ScalingReplicaSet") == [
        f"Scaled up replica set {new} from 0 to 1",
        f"Scaled down replica set {old} from 3 to 2",
        f"Scaled up replica set {new} from 1 to 2",
        f"Scaled down replica set {old} from 2 to 1",
        f"Scaled up replica set {new} from 2 to 3",
        f"Scaled down replica set {old} from 1 to 0",
    ]
    assert world.sizes() == [0, 3]
    assert world.progress() == ("True", "NewReplicaSetAvailable")
    writes = world.writes()
    assert writes[:4] == [
        (3, 3, 3, 3, 0, "NewReplicaSetAvailable"),
        (3, 3, 3, 3, 0, "NewReplicaSetCreated"),
        (3, 0, 3, 3, 1, "NewReplicaSetCreated"),
        (4, 1, 3, 3, 1, "ReplicaSetUpdated"),
    ]
    assert writes[-1] == (3, 3, 3, 3, 0, "NewReplicaSetAvailable")


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable"),
    [(3, "25%", "25%"), (10, "25%", "25%"), (4, 0, 1), (4, "100%", 0), (5, 2, 2), (1, 1, 0)],
)
def test_a_rollout_never_leaves_its_bounds(replicas: int, surge: Any, unavailable: Any) -> None:
    world = Kubelets(seed=replicas)
    made = deployment(replicas, surge, unavailable)
    world.store.create(made)
    world.wait(10)
    most, least = replicas + max_surge(made), replicas - max_unavailable(made)
    world.update("v2")
    for _ in range(3000):
        world.wait(0.01)
        assert sum(world.sizes()) <= most
        ready = [p for p in world.pods() if not terminating(p) and condition(p, "Ready")]
        assert len(ready) >= least
        if len(world.sizes()) == 2 and world.progress() == ("True", "NewReplicaSetAvailable"):
            break
    assert world.sizes() == [0, replicas]


def test_C146_a_broken_version_stops_with_surge_new_and_the_least_old(world: Kubelets) -> None:
    world = Kubelets()
    world.store.create(deployment(10, 3, 2))
    world.wait(10)
    world.update("broken")
    world.wait(60)
    assert world.sizes() == [8, 5]


def test_C147_a_second_update_in_the_middle_of_a_stuck_one() -> None:
    world = Kubelets()
    world.store.create(deployment(1, 1, 0, minReadySeconds=10))
    world.wait(20)
    world.update("broken")
    world.wait(10)
    assert world.sizes() == [1, 1]
    world.update("v3")
    world.wait(60)
    assert world.sizes() == [0, 0, 1]
    assert [s["metadata"]["annotations"][REVISION] for s in world.sets()] == ["1", "2", "3"]
    assert world.progress() == ("True", "NewReplicaSetAvailable")


def test_C148_recreate_makes_nothing_new_before_everything_old_is_gone() -> None:
    world = Kubelets()
    world.stop = 3.0
    world.store.create(deployment(3, strategy={"type": "Recreate"}))
    world.wait(5)
    world.update("v2")
    for _ in range(1000):
        world.wait(0.01)
        images = {p["spec"]["containers"][0]["image"] for p in world.pods()}
        assert len(images) <= 1
    assert images == {"v2"}
    assert world.progress() == ("True", "NewReplicaSetAvailable")


def test_who_becomes_recreate_and_is_scaled_in_the_middle_of_a_rollout_is_stuck() -> None:
    """As with Kubernetes: several sets are active, so none is set, and only a rolling update is scaled in proportion.

    (sync.go scale, deployment_controller.go isScalingEvent; github.com/kubernetes/kubernetes/issues/125568)
    """
    world = Kubelets()
    world.store.create(deployment(3))
    world.wait(5)
    world.update("broken")
    world.wait(5)
    sizes = world.sizes()
    assert len([size for size in sizes if size]) == 2
    both = {"replicas": 4, "strategy": {"type": "Recreate"}, "template": template("v3")}
    world.store.patch("Deployment", "default", "web", lambda d: {**d, "spec": {**d["spec"], **both}})
    world.wait(60)
    assert world.sizes() == sizes
    world.set("Deployment", "web", "spec.replicas", 3)  # the way out: as many as they were made for
    world.wait(60)
    assert world.sizes() == [0, 0, 3]


@pytest.mark.parametrize("seed", range(5))
def test_C149_without_progress_the_deadline_passes_and_nothing_else_happens(seed: int) -> None:
    world = Kubelets(seed=seed)
    world.store.create(deployment(progressDeadlineSeconds=10))
    world.wait(5)
    world.update("broken")
    began = world.clock.seconds
    world.wait(30)
    assert world.progress() == ("False", "ProgressDeadlineExceeded")
    when = next(
        at
        for at, e in world.history
        if e.object["kind"] == "Deployment"
        and (condition(e.object, "Progressing") or {}).get("reason") == "ProgressDeadlineExceeded"
    )
    assert 10 <= when - began <= 12
    assert world.sizes() == [3, 1]
    found = condition(world.get("Deployment", "web"), "Progressing")
    assert found is not None
    assert found["message"] == f'ReplicaSet "{name(world.sets()[1])}" has timed out progressing.'


def test_C150_whatever_happens_on_the_way_the_last_version_wins_in_the_end() -> None:
    world = Kubelets(seed=5)
    world.store.create(deployment(6))
    stream = world.chance.stream("what to do")
    for n in range(40):
        world.wait(stream.uniform(3 * n) * 3)
        what = stream.between(3 * n + 1, 0, 4)
        if what == 0:
            world.update(f"v{n}")
        elif what == 1:
            world.set("Deployment", "web", "spec.replicas", stream.between(3 * n + 2, 1, 8))
        else:
            world.set("Deployment", "web", "spec.paused", True if what == 2 else None)
    world.set("Deployment", "web", "spec.paused", None)
    world.update("last")
    world.wait(120)
    assert world.progress() == ("True", "NewReplicaSetAvailable")
    wanted = world.get("Deployment", "web")["spec"]["replicas"]
    assert {p["spec"]["containers"][0]["image"] for p in world.pods()} == {"last"}
    assert len(world.pods()) == wanted
    assert len(world.sets()) <= 11, "old ReplicaSets beyond the history are gone"


def test_a_version_seen_before_gets_its_replicaset_back_with_a_new_revision(world: Kubelets) -> None:
    world.update("v2")
    world.wait(30)
    first = world.sets()[0]
    world.history.clear()
    world.update("v1")
    world.wait(30)
    back = world.sets()[-1]
    assert name(back) == name(first)
    assert back["metadata"]["annotations"][REVISION] == "3"
    assert back["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    reasons = [w[-1] for w in world.writes()]
    assert "FoundNewReplicaSet" not in reasons
    assert "NewReplicaSetCreated" not in reasons
    # First the revision, in a write of its own, then the size.
    sizes = [
        (e.object["metadata"]["annotations"][REVISION], e.object["spec"]["replicas"])
        for _, e in world.history
        if e.object["kind"] == "ReplicaSet" and name(e.object) == name(first)
    ]
    assert sizes[:2] == [("3", 0), ("3", 1)]


def test_undoing_a_stuck_rollout_is_done_at_once(world: Kubelets) -> None:
    world.update("broken")
    world.wait(10)
    assert world.sizes() == [3, 1]
    world.history.clear()
    world.update("v1")
    world.wait(5)
    assert world.sizes() == [0, 3]
    assert [w[1] for w in world.writes()][1:2] == [3], "all pods are of this version already"
    assert world.progress() == ("True", "NewReplicaSetAvailable")


def test_scaling_is_seen_and_told(world: Kubelets) -> None:
    world.history.clear()
    world.set("Deployment", "web", "spec.replicas", 5)
    world.wait(5)
    (only,) = world.sets()
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {name(only)} from 3 to 5"]
    assert only["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] == "5"
    assert world.writes()[-1] == (5, 5, 5, 5, 0, "NewReplicaSetAvailable")


def test_scaling_in_the_middle_of_a_rollout_lets_both_grow() -> None:
    world = Kubelets()
    world.store.create(deployment(6))
    world.wait(5)
    world.update("broken")
    world.wait(5)
    assert world.sizes() == [5, 3]
    world.set("Deployment", "web", "spec.replicas", 10)
    world.wait(5)
    assert world.sizes() == [8, 5] or sum(world.sizes()) == 13


def test_a_paused_deployment_scales_but_does_not_roll(world: Kubelets) -> None:
    world.set("Deployment", "web", "spec.paused", True)
    world.wait(1)
    assert world.progress() == ("Unknown", "DeploymentPaused")
    world.update("v2")
    world.set("Deployment", "web", "spec.replicas", 4)
    world.wait(700)
    assert world.sizes() == [4]
    assert world.progress() == ("Unknown", "DeploymentPaused"), "and it does not time out"
    world.set("Deployment", "web", "spec.paused", None)
    world.wait(30)
    assert world.sizes() == [0, 4]


def test_once_complete_a_later_failure_is_no_lack_of_progress(world: Kubelets) -> None:
    for pod in world.pods():
        world.ready(pod, ready=False)
    world.wait(1000)
    assert world.progress() == ("True", "NewReplicaSetAvailable")
    available = condition(world.get("Deployment", "web"), "Available")
    assert available is not None
    assert (available["status"], available["reason"]) == ("False", "MinimumReplicasUnavailable")


def test_old_replicasets_beyond_the_history_are_deleted() -> None:
    world = Kubelets()
    world.store.create(deployment(1, revisionHistoryLimit=2))
    world.wait(5)
    for n in range(2, 7):
        world.update(f"v{n}")
        world.wait(10)
    assert [s["metadata"]["annotations"][REVISION] for s in world.sets()] == ["4", "5", "6"]


def test_annotations_are_inherited_but_not_the_bookkeeping(world: Kubelets) -> None:
    world.set(
        "Deployment",
        "web",
        "metadata.annotations",
        {"team": "a", "kubectl.kubernetes.io/last-applied-configuration": "{}", REVISION: "1"},
    )
    world.wait(2)
    notes = world.sets()[0]["metadata"]["annotations"]
    assert notes["team"] == "a"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in notes


def test_a_name_taken_by_another_template_gets_another_hash(world: Kubelets) -> None:
    made = world.sets()[0]
    other = {
        **made,
        "metadata": {"name": name(made)},
        "spec": {**made["spec"], "template": template("other"), "replicas": 0},
    }
    fresh = Kubelets(seed=9)
    fresh.store.create(replace(other, "spec.selector", {"matchLabels": {"app": "nobody"}}))
    fresh.store.create(deployment())
    fresh.wait(10)
    assert fresh.get("Deployment", "web")["status"]["collisionCount"] == 1
    assert len(fresh.pods()) == 3


def test_a_quiet_deployment_costs_nothing(world: Kubelets) -> None:
    """But for one look when the deadline for progress has passed, which it set itself before it was complete."""
    world.wait(30)
    before = world.clock.steps
    world.wait(3600)
    assert world.clock.steps <= before + 2
    before = world.clock.steps
    world.wait(36000)
    assert world.clock.steps == before
