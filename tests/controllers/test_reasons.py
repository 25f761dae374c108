"""Every write of scheduler and controllers says why, in a sentence."""

from __future__ import annotations

from selfheal.objects import Object, name, terminating
from selfheal.rules import RULES, Cause
from tests.controllers.test_deployment import Kubelets
from tests.controllers.worlds import bare_pod, deployment, replica_set, service


def sentence(cause: Cause) -> str:
    """The rule's text with its inputs; KeyError if the cause lacks one."""
    return RULES[cause.rule].text.format(**cause.inputs)


def chain(cause: Cause | None) -> list[Cause]:
    return [cause, *chain(cause.parent)] if cause is not None else []


def busy() -> Kubelets:
    """A world in which nearly every rule is applied."""
    world = Kubelets()
    world.store.create(service())
    world.store.create(deployment())
    world.wait(5)
    world.update("v2")
    world.wait(15)
    world.update("v1")
    world.wait(3)
    world.set("Deployment", "web", "spec.replicas", 5)
    world.wait(10)
    world.set("Deployment", "web", "spec.paused", True)
    world.wait(1)
    world.store.create(bare_pod("orphan", app="other"))
    world.store.create(replica_set("other", replicas=1))
    world.wait(1)
    world.set("Pod", "orphan", "metadata.labels", {})
    greedy: Object = bare_pod("greedy")
    world.store.create({**greedy, "spec": {**greedy["spec"], "nodeSelector": {"a": "b"}}})
    world.wait(3)
    world.store.delete("Deployment", "default", "web", propagation="Foreground")
    world.wait(10)
    return world


def test_each_rule_that_is_applied_makes_a_sentence_and_names_its_source() -> None:
    seen: dict[str, str] = {}
    for _, event in busy().history:
        for cause in chain(event.cause):
            seen[cause.rule] = sentence(cause)
            assert RULES[cause.rule].source.endswith(".go")
    assert {rule.split(".")[0] for rule in seen} >= {
        "deployment",
        "replicaset",
        "endpointslice",
        "garbagecollector",
        "ownership",
        "scheduler",
    }


def test_what_controllers_write_has_a_cause() -> None:
    for at, event in busy().history:
        if event.object["kind"] in ("EndpointSlice", "Event") and event.type != "DELETED":
            assert event.cause is not None, f"{at}: {event.type} {event.object['kind']}/{name(event.object)}"
        if event.object["kind"] == "Pod" and event.type == "MODIFIED" and event.old is not None:
            bound = event.object["spec"].get("nodeName") and not event.old["spec"].get("nodeName")
            marked = terminating(event.object) and not terminating(event.old)
            assert event.cause is not None or not (bound or marked)


def test_a_scheduling_leads_back_to_the_deployment() -> None:
    world = Kubelets()
    world.store.create(deployment())
    world.wait(1)
    bound = next(e for _, e in world.history if e.object["kind"] == "Pod" and e.object["spec"].get("nodeName"))
    assert [c.rule for c in chain(bound.cause)] == ["scheduler.bind", "replicaset.create", "deployment.newReplicaSet"]
