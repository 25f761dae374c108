"""Rows of the kinds that no transcript shows, and the options of ``kubectl get``."""

from __future__ import annotations

from typing import Any

import pytest

from selfheal import printers
from tests.printers.demo import T0, at, cluster, micro

Object = dict[str, Any]
NOW = T0 + 100.5


def obj(kind: str, api: str = "v1", /, **fields: Any) -> Object:
    metadata = {"name": "x", "namespace": "default", "creationTimestamp": at(0), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def lines(of: Object, **options: Any) -> list[list[str]]:
    """Header and row, cut at runs of blanks."""
    text = printers.get(of["kind"], [of], NOW, **options)
    return [[cell for cell in line.split("   ") if cell.strip()] for line in text.splitlines()]


def row(of: Object, **options: Any) -> list[str]:
    return [cell.strip() for cell in lines(of, **options)[1]]


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "ia"}, {"name": "b", "image": "ib"}]}}


def test_containers_and_images_are_joined_by_commas() -> None:
    rs = obj("ReplicaSet", "apps/v1", spec={"replicas": 2, "template": TEMPLATE})
    assert row(rs, wide=True) == ["x", "2", "0", "0", "100s", "a,b", "ia,ib", "<none>"]


def test_replication_controllers_are_listed_like_replica_sets() -> None:
    rc = obj("ReplicationController", spec={"replicas": 1, "selector": {"b": "2", "a": "1"}, "template": TEMPLATE})
    assert row(rc, wide=True)[-1] == "a=1,b=2"


def test_selectors_with_expressions() -> None:
    selector = {
        "matchLabels": {"tier": "web"},
        "matchExpressions": [
            {"key": "app", "operator": "In", "values": ["b", "a"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "new", "operator": "Exists"},
            {"key": "zone", "operator": "NotIn", "values": ["c"]},
        ],
    }
    deployment = obj("Deployment", "apps/v1", spec={"selector": selector, "template": TEMPLATE})
    assert row(deployment, wide=True)[-1] == "app in (a,b),new,!old,tier=web,zone notin (c)"


@pytest.mark.parametrize(
    ("conditions", "deleting", "shown"),
    [
        (["Complete"], True, "Complete"),
        (["SuccessCriteriaMet", "Failed"], True, "Failed"),
        ([], True, "Terminating"),
        (["FailureTarget", "Suspended"], False, "Suspended"),
        (["SuccessCriteriaMet", "FailureTarget"], False, "FailureTarget"),
        (["SuccessCriteriaMet"], False, "SuccessCriteriaMet"),
        ([], False, "Running"),
    ],
)
def test_a_job_shows_the_first_status_that_holds(conditions: list[str], deleting: bool, shown: str) -> None:
    status = {"conditions": [{"type": kind, "status": "True"} for kind in conditions]}
    job = obj("Job", "batch/v1", status=status, metadata={"deletionTimestamp": at(1)} if deleting else {})
    assert printers.table("Job", [job], NOW).rows[0].cells[1] == shown


@pytest.mark.parametrize(
    ("spec", "status", "completions", "duration"),
    [
        ({"completions": 3}, {"succeeded": 1, "startTime": at(40)}, "1/3", "60s"),
        ({"parallelism": 2}, {"startTime": at(10), "completionTime": at(30)}, "0/1 of 2", "20s"),
        ({"parallelism": 1}, {}, "0/1", ""),
    ],
)
def test_a_job_counts_completions(spec: Object, status: Object, completions: str, duration: str) -> None:
    cells = printers.table("Job", [obj("Job", "batch/v1", spec=spec, status=status)], NOW).rows[0].cells
    assert cells[2:4] == (completions, duration)


def test_cron_jobs() -> None:
    spec = {"schedule": "*/5 * * * *", "suspend": False, "jobTemplate": {"spec": {"template": TEMPLATE}}}
    cron = obj("CronJob", "batch/v1", spec=spec, status={"active": [{"name": "j"}], "lastScheduleTime": at(70)})
    header, _ = lines(cron)
    assert [name.strip() for name in header] == [
        "NAME",
        "SCHEDULE",
        "TIMEZONE",
        "SUSPEND",
        "ACTIVE",
        "LAST SCHEDULE",
        "AGE",
    ]
    assert row(cron) == ["x", "*/5 * * * *", "<none>", "False", "1", "30s", "100s"]
    assert row(obj("CronJob", "batch/v1")) == ["x", "<none>", "<unset>", "0", "<none>", "100s"]


def test_controller_revisions_name_their_owner() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    revision = obj("ControllerRevision", "apps/v1", revision=2, metadata={"ownerReferences": [owner]})
    assert row(revision) == ["x", "statefulset.apps/db", "2", "100s"]
    assert row(obj("ControllerRevision", "apps/v1"))[1] == "<none>"


def test_disruption_budgets() -> None:
    pdb = obj("PodDisruptionBudget", "policy/v1", spec={"minAvailable": "50%"}, status={"disruptionsAllowed": 1})
    assert row(pdb) == ["x", "50%", "N/A", "1", "100s"]


def test_autoscalers_show_current_and_wanted_values() -> None:
    def metric(name: str, target: Object) -> Object:
        return {"type": "Resource", "resource": {"name": name, "target": target}}

    cpu, memory = metric("cpu", {"averageUtilization": 80}), metric("memory", {"averageValue": "1024Mi"})
    current = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}
    spec: Object = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 5, "metrics": [cpu, memory]}
    hpa = obj("HorizontalPodAutoscaler", "autoscaling/v2", spec=spec, status={"currentMetrics": [current]})
    assert row(hpa)[1:] == ["Deployment/web", "cpu: 12%/80%, memory: <unknown>/1Gi", "<unset>", "5", "0", "100s"]
    spec["metrics"] = [cpu] * 3
    assert row(hpa)[2] == "cpu: 12%/80%, cpu: <unknown>/80% + 1 more..."
    spec["metrics"] = []
    assert row(hpa)[2] == "<none>"


