"""What a live page loads: checked against its lock, the same bytes each time, and built only when something changed."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def assets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("live_assets", ROOT / "live" / "assets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "live_assets", module)
    spec.loader.exec_module(module)
    return module


def test_the_packages_are_those_of_the_lock(assets):
    names = {path.split("/")[0].removesuffix(".py") for path in assets.packages()}
    assert {"simpy", "yaml", "ipywidgets", "anywidget", "traitlets", "comm", "psygnal", "typing_extensions"} <= names


def test_nothing_compiled_goes_into_the_page(assets):
    assert [path for path in assets.packages() if path.endswith((".so", ".pyd", ".pyc"))] == []


def test_a_package_with_another_content_is_refused(assets, monkeypatch, tmp_path):
    known = json.loads(assets.LOCK.read_text("utf-8"))
    known["simpy"]["sha256"] = "0" * 64
    lock = tmp_path / "packages.json"
    lock.write_text(json.dumps(known), "utf-8")
    monkeypatch.setattr(assets, "LOCK", lock)
    with pytest.raises(assets.Missing, match=r"simpy .* is not the .* of live/packages\.json"):
        assets.packages()


def test_the_pack_has_the_same_bytes_whatever_the_order(assets):
    one, two = assets.pack({"a.py": b"1", "b.py": "…".encode()}), assets.pack({"b.py": "…".encode(), "a.py": b"1"})
    assert one == two
    assert json.loads(gzip.decompress(one)) == {"a.py": "1", "b.py": "…"}


def test_what_did_not_change_is_not_built_again(assets, monkeypatch, tmp_path):
    ran: list[tuple[str, ...]] = []
    here = tmp_path / "live"
    (here / "src").mkdir(parents=True)
    (here / "node_modules").mkdir()
    (here / "py").mkdir()
    for name in ("package-lock.json", "build.mjs", "src/page.js", "py/livekernel.py"):
        (here / name).write_text("{}", "utf-8")
    monkeypatch.setattr(assets, "HERE", here)
    monkeypatch.setattr(assets, "node", lambda *arguments: ran.append(arguments[:2]))
    out = tmp_path / "out"
    first = assets.build(out, {"selfheal/__init__.py": b""})
    assert [arguments[0] for arguments in ran] == ["npm", "build.mjs"]
    assert assets.build(out, {"selfheal/__init__.py": b""}) == first
    assert len(ran) == 2  # neither npm nor the bundler ran a second time
    assert assets.build(out, {"selfheal/__init__.py": b"changed = True"}) != first
    assert len(ran) == 2  # the package is packed anew without them
    (here / "src" / "page.js").write_text("changed", "utf-8")
    assert assets.build(out, {"selfheal/__init__.py": b""}) != first
    assert [arguments[0] for arguments in ran[2:]] == ["build.mjs"]
