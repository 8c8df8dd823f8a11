"""The tables of `behaviour.py`, in Markdown, from what was seen of each case. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Seen = Mapping[str, Any]

_HEAD = "mechanism flagged named placed loose recall controls alarms errors aim".split()


def line(seen: Seen) -> str:
    """Return one line about a case, for whoever waits."""
    if "error" in seen:
        return "%-34s could not be judged: %s" % (seen["id"], seen["error"].splitlines()[-1])
    words = ["%s=%s" % (name, _mark(seen, one)) for name, one in seen["answers"].items()]
    return "%-34s %s %s" % (
        seen["id"],
        "control" if seen["control"] else "case   ",
        " ".join(words),
    )


def _mark(seen: Seen, answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        return "error"
    if seen["control"]:
        return "ALARM" if answer["alarm"] else "quiet"
    parts = [word for word in ("named", "placed") if answer[word]]
    return "+".join(parts) or ("loose" if answer["loose"] else "MISSED")


def tables(
    found: Sequence[Seen], mechanisms: Sequence[str], aims: Mapping[str, tuple[float, float]]
) -> tuple[str, bool]:
    """Return the whole report, and whether an aim is missed."""
    judged = [one for one in found if "error" not in one]
    lines = ["", "%d of %d cases judged" % (len(judged), len(found)), ""]
    lines += _table(
        _HEAD,
        [_row(judged, name, aims.get(name)) for name in mechanisms],
    )
    for what in ("kind", "package"):
        lines += ["", "Flagged by %s" % what, "", *_grouped(judged, mechanisms, what)]
    lines += ["", "Times and call sites", "", *_times(judged, mechanisms)]
    for name in mechanisms:
        lines += _lists(judged, name)
    wrong = ["- %s: %s" % (one["id"], _flat(one["error"])) for one in found if "error" in one]
    if wrong:
        lines += ["", "Could not be judged", "", *wrong]
    missed = any(_misses(judged, name, aims[name]) for name in mechanisms if name in aims)
    return "\n".join(lines), missed


def _of(judged: Iterable[Seen], name: str, control: bool) -> list[Mapping[str, Any]]:
    """Return the answers of a mechanism; one that failed flags nothing."""
    return [one["answers"][name] for one in judged if one["control"] == control]


def _count(answers: Iterable[Mapping[str, Any]], what: str) -> int:
    return sum(1 for one in answers if one.get(what))


def shares(judged: Sequence[Seen], name: str) -> tuple[float | None, float | None]:
    """Return the share of the cases that are flagged, and of the controls that are."""
    cases, controls = (_of(judged, name, control) for control in (False, True))
    return (
        _count(cases, "flagged") / len(cases) if cases else None,
        _count(controls, "alarm") / len(controls) if controls else None,
    )


def _misses(judged: Sequence[Seen], name: str, aim: tuple[float, float]) -> bool:
    recall, alarms = shares(judged, name)
    return (recall is not None and recall < aim[0]) or (alarms is not None and alarms > aim[1])


def _row(judged: Sequence[Seen], name: str, aim: tuple[float, float] | None) -> list[str]:
    cases, controls = (_of(judged, name, control) for control in (False, True))
    recall, alarms = shares(judged, name)
    told = ""
    if aim is not None:
        verdict = "MISSED" if _misses(judged, name, aim) else "met"
        told = ">= %.0f %%, <= %.0f %%: %s" % (100 * aim[0], 100 * aim[1], verdict)
    return [
        name,
        "%d/%d" % (_count(cases, "flagged"), len(cases)),
        *(str(_count(cases, what)) for what in ("named", "placed", "loose")),
        _percent(recall),
        "%d/%d" % (_count(controls, "alarm"), len(controls)),
        _percent(alarms),
        str(_count([*cases, *controls], "error")),
        told,
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else "%.1f %%" % (100 * share)


def _grouped(judged: Sequence[Seen], mechanisms: Sequence[str], what: str) -> list[str]:
    rows = []
    for value in sorted({str(one[what]) for one in judged}):
        part = [one for one in judged if one[what] == value]
        cells = []
        for name in mechanisms:
            cases, controls = (_of(part, name, control) for control in (False, True))
            shown = ["%d/%d" % (_count(cases, "flagged"), len(cases))] if cases else []
            if controls:
                shown.append("(alarms %d/%d)" % (_count(controls, "alarm"), len(controls)))
            cells.append(" ".join(shown))
        rows.append([value, *cells])
    return _table([what, *mechanisms], rows)


def _times(judged: Sequence[Seen], mechanisms: Sequence[str]) -> list[str]:
    rows = [["prov run", *_spread([one["record_s"] for one in judged]), ""]]
    for name in mechanisms:
        answers = [one["answers"][name] for one in judged if "error" not in one["answers"][name]]
        first = mechanisms[0] == name
        label = "verify, %s, %s" % (name, "cold" if first else "after the ones above")
        rows.append([label, *_spread([one["seconds"] for one in answers]), _coverage(answers)])
        if first:
            again = [one["again"] for one in answers if one["again"] is not None]
            rows.append(["verify, %s, cached" % name, *_spread(again), ""])
    return _table(["what", "median s", "max s", "call sites compared"], rows)


def _spread(values: Sequence[float]) -> list[str]:
    if not values:
        return ["-", "-"]
    return ["%.2f" % statistics.median(values), "%.2f" % max(values)]


def _coverage(answers: Iterable[Mapping[str, Any]]) -> str:
    told = [one["calls"] for one in answers if one.get("calls")]
    if not told:
        return "none reported"
    part, whole = (sum(one[what] for one in told) for what in ("compared", "sites"))
    return "%d of %d (%s) in %d answers" % (
        part,
        whole,
        _percent(part / whole if whole else None),
        len(told),
    )


def _lists(judged: Sequence[Seen], name: str) -> list[str]:
    lines: list[str] = []
    for title, wanted in (("Missed", _is_missed), ("False alarms", _is_alarm)):
        told = [
            "- %s (%s): %s" % (one["id"], one["symbol"], _why(one["answers"][name]))
            for one in judged
            if wanted(one, one["answers"][name])
        ]
        if told:
            lines += ["", "%s by %s (%d)" % (title, name, len(told)), "", *told]
    return lines


def _is_missed(seen: Seen, answer: Mapping[str, Any]) -> bool:
    return not seen["control"] and not answer.get("flagged")


def _is_alarm(seen: Seen, answer: Mapping[str, Any]) -> bool:
    return bool(seen["control"] and answer.get("alarm"))


def _why(answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        return _flat(answer["error"])
    left = [
        "%s: %s" % (one["what"], one["reason"])
        for one in answer["not_compared"]
        if one["facet"] == "calls"
    ]
    return _flat(answer["said"] + ("; not compared: " + "; ".join(left[:3]) if left else ""))


def _flat(text: str, most: int = 400) -> str:
    return " ".join(text.split())[:most]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| %s |" % " | ".join(head), "|%s|" % "|".join("---" for _ in head)]
    return lines + ["| %s |" % " | ".join(row) for row in rows]
