"""Numbers found in what programs print: real output of libraries, and forms of lines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core.context import Outcome, Parsed
from provenance.facets import _loglines, _metriclog, metrics
from tests.facets._runs import ran

DATA = Path(__file__).parent / "data" / "metrics"


def printed(folder: Path, text: str | bytes) -> _metriclog.Printed:
    path = folder / "log.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return _metriclog.read(str(path))


def finals(said: _metriclog.Printed) -> dict[str, Any]:
    return {name: one.value for name, one in said.last.items()}


def steps(said: _metriclog.Printed, name: str) -> list[tuple[Any, Any]]:
    return [(step, one.value) for step, one in said.numbered[name]]


LINES = {
    "epoch 3 loss=0.2 acc: 0.91": {"loss": 0.2, "acc": 0.91},
    "accuracy 0.97": {"accuracy": 0.97},
    "Test MSE: 0.123": {"test/MSE": 0.123},
    "Final accuracy is 0.93 on 1000 samples": {"Final accuracy": 0.93},
    "Accuracy of the network on the test images: 55 %": {
        "Accuracy of the network on the test images": 55
    },
    "The rmse of prediction is: 0.4641": {"rmse of prediction": 0.4641},
    "step 10: train loss 2.1, val loss 2.2": {"train/loss": 2.1, "val/loss": 2.2},
    "iter 10: loss 2.3, time 12.1ms, mfu 0.10%": {"loss": 2.3},
    "Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300000": {"train/Loss": 2.3},
    "Test set: Average loss: 0.1, Accuracy: 9800/10000 (98%)": {
        "test/Average loss": 0.1,
        "test/Accuracy": 98,
    },
    "[1,  2000] loss: 2.173": {"loss": 2.173},
    "loss: 2.302  [   64/60000]": {"loss": 2.302},
    "| epoch   1 |   200/ 2983 batches | lr 20.00 | loss  7.61 | ppl  2009.12": {
        "loss": 7.61,
        "ppl": 2009.12,
    },
    "{'loss': 0.5, 'epoch': 1.0}": {"loss": 0.5},
    "{'loss': '1.5e-05', 'epoch': '1'}": {"loss": 1.5e-05},
    "acc: np.float64(0.5) f1: tensor(0.25, device='cuda:0')": {"acc": 0.5, "f1": 0.25},
    "Accuracy: 0.90 (+/- 0.02)": {"Accuracy": 0.9, "Accuracy/std": 0.02},
    "epoch 1: loss nan, val_loss inf": {"loss": math.nan, "val_loss": math.inf},
    "2024-01-02 12:00:01,123 - INFO - train:45 - epoch 3 loss=0.2": {"loss": 0.2},
    "I0102 12:00:00.123 1234 main.py:45] step 3, loss 2.5": {"loss": 2.5},
    "Epoch: [0][  10/5005]\tTime  0.5 ( 0.6)\tLoss 6.9e+00 (7.0e+00)\tAcc@1   1.50 (  0.10)": {
        "Loss": 6.9,
        "Acc@1": 1.5,
    },
    "Coefficient of determination: 0.47": {"Coefficient of determination": 0.47},
    "The mean squared error (MSE) on test set: 3010.2": {"mean squared error on test set": 3010.2},
    "Dep. Variable:      TOTEMP   R-squared:        0.996": {"R-squared": 0.996},
    "Model:             OLS   Adj. R-squared:   0.992": {"Adj R-squared": 0.992},
    "Method:      MLE   Pseudo R-squ.:        0.374": {"Pseudo R-squ": 0.374},
    "Silhouette Coefficient: 0.626": {"Silhouette Coefficient": 0.626},
    "Done in 1.2s. V-measure: 0.4387": {"V-measure": 0.4387},
    "Adjusted Rand Index: 0.952": {"Adjusted Rand Index": 0.952},
    "Adjusted Mutual Information: 0.916": {"Adjusted Mutual Information": 0.916},
    "r^2 on test data : 0.658": {"r^2 on test data": 0.658},
    "Accuracy without selecting features: 0.789": {"Accuracy without selecting features": 0.789},
    "Df Model:      6   BIC:        127.5": {"BIC": 127.5},
    "VAL_LOSS=0.5": {"VAL_LOSS": 0.5},
    "step 0 loss 0.8958, accuracy 50.0%": {"loss": 0.8958, "accuracy": 50.0},
    "global_step=100, episodic_return=[23.5]": {"episodic_return": 23.5},
    "epoch 4 | train: loss 0.3 acc 0.8 | val: loss 0.4 acc 0.7": {
        "train/loss": 0.3,
        "train/acc": 0.8,
        "val/loss": 0.4,
        "val/acc": 0.7,
    },
}


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_lines_that_tell_results(tmp_path: Path, line: str) -> None:
    assert repr(finals(printed(tmp_path, line + "\n"))) == repr(LINES[line])


@pytest.mark.parametrize(
    "line",
    [
        "torch 2.13.0 on Python 3.11.7, numpy==2.4.6",
        "2024-01-02 10:11:12 started on 192.168.0.1:8080 (pid 4242)",
        "Adam(lr=0.001, loss_scale=2.0, error=0.5)",
        "Namespace(lr=0.1, batch_size=128, loss_weight=0.5)",
        "lr=0.1 batch_size=128 seed=42 loss_weight=0.3 score_threshold=0.5",
        "number of parameters: 0.80M, vocab size: 65",
        "input shape: (64, 3, 224, 224), 28x28",
        "Downloading data: 100% 12.3MB/s eta 0:00:00",
        "saved checkpoint 4 to out/model-0.93.pt in 3.2s",
        "val_loss did not improve from 0.30",
        "Epoch 00003: val_loss improved from 0.4 to 0.3, saving model",
        "UserWarning: loss=0.5 is deprecated",
        "[LightGBM] [Info] Start training from score 0.140229",
        "[LightGBM] [Info] [binary:BoostFromScore]: pavg=0.535000 -> initscore=0.140229",
        "iteration took 0.5 s, 12.5 it/s",
        "Epoch 5",
        "Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.",
        "sha256 3adf61e154c3 exit code 1",
        "loaded 60000 images of 10 classes",
        "score with 2 components",
    ],
    ids=range(20),
)
def test_lines_that_tell_none(tmp_path: Path, line: str) -> None:
    assert finals(printed(tmp_path, line + "\n")) == {}


@pytest.mark.parametrize("rank", ["", "[rank1]: "])
def test_an_exception_is_no_result(tmp_path: Path, rank: str) -> None:
    lines = ["Traceback (most recent call last):", '  File "a.py", line 3, in <module>']
    lines += ["    loss = 0.5", "ValueError: nan loss 0.7 after epoch 3", "loss 0.25"]
    assert finals(printed(tmp_path, "".join(rank + one + "\n" for one in lines))) == {"loss": 0.25}


def test_percentages_and_times_are_told_apart(tmp_path: Path) -> None:
    said = printed(tmp_path, "epoch 1 acc 93.4% time: 12.5s it/s: 30 loss 1e-3\n")
    assert finals(said) == {"acc": 93.4, "loss": 1e-3}
    assert said.units == {"acc": "%"}
    assert said.timings["time"] == 12.5


def test_boosting_and_reports(tmp_path: Path) -> None:
    said = printed(tmp_path, (DATA / "boosting.txt").read_bytes())
    assert steps(said, "eval-auc")[0] == (0, 0.97491)
    assert steps(said, "valid_1/binary_logloss")[-1] == (5, 0.419912)
    assert steps(said, "test-logloss-mean")[-1] == (2, 0.290026)
    assert steps(said, "valid/auc/std")[-1] == (3, 0.0143282)
    assert steps(said, "Train Loss")[0] == (1, 1.2133)
    assert steps(said, "loss") == [(1, 0.67281731), (2, 0.66616356), (3, 0.659361)]
    found = finals(said)
    assert (found["accuracy"], found["macro avg/recall"], found["1/f1-score"]) == (0.96, 0.95, 0.96)
    assert not any("support" in name or "pavg" in name for name in found)
    assert steps(printed(tmp_path, (DATA / "catboost.txt").read_bytes()), "test")[-1][0] == 4


def test_keras_bars_count_by_their_last_state(tmp_path: Path) -> None:
    text = (DATA / "keras.txt").read_bytes()
    said = printed(tmp_path, text)
    assert finals(said)["test/accuracy"] == 0.4765625
    assert [step for step, _ in steps(said, "val_loss")] == [0, 1, 2]  # of the history it prints
    bars = b"\n".join(text.split(b"\n")[:6])
    said = printed(tmp_path, bars)
    assert [step for step, _ in steps(said, "val_loss")] == [1, 2, 3]
    assert len(steps(said, "loss")) == 3


def test_lightning_and_hugging_face(tmp_path: Path) -> None:
    found = finals(printed(tmp_path, (DATA / "lightning.txt").read_bytes()))
    assert (found["test/acc"], found["test_loss"]) == (0.8671875, 0.41858160495758057)
    assert (found["val_acc"], found["val_loss"]) == (0.867, 0.419)
    said = printed(tmp_path, (DATA / "hf.txt").read_bytes())
    assert [step for step, _ in steps(said, "loss")] == [0.5, 1, 1.5, 2]
    assert finals(said)["eval_accuracy"] == 0.5
    assert not {"epoch", "eval_runtime"} & set(finals(said))


def test_a_tqdm_bar_gives_one_point_an_epoch(tmp_path: Path) -> None:
    states = "".join(
        "\rEpoch %d: %3d%%|###   | %d/4 [00:00<00:01, 9.2it/s, loss=%.2f]"
        % (epoch, 25 * i, i, epoch + i / 100)
        for epoch in (1, 2)
        for i in range(1, 5)
    )
    said = printed(tmp_path, states + "\n")
    assert steps(said, "loss") == [(1, 1.04), (2, 2.04)]


def test_steps_inside_epochs_and_values_behind(tmp_path: Path) -> None:
    text = "".join(
        "Train Epoch: %d [%d/100 (%d%%)]\tLoss: %.1f\n" % (e, i, i, e + i / 100)
        for e in (1, 2)
        for i in (0, 50)
    )
    assert steps(printed(tmp_path, text), "train/Loss") == [
        (1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (2.5, 2.5)
    ]  # fmt: skip
    text = "Epoch 1/2\nloss: 0.5 - acc: 0.25\nEpoch 2/2\nloss: 0.25 - acc: 0.5\n"
    assert steps(printed(tmp_path, text), "acc") == [(1, 0.25), (2, 0.5)]


@pytest.mark.parametrize(
    "tag", ["[RANK%d] ", "[rank%d]: ", "[default%d]:", "Rank %d | ", "(local rank %d) ", "[GPU%d] ",
            "[1,%d]<stdout>:", "2026-01-02 03:04:05,678 [rank %d] "]
)  # fmt: skip
def test_of_several_ranks_the_first_counts(tmp_path: Path, tag: str) -> None:
    text = "".join(
        "%sEpoch %d | Train Loss %.2f\n" % (tag % rank, epoch, epoch + rank / 4)
        for epoch, order in ((1, (1, 0)), (2, (0, 1)))
        for rank in order
    )
    assert steps(printed(tmp_path, text), "train/Loss") == [(1, 1.0), (2, 2.0)]
    alone = "".join(line for line in text.splitlines(True) if tag % 1 in line)
    assert steps(printed(tmp_path, alone), "train/Loss") == [(1, 1.25), (2, 2.25)]


def test_where_a_value_was_printed(tmp_path: Path) -> None:
    said = printed(tmp_path, "hello\n\naccuracy: 0.5\nloss: 0.25\naccuracy: 0.75\n")
    assert {name: one.line for name, one in said.last.items()} == {"accuracy": 5, "loss": 4}


def test_of_a_huge_log_the_ends_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_loglines, "HEAD", 200)
    monkeypatch.setattr(_loglines, "TAIL", 200)
    said = printed(tmp_path, "".join("epoch %d loss=0.%d\n" % (i, i) for i in range(1, 1000)))
    assert steps(said, "loss")[-1] == (999, 0.999)
    assert said.last["loss"].line == 999
    assert "were not read" in said.notes[0]


def test_a_failed_run_is_partial_and_parameters_are_no_results(tmp_path: Path) -> None:
    context = ran(tmp_path)
    log = tmp_path / "log.txt"
    log.write_text("error: 0.25\nepoch 1 loss 0.5\nepoch 2 loss 0.25\n")
    given = Parsed("argparse", {"error": {"value": 0.25, "default": 0.5, "given": True}})
    context = context._replace(
        log=str(log),
        outcome=Outcome(1, None, 1.0, 1.0, 0.0, 1),
        observed=context.observed._replace(parsed=(given,)),
    )
    payload = metrics.capture(context).subjects[0].payload
    assert payload["partial"] is True
    assert payload["final"] == {"loss": 0.25}
    assert payload["sources"] == {"loss": "log:3"}
    assert payload["best"] == {"loss": {"step": 2, "value": 0.25}}


def test_what_a_file_has_too_is_not_doubled(tmp_path: Path) -> None:
    program = (
        "open('log.csv', 'w').write('epoch,val_loss\\n1,0.512345\\n2,0.2512345\\n')\n"
        "open('results.json', 'w').write('{\"test\": {\"acc\": 0.912345}}')"
    )
    context = ran(tmp_path, program)
    log = tmp_path / "run.txt"
    log.write_text("epoch 1 val_loss: 0.512\nepoch 2 val_loss: 0.251\nTest acc 0.912\nf1 0.5\n")
    payload = metrics.capture(context._replace(log=str(log))).subjects[0].payload
    assert payload["final"] == {"val_loss": 0.2512345, "test/acc": 0.912345, "f1": 0.5}
    assert payload["others"]["test/acc"] == [
        {"value": 0.912, "source": "log:3", "name": "test/acc"}
    ]
    assert payload["splits"] == {"val_loss": "validation", "test/acc": "test"}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_output_is_too_odd(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    said = printed(tmp_path_factory.mktemp("log"), data)
    assert set(said.numbered) <= set(said.last)


@settings(max_examples=80, deadline=None)
@given(
    name=st.sampled_from(["loss", "val_loss", "test/acc", "f1-score", "train-rmse", "auc"]),
    form=st.sampled_from(["epoch %d %s=%r", "step %d: %s: %r", "[%d]\t%s:%r", "Epoch %d | %s %r"]),
    values=st.lists(st.floats(allow_nan=False, width=32), min_size=2, max_size=8),
)
def test_every_value_comes_back_by_its_step(
    tmp_path_factory: pytest.TempPathFactory, name: str, form: str, values: list[float]
) -> None:
    text = "".join(form % (step, name, value) + "\n" for step, value in enumerate(values, 1))
    said = printed(tmp_path_factory.mktemp("log"), text)
    assert steps(said, name) == [(step, value) for step, value in enumerate(values, 1)]
