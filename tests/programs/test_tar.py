"""tar, which ``kubectl cp`` runs in the container."""

from __future__ import annotations

import io
import tarfile

from tests.programs.box import Box


def archive(**files: bytes) -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"d/{name}")
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return buffer.getvalue().decode("utf-8", "surrogateescape")


def run(box: Box, *argv: str, stdin: str | None = None) -> tuple[int, str]:
    done = box.runtime.exec(box.container, list(argv), stdin=stdin)
    return done.exit_code, done.output


def test_files_go_in_and_come_out_as_they_were() -> None:
    box, data = Box("sleep 1000"), bytes(range(256)) * 5
    assert run(box, "tar", "xmf", "-", "-C", "/tmp", stdin=archive(a=data, b=b"text\n")) == (0, "")
    assert run(box, "cat", "/tmp/d/b") == (0, "text\n")
    code, out = run(box, "tar", "cf", "-", "-C", "/tmp", "d")
    assert code == 0
    with tarfile.open(fileobj=io.BytesIO(out.encode("utf-8", "surrogateescape"))) as back:
        found = back.extractfile("d/a")
        assert found is not None
        assert found.read() == data
    assert run(box, "tar", "tf", "-", stdin=archive(a=b"1")) == (0, "d/a\n")


def test_what_is_no_archive_is_told() -> None:
    box = Box("sleep 1000")
    assert run(box, "tar", "xf", "-", stdin="no archive at all" * 100)[0] == 1
    assert run(box, "tar", "cf", "-", "/nowhere")[0] == 1
    assert run(box, "tar", "xf", "-", "-C", "/nowhere", stdin=archive())[0] == 1
    assert run(box, "tar", "xcf", "-")[0] == 1
