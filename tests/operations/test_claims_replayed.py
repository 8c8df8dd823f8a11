"""Claims judged by replays: the newest decides, the range of several forgives, each is counted."""

import pytest

from provenance.compare._claim_numbers import printed
from provenance.compare.claims import FAILS, HOLDS, NOT_CHECKED, WITHIN, Claim
from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record, captured
from provenance.facets import metrics
from provenance.operations import _claims_replayed
from provenance.operations._claims_replayed import Replay
from provenance.operations.references import LOCK, Reference


def run_with(value):
    facets = {"metrics": captured(metrics.VERSION, metrics.Metrics({"acc": value}))}
    return Record("r", (), PathRef("repo", "."), record.DONE, "2026", name="a", facets=facets)


class Replays:
    """Stands for the replays of one run: receipts with these values, the newest first."""

    def __init__(self, values):
        self.known = tuple(
            Replay("r%d" % n, "2026", None, {"acc": value}) for n, value in enumerate(values)
        )

    def of(self, _):
        return self.known


ONE = Reference(run_with(91.7), LOCK, "prov.lock", lambda _: None)
CLAIM = Claim("c", run="a", metric="acc", value=printed("91.7"))


def choose(_):
    return (ONE,), ""


@pytest.mark.parametrize(
    ("values", "verdict", "good"),
    [
        ([], NOT_CHECKED, 0),
        ([91.7], HOLDS, 1),
        ([91.9], FAILS, 0),
        ([91.9, 91.5], WITHIN, 0),  # the printed number lies in their range
        ([91.9, 91.8], FAILS, 0),
        ([91.71, 95.0], HOLDS, 1),
        ([{"float": "nan"}], NOT_CHECKED, 0),
    ],
)
def test_the_newest_replay_decides_and_the_range_forgives(values, verdict, good):
    judged = _claims_replayed.judge(CLAIM, choose, Replays(values))
    assert judged.verdict == verdict, judged
    counted = _claims_replayed.counted(CLAIM, choose, Replays(values))
    assert counted.good == good
    if len(values) > 1:
        assert "2 replays: " in judged.detail


def test_a_stated_tolerance_counts_for_each():
    counted = _claims_replayed.counted(
        CLAIM._replace(tolerance="0.3"), choose, Replays([91.9, 91.5, 92.5])
    )
    assert str(counted) == "replayed by 3, 2 within tolerance"


def test_a_receipt_has_no_series():
    judged = _claims_replayed.judge(CLAIM._replace(at="best"), choose, Replays([91.7]))
    assert (judged.verdict, judged.detail) == (NOT_CHECKED, "receipts have last values only")
