"""Where a container finds its pod's volumes, and its /etc/hosts (pkg/kubelet/kubelet_pods.go makeMounts).

A volume is a directory (or, from the host, a file) that all containers of its pod share and that lives as long as the
pod. What is the host's own lives as long as the node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from selfheal.kubelet.fieldpath import ConfigError
from selfheal.objects import Object, name, uid
from selfheal.probes.exec import expand
from selfheal.programs.filesystem import Directory, File, FileError, Filesystem, Node
from selfheal.spec import Container

POD_VOLUME = re.compile(r"/var/lib/kubelet/pods/([^/]+)/volumes/[^/]+/([^/]+)/?")
"""Where a kubelet keeps the volumes of its pods, on its host."""

MANAGED = "# Kubernetes-managed hosts file.\n"
MANAGED_ON_HOST = "# Kubernetes-managed hosts file (host network).\n"
LOCAL = (
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
)


class Mounted(NamedTuple):
    """What is mounted into a container."""

    nodes: dict[str, Node]
    """By path."""
    read_only: list[str]
    """Paths where it may change nothing."""


class Mounts:
    """The volumes of one node's pods."""

    def __init__(self, host: Filesystem) -> None:
        self.host = host
        self.volumes: dict[str, dict[str, Node]] = {}
        """Pod's uid → volume → what it shows. An emptyDir comes with the first container that mounts it."""

    def add(self, pod_uid: str, volumes: Mapping[str, Node]) -> None:
        """These volumes of a pod show what they have to show."""
        self.volumes.setdefault(pod_uid, {}).update(volumes)

    def forget(self, pod_uid: str) -> None:
        """The pod is gone, and its volumes with it."""
        self.volumes.pop(pod_uid, None)

    def of(self, pod: Object, c: Container, env: Mapping[str, str]) -> Mounted:
        """What a container mounts. Raises ConfigError."""
        held, out = self.volumes.setdefault(uid(pod), {}), Mounted({}, [])
        for mount in c.volume_mounts:
            node = held.setdefault(mount["name"], Directory())
            path = mount["mountPath"]
            if mount.get("subPathExpr"):
                node = _below(node, _expanded(mount["subPathExpr"], env))
            elif mount.get("subPath"):
                node = _below(node, mount["subPath"])
            out.nodes[path] = node
            if mount.get("readOnly"):
                out.read_only.append(path)
        return out

    def hosts(self, pod: Object, ip: str) -> str:
        """The /etc/hosts of a pod's containers, as the kubelet writes it (ensureHostsFile)."""
        spec = pod["spec"]
        if spec.get("hostNetwork"):
            text = MANAGED_ON_HOST + self.host.read("/etc/hosts")
        else:
            full = called = spec.get("hostname") or name(pod)[:63].rstrip("-.")
            if spec.get("hostname") and spec.get("subdomain"):
                full = f"{called}.{spec['subdomain']}.{pod['metadata']['namespace']}.svc.cluster.local\t{called}"
            text = f"{MANAGED}{LOCAL}{ip}\t{full}\n"
        aliases = spec.get("hostAliases") or ()
        lines = ["\t".join([alias["ip"], *(alias.get("hostnames") or ())]) for alias in aliases]
        return text + ("\n# Entries added by HostAliases.\n" + "\n".join(lines) + "\n" if lines else "")

    def on_host(self, path: str, kind: str) -> Node:
        """What a hostPath volume shows. Raises ConfigError (pkg/volume/hostpath/host_path.go)."""
        found = POD_VOLUME.fullmatch(path)
        if found is not None and found[1] in self.volumes:
            return self.volumes[found[1]].setdefault(found[2], Directory())
        node = self.host.node(path)
        try:
            if node is None and kind in ("", "DirectoryOrCreate"):
                self.host.mkdir(path, parents=True)
            elif node is None and kind == "FileOrCreate":
                self.host.touch(path)
        except FileError as error:
            raise ConfigError(f"mkdir {path}: {str(error).lower()}") from None
        node = self.host.node(path)
        wanted = {"Directory": Directory, "DirectoryOrCreate": Directory, "File": File, "FileOrCreate": File}
        if kind and not isinstance(node, wanted.get(kind, ())):
            raise ConfigError(f"hostPath type check failed: {path} is not {KINDS.get(kind, 'a ' + kind.lower())}")
        assert node is not None
        return node


KINDS = {
    "Directory": "a directory",
    "DirectoryOrCreate": "a directory",
    "File": "a file",
    "FileOrCreate": "a file",
    "Socket": "a socket file",
    "CharDevice": "a character device",
    "BlockDevice": "a block device",
}


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """A subPathExpr with its variables replaced (container/helpers.go ExpandContainerVolumeMounts)."""
    for wanted in re.findall(r"(?<!\$)\$\(([^)]*)\)", text):
        if not env.get(wanted):
            raise ConfigError(f'missing value for "{wanted}"')
    return expand(text, env)


def _below(node: Node, path: str) -> Node:
    """The part of a volume that a subPath means, made if it is not there. Raises ConfigError."""
    if path.startswith("/"):
        raise ConfigError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise ConfigError(f"unable to provision SubPath `{path}`: must not contain '..'")
    if not isinstance(node, Directory):
        raise ConfigError(f"failed to create subPath directory for volumeMount: {path}")
    for part in [part for part in path.split("/") if part not in ("", ".")]:
        if not isinstance(node, Directory):
            raise ConfigError(f"failed to create subPath directory for volumeMount: {path}")
        node = node.entries.setdefault(part, Directory())
    return node
