"""Tapes of rehearsals, kept in ``.prov/tapes`` under what they depend on."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import os
from typing import Any

from provenance.compare import tape
from provenance.compare.tape import Tape
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.operations import settle
from provenance.store import files
from provenance.store.project import Project

FOLDER = "tapes"
MOST_TAPES = 60
"""Tapes that are kept; the oldest go first."""
_ENDING = ".tape.gz"


def key(facts: Any) -> str:
    """Return the name under which a tape is kept that depends on ``facts`` (plain JSON) alone."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def facts(record: Record) -> Any:
    """Return what of a record decides what its rehearsal does."""
    packages = {
        name: one.get("version")
        for subject in record.payloads("packages")
        for name, one in subject.payload.get("distributions", {}).items()
        if one.get("imported")
    }
    code = [
        [s.payload.get(name) for name in ("commit", "patch", "tree", "untracked", "used")]
        for s in record.payloads("code")
    ]
    runtime = [subject.payload.get("version") for subject in record.payloads("runtime")]
    return [record.command, str(record.cwd), packages, code, runtime]


def stamps(record: Record, place: Project) -> list[Any]:
    """Return size and time of the data that the run read, as it is now."""
    roots = settle.recorded_roots(place, record)
    found: list[Any] = []
    for subject in record.payloads("data"):
        for entry in subject.payload.get("files", [])[:1000]:
            try:
                path = roots.locate(PathRef.from_json(entry["path"]))
                status = os.stat(path or "")
            except (OSError, KeyError, TypeError, ValueError):
                continue
            found.append([str(entry["path"]), status.st_size, status.st_mtime_ns])
    return found


@functools.lru_cache(maxsize=4)
def agent(folder: str) -> str:
    """Return a digest of the modules below ``folder``: others write other tapes."""
    found = hashlib.sha256()
    names = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    for path in sorted(name for name in names if name.endswith(".py")):
        with open(path, "rb") as stream:
            found.update(stream.read())
    return found.hexdigest()[:16]


def path(folder: str, name: str) -> str:
    """Return where the tape ``name`` is kept in ``folder``."""
    return os.path.join(folder, name + _ENDING)


def load(folder: str, name: str) -> Tape | None:
    """Return the tape kept in ``folder`` under ``name``, None where there is none."""
    try:
        with gzip.open(path(folder, name), "rt", encoding="utf-8") as stream:
            return tape.read(stream)
    except (OSError, EOFError, ValueError):
        return None


def text(folder: str, name: str) -> str | None:
    """Return the lines of the tape kept in ``folder`` under ``name``, None where there is none."""
    try:
        with gzip.open(path(folder, name), "rt", encoding="utf-8") as stream:
            return stream.read()
    except (OSError, EOFError, ValueError):
        return None


def keep(folder: str, name: str, text: str, redact: Redactor) -> None:
    """Keep the tape ``text`` in ``folder`` under ``name``, secrets replaced."""
    os.makedirs(folder, exist_ok=True)
    packed = gzip.compress(clean(text, redact).encode(), 5, mtime=0)
    try:
        files.write_atomic(path(folder, name), packed)
        sweep(folder, _ENDING, MOST_TAPES)
    except OSError:
        return  # the next one rehearses again


def clean(text: str, redact: Redactor) -> str:
    """Return ``text`` with the secrets in it replaced, line by line."""
    return "\n".join(redact.text(line) for line in text.splitlines()) + "\n"


def sweep(folder: str, ending: str, most: int) -> None:
    """Remove the oldest files of this ending from ``folder``, so that ``most`` are left."""
    paths = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(ending)]
    if len(paths) <= most:
        return
    for path in sorted(paths, key=os.path.getmtime)[: len(paths) - most]:
        os.unlink(path)
