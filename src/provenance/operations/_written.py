"""The user's files read as a record would hold them: where they call libraries, nothing run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from provenance.core import record, uses
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.core.uses import Use
from provenance.errors import NothingToCompare, UsageError
from provenance.facets import behaviour
from provenance.facets.behaviour import Behaviour

MOST_FILES = 2000
"""Files of a folder that are read; more is no experiment but a collection."""
_ENDINGS = (".py", ".ipynb")
_SKIPPED = frozenset(("site-packages", "node_modules", "__pycache__", "build", "dist"))


class Written(NamedTuple):
    """What the files say. record: a record that holds their uses and nothing else."""

    record: Record
    files: tuple[str, ...]
    notes: tuple[str, ...]


def read(paths: Sequence[str], cwd: str) -> Written:
    """Return the uses of libraries in ``paths``, files or folders, as named from ``cwd``.

    Raises `UsageError` for one that is not there or no Python, `NothingToCompare` where a folder
    holds none.
    """
    files: list[str] = []
    notes: list[str] = []
    for path in paths:
        files += _files(os.path.join(cwd, path), path, notes)
    if not files:
        raise NothingToCompare("there is no Python source in %s." % ", ".join(paths))
    found: list[Use] = []
    shown = []
    for file in dict.fromkeys(files):
        name = os.path.relpath(file, cwd)
        name = file if name.startswith(os.pardir) else name
        reading = uses.read(text(file, notes), name)
        notes += [reading.note] if reading.note else []
        found += reading.uses
        shown.append(name)
    return Written(record_of(found, len(shown)), tuple(shown), tuple(notes))


def record_of(found: Iterable[Use], count: int) -> Record:
    """Return a record that holds the uses of ``count`` files and nothing else."""
    payload = record.captured(behaviour.VERSION, Behaviour(tuple(found), count))
    return Record(
        id="files",
        command=(),
        cwd=PathRef("cwd", "."),
        status=record.DONE,
        started="",
        facets={behaviour.NAME: payload},
    )


def _files(path: str, given: str, notes: list[str]) -> list[str]:
    if os.path.isfile(path):
        if not path.endswith(_ENDINGS):
            raise UsageError("%s is no Python file (.py or .ipynb)." % given)
        return [os.path.normpath(path)]
    if not os.path.isdir(path):
        raise UsageError(
            "%s does not exist." % given, "prov explain PACKAGE OLD NEW [FILE or FOLDER ...]"
        )
    return python_files(os.path.normpath(path), notes, given)


def python_files(folder: str, notes: list[str], shown: str = "") -> list[str]:
    """Return the Python files below ``folder``; in ``notes`` that there are too many to read.

    shown: how the folder is named there.
    """
    found: list[str] = []
    for file in _below(folder):
        if len(found) == MOST_FILES:
            text = "%s: only the first %d files were read"
            notes.append(text % (shown or os.path.basename(folder), MOST_FILES))
            break
        found.append(file)
    return found


def _below(folder: str) -> Iterator[str]:
    """Yield the Python files of a project, its environments and hidden folders left out."""
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(
            one
            for one in folders
            if not one.startswith(".")
            and one not in _SKIPPED
            and not os.path.exists(os.path.join(above, one, "pyvenv.cfg"))
            and not os.path.isdir(os.path.join(above, one, "conda-meta"))
        )
        for name in sorted(names):
            if name.endswith(_ENDINGS):
                yield os.path.join(above, name)


def text(file: str, notes: list[str]) -> str:
    """Return the text of a source file, "" for one that cannot be read, of which ``notes`` tell."""
    try:
        if os.path.getsize(file) > behaviour.LARGEST_FILE:
            notes.append("%s: too big to be read as source" % file)
            return ""
        with open(file, "rb") as stream:
            return stream.read().decode("utf-8", "replace")
    except OSError as error:
        notes.append("%s: %s" % (file, error.strerror or error))
        return ""
