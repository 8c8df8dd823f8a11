"""What a replay would do, as a value that can be shown before anything is written."""

from __future__ import annotations

import itertools
import os
import shlex
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from provenance.core import codec, filekinds, runid, verdict
from provenance.core.paths import is_inside
from provenance.core.record import DONE, Record
from provenance.core.redact import MASK
from provenance.errors import BadRecord, NothingToCompare, UsageError
from provenance.operations import alike, allowed, anonymous, present, rebuild, references
from provenance.operations.alike import Alike
from provenance.operations.allowed import Allowed, Limits
from provenance.operations.rebuild import Rebuilt
from provenance.operations.references import Reference
from provenance.operations.verify import Checked, Wish, check
from provenance.store import project, records
from provenance.store.project import Project

FOLDER = "replays"
CURRENT, REBUILD = "current", "rebuild"
"""In which environment to run: the one that is there, or the recorded one, built anew."""


class Asked(NamedTuple):
    """How to replay.

    env: "current", or "rebuild". at: the folder to restore to, "" for one below ``.prov``. smoke:
    another, shorter command, whose results are not compared; "" for the recorded one. repeat: how
    often to run, to know the spread from run to run. resume: of several runs leave out those that
    were replayed here to the end. like: runs that say how far results vary; see `alike.of`.
    """

    env: str = CURRENT
    at: str = ""
    smoke: str = ""
    repeat: int = 1
    resume: bool = False
    like: tuple[str, ...] = ()


class Plan(NamedTuple):
    """What a replay would do.

    reference: the run to replay. checked: how the present differs from it. place: the project.
    destination: the folder that the code will be restored to. command: what will run there.
    allowed: for comparing results. rebuilt: the recorded environment, where it is to run in that.
    asked: how it is to be done. alike: runs that say how far results vary by chance, if any.
    """

    reference: Reference
    checked: Checked
    place: Project
    destination: str
    command: tuple[str, ...]
    allowed: Allowed
    wish: Wish
    rebuilt: Rebuilt | None = None
    asked: Asked = Asked()
    alike: Alike | None = None


def plan(wish: Wish, limits: Limits | None = None, asked: Asked | None = None) -> Plan:
    """Return what replaying the reference of ``wish`` would do, as it is ``asked`` for.

    Writes nothing but, if that is asked for, the recorded environment into the cache. Raises
    `ProvError`.
    """
    place = project.find(wish.cwd)
    chosen = references.choose(wish.reference, place, wish.cwd)
    if len(chosen) > 1:
        names = ", ".join(one.record.name or one.record.id for one in chosen)
        raise NothingToCompare(
            "%s holds %d runs: %s." % (chosen[0].source, len(chosen), names),
            "name the one to replay: prov replay RUN; or all of them: --all",
        )
    return _of(chosen[0], place, wish, limits or Limits(), asked or Asked())


def plans(wish: Wish, limits: Limits | None = None, asked: Asked | None = None) -> Iterator[Plan]:
    """Yield what replaying each run of the reference would do, each when its turn comes.

    The later runs of a lock may read what the earlier ones wrote. Raises `ProvError`.
    """
    asked = asked or Asked()
    if asked.at:
        raise UsageError("--at is for one run, --all for several.", "leave one of them out")
    place = project.find(wish.cwd)
    done = {run.replay_of for run in _finished(place)} if asked.resume else set()
    for one in references.choose(wish.reference, place, wish.cwd):
        if one.record.id in done:
            continue
        yield _of(one, place, wish, limits or Limits(), asked)


def earlier_trees(cwd: str) -> list[str]:
    """Return where the files of finished replays in this checkout are: later runs may read them."""
    trees = (run.roots.get("repo") for run in _finished(project.find(cwd)))
    return [tree for tree in trees if tree and os.path.isdir(tree)]


def _finished(place: Project) -> Iterator[Record]:
    """Yield the replays in this checkout that came to their end, the oldest first."""
    for one in records.each(place):
        if isinstance(one, records.Unreadable):
            continue
        if one.record.replay_of and one.record.status == DONE:
            yield one.record


