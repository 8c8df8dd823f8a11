"""Run folders: making them, writing and reading the record in them, finding one by name.

A run folder is made exclusively, so that any number of runs may start at once in one project with
no lock and no shared index.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from provenance.core import canonical, codec, record, runid
from provenance.core.record import Record
from provenance.errors import AmbiguousRun, BadRecord, NoSuchRun, SystemRefused
from provenance.store import files, team
from provenance.store.project import Project
from provenance.store.team import Origin

FILE = "record.json"
_SHOWN = 8
"""How many candidates an error message names."""


class Stored(NamedTuple):
    """A record and the folder that it was read from. origin: of somebody else's, None of ours."""

    record: Record
    folder: str
    origin: Origin | None = None


class Unreadable(NamedTuple):
    """A run folder whose record cannot be read, and the sentence that says why."""

    id: str
    problem: str


def create(project: Project, now: float) -> tuple[str, str]:
    """Make the folder of a new run; return its id and path. Raises `SystemRefused`."""
    for _ in range(100):
        run_id = runid.new_id(now)
        folder = os.path.join(project.runs, run_id)
        try:
            os.mkdir(folder)
        except FileExistsError:
            continue
        except OSError as error:
            raise SystemRefused("%s cannot be made: %s." % (folder, error.strerror)) from error
        return run_id, folder
    raise SystemRefused("no free run id could be found in %s." % project.runs)


def write(folder: str, value: Record) -> None:
    """Write ``value`` into ``folder``, whole or not at all, sealed once it is closed.

    Raises `SystemRefused`.
    """
    document = canonical.plain(record.to_json(value))
    if value.status != record.RUNNING:
        document = canonical.seal(document)
    files.write_atomic(os.path.join(folder, FILE), canonical.dumps(document).encode("utf-8"))


def read(folder: str) -> Record:
    """Return the record in ``folder``. Raises `BadRecord` with what is wrong and where."""
    path = os.path.join(folder, FILE)
    document = read_json(path)
    return parse(document, path)


def parse(document: dict[str, Any], path: str) -> Record:
    """Return the record that the JSON ``document`` read from ``path`` is. Raises `BadRecord`."""
    open_yet = document.get("status") == record.RUNNING and canonical.SEAL not in document
    if not open_yet and not canonical.seal_holds(document):
        raise BadRecord(
            "%s was changed after it was closed: its seal does not hold." % path,
            "restore the file from where it came, or leave this run out",
        )
    try:
        return record.from_json(document)
    except (codec.ShapeError, ValueError) as error:
        hint = "it may come from a newer prov: upgrade with `pip install -U prov-run`"
        raise BadRecord(
            "%s is not a record that this prov can read: %s." % (path, error), hint
        ) from error


def read_json(path: str) -> dict[str, Any]:
    """Return the JSON object in the file at ``path``. Raises `BadRecord` with line and column."""
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError as error:
        raise BadRecord("%s does not exist." % path) from error
    except OSError as error:
        raise BadRecord("%s cannot be read: %s." % (path, error.strerror)) from error
    return parse_json(content, path)


def parse_json(content: bytes, path: str) -> dict[str, Any]:
    """Return the JSON object that ``content``, read from ``path``, is. Raises `BadRecord`."""
    try:
        value = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRecord("%s is corrupt: byte %d is not UTF-8." % (path, error.start)) from error
    except json.JSONDecodeError as error:
        place = "%s:%d:%d" % (path, error.lineno, error.colno)
        raise BadRecord("%s is corrupt: not JSON (%s)." % (place, error.msg)) from error
    except RecursionError as error:
        raise BadRecord("%s is corrupt: nested too deeply." % path) from error
    if not isinstance(value, dict):
        raise BadRecord("%s is corrupt: expected a JSON object." % path)
    return value


def ids(project: Project) -> list[str]:
    """Return the ids of all runs of ``project``, oldest first. Raises `SystemRefused`."""
    try:
        names = os.listdir(project.runs)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        message = "%s cannot be listed: %s." % (project.runs, error.strerror)
        raise SystemRefused(message) from error
    return sorted(name for name in names if runid.is_id(name))


def in_order(project: Project) -> list[str]:
    """Return the ids of all runs of ``project`` in the order in which they began."""
    return _by_begin(project, ids(project))


def each(project: Project) -> Iterator[Stored | Unreadable]:
    """Yield every run of ``project``, oldest first, the unreadable ones as such."""
    for run_id in _by_begin(project, ids(project)):
        folder = os.path.join(project.runs, run_id)
        try:
            yield Stored(read(folder), folder)
        except BadRecord as error:
            if os.path.exists(os.path.join(folder, FILE)):
                yield Unreadable(run_id, error.message)


