"""Where manifests come from: files, folders, texts; each cut into documents as kubectl does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from selfheal.manifests import yaml11
from selfheal.manifests.plain import LARGEST, BadManifest, Plain, TooLarge, Unreadable, integer, plain

STDIN = "STDIN"
"""What kubectl calls a manifest that is no file."""

SUFFIXES = (".json", ".yaml", ".yml")


def documents(text: str | bytes, name: str = STDIN) -> list[Plain]:
    """The documents of a text; empty ones are left out. ``name`` is the file's, for messages.

    Raises BadManifest, TooLarge.
    """
    text = _decoded(text, name)
    if text.lstrip().startswith("{"):
        try:
            return _json(text)
        except Unreadable as wrong:
            raise _unparsed(name, wrong.text) from None
        except ValueError:  # not JSON after all: YAML begins with a brace, too
            pass
    found: list[Plain] = []
    for first, part in _parts(text, name):
        try:
            value = yaml11.document(part)
        except Unreadable as wrong:
            error = _unparsed(name, f"error converting YAML to JSON: {wrong.text}")
            if first and wrong.line:
                error.add_note(f"line {first + wrong.line} of the file")
            raise error from None
        if value is not None:
            found.append(value)
    return found


def request(text: bytes) -> tuple[Plain, list[str]]:
    """The one value of a request's body, and its fields that are named twice: ``spec.replicas``; the last one holds.

    Raises BadManifest, TooLarge.
    """
    try:
        values = _json(_decoded(text, STDIN), _Twice) if text.lstrip()[:1] in (b"{", b"[") else []
    except Unreadable as wrong:
        raise _unparsed(STDIN, wrong.text) from None
    except ValueError:
        values = []
    if len(values) == 1 and isinstance(values[0], dict | list):
        return plain(values[0]), list(_twice(values[0], ""))
    found = documents(text)
    if len(found) != 1:
        raise BadManifest(f"the body holds {len(found)} documents, not one")
    return found[0], []


def _twice(value: object, path: str) -> Iterator[str]:
    """Where names come twice, below a path."""
    if isinstance(value, _Twice):
        for name in value.twice:
            yield f"{path}.{name}".lstrip(".")
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _twice(below, f"{path}.{name}")
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from _twice(below, f"{path}[{i}]")


def files(path: Path) -> list[Path]:
    """The file, or the manifests of the folder, by name. Raises BadManifest."""
    try:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES and p.is_file())
            if not found:
                raise BadManifest(f"error reading [{path}]: recognized file extensions are [{' '.join(SUFFIXES)}]")
            return found
        if path.is_file():
            return [path]
    except (OSError, ValueError) as error:  # no permission; a name too long, or with a zero byte
        raise BadManifest(f'the path "{path}" cannot be accessed: {_why(error)}') from None
    raise BadManifest(f'the path "{path}" does not exist')


def contents(path: Path) -> bytes:
    """What is in a file. Raises BadManifest."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise BadManifest(f'the path "{path}" cannot be accessed: {_why(error)}') from None


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _decoded(text: str | bytes, name: str) -> str:
    if len(text) > LARGEST:
        raise TooLarge(f"Request entity too large: limit is {LARGEST}")
    try:
        if isinstance(text, bytes):
            wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
            return text.decode("utf-16" if wide else "utf-8-sig")
        text.encode("utf-8")
    except UnicodeDecodeError as error:
        what = {
            "invalid continuation byte": "invalid trailing UTF-8 octet",
            "unexpected end of data": "incomplete UTF-8 octet sequence",
        }.get(error.reason, "invalid leading UTF-8 octet")
        raise _unparsed(name, f"error converting YAML to JSON: yaml: {what}") from None
    except UnicodeEncodeError:
        raise _unparsed(name, "error converting YAML to JSON: yaml: invalid leading UTF-8 octet") from None
    return text.removeprefix("\ufeff")


def _parts(text: str, name: str) -> Iterator[tuple[int, str]]:
    """The text cut at its ``---`` lines, with the number of lines before each part.

    kubectl cuts before it parses (apimachinery/pkg/util/yaml/decoder.go YAMLReader), so lines are counted per document.
    """
    first = 0
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("---"):
            rest = line[3:].strip()
            if rest and not rest.startswith("#"):
                raise _unparsed(name, f"invalid Yaml document separator: {rest}")
            yield first, "\n".join(lines) + "\n" if lines else ""
            first, lines = number, []
        else:
            lines.append(line)
    yield first, "\n".join(lines)


def _unparsed(name: str, text: str) -> BadManifest:
    return BadManifest(f"error parsing {name}: {text}")


class _Twice(dict[str, object]):
    """An object in which a name may come twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.twice = (
            [name for i, (name, _) in enumerate(pairs) if name in [p[0] for p in pairs[:i]]]
            if (len(self) < len(pairs))
            else []
        )


def _json(text: str, pairs: Callable[[list[tuple[str, object]]], dict[str, object]] | None = None) -> list[Plain]:
    """One or many JSON objects, one after another."""
    decoder = json.JSONDecoder(object_pairs_hook=pairs or _pairs, parse_constant=_constant, parse_int=_whole)
    found: list[Plain] = []
    at = 0
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            found.append(plain(value) if pairs is None else value)
            while at < len(text) and text[at] in " \t\r\n":
                at += 1
    except RecursionError:
        raise Unreadable("exceeded max depth") from None
    return found


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in pairs:
        if key in out:
            raise Unreadable(f'duplicate field "{key}"')
        out[key] = value
    return out


def _constant(text: str) -> float:
    raise ValueError(text)  # NaN and Infinity are not JSON


def _whole(text: str) -> int | float:
    return integer(int(text)) if len(text) < 40 else float(text)
