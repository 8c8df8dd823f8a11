"""The form of a shared record: a git commit whose tree is the record's folder.

The message of the commit holds a summary as one line of JSON, so that a list of hundreds of runs
needs the commits alone. Commits are the same to the byte for the same record and author, whoever
makes them and how often. What comes from a remote is judged before a byte of it is written.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from provenance.core import canonical, record, runid
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.errors import BadRecord
from provenance.facets import _pending
from provenance.store import records

SCHEMA = "prov/shared/1"
LEFT_OUT = "left-out.json"
"""A file of the tree that says which files of the folder were left out, and why."""
MOST_LOG = 256 << 10
"""Bytes up to which a log or a series goes along: they are read by people, code by programs."""
MOST_FILE, MOST_RECORD, MOST_RUN, MOST_FILES = 8 << 20, 64 << 20, 96 << 20, 64
"""Bytes of one file, of record.json and of a whole run that are sent and taken; files of a run."""
MOST_MESSAGE = 64 << 10
"""Bytes of a commit that a listing reads."""
_METRICS, _COMMAND = 12, 400
_CODE = re.compile(r"(\.patch|\.tar\.gz)$")
_PLAIN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$", re.ASCII)
_IDENTITY = re.compile(rb"^author (.*) <([^<>\n]*)> (\d+) [+-]\d{4}$", re.MULTILINE)


class Commit(NamedTuple):
    """A shared record as its commit tells of it: claims of whoever wrote it.

    tree: its name. summary: see `summary`. author, email: who shared it. when: seconds since the
    epoch.
    """

    tree: str
    summary: dict[str, Any]
    author: str
    email: str
    when: int


class Packed(NamedTuple):
    """A record ready to be sent: its files by name, its summary, and the time of its commit."""

    id: str
    files: dict[str, bytes]
    summary: dict[str, Any]
    when: int


def pack(stored: records.Stored, redact: Redactor, clean: set[str]) -> Packed:
    """Return ``stored`` as it is to be sent. Raises `BadRecord` where it seems to hold a secret.

    Records are redacted when they are made. What today's rules still find is not sent: a record is
    sealed and stays at home, a file beside it is left out. clean: texts that are known to hold no
    secret; the records of a sweep have most in common.
    """
    run, folder = stored.record, stored.folder
    whole = _read(os.path.join(folder, records.FILE), MOST_RECORD)
    place = _secret(json.loads(whole), redact, clean)
    if place is not None:
        raise BadRecord(
            "run %s is not shared: %s in its record looks like a secret." % (run.id, place),
            "run it again without the secret on its command line or in its settings",
        )
    found, left = {records.FILE: whole}, []
    with os.scandir(folder) as entries:
        names = sorted(one.name for one in entries if one.is_file(follow_symlinks=False))
    for name in names:
        if name in found or name.endswith(".tmp") or not _PLAIN.match(name):
            continue
        content, why = _beside(os.path.join(folder, name), redact)
        if content is None:
            size = os.path.getsize(os.path.join(folder, name))
            left.append({"file": name, "size": size, "why": why})
        else:
            found[name] = content
    if left:
        found[LEFT_OUT] = canonical.dumps({"schema": SCHEMA, "files": left}).encode("utf-8")
    return Packed(run.id, found, summary(run, whole, left), _moment(run))


def _beside(path: str, redact: Redactor) -> tuple[bytes | None, str]:
    """Return the content of a file beside the record; None and why where it is left out."""
    is_code = _CODE.search(path) is not None
    most = MOST_FILE if is_code else MOST_LOG
    if os.path.getsize(path) > most:
        return None, "larger than %d KiB" % (most >> 10)
    content = _read(path, most)
    if not path.endswith(".gz") and redact.data(content) != content:
        return None, "it looks as if it holds a secret"
    return content, ""


def _read(path: str, most: int) -> bytes:
    with open(path, "rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise BadRecord("%s is larger than %d MiB and is not shared." % (path, most >> 20))
    return content


def _secret(value: Any, redact: Redactor, clean: set[str], place: str = "") -> str | None:
    """Return where in plain JSON today's rules find a secret."""
    if isinstance(value, str):
        if value not in clean:
            if redact.text(value) != value:
                return place or "the record"
            clean.add(value)
        return None
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, item in pairs:
        found = _secret(item, redact, clean, "%s.%s" % (place, key) if place else str(key))
        if found is not None:
            return found
    return None


