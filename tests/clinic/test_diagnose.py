"""``selfheal diagnose``: anyone's manifests as they are, told as text, JSON or SARIF, with an exit code for CI."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfheal import Cluster
from selfheal.cli import main
from selfheal.clinic import diagnose
from selfheal.clinic import subject as subjects
from selfheal.errors import ApiError
from tests.clinic.manifests import GOOD, C

SICK = GOOD.replace(
    "livenessProbe:\n          httpGet: {path: /livez", "livenessProbe:\n          httpGet: {path: /readyz"
)
QUICK = ["--seeds", "1", "--case", "dependency", "--case", "deadlock"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "sick.yaml").write_text(SICK, "utf-8")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> str:
    found = capsys.readouterr()
    assert found.err == ""
    return found.out


def test_nothing_found_is_exit_code_0(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "good.yaml", *QUICK]) == 0
    out = told(capsys)
    assert "Deployment/web: held in dependency, deadlock (2 runs)" in out
    assert out.endswith("Nothing found.\n")


def test_a_finding_has_harm_cause_line_change_and_a_command_that_replays_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", "sick.yaml", *QUICK]) == 1
    out = told(capsys)
    assert (
        "1. Deployment/web: when the database is away for 120 s, containers that a restart cannot help are killed"
        in out
    )
    line = 1 + SICK.splitlines().index("          httpGet: {path: /readyz, port: 8080}", 25)
    assert f"place    sick.yaml:{line}  {C}.livenessProbe.httpGet.path" in out
    assert f'change   {C}.livenessProbe.httpGet.path: "/readyz" → "/livez"' in out
    command = next(row for row in out.splitlines() if "replay" in row).split("selfheal ")[1].split()
    assert main(command) == 1
    out = told(capsys)
    assert "Liveness probe failed: HTTP probe failed with statuscode: 503" in out
    assert "the database is away for 120 s" in out.splitlines()[-1]


def test_what_the_manifest_does_not_say_is_named_and_measured(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "good.yaml", "--seeds", "1", "--case", "crash"]) == 0
    out = told(capsys)
    assert "--starts   how long it takes to start: 5 s; it stands up to" in out
    assert (
        "--depends  which pages need the database: what users ask for, and what the readiness probe asks (/readyz)"
        in out
    )
    limit = float(out.split("take to start")[-1].split("stands up to ")[1].split(" s")[0])
    for starts, code in ((limit, 0), (limit + 5, 1)):
        assert main(["diagnose", "good.yaml", "--starts", f"{starts:g}", "--case", "start", "--first"]) == code
        assert "how long it takes to start" not in told(capsys)


def test_json_holds_all_of_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "sick.yaml", "--format", "json", *QUICK]) == 1
    found = json.loads(told(capsys))
    [finding] = found["findings"]
    assert finding["changes"] == [{"path": f"{C}.livenessProbe.httpGet.path", "from": "/readyz", "to": "/livez"}]
    assert finding["felt"]["needless"] > 0
    assert finding["then"]["needless"] == 0
    [workload] = found["workloads"]
    assert (workload["object"], workload["held"]) == ("Deployment/web", ["deadlock"])


def test_sarif_points_at_the_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "sick.yaml", "--format", "sarif", "--first", *QUICK]) == 1
    found = json.loads(told(capsys))
    [run] = found["runs"]
    [result] = run["results"]
    assert (found["version"], result["ruleId"], result["level"]) == ("2.1.0", "dependency", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "dependency"
    where = result["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "sick.yaml"}
    assert "/readyz" in SICK.splitlines()[where["region"]["startLine"] - 1]


def test_what_a_cluster_gives_back_works_as_it_is(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``kubectl get deploy,rs,pods,svc -o yaml | selfheal diagnose -``: status, uids, owners and all."""
    cluster = Cluster(nodes=2)
    cluster.apply(SICK.replace("corp.example", "corp.io"))
    cluster.run(until=60)
    items: list[Any] = [o for kind in ("deployments", "replicasets", "pods") for o in cluster.get(kind)]
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
    subjects._standard_input.cache_clear()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["diagnose", "-", "--format", "json", "--first", *QUICK]) == 1
    found = json.loads(told(capsys))
    assert [w["object"] for w in found["workloads"]] == ["Deployment/web"], "what it owns is not examined once more"
    assert found["findings"][0]["case"] == "dependency"


