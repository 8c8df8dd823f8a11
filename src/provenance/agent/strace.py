"""Reading what strace logs: one line per successful system call, as events about files.

Paths come as the program gave them, made absolute by the folder that they count from. strace names
that folder where a call takes one (``-y``); for the others the working folder of each process is
followed through its own lines and its parent's. Nothing here looks at the file system.
"""

from __future__ import annotations

import os
import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

READ, WRITE, UPDATE, REMOVE = "r", "W", "U", "X"
MOVE, LINK, EXEC, EXIT = "M", "L", "exec", "exit"

_LINE = re.compile(r"(\d+) +(\d+)\.(\d+) (?:(\w+)\((.*)\) += (\d+)(?:<.*)?|\+\+\+ (\w+) .*)\n?\Z")
_WORD = re.compile(
    r'"((?:[^"\\]|\\.)*)"(?:\.\.\.)?'  # a string, possibly cut
    r"|(AT_FDCWD|-?\d+)(?:<((?:[^>\\]|\\.)*)>(?:\(deleted\))?)?"  # a folder or a number
    r"|(\[|\{|\]|\}|[^,\s\[\]{}\"]+)"  # the start or end of a list, a word
)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))", re.S)
_LETTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "v": "\v",
    "f": "\f",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
}
_NO_FILE = ("O_PATH", "O_DIRECTORY", "O_TMPFILE")
_FORKS = frozenset(("clone", "clone3", "fork", "vfork"))
_MOST_WAITING = 10000
"""Events kept until the working folder of their process is known."""


class Event(NamedTuple):
    """Something that a process did. time: nanoseconds since the epoch. kind: one of the above.

    path: absolute; for MOVE and LINK where the file comes from, and ``target`` where it goes. argv:
    of EXEC. status: of EXIT, "exited" or "killed".
    """

    pid: int
    time: int
    kind: str
    path: str = ""
    target: str = ""
    argv: Tuple[str, ...] = ()
    status: str = ""


class Call(NamedTuple):
    """A line. name: of the call; words: its arguments; result: what it returned."""

    pid: int
    time: int
    name: str
    words: "Tuple[Word, ...]" = ()
    result: int = 0


class Word(NamedTuple):
    """An argument. text: of a string or a bare word; base: of a descriptor, its path or None."""

    kind: str
    text: str
    base: Optional[str] = None


def parse(line: str) -> Optional[Call]:
    """Read one line (Latin-1 text), None where it tells of no call that worked and no end."""
    match = _LINE.match(line)
    if match is None:
        return None
    pid, seconds, part, name, rest, result, ended = match.groups()
    when = int(seconds) * 1000000000 + int(part.ljust(9, "0")[:9])
    if ended is not None:
        done = ended in ("exited", "killed")
        return Call(int(pid), when, EXIT, (Word("word", ended),)) if done else None
    return Call(int(pid), when, name, tuple(_words(rest)), int(result))


def _words(text: str) -> Iterator[Word]:
    for match in _WORD.finditer(text):
        string, number, base, word = match.groups()
        if string is not None:
            yield Word("text", unescaped(string))
        elif number is not None:
            yield Word("fd", number, None if base is None else unescaped(base))
        else:
            yield Word("word", word)


def unescaped(text: str) -> str:
    """Return what strace quoted; bytes that are no UTF-8 as `os.fsdecode` has them."""
    if "\\" not in text:
        return text

    def plain(match: "re.Match[str]") -> str:
        octal, hexadecimal, letter = match.groups()
        if octal:
            return chr(int(octal, 8) & 255)
        return chr(int(hexadecimal, 16)) if hexadecimal else _LETTERS.get(letter, letter)

    return os.fsdecode(_ESCAPE.sub(plain, text).encode("latin-1", "replace"))


