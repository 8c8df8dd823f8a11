"""The files that all processes of a run used, as strace saw them, joined with what the hook saw."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any, Dict, List, Optional, Set, Tuple

from provenance.agent import _uses, strace
from provenance.agent._log import Line
from provenance.agent.launch import SITE
from provenance.core import filekinds
from provenance.core.context import Command, FileUse, FolderUse, Interpreter, Observations
from provenance.core.paths import is_inside
from provenance.core.redact import Redactor

TRACED = "traced"
_PIECE = 1 << 20
_PUNCH = 64 << 20
"""Bytes of the log that are read before their place on the disk is given back."""
_QUIET_S = 1.0
"""A log that has not grown for so long while its end is missing will not grow any more."""
_MOST_COMMANDS, _MOST_UNSURE = 200, 10000
_LIBRARY = (".so", ".dylib", ".pyc", ".pyo", ".mo")


class Traced:
    """What the log at ``path`` tells. cwd: of the command; tops: of the project; began: ns."""

    def __init__(
        self, path: str, cwd: str, tops: Tuple[str, ...], redact: Redactor, began: Optional[int]
    ) -> None:
        self._path, self._tops, self._redact = path, tops, redact
        self._follower = strace.Follower(os.path.realpath(cwd))
        self._uses = _uses.Uses((os.path.dirname(path), SITE), began)
        self._uses.environment({"prefix": "", "base_prefix": "", "cwd": cwd, "path": []})
        self._began = began
        self._offset, self._punched, self._rest = 0, 0, b""
        self._prefixes: Set[str] = set()
        self._commands: Dict[Tuple[str, ...], None] = {}
        self._unsure: Set[str] = set()

    def poll(self) -> Tuple[str, ...]:
        """Read what was logged since the last call; return the paths that were read first now."""
        try:
            with open(self._path, "rb", buffering=0) as stream:
                stream.seek(self._offset)
                while True:
                    data = stream.read(_PIECE)
                    if not data:
                        break
                    self._offset += len(data)
                    self._feed(data)
        except OSError:
            return ()
        if self._offset - self._punched > _PUNCH:
            self._give_back()
        return self._uses.fresh()

    def _feed(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            for event in self._follower.line(line.decode("latin-1")):
                self._take(event)

    def _take(self, event: strace.Event) -> None:
        kind, path = event.kind, event.path
        if kind == strace.READ:
            if not _is_library(path):
                self._uses.read(((None, path),), event.time)  # type: ignore[arg-type]  # no process of the hook
        elif kind == strace.EXEC:
            self._executed(path, event)
        elif kind in (strace.MOVE, strace.LINK):
            pair = [os.fsencode(path), os.fsencode(event.target)]
            self._line(kind, pair, event.time)
        elif kind != strace.EXIT:
            if kind == strace.UPDATE and len(self._unsure) < _MOST_UNSURE:
                self._unsure.add(path)
            self._line(kind, os.fsencode(path), event.time)

    def _line(self, kind: str, value: Any, at: int) -> None:
        self._uses.take(None, Line(kind, value, at))  # type: ignore[arg-type]  # as above

    def _executed(self, path: str, event: strace.Event) -> None:
        if event.argv and len(self._commands) < _MOST_COMMANDS:
            self._commands.setdefault(self._redact.argv(event.argv), None)
        folder = os.path.dirname(path)
        prefix = os.path.dirname(folder)
        if os.path.basename(folder) in ("bin", "sbin", "condabin"):
            self._installed(prefix)
        if any(is_inside(path, top) for top in self._tops):
            self._uses.read(((None, path),), event.time)  # type: ignore[arg-type]  # as above

    def _installed(self, prefix: str) -> None:
        """Learn which folders belong to an installed program: those are not the run's files."""
        if prefix in self._prefixes or prefix in ("/", "/usr", "/usr/local"):
            return
        self._prefixes.add(prefix)
        if filekinds.is_environment_folder(prefix):
            self._own(prefix, _home_of(prefix) or prefix)
        elif not any(is_inside(top, prefix) or is_inside(prefix, top) for top in self._tops):
            for name in ("lib", "lib64", "libexec", "share", "etc", "bin"):
                self._own(os.path.join(prefix, name), "")

    def _own(self, folder: str, other: str) -> None:
        self._uses.environment({"prefix": folder, "base_prefix": other, "path": []})

    def finish(self, patience: float) -> Tuple[str, ...]:
        """Read the log to its end, which may still be written; return notes on what is missing."""
        deadline = time.monotonic() + patience
        size, since = -1, time.monotonic()
        while True:
            self.poll()
            now = time.monotonic()
            if self._offset != size:
                size, since = self._offset, now
            if self._follower.ended or now > deadline or now - since > _QUIET_S:
                break
            time.sleep(0.005)
        for event in self._follower.rest():
            self._take(event)
        if not self._follower.first:
            return ("strace logged nothing: files are known only from the other sources",)
        if not self._follower.ended:
            return ("strace ended before the command: files opened after that are not known",)
        return ()

    def joined(self, seen: Observations, interpreters: Tuple[Interpreter, ...]) -> Observations:
        """Return what the hook has ``seen`` with what strace saw."""
        for folder in filekinds.environment_folders(interpreters):
            self._own(folder, "")
        seen = _uses.apart(seen)
        files, folders, removed = self._uses.told(together=False)
        traced = tuple(self._settled(use) for use in files)
        known = {one.argv for one in seen.commands}
        more = tuple(Command(argv) for argv in self._commands if argv not in known)
        both = _folders(seen.folders, folders)
        inside = {one.path for one in both}
        return seen._replace(
            files=_files(seen.files, traced, inside),
            folders=both,
            removed=tuple(sorted(set(seen.removed) | set(removed))),
            commands=(*seen.commands, *more)[: max(_MOST_COMMANDS, len(seen.commands))],
            notes=(*seen.notes, *self._uses.notes()),
            traced=bool(self._follower.ended) and not self._uses.notes(),
        )

    def _settled(self, use: FileUse) -> FileUse:
        """Return a use whose order is certain: opened for both, a new file was not read first."""
        first = use.first
        if first == "r" and use.written and use.path in self._unsure and self._began is not None:
            born = birth(use.path)
            if born is not None and born >= self._began:
                return FileUse(use.path, "w", use.read, True, (TRACED,))
        return FileUse(use.path, first, use.read, use.written, (TRACED,))

    def _give_back(self) -> None:
        """Make a hole where the log has been read: strace goes on writing behind it."""
        try:
            with open(self._path, "r+b", buffering=0) as stream:
                _punch(stream.fileno(), self._punched, self._offset - self._punched)
        except OSError:
            pass
        self._punched = self._offset


