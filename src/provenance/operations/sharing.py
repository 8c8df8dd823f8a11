"""Sharing records with a team through the repository's own git remote, and fetching others'.

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
from typing import Any, NamedTuple

from provenance.core import record, runid
from provenance.core.redact import Redactor
from provenance.errors import AmbiguousRun, BadRecord, NoSuchRun, SystemRefused, UsageError
from provenance.operations import _sharedform as form
from provenance.operations import _sharedlist, _sharegit, settle
from provenance.operations._sharedform import Packed
from provenance.operations._sharedlist import Entry
from provenance.operations._sharegit import BRANCHES, REFS, Remote, Repository, repository
from provenance.store import project, records, team
from provenance.store.project import Project
from provenance.store.records import Stored

_BATCH_BYTES, _BATCH_RUNS = 64 << 20, 500
"""How much is sent or taken in one go."""
_TRIES = 8
_SHOWN = 8


class Shared(NamedTuple):
    """What became of the runs that were to be shared, by id.

    sent: new there, or a new version. same: already there. problems: sentences about the others.
    """

    remote: str
    url: str
    sent: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Fetched(NamedTuple):
    """What was fetched. runs: ids that are here now; same: they were; problems: about others."""

    remote: str
    url: str
    runs: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Seen(NamedTuple):
    """A run on a remote. here: "yours", "fetched" or "" where only the remote has it."""

    entry: Entry
    here: str


class Team(NamedTuple):
    """The runs on a remote, oldest first."""

    remote: str
    url: str
    runs: tuple[Seen, ...]
    problems: tuple[str, ...]


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
    batch, size = list[Packed](), 0
    for stored in waiting:
        try:
            packed = form.pack(stored, redact)
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
            batch, size = [], 0
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


def seen(cwd: str, remote: str | None = None) -> Team:
    """Return the runs on a git remote, and which of them are here. Raises `ProvError`."""
    place = project.find(cwd)
    at = _sharegit.remote(place, remote)
    project.ensure(place)
    found = _sharedlist.ask(at)
    own, fetched = set(records.ids(place)), set(team.ids(place))
    runs = [
        Seen(one, "yours" if one.id in own else "fetched" if one.id in fetched else "")
        for one in found.entries
        if one.told is not None
    ]
    return Team(at.name, at.shown, tuple(runs), found.problems)


def fetch(cwd: str, names: tuple[str, ...] = (), remote: str | None = None) -> Fetched:
    """Bring the runs that ``names`` mean here, all of others without. Raises `ProvError`."""
    place = project.find(cwd)
    at = _sharegit.remote(place, remote)
    project.ensure(place)
    found = _sharedlist.ask(at)
    entries = [one for one in found.entries if one.told is not None]
    problems = [] if names else list(found.problems)
    own = set(records.ids(place))
    if names:
        meant = (_meant(entries, name, at) for name in names)
        chosen = list({one.id: one for one in meant}.values())
    else:
        chosen = [one for one in entries if one.id not in own]
    same, wanted = [], list[Entry]()
    for one in chosen:
        have = team.origin(os.path.join(team.folder(place), one.id))
        is_here = have is not None and have.commit == one.oid
        (same.append(one.id) if one.id in own or is_here else wanted.append(one))
    got: list[str] = []
    for first in range(0, len(wanted), _BATCH_RUNS):
        got += _taken(place, at, wanted[first : first + _BATCH_RUNS], problems)
    return Fetched(at.name, at.shown, tuple(got), tuple(same), tuple(problems))


def _meant(entries: Sequence[Entry], name: str, at: Remote) -> Entry:
    """Return the run at ``at`` that ``name`` means, as `records.find` would. Raises `ProvError`."""
    fits = [one for one in entries if one.id == name] or [
        one
        for one in entries
        if one.id.startswith(name) or one.id.endswith(name) or runid.short(one.id).startswith(name)
    ]
    if len(fits) > 1:
        told = ", ".join(one.id for one in fits[:_SHOWN])
        raise AmbiguousRun("%r means %d runs: %s." % (name, len(fits), told), "type more of it")
    if fits:
        return fits[0]
    named = {}
    for one in entries:
        if one.told is not None and one.told.summary.get("name") == name:
            named[one.told.author] = one
    if len(named) > 1:
        told = ", ".join("%s's (%s)" % (who, one.id) for who, one in list(named.items())[:_SHOWN])
        raise AmbiguousRun("%r is ambiguous: %s." % (name, told), "type the id, or the end of it")
    if not named:
        text = "no run is called %r at %s."
        raise NoSuchRun(text % (name, at.name), "see: prov ls --remote")
    return next(iter(named.values()))


def _taken(
    place: Project, at: Remote, wanted: Sequence[Entry], problems: list[str]
) -> Iterator[str]:
    """Fetch ``wanted`` whole, judge them, put the sound ones in their place; yield their ids."""
    with repository(at) as ours:
        ours.fetch([one.ref for one in wanted], "blob:limit=%d" % (form.MOST_RECORD + 1))
        sizes = ours.sizes()
        trees = {one.told.tree: one for one in wanted if one.told and one.told.tree in sizes}
        small = [t for t in trees if sizes[t][0] == "tree" and sizes[t][1] <= form.MOST_MESSAGE]
        content = dict(ours.objects(small))
        for one in wanted:
            try:
                if one.told is None or one.told.tree not in content:
                    raise ValueError("its files are missing or too many")
                width = len(one.oid) // 2
                named = form.read_tree(content[one.told.tree], width)
                form.check_sizes(named, sizes)
                blobs = dict(ours.objects(sorted(set(named.values()))))
                whole = {name: blobs[oid] for name, oid in named.items()}
                _save(place, at, one, whole)
            except (ValueError, KeyError, BadRecord) as error:
                why = error.message if isinstance(error, BadRecord) else "%s." % error
                problems.append("run %s at %s was not taken: %s" % (one.id, at.name, why))
                continue
            yield one.id


def _save(place: Project, at: Remote, one: Entry, content: Mapping[str, bytes]) -> None:
    """Put the files of a fetched run in their place. Raises `BadRecord` where it is not sound."""
    assert one.told is not None
    where = "%s in %s" % (records.FILE, one.ref)
    run = records.parse(records.parse_json(content[records.FILE], where), where)
    if run.id != one.id:
        raise BadRecord("%s is the record of another run, %.40r." % (where, run.id))
    left = one.told.summary.get("left_out")
    source = team.Origin(
        remote=at.name,
        url=at.shown,
        author=one.told.author,
        email=one.told.email,
        machine=form.printable(run.process.host) if run.process else "",
        shared=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(one.told.when)),
        commit=one.oid,
        left_out=tuple(map(str, left)) if isinstance(left, list) else (),
    )
    kept = {name: data for name, data in content.items() if name != team.FILE}
    team.save(place, one.id, kept, source)


def entry_json(one: Seen) -> dict[str, Any]:
    """Return what ``prov ls --remote --json`` says of a run."""
    assert one.entry.told is not None
    told, commit = one.entry.told.summary, one.entry.told
    known = {name: value for name, value in told.items() if name not in ("schema", "record")}
    more = {"author": commit.author, "email": commit.email, "here": one.here}
    return {**known, **more, "ref": one.entry.ref, "oid": one.entry.oid}
