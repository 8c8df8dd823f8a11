"""What a run says is read while it grows, and comes to the same as when it is read at the end."""

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.facets import _metricfiles, _metriclog, _tensorboard
from provenance.facets._growing import Board, Growing, Table
from provenance.facets._livemetrics import Live
from provenance.facets._series import Collected, Full

DATA = Path(__file__).parent / "data" / "metrics"


def pieces(data, seed, path):
    """Write ``data`` to ``path`` piece by piece; yield after each."""
    chance = random.Random(seed)
    with open(path, "wb") as stream:
        while data:
            size = chance.choice([1, 7, 40, 400])
            stream.write(data[:size])
            stream.flush()
            data = data[size:]
            yield


def points(collected):
    return {name: [tuple(p) for p in one.points()] for name, one in collected.series.items()}


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b)), seed=st.integers())
def test_each_whole_line_comes_once_and_in_order(tmp_path_factory, lines, seed):
    path = tmp_path_factory.mktemp("g") / "log"
    found = []
    growing = Growing(str(path))
    for _ in pieces(b"".join(line + b"\n" for line in lines) + b"rest", seed, path):
        new, again = growing.lines()
        assert not again
        found += new
    assert found == lines


CELLS = st.sampled_from(["1", "2", "0.5", "nan", "", "x", "resnet", "1e-3", " 7 "])
HEADS = st.sampled_from(["step", "epoch", "loss", "acc", "acc", "model", "3", ""])


@settings(max_examples=200, deadline=None)
@given(
    head=st.lists(HEADS, min_size=1, max_size=4),
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=6),
    name=st.sampled_from(["metrics.csv", "table.csv", "metrics.jsonl", "table.jsonl"]),
    seed=st.integers(),
)
def test_a_table_that_grows_tells_what_the_record_will(tmp_path_factory, head, rows, name, seed):
    path = tmp_path_factory.mktemp("g") / name
    if name.endswith(".csv"):
        text = "".join(",".join(cells) + "\n" for cells in (head, *rows))
    else:
        numbers = [map(_metricfiles.parsed_number, cells) for cells in rows]
        parsed = [dict(zip(head, row, strict=False)) for row in numbers]
        text = "".join(json.dumps(row) + "\n" for row in parsed)
    table = Table(str(path))
    for _ in pieces(text.encode(), seed, path):
        table.look()
    recorded = Collected(Full(None), "")
    try:
        _metricfiles.reader_of(str(path))(str(path), recorded)
    except _metricfiles.Skip:
        recorded = Collected(Full(None), "")
    assert str(points(table.collected)) == str(points(recorded))  # "nan" is not equal to itself


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    path = tmp_path / "metrics.csv"
    table = Table(str(path))
    path.write_text("step,loss\n1,0.5\n2,0.4\n")
    table.look()
    path.write_text("step,loss\n1,0.7\n2,0.6\n3,0.5\n")  # as pandas' to_csv does each epoch
    table.look()
    assert points(table.collected) == {"loss": [(1, 0.7), (2, 0.6), (3, 0.5)]}
    other = tmp_path / "new.csv"
    other.write_text("step,loss\n1,9.0\n")
    os.replace(other, path)
    table.look()
    assert points(table.collected) == {"loss": [(1, 9.0)]}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("history.csv", ["epoch,loss,note", *("%d,%r,x" % (n, 1 / (n + 1)) for n in range(30))]),
        ("log.tsv", ["step\tacc", *("%d\t%r" % (n, n / 7) for n in range(30))]),
        ("metrics.jsonl", [json.dumps({"step": n, "loss": n / 3, "b": True}) for n in range(30)]),
    ],
)
def test_a_table_in_pieces_is_the_table_as_a_whole(tmp_path, name, lines):
    path = tmp_path / name
    table = Table(str(path))
    for _ in pieces("".join(line + "\n" for line in lines).encode(), 3, path):
        table.look()
    whole = Collected(Full(None), "")
    _metricfiles.reader_of(str(path))(str(path), whole)
    assert points(table.collected) == points(whole)
    assert points(whole)


def test_event_files_in_pieces(tmp_path):
    data = (DATA / "torch.tfevents").read_bytes()
    path = tmp_path / "events.out.tfevents.1.host"
    board = Board()
    for _ in pieces(data, 5, path):
        board.look([str(path)])
    whole = Collected(Full(None), "")
    _tensorboard.read([str(path)], whole, [])
    assert points(board.collected) == points(whole)
    assert set(points(whole)) == {"Loss/train", "Loss/val"}


def test_the_log_in_pieces_has_the_series_of_the_whole(tmp_path):
    path = tmp_path / "log.txt"
    text = "".join(
        "\r%d/3 |##|\rEpoch %d: loss=%.3f val_loss=%.3f\n" % (n % 3, n, 1 / (n + 1), 2 / (n + 1))
        for n in range(40)
    )
    live = Live([(str(path), 0)])
    for _ in pieces(text.encode(), 9, path):
        found = live.look((), ())
    said = _metriclog.read(str(path)).numbered
    assert {n: [tuple(p) for p in one] for n, one in found.items()} == {
        name: [(step, one.value) for step, one in listed] for name, listed in said.items()
    }
    assert set(found) == {"loss", "val_loss"}


def test_what_we_said_ourselves_is_no_metric(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text(
        "epoch 1 loss 0.5\nprov: loss parted from 'a' at step 3: 9.9\nepoch 2 loss 0.4\n"
    )
    assert [one.value for _, one in _metriclog.read(str(path)).numbered["loss"]] == [0.5, 0.4]


def test_a_bar_that_goes_on_for_hours_takes_no_memory(tmp_path):
    path = tmp_path / "log.txt"
    growing = Growing(str(path))
    with open(path, "wb") as stream:
        for step in range(400):
            stream.write(b"\r%d/400 |###|" % step * 500)
            stream.flush()
            growing.lines()
    assert len(growing._part) <= 1 << 20


def test_in_its_first_epoch_a_run_is_numbered_as_the_finished_one(tmp_path):
    lines = [
        "epoch %d step %d/400 loss %.4f" % (epoch, step, 1 / (epoch * step))
        for epoch in (1, 2, 3)
        for step in range(100, 401, 100)
    ]
    whole, begun = tmp_path / "whole", tmp_path / "begun"
    whole.write_text("\n".join(lines) + "\n")
    begun.write_text("\n".join(lines[:3]) + "\n")
    steps = [step for step, _ in _metriclog.read(str(whole)).numbered["loss"]]
    assert [step for step, _ in _metriclog.read(str(begun)).numbered["loss"]] != steps[:3]
    found = Live([(str(begun), 0)], lambda _: steps[:2]).look((), ())
    assert [one.step for one in found["loss"]] == steps[:3] == [1.25, 1.5, 1.75]
