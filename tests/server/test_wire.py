"""Below the API: certificates, kubeconfigs, HTTP, websockets, protobuf, patches."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
import stat
import subprocess
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from selfheal.errors import BadRequest, Invalid
from selfheal.server import patches, spdy
from selfheal.server.certificates import Authority, G, Key, N, _add, _times
from selfheal.server.http import Abort, HTTPServer, Request, Response, as_json
from selfheal.server.kubeconfig import KubeconfigFile, Refused, kubeconfig
from selfheal.server.websocket import BINARY, Closed, WebSocket, handshake
from selfheal.server.wire import protobuf

# ---- certificates


def test_the_curve_is_the_curve() -> None:
    assert _times(1) == G
    assert _add(_times(N - 1), G) is None
    # NIST's test vectors for P-256, k = 2 and k = 112233445566778899
    assert _times(2)[0] == 0x7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978
    assert _times(112233445566778899)[0] == 0x339150844EC15234807FE862A86BE77977DBFB3AE3D96F4C22795513AEAAB82F


def test_openssl_takes_the_certificate(tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem)
    (tmp_path / "leaf.pem").write_text(authority._chain)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "leaf.pem"]
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl here; Python's own judges below")
    assert done.stdout == "leaf.pem: OK\n"


def test_two_keys_are_two() -> None:
    assert Key.make().secret != Key.make().secret


# ---- kubeconfig


def test_a_kubeconfig_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    file = KubeconfigFile(path, kubeconfig("https://127.0.0.1:1", "token", "PEM"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = yaml.safe_load(path.read_text())
    assert found["current-context"] == "selfheal"
    again = KubeconfigFile(path, kubeconfig("https://127.0.0.1:2", "token", "PEM"))
    file.remove()
    assert path.exists(), "another server's by now"
    again.remove()
    assert not path.exists()
    own = KubeconfigFile(None, found)
    own.remove()
    assert not own.path.parent.exists()


@pytest.mark.parametrize(
    "text", ["{clusters: [{name: prod}]}", "hello", "a: [", "{clusters: [{name: selfheal}], users: [{name: me}]}"]
)
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(Refused):
        KubeconfigFile(path, kubeconfig("https://127.0.0.1:1", "token", "PEM"))
    assert path.read_text() == text


# ---- HTTP


async def _echo(request: Request) -> Any:
    if request.path == "/abort":
        return Abort()
    if request.path == "/stream":

        async def lines() -> Any:
            for i in range(3):
                yield f"{i}\n".encode()

        return Response(200, lines(), "text/plain")
    return as_json({"method": request.method, "path": request.path, "query": request.query, "size": len(request.body)})


def serve(client: Callable[[int], Awaitable[Any]], context: ssl.SSLContext | None = None) -> Any:
    async def run() -> Any:
        server = HTTPServer(_echo)
        port = await server.start("127.0.0.1", 0, context)
        try:
            return await client(port)
        finally:
            await server.stop()

    return asyncio.run(run())


def ask(data: bytes, context: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None) -> bytes:
    """All that the server says to these bytes, until it hangs up (or says nothing for a while)."""

    async def client(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        writer.write(data)
        found = bytearray()
        try:
            while True:
                async with asyncio.timeout(0.3):
                    chunk = await reader.read(65536)
                if not chunk:
                    break
                found += chunk
        except TimeoutError:
            pass
        writer.close()
        return bytes(found)

    return bytes(serve(client, context))


GET = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"


def test_requests_one_after_the_other_on_one_connection() -> None:
    found = ask(GET % b"/a?x=1&x=2" + GET % b"/b%20c" + b"POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    bodies = [json.loads(line) for line in found.decode().splitlines() if line.startswith("{")]
    assert [b["path"] for b in bodies] == ["/a", "/b c", "/d"]
    assert bodies[0]["query"] == {"x": ["1", "2"]}
    assert bodies[2]["size"] == 3


def test_a_head_has_no_body() -> None:
    found = ask(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + GET % b"/b")
    head, _, rest = found.partition(b"\r\n\r\n")
    assert b"Content-Length: " in head
    assert rest.startswith(b"HTTP/1.1 200")


def test_a_stream_comes_in_chunks_and_the_connection_lives_on() -> None:
    found = ask(GET % b"/stream" + GET % b"/after")
    assert b"Transfer-Encoding: chunked" in found
    assert b"2\r\n0\n\r\n2\r\n1\n\r\n2\r\n2\n\r\n0\r\n" in found
    assert b"/after" in found


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x00\x01\x02\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + b"a" * 4_000_000, b"413"),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, status: bytes) -> None:
    assert ask(data).startswith(b"HTTP/1.1 " + status)


def test_an_aborted_connection_says_nothing() -> None:
    assert ask(GET % b"/abort") == b""


def test_python_trusts_the_authority_and_no_other() -> None:
    authority = Authority()
    trust = ssl.create_default_context(cadata=authority.pem)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    assert b"200 " in ask(GET % b"/", authority.context(), trust)
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(GET % b"/", authority.context(), ssl.create_default_context(cadata=Authority().pem))


# ---- websockets


KEY = {"upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}


def test_the_handshake_of_the_rfc() -> None:
    chosen, headers = handshake({**KEY, "sec-websocket-protocol": "v9, v5.channel.k8s.io"}, ["v5.channel.k8s.io"])
    assert chosen == "v5.channel.k8s.io"
    assert headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    for wrong in ({}, {**KEY, "sec-websocket-version": "8"}, {**KEY, "sec-websocket-protocol": "v9"}):
        with pytest.raises(BadRequest):
            handshake(wrong, ["v5.channel.k8s.io"])


class _Writer:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        pass


def frame(data: bytes, opcode: int = BINARY, *, final: bool = True, mask: bytes = b"\1\2\3\4") -> bytes:
    size = len(data)
    length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + size.to_bytes(2, "big")
    return bytes([(128 if final else 0) | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def test_messages_in_frames_with_pings_between() -> None:
    async def run() -> tuple[list[bytes], bytes]:
        reader, writer = asyncio.StreamReader(), _Writer()
        reader.feed_data(
            frame(b"one") + frame(b"tw", final=False) + frame(b"!", 9) + frame(b"o", 0) + frame(b"x" * 300)
        )
        reader.feed_data(frame(b"\x03\xe8", 8))
        socket = WebSocket(reader, writer)  # type: ignore[arg-type]
        found: list[bytes] = []
        with contextlib.suppress(Closed):
            while len(found) < 9:
                found.append(await socket.receive())
        return found, writer.data

    found, said = asyncio.run(run())
    assert found == [b"one", b"two", b"x" * 300]
    assert said == b"\x8a\x01!" + b"\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    "data", [b"\x82\x05hello", b"\xf2\x80\1\2\3\4", b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x82"]
)
def test_bad_frames_end_it(data: bytes) -> None:
    async def run() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        await WebSocket(reader, _Writer()).receive()  # type: ignore[arg-type]

    with pytest.raises(Closed):
        asyncio.run(run())


# ---- protobuf


def test_a_namespace_as_kubectl_sends_it() -> None:
    data = bytes.fromhex(
        "6b3873000a0f0a02763112094e616d657370616365121c0a140a0464656d6f12001a0022002a003200380042001200"
    )
    assert protobuf.decode(data + bytes.fromhex("1a020a001a002200")) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "demo"},
    }


def _tagged(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2, len(data)]) + data


def _wrapped(version: str, kind: str, raw: bytes) -> bytes:
    about = _tagged(1, version.encode()) + _tagged(2, kind.encode())
    return b"k8s\0" + _tagged(1, about) + _tagged(2, raw)


def test_zero_is_kept_where_it_says_something() -> None:
    spec = b"\x08\x00" + _tagged(3, b"")
    found = protobuf.decode(_wrapped("apps/v1", "Deployment", _tagged(1, _tagged(1, b"web")) + _tagged(2, spec)))
    assert found["spec"] == {"replicas": 0}
    found = protobuf.decode(_wrapped("v1", "DeleteOptions", b"\x08\x00" + _tagged(4, b"Background")))
    assert found == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    }


def test_embedded_structs_maps_and_special_types() -> None:
    port = b"\x08\x01\x1a\x04http"
    handler = _tagged(2, _tagged(2, port))
    container = _tagged(1, b"app") + _tagged(10, _tagged(1, handler) + b"\x20\x05")
    pod = _tagged(1, _tagged(11, _tagged(1, b"a") + _tagged(2, b"b"))) + _tagged(2, _tagged(2, container))
    found = protobuf.decode(_wrapped("v1", "Pod", pod))
    assert found["metadata"] == {"labels": {"a": "b"}}
    probe = {"httpGet": {"port": "http"}, "periodSeconds": 5}
    assert found["spec"]["containers"] == [{"name": "app", "livenessProbe": probe}]


@given(st.binary(max_size=200))
def test_noise_is_refused_not_feared(data: bytes) -> None:
    for body in (data, b"k8s\0" + data, _wrapped("v1", "Pod", data[:100])):
        with contextlib.suppress(BadRequest):
            protobuf.decode(body)


# ---- SPDY


class _Client:
    """The other side of a SPDY connection."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=spdy.DICTIONARY)

    def open(self, stream: int, **headers: str) -> bytes:
        text = len(headers).to_bytes(4, "big")
        for word in (word for pair in headers.items() for word in pair):
            text += len(word).to_bytes(4, "big") + word.encode()
        block = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return spdy._frame(spdy.SYN_STREAM, stream.to_bytes(4, "big") + bytes(6) + block)


