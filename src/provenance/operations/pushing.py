"""Sending runs to a remote: their records, and the files that they read and wrote."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from provenance.core import digest, record, runid
from provenance.errors import ProvError, SystemRefused, UsageError
from provenance.operations import _artifacts, _gathering, _gittree, _remote, _transfers, settle
from provenance.operations._artifacts import Unusable
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._gathering import Source
from provenance.operations._remote import Stores
from provenance.operations._transfers import Failure, Tell
from provenance.operations.recorder import AGENT, CACHE
from provenance.store import announced, blobs, objects, project, records, team
from provenance.store.digestcache import DigestCache
from provenance.store.objects import Store, identity
from provenance.store.project import Project
from provenance.store.records import Stored
from provenance.store.remotes import Remote


class Choice(NamedTuple):
    """What is sent or fetched beside records.

    facets: data, outputs. outside: also files outside of the project. again: also what is there.
    dry: only tell.
    """

    facets: tuple[str, ...] = _artifacts.BOTH
    outside: bool = False
    again: bool = False
    dry: bool = False


class Pushed(NamedTuple):
    """runs: ids. sent, there: number and bytes of blobs that were (would be) sent, were there.

    lost: files that could not be sent because they are not what they were. left: files that were
    not asked for. failed: what went wrong on the way.
    """

    remote: str
    runs: tuple[str, ...]
    sent: tuple[int, int]
    there: tuple[int, int]
    lost: tuple[Unusable, ...]
    left: tuple[Unusable, ...]
    failed: tuple[Failure, ...]
    dry: bool
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Return whether all that was asked for is there now."""
        return not self.lost and not self.failed


def push(
    cwd: str, names: Sequence[str], remote: str, choice: Choice, tell: Tell | None = None
) -> Pushed:
    """Send runs to a remote; what is there already is not sent again.

    Raises `NoSuchRun`, `UsageError`, `MissingExtra`, `SystemRefused` ...
    """
    place = project.find(cwd)
    runs = [_ended(place, name) for name in dict.fromkeys(names or ("@last",))]
    kept = _remote.stores(place)
    target = _remote.reach(place, kept, remote, cwd)
    found = _collect(place, runs, kept, choice, tell)
    sizes = {oid: item.size for oid, item in found.sources.items()}
    try:
        there = target.present({**dict.fromkeys(found.perhaps.values(), -1), **sizes})
    except OSError as error:
        raise unreachable(target, error) from error
    lost = [item for item in found.lost if found.perhaps.get(item) not in there]
    missing = [item for oid, item in found.sources.items() if choice.again or oid not in there]
    failures = [] if choice.dry else _send(target, kept.main, missing, tell)
    bad = {item.oid for item, _ in failures}
    failed = [Failure(item.shown, _transfers.why(error)) for item, error in failures]
    if not choice.dry:
        failed += _announce(target, found.records, bad, _author(place))
    done = [item for item in missing if item.oid not in bad]
    had = [item for oid, item in found.sources.items() if oid in there and not choice.again]
    return Pushed(
        target.shown,
        tuple(one.record.id for one in runs),
        (len(done), sum(item.size for item in done)),
        (len(had), sum(item.size for item in had)),
        tuple(lost),
        tuple(found.left),
        tuple(failed),
        choice.dry,
        (kept.note,) if kept.note else (),
    )


class _Found(NamedTuple):
    """What there is to send. sources: by oid, those of the records' own files among them.

    records: run, and its files by their path in the record's folder. perhaps: of files that are
    lost here, the blob that the remote may have.
    """

    sources: dict[str, Source]
    records: list[tuple[Stored, list[tuple[str, Source]]]]
    lost: list[Unusable]
    left: list[Unusable]
    perhaps: dict[Unusable, str]


