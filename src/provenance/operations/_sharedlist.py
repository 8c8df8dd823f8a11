"""What runs a remote has: one question, then only the commits that are not known yet.

What the commits said is kept per remote below ``.prov/shared``. A commit never changes under its
name, so that this cannot go stale; it is a cache and may be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from provenance.core import canonical
from provenance.errors import BadRecord, SystemRefused
from provenance.operations import _sharedform as form
from provenance.operations._sharedform import Commit
from provenance.operations._sharegit import Remote, repository
from provenance.store import files, records

SCHEMA = "prov/shared-list/1"
MOST = 5000
"""Runs of a remote that are listed, the newest first."""


class Entry(NamedTuple):
    """One run on a remote. ref, oid: where it is; told: what its commit says, None if nothing."""

    id: str
    ref: str
    oid: str
    told: Commit | None


class Found(NamedTuple):
    """The runs on a remote, oldest first, and sentences about those that are left out."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()


def ask(at: Remote) -> Found:
    """Return the runs that the remote ``at`` has now. Raises `SystemRefused`."""
    with repository(at) as ours:
        refs = ours.refs()
    return told(at, refs, whole=True)


def told(at: Remote, refs: Mapping[str, tuple[str, str]], whole: bool = False) -> Found:
    """Return what is said by the commits that ``refs`` names; fetch those that are not known.

    whole: the remote has no others.
    """
    ids, problems = sorted(refs), list[str]()
    if len(ids) > MOST:
        text = "%d older runs at %s are left out: the newest %d are listed."
        problems.append(text % (len(ids) - MOST, at.name, MOST))
        ids = ids[-MOST:]
    known = _load(at)
    unknown = [one for one in ids if refs[one][1] not in known]
    if unknown:
        known.update(_fetched(at, {one: refs[one] for one in unknown}))
    entries = []
    for one in ids:
        ref, oid = refs[one]
        entry = Entry(one, ref, oid, known.get(oid))
        entries.append(entry)
        if entry.told is None:
            text = "%s at %s is no record of a run that this prov can read."
            problems.append(text % (ref, at.name))
    if unknown:
        remember(at, {entry.oid: entry.told for entry in entries if entry.told}, not whole)
    return Found(tuple(entries), tuple(problems))


def _fetched(at: Remote, refs: Mapping[str, tuple[str, str]]) -> dict[str, Commit]:
    """Fetch the commits of ``refs`` and nothing else, where the server can leave the rest out."""
    with repository(at) as ours:
        ours.fetch([ref for ref, _ in refs.values()], "tree:0")
        sizes = ours.sizes()
        small = {
            oid: one
            for one, (_, oid) in refs.items()
            if sizes.get(oid, ("", 0))[0] == "commit" and sizes[oid][1] <= form.MOST_MESSAGE
        }
        read = {oid: form.read_commit(small[oid], text) for oid, text in ours.objects(list(small))}
    return {oid: one for oid, one in read.items() if one is not None}


def remembered(at: Remote) -> dict[str, Commit]:
    """Return the commits of the last listing of ``at`` by name; asks nobody."""
    return _load(at)


def remember(at: Remote, commits: Mapping[str, Commit], keep: bool = True) -> None:
    """Keep what ``commits`` say. keep: beside what is known already."""
    whole = {**(_load(at) if keep else {}), **commits}
    document = {
        "schema": SCHEMA,
        "remote": at.shown,
        "commits": {oid: one._asdict() for oid, one in whole.items()},
    }
    try:
        files.make_folder(os.path.dirname(at.kept))
        files.write_atomic(at.kept, canonical.compact(document))
    except SystemRefused:
        pass  # a cache: the next listing fetches them again


def _load(at: Remote) -> dict[str, Commit]:
    try:
        document = records.read_json(at.kept)
    except BadRecord:
        return {}
    listed = document.get("commits")
    if document.get("schema") != SCHEMA or not isinstance(listed, dict):
        return {}
    found = {}
    for oid, one in listed.items():
        try:
            commit = Commit(**one)
        except TypeError:
            continue
        if isinstance(commit.summary, dict) and isinstance(commit.author, str):
            found[oid] = commit
    return found
