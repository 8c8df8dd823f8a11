"""Cards and environment variables that concern the lock's runs, as the drop-in test finds them."""

from __future__ import annotations

import fnmatch
from typing import Dict, List, Mapping, Sequence

from provenance.agent._lock import Lock, payloads
from provenance.agent._report import PASSED, SKIPPED, Item, ended
from provenance.core.difference import NONE, POSSIBLE


def check_settings(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return which environment variables that matter to the runs have another value here."""
    recorded: Dict[str, str] = {}
    for run in lock.runs:
        for payload in payloads(run, "environment"):
            for name, value in (payload.get("values") or {}).items():
                recorded.setdefault(name, str(value))
    known = [one for one in lock.surroundings if one.get("facet") == "environment"]
    if not known:
        return Item("settings", "settings", SKIPPED, NONE, "none is known to concern the runs")
    lines: List[str] = []
    for name in sorted(set(recorded) | set(environ)):
        old, new = recorded.get(name, "unset"), environ.get(name, "unset")
        told = [one for one in known if old != new and _is_about(one, name)]
        for one in told:
            lines.append("%s is %s; the recorded run had %s." % (name, new, old))
            lines += reason(one, old)
    if not lines:
        return Item("settings", "settings", PASSED, NONE, "", 1, 1)
    return Item("settings", "settings", ended(POSSIBLE, environ), POSSIBLE, "\n".join(lines), 0, 1)


def _is_about(one: Mapping[str, object], name: str) -> bool:
    patterns = one.get("name")
    named: Sequence[object] = patterns if isinstance(patterns, list) else []
    return any(fnmatch.fnmatchcase(name, str(pattern)) for pattern in named)


def reason(one: Mapping[str, object], old: str) -> List[str]:
    """Return what is known of a difference, and the remedy, as lines."""
    remedy = str(one.get("remedy", "")).replace("{old}", old)
    return ["%s." % one.get("text", ""), "  fix: %s" % remedy]


def of_cards(lock: Lock, recorded: Sequence[str], here: Sequence[str]) -> List[str]:
    """Return what is known of having the cards ``here`` instead of the ``recorded`` ones."""
    answers = {
        "one side has none": bool(recorded) != bool(here),
        "another model": bool(recorded and here) and set(recorded) != set(here),
        "another number": bool(recorded and here) and len(recorded) != len(here),
    }
    lines: List[str] = []
    for one in lock.surroundings:
        asks = one.get("asks") or ()
        if one.get("facet") == "hardware" and asks and all(answers.get(ask) for ask in asks):
            lines += reason(one, ", ".join(recorded) or "none")
    return lines
