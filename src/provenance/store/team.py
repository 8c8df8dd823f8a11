"""Records of other people: ``.prov/team/<id>``, one folder per run that was fetched.

They have the form of one's own and lie apart from them, so that ``@last``, the search for outputs
of runs that overlap and the closing of killed runs concern one's own alone. Beside each record lies
``origin.json``, which says where it came from. Nothing changes a record but fetching it again.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from typing import NamedTuple

from provenance.core import canonical, runid
from provenance.errors import SystemRefused
from provenance.store import files
from provenance.store.project import Project

FOLDER = "team"
FILE = "origin.json"
SCHEMA = "prov/origin/1"
BLOBS = "blobs.json"
"""What was learned here of the names of the run's blobs (`store.blobs`): it stays."""


class Origin(NamedTuple):
    """Where a record came from, as its sender says.

    remote, url: the git remote. author, email: who shared it. machine: where it ran. shared: ISO
    8601, UTC. commit: of the record. left_out: files of its folder that were not sent.
    """

    remote: str = ""
    url: str = ""
    author: str = ""
    email: str = ""
    machine: str = ""
    shared: str = ""
    commit: str = ""
    left_out: tuple[str, ...] = ()

    def __str__(self) -> str:
        on = " on %s" % self.machine if self.machine else ""
        return "%s%s, from %s" % (self.author or "somebody", on, self.remote or "elsewhere")


def folder(project: Project) -> str:
    """Return the folder of the records of others, which need not exist."""
    return os.path.join(project.folder, FOLDER)


def ids(project: Project) -> list[str]:
    """Return the ids of all fetched runs, oldest first."""
    try:
        names = os.listdir(folder(project))
    except OSError:
        return []
    return sorted(name for name in names if runid.is_id(name))


def origin(place: str) -> Origin | None:
    """Return where the record in the folder ``place`` came from, None for one's own."""
    if os.path.basename(os.path.dirname(place)) != FOLDER:
        return None
    try:
        with open(os.path.join(place, FILE), "rb") as stream:
            told = json.loads(stream.read())
    except (OSError, ValueError, RecursionError):
        return Origin()
    if not isinstance(told, dict):
        return Origin()
    texts = {n: v for n, v in told.items() if n in Origin._fields and isinstance(v, str)}
    left = told.get("left_out")
    names = tuple(str(one) for one in left) if isinstance(left, list) else ()
    return Origin(**texts, left_out=names)


def write_origin(place: str, source: Origin) -> None:
    """Write where the record in the folder ``place`` came from. Raises OSError."""
    told = dict(source._asdict(), schema=SCHEMA)
    with open(os.path.join(place, FILE), "wb") as stream:
        stream.write(canonical.dumps(told).encode("utf-8"))


def save(project: Project, run_id: str, content: Mapping[str, bytes], source: Origin) -> str:
    """Put a fetched record in its place, whole or not at all; return its folder.

    A version that is there gives way. Raises `SystemRefused`.
    """
    home = folder(project)
    files.make_folder(home)
    place = os.path.join(home, run_id)
    try:
        work = tempfile.mkdtemp(prefix=".new-", dir=home)
        try:
            new = os.path.join(work, "new")
            os.mkdir(new)
            for name, data in content.items():
                with open(os.path.join(new, name), "wb") as stream:
                    stream.write(data)
            write_origin(new, source)
            if BLOBS not in content and os.path.isfile(os.path.join(place, BLOBS)):
                shutil.copyfile(os.path.join(place, BLOBS), os.path.join(new, BLOBS))
            if os.path.lexists(place):
                os.rename(place, os.path.join(work, "old"))
            os.rename(new, place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (place, error.strerror)) from error
    return place
