"""The tree that a rehearsal runs in: made from a record, used once, and removed.

As in a replay, the recorded code is restored and the run's data brought to it. Unlike there it is
thrown away: so all but small data is linked, and the restored code is kept for the next rehearsal.
Nothing is written outside of ``.prov/rehearsals``; that a rehearsal cannot write through a link is
the task of `executors.sandbox`.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from provenance.core import canonical, runid
from provenance.core.record import Record
from provenance.errors import SystemRefused
from provenance.operations import _scratch_environ, inputs, overlay, restore, settle
from provenance.operations.references import Reference
from provenance.store import project
from provenance.store.project import Project

FOLDER = "rehearsals"
CODE = "code"
"""Below it: one restored tree for each digest of code, never run in."""
_FORM = 1
"""Part of each digest; to be raised when code is restored in another way."""
KEPT_TREES = 6
_NEW = "new-"
"""How the name of a tree begins that is being restored."""
_IN_USE_S = 3600.0
"""A tree used so lately is not removed: somebody may be copying it."""
_LONGEST_S = 30 * 86400.0
_ALIVE = "alive"
COPY_LIMIT, COPY_TOTAL = 4 << 20, 256 << 20
"""Bytes up to which one data file, and all of a run, are copied rather than linked."""
UPDATED_LIMIT = 256 << 20
"""Bytes up to which a file is copied that the run wrote to as well."""


class Tree(NamedTuple):
    """A tree to rehearse in.

    path: its top. cwd: the folder in it where the command ran. command: as recorded, with paths of
    the user's tree moved here. environ: for the command. writable: all that it may write to; what
    is in it will be removed. notes: sentences about what is not as it was. data: where the data
    files are that do not come with the code, or would be.
    """

    path: str
    cwd: str
    command: tuple[str, ...]
    environ: dict[str, str]
    writable: tuple[str, ...]
    notes: tuple[str, ...]
    data: tuple[str, ...] = ()


@contextmanager
def tree(
    reference: Reference, place: Project, environ: Mapping[str, str], data: bool = True
) -> Iterator[Tree]:
    """Make a tree for rehearsing ``reference``, and remove it at the end. Raises `ProvError`.

    environ: the user's. The recorded outputs are not in the tree, but for those that the commit or
    its uncommitted changes held before the run. Without ``data`` no data is brought either.
    """
    project.ensure(place)
    top = os.path.join(place.folder, FOLDER)
    os.makedirs(os.path.join(top, CODE), exist_ok=True)
    sweep(place)
    restored = _code(reference, place, os.path.join(top, CODE))
    work = tempfile.mkdtemp(prefix=runid.short(reference.record.id) + "-", dir=top)
    short = tempfile.mkdtemp(prefix="prov-")  # sockets of workers: a path has 107 bytes at most
    alive = _claim(work)
    try:
        yield _made(reference.record, place, restored, (work, short), environ, data)
    finally:
        if alive is not None:
            os.close(alive)
        remove(work)
        remove(short)


def sweep(place: Project) -> None:
    """Remove what killed rehearsals left, and trees of code that were not used for long."""
    top = os.path.join(place.folder, FOLDER)
    for name in _names(top):
        folder = os.path.join(top, name)
        if name != CODE and is_left(folder):
            remove(folder)
    code = os.path.join(top, CODE)
    whole = [name for name in _names(code) if not name.startswith(_NEW)]
    by_use = sorted(whole, key=lambda name: _age(os.path.join(code, name)))
    for nth, name in enumerate(by_use):
        age = _age(os.path.join(code, name))
        if age > _LONGEST_S or (nth >= KEPT_TREES and age > _IN_USE_S):
            remove(os.path.join(code, name))
    for name in set(_names(code)) - set(whole):
        if _age(os.path.join(code, name)) > _IN_USE_S:
            remove(os.path.join(code, name))


def remove(folder: str) -> None:
    """Remove ``folder`` with all in it, also folders that were made unreadable."""
    for path, folders, _ in os.walk(folder):
        for name in folders:
            full = os.path.join(path, name)
            if not os.path.islink(full):
                _open_up(full)
    shutil.rmtree(folder, ignore_errors=True)


def _open_up(folder: str) -> None:
    try:
        mode = os.stat(folder).st_mode
        if mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(folder, mode | stat.S_IRWXU)
    except OSError:
        return


def _made(
    run: Record,
    place: Project,
    restored: restore.Restored,
    writable: tuple[str, str],
    environ: Mapping[str, str],
    data: bool,
) -> Tree:
    """Fill the first of the ``writable`` folders; the second is for temporary files."""
    work, temporary = writable
    path = os.path.join(work, "tree")
    try:
        shutil.copytree(restored.path, path, symlinks=True, copy_function=_copy)
        roots = settle.recorded_roots(place, run)
        places = inputs.places(run, roots, path)
        brought: tuple[str, ...] = ()
        if data:
            brought = inputs.bring(run, roots, path, _copy_limit(run), UPDATED_LIMIT)
        rest = os.path.join(work, "rest")
        given = overlay.environment(_scratch_environ.cleaned(environ), run, place, path)
        settings = _scratch_environ.Settings(rest, temporary)
        adapted = settings.applied(given)
    except (OSError, shutil.Error) as error:
        raise SystemRefused("no tree to rehearse in could be made: %s." % error) from error
    cwd = os.path.normpath(os.path.join(path, os.path.relpath(restored.cwd, restored.path)))
    command = overlay.moved(run.command, run, place, path)
    notes = (*restored.notes, *brought, *settings.notes)
    return Tree(path, cwd, command, adapted, writable, notes, places)


def _copy_limit(run: Record) -> int:
    """Return the size up to which data is copied; none is where there is much of it."""
    total = sum(int(entry.get("size") or 0) for entry in inputs.entries(run, "data"))
    return COPY_LIMIT if total <= COPY_TOTAL else 0


def _copy(source: str, target: str) -> str:
    """Copy a file of the restored code, or link it where it is big: it cannot be written to."""
    if os.path.getsize(source) > inputs.COPY_LIMIT:
        os.symlink(source, target)
        return target
    return str(shutil.copy2(source, target))


def _code(reference: Reference, place: Project, cache: str) -> restore.Restored:
    """Return the restored code of ``reference``, from the cache where it is there."""
    run = reference.record
    repo = place.repo or place.root
    name = canonical.digest(_identity(run, repo))[:32]
    folder = os.path.join(cache, name)
    found = _known(folder)
    if found is not None:
        os.utime(folder)
        return found
    made = tempfile.mkdtemp(prefix=_NEW, dir=cache)
    try:
        restored = restore.restore_code(run, reference.blob, repo, os.path.join(made, "tree"))
        below = os.path.relpath(restored.cwd, restored.path)
        with open(os.path.join(made, "restored.json"), "w", encoding="utf-8") as stream:
            json.dump({"cwd": below, "notes": list(restored.notes)}, stream)
        try:
            os.rename(made, folder)
        except OSError:  # somebody else was faster, or a damaged one is in the way
            if _known(folder) is None:
                remove(folder)
                os.rename(made, folder)
    finally:
        remove(made)
    kept = _known(folder)
    if kept is None:
        raise SystemRefused("%s cannot be read again." % folder)
    return kept


def _identity(run: Record, repo: str) -> list[Any]:
    code = [subject.payload for subject in run.payloads("code")]
    return [_FORM, code, run.cwd.to_json(), os.path.realpath(repo)]


def _known(folder: str) -> restore.Restored | None:
    try:
        with open(os.path.join(folder, "restored.json"), encoding="utf-8") as stream:
            said = json.load(stream)
        path = os.path.join(folder, "tree")
        if not os.path.isdir(path):
            return None
        cwd = os.path.normpath(os.path.join(path, said["cwd"]))
        return restore.Restored(path, cwd, tuple(said["notes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _claim(work: str) -> int | None:
    """Mark ``work`` as used by this process for as long as the descriptor is open."""
    import fcntl

    descriptor = os.open(os.path.join(work, _ALIVE), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks
        pass
    return descriptor


def is_left(work: str) -> bool:
    """Return whether nobody uses ``work`` any more."""
    import fcntl

    if _age(work) < 60.0:
        return False
    try:
        descriptor = os.open(os.path.join(work, _ALIVE), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return _age(work) > _IN_USE_S
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return _age(work) > 86400.0
    finally:
        os.close(descriptor)
    return True


def _age(path: str) -> float:
    """Return the seconds since ``path`` was changed."""
    try:
        return time.time() - os.stat(path).st_mtime
    except OSError:
        return 0.0


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
