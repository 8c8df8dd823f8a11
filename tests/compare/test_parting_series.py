"""The first step at which two series part."""

from __future__ import annotations

from provenance.compare.parting_series import apart, station
from provenance.compare.tolerance import DEFAULT
from provenance.core.verdict import DIFFERENT


def _points(first: int, last: int, offset: float = 0.0) -> list[dict[str, float]]:
    return [{"step": step, "value": 1 / (1 + step) + offset} for step in range(first, last)]


def test_a_series_that_begins_later_is_compared_where_both_have_steps() -> None:
    found = apart("loss", _points(0, 60), _points(40, 60, 0.5), DEFAULT)
    assert (found.step, found.compared) == (40, 1)
    assert station([found], recorded=True).verdict == DIFFERENT


def test_a_series_that_begins_later_and_is_equal_from_there_lacks_its_beginning() -> None:
    for old, new in ((_points(0, 60), _points(40, 60)), (_points(40, 60), _points(0, 60))):
        found = apart("loss", old, new, DEFAULT)
        assert (found.step, found.compared) == (0, 20)


def test_series_without_a_step_in_common_are_not_compared() -> None:
    found = apart("loss", _points(0, 20), _points(40, 60), DEFAULT)
    assert not found.compared
