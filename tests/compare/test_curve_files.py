"""Curves out of the files that programs leave and people send."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare import curve, curve_files
from provenance.errors import BadRecord
from provenance.facets._series import Collected, Full


def read(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return curve_files.curves_of(str(path))


def test_a_table_gives_a_curve_per_column_by_its_finest_counter(tmp_path):
    found = read(
        tmp_path, "log.csv", "epoch,step,loss,val_loss\n0,10,2.5,\n0,20,2.0,2.2\n1,30,1.5,\n"
    )
    assert list(found) == ["loss", "val_loss"]
    loss = found["loss"]
    assert (list(loss.steps), list(loss.values)) == ([10, 20, 30], [2.5, 2.0, 1.5])
    assert (loss.axis, list(loss.epochs)) == ("step", [0, 0, 1])
    assert (list(found["val_loss"].steps), list(found["val_loss"].values)) == ([20], [2.2])


def test_a_table_by_epoch_and_one_without_any_counter(tmp_path):
    assert read(tmp_path, "a.csv", "epoch,acc\n1,0.5\n2,0.6\n")["acc"].axis == "epoch"
    plain = read(tmp_path, "b.csv", "acc\n0.5\n0.6\n")["acc"]
    assert (plain.axis, list(plain.steps)) == ("index", [0, 1])


def test_a_table_without_a_head_is_step_and_value(tmp_path):
    found = read(tmp_path, "c.csv", "1,0.5\n2,0.6\n")
    assert (list(found), list(found["value"].steps)) == (["value"], [1, 2])


def test_what_tensorboard_exports_as_csv(tmp_path):
    found = read(tmp_path, "t.csv", "Wall time,Step,Value\n1.7e9,0,0.5\n1.7e9,10,0.25\n")
    assert (list(found), list(found["Value"].steps)) == (["Value"], [0, 10])


def test_json_lines_of_rows_and_of_points(tmp_path):
    rows = '{"step": 1, "loss": 2}\nnot json\n{"step": 2, "loss": {"float": "nan"}, "note": "x"}\n'
    loss = read(tmp_path, "rows.jsonl", rows)["loss"]
    assert list(loss.steps) == [1, 2]
    assert math.isnan(loss.values[1])
    points = '{"name": "a", "step": 5, "value": 1}\n{"name": "b", "step": 5, "value": 2}\n'
    assert set(read(tmp_path, "points.jsonl", points)) == {"a", "b"}


def test_a_history_in_json(tmp_path):
    text = json.dumps({"loss": [3.0, 2.0], "val_loss": [3.5, 2.5]})
    assert list(read(tmp_path, "history.json", text)["loss"].values) == [3.0, 2.0]


def test_steps_out_of_order_and_again_are_put_right_and_counted(tmp_path):
    one = read(tmp_path, "x.csv", "step,loss\n3,1\n1,3\n2,2\n3,9\n")["loss"]
    assert (list(one.steps), list(one.values), one.repeated) == ([1, 2, 3], [3, 2, 9], 1)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_long_table_is_read_by_numpy_to_the_same_effect(tmp_path, gaps):
    rows = ["%d,%r,%s" % (n, n / 7, "" if gaps and n % 3 else n * 2) for n in range(9000)]
    text = "step,loss,acc\n" + "\n".join(rows) + "\n"
    found = read(tmp_path, "long.csv", text)
    path = str(tmp_path / "long.csv")
    slow = curve_files._of_rows(
        curve_files._csv_rows(path, ",", ["step", "loss", "acc"], skip=True)
    )
    assert found == slow
    assert len(found["acc"]) == (3000 if gaps else 9000)


def test_a_records_own_points_are_read_whole(tmp_path):
    full = Full(str(tmp_path / "metrics.jsonl"))
    one, other = Collected(full, "a.csv"), Collected(full, 'odd "file", "step": ')
    for step in range(5000):
        one.add("loss", step, math.nan if step == 4000 else 1 / (step + 1))
        other.add("loss", step, -math.inf if step == 4000 else step)
        other.add('a "name", "value": 3', step, step)
    full.close()
    found = curve_files.curves_of(str(tmp_path / "metrics.jsonl"))
    assert list(found) == ["loss", 'odd "file", "step": /loss', 'a "name", "value": 3']
    assert len(found["loss"]) == 5000
    assert math.isnan(found["loss"].values[4000])
    assert found['odd "file", "step": /loss'].values[4000] == -math.inf


def test_tensorboard_event_files(tmp_path):
    board = pytest.importorskip("tensorboardX", reason="writes the files")
    with board.SummaryWriter(str(tmp_path / "tb")) as writer:
        for step in range(3):
            writer.add_scalar("loss", step / 2, step)
    assert list(curve_files.curves_of(str(tmp_path / "tb"))["loss"].values) == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "", "holds no curve"),
        ("a.csv", "name,kind\nx,y\n", "holds no curve"),
        ("a.csv", "1,2,3\n4,5,6\n", "has no head"),
        ("a.csv", "x,x\n4,5\n", "equal names"),
        ("a.json", "{", "is not readable JSON"),
        ("a.jsonl", "{}\n", "holds no curve"),
        ("a.tfevents.1", "x", "ends in the middle"),
    ],
)
def test_what_holds_no_curve_says_so_in_a_sentence(tmp_path, name, text, said):
    with pytest.raises(BadRecord, match=said):
        read(tmp_path, name, text)
    with pytest.raises(BadRecord, match="cannot be read"):
        curve_files.curves_of(str(tmp_path / "none.csv"))


@given(st.text(max_size=200), st.sampled_from([".csv", ".jsonl", ".json", ".tfevents"]))
def test_no_text_does_harm(tmp_path_factory, text, suffix):
    path = tmp_path_factory.mktemp("any") / ("x" + suffix)
    path.write_text(text, encoding="utf-8")
    try:
        found = curve_files.curves_of(str(path))
    except BadRecord:
        return
    for one in found.values():
        assert len(one.steps) == len(one.values) > 0
        assert all(a < b for a, b in zip(one.steps, one.steps[1:], strict=False))


VALUES = st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none(), st.booleans())


@given(st.lists(st.tuples(VALUES, VALUES)))
def test_any_points_make_a_curve_in_order(points):
    one = curve.of_points("x", [{"step": a, "value": b} for a, b in points])
    steps = list(one.steps)
    assert steps == sorted(set(steps))
    assert len(one) + one.repeated + one.left_out == len(points)
