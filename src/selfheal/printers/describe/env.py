"""The environment of a container, and where its values come from."""

from __future__ import annotations

from decimal import ROUND_CEILING

from selfheal.printers import amounts
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import Fields, at, items, mapping, text, true, written


def sources(w: Writer, container: Fields) -> None:
    """Whole ConfigMaps and Secrets (describe.go describeContainerEnvFrom)."""
    found = items(container, "envFrom")
    if found:
        w.line("Environment Variables from:", level=2)
    for source in found:
        kind, ref = "", mapping(source, "configMapRef")
        if at(source, "configMapRef") is not None:
            kind = "ConfigMap"
        elif at(source, "secretRef") is not None:
            kind, ref = "Secret", mapping(source, "secretRef")
        prefix = text(source, "prefix")
        with_prefix = f" with prefix '{prefix}'" if prefix else ""
        w.row(text(ref, "name"), f"{kind}{with_prefix}", f"Optional: {written(true(ref, 'optional'))}", level=3)


def variables(w: Writer, container: Fields, pod: Fields | None) -> None:
    """(describe.go describeContainerEnvVars)"""
    found = items(container, "env")
    w.line("Environment:" + ("" if found else "\t<none>"), level=2)
    for variable in found:
        name, source = text(variable, "name"), at(variable, "valueFrom")
        if source is None:
            first, *rest = text(variable, "value").split("\n")
            w.field(name, first, level=3)
            for line in rest:
                w.line(f"\t{line}", level=3)
        elif (ref := at(source, "fieldRef")) is not None:
            path = text(ref, "fieldPath")
            value = "" if pod is None else _pod_field(pod, path)
            w.field(name, f"{value} ({text(ref, 'apiVersion')}:{path})", level=3)
        elif (ref := at(source, "resourceFieldRef")) is not None:
            w.field(name, f"{_resource(container, ref)} ({text(ref, 'resource')})", level=3)
        elif (ref := at(source, "secretKeyRef")) is not None:
            _key(w, name, ref, f"in secret '{text(ref, 'name')}'")
        elif (ref := at(source, "configMapKeyRef")) is not None:
            _key(w, name, ref, f"of config map '{text(ref, 'name')}'")


def _key(w: Writer, name: str, ref: Fields, of: str) -> None:
    optional = written(true(ref, "optional"))
    w.field(name, f"<set to the key '{text(ref, 'key')}' {of}>\tOptional: {optional}", level=3)


def _pod_field(pod: Fields, path: str) -> str:
    """The fields of a pod's metadata; kubectl resolves no others (kubectl/pkg/util/fieldpath)."""
    for field in ("labels", "annotations"):
        of = mapping(pod, f"metadata.{field}")
        if path == f"metadata.{field}":
            return "\n".join(f'{key}="{of[key]}"' for key in sorted(of))
        if path.startswith(f"metadata.{field}['") and path.endswith("']"):
            return written(of.get(path.removeprefix(f"metadata.{field}['").removesuffix("']"), ""))
    return text(pod, path) if path in ("metadata.name", "metadata.namespace", "metadata.uid") else ""


def _resource(container: Fields, ref: Fields) -> str:
    """An amount in units of its divisor, rounded up (kubectl/pkg/util/resource ExtractContainerResourceValue)."""
    resource = text(ref, "resource")
    which, _, name = resource.partition(".")
    if which not in ("limits", "requests"):
        return ""
    amount = amounts.parse(mapping(container, f"resources.{which}").get(name)) or amounts.Amount()
    divisor = amounts.parse(at(ref, "divisor", "1"))
    unit = divisor.value if divisor is not None and divisor.value else 1
    value = int((amount.value / unit).to_integral_value(ROUND_CEILING))
    return "node allocatable" if not value and resource in ("limits.cpu", "limits.memory") else str(value)
