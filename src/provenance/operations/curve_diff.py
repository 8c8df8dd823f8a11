"""Curves of runs and of loose files held against each other, and drawn.

``prov diff RUN authors_curve.csv``, ``prov diff a.csv b.csv --plot``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import curve_files, curve_words, curves
from provenance.compare.curve import Curve
from provenance.compare.curves import CurveResult
from provenance.compare.judged import gravest
from provenance.compare.tolerances import Choice
from provenance.core import codec
from provenance.core.record import Record
from provenance.core.runid import short
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.errors import NothingToCompare, SystemRefused, UsageError
from provenance.exports import plot_svg
from provenance.exports.plot_svg import Panel
from provenance.operations import _sides, alike, allowed, drawing, references, series
from provenance.operations.alike import Alike
from provenance.operations.allowed import Allowed, Limits
from provenance.operations.diff import DiffResult
from provenance.store import files, project


class Source(NamedTuple):
    """Where curves come from. label: for people. run: the run, None for a file."""

    label: str
    curves: Mapping[str, Curve]
    run: Record | None = None


class CurveDiff(NamedTuple):
    """The curves of two sources compared.

    results: one per curve that both have. names: under which name the new source holds it. notes:
    sentences on tolerance, envelope, and what only one of them has.
    """

    old: Source
    new: Source
    results: tuple[CurveResult, ...]
    names: Mapping[str, str]
    alike: Alike | None
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The gravest verdict of the curves."""
        return gravest([one.verdict for one in self.results])

    @property
    def summary(self) -> str:
        """The counts, in words."""
        verdicts = [one.verdict for one in self.results]
        order = (SAME, WITHIN, DIFFERENT, NOT_COMPARED)
        words = ["%d %s" % (verdicts.count(one), one) for one in order if one in verdicts]
        plural = "" if len(verdicts) == 1 else "s"
        counts = "%d curve%s: %s" % (len(verdicts), plural, ", ".join(words))
        limit = curve_words.as_far(self.results)
        return counts + (", " + limit if limit else "")

    @property
    def exit_code(self) -> int:
        """0 for same or within tolerance, 1 for different, 3 for not compared."""
        return {DIFFERENT: 1, NOT_COMPARED: 3}.get(self.verdict, 0)

    def panels(self) -> list[Panel]:
        """Return what a plot of it shows."""
        bands = self.alike.bands if self.alike is not None else {}
        return drawing.panels(self.results, self.old.curves, self.new.curves, bands, self.names)


def is_meant(cwd: str, old: str, new: str, plot: bool) -> bool:
    """Return whether curves are to be compared: a run against a file of curves, or files drawn."""
    here = [_is_curves(cwd, word) for word in (old, new)]
    if all(here):
        return plot
    return any(here) and any(_names_run(cwd, word) for word in (old, new))


def _is_curves(cwd: str, word: str) -> bool:
    path = os.path.join(cwd, os.path.expanduser(word))
    if os.path.isdir(path):
        return any("tfevents" in name for name in os.listdir(path))
    return os.path.isfile(path) and curve_files.is_curve_file(path)


def _names_run(cwd: str, word: str) -> bool:
    if _is_curves(cwd, word) or _sides.side_of(cwd, word) is not None:
        return False
    _sides.require_run(project.find(cwd), cwd, word)
    return True


def diff(
    cwd: str, old: str, new: str, limits: Limits | None = None, like: Sequence[str] = ()
) -> CurveDiff:
    """Compare the curves of ``old`` and ``new``: runs, files, or outputs of runs.

    Raises `ProvError`.
    """
    place = project.find(cwd)
    first, second = _source(cwd, old), _source(cwd, new)
    known = first.run if first.run is not None else second.run
    if known is not None:
        limited = allowed.allowed(known, place, limits or Limits())
    else:
        limited = Allowed(Choice(allowed.asked_rules(limits or Limits())))
    pairs = dict(curves.pairs(first.curves, second.curves))
    if not pairs:
        raise NothingToCompare(
            "%s and %s have no curve of one name." % (first.label, second.label),
            "they have %s, and %s" % (_names(first), _names(second)),
        )
    found = []
    for name, other in pairs.items():
        ends = (first.curves[name].values[-1], second.curves[other].values[-1])
        tolerance = limited.choice.of(name, ends)
        found.append(curves.compare_curve(first.curves[name], second.curves[other], tolerance))
    runs = None
    if first.run is not None:
        runs = alike.of(first.run, second.run, like, place, cwd)
    elif like:
        raise UsageError(
            "--like needs a run as the first of the two.", "prov diff RUN FILE --like RUN"
        )
    notes = (*limited.notes, *_only(first, second, pairs))
    if runs is not None:
        found = alike.judged_curves(found, runs, second.curves, pairs)
        notes = (*notes, runs.note())
    return CurveDiff(first, second, tuple(found), pairs, runs, notes)


