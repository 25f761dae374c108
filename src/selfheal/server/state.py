"""``--state FILE``: what the API server has acknowledged outlives it.

The objects lie in an SQLite database (in WAL mode: what is committed survives ``kill -9``). What was written since the
last answer goes into it before the next one does. Containers do not outlive anything: a cluster that is begun again
finds its nodes as after a power cut, and their kubelets start what the objects say.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from selfheal.clock import Clock
from selfheal.errors import ApiError
from selfheal.objects import Object
from selfheal.server.http import WIRE
from selfheal.store import Store
from selfheal.watches import WatchEvent

APPLICATION = 0x5E1F_4EA1
"""What marks a database as ours (``PRAGMA application_id``)."""
FORMAT = 1
MARGIN = 10_000
"""What was written and told to a watch, but not yet safe, has numbers below this distance; they do not come again."""

TABLES = """
CREATE TABLE object (kind TEXT, namespace TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, namespace, name));
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class StateFile:
    """A file with a cluster in it. Raises ApiError if it is not ours, damaged, or in use: then it is left as it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: dict[tuple[str, str, str], str | None] = {}
        self._store: Store | None = None
        self._clock: Clock | None = None
        self.objects: list[Object] = []
        """What was in it; empty if it is new."""
        self.facts: dict[str, int] = {}
        """version: of the last write; time: Unix seconds in the cluster; seed; starts: how often it was begun."""
        if path.is_dir() or not path.parent.is_dir():
            raise ApiError(f"{path}: cannot be a state file")
        new = not path.exists() or path.stat().st_size == 0
        try:
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            if new:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._begin()
            else:
                self._read()
            self._db.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.Error as error:
            with contextlib.suppress(AttributeError, sqlite3.Error):
                self._db.close()
            raise ApiError(self._told(error)) from None

    def _told(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return f"{self._path}: another cluster is using this state file"
        return f"{self._path}: the state file is damaged or none of ours, and is left as it is ({error})"

    def _begin(self) -> None:
        self._db.execute("BEGIN EXCLUSIVE")
        for statement in TABLES.split(";"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {FORMAT}")
        self._db.execute("COMMIT")

    def _read(self) -> None:
        [application] = self._db.execute("PRAGMA application_id").fetchone()
        [version] = self._db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION or version != FORMAT:
            raise sqlite3.DatabaseError("another application's database")
        [found] = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("BEGIN IMMEDIATE")  # nobody else may write from now on
        self._db.execute("COMMIT")
        self.facts = dict(self._db.execute("SELECT name, value FROM fact").fetchall())
        rows = self._db.execute("SELECT body FROM object ORDER BY kind, namespace, name")
        try:
            self.objects = [json.loads(body) for (body,) in rows]
        except ValueError as error:
            raise sqlite3.DatabaseError(str(error)) from None

    def follow(self, store: Store, clock: Clock, *, seed: int) -> None:
        """Keep from now on what is written to a store, beginning with all that is there."""
        self._store, self._clock = store, clock
        self.facts = {**self.facts, "seed": seed, "starts": self.facts.get("starts", 0) + 1}
        kept = {(o["kind"], *_place(o)) for o in self.objects}
        for kind in store.kinds():
            self._note(store.list(kind))
            kept -= {(kind, *_place(o)) for o in store.list(kind)}
        self._changed.update(dict.fromkeys(kept))
        store.watch(None, self._heard, since=store.version, immediate=True)
        self.objects = []
        self.commit()

    def _note(self, objs: Iterable[Object]) -> None:
        for obj in objs:
            self._changed[obj["kind"], *_place(obj)] = json.dumps(obj, separators=(",", ":"), default=WIRE)

    def _heard(self, event: WatchEvent) -> None:
        if event.type == "DELETED":
            self._changed[event.object["kind"], *event.key] = None
        else:
            self._note([event.object])

    def commit(self) -> None:
        """All that has been written is safe after this."""
        if not self._changed or self._store is None or self._clock is None:
            return
        changed, self._changed = self._changed, {}
        facts = {**self.facts, "version": self._store.version, "time": int(self._clock.unix_seconds())}
        execute = self._db.executemany
        self._db.execute("BEGIN")
        execute(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?)",
            [(*key, body) for key, body in changed.items() if body is not None],
        )
        execute(
            "DELETE FROM object WHERE kind = ? AND namespace = ? AND name = ?",
            [key for key, body in changed.items() if body is None],
        )
        execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", list(facts.items()))
        self._db.execute("COMMIT")

    def close(self) -> None:
        """The last commit; the file is free again."""
        with contextlib.closing(self._db):
            self.commit()


def _place(obj: Object) -> tuple[str, str]:
    return str(obj["metadata"].get("namespace", "")), str(obj["metadata"]["name"])
