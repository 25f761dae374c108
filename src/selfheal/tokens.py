"""Tokens of service accounts: what they say, and how they are written (RFC 7519).

pkg/serviceaccount/claims.go Claims, pkg/registry/core/serviceaccount/storage/token.go Create. Who has no key writes
them unsigned; behind an API server they are signed, and it knows them again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence

from selfheal.chance import Chance
from selfheal.clock import Clock
from selfheal.objects import Object, name, namespace, uid

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""Also the audience, if nobody asks for another: the API server itself."""
MOUNTED, KEPT = 3607, 365 * 24 * 3600
"""Seconds that admission asks for, and what it is given: who never reads the file again goes on for a year."""


def claims(
    clock: Clock,
    chance: Chance,
    account: Object,
    seconds: int,
    *,
    at: int | None = None,
    audiences: Sequence[str] = (),
    pod: Object | None = None,
    node: Object | None = None,
) -> Object:
    """What a token says that is made now, or was ``at`` a moment (µs)."""
    now = clock.unix_seconds(at)
    about: Object = {"namespace": namespace(account)}
    if node is not None:
        about["node"] = {"name": name(node), "uid": uid(node)}
    if pod is not None:
        about["pod"] = {"name": name(pod), "uid": uid(pod)}
    about["serviceaccount"] = {"name": name(account), "uid": uid(account)}
    if seconds == MOUNTED and pod is not None and list(audiences) in ([], [ISSUER]):
        about["warnafter"], seconds = now + seconds, KEPT
    stream = chance.fresh("token", uid(account), "" if pod is None else uid(pod), str(now))
    return {
        "aud": list(audiences) or [ISSUER],
        "exp": now + seconds,
        "iat": now,
        "iss": ISSUER,
        "jti": stream.uid(0),
        "kubernetes.io": about,
        "nbf": now,
        "sub": subject(account),
    }


def subject(account: Mapping[str, object]) -> str:
    """The name of the user that a service account is."""
    return f"system:serviceaccount:{namespace(account)}:{name(account)}"


def encoded(data: bytes) -> str:
    """As a token has it (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def text(header: Object, body: Object) -> str:
    """The part of a token that is signed."""
    return ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, body))


def unsigned(body: Object) -> str:
    return text({"alg": "none"}, body) + "."
