"""Validation: every rule with the text that the API server gives."""
# The texts are Kubernetes' own, and long.
# ruff: noqa: E501, ISC004

from typing import Any

import pytest

from selfheal import manifests
from selfheal.errors import Invalid
from selfheal.manifests import names
from selfheal.objects import Object

QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NOT_FOR_INIT = "Forbidden: may not be set for init containers without restartPolicy=Always"

EXEC = {"exec": {"command": ["true"]}}


def problems(kind: str, api_version: str, spec: Any = None, **rest: Any) -> list[str]:
    """What is wrong with an object, each error as it stands."""
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **rest}
    if spec is not None:
        obj["spec"] = spec
    try:
        manifests.load(obj)
    except Invalid as error:
        told = [str(c) for c in error.causes]
        message = error.message
    else:
        return []
    group, slash, _ = api_version.rpartition("/")
    name = obj["metadata"].get("name", "").replace("\n", "\\n")
    whole = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    assert message == f'{f"{kind}.{group}" if slash else kind} "{name}" is invalid: {whole}'
    return told


def pod(**spec: Any) -> list[str]:
    containers = [{"name": "a", "image": "b"}]
    return problems("Pod", "v1", {"containers": containers, **spec})


def container(**fields: Any) -> list[str]:
    """What is wrong with the first container, without the beginning of the path."""
    start = "spec.containers[0]."
    found = pod(containers=[{"name": "a", "image": "b", **fields}], volumes=[{"name": "v"}])
    assert all(p.startswith(start) for p in found)
    return [p.removeprefix(start) for p in found]


def liveness(**probe: Any) -> list[str]:
    return container(livenessProbe={**EXEC, **probe})


