"""Images by name: what lies in them and what they run.

A name is matched without its registry's host, tag and digest, so that ``busybox:1.36``,
``docker.io/library/busybox`` and ``registry.k8s.io/busybox`` are one. Every image but ``pause``
has busybox's shell and commands. A name that nobody claims is a plain server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from selfheal.programs import agnhost, plain
from selfheal.programs.curl import curl
from selfheal.programs.filesystem import Device, Directory, Executable, File, Link, Node
from selfheal.programs.patient import patient
from selfheal.programs.process import Process, Program, Running

if TYPE_CHECKING:
    from selfheal import spec

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@lru_cache(maxsize=1)
def applets() -> Mapping[str, Node]:
    """What busybox puts into /bin. A shell and its commands are much to import, and not every cluster runs one."""
    from selfheal.programs.applets import APPLETS, never_waits

    return {name: Executable(program, quick=never_waits(program)) for name, program in sorted(APPLETS.items())}


@dataclass(frozen=True)
class Image:
    """What a container starts from."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    programs: Mapping[str, Program] = field(default_factory=dict)
    """By absolute path."""
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    workdir: str = "/"
    stop_signal: str = "TERM"
    shell: bool = True
    user: int = 0
    """Who runs it, unless its container says otherwise."""
    members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """User → groups it has in /etc/group besides its own."""

    def root(self, hostname: str, ip: str, namespace: str, hosts: str | None = None) -> Directory:
        """The file tree of a new container: the image's own, but for what names the pod."""
        root = self._tree.copy()
        etc = root.entries["etc"]
        assert isinstance(etc, Directory)
        root.entries["etc"] = Directory(
            lambda: {
                **etc.entries,
                "hostname": hostname + "\n",
                "hosts": f"127.0.0.1\tlocalhost\n::1\tlocalhost\n{ip}\t{hostname}\n" if hosts is None else hosts,
                "resolv.conf": f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local\n"
                "nameserver 10.96.0.10\noptions ndots:5\n",
            }
        )
        return root

    @cached_property
    def _tree(self) -> Directory:
        """What all its containers share."""
        root = Directory(
            {
                "bin": Directory(applets if self.shell else None),
                "dev": Directory(DEVICES),
                "etc": Directory(),
                "home": Directory(),
                "proc": Directory(
                    lambda: {
                        "1": Directory({"fd": Directory(FIRST)}),
                        "self": Directory({"fd": Directory(OWN), "status": Device("status")}),
                    }
                ),
                "root": Directory(mode=0o700),
                "sbin": Directory(),
                "tmp": Directory(mode=0o1777),
                "usr": Directory(
                    lambda: {"bin": Directory(), "sbin": Directory(), "local": Directory({"bin": Directory()})}
                ),
                "var": Directory(lambda: {"log": Directory(), "run": Link("/run")}),
                "run": Directory(),
            }
        )
        nodes: dict[str, Node] = {path: Executable(program) for path, program in self.programs.items()}
        nodes.update((path, File(text)) for path, text in self.files.items())
        for path, node in nodes.items():
            *parents, name = path.strip("/").split("/")
            directory = root
            for parent in parents:
                inner = directory.entries.setdefault(parent, Directory())
                assert isinstance(inner, Directory)
                directory = inner
            directory.entries[name] = node
        root.share()
        return root


OWN: Mapping[str, Node] = {"0": Device("stdin"), "1": Device("stdout"), "2": Device("stderr")}
FIRST: Mapping[str, Node] = {"0": Device("null"), "1": Device("log"), "2": Device("log")}
DEVICES: Mapping[str, Node] = {
    "null": Device("null"),
    "zero": Device("zero"),
    "full": Device("full"),
    "random": Device("random"),
    "urandom": Device("random"),
    "stdin": Device("stdin"),
    "stdout": Device("stdout"),
    "stderr": Device("stderr"),
    "fd": Link("/proc/self/fd"),
}

BUSYBOX = Image(cmd=("sh",))
NGINX = Image(
    cmd=("nginx", "-g", "daemon off;"),
    programs={"/usr/sbin/nginx": plain.nginx},
    files={
        "/usr/share/nginx/html/index.html": "<!DOCTYPE html>\n<html>\n"
        "<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n</body>\n</html>\n"
    },
    stop_signal="QUIT",
)
HTTPD = Image(
    cmd=("httpd-foreground",),
    programs={"/usr/local/bin/httpd-foreground": plain.httpd},
    files={"/usr/local/apache2/htdocs/index.html": "<html><body><h1>It works!</h1></body></html>\n"},
    stop_signal="WINCH",
)
PLAIN = Image(entrypoint=("/server",), programs={"/server": plain.server})


def bash(c: Process) -> Running:
    """Close enough to busybox's shell."""
    from selfheal.programs.shell.sh import sh

    return (yield from sh(c))


AGNHOST: Mapping[str, Program] = {
    "/agnhost": agnhost.agnhost,
    "/agnhost-2": agnhost.agnhost,
    "/bin/bash": bash,
    "/usr/bin/curl": curl,
}

GO: tuple[Program, ...] = (agnhost.agnhost,)
"""Programs that Go has compiled, so that process 1 too ends at a signal that it has not asked for."""

IMAGES: Mapping[str, Image] = {
    "busybox": BUSYBOX,
    "alpine": Image(cmd=("/bin/sh",)),
    "agnhost": Image(entrypoint=("/agnhost",), cmd=("pause",), programs=AGNHOST, members={1000: (50000,)}),
    "httpd": HTTPD,
    "liveness": Image(entrypoint=("/agnhost", "liveness"), programs=AGNHOST),
    "nginx": NGINX,
    "nginx-slim": NGINX,
    "nonroot": Image(user=1234),
    "pause": Image(entrypoint=("/pause",), programs={"/pause": plain.pause}, shell=False),
    "selfheal/patient": Image(entrypoint=("/patient",), programs={"/patient": patient}),
}
"""By the last part of the name, or by its last two."""

OFFICIAL = ("library", "e2e-test-images", "kubernetes", "sig-storage", "google-samples", "")
"""Repositories whose images are what their last name says."""


@lru_cache(maxsize=1024)
def find(name: str) -> Image | None:
    """The image of that name, or None if no program stands for it."""
    parts = name.partition("@")[0].split("/")
    parts[-1] = parts[-1].partition(":")[0]
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        del parts[0]
    if "/".join(parts[-2:]) in IMAGES and len(parts) > 1:
        return IMAGES["/".join(parts[-2:])]
    repository = "/".join(parts[:-1])
    return IMAGES.get(parts[-1]) if repository in OFFICIAL else None


def image(of: spec.Container) -> Image:
    """What a container starts from. If nobody claims its image, a plain server, whatever else it is told to run."""
    return find(of.image) or PLAIN
