"""The files that a run opened, over all its processes, in bounded memory.

Two processes have no common order but time. A write is known to the nanosecond, a read by the time
before which it must have happened; a file counts as read first only where that is certain.
"""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Set

from provenance.core.filekinds import SOURCE_NAMES, is_config, is_source

FOLDER_LIMIT = 256
"""Distinct files read in one folder, after which they are kept as one entry."""
ENTRY_LIMIT = 50000
"""Files and folders held at most; beyond, folders are folded earlier and into their parents."""
SIBLINGS = 64
"""Folders with one parent that may then be folded into it."""

READ, WRITTEN, DATABASE = 1, 2, 4


class Entry(NamedTuple):
    """A file. how: bits of the above. read: time by which it had been read. wrote: first write."""

    how: int
    order: int
    read: Optional[int] = None
    wrote: Optional[int] = None

    @property
    def first(self) -> str:
        """Return "r" where the file was certainly read before any write, else "w"."""
        if self.read is None:
            return "w"
        return "r" if self.wrote is None or self.read <= self.wrote else "w"


class Folder:
    """What was opened right in one folder. many: files that were read and are only counted."""

    __slots__ = ("entries", "many", "order", "reads")

    def __init__(self, order: int) -> None:
        self.entries: Dict[str, Entry] = {}
        self.order = order
        self.reads = 0
        self.many = 0


