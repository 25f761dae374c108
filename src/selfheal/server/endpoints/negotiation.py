"""In what form the client wants its answer (staging/src/k8s.io/apiserver/pkg/endpoints/handlers/negotiation)."""

from __future__ import annotations

from typing import NamedTuple

from selfheal.server.http import Request
from selfheal.server.statuses import NotAcceptable

JSON = ("application/json", "application/*", "*/*", "")
FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
BROWSERS = ("curl", "Wget", "Mozilla/5.0")
"""Those who begin so are people: they get their JSON indented."""


class Form(NamedTuple):
    """What the answer shall be turned into; ``as_`` is '' if it stays as it is."""

    as_: str = ""
    group: str = ""
    version: str = ""


def accepts(request: Request) -> list[tuple[str, dict[str, str]]]:
    """The media types of the Accept header with their parameters, in their order."""
    found = []
    for part in request.headers.get("accept", "*/*").split(","):
        media, *parameters = [word.strip() for word in part.split(";")]
        pairs = dict(p.partition("=")[::2] for p in parameters)
        found.append((media.lower(), pairs))
    return found


def form(request: Request) -> Form:
    """The first form of the Accept header that we have. Raises NotAcceptable."""
    for media, parameters in accepts(request):
        if media not in JSON:
            continue
        wanted = Form(parameters.get("as", ""), parameters.get("g", ""), parameters.get("v", ""))
        if not wanted.as_:
            return Form()
        if wanted.group == "meta.k8s.io" and wanted.version in ("v1", "v1beta1") and wanted.as_ in FORMS:
            return wanted
    raise NotAcceptable("only the following media types are accepted: application/json")


def pretty(request: Request) -> bool:
    """Whether a person reads this."""
    if request.query.get("pretty"):
        return request.flag("pretty")
    return request.headers.get("user-agent", "").startswith(BROWSERS)