CASES = ["--case", "start", "--case", "deadlock", "--case", "rollout"]
CHART = """\
# Source: shop/templates/all.yaml
apiVersion: v1
kind: ServiceAccount
metadata: {name: shop}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: shop}
spec: {endpoints: [{port: http}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: corp.example/m}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: prod}
spec:
  type: NodePort
  clusterIP: 10.96.7.7
  selector: {app: shop}
  ports: [{port: 80, nodePort: 30080, targetPort: http}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: shop, namespace: prod}
spec:
  replicas: 2
  serviceName: shop
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}, annotations: {checksum/config: abc}}
    spec:
      serviceAccountName: shop
      priorityClassName: high
      nodeSelector: {disk: ssd}
      readinessGates: [{conditionType: corp.example/mesh}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: shop}}}
      imagePullSecrets: [{name: regcred}]
      initContainers:
      - {name: wait, image: corp.example/wait:1, command: [sh, -c, "until nslookup db; do sleep 2; done"]}
      containers:
      - name: shop
        image: corp.example/shop@sha256:0123456789012345678901234567890123456789012345678901234567890123
        command: [/bin/app]
        envFrom: [{secretRef: {name: shop}}]
        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: shop, key: password}}}]
        ports: [{name: http, containerPort: 8080}]
        resources: {requests: {cpu: "6", memory: 20Gi}, limits: {memory: 20Gi, nvidia.com/gpu: 1}}
        readinessProbe: {httpGet: {path: /ready, port: http}, timeoutSeconds: 5}
        livenessProbe: {exec: {command: [sh, -c, "test -f /tmp/alive"]}, timeoutSeconds: 5}
        lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
        volumeMounts: [{name: data, mountPath: /data}, {name: conf, mountPath: /etc/shop}]
      volumes: [{name: conf, configMap: {name: shop}}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_a_chart_with_secrets_claims_and_kinds_of_its_own_is_run(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "chart").mkdir()
    (here / "chart" / "all.yaml").write_text(CHART, "utf-8")
    code = main(
        [
            "diagnose",
            "chart",
            "--seeds",
            "1",
            "--starts",
            "3",
            "--case",
            "start",
            "--case",
            "deadlock",
            "--case",
            "rollout",
        ]
    )
    out = told(capsys)
    assert "StatefulSet/shop: held in start, deadlock, rollout (3 runs)" in out
    assert "Passed over: Job/migrate: runs to an end" in out
    assert code == 0


def test_an_autoscaler_s_minimum_is_the_number_of_replicas(capsys: pytest.CaptureFixture[str]) -> None:
    scaler = (
        "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
        "spec: {minReplicas: 4, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n"
    )
    text = GOOD.replace("  replicas: 2\n", "")
    counts = [
        diagnose(t, cases=["pause"], seeds=1, first=True).examinations[0].subject.replicas
        for t in (text, text + scaler)
    ]
    assert counts == [1, 4]


def test_kinds_of_the_same_name_in_other_groups_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    other = "---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {template: {}}\n"
    old = "---\napiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: old}\nspec: {}\n"
    [subject], passed = subjects.subjects((obj, "all.yaml") for obj in yaml.safe_load_all(GOOD + other + old))
    assert (subject.ref, subject.others) == ("Deployment/web", ())
    assert passed == ["Deployment in all.yaml: Kubernetes 1.36 has none of version extensions/v1beta1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec": None},
        {"spec": {"template": 3}},
        {"metadata": None},
        {"metadata": {"name": "web", "ownerReferences": "me", "labels": [1]}},
        {"metadata": {"name": "web", "annotations": "none"}},
    ],
)
def test_what_the_api_server_would_refuse_is_told_not_raised(wrong: dict[str, Any]) -> None:
    with pytest.raises(ApiError):
        diagnose({**yaml.safe_load(GOOD), **wrong}, first=True)


def test_what_has_no_replicas_is_passed_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "off.yaml").write_text(GOOD.replace("replicas: 2", "replicas: 0"), "utf-8")
    assert main(["diagnose", "off.yaml", "good.yaml", "--first", *QUICK]) == 0
    assert "Passed over: Deployment/web: has no replicas" in told(capsys)


BAD = [
    (["chart"], "chart/deployment.yaml is a template: diagnose what `helm template CHART` prints"),
    (["nowhere.yaml"], 'the path "nowhere.yaml" does not exist'),
    (["empty.yaml"], "no Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod in empty.yaml"),
    (["broken.yaml"], "error parsing broken.yaml"),
    (["wrong.yaml"], "spec.template.spec.containers[0].readinessProbe.periodSeconds"),
    (
        ["good.yaml", "--replay", "Deployment/web:flood:1"],
        "write KIND/NAME:CASE:SEED; there is Deployment/web",
    ),
]


@pytest.mark.parametrize(("words", "says"), BAD, ids=[words[0] for words, _ in BAD])
def test_bad_input_is_told_in_one_line(
    words: list[str], says: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "empty.yaml").write_text("", "utf-8")
    (here / "chart").mkdir()
    (here / "chart" / "deployment.yaml").write_text("kind: Deployment\nmetadata: {{ .Values.meta }}\n", "utf-8")
    (here / "broken.yaml").write_text("a: [1, 2", "utf-8")
    (here / "wrong.yaml").write_text(GOOD.replace("periodSeconds: 5", "periodSeconds: -5"), "utf-8")
    assert main(["diagnose", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.count("\n") == 1


def test_ctrl_c_tells_what_was_found_so_far(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from selfheal.clinic import findings

    real, runs = findings.run, []

    def run(*args: Any) -> Any:
        runs.append(args)
        if len(runs) == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(findings, "run", run)
    assert main(["diagnose", "sick.yaml", "--seeds", "3", "--case", "dependency", "--case", "deadlock"]) == 130
    out = told(capsys)
    assert "when the database is away for 120 s" in out
    assert "Stopped before the end" in out


def test_a_notebook_asks_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    found = diagnose(SICK, cases=["dependency", "deadlock"], seeds=1, first=True)
    assert "1. Deployment/web: when the database is away for 120 s" in repr(found)
    assert "livenessProbe.httpGet.path" in found._repr_html_()
    assert "replay" not in repr(found), "there is no file that a command could be given"
    assert not diagnose(GOOD, cases=["pause"], seeds=1, first=True).findings
    assert told(capsys) == ""
