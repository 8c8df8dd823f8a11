"""Which runs somebody still needs: those that a lock names, those kept, those that go on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provenance.core import record, runid
from provenance.core.record import Record
from provenance.errors import ProvError
from provenance.operations import _gittree, tagged
from provenance.store import kept, liveness, lockfile
from provenance.store.project import Project

_ID = re.compile(rb"\b\d{8}T\d{6}Z-[0-9a-f]{8}\b")
_MOST_REFS = 2000


class Needed(NamedTuple):
    """why: by run id, the clause that says who needs it ("prov.lock names it")."""

    why: Mapping[str, str]

    def names(self, run_id: str) -> bool:
        """Return whether somebody needs the run."""
        return run_id in self.why


def of(place: Project, cwd: str, runs: Iterable[Record] = ()) -> Needed:
    """Return what is needed in the project, with the runs among ``runs`` whose results it reads."""
    why = dict.fromkeys(kept.ids(place), "it is kept (prov keep)")
    why.update(_named_by_locks(place, cwd))
    known = list(runs)
    for one in tagged.ancestors([run for run in known if run.id in why], known):
        why.setdefault(one.id, "a run that is kept or locked reads what it made")
    return Needed(why)


def going_on(run: Record) -> str:
    """Return the sentence that says a run still goes on, "" where it has ended.

    Of a run on another host nobody can tell from here; it counts as going on.
    """
    if run.status != record.RUNNING:
        return ""
    alive = liveness.lives(run.process)
    if alive is None and run.process is not None:
        return "it may still go on, on %s" % run.process.host
    return "it still goes on" if alive else ""


def texts(place: Project, cwd: str) -> list[tuple[str, bytes]]:
    """Return the locks here, and those of the repository's other branches, each with its name."""
    found = []
    for path in sorted(_locks(place, cwd)):
        try:
            with open(path, "rb") as stream:
                found.append((os.path.relpath(path, place.root), stream.read()))
        except OSError:
            continue
    here = {text for _, text in found}
    branches = (("%s of %s" % (lockfile.FILE, ref), text) for ref, text in _on_branches(place))
    return found + [one for one in branches if one[1] not in here]


def _named_by_locks(place: Project, cwd: str) -> dict[str, str]:
    """Return which runs the locks name.

    Any id in the text counts: what cannot be read as a lock (a conflict being merged, a newer form)
    still protects what it names.
    """
    found: dict[str, str] = {}
    for name, text in texts(place, cwd):
        for one in _ids(text):
            found.setdefault(one, "%s names it" % name)
    return found


def _ids(text: bytes) -> set[str]:
    return {one.decode("ascii") for one in _ID.findall(text) if runid.is_id(one.decode("ascii"))}


def _locks(place: Project, cwd: str) -> set[str]:
    above = lockfile.above(cwd, place.root)
    found = {os.path.join(place.root, lockfile.FILE), *((above,) if above else ())}
    if place.repo is not None:
        words = ("ls-files", "-z", "-co", "--exclude-standard", "--")
        patterns = (lockfile.FILE, ":(glob)**/" + lockfile.FILE)
        names = _asked(place.repo, *words, *patterns).split(b"\0")
        found |= {os.path.join(place.repo, os.fsdecode(name)) for name in names if name}
    return {path for path in found if os.path.isfile(path)}


def _on_branches(place: Project) -> list[tuple[str, bytes]]:
    """Return the locks in the project's folder as branches and tags have them, by name."""
    if place.repo is None:
        return []
    below = os.path.relpath(place.root, place.repo)
    path = lockfile.FILE if below == os.curdir else "%s/%s" % (below, lockfile.FILE)
    kinds = ("refs/heads", "refs/tags", "refs/remotes")
    refs = _asked(place.repo, "for-each-ref", "--format=%(refname:short)", *kinds).split()
    if not refs:
        return []
    wanted = b"".join(b"%s:%s\n" % (ref, os.fsencode(path)) for ref in refs[:_MOST_REFS])
    told = _asked(place.repo, "cat-file", "--batch-check=%(objectname)", feed=wanted).splitlines()
    blobs: dict[str, str] = {}
    for ref, line in zip(refs, told, strict=False):
        if not line.endswith(b" missing"):
            blobs.setdefault(line.decode("ascii", "replace"), os.fsdecode(ref))
    return [(ref, _asked(place.repo, "cat-file", "blob", blob)) for blob, ref in blobs.items()]


def _asked(repo: str, *words: str, feed: bytes | None = None) -> bytes:
    """Return what git prints, nothing where it fails or is not installed."""
    try:
        answer = _gittree.git(repo, *words, feed=feed)
    except ProvError:
        return b""
    return answer.out if answer.code == 0 else b""
