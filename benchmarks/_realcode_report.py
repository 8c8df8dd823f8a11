"""The tables of `realcode.py`, in Markdown.

Each reason from "possible" on is a warning. Whether one is right was looked up by hand, by running
the call that it names in both environments, and stands in `realcode.json` as ``judged``: pairs of a
part of the warning's text and "right" (the call differs), "harmless" (what it says is so, but these
calls do the same with both, or are not made) or "wrong". ``missed`` names what the true rerun
showed and no warning did.
"""

from __future__ import annotations

from typing import Any

import _behaviour_score as score

_HEAD = (
    "| script | upgrade | call sites compared | warnings: right, harmless, wrong | missed "
    "| true rerun | `prov run`, times | verify, CPU s (again) |"
)


def table(found: list[dict[str, Any]], pairs: dict[str, Any]) -> str:
    """Return the table in Markdown, then per script what verify said and what really differed."""
    names = {name: chr(ord("A") + nth) for nth, name in enumerate(pairs)}
    lines = [_HEAD, "|---" * 8 + "|"]
    lines += [_row(one, names[one["pair"]]) for one in found]
    lines += ["", *("%s: %s" % (names[name], pairs[name]["title"]) for name in pairs)]
    for one in found:
        lines += ["", "**%s**" % one["id"]]
        if "error" in one:
            lines.append("could not be run: " + " ".join(one["error"].split())[-300:])
            continue
        for name, reason in warnings(one):
            place = ", ".join(reason["where"][:2])
            text = "%s %s: %s [%s] %s" % (
                reason["effect"],
                name,
                reason["text"],
                reason["evidence"],
                place,
            )
            lines.append("- said (%s): %s" % (judgement(one, reason), text[:300]))
        lines += ["- really: `%s`" % text for text in one["differs"]]
        lines += ["- missed: %s" % text for text in one.get("missed", ())]
    return "\n".join(lines)


def _row(one: dict[str, Any], pair: str) -> str:
    what = pair + (", reversed" if one.get("reversed") else "")
    if "error" in one:
        return "| %s | %s | could not be run |||||| " % (one["id"], what)
    calls = one["calls"]
    sites = "%d of %d" % (calls["compared"], calls["sites"]) if calls else "-"
    told = [judgement(one, reason) for _, reason in warnings(one)]
    counts = [told.count(kind) for kind in ("right", "harmless", "wrong")]
    if "not judged" in told:
        counts.append(told.count("not judged"))
    rerun = ("differs" if one["differs"] else "same") + (", noisy" if one["noisy"] else "")
    cells = (
        one["id"],
        what,
        sites,
        ", ".join(map(str, counts)),
        len(one.get("missed", ())),
        rerun,
        "%.2f" % (one["record_s"] / one["bare_s"]),
        "%.0f (%.1f)" % (one["verify_s"], one["cached_s"]),
    )
    return "| %s |" % " | ".join(map(str, cells))


def warnings(one: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return each reason that counts, with what its finding is about."""
    found = []
    for finding in one["findings"]:
        for reason in finding["reasons"]:
            effect = reason.get("effect") or finding["effect"]
            if effect in score.ENOUGH:
                found.append((finding["name"], {**reason, "effect": effect}))
        if not finding["reasons"]:
            told = finding.get("text") or "no reason"
            text = {"text": told, "evidence": "", "where": [], "effect": finding["effect"]}
            found.append((finding["name"], text))
    return found


def judgement(one: dict[str, Any], reason: dict[str, Any]) -> str:
    """Return "right", "harmless", "wrong" or "not judged"."""
    for part, told in one.get("judged", ()):
        if part in reason["text"]:
            return str(told)
    return "not judged"
