"""What a rehearsal is fed where the run's data is not to be read: schemas, or kept values.

A feed is what `agent/rehearsal/_prov_sources.py` noted of the operations that read data, each with
its place in the source: plain JSON, never executed. It comes from a sandbox or a lock, so each
entry is taken only in the form that it must have.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import os
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from provenance.core.paths import PathRef, Roots
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.operations import _taped, inputs, settle
from provenance.store import files
from provenance.store.project import Project

Entry = dict[str, Any]

MOST_FEEDS = 500
"""Feeds that are kept; the oldest go first. What the data was like cannot be found out again."""
MOST_DATA = 20000
"""Data files that a rehearsal is told of."""
_MARK = '{"source":'
_LONGEST = 64 << 20
_ENDING = ".feed.gz"


class Feed(NamedTuple):
    """What is fed. entries: by place in the source and number of the execution."""

    entries: tuple[Entry, ...] = ()

    @property
    def has_values(self) -> bool:
        """Whether there are kept values, not schemas alone."""
        return not self.entries or any("value" in one for one in self.entries)

    def schemas(self) -> Feed:
        """Return the feed without kept values."""
        kept = ("at", "nth", "item", "turns", "schema")
        return Feed(tuple({n: e[n] for n in kept if n in e} for e in self.entries))


def taken(text: str, redact: Redactor) -> Feed:
    """Return the feed that the tape ``text`` holds, secrets replaced."""
    sites: dict[int, Entry] = {}
    found = []
    for line in text.splitlines():
        if not line.startswith(('{"site":', _MARK)):
            continue
        try:
            value = json.loads(line)
            if "site" in value:
                sites[value["site"]] = value
                continue
            number, nth = value.pop("source")
            at = [sites[number][name] for name in ("path", "line", "column", "kind", "text")]
        except (ValueError, KeyError, TypeError):
            continue
        found.append(dict(cleaned(value, redact), at=at, nth=nth))
    return of_json(found)


def without(text: str) -> str:
    """Return the tape ``text`` without what it holds of a feed."""
    return "".join(line for line in text.splitlines(True) if not line.startswith(_MARK))


def read_past(text: str) -> str:
    """Return where a fed rehearsal read data all the same, "" where it did not."""
    for entry in taken(text, Redactor()).entries:
        if "schema" in entry and entry["schema"].get("k") not in ("handle", "plain", "names"):
            return "%s:%d" % (entry["at"][0], entry["at"][1])
    return ""


def of_json(value: Any) -> Feed:
    """Return the feed that plain JSON holds; what has not its form is left out."""
    return Feed(tuple(one for one in value if _is_entry(one)) if isinstance(value, list) else ())


def _is_entry(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("nth"), int):
        return False
    at = one.get("at")
    if not isinstance(at, list) or [type(part) for part in at] != [str, int, int, str, str]:
        return False
    return isinstance(one.get("schema"), dict) or isinstance(one.get("turns"), int)


def cleaned(value: Any, redact: Redactor, name: str = "") -> Any:
    """Return part of a feed with the secrets in its texts replaced. name: of what it belongs to."""
    if isinstance(value, str):
        return redact.value(name, value)
    if isinstance(value, list):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict):
            return [redact.text(value[0]), cleaned(value[1], redact, value[0])]
        return [cleaned(one, redact, name) for one in value]
    if not isinstance(value, dict):
        return value
    own = str(value["name"]) if isinstance(value.get("name"), str) else name
    made = {n: v if n in ("k", "z", "dtype") else cleaned(v, redact, own) for n, v in value.items()}
    if "z" in value and _is_secret(value, redact):
        made["z"] = base64.b64encode(zlib.compress(b"")).decode("ascii")
        made = {"k": "bytes", "z": made["z"]}
    return made


def _is_secret(value: Entry, redact: Redactor) -> bool:
    if value.get("k") != "bytes" and value.get("dtype") not in ("|u1", "|i1"):
        return False
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(value["z"]), _LONGEST)
    except (binascii.Error, zlib.error, TypeError, ValueError):
        return True
    return redact.holds_secret(data)


def load(folder: str, name: str) -> Feed | None:
    """Return the feed kept in ``folder`` under ``name``, None where there is none."""
    try:
        with gzip.open(os.path.join(folder, name + _ENDING), "rt", encoding="utf-8") as stream:
            return of_json(json.load(stream))
    except (OSError, EOFError, ValueError):
        return None


def keep(folder: str, name: str, feed: Feed) -> None:
    """Keep ``feed``, which holds no secrets any more, in ``folder`` under ``name``."""
    text = json.dumps(list(feed.entries), separators=(",", ":"))
    try:
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name + _ENDING)
        files.write_atomic(path, gzip.compress(text.encode(), 5, mtime=0))
        _taped.sweep(folder, _ENDING, MOST_FEEDS)
    except OSError:
        return  # it is made again when it is needed


def missing(record: Record, place: Project) -> tuple[str, ...]:
    """Return the names of the data files that the run read and that are not at their places."""
    roots = settle.recorded_roots(place, record)
    return tuple(name for name, path in _located(record, roots) if not os.path.exists(path))


def _located(record: Record, roots: Roots) -> Iterable[tuple[str, str]]:
    for entry in list(inputs.entries(record, "data"))[:MOST_DATA]:
        try:
            name = PathRef.from_json(entry["path"])
            path = roots.locate(name)
        except (KeyError, TypeError, ValueError):
            continue
        if path is not None:
            yield str(name), path
