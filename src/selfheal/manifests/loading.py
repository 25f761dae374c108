"""From a source to objects: what ``kubectl apply -f`` and the API server do one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfheal.errors import ApiError, Invalid
from selfheal.kinds import KINDS, kind_info
from selfheal.manifests import decoding, documents
from selfheal.manifests.defaults import default
from selfheal.manifests.documents import STDIN
from selfheal.manifests.fields import quoted, shown
from selfheal.manifests.names import nearest
from selfheal.manifests.plain import BadManifest, Plain, Unreadable, plain
from selfheal.manifests.validation import validate
from selfheal.objects import Object

Source = str | bytes | Path | Mapping[str, Any] | Sequence[Any]
"""A path (of a file, or of a folder of them), a text, an object, or a list of these."""

IGNORE = "if you choose to ignore these errors, turn validation off with --validate=false"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object as somebody wrote it, and where."""

    object: Object
    name: str
    """Of the file; STDIN if it is none."""


def load(source: Source, *, namespace: str = "default") -> list[Object]:
    """The objects of a source: decoded, defaulted and validated, in the order in which they stand.

    Objects that name no namespace get ``namespace``. Raises ApiError, for the first object that is wrong.
    """
    return admitted(read(source), namespace=namespace)


def admitted(manifests: Iterable[Manifest], *, namespace: str = "default") -> list[Object]:
    """All objects through the API server's gates, as :func:`admit` does with one."""
    found = []
    for manifest in manifests:
        try:
            found.append(admit(manifest.object, namespace=namespace))
        except ApiError as error:
            error.source = manifest.name  # type: ignore[attr-defined]
            raise
    return found


def admit(obj: Object, *, namespace: str = "default") -> Object:
    """One object through the API server's gates: decoded strictly, defaulted, validated. Raises ApiError."""
    obj = decoding.decode(obj)
    meta = obj.get("metadata") or {}
    if kind_info(obj["kind"], obj["apiVersion"]).namespaced:
        meta = {**meta, "namespace": meta.get("namespace") or namespace}
    obj = default({"apiVersion": obj["apiVersion"], "kind": obj["kind"], **obj, "metadata": meta})
    validate(obj)
    return obj


def read(source: Source, *, custom: bool = False) -> list[Manifest]:
    """The manifests of a source as they were written: kinds that exist, nothing more. Raises BadManifest.

    ``custom``: groups that nobody here knows are let through; somebody may have defined them.
    """
    found = []
    for value, name in _values(source):
        found += [Manifest(obj, name) for obj in _objects(value, name, custom=custom)]
    if not found:
        raise BadManifest("no objects passed to apply")
    return found


def kubectl_says(error: ApiError, source: str | None = None) -> str:
    """What kubectl prints when ``kubectl apply -f SOURCE`` meets this error.

    staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go
    """
    if isinstance(error, BadManifest):
        hint = "\nensure CRDs are installed first" if error.message.startswith("resource mapping not found") else ""
        return f"error: {error.message}{hint}"
    if isinstance(error, Invalid) and error.causes:
        kind, _, rest = error.message.partition(" ")
        subject = f"The {kind.partition('.')[0]} {rest.partition(' is invalid: ')[0]} is invalid: "
        if len(error.causes) == 1:
            return f"{subject}{error.causes[0]}"
        return "\n".join([subject, *(f"* {cause}" for cause in error.causes)])
    name = source or str(getattr(error, "source", STDIN))
    return f"Error from server ({error.reason}): error when creating {quoted(name)}: {error.message}"


# ---- sources


def _values(source: object) -> Iterator[tuple[Plain, str]]:
    """The documents of a source, each with the name of its file."""
    if isinstance(source, str) and not _is_text(source):
        source = Path(source)
    if isinstance(source, Path):
        for path in documents.files(source):
            for value in documents.documents(documents.contents(path), str(path)):
                yield value, str(path)
    elif isinstance(source, str | bytes):
        for value in documents.documents(source):
            yield value, STDIN
    elif isinstance(source, list | tuple):
        for item in source:
            if isinstance(item, list | tuple):
                raise _not_valid(STDIN, "invalid object to validate")
            yield from _values(item)
    else:
        try:
            yield plain(source), STDIN
        except Unreadable as wrong:
            raise BadManifest(f"error parsing {STDIN}: {wrong.text}") from None


def _is_text(source: str) -> bool:
    """Whether a str is a manifest itself, not the path of one."""
    return "\n" in source or ": " in source or source.strip() == "" or source.lstrip().startswith(("{", "[", "---"))


def _objects(value: Plain, name: str, *, custom: bool = False) -> Iterator[Object]:
    """The objects of a document: itself, or the items of a list. Raises BadManifest."""
    problems = []
    if not isinstance(value, dict):
        raise _not_valid(name, "invalid object to validate")
    for key in ("apiVersion", "kind"):
        found = value.get(key)
        if found is None:
            problems.append(f"{key} not set")
        elif not isinstance(found, str):
            problems.append(f"{key} isn't string type")
        elif key == "apiVersion" and found.count("/") > 1:
            problems.append(f"unexpected GroupVersion string: {found}")
    if problems:
        raise _not_valid(name, problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    if value["kind"].endswith("List") and "items" in value:
        items = value["items"]
        if items is not None and not isinstance(items, list):
            raise BadManifest(f"unable to decode {quoted(name)}: items is {shown(items)[:40]}, not a list")
        for item in items or ():
            yield from _objects(item, name, custom=custom)
        return
    if not (custom and is_custom(value)):
        _known(value, name)
    yield value


def is_custom(obj: Mapping[str, Any]) -> bool:
    """Whether its group is none of Kubernetes' own."""
    group, slash, _ = str(obj["apiVersion"]).partition("/")
    return bool(slash) and group not in {info.api_version.partition("/")[0] for info in KINDS.values()}


def _not_valid(name: str, text: str) -> BadManifest:
    return BadManifest(f"error validating {quoted(name)}: error validating data: {text}; {IGNORE}")


def _known(value: dict[str, Any], name: str) -> None:
    """Refuse a kind that does not exist."""
    version, kind = value["apiVersion"], value["kind"]
    info = KINDS.get(kind)
    if info is not None and info.api_version == version:
        return
    meta = value.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    who = f"name: {quoted(str(meta.get('name', '')))} namespace: {quoted(str(meta.get('namespace', '')))}"
    error = BadManifest(
        f"resource mapping not found for {who} from {quoted(name)}: "
        f"no matches for kind {quoted(kind)} in version {quoted(version)}"
    )
    if info is not None:
        error.add_note(f"{kind} is in {info.api_version}")
    elif guess := nearest(kind, KINDS):
        error.add_note(f'did you mean "{guess}"?')
    raise error
