"""The file by which clients find the server: its address, whom to trust, and the token.

(staging/src/k8s.io/client-go/tools/clientcmd/api/v1/types.go)
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

CONTEXT = "selfheal"
"""The name of the context, of its cluster and of its user."""


def kubeconfig(address: str, token: str, authority: str) -> dict[str, Any]:
    """The contents of a kubeconfig for one server."""
    data = base64.b64encode(authority.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": address, "certificate-authority-data": data}}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
        "current-context": CONTEXT,
    }


class Refused(OSError):
    """A file that is not ours to replace."""


class KubeconfigFile:
    """A kubeconfig on disk for as long as the server runs; readable by its owner alone.

    Without a path it gets a folder of its own. A file that holds anything but our own context is left alone.
    """

    def __init__(self, path: Path | None, content: dict[str, Any]) -> None:
        self._folder: Path | None = None
        if path is None:
            self._folder = Path(tempfile.mkdtemp(prefix="selfheal-"))
            path = self._folder / "kubeconfig"
        elif path.exists() and not _ours(path):
            raise Refused(0, "holds other clusters, and is left as it is; name a new file", str(path))
        self.path = path
        self._text = json.dumps(content, indent=2) + "\n"  # JSON is YAML
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - with its mode
            file.write(self._text)
        beside.replace(path)

    def remove(self) -> None:
        """Take the file away, unless another server has put its own there since."""
        with contextlib.suppress(OSError):
            if self.path.read_text("utf-8") == self._text:
                self.path.unlink()
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.rmdir()


def _ours(path: Path) -> bool:
    """Whether a file is empty, or a kubeconfig that knows our context alone."""
    try:
        text = path.read_text("utf-8")
        found = yaml.safe_load(text) if text.strip() else {}
        names = [c["name"] for c in found.get("clusters") or ()] + [c["name"] for c in found.get("users") or ()]
    except (UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError):
        return False
    return all(name == CONTEXT for name in names) and (not text.strip() or "clusters" in found)
