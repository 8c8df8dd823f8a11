"""Fetching runs from a remote: their records to those of others, their files into the store.

What is fetched is held against its digest; what is missing or damaged at the remote is named, and
the rest arrives. Nothing of the user's is touched: putting files in place is `checkout`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from provenance.core import runid
from provenance.errors import AmbiguousRun, BadRecord, Damaged, NoSuchRun, ProvError
from provenance.operations import _artifacts, _remote, _transfers
from provenance.operations._artifacts import Artifact, Unusable
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._remote import Stores
from provenance.operations._transfers import Failure, Tell
from provenance.operations.pushing import Choice, unreachable
from provenance.operations.recorder import CACHE
from provenance.store import announced, blobs, files, liveness, objects, project, records, team
from provenance.store.announced import Announced
from provenance.store.blobs import Blobs
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project
from provenance.store.remotes import Remote

_PREFIX = ".pull-"
"""Of folders in ``.prov/team`` in which a record arrives; no run has such a name."""


class Pulled(NamedTuple):
    """runs: ids of those asked for. records: how many of these are new here.

    fetched, there: number and bytes of blobs that were (would be) fetched, that were here already.
    failed: files that did not arrive. left: files that were not asked for.
    """

    remote: str
    runs: tuple[str, ...]
    records: int
    fetched: tuple[int, int]
    there: tuple[int, int]
    failed: tuple[Failure, ...]
    left: tuple[Unusable, ...]
    dry: bool
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Return whether all that was asked for is here now."""
        return not self.failed


class Need(NamedTuple):
    """A blob to be fetched. size: -1 where it is not known. shown: the file that it is for."""

    oid: str
    size: int
    shown: str


def pull(
    cwd: str, names: Sequence[str], remote: str, choice: Choice, tell: Tell | None = None
) -> Pulled:
    """Fetch runs from a remote; without names the records of all runs there, but no files.

    Raises `NoSuchRun`, `AmbiguousRun`, `UsageError`, `MissingExtra`, `SystemRefused` ...
    """
    place = project.find(cwd)
    kept = _remote.stores(place)
    source = _remote.reach(place, kept, remote, cwd)
    if not choice.dry:
        kept.main.sweep()
    try:
        return _pull(place, kept, source, names, choice, tell)
    except OSError as error:
        raise unreachable(source, error) from error


def _pull(
    place: Project,
    kept: Stores,
    source: Remote,
    names: Sequence[str],
    choice: Choice,
    tell: Tell | None,
) -> Pulled:
    told = tell or (lambda _: None)
    told("asking %s" % source.shown)
    there = source.runs()
    wanted = [_meant(place, source, there, name) for name in dict.fromkeys(names)] or there
    here = {*records.ids(place), *team.ids(place)}
    failed: list[Failure] = []
    new = 0
    for number, run_id in enumerate(wanted):
        told("fetching records, %d of %d" % (number + 1, len(wanted)))
        if run_id not in there or (run_id in here and not names):
            continue
        try:
            new += _record(place, kept, source, run_id, choice.dry)
        except BadRecord as error:
            failed.append(Failure("the record of %s" % runid.short(run_id), error.message, True))
        except ProvError as error:
            failed.append(Failure("the record of %s" % runid.short(run_id), error.message))
    fetched, had, left = (0, 0), (0, 0), []
    here = {*records.ids(place), *team.ids(place)}
    for run_id in wanted if names else ():
        if run_id not in here:
            continue
        stored = records.find(place, run_id)
        artifacts, unusable = _artifacts.of(stored.record, choice.facets, choice.outside)
        left += [one for one in unusable if one.outside]
        known = blobs.load(stored.folder)
        part = fetch(kept, source, known, artifacts, choice.dry, tell)
        fetched = _sum(fetched, part.fetched)
        had = _sum(had, part.there)
        cache = with_dvc(DigestCache(os.path.join(place.folder, CACHE)), os.environ)
        have = {
            one.shown
            for one in artifacts
            if any(failure.path == one.shown for failure in part.failed)
            and _artifacts.is_in_place(place, stored.record, one, cache.digest)
        }
        failed += [one for one in part.failed if one.path not in have]
    notes = (kept.note,) if kept.note else ()
    lost, rest = tuple(failed), tuple(left)
    return Pulled(source.shown, tuple(wanted), new, fetched, had, lost, rest, choice.dry, notes)


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


