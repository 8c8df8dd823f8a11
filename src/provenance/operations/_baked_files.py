"""The files of a run as its lock hands them to the drop-in test: where each is, and its digests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from provenance.agent import check
from provenance.core import digest, sourcedigest
from provenance.core.digest import SHA256, TREE
from provenance.core.paths import CWD, HOME, REPO, PathRef, Roots
from provenance.core.record import Record

_MOST_FILES = 2000
"""Files of one folder of data that a lock lists."""


def code(run: Record, roots: Roots) -> list[dict[str, Any]]:
    """Return a row for each source file that ``run`` used and whose digest is known."""
    found = []
    for entry in _entries(run, "code", "used"):
        path, recorded = _path(entry, run), (entry.get("digests") or {}).get(SHA256)
        if path is None or recorded is None or entry.get("missing"):
            continue
        outside = path.startswith(("/", "~"))
        row = {"path": path, "digest": "sha256:" + recorded, "needed": not outside}
        said = _meaning(roots.locate(PathRef.from_json(entry["path"])), entry["digests"])
        found.append(dict(row, meaning=said) if said else row)
    return found


def _meaning(path: str | None, recorded: Mapping[str, str]) -> str | None:
    """Return the drop-in's digest of a source file, None where it is no longer the recorded one."""
    try:
        with open(path or os.devnull, "rb") as stream:
            data = stream.read()
        here = sourcedigest.digests(path or "", data)
        here[SHA256] = digest.bytes_digest(data, SHA256)
        same = any(recorded.get(name) == value for name, value in here.items())
        if path is None or not same:
            return None
        return check.meaning(path) or None
    except OSError:
        return None


def data(run: Record, roots: Roots) -> Iterator[dict[str, Any]]:
    """Yield a row for each file of data that ``run`` read, folders file by file."""
    for entry in _entries(run, "data", "files"):
        path, recorded = _path(entry, run), entry.get("digests") or {}
        state = str(entry.get("state", "digested"))
        if path is None:
            continue
        if state != "digested":
            yield {"path": path, "skip": "%s when recorded" % state}
        elif SHA256 in recorded:
            row = {"path": path, "digest": "sha256:" + recorded[SHA256]}
            yield dict(row, size=entry["size"]) if entry.get("size") is not None else row
        elif SHA256 + TREE in recorded:
            yield from _below(path, entry, roots.locate(PathRef.from_json(entry["path"])))
        else:
            yield {"path": path, "skip": "no SHA-256 in the lock"}


def _below(path: str, entry: dict[str, Any], folder: str | None) -> Iterator[dict[str, Any]]:
    """Yield the files of a folder of data, if it still is the recorded one and not too large."""
    left_out = frozenset(entry.get("left_out") or ())
    names = []
    for parent, _, files in os.walk(folder or os.devnull):
        names += [os.path.relpath(os.path.join(parent, one), folder) for one in files]
    names = [one for one in names if one.replace(os.sep, "/") not in left_out]
    why = ""
    if folder is None or not names:
        why = "the folder was not there when the lock was written"
    elif len(names) > _MOST_FILES:
        why = "a folder of %d files (prov verify compares it)" % len(names)
    elif digest.tree_digest(folder, SHA256, leave_out=left_out).digests != {
        SHA256 + TREE: entry["digests"][SHA256 + TREE]
    }:
        why = "the folder had changed when the lock was written"
    if why or folder is None:
        yield {"path": path, "skip": why}
        return
    for name in sorted(names):
        full = os.path.join(folder, name)
        below = "%s/%s" % (path, name.replace(os.sep, "/"))
        yield {
            "path": below,
            "digest": "sha256:" + digest.file_digests(full, (SHA256,))[SHA256],
            "size": os.path.getsize(full),
        }


def _entries(run: Record, facet: str, member: str) -> Iterator[dict[str, Any]]:
    for subject in run.payloads(facet):
        yield from subject.payload.get(member) or ()


def _path(entry: Mapping[str, Any], run: Record) -> str | None:
    """Return where a file is, from the top of the repository on; None where that cannot be told."""
    try:
        ref = PathRef.from_json(entry.get("path"))
    except (ValueError, TypeError):
        return None
    below = {REPO: ref.path, HOME: "~/" + ref.path}.get(ref.root, ref.path)
    if ref.root == CWD:
        if run.cwd.root != REPO:
            return None
        below = os.path.normpath(os.path.join(run.cwd.path, ref.path))
    return None if os.pardir in below.split("/") else below
