"""Tokens of service accounts: ``serviceaccounts/token``, and how the server knows again what it has signed.

pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount: jwt.go, claims.go
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from selfheal import tokens
from selfheal.clock import SECOND
from selfheal.cluster import Cluster
from selfheal.errors import BadRequest, Conflict, NotFound
from selfheal.objects import Object, uid
from selfheal.server.certificates import Key
from selfheal.server.context import Context
from selfheal.server.endpoints.handlers import write
from selfheal.server.http import Response, as_json
from selfheal.tokens import ISSUER, encoded

HOUR = 3600
DISCOVERED = {
    "response_types_supported": ["id_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["ES256"],
}
"""What /.well-known/openid-configuration says besides (pkg/serviceaccount/openidmetadata.go)."""
LONGEST = 4096
"""Characters of a token that is looked at."""


class User(NamedTuple):
    """Who has sent a token."""

    info: Object
    audiences: tuple[str, ...]


class Signer:
    """The key of the service accounts of one server, and the tokens that were signed with it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, Object] = {}

    @cached_property
    def _key(self) -> Key:
        return Key.make()

    @property
    def _id(self) -> str:
        return encoded(self._key.id)

    def sign(self, claims: Object) -> str:
        """The token that says so (ES256: RFC 7518, 3.4)."""
        text = tokens.text({"alg": "ES256", "kid": self._id}, claims)
        token = f"{text}.{self._signature(text)}"
        if len(self._known) >= 1024:
            self._known.clear()
        self._known[token] = claims
        return token

    def _signature(self, text: str) -> str:
        r, s = self._key.signature(text.encode())
        return encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def keys(self) -> Object:
        """By which others know its tokens (RFC 7517)."""
        public = self._key.public
        x, y = encoded(public[1:33]), encoded(public[33:])
        return {"keys": [{"use": "sig", "kty": "EC", "kid": self._id, "crv": "P-256", "alg": "ES256", "x": x, "y": y}]}

    def _claims(self, token: str) -> Object | None:
        if token in self._known:
            return self._known[token]
        text, _, signature = token.rpartition(".")
        if len(token) > LONGEST or text.count(".") != 1 or not token.isascii():
            return None
        if not hmac.compare_digest(signature, self._signature(text)):
            return None
        body = text.partition(".")[2]
        try:
            found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (binascii.Error, ValueError):
            return None
        self._known[token] = found
        return found if isinstance(found, dict) else None

    def user(self, token: str, audiences: Sequence[str] = (ISSUER,)) -> User | None:
        """Who sends a token; None if it is none of ours, is no longer good, or is meant for others."""
        claims, store = self._claims(token), self._cluster.store
        if claims is None or not claims["nbf"] <= self._cluster.clock.unix_seconds() < claims["exp"]:
            return None
        meant = tuple(a for a in audiences if a in claims["aud"])
        about = claims["kubernetes.io"]
        space, account = about["namespace"], about["serviceaccount"]
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        for kind, where, key in (
            ("ServiceAccount", space, "serviceaccount"),
            ("Pod", space, "pod"),
            ("Node", "", "node"),
            ("Secret", space, "secret"),
        ):
            bound = about.get(key)
            if bound is None:
                continue
            found = store.get(kind, where, bound["name"])
            if key != "node" and (found is None or uid(found) != bound["uid"]):
                return None
            if key in ("pod", "node"):
                extra[f"authentication.kubernetes.io/{key}-name"] = [bound["name"]]
                extra[f"authentication.kubernetes.io/{key}-uid"] = [bound["uid"]]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"]
        info = {"username": claims["sub"], "uid": account["uid"], "groups": groups, "extra": extra}
        return User(info, meant) if meant else None


def serve(context: Context) -> Response:
    """POST of a TokenRequest."""
    value = write.body(context.request) or {}
    spec = value.get("spec") or {} if isinstance(value, dict) else None
    if not isinstance(spec, dict):
        raise BadRequest("the object provided is unrecognized (must be of type TokenRequest)")
    account = context.current()
    seconds = spec.get("expirationSeconds") or HOUR
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 600 <= seconds <= 2**32:
        raise BadRequest("spec.expirationSeconds: may not specify a duration less than 10 minutes")
    audiences = spec.get("audiences") or [ISSUER]
    if not isinstance(audiences, list) or not all(isinstance(a, str) for a in audiences):
        raise BadRequest("spec.audiences: must be a list of strings")
    pod = _bound(context, spec.get("boundObjectRef"))
    node = None if pod is None else context.store.get("Node", "", pod["spec"].get("nodeName") or "")
    cluster = context.cluster
    claims = tokens.claims(cluster.clock, cluster.chance, account, seconds, audiences=audiences, pod=pod, node=node)
    end = cluster.clock.timestamp(cluster.clock.now + (claims["exp"] - claims["iat"]) * SECOND)
    meta = {"name": context.info.name, "namespace": context.info.namespace}
    body = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": meta}
    body["spec"] = {"boundObjectRef": None, **spec, "audiences": audiences, "expirationSeconds": seconds}
    return as_json({**body, "status": {"token": context.server.signer.sign(claims), "expirationTimestamp": end}}, 201)


def _bound(context: Context, wanted: object) -> Object | None:
    """The pod that a token shall live as long as. Raises BadRequest, NotFound, Conflict."""
    if not isinstance(wanted, dict):
        return None
    kind, called = wanted.get("kind"), str(wanted.get("name", ""))
    if kind != "Pod":
        of = f"{wanted.get('apiVersion')}, Kind={kind}"
        raise BadRequest(f"cannot bind token for serviceaccount to object of type {of}")
    found = context.store.get("Pod", context.info.namespace, called)
    if found is None:
        raise NotFound(f'pods "{called}" not found')
    if wanted.get("uid") and wanted["uid"] != uid(found):
        text = f"the UID in the bound object reference ({wanted['uid']}) does not match the UID in record"
        raise Conflict(f'Operation cannot be fulfilled on pods "{called}": {text}')
    return found
