"""What DVC knows of files without reading them: its own database of digests, read without DVC.

It is an SQLite file that ``diskcache`` lays out, ``hashes/local/cache.db`` in DVC's state folder. A
row's key is an absolute path, its value a JSON text: ``hash_info`` and a checksum of inode,
modification time (seconds as a float) and size (``dvc_data/hashfile/state.py``, `State.save`).
Values that are no such text (``diskcache`` may pickle others) are not looked at.

A digest is taken from there only of a file that is as DVC saw it (inode, modification time, size),
that was not changed in the last seconds, and whose change time, which no program can set, lies
before DVC last wrote the database. Where time stamps are whole seconds nothing is taken: there a
file could change after DVC had looked, and show the same stamp.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading

_FILE = os.path.join("hashes", "local", "cache.db")
_MD5 = re.compile(r"^[0-9a-f]{32}$")
_VERSION = 1
_PATIENCE_S = 0.2
"""How long a database is waited for that DVC is just writing."""
_SECOND_NS = 1_000_000_000
# Characters of one value: DVC's have some 150.
_QUERY = (
    "SELECT value FROM Cache WHERE key = ? AND raw = 1 AND typeof(value) = 'text' "
    "AND length(value) < 4096"
)


class State:
    """The database in the state folder ``folder``. Never raises. Safe for threads."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, _FILE)
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None
        self._failed = not folder
        self.written_ns = 0

    def md5(self, paths: tuple[str, ...], status: os.stat_result) -> str:
        """Return the MD5 of a file that DVC may know by any of ``paths``, "" where it is not sure.

        status: of the file now. That it has not changed just now is for the caller to see to.
        """
        if self._failed or not status.st_ctime_ns % _SECOND_NS:
            return ""
        with self._lock:
            rows = [self._row(path) for path in paths]
        if status.st_ctime_ns >= self.written_ns:
            return ""
        return next((value for row in rows if (value := _stated(row, status))), "")

    def _row(self, path: str) -> str:
        try:
            if self._base is None:
                self._open()
            assert self._base is not None
            found = self._base.execute(_QUERY, (path,)).fetchone()
        except (sqlite3.Error, OSError, UnicodeError):
            self._failed = True
            return ""
        return str(found[0]) if found else ""

    def _open(self) -> None:
        uri = "file:%s?mode=ro" % _quoted(self._path)
        self._base = sqlite3.connect(
            uri, uri=True, timeout=_PATIENCE_S, check_same_thread=False, isolation_level=None
        )
        # What is written last may stand in the log beside the file.
        for name in (self._path, self._path + "-wal"):
            try:
                self.written_ns = max(self.written_ns, os.stat(name).st_mtime_ns)
            except OSError:
                continue


def _stated(row: str, status: os.stat_result) -> str:
    """Return the MD5 in a row if it is of a file with this status."""
    if not row:
        return ""
    try:
        entry = json.loads(row)
        known, version, value = entry["checksum"], entry["version"], entry["hash_info"]["md5"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""  # without a version it is of DVC 2, which changed the line ends of text first
    sound = version == _VERSION and known == checksum(status) and isinstance(value, str)
    return value if sound and _MD5.match(value) else ""


def checksum(status: os.stat_result) -> str:
    """Return DVC's checksum of a file's stamps (fsspec's `tokenize` of a list, as a number)."""
    text = str(([status.st_ino, status.st_mtime, status.st_size],))
    return str(int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16))


def _quoted(path: str) -> str:
    for sign, code in (("%", "%25"), ("?", "%3f"), ("#", "%23")):
        path = path.replace(sign, code)
    return path
