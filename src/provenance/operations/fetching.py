"""The records that others shared: what runs a git remote has, and bringing them here.

They become usable by every verb under their id and name (`store.team`). What comes from a remote is
judged file by file before it is put in its place; see `_sharedform`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core import runid
from provenance.errors import AmbiguousRun, BadRecord, NoSuchRun
from provenance.operations import _sharedform as form
from provenance.operations import _sharedlist, _sharegit
from provenance.operations._sharedlist import Entry
from provenance.operations._sharegit import Remote, repository
from provenance.store import project, records, team
from provenance.store.project import Project

_BATCH_RUNS = 100
"""Runs that are taken in one go."""
_MEMORY = 32 << 20
_SHOWN = 8
_NOT_TAKEN = "run %s at %s was not taken: %s"


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
    ids = set(runid.meant(name, [one.id for one in entries]))
    fits = [one for one in entries if one.id in ids]
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
        sound: dict[str, dict[str, str]] = {}
        for one in wanted:
            try:
                if one.told is None or one.told.tree not in content:
                    raise ValueError("its files are missing or too many")
                named = form.read_tree(content[one.told.tree], len(one.oid) // 2)
                form.check_sizes(named, sizes)
                sound[one.id] = named
            except ValueError as error:
                problems.append(_NOT_TAKEN % (one.id, at.name, "%s." % error))
        for group in _groups(sound, sizes):
            oids = {oid for run_id in group for oid in sound[run_id].values()}
            blobs = dict(ours.objects(sorted(oids)))
            for one in (one for one in wanted if one.id in group):
                try:
                    whole = {name: blobs[oid] for name, oid in sound[one.id].items()}
                    _save(place, at, one, whole)
                except BadRecord as error:
                    problems.append(_NOT_TAKEN % (one.id, at.name, error.message))
                    continue
                yield one.id


def _groups(
    sound: Mapping[str, Mapping[str, str]], sizes: Mapping[str, tuple[str, int]]
) -> Iterator[set[str]]:
    """Yield ids of runs whose files together fit into memory."""
    group, size = set[str](), 0
    for run_id, named in sound.items():
        group.add(run_id)
        size += sum(sizes[oid][1] for oid in named.values())
        if size > _MEMORY:
            yield group
            group, size = set(), 0
    if group:
        yield group


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
