"""The book as a site: what a page offers besides its text, and what only a known public address allows.

``SELFHEAL_SITE_URL`` is the address that the book will have, ``https://somebody.github.io/selfheal/`` say: with it come
the canonical links, the social previews, ``sitemap.xml`` and the links of ``404.html``. ``SELFHEAL_REPOSITORY`` is
``owner/name`` on GitHub: with it come the buttons that open a chapter in Binder, Colab or Codespaces. The site works
without either, at any address.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

PREVIEW = "_static/patient-monitor.png"
"""The picture that a link to the book shows elsewhere."""
MARK = Path(__file__).parents[1] / "_static" / "mark.svg"
ABOUT = "Flip an app's health, and see to the second what Kubernetes does about it."


def address() -> str:
    """The public address, with a slash at its end, or nothing."""
    given = os.environ.get("SELFHEAL_SITE_URL", "")
    if given and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", given):
        raise ConfigError(f"SELFHEAL_SITE_URL={given} is no address such as https://somebody.github.io/selfheal/")
    return f"{given.rstrip('/')}/" if given else ""


def launches(page: str) -> list[dict[str, str]]:
    """Where a chapter can be opened with a kernel."""
    repository = os.environ.get("SELFHEAL_REPOSITORY", "")
    if not repository:
        return []
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise ConfigError(f"SELFHEAL_REPOSITORY={repository} is no owner/name")
    install = f'%pip install "selfheal[widgets] @ git+https://github.com/{repository}"'
    return [
        {
            "name": "Binder",
            "url": f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/{page}.ipynb",
            "hint": "In a container that is made for you; it may take some minutes",
        },
        {
            "name": "Colab",
            "url": f"https://colab.research.google.com/github/{repository}/blob/main/{page}.ipynb",
            "hint": f"Needs a Google account; run first: {install}",
        },
        {
            "name": "Codespaces",
            "url": f"https://codespaces.new/{repository}?quickstart=1",
            "hint": "Needs a GitHub account; VS Code with everything installed",
        },
    ]


def configure(_app: Sphinx, config: Config) -> None:
    config.html_baseurl = address()


def describe(doctree: nodes.document) -> str:
    """The first paragraph, as far as a search engine shows it."""
    text = next((" ".join(p.astext().split()) for p in doctree.findall(nodes.paragraph)), "")
    return text if len(text) <= 200 else f"{text[:200].rpartition(' ')[0]} …"


def offer(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """What ``_templates`` need to know."""
    context["preview"] = address() + PREVIEW
    if doctree is None:
        return
    context["description"] = describe(doctree)
    if Path(app.env.doc2path(page)).suffix == ".ipynb":
        context["notebook"] = context["pathto"](f"_sources/{context['sourcename']}", 1)
        context["launches"] = launches(page)


def extra(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page at the site's root, which leads to the book, and the one for an address where nothing is."""
    known = {"address": address(), "description": ABOUT}
    root = app.config.root_doc
    if root != "index":
        yield "index", known, "root.html"
    toctree = app.env.toctree_includes.get(root, [])
    pages = [(f"{name}.html", app.env.titles[name].astext()) for name in (root, *toctree)]
    mark = base64.b64encode(MARK.read_bytes()).decode()
    yield "404", {**known, "pages": pages, "mark": mark, "root": urlsplit(address()).path}, "404.html"


def sitemap(app: Sphinx, problem: Exception | None) -> None:
    if problem is not None or app.builder.format != "html" or not address():
        return
    addresses = [f"{address()}{page}.html" for page in sorted(app.env.found_docs)]
    pages = "".join(f"<url><loc>{escape(each)}</loc></url>\n" for each in addresses)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n'
    )
    (Path(app.outdir) / "sitemap.xml").write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", configure)
    app.connect("html-collect-pages", extra)
    app.connect("html-page-context", offer)
    app.connect("build-finished", sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
