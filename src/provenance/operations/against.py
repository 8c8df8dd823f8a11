"""The recorded curves that a run is held against while it goes on, and how it lay to them.

A reference is a run (recorded here or published in a lock) or a file with curves. The record of the
run keeps under the member ``against`` what it was held against, and the last state.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from provenance.compare import tracking
from provenance.compare.band import LEAST, Band
from provenance.compare.tracking import Track
from provenance.config import Settings
from provenance.core import runid
from provenance.core.record import Payload, Record
from provenance.core.redact import Redactor
from provenance.errors import NoSuchRun, NothingToCompare
from provenance.facets import metrics
from provenance.store import project

MEMBER = "against"
RUN, FILE = "run", "file"

Curves = Mapping[str, Sequence[tuple[float, float]]]


class Reference(NamedTuple):
    """One thing that a run is held against.

    kind: "run" or "file". label: for people, 'baseline' or a file's name. id: of the run. place:
    the path of the file as it was given. curves: points by name.
    """

    kind: str
    label: str
    curves: Curves
    id: str = ""
    place: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what the record keeps of it."""
        told = {"kind": self.kind, "label": self.label, "id": self.id, "path": self.place}
        return {name: text for name, text in told.items() if text}


def resolve(names: Sequence[str], cwd: str) -> tuple[Reference, ...]:
    """Return what ``names`` mean: runs, locks with one run, files. Raises `ProvError`."""
    return tuple(_resolved(name, cwd) for name in names)


def _resolved(name: str, cwd: str) -> Reference:
    path = os.path.join(cwd, name)
    found = _of_file(name, path) if _is_file(name, path) else None
    if found is None:
        from provenance.operations import references

        try:
            known = references.choose(name, project.find(cwd), cwd)
        except NoSuchRun as error:
            if os.path.splitext(name)[1] or os.sep in name:
                text = "there is no file and no run %s to compare with." % name
                raise NoSuchRun(text, "prov ls lists the runs") from error
            raise
        if len(known) > 1:
            some = ", ".join(one.record.name or runid.short(one.record.id) for one in known[:5])
            hint = "name one: --against %s" % (known[0].record.name or known[0].record.id)
            raise NothingToCompare("%s holds %d runs: %s." % (name, len(known), some), hint)
        found = of_run(known[0].record)
    if not any(len(points) >= LEAST for points in found.curves.values()):
        text = "%s has no curve: no metric with at least %d values." % (name, LEAST)
        raise NothingToCompare(text, "prov show RUN metrics tells what a run has")
    return found


def _is_file(name: str, path: str) -> bool:
    return os.path.exists(path) and not name.endswith(".lock") and not _is_run_name(name)


def _is_run_name(name: str) -> bool:
    return name.startswith("@")


def of_run(run: Record) -> Reference:
    """Return a recorded run as a reference."""
    known = metrics.of(run)
    series = known.series if known is not None else {}
    curves = {
        name: [(one["step"], one["value"]) for one in points if _plain(one)]
        for name, points in series.items()
    }
    return Reference(RUN, run.name or runid.short(run.id), curves, id=run.id)


def _plain(point: Mapping[str, Any]) -> bool:
    return all(
        isinstance(point[part], (int, float)) and not isinstance(point[part], bool)
        for part in ("step", "value")
    )


def _of_file(name: str, path: str) -> Reference:
    """Return the curves in a file or a folder of TensorBoard as a reference."""
    from provenance.compare import curve_files

    curves = {
        key: list(zip(one.steps, one.values, strict=True))
        for key, one in curve_files.curves_of(path).items()
    }
    return Reference(FILE, os.path.basename(path.rstrip(os.sep)), curves, place=name)


def of_record(run: Record, cwd: str) -> tuple[Reference, ...]:
    """Return what a run was started to be held against. Raises `ProvError`."""
    kept = run.extra.get(MEMBER)
    known = kept.get("references", ()) if isinstance(kept, dict) else ()
    return resolve([str(one.get("id") or one.get("path")) for one in known], cwd)


