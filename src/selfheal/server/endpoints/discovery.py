"""What there is: /api, /apis, /version, in the old form and in the aggregated one.

staging/src/k8s.io/apiserver/pkg/endpoints/discovery
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256

from selfheal.kinds import KINDS
from selfheal.objects import Object
from selfheal.server.resources import Resource, Subresource

VERSION = "v1.36.2"
AGGREGATED = ("apidiscovery.k8s.io", ("v2", "v2beta1"), "APIGroupDiscoveryList")

ABOUT: Object = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": VERSION,
    "gitCommit": "0" * 40,
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.25",
    "compiler": "gc",
    "platform": "linux/amd64",
}
"""What /version says. The Python client demands nine of these."""


Versions = Mapping[str, list[Resource]]
"""The resources that are served, by version."""


def _singular(resource: Resource) -> str:
    if resource.custom is not None:
        return resource.custom.singular
    return (
        resource.kind.removesuffix("Metrics").lower() if resource.group == "metrics.k8s.io" else resource.kind.lower()
    )


POLICIES = ("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding")
STORED_OLDER = dict.fromkeys(POLICIES, "admissionregistration.k8s.io/v1beta1")
"""Kinds that a server of the version before must still be able to read (default_storage_factory_builder.go)."""


def _storage(resource: Resource) -> str:
    """The version under which its objects are stored; '' if none are."""
    if resource.custom is not None:
        return resource.custom.storage
    info = KINDS.get(resource.stored)
    return "" if info is None else STORED_OLDER.get(resource.kind, info.api_version)


def storage_version_hash(api_version: str, kind: str) -> str:
    """By which clients notice that a resource is stored otherwise (discovery/storageversionhash.go)."""
    group, _, version = api_version.rpartition("/")
    return base64.b64encode(sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


def api_versions(address: str) -> Object:
    """/api"""
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where}


def _group(name: str, found: list[str]) -> Object:
    listed = [{"groupVersion": v, "version": v.rpartition("/")[2]} for v in found]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _groups(versions: Versions) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for api_version in versions:
        found.setdefault(api_version.rpartition("/")[0], []).append(api_version)
    return found


def api_group_list(versions: Versions) -> Object:
    """/apis"""
    groups = [_group(name, found) for name, found in _groups(versions).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(versions: Versions, name: str) -> Object | None:
    """/apis/apps"""
    found = _groups(versions).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, found)} if name and found else None


def api_resource_list(versions: Versions, api_version: str) -> Object | None:
    """/api/v1, /apis/apps/v1"""
    found = versions.get(api_version)
    if found is None:
        return None
    listed: list[Object] = []
    for resource in found:
        entry: Object = {
            "name": resource.plural,
            "singularName": _singular(resource),
            "namespaced": resource.namespaced,
        }
        entry |= {"kind": resource.kind, "verbs": list(resource.verbs)}
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        if storage := _storage(resource):
            entry["storageVersionHash"] = storage_version_hash(storage, resource.kind)
        listed.append(entry)
        for sub in resource.subresources:
            below: Object = {
                "name": f"{resource.plural}/{sub.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
            }
            if sub.api_version and sub.api_version != api_version:
                group, _, version = sub.api_version.rpartition("/")
                below |= {"group": group, "version": version}
            listed.append({**below, "kind": sub.kind or resource.kind, "verbs": list(sub.verbs)})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}


def _kind(api_version: str, kind: str) -> Object:
    group, _, version = api_version.rpartition("/")
    return {"group": group, "version": version, "kind": kind}


def _subresource(resource: Resource, sub: Subresource) -> Object:
    kind = _kind(sub.api_version or resource.api_version, sub.kind or resource.kind)
    return {"subresource": sub.name, "responseKind": kind, "verbs": list(sub.verbs)}


def aggregated(versions: Versions, core: bool, version: str) -> Object:
    """/api or /apis in one answer."""
    items: list[Object] = []
    for name, found in _groups(versions).items():
        if (name == "") != core:
            continue
        listed = []
        for api_version in found:
            resources = []
            for resource in versions[api_version]:
                entry: Object = {
                    "resource": resource.plural,
                    "responseKind": _kind(api_version, resource.kind),
                    "scope": "Namespaced" if resource.namespaced else "Cluster",
                    "singularResource": _singular(resource),
                    "verbs": list(resource.verbs),
                }
                if resource.short_names:
                    entry["shortNames"] = list(resource.short_names)
                if resource.categories:
                    entry["categories"] = list(resource.categories)
                if resource.subresources:
                    entry["subresources"] = [_subresource(resource, sub) for sub in resource.subresources]
                resources.append(entry)
            listed.append({"version": api_version.rpartition("/")[2], "resources": resources, "freshness": "Current"})
        items.append({"metadata": {"name": name} if name else {}, "versions": listed})
    api_version = f"apidiscovery.k8s.io/{version}"
    return {"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items}
