"""Any other object: all of its fields, with names made readable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from selfheal.objects import Object
from selfheal.printers.describe import parts
from selfheal.printers.describe.lister import Lister
from selfheal.printers.describe.writer import Writer
from selfheal.printers.fields import written

_ACRONYMS = ("API", "URL", "UID", "GUID")
_SHOWN_ABOVE = (
    ".metadata.managedFields",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.labels",
    ".metadata.annotations",
)


def other(w: Writer, obj: Object, lister: Lister, now: float) -> None:
    """(staging/src/k8s.io/kubectl/pkg/describe/describe.go genericDescriber)"""
    parts.head(w, obj)
    parts.labels(w, obj)
    _content(w, obj, 0, "")
    parts.events_table(w, parts.events_of(obj, lister), now)


def _content(w: Writer, content: Mapping[str, Any], level: int, path: str) -> None:
    """The fields, sorted, each level two blanks further in (describe.go printUnstructuredContent)."""
    for field in sorted(content):
        value, here = content[field], f"{path}.{field}"
        if here in _SHOWN_ABOVE:
            continue
        if isinstance(value, Mapping):
            w.line(f"{label(field)}:", level)
            _content(w, value, level + 1, here)
        elif isinstance(value, (list, tuple)):
            w.line(f"{label(field)}:", level)
            for child in value:
                if isinstance(child, Mapping):
                    _content(w, child, level + 1, here)
                else:
                    w.line(written(child), level + 1)
        else:
            w.field(label(field), value, level)


def label(field: str) -> str:
    """``apiVersion`` → ``API Version``; names with digits, dots or slashes stay as they are (smartLabelFor)."""
    if not re.fullmatch("[A-Za-z-]*", field):
        return field
    words: list[str] = []
    merge = False
    for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|-+", field):
        if merge and word[0].isupper():  # an acronym swallows the word behind it: URLPath
            words[-1] += word
            merge = False
            continue
        merge = len(word) > 1 and word.isupper()
        words.append(word)
    return " ".join(_capital(word) for word in words)


def _capital(word: str) -> str:
    if word.upper() in _ACRONYMS:
        return word.upper()
    return word.capitalize() if word == word.lower() else word
