"""Putting files of a run back: into their place where nothing else is, or into another folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from provenance.core.paths import CWD, REPO, PathRef, is_inside
from provenance.errors import NoSuchArtifact, ProvError, UsageError
from provenance.operations import _artifacts, _remote, _transfers, addresses, pulling
from provenance.operations._artifacts import Artifact
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._placing import Item, Plan, Work
from provenance.operations._remote import Stores
from provenance.operations._transfers import Failure, Tell
from provenance.operations.recorder import CACHE
from provenance.store import blobs, objects, project, records
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project
from provenance.store.records import Stored


class Placed(NamedTuple):
    """placed, there: paths that were (would be) made, that were right already.

    replaced: path, and where what was there is now. failed: what could not be had.
    """

    run: str
    placed: tuple[str, ...]
    there: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...]
    failed: tuple[Failure, ...]
    dry: bool = False

    @property
    def complete(self) -> bool:
        """Return whether all that was asked for is in its place."""
        return not self.failed


class Wish(NamedTuple):
    """What is asked for beside the run. to: a folder, "" for in place."""

    to: str = ""
    facets: tuple[str, ...] = _artifacts.BOTH
    force: bool = False
    dry: bool = False
    remote: str = ""


def checkout(cwd: str, asked: str, wish: Wish, tell: Tell | None = None) -> Placed:
    """Put files of a run into their places; what is missing here is fetched from the remote.

    asked: RUN, or RUN:NAME as for `path`.

    Raises `InTheWay` before anything is written where other files are in the way, `NoSuchRun`,
    `UsageError`, `SystemRefused`.
    """
    place = project.find(cwd)
    run, name = addresses.split(asked) if ":" in asked else (asked, "")
    stored = records.find(place, run)
    _check_folder(wish.to, cwd)
    wanted = _chosen(stored, run, name, wish.facets)
    kept = _remote.stores(place)
    known, failed = _fetched(place, kept, stored, wanted, wish, cwd, tell)
    told = {one.path for one in failed}
    plan = Plan()
    there: list[str] = []
    folders: list[str] = []
    cache = with_dvc(DigestCache(os.path.join(place.folder, CACHE)), os.environ)
    for one in wanted:
        target = _target(place, stored, one, wish, cwd)
        problem = _spread(kept, known, one, target, plan)
        if not problem:
            continue
        blob = blobs.find(known, one.digests)
        if wish.dry and blob is not None and one.shown not in told:  # it would be fetched
            if one.folder:
                folders.append(target)
            else:
                plan.items.append(Item(blob.oid, target, one.shown, one.algorithm, one.value))
            continue
        if not wish.to and _artifacts.is_in_place(place, stored.record, one, cache.digest):
            there.append(target)
            failed = [failure for failure in failed if failure.path != one.shown]
        elif one.shown not in told:
            failed.append(Failure(one.shown, problem))
    if not name:
        plan.links += _links(place, stored, wish, cwd)
    work = Work(place, kept, cache, plan, failed)
    work.there += there
    work.look()
    cache.save()
    work.agree(wish.force)
    if wish.dry:
        coming = [one.target for one in (*work.missing, *work.other) if one.shown not in told]
        links = [path for path, _ in plan.links if not os.path.lexists(path)]
        new = (*coming, *folders, *links)
        return Placed(stored.record.id, new, tuple(work.there), (), tuple(failed), True)
    work.do(tell)
    done, replaced = tuple(sorted(work.done)), tuple(sorted(work.replaced))
    return Placed(stored.record.id, done, tuple(work.there), replaced, tuple(failed))


def put_at(
    place: Project, kept: Stores, known: blobs.Blobs, one: Artifact, target: str
) -> tuple[Failure, ...]:
    """Put one artifact, whose blobs are here, at the free path ``target``; return what failed."""
    plan = Plan()
    problem = _spread(kept, known, one, target, plan)
    if problem:
        return (Failure(one.shown, problem),)
    work = Work(place, kept, DigestCache(os.devnull), plan, [])
    work.missing += plan.items
    return work.do(None)


def _chosen(stored: Stored, run: str, name: str, facets: Sequence[str]) -> list[Artifact]:
    """Return the artifacts that are asked for; of two states of one path the run's result."""
    every, left = _artifacts.of(stored.record, facets, bool(name))
    by_path = {one.ref: one for one in every}  # outputs come last
    if not name:
        return list(by_path.values())
    meant = [
        PathRef(one.path.root, "%s/%s" % (one.path.path, below)) if below else one.path
        for one in addresses.find(stored.record, run, name)
        for below, _ in one.entries
    ]
    found = [by_path[ref] for ref in meant if ref in by_path]
    if not found:
        why = {one.ref: one.why for one in left}
        reasons = [why[ref] for ref in meant if ref in why]
        reason = reasons[0] if reasons else "it has no content, or was not asked for"
        raise NoSuchArtifact("%s of run %s cannot be had: %s." % (name, run, reason))
    return found