class Follower:
    """Turns lines into events, following the working folder of every process. cwd: at the start."""

    def __init__(self, cwd: str) -> None:
        self.first = 0
        self.ended = ""
        self._start = cwd
        self._cwd: Dict[int, str] = {}
        self._waiting: Dict[int, List[Call]] = {}
        self._count = 0

    def line(self, line: str) -> List[Event]:
        """Return what a line tells, together with what had to wait for it."""
        call = parse(line)
        if call is None:
            return []
        if not self.first:
            self.first = call.pid
            self._cwd[call.pid] = self._start
        found = self._learn(call)
        if call.name == EXIT:
            self._forget(call, found)
        elif call.pid in self._cwd or self._count >= _MOST_WAITING:
            found += _events(call, self._cwd.get(call.pid, self._start))
        else:
            self._waiting.setdefault(call.pid, []).append(call)
            self._count += 1
        self._move(call)
        return found

    def rest(self) -> List[Event]:
        """Return what still waits; its working folder is taken to be the first one."""
        return [event for pid in list(self._waiting) for event in self._release(pid, self._start)]

    def _learn(self, call: Call) -> List[Event]:
        """Take the working folder from a line that says it, or from the parent's."""
        if call.name in _FORKS:
            if call.result and call.result not in self._cwd and call.pid in self._cwd:
                return self._release(call.result, self._cwd[call.pid])
            return []
        here = [w.base for w in call.words if w.kind == "fd" and w.text == "AT_FDCWD" and w.base]
        return self._release(call.pid, str(here[0])) if here else []

    def _release(self, pid: int, cwd: str) -> List[Event]:
        self._cwd[pid] = cwd
        found: List[Event] = []
        for one in self._waiting.pop(pid, ()):
            self._count -= 1
            found += _events(one, self._cwd[pid])
            self._move(one)
            if one.name in _FORKS and one.result not in self._cwd:
                found += self._release(one.result, self._cwd[pid])
        return found

    def _move(self, call: Call) -> None:
        if call.pid not in self._cwd or not call.words:
            return
        word = call.words[0]
        if call.name == "chdir":
            self._cwd[call.pid] = _joined(self._cwd[call.pid], word.text)
        elif call.name == "fchdir" and word.base:
            self._cwd[call.pid] = word.base

    def _forget(self, call: Call, found: List[Event]) -> None:
        if call.pid in self._waiting:
            found += self._release(call.pid, self._start)
        self._cwd.pop(call.pid, None)
        status = call.words[0].text
        if call.pid == self.first:
            self.ended = status
        found.append(Event(call.pid, call.time, EXIT, status=status))


def _joined(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, path))


def _events(call: Call, cwd: str) -> List[Event]:
    """Return what one call means for files; nothing for a call of another kind or odd words."""
    paths = _paths(call.words, cwd)
    flags = [word.text for word in call.words if word.kind == "word"]
    name, kind = call.name, ""
    if not paths:
        return []
    if name in ("open", "openat", "openat2"):
        kind = _access("|".join(flags))
    elif name in ("creat", "truncate"):
        kind = WRITE
    elif name in ("unlink", "unlinkat"):
        kind = "" if any("AT_REMOVEDIR" in flag for flag in flags) else REMOVE
    elif name in ("symlink", "symlinkat"):
        paths, kind = paths[-1:], WRITE
    elif name in ("execve", "execveat"):
        argv = tuple(w.text for w in call.words[1:] if w.kind == "text")
        if name == "execveat":
            argv = argv[1:] if call.words[0].kind == "fd" else argv
        return [Event(call.pid, call.time, EXEC, paths[0], argv=argv)]
    elif len(paths) > 1 and name in ("rename", "renameat", "renameat2", "link", "linkat"):
        if "RENAME_EXCHANGE" in flags:
            return [Event(call.pid, call.time, UPDATE, path) for path in paths[:2]]
        kind = MOVE if name[0] == "r" else LINK
        return [Event(call.pid, call.time, kind, paths[0], paths[1])]
    return [Event(call.pid, call.time, kind, paths[0])] if kind else []


def _paths(words: Tuple[Word, ...], cwd: str) -> List[str]:
    """Return the paths among the arguments, each from the descriptor before it, else ``cwd``."""
    found: List[str] = []
    base = cwd
    for word in words:
        if word.kind == "fd":
            base = word.base or cwd
        elif word.kind == "text" and word.text:
            found.append(_joined(base, word.text))
            base = cwd
    return found


def _access(flags: str) -> str:
    """Return how a file was opened, "" where it is none."""
    if any(one in flags for one in _NO_FILE):
        return ""
    if "O_WRONLY" in flags or "O_TRUNC" in flags:
        return WRITE
    if "O_RDWR" in flags:
        return WRITE if "O_CREAT" in flags and "O_EXCL" in flags else UPDATE
    return READ
