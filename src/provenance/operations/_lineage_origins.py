"""Where files come from that no run made: the commit that holds them, or DVC, told where known.

A file is said to be in git only where the content of the blob at the run's commit has the recorded
digest. What DVC says is compared by digest where both are known, and told by path where not.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from provenance.core import digest, runid
from provenance.errors import ProvError
from provenance.facets._git import Git
from provenance.operations._lineage_facts import READ, URL, WROTE, Held, Touch, short
from provenance.operations._lineage_graph import File, Graph
from provenance.specs import dvc
from provenance.specs.model import Source, Unreadable
from provenance.store.project import Project

MOST, MOST_BYTES = 200, 16 << 20
"""Files that are looked for, and bytes of one that is compared."""

_COMMIT = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_FEED = 50_000
"""Bytes of names that git is given at once (`facets._git` takes 60 kB)."""


class _Asked(NamedTuple):
    key: str
    commit: str
    touch: Touch


def origins(graph: Graph, place: Project, cwd: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return a phrase for each file of ``graph`` without a maker that git or DVC knows."""
    made = {one.file for one in graph.edges if one.side == WROTE}
    every = [one for one in graph.files.values() if one.key not in made]
    found = {one.key: text for one in every if (text := _recorded(one, graph))}
    files = [one for one in every if one.key not in found]
    if place.repo is None:
        return found
    asked = [one for one in (_read_as(each, graph) for each in files[:MOST]) if one is not None]
    if not asked:
        return found
    blobs = _Blobs(Git(environ, cwd), place.repo)
    for one in asked:
        text = blobs.text(one) or _by_dvc(one, blobs, place.repo)
        if text:
            found[one.key] = text
    return found


def _recorded(file: File, graph: Graph) -> str:
    """Return what the records of the runs that read a file say of where it came from."""
    for run_id, touch in file.places:
        facts = graph.runs.get(run_id)
        if facts is None or touch.side != READ:
            continue
        if touch.root == URL:
            return "version %s" % short(touch.digests[0]) if touch.digests else "version not known"
        for asked in facts.asked:
            if asked.given == touch.path:
                text = "asked for as %s; the record of run %s is not at hand"
                return text % (asked.address, runid.short(asked.run))
        for held in facts.held:
            if held.same and (touch.path == held.path or touch.path.startswith(held.path + "/")):
                return _held(touch, held)
    return ""


def _held(touch: Touch, held: Held) -> str:
    stage = ", stage %s" % held.stage if held.stage else ""
    inside = ", in %s/" % held.path if touch.path != held.path else ""
    kept = "; remote %s, %s" % (held.remote, held.url) if held.url else "; no remote"
    if held.origin:
        kept = "; imported from %s" % held.origin
    return "tracked by DVC, %s%s%s%s" % (held.file, stage, inside, kept)


def _read_as(file: File, graph: Graph) -> _Asked | None:
    """Return how a run of a known commit read a file of the repository."""
    for one in file.places:
        if one.touch.side == READ and one.touch.root == "repo" and one.run in graph.runs:
            commit = graph.runs[one.run].commit
            return _Asked(file.key, commit if _COMMIT.match(commit) else "", one.touch)
    return None


class _Blobs:
    """Contents at commits, asked of git one by one: each call takes some milliseconds."""

    def __init__(self, git: Git, top: str) -> None:
        self._git, self._top = git, top
        self._kept: dict[tuple[str, str], bytes | None] = {}

    def text(self, asked: _Asked) -> str:
        """Return "in git at 1a2b3c4" where the blob is the file that was read, else ""."""
        touch, short = asked.touch, asked.commit[:7]
        if touch.files is not None or touch.size > MOST_BYTES or not asked.commit:
            return ""
        data = self.content(asked.commit, touch.path, touch.size)
        if data is None or not touch.digests:
            return ""
        known = dict(one.split(":", 1) for one in touch.digests)
        usable = digest.available(known)
        if not usable:
            return ""
        if digest.bytes_digest(data, usable[0]) == known[usable[0]]:
            return "in git at %s" % short
        return ""

    def content(self, commit: str, path: str, size: int = -1) -> bytes | None:
        """Return a file's content at a commit, None where it is not there (or not of ``size``)."""
        name = commit, path
        if name not in self._kept:
            address = "%s:%s" % name
            feed = os.fsencode(address) + b"\n"
            self._kept[name] = None
            if b"\n" in feed[:-1] or len(feed) > _FEED:
                return None
            form = "--batch-check=%(objecttype) %(objectsize)"
            head = self._git(self._top, "cat-file", form, feed=feed)
            kind, _, length = head.out.decode("ascii", "replace").strip().rpartition(" ")
            if head.code or kind != "blob" or not length.isdecimal() or int(length) > MOST_BYTES:
                return None
            if size in (-1, int(length)):
                told = self._git(self._top, "cat-file", "blob", address)
                self._kept[name] = told.out if told.code == 0 else None
        return self._kept[name]


def _by_dvc(asked: _Asked, blobs: _Blobs, top: str) -> str:
    """Return what a DVC file at the run's commit, or here now, says of a path."""
    path = posixpath.normpath(asked.touch.path)
    known = dict(one.split(":", 1) for one in asked.touch.digests)
    for name in _pointers(path):
        for data, where in _versions(asked.commit, name, blobs, top):
            for stated, value in _stated(data, name):
                if path != stated and not path.startswith(stated + "/"):
                    continue
                text = "tracked by DVC, %s%s" % (name, where)
                if path != stated:
                    return "%s, in %s/" % (text, stated)
                own = known.get("md5")
                if own is not None:
                    return text if own == value else ""
                return "%s, md5 %s; by its path" % (text, value[:12])
    return ""


def _pointers(path: str) -> Iterator[str]:
    """Yield the DVC files that may speak of ``path``: beside it, above it, of the pipeline."""
    here = path
    while here:
        yield here + ".dvc"
        here = posixpath.dirname(here)
        yield posixpath.join(here, "dvc.lock")


def _versions(commit: str, name: str, blobs: _Blobs, top: str) -> Iterator[tuple[bytes, str]]:
    data = blobs.content(commit, name) if commit else None
    if data is not None:
        yield data, " at %s" % commit[:7]
        return
    try:
        with open(os.path.join(top, name), "rb") as stream:
            yield stream.read(MOST_BYTES), ""
    except OSError:
        return


def _stated(data: bytes, name: str) -> Iterator[tuple[str, str]]:
    """Yield (path below the repository, MD5) of each file that a DVC file names."""
    try:
        facts = dvc.read(Source(name, data)).facts
    except (Unreadable, ProvError, ValueError):
        return
    for one in facts:
        algorithm, _, value = one.digest.partition(":")
        if algorithm == "md5":
            yield posixpath.normpath(posixpath.join(posixpath.dirname(name), one.name)), value