class Fetched(NamedTuple):
    """What `fetch` did; see `Pulled`."""

    fetched: tuple[int, int]
    there: tuple[int, int]
    failed: list[Failure]


def fetch(
    kept: Stores,
    source: Remote,
    known: Blobs,
    artifacts: Sequence[Artifact],
    dry: bool = False,
    tell: Tell | None = None,
) -> Fetched:
    """Fetch those blobs of ``artifacts`` that are not here. Raises OSError, `SystemRefused`.

    known: under which names they are kept.
    """
    failed: list[Failure] = []
    lists: list[Need] = []
    plain: dict[str, Need] = {}
    folders: list[tuple[Artifact, str]] = []
    for one in artifacts:
        blob = blobs.find(known, one.digests)
        if blob is None:
            failed.append(Failure(one.shown, "it was never pushed"))
        elif blob.oid.endswith(objects.LIST):
            lists.append(Need(blob.oid, -1, one.shown))
            folders.append((one, blob.oid))
        else:
            plain.setdefault(blob.oid, Need(blob.oid, one.size, one.shown))
    for need in lists:
        _drop_damaged(kept, need.oid)
    count_lists = _get(kept, source, lists, dry, tell)
    failed += count_lists.failed
    for one, oid in folders:
        store = kept.holding(oid)
        if store is None:
            continue  # it failed, or this is only told
        try:
            for member in blobs.members(store.read(oid)):
                shown = "%s/%s" % (one.shown, member.path)
                plain.setdefault(member.oid, Need(member.oid, -1, shown))
        except (OSError, ProvError) as error:
            failed.append(Failure(one.shown, _transfers.why(error), True))
    rest = _get(kept, source, list(plain.values()), dry, tell)
    return Fetched(
        _sum(count_lists.fetched, rest.fetched),
        _sum(count_lists.there, rest.there),
        failed + rest.failed,
    )


def _drop_damaged(kept: Stores, oid: str) -> None:
    try:
        if kept.main.has(oid):
            kept.main.read(oid)
    except Damaged:
        kept.main.discard(oid)


def _get(kept: Stores, source: Remote, needs: list[Need], dry: bool, tell: Tell | None) -> Fetched:
    missing = [
        one for one in needs if not kept.holding(one.oid, None if one.size < 0 else one.size)
    ]
    had = (
        len(needs) - len(missing),
        sum(max(n.size, 0) for n in needs) - sum(max(n.size, 0) for n in missing),
    )
    absent = {one.oid for one in missing}
    for one in needs:
        if one.oid not in absent and not dry:
            kept.main.still_wanted(one.oid)  # so that no `prov gc` takes it meanwhile
    if not missing:
        return Fetched((0, 0), had, [])
    there = source.present({one.oid: one.size for one in missing})
    others = {one.oid: -1 for one in missing if one.oid not in there and one.size >= 0}
    damaged = source.present(others) if others else set()  # of another size: not worth fetching
    failed = [
        Failure(one.shown, "damaged at %s" % source.shown, True)
        if one.oid in damaged
        else Failure(one.shown, "%s has it no more, or it was never pushed" % source.shown)
        for one in missing
        if one.oid not in there
    ]
    coming = [one for one in missing if one.oid in there]
    if dry:
        return Fetched((len(coming), sum(max(one.size, 0) for one in coming)), had, failed)
    total = sum(max(one.size, 0) for one in coming)
    progress = _transfers.Progress(tell, "fetching", len(coming), total)
    sizes: list[int] = []

    def one_blob(need: Need) -> None:
        size = kept.main.receive(need.oid, lambda path: source.download(need.oid, path))
        sizes.append(size)
        progress.add(size)

    for need, error in _transfers.each(coming, one_blob, source.jobs):
        is_damaged = isinstance(error, Damaged)
        why = "damaged at %s" % source.shown if is_damaged else _transfers.why(error)
        failed.append(Failure(need.shown, why, is_damaged))
    place = {one.shown: number for number, one in enumerate(needs)}
    failed.sort(key=lambda one: place[one.path])
    return Fetched((len(sizes), sum(sizes)), had, failed)


