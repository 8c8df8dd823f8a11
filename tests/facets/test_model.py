"""Models, optimizers and the rest, put together from what processes told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Noted, Observations
from provenance.core.record import RUN_ONLY, Payload
from provenance.facets import _model, model
from provenance.facets._model import Argument, Layer, Made
from tests.facet_contract import a_context, a_record

FC: list[Any] = ["fc", "torch.nn.Linear", {"weight": [2, 4]}, 8, True, "float32", None, "", 1]
BLOCKS: list[Any] = ["b.0-2.fc", "torch.nn.Linear", {"weight": [4, 4]}, 16, True, "f", None, "", 3]


def optimizer(process: str = "p", lr: Any = 0.1, number: int = 0, last: Any = 0.05) -> list[Noted]:
    group = {"lr": lr, "eps": 1e-8, "fused": None, "weight_decay": 0.5, "parameters": 56}
    made = {
        "role": "optimizer",
        "framework": "torch",
        "number": number,
        "type": "torch.optim.SGD",
        "where": "/x/t.py:3",
        "arguments": {"lr": [lr, 0.01, True, False], "eps": [1e-8, 1e-8, False, False]},
        "more": {"groups": [group]},
    }
    end = {"groups": [dict(group, lr=last, initial_lr=lr)], "steps": 7}
    return [
        Noted("model.made", made, process),
        Noted("model.end", {"role": "optimizer", "number": number, "more": end}, process),
    ]


def net(process: str = "p", number: Any = 0, rows: Any = (BLOCKS, FC), **facts: Any) -> list[Noted]:
    total = sum(row[3] * row[8] for row in rows)
    summary = dict(
        {"type": "__main__.Net", "framework": "torch", "how": "optimizer", "optimizers": [0]},
        number=number,
        total=total,
        trainable=total,
        dtypes={"float32": total},
        where="/x/t.py:3",
        **facts,
    )
    return [
        Noted("model.summary", summary, process),
        Noted("model.layers", {"number": number, "first": 0, "rows": list(rows[:1])}, process),
        Noted("model.layers", {"number": number, "first": 1, "rows": list(rows[1:])}, process),
    ]


def capture(folder: Path, *noted: Noted) -> Payload:
    return model.capture(a_context(folder, AFTER, observed=Observations(noted=noted)))


def view(folder: Path, *noted: Noted) -> Made:
    found = model.of(a_record(folder, {"model": capture(folder, *noted)}))
    assert found is not None
    return found


def test_a_model_with_its_optimizer(tmp_path: Path) -> None:
    made = view(tmp_path, *optimizer(), *net())
    (one,) = made.models
    assert (one.type, one.total, one.trainable, one.optimizers) == ("__main__.Net", 56, 56, (0,))
    assert one.layers[0] == Layer(*BLOCKS)
    assert [layer.name for layer in one.layers] == ["b.0-2.fc", "fc"]
    (sgd,) = made.optimizers
    assert sgd.arguments["lr"] == Argument(0.1, 0.01, True)
    assert sgd.arguments["eps"].given is False
    assert sgd.where == "/x/t.py:3"


def test_groups_hold_only_what_the_arguments_do_not_say(tmp_path: Path) -> None:
    (sgd,) = view(tmp_path, *optimizer()).optimizers
    assert sgd.details["groups"] == [{"fused": None, "weight_decay": 0.5, "parameters": 56}]
    assert sgd.end == {"groups": [{"lr": 0.05}], "steps": 7}


def test_ranks_that_build_the_same_are_one_entry(tmp_path: Path) -> None:
    told = [one for process in "abcd" for one in (*optimizer(process), *net(process))]
    made = view(tmp_path, *told)
    assert [one.times for one in made.models] == [4]
    assert [one.times for one in made.optimizers] == [4]
    other = view(tmp_path, *told, *optimizer("e", lr=0.3))
    assert [one.times for one in other.optimizers] == [4, 1]


def test_a_model_told_of_again_is_as_it_was_last(tmp_path: Path) -> None:
    grown = [*FC[:3], 9, *FC[4:]]
    made = view(tmp_path, *net(), *net(rows=(grown,)))
    assert [(one.total, len(one.layers)) for one in made.models] == [(9, 1)]


def test_a_part_of_another_model_is_no_model_of_its_own(tmp_path: Path) -> None:
    made = view(tmp_path, *net(number=0, rows=(FC,)), *net(number=1, parts=[0]))
    assert [one.total for one in made.models] == [56]


def test_places_of_the_project_are_relative(tmp_path: Path) -> None:
    told = net(defined=str(tmp_path / "net.py") + ":12")
    assert view(tmp_path, *told).models[0].defined == "net.py:12"


def test_calls_are_counted_and_foreign_topics_left_alone(tmp_path: Path) -> None:
    made = {"role": "clipping", "number": 0, "type": "clip", "arguments": {}, "where": ""}
    count = {"role": "clipping", "number": 0, "count": 8}
    foreign = Noted("modelling", {"role": "clipping"}, "p")
    found = view(
        tmp_path, Noted("model.made", made, "p"), Noted("model.count", count, "p"), foreign
    )
    assert [(one.type, one.times) for one in found.clipping] == [("clip", 8)]
    assert view(tmp_path) == Made()


def test_the_present_is_out_of_scope(tmp_path: Path) -> None:
    assert model.capture(a_context(tmp_path, PRESENT)).reason == RUN_ONLY


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([*optimizer(), *net()], []),
        ([*optimizer(lr=0.3), *net()], [("changed", "optimizer.lr", 0.1, 0.3)]),
        ([*optimizer(last=0.01), *net()], [
            ("changed", "optimizer at the end groups 1 lr", 0.05, 0.01),
        ]),
        ([*optimizer(), *net(rows=(BLOCKS, [*FC[:2], {"weight": [3, 4]}, 12, *FC[4:]]))], [
            ("changed", "model dtypes", {"float32": 56}, {"float32": 60}),
            ("changed", "model layer 'fc' parameters", 8, 12),
            ("changed", "model layer 'fc' weight shape", [2, 4], [3, 4]),
            ("changed", "model total", 56, 60),
            ("changed", "model trainable", 56, 60),
        ]),
        ([*optimizer(), *net(rows=(FC,))], None),
    ],
    ids=["same", "learning-rate", "schedule", "shape", "fewer-layers"],
)  # fmt: skip
def test_differences(tmp_path: Path, new: list[Noted], expected: Any) -> None:
    before = capture(tmp_path, *optimizer(), *net())
    found = model.compare(before, capture(tmp_path, *new))
    assert {d.effect for d in found.differences} <= {"unknown"}
    seen = [(d.kind, d.name, d.old, d.new) for d in found.differences]
    if expected is None:
        gone = {name for kind, name, _, _ in seen if kind == "removed"}
        assert "model layer 'b.0-2.fc' weight shape" in gone
    else:
        assert seen == expected
        assert found.total - found.equal == len(expected)


def test_nothing_built_has_all_members():
    assert codec.encode(_model.Made()) == model._NOTHING
