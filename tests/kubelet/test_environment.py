"""Where a container's variables come from, and what keeps it from being made."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from selfheal import Cluster
from tests.conformance.pods import container, events, messages, play, pod

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map"}, "data": {"A": "1", "B": "2"}}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"K": "c2VzYW1l"}}


def app(**fields: Any) -> dict[str, Any]:
    return pod(container(command="env | sort; sleep 3600", **fields), name="pod")


def variables(cluster: Cluster) -> dict[str, str]:
    return dict(line.split("=", 1) for _, line in cluster.container("pod").log)


def of(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {kind: {"name": name, "key": key, **more}}}


def test_variables_from_a_config_map_and_a_secret() -> None:
    env = [of("secretKeyRef", "keys", "K"), {"name": "W", "value": "<$(V)> $(B) $$(V)"}]
    found = variables(
        play(MAP, SECRET, app(env=env, envFrom=[{"configMapRef": {"name": "map"}, "prefix": "M_"}]), until=10)
    )
    assert {k: found[k] for k in ("M_A", "M_B", "V", "W")} == {
        "M_A": "1",
        "M_B": "2",
        "V": "sesame",
        "W": "<sesame> $(B) $(V)",
    }


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "my-web"},
    "spec": {"clusterIP": "10.96.0.77", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
}


def test_variables_of_the_services_that_were_there_before() -> None:
    found = variables(play(SERVICE, app(env=[{"name": "AT", "value": "$(MY_WEB_SERVICE_HOST)"}]), until=10))
    assert found["AT"] == "10.96.0.77"
    assert {k: v for k, v in found.items() if k.startswith("MY_WEB")} == {
        "MY_WEB_SERVICE_HOST": "10.96.0.77",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_SERVICE_PORT_HTTP": "80",
        "MY_WEB_PORT": "tcp://10.96.0.77:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.0.77:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.0.77",
    }
    without = app()
    without["spec"]["enableServiceLinks"] = False
    assert not any(k.startswith("MY_WEB") for k in variables(play(SERVICE, without, until=10)))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"env": [of("configMapKeyRef", "none", "A")]}, 'configmap "none" not found'),
        ({"env": [of("configMapKeyRef", "map", "Z")]}, "couldn't find key Z in ConfigMap default/map"),
        ({"env": [of("secretKeyRef", "none", "A")]}, 'secret "none" not found'),
        ({"envFrom": [{"secretRef": {"name": "none"}}]}, 'secret "none" not found'),
    ],
)
def test_what_is_missing_keeps_a_container_from_being_made(fields: dict[str, Any], text: str) -> None:
    cluster = play(MAP, app(**fields), until=60)
    assert set(messages(cluster, "Failed")) == {f"Error: {text}"}
    state = cluster.get("Pod", "pod")["status"]["containerStatuses"][0]["state"]
    assert state == {"waiting": {"reason": "CreateContainerConfigError", "message": text}}
    assert cluster.get("Pod", "pod")["status"]["phase"] == "Pending"
    assert not events(cluster, "Created")
    tries = events(cluster, "Failed")
    assert all(10 <= b - a <= 17 for a, b in pairwise(tries[1:]))


def test_what_may_be_missing_does_not() -> None:
    fields = {
        "env": [of("configMapKeyRef", "map", "Z", optional=True)],
        "envFrom": [{"secretRef": {"name": "none", "optional": True}}],
    }
    assert "V" not in variables(play(MAP, app(**fields), until=10))
