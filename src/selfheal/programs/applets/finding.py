"""grep, sed, find, xargs: looking for things and changing them."""

from __future__ import annotations

import re

from selfheal.clock import SECOND
from selfheal.programs.applets.regexes import regex
from selfheal.programs.applets.registry import applet, lines_of, number, options, source, stdin, usage
from selfheal.programs.applets.running import run
from selfheal.programs.filesystem import NOT_FOUND, Directory, FileError, Node
from selfheal.programs.process import Exit, Process, Running
from selfheal.programs.shell.patterns import matches


@applet("grep", "egrep", "fgrep", usage="[-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... } [FILE]...")
def grep(p: Process) -> Running:
    patterns: list[str] = []
    for i, word in enumerate(p.argv[1:-1], 1):
        if word == "-e":
            patterns.append(p.argv[i + 1])
    given = options(p, "HhnlLoqvsrRiwxFEzace:m:A:B:C:", code=2)
    words = given.words
    if not patterns:
        if "e" in given:
            patterns = [given["e"]]
        elif words:
            patterns = [words.pop(0)]
        else:
            raise usage(p, code=2)
    patterns = [line for pattern in patterns for line in pattern.split("\n")]
    fixed = "F" in given or p.name == "fgrep"
    extended = "E" in given or p.name == "egrep"
    flags = re.IGNORECASE if "i" in given else 0
    wanted: list[re.Pattern[str]] = []
    for pattern in patterns:
        compiled = re.compile(re.escape(pattern), flags) if fixed else regex(p, pattern, extended, flags)
        text = compiled.pattern
        if "x" in given:
            text = rf"(?:{text})\Z"
        elif "w" in given:
            text = rf"\b(?:{text})\b"
        wanted.append(re.compile(text, flags))
    paths, status = _paths(p, words, given)
    named = ("H" in given or len(paths) > 1 or "r" in given or "R" in given) and "h" not in given
    hit = False
    for path in paths:
        try:
            stream = source(p, path)
        except FileError as error:
            if "s" not in given:
                p.complain(f"{path}: {error}")
            status = 2
            continue
        name = "(standard input)" if path == "-" else path
        label = f"{name}:" if named else ""
        count = at = 0
        limit = number(p, given.get("m", "0"))
        while line := (yield from stream.readline()):
            line = line.removesuffix("\n")
            at += 1
            found = _first(wanted, line, "x" in given)
            if (found is None) != ("v" in given):
                continue
            hit = True
            count += 1
            if "q" in given:
                return 0
            if "l" in given:
                break
            if "c" in given or "L" in given:
                continue
            prefix = label + (f"{at}:" if "n" in given else "")
            if "o" in given and "v" not in given:
                for pattern_ in wanted:
                    for each in pattern_.finditer(line):
                        if each[0]:
                            p.log(prefix + each[0])
            else:
                p.log(prefix + line)
            if limit and count >= limit:
                break
        if "c" in given:
            p.log(f"{label}{count}")
        elif ("l" in given and count) or ("L" in given and not count):
            p.log(name)
    return status or int(not hit)


def _first(wanted: list[re.Pattern[str]], line: str, whole: bool) -> re.Match[str] | None:
    for pattern in wanted:
        found = pattern.match(line) if whole else pattern.search(line)
        if found is not None:
            return found
    return None


def _paths(p: Process, words: list[str], given: dict[str, str]) -> tuple[list[str], int]:
    if not ("r" in given or "R" in given):
        return words or ["-"], 0
    found: list[str] = []
    for path in words or ["."]:
        node = p.fs.node(p.path(path))
        if isinstance(node, Directory):
            found += [each for each, inner in _walk(node, path) if inner.kind == "-"]
        else:
            found.append(path)
    return found, 0


def _walk(node: Node, path: str, depth: int = 0) -> list[tuple[str, Node]]:
    found = [(path, node)]
    if isinstance(node, Directory) and depth < 100:
        for name in sorted(node.entries):
            found += _walk(node.entries[name], f"{path.rstrip('/')}/{name}", depth + 1)
    return found


# ---- sed


