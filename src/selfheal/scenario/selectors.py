"""Label selectors as one writes them: ``app=web,tier in (back,front),!old``."""

from __future__ import annotations

import re
from typing import Any

from selfheal.errors import BadRequest
from selfheal.manifests import names

_REQUIREMENT = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<without>[^\s!=,()]+)"
    r"|(?P<key>[^\s!=,()]+)\s*(?:(?P<sign>==|=|!=)\s*(?P<value>[^\s!=,()]*)"
    r"|\s(?P<word>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


def selector(text: str) -> dict[str, Any]:
    """The text as a LabelSelector, as :func:`selfheal.objects.matches` takes it. Raises BadRequest.

    staging/src/k8s.io/apimachinery/pkg/labels/selector.go Parse
    """
    requirements = []
    at = 0
    while at < len(text):
        found = _REQUIREMENT.match(text, at)
        if found is None:
            raise BadRequest(f'unable to parse the label selector "{text}"')
        requirements.append(_requirement(found))
        at = found.end()
    for found_one in requirements:
        wrong = names.qualified(found_one["key"]) + [m for v in found_one["values"] for m in names.label_value(v)]
        if wrong:
            raise BadRequest(f'unable to parse the label selector "{text}": {wrong[0]}')
    return {"matchExpressions": requirements}


def _requirement(found: re.Match[str]) -> dict[str, Any]:
    if found["absent"]:
        return {"key": found["without"], "operator": "DoesNotExist", "values": []}
    operator, values = "Exists", []
    if found["sign"]:
        operator, values = "NotIn" if found["sign"] == "!=" else "In", [found["value"]]
    elif found["word"]:
        operator = "In" if found["word"] == "in" else "NotIn"
        values = sorted(v.strip() for v in found["values"].split(","))
    return {"key": found["key"], "operator": operator, "values": values}