def _meant(place: Project, source: Remote, there: list[str], name: str) -> str:
    """Return the run id that ``name`` means at the remote, else here."""
    if not name.startswith("@"):
        matches = runid.meant(name, there)
        if len(matches) == 1:
            return matches[0]
        if len(matches) > 1:
            shown = ", ".join(matches[:8])
            raise AmbiguousRun("%r means %d runs: %s." % (name, len(matches), shown), "type more")
        named = [one.id for one in _announced(source, there) if one.name == name]
        if named:
            return max(named)
    try:
        return records.find(place, name).record.id
    except NoSuchRun as error:
        raise NoSuchRun(
            "no run is called %r at %s, which has %d, nor here." % (name, source.shown, len(there)),
            "whoever has it: prov push %s" % name,
        ) from error


def _announced(source: Remote, there: list[str]) -> list[Announced]:
    found: dict[str, Announced] = {}

    def read(run_id: str) -> None:
        data = source.read_run(run_id)
        with contextlib.suppress(BadRecord):
            found[run_id] = announced.parse(data or b"", run_id, source.shown)

    failed = _transfers.each(there, read, source.jobs)
    if failed and not found:
        raise OSError(_transfers.why(failed[0][1]))
    return list(found.values())


def _record(place: Project, kept: Stores, source: Remote, run_id: str, dry: bool) -> bool:
    """Have the record of a run here; return whether it is new. Raises OSError, `ProvError`."""
    data = source.read_run(run_id)
    told = announced.parse(data or b"", run_id, source.shown)
    target = records.folder_of(place, run_id)
    if os.path.exists(os.path.join(target, records.FILE)):
        if not dry:
            learn(source, told, target)
        return False
    if dry:
        return True
    project.ensure(place)
    home = team.folder(place)
    target, folder = os.path.join(home, run_id), os.path.join(home, _name(run_id))
    files.make_folder(home)
    _sweep(home)
    try:
        for path, oid, _ in told.files:
            if path != team.FILE:
                _into(kept, source, oid, os.path.join(folder, *path.split("/")))
        found = records.read(folder)
        if found.id != run_id:
            raise BadRecord("%s at %s is the record of %s." % (run_id, source.shown, found.id))
        machine, where = found.process.host if found.process else "", source.shown
        team.write_origin(folder, team.Origin(where, where, told.author, machine=machine))
        _settle(folder)
        try:
            os.rename(folder, target)
        except OSError:
            if not os.path.exists(os.path.join(target, records.FILE)):
                raise
            return False  # somebody else pulled it just now
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _name(run_id: str) -> str:
    return "%s%s-%s" % (_PREFIX, run_id, liveness.mark())


def _into(kept: Stores, source: Remote, oid: str, path: str) -> None:
    """Fetch a file of a record, through the store which verifies it, and keep no blob of it."""
    files.make_folder(os.path.dirname(path))
    had = kept.main.has(oid)
    if not had:
        kept.main.receive(oid, lambda temporary: source.download(oid, temporary))
    kept.main.take_out(oid, path)
    if not had:
        with contextlib.suppress(OSError):
            kept.main.discard(oid)


def names_of(source: Remote, run_id: str, known: Blobs) -> Blobs:
    """Return ``known`` with what the remote knows of the names of a run's blobs.

    Raises OSError, `BadRecord`.
    """
    data = source.read_run(run_id)
    if data is None:
        return known
    return {**names_at(source, announced.parse(data, run_id, source.shown)), **known}


def learn(source: Remote, told: Announced, folder: str) -> None:
    """Add what the remote knows of the names of blobs to what is known here. Raises OSError."""
    found = names_at(source, told)
    if found:
        blobs.add(folder, found)


def names_at(source: Remote, told: Announced) -> Blobs:
    """Return what the remote knows of the names of a run's blobs. Raises OSError, `BadRecord`."""
    oid = next((oid for path, oid, _ in told.files if path == blobs.FILE), "")
    if not oid:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, blobs.FILE)
        source.download(oid, path)
        with open(path, "rb") as stream:
            data = stream.read()
    return blobs.parse(data) if objects.oid_of(data) == oid else {}


def _settle(folder: str) -> None:
    """Force the names in ``folder`` to the disk before it gets its own."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(home: str) -> None:
    """Remove what a pull that was killed left of a record."""
    for name in os.listdir(home):
        if name.startswith(_PREFIX) and liveness.is_left(name):
            shutil.rmtree(os.path.join(home, name), ignore_errors=True)
