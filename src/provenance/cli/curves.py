"""Curves of two runs or files in words: a line or two per metric that differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from provenance.cli.style import Style
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

_COLOUR = {DIFFERENT: "red", SAME: "green", WITHIN: "green"}
_SHOWN = 12
_CLAUSES = 8


def lines(found: Iterable[Any], style: Style, verbose: bool = False) -> list[str]:
    """Return what there is to say of the curves, those that differ and those with a remark.

    verbose: every curve, and all of what is said of it.
    """
    told = [one for one in found if one is not None]
    if not told:
        return []
    wanted = [one for one in told if verbose or one.verdict != SAME or one.text]
    shown = wanted if verbose else wanted[:_SHOWN]
    width = max((len(one.name) for one in shown), default=0)
    out = ["  curves:"] if shown else []
    for one in shown:
        word = style(one.verdict, *([_COLOUR[one.verdict]] if one.verdict in _COLOUR else []))
        head, *rest = one.text or ("at %d points" % one.points,)
        out.append("    %-*s  %s: %s" % (width, one.name, word, head))
        rest = rest if verbose else rest[:_CLAUSES]
        out += ["      " + "; ".join(rest)] if rest else []
    if len(wanted) > len(shown):
        out.append("    ... and %d more curves (-v)" % (len(wanted) - len(shown)))
    equal = len(told) - len(wanted)
    if equal:
        out.append(
            "  %d curve%s the same at every step" % (equal, " is" if equal == 1 else "s are")
        )
    return out + ["  ! " + text for text in together(told)]


def together(found: Sequence[Any]) -> list[str]:
    """Return what train and validation curves say together."""
    from provenance.operations import series

    return series.splits(found)


def of_metrics(metrics: Iterable[Any]) -> list[Any]:
    """Return the curves of two runs' metrics."""
    return [one.curve for one in metrics if one.curve is not None]
