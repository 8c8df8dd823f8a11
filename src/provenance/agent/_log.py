"""Reading the logs that the hook writes, while they are still being written.

A log is lines, then zeros to the end of the file: a memory-mapped file of fixed size. A line is a
letter, a blank, and

``H``  ``(process, parent, pid, ppid, number, time)``: begins each file. process: a name unique in
       the run; parent: of the process it was forked from, "" otherwise; number: of the file
``P``  facts about the interpreter, ``Y`` its sys.path since, ``E`` its last report
``R``  a path opened for reading, in UTF-8 (``r``: the same as bytes, for odd names)
``W``  opened for writing, ``U`` for both, ``Q`` as a data base
``D``  ``(folder, n)``: n reads in a folder that has given too many files to list them
``M``  ``(source, target)`` moved; ``L`` linked; ``X`` removed; ``T`` a whole folder removed
``I``  a module's name; ``S`` a call that seeded; ``A`` parsed parameters; ``C`` a command
``N``  ``(topic, {...})``: anything else that a watched library told, such as a model it built
``O``  the log stops here, because it is too long

All but ``H``, ``I``, ``R`` and ``O`` have a time (hexadecimal nanoseconds since the epoch) before
a Python literal. Nothing here is ever executed.
"""

from __future__ import annotations

import ast
import os
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Union

BLOCK = 1 << 18
LONGEST = 1 << 23
"""Bytes; a longer line is not of the hook and is skipped."""


class Line(NamedTuple):
    """One line. time: nanoseconds since the epoch, None where the line has none."""

    kind: str
    value: Any
    time: Optional[int] = None


class Log:
    """One log file. ``done``: whether nothing can follow what has been read.

    stop: asked before each block, whether the rest is to be left to a later call.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.done = False
        self.stop: Callable[[], bool] = never
        self._offset = 0

    def lines(self) -> Iterator[Line]:
        """Yield the lines that have been completed since the last call. Never raises."""
        for block in self._blocks():
            for raw in block:
                line = parse(raw)
                if line is not None:
                    yield line

    def pieces(self) -> Iterator[Union[Line, List[str]]]:
        """Yield the same, but paths of neighbouring ``R`` lines as one list. Never raises."""
        for block in self._blocks():
            paths: List[bytes] = []
            for raw in block:
                if raw[:2] == b"R ":
                    paths.append(raw[2:])
                    continue
                if paths:
                    yield os.fsdecode(b"\n".join(paths)).split("\n")
                    paths = []
                line = parse(raw)
                if line is not None:
                    yield line
            if paths:
                yield os.fsdecode(b"\n".join(paths)).split("\n")

    def _blocks(self) -> Iterator[List[bytes]]:
        size = BLOCK
        while not self.done and not self.stop():
            try:
                with open(self.path, "rb", buffering=0) as stream:
                    stream.seek(self._offset)
                    data = stream.read(size)
            except OSError:
                return
            end = data.find(b"\0")
            written = data if end < 0 else data[:end]
            last = written.rfind(b"\n") + 1
            self._offset += last
            if last:
                yield written[:last].split(b"\n")[:-1]
            elif end < 0 and len(data) == size and size < LONGEST:
                size *= 4
                continue
            if end >= 0 or len(data) < size:
                return
            size = BLOCK


def never() -> bool:
    """Return False: nothing is to stop."""
    return False


def parse(raw: bytes) -> Optional[Line]:
    """Return what a line says, None where it is none of the hook's (cut off, overwritten)."""
    kind, rest = raw[:1].decode("latin-1"), raw[2:]
    if raw[1:2] != b" ":
        return None
    if kind == "R":
        return Line(kind, os.fsdecode(rest))
    if kind in ("I", "O"):
        return Line(kind, rest.decode("utf-8", "replace").rpartition(" ")[2].strip("'"))
    try:
        if kind == "H":
            return Line(kind, ast.literal_eval(rest.decode("ascii")))
        time, _, literal = rest.partition(b" ")
        return Line(kind, ast.literal_eval(literal.decode("ascii")), int(time, 16))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def alive(pid: int) -> bool:
    """Return whether a process of this number exists (here, and now)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
