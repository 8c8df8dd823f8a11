"""Signatures of installed libraries, kept from one verification to the next.

Reading them parses a hundred modules, which is most of what verifying costs; the modules rarely
change. What was read counts for as long as every file that it was read from is as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance import __version__
from provenance.core.interfaces import Library, library
from provenance.errors import SystemRefused
from provenance.store import files

FOLDER = "interfaces"
VERSION = 1
MOST_BYTES = 16 << 20
"""Of one kept file; a bigger one is not ours."""


class Kept(NamedTuple):
    """The libraries on one ``sys.path``, some of whose signatures are known from before.

    path: of the file that keeps them. before: what it held. folders: the ``sys_path``.
    """

    library: Library
    path: str
    before: Mapping[str, Any]
    folders: tuple[str, ...] = ()

    def keep(self) -> None:
        """Keep the signatures where there are new ones. Never raises."""
        signatures, made = self.before.get("signatures", {}), self.library
        place = os.path.dirname(os.path.dirname(self.path))
        if made.known.keys() <= signatures.keys() or not os.path.isdir(place):
            return
        read = {one[0] for one in self.before.get("files", ())}
        content = {
            "version": VERSION,
            "files": [[one, *_stamp(one)] for one in sorted(read.union(made.modules.files()))],
            "signatures": {**signatures, **made.known},
        }
        try:
            files.make_folder(os.path.dirname(self.path))
            files.write_atomic(self.path, json.dumps(content).encode("utf-8"))
        except (SystemRefused, ValueError):
            return


def of(sys_path: Sequence[str], folder: str) -> Kept:
    """Return the libraries on ``sys_path`` with the signatures that were kept of them.

    folder: in which they are kept, a project's ``.prov`` or the cache; nothing is kept without it.
    """
    made, path = library(sys_path), _path(sys_path, folder)
    before = _load(path)
    made.known.update(before.get("signatures", {}))
    return Kept(made, path, before, tuple(sys_path))


def _path(sys_path: Sequence[str], folder: str) -> str:
    name = hashlib.sha256(json.dumps([VERSION, __version__, *sys_path]).encode()).hexdigest()
    return os.path.join(folder, FOLDER, name[:32] + ".json")


def _load(path: str) -> dict[str, Any]:
    """Return what is kept at ``path`` if it still counts, else nothing."""
    try:
        if os.path.getsize(path) > MOST_BYTES:
            return {}
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
        told = content["signatures"]
        fits = content["version"] == VERSION and _same(content["files"])
        sound = isinstance(told, dict) and all(isinstance(one, dict) for one in told.values())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return content if fits and sound else {}


def _same(stamps: Iterable[Sequence[Any]]) -> bool:
    return all(list(one[1:]) == _stamp(one[0]) for one in stamps)


def _stamp(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return [0, 0, 0]
    return [status.st_size, status.st_mtime_ns, status.st_ino]
