"""Packages and Python as the drop-in test finds them, against what the lock recorded."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.agent._lock import Lock, files_of, payloads
from provenance.agent._places import moved
from provenance.agent._report import FAILED, LISTED, PASSED, SKIPPED, Item, ended
from provenance.core.difference import BROKEN, NONE, POSSIBLE, UNKNOWN
from provenance.core.distributions import Distribution, key_of, versions_in
from provenance.core.interfaces import Library, library
from provenance.core.use import Use
from provenance.core.verdict import Finding, worst
from provenance.core.versions import is_version, key
from provenance.knowledge.changes import comparable
from provenance.knowledge.entry import Entry
from provenance.knowledge.interfaces import UNREAD, Signature, calls_in, calls_of, explained
from provenance.knowledge.judge import PYTHON_ITSELF, judge, teller

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
    """What the runs use, and what tells how that changed.

    uses: of libraries, where they stand today. gpu: whether there was one. old: the recorded
    signature of a symbol; None: there are none, and ``unsigned`` says why. new: what is here.
    """

    entries: Tuple[Entry, ...]
    uses: Tuple[Use, ...]
    gpu: Optional[bool]
    old: Optional[Callable[[str], Signature]]
    unsigned: str
    new: Library


def check_packages(lock: Lock, sys_path: Sequence[str], environ: Mapping[str, str]) -> List[Item]:
    """Return one item per recorded package, by name."""
    here = versions_in(sys_path)
    known = knowledge(lock, sys_path)
    accepted = {key_of(n.strip()) for n in environ.get("PROV_ACCEPT", "").split(",") if n.strip()}
    recorded = _recorded(lock)
    changed = {
        name: (wanted.version, here[name].version)
        for name, wanted in recorded.items()
        if name in here and here[name].version != wanted.version
    }
    items = []
    for name, wanted in sorted(recorded.items()):
        found, text = _compared(name, wanted, here.get(name), sys_path)
        if found.effect == BROKEN and changed and known.uses:
            found, text = _softened(found, text, name, wanted, known.uses)
        if name in changed:
            found = _explained(found, name, wanted.modules, changed, known)
        if name in accepted and found.effect != NONE:
            items.append(Item("packages", name, PASSED, NONE, text + "\naccepted", 0, 1))
            continue
        status = ended(found.effect, environ)
        lines = _sentences(text, found)
        if name in changed and found.effect != NONE:
            lines += _dark(calls_in(name, wanted.modules, calls_of(known.uses)), known)
        if status == FAILED:
            lines.append("Or accept the change: PROV_ACCEPT=%s" % name)
        items.append(
            Item("packages", name, status, found.effect, "\n".join(lines), int(not text), 1)
        )
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
    sys_path: Sequence[str],
) -> Tuple[Finding, str]:
    """Return what differs, without reasons, and the first sentence; "" where nothing does."""
    matters = wanted.imported or not wanted.trusted or _OTHERS_LOAD.match(name) is not None
    effect = UNKNOWN if matters and not wanted.own else NONE
    found = Finding("packages", "", "version", wanted.name, effect, wanted.version)
    if here is None:
        if wanted.imported and not wanted.own and not _is_here(wanted.modules, sys_path):
            text = "%s is not installed; the recorded run imported %s."
            return found._replace(effect=BROKEN), text % (wanted.name, wanted.version)
        return found, "%s %s is not installed." % (wanted.name, wanted.version)
    if here.version == wanted.version:
        return found._replace(effect=NONE), ""
    text = "%s %s installed; the recorded run used %s."
    text = text % (wanted.name, here.version or "(no version)", wanted.version)
    return found._replace(new=here.version), text


def _softened(
    found: Finding, text: str, name: str, wanted: Wanted, uses: Sequence[Use]
) -> Tuple[Finding, str]:
    """Return a package that is gone as "possible" where only other packages imported it."""
    tops = {use.symbol.partition(".")[0] for use in uses}
    if tops.intersection(wanted.modules or (name.replace("-", "_"),)):
        return found, text
    return found._replace(effect=POSSIBLE), text[:-1] + ": a library that it used did."


def _is_here(modules: Sequence[str], sys_path: Sequence[str]) -> bool:
    """Return whether any of ``modules`` can be imported, whoever provides it."""
    names = [os.path.join(*name.split(".")) for name in modules if name]
    endings = ("", ".py", *EXTENSION_SUFFIXES)
    return any(
        os.path.exists(os.path.join(folder, name + ending))
        for folder in sys_path
        for name in names
        for ending in endings
    )


def _explained(
    found: Finding,
    name: str,
    modules: Sequence[str],
    changed: Mapping[str, Tuple[str, str]],
    known: Known,
) -> Finding:
    """Return ``found`` with the reasons why another version of ``name`` matters to the runs."""
    if found.effect != NONE:
        own = [one for one in known.entries if teller(one, changed) == name]
        judged = judge(own, name, *changed[name], known.uses, known.gpu)
        effect = worst([found.effect] + [one.effect for one in judged])
        found = found._replace(effect=effect, reasons=tuple(one.reason for one in judged))
    return explained(found, calls_in(name, modules, calls_of(known.uses)), known.old, known.new)


def _sentences(text: str, found: Finding) -> List[str]:
    lines = [text] if text else []
    for one in found.reasons:
        lines.append(one.text + ".")
        lines += ["  why: %s" % one.evidence] if one.evidence else []
        lines += ["  fix: %s" % one.remedy] if one.remedy else []
    return lines


def _dark(calls: Sequence[Use], known: Known) -> List[str]:
    """Return sentences on the ``calls`` whose interfaces could not be compared."""
    if not calls or known.old is None:
        return ["interfaces not compared: %s" % known.unsigned] if calls else []
    found: Dict[str, List[str]] = {}
    for use in calls:
        why = comparable(known.old(use.symbol), known.new.signature(use.symbol))
        if why and use.symbol not in found.setdefault(why, []):
            found[why].append(use.symbol)
    text = "interfaces not compared (%s): %s%s"
    return [
        text % (why, ", ".join(names[:LISTED]), " ..." if len(names) > LISTED else "")
        for why, names in found.items()
    ]


def knowledge(lock: Lock, sys_path: Sequence[str] = ()) -> Known:
    """Return what the lock knows, uses moved to where they stand in files that changed since."""
    uses = lock.uses
    asked = {use.path for use in uses}
    for name, path, entry in files_of(lock, "code", "used"):
        if name in asked and path is not None and _changed(path, entry):
            own = [use for use in uses if use.path == name]
            uses = tuple(use for use in uses if use.path != name) + _today(own, path)
    gpus = [p["gpus"] for run in lock.runs for p in payloads(run, "hardware") if "gpus" in p]
    old, signatures = None, lock.signatures
    if signatures is not None:
        old = lambda symbol: signatures.get(symbol, UNREAD)  # noqa: E731
    return Known(
        lock.known,
        uses,
        any(gpus) if gpus else None,
        old,
        lock.unsigned,
        library(sys_path),
    )


def _changed(path: str, entry: Mapping[str, Any]) -> bool:
    recorded = (entry.get("digests") or {}).get("sha256")
    try:
        with open(path, "rb") as stream:
            return bool(hashlib.sha256(stream.read()).hexdigest() != recorded)
    except OSError:
        return False


def _today(uses: Sequence[Use], path: str) -> Tuple[Use, ...]:
    """Return the uses of a file as it is today."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return moved(uses, stream.read())
    except OSError:
        return tuple(uses)


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
    found = Finding("runtime", "", "version", "Python", UNKNOWN, old, now)
    if is_version(now) and is_version(old) and key(now)[1][:2] != key(old)[1][:2]:
        known = knowledge(lock)
        judged = judge(known.entries, PYTHON_ITSELF, old, now, known.uses, known.gpu)
        effect = worst([UNKNOWN] + [one.effect for one in judged])
        found = found._replace(effect=effect, reasons=tuple(one.reason for one in judged))
    status = ended(found.effect, environ)
    full = "\n".join(_sentences(text, found))
    return Item("python", "Python " + now, status, found.effect, full, 0, 1)
