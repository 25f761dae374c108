"""The host that the browser tests stand on behaves as a plain static host does."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.live.host import Asked, Host


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "index.html").write_text("<h1>Here</h1>", encoding="utf-8")
    (tmp_path / "404.html").write_text("Not here", encoding="utf-8")
    (tmp_path / "big.bin").write_bytes(bytes(100_000))
    with Host(tmp_path) as host:
        yield host


def status(url: str, **headers: str) -> int:
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_a_page_comes_packed_with_a_tag_and_ten_minutes(host: Host) -> None:
    with urlopen(host.url, timeout=10) as answer:
        assert gzip.decompress(answer.read()) == b"<h1>Here</h1>"
        assert answer.headers["Cache-Control"] == "max-age=600"
        assert not [name for name in answer.headers if name.startswith("Cross-Origin")]
    assert status(host.url, If_None_Match=answer.headers["ETag"]) == 200
    assert status(host.url, **{"If-None-Match": answer.headers["ETag"]}) == 304
    assert [asked.status for asked in host.log] == [200, 200, 304]
    assert host.bytes == 2 * host.log[0].size


def test_what_is_not_there_is_404_and_nothing_lies_outside_the_folder(host: Host) -> None:
    assert [status(host.url + path) for path in ("nowhere", "../secret", "%2e%2e/secret")] == [404, 404, 404]
    assert status(host.origin + "/index.html") == 404
    assert host.log[0] == Asked("nowhere", 404, len(gzip.compress(b"Not here", 6, mtime=0)))


def test_a_file_can_be_lost_and_an_answer_can_fail_to_come(host: Host) -> None:
    host.faults = {"*.bin": "404", "index.html": "hang"}
    assert status(host.url + "big.bin") == 404
    with pytest.raises(TimeoutError):
        urlopen(host.url + "index.html", timeout=0.2)
    host.faults = {}
    assert status(host.url + "big.bin") == 200


def test_a_line_has_its_speed(host: Host) -> None:
    host.rate = 200_000
    began = time.monotonic()
    with urlopen(host.url + "big.bin", timeout=10) as answer:
        assert len(answer.read()) == 100_000
    assert time.monotonic() - began >= 0.5
