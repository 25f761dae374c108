"""YAML as kubectl reads it, turned into plain values.

kubectl turns each YAML document into JSON with sigs.k8s.io/yaml, a YAML 1.1 in which ``on``, ``yes`` and ``y``
are true, ``0755`` is octal and dates stay texts. Here its rules are applied to PyYAML's *events*, so that no
object is ever made that a manifest asks for, an alias is a reference and not a copy, and neither a deep nor
a huge document can do harm. The texts of errors are go-yaml's.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from selfheal.manifests.plain import DEEPEST, MOST, Plain, Unreadable, integer, key, number, whole


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    began: int
    """Nodes read before it."""
    key: str | None = None
    merge: bool = False
    """Whether the next value belongs to a ``<<``."""
    merged: dict[str, Any] = field(default_factory=dict)


PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser, whose texts are go-yaml's too; Python's own where it was not built in."""


def document(text: str) -> Plain:
    """The first document of a text (there is one), as plain values."""
    try:
        return _Reader().read(PARSER(text))
    except yaml.reader.ReaderError as error:
        what = str(error.reason).replace("special characters", "control characters")
        raise Unreadable(f"yaml: {what}") from None
    except yaml.MarkedYAMLError as error:
        line = _line(error)
        raise Unreadable(f"yaml: {f'line {line}: ' if line else ''}{_problem(error)}", line) from None


class _Reader:
    """Builds plain values from the events of one document, without recursion."""

    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        """Value and size of what has a name."""
        self.nodes = 0
        self.aliased = 0
        """How many of the nodes came through an alias."""

    def read(self, parser: Any) -> Plain:
        """The value of the first document."""
        while True:
            event = parser.get_event()
            if isinstance(event, yaml.AliasEvent):
                value = self.alias(event)
            elif isinstance(event, yaml.ScalarEvent):
                self.nodes += 1
                value = _scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = (value, 1)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self.begin([] if isinstance(event, yaml.SequenceStartEvent) else {}, event)
                continue
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                value = self.end()
            elif isinstance(event, yaml.DocumentEndEvent | yaml.StreamEndEvent):
                return None  # an empty one
            else:
                continue
            if self.nodes > MOST:
                raise Unreadable(f"yaml: more than {MOST} values")
            if not self.open:
                return value  # type: ignore[no-any-return]
            self.add(value, event)

    def begin(self, value: list[Any] | dict[str, Any], event: Any) -> None:
        if len(self.open) >= DEEPEST:
            raise _wrong(f"exceeded max depth of {DEEPEST}", event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 0)
        self.open.append(_Open(value, event.anchor, self.nodes))
        self.nodes += 1

    def end(self) -> Any:
        done = self.open.pop()
        if isinstance(done.value, dict):
            for name, value in done.merged.items():
                done.value.setdefault(name, value)
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.nodes - done.began)
        return done.value

    def alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise _wrong(f"unknown anchor '{event.anchor}' referenced", event)
        value, size = self.anchors[event.anchor]
        if any(part.value is value for part in self.open):
            raise _wrong(f"anchor '{event.anchor}' value contains itself", event)
        self.nodes += size
        self.aliased += size
        # go-yaml decode.go allowedAliasRatio: 99 % of a document of this size may be repeats
        if self.nodes > MOST or self.aliased > max(1000, 0.99 * self.nodes):
            raise Unreadable("yaml: document contains excessive aliasing")
        if len(self.open) + _height(value) > DEEPEST:
            raise _wrong(f"exceeded max depth of {DEEPEST}", event)
        return value

    def add(self, value: Any, event: Any) -> None:
        """Put a finished value into the innermost open list or mapping."""
        inner = self.open[-1]
        if isinstance(inner.value, list):
            inner.value.append(value)
        elif inner.merge:
            inner.merge = False
            for source in value if isinstance(value, list) else [value]:
                if not isinstance(source, dict):
                    raise Unreadable("yaml: map merge requires map or sequence of maps as the value")
                for name in source:
                    inner.merged.setdefault(name, source[name])
        elif inner.key is not None:
            inner.value[inner.key] = value
            inner.key = None
        elif value == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            inner.merge = True
        else:
            inner.key = key(value)
            if inner.key in inner.value:
                # kubectl lets the last one win, in silence; nobody ever means that.
                raise _wrong(f"key {json.dumps(inner.key, ensure_ascii=False)} already set in map", event)


