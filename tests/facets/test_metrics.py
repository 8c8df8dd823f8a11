"""Numbers found in the files that a run wrote."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import record
from provenance.core.record import Payload
from provenance.facets import _metricfiles, _series, metrics
from provenance.facets._series import Collected, Full, Point, Series
from tests.facet_contract import a_record
from tests.facets._runs import ran


def written(folder: Path, **contents: str) -> Payload:
    """Let a run write these files (``_dot_`` stands for the dot) and return its metrics."""
    named = {name.replace("_dot_", "."): text for name, text in contents.items()}
    return write(folder, named)


def write(folder: Path, named: dict[str, str]) -> Payload:
    program = (
        "import os\nfor n, t in %r.items():\n"
        "    os.makedirs(os.path.dirname(n) or '.', exist_ok=True)\n"
        "    open(n, 'w', newline='').write(t)" % named
    )
    answer = metrics.capture(ran(folder, program))
    assert answer.status == record.CAPTURED
    return answer


def final(answer: Payload) -> dict[str, Any]:
    found: dict[str, Any] = answer.subjects[0].payload["final"]
    return found


def series(answer: Payload) -> dict[str, Any]:
    found = answer.subjects[0].payload["series"]
    return {n: [(p["step"], p["value"]) for p in points] for n, points in found.items()}


def test_leaves_of_json(tmp_path: Path) -> None:
    text = json.dumps(
        {"val": {"acc": 0.9, "n": 10, "ok": True, "best": "x.pt"}, "loss": [3, 2, 1.5], "e": []}
    )
    answer = written(tmp_path, out_dot_json=text)
    assert final(answer) == {"val/acc": 0.9, "val/n": 10, "loss": 1.5}
    assert series(answer) == {"loss": [(0, 3), (1, 2), (2, 1.5)]}
    assert answer.subjects[0].payload["sources"] == dict.fromkeys(
        ("val/acc", "val/n", "loss"), "out.json"
    )


def test_a_trainer_state_gives_series_by_step(tmp_path: Path) -> None:
    log = [{"step": 10, "loss": 1.0, "epoch": 0.1}, {"step": 20, "loss": 0.5}, {"eval_loss": 0.7}]
    answer = written(tmp_path, trainer_state_dot_json=json.dumps({"log_history": log}))
    assert series(answer)["loss"] == [(10, 1.0), (20, 0.5)]
    assert final(answer) == {"loss": 0.5, "eval_loss": 0.7}


def test_tables_with_steps_and_gaps(tmp_path: Path) -> None:
    text = "epoch,step,train_loss,val_loss,note\n0,5,1.5,,a\n0,10,1.25,0.9,b\n1,15,,nan,c\n"
    answer = written(tmp_path, version_0_dot_csv=text)
    assert series(answer) == {
        "train_loss": [(5, 1.5), (10, 1.25)],
        "val_loss": [(10, 0.9), (15, {"float": "nan"})],
    }
    assert final(answer)["val_loss"] == {"float": "nan"}
    viewed = metrics.of(a_record(tmp_path, {"metrics": answer}))
    assert viewed is not None
    assert math.isnan(viewed.final["val_loss"])
    assert metrics.compare(answer, answer).equal == 2


def test_tables_without_steps_need_a_telling_name(tmp_path: Path) -> None:
    rows = "loss,acc\n2,0.1\n1,0.2\n"
    answer = write(tmp_path, {"history.csv": rows, "predictions.csv": rows, "t.tsv": rows})
    assert series(answer) == {"loss": [(0, 2), (1, 1)], "acc": [(0, 0.1), (1, 0.2)]}
    assert set(answer.subjects[0].payload["sources"].values()) == {"history.csv"}


def test_a_table_of_results_by_name(tmp_path: Path) -> None:
    answer = written(tmp_path, results_dot_csv="model,acc,n\nresnet,0.9,5\nvgg, 0.8,5\n")
    assert final(answer) == {"resnet/acc": 0.9, "resnet/n": 5, "vgg/acc": 0.8, "vgg/n": 5}
    assert series(answer) == {}


def test_json_lines_and_flat_yaml(tmp_path: Path) -> None:
    lines = '{"step": 1, "loss": 2.0}\n\nnot json\n[1]\n{"step": 2, "loss": 1.0, "ok": false}\n{"st'
    yaml = "acc: 0.93  # best\nname: x\nn: 1_000\n nested: 3\nlist:\n  - 1\ninf: .inf\n"
    answer = write(tmp_path, {"train.jsonl": lines, "summary.yaml": yaml})
    assert series(answer) == {"loss": [(1, 2.0), (2, 1.0)]}
    assert final(answer) == {"loss": 1.0, "acc": 0.93, "n": 1000, "inf": {"float": "inf"}}


def test_names_take_the_file_only_where_two_files_collide(tmp_path: Path) -> None:
    one = json.dumps({"acc": 1, "a": 2})
    answer = write(tmp_path, {"train.json": one, "test.json": json.dumps({"acc": 3})})
    assert final(answer) == {"train/acc": 1, "a": 2, "test/acc": 3}
    answer = write(tmp_path, {"s0/m.json": '{"x": 1}', "s1/m.json": '{"x": 2}'})
    assert {n: v for n, v in final(answer).items() if "x" in n} == {"s0/m/x": 1, "s1/m/x": 2}


def test_settings_and_data_are_not_metrics(tmp_path: Path) -> None:
    named = {
        "config.json": '{"lr": 0.1}',
        "hparams.yaml": "lr: 0.1\n",
        "model_args.json": '{"n": 3}',
        "big.json": json.dumps({str(i): i for i in range(600)}),
        "points.csv": "x,y\n1,2\n",
        "matrix.csv": "1,2\n3,4\n",
    }
    assert final(write(tmp_path, named)) == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '"text"', "\ud800", "9" * 5000, '{"a": 1e999}', "nul\0l"]
)
def test_odd_files_cost_a_note_at_most(tmp_path: Path, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    program = "for s in ('json', 'jsonl', 'csv', 'yaml'): open('m_log.' + s, 'wb').write(%r)" % data
    answer = metrics.capture(ran(tmp_path, program))
    assert answer.status == record.CAPTURED
    json.dumps(answer.subjects[0].payload, allow_nan=False)


def test_files_too_large_are_said_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_metricfiles, "JSON_LIMIT", 10)
    answer = written(tmp_path, metrics_dot_json='{"acc": 0.123456}')
    assert final(answer) == {}
    assert answer.notes == ("metrics.json is larger than 0 MiB",)


def test_long_series_are_thinned_and_kept_in_full_beside_the_record(tmp_path: Path) -> None:
    program = (
        "out = open('log.csv', 'w'); out.write('step,loss,short\\n')\n"
        "for i in range(10000):\n"
        "    out.write('%d,%s,%s\\n' % (i, {4321: -5, 8765: 99}.get(i, i % 7), i if i < 9 else ''))"
    )
    context = ran(tmp_path, program)
    answer = metrics.capture(context)
    points = dict(series(answer)["loss"])
    assert len(points) <= _series.MOST
    assert (points[0], points[4321], points[8765], points[9999]) == (0, -5, 99, 9999 % 7)
    assert answer.subjects[0].payload["thinned"] == {"loss": 10000}
    assert len(series(answer)["short"]) == 9
    assert "metrics.jsonl" in answer.notes[0]
    assert context.run_dir is not None
    rows = [json.loads(line) for line in (Path(context.run_dir) / "metrics.jsonl").open()]
    assert [row["step"] for row in rows] == list(range(10000))
    assert {row["name"] for row in rows} == {"loss"}
    assert rows[4321] == {"file": "log.csv", "name": "loss", "step": 4321, "value": -5}


def test_comparing_finds_other_added_and_dropped_values(tmp_path: Path) -> None:
    first = written(tmp_path, m_dot_json='{"a": 1, "b": 2}')
    second = written(tmp_path, m_dot_json='{"a": 1.5, "c": 3}')
    found = metrics.compare(first, second).differences
    assert [(d.kind, d.name) for d in found] == [("value", "a"), ("removed", "b"), ("added", "c")]
    assert {d.effect for d in found} == {"unknown"}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats() | st.integers(-(10**9), 10**9), max_size=6000))
def test_a_series_keeps_its_ends_and_extremes_and_loses_no_point_on_the_way(
    values: list[float],
) -> None:
    one, spilled = Series(), []
    for step, value in enumerate(values):
        spilled += one.add(Point(step, value))
    points = one.points()
    assert len(points) <= _series.MOST
    assert [p.step for p in points] == sorted({p.step for p in points})
    assert all(p.value is values[p.step] for p in points)
    finite = [v for v in values if not (isinstance(v, float) and math.isnan(v))]
    if values:
        assert (points[0].step, points[-1].step) == (0, len(values) - 1)
    if finite:
        kept = [p.value for p in points if not (isinstance(p.value, float) and math.isnan(p.value))]
        assert (min(kept), max(kept)) == (min(finite), max(finite))
    if one.thinned:
        assert [p.step for p in spilled] == list(range(len(values)))
    else:
        assert len(points) == len(values)
        assert not spilled


NUMBERS = st.floats() | st.integers(-(10**15), 10**15)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_every_number_of_a_table_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["step", "a", "b"], *([i, *row] for i, row in enumerate(rows))])
    path = tmp_path_factory.mktemp("t") / "log.csv"
    path.write_text(text.getvalue())
    into = Collected(Full(None), "log.csv")
    reader = _metricfiles.reader_of(str(path))
    assert reader is not None
    assert reader(str(path), into) == {}
    for place, name in enumerate("ab"):
        found = [(p.step, repr(p.value)) for p in into.series[name].points()]
        assert found == [(step, repr(row[place])) for step, row in enumerate(rows)]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30) | NUMBERS.map(str))
def test_a_text_is_a_number_only_if_python_reads_it_as_one(text: str) -> None:
    found = _metricfiles.parsed_number(text)
    if found is not None and text.strip(" \t\r\n").lower().lstrip("+-") not in (
        "nan",
        ".nan",
        ".inf",
    ):
        assert float(text) == float(found) or math.isnan(found)
