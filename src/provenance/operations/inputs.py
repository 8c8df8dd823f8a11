"""Bringing a run's data into the tree that it is replayed in.

Only files inside the repository need bringing (others are read where they are), and only when git
did not bring them. Small ones are copied, so that a rerun that writes to them cannot harm the
user's; big ones that the run did not write are linked.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from provenance.core.paths import REPO, PathRef, Roots, is_inside
from provenance.core.record import Record
from provenance.operations import _dvc_get, _from_remote
from provenance.store.project import Project

COPY_LIMIT = 64 * 1024 * 1024
"""Bytes up to which a file is copied rather than linked."""

Fetch = Callable[[dict[str, Any]], tuple[str, str]]


def bring(
    run: Record,
    roots: Roots,
    tree: str,
    copy_limit: int = COPY_LIMIT,
    written_limit: int | None = None,
    environ: Mapping[str, str] | None = None,
    trees: Sequence[str] = (),
    place: Project | None = None,
    fetch: Fetch | None = None,
) -> tuple[str, ...]:
    """Put the data files of ``run`` into ``tree``; return sentences about what is not there.

    ``roots``: where the run's own files are on this machine. Nothing outside ``tree`` is written.
    copy_limit: bytes up to which a file is copied rather than linked. written_limit: the same for
    a file that the run wrote to as well; None: always copied. environ: with it what is not here and
    DVC tracks is fetched, and held against the recorded digest. trees: of earlier reruns, which may
    have written what this one reads. place: with it what is not here is looked for in the store
    and at the project's remote first. fetch: returns where the content of an entry is that is no
    longer in place, brought here and verified, or a clause on why not.
    """
    notes: list[str] = []
    written = {_key(entry) for entry in entries(run, "outputs")}
    getter = _from_remote.Getter(place, run) if place is not None else None
    for entry in entries(run, "data"):
        ref = PathRef.from_json(entry["path"])
        if ref.root != REPO or roots.repo is None:
            continue
        made = (os.path.join(one, ref.path) for one in reversed(trees))
        source = next((one for one in made if os.path.exists(one)), roots.locate(ref))
        target = os.path.normpath(os.path.join(tree, ref.path))
        if not is_inside(target, tree) or os.path.lexists(target):
            continue
        if source is None or not os.path.exists(source):
            why = getter.get(ref, target) if getter is not None else None
            path, said = fetch(entry) if why != "" and fetch is not None else ("", "")
            if path:
                whole = int(entry.get("size") or 0) <= copy_limit or _key(entry) in written
                _place(path, target, whole, writable=True)
                continue
            why = said or why if why != "" else why
            if why != "" and environ is not None:
                by_dvc = _fetched(entry, roots.repo, target, environ)
                why = why if by_dvc is None else by_dvc
            if why != "":
                said = " (%s)" % why if why else ""
                notes.append("%s is not here%s: the rerun will miss it" % (ref, said))
            continue
        try:
            updated = _key(entry) in written or entry.get("kind") == "updated"
            limit = written_limit if updated else copy_limit
            _place(source, target, limit is None or int(entry.get("size") or 0) <= limit)
        except OSError as error:
            notes.append("%s could not be brought: %s" % (ref, error.strerror or error))
    return tuple(notes)


def _fetched(
    entry: dict[str, Any], top: str, target: str, environ: Mapping[str, str]
) -> str | None:
    """Fetch what DVC tracks; return a clause on why it is not there, None where DVC does not."""
    path = str(PathRef.from_json(entry["path"]).path)
    if not _dvc_get.is_tracked(top, path):
        return None
    why = _dvc_get.fetch(top, path, target, environ)
    if why:
        return why
    if not _dvc_get.differs(target, entry.get("digests") or {}):
        return ""
    os.unlink(target)
    return "what DVC has of it today is not what the run read"


def places(run: Record, roots: Roots, tree: str) -> tuple[str, ...]:
    """Return where the data of ``run`` is, or would be, for a rerun in ``tree``.

    What the restored code in ``tree`` holds already is not among it: it comes with the code. The
    places that it was read from follow: source that names them in full reads it there.
    """
    found: list[str] = []
    originals: list[str] = []
    for entry in entries(run, "data"):
        ref = PathRef.from_json(entry["path"])
        if ref.root != REPO or roots.repo is None:
            path = roots.locate(ref)
            found += [path] if path is not None else []
            continue
        target = os.path.normpath(os.path.join(tree, ref.path))
        if is_inside(target, tree) and not os.path.lexists(target):
            found.append(target)
            original = roots.locate(ref)
            originals += [original] if original is not None else []
    return (*found, *originals)


def _place(source: str, target: str, copied: bool, writable: bool = False) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if copied:
        if os.path.isdir(source):
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)
            if writable:
                os.chmod(target, 0o644)
    else:
        os.symlink(source, target)


def entries(run: Record, facet: str) -> Iterator[dict[str, Any]]:
    """Yield the files that a facet of ``run`` lists, as they are in the record."""
    for subject in run.payloads(facet):
        yield from subject.payload.get("files", [])


def _key(entry: dict[str, Any]) -> str:
    return str(sorted(entry["path"].items()))