PROBES = [
    ({"initialDelaySeconds": -1}, ["initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0"]),
    ({"timeoutSeconds": -1}, ["timeoutSeconds: Invalid value: -1: must be greater than or equal to 0"]),
    ({"periodSeconds": -1}, ["periodSeconds: Invalid value: -1: must be greater than or equal to 0"]),
    ({"failureThreshold": -2}, ["failureThreshold: Invalid value: -2: must be greater than or equal to 0"]),
    (
        {"successThreshold": -1},
        [
            "successThreshold: Invalid value: -1: must be greater than or equal to 0",
            "successThreshold: Invalid value: -1: must be 1",
        ],
    ),
    ({"successThreshold": 2}, ["successThreshold: Invalid value: 2: must be 1"]),
    (
        {"terminationGracePeriodSeconds": 0},
        ["terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"],
    ),
    ({"exec": None}, ["must specify a handler type"]),
    ({"httpGet": {"port": 80}}, ["httpGet: Forbidden: may not specify more than 1 handler type"]),
    (
        {"tcpSocket": {"port": 80}, "grpc": {"port": 80}},
        [
            "tcpSocket: Forbidden: may not specify more than 1 handler type",
            "grpc: Forbidden: may not specify more than 1 handler type",
        ],
    ),
    ({"exec": {}}, ["exec.command: Required value"]),
    (
        {"exec": None, "httpGet": {"port": 80, "scheme": "FTP"}},
        ['httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'],
    ),
    (
        {"exec": None, "httpGet": {"port": 80, "httpHeaders": [{"name": "X Y", "value": ""}]}},
        [
            'httpGet.httpHeaders: Invalid value: "X Y": a valid HTTP header must consist of alphanumeric characters or '
            "'-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
        ],
    ),
    ({"exec": None, "httpGet": {}}, ["httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
    (
        {"exec": None, "tcpSocket": {"port": 65536}},
        ["tcpSocket.port: Invalid value: 65536: must be between 1 and 65535, inclusive"],
    ),
    ({"exec": None, "grpc": {"port": -5}}, ["grpc.port: Invalid value: -5: must be between 1 and 65535, inclusive"]),
    (
        {"exec": None, "tcpSocket": {"port": "-1--2_3456789012345-"}},
        [
            f'tcpSocket.port: Invalid value: "-1--2_3456789012345-": {text}'
            for text in (
                "must be no more than 15 characters",
                "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                "must contain at least one letter (a-z)",
                "must not contain consecutive hyphens",
                "must not begin or end with a hyphen",
            )
        ],
    ),
]


@pytest.mark.parametrize(("probe", "texts"), PROBES)
@pytest.mark.parametrize("name", ["livenessProbe", "startupProbe"])
def test_probes(probe: Object, texts: list[str], name: str) -> None:
    expected = [f"{name}.{t}" if t != "must specify a handler type" else f"{name}: Required value: {t}" for t in texts]
    assert container(**{name: {**EXEC, **probe}}) == expected


def test_a_readiness_probe_may_ask_for_more_successes_but_not_for_a_grace_period() -> None:
    assert container(readinessProbe={**EXEC, "successThreshold": 3}) == []
    assert container(readinessProbe={**EXEC, "terminationGracePeriodSeconds": 10}) == [
        "readinessProbe.terminationGracePeriodSeconds: Invalid value: 10: must not be set for readinessProbes"
    ]


def test_nothing_compares_a_probes_timeout_with_its_period_or_looks_for_its_port() -> None:
    assert container(livenessProbe={"httpGet": {"port": "nowhere"}, "timeoutSeconds": 99, "periodSeconds": 1}) == []


CONTAINERS = [
    ({"name": ""}, ["name: Required value"]),
    ({"name": "A"}, [f'name: Invalid value: "A": {LABEL}']),
    ({"name": "a.b"}, ['name: Invalid value: "a.b": must not contain dots']),
    ({"image": None}, ["image: Required value"]),
    ({"image": " b"}, ['image: Invalid value: " b": must not have leading or trailing whitespace']),
    (
        {"imagePullPolicy": "Sometimes"},
        ['imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"'],
    ),
    (
        {"terminationMessagePolicy": "Log"},
        ['terminationMessagePolicy: Unsupported value: "Log": supported values: "File", "FallbackToLogsOnError"'],
    ),
    ({"ports": [{}]}, ["ports[0].containerPort: Required value"]),
    (
        {"ports": [{"containerPort": 70000, "hostPort": -1, "protocol": "ICMP"}]},
        [
            "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
            "ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, inclusive",
            'ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
        ],
    ),
    (
        {"ports": [{"name": "http", "containerPort": 1}, {"name": "http", "containerPort": 2}]},
        ['ports[1].name: Duplicate value: "http"'],
    ),
    (
        {"ports": [{"containerPort": 1, "hostPort": 5}, {"containerPort": 2, "hostPort": 5}]},
        ['ports[1].hostPort: Duplicate value: "TCP//5"'],
    ),
    ({"env": [{"value": "x"}]}, ["env[0].name: Required value"]),
    (
        {"env": [{"name": "a=b"}]},
        [
            'env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII '
            "characters other than '='"
        ],
    ),
    (
        {"env": [{"name": "a", "valueFrom": {}}]},
        [
            'env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` '
            "or `secretKeyRef`"
        ],
    ),
    (
        {"env": [{"name": "a", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        ['env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    (
        {"env": [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "status.mood"}}}]},
        [
            'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.mood": error converting fieldPath: field label '
            "not supported: status.mood"
        ],
    ),
    (
        {"env": [{"name": "a", "valueFrom": {"configMapKeyRef": {"name": "c"}}}]},
        ["env[0].valueFrom.configMapKeyRef.key: Required value"],
    ),
    ({"volumeMounts": [{"name": "w", "mountPath": "/a"}]}, ['volumeMounts[0].name: Not found: "w"']),
    ({"volumeMounts": [{"name": "v"}]}, ["volumeMounts[0].mountPath: Required value"]),
    (
        {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]},
        ['volumeMounts[1].mountPath: Invalid value: "/a": must be unique'],
    ),
    (
        {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": 1}}},
        ['resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    (
        {"resources": {"requests": {"memory": "1.5Gi"}, "limits": {"memory": "1024Mi"}}},
        ['resources.requests: Invalid value: "1536Mi": must be less than or equal to memory limit of 1Gi'],
    ),
    (
        {"resources": {"limits": {"cpu": -1}, "requests": {"cpu": -2}}},
        [
            'resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
            'resources.requests[cpu]: Invalid value: "-2": must be greater than or equal to 0',
        ],
    ),
    (
        {"resources": {"limits": {"cores": 1}, "requests": {"cores": 1}}},
        [
            'resources.limits[cores]: Invalid value: "cores": must be a standard resource type or fully qualified',
            'resources.limits[cores]: Invalid value: "cores": must be a standard resource for containers',
            'resources.requests[cores]: Invalid value: "cores": must be a standard resource type or fully qualified',
            'resources.requests[cores]: Invalid value: "cores": must be a standard resource for containers',
        ],
    ),
    (
        {"resources": {"requests": {"example.com/gpu": 1}}},
        ["resources.limits: Required value: Limit must be set for non overcommitable resources"],
    ),
    (
        {"lifecycle": {"preStop": {}}},
        ["lifecycle.preStop: Required value: must specify a handler type"],
    ),
    (
        {"lifecycle": {"preStop": {"sleep": {"seconds": 31}}, "postStart": {"sleep": {"seconds": 0}}}},
        [
            "lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
            "terminationGracePeriodSeconds (30)"
        ],
    ),
    (
        {"restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}]},
        ["restartPolicy: Required value: must specify restartPolicy when restart rules are used"],
    ),
    (
        {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Jump", "exitCodes": {"operator": "Is"}}]},
        [
            'restartPolicyRules[0].action: Unsupported value: "Jump": supported values: "Restart", "RestartAllContainers"',
            'restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"',
        ],
    ),
    (
        {"restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
        ["restartPolicyRules[0].exitCodes: Required value: must be specified"],
    ),
    (
        {
            "restartPolicy": "Never",
            "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [*range(256)]}}]
            * 21,
        },
        [
            "restartPolicyRules: Too many: 21: must have at most 20 items",
            *(
                f"restartPolicyRules[{i}].exitCodes.values: Too many: 256: must have at most 255 items"
                for i in range(21)
            ),
        ],
    ),
]


@pytest.mark.parametrize(("fields", "texts"), CONTAINERS)
def test_containers(fields: Object, texts: list[str]) -> None:
    assert container(**fields) == texts


def test_containers_need_names_of_their_own() -> None:
    a = {"name": "a", "image": "b"}
    assert pod(containers=[a, a]) == ['spec.containers[1].name: Duplicate value: "a"']
    assert pod(containers=[a], initContainers=[a]) == ['spec.initContainers[0].name: Duplicate value: "a"']


@pytest.mark.parametrize("field", ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"])
def test_an_ordinary_init_container_has_no_probes_but_a_sidecar_may(field: str) -> None:
    value = {"preStop": EXEC} if field == "lifecycle" else EXEC
    plain = {"name": "i", "image": "b", field: value}
    assert pod(initContainers=[plain]) == [f"spec.initContainers[0].{field}: {NOT_FOR_INIT}"]
    assert pod(initContainers=[{**plain, "restartPolicy": "Never"}]) == [
        f"spec.initContainers[0].{field}: {NOT_FOR_INIT}"
    ]
    assert pod(initContainers=[{**plain, "restartPolicy": "Always"}]) == []


PODS = [
    ({"containers": []}, ["spec.containers: Required value"]),
    ({"containers": None}, ["spec.containers: Required value"]),
    (
        {"restartPolicy": "Maybe"},
        ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"'],
    ),
    (
        {"dnsPolicy": "Cluster"},
        [
            'spec.dnsPolicy: Unsupported value: "Cluster": supported values: "ClusterFirstWithHostNet", "ClusterFirst", '
            '"Default", "None"'
        ],
    ),
    (
        {"activeDeadlineSeconds": 0},
        ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    ({"nodeSelector": {"a b": "c"}}, [f'spec.nodeSelector: Invalid value: "a b": {QUALIFIED}']),
    ({"nodeName": "N"}, [f'spec.nodeName: Invalid value: "N": {SUBDOMAIN}']),
    ({"serviceAccountName": "_"}, [f'spec.serviceAccountName: Invalid value: "_": {SUBDOMAIN}']),
    ({"hostname": "a.b"}, ['spec.hostname: Invalid value: "a.b": must not contain dots']),
    (
        {"readinessGates": [{"conditionType": "a b"}]},
        [f'spec.readinessGates[0].conditionType: Invalid value: "a b": {QUALIFIED}'],
    ),
    ({"volumes": [{"name": "v"}, {"name": "v"}]}, ['spec.volumes[1].name: Duplicate value: "v"']),
    ({"volumes": [{"name": "V"}]}, [f'spec.volumes[0].name: Invalid value: "V": {LABEL}']),
    ({"volumes": [{"emptyDir": {}}]}, ["spec.volumes[0].name: Required value"]),
    (
        {"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]},
        ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ),
    ({"volumes": [{"name": "v", "secret": {}}]}, ["spec.volumes[0].secret.secretName: Required value"]),
    (
        {"tolerations": [{"value": "x"}]},
        [
            'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means '
            '"match all values and all keys"'
        ],
    ),
    (
        {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        ["spec.tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'"],
    ),
    (
        {"tolerations": [{"key": "a", "operator": "Is", "effect": "NoRun"}]},
        [
            'spec.tolerations[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"',
            'spec.tolerations[0].effect: Unsupported value: "NoRun": supported values: "NoSchedule", "PreferNoSchedule", '
            '"NoExecute"',
        ],
    ),
    (
        {"tolerations": [{"key": "a", "tolerationSeconds": 3, "effect": "NoSchedule"}]},
        [
            "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
            "`tolerationSeconds` is set"
        ],
    ),
    (
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}},
        [
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: "
            "must have at least one node selector term"
        ],
    ),
    (
        {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {}}]}}},
        [
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: "
            "can not be empty"
        ],
    ),
    (
        {"preemptionPolicy": "Maybe"},
        ['spec.preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"'],
    ),
    ({"dnsPolicy": "None"}, ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
]


@pytest.mark.parametrize(("spec", "texts"), PODS)
def test_pods(spec: Object, texts: list[str]) -> None:
    assert pod(**spec) == texts


METADATA = [
    ({}, ["metadata.name: Required value: name or generateName is required"]),
    ({"name": "a_b"}, [f'metadata.name: Invalid value: "a_b": {SUBDOMAIN}']),
    ({"name": "ü"}, [f'metadata.name: Invalid value: "ü": {SUBDOMAIN}']),
    ({"name": "a" * 254}, [f'metadata.name: Invalid value: "{"a" * 254}": must be no more than 253 characters']),
    ({"name": "a\nb"}, [f'metadata.name: Invalid value: "a\\nb": {SUBDOMAIN}']),
    ({"generateName": "web-"}, []),
    ({"name": "a", "namespace": "B"}, [f'metadata.namespace: Invalid value: "B": {LABEL}']),
    (
        {"name": "a", "labels": {"": "x"}},
        [
            'metadata.labels: Invalid value: "": name part must be non-empty',
            f'metadata.labels: Invalid value: "": {QUALIFIED}',
        ],
    ),
    ({"name": "a", "labels": {"x": "a b"}}, [f'metadata.labels: Invalid value: "a b": {LABEL_VALUE}']),
    (
        {"name": "a", "labels": {"x": "y" * 64}},
        [f'metadata.labels: Invalid value: "{"y" * 64}": must be no more than 63 characters'],
    ),
    ({"name": "a", "labels": {"example.com/a": "b", "a": ""}}, []),
    (
        {"name": "a", "labels": {"Example/a": "b"}},
        [f'metadata.labels: Invalid value: "Example/a": prefix part {SUBDOMAIN}'],
    ),
    (
        {"name": "a", "labels": {"a/b/c": "d"}},
        [
            'metadata.labels: Invalid value: "a/b/c": a qualified name '
            + QUALIFIED.removeprefix("name part ")
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ],
    ),
    ({"name": "a", "annotations": {"x": "anything at all: ü"}}, []),
    (
        {"name": "a", "annotations": {"x": "y" * 300_000}},
        ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ),
]


@pytest.mark.parametrize(("metadata", "texts"), METADATA)
def test_metadata(metadata: Object, texts: list[str]) -> None:
    spec = {"containers": [{"name": "a", "image": "b"}]}
    assert problems("Pod", "v1", spec, metadata=metadata) == texts


def test_a_node_is_in_no_namespace() -> None:
    assert problems("Node", "v1", metadata={"name": "n", "namespace": "x"}) == [
        "metadata.namespace: Forbidden: not allowed on this type"
    ]


TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
GOOD = {"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}
MISMATCH = 'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'


def template(**spec: Any) -> Object:
    return {**TEMPLATE, "spec": {**TEMPLATE["spec"], **spec}}  # type: ignore[dict-item]


DEPLOYMENTS = [
    ({}, []),
    ({"selector": None}, ["spec.selector: Required value", MISMATCH]),
    ({"selector": {}}, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    ({"selector": {"matchLabels": {"app": "b"}}}, [MISMATCH]),
    (
        {"selector": {"matchExpressions": [{"key": "app", "operator": "Is"}]}},
        [
            'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Is"}]}: invalid label selector',
        ],
    ),
    (
        {"selector": {"matchExpressions": [{"key": "app", "operator": "In"}]}},
        [
            "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"In"}]}: invalid label selector',
        ],
    ),
    ({"replicas": -1}, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    ({"minReadySeconds": -1}, ["spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0"]),
    (
        {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
        ["spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"],
    ),
    (
        {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    (
        {"strategy": {"type": "Canary"}},
        [
            'spec.strategy: Unsupported value: {"RollingUpdate":null,"Type":"Canary"}: supported values: "Recreate", "RollingUpdate"'
        ],
    ),
    (
        {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}},
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ),
    (
        {"strategy": {"rollingUpdate": {"maxUnavailable": "101%", "maxSurge": "half"}}},
        [
            'spec.strategy.rollingUpdate.maxSurge: Invalid value: "half": a valid percent string must be a numeric string '
            "followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
            'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
        ],
    ),
    (
        {"template": template(restartPolicy="Never")},
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ),
    (
        {"template": template(activeDeadlineSeconds=5)},
        ["spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"],
    ),
    (
        {"template": template(containers=[{"name": "a", "image": "b", "livenessProbe": {}}])},
        ["spec.template.spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    ),
    (
        {"template": {}},
        [
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
            "spec.template.spec.containers: Required value",
        ],
    ),
]


@pytest.mark.parametrize(("change", "texts"), DEPLOYMENTS)
def test_deployments(change: Object, texts: list[str]) -> None:
    assert problems("Deployment", "apps/v1", {**GOOD, **change}) == texts


def test_a_deployment_without_a_spec_is_told_all_it_lacks() -> None:
    assert problems("Deployment", "apps/v1") == [
        "spec.selector: Required value",
        "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
        "spec.template.spec.containers: Required value",
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "texts"),
    [
        ("ReplicaSet", {"replicas": -5}, ["spec.replicas: Invalid value: -5: must be greater than or equal to 0"]),
        (
            "ReplicaSet",
            {"selector": {}},
            ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
        ),
        (
            "StatefulSet",
            {"podManagementPolicy": "Any"},
            ["spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"],
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"type": "Any"}},
            ["spec.updateStrategy: Invalid value: {\"type\":\"Any\"}: must be 'RollingUpdate' or 'OnDelete'"],
        ),
        (
            "StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": -1}}},
            ["spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            "StatefulSet",
            {
                "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
                "template": template(
                    containers=[{"name": "a", "image": "b", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}]
                ),
            },
            [],
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 0}}},
            ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
        ),
        (
            "DaemonSet",
            {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}},
            [
                "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"
            ],
        ),
    ],
)
def test_other_workloads(kind: str, spec: Object, texts: list[str]) -> None:
    assert (
        problems(kind, "apps/v1", {"serviceName": "a", **GOOD, **spec} if kind == "StatefulSet" else {**GOOD, **spec})
        == texts
    )


def test_a_replication_controller_needs_a_template() -> None:
    assert problems("ReplicationController", "v1", {"selector": {"a": "b"}}) == ["spec.template: Required value"]
    assert problems("ReplicationController", "v1", {"selector": {"a": "b"}, "template": TEMPLATE}) == [MISMATCH]


JOBS = [
    ({"template": template(restartPolicy="OnFailure")}, []),
    (
        {"template": template()},
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    (
        {"completions": -1, "parallelism": -2, "backoffLimit": -3},
        [
            "spec.parallelism: Invalid value: -2: must be greater than or equal to 0",
            "spec.completions: Invalid value: -1: must be greater than or equal to 0",
            "spec.backoffLimit: Invalid value: -3: must be greater than or equal to 0",
        ],
    ),
    (
        {"completionMode": "Indexed", "parallelism": 2},
        ["spec.completions: Required value: when completion mode is Indexed"],
    ),
    (
        {"completionMode": "Both"},
        ['spec.completionMode: Unsupported value: "Both": supported values: "NonIndexed", "Indexed"'],
    ),
    ({"backoffLimitPerIndex": 1}, ["spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
]


@pytest.mark.parametrize(("change", "texts"), JOBS)
def test_jobs(change: Object, texts: list[str]) -> None:
    assert problems("Job", "batch/v1", {"template": template(restartPolicy="Never"), **change}) == texts


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("*/5 0-6 1,15 jan-MAR MON-fri", None),
        ("@hourly", None),
        ("@every 1h30m", None),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("5-2 * * * *", "beginning of range (5) beyond end of range (2): 5-2"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("@never", "unrecognized descriptor: @never"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)
def test_schedules(schedule: str, problem: str | None) -> None:
    spec = {"schedule": schedule, "jobTemplate": {"spec": {"template": template(restartPolicy="Never")}}}
    expected = [f'spec.schedule: Invalid value: "{schedule}": ' + problem] if problem else []
    assert problems("CronJob", "batch/v1", spec) == expected


SERVICES = [
    ({}, ["spec.ports: Required value"]),
    ({"clusterIP": "None"}, []),
    (
        {"ports": [{}]},
        [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    ),
    (
        {"ports": [{"port": 1}, {"port": 2}]},
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    ({"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]}, ['spec.ports[1].name: Duplicate value: "a"']),
    (
        {"ports": [{"port": 1}], "type": "Magic"},
        [
            'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'
        ],
    ),
    (
        {"ports": [{"port": 1, "nodePort": 30000}]},
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        {"ports": [{"port": 1, "targetPort": "a_b"}]},
        [
            'spec.ports[0].targetPort: Invalid value: "a_b": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'
        ],
    ),
    (
        {"ports": [{"port": 1}], "sessionAffinity": "Glue"},
        ['spec.sessionAffinity: Unsupported value: "Glue": supported values: "ClientIP", "None"'],
    ),
    (
        {"ports": [{"port": 1}], "clusterIP": "here"},
        ['spec.clusterIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ),
    ({"type": "ExternalName"}, ["spec.externalName: Required value"]),
    (
        {"ports": [{"port": 1}], "clusterIP": "None", "type": "NodePort"},
        ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
    ),
]


@pytest.mark.parametrize(("spec", "texts"), SERVICES)
def test_services(spec: Object, texts: list[str]) -> None:
    assert problems("Service", "v1", spec) == texts


def test_since_1_36_the_name_of_a_service_may_begin_with_a_digit() -> None:
    spec = {"ports": [{"port": 1}]}
    assert problems("Service", "v1", spec, metadata={"name": "1a"}) == []
    assert problems("Service", "v1", spec, metadata={"name": "a.b"}) == [
        'metadata.name: Invalid value: "a.b": must not contain dots'
    ]


def test_the_rest() -> None:
    assert problems("PodDisruptionBudget", "policy/v1", {"minAvailable": 1, "maxUnavailable": 1}) == [
        'spec: Invalid value: {"maxUnavailable":1,"minAvailable":1}: minAvailable and maxUnavailable cannot be both set'
    ]
    assert problems("PodDisruptionBudget", "policy/v1", {"minAvailable": "200%"}) == [
        'spec.minAvailable: Invalid value: "200%": must not be greater than 100%'
    ]
    assert problems("ConfigMap", "v1", data={"a b": "c"}) == [
        "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
        "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    ]
    assert problems("ConfigMap", "v1", data={"..": "c"}) == ["data[..]: Invalid value: \"..\": must not be '..'"]
    assert problems("Secret", "v1", stringData={"a": "x" * 1_100_000}) == [
        "data: Too long: may not be more than 1048576 bytes"
    ]
    taint = {"key": "a", "effect": "NoSchedule"}
    assert problems("Node", "v1", {"taints": [taint, taint, {"key": "b"}]}) == [
        'spec.taints[1]: Duplicate value: {"effect":"NoSchedule","key":"a"}: taints must be unique by key and effect pair',
        "spec.taints[2].effect: Required value",
    ]
    target = {"kind": "Deployment", "name": "a"}
    assert problems(
        "HorizontalPodAutoscaler", "autoscaling/v2", {"scaleTargetRef": target, "maxReplicas": 1, "minReplicas": 2}
    ) == ["spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"]


def test_the_same_error_twice_is_told_once() -> None:
    headers = [{"name": "X Y", "value": "a"}, {"name": "X Y", "value": "b"}]
    assert len(container(livenessProbe={"httpGet": {"port": 80, "httpHeaders": headers}})) == 1


@pytest.mark.parametrize("value", ["a", "a-b", "1", "a" * 63])
def test_names_that_are_fine(value: str) -> None:
    assert names.dns_label(value) == names.dns_subdomain(value) == names.qualified(value) == []


def test_checking_a_long_name_takes_no_time() -> None:
    for value in ("a" * 200_000 + "!", "-" * 200_000, "a." * 100_000 + "!", "a/" * 100_000):
        assert names.dns_subdomain(value)
        assert names.qualified(value)
        assert names.label_value(value)


def required(path: str, text: str = "") -> str:
    return f"{path}: Required value" + (f": {text}" if text else "")


RARE = [
    (
        {
            "hostNetwork": True,
            "containers": [{"name": "a", "image": "b", "ports": [{"containerPort": 5, "hostPort": 6}]}],
        },
        [
            "spec.containers[0].ports[0].hostPort: Invalid value: 6: must match `containerPort` when `hostNetwork` is true"
        ],
    ),
    (
        {"resources": {"limits": {"cpu": -1}}},
        ['spec.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    (
        {"dnsPolicy": "None", "dnsConfig": {}},
        [required("spec.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")],
    ),
    (
        {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "-1"}}]},
        ["spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"],
    ),
    (
        {"tolerations": [{"key": "a", "value": "b c"}]},
        [f'spec.tolerations[0].operator: Invalid value: "b c": {LABEL_VALUE}'],
    ),
    ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, ['spec.schedulingGates[1]: Duplicate value: "a"']),
    (
        {"topologySpreadConstraints": [{"labelSelector": {"matchLabels": {"a": "b c"}}}]},
        [
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
            required("spec.topologySpreadConstraints[0].topologyKey", "can not be empty"),
            'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "": supported values: "DoNotSchedule", "ScheduleAnyway"',
            f'spec.topologySpreadConstraints[0].labelSelector.matchLabels: Invalid value: "b c": {LABEL_VALUE}',
        ],
    ),
    (
        {
            "affinity": {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 101,
                            "preference": {
                                "matchExpressions": [
                                    {"key": "a", "operator": "In"},
                                    {"key": "a", "operator": "Exists", "values": ["b"]},
                                    {"key": "a", "operator": "Gt", "values": []},
                                    {"key": "a b", "operator": "Is"},
                                ],
                                "matchFields": [
                                    {"key": "metadata.uid", "operator": "Gt"},
                                    {"key": "metadata.name", "operator": "In"},
                                ],
                            },
                        }
                    ]
                }
            }
        },
        [
            f"spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].{text}"
            for text in (
                "weight: Invalid value: 101: must be in the range 1-100",
                "preference.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                "preference.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                "preference.matchExpressions[2].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'",
                'preference.matchExpressions[3].operator: Invalid value: "Is": not a valid selector operator',
                f'preference.matchExpressions[3].key: Invalid value: "a b": {QUALIFIED}',
                'preference.matchFields[0].operator: Invalid value: "Gt": not a valid selector operator',
                'preference.matchFields[0].key: Invalid value: "metadata.uid": not a valid field selector key',
                "preference.matchFields[1].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
            )
        ],
    ),
    (
        {
            "affinity": {
                "podAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 0, "podAffinityTerm": {"topologyKey": "a b"}}
                    ]
                }
            }
        },
        [
            "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
            f'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Invalid value: "a b": {QUALIFIED}',
        ],
    ),
]


@pytest.mark.parametrize(("spec", "texts"), RARE)
def test_pods_with_rare_mistakes(spec: Object, texts: list[str]) -> None:
    assert pod(**spec) == texts


SOURCES = [
    ({"envFrom": [{}]}, ['envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
    (
        {"envFrom": [{"configMapRef": {}, "prefix": "a=b"}]},
        [
            "envFrom[0].prefix: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='",
            required("envFrom[0].configMapRef.name"),
        ],
    ),
    (
        {"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "B"}}]},
        [
            f'envFrom[0].secretRef.name: Invalid value: "B": {SUBDOMAIN}',
            'envFrom: Invalid value: "": may not have more than one field specified at a time',
        ],
    ),
    ({"env": [{"name": "a", "valueFrom": {"fieldRef": {}}}]}, [required("env[0].valueFrom.fieldRef.fieldPath")]),
    ({"env": [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]}, []),
    (
        {"env": [{"name": "a", "valueFrom": {"resourceFieldRef": {}}}]},
        [required("env[0].valueFrom.resourceFieldRef.resource")],
    ),
    (
        {"env": [{"name": "a", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]},
        [
            'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", '
            '"limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"'
        ],
    ),
    (
        {
            "env": [
                {
                    "name": "a",
                    "valueFrom": {
                        "secretKeyRef": {"name": "s", "key": "a b"},
                        "fieldRef": {"fieldPath": "metadata.name"},
                    },
                }
            ]
        },
        [
            "env[0].valueFrom.secretKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
            'env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
        ],
    ),
    (
        {"volumeMounts": [{"mountPath": "/a", "subPath": "/b/../c"}]},
        [
            required("volumeMounts[0].name"),
            'volumeMounts[0].name: Not found: ""',
            'volumeMounts.subPath: Invalid value: "/b/../c": must be a relative path',
            "volumeMounts.subPath: Invalid value: \"/b/../c\": must not contain '..'",
        ],
    ),
    (
        {"resources": {"requests": {"example.com/gpu": 1}, "limits": {"example.com/gpu": 2}}},
        ['resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ),
    (
        {"resources": {"requests": {"example.com/gpu": 1.5}, "limits": {"example.com/gpu": 1.5}}},
        [
            'resources.limits[example.com/gpu]: Invalid value: "1500m": must be an integer',
            'resources.requests[example.com/gpu]: Invalid value: "1500m": must be an integer',
        ],
    ),
    (
        {"lifecycle": {"stopSignal": "SIGUSR1"}},
        ["lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os.name`"],
    ),
]


@pytest.mark.parametrize(("fields", "texts"), SOURCES)
def test_containers_with_rare_mistakes(fields: Object, texts: list[str]) -> None:
    assert container(**fields) == texts


def test_owners_and_finalizers() -> None:
    owner = {"apiVersion": "", "kind": "ReplicaSet", "name": "a", "uid": ""}
    metadata = {"name": "a", "ownerReferences": [owner], "finalizers": ["a b"]}
    assert problems("Pod", "v1", {"containers": [{"name": "a", "image": "b"}]}, metadata=metadata) == [
        'metadata.ownerReferences[0].apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences[0].uid: Invalid value: "": uid must not be empty',
        f'metadata.finalizers: Invalid value: "a b": {QUALIFIED}',
    ]


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        ({"ports": [{"port": 1, "name": "A"}]}, [f'spec.ports[0].name: Invalid value: "A": {LABEL}']),
        (
            {"ports": [{"port": 1, "appProtocol": "a b"}]},
            [f'spec.ports[0].appProtocol: Invalid value: "a b": {QUALIFIED}'],
        ),
        (
            {"ports": [{"port": 1}], "externalIPs": ["here"]},
            [
                'spec.externalIPs[0]: Invalid value: "here": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
            ],
        ),
        (
            {"ports": [{"port": 1}], "internalTrafficPolicy": "Here"},
            ['spec.internalTrafficPolicy: Unsupported value: "Here": supported values: "Cluster", "Local"'],
        ),
        (
            {"ports": [{"port": 1}], "externalTrafficPolicy": "Local"},
            ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
        ),
        (
            {
                "ports": [{"port": 1}],
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}},
            },
            [
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"
            ],
        ),
        (
            {
                "ports": [{"port": 1, "name": "a", "nodePort": 30000}, {"port": 1, "name": "b", "nodePort": 30000}],
                "type": "NodePort",
            },
            [
                "spec.ports[1].nodePort: Duplicate value: 30000",
                'spec.ports[1]: Duplicate value: {"AppProtocol":null,"Name":"","NodePort":0,"Port":1,"Protocol":"TCP","TargetPort":0}',
            ],
        ),
        (
            {"type": "ExternalName", "externalName": "a b", "clusterIP": "10.0.0.1"},
            [
                "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
                f'spec.externalName: Invalid value: "a b": {SUBDOMAIN}',
            ],
        ),
    ],
)
def test_services_with_rare_mistakes(spec: Object, texts: list[str]) -> None:
    assert problems("Service", "v1", spec) == texts


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (
            {"maxFailedIndexes": 1},
            [
                "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
                "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
            ],
        ),
        (
            {"podReplacementPolicy": "Now"},
            ['spec.podReplacementPolicy: Unsupported value: "Now": supported values: "Failed", "TerminatingOrFailed"'],
        ),
        (
            {"podFailurePolicy": {"rules": []}, "template": template(restartPolicy="OnFailure")},
            [
                'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified'
            ],
        ),
        (
            {"template": template(restartPolicy="Maybe")},
            [
                'spec.template.spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
                'spec.template.spec.restartPolicy: Unsupported value: "Maybe": supported values: "OnFailure", "Never"',
            ],
        ),
        ({"manualSelector": True}, ["spec.selector: Required value"]),
        ({"manualSelector": True, "selector": {"matchLabels": {"x": "y"}}}, [MISMATCH]),
    ],
)
def test_jobs_with_rare_mistakes(change: Object, texts: list[str]) -> None:
    assert problems("Job", "batch/v1", {"template": template(restartPolicy="Never"), **change}) == texts