@pytest.mark.parametrize(
    ("spec", "status", "cluster_ip", "external", "ports"),
    [
        ({"type": "ClusterIP", "clusterIP": "None"}, {}, "None", "<none>", "<none>"),
        ({"type": "NodePort", "externalIPs": ["1.2.3.4"]}, {}, "<none>", "1.2.3.4", "<none>"),
        ({"type": "LoadBalancer"}, {}, "<none>", "<pending>", "<none>"),
        (
            {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]},
            {"loadBalancer": {"ingress": [{"ip": "5.6.7.8"}, {"hostname": "a.example"}]}},
            "10.0.0.1",
            "5.6.7.8,a.example",
            "<none>",
        ),
        ({"type": "ExternalName", "externalName": "db.example"}, {}, "<none>", "db.example", "<none>"),
        (
            {
                "type": "NodePort",
                "ports": [
                    {"port": 80, "protocol": "TCP"},
                    {"port": 443, "nodePort": 30443, "protocol": "TCP"},
                ],
            },
            {},
            "<none>",
            "<none>",
            "80/TCP,443:30443/TCP",
        ),
    ],
)
def test_services(spec: Object, status: Object, cluster_ip: str, external: str, ports: str) -> None:
    assert row(obj("Service", spec=spec, status=status))[2:5] == [cluster_ip, external, ports]


def test_nodes_that_are_not_ready_or_not_schedulable() -> None:
    def status(ready: str | None, **spec: bool) -> Any:
        conditions = [] if ready is None else [{"type": "Ready", "status": ready}]
        return printers.table("Node", [obj("Node", spec=spec, status={"conditions": conditions})], NOW).rows[0].cells[1]

    assert status("True") == "Ready"
    assert status("False") == "NotReady"
    assert status("Unknown") == "NotReady"
    assert status(None) == "Unknown"
    assert status("True", unschedulable=True) == "Ready,SchedulingDisabled"


def test_the_roles_of_a_node_come_from_its_labels() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "etcd", "node-role.kubernetes.io/": ""}
    assert row(obj("Node", metadata={"labels": labels}))[2] == "control-plane,etcd"


