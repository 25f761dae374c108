"""busybox's commands, each a program. :data:`APPLETS` has them by name."""

from selfheal.programs.applets import files, finding, network, processes, system, text
from selfheal.programs.applets.registry import APPLETS, never_waits

__all__ = ["APPLETS", "files", "finding", "network", "never_waits", "processes", "system", "text"]
