"""sed: s, p, d, q, a, i, c, y and =, with addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass

from selfheal.programs.applets.regexes import regex
from selfheal.programs.applets.registry import applet, source, usage
from selfheal.programs.filesystem import FileError
from selfheal.programs.process import Exit, Process, Running


@dataclass(slots=True)
class _Edit:
    first: str
    last: str | None
    negated: bool
    command: str
    pattern: re.Pattern[str] | None = None
    text: str = ""
    flags: str = ""
    active: bool = False


@applet("sed", usage="[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...")
def sed(p: Process) -> Running:
    scripts: list[str] = []
    words: list[str] = []
    quiet = extended = in_place = False
    rest = p.argv[1:]
    while rest:
        word = rest.pop(0)
        if word in ("-e", "--expression") and rest:
            scripts.append(rest.pop(0))
        elif word.startswith("-i"):
            in_place = True
        elif re.fullmatch(r"-[nrEsz]+", word):
            quiet = quiet or "n" in word
            extended = extended or "r" in word or "E" in word
        else:
            words.append(word)
    if not scripts:
        if not words:
            raise usage(p)
        scripts = [words.pop(0)]
    edits = _edits(p, "\n".join(scripts), extended)
    status = 0
    for path in words or ["-"]:
        try:
            stream = source(p, path)
        except FileError as error:
            status = p.fail(f"{path}: {error}")
            continue
        out: list[str] = []
        number = 0
        line = yield from stream.readline()
        done = False
        while line and not done:
            following = yield from stream.readline()
            number += 1
            text, done = _sed_line(edits, line.removesuffix("\n"), number, not following, quiet)
            if in_place:
                out.append(text)
            else:
                p.write(text)
            line = following
        if in_place:
            p.fs.write(p.path(path), "".join(out))
    return status


def _edits(p: Process, script: str, extended: bool) -> list[_Edit]:
    edits: list[_Edit] = []
    at = 0
    address = re.compile(r"\s*(?:(\d+|\$|/(?:[^/\\]|\\.)*/)(?:,(\d+|\$|/(?:[^/\\]|\\.)*/))?)?\s*(!?)\s*([a-zA-Z=])")
    while at < len(script):
        if script[at] in " \t\n;":
            at += 1
            continue
        found = address.match(script, at)
        if found is None:
            p.complain(f"unsupported command {script[at]}")
            raise Exit(1)
        edit = _Edit(found[1] or "", found[2], bool(found[3]), found[4])
        at = found.end()
        if edit.command == "s":
            mark = script[at : at + 1]
            pieces = []
            at += 1
            for _ in range(2):
                piece = ""
                while at < len(script) and script[at] != mark:
                    step = 2 if script[at] == "\\" else 1
                    piece += script[at : at + step]
                    at += step
                if not mark or at >= len(script):
                    p.complain("bad format in substitution expression")
                    raise Exit(1)
                pieces.append(piece.replace("\\" + mark, mark) if mark not in "|(){}+?.*" else piece)
                at += 1
            flags = re.compile(r"[gpiI0-9]*").match(script, at)
            assert flags is not None
            edit.flags = flags[0]
            at = flags.end()
            insensitive = re.IGNORECASE if "i" in edit.flags.lower() else 0
            edit.pattern = regex(p, pieces[0], extended, insensitive)
            edit.text = pieces[1]
        elif edit.command in "aic":
            end = script.find("\n", at)
            end = len(script) if end < 0 else end
            edit.text = script[at:end].strip().removeprefix("\\").strip()
            at = end
        elif edit.command == "y":
            pieces = script[at + 1 :].split(script[at : at + 1], 2) if at < len(script) else []
            if len(pieces) < 3 or len(pieces[0]) != len(pieces[1]):
                p.complain("strings for 'y' command have different lengths")
                raise Exit(1)
            edit.text, edit.flags = pieces[0], pieces[1]
            at += len(pieces[0]) + len(pieces[1]) + 3
        elif edit.command not in "pdq=":
            p.complain(f"unsupported command {edit.command}")
            raise Exit(1)
        edits.append(edit)
    return edits


def _sed_line(edits: list[_Edit], line: str, number: int, last: bool, quiet: bool) -> tuple[str, bool]:
    """What one line becomes, and whether that is the end."""
    out: list[str] = []
    after: list[str] = []
    done = False
    for edit in edits:
        if _addressed(edit, line, number, last) == edit.negated:
            continue
        if edit.command == "s" and edit.pattern is not None:
            text = re.sub(r"(?<!\\)&", r"\\g<0>", edit.text).replace("\\&", "&").replace("\\n", "\n")
            line, count = _substituted(edit, text, line)
            if count and "p" in edit.flags:
                out.append(f"{line}\n")
        elif edit.command == "y":
            line = line.translate(str.maketrans(edit.text, edit.flags))
        elif edit.command == "p":
            out.append(f"{line}\n")
        elif edit.command == "=":
            out.append(f"{number}\n")
        elif edit.command == "d":
            return "".join(out), False
        elif edit.command == "q":
            done = True
            break
        elif edit.command == "a":
            after.append(f"{edit.text}\n")
        elif edit.command == "i":
            out.append(f"{edit.text}\n")
        elif edit.command == "c":
            return "".join(out) + f"{edit.text}\n", False
    if not quiet:
        out.append(f"{line}\n")
    return "".join(out + after), done


def _substituted(edit: _Edit, text: str, line: str) -> tuple[str, int]:
    assert edit.pattern is not None
    nth = int(re.sub(r"\D", "", edit.flags)[:9] or 1)
    if nth == 1:
        return edit.pattern.subn(text, line, count=0 if "g" in edit.flags else 1)
    for i, found in enumerate(edit.pattern.finditer(line), 1):
        if i == nth:
            return line[: found.start()] + found.expand(text) + line[found.end() :], 1
    return line, 0


def _addressed(edit: _Edit, line: str, number: int, last: bool) -> bool:
    if not edit.first:
        return True
    if edit.last is None:
        return _at(edit.first, line, number, last)
    if edit.active:
        edit.active = not _at(edit.last, line, number, last)
        return True
    if _at(edit.first, line, number, last):
        edit.active = not (edit.last.isdecimal() and int(edit.last) <= number)
        return True
    return False


def _at(address: str, line: str, number: int, last: bool) -> bool:
    if address == "$":
        return last
    if address.isdecimal():
        return int(address) == number
    return re.search(address[1:-1], line) is not None