def summary(run: Record, whole: bytes, left: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a listing shows of ``run``, whose record.json is ``whole``.

    ``record`` is the SHA-256 of that file; ``pending`` counts digests that are still to be taken.
    """
    told = _first(run, "metrics")
    final = told.get("final") or {}
    names = sorted(final, key=lambda name: _weight(name, told))[:_METRICS]
    command = list(run.command)
    while len(command) > 1 and sum(map(len, command)) > _COMMAND:
        command = [*command[:-2], "..."] if command[-1] == "..." else [*command[:-1], "..."]
    return {
        "schema": SCHEMA,
        "id": run.id,
        "name": run.name,
        "tags": list(run.tags)[:20],
        "status": run.status,
        "exit_code": run.exit_code,
        "command": [word[:_COMMAND] for word in command],
        "started": run.started,
        "duration_s": run.duration_s,
        "replay_of": run.replay_of,
        "machine": run.process.host if run.process is not None else None,
        "commit": _first(run, "code").get("commit"),
        "metrics": {name: final[name] for name in names},
        "metrics_count": len(final),
        "record": hashlib.sha256(whole).hexdigest(),
        "pending": _pending_count(run),
        "left_out": [one["file"] for one in left],
    }


def _first(run: Record, facet: str) -> dict[str, Any]:
    subjects = run.payloads(facet)
    return subjects[0].payload if subjects else {}


def _weight(name: str, told: Mapping[str, Any]) -> tuple[int, str]:
    """Sort what was measured on test data first, then validation, then what has no split."""
    splits = told.get("splits") or {}
    order = {"test": 0, "validation": 1, None: 2, "train": 3}
    return order.get(splits.get(name), 2), name


def _pending_count(run: Record) -> int:
    answers = (run.facets.get(name) for name in ("data", "outputs"))
    captured = (one for one in answers if one is not None and one.status == record.CAPTURED)
    return sum(len(_pending.pending(one)) for one in captured)


def rank(told: Mapping[str, Any]) -> tuple[bool, int]:
    """Return how complete a version of a record is: a closed one is, the fewer digests lack."""
    pending = told.get("pending")
    return told.get("status") != record.RUNNING, -pending if isinstance(pending, int) else 0


def _moment(run: Record) -> int:
    """Return when the run ended (or began), in seconds since the epoch: the time of its commit."""
    text = (run.ended or run.started)[:19]
    try:
        return max(0, calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0


def stream(packed: Packed, ref: str, author: str, parent: str | None) -> Iterator[bytes]:
    """Yield what ``git fast-import`` makes ``packed`` a commit on ``ref`` from.

    author: "Name <address>". parent: the commit that it comes after.
    """
    title = "run %s" % runid.short(packed.id)
    if packed.summary["name"]:
        title += ' "%s"' % " ".join(str(packed.summary["name"]).split())
    told = json.dumps(canonical.plain(packed.summary), sort_keys=True, separators=(",", ":"))
    who = ("%s %d +0000" % (author, packed.when)).encode("utf-8", "surrogateescape")
    yield b"commit %s\nauthor %s\ncommitter %s\n" % (ref.encode(), who, who)
    yield _data(("%s\n\n%s\n" % (title, told)).encode("utf-8", "replace"))
    if parent is not None:
        yield b"from %s\ndeleteall\n" % parent.encode("ascii")
    for name, content in sorted(packed.files.items()):
        yield b"M 100644 inline %s\n" % name.encode("ascii")
        yield _data(content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def read_commit(run_id: str, content: bytes) -> Commit | None:
    """Return what the commit of run ``run_id`` says, None where it is no shared record."""
    head, _, message = content.partition(b"\n\n")
    found = _IDENTITY.search(head)
    if not head.startswith(b"tree ") or found is None:
        return None
    try:
        told = json.loads(message.strip().rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA or told.get("id") != run_id:
        return None
    if not isinstance(told.get("status"), str) or not isinstance(told.get("started"), str):
        return None
    who, address = (printable(part.decode("utf-8", "replace")) for part in found.groups()[:2])
    tree = head[5:].partition(b"\n")[0].decode("ascii", "replace")
    return Commit(tree, told, who, address, int(found.group(3)))


def printable(text: str) -> str:
    """Return ``text`` without what would act on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def read_tree(content: bytes, width: int) -> dict[str, str]:
    """Return the objects of a tree's files by name; ``width``: bytes of an object's name.

    Raises ValueError where it holds anything but a few plain files with plain names.
    """
    found: dict[str, str] = {}
    place = 0
    while place < len(content):
        end = content.index(b"\0", place)
        mode, _, raw = content[place:end].partition(b" ")
        name = raw.decode("utf-8", "replace")
        if not stat.S_ISREG(int(mode, 8)):
            raise ValueError("%.100r in it is no plain file" % name)
        if not _PLAIN.match(name):
            raise ValueError("%.100r in it is no name of a file of a record" % name)
        found[name] = content[end + 1 : end + 1 + width].hex()
        place = end + 1 + width
    if len(found) > MOST_FILES:
        raise ValueError("it has %d files, more than %d" % (len(found), MOST_FILES))
    if records.FILE not in found:
        raise ValueError("it has no %s" % records.FILE)
    return found


def check_sizes(named: Mapping[str, str], sizes: Mapping[str, tuple[str, int]]) -> None:
    """Raise ValueError where a file of a record is missing or too large to be taken."""
    total = 0
    for name, oid in named.items():
        kind, size = sizes.get(oid, ("", 0))
        most = MOST_RECORD if name == records.FILE else MOST_FILE
        if kind != "blob" or size > most:
            raise ValueError("%s in it is larger than %d MiB" % (name, most >> 20))
        total += size
    if total > MOST_RUN:
        raise ValueError("it is larger than %d MiB" % (MOST_RUN >> 20))
