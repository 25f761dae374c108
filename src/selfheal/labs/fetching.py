"""Images on a cluster's nodes before a run, so that no pull shifts what is timed. The emulator has them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from selfheal.labs.api import Api
from selfheal.labs.namespaces import Namespace
from selfheal.objects import Object
from selfheal.scenario import Scenario

PATIENCE = 600.0
"""Seconds that all pulls may take; a lab goes on without after that."""
NOBODY = (".example", ".invalid", ".test")
"""Registries that are not there, for labs about pulls that fail."""
COMING = {"ContainerCreating", "PodInitializing"}
"""Reasons of a container whose image may still come."""
_FETCHED: set[tuple[str, str, str]] = set()
"""(Server, node, image): a node's list is some seconds late."""


def fetch(api: Api, scenario: Scenario, say: Callable[[str], object]) -> None:
    """Have each node pull what it lacks, by a pod of its own in a namespace that goes again. Raises LabError."""
    if api.context.sort == "emulator":
        return
    wanted = dict.fromkeys(_images((*scenario.manifests, *(m for a in scenario.actions for m in a.manifests))))
    lacks = {node: [image for image in wanted if image not in held] for node, held in _nodes(api)}
    lacks = {node: images for node, images in lacks.items() if images}
    if not lacks:
        return
    say(f"Fetching {', '.join(dict.fromkeys(i for images in lacks.values() for i in images))}; this is done once.")
    namespace = Namespace.make(api, "images")
    try:
        namespace.furnished()
        for node, images in lacks.items():
            api.create(_pod(node, images), namespace.name)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not all(map(_settled, api.list("Pod", namespace.name)["items"])):
            time.sleep(0.5)
    finally:
        namespace.remove()
    _FETCHED.update((api.context.server, node, image) for node, images in lacks.items() for image in images)


def _nodes(api: Api) -> Iterator[tuple[str, set[str]]]:
    """(name, images) of those on which a lab's pods may come to lie."""
    for node in api.list("Node")["items"]:
        spec, name = node.get("spec") or {}, node["metadata"]["name"]
        conditions = {c["type"]: c["status"] for c in node["status"].get("conditions") or ()}
        if spec.get("unschedulable") or spec.get("taints") or conditions.get("Ready") != "True":
            continue
        held = {short(one) for image in node["status"].get("images") or () for one in image.get("names") or ()}
        yield name, held | {image for server, at, image in _FETCHED if (server, at) == (api.context.server, name)}


def _images(manifests: tuple[Object, ...]) -> Iterator[str]:
    for manifest in manifests:
        spec = manifest.get("spec") or {}
        spec = ((spec.get("jobTemplate") or {}).get("spec") or spec).get("template", {}).get("spec") or spec
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
            image = short(container.get("image") or "")
            host = image.partition("/")[0].partition(":")[0]
            if image and container.get("imagePullPolicy") != "Never" and not host.endswith(NOBODY):
                yield image


def short(image: str) -> str:
    """``docker.io/library/busybox:1.36`` → ``busybox:1.36``, ``nginx`` → ``nginx:latest``."""
    image = image.removeprefix("docker.io/").removeprefix("library/")
    return image if not image or "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"


def _pod(node: str, images: list[str]) -> Object:
    containers: list[dict[str, Any]] = [
        {"name": f"image-{n}", "image": image, "command": ["true"], "imagePullPolicy": "IfNotPresent"}
        for n, image in enumerate(images)
    ]
    spec = {"nodeName": node, "restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": containers}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "image-"}, "spec": spec}


def _settled(pod: Object) -> bool:
    """Whether each image has been pulled, or cannot be."""
    statuses = pod["status"].get("containerStatuses") or ()
    waiting = [(s["state"].get("waiting") or {}).get("reason") for s in statuses]
    return bool(waiting) and not COMING.intersection(waiting)
