"""As whom the processes of a container run, and what that lets them do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from selfheal.spec import Security

ROOT = "root"

NAMES = {0: ROOT, 1: "daemon", 2: "bin", 3: "sys", 8: "mail", 33: "www-data", 37: "operator", 65534: "nobody"}
"""busybox's /etc/passwd, where each user's group has the user's own number (but for ``sync``, which nobody needs)."""

FILTERED = ("RuntimeDefault", "Localhost")
"""Seccomp profiles that forbid something."""


class User(NamedTuple):
    """Numbers of a user, its group, and all its groups."""

    uid: int
    gid: int
    groups: tuple[int, ...]

    @property
    def name(self) -> str:
        """Empty if the image knows none."""
        return NAMES.get(self.uid, "")

    def __str__(self) -> str:
        """As ``id`` shows it."""
        return f"uid={_named(self.uid)} gid={_named(self.gid)} groups={','.join(map(_named, self.groups))}"


NOBODY_ELSE = User(0, 0, (0,))
"""Root, as in most containers."""


def user(security: Security, own: int, members: Mapping[int, tuple[int, ...]]) -> User:
    """Who runs a container; ``own``: the user of its image, ``members``: groups that a user has there.

    A user without a group has that of /etc/passwd, or else root's (containerd's oci.WithUserID).
    """
    uid = own if security.run_as_user is None else security.run_as_user
    gid = security.run_as_group
    if gid is None:
        gid = uid if uid in NAMES or uid in members else 0
    return User(uid, gid, tuple(dict.fromkeys((gid, *members.get(uid, ()), *security.groups))))


def status(security: Security, who: User, name: str, pid: int) -> str:
    """``/proc/self/status``, as far as anybody reads it."""
    ids = "\t".join([str(who.uid)] * 4)
    groups = "\t".join([str(who.gid)] * 4)
    seccomp = 2 if security.seccomp in FILTERED and not security.privileged else 0
    return (
        f"Name:\t{name}\nState:\tR (running)\nPid:\t{pid}\nUid:\t{ids}\nGid:\t{groups}\n"
        f"Groups:\t{' '.join(map(str, who.groups))} \nSeccomp:\t{seccomp}\nSeccomp_filters:\t{seccomp // 2}\n"
    )


def breaks_non_root(security: Security, own: int) -> str | None:
    """Why a container that must not run as root would, None if it does not.

    pkg/kubelet/kuberuntime/security_context.go verifyRunAsNonRoot
    """
    if not security.run_as_non_root:
        return None
    if security.run_as_user == 0:
        return "container's runAsUser breaks non-root policy"
    if security.run_as_user is None and own == 0:
        return "container has runAsNonRoot and image will run as root"
    return None


def _named(number: int) -> str:
    return f"{number}({NAMES[number]})" if number in NAMES else str(number)
