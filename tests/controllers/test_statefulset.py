"""What a StatefulSet does: one member after the other, each with a name of its own."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import admission
from selfheal.controllers.statefulset import members
from selfheal.errors import Invalid
from selfheal.objects import Object, controller_of, labels, name, names, terminating
from tests.controllers.worlds import World, template

NUMBERS = ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")


def stateful_set(replicas: int = 3, image: str = "v1", **spec: Any) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web"},
        "spec": {
            "serviceName": "web",
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(image),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


@pytest.fixture
def world() -> World:
    return World()


def up(world: World, **spec: Any) -> World:
    """The set is there, and all its members are ready."""
    world.store.create(stateful_set(**spec))
    settle(world)
    return world


def settle(world: World, rounds: int = 8) -> None:
    """Whatever is made becomes ready, whatever is to go is gone."""
    for _ in range(rounds):
        world.wait(0.2)
        for pod in world.pods():
            if terminating(pod):
                world.gone(pod)
            elif pod["status"]["phase"] == "Pending":
                world.ready(pod)
    world.wait(0.2)


def change(world: World, image: str) -> None:
    world.set("StatefulSet", "web", "spec.template", template(image))


def images(world: World) -> list[str]:
    return [p["spec"]["containers"][0]["image"] for p in world.pods()]


def history(world: World) -> list[tuple[int, str]]:
    """(number, image) of all revisions, by number."""
    found = [
        (r["revision"], r["data"]["spec"]["template"]["spec"]["containers"][0]["image"])
        for r in world.store.list("ControllerRevision")
    ]
    return sorted(found)


# ---- members


def test_members_have_name_labels_and_host_name(world: World) -> None:
    up(world)
    revision = world.get("StatefulSet", "web")["status"]["updateRevision"]
    assert names(world.pods()) == ["web-0", "web-1", "web-2"]
    for n, pod in enumerate(world.pods()):
        assert labels(pod) == {
            "app": "web",
            "statefulset.kubernetes.io/pod-name": f"web-{n}",
            "apps.kubernetes.io/pod-index": str(n),
            "controller-revision-hash": revision,
        }
        assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == (f"web-{n}", "web")
        owner = controller_of(pod)
        assert owner is not None
        assert owner["kind"] == "StatefulSet"
    assert world.events("SuccessfulCreate") == [f"Create Pod web-{n} in StatefulSet web successful" for n in range(3)]


def test_numbers_may_begin_elsewhere(world: World) -> None:
    up(world, replicas=2, ordinals={"start": 5})
    assert names(world.pods()) == ["web-5", "web-6"]


def test_claims_come_before_their_pod(world: World) -> None:
    up(
        world,
        replicas=2,
        volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
    )
    assert names(world.store.list("PersistentVolumeClaim")) == ["data-web-0", "data-web-1"]
    volume = world.pods()[1]["spec"]["volumes"][0]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-web-1"}}
    assert world.events("SuccessfulCreate")[:2] == [
        "Create Claim data-web-0 Pod web-0 in StatefulSet web success",
        "Create Pod web-0 in StatefulSet web successful",
    ]


@pytest.mark.parametrize(
    ("called", "number", "member"),
    [("web-0", 0, True), ("web-12", 12, True), ("web-a", -1, False), ("web-a-3", 3, False), ("web", -1, False)],
)
def test_who_is_a_member(called: str, number: int, member: bool) -> None:
    pod = {"metadata": {"name": called}}
    assert members.ordinal(pod) == number
    assert members.is_member({"metadata": {"name": "web"}}, pod) is member


def test_a_member_gets_its_labels_back(world: World) -> None:
    up(world, podManagementPolicy="Parallel")
    world.set("Pod", "web-1", "metadata.labels", {"app": "web", "controller-revision-hash": "x"})
    world.wait(0.2)
    assert labels(world.get("Pod", "web-1"))["statefulset.kubernetes.io/pod-name"] == "web-1"
    assert world.events("SuccessfulUpdate") == ["Update Pod web-1 in StatefulSet web successful"]


# ---- order


def test_one_at_a_time_or_all_at_once(world: World) -> None:
    world.store.create(stateful_set())
    world.wait(1)
    assert names(world.pods()) == ["web-0"]
    other = World()
    other.store.create(stateful_set(podManagementPolicy="Parallel"))
    other.wait(1)
    assert names(other.pods()) == ["web-0", "web-1", "web-2"]


def test_nothing_is_made_twice_although_the_cache_lags() -> None:
    for seed in range(20):
        world = up(World(seed=seed), replicas=5)
        assert len(world.events("SuccessfulCreate")) == 5
        assert world.events("FailedCreate") == []


def test_a_member_that_is_going_is_not_replaced_before_it_is_gone(world: World) -> None:
    up(world)
    world.store.delete("Pod", "default", "web-1")
    world.wait(60)
    assert terminating(world.get("Pod", "web-1"))
    assert len(world.pods()) == 3
    world.gone("web-1")
    world.wait(0.1)
    assert not terminating(world.get("Pod", "web-1"))


def test_the_numbers_when_a_member_is_deleted(world: World) -> None:
    up(world)
    seen = len(world.changes("StatefulSet", *NUMBERS))
    world.store.delete("Pod", "default", "web-1")
    world.wait(1)
    world.status("web-1", phase="Succeeded", conditions=[{"type": "Ready", "status": "False"}])
    world.wait(1)
    world.gone("web-1")
    world.wait(1)
    world.ready("web-1")
    world.wait(1)
    assert world.changes("StatefulSet", *NUMBERS)[seen:] == [
        (3, 3, 2, 2, 3),
        (3, 2, 2, 2, 2),
        (2, 2, 2, 2, 2),
        (3, 2, 3, 3, 2),
        (3, 3, 3, 3, 3),
    ]


def test_a_failed_and_a_succeeded_member_are_deleted(world: World) -> None:
    up(world, podManagementPolicy="Parallel")
    world.status("web-0", phase="Failed")
    world.status("web-2", phase="Succeeded")
    world.wait(0.5)
    settle(world)
    assert len(world.events("SuccessfulDelete")) == 2
    assert [p["status"]["phase"] for p in world.pods()] == ["Running"] * 3


# ---- updates


def test_an_update_goes_from_the_highest_down_and_ends_with_one_revision(world: World) -> None:
    up(world)
    seen = len(world.events("SuccessfulDelete"))
    change(world, "v2")
    settle(world)
    assert world.events("SuccessfulDelete")[seen:] == [
        f"Delete Pod web-{n} in StatefulSet web successful" for n in (2, 1, 0)
    ]
    assert images(world) == ["v2"] * 3
    status = world.get("StatefulSet", "web")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert history(world) == [(1, "v1"), (2, "v2")]


def test_a_template_that_comes_back_gets_the_next_number(world: World) -> None:
    up(world)
    for image in ("v2", "v1"):
        change(world, image)
        settle(world)
    assert history(world) == [(2, "v2"), (3, "v1")]
    assert images(world) == ["v1"] * 3


def test_only_so_many_old_revisions_are_kept(world: World) -> None:
    up(world, revisionHistoryLimit=1)
    for image in ("v2", "v3", "v4"):
        change(world, image)
        settle(world)
    assert history(world) == [(3, "v3"), (4, "v4")]


def test_below_the_partition_a_lost_member_comes_back_as_it_was(world: World) -> None:
    up(world, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    change(world, "v2")
    settle(world)
    assert images(world) == ["v1", "v1", "v2"]
    world.store.delete("Pod", "default", "web-0")
    settle(world)
    assert images(world) == ["v1", "v1", "v2"]


def test_an_orphan_with_the_right_name_is_adopted_and_one_with_another_is_not(world: World) -> None:
    for called in ("web-0", "other-0"):
        meta = {"name": called, "labels": {"app": "web"}}
        world.store.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template()["spec"]})
    world.store.create(stateful_set(1))
    world.wait(0.5)
    assert controller_of(world.get("Pod", "web-0")) is not None
    assert controller_of(world.get("Pod", "other-0")) is None


def test_the_pods_of_a_deleted_set_go_with_it(world: World) -> None:
    up(world)
    world.store.delete("StatefulSet", "default", "web")
    settle(world)
    assert world.pods() == []
    assert world.store.list("ControllerRevision") == []


def test_quiet_costs_nothing(world: World) -> None:
    up(world, minReadySeconds=2)
    world.wait(60)
    steps = world.clock.steps
    world.wait(3600)
    assert world.clock.steps == steps


def test_every_write_says_why(world: World) -> None:
    up(world)
    change(world, "v2")
    settle(world)
    own = [e for _, e in world.history if name(e.object).startswith("web") and e.cause is None]
    # What the test itself has done is all that has no cause.
    assert {e.object["kind"] for e in own} <= {"StatefulSet", "Pod"}
    rules = {e.cause.rule for _, e in world.history if e.cause is not None}
    assert {"statefulset.create", "statefulset.update", "statefulset.status", "revisions.snapshot"} <= rules


def test_a_count_below_none_is_refused_and_counted_anew(world: World) -> None:
    """A member of the second template goes for a third while the first is still the current one: 0 - 1 of that.

    (stateful_set_control.go updateStatefulSet: status.CurrentReplicas--, validation.go ValidateStatefulSetStatus.)
    """
    up(world, replicas=1, podManagementPolicy="Parallel")  # it does not wait for a member that is not ready
    change(world, "v2")
    world.wait(0.5)
    world.gone("web-0")
    world.wait(0.5)
    assert images(world) == ["v2"]
    refused: list[str] = []
    check = admission.check_status

    def listen(obj: Object) -> None:
        try:
            check(obj)
        except Invalid as error:
            refused.append(str(error))
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admission, "check_status", listen)
        change(world, "v3")
        world.wait(0.5)
    why = "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0"
    assert refused == [f'StatefulSet.apps "web" is invalid: {why}']
    assert terminating(world.pods()[0])
    settle(world)
    assert images(world) == ["v3"]
    status = world.get("StatefulSet", "web")["status"]
    assert [status[n] for n in NUMBERS] == [1] * 5
    assert status["observedGeneration"] == 3
    assert min(world.changes("StatefulSet", "currentReplicas")) == (0,)
