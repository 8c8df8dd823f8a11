"""``RUN:NAME``, the address of an artifact: what it means, by the record alone.

NAME is what the code called it (``log_artifact(..., name=)``), a path as recorded, a folder that
holds recorded files, a glob, or the last parts of a path where only one ends so.
"""

from __future__ import annotations

import difflib
import fnmatch
import posixpath
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from provenance.core import runid
from provenance.core.digest import TREE
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.errors import NoSuchArtifact, UsageError
from provenance.facets import _entries, artifacts
from provenance.facets._entries import FileEntry

_SHOWN = 6
"""Names that an error tells."""
_LINKS = 8
"""Links that are followed from one recorded file to the next."""
_EXAMPLE = "write RUN:NAME, as in @last:model.pt; prov show RUN lists the files of a run"


class Artifact(NamedTuple):
    """What an address means in a record.

    path: as recorded. entries: the recorded files, by path relative to ``path``, "" for a single
    file or for a folder that was digested as one. folder: whether it is a folder.
    """

    path: PathRef
    entries: tuple[tuple[str, FileEntry], ...]
    folder: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self.path.path)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(entry.size for _, entry in self.entries)


def split(address: str) -> tuple[str, str]:
    """Return RUN and NAME. Raises `UsageError`."""
    run, colon, name = address.partition(":")
    if not (run and colon and name) or name.startswith("//"):
        raise UsageError("%r is no address of an artifact." % address, _EXAMPLE)
    return run, name


def find(run: Record, called: str, name: str) -> tuple[Artifact, ...]:
    """Return all that ``name`` means in ``run``; several only where it is a glob.

    called: how the user named the run. Raises `NoSuchArtifact`, `UsageError`.
    """
    known = _known(run)
    wanted = posixpath.normpath(name)
    for fits in (
        _told(run, name, known),
        [one for one in known.values() if wanted in (one.path.path, str(one.path))],
        _folder(known.values(), wanted),
    ):
        if fits:
            return (_one(fits, name, called, known),)
    if set(name) & set("*?["):
        there = (one for one in known.values() if not _is_nothing(one))
        fits = [one for one in there if _matches(one.path.path, wanted)]
        if fits:
            return tuple(_artifact(_followed(one, known)) for one in fits)
    fits = [one for one in known.values() if one.path.path.endswith("/" + wanted)]
    folders = {one for one in map(str, _folders(known.values())) if one.endswith("/" + wanted)}
    if fits or len(folders) > 1:
        return (_one([*fits], name, called, known, tuple(sorted(folders))),)
    if folders:
        return (_one(_folder(known.values(), folders.pop()), name, called, known),)
    raise NoSuchArtifact(
        "run %s has no file %s." % (_shown(run, called), name), _near(run, name, known)
    )


def _known(run: Record) -> dict[PathRef, FileEntry]:
    """Return the files of ``run`` by path: what it wrote, then what it read, then what it named.

    A file that was both read and written is what the run left.
    """
    found: dict[PathRef, FileEntry] = {}
    for facet in ("outputs", "data"):
        for entry in _entries.entries(run.payloads(facet)):
            if entry.digests or entry.path not in found:
                found.setdefault(entry.path, entry)
    for one in _named(run):
        if one.path not in found:
            found[one.path] = FileEntry(
                one.path, one.kind, one.size, one.digests, state=one.state, files=_count(one)
            )
    return found


def _count(one: artifacts.Named) -> int | None:
    """Return a number of files where the code named a folder: how many is not recorded."""
    return 0 if any(name.endswith(TREE) for name in one.digests) else None


def _named(run: Record) -> tuple[artifacts.Named, ...]:
    told = artifacts.of(run)
    return told.files if told is not None else ()


def _told(run: Record, name: str, known: dict[PathRef, FileEntry]) -> list[FileEntry]:
    """Return what the code called ``name``; of a distributed job what its first rank did."""
    fits = [one for one in _named(run) if one.name == name]
    return [known[one.path] for one in sorted(fits, key=lambda one: one.rank or 0)[:1]]


def _folder(entries: Iterable[FileEntry], wanted: str) -> list[Artifact]:
    """Return the folder ``wanted`` as an artifact of all recorded files below it."""
    by_root: dict[str, list[tuple[str, FileEntry]]] = {}
    for one in entries:
        below = one.path.path[len(wanted) + 1 :]
        if one.path.path.startswith(wanted + "/") and not _is_nothing(one):
            by_root.setdefault(one.path.root, []).append((below, one))
    return [
        Artifact(PathRef(root, wanted), tuple(sorted(members)), True)
        for root, members in by_root.items()
    ]


def _is_nothing(entry: FileEntry) -> bool:
    """Return whether there is no content: a file that was not there, a link (they are followed)."""
    return entry.state == _entries.MISSING or (entry.target is not None and not entry.digests)


def _folders(entries: Iterable[FileEntry]) -> Iterator[PathRef]:
    for one in entries:
        folder = posixpath.dirname(one.path.path)
        while folder and folder != "/":
            yield PathRef(one.path.root, folder)
            folder = posixpath.dirname(folder)


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, "*/" + pattern)


def _one(
    fits: Iterable[FileEntry | Artifact],
    name: str,
    called: str,
    known: dict[PathRef, FileEntry],
    folders: tuple[str, ...] = (),
) -> Artifact:
    """Return the only one of ``fits``. Raises `UsageError` where there are several."""
    found = list(fits)
    if len(found) + len(folders) > 1:
        paths = sorted([*(str(one.path) for one in found), *folders])
        raise UsageError(
            "%s means %d files of %s: %s." % (name, len(paths), called, _few(paths)),
            "write more of the path",
        )
    one = found[0]
    return one if isinstance(one, Artifact) else _artifact(_followed(one, known))


def _followed(entry: FileEntry, known: dict[PathRef, FileEntry]) -> FileEntry:
    """Return the file that a recorded link leads to, where the record has it."""
    for _ in range(_LINKS):
        if entry.digests or entry.target is None or entry.target not in known:
            break
        entry = known[entry.target]
    return entry


def _artifact(entry: FileEntry) -> Artifact:
    return Artifact(entry.path, (("", entry),), entry.files is not None)


def _shown(run: Record, called: str) -> str:
    short = runid.short(run.id)
    return called if called in (short, run.id) else "%s (%s)" % (called, short)


def _near(run: Record, name: str, known: dict[PathRef, FileEntry]) -> str:
    """Return what the user may have meant."""
    paths = [path.path for path in known]
    names = [one.name for one in _named(run)]
    words = list(dict.fromkeys([*names, *paths]))
    whole = next((p for p, e in known.items() if e.files is not None and _below(name, p)), None)
    if whole is not None:
        return "%s was recorded as one folder: ask for that" % whole.path
    if not words:
        return "no file that it read or wrote was recorded"
    by_last = {posixpath.basename(word): word for word in reversed(words)}
    near = difflib.get_close_matches(name, words, _SHOWN, 0.6)
    last = difflib.get_close_matches(posixpath.basename(name), list(by_last), _SHOWN, 0.6)
    found = list(dict.fromkeys([*near, *(by_last[one] for one in last)]))
    if found:
        return "did you mean %s?" % " or ".join(found[:3])
    return "it has %s" % _few(words)


def _below(name: str, folder: PathRef) -> bool:
    return posixpath.normpath(name).startswith(folder.path + "/")


def _few(words: list[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (
        " and %d more" % (len(words) - _SHOWN) if len(words) > _SHOWN else ""
    )
