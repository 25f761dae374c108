"""id, whoami, ip: who a process is, and what it may not."""

from __future__ import annotations

from selfheal.programs.applets.registry import applet, options, usage
from selfheal.programs.process import Process
from selfheal.programs.users import NAMES


@applet("id", usage="[-ugGnr] [USER]")
def id_(p: Process) -> int:
    given, who = options(p, "ugGnr"), p.kernel.user
    wanted = [who.uid] if "u" in given else [who.gid] if "g" in given else who.groups
    if "u" not in given and "g" not in given and "G" not in given:
        p.log(str(who))
    elif "n" in given:
        p.log(" ".join(NAMES.get(number, str(number)) for number in wanted))
    else:
        p.log(" ".join(map(str, wanted)))
    return 0


@applet("whoami", "logname")
def whoami(p: Process) -> int:
    who = p.kernel.user
    if not who.name:
        return p.fail(f"unknown uid {who.uid}")
    p.log(who.name)
    return 0


@applet("ip", usage="[OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]")
def ip(p: Process) -> int:
    """The pod's own interface; who wants another needs the right to make one."""
    words = p.argv[1:]
    if not words:
        raise usage(p)
    what, verb = words[0], words[1] if len(words) > 1 else "show"
    if verb not in ("show", "list", "s", "l"):
        if p.kernel.spec.security.privileged and p.kernel.user.uid == 0:
            return 0
        return p.fail("RTNETLINK answers: Operation not permitted")
    p.log("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000")
    p.log("    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00")
    if "address".startswith(what):
        p.log("    inet 127.0.0.1/8 scope host lo")
    p.log("2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue ")
    if "address".startswith(what):
        p.log(f"    inet {p.kernel.interface.ip}/24 scope global eth0")
    return 0
