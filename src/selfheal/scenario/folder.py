"""A scenario as a folder, as recordings keep it: ``manifest.yaml``, ``actions.yaml``, ``timeline.jsonl``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from selfheal.scenario.scenario import Scenario

MANIFEST, ACTIONS, TIMELINE = "manifest.yaml", "actions.yaml", "timeline.jsonl"


def is_scenario(path: Path) -> bool:
    """Whether it is such a folder: what else lies in it is for the actions to apply."""
    return (path / MANIFEST).is_file()


def actions(path: Path) -> Path | None:
    """The folder's actions, if it has any."""
    found = path / ACTIONS
    return found if found.is_file() else None


def header(path: Path) -> dict[str, Any]:
    """What the folder's recording says of itself (``until``, ``second``); nothing if there is none."""
    try:
        with (path / TIMELINE).open(encoding="utf-8") as file:
            found = json.loads(file.readline())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def save(scenario: Scenario, path: Path) -> Path:
    """Write manifests and actions into a folder; the path for the timeline. Raises OSError."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / MANIFEST).open("w", encoding="utf-8", newline="\n") as file:
        yaml.safe_dump_all(scenario.manifests, file, sort_keys=False, allow_unicode=True)
    if scenario.actions:
        with (path / ACTIONS).open("w", encoding="utf-8", newline="\n") as file:
            yaml.safe_dump([a.canonical() for a in scenario.actions], file, sort_keys=False, allow_unicode=True)
    return path / TIMELINE
