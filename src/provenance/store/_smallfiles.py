"""Digests of many small files: read in one piece each, by this process and by others beside it.

What a small file costs is calls of the system and the interpreter's steps between them, and those
one interpreter takes on one core. So where there are many files and several cores, processes are
given batches of files through pipes. They answer with digests of what is known by the identity they
were told, and with nothing for all else; whoever asked looks at that again.

A request: four bytes of length, two of the number of files, their identities, their paths with NUL
between. The answer: per file the digest, or as many zero bytes. It ends when its stdin does.
"""

from __future__ import annotations

import hashlib
import os
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from provenance.core.digest import BLAKE3
from provenance.store._digesttable import IDENTITY, identity_bytes

BATCH = 128
"""Files in a request at most, so that an answer is written into a pipe in one piece."""

_ASKED = 2
"""Requests that a process has before it at most: one that it works on, and the next."""

_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_PATIENCE_S = 0.2
_CODE = "import sys; sys.path[:0] = sys.argv[2:]; from provenance.store import _smallfiles; "
_CODE += "_smallfiles.main(sys.argv[1])"

Constructor = Callable[[bytes], Any]


class Request(NamedTuple):
    """Files to digest. identities: what each is known by, as it was listed."""

    paths: Sequence[str]
    identities: Sequence[bytes]


def constructor(algorithm: str) -> Constructor:
    """Return what makes a hash of bytes. Raises ValueError for what this interpreter lacks."""
    if algorithm != BLAKE3:
        return lambda data: hashlib.new(algorithm, data)
    try:
        from blake3 import blake3
    except ImportError as error:
        raise ValueError("blake3 is not installed here") from error
    made: Constructor = blake3
    return made


def read(request: Request, hashed: Constructor) -> list[bytes]:
    """Return the digests of the files of ``request``; empty for each that is not what it was.

    Looked at after it was read: a file that changes meanwhile gets no digest. Never raises OSError.
    """
    found = []
    for path, identity in zip(request.paths, request.identities, strict=True):
        size = int.from_bytes(identity[16:24], "little")
        try:
            descriptor = os.open(path, _READING)
        except OSError:
            found.append(b"")
            continue
        try:
            data = os.read(descriptor, size + 1)
            sound = len(data) == size and identity_bytes(os.fstat(descriptor)) == identity
        except OSError:
            sound = False
        finally:
            os.close(descriptor)
        found.append(hashed(data).digest() if sound else b"")
    return found


class Helpers:
    """Processes that read. Without any where they cannot be started: then `free` is never true."""

    def __init__(self, algorithm: str, many: int) -> None:
        self._length = constructor(algorithm)(b"").digest_size
        self._all: list[_Helper] = []
        try:
            for _ in range(many):
                self._all.append(_Helper(algorithm))
        except (OSError, ValueError):
            pass

    def free(self) -> bool:
        """Return whether one can take a request, once answers that are there have been taken."""
        for one in self._all:
            if one.asked and select.select([one.source], [], [], 0)[0]:
                self._receive(one)
        return any(len(one.asked) < _ASKED and not one.failed for one in self._all)

    def give(self, request: Request) -> Coming:
        """Let one that is free work on ``request``."""
        ready = [one for one in self._all if not one.failed]
        best = min(ready, key=lambda one: len(one.asked))
        coming = Coming(request, self, best)
        best.ask(coming)
        return coming

    def wait(self, one: _Helper) -> None:
        """Take the next answer of ``one``, if it comes before long."""
        if select.select([one.source], [], [], _PATIENCE_S)[0]:
            self._receive(one)

    def close(self) -> None:
        """End them all."""
        for one in self._all:
            one.end()

    def _receive(self, one: _Helper) -> None:
        request = one.asked[0].request
        wanted, data = len(request.paths) * self._length, b""
        while len(data) < wanted:
            part = os.read(one.source, wanted - len(data))
            if not part:
                one.fail()
                return
            data += part
        none = bytes(self._length)
        values = [data[at : at + self._length] for at in range(0, wanted, self._length)]
        one.asked.popleft().found = [b"" if value == none else value for value in values]


class Coming:
    """The answer to a request. found: None until it is there."""

    def __init__(self, request: Request, helpers: Helpers, helper: _Helper) -> None:
        self.request = request
        self.found: list[bytes] | None = None
        self._helpers, self._helper = helpers, helper

    def ready(self) -> bool:
        """Return whether the answer is there; waits for it a little."""
        if self.found is None:
            self._helpers.wait(self._helper)
        return self.found is not None


class _Helper:
    def __init__(self, algorithm: str) -> None:
        here = __file__
        for _ in range(3):
            here = os.path.dirname(here)
        beside = [here]
        if algorithm == BLAKE3:
            import blake3

            beside.append(os.path.dirname(os.path.dirname(blake3.__file__)))
        self.asked: deque[Coming] = deque()
        self.failed = False
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, algorithm, *beside],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self.source = self._stdout.fileno()

    def ask(self, coming: Coming) -> None:
        """Send a request. The pipes hold all that is asked and answered at once, or it waits."""
        request = coming.request
        names = os.fsencode("\0".join(request.paths))
        body = b"".join((len(request.paths).to_bytes(2, "little"), *request.identities, names))
        self.asked.append(coming)
        view = memoryview(len(body).to_bytes(4, "little") + body)
        try:
            while view:
                view = view[os.write(self._stdin.fileno(), view) :]
        except OSError:
            self.fail()

    def fail(self) -> None:
        """Give up on it: what it was asked for, nobody has read."""
        self.failed = True
        while self.asked:
            one = self.asked.popleft()
            one.found = [b""] * len(one.request.paths)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()


def main(algorithm: str) -> None:
    """Answer requests on stdin with digests of that algorithm on stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with whoever started it
    hashed = constructor(algorithm)
    none = bytes(hashed(b"").digest_size)
    with open(0, "rb") as stream:
        while len(head := stream.read(4)) == 4:
            body = stream.read(int.from_bytes(head, "little"))
            many = int.from_bytes(body[:2], "little")
            names = 2 + many * IDENTITY
            identities = [body[at : at + IDENTITY] for at in range(2, names, IDENTITY)]
            paths = os.fsdecode(body[names:]).split("\0")
            found = read(Request(paths, identities), hashed)
            view = memoryview(b"".join([value or none for value in found]))
            while view:
                view = view[os.write(1, view) :]