class Table:
    """Files by folder and name. ``full``: whether no more can be held, and some were left out.

    folded: folders of which only the number of files is kept, since somebody took this list last.
    """

    def __init__(self, folder_limit: int = FOLDER_LIMIT, entry_limit: int = ENTRY_LIMIT) -> None:
        self.folders: Dict[str, Folder] = {}
        self.full = False
        self.folded: List[str] = []
        self._deep: Set[str] = set()
        self._limit, self._entry_limit = folder_limit, entry_limit
        self._size = 0
        self._order = 0

    def get(self, path: str) -> Optional[Entry]:
        """Return the entry of ``path``, None where there is none."""
        folder, _, name = path.rpartition("/")
        known = self.folders.get(folder)
        return known.entries.get(name) if known is not None else None

    def read(self, path: str, by: int) -> bool:
        """Note that ``path`` had been read at the time ``by``; return whether that is new."""
        folder, _, name = path.rpartition("/")
        here = self._folder(folder)
        if here is None:
            return False
        old = here.entries.get(name)
        if old is not None:
            soonest = by if old.read is None else min(by, old.read)
            here.entries[name] = old._replace(how=old.how | READ, read=soonest)
            return False
        if here.many and not kept(name):
            here.many += 1
            return False
        self._add(here, name, Entry(READ, self._next(), by))
        if not kept(name):
            here.reads += 1
            if here.reads > self._limit:
                self._told(folder)
                self._fold(here)
        return True

    def reads(self, folder: str, names: List[str], by: int) -> List[str]:
        """Note files of one folder as `read` does; return the paths of those that are new."""
        fresh = []
        above = folder + "/"
        for name in names:
            here = self.folders.get(folder)
            if here is None or here.many or self._size + 2 > self._entry_limit:
                new = self.read(above + name, by)
            elif name in here.entries:
                new = False
                old = here.entries[name]
                if old.how != READ or (old.read or 0) > by:
                    self.read(above + name, by)
            elif kept(name) or here.reads >= self._limit:
                new = self.read(above + name, by)
            else:  # as `read` and `_add`, without a look at what cannot be: these are the many
                self._order += 1
                here.entries[name] = Entry(READ, self._order, by)
                self._size += 1
                here.reads += 1
                new = True
            if new:
                fresh.append(above + name)
        return fresh

    def _told(self, folder: str) -> None:
        if len(self.folded) < self._entry_limit:
            self.folded.append(folder)

    def write(self, path: str, at: int, how: int = WRITTEN) -> None:
        """Note that ``path`` was opened for writing at the time ``at``."""
        folder, _, name = path.rpartition("/")
        here = self._folder(folder)
        if here is None:
            return
        old = here.entries.get(name)
        if old is None:
            self._add(here, name, Entry(how, self._next(), None, at))
        else:
            first = at if old.wrote is None else min(at, old.wrote)
            here.entries[name] = old._replace(how=old.how | how, wrote=first)

    def many(self, folder: str, count: int) -> None:
        """Note ``count`` more reads in ``folder`` that are not listed."""
        here = self._folder(folder)
        if here is not None:
            if not here.many:
                self._told(folder)
            self._fold(here)
            here.many += count

    def drop(self, path: str) -> None:
        """Forget ``path``."""
        folder, _, name = path.rpartition("/")
        here = self.folders.get(folder)
        if here is not None and here.entries.pop(name, None) is not None:
            self._size -= 1

    def rename_folder(self, source: str, target: str) -> None:
        """Note that everything below ``source`` is below ``target`` now."""
        below = [f for f in self.folders if f == source or f.startswith(source + "/")]
        for folder in below:
            self.folders[target + folder[len(source) :]] = self.folders.pop(folder)

    def files(self, but: Optional[Dict[str, List[str]]] = None) -> Iterator[str]:
        """Yield the paths that are listed, in order of their first mention.

        but: names by folder that are left out.
        """
        listed = []
        for folder, here in self.folders.items():
            left_out = set(but.get(folder, ())) if but else ()
            listed += [
                (entry.order, folder + "/" + name)
                for name, entry in here.entries.items()
                if name not in left_out
            ]
        for _, path in sorted(listed):
            yield path

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _folder(self, folder: str) -> Optional[Folder]:
        """Return what stands for ``folder``; None where it has been folded into one above."""
        room = self._room()
        known = self.folders.get(folder)
        if known is not None:
            return known
        if self._deep:
            above = folder
            while above:
                if above in self._deep and above in self.folders:
                    self.folders[above].many += 1
                    return None
                above = above.rpartition("/")[0]
        if not room:
            return None
        known = self.folders[folder] = Folder(self._next())
        self._size += 1
        return known

    def _add(self, here: Folder, name: str, entry: Entry) -> None:
        if not self.full:
            here.entries[name] = entry
            self._size += 1

    def _room(self) -> bool:
        """Return whether a file and its folder can be added, making room where that is needed."""
        if self._size + 2 <= self._entry_limit:
            return True
        if not self.full:
            self._shrink()
            self.full = self._size + 2 > self._entry_limit
        return not self.full

    def _fold(self, here: Folder) -> None:
        """Keep only the number of the files read in a folder; written and source files stay."""
        plain = [n for n, e in here.entries.items() if e.how == READ and not kept(n)]
        for name in plain:
            del here.entries[name]
        self._size -= len(plain)
        here.many += len(plain)

    def _shrink(self) -> None:
        """Make room: fold smaller folders, then folders with many siblings into their parent."""
        while self._size >= self._entry_limit // 2 and self._limit > 1:
            self._limit //= 2
            for here in self.folders.values():
                if here.reads > self._limit:
                    self._fold(here)
        if self._size >= self._entry_limit // 2:
            self._fold_siblings()

    def _fold_siblings(self) -> None:
        by_parent: Dict[str, List[str]] = {}
        for folder, here in self.folders.items():
            if all(e.how == READ and not kept(n) for n, e in here.entries.items()):
                by_parent.setdefault(folder.rpartition("/")[0], []).append(folder)
        for parent, children in by_parent.items():
            if len(children) > SIBLINGS and parent:
                into = self.folders.setdefault(parent, Folder(self._next()))
                self._deep.add(parent)
                for child in children:
                    gone = self.folders.pop(child)
                    into.many += gone.many + len(gone.entries)
                    self._size -= 1 + len(gone.entries)


def kept(name: str) -> bool:
    """Return whether a file is always listed by itself: source code, configuration."""
    dot = name.rfind(".")
    if dot <= 0 or len(name) - dot > 10:
        return is_source(name) or is_config(name)
    known = _kept.get(name[dot:])
    if known is None:  # of names with a suffix, that alone decides, but for a few names
        known = is_source("-" + name[dot:]) or is_config("-" + name[dot:])
        if len(_kept) < _MOST_SUFFIXES:
            _kept[name[dot:]] = known
    return known or name in SOURCE_NAMES


_kept: Dict[str, bool] = {}
_MOST_SUFFIXES = 1000


def files_in(folder: str, most: int) -> int:
    """Return how many files ``folder`` has now, counting no further than ``most``."""
    count = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                count += not entry.is_dir()
                if count >= most:
                    break
    except OSError:
        return most
    return count
