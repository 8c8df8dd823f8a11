"""What the two words of ``prov diff`` mean: runs, files, folders, or outputs of runs."""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance.compare import files
from provenance.core import codec, runid
from provenance.core.record import Record
from provenance.errors import (
    BadRecord,
    NoSuchRun,
    NothingToCompare,
    ProvError,
    SystemRefused,
    UsageError,
)
from provenance.facets._entries import FileEntry
from provenance.operations import references, settle
from provenance.operations.inputs import entries
from provenance.store import lockfile, project
from provenance.store.project import Project


class Side(NamedTuple):
    """A file or folder to compare.

    given: as typed. path: where its content is, None where the recorded content is not at hand.
    entry: of an output of a run, as recorded. run: that run's id, "" for none.
    """

    given: str
    path: str | None
    entry: FileEntry | None = None
    run: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files."""
        if self.entry is not None and self.entry.files is not None:
            return True
        return self.path is not None and os.path.isdir(self.path)


class Sides(NamedTuple):
    """runs: names of two runs; else None, and ``old`` and ``new`` are two files or folders.

    notes: on words that could mean something else too.
    """

    runs: tuple[str, str] | None
    old: Side | None = None
    new: Side | None = None
    notes: tuple[str, ...] = ()


def sides(cwd: str, old: str, new: str) -> Sides:
    """Return what ``old`` and ``new`` mean in the folder ``cwd``. Raises `ProvError`."""
    place = project.find(cwd)
    found = [_side(place, cwd, word) for word in (old, new)]
    for word, one, other in zip((old, new), found, reversed(found), strict=True):
        if one is None and other is not None:
            require_run(place, cwd, word)
    notes = tuple(
        "%s is a run and a file: the run is meant; write %s for the file"
        % (word, os.path.join(os.curdir, word))
        for word, one in zip((old, new), found, strict=True)
        if one is None and _may_be_path(word) and _exists(cwd, word) and not _is_lock(cwd, word)
    )
    first, second = found
    if first is None and second is None:
        return Sides((old, new), notes=notes)
    if first is None or second is None:
        run, file = (old, second) if first is None else (new, first)
        assert file is not None
        raise UsageError(
            "%s means a run and %s a file: they cannot be compared." % (run, file.given),
            _advice(place, cwd, run, file),
        )
    if first.is_folder != second.is_folder:
        folder, file = (first, second) if first.is_folder else (second, first)
        text = "%s is a folder and %s is a file: they cannot be compared."
        raise UsageError(text % (folder.given, file.given), "name the file inside the folder")
    return Sides(None, first, second, notes)


def require_run(place: Project, cwd: str, word: str) -> None:
    """Raise `NoSuchRun` where ``word``, which is no file, means no run either."""
    try:
        references.named(word, place, cwd)
    except NoSuchRun as error:
        raise NoSuchRun("there is no file and no run %s." % word, error.hint) from error


def _side(place: Project, cwd: str, word: str) -> Side | None:
    """Return the file that ``word`` means, None for a run. Raises `ProvError`."""
    path = os.path.join(cwd, os.path.expanduser(word))
    if not _may_be_path(word) or _is_lock(cwd, word):
        return None
    if _exists(cwd, word):
        plain = os.sep not in word and not word.startswith(os.curdir)
        return None if plain and _is_run(place, cwd, word) else _loose(path, word)
    run, colon, inside = word.partition(":")
    if colon and run and inside:
        return _of_run(place, cwd, run, inside)
    if os.sep in word or word.startswith(os.curdir) or os.path.splitext(word)[1]:
        if _is_run(place, cwd, word):
            return None
        raise NoSuchRun("there is no file and no run %s." % word, "see: prov ls")
    return None


def _may_be_path(word: str) -> bool:
    return (bool(word) and not word.startswith("@")) or ":" in word


def _exists(cwd: str, word: str) -> bool:
    return os.path.exists(os.path.join(cwd, os.path.expanduser(word)))


def _is_lock(cwd: str, word: str) -> bool:
    path = os.path.join(cwd, word)
    return os.path.isfile(path) and lockfile.is_lock(path)


def _is_run(place: Project, cwd: str, word: str) -> bool:
    """Return whether ``word`` is a run's name, or enough of its id."""
    try:
        run = references.named(word, place, cwd).record
    except (NoSuchRun, NothingToCompare, BadRecord):
        return False
    except ProvError:
        return True
    return run.name == word or len(word) >= runid.LEAST


def _loose(path: str, word: str) -> Side:
    if not os.access(path, os.R_OK):
        raise SystemRefused("%s cannot be read: permission denied." % word)
    if not (os.path.isfile(path) or os.path.isdir(path)):
        raise UsageError("%s is neither a file nor a folder." % word)
    return Side(word, path)


def _of_run(place: Project, cwd: str, name: str, inside: str) -> Side:
    """Return the output ``inside`` of the run ``name``. Raises `ProvError`."""
    run = references.named(name, place, cwd).record
    entry = _output(run, name, inside)
    roots = settle.recorded_roots(place, run)
    given = "%s:%s" % (name, entry.path.path)
    if entry.files is not None:
        return Side(given, roots.locate(entry.path), entry, run.id)
    return Side(given, files.at_hand(entry, roots.locate, whole=True), entry, run.id)


def _output(run: Record, name: str, inside: str) -> FileEntry:
    """Return the output, else the data, that ``inside`` means: its path, or the end of it."""
    wanted = os.path.normpath(inside)
    known: list[FileEntry] = []
    for facet in ("outputs", "data"):
        known += [codec.decode(FileEntry, one, "files[]") for one in entries(run, facet)]
        for fits in (
            [one for one in known if wanted in (one.path.path, str(one.path))],
            [one for one in known if one.path.path.endswith("/" + wanted)],
        ):
            if len(fits) == 1 or (fits and all(one.path == fits[0].path for one in fits)):
                return fits[0]
            if fits:
                paths = ", ".join(sorted(one.path.path for one in fits)[:4])
                raise UsageError("%s means %d files of %s." % (inside, len(fits), name), paths)
    shown = ", ".join(one.path.path for one in known[:6])
    hint = "it wrote %s" % shown if shown else "it wrote and read no file that was recorded"
    raise NoSuchRun("run %s (%s) has no file %s." % (name, runid.short(run.id), inside), hint)


def _advice(place: Project, cwd: str, run: str, file: Side) -> str:
    """Return how to compare a run's output of the same name with ``file``."""
    wanted = os.path.basename((file.path or file.given).rstrip(os.sep))
    try:
        entry = _output(references.named(run, place, cwd).record, run, wanted)
    except ProvError:
        return "name an output of the run: %s:PATH" % run
    return "name the output of the run: prov diff %s:%s %s" % (run, entry.path.path, file.given)


def side_of(cwd: str, word: str) -> Side | None:
    """Return the file that one word means in the folder ``cwd``, None for a run.

    Raises `ProvError`.
    """
    return _side(project.find(cwd), cwd, word)
