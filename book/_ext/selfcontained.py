"""Pages that contact nobody: formulas as MathML, nothing that names another host, and a policy that forbids the rest.

The policy is a meta tag, since a plain host sends no headers of ours. It lets run what lies beside the page and the
theme's own inline scripts, named by their hashes; so a script in the output of a cell does not run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

SETTINGS = re.compile(r'<script type="text/x-thebe-config">.*?</script>|<script>kernelName = [^<]*</script>', re.DOTALL)
POLICY = {
    "default-src": "'self'",  # Firefox fetches the next page beforehand
    "frame-src": "'none'",
    "object-src": "'none'",
    "script-src": "'self' blob: 'wasm-unsafe-eval'",  # blob: is how anywidget imports a widget's module
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
}
OWN_BODY = {"search.html", "404.html"}
"""Pages that hold no author's text: the scripts of their bodies are the frame's, too."""


class Scripts(HTMLParser):
    """The inline scripts of a page that are the frame's own: those of its head, and of its body if it has no text."""

    def __init__(self, body: bool) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self.trusted = True
        self.inside = False
        self.body = body

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "body":
            self.trusted = self.body
        self.inside = tag == "script" and "src" not in given and given.get("type") in {None, "text/javascript"}
        if self.inside and self.trusted:
            self.found.append("")

    def handle_endtag(self, _tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside and self.trusted:
            self.found[-1] += data


def policy(page: str, own_body: bool) -> str:
    """The content of the meta tag for the text of a page."""
    scripts = Scripts(own_body)
    scripts.feed(page)
    digests = sorted({base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts.found})
    allowed = {**POLICY, "script-src": " ".join([POLICY["script-src"], *(f"'sha256-{digest}'" for digest in digests)])}
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


def restrain(app: Sphinx, problem: Exception | None) -> None:
    """The policy stands first in each head, before anything that it rules."""
    if problem is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text("utf-8")
        if "<head>" in text and "Content-Security-Policy" not in text.partition("</head>")[0]:
            tag = f'<meta http-equiv="Content-Security-Policy" content="{policy(text, path.name in OWN_BODY)}">'
            path.write_text(text.replace("<head>", f"<head>\n    {tag}", 1), "utf-8")


def inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def displayed(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(convert(node.astext(), display="block") + "</div>\n")
    raise nodes.SkipNode


def drop_thebe(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """jupyter-book always adds sphinx-thebe, whose scripts come from elsewhere."""
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context.get(kind, []) if "thebe" not in told(file)]
    context["body"] = SETTINGS.sub("", context.get("body", ""))


def told(file: object) -> str:
    """All that a page would say of a script or a style sheet."""
    return f"{getattr(file, 'filename', file)} {getattr(file, 'attributes', '')}".lower()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(displayed, None))
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", restrain, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
