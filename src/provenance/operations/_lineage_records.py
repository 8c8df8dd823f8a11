"""All records at hand, as the graph asks for them: this project's, a lock's, folders of others'."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from provenance.core import record, runid
from provenance.core.record import Record
from provenance.errors import AmbiguousRun, BadRecord, NoSuchRun, ProvError
from provenance.operations import _lineage_facts as facts_of
from provenance.operations._lineage_facts import RunFacts
from provenance.store import lockfile, records, team
from provenance.store.project import Project
from provenance.store.recordindex import Head, RecordIndex, Row, places

FOLDER = "trace"
"""The folder in ``.prov`` that holds the indexes; it may be deleted."""

_DEEPEST = 3
"""Folders below the named one in which run folders and locks are looked for."""
_SHOWN = 8

Told = Callable[[int, int], None]


class _Where(NamedTuple):
    head: Head
    base: RecordIndex


class Records:
    """Every run known from any of the sources, once.

    problems: why some cannot be read. sources: where they come from, with how many each. read: how
    many had to be read now.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.sources: list[tuple[str, int]] = []
        self.read = 0
        self._runs: dict[str, list[_Where]] = {}
        self._ids: dict[str, str] = {}
        self._indexes: list[RecordIndex] = []
        self._locked: dict[str, Record] = {}
        self._facts: dict[str, RunFacts] = {}
        self._own, self._others = "", ""

    def add_project(self, place: Project, cache: str | None, told: Told) -> None:
        """Add the runs of a project, and those of others that were fetched into it."""
        self._own, self._others = place.runs, team.folder(place)
        for folder, name in ((self._own, "own"), (self._others, "team")):
            if folder == self._own or os.path.isdir(folder):
                index = cache and os.path.join(cache, "%s.sqlite" % name)
                self.add_folder(folder, index, told)

    def add_folder(self, folder: str, cache: str | None, told: Told) -> int:
        """Add the run folders right below ``folder``; return how many. cache: the index's file."""
        index = RecordIndex(cache, facts_of.VERSION)
        index.update(places(folder), _row, told)
        self.read += index.read
        return self._take(index, folder)

    def add_lock(self, path: str) -> int:
        """Add the runs of a lock; return how many. Raises `ProvError`."""
        runs = lockfile.read(path).runs
        index = RecordIndex(None, facts_of.VERSION)
        there = {"%s#%s" % (path, one.id): one for one in runs}
        index.update(
            dict.fromkeys(there, ""), lambda place: _row_of(record.to_json(there[place])), _quiet
        )
        self._locked.update(there)
        return self._take(index, path)

    def _take(self, index: RecordIndex, source: str) -> int:
        self._indexes.append(index)
        heads = index.heads()
        for head in heads:
            self._runs.setdefault(head.id, []).append(_Where(head, index))
            self._ids[head.place] = head.id
        self.problems += index.problems()
        self.sources.append((source, len(heads)))
        return len(heads)

    def __len__(self) -> int:
        return len(self._runs)

    def facts(self, run_id: str) -> RunFacts:
        """Return the facts of a run; of several records of it the one that says most."""
        found = self._facts.get(run_id)
        if found is None:
            found = self._facts[run_id] = self._best(run_id)[1]
        return found

    def _best(self, run_id: str) -> tuple[_Where, RunFacts]:
        made = [(one, _unpacked(one)) for one in self._runs[run_id]]
        return max(made, key=lambda pair: sum(1 for touch in pair[1].touches if touch.digests))

    def source(self, run_id: str) -> str:
        """Return the file in which the record of a run lies."""
        return self._best(run_id)[0].head.place.partition("#")[0]

    def record(self, run_id: str) -> Record:
        """Return the record of a run, its seal checked. Raises `BadRecord`."""
        place = self._best(run_id)[0].head.place
        return self._locked.get(place) or records.read(os.path.dirname(place))

    def ids(self) -> list[str]:
        """Return the ids of all runs."""
        return list(self._runs)

    def by_digest(self, value: str) -> set[str]:
        """Return the ids of the runs that touched a file with this digest (hex)."""
        return {self._ids[place] for one in self._indexes for place in one.by_digest(value)}

    def by_name(self, name: str) -> set[str]:
        """Return the ids of the runs that touched a file of this name."""
        return {self._ids[place] for one in self._indexes for place in one.by_name(name)}

    def starting(self, value: str) -> list[str]:
        """Return the whole digests (hex) that start with ``value``."""
        return sorted({full for one in self._indexes for full in one.starting(value)})

    def resolve(self, name: str) -> str:
        """Return the id of the run that ``name`` means, by the rules of `store.records.find`.

        Raises `NoSuchRun` and `AmbiguousRun`.
        """
        heads = sorted(
            (found[0].head for found in self._runs.values()), key=lambda h: (h.started, h.id)
        )
        fetched = {one.id for one in heads if _above(one) == self._others}
        if name.startswith("@"):
            return _by_position([one.id for one in heads if one.id not in fetched], name)
        known = [one.id for one in heads]
        matches = runid.meant(name, known)
        if len(matches) == 1:
            return matches[0]
        named = [one.id for one in heads if one.name == name]
        several = {(one in fetched): one for one in named}
        if len(several) > 1:
            text = "%r is ambiguous: yours (%s), or one that was fetched (%s)."
            raise AmbiguousRun(
                text % (name, several[False], several[True]), "type the id, or the end of it"
            )
        if named:
            return named[-1]
        if matches:
            shown = ", ".join(matches[:_SHOWN]) + (" ..." if len(matches) > _SHOWN else "")
            text = "%r means %d runs: %s." % (name, len(matches), shown)
            raise AmbiguousRun(text, "type more of it")
        raise NoSuchRun("no run is called %r in the records at hand: %d." % (name, len(known)))


