"""Stated settings held against what took effect."""

import pytest

from provenance.compare import _claim_parameters as settings
from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record, captured
from provenance.facets import model, params
from provenance.facets._model import Argument, Made, Part, Summary


def run_with(parameters=None, made=None):
    facets = {"params": captured(params.VERSION, params.Params(parameters or {}))}
    if made is not None:
        facets["model"] = captured(model.VERSION, made)
    run = Record("r", ("python",), PathRef("repo", "."), record.DONE, "2026", facets=facets)
    return record.from_json(record.to_json(run))


ADAM = Part(
    "torch.optim.adam.Adam",
    "torch",
    "train.py:9",
    {"lr": Argument(1e-4, 1e-3, True), "betas": Argument([0.9, 0.999], None, False)},
)
LOADERS = tuple(
    Part("torch.utils.data.DataLoader", "torch", "train.py:%d" % n,
         {"batch_size": Argument(n, 1, True)}, {"length": length})
    for n, length in ((128, 50000), (1000, 10000))
)  # fmt: skip
RUN = run_with(
    {
        "init-lr": params.Parameter(1e-3, "argparse"),
        "lr": params.Parameter(1e-3, "argparse", 1e-3, False),
        "amp": params.Parameter(False, "argparse"),
        "weight_decay": params.Parameter(0.1, "argparse"),
        "KMeans.n_clusters": params.Parameter(10, "sklearn"),
    },
    Made(
        optimizers=(ADAM,),
        loaders=LOADERS,
        models=(Summary("nets.ResNet20", "torch", total=269722, trainable=269722),),
    ),
)


@pytest.mark.parametrize(
    ("name", "value", "text", "equal"),
    [
        ("optimizer", "Adam", "Adam", True),
        ("optimizer", "adam", "adam", True),
        ("optimizer", "SGD", "SGD", False),
        ("lr", 1e-4, "1e-4", True),
        ("lr", 1e-3, "1e-3", False),  # the parser said so; the optimizer had another
        ("learning_rate", 1e-4, "1e-4", True),
        ("init_lr", 1e-3, "1e-3", False),
        ("Adam.lr", 1e-4, "0.0001", True),
        ("betas", [0.9, 0.999], "", True),
        ("betas", [0.9, 0.99], "", False),
        ("batch_size", 128, "128", True),  # of the training; another loader has 1000
        ("batch_size", 64, "64", False),
        ("examples", 50000, "50,000", True),
        ("model", "ResNet20", "ResNet20", True),
        ("model.parameters", "0.27M", "0.27M", True),
        ("model.parameters", "0.28M", "0.28M", False),
        ("n_clusters", 10, "10", True),
        ("amp", False, "false", True),
        ("amp", True, "true", False),
        ("weight_decay", 0.1, "0.1", True),
        ("dropout", 0.1, "0.1", None),
    ],
)
def test_what_took_effect_decides(name, value, text, equal):
    judged = settings.judge(RUN, name, value, text)
    assert judged.equal is equal, judged


def test_where_sources_disagree_both_are_told():
    wrong = settings.judge(RUN, "lr", 1e-3, "1e-3")
    assert wrong.recorded == "Adam.lr 0.0001 (optimizer at train.py:9)"
    assert wrong.detail == "though lr 0.001 (argparse)"
    right = settings.judge(RUN, "lr", 1e-4, "1e-4")
    assert right.detail == "also lr 0.001 (argparse)"


def test_an_unknown_name_gets_the_nearest():
    assert "near: Adam.betas" in settings.judge(RUN, "beta", 1, "1").detail
