"""``selfheal labs doctor``: what the labs need, what is there, and how to mend what is not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from selfheal.labs.api import Api
from selfheal.labs.context import Context, resolve
from selfheal.labs.errors import LabError
from selfheal.labs.tools import run
from selfheal.labs.verbs import NODE_FAULT

ENOUGH = 4.0
"""GiB of memory for a kind cluster of three nodes and what the labs run on it."""
SKEW = 1
"""Minor versions that kubectl may be ahead of or behind the API server (kubernetes.io/releases/version-skew-policy)."""
KUBECTL = "https://kubernetes.io/docs/tasks/tools/"
KIND = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation"
DOCKER = "https://docs.docker.com/get-started/get-docker/"
WITHOUT = "or do without Docker: `selfheal labs up --emulator`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    says: str
    fix: str = ""
    """How to mend it; empty if all is well."""
    needed: bool = True
    """Whether labs cannot run before it is mended."""

    def __str__(self) -> str:
        mark = "✓" if not self.fix else "✕" if self.needed else "–"
        return f"{mark} {self.what:<8} {self.says}" + (f"\n{'':<11}→ {self.fix}" if self.fix else "")


def examine() -> list[Finding]:
    """Look at everything. Asks the cluster only if labs may use it."""
    context, server, cluster = _context()
    own = context is not None and context.sort != "kind" and server != ""  # then no kind is needed
    return [
        _tool("docker", _docker, DOCKER, own),
        _tool("kind", lambda: run("kind", "version", patience=10).strip(), KIND, own),
        _memory(),
        _kubectl(server),
        *cluster,
    ]


def ready(findings: list[Finding]) -> bool:
    """Whether a lab can run now."""
    return not any(f.fix and f.needed for f in findings)


def _tool(name: str, look: Callable[[], str], where: str, own: bool) -> Finding:
    try:
        return Finding(name, look())
    except LabError as error:
        missing = "not on the PATH" in str(error)
        fix = f"install it: {where}" if missing else "start Docker, and see that you may use it (`docker info`)"
        says = "not installed" if missing else str(error)
        return Finding(name, says, f"{fix}; {WITHOUT}" if not own else fix, needed=not own)


def _docker() -> str:
    return "Docker " + run("docker", "version", "--format", "{{.Server.Version}}", patience=20).strip()


def _memory() -> Finding:
    try:
        total = int(run("docker", "info", "--format", "{{.MemTotal}}", patience=20).strip() or 0)
        whose = "for Docker"
    except (LabError, ValueError):
        total, whose = 0, "on this machine"
    if not total and hasattr(os, "sysconf"):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        whose = "on this machine"
    if not total:
        return Finding("memory", "unknown")
    says = f"{total / 2**30:.1f} GiB {whose}"
    if total / 2**30 >= ENOUGH:
        return Finding("memory", says)
    return Finding("memory", says, f"kind needs {ENOUGH:g} GiB: give Docker more, {WITHOUT}", needed=False)


def _kubectl(server: str) -> Finding:
    try:
        told = json.loads(run("kubectl", "version", "--client", "--output", "json", patience=20))
        version = str(told["clientVersion"]["gitVersion"])
    except LabError as error:
        return Finding("kubectl", str(error), f"install it: {KUBECTL}")
    except (ValueError, KeyError):
        return Finding("kubectl", "its version cannot be read", f"install a newer one: {KUBECTL}")
    apart = abs(_minor(version) - _minor(server)) if server else 0
    if apart <= SKEW:
        return Finding("kubectl", version)
    says = f"{version}, {apart} minor versions from the server's {server}"
    return Finding("kubectl", says, f"labs mostly run all the same; one of {server}'s version: {KUBECTL}", needed=False)


def _context() -> tuple[Context | None, str, list[Finding]]:
    """(the context, its server's version, what is to be said of them)."""
    try:
        context = resolve()
    except LabError as error:
        fix = "`selfheal labs up` makes a cluster with kind, `selfheal labs up --emulator` one without Docker"
        return None, "", [Finding("context", str(error).partition(" A lab runs on")[0], fix)]
    found = Finding("context", f"{context.name} ({context.sort}) at {context.server}")
    try:
        api = Api(context)
        version = api.version()
        nodes = api.list("Node")["items"]
    except LabError as error:
        again = "`selfheal labs down`, then `selfheal labs up` again" if context.sort != "named" else "is it running?"
        return context, "", [found, Finding("server", str(error), again)]
    switch = [_switch()] if context.sort == "named" else []
    ready = sum(
        any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"].get("conditions") or ()) for n in nodes
    )
    says = f"Kubernetes {version}, {ready} of {len(nodes)} nodes ready"
    fix = "" if ready == len(nodes) else "`kubectl get nodes`; a lab that was cut off may have stopped one"
    return context, version, [found, Finding("server", says, fix, needed=ready == 0), *switch]


def _switch() -> Finding:
    """How power is cut on a cluster that is neither kind's nor the emulator."""
    hook = os.environ.get(NODE_FAULT)
    if hook:
        return Finding("faults", f"{NODE_FAULT} is `{hook}`")
    fix = f"{NODE_FAULT} names a command that does `stop NODE`, `start NODE` and `kill NODE CONTAINERID SIGNAL`"
    return Finding("faults", "nobody cuts a node's power here", fix, needed=False)


def _minor(version: str) -> int:
    """``v1.36.2`` → 36."""
    parts = version.split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
