"""The book without a network: ``sw.js`` at the site's root, from the one beside this file and what the site holds."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

LEFT_OUT = ("_sources/", ".", "objects.inv", "sitemap.xml", "sw.js", "_static/locales/", "_static/scripts/locales/")
RUNTIME, LARGE = "_static/live/", 50_000
"""Python for the page, in files of more than so many bytes: kept once fetched, and over new versions of the text."""


def digests(out: Path) -> dict[str, str]:
    """What a site consists of: path → sha256, as the ``integrity`` of a request writes it."""
    files = sorted((path.relative_to(out).as_posix(), path) for path in out.rglob("*") if path.is_file())
    return {
        name: f"sha256-{base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()}"
        for name, path in files
        if not name.startswith(LEFT_OUT)
    }


def worker(out: Path) -> str:
    """The text of ``sw.js`` for the site in a folder."""
    found = digests(out)
    runtime = {
        name: digest
        for name, digest in found.items()
        if name.startswith(RUNTIME) and (out / name).stat().st_size > LARGE
    }
    pages = {name: digest for name, digest in found.items() if name not in runtime}
    names = {"PAGES": pages, "RUNTIME": runtime}
    head = "".join(f"const {name} = {json.dumps(value, indent=0)};\n" for name, value in names.items())
    body = (Path(__file__).parent / "sw.js").read_text("utf-8")
    version = hashlib.sha256((head + body).encode()).hexdigest()[:16]
    return f'const VERSION = "{version}";\n{head}{body}'


def write(app: Sphinx, problem: Exception | None) -> None:
    """The last thing that is written, since it names all others."""
    if problem is None and app.builder.format == "html":
        out = Path(app.outdir)
        (out / "sw.js").write_text(worker(out), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write, priority=990)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