def _check_folder(to: str, cwd: str) -> None:
    """Raise `UsageError` where a file is in the way of the folder ``to``."""
    folder = os.path.join(cwd, os.path.expanduser(to))
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if to and not os.path.isdir(folder):
        raise UsageError("--to %s: %s is no folder." % (to, folder))


def _links(place: Project, stored: Stored, wish: Wish, cwd: str) -> list[tuple[str, str]]:
    """Return the symbolic links that the run made, as path and where it leads.

    Only those that lead to a place in the project: these are as good in any clone.
    """
    found = []
    for ref, leads in _artifacts.links(stored.record, wish.facets):
        one = Artifact(stored.record.id, "", ref, 0, {})
        try:
            path = _target(place, stored, one, wish, cwd)
            end = _target(place, stored, one._replace(ref=leads), wish, cwd)
        except UsageError:
            continue
        found.append((path, os.path.relpath(end, os.path.dirname(path))))
    return found


def _fetched(
    place: Project,
    kept: Stores,
    stored: Stored,
    wanted: list[Artifact],
    wish: Wish,
    cwd: str,
    tell: Tell | None,
) -> tuple[blobs.Blobs, list[Failure]]:
    """Fetch what is not here, where a remote is set.

    Return the names of the run's blobs, and what could not be had.
    """
    known = blobs.load(stored.folder)
    if all(is_here(kept, blobs.find(known, one.digests)) for one in wanted):
        return known, []
    try:
        source = _remote.reach(place, kept, wish.remote, cwd)
    except UsageError:
        if wish.remote:
            raise
        return known, []
    try:
        known = pulling.names_of(source, stored.record.id, known)
        if known and not wish.dry:
            blobs.add(stored.folder, known)
        return known, pulling.fetch(kept, source, known, wanted, wish.dry, tell).failed
    except OSError as error:
        return known, [Failure(source.shown, _transfers.why(error))]


def is_here(kept: Stores, blob: blobs.Blob | None) -> bool:
    """Return whether the blob is kept here, of a folder all of its files."""
    if blob is None:
        return False
    store = kept.holding(blob.oid)
    if store is None or not blob.oid.endswith(objects.LIST):
        return store is not None
    try:
        return all(kept.holding(one.oid) for one in blobs.members(store.read(blob.oid)))
    except (OSError, ProvError):
        return False


def _target(place: Project, stored: Stored, one: Artifact, wish: Wish, cwd: str) -> str:
    if wish.to:
        top = os.path.join(cwd, os.path.expanduser(wish.to))
        inner = one.ref.path if one.ref.root in (REPO, CWD) else os.path.basename(one.ref.path)
        target = os.path.normpath(os.path.join(top, inner))
        if not (target == os.path.normpath(top) or objects.is_below(target, os.path.normpath(top))):
            raise UsageError("%s leads out of %s." % (one.shown, wish.to))
        return target
    if one.ref.root not in (REPO, CWD):
        raise UsageError(
            "%s lies outside of the project; it is not put back there." % one.shown,
            "say where it shall go: --to FOLDER",
        )
    top = place.repo or place.root
    for target in _artifacts.places(place, stored.record, one)[:1]:
        if is_inside(target, top):
            return target
    raise UsageError(
        "%s has no place below %s." % (one.shown, top), "say where it shall go: --to FOLDER"
    )


def _spread(
    kept: Stores,
    known: blobs.Blobs,
    one: Artifact,
    target: str,
    plan: Plan,
) -> str:
    """Add what ``one`` consists of; return why it cannot be had, "" where it can."""
    blob = blobs.find(known, one.digests)
    if blob is None:
        return "it was never pushed"
    if not one.folder:
        if kept.holding(blob.oid) is None:
            return "it is not here (prov pull)"
        plan.items.append(Item(blob.oid, target, one.shown, one.algorithm, one.value))
        return ""
    store = kept.holding(blob.oid)
    if store is None:
        return "it is not here (prov pull)"
    try:
        members = blobs.members(store.read(blob.oid))
    except (OSError, ProvError) as error:
        return _transfers.why(error)
    for member in members:
        path = os.path.join(target, *member.path.split("/"))
        shown = "%s/%s" % (one.shown, member.path)
        plan.items.append(Item(member.oid, path, shown, one.algorithm, ""))
    plan.trees.append((one, target, tuple(one.path for one in members), dict(blob.links)))
    for below, leads in blob.links.items():
        if blobs.is_inner(below) and not os.path.isabs(leads) and _stays(below, leads):
            plan.links.append((os.path.join(target, *below.split("/")), leads))
    return ""


def _stays(below: str, leads: str) -> bool:
    """Return whether a link leads to somewhere in its folder, whatever other links there are."""
    end = os.path.normpath(os.path.join(os.path.dirname(below), leads))
    return leads == os.path.normpath(leads) and not end.startswith("..")