def of_runs(result: DiffResult, cwd: str) -> CurveDiff:
    """Return the curves of two runs that were compared, to be drawn."""
    place = project.find(cwd)
    sides = [
        Source(one.name or short(one.id), series.of(one, place), one)
        for one in (result.old, result.new)
    ]
    found = tuple(one.curve for one in result.results.metrics if one.curve is not None)
    names = {one.name: one.name for one in found}
    return CurveDiff(sides[0], sides[1], found, names, result.alike, ())


def _source(cwd: str, word: str) -> Source:
    place = project.find(cwd)
    path = os.path.join(cwd, os.path.expanduser(word))
    side = None if _is_curves(cwd, word) else _sides.side_of(cwd, word)
    if _is_curves(cwd, word):
        return Source(word, curve_files.curves_of(path))
    if side is not None:
        if side.path is None:
            text = "the content of %s that was recorded is not at hand." % side.given
            raise NothingToCompare(text, "name a copy of it")
        return Source(side.given, curve_files.curves_of(side.path))
    run = references.named(word, place, cwd).record
    found = {name: one for name, one in series.of(run, place).items() if len(one)}
    if not found:
        raise NothingToCompare("run %s has no metric by step." % word, "see: prov show %s" % word)
    return Source(run.name or short(run.id), found, run)


def _names(one: Source) -> str:
    names = list(one.curves)
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")


def _only(old: Source, new: Source, pairs: Mapping[str, str]) -> list[str]:
    """Return sentences on curves that are paired by another name, or not at all."""
    told = ["%s is held against %s" % (a, b) for a, b in pairs.items() if a != b]
    taken = set(pairs.values())
    for one, left in (
        (old, [name for name in old.curves if name not in pairs]),
        (new, [name for name in new.curves if name not in taken]),
    ):
        if left:
            more = ", ..." if len(left) > 6 else ""
            told.append("only in %s: %s%s" % (one.label, ", ".join(left[:6]), more))
    return told


def write_svg(path: str, found: CurveDiff) -> int:
    """Write the plot to ``path``; return the number of metrics in it. Raises `ProvError`."""
    panels = found.panels()
    if not panels:
        raise NothingToCompare("there is no curve to draw in both.", "see: prov show RUN metrics")
    labels = found.old.label, found.new.label
    title = "%s and %s: %s" % (*labels, found.summary)
    band = ""
    if found.alike is not None:
        what = "seeds" if found.alike.found else "runs"
        band = "spread of %d %s" % (len(found.alike.others) + 1, what)
    text = plot_svg.document(title, labels, panels, band)
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise SystemRefused("%s cannot be written: there is no folder %s." % (path, folder))
    files.write_atomic(path, text.encode("utf-8"))
    return len(panels)


def as_json(found: CurveDiff) -> dict[str, Any]:
    """Return the ``data`` member of ``prov diff --json`` for curves."""
    return {
        "verdict": found.verdict,
        "detail": found.summary,
        "exit_code": found.exit_code,
        "content": "curves",
        "reference": _source_json(found.old),
        "other": _source_json(found.new),
        "curves": [
            dict(codec.encode(one), new_name=found.names[one.name]) for one in found.results
        ],
        "alike": [one.id for one in found.alike.others] if found.alike else [],
        "notes": list(found.notes),
    }


def _source_json(one: Source) -> dict[str, Any]:
    run = one.run.id if one.run is not None else None
    return {"kind": "file" if run is None else "run", "given": one.label, "run": run}
