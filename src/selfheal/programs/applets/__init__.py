"""busybox's commands, each a program. :data:`APPLETS` has them by name."""

from selfheal.programs.applets import (
    awk,
    dd,
    files,
    finding,
    identity,
    lines,
    listing,
    nc,
    network,
    numbers,
    processes,
    sed,
    system,
    tar,
    text,
)
from selfheal.programs.applets.registry import APPLETS, never_waits

__all__ = [
    "APPLETS",
    "awk",
    "dd",
    "files",
    "finding",
    "identity",
    "lines",
    "listing",
    "nc",
    "network",
    "never_waits",
    "numbers",
    "processes",
    "sed",
    "system",
    "tar",
    "text",
]