def _wrong(text: str, event: Any) -> Unreadable:
    line = event.start_mark.line + 1
    return Unreadable(f"yaml: line {line}: {text}", line)


def _height(value: Any) -> int:
    """Levels of a value. Its own cannot be many, and its size was counted."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_height, value), default=0) if isinstance(value, list) else 0


_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|(0|[1-9][0-9]*))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_TAGS: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (int, float)}


def _scalar(event: Any) -> Plain:
    """The value of a scalar (go-yaml resolve.go resolve)."""
    text: str = event.value
    tag = event.tag.removeprefix("tag:yaml.org,2002:") if event.tag and event.tag != "!" else None
    if tag == "binary":
        try:
            return base64.b64decode(text, validate=False).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise _wrong("!!binary value contains invalid base64 data", event) from None
    plain_style = event.implicit[0] and event.tag is None
    if not plain_style and tag not in _TAGS:
        return text
    value = _resolved(text)
    if tag in _TAGS and not isinstance(value, _TAGS[tag]):
        raise _wrong(f"cannot decode !!str `{text[:60]}` as a !!{tag}", event)
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable(f"json: unsupported value: {number(value)}", event.start_mark.line + 1)
    return value


def _resolved(text: str) -> Plain:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    found = _INTEGER.fullmatch(digits)
    if found is not None:
        sign, hexadecimal, octal, binary, decimal = found.groups()
        for body, base in ((hexadecimal, 16), (octal, 8), (binary, 2), (decimal, 10)):
            if body is not None and len(body) < 80:
                value = integer(int(sign + body, base))
                if isinstance(value, int):
                    return value
    if _FLOAT.fullmatch(digits) and math.isfinite(float(digits)):
        return whole(float(digits))
    return text


_PROBLEMS = (
    (re.compile(r"found character .* that (cannot start any token)", re.DOTALL), r"found character that \1"),
    (re.compile(r"expected (',' or '[]}]'), but got .*", re.DOTALL), r"did not find expected \1"),
    (re.compile(r"mapping (keys|values) are not allowed here"), r"mapping \1 are not allowed in this context"),
    (re.compile(r"sequence entries are not allowed here"), "block sequence entries are not allowed in this context"),
    (re.compile(r"expected '<document start>', but found .*", re.DOTALL), "did not find expected <document start>"),
    (re.compile(r"expected the node content, but found .*", re.DOTALL), "did not find expected node content"),
    (re.compile(r"found undefined tag handle .*", re.DOTALL), "found undefined tag handle"),
    (re.compile(r"found unknown escape character .*", re.DOTALL), "found unknown escape character"),
    (re.compile(r"found duplicate YAML directive"), "found duplicate %YAML directive"),
    (re.compile(r"found unexpected document separator"), "found unexpected document indicator"),
)
"""PyYAML's own words, and those of libyaml and go-yaml."""


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "unknown problem parsing YAML content"
    if problem.startswith("expected <block end>"):
        block = "'-' indicator" if error.context == "while parsing a block collection" else "key"
        return f"did not find expected {block}"
    for pattern, text in _PROBLEMS:
        if pattern.fullmatch(problem):
            return pattern.sub(text, problem)
    return problem


def _line(error: yaml.MarkedYAMLError) -> int:
    """The line that go-yaml names (goyaml.v2 decode.go fail); none on the first line."""
    if error.problem_mark is not None and error.problem_mark.line:
        return int(error.problem_mark.line) + isinstance(error, yaml.scanner.ScannerError)
    if error.context_mark is not None:
        return int(error.context_mark.line)
    return 0
