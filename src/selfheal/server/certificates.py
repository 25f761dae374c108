"""A certificate authority for one run: what the API server shows to its clients.

Clients send a bearer token over TLS only (client-go drops what a kubeconfig says of its user when the server's
address begins with ``http:``, staging/src/k8s.io/client-go/tools/clientcmd/client_config.go ClientConfig), so
the server needs a certificate. It is made anew for each run, with ECDSA on P-256 (FIPS 186-5) and X.509
(RFC 5280) written out by hand: a few dozen lines against a dependency of many megabytes. Keys live as long as the
process and guard a toy on loopback; nothing here is hardened against someone who measures its timing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""The curve P-256: its field, the order of its base point, and the base point."""

YEARS = 10
"""How long a certificate is good. Nobody keeps one longer than a run."""

Point = tuple[int, int]


def _add(a: Point | None, b: Point | None) -> Point | None:
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def _times(k: int) -> Point:
    """The base point, ``k`` times."""
    sum_: Point | None = None
    power: Point | None = G
    while k:
        if k & 1:
            sum_ = _add(sum_, power)
        power = _add(power, power)
        k >>= 1
    assert sum_ is not None
    return sum_


# ---- DER (X.690), as much of it as a certificate needs


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    number = size.to_bytes((size.bit_length() + 7) // 8, "big")
    length = bytes([size]) if size < 128 else bytes([128 | len(number)]) + number
    return bytes([tag]) + length + body


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    out = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(128 | number & 127)
        out += bytes(reversed(groups))
    return _der(0x06, bytes(out))


def _name(common_name: str) -> bytes:
    return _sequence(_der(0x31, _sequence(_oid("2.5.4.3"), _der(0x0C, common_name.encode()))))


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _sequence(_oid(oid), *([_der(0x01, b"\xff")] if critical else []), _der(0x04, value))


EC_KEY, P256, ECDSA_SHA256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2"


class Key(NamedTuple):
    """A private key and its public half."""

    secret: int
    public: bytes

    @classmethod
    def make(cls) -> Key:
        secret = 1 + secrets.randbelow(N - 1)
        x, y = _times(secret)
        return cls(secret, b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))

    @property
    def id(self) -> bytes:
        return hashlib.sha1(self.public, usedforsecurity=False).digest()  # a name for the key (RFC 5280, 4.2.1.2)

    def sign(self, message: bytes) -> bytes:
        return _sequence(*map(_integer, self.signature(message)))

    def signature(self, message: bytes) -> tuple[int, int]:
        """The two numbers; of one message always the same, as in RFC 6979."""
        digest = hashlib.sha256(message).digest()
        seed = hmac.digest(self.secret.to_bytes(32, "big"), digest, "sha512")
        while True:
            k = 1 + int.from_bytes(seed, "big") % (N - 1)
            r = _times(k)[0] % N
            s = pow(k, -1, N) * (int.from_bytes(digest, "big") + r * self.secret) % N
            if r and s:
                return r, s
            seed = hmac.digest(seed, digest, "sha512")

    def info(self) -> bytes:
        return _sequence(_sequence(_oid(EC_KEY), _oid(P256)), _der(0x03, b"\0" + self.public))

    def pem(self) -> str:
        parts = _integer(1), _der(0x04, self.secret.to_bytes(32, "big")), _der(0xA0, _oid(P256))
        return _pem("EC PRIVATE KEY", _sequence(*parts, _der(0xA1, _der(0x03, b"\0" + self.public))))


def _pem(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _certificate(subject: str, key: Key, issuer: str, signer: Key, extensions: list[bytes]) -> str:
    now = datetime.now(UTC)
    dates = [_der(0x18, f"{t:%Y%m%d%H%M%S}Z".encode()) for t in (now - timedelta(days=1), now + timedelta(365 * YEARS))]
    algorithm = _sequence(_oid(ECDSA_SHA256))
    body = _sequence(
        _der(0xA0, _integer(2)),
        _integer(secrets.randbits(127) + 1),
        algorithm,
        _name(issuer),
        _sequence(*dates),
        _name(subject),
        key.info(),
        _der(0xA3, _sequence(*extensions)),
    )
    return _pem("CERTIFICATE", _sequence(body, algorithm, _der(0x03, b"\0" + signer.sign(body))))


class Authority:
    """An authority that nobody knew before and nobody will know after, and the one certificate that it gives."""

    def __init__(
        self, addresses: tuple[str, ...] = ("127.0.0.1", "::1"), names: tuple[str, ...] = ("localhost",)
    ) -> None:
        root, leaf, called = Key.make(), Key.make(), f"selfheal-{secrets.token_hex(4)}"
        signed_by = _extension("2.5.29.35", _sequence(_der(0x80, root.id)))
        self.pem = _certificate(
            called,
            root,
            called,
            root,
            [
                _extension("2.5.29.19", _sequence(_der(0x01, b"\xff")), critical=True),  # it is an authority
                _extension("2.5.29.15", _der(0x03, b"\2\4"), critical=True),  # its key signs certificates
                _extension("2.5.29.14", _der(0x04, root.id)),
            ],
        )
        hosts = [_der(0x87, ip_address(a).packed) for a in addresses] + [_der(0x82, n.encode()) for n in names]
        certificate = _certificate(
            "kube-apiserver",
            leaf,
            called,
            root,
            [
                _extension("2.5.29.19", _sequence(), critical=True),
                _extension("2.5.29.15", _der(0x03, b"\7\x80"), critical=True),  # its key signs handshakes
                _extension("2.5.29.37", _sequence(_oid("1.3.6.1.5.5.7.3.1"))),  # of servers
                _extension("2.5.29.17", _sequence(*hosts)),
                _extension("2.5.29.14", _der(0x04, leaf.id)),
                signed_by,
            ],
        )
        self._chain, self._key = certificate, leaf.pem()

    def context(self) -> ssl.SSLContext:
        """What the server listens with. Python reads keys from files only: this one is gone when it has been read."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory(prefix="selfheal-") as folder:
            path = Path(folder) / "server.pem"  # the folder is its owner's alone
            path.write_text(self._key + self._chain, "ascii")
            context.load_cert_chain(path)
        return context
