"""Descriptions that no transcript shows. The texts follow describe.go of kubectl 1.36."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import pytest

from selfheal import printers
from selfheal.printers import amounts, demand
from selfheal.printers.describe import generic, probes, services
from tests.printers.demo import T0, Lister, at, cluster, crash, ended, event, owner

Object = dict[str, Any]
NOW = T0 + 100.5


def obj(kind: str, api: str = "v1", /, **fields: Any) -> Object:
    metadata = {"name": "x", "namespace": "ns", "uid": "u", "creationTimestamp": at(0), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def described(of: Object, *others: Object) -> str:
    return printers.describe(of, Lister([of, *others]), NOW)


def text(block: str) -> str:
    """A block of expected text; a ``·`` is a blank at the end of a line."""
    return dedent(block).removeprefix("\n").replace("·", " ")


TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
TEMPLATE_TEXT = """\
Pod Template:
  Labels:  app=x
  Containers:
   c:
    Image:         i
    Port:          <none>
    Host Port:     <none>
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
"""


def test_a_pod_that_has_just_been_made() -> None:
    pod = obj("Pod", spec={"containers": [{"name": "c", "image": "i"}]}, status={"phase": "Pending"})
    assert described(pod) == text(
        """
        Name:         x
        Namespace:    ns
        Node:         <none>
        Labels:       <none>
        Annotations:  <none>
        Status:       Pending
        IP:          ·
        IPs:          <none>
        Containers:
          c:
            Image:        i
            Port:         <none>
            Host Port:    <none>
            Environment:  <none>
            Mounts:       <none>
        Volumes:          <none>
        QoS Class:        BestEffort
        Node-Selectors:   <none>
        Tolerations:      <none>
        Events:           <none>
        """
    )


def test_a_pod_that_terminates_shows_how_long_it_has_overstayed() -> None:
    pod = crash()
    pod["metadata"] |= {"deletionTimestamp": at(95), "deletionGracePeriodSeconds": 30}
    shown = described(pod)
    assert "Status:                    Terminating (lasts 5s)\nTermination Grace Period:  30s\n" in shown
    pod["metadata"]["deletionTimestamp"] = at(130)  # the grace period is not over yet
    assert "Terminating (lasts <invalid>)" in described(pod)


def test_init_containers_sidecars_and_everything_a_container_can_have() -> None:
    full = {
        "name": "c",
        "image": "i",
        "command": ["sh", "-c", "a\nb"],
        "ports": [
            {"containerPort": 80, "protocol": "TCP", "name": "http", "hostPort": 8080},
            {"containerPort": 81, "protocol": "UDP"},
        ],
        "resources": {"limits": {"memory": "1024Mi", "cpu": "0.5"}, "requests": {"cpu": "100m"}},
        "envFrom": [
            {"configMapRef": {"name": "cm"}, "prefix": "P_"},
            {"secretRef": {"name": "s", "optional": True}},
        ],
        "env": [
            {"name": "A", "value": "1\n2"},
            {"name": "NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            {"name": "M", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", "optional": True}}},
        ],
        "volumeMounts": [
            {"name": "v", "mountPath": "/z", "subPath": "sub"},
            {"name": "v", "mountPath": "/a", "readOnly": True},
        ],
    }
    pod = obj(
        "Pod",
        spec={
            "nodeName": "n",
            "initContainers": [{"name": "i", "image": "i", "restartPolicy": "Always"}],
            "containers": [full],
            "volumes": [
                {"name": "v", "emptyDir": {"sizeLimit": "1024Ki"}},
                {"name": "m", "configMap": {"name": "cm"}},
                {"name": "s", "secret": {"secretName": "s", "optional": True}},
                {"name": "h", "hostPath": {"path": "/x"}},
                {"name": "d", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
                {"name": "q", "rbd": {}},
            ],
            "readinessGates": [{"conditionType": "example.com/a"}, {"conditionType": "b"}],
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [
                {"key": "k", "value": "v", "effect": "NoSchedule"},
                {"operator": "Exists"},
                {"key": "e", "operator": "Exists"},
            ],
            "topologySpreadConstraints": [
                {
                    "topologyKey": "zone",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "maxSkew": 1,
                    "labelSelector": {"matchLabels": {"app": "x"}},
                }
            ],
        },
        status={
            "phase": "Running",
            "reason": "Why",
            "message": "because",
            "conditions": [{"type": "example.com/a", "status": "True"}],
            "initContainerStatuses": [{"name": "i", "state": {"waiting": {"reason": "R", "message": "not shown"}}}],
            "containerStatuses": [
                {"name": "c", "state": ended(1, 2, 137, signal=9, message="last words"), "restartCount": 0}
            ],
        },
    )
    assert described(pod) == text(
        """
        Name:         x
        Namespace:    ns
        Node:         n/
        Labels:       <none>
        Annotations:  <none>
        Status:       Running
        Reason:       Why
        Message:      because
        IP:          ·
        IPs:          <none>
        Init Containers:
          i:
            Container ID:  ·
            Image:          i
            Image ID:      ·
            Port:           <none>
            Host Port:      <none>
            State:          Waiting
              Reason:       R
            Ready:          False
            Restart Count:  0
            Environment:    <none>
            Mounts:         <none>
        Containers:
          c:
            Container ID: ·
            Image:         i
            Image ID:     ·
            Ports:         80/TCP (http), 81/UDP
            Host Ports:    8080/TCP (http), 0/UDP
            Command:
              sh
              -c
              a
              b
            State:          Terminated
              Reason:       Error
              Message:      last words
              Exit Code:    137
              Signal:       9
              Started:      Mon, 23 Nov 2026 09:32:58 +0000
              Finished:     Mon, 23 Nov 2026 09:32:59 +0000
            Ready:          False
            Restart Count:  0
            Limits:
              cpu:     500m
              memory:  1Gi
            Requests:
              cpu:  100m
            Environment Variables from:
              cm  ConfigMap with prefix 'P_'  Optional: false
              s   Secret                      Optional: true
            Environment:
              A:     1
                     2
              NAME:  x (v1:metadata.name)
              NODE:   (v1:spec.nodeName)
              CPU:   1 (limits.cpu)
              MEM:   1024 (limits.memory)
              S:     <set to the key 'k' in secret 's'>      Optional: false
              M:     <set to the key 'k' of config map 'm'>  Optional: true
            Mounts:
              /a from v (ro)
              /z from v (rw,path="sub")
        Readiness Gates:
          Type            Status
          example.com/a   True·
          b               <none>·
        Conditions:
          Type            Status
          example.com/a   True·
        Volumes:
          v:
            Type:       EmptyDir (a temporary directory that shares a pod's lifetime)
            Medium:    ·
            SizeLimit:  1Mi
          m:
            Type:      ConfigMap (a volume populated by a ConfigMap)
            Name:      cm
            Optional:  false
          s:
            Type:        Secret (a volume populated by a Secret)
            SecretName:  s
            Optional:    true
          h:
            Type:          HostPath (bare host directory volume)
            Path:          /x
            HostPathType:  <none>
          d:
            Type:  DownwardAPI (a volume populated by information about the pod)
            Items:
              metadata.labels -> l
          q:
          <unknown>
        QoS Class:                    Burstable
        Node-Selectors:               disk=ssd
        Tolerations:                  op=Exists
                                      e op=Exists
                                      k=v:NoSchedule
        Topology Spread Constraints:  zone:DoNotSchedule when max skew 1 is exceeded for selector app=x
        Events:                       <none>
        """
    )


def test_probes() -> None:
    numbers = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    attributes = " delay=0s timeout=1s period=10s #success=1 #failure=3"

    def line(**action: Any) -> str:
        return probes.line({**numbers, **action}).removesuffix(attributes)

    assert line(httpGet={"scheme": "HTTPS", "host": "fd00::1", "port": 443}) == "http-get https://[fd00::1]:443"
    assert line(httpGet={"scheme": "HTTP", "port": 80, "path": "a b?c=1"}) == "http-get http://:80/a%20b%3Fc=1"
    assert line(tcpSocket={"port": "web", "host": "h"}) == "tcp-socket h:web"
    assert line(grpc={"port": 5000, "service": ""}) == "grpc <pod>:5000 "
    assert line(exec={}) == "exec []"
    assert line() == "unknown"


def test_a_rollout_names_the_old_replica_sets_and_the_new_one() -> None:
    deployment = obj("Deployment", "apps/v1", spec={"replicas": 3, "selector": {"matchLabels": {"app": "x"}}})
    deployment["spec"]["template"] = TEMPLATE

    def replica_set(name: str, image: str, n: int, when: int) -> Object:
        labels = {"app": "x", "pod-template-hash": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": image}]}}
        metadata = {"name": name, "uid": name, "labels": labels, "creationTimestamp": at(when)}
        metadata["ownerReferences"] = owner(deployment)
        spec = {"replicas": n, "template": template}
        return obj("ReplicaSet", "apps/v1", metadata=metadata, spec=spec, status={"replicas": n})

    stranger = replica_set("s", "i", 9, 0)
    stranger["metadata"]["ownerReferences"] = []
    shown = described(
        deployment, replica_set("a", "new", 1, 5), replica_set("b", "i", 3, 4), replica_set("c", "old", 0, 1), stranger
    )
    assert "OldReplicaSets:    c (0/0 replicas created), a (1/1 replicas created)\n" in shown
    assert "NewReplicaSet:     b (3/3 replicas created)\n" in shown


def test_pods_of_others_are_not_counted() -> None:
    rs = obj("ReplicaSet", "apps/v1", spec={"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE})

    def pod(name: str, phase: str, *, owned: bool = True) -> Object:
        metadata = {"name": name, "labels": {"app": "x"}, "ownerReferences": owner(rs) if owned else []}
        return obj("Pod", metadata=metadata, status={"phase": phase})

    pods = [pod("a", "Pending"), pod("b", "Running"), pod("c", "Running", owned=False), pod("d", "Failed")]
    assert "Pods Status:  1 Running / 1 Waiting / 0 Succeeded / 1 Failed\n" in described(rs, *pods)


def test_replication_controllers() -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    status = {"replicas": 1, "conditions": [condition]}
    rc = obj("ReplicationController", spec={"replicas": 2, "selector": {"app": "x"}, "template": TEMPLATE})
    head = text(
        """
        Name:         x
        Namespace:    ns
        Selector:     app=x
        Labels:       <none>
        Annotations:  <none>
        Replicas:     1 current / 2 desired
        Pods Status:  0 Running / 0 Waiting / 0 Succeeded / 0 Failed
        """
    )
    conditions = text(
        """
        Conditions:
          Type             Status  Reason
          ----             ------  ------
          ReplicaFailure   True    FailedCreate
        Events:            <none>
        """
    )
    assert described(rc | {"status": status}) == head + TEMPLATE_TEXT + conditions


def test_indexed_jobs() -> None:
    spec = {"completions": 9, "completionMode": "Indexed", "ttlSecondsAfterFinished": 5, "activeDeadlineSeconds": 60}
    indexes = ",".join(str(n) for n in range(0, 60, 2))
    status = {"startTime": at(0), "completionTime": at(90), "succeeded": 9, "completedIndexes": indexes}
    shown = described(obj("Job", "batch/v1", spec={**spec, "template": TEMPLATE}, status=status))
    assert "TTL Seconds After Finished:  5\n" in shown
    assert "Duration:                    90s\n" in shown
    assert "Active Deadline Seconds:     60s\n" in shown
    assert "Pods Statuses:               0 Active / 9 Succeeded / 0 Failed\n" in shown
    assert "Completed Indexes:           0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,...\n" in shown


def test_cron_jobs() -> None:
    spec: Object = {
        "schedule": "* * * * *",
        "concurrencyPolicy": "Forbid",
        "suspend": True,
        "successfulJobsHistoryLimit": 3,
        "startingDeadlineSeconds": 10,
        "jobTemplate": {"spec": {"completions": 1, "template": TEMPLATE}},
    }
    status = {"lastScheduleTime": at(63), "active": [{"name": "x-1"}, {"name": "x-2"}]}
    head = text(
        """
        Name:                          x
        Namespace:                     ns
        Labels:                        <none>
        Annotations:                   <none>
        Schedule:                      * * * * *
        Concurrency Policy:            Forbid
        Suspend:                       True
        Time Zone:                     <unset>
        Successful Job History Limit:  3
        Failed Job History Limit:      <unset>
        Starting Deadline Seconds:     10s
        Selector:                      <unset>
        Parallelism:                   <unset>
        Completions:                   1
        """
    )
    template = re.sub(": +(?=[i<])", lambda gap: gap[0] + "  ", TEMPLATE_TEXT)  # wider by the fields below
    tail = text(
        """
        Last Schedule Time:  Mon, 23 Nov 2026 09:34:00 +0000
        Active Jobs:         x-1, x-2
        Events:              <none>
        """
    )
    assert described(obj("CronJob", "batch/v1", spec=spec, status=status)) == head + template + tail


def test_disruption_budgets() -> None:
    status = {"disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    assert described(obj("PodDisruptionBudget", "policy/v1", spec=spec, status=status)) == text(
        """
        Name:             x
        Namespace:        ns
        Max unavailable:  1
        Selector:         app=web
        Status:
            Allowed disruptions:  1
            Current:              3
            Desired:              2
            Total:                3
        Events:                   <none>
        """
    )


def test_autoscalers() -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}}
    now = {"averageUtilization": 12, "averageValue": "0.06"}
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [metric],
        "behavior": {
            "scaleDown": {
                "stabilizationWindowSeconds": 60,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
            }
        },
    }
    status = {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": now}}],
        "conditions": [{"type": "AbleToScale", "status": "True", "reason": "R", "message": "M"}],
    }
    assert described(obj("HorizontalPodAutoscaler", "autoscaling/v2", spec=spec, status=status)) == text(
        """
        Name:                                                  x
        Namespace:                                             ns
        Labels:                                                <none>
        Annotations:                                           <none>
        CreationTimestamp:                                     Mon, 23 Nov 2026 09:32:57 +0000
        Reference:                                             Deployment/web
        Metrics:                                               ( current / target )
          resource cpu on pods  (as a percentage of request):  12% (60m) / 80%
        Min replicas:                                          1
        Max replicas:                                          5
        Behavior:
          Scale Down:
            Stabilization Window: 60 seconds
            Select Policy: Max
            Policies:
              - Type: Pods  Value: 1  Period: 15 seconds
        Deployment pods:    2 current / 3 desired
        Conditions:
          Type         Status  Reason  Message
          ----         ------  ------  -------
          AbleToScale  True    R       M
        Events:        <none>
        """
    )


def test_config_maps_show_their_data() -> None:
    cm = obj("ConfigMap", data={"b": "2\n3", "a": "1"}, binaryData={"z": "AAAA"})
    assert described(cm) == text(
        """
        Name:         x
        Namespace:    ns
        Labels:       <none>
        Annotations:  <none>

        Data
        ====
        a:
        ----
        1

        b:
        ----
        2
        3


        BinaryData
        ====
        z: 3 bytes

        Events:  <none>
        """
    )


def test_secrets_keep_their_data() -> None:
    secret = obj("Secret", type="Opaque", data={"password": "c2VjcmV0"})
    assert described(secret).endswith("\nType:  Opaque\n\nData\n====\npassword:  6 bytes\n")


def test_namespaces_and_service_accounts() -> None:
    assert described(obj("Namespace", status={"phase": "Active"})) == text(
        """
        Name:         x
        Labels:       <none>
        Annotations:  <none>
        Status:       Active

        No resource quota.

        No LimitRange resource.
        """
    )
    assert "Image pull secrets:  <none>\nEvents:              <none>\n" in described(obj("ServiceAccount"))


def test_endpoints() -> None:
    subset = {
        "addresses": [{"ip": "10.0.0.1"}],
        "notReadyAddresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.3"}],
        "ports": [{"port": 80, "protocol": "TCP"}],
    }
    assert described(obj("Endpoints", subsets=[subset])).endswith(
        text(
            """
            Subsets:
              Addresses:          10.0.0.1
              NotReadyAddresses:  10.0.0.2,10.0.0.3
              Ports:
                Name     Port  Protocol
                ----     ----  --------
                <unset>  80    TCP

            Events:  <none>
            """
        )
    )


def test_the_endpoints_of_a_service_are_the_ready_ones() -> None:
    def eps(*ready: bool) -> Object:
        endpoints = [{"addresses": [f"10.0.0.{i}"], "conditions": {"ready": r}} for i, r in enumerate(ready)]
        return {"ports": [{"name": "http", "port": 80}], "endpoints": endpoints}

    assert services.ready_endpoints([], "http") == "<none>"
    assert services.ready_endpoints([eps(True, False, True)], "http") == "10.0.0.0:80,10.0.0.2:80"
    assert services.ready_endpoints([eps(False)], "http") == ""
    assert services.ready_endpoints([eps(True)], "other") == ""
    four = services.ready_endpoints([eps(True, True), eps(True, True)], "http")
    assert four == "10.0.0.0:80,10.0.0.1:80,10.0.0.0:80 + 1 more..."
    assert services.ready_endpoints([eps(True, True, True, False)], "http").endswith("+ 0 more...")
    headless = {"endpoints": [{"addresses": ["fd00::1"]}]}
    assert services.ready_endpoints([headless], "") == "fd00::1"


def test_slices_without_endpoints() -> None:
    shown = described(obj("EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4"))
    assert shown.endswith("AddressType:  IPv4\nPorts: <unset>\nEndpoints: <none>\nEvents:  <none>\n")


def test_nodes_sum_up_what_their_pods_ask_for() -> None:
    node = obj("Node", metadata={"name": "n"}, spec={"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]})
    node["status"] = {"allocatable": {"cpu": "4", "memory": "12Gi", "example.com/gpu": "2"}}
    resources = {
        "requests": {"cpu": "1500m", "memory": "4Gi", "example.com/gpu": "1"},
        "limits": {"cpu": "2", "memory": "8192Mi"},
    }
    spec = {"nodeName": "n", "containers": [{"name": "c", "resources": resources}]}
    pod = obj("Pod", spec=spec, status={"phase": "Running"})
    done = obj("Pod", metadata={"name": "y"}, spec=spec, status={"phase": "Succeeded"})
    shown = described(node, pod, done)
    assert "Taints:             k=v:NoSchedule\n" in shown
    assert 'Lease:              Failed to get lease: leases.coordination.k8s.io "n" not found\n' in shown
    assert (
        text(
            """
        Non-terminated Pods:          (1 in total)
          Namespace                   Name    CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
          ---------                   ----    ------------  ----------  ---------------  -------------  ---
          ns                          x       1500m (37%)   2 (50%)     4Gi (33%)        8Gi (66%)      100s
        Allocated resources:
          (Total limits may be over 100 percent, i.e., overcommitted.)
          Resource           Requests     Limits
          --------           --------     ------
          cpu                1500m (37%)  2 (50%)
          memory             4Gi (33%)    8Gi (66%)
          ephemeral-storage  0 (0%)       0 (0%)
          example.com/gpu    1            0
        Events:              <none>
        """
        )
        in shown
    )


def test_the_kubelet_names_a_node_by_its_name_in_its_events() -> None:
    node = next(o for o in cluster().objects if o["kind"] == "Node")
    from_kubelet = event(node, "NodeReady", "Node node-1 status is now: NodeReady", 1)
    from_kubelet["involvedObject"]["uid"] = "node-1"
    from_kubelet["metadata"]["name"] += "x"
    from_controller = event(node, "RegisteredNode", "registered", 2, component="node-controller")
    other = event(node, "Other", "of a node of the same name before", 3)
    other["involvedObject"]["uid"] = "earlier"
    shown = described(node, from_kubelet, from_controller, other)
    assert "NodeReady" in shown
    assert "RegisteredNode" in shown
    assert "Other" not in shown


def test_events_of_an_earlier_pod_of_the_same_name_are_left_out() -> None:
    pod = crash()
    mine, theirs = event(pod, "Mine", "m", 1), event(pod, "Theirs", "t", 2)
    theirs["involvedObject"]["uid"] = "earlier"
    shown = described(pod, mine, theirs)
    assert "Mine" in shown
    assert "Theirs" not in shown


def test_long_annotations_get_lines_of_their_own() -> None:
    annotated = obj("ConfigMap", metadata={"annotations": {"short": "s", "two": "a\nb", "long": "x" * 200}})
    lines = described(annotated).splitlines()
    assert lines[3] == "Annotations:  long:"
    assert lines[4] == " " * 16 + "x" * 138 + "..."
    assert lines[5] == " " * 14 + "short: s"
    assert lines[6:9] == [" " * 14 + "two:", " " * 16 + "a", " " * 16 + "b"]


def test_any_other_kind_shows_all_of_its_fields() -> None:
    lease = obj(
        "Lease", "coordination.k8s.io/v1", spec={"holderIdentity": "n", "leaseDurationSeconds": 40, "strategy": None}
    )
    assert described(lease) == text(
        """
        Name:         x
        Namespace:    ns
        Labels:       <none>
        Annotations:  <none>
        API Version:  coordination.k8s.io/v1
        Kind:         Lease
        Metadata:
          Creation Timestamp:  2026-11-23T09:32:57Z
          UID:                 u
        Spec:
          Holder Identity:         n
          Lease Duration Seconds:  40
          Strategy:                <nil>
        Events:                    <none>
        """
    )


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("apiVersion", "API Version"),
        ("podIPs", "Pod I Ps"),
        ("externalURLPath", "External URLPath"),
        ("uid", "UID"),
        ("clusterIP", "Cluster IP"),
        ("example.com/x", "example.com/x"),
        ("ipv4", "ipv4"),
    ],
)
def test_names_of_fields_are_made_readable(field: str, shown: str) -> None:
    assert generic.label(field) == shown


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1025Ki", "1025Ki"),
        ("512", "512"),
        ("0.5Ki", "512"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("2000000", "2M"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("0Gi", "0"),
        (2, "2"),
        ("267847642337", "267847642337"),
        ("100n", "100n"),
        ("9223372036854775807", "9223372036854775807"),
        ("plenty", "plenty"),
        (True, "true"),
    ],
)
def test_quantities_are_written_in_canonical_form(given: object, written: str) -> None:
    assert amounts.canonical(given) == written


def test_what_a_pod_asks_for_in_all() -> None:
    def container(cpu: str, **more: Any) -> Object:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    def asked(**spec: Any) -> str:
        return str(demand.of_pod({"spec": spec}, "requests").get("cpu", "nothing"))

    assert asked(containers=[container("1"), container("500m")]) == "1500m"
    assert asked(containers=[container("1")], initContainers=[container("2")]) == "2"
    sidecar = container("3", restartPolicy="Always")
    assert asked(containers=[container("1")], initContainers=[sidecar, container("2")]) == "5"
    assert asked(containers=[container("1")], initContainers=[sidecar]) == "4"
    assert asked(containers=[container("1")], overhead={"cpu": "100m"}) == "1100m"
    assert asked(containers=[container("1")], resources={"requests": {"cpu": "7"}}) == "7"
    assert asked(containers=[{}]) == "nothing"


def test_quality_of_service() -> None:
    def of(*resources: Object) -> str:
        return demand.qos_class({"spec": {"containers": [{"resources": r} for r in resources]}})

    equal = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}}
    assert of(equal, equal) == "Guaranteed"
    assert of(equal, {}) == "Burstable"
    assert of({"requests": {"cpu": "1"}}) == "Burstable"
    assert of({}, {}) == "BestEffort"
    assert of() == "BestEffort"


def test_stateful_sets_with_volume_claims() -> None:
    claim = {
        "metadata": {"name": "data", "labels": {"a": "1", "b": "2"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}},
    }
    rolling = {"partition": 1, "maxUnavailable": "50%"}
    spec = {"template": TEMPLATE, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    shown = described(obj("StatefulSet", "apps/v1", spec={**spec, "volumeClaimTemplates": [claim]}))
    assert "  Partition:        1\n  MaxUnavailable:   50%\n" in shown
    assert shown.endswith(
        text(
            """
            Volume Claims:
              Name:          data
              StorageClass: ·
              Labels:        a=1
                             b=2
              Annotations:   <none>
              Capacity:      1Gi
              Access Modes:  [ReadWriteOnce]
            Events:          <none>
            """
        )
    )


def test_templates_show_what_their_pods_will_have() -> None:
    template = {
        "metadata": {"annotations": {"a": "b"}},
        "spec": {
            "serviceAccountName": "robot",
            "priorityClassName": "high",
            "initContainers": [{"name": "i", "image": "i"}],
            "containers": [{"name": "c", "image": "i", "volumeDevices": [{"name": "v", "devicePath": "/dev/x"}]}],
            "volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}, {}]}}],
        },
    }
    shown = described(obj("DaemonSet", "apps/v1", spec={"template": template}))
    assert shown[shown.index("Pod Template:") :] == text(
        """
        Pod Template:
          Labels:           <none>
          Annotations:      a: b
          Service Account:  robot
          Init Containers:
           i:
            Image:        i
            Port:         <none>
            Host Port:    <none>
            Environment:  <none>
            Mounts:       <none>
          Containers:
           c:
            Image:        i
            Port:         <none>
            Host Port:    <none>
            Environment:  <none>
            Mounts:       <none>
            Devices:      <none>
              /dev/x from v
          Volumes:
           v:
            Type:               Projected (a volume that contains injected data from multiple sources)
            SecretName:         s
            Optional:           false
          Priority Class Name:  high
          Node-Selectors:       <none>
          Tolerations:          <none>
        Events:                 <none>
        """
    )
    assert "Pod Template:\n  <unset>Events:  <none>\n" in described(obj("ReplicaSet", "apps/v1"))


def test_a_pod_with_resources_of_its_own_and_more() -> None:
    spec = {
        "priorityClassName": "high",
        "resources": {"requests": {"cpu": "1"}},
        "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}},
    }
    shown = described(obj("Pod", spec=spec, status={"nominatedNodeName": "n"}))
    assert "Priority Class Name:  high\n" in shown
    assert "SeccompProfile:       Localhost\nLocalhostProfile:     p.json\n" in shown
    assert "NominatedNodeName:    n\nResources:\n  Requests:\n    cpu:  1\nContainers: <none>\n" in shown
    assert "QoS Class:       Burstable\n" in shown


def test_services_beyond_a_cluster_address() -> None:
    port = {"name": "web", "port": 80, "protocol": "TCP", "targetPort": "http", "nodePort": 30080, "appProtocol": "x"}
    spec = {"type": "LoadBalancer", "ports": [port], "externalIPs": ["1.1.1.1"], "healthCheckNodePort": 32222}
    status = {"loadBalancer": {"ingress": [{"ip": "5.6.7.8", "ipMode": "VIP"}, {"hostname": "h"}]}}
    shown = described(obj("Service", spec=spec, status=status))
    assert "External IPs:          1.1.1.1\n" in shown
    assert "LoadBalancer Ingress:  5.6.7.8 (VIP), h\n" in shown
    assert "TargetPort:            http/TCP\nAppProtocol:           x\n" in shown
    assert "NodePort:              web  30080/TCP\nEndpoints:             <none>\n" in shown
    assert "HealthCheck NodePort:  32222\n" in shown


def test_a_namespace_that_is_going_away_says_why_it_has_not_gone() -> None:
    condition = {"type": "NamespaceContentRemaining", "status": "True", "reason": "SomeResourcesRemain"}
    status = {"phase": "Terminating", "conditions": [{**condition, "message": "pods.", "lastTransitionTime": at(3)}]}
    assert (
        "  NamespaceContentRemaining  True    Mon, 23 Nov 2026 09:33:00 +0000  SomeResourcesRemain  pods.\n"
    ) in described(obj("Namespace", status=status))


def test_events_of_the_new_style_that_were_repeated() -> None:
    pod = crash()
    again = event(pod, "FailedScheduling", "no", 10, component="default-scheduler", warning=True)
    again["series"] = {"count": 4, "lastObservedTime": at(98)}
    assert "  Warning  FailedScheduling  2s (x4 over 90s)  default-scheduler  no\n" in described(pod, again)


def test_a_selector_that_nobody_understands_selects_nothing() -> None:
    broken = {"matchExpressions": [{"key": "app", "operator": "Almost", "values": ["x"]}]}
    rs = obj("ReplicaSet", "apps/v1", spec={"selector": broken, "template": TEMPLATE})
    pod = obj("Pod", metadata={"labels": {"app": "x"}, "ownerReferences": owner(rs)}, status={"phase": "Running"})
    assert "Pods Status:  0 Running" in described(rs, pod)