def test_streams_open_speak_and_close() -> None:
    client, server = _Client(), spdy.Connection()
    said = client.open(1, streamtype="error", port="80") + client.open(3, streamtype="data", port="80")
    said += server.data(3, b"hello") + spdy._frame(spdy.PING, b"\0\0\0\7") + server.data(3, b"", last=True)
    said += spdy._frame(spdy.RST_STREAM, b"\0\0\0\1\0\0\0\5")
    found = [event for i in range(len(said)) for event in server.receive(said[i : i + 1])]
    assert found == [
        spdy.Opened(1, {"streamtype": "error", "port": "80"}),
        spdy.Opened(3, {"streamtype": "data", "port": "80"}),
        spdy.Data(3, b"hello", last=False),
        spdy.Data(3, b"", last=True),
        spdy.Reset(1),
    ]
    assert spdy._frame(spdy.PING, b"\0\0\0\7") in bytes(server.answers)


@given(st.binary(max_size=60))
def test_noise_breaks_nothing_but_the_connection(data: bytes) -> None:
    with contextlib.suppress(spdy.Broken):
        list(spdy.Connection().receive(b"\x80\x03\x00\x01" + data))


# ---- patches


PODS = patches.schema_of("v1", "Pod")


def strategic(target: Any, patch: Any) -> Any:
    return patches.strategic({"spec": target}, {"spec": patch}, PODS)["spec"]