def member(
    references: Sequence[Reference], answer: Payload | None, settings: Settings, redact: Redactor
) -> dict[str, Any]:
    """Return what the record keeps: of a run that has ended with how it lay to the references.

    answer: the metrics in its record, None while it goes on.
    """
    told: dict[str, Any] = {"references": [one.to_json() for one in references]}
    for one in told["references"]:
        one.update((name, redact.text(text)) for name, text in one.items())
    if answer is not None:
        try:
            tracks = at_the_end(references, answer, settings)
            told["state"] = tracking.overall(tracks)
            told["metrics"] = {name: as_json(one) for name, one in tracks.items()}
            if not tracks:
                told["note"] = redact.text(_unpaired(references, _series(references, answer)))
        except (ValueError, ArithmeticError, LookupError) as error:
            told["note"] = "was not judged: %s" % type(error).__name__
    return {MEMBER: told}


def at_the_end(
    references: Sequence[Reference], answer: Payload, settings: Settings
) -> dict[str, Track]:
    """Return how a run that has ended lies to ``references``. answer: the metrics in its record."""
    series = _series(references, answer)
    return tracking.follow_all(known_bands(references, settings.rtol, settings.atol), series)


def _series(references: Sequence[Reference], answer: Payload) -> dict[str, Any]:
    """Return a run's points by name, but for those of a file that it is held against.

    Such a file may be written by others meanwhile, and then counts as one that the run changed.
    """
    foreign = {os.path.normpath(one.place) for one in references if one.place}
    series = {}
    for subject in answer.subjects:
        known = metrics.of_payload(subject.payload)
        for name, points in known.series.items():
            source = known.sources.get(name, "")
            if source in foreign or any(source.endswith("/" + one) for one in foreign):
                continue
            series[name] = [(one["step"], one["value"]) for one in points if _plain(one)]
    return series


def _unpaired(references: Sequence[Reference], series: Mapping[str, Any]) -> str:
    """Return the clause on two sides that have no metric of one name."""
    theirs = list(dict.fromkeys(name for one in references for name in one.curves))
    sides = [", ".join(names[:4]) or "nothing by step" for names in (theirs, list(series))]
    return "nothing to compare: no metric of one name; it has %s, this run %s" % (*sides,)


def known_bands(
    references: Sequence[Reference], rtol: float | None, atol: float | None
) -> dict[str, Band]:
    """Return the bands around ``references``; a tolerance of None was not chosen."""
    return tracking.bands([one.curves for one in references], rtol or 0.0, atol or 0.0)


def as_json(track: Track) -> dict[str, Any]:
    """Return a track as it is kept and told to programs: without what says nothing."""
    return {
        name: value
        for name, value in track._asdict().items()
        if value is not None and value != "" and value is not False
    }


def tracks_of(run: Record) -> dict[str, Track] | None:
    """Return how a run lay to its references at its end; None where it had none."""
    kept = run.extra.get(MEMBER)
    if not isinstance(kept, dict) or not isinstance(kept.get("metrics"), dict):
        return None
    from provenance.core import canonical

    found = {}
    for name, one in kept["metrics"].items():
        fields = {key: canonical.number(one[key]) for key in Track._fields if key in one}
        if fields.get("state") in tracking.STATES:
            found[str(name)] = Track(**fields)
    return found


def labels(references: Sequence[Mapping[str, Any]] | Sequence[Reference]) -> str:
    """Return the references in words: 'baseline', or 'baseline' and 4 more."""
    names = [one["label"] if isinstance(one, Mapping) else one.label for one in references]
    first = "'%s'" % names[0] if names else ""
    return first if len(names) < 2 else "%s and %d more" % (first, len(names) - 1)


def told(run: Record) -> list[str]:
    """Return how a run lay to what it was held against, in lines; empty where it was to nothing."""
    from provenance.operations import _live_texts

    kept = run.extra.get(MEMBER)
    if not isinstance(kept, dict):
        return []
    known = [one for one in kept.get("references", ()) if isinstance(one, dict) and "label" in one]
    label = labels(known)
    if "state" not in kept and "note" not in kept:
        return ["%s: not judged: the run has not ended" % label]
    return _live_texts.lines(kept, tracks_of(run) or {}, label, len(known))
