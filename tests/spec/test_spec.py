"""Typed readings of defaulted specs."""

import pytest

from selfheal import manifests, spec
from selfheal.objects import Object

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  initContainers:
  - {name: setup, image: busybox, resources: {requests: {cpu: 2, memory: 10Mi}}}
  - {name: proxy, image: proxy, restartPolicy: Always, resources: {requests: {cpu: 100m}}}
  containers:
  - name: app
    image: nginx
    command: [nginx, -g, daemon off;]
    ports: [{name: http, containerPort: 8080}]
    env: [{name: A, value: b}, {name: C}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
    resources: {requests: {cpu: 250m, memory: 64Mi}, limits: {cpu: 1}}
    livenessProbe: {httpGet: {port: http, httpHeaders: [{name: X-A, value: b}]}, periodSeconds: 3}
    readinessProbe: {exec: {command: [cat, /ready]}, initialDelaySeconds: 5}
    startupProbe: {grpc: {port: 5000}, failureThreshold: 30, terminationGracePeriodSeconds: 7}
    lifecycle: {preStop: {sleep: {seconds: 5}}, postStart: {tcpSocket: {port: 1}}}
    restartPolicy: Never
    restartPolicyRules: [{action: Restart, exitCodes: {operator: NotIn, values: [1, 2]}}]
  tolerations: [{key: lab, value: fail}]
  readinessGates: [{conditionType: example.com/ok}]
"""


@pytest.fixture
def pod() -> Object:
    [obj] = manifests.load(POD)
    return obj


def test_a_probe_is_read_with_its_defaults(pod: Object) -> None:
    app = spec.pod_spec(pod).containers[0]
    assert app.liveness == spec.Probe(spec.HTTPGetAction("/", "http", "", "HTTP", (("X-A", "b"),)), 0, 1, 3, 1, 3, None)
    assert app.readiness == spec.Probe(spec.ExecAction(("cat", "/ready")), 5, 1, 10, 1, 3, None)
    assert app.startup == spec.Probe(spec.GRPCAction(5000, ""), 0, 1, 10, 1, 30, 7)
    assert [app.probe(name) for name in spec.PROBES] == [app.startup, app.readiness, app.liveness]
    with pytest.raises(ValueError, match="no probe is called 'aliveness'"):
        app.probe("aliveness")


def test_zero_in_a_probe_means_its_default() -> None:
    probe = spec.probe({"tcpSocket": {"port": 80}, "periodSeconds": 0, "failureThreshold": 0})
    assert (probe.period_seconds, probe.failure_threshold) == (10, 3)


def test_a_container_is_read(pod: Object) -> None:
    app = spec.pod_spec(pod).container("app")
    assert app.command == ("nginx", "-g", "daemon off;")
    assert app.ports == (spec.ContainerPort("http", 8080, "TCP", 0),)
    assert [(e.name, e.value) for e in app.env] == [("A", "b"), ("C", ""), ("NODE", None)]
    assert app.env[2].value_from == {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}
    assert app.lifecycle == spec.Lifecycle(spec.TCPSocketAction(1, ""), spec.SleepAction(5), None)
    assert app.field_path == "spec.containers{app}"
    [rule] = app.restart_rules
    assert (rule.matches(3), rule.matches(2)) == (True, False)


def test_a_sidecar_is_an_init_container_that_always_restarts(pod: Object) -> None:
    reading = spec.pod_spec(pod)
    assert [c.name for c in reading.sidecars] == ["proxy"]
    assert reading.container("proxy").field_path == "spec.initContainers{proxy}"
    with pytest.raises(KeyError):
        reading.container("nobody")


def test_the_requests_of_a_pod_are_the_larger_of_its_start_and_its_life(pod: Object) -> None:
    # CPU: the first init container wants 2 cores, more than 250m + 100m later; memory: the app wants more than it.
    assert spec.pod_spec(pod).requests == {"cpu": 2000, "memory": 64 * 1024 * 1024}


def test_a_spec_is_read_once_and_replicas_share_it(pod: Object) -> None:
    twin = {**pod, "metadata": {"name": "twin"}}
    assert spec.pod_spec(pod) is spec.pod_spec(twin)
    assert spec.pod_spec({"spec": dict(pod["spec"])}) is not spec.pod_spec(pod)


def test_a_reading_never_belongs_to_another_dict_that_took_its_place_in_memory() -> None:
    for i in range(2 * spec._CACHED):
        wire = {"containers": [{"name": f"c{i}", "image": "x"}]}
        assert spec.pod_spec({"spec": wire}).containers[0].name == f"c{i}"
    assert len(spec._cache) <= spec._CACHED


@pytest.mark.parametrize(
    ("toleration", "tolerates"),
    [
        ({"key": "lab", "value": "fail"}, True),
        ({"key": "lab", "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": "lab", "value": "fail", "effect": "NoSchedule"}, True),
        ({"key": "lab", "value": "fail", "effect": "NoExecute"}, False),
        ({"key": "lab"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_toleration_matches_taints_as_in_kubernetes(toleration: Object, tolerates: bool) -> None:
    taint = spec.Taint("lab", "fail", "NoSchedule")
    assert spec.toleration(toleration).tolerates(taint) is tolerates
    left = spec.untolerated([taint], [spec.toleration(toleration)], ("NoSchedule", "NoExecute"))
    assert left == (None if tolerates else taint)


def test_the_taints_of_a_node_are_read() -> None:
    node = {"spec": {"taints": [{"key": "a", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}]}}
    assert spec.taints(node) == (spec.Taint("a", "", "NoExecute"),)
    assert spec.taints({"metadata": {"name": "n"}}) == ()
