"""The field numbers and the descriptions of Kubernetes' types, from its own generated.proto files.

``python tools/protos.py FOLDER`` reads every ``*.proto`` in a folder (the ``generated.proto`` files of
kubernetes/api and kubernetes/apimachinery at the version that we follow) and writes
src/selfheal/server/wire/protobuf.json and descriptions.json: of the kinds that the server serves, and of all that
those are made of.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from selfheal.schema import names, types
from selfheal.server.resources import RESOURCES

OUT = Path(__file__).parents[1] / "src" / "selfheal" / "server" / "wire"
ROOTS = (
    "api.policy.v1.Eviction",
    "api.authentication.v1.TokenRequest",
    "api.autoscaling.v1.Scale",
    "apimachinery.pkg.apis.meta.v1.DeleteOptions",
)
EMBEDDED = ("ingressRuleValue", "persistentVolumeSource", "rule", "ruleWithOperations")
"""Structs whose fields stand in their place, of types without a schema."""
SCALARS = {"string": "s", "bytes": "b", "int32": "i", "int64": "i", "bool": "t", "double": "d", "uint32": "i"}
FIELD = re.compile(
    r"(optional|repeated|map<string, *([\w.]+)>) *([\w.]*) +(\w+) = (\d+);"
    r"|(map<string, *([\w.]+)>) +(\w+) = (\d+);"
)


def read(folder: Path) -> tuple[dict[str, dict[str, list[str]]], dict[str, str]]:
    """(message → number → [name, type, how], description of ``message`` and ``message.field``)"""
    messages: dict[str, dict[str, list[str]]] = {}
    told: dict[str, str] = {}
    for path in sorted(folder.glob("*.proto")):
        package = message = ""
        comment: list[str] = []
        for line in path.read_text("utf-8").splitlines():
            line = line.strip()
            if line.startswith("//"):
                comment.append(line[2:].removeprefix(" "))
                continue
            if line.startswith("package "):
                package = line[8:].rstrip(";").strip()
            elif line.startswith("message "):
                message = _name(f".{package}.{line.split()[1]}", package)
                messages[message] = {}
                told[message] = _prose(comment)
            elif message and (found := FIELD.match(line)):
                how, of = ("map", found[7]) if found[6] else (found[1], found[3])
                name, number = (found[8], found[9]) if found[6] else (found[4], found[5])
                if how.startswith("map<"):
                    how, of = "map", found[2]
                messages[message][number] = [name, SCALARS.get(of) or _name(of, package), how]
                told[f"{message}.{name}"] = _prose(comment)
            comment = []
    return messages, told


def _name(of: str, package: str) -> str:
    full = of[1:] if of.startswith(".") else f"{package}.{of}"
    return full.removeprefix("k8s.io.")


def _prose(lines: list[str]) -> str:
    """A comment as OpenAPI gives it: marks for generators are gone, what stands below --- too, lines are joined."""
    out: list[str] = []
    paragraph: list[str] = []
    for line in lines:
        if line.strip() == "---":
            break
        if line.lstrip().startswith(("+", "TODO")):
            continue
        if not line.strip():
            out += [" ".join(paragraph)] if paragraph else []
            paragraph = []
        elif line.startswith((" ", "\t", "-", "*")):
            out += [" ".join(paragraph)] if paragraph else []
            paragraph = []
            out.append("\0" + line)
        else:
            paragraph.append(line.strip())
    out += [" ".join(paragraph)] if paragraph else []
    text = ""
    for part in out:
        listed = part.startswith("\0")
        text += ("" if not text else "\n" if listed else "\n\n") + part.removeprefix("\0")
    return text


def main(folder: Path) -> None:
    messages, told = read(folder)
    waiting = [n.removeprefix("io.k8s.") for r in RESOURCES if (n := names().get((r.api_version, r.kind)))]
    waiting += [f"api.{r.group.partition('.')[0] or 'core'}.{r.version}.{r.kind}" for r in RESOURCES]
    waiting += ROOTS
    found: dict[str, dict[str, list[str]]] = {}
    while waiting:
        name = waiting.pop()
        if name in messages and name not in found:
            found[name] = messages[name]
            waiting += [of for _, of, _ in messages[name].values()]
    for name, fields in found.items():
        known = types().get(f"io.k8s.{name}", {}).get("properties")
        for field in fields.values():
            # What is no field of the JSON is embedded: its own fields stand in its place.
            embedded = field[0] in EMBEDDED if known is None else field[0] not in known
            if embedded and field[1] in messages:
                field[2] = "inline"
    _write("protobuf.json", dict(sorted(found.items())))
    for name, fields in found.items():
        for _, of, how in fields.values():
            if how == "inline":
                told |= {f"{name}.{field}": told[f"{of}.{field}"] for field, _, _ in messages[of].values()}
    about = {k: v for k, v in sorted(told.items()) if v and (k in found or k.rpartition(".")[0] in found)}
    _write("descriptions.json", {k: v for k, v in about.items() if _published(k)})


def _published(name: str) -> bool:
    """Whether there is a schema to put a description on."""
    parent, _, field = name.rpartition(".")
    return f"io.k8s.{name}" in types() or field in types().get(f"io.k8s.{parent}", {}).get("properties", {})


def _write(name: str, value: dict[str, Any]) -> None:
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False, separators=(',', ':'))}" for k, v in value.items()]
    (OUT / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
