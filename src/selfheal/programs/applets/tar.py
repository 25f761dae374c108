"""tar, as far as ``kubectl cp`` needs it: archives of plain files and directories."""

from __future__ import annotations

import io

from selfheal.programs.applets.registry import applet, options, stdin, usage
from selfheal.programs.filesystem import Directory, File, FileError
from selfheal.programs.process import Process, Running


@applet("tar", usage="c|x|t [-ZzJjahmvO] [-f TARFILE] [-C DIR] [FILE]...")
def tar(p: Process) -> Running:
    if len(p.argv) > 1 and not p.argv[1].startswith("-"):
        p.argv[1] = f"-{p.argv[1]}"  # the old way to write it
    given = options(p, "cxtmvpohOf:C:")
    if len([letter for letter in "cxt" if letter in given]) != 1:
        raise usage(p)
    name, at = given.get("f", "-"), given.get("C", ".")
    if not p.fs.is_dir(p.path(at)):
        return p.fail(f"can't change directory to '{at}': No such file or directory")
    try:
        if "c" in given:
            data = _packed(p, at, given.words)
            text = data.decode("utf-8", "surrogateescape")
            if name == "-":
                p.write(text)
            else:
                p.fs.write(p.path(name), text)
            return 0
        if name == "-":
            text, source = "", stdin(p)
            while more := (yield from source.read()):  # a full pipe is read in parts
                text += more
        else:
            text = p.fs.read(p.path(name))
        return _unpacked(p, at, text.encode("utf-8", "surrogateescape"), given.words, only_list="t" in given)
    except FileError as error:
        return p.fail(str(error))


def _packed(p: Process, at: str, paths: list[str]) -> bytes:
    import tarfile  # few ever need it

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        waiting = [*paths]
        while waiting:
            path = waiting.pop(0)
            whole = path if path.startswith("/") else f"{at}/{path}"
            node = p.fs.find(p.path(whole)).node
            if node is None:
                raise FileError(f"{path}: No such file or directory")
            entry = tarfile.TarInfo(path.strip("/") or ".")
            entry.mode = node.mode
            if isinstance(node, Directory):
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
                waiting = [f"{path.rstrip('/')}/{below}" for below in p.fs.list(p.path(whole))] + waiting
            elif isinstance(node, File):
                data = node.text.encode("utf-8", "surrogateescape")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _unpacked(p: Process, at: str, data: bytes, only: list[str], *, only_list: bool) -> int:
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for entry in archive:
                if only and not any(entry.name == o or entry.name.startswith(f"{o}/") for o in only):
                    continue
                if only_list:
                    p.write(f"{entry.name}\n")
                    continue
                path = p.path(f"{at}/{entry.name.lstrip('/')}")
                if entry.isdir():
                    p.fs.mkdir(path, parents=True)
                elif entry.isfile():
                    folder = path.rpartition("/")[0]
                    if folder:
                        p.fs.mkdir(folder, parents=True)
                    body = archive.extractfile(entry)
                    p.fs.write(path, (body.read() if body else b"").decode("utf-8", "surrogateescape"))
                    p.fs.chmod(path, entry.mode & 0o777)
    except (tarfile.TarError, EOFError, OSError):
        return p.fail("invalid tar magic" if data else "short read")
    return 0
