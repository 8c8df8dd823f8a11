"""The lock that the drop-in test reads: found, opened, and asked what it says."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from provenance.core import canonical
from provenance.core.uses import Use
from provenance.knowledge.entry import Condition, Entry

LOCK_FILE = "prov.lock"
LOCK_SCHEMA = "prov/lock/1"


class LockError(Exception):
    """There is no lock, or it cannot be read; the text is one clear sentence."""


class Lock(NamedTuple):
    """What a lock says, and where it lies.

    runs: records as plain JSON. known: entries on behaviour changes. uses: of libraries, by the
    source of the runs. signatures: of what they call, by symbol; None where the lock has none, for
    the reason that ``unsigned`` gives. surroundings: which cards and settings concern the runs.
    """

    path: str
    runs: Tuple[Dict[str, Any], ...]
    known: Tuple[Entry, ...] = ()
    uses: Tuple[Use, ...] = ()
    signatures: Optional[Dict[str, Any]] = None
    unsigned: str = ""
    surroundings: Tuple[Dict[str, Any], ...] = ()


def find_lock(folder: str, environ: Mapping[str, str]) -> str:
    """Return the path of the lock for a test in ``folder``. Raises `LockError`."""
    named = environ.get("PROV_LOCK")
    if named:
        return named
    start = folder
    while True:
        path = os.path.join(folder, LOCK_FILE)
        if os.path.isfile(path):
            return path
        if os.path.dirname(folder) == folder:
            raise LockError(
                "There is no %s in %s or above it: nothing to compare with. Write one with: "
                "prov lock RUN" % (LOCK_FILE, start)
            )
        folder = os.path.dirname(folder)


def read_lock(path: str) -> Lock:
    """Return the lock at ``path``. Raises `LockError` with what is wrong."""
    try:
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
    except OSError as error:
        raise LockError("%s cannot be read: %s." % (path, error.strerror or error)) from None
    except (ValueError, RecursionError):
        raise LockError("%s is not JSON: damaged, or a merge was left half done." % path) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != LOCK_SCHEMA:
        raise LockError(
            "%s is not a lock that this test can read (schema %r, not %r): renew the test with "
            "prov init --test." % (path, schema, LOCK_SCHEMA)
        )
    if not canonical.seal_holds(document):
        raise LockError("%s was changed by hand: its seal does not hold." % path)
    try:
        runs = tuple(dict(run) for run in document["runs"])
        known = tuple(_known(one) for one in document.get("knowledge", ()))
        signatures, unsigned = _signatures(document.get("interfaces") or {})
        around = tuple(dict(one) for one in document.get("surroundings", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise LockError("%s does not hold readable records: %s." % (path, error)) from None
    return Lock(os.path.abspath(path), runs, known, _uses(runs), signatures, unsigned, around)


def _known(value: Dict[str, Any]) -> Entry:
    """Return the entry that ``prov lock`` wrote, which was checked when it was read there."""
    plain: Dict[str, Any] = {
        name: tuple(item) if isinstance(item, list) else item
        for name, item in value.items()
        if name in Entry._fields
    }
    plain["when"] = tuple(
        Condition(
            one["parameter"],
            one.get("is") or one["test"],
            one.get("position"),
            tuple(one.get("values") or ()),
            one.get("inside"),
        )
        for one in value.get("when", ())
    )
    return Entry(**plain)


def _uses(runs: Tuple[Dict[str, Any], ...]) -> Tuple[Use, ...]:
    """Return the uses that any of ``runs`` has; those that cannot be read are left out."""
    found: Dict[str, Use] = {}
    for run in runs:
        for payload in payloads(run, "behaviour"):
            for site in payload.get("sites") or ():
                try:
                    found.setdefault(repr(site), Use.from_json(site))
                except (ValueError, AttributeError):
                    continue
    return tuple(found.values())


def _signatures(parts: Dict[str, Any]) -> Tuple[Optional[Dict[str, Any]], str]:
    """Return the signatures that any run has, and why there are none."""
    found: Dict[str, Any] = {}
    for one in parts.values():
        for symbol, signature in (one.get("signatures") or {}).items():
            found.setdefault(symbol, signature)
    if any("signatures" in one for one in parts.values()):
        return found, ""
    why = [str(one["missing"]) for one in parts.values() if one.get("missing")]
    return None, why[0] if why else "the lock was written without signatures"


def payloads(run: Mapping[str, Any], facet: str) -> List[Dict[str, Any]]:
    """Return the payloads of ``facet`` in ``run``, one per subject; empty where not captured."""
    answer = (run.get("facets") or {}).get(facet) or {}
    if answer.get("status") != "captured":
        return []
    return [subject.get("payload") or {} for subject in answer.get("subjects", ())]


def title(run: Mapping[str, Any]) -> str:
    """Return how a run is called in a sentence: "run 7f3k, 2025-05-02"."""
    short = str(run.get("id", "?")).rpartition("-")[2]
    return "run %s, %s" % (short, str(run.get("started", "?"))[:10])


def repository(lock_path: str) -> str:
    """Return the top of the repository that the lock lies in, or its folder without git."""
    folder = start = os.path.dirname(os.path.abspath(lock_path))
    while not os.path.exists(os.path.join(folder, ".git")):
        if os.path.dirname(folder) == folder:
            return start
        folder = os.path.dirname(folder)
    return folder


def place(ref: Any, run: Mapping[str, Any], top: str) -> Optional[str]:
    """Return where a recorded path is here, None where that cannot be told or leads outside."""
    if not isinstance(ref, dict) or not isinstance(ref.get("path"), str):
        return None
    root, path = ref.get("root"), ref["path"]
    if root == "abs":
        return str(path)
    folder = {"repo": top, "home": os.path.expanduser("~")}.get(str(root))
    if root == "cwd":
        own = run.get("cwd")
        inside = isinstance(own, dict) and own.get("root") == "repo"
        folder = os.path.join(top, own["path"]) if inside and own else top
    if folder is None:
        return None
    full = os.path.normpath(os.path.join(folder, path))
    return full if full.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep) else None


def shown_path(ref: Any) -> str:
    """Return a recorded path as people read it."""
    path = str(ref.get("path", "?")) if isinstance(ref, dict) else "?"
    return "~/" + path if isinstance(ref, dict) and ref.get("root") == "home" else path


def files_of(
    lock: Lock, facet: str, member: str
) -> Iterator[Tuple[str, Optional[str], Dict[str, Any]]]:
    """Yield name, place here and entry of the files that ``facet`` lists, each path once."""
    top = repository(lock.path)
    seen = set()
    for run in lock.runs:
        for payload in payloads(run, facet):
            for entry in payload.get(member) or ():
                name = shown_path(entry.get("path"))
                if name not in seen:
                    seen.add(name)
                    yield name, place(entry.get("path"), run, top), entry
