"""What runs in the process apart: limits first, then questions are answered until they end."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

from provenance.readers.apart import HEAD
from provenance.readers.model import Unreadable

MOST_MEMORY = 2 << 30
"""Bytes that the process may ask for; real files take some hundred megabytes at most."""

MOST_SECONDS = 3600
"""Of processor time, after which the system ends a process that nobody waits for any more."""

Answer = Callable[[dict[str, Any]], tuple[Any, Any]]


def limit() -> int:
    """Limit this process, and return where its answers go: what libraries print goes nowhere."""
    out = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    for what, most in (
        (resource.RLIMIT_DATA, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):
            pass
    return out


def serve(library: str, start: Callable[[int], Answer]) -> None:
    """Answer questions about the open file whose number stands on the command line."""
    out = limit()
    answer: Answer | None = None
    for line in sys.stdin.buffer:
        failed, data = 0, b""
        said: Any
        try:
            if answer is None:
                answer = start(int(sys.argv[1]))
            said, data = answer(json.loads(line))
        except Unreadable as reason:
            failed, said = 1, str(reason)
        except MemoryError:
            failed, said = 1, "is not readable as %s: it asks for too much memory" % library
        except Exception as error:  # noqa: BLE001 - whatever a library thinks of a foreign file
            text = str(error).split("\n", 1)[0][:200]
            failed, said = 1, "is not readable as %s: %s" % (library, text)
        _put(out, failed, json.dumps(said).encode(), data)


def _put(out: int, failed: int, text: bytes, data: Any) -> None:
    view = memoryview(data).cast("B") if len(data) else memoryview(b"")
    for part in (memoryview(HEAD.pack(failed, len(text), len(view)) + text), view):
        done = 0
        while done < len(part):
            done += os.write(out, part[done:])
