"""`make chapters`: runs the notebooks of the book from the top and stores what they show, here or those named.

What is stored is the same on every machine: no times of day, no ids drawn anew, widgets as plain HTML.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ["SELFHEAL_WIDGETS"] = "static"  # what is stored is what a page without a kernel shows

import nbformat
from nbclient import NotebookClient

LANGUAGE = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


def executed(notebook: Any, folder: Path, patience: int = 120) -> None:
    """Run all cells of a notebook in a folder, each in so many seconds."""
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=patience, kernel_name="python3", record_timing=False, coalesce_streams=True, resources=place
    )
    client.execute()


def run(path: Path, patience: int = 120) -> bool:
    """Run a notebook in its own folder, each cell in so many seconds; whether what it shows has changed."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    executed(notebook, path.parent, patience)
    notebook.metadata = nbformat.from_dict(LANGUAGE)  # type: ignore[no-untyped-call]
    before = path.read_text("utf-8")
    after = f"{nbformat.writes(notebook)}\n"  # type: ignore[no-untyped-call]
    if after != before:
        path.write_text(after, "utf-8")
    return after != before


def main(arguments: list[str]) -> int:
    paths = [Path(name) for name in arguments] or sorted(Path("book").rglob("*.ipynb"))
    for path in paths:
        print(f"{path.as_posix()}: {'changed' if run(path) else 'as it was'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
