"""The containers of a pod or of a pod template, each with what it is and, in a pod, how it fares."""

from __future__ import annotations

from selfheal.printers import amounts
from selfheal.printers.describe import env, probes
from selfheal.printers.describe.writer import Writer
from selfheal.printers.duration import rfc1123
from selfheal.printers.fields import Fields, at, items, mapping, number, strings, text, title_bool, true


def containers(
    w: Writer, title: str, specs: list[Fields], statuses: list[Fields], pod: Fields | None, indent: str = ""
) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go describeContainers)

    ``pod`` resolves what the environment takes from the pod's fields; a template has none.
    """
    by_name = {text(status, "name"): status for status in statuses}
    w.line(f"{indent}{title}:" + ("" if specs else " <none>"))
    for spec in specs:
        status = by_name.get(text(spec, "name"))
        w.line(f"{indent[:1]}{text(spec, 'name')}:", level=1)
        _identity(w, spec, status)
        _lines(w, "Command", strings(spec, "command"))
        _lines(w, "Args", strings(spec, "args"))
        if status is not None:
            _states(w, status)
        resources(w, mapping(spec, "resources"), level=2)
        for kind in ("liveness", "readiness", "startup"):
            probe = at(spec, f"{kind}Probe")
            if probe is not None:
                w.field(kind.capitalize(), probes.line(probe), level=2)
        env.sources(w, spec)
        env.variables(w, spec, pod)
        _mounts(w, spec)


def _identity(w: Writer, spec: Fields, status: Fields | None) -> None:
    if status is not None:
        w.field("Container ID", text(status, "containerID"), level=2)
    w.field("Image", text(spec, "image"), level=2)
    if status is not None:
        w.field("Image ID", text(status, "imageID"), level=2)
    for title, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        ports = [_port(port, field) for port in items(spec, "ports")]
        w.field(title + ("s" if len(ports) > 1 else ""), ", ".join(ports) or "<none>", level=2)
    profile = at(spec, "securityContext.seccompProfile")
    if profile is not None:
        w.field("SeccompProfile", text(profile, "type"), level=2)
        if text(profile, "type") == "Localhost":
            w.field("LocalhostProfile", text(profile, "localhostProfile"), level=3)


def _port(port: Fields, field: str) -> str:
    name = text(port, "name")
    return f"{number(port, field)}/{text(port, 'protocol')}" + (f" ({name})" if name else "")


def _lines(w: Writer, title: str, words: list[str]) -> None:
    if words:
        w.line(f"{title}:", level=2)
    for word in words:
        for part in word.split("\n"):
            w.line(part, level=3)


def _states(w: Writer, status: Fields) -> None:
    _state(w, "State", mapping(status, "state"))
    if at(status, "lastState.terminated") is not None:
        _state(w, "Last State", mapping(status, "lastState"))
    w.field("Ready", title_bool(true(status, "ready")), level=2)
    w.field("Restart Count", number(status, "restartCount"), level=2)


def _state(w: Writer, title: str, state: Fields) -> None:
    """Of a waiting container the reason is told, not the message (describe.go describeStatus)."""
    running, waiting, terminated = at(state, "running"), at(state, "waiting"), at(state, "terminated")
    if running is not None:
        w.field(title, "Running", level=2)
        w.field("Started", rfc1123(at(running, "startedAt")), level=3)
    elif waiting is not None or terminated is None:
        w.field(title, "Waiting", level=2)
        if reason := text(waiting, "reason"):
            w.field("Reason", reason, level=3)
    else:
        w.field(title, "Terminated", level=2)
        for name in ("reason", "message"):
            if value := text(terminated, name):
                w.field(name.capitalize(), value, level=3)
        w.field("Exit Code", number(terminated, "exitCode"), level=3)
        if signal := number(terminated, "signal"):
            w.field("Signal", signal, level=3)
        w.field("Started", rfc1123(at(terminated, "startedAt")), level=3)
        w.field("Finished", rfc1123(at(terminated, "finishedAt")), level=3)


def resources(w: Writer, of: Fields, level: int) -> None:
    """Limits and requests, sorted by resource."""
    for title in ("Limits", "Requests"):
        listed = mapping(of, title.lower())
        if listed:
            w.line(f"{title}:", level)
        for name in sorted(listed):
            w.field(name, amounts.canonical(listed[name]), level + 1)


def _mounts(w: Writer, spec: Fields) -> None:
    mounts = items(spec, "volumeMounts")
    none = "" if mounts else "\t<none>"
    w.line(f"Mounts:{none}", level=2)
    for mount in sorted(mounts, key=lambda mount: text(mount, "mountPath")):
        flags = "ro" if true(mount, "readOnly") else "rw"
        if sub_path := text(mount, "subPath"):
            flags += f',path="{sub_path}"'
        w.line(f"{text(mount, 'mountPath')} from {text(mount, 'name')} ({flags})", level=3)
    devices = items(spec, "volumeDevices")
    if devices:
        w.line(f"Devices:{none}", level=2)
    for device in sorted(devices, key=lambda device: text(device, "devicePath")):
        w.line(f"{text(device, 'devicePath')} from {text(device, 'name')}", level=3)
