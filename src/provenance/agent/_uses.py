"""From the lines of the logs to the files that the run used."""

from __future__ import annotations

import os
import stat
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

from provenance.agent._log import Line
from provenance.agent._processes import Process
from provenance.agent._table import (
    DATABASE,
    FOLDER_LIMIT,
    READ,
    WRITTEN,
    Entry,
    Table,
    files_in,
    kept,
)
from provenance.core import filekinds
from provenance.core.context import FileUse, FolderUse, Interpreter, Observations
from provenance.core.paths import is_inside

_ODD = frozenset(("", ".", ".."))
_MANY = 32
"""Files that were only read in one folder, from which on they are told together."""
_SPARSE = 8
"""A folder of more files than this for each that was read is not listed to the end."""
_MOST_REMOVED = 10000
_MOST_COUNTED = 1000000
_TICK_NS = 20000000
"""Change times are taken from a clock that ticks this seldom, and so may seem too early."""
_LATE_NS, _NEVER_NS = 5000000, 1 << 63
"""A process says that it began once its interpreter is up: a moment after it did."""


class Uses:
    """The files that the run opened. own: our folders. began: file system time before the run."""

    def __init__(self, own: Tuple[str, ...], began: Optional[int]) -> None:
        self._table = Table()
        self._own = own
        self._began = began
        self._environment: Tuple[str, ...] = ()
        self._folders: Dict[str, bool] = {}
        self._workplaces: Set[str] = set()
        self._caches: Set[str] = set()
        self._removed: Dict[str, bool] = {}
        self._trees: List[str] = []
        self._links: Dict[str, str] = {}
        self._fresh: List[str] = []
        self._short: Set[str] = set()
        self._lives: List[Tuple[int, int]] = []

    def start(self, began: int) -> None:
        """Learn when a process began, which is the start of the run where nothing else tells."""
        if self._began is None:
            self._began = began

    def environment(self, facts: Dict[str, Any]) -> None:
        """Learn from an interpreter which folders are its own, and where it works."""
        path = tuple(str(entry) for entry in facts.get("path", ()))
        one = Interpreter("", "", "", "", facts["prefix"], facts["base_prefix"], path)
        known = set(self._environment) | set(filekinds.environment_folders([one]))
        self._environment = tuple(sorted(known))
        self._folders.clear()
        if facts.get("cwd") and facts["cwd"] != "/":
            self._workplaces.add(facts["cwd"])
        if facts.get("pycache"):
            self._caches.add(str(facts["pycache"]).rstrip("/"))

    def fresh(self) -> Tuple[str, ...]:
        """Return the paths that were first read since the last call."""
        fresh, self._fresh = tuple(self._fresh), []
        return tuple(path for path in fresh if not self._is_written(path))

    def crowded(self) -> Tuple[str, ...]:
        """Return the folders that have become too many files to list since the last call."""
        found, self._table.folded = self._table.folded, []
        return tuple(one for one in found if not self._ignored(one + "/-"))

    def read(self, paths: Iterable[Tuple[Process, str]], by: int) -> None:
        """Note that files had been opened for reading by the time ``by``."""
        for _, path in paths:
            self._read(path, by)

    def reads(self, paths: Iterable[str], by: int) -> None:
        """Do the same for many files, folder by folder: most of them need no look of their own."""
        folder, simple, names = "", False, []  # type: Tuple[str, bool, List[str]]
        for path in paths:
            place, _, name = path.rpartition("/")
            if place != folder:
                if names:
                    self._fresh += self._table.reads(folder, names, by)
                folder, simple, names = place, self._is_simple(place), []
            if simple and name not in _ODD and name[-4:] != ".pyc":
                names.append(name)
            else:
                self._read(path, by)
        if names:
            self._fresh += self._table.reads(folder, names, by)

    def _is_simple(self, folder: str) -> bool:
        """Return whether paths right in ``folder`` are as they stand what they mean."""
        odd = "/." in folder or "//" in folder or folder[:1] != "/" or self._links
        return not odd and not self._ignored(folder + "/-")

    def sources(self, paths: Iterable[Any], by: int) -> None:
        """Note the source files of modules that were loaded, however that was."""
        for path in paths:
            if isinstance(path, bytes):
                self._read(os.fsdecode(path), by)

    def take(self, process: Process, line: Line) -> None:
        """Note one line about files; raises ValueError or TypeError where it is none."""
        kind, at = line.kind, line.time or 0
        if kind in "ML":
            source, target = (os.fsdecode(one) for one in line.value)
            (self._move if kind == "M" else self._link)(_normal(source), _normal(target), at)
        elif kind == "D":
            folder, count = os.fsdecode(line.value[0]), int(line.value[1])
            if not self._ignored(folder):
                before = process.counted.get(folder, FOLDER_LIMIT if count > FOLDER_LIMIT else 0)
                process.counted[folder] = count
                self._table.many(_normal(folder), max(0, count - before))
        elif kind == "O":
            self._short.add(line.value)
        else:
            self._one(kind, os.fsdecode(line.value), at)

    def _one(self, kind: str, path: str, at: int) -> None:
        path = _normal(path)
        if kind == "r":
            self._read(path, at)
        elif self._ignored(path):
            return
        elif kind == "T":
            self._trees.append(path)
        elif kind == "F":  # it was not there when it came to be written: earlier opens had failed
            entry = self._table.get(path)
            if entry is not None and entry.how == READ:
                self._table.drop(path)
        elif kind == "X":
            entry = self._table.get(path)
            if (entry is None or entry.first == "r") and len(self._removed) < _MOST_REMOVED:
                self._removed[path] = True
        elif kind == "W":
            self._table.write(path, at)
        elif kind == "U":
            self._read(path, at)
            self._table.write(path, at)
        elif kind == "Q":
            self._read(path, at)
            self._table.write(path, at, DATABASE)

    def _read(self, path: str, by: int) -> None:
        path = self._source(_normal(path))
        if self._ignored(path):
            return
        if self._table.read(path, by):
            self._fresh.append(path)
        if path in self._links:
            self._read(self._links[path], by)

    def _move(self, source: str, target: str, at: int) -> None:
        entry = self._table.get(source)
        if not self._ignored(target):
            self._table.write(target, at)
        if entry is not None and entry.first == "w":
            self._table.drop(source)
        elif entry is not None or not self._ignored(source):
            if entry is None and os.path.isdir(target):
                self._table.drop(target)
                self._table.rename_folder(source, target)
            elif len(self._removed) < _MOST_REMOVED:
                self._removed[source] = True

    def _link(self, source: str, target: str, at: int) -> None:
        if not self._ignored(target):
            self._table.write(target, at)
        if source != target and len(self._links) < _MOST_REMOVED and source not in self._links:
            self._links[target] = source

    def _source(self, path: str) -> str:
        """Return the source that a bytecode file was made from, where that is still there."""
        if not path.endswith(".pyc"):
            return path
        folder, name = os.path.split(path)
        stem = name.split(".")[0] + ".py"
        for cache in self._caches:
            if is_inside(path, cache):
                return os.path.join(folder[len(cache) :], stem)
        if os.path.basename(folder) == "__pycache__":
            return os.path.join(os.path.dirname(folder), stem)
        return path

    def _ignored(self, path: str) -> bool:
        """Return whether a path is of the interpreter, the environment, the system or ours."""
        folder = path.rpartition("/")[0]
        known = self._folders.get(folder)
        if known is None:
            known = self._is_ignored_folder(folder + "/")
            if len(self._folders) > _MOST_REMOVED:
                self._folders.clear()
            self._folders[folder] = known
        return (known and not filekinds.is_package_data(path)) or path.endswith((".pyc", "/"))

    def _is_ignored_folder(self, folder: str) -> bool:
        inside = any(is_inside(folder, one) for one in (*self._own, *self._environment))
        system = filekinds.is_system(folder)
        at_work = any(is_inside(folder, place) for place in self._workplaces)
        return inside or (system and not at_work)

    def _is_written(self, path: str) -> bool:
        entry = self._table.get(path)
        return entry is not None and entry.first == "w"

    def lived(self, processes: Iterable[Process]) -> None:
        """Learn from when to when the Python processes lived, before `told` is asked."""
        self._lives = [(one.began - _LATE_NS, one.ended or _NEVER_NS) for one in processes]

    def told(
        self, together: bool = True
    ) -> Tuple[Tuple[FileUse, ...], Tuple[FolderUse, ...], Tuple[str, ...]]:
        """Return the files, the folders with too many, and the removed, as they are at the end.

        together: tell files that were only read folder by folder where these are many.
        """
        removed = {path for path in self._removed if not os.path.lexists(path)}
        files: List[FileUse] = []
        groups = self._together() if together else {}
        for path in self._table.files(groups):
            entry = self._table.get(path)
            if entry is None or self._ignored(path):
                continue
            use, gone = self._use(path, entry, removed)
            if gone:
                removed.add(path)
            if use is not None:
                files.append(use)
        many = [
            FolderUse(folder, files_in(folder, min(here.many, _MOST_COUNTED)))
            for folder, here in sorted(self._table.folders.items(), key=lambda item: item[1].order)
            if here.many and not self._ignored(folder + "/-") and os.path.isdir(folder)
        ]
        many += [FolderUse(one, len(names), names=tuple(names)) for one, names in groups.items()]
        return tuple(files), tuple(many), tuple(sorted(removed))

    def _together(self) -> Dict[str, List[str]]:
        """Return the names of the files that were only read, of folders that have many of these."""
        found: Dict[str, List[str]] = {}
        for folder, here in self._table.folders.items():
            if len(here.entries) < _MANY or here.many or self._ignored(folder + "/-"):
                continue
            names = [n for n, one in here.entries.items() if one.how == READ and not kept(n)]
            if len(names) >= _MANY:
                present = _files_of(folder, len(names))
                found[folder] = [name for name in names if name in present]
        return found

    def _use(self, path: str, entry: Entry, removed: Set[str]) -> Tuple[Optional[FileUse], bool]:
        """Return what became of one file, and whether the run removed it with its folder."""
        try:
            status: Optional[os.stat_result] = os.stat(path)
        except (OSError, ValueError):
            status = None
        how, first = entry.how, entry.first
        if status is None:
            if path in self._trees:
                return None, False
            tree = first == "r" and any(is_inside(path, one) for one in self._trees)
            if not how & WRITTEN and path not in removed and not tree:
                return None, False
            return FileUse(path, first, bool(how & READ), bool(how & WRITTEN)), tree
        if not stat.S_ISREG(status.st_mode):
            return None, False
        written = bool(how & (WRITTEN | DATABASE)) and self._changed(path, status)
        if not written and not how & READ:
            return None, False
        if not written and self._made_before(entry, status):
            return FileUse(path, "w", True, False), False
        return FileUse(path, first if written else "r", bool(how & READ), written), False

    def _made_before(self, entry: Entry, status: os.stat_result) -> bool:
        """Return whether a file was read only after another program of the run had written it.

        That is certain where no Python process lived at that time, and none that was over by then
        had read it. What is written right after the end of a process may bear a time before it.
        """
        at = status.st_mtime_ns
        in_run = self._began is not None and at > self._began  # the same coarse clock
        return (
            in_run
            and entry.read is not None
            and entry.read > at
            and bool(self._lives)
            and not any(began <= at <= ended - _TICK_NS for began, ended in self._lives)
        )

    def _changed(self, path: str, status: os.stat_result) -> bool:
        """Return whether the file, or the link that leads to it, changed since the run began."""
        if self._began is None or status.st_ctime_ns >= self._began - _TICK_NS:
            return True
        try:
            return os.lstat(path).st_ctime_ns >= self._began - _TICK_NS
        except OSError:
            return False

    def notes(self) -> Tuple[str, ...]:
        """Return what the logs and the table could not hold."""
        notes = []
        if "log" in self._short:
            notes.append("a process opened so many files that its later ones were not observed")
        if "folders" in self._short or self._table.full:
            notes.append("files were read in so many folders that some are not listed")
        return tuple(notes)


def apart(told: Observations) -> Observations:
    """Return ``told`` with each file by itself that is told together with others in its folder."""
    more = [
        FileUse(one.path + "/" + name, "r", True, False, one.how)
        for one in told.folders
        for name in one.names
    ]
    crowds = tuple(one for one in told.folders if not one.names)
    return told._replace(files=(*told.files, *more), folders=crowds)


def _files_of(folder: str, wanted: int) -> Set[str]:
    """Return the names of files in ``folder``, of some only where it has many more than wanted."""
    found: Set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count > _SPARSE * wanted:
                    break
                if entry.is_file():
                    found.add(entry.name)
    except OSError:
        return set()
    return found


def _normal(path: str) -> str:
    return os.path.normpath(path) if "/." in path or "//" in path else path