def test_lists_merge_by_their_keys() -> None:
    old = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    new = {"containers": [{"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]}]}
    merged = strategic(old, new)["containers"]
    assert merged[0] == {"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}
    assert merged[1] == {"name": "b"}
    assert strategic({"tolerations": [{"key": "a"}]}, {"tolerations": [{"key": "b"}]}) == {
        "tolerations": [{"key": "b"}]
    }


def test_directives_of_a_strategic_patch() -> None:
    old = {"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "nodeSelector": {"x": "1"}}
    assert strategic(old, {"containers": [{"name": "b", "$patch": "delete"}]})["containers"] == [
        {"name": "a"},
        {"name": "c"},
    ]
    replaced = strategic(old, {"containers": [{"$patch": "replace"}, {"name": "d"}]})["containers"]
    assert replaced == [{"name": "d"}]
    assert strategic(old, {"nodeSelector": {"$patch": "replace", "y": "2"}})["nodeSelector"] == {"y": "2"}
    order = {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}], "containers": [{"name": "c", "image": "1"}]}
    assert [c["name"] for c in strategic(old, order)["containers"]] == ["c", "b", "a"]
    volumes = {"volumes": [{"name": "v", "emptyDir": {}}]}
    patch = {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}
    assert strategic(volumes, patch)["volumes"] == [{"name": "v", "hostPath": {"path": "/"}}]
    meta = {"metadata": {"finalizers": ["a/b", "c/d"]}}
    cut = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/b"], "finalizers": ["e/f"]}}
    assert patches.strategic(meta, cut, PODS)["metadata"]["finalizers"] == ["c/d", "e/f"]
    for wrong in ({"$patch": "turn"}, {"containers": [{"image": "x"}]}):
        with pytest.raises(BadRequest):
            strategic(old, wrong)


def test_merge_patches_of_the_rfc() -> None:
    assert patches.merge({"a": "b", "c": {"d": "e", "f": "g"}}, {"a": "z", "c": {"f": None}}) == {
        "a": "z",
        "c": {"d": "e"},
    }
    assert patches.merge([1, 2], {"a": {"b": None}}) == {"a": {}}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2], "b/c": {"~": 1}}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9], "b/c": {"~": 1}}),
        ({"op": "remove", "path": "/b~1c/~0"}, {"a": [1, 2], "b/c": {}}),
        ({"op": "replace", "path": "/a", "value": 0}, {"a": 0, "b/c": {"~": 1}}),
        ({"op": "move", "from": "/a/0", "path": "/x"}, {"a": [2], "b/c": {"~": 1}, "x": 1}),
        ({"op": "copy", "from": "/a/0", "path": "/x"}, {"a": [1, 2], "b/c": {"~": 1}, "x": 1}),
        ({"op": "test", "path": "/a", "value": [1, 2]}, {"a": [1, 2], "b/c": {"~": 1}}),
        ({"op": "test", "path": "/a", "value": 1}, None),
        ({"op": "remove", "path": "/x"}, None),
        ({"op": "replace", "path": "/x/y", "value": 1}, None),
        ({"op": "add", "path": "/a/7", "value": 1}, None),
        ({"op": "boil", "path": "/a"}, None),
    ],
)
def test_json_patches(operation: dict[str, Any], result: Any) -> None:
    document = {"a": [1, 2], "b/c": {"~": 1}}
    if result is None:
        with pytest.raises(Invalid):
            patches.json_patch(document, [operation])
    else:
        assert patches.json_patch(document, [operation]) == result
    assert document == {"a": [1, 2], "b/c": {"~": 1}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_a_merge_patch_applied_twice_is_applied_once(target: Any, patch: Any) -> None:
    once = patches.merge(target, patch)
    assert patches.merge(once, patch) == once


def test_base64_is_bytes() -> None:
    secret = _tagged(2, _tagged(1, b"k") + _tagged(2, b"\x00\xff"))
    found = protobuf.decode(_wrapped("v1", "Secret", secret))
    assert base64.b64decode(found["data"]["k"]) == b"\x00\xff"