def _files(
    seen: Tuple[FileUse, ...], traced: Tuple[FileUse, ...], folders: Set[str]
) -> Tuple[FileUse, ...]:
    """Return both, one entry per path; strace knows the order, the hook other names of a file."""
    found = {one.path: one for one in traced}
    for one in seen:
        other = found.get(one.path)
        if other is not None:
            found[one.path] = FileUse(
                one.path,
                other.first,
                one.read or other.read,
                one.written or other.written,
                (*one.how, *other.how),
            )
        elif one.written or os.path.dirname(one.path) not in folders or _listed(one.path):
            found[one.path] = one
    order = {one.path: number for number, one in enumerate((*seen, *traced))}
    return tuple(found[path] for path in sorted(found, key=lambda path: order[path]))


def _listed(path: str) -> bool:
    return filekinds.is_source(path) or filekinds.is_config(path)


def _folders(seen: Tuple[FolderUse, ...], traced: Tuple[FolderUse, ...]) -> Tuple[FolderUse, ...]:
    found = {one.path: one._replace(how=(TRACED,)) for one in traced}
    for one in seen:
        other = found.get(one.path)
        how = one.how if other is None else (*one.how, *other.how)
        files = one.files if other is None else max(one.files, other.files)
        found[one.path] = FolderUse(one.path, files, how)
    return tuple(found.values())


def _is_library(path: str) -> bool:
    """Return whether ``path`` names compiled code or a catalogue that a loader opens by itself."""
    name = path[path.rfind("/") + 1 :]
    return name.endswith(_LIBRARY) or ".so." in name


def _home_of(prefix: str) -> str:
    """Return the prefix of the Python that a virtual environment was made from, "" for none."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8") as stream:
            rows: List[List[str]] = [line.split("=", 1) for line in stream if "=" in line]
    except (OSError, ValueError):
        return ""
    homes = [value.strip() for name, value in rows if name.strip() == "home"]
    return os.path.dirname(homes[0]) if homes else ""


def birth(path: str) -> Optional[int]:
    """Return when the file was made, in ns since the epoch; None where that is not known.

    statx(2): `os` does not offer it yet. Its result is 256 bytes with the mask of what it knows at
    0, and the birth time at 80: seconds (64 bit) and nanoseconds (32 bit). Linux only.
    """
    buffer = ctypes.create_string_buffer(256)
    try:
        code = ctypes.CDLL(None).statx(-100, os.fsencode(path), 0, 0x800, buffer)
    except (OSError, AttributeError):
        return None
    raw = buffer.raw
    if code != 0 or not int.from_bytes(raw[:4], "little") & 0x800:
        return None
    seconds = int.from_bytes(raw[80:88], "little", signed=True)
    return seconds * 1000000000 + int.from_bytes(raw[88:92], "little")


def _punch(fd: int, start: int, length: int) -> None:
    """Give back the disk space of a part of a file, keeping its size (fallocate(2): 1 | 2)."""
    try:
        call = ctypes.CDLL(None).fallocate
        call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        call(fd, 3, start, length)
    except (OSError, AttributeError):
        return
