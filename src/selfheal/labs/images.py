"""The course's own image on the lab's cluster: built and loaded where that can be done."""

from __future__ import annotations

from pathlib import Path

from selfheal.labs.api import Api
from selfheal.labs.context import KIND
from selfheal.labs.errors import LabError
from selfheal.labs.tools import run

PATIENT = "selfheal/patient:1"
AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"
BUILD = 600.0
"""Seconds that a build may take: it fetches a base image."""


def image(api: Api, name: str = PATIENT, fallback: str = AGNHOST) -> str:
    """``name`` if the cluster's nodes have it, or can be given it; otherwise ``fallback``.

    The emulator has it; into kind's nodes it is loaded, built before if need be. Of any other cluster the nodes are
    asked what they hold.
    """
    sort = api.context.sort
    if sort == "emulator" or _everywhere(api, name):
        return name
    if sort == "kind":
        try:
            _load(name, api.context.name.removeprefix(KIND))
        except LabError:
            return fallback
        return name
    return fallback


def _everywhere(api: Api, name: str) -> bool:
    nodes = [n for n in api.list("Node")["items"] if not (n.get("spec") or {}).get("taints")]
    held = [{one for image in n["status"].get("images") or () for one in image.get("names") or ()} for n in nodes]
    return bool(held) and all(name in names or f"docker.io/{name}" in names for names in held)


def _load(name: str, cluster: str) -> None:
    """Raises LabError if docker or kind cannot."""
    source = Path(__file__).parents[2]
    if not run("docker", "image", "ls", "--quiet", name, patience=30).strip():
        if name != PATIENT:
            raise LabError(f"only {PATIENT} can be built here")
        dockerfile = str(source / "selfheal" / "patient" / "Dockerfile")
        run("docker", "build", "--quiet", "--file", dockerfile, "--tag", name, str(source), patience=BUILD)
    run("kind", "load", "docker-image", name, "--name", cluster, patience=BUILD)