def test_events_that_were_repeated() -> None:
    old = obj("Event", type="Normal", reason="Pulled", message="a\nb", count=3, source={"component": "kubelet"})
    old |= {"firstTimestamp": at(10), "lastTimestamp": at(90), "involvedObject": {"kind": "Pod", "name": "p"}}
    assert row(old) == ["10s", "Normal", "Pulled", "pod/p", "a..."]
    assert row(old, wide=True)[4:] == ["kubelet", "a...", "90s", "3", "x"]

    new = obj("Event", type="Normal", reason="R", message="m", reportingComponent="c", reportingInstance="i")
    new |= {"eventTime": micro(20), "series": {"count": 7, "lastObservedTime": micro(95)}}
    new["involvedObject"] = {"kind": "Node"}
    assert row(new, wide=True) == ["5s", "Normal", "R", "node", "c, i", "m", "80s", "7", "x"]


def test_small_kinds() -> None:
    assert row(obj("ConfigMap", data={"a": "1"}, binaryData={"b": ""})) == ["x", "2", "100s"]
    assert row(obj("Secret", type="Opaque", data={"a": "1"})) == ["x", "Opaque", "1", "100s"]
    assert row(obj("ServiceAccount")) == ["x", "100s"]
    priority = obj("PriorityClass", value=10, globalDefault=False, preemptionPolicy="Never")
    assert row(priority, wide=True) == ["x", "10", "false", "100s", "Never"]
    assert row(obj("Wombat")) == ["x", "100s"]


def test_all_namespaces_come_first_but_not_for_what_has_none() -> None:
    assert printers.get("ConfigMap", [obj("ConfigMap")], NOW, all_namespaces=True) == (
        "NAMESPACE   NAME   DATA   AGE\ndefault     x      0      100s\n"
    )
    assert "NAMESPACE" not in printers.get("Node", [obj("Node")], NOW, all_namespaces=True)


def test_label_columns() -> None:
    labelled = obj("ConfigMap", metadata={"labels": {"example.com/team": "heal"}})
    shown = printers.get("ConfigMap", [labelled], NOW, label_columns=["example.com/team"], show_labels=True)
    assert shown == ("NAME   DATA   AGE    TEAM   LABELS\nx      0      100s   heal   example.com/team=heal\n")


def test_nothing_to_show() -> None:
    assert printers.get("Pod", [], NOW) == "No resources found in default namespace.\n"
    assert printers.get("Pod", [], NOW, namespace="demo") == "No resources found in demo namespace.\n"
    assert printers.get("Pod", [], NOW, all_namespaces=True) == "No resources found\n"
    assert printers.get("Node", [], NOW) == "No resources found\n"
    assert printers.get_all({}, NOW) == "No resources found in default namespace.\n"
    assert printers.events([], NOW) == "No events found in default namespace.\n"


def test_kubectl_events_is_sorted_by_time() -> None:
    demo = cluster()
    shown = printers.events(demo.list("Event", "demo"), T0 + 86.5).splitlines()
    assert shown[0] == "LAST SEEN           TYPE      REASON                 OBJECT                      MESSAGE"
    assert " ".join(shown[1].split()) == "86s Normal SuccessfulCreate DaemonSet/agent Created pod: agent-l2tqd"
    assert [line.split("   ")[0] for line in shown[-2:]] == ["1s (x9 over 71s)", "1s (x3 over 61s)"]


def test_a_table_in_wire_form_is_what_an_api_server_sends() -> None:
    ended = obj("Pod", status={"phase": "Failed"}, spec={"containers": [{"name": "a"}]})
    table = printers.table("Pod", [ended], NOW).wire("42")
    assert (table["kind"], table["apiVersion"], table["metadata"]) == (
        "Table",
        "meta.k8s.io/v1",
        {"resourceVersion": "42"},
    )
    name, ready = table["columnDefinitions"][:2]
    assert name == {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    assert ready["name"] == "Ready"
    (only,) = table["rows"]
    assert only["cells"] == ["x", "0/1", "Failed", "0", "100s", "<none>", "<none>", "<none>", "<none>"]
    assert only["object"]["kind"] == "PartialObjectMetadata"
    assert only["object"]["metadata"] is ended["metadata"]
    assert only["conditions"][0]["reason"] == "Failed"
