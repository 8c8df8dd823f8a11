"""Where two runs part, told from values: series, lines, fingerprints, checkpoints, their order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare import (
    parting,
    parting_checkpoints,
    parting_hints,
    parting_log,
    parting_marks,
    parting_series,
)
from provenance.compare.parting import CAUSE, LOG, RESULTS, SERIES, Station
from provenance.compare.parting_checkpoints import Inside
from provenance.compare.tolerance import DEFAULT
from provenance.core.paths import PathRef
from provenance.facets._entries import FileEntry
from provenance.facets._loglines import of_text
from provenance.facets.fingerprints import Fingerprint


def points(values, first=0):
    return [{"step": step, "value": value} for step, value in enumerate(values, first)]


def series(old, new, whole=True):
    return parting_series.apart("loss", points(old), points(new), DEFAULT, whole)


def log(old, new, said=()):
    return parting_log.compare(of_text(old), of_text(new), DEFAULT, said)


def saved(path, digest, kind="checkpoint"):
    return FileEntry(PathRef("repo", path), kind, 1, {"sha256": digest})


def mark(name, *calls, value=None, places=(), steps=()):
    chain = "/".join(calls)
    where = "train.py:3"
    return Fingerprint(name, where, value or {}, calls, len(calls), chain, places, steps)


def model(**digests):
    return {"parts": {name: {"digest": {"sha256": one}} for name, one in digests.items()}}


# --- series --------------------------------------------------------------------------------------


def test_the_first_step_apart_has_the_last_equal_step_before_it():
    found = series([1.0, 0.5, 0.25], [1.0, 0.5, 0.3])
    assert (found.step, found.old, found.new, found.before) == (2, 0.25, 0.3, 1)
    assert parting_series.station([found]).parted.startswith("equal up to step 1; loss parts at")


def test_rounding_before_the_step_is_remembered_and_hinted_at():
    found = series([1.0, 0.5, 0.25], [1.0, 0.5 + 5e-8, 0.3])
    assert found.unequal == (1, pytest.approx(1e-7, rel=0.01))
    told = parting_series.station([found])
    assert parting_hints.hints([told])[0].startswith(
        "the series differ from step 1 on by a relative 1e-07: the size of rounding, as sums in"
    )


def test_a_series_that_ends_early_parts_where_it_ends():
    found = parting_series.station([series([1.0, 0.5, 0.2], [1.0, 0.5])])
    assert found.parted == "equal up to step 1; step 2 of loss only in the first run"
    assert "3 points, then 2" in parting_hints.hints([found])[0]
    other = parting_series.station([series([1.0], [1.0, 0.5])])
    assert other.parted == "equal up to step 0; step 1 of loss only in the second run"


def test_points_that_a_thinned_series_left_out_are_no_difference():
    assert series([1.0, 0.5, 0.2], [1.0, 0.5], whole=False).step is None


def test_nan_in_both_is_equal_and_in_one_is_named():
    assert series([1.0, math.nan], [1.0, math.nan]).step is None
    found = parting_series.station([series([1.0, math.nan], [1.0, 2.0])])
    assert found.parted == "equal up to step 0; NaN from step 1 in loss of the first run"


def test_of_several_series_the_earliest_counts_and_training_comes_first():
    found = [
        one._replace(name=name)
        for name, one in (
            ("val/loss", series([1.0, 1.0], [1.0, 2.0])),
            ("acc", series([1.0, 1.0], [1.0, 2.0])),
            ("train/loss", series([1.0, 1.0], [1.0, 2.0])),
            ("late", series([1.0, 1.0, 1.0], [1.0, 1.0, 2.0])),
        )
    ]
    told = parting_series.station(found)
    assert told.figures["name"] == "train/loss"
    assert told.figures["at_the_same_step"] == ["acc", "val/loss"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.data())
def test_a_changed_value_is_found_at_its_step(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = [*values[:place], values[place] + abs(values[place]) + 1, *values[place + 1 :]]
    found = series(values, other)
    assert found.step == place
    assert found.before == (place - 1 if place else None)


# --- what was printed ----------------------------------------------------------------------------


def test_the_first_line_that_differs_is_told_with_the_step_before_it():
    found = log("a\nstep 3 loss 0.5\nrows 10\n", "a\nstep 3 loss 0.5\nrows 9\n")
    assert found.numbers == (3, 3)
    assert (found.step, found.compared) == (3, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("took 1.2 s\n", "took 3.4 s\n"),
        ("2026-01-02 10:11:12 start\n", "2026-01-03 11:12:13 start\n"),
        ("epoch 1 time 0.31\n", "epoch 1 time 0.45\n"),
        ("loss 0.50000001\n", "loss 0.5\n"),
        (" 10%|#  | 1/10\r 50%|## | 5/10\nend\n", " 20%|#  | 2/10\nend\n"),
        ("end\n", "\n\nend\n"),
    ],
)
def test_times_rounding_bars_and_empty_lines_do_not_count(old, new):
    assert isinstance(log(old, new), int)


def test_a_line_that_only_tells_a_parameter_that_differs_does_not_count():
    text = "Namespace(lr=%s, seed=1)\nloss %s\n"
    assert log(text % (0.1, 0.5), text % (0.2, 0.5), [(0.1, 0.2)]) == 2
    assert log(text % (0.1, 0.5), text % (0.2, 0.4), [(0.1, 0.2)]).numbers == (2, 2)
    assert log(text % (0.1, 0.5), text % (0.3, 0.5), [(0.1, 0.2)]).numbers == (1, 1)


def test_one_log_that_goes_on_differs_at_its_next_line():
    found = log("a\n", "a\nb\n")
    assert found.numbers == (None, 2)
    assert parting_log.station(found).detail == "line 2: nothing more, then 'b'"


def test_an_epoch_in_the_log_is_no_step_of_a_series():
    text = "epoch 1 x\nepoch 2 %s\n"
    found = log(text % "y", text % "z")
    assert parting_log.station(found, [0, 1, 2]).moment == 2
    assert parting_log.station(found, [0, 100, 200]).moment == 200  # not known: after the series


# --- fingerprints --------------------------------------------------------------------------------


def test_the_first_part_in_the_order_of_the_model_is_named():
    old, new = model(a="1", b="2", c="3"), model(a="1", b="x", c="y")
    found = parting_marks.stations([mark("init", "o", value=old)], [mark("init", "n", value=new)])
    assert found[0].figures["part"] == "b"
    assert "first in b (2 of 3 parts differ)" in found[0].detail


def test_the_order_of_the_value_counts_before_that_of_the_alphabet():
    old, new = (dict(model(bias=one, weight=one), order=["weight", "bias"]) for one in "12")
    assert parting_marks.first_part(old, new) == ("weight", 2, 2)


def test_parts_inside_parts_have_their_full_name():
    old, new = ({"parts": {"fc1": model(weight=one)}} for one in "12")
    assert parting_marks.first_part(old, new) == ("fc1.weight", 1, 1)


def test_a_name_with_one_call_less_says_both_counts():
    found = parting_marks.stations([mark("batch", "1", "2", "3")], [mark("batch", "1", "2")])
    assert found[0].detail == "marked 3 times, then 2 times"


def test_a_name_marked_once_a_step_has_the_step_of_the_series():
    found = parting_marks.stations(
        [mark("batch", "1", "2", "3")], [mark("batch", "1", "x", "y")], [[10, 20, 30]]
    )
    assert (found[0].step, found[0].moment) == (20, 20)


def test_a_call_after_the_last_of_the_first_run_has_no_step():
    found = parting_marks.stations([mark("batch", "1")], [mark("batch", "1", "2")], [[10]])
    assert found[0].step is None


def test_logged_steps_and_places_order_the_fingerprints():
    old = [
        mark("batch", "1", "2", places=(0, 2), steps=(None, 5)),
        mark("weights", "1", "2", places=(1, 3), steps=(None, 5)),
    ]
    new = [one._replace(calls=("1", "x"), chain="x") for one in old]
    found = parting.ladder(reversed(parting_marks.stations(old, new)))
    assert [one.name for one in found] == ["fingerprint batch", "fingerprint weights"]
    assert [one.step for one in found] == [5, 5]
    later = Station("series", SERIES, "different", "", (), 6.0)
    sooner = Station("series", SERIES, "different", "", (), 5.0)
    assert parting.first_seen(parting.ladder([*found, later])).name == "fingerprint batch"
    assert parting.first_seen(parting.ladder([*found, sooner])).name == "series"


def test_the_same_values_in_another_order_look_like_that():
    summary = {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.1}
    values = [
        {"digest": {"sha256": one}, "shape": [8, 3], "summary": dict(summary, mean=mean)}
        for one, mean in (("1", 0.5), ("2", 0.5 + 1e-9))
    ]
    found = parting_marks.stations(
        *([mark("x", value["digest"]["sha256"], value=value)] for value in values)
    )
    assert "the same values in another order" in parting_hints.hints(found)[0]


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("out/ckpt_10.pt", 10),
        ("checkpoint-500/model.safetensors", 500),
        ("runs/step=200/model.npz", 200),
        ("epoch=3-val_loss=0.34.ckpt", 3),
        ("resnet50_epoch_7.pth", 7),
        ("model_v2_ckpt_12.pt", 12),
        ("weights.0040.h5", 40),
        ("checkpoints/300/model.npz", 300),
        ("best.pt", None),
        ("resnet50.pth", None),
        ("runs/2026-01-02/best.pt", None),
        ("loss_0.34.pt", None),
    ],
)
def test_the_step_in_a_checkpoints_name(path, step):
    assert parting_checkpoints.step_of(path) == step


def test_checkpoints_are_matched_by_step_also_in_folders_of_their_own():
    old = [saved("a/ckpt_%d.pt" % n, "same" if n < 30 else "x") for n in (20, 100, 30, 10)]
    new = [saved("b/ckpt_%d.pt" % n, "same" if n < 30 else "y") for n in (10, 20, 30, 100)]
    found, alone = parting_checkpoints.pairs(old, new)
    assert [(one.step, one.same) for one in found] == [
        (10, True), (20, True), (30, False), (100, False),
    ]  # fmt: skip
    assert alone == 0


def test_other_bytes_with_equal_tensors_are_equal():
    found, _ = parting_checkpoints.pairs([saved("c_1.pt", "x")], [saved("c_1.pt", "y")])
    told = parting_checkpoints.station(found, 0, [(found[0], Inside("same"))])
    assert (told.verdict, told.detail) == ("same", "other bytes in 1, equal tensors")


def test_checkpoints_that_were_not_read_are_not_called_equal():
    names = ["c_%d.pt" % n for n in range(9)]
    found, _ = parting_checkpoints.pairs(
        [saved(name, "x") for name in names], [saved(name, "y") for name in names]
    )
    looked = [(one, Inside("same")) for one in found[:8]]
    told = parting_checkpoints.station(found, 0, looked)
    assert (told.verdict, told.detail) == ("not compared", "1 more with other bytes were not read")


# --- the whole -----------------------------------------------------------------------------------

CAUSES = [
    Station("code", CAUSE, "same", compared=1, unit="files"),
    Station("data", CAUSE, "same", compared=3, unit="files"),
    Station("seeds", CAUSE, "not compared", "none were recorded"),
]


def test_what_could_not_be_compared_is_never_among_what_is_equal():
    lines = log("a\n", "b\n")
    found = parting.parting([*CAUSES, parting_log.station(lines)])
    assert found.sentence == (
        "parted at line 1 of the log: code and data (3 files) equal; line 1: 'a', then 'b'"
    )
    assert found.at == "log"


def test_only_the_results_differ():
    end = Station("results", RESULTS, "different", "x", parted="the results differ (x)")
    way = Station("log", LOG, "same", compared=4, unit="log lines")
    found = parting.parting([*CAUSES, way, end])
    assert found.sentence.startswith(
        "equal in everything recorded before the end, only the results differ (x): "
    )
    assert "sums in another order" in parting_hints.hints(found.stations)[0]


def test_causes_that_differ_without_any_effect_are_said():
    cause = Station("parameters", CAUSE, "different", "log_every 1 -> 2")
    way = Station("log", LOG, "same", compared=4, unit="log lines")
    found = parting.parting([*CAUSES, cause, way])
    assert found.at is None
    assert found.sentence == (
        "they were not seen to part, though causes differ: parameters log_every 1 -> 2; "
        "equal in 4 log lines"
    )


def test_nothing_to_compare_is_said():
    assert parting.parting(CAUSES).sentence.startswith("not known where they part")