def _of(
    reference: Reference,
    place: Project,
    wish: Wish,
    limits: Limits,
    asked: Asked,
) -> Plan:
    _require_replayable(reference.record)
    limited = allowed.allowed(reference.record, place, limits)
    runs = alike.of(reference.record, None, asked.like, place, wish.cwd)
    destination = _destination(reference.record, place, wish.cwd, asked.at)
    made = None
    if asked.env == REBUILD:
        made = rebuild.rebuild(reference, wish.environ, place, wish.progress, wish.offline)
        wish = wish._replace(python=made.python)
    checked = check(reference, place, wish)
    return Plan(
        reference,
        checked,
        place,
        destination,
        _command(_words(reference.record, asked.smoke), checked.interpreter, reference, place),
        limited,
        wish,
        made,
        asked,
        runs,
    )


def _destination(run: Record, place: Project, cwd: str, at: str) -> str:
    """Return the folder to restore to. Raises `UsageError` where something is in it."""
    if not at:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        name = "%s-of-%s" % (stamp, runid.short(run.id))
        path = os.path.join(place.folder, FOLDER, name)
        same = (path if n == 1 else "%s.%d" % (path, n) for n in itertools.count(1))
        return next(one for one in same if not os.path.lexists(one))
    path = os.path.normpath(os.path.join(cwd, at))
    if os.path.lexists(path) and not (os.path.isdir(path) and not os.listdir(path)):
        raise UsageError("%s is there and not empty." % at, "name a new folder: --at DIR")
    return path


def _words(run: Record, smoke: str) -> tuple[str, ...]:
    """Return the words to run: the recorded ones, or those of the short form."""
    if not smoke:
        return run.command
    try:
        words = tuple(shlex.split(smoke))
    except ValueError as error:
        raise UsageError("--smoke %r: %s." % (smoke, error)) from error
    if not words:
        raise UsageError("--smoke is empty.", "--smoke 'python train.py --epochs 1'")
    return words


def _command(
    words: tuple[str, ...], main: dict[str, str] | None, reference: Reference, place: Project
) -> tuple[str, ...]:
    """Return ``words`` with the interpreter that was compared, where they name one.

    A program named by a relative path that git does not hold (``./venv/bin/tool``) is the user's.
    """
    run = reference.record
    first, *rest = words
    if main is not None and present.is_python(first):
        first = main["executable"]
    elif os.sep in first and not os.path.isabs(first):
        roots = place.roots(place.root)
        path = os.path.normpath(os.path.join(roots.locate(run.cwd) or place.root, first))
        if not is_inside(path, place.repo or place.root) or filekinds.is_environment_folder(
            os.path.dirname(os.path.dirname(path))
        ):
            first = path
    if anonymous.is_anonymous(run):
        rest = [anonymous.at_home(word) for word in rest]
    return (first, *rest)


def _require_replayable(run: Record) -> None:
    if not run.command:
        raise BadRecord("run %s has no command to run again." % run.id)
    if run.command[:1] == present.SESSION:
        raise BadRecord(
            "run %s was a live notebook session, which cannot be run again as a command." % run.id,
            "its cells are in session.ipynb beside the record: prov run -- jupyter execute FILE",
        )
    hidden = [word for word in run.command[1:] if anonymous.is_hidden(word)]
    if anonymous.is_anonymous(run) and hidden:
        raise BadRecord(
            "the command of run %s names a place that an anonymous lock does not tell: %s"
            % (run.id, ", ".join(hidden)),
            "run it yourself, with your own place there: %s" % shlex.join(run.command),
        )
    if any(MASK in word for word in run.command):
        raise BadRecord(
            "the command of run %s held a secret, which was not recorded: %s"
            % (run.id, " ".join(run.command)),
            "pass secrets by environment variables or files, and record again",
        )


def as_json(planned: Plan) -> dict[str, Any]:
    """Return the ``data`` member of ``prov replay --dry-run --json``."""
    return {
        "run": None,
        "replay_of": planned.reference.record.id,
        "command": list(planned.command),
        "findings": codec.encode(planned.checked.findings),
        "not_compared": codec.encode(planned.checked.not_compared),
        "calls": codec.encode(planned.checked.calls),
        "results": None,
    }


def exit_code(planned: Plan) -> int:
    """Return the exit code of a dry run: that of verifying the same reference."""
    return verdict.exit_code(planned.checked.findings, planned.checked.total)
