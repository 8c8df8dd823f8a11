"""``prov.lock``: the records that a repository publishes as its reference, in one JSON file.

Schema ``prov/lock/1``: ``runs`` (records without absolute folders or process), ``knowledge`` (the
entries that concern those runs), ``blobs`` (per run id, the uncommitted code by file name: text as
it is, anything else as ``{"base64": ...}``), ``interfaces`` (per run id, the signatures of what its
source calls, as `core.interfaces` reads them), ``surroundings`` (which cards and settings concern
those runs), ``stated`` (what environment files say, where the lock was made from those: per file
``source``, ``format``, ``complete`` and ``facts``, the members of `specs.model.Fact` that say
something), ``requirements`` (the hash-locked releases of those runs, per environment:
`operations.hashes`), ``wheels`` (per run id and distribution, what no index has, repacked:
`operations.wheels`), ``claims`` (of the paper, as they stood: `operations._claims_locked`), sealed
like a record. ``checks`` is what the drop-in test compares, judged
beforehand by `operations._baked_checks`; nothing else reads it, and `docs/record-format.md`
describes it.
"""

from __future__ import annotations

import base64
import os
from typing import Any, NamedTuple

from provenance.core import canonical, codec, record
from provenance.core.record import Record
from provenance.errors import BadRecord
from provenance.store import files, records

FILE = "prov.lock"
SCHEMA = "prov/lock/1"


class Lock(NamedTuple):
    """A published reference. blobs: JSON form by name per run id. knowledge: plain JSON."""

    runs: tuple[Record, ...]
    knowledge: tuple[dict[str, Any], ...] = ()
    blobs: dict[str, dict[str, Any]] = {}
    tool: str = ""
    interfaces: dict[str, dict[str, Any]] = {}
    surroundings: tuple[dict[str, Any], ...] = ()
    calls: dict[str, dict[str, Any]] = {}
    stated: tuple[dict[str, Any], ...] = ()
    checks: dict[str, Any] = {}
    requirements: tuple[dict[str, Any], ...] = ()
    wheels: dict[str, dict[str, Any]] = {}
    claims: tuple[dict[str, Any], ...] = ()


def write(path: str, lock: Lock) -> None:
    """Write ``lock`` to ``path``, whole or not at all. Raises `SystemRefused`."""
    members: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": lock.tool,
        "runs": [record.to_json(run) for run in lock.runs],
        "knowledge": list(lock.knowledge),
        "blobs": lock.blobs,
        "interfaces": lock.interfaces,
        "surroundings": list(lock.surroundings),
    }
    if lock.calls:
        members["calls"] = lock.calls
    if lock.stated:
        members["stated"] = list(lock.stated)
    if lock.checks:
        members["checks"] = lock.checks
    if lock.requirements:
        members["requirements"] = list(lock.requirements)
    if lock.wheels:
        members["wheels"] = lock.wheels
    if lock.claims:
        members["claims"] = list(lock.claims)
    document = canonical.seal(canonical.plain(members))
    files.write_atomic(path, canonical.dumps(document).encode("utf-8"))


def read(path: str) -> Lock:
    """Return the lock at ``path``. Raises `BadRecord` with what is wrong and where."""
    document = records.read_json(path)
    schema = document.get("schema")
    if schema != SCHEMA:
        hint = "write it anew with: prov lock RUN"
        raise BadRecord(
            "%s is not a lock that this prov can read (schema %r)." % (path, schema), hint
        )
    if not canonical.seal_holds(document):
        hint = "take it from version control again, or write it anew with: prov lock RUN"
        raise BadRecord("%s was changed by hand: its seal does not hold." % path, hint)
    try:
        runs = tuple(record.from_json(run) for run in document["runs"])
        return Lock(
            runs,
            tuple(document.get("knowledge", ())),
            dict(document.get("blobs", {})),
            str(document.get("tool", "")),
            dict(document.get("interfaces", {})),
            tuple(document.get("surroundings", ())),
            dict(document.get("calls", {})),
            tuple(document.get("stated", ())),
            dict(document.get("checks", {})),
            tuple(document.get("requirements", ())),
            dict(document.get("wheels", {})),
            tuple(document.get("claims", ())),
        )
    except (codec.ShapeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRecord("%s does not hold readable records: %s." % (path, error)) from error


def is_lock(path: str) -> bool:
    """Return whether the file at ``path`` is a lock of ours, or means to be one, by its name."""
    if os.path.basename(path) == FILE:
        return True
    try:
        with open(path, "rb") as stream:
            head = stream.read(1 << 20)
    except OSError:
        return False
    return head.lstrip()[:1] == b"{" and b'"prov/lock/' in head


def above(cwd: str, root: str) -> str | None:
    """Return the nearest ``prov.lock`` from ``cwd`` up to ``root``, None where there is none."""
    folder = cwd
    while True:
        path = os.path.join(folder, FILE)
        if os.path.isfile(path):
            return path
        if folder == root or os.path.dirname(folder) == folder:
            return None
        folder = os.path.dirname(folder)


def blob_to_json(content: bytes) -> Any:
    """Return ``content`` as a lock holds it: readable where it is text."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode("ascii")}


def blob_from_json(value: Any) -> bytes | None:
    """Return the content that ``value`` stands for, None where it is no blob."""
    if isinstance(value, str):
        return value.encode("utf-8")
    try:
        return base64.b64decode(value["base64"], validate=True)
    except (KeyError, TypeError, ValueError):
        return None
