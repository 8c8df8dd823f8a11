"""The table of `realcode.py`, in Markdown."""

from __future__ import annotations

from typing import Any

import _behaviour_score as score


def table(found: list[dict[str, Any]], pairs: dict[str, Any]) -> str:
    """Return the table in Markdown, then per script what verify said and what really differed."""
    lines = [
        "| script | upgrade | call sites | findings | true rerun | verify | bare s | verify s "
        "(cached) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        what = pairs[one["pair"]]["title"]
        if "error" in one:
            lines.append("| %s | %s | could not be run |||||| " % (one["id"], what))
            continue
        calls = one["calls"]
        sites = "%d of %d" % (calls["compared"], calls["sites"]) if calls else "-"
        rerun = "differs" if one["differs"] else "same"
        noisy = " (noisy)" if one["noisy"] else ""
        times = "%.1f | %.1f (%.1f)" % (one["bare_s"], one["verify_s"], one["cached_s"])
        cells = (one["id"], what, sites, len(one["findings"]), rerun + noisy, one["verdict"], times)
        lines.append("| %s |" % " | ".join(map(str, cells)))
    for one in found:
        lines += ["", "**%s**" % one["id"]]
        if "error" in one:
            lines.append("could not be run: " + " ".join(one["error"].split())[-300:])
            continue
        lines += ["- said: " + score.said([finding])[:300] for finding in one["findings"]]
        lines += ["- really: `%s`" % text for text in one["differs"]]
    return "\n".join(lines)
