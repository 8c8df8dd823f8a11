"""Results held against results: a table of metrics and a list of files."""

from __future__ import annotations

from collections import Counter
from typing import Any

from provenance.cli import curves
from provenance.cli.style import Style, flat, value
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

_COLOUR = {DIFFERENT: "red", SAME: "green", WITHIN: "green"}
_SHOWN = 20


_PARTS = 3
_TOLERANCES, _NAMES = 4, 4


def lines(results: Any, style: Style, verbose: bool = False) -> list[str]:
    """Return the metrics and files of two runs side by side, each with its verdict.

    verbose: all parts of a file that differ, not just the first few.
    """
    found = []
    if results.metrics:
        width = max(len(one.name) for one in results.metrics[:_SHOWN])
        found.append(
            "  %-*s  %12s  %12s  %12s" % (width, "metric", "recorded", "now", "difference")
        )
        for one in results.metrics[:_SHOWN]:
            found.append(_metric(one, width, style))
            found += ["      " + one.detail] if one.tolerance.is_envelope and one.detail else []
    if len(results.metrics) > _SHOWN:
        found.append("  ... and %d more metrics" % (len(results.metrics) - _SHOWN))
    found += tolerances(results.metrics)
    found += curves.lines(curves.of_metrics(results.metrics), style, verbose)
    for output in results.outputs[:_SHOWN]:
        detail = " (%s)" % output.detail if output.detail else ""
        found.append("  %s  %s%s" % (_path(output.path), _judged(output, style), detail))
        found += parts(output.parts, style, None if verbose else _PARTS, "    ", output.detail)
    if len(results.outputs) > _SHOWN:
        found.append("  ... and %d more files" % (len(results.outputs) - _SHOWN))
    return found


def parts(
    found: Any, style: Style, most: int | None, indent: str = "  ", said: str = ""
) -> list[str]:
    """Return a line per part that differs, ``most`` of them, None for all.

    said: what stands above them already; a part whose detail is there, and that no other part
    shares, is left out.
    """
    often = Counter(one.detail for one in found)
    found = [o for o in found if not o.detail or often[o.detail] > 1 or o.detail not in said]
    shown = found[:most]
    told = []
    for one in shown:
        colour = [_COLOUR[one.verdict]] if one.verdict in _COLOUR else []
        text = ": " + flat(one.detail) if one.detail else ""
        told.append("%s%s  %s%s" % (indent, flat(one.name), style(one.verdict, *colour), text))
    if len(found) > len(shown):
        told.append("%s... and %d more (-v)" % (indent, len(found) - len(shown)))
    return told


def _metric(one: Any, width: int, style: Style) -> str:
    numbers = tuple("%12s" % value(item) for item in (one.old, one.new, one.difference))
    text = "  %-*s  %s  %s  %s  %s" % (width, one.name, *numbers, _judged(one, style))
    return "%s: %s" % (text, one.detail) if one.detail.startswith("partial") else text


def tolerances(metrics: Any) -> list[str]:
    """Return which tolerances were applied and where they come from, those of most metrics first.

    Only metrics that differ at all need one, and what is not compared has none.
    """
    return tolerances_of(one for one in metrics if one.difference is not None)


def tolerances_of(found: Any) -> list[str]:
    """Return the same of metrics or curves, those that differ at all."""
    by_text: dict[str, list[str]] = {}
    for one in found:
        if one.verdict in (WITHIN, DIFFERENT):
            by_text.setdefault(one.tolerance.told(), []).append(one.name)
    ranked = sorted(by_text.items(), key=lambda item: -len(item[1]))
    texts = []
    for text, names in ranked[:_TOLERANCES]:
        more = ", ..." if len(names) > _NAMES else ""
        texts.append("%s: %s%s" % (text, ", ".join(names[:_NAMES]), more))
    left = len(ranked) - _TOLERANCES
    texts += ["and %d more" % left] if left > 0 else []
    return ["  tolerance: %s" % "; ".join(texts)] if texts else []


def _judged(one: Any, style: Style) -> str:
    return style(one.verdict, *([_COLOUR[one.verdict]] if one.verdict in _COLOUR else []))


def _path(path: Any) -> str:
    if isinstance(path, dict):
        return str(path.get("path", path))
    return str(path)
