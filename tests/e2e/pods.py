"""Pods of the specs, and what one does with them: run them to readiness or to their end, read logs, run commands."""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.parse import urlencode

import websocket

from tests.e2e.api import AGNHOST, BUSYBOX, Client, Object

START = 300.0
"""Seconds that a pod may take to start (framework/timeouts.go PodStart)."""


def container(name: str = "test-container", *command: str, image: str = BUSYBOX, **fields: Any) -> Object:
    """A container; ``command`` is its whole command line."""
    return {"name": name, "image": image, **({"command": list(command)} if command else {}), **fields}


def sh(name: str, script: str, **fields: Any) -> Object:
    """A container whose shell runs a script."""
    return container(name, "/bin/sh", "-c", script, **fields)


def agnhost(name: str, *args: str, **fields: Any) -> Object:
    """A container that runs a subcommand of agnhost (``pause`` if none is named)."""
    return {"name": name, "image": AGNHOST, "args": list(args or ("pause",)), **fields}


def pod(name: str, *containers: Object, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    meta: Object = {"name": name, **({"labels": labels} if labels else {})}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": list(containers), **spec}}


def phase(e2e: Client, name: str) -> str:
    return str(e2e.get("Pod", name)["status"]["phase"])


def condition(pod: Object, kind: str) -> Object:
    """A condition of a pod; empty if it has none."""
    return next((c for c in pod["status"].get("conditions") or () if c["type"] == kind), {})


def ready(pod: Object) -> bool:
    return pod["status"]["phase"] == "Running" and condition(pod, "Ready").get("status") == "True"


def status(pod: Object, name: str) -> Object:
    """The status of one container, whatever sort it is of; empty if there is none yet."""
    groups = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    every = [s for group in groups for s in pod["status"].get(group) or ()]
    return next((s for s in every if s["name"] == name), {})


def waits_for(e2e: Client, name: str) -> str:
    """The reason for which a pod's first container waits; empty if it does not."""
    statuses = e2e.get("Pod", name)["status"].get("containerStatuses")
    return str(statuses[0]["state"].get("waiting", {}).get("reason", "")) if statuses else ""


def run(e2e: Client, made: Object) -> Object:
    """Create a pod and wait until it is ready (PodClient.CreateSync)."""
    e2e.create(made)
    name = made["metadata"]["name"]
    e2e.wait(lambda: ready(e2e.get("Pod", name)), START)
    return e2e.get("Pod", name)


def running(e2e: Client, made: Object) -> Object:
    """Create a pod and wait until its phase is Running."""
    e2e.create(made)
    name = made["metadata"]["name"]
    e2e.wait(lambda: phase(e2e, name) == "Running", START)
    return e2e.get("Pod", name)


def ended(e2e: Client, made: Object, wanted: str = "Succeeded") -> Object:
    """Create a pod and wait until it has ended."""
    e2e.create(made)
    name = made["metadata"]["name"]
    e2e.wait(lambda: phase(e2e, name) in ("Succeeded", "Failed"), START)
    found = e2e.get("Pod", name)
    assert found["status"]["phase"] == wanted, found["status"]
    return found


def output(e2e: Client, made: Object) -> str:
    """What a pod's first container says until it succeeds (TestContainerOutput)."""
    ended(e2e, made)
    return logs(e2e, made["metadata"]["name"])


def logs(e2e: Client, name: str, container: str = "", **query: Any) -> str:
    wanted = container or e2e.get("Pod", name)["spec"]["containers"][0]["name"]
    connection = e2e.raw("GET", e2e.path("Pod", name, "log"), container=wanted, **query)
    return connection.decode()


def delete(e2e: Client, name: str, grace: int | None = None, limit: float = START) -> None:
    """Delete a pod and wait until it is gone (PodClient.DeleteSync)."""
    e2e.delete("Pod", name, **({} if grace is None else {"gracePeriodSeconds": grace}))
    e2e.wait(lambda: not e2e.there("Pod", name), limit)


class Failed(Exception):
    """A command in a container that did not succeed."""


def shell(e2e: Client, name: str, script: str, container: str = "") -> str:
    """Run a script in a pod; what it says. Raises Failed."""
    return execute(e2e, name, "/bin/sh", "-c", script, container=container)


def execute(e2e: Client, name: str, *command: str, container: str = "") -> str:
    """Run a command in a pod, over a websocket, as client-go does; what it says. Raises Failed."""
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    out, problem = "", ""
    for channel, text in frames(e2e, f"{e2e.path('Pod', name, 'exec')}?{urlencode(query)}", "v5.channel.k8s.io"):
        if channel == 1:
            out += text
        elif channel == 3:
            problem = text
    found = json.loads(problem)
    if found["status"] != "Success":
        raise Failed(found["message"])
    return out


def frames(e2e: Client, path: str, protocol: str) -> list[tuple[int, str]]:
    """All that comes over a websocket until its end: (channel, text)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = e2e.emulator.address.replace("https", "wss")
    header = [f"Authorization: Bearer {e2e.emulator.token}"]
    connection = websocket.create_connection(
        address + path, subprotocols=[protocol], header=header, sslopt={"context": context}, timeout=20
    )
    found = []
    try:
        while True:
            kind, data = connection.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return found
            if protocol.startswith("binary"):
                found.append((1, data.decode()))
            elif data:
                found.append((data[0], data[1:].decode()))
    finally:
        connection.shutdown()


def events(e2e: Client, pod: Object | str, *reasons: str) -> list[Object]:
    """The events of a pod, of some reasons or of all."""
    name = pod if isinstance(pod, str) else pod["metadata"]["name"]
    found = e2e.list("Event", fieldSelector=f"involvedObject.kind=Pod,involvedObject.name={name}")
    return [e for e in found if not reasons or e["reason"] in reasons]