# ---- find and xargs


@applet("find", usage="[-HL] [PATH]... [OPTIONS] [ACTIONS]")
def find(p: Process) -> Running:
    words = p.argv[1:]
    paths: list[str] = []
    while words and not words[0].startswith(("-", "!", "(")):
        paths.append(words.pop(0))
    status = 0
    p.kernel.restless += any(word in ("-mmin", "-mtime") for word in words)
    for path in paths or ["."]:
        node = p.fs.node(p.path(path))
        if node is None:
            status = p.fail(f"{path}: {NOT_FOUND}")
            continue
        for each, inner in _walk(node, path):
            if not _found(p, words, each, inner, each.count("/") - path.rstrip("/").count("/")):
                continue
            if "-delete" in words:
                p.fs.remove(p.path(each), recursive=True)
            elif "-exec" in words:
                command = words[words.index("-exec") + 1 :]
                end = next((i for i, word in enumerate(command) if word in (";", "+")), len(command))
                yield from run(p, [word.replace("{}", each) for word in command[:end]])
            elif "-quit" in words:
                p.log(each)
                return 0
            else:
                p.log(each)
    return status


def _found(p: Process, words: list[str], path: str, node: Node, depth: int) -> bool:
    rest = list(words)
    negated = False
    while rest:
        word = rest.pop(0)
        if word == "!":
            negated = True
            continue
        if word in ("-exec", "-ok"):
            break
        if word in ("-print", "-delete", "-quit", "-a", "-depth", "-xdev", "-print0"):
            continue
        if word == "-empty":
            ok = not (node.entries if isinstance(node, Directory) else getattr(node, "text", ""))
        else:
            value = rest.pop(0) if rest else ""
            ok = _criterion(p, word, value, path, node, depth)
        if ok == negated:
            return False
        negated = False
    return True


def _criterion(p: Process, word: str, value: str, path: str, node: Node, depth: int) -> bool:
    name = path.rstrip("/").rpartition("/")[2] or path
    if word == "-name":
        return matches(value, name)
    if word == "-iname":
        return matches(value.lower(), name.lower())
    if word == "-path":
        return matches(value, path)
    if word == "-type":
        return node.kind == ("-" if value == "f" else value)
    if word == "-maxdepth":
        return depth <= number(p, value)
    if word == "-mindepth":
        return depth >= number(p, value)
    if word in ("-mmin", "-mtime"):
        unit = 60 if word == "-mmin" else 86400
        age = (p.kernel.clock.unix() // SECOND - node.mtime // SECOND) // unit
        count = number(p, value.lstrip("+-"))
        return age > count if value.startswith("+") else age < count if value.startswith("-") else age == count
    if word == "-newer":
        other = p.fs.node(p.path(value))
        return other is not None and node.mtime > other.mtime
    if word == "-size":
        amount = number(p, value.strip("+-ckMGbw") or "0")
        length = -(-len(getattr(node, "text", "")) // {"c": 1, "k": 1024, "M": 1 << 20}.get(value[-1:], 512))
        return (
            length > amount if value.startswith("+") else length < amount if value.startswith("-") else length == amount
        )
    p.complain(f"unrecognized: {word}")
    raise Exit(1)


@applet("xargs", usage="[OPTIONS] [PROG ARGS]")
def xargs(p: Process) -> Running:
    given = options(p, "rtx0n:s:I:P:", stop_early=True)
    command = given.words or ["echo"]
    text = yield from stdin(p).read()
    if "I" in given:
        batches = [[line] for line in lines_of(text) if line.strip()]
    else:
        words = text.split("\0") if "0" in given else text.split()
        words = [word for word in words if word]
        size = number(p, given.get("n", "0")) or max(1, len(words))
        batches = [words[i : i + size] for i in range(0, len(words), size)] or ([] if "r" in given else [[]])
    status = 0
    for batch in batches:
        argv = [word.replace(given["I"], batch[0]) for word in command] if "I" in given else command + batch
        code = yield from run(p, argv)
        if code in (126, 127):
            return code
        if code:
            status = 123
    return status
