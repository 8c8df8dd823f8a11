"""A cache that finds records by the digests and names of the files in them.

One SQLite file, which is only ever read where it lies: whatever is new goes into a copy that then
takes its place. So nothing locks (network drives cannot), a reader never sees half of an update,
and of two processes that update at once one wins and neither fails. It may be deleted at any time;
a damaged one, or one of another version, is built anew.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import urllib.parse
from collections.abc import Callable, Mapping
from typing import NamedTuple

from provenance.core import runid
from provenance.store import records

FORMAT = 1

_TABLES = """
CREATE TABLE run(no INTEGER PRIMARY KEY, place TEXT UNIQUE, stamp TEXT, id TEXT, started TEXT,
                 name TEXT, problem TEXT, facts BLOB);
CREATE TABLE digest(value TEXT, no INTEGER, PRIMARY KEY(value, no)) WITHOUT ROWID;
CREATE TABLE file(name TEXT, no INTEGER, PRIMARY KEY(name, no)) WITHOUT ROWID;
"""


class Row(NamedTuple):
    """What is kept of a record. digests: hex, without algorithm. names: last parts of paths.

    facts: packed by whoever reads the records. problem: why it cannot be read, "" where it can.
    """

    id: str
    started: str = ""
    name: str = ""
    digests: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    facts: bytes = b""
    problem: str = ""


class Head(NamedTuple):
    """A run that the index holds: its record's file, id, begin and name."""

    place: str
    id: str
    started: str
    name: str


def places(folder: str) -> dict[str, str]:
    """Return the record files of run folders right below ``folder``, each with what it is now."""
    found: dict[str, str] = {}
    try:
        with os.scandir(folder) as entries:
            names = sorted(one.name for one in entries if runid.is_id(one.name))
    except OSError:
        return {}
    for name in names:
        path = os.path.join(folder, name, records.FILE)
        try:
            status = os.stat(path)
        except OSError:
            continue
        numbers = (status.st_size, status.st_mtime_ns, status.st_ino)
        found[path] = "%d %d %d" % numbers
    return found


