"""Packages and Python as the drop-in test finds them, against what the lock recorded."""

from __future__ import annotations

import hashlib
import platform
import re
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.agent._lock import Lock, files_of, payloads
from provenance.agent._report import FAILED, PASSED, SKIPPED, Item, ended
from provenance.core.difference import BROKEN, NONE, UNKNOWN
from provenance.core.distributions import Distribution, key_of, scan
from provenance.core.uses import Use
from provenance.core.uses import read as read_uses
from provenance.core.verdict import worst
from provenance.core.versions import is_version, key
from provenance.knowledge.entry import Entry
from provenance.knowledge.judge import Judged, judge

_OTHERS_LOAD = re.compile(r"^(nvidia-|mkl$|intel-openmp$|tbb$|triton$|pytorch-triton|jaxlib$)")
"""Packages of shared libraries, on which results depend though no import shows."""


class Wanted(NamedTuple):
    """A package as a run had it. trusted: whether ``imported`` is known in full."""

    name: str
    version: str
    imported: bool
    trusted: bool
    modules: Tuple[str, ...]
    own: bool


class Known(NamedTuple):
    """What is known of changes, with the uses of today's files and whether there was a GPU."""

    entries: Tuple[Entry, ...]
    uses: Tuple[Use, ...]
    files: FrozenSet[str]
    gpu: Optional[bool]


def check_packages(lock: Lock, sys_path: Sequence[str], environ: Mapping[str, str]) -> List[Item]:
    """Return one item per recorded package, by name."""
    here = {one.key: one for one in scan(sys_path)}
    provided = {name: one for one in here.values() for name in one.modules}
    known = knowledge(lock)
    accepted = {key_of(n.strip()) for n in environ.get("PROV_ACCEPT", "").split(",") if n.strip()}
    items = []
    for name, wanted in sorted(_recorded(lock).items()):
        effect, reasons, text = _compared(name, wanted, here.get(name), provided, known)
        if name in accepted and effect != NONE:
            items.append(Item("packages", name, PASSED, NONE, text + "\naccepted", 0, 1))
            continue
        equal = int(not text)
        status = ended(effect, environ)
        full = _sentences(name, text, reasons, status == FAILED)
        items.append(Item("packages", name, status, effect, full, equal, 1))
    return items


def _recorded(lock: Lock) -> Dict[str, Wanted]:
    """Return the packages of all runs; of one that runs had in two versions, the first."""
    found: Dict[str, Wanted] = {}
    for run in lock.runs:
        for payload in payloads(run, "packages"):
            trusted = bool(payload.get("complete"))
            for name, one in (payload.get("distributions") or {}).items():
                wanted = _wanted(one, trusted)
                if name not in found or (wanted.imported and not found[name].imported):
                    found[name] = wanted
    return found


def _wanted(one: Mapping[str, Any], trusted: bool) -> Wanted:
    editable = (one.get("editable") or {}).get("path") or {}
    return Wanted(
        str(one.get("name", "")),
        str(one.get("version", "")),
        bool(one.get("imported")),
        trusted,
        tuple(one.get("modules") or ()),
        editable.get("root") in ("repo", "cwd"),
    )


def _compared(
    name: str,
    wanted: Wanted,
    here: Optional[Distribution],
    provided: Mapping[str, Distribution],
    known: Known,
) -> Tuple[str, List[Judged], str]:
    """Return the effect, the reasons, and the first sentence; "" where nothing differs."""
    matters = wanted.imported or not wanted.trusted or _OTHERS_LOAD.match(name) is not None
    plain = UNKNOWN if matters and not wanted.own else NONE
    if here is None:
        if wanted.imported and not wanted.own and not any(m in provided for m in wanted.modules):
            text = "%s is not installed; the recorded run imported %s."
            return BROKEN, [], text % (wanted.name, wanted.version)
        return plain, [], "%s %s is not installed." % (wanted.name, wanted.version)
    if here.version == wanted.version:
        return NONE, [], ""
    text = "%s %s installed; the recorded run used %s."
    text = text % (wanted.name, here.version or "(no version)", wanted.version)
    reasons: List[Judged] = []
    if plain != NONE and is_version(here.version) and is_version(wanted.version):
        reasons = judge(
            known.entries, name, wanted.version, here.version, known.uses, known.gpu, known.files
        )
    return worst([plain] + [one.effect for one in reasons]), reasons, text


def _sentences(name: str, text: str, reasons: Sequence[Judged], failed: bool) -> str:
    lines = [text] if text else []
    for one in reasons:
        lines.append(one.reason.text + ".")
        lines.append("  effect: %s" % one.entry.effect)
        lines.append("  fix: %s" % one.reason.remedy)
    if failed:
        lines.append("Or accept the change: PROV_ACCEPT=%s" % name)
    return "\n".join(lines)


def knowledge(lock: Lock) -> Known:
    """Return what the lock knows, sites moved to where they stand in files that changed since."""
    sites: List[Use] = []
    for _, found in lock.known:
        sites.extend(use for use in found if use not in sites)
    asked = {use.path for use in sites}
    uses = tuple(sites)
    for name, path, entry in files_of(lock, "code", "used"):
        if name in asked and path is not None and _changed(path, entry):
            fresh = _uses_now(path, name)
            if fresh is not None:
                uses = tuple(use for use in uses if use.path != name) + fresh
    gpus = [p["gpus"] for run in lock.runs for p in payloads(run, "hardware") if "gpus" in p]
    gpu = any(gpus) if gpus else None
    return Known(tuple(entry for entry, _ in lock.known), uses, frozenset(asked), gpu)


def _changed(path: str, entry: Mapping[str, Any]) -> bool:
    recorded = (entry.get("digests") or {}).get("sha256")
    try:
        with open(path, "rb") as stream:
            return bool(hashlib.sha256(stream.read()).hexdigest() != recorded)
    except OSError:
        return False


def _uses_now(path: str, name: str) -> Optional[Tuple[Use, ...]]:
    """Return the uses in the file as it is today, None where it cannot be read as Python."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            reading = read_uses(stream.read(), name)
    except OSError:
        return None
    return None if reading.note else reading.uses


def check_python(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return how the Python that runs this differs from the recorded one."""
    recorded = [
        str(payload["version"])
        for run in lock.runs
        for payload in payloads(run, "runtime")
        if payload.get("version")
    ]
    if not recorded:
        return Item("python", "Python", SKIPPED, NONE, "the lock names none")
    now, old = platform.python_version(), recorded[0]
    if now in recorded:
        return Item("python", "Python", PASSED, NONE, "", 1, 1)
    text = "Python %s runs this; the recorded run used %s." % (now, old)
    reasons: List[Judged] = []
    if is_version(now) and is_version(old) and key(now)[1][:2] != key(old)[1][:2]:
        known = knowledge(lock)
        reasons = judge(known.entries, "python", old, now, known.uses, known.gpu, known.files)
    effect = worst([UNKNOWN] + [one.effect for one in reasons])
    status = ended(effect, environ)
    full = _sentences("python", text, reasons, False)
    return Item("python", "Python " + now, status, effect, full, 0, 1)
