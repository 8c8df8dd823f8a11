"""Under which names the contents that a record lists are kept: ``blobs.json`` beside the record.

A record tells what its files contained by BLAKE3 or SHA-256 and does not change any more; blobs are
named by MD5, as DVC has it. This file says which belongs to which. It is no evidence: what comes
out of a store is held against the record's own digest. Lost, it is made again by `prov push`
from the files, or comes with `prov pull`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from provenance.core import canonical
from provenance.errors import BadRecord
from provenance.store import files, objects
from provenance.store.project import Project

FILE = "blobs.json"
SCHEMA = "prov/blobs/1"
NAMES = "names"
"""Folder in the store for the names of runs that have no record here."""


class Blob(NamedTuple):
    """oid: name in a store. size: bytes, of a folder those of all files. links: of a folder."""

    oid: str
    size: int = 0
    links: Mapping[str, str] = {}


Blobs = dict[str, Blob]
"""By ``algorithm:hex``, as the record has the digest."""


def keys(digests: Mapping[str, str]) -> tuple[str, ...]:
    """Return under which keys content with these digests is found."""
    return tuple("%s:%s" % pair for pair in sorted(digests.items()))


def find(known: Blobs, digests: Mapping[str, str]) -> Blob | None:
    """Return the blob of content with these digests, None where no name is known for it."""
    for key in keys(digests):
        if key in known:
            return known[key]
    value = digests.get("md5", "")
    return Blob(value) if objects.is_oid(value) else None


def folder_of_locked(project: Project, run_id: str) -> str:
    """Return where the names are kept for a run that is known from a lock only."""
    return os.path.join(project.folder, objects.FOLDER, NAMES, run_id)


def load(folder: str) -> Blobs:
    """Return what is known of the run in ``folder``; a damaged file counts as none."""
    try:
        with open(os.path.join(folder, FILE), "rb") as stream:
            return parse(stream.read())
    except (OSError, BadRecord):
        return {}


def parse(data: bytes) -> Blobs:
    """Return what ``data`` says. Raises `BadRecord`."""
    try:
        document = json.loads(data.decode("utf-8"))
        found = {str(key): _blob(one) for key, one in document["blobs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRecord("%s is not readable: %s." % (FILE, error)) from error
    return found


def _blob(value: Any) -> Blob:
    links = {str(name): str(target) for name, target in value.get("links", {}).items()}
    oid, size = value["oid"], value.get("size", 0)
    if not isinstance(oid, str) or not objects.is_oid(oid) or type(size) is not int:
        raise ValueError("%.60r is no blob" % (value,))
    return Blob(oid, size, links)


def add(folder: str, found: Blobs) -> bool:
    """Add to what is known of the run in ``folder``; False where all was. Raises `SystemRefused`.

    Of two processes that do so at once one's additions may be lost: they can be made again.
    """
    known = load(folder)
    new = {**found, **known}
    if new == known:
        return False
    document: dict[str, Any] = {"schema": SCHEMA, "blobs": {}}
    for key, one in sorted(new.items()):
        entry: dict[str, Any] = {"oid": one.oid, "size": one.size}
        if one.links:
            entry["links"] = dict(one.links)
        document["blobs"][key] = entry
    text = canonical.dumps(document)
    files.write_atomic(os.path.join(folder, FILE), text.encode("utf-8"))
    return True


class Member(NamedTuple):
    """A file of a folder: its path in it and its blob."""

    path: str
    oid: str


def list_bytes(members: list[Member]) -> bytes:
    """Return the list of a folder as DVC writes it (dvc-data, ``hashfile/tree.py``)."""
    ordered = sorted(members, key=lambda one: one.path)
    rows = [{"md5": one.oid, "relpath": one.path} for one in ordered]
    return json.dumps(rows, sort_keys=True).encode("utf-8")


def members(data: bytes) -> list[Member]:
    """Return what a folder's list names. Raises `BadRecord`; no path leads out of the folder."""
    try:
        rows = json.loads(data.decode("utf-8"))
        found = [Member(str(row["relpath"]), str(row["md5"])) for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadRecord("a folder's list is not readable: %s." % error) from error
    for one in found:
        if not is_inner(one.path) or not objects.is_oid(one.oid):
            raise BadRecord("a folder's list names %.80r, which is not in the folder." % one.path)
    return found


def is_inner(path: str) -> bool:
    """Return whether a relative POSIX path stays where it is put."""
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", ".."} & set(parts)
