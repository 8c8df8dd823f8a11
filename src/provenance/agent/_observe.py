"""Code, data and GPU as the drop-in test finds them, against what the lock recorded."""

from __future__ import annotations

import glob
import hashlib
import os
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from provenance.agent._lock import Lock, files_of, payloads
from provenance.agent._report import FAILED, LISTED, PASSED, SKIPPED, WARNED, Item, ended
from provenance.agent._settings import of_cards
from provenance.core import canonical
from provenance.core.difference import BROKEN, NONE, POSSIBLE, UNKNOWN
from provenance.core.sourcedigest import digests as source_digests

CHUNK_BYTES = 1 << 20
LARGE = 1 << 30
"""Bytes above which a file is digested only with ``PROV_FULL=1``: it would take seconds."""
_TREE = "-tree-1"
_DRIVER = "/proc/driver/nvidia/gpus/*/information"


def check_code(lock: Lock) -> Item:
    """Return whether the source files that the recorded run used are the same here."""
    equal, wrong, unknown = 0, [], 0
    for name, path, entry in files_of(lock, "code", "used"):
        state = _source_state(path, entry)
        if state is None:
            unknown += 1
        elif state:
            wrong.append("%s: %s." % (name, state))
        else:
            equal += 1
    total = equal + len(wrong)
    if not total:
        why = "no digest that can be checked" if unknown else "the lock names no source files"
        return Item("code", "code", SKIPPED, NONE, why)
    if not wrong:
        return Item("code", "code", PASSED, NONE, "", equal, total)
    text = "code differs from the recorded run's:\n" + "\n".join(wrong)
    return Item("code", "code", FAILED, BROKEN, text, equal, total)


def _source_state(path: Optional[str], entry: Mapping[str, Any]) -> Optional[str]:
    """Return what is wrong with a source file, "" for nothing, None where it cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    outside = (entry.get("path") or {}).get("root") in ("home", "abs") or entry.get("missing")
    if path is None or not os.path.isfile(path):
        return None if outside or path is None else "it is not here"
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        return "it cannot be read (%s)" % (error.strerror or error)
    if recorded.get("sha256") == hashlib.sha256(data).hexdigest():
        return ""
    shared = [(n, d) for n, d in source_digests(path, data).items() if n in recorded]
    if shared and all(recorded[n] == d for n, d in shared):
        return ""
    return "it has changed" if "sha256" in recorded or shared else None


def check_data(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return whether the data files that are here are those that the recorded run read."""
    equal, wrong, skipped = 0, [], []
    for name, path, entry in files_of(lock, "data", "files"):
        state, why = _data_state(path, entry, environ.get("PROV_FULL") == "1")
        if state is None:
            skipped.append("%s: %s" % (name, why))
        elif state:
            equal += 1
        else:
            wrong.append("%s: it has other content." % name)
    total = equal + len(wrong)
    if wrong:
        text = "data differs from what the recorded run read:\n" + "\n".join(wrong)
        return Item("data", "data", FAILED, BROKEN, text, equal, total)
    if skipped:
        more = "" if len(skipped) <= LISTED else " and %d more" % (len(skipped) - LISTED)
        text = "; ".join(skipped[:LISTED]) + more
        return Item("data", "data", SKIPPED, NONE, text, equal, total)
    if not total:
        return Item("data", "data", SKIPPED, NONE, "the lock names no data files")
    return Item("data", "data", PASSED, NONE, "", equal, total)


def _data_state(
    path: Optional[str], entry: Mapping[str, Any], full: bool
) -> Tuple[Optional[bool], str]:
    """Return whether a data file is the recorded one, or None and why that cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    state = str(entry.get("state", "digested"))
    if state != "digested":
        return None, "%s when recorded" % state
    if path is None or not os.path.exists(path):
        return None, "not here"
    name = "sha256" + (_TREE if os.path.isdir(path) else "")
    if name not in recorded:
        return None, "no SHA-256 in the lock"
    try:
        if not full and (entry.get("size") or 0) > LARGE:
            return None, "more than 1 GiB (PROV_FULL=1 digests it)"
        left_out = frozenset(entry.get("left_out") or ())
        found = _tree(path, left_out) if os.path.isdir(path) else _file(path)
    except OSError as error:
        return None, error.strerror or "unreadable"
    return found == recorded[name], ""


def _file(path: str) -> str:
    state = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            state.update(chunk)
    return state.hexdigest()


def _tree(folder: str, left_out: FrozenSet[str]) -> str:
    """Return the digest of a folder as records have it: canonical JSON of its sorted files."""
    rows: List[List[Any]] = []
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in names + links:
            path = os.path.join(parent, name)
            below = os.path.relpath(path, folder).replace(os.sep, "/")
            if below in left_out:
                continue
            if os.path.islink(path):
                rows.append([below, -1, os.readlink(path)])
            else:
                rows.append([below, os.lstat(path).st_size, _file(path)])
    rows.sort(key=lambda row: os.fsencode(row[0]))
    return hashlib.sha256(canonical.compact(rows)).hexdigest()


def check_gpu(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return whether a GPU is here if the recorded run had one; models are only compared."""
    recorded: List[str] = []
    stated = False
    for run in lock.runs:
        for payload in payloads(run, "hardware"):
            stated = stated or "gpus" in payload
            recorded.extend(str(gpu.get("name", "GPU")) for gpu in payload.get("gpus") or ())
    if not stated:
        return Item("gpu", "GPU", SKIPPED, NONE, "the lock says nothing of GPUs")
    if not recorded:
        return Item("gpu", "GPU", SKIPPED, NONE, "the recorded run had none")
    here = _models()
    told = of_cards(lock, recorded, here)
    if told:
        text = "%s here; the recorded run used %s." % (here[0] if here else "No GPU", recorded[0])
        full = "\n".join([text, *told])
        return Item("gpu", "GPU", ended(POSSIBLE, environ), POSSIBLE, full, 0, 1)
    if not here:
        return Item("gpu", "GPU", SKIPPED, NONE, "none here; the recorded run had %s" % recorded[0])
    if set(here) & set(recorded):
        return Item("gpu", "GPU", PASSED, NONE, "", 1, 1)
    text = "%s here; the recorded run used %s." % (here[0], recorded[0])
    return Item("gpu", "GPU " + here[0], WARNED, UNKNOWN, text, 0, 1)


def _models() -> List[str]:
    """Return the models of the NVIDIA GPUs here, as the driver names them."""
    found = []
    for path in sorted(glob.glob(_DRIVER)):
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                lines = stream.read().split("\n")
        except OSError:
            continue
        for line in lines:
            label, _, value = line.partition(":")
            if label.strip() == "Model" and value.strip():
                found.append(value.strip())
    return found