def _collect(
    place: Project, runs: Sequence[Stored], kept: Stores, choice: Choice, tell: Tell | None
) -> _Found:
    all_found = _Found({}, [], [], [], {})
    cache = with_dvc(DigestCache(os.path.join(place.folder, CACHE)), os.environ)
    for one in runs:
        wanted, unusable = _artifacts.of(one.record, choice.facets, choice.outside)
        all_found.lost.extend(item for item in unusable if not item.outside)
        all_found.left.extend(item for item in unusable if item.outside)
        total = sum(item.size for item in wanted)
        progress = _transfers.Progress(tell, "digesting", len(wanted), total)
        known = blobs.load(one.folder)
        try:
            found = _gathering.gather(place, one.record, wanted, known, kept, cache, progress.add)
        finally:
            cache.save()  # what has been digested need not be read again after Ctrl-C
        all_found.sources.update(found.sources)
        for item in found.lost:
            blob = blobs.find(known, item.digests)
            all_found.lost.append(item)
            if blob is not None:
                all_found.perhaps[item] = blob.oid
        if not choice.dry:
            blobs.add(one.folder, found.names)
        members = _record_files(one)
        all_found.records.append((one, members))
        all_found.sources.update((item.oid, item) for _, item in members)
    return all_found


def unreachable(target: Remote, error: OSError) -> SystemRefused:
    """Return the error for a remote that does not answer, or a file here that cannot be used."""
    if isinstance(error.filename, str):
        return SystemRefused("%s: %s." % (error.filename, error.strerror))
    return SystemRefused("%s does not answer: %s." % (target.shown, _transfers.why(error)))


def _ended(place: Project, name: str) -> Stored:
    stored = settle.settled(place, records.find(place, name))
    if stored.record.status == record.RUNNING:
        raise UsageError("%s still goes on." % stored.record.id, "push it when it has ended")
    return stored


def _record_files(one: Stored) -> list[tuple[str, Source]]:
    """Return the files of a record's folder, by their path in it."""
    found = []
    for folder, folders, names in os.walk(one.folder):
        folders[:] = sorted(name for name in folders if name != AGENT)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.islink(path) or name.endswith(".tmp") or not os.path.isfile(path):
                continue
            if name == team.FILE:
                continue  # how it came here is nobody else's
            with open(path, "rb") as stream:
                status = identity(os.fstat(stream.fileno()))
                oid = objects.oid_of(stream.read()) if status.size < 1 << 20 else ""
            if not oid:
                oid = digest.file_digests(path, (digest.MD5,))[digest.MD5]
            below = os.path.relpath(path, one.folder).replace(os.sep, "/")
            shown = "%s of the record of %s" % (below, runid.short(one.record.id))
            found.append((below, Source(oid, status.size, path, status, shown)))
    return found


def _send(
    target: Remote, scratch: Store, missing: list[Source], tell: Tell | None
) -> list[tuple[Source, Exception]]:
    progress = _transfers.Progress(
        tell, "sending", len(missing), sum(item.size for item in missing)
    )

    def one(item: Source) -> None:
        path, known = item.path, item.known
        if item.data:
            path, known = scratch.path(scratch.put_bytes(item.data, objects.LIST)), None
        target.upload(path, item.oid, known)
        progress.add(item.size)

    # The lists of folders last: whoever finds one finds the files in it.
    lists = [item for item in missing if item.oid.endswith(objects.LIST)]
    plain = [item for item in missing if not item.oid.endswith(objects.LIST)]
    failed = _transfers.each(plain, one, target.jobs)
    return failed + _transfers.each(lists, one, target.jobs)


def _announce(
    target: Remote, packed: list[tuple[Stored, list[tuple[str, Source]]]], bad: set[str], me: str
) -> list[Failure]:
    """Write the runs' own files, of those whose records arrived. me: who ran those of ours."""
    failed = []
    for (run, _, origin), members in packed:
        if any(item.oid in bad for _, item in members):
            continue
        try:
            files = tuple((below, item.oid, item.size) for below, item in members)
            author = me if origin is None else origin.author
            told = announced.Announced(run.id, run.name or "", files, run.started, author)
            target.write_run(run.id, announced.to_bytes(told))
        except (OSError, SystemRefused) as error:
            failed.append(Failure("the record of %s" % runid.short(run.id), _transfers.why(error)))
    return failed


def _author(place: Project) -> str:
    """Return the name of the user as git knows it, "" where it does not."""
    try:
        answer = _gittree.git(place.root, "var", "GIT_AUTHOR_IDENT")
    except ProvError:
        return ""
    told = answer.out.decode("utf-8", "replace") if answer.code == 0 else ""
    return told.rpartition(" <")[0]