class RecordIndex:
    """An index of records. path: of its file, None to keep it in memory only.

    version: of what `Row.facts` holds. read: how many records were read by `update`.
    """

    def __init__(self, path: str | None, version: int) -> None:
        self.path = path
        self.read = 0
        self._version = FORMAT * 1000 + version
        self._base = self._open() or _empty(":memory:", self._version)

    def _open(self) -> sqlite3.Connection | None:
        """Return the file as it is, None where it is none of ours or damaged."""
        if self.path is None or not os.path.isfile(self.path):
            return None
        base = None
        try:
            address = "file:%s?mode=ro&immutable=1" % urllib.parse.quote(self.path)
            base = sqlite3.connect(address, uri=True)
            if base.execute("PRAGMA user_version").fetchone() == (self._version,):
                base.execute("SELECT place, stamp FROM run LIMIT 1").fetchall()
                return base
        except sqlite3.Error:
            pass
        if base is not None:
            base.close()
        return None

    def update(
        self, now: Mapping[str, str], read: Callable[[str], Row], told: Callable[[int, int], None]
    ) -> None:
        """Read the records of ``now`` (file: what it is now) that changed; forget those gone.

        told: is given how many have been read, and of how many. A copy that cannot be written is
        kept in memory.
        """
        try:
            kept = dict(self._base.execute("SELECT place, stamp FROM run"))
            if kept == dict(now):
                return
            self._change(now, kept, read, told)
        except sqlite3.DatabaseError:  # damaged inside
            self._base = _empty(":memory:", self._version)
            self._change(now, {}, read, told)

    def _change(
        self,
        now: Mapping[str, str],
        kept: Mapping[str, str],
        read: Callable[[str], Row],
        told: Callable[[int, int], None],
    ) -> None:
        temporary = "%s.%d.tmp" % (self.path, os.getpid())
        base = self._copy(temporary)
        in_file = base is not None
        if base is None:
            base = _empty(":memory:", self._version)
            self._base.backup(base)
        _forget(base, [place for place in kept if now.get(place) != kept[place]])
        new = [place for place in now if kept.get(place) != now[place]]
        for count, place in enumerate(new):
            told(count, len(new))
            _add(base, place, now[place], read(place))
        self.read += len(new)
        base.commit()
        self._base.close()
        self._base = base
        if in_file and self.path is not None:
            self._put(base, temporary)

    def _copy(self, temporary: str) -> sqlite3.Connection | None:
        """Return a copy at ``temporary`` that may be changed, None where none can be written."""
        if self.path is None:
            return None
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            if (
                os.path.isfile(self.path)
                and self._base.execute("PRAGMA database_list").fetchone()[2]
            ):
                shutil.copyfile(self.path, temporary)
                base = sqlite3.connect(temporary)
                base.execute("SELECT count(*) FROM run").fetchone()
            else:
                if os.path.exists(temporary):
                    os.unlink(temporary)
                base = _empty(temporary, self._version)
            base.execute("PRAGMA journal_mode=OFF")  # if this fails half-way, the copy is dropped
            base.execute("PRAGMA synchronous=OFF")
        except (OSError, sqlite3.Error):
            return None
        return base

    def _put(self, base: sqlite3.Connection, temporary: str) -> None:
        base.close()
        try:
            os.replace(temporary, str(self.path))
        except OSError:
            pass
        self._base = self._open() or sqlite3.connect(temporary)

    def heads(self) -> list[Head]:
        """Return all runs, by begin and id."""
        rows = self._base.execute(
            "SELECT place, id, started, name FROM run WHERE problem = '' ORDER BY started, id"
        )
        return [Head(*row) for row in rows]

    def problems(self) -> list[str]:
        """Return why records cannot be read, a sentence each."""
        rows = self._base.execute("SELECT problem FROM run WHERE problem <> '' ORDER BY place")
        return [str(row[0]) for row in rows]

    def by_digest(self, value: str) -> set[str]:
        """Return the record files that hold the whole digest ``value`` (hex)."""
        query = "SELECT place FROM digest JOIN run USING(no) WHERE value = ?"
        return {str(row[0]) for row in self._base.execute(query, (value,))}

    def starting(self, value: str) -> set[str]:
        """Return the whole digests that start with ``value`` (hex)."""
        query = "SELECT DISTINCT value FROM digest WHERE value >= ? AND value < ? LIMIT 50"
        return {str(row[0]) for row in self._base.execute(query, (value, value + "~"))}

    def by_name(self, name: str) -> set[str]:
        """Return the record files in which a file has this last part of its path."""
        query = "SELECT place FROM file JOIN run USING(no) WHERE file.name = ?"
        return {str(row[0]) for row in self._base.execute(query, (name,))}

    def facts(self, place: str) -> bytes:
        """Return what is kept of a record, b"" for none."""
        row = self._base.execute("SELECT facts FROM run WHERE place = ?", (place,)).fetchone()
        return bytes(row[0]) if row else b""


def _empty(path: str, version: int) -> sqlite3.Connection:
    base = sqlite3.connect(path)
    base.executescript(_TABLES)
    base.execute("PRAGMA user_version = %d" % version)
    return base


def _forget(base: sqlite3.Connection, gone: list[str]) -> None:
    if not gone:
        return
    base.execute("CREATE TEMP TABLE gone(no INTEGER PRIMARY KEY)")
    query = "INSERT INTO gone SELECT no FROM run WHERE place = ?"
    base.executemany(query, ((place,) for place in gone))
    base.execute("DELETE FROM run WHERE no IN (SELECT no FROM gone)")
    base.execute("DELETE FROM digest WHERE no IN (SELECT no FROM gone)")
    base.execute("DELETE FROM file WHERE no IN (SELECT no FROM gone)")
    base.execute("DROP TABLE gone")


def _add(base: sqlite3.Connection, place: str, stamp: str, row: Row) -> None:
    done = base.execute(
        "INSERT INTO run(place, stamp, id, started, name, problem, facts) VALUES(?,?,?,?,?,?,?)",
        (place, stamp, row.id, row.started, row.name, row.problem, row.facts),
    )
    no = done.lastrowid
    base.executemany("INSERT INTO digest VALUES(?,?)", ((one, no) for one in row.digests))
    base.executemany("INSERT INTO file VALUES(?,?)", ((one, no) for one in row.names))
