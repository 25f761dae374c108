"""What the book says of its public address, where it knows one; and the site on loopback."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
project = "A book"
extensions = ["myst_nb", "publish", "selfcontained"]
nb_execution_mode = "off"
html_theme = "sphinx_book_theme"
html_title = "A book"
templates_path = [{str(ROOT / "book" / "_templates")!r}]
html_static_path = [{str(ROOT / "book" / "_static")!r}]
"""
CELLS = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": '# A chapter\n\nIt asks: "why?"\n'}]
KNOWN = {"SELFHEAL_SITE_URL": "https://somebody.example/a/b", "SELFHEAL_REPOSITORY": "some/body"}


def build(place: Path, **env: str) -> subprocess.CompletedProcess[str]:
    (place / "book").mkdir(parents=True)
    (place / "conf.py").write_text(CONF, "utf-8")
    (place / "index.md").write_text("# A book\n\nAll of it.\n\n```{toctree}\nbook/chapter\n```\n", "utf-8")
    notebook = {"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (place / "book" / "chapter.ipynb").write_text(json.dumps(notebook), "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", str(place), str(place / "html")]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("published")
    done = build(place, **KNOWN)
    assert done.returncode == 0, done.stderr
    return place / "html"


def test_a_page_that_is_listed_no_more_is_published_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("build_book", ROOT / "tools" / "build_book.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    site = tmp_path / "_build" / "html"
    site.mkdir(parents=True)
    (site / "a-chapter-of-old.html").touch()

    def built(command: list[str], **_given: object) -> subprocess.CompletedProcess[str]:
        site.mkdir(exist_ok=True)
        (site / "index.html").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(tool.subprocess, "run", built)
    monkeypatch.setattr(sys, "argv", ["build_book.py", str(tmp_path)])
    assert tool.main() == 0
    assert [page.name for page in site.iterdir()] == ["index.html"]


@pytest.mark.slow
def test_a_chapter_says_where_it_is_and_where_it_can_be_opened(published: Path) -> None:
    page = (published / "book" / "chapter.html").read_text("utf-8")
    address = "https://somebody.example/a/b/book/chapter.html"
    assert f'<link rel="canonical" href="{address}"' in page
    assert f'<meta property="og:url" content="{address}">' in page
    assert '<meta property="og:description" content="It asks: “why?”">' in page
    assert '<meta property="og:image" content="https://somebody.example/a/b/_static/patient-monitor.png">' in page
    for launch in (
        "https://mybinder.org/v2/gh/some/body/HEAD?urlpath=lab/tree/book/chapter.ipynb",
        "https://colab.research.google.com/github/some/body/blob/main/book/chapter.ipynb",
        "https://codespaces.new/some/body?quickstart=1",
    ):
        assert f'href="{launch}"' in page


@pytest.mark.slow
def test_the_sitemap_names_every_page(published: Path) -> None:
    urls = {found.text for found in ET.parse(published / "sitemap.xml").iter() if found.tag.endswith("loc")}
    assert urls == {f"https://somebody.example/a/b/{page}.html" for page in ("index", "book/chapter")}


@pytest.mark.slow
def test_the_page_for_nothing_needs_no_script_where_the_address_is_known(published: Path) -> None:
    page = (published / "404.html").read_text("utf-8")
    assert 'href="/a/b/book/chapter.html"' in page
    assert "<script" not in page


@pytest.mark.slow
def test_without_an_address_nothing_is_said_of_one(tmp_path: Path) -> None:
    done = build(tmp_path, SELFHEAL_SITE_URL="", SELFHEAL_REPOSITORY="")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html" / "book" / "chapter.html").read_text("utf-8")
    assert [word for word in ("canonical", "og:", "binder", "colab", "codespaces") if word in page] == []
    assert not (tmp_path / "html" / "sitemap.xml").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "value"), [("SELFHEAL_SITE_URL", "somewhere"), ("SELFHEAL_REPOSITORY", "name")])
def test_an_address_that_is_none_is_refused(tmp_path: Path, name: str, value: str) -> None:
    done = build(tmp_path, **{name: value})
    assert done.returncode != 0
    assert f"{name}={value}" in done.stderr


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """`make serve` of a small site."""
    files = {"index.html": "<h1>Home</h1>", "404.html": "Nothing", "a.mjs": "export {}", "b.wasm": "\0asm"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    command = [sys.executable, str(ROOT / "tools" / "serve.py"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield next(line.strip() for line in server.stdout if "http://127.0.0.1" in line)
        server.terminate()


def test_serve_packs_and_names_types(served: str) -> None:
    for name, kind in (("", "text/html"), ("a.mjs", "text/javascript"), ("b.wasm", "application/wasm")):
        request = urllib.request.Request(served + name, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["Content-Type"] == kind
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.read())
    with urllib.request.urlopen(served) as answer:
        assert answer.read() == b"<h1>Home</h1>", "who does not unpack gets it as it is"
    with pytest.raises(urllib.error.HTTPError) as nothing:
        urllib.request.urlopen(f"{served}x/y")
    with nothing.value as answer:
        assert (answer.code, answer.read()) == (404, b"Nothing")
