"""The Python source of a repository that no run has recorded, as far as a comparison needs it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from provenance.core import uses
from provenance.core.record import Record
from provenance.core.use import Use
from provenance.operations import _imports, _written

SECONDS = 10.0
"""How long source is read; what is left then is said."""
_OTHERS = re.compile(
    r"(^|/)(tests?|testing|docs?|third_party|3rdparty|external|vendor(ed)?)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest|setup|noxfile|versioneer)\.py$"
)
"""Files that no result comes from, and code of others."""


class SourceFiles(NamedTuple):
    """Source by path relative to the repository. notes: what could not be read."""

    texts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()

    def own(self, name: str) -> bool:
        """Return whether ``name`` is a module of the repository itself."""
        heads = ("%s.py" % name, "%s/" % name, "src/%s/" % name)
        return any(path == heads[0] or path.startswith(heads[1:]) for path, _ in self.texts)


class Imports(Mapping[str, tuple[str, ...]]):
    """Per importable name, where the source cannot do without it; modules of its own left out.

    Nothing is read before a name is asked for; then only files that mention it are parsed, each
    once.
    """

    def __init__(self, files: Callable[[], SourceFiles]) -> None:
        self._files = files
        self._left: list[tuple[str, str]] | None = None
        self._found: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if self._left is None:
            self._left = list(self._files().texts)
        asked = [one for one in self._left if name in one[1]]
        if asked:
            self._left = [one for one in self._left if name not in one[1]]
            for known, where in _imports.needed(asked).items():
                self._found[known] = (*self._found.get(known, ()), *where)
        if self._files().own(name):
            raise KeyError(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def load(root: str) -> SourceFiles:
    """Return the source of the repository's own experiments, tests and documentation left out."""
    notes: list[str] = []
    found = []
    for path in _written.python_files(root, notes):
        shown = os.path.relpath(path, root).replace(os.sep, "/")
        if not _OTHERS.search(shown):
            found.append((shown, _written.text(path, notes)))
    return SourceFiles(tuple(found), tuple(notes))


def uses_of(files: SourceFiles, tops: Collection[str] | None) -> tuple[Record, tuple[str, ...]]:
    """Return a record with the uses of the files that mention one of ``tops`` (None: all files).

    With it sentences about files that were not read.
    """
    wanted = re.compile("|".join(r"\b%s\b" % re.escape(top) for top in sorted(tops or ())))
    chosen = [one for one in files.texts if tops is None or wanted.search(one[1])]
    found: list[Use] = []
    notes: list[str] = []
    until = time.monotonic() + SECONDS
    for number, (path, text) in enumerate(chosen):
        if time.monotonic() > until:
            notes.append(
                "%d of %d source files were not read" % (len(chosen) - number, len(chosen))
            )
            break
        reading = uses.read(text, path)
        notes += [reading.note] if reading.note else []
        found += reading.uses
    return _written.record_of(found, len(chosen)), tuple(notes)
