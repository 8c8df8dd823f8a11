"""What a rehearsal that found nothing folds, and what it must not fold."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.compare.tape import CUT_OFF, DONE, Tape
from provenance.core.record import Record, captured
from provenance.core.verdict import Finding, Reason
from provenance.operations import _checked


def finding(**more: Any) -> Finding:
    made = Finding("packages", "python", "version", "toy", "possible", old="1.0", new="2.0")
    return made._replace(**more)


def record(**facets: Any) -> Record:
    return Record(
        id="r",
        command=("python",),
        cwd=None,
        status="done",
        started="",
        facets=facets,  # type: ignore[arg-type]
    )


CURATED = Reason("L1", "fit(tol)", where=("a.py:2",), effect="known")
READ = Reason("L2", "fit(k)", where=("a.py:2", "a.py:3"), effect="possible")


@pytest.mark.parametrize(
    ("old", "new", "folds"),
    [
        (Tape(end=DONE), Tape(end=DONE), ("L1", "L2")),
        (Tape(end=DONE, rows=2000), Tape(end=DONE), ("L2",)),
        (Tape(end=DONE, loops=((1, 0, 3),)), Tape(end=DONE), ("L2",)),
        (Tape(end=DONE), Tape(end=CUT_OFF), ()),
        (Tape(end=DONE), Tape(end=DONE, failed=((3, "ValueError"),)), ()),
    ],
)
def test_which_levels_may_be_folded(old: Tape, new: Tape, folds: tuple[str, ...]) -> None:
    assert _checked.levels(old, new, record()) == folds


def test_a_gpu_that_the_run_had_folds_nothing() -> None:
    gpu = captured(1, {"gpus": [{"name": "A"}]})
    assert _checked.levels(Tape(end=DONE), Tape(end=DONE), record(hardware=gpu)) == ()


def test_only_reasons_all_of_whose_places_were_the_same_are_folded() -> None:
    given = [finding(effect="known", reasons=(CURATED, READ))]
    [one] = _checked.quieted(given, frozenset(["a.py:2"]), ("L1", "L2"))
    assert [r.effect for r in one.reasons] == ["unknown", "possible"]
    assert one.effect == "possible"
    [both] = _checked.quieted(given, frozenset(["a.py:2", "a.py:3"]), ("L1", "L2"))
    assert both.effect == "unknown"
    assert all(_checked.SAYS in reason.evidence for reason in both.reasons)
    [cut] = _checked.quieted(given, frozenset(["a.py:2", "a.py:3"]), ("L2",))
    assert [r.effect for r in cut.reasons] == ["known", "unknown"]
    assert _checked.CUT in cut.reasons[1].evidence
    assert _checked.quieted(given, frozenset(["a.py:2", "a.py:3"]), ()) == (given[0],)


def test_a_package_that_nothing_missed() -> None:
    gone = finding(kind="removed", name="six", effect="possible", new=None)
    imported = gone._replace(effect="broken", where=("a.py:1",))
    found = _checked.unneeded([gone, imported], frozenset(), True)
    assert [one.effect for one in found] == ["unknown", "broken"]
    assert _checked.unneeded([gone], frozenset(["six"]), True) == (gone,)
    assert "as far as" in _checked.unneeded([gone], frozenset(), False)[0].text
