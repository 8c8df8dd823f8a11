"""What a ``requirements.txt`` or ``constraints.txt`` states, in all of pip's syntax.

Files of that name also hold what people redirected into them: ``pip freeze``, tables of ``pip
list`` and ``conda list``, ``conda list --export``, shell commands and sentences. Those are read for
what they are; what states nothing is reported with its line.

A file counts as complete where pip or conda wrote it of all that was installed: tables; files that
pip-compile or uv wrote; files with hashes, which pip takes only whole; and lists of 25 entries or
more. Each entry must then have an exact version or commit, and each line must have been understood.
"""

from __future__ import annotations

import posixpath

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.version import InvalidVersion

from provenance.specs import _habits, _remarks, _requirement, _tables
from provenance.specs._requirement_lines import Place, Reader
from provenance.specs.model import Fact, Source, Spec

FORMAT, FREEZE = "requirements.txt", "pip freeze"

CONSTRAINT = _remarks.CONSTRAINT

_FEW = 5
"""Entries with one ``=`` that make a file conda's; fewer are slips of the hand."""


def read(source: Source) -> Spec:
    """Return what the file and those that it includes state. Raises `Unreadable`.

    Facts of constraints have the group `CONSTRAINT`: they say which version, not that the package
    is installed.
    """
    reader = Reader(source)
    base = posixpath.basename(source.path)
    group = CONSTRAINT if base.lower().startswith("constraint") else ""
    reader.seen.add((posixpath.normpath(source.path), group))
    reader.file(source.data, Place(source.path, base, group))
    _as_conda(reader)
    for remark in (_remarks.about_names, _remarks.about_places, _remarks.about_repeated):
        remark(reader.facts, reader.remarks)
    form, complete, why = _form(reader)
    return Spec(
        source.path,
        form,
        tuple(reader.facts),
        tuple(reader.unread),
        complete,
        tuple(reader.included),
        (*why, *reader.remarks.notes()),
    )


def applies(fact: Fact) -> bool:
    """Return whether the fact's marker holds on this interpreter; one it cannot judge does."""
    try:
        return not fact.marker or Marker(fact.marker).evaluate({"extra": ""})
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
        return True


def allows(fact: Fact, version: str) -> bool:
    """Return whether ``version`` is among those that a fact of pip's ecosystem allows."""
    clauses = _requirement.specifiers(fact.specifier)
    try:
        return clauses is None or clauses.contains(version, prereleases=True)
    except InvalidVersion:
        return fact.version in ("", version)


def _as_conda(reader: Reader) -> None:
    """Take entries with one ``=`` as conda's where the file as a whole is."""
    many = len(reader.single) >= _FEW and len(reader.single) * 2 > len(reader.facts)
    if many or _tables.CONDA_EXPORT in (*reader.tables.seen, *reader.rows):
        reader.remarks.drop(_habits.SINGLE)
        for at in reader.single:
            reader.facts[at] = _tables.conda_range(reader.facts[at])


def _form(reader: Reader) -> tuple[str, bool, tuple[str, ...]]:
    """Return the kind of file, whether it is complete, and a sentence on how that was judged."""
    entries = _remarks.installed(reader.facts)
    loose = _remarks.loose(reader.facts)
    table, rows = (*reader.rows.most_common(1), ("", 0))[0]
    if rows * 2 <= len(reader.facts):
        table = ""
    form = table or FORMAT
    count = len(entries)
    if table in reader.tables.seen and rows >= count:
        origin = "a table of all that was installed"
    elif reader.compiled:
        origin = "the output of a resolver"
    elif count and reader.hashed >= count:
        origin = "a list with hashes, which pip takes only whole"
    elif count >= _remarks.FREEZE_ENTRIES:
        origin = "as long as only a program writes it"
    else:
        return form, False, ()
    if loose or reader.unread:
        return form, False, _incomplete(loose, reader, count)
    if form == FORMAT and not reader.compiled and not reader.hashed:
        form = FREEZE
    text = "Taken as complete: it is %s; exact entries: %d of %d."
    return form, True, (text % (origin, count, count),)


def _incomplete(loose: list[Fact], reader: Reader, count: int) -> tuple[str, ...]:
    """Return why a file that might list everything does not count as doing so."""
    if loose and len(loose) * 10 <= count:
        text = "Not taken as complete: %d of %d entries state no exact version, the first at %s."
        return (text % (len(loose), count, loose[0].where),)
    if not loose:
        text = "Not taken as complete: all %d entries are exact, but %s could not be read."
        return (text % (count, reader.unread[0].where),)
    return ()
