"""``kubectl apply`` of all that a source holds: definitions first, then Kubernetes' own kinds, then the defined ones.

kubectl sends objects in the order in which it finds them, and asks for a second try if a definition comes after its
objects; here the order of files does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from selfheal import manifests
from selfheal.errors import ApiError
from selfheal.manifests import Manifest
from selfheal.manifests.plain import BadManifest
from selfheal.objects import Object
from selfheal.server.extensions.definitions import KIND

APPLY_PATCH = "application/apply-patch+yaml"
MANAGER = "selfheal"


class Ask(Protocol):
    """Sends a request to an API server, and reads the answer. Raises ApiError."""

    def __call__(self, method: str, path: str, body: Any = None, content_type: str = "") -> Any: ...


def apply(source: manifests.Source, ask: Ask, own: Callable[[list[Object]], Sequence[str]], *, space: str) -> list[str]:
    """What kubectl prints, a line an object. Raises ApiError, with the file in ``source`` for ``kubectl_says``.

    ``own`` applies objects of Kubernetes' kinds. ``space`` is the namespace of those that name none. Nothing has
    changed if one of Kubernetes' kinds is wrong, or one that nobody has defined.
    """
    found = manifests.read(source, custom=True)
    definitions = [m for m in found if m.object["kind"] == KIND]
    customs = [m for m in found if manifests.is_custom(m.object)]
    plain = [m for m in found if m not in definitions and m not in customs]
    manifests.admitted(plain)
    given = {(group, names.get("kind")) for group, names in map(_defines, definitions)}
    for one in customs:
        group, kind = one.object["apiVersion"].partition("/")[0], one.object["kind"]
        if (group, kind) not in given:
            _resource(one, ask)
    said = [_send(m, ask, space) for m in definitions]
    if plain:
        said += own([m.object for m in plain])
    return said + [_send(m, ask, space) for m in customs]


def _defines(definition: Manifest) -> tuple[Any, dict[str, Any]]:
    """(group, names) of a definition, however wrong it is."""
    spec = definition.object.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    names = spec.get("names")
    return spec.get("group"), names if isinstance(names, dict) else {}


def _resource(manifest: Manifest, ask: Ask) -> dict[str, Any]:
    """The resource of an object, as discovery tells it. Raises BadManifest."""
    version, kind = manifest.object["apiVersion"], manifest.object["kind"]
    try:
        served = ask("GET", f"/apis/{version}")["resources"]
    except ApiError:
        served = []
    for resource in served:
        if resource["kind"] == kind and "/" not in resource["name"]:
            return dict(resource)
    meta = _metadata(manifest)
    who = f'name: "{meta.get("name", "")}" namespace: "{meta.get("namespace", "")}"'
    raise BadManifest(
        f'resource mapping not found for {who} from "{manifest.name}": '
        f'no matches for kind "{kind}" in version "{version}"'
    )


def _metadata(manifest: Manifest) -> dict[str, Any]:
    found = manifest.object.get("metadata")
    return found if isinstance(found, dict) else {}


def _send(manifest: Manifest, ask: Ask, space: str) -> str:
    """Server-side apply of one object: what is right for it the API server knows."""
    obj, resource, meta = manifest.object, _resource(manifest, ask), _metadata(manifest)
    name, version = meta.get("name"), obj["apiVersion"]
    within = f"/namespaces/{quote(str(meta.get('namespace') or space), safe='')}" if resource["namespaced"] else ""
    path = f"/apis/{version}{within}/{resource['name']}/{quote(str(name), safe='')}"
    try:
        if not name:
            raise ApiError("resource name may not be empty")
        try:
            before = ask("GET", path)["metadata"]["resourceVersion"]
        except ApiError:
            before = None
        after = ask("PATCH", f"{path}?fieldManager={MANAGER}&force=true", obj, APPLY_PATCH)
    except ApiError as error:
        error.source = manifest.name  # type: ignore[attr-defined]
        raise
    same = "unchanged" if before == after["metadata"]["resourceVersion"] else "configured"
    called = f"{resource['singularName']}.{version.partition('/')[0]}/{name}"
    return f"{called} {'created' if before is None else same}"
