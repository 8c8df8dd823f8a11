"""The old side of a rehearsal as ``prov.lock`` carries it: two tapes and what they were fed.

Plain JSON: ``version`` (of the tapes), ``mode``, ``tapes`` (gzip in base64 of the first tape's
lines; the second as what differs from it) and ``feed`` (schemas can be read, so that whoever
publishes them sees what they tell; with kept values it is packed, too). With it a reader needs
neither the recorded environment nor, for "synthetic" and "full", the data.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
from typing import Any, NamedTuple

from provenance.compare import tape
from provenance.compare.tape import Tape
from provenance.core import canonical
from provenance.operations import _feeds
from provenance.operations._feeds import Feed

MOST_BYTES = 500_000
"""Of the tapes of one run in a lock: people read it and git keeps each version of it."""
_LONGEST = 256 << 20
"""Bytes that packed lines may unpack to."""


class Baked(NamedTuple):
    """What a lock carries of one run. digest: of all of it."""

    mode: str
    old: Tape
    again: Tape
    feed: Feed
    digest: str


def to_json(version: int, mode: str, old: str, again: str, feed: Feed) -> dict[str, Any]:
    """Return what a lock carries. old, again: the lines of the tapes, without secrets."""
    first = old.splitlines()
    tapes = {"old": _packed(old), "again": _packed(json.dumps(_delta(first, again.splitlines())))}
    fed: Any = list(feed.entries)
    if any("value" in one for one in feed.entries):
        fed = _packed(json.dumps(fed, separators=(",", ":")))
    return {"version": version, "mode": mode, "tapes": tapes, "feed": fed}


def size(carried: dict[str, Any]) -> int:
    """Return the bytes that the tapes take in the lock."""
    return sum(len(text) for text in carried["tapes"].values())


def of_json(carried: Any, version: int) -> Baked | None:
    """Return what a lock carries, None where it is not of this version or cannot be read."""
    if not isinstance(carried, dict) or carried.get("version") != version:
        return None
    try:
        old = _unpacked(carried["tapes"]["old"]).splitlines()
        again = _undone(old, json.loads(_unpacked(carried["tapes"]["again"])))
        digest = canonical.digest(carried)
        fed = carried.get("feed", [])
        feed = _feeds.of_json(json.loads(_unpacked(fed)) if isinstance(fed, str) else fed)
        return Baked(str(carried["mode"]), tape.read(old), tape.read(again), feed, digest)
    except (KeyError, TypeError, ValueError, OSError, EOFError, binascii.Error, IndexError):
        return None


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def _unpacked(text: str) -> str:
    with gzip.open(io.BytesIO(base64.b64decode(text, validate=True))) as stream:
        found = stream.read(_LONGEST + 1)
    if len(found) > _LONGEST:
        raise ValueError("a packed tape is too long")
    return found.decode("utf-8")


def _delta(old: list[str], new: list[str]) -> list[Any]:
    """Return ``new`` as lines and as ranges [first, count] of ``old``."""
    known = {line: number for number, line in enumerate(old)}
    found: list[Any] = []
    for line in new:
        place = known.get(line)
        last = found[-1] if found else None
        if place is None:
            found.append(line)
        elif isinstance(last, list) and old[last[0] + last[1] : last[0] + last[1] + 1] == [line]:
            last[1] += 1
        else:
            found.append([place, 1])
    return found


def _undone(old: list[str], delta: list[Any]) -> list[str]:
    found: list[str] = []
    for one in delta:
        if isinstance(one, str):
            found.append(one)
            continue
        first, count = one
        if not 0 <= first <= first + count <= len(old):
            raise ValueError("a tape refers to lines that are not there")
        found += old[first : first + count]
        if len(found) > 10_000_000:
            raise ValueError("a packed tape is too long")
    return found


def text(carried: dict[str, Any]) -> str:
    """Return all that a lock carries of one run as text, "" where it cannot be unpacked."""
    try:
        tapes = [_unpacked(one) for one in carried["tapes"].values()]
        fed = carried.get("feed", [])
        return "\n".join([*tapes, _unpacked(fed) if isinstance(fed, str) else json.dumps(fed)])
    except (KeyError, TypeError, ValueError, OSError, EOFError, binascii.Error, AttributeError):
        return ""
