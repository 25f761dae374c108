"""What the repository promises about its own files."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import selfheal

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCK = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
PINS = [Requirement(line) for line in LOCK if line[:1].isalnum()]


def listed(*options: str) -> list[str]:
    """What git says of the files."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = [git, "ls-files", "-z", *options]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in told.split("\0") if name]


def tracked() -> list[Path]:
    return [ROOT / name for name in listed() if (ROOT / name).is_file()]


def test_nothing_that_is_built_is_kept() -> None:
    assert listed("--cached", "--ignored", "--exclude-standard") == []


# -- the lock


def test_the_lock_says_how_it_was_made() -> None:
    first = LOCK[0]
    assert first.startswith("# uv pip compile --universal --all-extras ")
    assert "pyproject.toml --output-file requirements.txt" in first


def test_the_lock_pins_everything_that_pyproject_asks_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    asked = map(Requirement, chain(PROJECT["project"]["dependencies"], *extras.values()))
    pinned = {canonicalize_name(pin.name): [] for pin in PINS}
    for pin in PINS:
        pinned[canonicalize_name(pin.name)] += [spec.version for spec in pin.specifier if spec.operator == "=="]
    for want in asked:
        name = canonicalize_name(want.name)
        if name != "selfheal":
            assert pinned.get(name), f"{name} is not in requirements.txt: make lock"
            assert all(want.specifier.contains(version, prereleases=True) for version in pinned[name]), want


def test_the_lock_names_no_place() -> None:
    assert [line for line in LOCK if "://" in line or " @ " in line or line.startswith("-")] == []


def test_the_book_stays_with_jupyter_book_1() -> None:
    assert "jupyter-book==1.0.4.post1" in LOCK


# -- the package


def test_importing_selfheal_loads_no_room_and_no_dependency() -> None:
    code = "import sys; before = set(sys.modules); import selfheal; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith("selfheal.") or name in {"simpy", "yaml"}] == []


@pytest.mark.parametrize(
    ("platform", "needed"), [("emscripten", ["pyyaml", "simpy"]), ("linux", ["h11", "pyyaml", "simpy"])]
)
def test_the_core_needs_simpy_and_yaml_alone_and_on_a_machine_the_parser_of_its_server(
    platform: str, needed: list[str]
) -> None:
    wanted = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
    here = {"sys_platform": platform}
    assert sorted(r.name for r in wanted if r.marker is None or r.marker.evaluate(here)) == needed


def test_a_name_that_is_not_there_is_told_as_python_tells_it() -> None:
    with pytest.raises(AttributeError, match="module 'selfheal' has no attribute 'Clutser'"):
        selfheal.Clutser  # noqa: B018
    assert dir(selfheal) == ["Cluster", "__version__", "up"]


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in tracked() if path.is_relative_to(ROOT / "src")]
    assert {path.relative_to(ROOT / "src").as_posix() for path in files} <= packed
    assert wheel.name.startswith(f"selfheal-{selfheal.__version__}-py3-none-any")


# -- the repository


def registry_hosts() -> set[str]:
    """Hosts of package registries: the public ones, and whatever this machine is set to."""
    hosts = {"pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org", "deb.debian" + ".org"}
    told = [
        value
        for name, value in os.environ.items()
        if re.match(r"(pip|uv|npm_config|yarn|goproxy)", name, re.IGNORECASE)
    ]
    for path in (Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".npmrc"):
        if path.is_file():
            told += path.read_text("utf-8").split()
    found = chain.from_iterable(re.findall(r"https?://[^\s\"',]+", text) for text in told)
    return hosts | {host for url in found if (host := urlsplit(url).hostname) and "." in host}


def machine_paths() -> set[str]:
    """Folders that mean something on one machine alone."""
    people = {"/ro" + "ot/", "/wo" + "rk/", "/Us" + "ers/"}
    return people | {f"{path}/" for path in (ROOT, ROOT.parent, Path.home()) if len(path.parts) > 2}


def test_nothing_names_this_machine_or_a_registry() -> None:
    here = socket.gethostname()
    hosts = registry_hosts() | ({here} if re.search(r"[-\d]", here) else set())
    named = [rf"(?<![\w-]){re.escape(host)}(?![\w-])" for host in sorted(hosts)]
    named += [rf"(?<![\w./~-]){re.escape(path)}" for path in sorted(machine_paths())]
    pattern = re.compile("|".join(named))
    found = []
    for path in tracked():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture, or bytes that a test feeds to a reader
        found += [
            f"{path.relative_to(ROOT)}:{n}: {line[:120]}" for n, line in enumerate(lines, 1) if pattern.search(line)
        ]
    assert found == []


def test_readme_speaks_of_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        asked = set(re.findall(r"\bmake ([a-z]+)\b[^a-z]*`", (ROOT / name).read_text("utf-8")))
        assert asked <= targets, name
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make learn" in readme
    assert "make test" in readme


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_page_links_to_is_there(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)|src=\"([^\"]+)\"", (ROOT / name).read_text("utf-8"))
    places = [link for link in chain.from_iterable(links) if link and not urlsplit(link).scheme]
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_the_workflows_run_the_pythons_that_the_package_names() -> None:
    named = [line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
    tests = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text("utf-8"))
    assert tests["jobs"]["everything"]["strategy"]["matrix"]["python"] == named


def test_actions_are_pinned_by_major_version() -> None:
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        used = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
        assert used
        assert [action for action in used if not re.search(r"@v\d+$", action)] == []
