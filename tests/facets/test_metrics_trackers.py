"""Numbers in what TensorBoard and experiment trackers leave: files that the real ones wrote."""

from __future__ import annotations

import math
import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import record
from provenance.facets import _protobuf, _tensorboard, _wandb, metrics
from provenance.facets._series import Collected, Full
from tests.facets._runs import ran

DATA = Path(__file__).parent / "data" / "metrics"


def events(path: Path) -> tuple[dict[str, list[Any]], list[str]]:
    into, notes = Collected(Full(None), ""), []  # type: ignore[var-annotated]
    _tensorboard.read([str(path)], into, notes)
    return points(into), notes


def points(into: Collected) -> dict[str, list[Any]]:
    return {name: [tuple(p) for p in one.points()] for name, one in into.series.items()}


def wrote(folder: Path, **files: Path | str) -> dict[str, Any]:
    """Let a run write copies of these files; return its metrics. Names: ``__`` for a slash."""
    named = {name.replace("__", "/").replace("_dot_", "."): str(f) for name, f in files.items()}
    program = (
        "import os, shutil\nfor n, f in %r.items():\n"
        "    os.makedirs(os.path.dirname(n) or '.', exist_ok=True)\n"
        "    shutil.copyfile(f, n)" % named
    )
    answer = metrics.capture(ran(folder, program))
    assert answer.status == record.CAPTURED, answer.reason
    payload = dict(answer.subjects[0].payload)
    payload["notes"] = answer.notes
    return payload


def test_scalars_of_three_writers() -> None:
    found, notes = events(DATA / "torch.tfevents")
    assert (set(found), notes) == ({"Loss/train", "Loss/val"}, [])
    assert found["Loss/val"] == [(0, 2.0), (1, 1.0), (2, 0.6666667), (3, 0.5), (4, 0.4)]
    found, _ = events(DATA / "tensorflow.tfevents")
    assert set(found) == {"epoch_loss", "lr"}
    assert found["lr"] == [(step, 0.1) for step in range(5)]
    found, _ = events(DATA / "tensorboardx.tfevents")
    assert found["loss"][-1] == (4, 0.2)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_of_a_file_cut_off_the_beginning_is_read(tmp_path: Path, kept: float) -> None:
    whole = (DATA / "torch.tfevents").read_bytes()
    cut = tmp_path / "events"
    cut.write_bytes(whole[: int(len(whole) * kept)])
    found, notes = events(cut)
    assert notes == ["ends in the middle of a record"]
    every, _ = events(DATA / "torch.tfevents")
    assert all(every[name][: len(one)] == one for name, one in found.items())


def test_a_damaged_length_ends_the_reading(tmp_path: Path) -> None:
    data = bytearray((DATA / "tensorboardx.tfevents").read_bytes())
    first = struct.unpack("<Q", data[:8])[0] + 16
    data[first] ^= 1
    (tmp_path / "events").write_bytes(data)
    assert events(tmp_path / "events") == ({}, ["is damaged: what follows was not read"])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("e") / "run.wandb"
    path.write_bytes(data)
    events(path)
    path.write_bytes((DATA / "run.wandb").read_bytes()[:7] + data)
    _wandb.read(str(path), Collected(Full(None), ""), [])


@settings(max_examples=200, deadline=None)
@given(st.floats(width=32))
def test_single_precision_comes_back_exactly(value: float) -> None:
    data = struct.pack("<f", value)
    back = _protobuf.single(data)
    assert struct.pack("<f", back) == data or math.isnan(value)


def test_one_curve_that_two_writers_logged_is_kept_once(tmp_path: Path) -> None:
    found = wrote(
        tmp_path,
        logs__train__events_dot_out_dot_tfevents_dot_1=DATA / "tensorflow.tfevents",
        logs__x__events_dot_out_dot_tfevents_dot_2=DATA / "tensorboardx.tfevents",
    )
    assert found["final"] == {"epoch_loss": 0.2, "lr": 0.1}
    assert [one["name"] for one in found["others"]["epoch_loss"]] == ["loss"]
    assert found["sources"]["lr"].startswith("logs/train/")


