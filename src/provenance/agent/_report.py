"""What the drop-in test found, item by item, and the same as a page of text."""

from __future__ import annotations

import os
import platform
import sys
from typing import Iterable, List, Mapping, NamedTuple, Sequence

from provenance.agent._lock import Lock, title
from provenance.core.difference import BROKEN, EFFECTS, KNOWN, NONE, POSSIBLE, UNKNOWN
from provenance.core.verdict import rank, worst

PASSED, WARNED, SKIPPED, FAILED = "passed", "warned", "skipped", "failed"
LISTED = 4


class Item(NamedTuple):
    """One thing that was checked.

    group: "python", "packages", "code", "data", "gpu" or "lock". status: passed, warned, skipped or
    failed. effect: as everywhere. text: sentences for people. equal, total: facts compared.
    """

    group: str
    name: str
    status: str
    effect: str = NONE
    text: str = ""
    equal: int = 0
    total: int = 0


def ended(effect: str, environ: Mapping[str, str]) -> str:
    """Return how an item with this effect ends, by ``PROV_FAIL_ON``."""
    least = environ.get("PROV_FAIL_ON", KNOWN)
    if least not in EFFECTS[1:]:
        least = KNOWN
    if rank(effect) >= rank(least):
        return FAILED
    return PASSED if effect == NONE else WARNED


def exit_status(items: Sequence[Item]) -> int:
    """Return 0, 1 (something failed) or 3 (nothing could be compared)."""
    if any(item.status == FAILED for item in items):
        return 1
    return 0 if any(item.total for item in items) else 3


def report(lock: Lock, items: Sequence[Item], status: int) -> str:
    """Return the page that the program prints."""
    runs = "; ".join(title(run) for run in lock.runs)
    lines = [
        "%s (%s)  vs  %s %s"
        % (os.path.basename(lock.path), runs, sys.executable, platform.python_version())
    ]
    for effect in (BROKEN, KNOWN, POSSIBLE):
        for item in items:
            if item.effect == effect and item.text:
                lines += _block(effect, item)
    lines += _unknown(items)
    lines.append("compared: %s" % (_counts(items) or "nothing"))
    skipped = ["%s (%s)" % (i.name, i.text) for i in items if i.status == SKIPPED]
    if skipped:
        lines.append("not compared: " + "; ".join(skipped))
    lines.append(_last(items, status))
    return "\n".join(lines) + "\n"


def _block(effect: str, item: Item) -> List[str]:
    first, *rest = item.text.split("\n")
    return ["%s  %s" % (effect.upper(), first)] + ["  " + line for line in rest]


def _unknown(items: Iterable[Item]) -> List[str]:
    names = [item.name for item in items if item.effect == UNKNOWN]
    if not names:
        return []
    more = "" if len(names) <= LISTED else " and %d more" % (len(names) - LISTED)
    return ["unknown effect: %s%s" % (", ".join(names[:LISTED]), more)]


def _counts(items: Sequence[Item]) -> str:
    units = (("python", "Python"), ("packages", "packages"), ("code", "code"), ("data", "data"))
    parts = []
    for group, unit in units:
        equal = sum(item.equal for item in items if item.group == group)
        total = sum(item.total for item in items if item.group == group)
        if total:
            parts.append("%s %d/%d equal" % (unit, equal, total))
    return ", ".join(parts)


def _last(items: Sequence[Item], status: int) -> str:
    if status == 3:
        return "NOT COMPARED: the lock and this place have nothing in common (exit 3)"
    counted = {effect: sum(1 for i in items if i.effect == effect) for effect in EFFECTS[1:]}
    told = ", ".join("%d %s" % (n, effect) for effect, n in reversed(list(counted.items())) if n)
    words = {NONE: "SAME", UNKNOWN: "NO KNOWN EFFECT", POSSIBLE: "POSSIBLE EFFECT"}
    verdict = words.get(worst(item.effect for item in items), "DIFFERENT")
    if status == 1 and verdict != "DIFFERENT":
        verdict = "FAILED"
    return "%s%s (exit %d)" % (verdict, ": " + told if told else "", status)