def fetched(project: Project) -> Iterator[Stored | Unreadable]:
    """Yield every run of somebody else that was fetched and is not ours as well, oldest first."""
    own = set(ids(project))
    for run_id in team.ids(project):
        if run_id not in own:
            try:
                yield _at(folder_of(project, run_id))
            except BadRecord as error:
                yield Unreadable(run_id, error.message)


def folder_of(project: Project, run_id: str) -> str:
    """Return the folder of a run: ours, else where it lies or would lie as fetched."""
    own = os.path.join(project.runs, run_id)
    return own if os.path.isdir(own) else os.path.join(team.folder(project), run_id)


def _at(folder: str) -> Stored:
    """Read the run in ``folder``; the absolute folders of another machine mean nothing here."""
    run, origin = read(folder), team.origin(folder)
    return Stored(run if origin is None else run._replace(roots={}), folder, origin)


def find(project: Project, name: str) -> Stored:
    """Return the run that ``name`` means, ours or one that was fetched from somebody else.

    That is an id, a unique start or end of one, a run's name, or of ours ``@last`` or ``@-N`` (the
    N-th from the end). A name given to several runs of one person means the newest of them; it
    comes before a part of an id of fewer than `runid.LEAST` characters. Raises `NoSuchRun`,
    `AmbiguousRun`, `BadRecord`.
    """
    return _at(folder_of(project, _resolve(project, name)))


def _resolve(project: Project, name: str) -> str:
    own = ids(project)
    known = list(dict.fromkeys((*own, *team.ids(project))))
    if not known or (not own and name.startswith("@")):
        hint = "record one with: prov run -- python train.py"
        raise NoSuchRun("there are no runs in %s." % project.runs, hint)
    if name.startswith("@"):
        return _by_position(_by_begin(project, own), name, project)
    matches = runid.meant(name, known)
    if len(matches) == 1 and len(name) >= runid.LEAST:
        return matches[0]
    named = _by_name(project, name)
    if named is not None:
        return named
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = ", ".join(matches[:_SHOWN]) + (" ..." if len(matches) > _SHOWN else "")
        raise AmbiguousRun("%r means %d runs: %s." % (name, len(matches), shown), "type more of it")
    raise NoSuchRun("no run is called %r in %s." % (name, project.runs), "see: prov ls")


def _by_begin(project: Project, known: list[str]) -> list[str]:
    """Return ``known`` in the order in which the runs began: ids tell it to the second only."""
    seconds = Counter(one.rpartition("-")[0] for one in known)

    def began(run_id: str) -> tuple[str, str, str]:
        second = run_id.rpartition("-")[0]
        alone = seconds[second] == 1
        return second, "" if alone else _started(os.path.join(project.runs, run_id)), run_id

    return sorted(known, key=began)


def _started(folder: str) -> str:
    """Return when the run in ``folder`` began, to the millisecond; "" where it does not say."""
    try:
        return str(read_json(os.path.join(folder, FILE)).get("started", ""))
    except BadRecord:
        return ""


def _by_position(known: list[str], name: str, project: Project) -> str:
    text = name[1:]
    back = 1 if text == "last" else -int(text) if text.lstrip("-").isdigit() else 0
    if back < 1:
        hint = "write @last for the newest, @-2 for the one before"
        raise NoSuchRun("%r is not a run." % name, hint)
    if back > len(known):
        raise NoSuchRun(
            "%s means none of the runs in %s: there %s."
            % (name, project.runs, "is one" if len(known) == 1 else "are %d" % len(known)),
            "see: prov ls",
        )
    return known[-back]


def _by_name(project: Project, name: str) -> str | None:
    """Return the newest run of that name. Raises `AmbiguousRun` where several people have one."""
    found: dict[str, str] = {}
    for one in each(project):
        if isinstance(one, Stored) and one.record.name == name:
            found["yours"] = one.record.id
    for one in fetched(project):
        if isinstance(one, Stored) and one.origin is not None and one.record.name == name:
            author = one.origin.author or "somebody"
            found["%s's" % author] = one.record.id
    if len(found) > 1:
        told = ["%s (%s)" % pair for pair in list(found.items())[:_SHOWN]]
        text = "%r is ambiguous: %s." % (name, ", ".join(told))
        raise AmbiguousRun(text, "type the id, or the end of it")
    return next(iter(found.values()), None)
