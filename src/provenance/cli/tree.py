"""``prov show RUN processes``: who started whom, rank by rank, in one line each."""

from __future__ import annotations

from typing import Any

from provenance.cli.style import duration, plural
from provenance.core.record import Payload

_WIDE = 70
_MOST = 60
_MOST_RANKS = 32


def lines(answer: Payload) -> list[str]:
    """Return the processes of a run as a tree, then the ranks, then what was not observed."""
    told = next((s.payload for s in answer.subjects if s.rank is None), {})
    ranks = [s for s in answer.subjects if s.rank is not None]
    found = [plural(told.get("total", 0), "Python process").replace("processs", "processes")]
    found += _tree(told)
    if ranks:
        by = " by %s" % told["launcher"] if told.get("launcher") else ""
        found.append("%d of %s ranks%s" % (len(ranks), told.get("size") or "?", by))
        found += ["  " + _rank(one.rank, one.payload) for one in ranks[:_MOST_RANKS]]
        if len(ranks) > _MOST_RANKS:
            found.append("  ... and %d more (all with --json)" % (len(ranks) - _MOST_RANKS))
    for title, part in (
        ("ranks differ in", _differing(told)),
        ("not observed", [_listed(o, o["reason"]) for o in told.get("unobserved", [])]),
        ("failed", [_listed(o, "exit %d" % o["exit_code"]) for o in told.get("failed", [])]),
        ("runs inside", [_nested(one) for one in told.get("nested", [])]),
        ("inside run", [told["within"]] if told.get("within") else []),
        ("in job", [_flat(told["job"])] if told.get("job") else []),
        ("submitted", [_flat(told["submitted"])] if told.get("submitted") else []),
    ):
        found += [title, *("  " + one for one in part[:_MOST])] if part else []
        if len(part) > _MOST:
            found.append("  ... and %d more (all with --json)" % (len(part) - _MOST))
    return found + ["  ! " + note for note in answer.notes]


def _tree(told: dict[str, Any]) -> list[str]:
    below: dict[str | None, list[str]] = {}
    listed = told.get("listed", [])
    known = {one["id"] for one in listed}
    text = {one["id"]: _process(one) for one in listed}
    for one in listed:
        parent = one.get("parent")
        below.setdefault(parent if parent in known else None, []).append(one["id"])
    alike: dict[str | None, list[str]] = {}
    for one in told.get("alike", []):
        ends = ", ".join("%d %s" % (n, how) for how, n in sorted(one["endings"].items()))
        what = _cut(one["command"]) or "forked"
        alike.setdefault(one.get("parent"), []).append(
            "%d more: %s  %s" % (one["times"], what, ends)
        )
    found: list[str] = []
    waiting = [(name, 1) for name in reversed(below.get(None, []))]
    while waiting:
        name, depth = waiting.pop()
        found.append("  " * depth + text[name])
        found += ["  " * (depth + 1) + more for more in alike.get(name, [])]
        waiting += [(child, depth + 1) for child in reversed(below.get(name, []))]
    return found + ["  " + more for more in alike.get(None, [])]


def _process(one: dict[str, Any]) -> str:
    words = [one["id"], _cut(one.get("command", "")) or "(forked)"]
    if "rank" in one:
        words.append("rank %d" % one["rank"])
    began, ended = one.get("began", 0.0), one.get("ended")
    words.append("at %s" % duration(began) if ended is None else duration(ended - began))
    return "  ".join([*words, _ending(one)])


def _ending(one: dict[str, Any]) -> str:
    how, code = one.get("ending", "complete"), one.get("exit_code")
    if code is not None and code < 0:
        return "killed by signal %d" % -code
    text = str(how) if not one.get("error") else "%s: %s" % (how, one["error"])
    return text if code is None else "%s, exit %d" % (text, code)


def _rank(rank: int | None, told: dict[str, Any]) -> str:
    device = told.get("device") or {}
    name = "%s (%s)" % (device.get("name"), device.get("number")) if device else ""
    words = ["rank %s" % rank, str(told.get("host", "")), str(told.get("interpreter", "")), name]
    own = ["%s=%s" % pair for pair in sorted(told.get("environ", {}).items())]
    return _cut("  ".join([*(w for w in words if w), _ending(told), " ".join(own)]), 150)


def _differing(told: dict[str, Any]) -> list[str]:
    return [
        "%s: %s"
        % (
            one["name"],
            "; ".join(
                "%s (rank %s)" % (value, ", ".join(map(str, who[:8])))
                for value, who in list(one["values"].items())[:8]
            ),
        )
        for one in told.get("differing", [])
    ]


def _listed(one: dict[str, Any], why: str) -> str:
    times = " x %d" % one["times"] if one.get("times", 1) > 1 else ""
    return "%s  (%s)%s" % (_cut(one["command"]), why, times)


def _nested(one: dict[str, Any]) -> str:
    code = "?" if one.get("exit_code") is None else one["exit_code"]
    return "%s  exit %s  %s" % (one["id"], code, _cut(one["command"]))


def _flat(one: dict[str, Any]) -> str:
    return "  ".join("%s=%s" % pair for pair in one.items() if pair[1] not in (None, ""))


def _cut(text: str, most: int = _WIDE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
