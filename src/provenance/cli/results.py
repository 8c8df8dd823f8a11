"""Results held against results: a table of metrics and a list of files."""

from __future__ import annotations

from typing import Any

from provenance.cli.style import Style, value
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

_COLOUR = {DIFFERENT: "red", SAME: "green", WITHIN: "green"}
_SHOWN = 20


def lines(results: Any, style: Style) -> list[str]:
    """Return the metrics and files of two runs side by side, each with its verdict."""
    found = []
    if results.metrics:
        width = max(len(one.name) for one in results.metrics[:_SHOWN])
        found.append(
            "  %-*s  %12s  %12s  %12s" % (width, "metric", "recorded", "now", "difference")
        )
        found += [_metric(one, width, style) for one in results.metrics[:_SHOWN]]
    if len(results.metrics) > _SHOWN:
        found.append("  ... and %d more metrics" % (len(results.metrics) - _SHOWN))
    for output in results.outputs[:_SHOWN]:
        detail = " (%s)" % output.detail if output.detail else ""
        found.append("  %s  %s%s" % (_path(output.path), _judged(output, style), detail))
    if len(results.outputs) > _SHOWN:
        found.append("  ... and %d more files" % (len(results.outputs) - _SHOWN))
    return found


def _metric(one: Any, width: int, style: Style) -> str:
    numbers = tuple("%12s" % value(item) for item in (one.old, one.new, one.difference))
    text = "  %-*s  %s  %s  %s  %s" % (width, one.name, *numbers, _judged(one, style))
    return "%s: %s" % (text, one.detail) if one.detail.startswith("partial") else text


def _judged(one: Any, style: Style) -> str:
    text = style(one.verdict, *([_COLOUR[one.verdict]] if one.verdict in _COLOUR else []))
    step = getattr(one, "first_step_apart", None)
    return text + (" (apart from step %s)" % value(step) if step is not None else "")


def _path(path: Any) -> str:
    if isinstance(path, dict):
        return str(path.get("path", path))
    return str(path)
