"""A Sphinx extension: each chapter that is a notebook can come alive in its page.

Gives each code cell an id, writes the chapter's sources to ``_live/<page>.json``, puts the settings into the page, and
copies what :mod:`assets` built to ``_static/live``. Settings in ``conf.py`` (``sphinx: config:`` in ``_config.yml``):

``live_source``   folder with the project's own package, as in a wheel
``live_left_out`` what in it no cell needs: the beginnings of paths
``live_files``    globs of further files that cells read, relative to the root of the sources
``live_preload``  modules that are imported before the snapshot of Python's memory is made
``live_mount``    a global function of the page that is called with each element that holds fresh outputs
``live_words``    what readers see: a JSON file, ``{language}`` in its path, whose part ``live`` is put into the page
``live_never``    pages that a page's Python cannot run: the beginnings of their names
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

sys.path.insert(0, str(Path(__file__).parent))
import assets  # beside this file, which is no package


def build(app: Sphinx) -> None:
    """The assets, once a build."""
    root, source = Path(app.srcdir), Path(app.srcdir) / app.config.live_source
    own = {
        name: path.read_bytes()
        for path in sorted(source.rglob("*"))
        if path.is_file()
        and assets.KEPT.search(name := path.relative_to(source).as_posix())
        and not name.startswith(tuple(app.config.live_left_out))
    }
    extra = [path for glob in app.config.live_files for path in sorted(root.glob(glob))]
    out = root / "_build" / "live"
    try:
        key = assets.build(out, own, [(f"course/{path.relative_to(root).as_posix()}", path) for path in extra])
    except assets.Missing as problem:
        raise ExtensionError(f"live pages: {problem}") from problem
    app.config.live_built = [str(out), key]


def mark_cells(_app: Sphinx, doctree: nodes.document, _page: str) -> None:
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["ids"].append(f"live-cell-{node['cell_index']}")


def add_page(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Settings and script go on the pages that have code."""
    source = Path(app.env.doc2path(page)) if doctree is not None else Path()
    if source.suffix != ".ipynb" or page.startswith(tuple(app.config.live_never)):
        return
    cells = [
        {"index": n, "key": hashlib.sha256(cell.source.encode()).hexdigest()[:12], "source": cell.source, "tags": tags}
        for n, cell in enumerate(nbformat.read(source, as_version=4).cells)
        if cell.cell_type == "code" and "skip-live" not in (tags := cell.metadata.get("tags", []))
    ]
    target = Path(app.outdir) / "_live" / f"{page}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(cells, ensure_ascii=False), "utf-8")
    folder = Path("course", source.parent.relative_to(app.srcdir)).as_posix()
    key, preload = app.config.live_built[1], app.config.live_preload
    files = {"site": "site.pack", "key": key, "preload": preload, "folder": folder, "snapshot": True}
    said = Path(app.srcdir, app.config.live_words.format(language=context["language"])).read_text("utf-8")
    config = {"cells": f"{'../' * page.count('/')}_live/{page}.json", "mount": app.config.live_mount, "files": files}
    config["words"] = json.loads(said)["live"]
    text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
    if any("remove-input" not in cell["tags"] and "remove-cell" not in cell["tags"] for cell in cells):
        context["body"] = context["body"].replace("</h1>", '</h1>\n<div class="live-bar"></div>', 1)
    context["body"] += f'<script type="application/json" id="live-config">{text}</script>'
    app.add_js_file("live/page.js", loading_method="defer", priority=400)
    app.add_css_file("live/page.css")


def copy(app: Sphinx, problem: Exception | None) -> None:
    if problem is None and app.builder.format == "html":
        out = Path(app.outdir) / "_static" / "live"
        unfit = shutil.ignore_patterns("*.sha256")
        shutil.copytree(app.config.live_built[0], out, dirs_exist_ok=True, ignore=unfit)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("live_source", "src", "html")
    app.add_config_value("live_left_out", [], "html")
    app.add_config_value("live_files", [], "html")
    app.add_config_value("live_preload", [], "html")
    app.add_config_value("live_mount", "", "html")
    app.add_config_value("live_words", "", "html")
    app.add_config_value("live_never", [], "html")
    app.add_config_value("live_built", [], "")
    app.connect("builder-inited", build)
    app.connect("doctree-resolved", mark_cells)
    app.connect("html-page-context", add_page)
    app.connect("build-finished", copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