def _above(head: Head) -> str:
    """Return the folder that the run's folder lies in."""
    return os.path.dirname(os.path.dirname(head.place))


def _by_position(known: list[str], name: str) -> str:
    text = name[1:]
    back = 1 if text == "last" else -int(text) if text.lstrip("-").isdigit() else 0
    if back < 1:
        raise NoSuchRun("%r is not a run." % name, "write @last for the newest")
    if back > len(known):
        raise NoSuchRun("%s: there are only %d records at hand." % (name, len(known)))
    return known[-back]


def _unpacked(where: _Where) -> RunFacts:
    return facts_of.unpack(where.base.facts(where.head.place))


def _row(place: str) -> Row:
    """Return what is kept of the record file ``place``."""
    try:
        return _row_of(records.read_json(place))
    except BadRecord as error:
        problem = error.message
    except ValueError as error:
        problem = "%s: %s." % (place, error)
    return Row(os.path.basename(os.path.dirname(place)), problem=problem)


def _row_of(document: dict[str, object]) -> Row:
    found = facts_of.of_json(document)
    digests = frozenset(one.partition(":")[2] for one in facts_of.keys(found))
    names = frozenset(facts_of.names(found))
    return Row(found.id, found.started, found.name, digests, names, facts_of.pack(found))


def gather(place: Project, cwd: str, others: Iterable[str], told: Told | None = None) -> Records:
    """Return the records of the project at ``cwd``, ours and fetched, of its lock, of ``others``.

    others: folders that hold run folders (or ``.prov``, or projects), and locks. Raises `ProvError`
    where one of them is not there or holds no record.
    """
    found = Records()
    tell = told or _quiet
    folder = os.path.join(place.folder, FOLDER) if os.path.isdir(place.folder) else None
    found.add_project(place, folder, tell)
    lock = os.path.join(place.root, lockfile.FILE)
    if os.path.isfile(lock):
        try:
            found.add_lock(lock)
        except ProvError as error:
            found.problems.append(error.message)
    for name in others:
        path = os.path.normpath(os.path.join(cwd, name))
        if sum(_add(found, one, folder, tell) for one in _holders(path)) == 0:
            raise NoSuchRun(
                "%s holds no records." % name, "--records names a folder of run folders, or a lock"
            )
    return found


def _add(found: Records, path: str, folder: str | None, told: Told) -> int:
    if os.path.isfile(path):
        return found.add_lock(path)
    name = hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]
    cache = folder and os.path.join(folder, "%s.sqlite" % name)
    return found.add_folder(path, cache, told)


def _holders(path: str) -> list[str]:
    """Return the folders of run folders, and the locks, at or below ``path``."""
    if os.path.isfile(path):
        return [path]
    if runid.is_id(os.path.basename(path)) and os.path.isfile(os.path.join(path, records.FILE)):
        return [os.path.dirname(path)]
    found = []
    for folder, below, names in os.walk(path):
        if folder[len(path) :].count(os.sep) >= _DEEPEST:
            below[:] = []
        if any(runid.is_id(name) for name in below):
            found.append(folder)
        below[:] = sorted(n for n in below if not runid.is_id(n) and n not in (".git", "replays"))
        found += [os.path.join(folder, name) for name in names if name == lockfile.FILE]
    return found


def _quiet(done: int, total: int) -> None:
    pass
