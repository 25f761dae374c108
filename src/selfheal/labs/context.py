"""Which cluster a lab runs on: decided once, before any request, and then held.

A lab breaks things, so it never runs on a cluster merely because it is the current one. It takes

* ``kind-*``, if its server is on a loopback address of this machine;
* ``selfheal``, the emulator's own context, likewise;
* any other only if ``LAB_CONTEXT`` names it.

The choice is *pinned*: a private kubeconfig that holds this one context becomes ``KUBECONFIG`` of the process and of
its children, so that neither a later ``kubectl config use-context`` nor another shell can move a running lab.
Files are read as kubectl reads them (staging/src/k8s.io/client-go/tools/clientcmd/loader.go): of several, the first
that has a name wins, and paths are relative to their file.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from selfheal.labs.errors import LabError, Unsafe

EMULATOR = "selfheal"
"""The context of ``selfheal up``."""
KIND = "kind-"
"""How the names of kind's contexts begin."""
NAMED = "LAB_CONTEXT"
"""The variable that names a context, and so allows it."""
_FILES = ("client-certificate", "client-key", "certificate-authority", "tokenFile")


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster that a lab may use."""

    name: str
    server: str
    sort: str
    """``kind``, ``emulator`` or ``named``."""
    config: dict[str, Any] = field(repr=False)
    """A kubeconfig that knows this context alone."""

    def __str__(self) -> str:
        return f"context {self.name} at {self.server}"


def resolve(environ: Mapping[str, str] | None = None) -> Context:
    """The context that a lab may use. Reads files and sends nothing. Raises :class:`Unsafe` and LabError."""
    environ = os.environ if environ is None else environ
    files = _files(environ)
    config = _merged(files)
    named = environ.get(NAMED, "")
    name = named or config["current-context"]
    if not name:
        raise LabError(f"no cluster: there is no current context in {_told(files)}. {WAYS}")
    context = config["contexts"].get(name)
    if context is None:
        known = ", ".join(config["contexts"]) or "none"
        raise LabError(f'there is no context "{name}" in {_told(files)}; there are: {known}. {WAYS}')
    cluster = config["clusters"].get(context.get("cluster"))
    if cluster is None or not isinstance(cluster.get("server"), str):
        raise LabError(f'context "{name}" names no cluster with a server. {WAYS}')
    server = cluster["server"]
    sort = "named" if named else _sort(name)
    if sort == "named" and not named:
        raise Unsafe(
            f'the current context is "{name}" at {server}, and no lab touches a cluster that is not its own. '
            f"No request was made. {WAYS}"
        )
    if sort != "named" and not (on_loopback(server) and not cluster.get("proxy-url")):
        raise Unsafe(
            f'context "{name}" sounds like a cluster on this machine, but its server is {server}'
            f"{' behind a proxy' if cluster.get('proxy-url') else ''}. No request was made. {WAYS}"
        )
    if sort == "named" and on_loopback(server):
        sort = _sort(name)
    user = config["users"].get(context.get("user")) or {}
    return Context(name, server, sort, _alone(name, cluster, user))


WAYS = (
    "A lab runs on a cluster of its own: `selfheal labs up` makes one with kind, `selfheal labs up --emulator` one "
    f"without Docker. For another cluster that may be broken, name its context: {NAMED}=…"
)


def on_loopback(server: str) -> bool:
    """Whether a server's address can only be this machine's."""
    try:
        host = urlsplit(server).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _sort(name: str) -> str:
    if name == EMULATOR:
        return "emulator"
    return "kind" if name.startswith(KIND) else "named"


# ---- reading


def state() -> Path:
    """Where ``selfheal labs up --emulator`` keeps its kubeconfig and its process id."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "selfheal"


def _files(environ: Mapping[str, str]) -> list[Path]:
    listed = [Path(path) for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if listed:
        return listed
    own = state() / "kubeconfig"
    if own.exists() and not environ.get(NAMED):  # it lies there for as long as the emulator runs
        return [own]
    return [Path.home() / ".kube" / "config"]


def _merged(files: list[Path]) -> dict[str, Any]:
    out: dict[str, Any] = {"current-context": "", "contexts": {}, "clusters": {}, "users": {}}
    for path in files:
        try:
            read = yaml.safe_load(path.read_text("utf-8")) or {}
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise LabError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
        if not isinstance(read, dict):
            raise LabError(f"{path} is no kubeconfig")
        out["current-context"] = out["current-context"] or str(read.get("current-context") or "")
        for key, one in (("contexts", "context"), ("clusters", "cluster"), ("users", "user")):
            for name, value in _entries(read, key, one):
                out[key].setdefault(name, _absolute(value, path.parent.absolute()))
    return out


def _entries(read: Mapping[str, Any], key: str, one: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in read.get(key) or ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get(one), dict):
            yield entry["name"], entry[one]


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    out = dict(entry)
    for key in _FILES:
        if isinstance(out.get(key), str) and out[key]:
            out[key] = str(folder / out[key])
    plugin = out.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command", "")):
        out["exec"] = {**plugin, "command": str(folder / plugin["command"])}
    return out


def _alone(name: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": dict(cluster)}],
        "users": [{"name": name, "user": dict(user)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _told(files: list[Path]) -> str:
    return ", ".join(map(str, files))


# ---- holding on to it


class Pin:
    """The context of this process: resolved by the first who asks, the same for all after."""

    def __init__(self) -> None:
        self._context: Context | None = None
        self._folder: Path | None = None
        self._owner = 0
        self._before: str | None = None

    def context(self) -> Context:
        """The context, pinned. Raises what :func:`resolve` raises."""
        if self._context is None:
            context = resolve()
            self._write(context)
            self._context = context
        return self._context

    def release(self) -> None:
        """Take the private kubeconfig away."""
        folder, self._folder = self._folder, None
        if folder is None or os.getpid() != self._owner:  # a forked child leaves it to its parent
            return
        self._context = None
        shutil.rmtree(folder, ignore_errors=True)
        if self._before is None:
            os.environ.pop("KUBECONFIG", None)
        else:
            os.environ["KUBECONFIG"] = self._before

    def _write(self, context: Context) -> None:
        self._folder, self._owner = Path(tempfile.mkdtemp(prefix="selfheal-lab-")), os.getpid()
        path = self._folder / "kubeconfig"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - with its mode
            json.dump(context.config, file)  # JSON is YAML
        self._before = os.environ.get("KUBECONFIG")
        os.environ["KUBECONFIG"] = str(path)
        atexit.register(self.release)


PIN = Pin()
