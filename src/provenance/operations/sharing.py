"""Sharing records with a team through the repository's own git remote (`fetching`: taking others').

One ref per run, and ids are unique: two people never write the same one. A record that is written
again (a run shared while it went on, digests taken later) becomes a second commit on its ref. Refs
only move forward; of two versions the closed one wins, then the one that lacks fewer digests, then
the one that was there first.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provenance.core import record
from provenance.core.redact import Redactor
from provenance.errors import BadRecord, SystemRefused, UsageError
from provenance.operations import _sharedform as form
from provenance.operations import _sharedlist, _sharegit, settle
from provenance.operations._sharedform import Packed
from provenance.operations._sharedlist import Entry
from provenance.operations._sharegit import BRANCHES, REFS, Remote, Repository, repository
from provenance.store import project, records
from provenance.store.project import Project
from provenance.store.records import Stored

_BATCH_BYTES, _BATCH_RUNS = 64 << 20, 500
"""How much is sent or taken in one go."""
_TRIES = 8


class Shared(NamedTuple):
    """What became of the runs that were to be shared, by id.

    sent: new there, or a new version. same: already there. problems: sentences about the others.
    """

    remote: str
    url: str
    sent: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def share(
    cwd: str,
    names: tuple[str, ...] = (),
    everything: bool = False,
    to: str | None = None,
    branches: bool = False,
) -> Shared:
    """Put records on a git remote: those that ``names`` mean, or all that are closed.

    to: the remote, see `_sharegit.remote`. branches: as branches ``prov/<id>``, for servers that
    take nothing else. Raises `ProvError`; what cannot be shared of several runs is a problem.
    """
    if bool(names) == everything:
        raise UsageError(
            "say which runs are to be shared.", "prov share @last, or prov share --all"
        )
    place = project.find(cwd)
    at = _sharegit.remote(place, to)
    project.ensure(place)
    chosen, problems = _chosen(place, names)
    space = BRANCHES if branches else REFS
    work = _Sending(at, space, _author(at))
    redact = Redactor.from_environment(os.environ)
    waiting = list(work.undone(chosen))
    for batch in _batches(waiting, redact, work.problems):
        work.send(batch)
    if work.sent:
        work.check()
    sent, same = tuple(sorted(work.sent)), tuple(sorted(work.same))
    return Shared(at.name, at.shown, sent, same, (*problems, *work.problems))


def _chosen(place: Project, names: Sequence[str]) -> tuple[list[Stored], list[str]]:
    """Return the runs that ``names`` mean, else all closed ones; and sentences about others."""
    problems: list[str] = []
    chosen: dict[str, Stored] = {}
    if names:
        for name in names:
            one = settle.settled(place, records.find(place, name))
            if one.origin is not None:
                text = "run %s is not yours to share: it came from %s."
                problems.append(text % (one.record.id, str(one.origin)))
            else:
                chosen[one.record.id] = one
        return list(chosen.values()), problems
    for found in records.each(place):
        if isinstance(found, records.Unreadable):
            problems.append(found.problem)
            continue
        one = settle.settled(place, found)
        if one.record.status != record.RUNNING:
            chosen[one.record.id] = one
    return list(chosen.values()), problems


def _author(at: Remote) -> str:
    """Return who shares, as git knows them. Raises `UsageError`."""
    answer = _sharegit.git(at.cwd, "var", "GIT_AUTHOR_IDENT")
    told = answer.out.decode("utf-8", "surrogateescape").strip().rsplit(" ", 2)[0]
    if answer.code != 0 or not told.endswith(">"):
        raise UsageError(
            "git does not know who you are, and a shared record says who shared it.",
            'git config user.name "Your Name"; git config user.email you@example.org',
        )
    return told


def _batches(
    waiting: Sequence[Stored], redact: Redactor, problems: list[str]
) -> Iterator[list[Packed]]:
    batch, size, clean = list[Packed](), 0, set[str]()
    for stored in waiting:
        try:
            packed = form.pack(stored, redact, clean)
        except BadRecord as error:
            problems.append(error.message)
            continue
        except OSError as error:
            text = "run %s is not shared: %s."
            problems.append(text % (stored.record.id, error.strerror or error))
            continue
        batch.append(packed)
        size += sum(map(len, packed.files.values()))
        if size > _BATCH_BYTES or len(batch) >= _BATCH_RUNS:
            yield batch
            batch, size, clean = [], 0, set()
    if batch:
        yield batch


class _Sending:
    """One `share`: what became of each run so far."""

    def __init__(self, at: Remote, space: str, author: str) -> None:
        self.at, self.space, self.author = at, space, author
        self.sent: set[str] = set()
        self.same: set[str] = set()
        self.problems: list[str] = []

    def undone(self, chosen: Sequence[Stored]) -> Iterator[Stored]:
        """Yield the runs that the remote has not in this version, asking it once."""
        with repository(self.at) as ours:
            refs = ours.refs()
        wanted = {one.record.id for one in chosen}
        there = self._there({run_id: ref for run_id, ref in refs.items() if run_id in wanted})
        for one in chosen:
            entry = there.get(one.record.id)
            told = entry.told.summary.get("record") if entry and entry.told else None
            if told is not None and told == _digest(one):
                self.same.add(one.record.id)
            else:
                yield one

    def _there(self, refs: Mapping[str, tuple[str, str]]) -> dict[str, Entry]:
        known = _sharedlist.told(self.at, refs) if refs else _sharedlist.Found(())
        return {entry.id: entry for entry in known.entries}

    def send(self, batch: Sequence[Packed]) -> None:
        """Send ``batch``; where somebody writes the same refs meanwhile, look and try again."""
        waiting = list(batch)
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311  # no secret
            with repository(self.at) as ours:
                waiting = self._tried(ours, waiting)
            if not waiting:
                return
        for one in waiting:
            text = "run %s is not shared: others kept writing it at %s."
            self.problems.append(text % (one.id, self.at.name))

    def _tried(self, ours: Repository, waiting: Sequence[Packed]) -> list[Packed]:
        """Try once; return those that lost a race."""
        refs = ours.refs()
        there = self._there({one.id: refs[one.id] for one in waiting if one.id in refs})
        new = [one for one in waiting if self._is_better(one, there.get(one.id))]
        after = [there[one.id].ref for one in new if one.id in there]
        if not new:
            return []
        if after:
            ours.fetch(after, "blob:limit=%d" % form.MOST_RECORD)
        feed = [b"feature done\n"]
        for one in new:
            parent = there[one.id].oid if one.id in there else None
            feed += form.stream(one, REFS + one.id, self.author, parent)
        made = ours.git("fast-import", "--quiet", "--done", feed=b"".join([*feed, b"done\n"]))
        if made.code != 0:
            raise SystemRefused("git cannot keep the records: %s." % made.why)
        answers = ours.push(self.space)
        self._remember(ours, {one.id for one in new})
        lost = []
        for one in new:
            answer = answers.get(one.id, _sharegit.Pushed("again"))
            if answer.state == "sent":
                self.sent.add(one.id)
            elif answer.state == "same":
                self.same.add(one.id)
            elif answer.state == "again":
                lost.append(one)
            else:
                self._refused(answer.why)
        return lost

    def _is_better(self, one: Packed, entry: Entry | None) -> bool:
        """Return whether ``one`` is to be sent; say what becomes of it otherwise."""
        if entry is None:
            return True
        if entry.told is None:
            text = "run %s is not shared: %s at %s is something else."
            self.problems.append(text % (one.id, entry.ref, self.at.name))
            return False
        if entry.told.summary.get("record") == one.summary["record"]:
            self.same.add(one.id)
            return False
        if form.rank(one.summary) > form.rank(entry.told.summary):
            return True
        text = "run %s is at %s in another version, as complete, from %s: that one stays."
        self.problems.append(text % (one.id, self.at.name, entry.told.author))
        return False

    def _refused(self, why: str) -> None:
        if self.space == REFS:
            raise SystemRefused(
                "%s takes no %s*: %s." % (self.at.name, REFS, why or "it does not say why"),
                "some servers take branches only: prov share --branches makes prov/ID of each run",
            )
        raise SystemRefused("%s takes no branch prov/*: %s." % (self.at.name, why))

    def _remember(self, ours: Repository, ids: set[str]) -> None:
        """Keep what the new commits say: the next listing need not fetch them."""
        listed = ours.git("for-each-ref", "--format=%(objectname) %(refname)", REFS)
        rows = [row.split() for row in listed.out.decode("ascii", "replace").splitlines()]
        oids = {row[0]: row[1][len(REFS) :] for row in rows if row[1][len(REFS) :] in ids}
        read = {oid: form.read_commit(oids[oid], text) for oid, text in ours.objects(list(oids))}
        _sharedlist.remember(self.at, {oid: one for oid, one in read.items() if one is not None})

    def check(self) -> None:
        """Ask whether what was sent can be seen: some servers take refs and hide them."""
        with repository(self.at) as ours:
            hidden = self.sent - set(ours.refs())
        if hidden:
            text = "%s took %d of the records and does not show them: nobody can fetch them."
            self.problems.append(text % (self.at.name, len(hidden)))


def _digest(stored: Stored) -> str:
    try:
        with open(os.path.join(stored.folder, records.FILE), "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return ""