def test_wandb_comet_clearml_and_the_trainer(tmp_path: Path) -> None:
    found = wrote(tmp_path / "w", **{"wandb__r__run-x.wandb": DATA / "run.wandb"})
    assert found["final"] == {"train/loss": 0.2, "nested/acc": 0.4, "best": 0.5}
    assert [p["step"] for p in found["series"]["train/loss"]] == list(range(5))
    found = wrote(tmp_path / "c", run_dot_zip=DATA / "comet.zip")
    assert found["final"] == {"train_loss": 1 / 3, "accuracy": 0.9}
    found = wrote(tmp_path / "m", **{"offline-1__metrics.jsonl": DATA / "clearml.jsonl"})
    assert found["final"] == {"loss/train": 1 / 3, "final acc": 0.9}
    state = DATA / "trainer_state.json"
    names = ("out__trainer_state.json", "out__checkpoint-8__trainer_state.json")
    found = wrote(tmp_path / "h", **dict.fromkeys(names, state))
    assert set(found["sources"].values()) == {"out/trainer_state.json"}
    assert len(found["series"]["loss"]) == 4
    assert "eval_runtime" in found["timings"]


MLFLOW = (
    "create table runs (run_uuid, name, start_time)",
    "create table metrics (key, value, timestamp, run_uuid, step, is_nan)",
    "create table latest_metrics (key, value, timestamp, step, is_nan, run_uuid)",
    "insert into runs values ('a', 'old', 1), ('b', 'new', 2)",
    "insert into metrics values ('rmse', 9.0, 5, 'a', 0, 0)",
    "insert into metrics values ('rmse', 0.5, %(now)d, 'b', 0, 0)",
    "insert into metrics values ('rmse', 0.25, %(now)d, 'b', 1, 0)",
    "insert into metrics values ('r2', 0.0, %(now)d, 'b', 0, 1)",
)


def test_of_an_mlflow_database_what_this_run_wrote_is_read(tmp_path: Path) -> None:
    program = "import sqlite3, time\nc = sqlite3.connect('mlflow.db')\n" + "".join(
        "c.execute(%r %% {'now': time.time() * 1000})\n" % line for line in MLFLOW
    )
    context = ran(tmp_path, program + "c.commit(); c.close()")
    began = float((Path(str(context.run_dir)) / "marker").read_text()) / 1e9
    found = metrics.capture(context._replace(started=began)).subjects[0].payload
    assert found["final"] == {"rmse": 0.25, "r2": {"float": "nan"}}
    assert [p["value"] for p in found["series"]["rmse"]] == [0.5, 0.25]
    assert sqlite3.connect(tmp_path / "mlflow.db").execute("select 1").fetchone() == (1,)


def test_mlflow_folders_dvclive_and_sacred(tmp_path: Path) -> None:
    run, live = "mlruns/0/abc", "dvclive/plots/metrics"
    texts = {
        run + "/meta.yaml": "run_id: abc\n",
        run + "/metrics/val/r2": "17 0.5 0\n18 nan 1\n",
        run + "/metrics/rmse": "17 0.25 3\n",
        live + "/train/loss.tsv": "step\tloss\n0\t1.0\n1\t0.5\n",
        "dvclive/metrics.json": '{"train": {"loss": 0.5}, "step": 1}',
        "sacred/1/metrics.json": '{"training.loss": {"steps": [1, 3], "values": [2.5, 0.75], '
        '"timestamps": ["a", "b"]}}',
    }
    program = (
        "import os\nfor n, t in %r.items():\n"
        "    os.makedirs(os.path.dirname(n), exist_ok=True)\n    open(n, 'w').write(t)" % texts
    )
    found = metrics.capture(ran(tmp_path, program)).subjects[0].payload
    assert found["final"] == {
        "train/loss": 0.5,
        "rmse": 0.25,
        "val/r2": {"float": "nan"},
        "training.loss": 0.75,
    }
    assert found["series"]["training.loss"] == [
        {"step": 1, "value": 2.5},
        {"step": 3, "value": 0.75},
    ]
    assert len(found["series"]["train/loss"]) == 2
