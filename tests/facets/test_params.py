"""Parameters from the command line and from parsers, and which of them is believed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import canonical, codec
from provenance.core.context import AFTER, DURING, PRESENT, Observations, Parsed
from provenance.core.record import RUN_ONLY, SKIPPED
from provenance.facets import _argv, params
from provenance.facets.params import Other, Parameter
from tests.facet_contract import a_context, a_record


def values(command: str, *parsed: Parsed, folder: Path = Path("/tmp")) -> dict[str, Parameter]:
    observed = Observations(parsed=tuple(parsed))
    context = a_context(folder, AFTER, command=tuple(shlex.split(command)), observed=observed)
    view = params.of(a_record(folder, {"params": params.capture(context)}))
    assert view is not None
    return view.values


def argparse(**given: Any) -> Parsed:
    """Parsed values by name: ``lr=(0.1, 0.01)`` is value and default; equal ones were not given."""
    found = {n: {"value": v, "default": d, "given": v != d} for n, (v, d) in given.items()}
    return Parsed("argparse", found)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py", {}),
        ("python train.py --lr 0.1", {"lr": 0.1}),
        ("python train.py --lr=0.1 --name=a=b", {"lr": 0.1, "name": "a=b"}),
        ("python train.py -x 3 -v", {"x": 3, "v": True}),
        ("python train.py --offset -5 --decay -1e-3", {"offset": -5, "decay": -0.001}),
        ("python train.py --amp --lr 1e-4", {"amp": True, "lr": 0.0001}),
        ("python train.py --layers 64 64 32 --x", {"layers": [64, 64, 32], "x": True}),
        ("python train.py --lr 0.1 data.csv", {"lr": 0.1, "[1]": "data.csv"}),
        ("python train.py a.csv b.csv", {"[1]": "a.csv", "[2]": "b.csv"}),
        ("python train.py --set 1 --set 2 --set 3", {"set": [1, 2, 3]}),
        ("python train.py lr=0.1 +new.key=a ++force=true ~gone", {
            "lr": 0.1, "new.key": "a", "force": True, "gone": None,
        }),
        ("python train.py model=resnet optim/sched=cos -m", {
            "model": "resnet", "optim/sched": "cos", "m": True,
        }),
        ("python train.py --flag key=1", {"flag": True, "key": 1}),
        ("python train.py --on true --off False --no None --id 007 --v 1.0.2", {
            "on": True, "off": False, "no": None, "id": "007", "v": "1.0.2",
        }),
        ("python train.py --x nan --y inf", {"x": "nan", "y": "inf"}),
        ("python train.py --empty= --text 'a b'", {"empty": "", "text": "a b"}),
        ("python train.py -- --odd", {"odd": True}),
        ("python -u -W error train.py --lr 1", {"lr": 1}),
        ("python -m pkg.train --lr 1", {"lr": 1}),
        ("python3.11 -m torch.distributed.run --nproc_per_node 4 train.py --lr 1", {"lr": 1}),
        ("torchrun --nproc_per_node=4 train.py --lr 1", {"lr": 1}),
        ("accelerate launch --mixed_precision fp16 -m pkg.train --lr 1", {"lr": 1}),
        ("env A=1 python train.py --lr 1", {"lr": 1}),
        ("srun -n 4 python -u -m pkg.train --lr 1", {"lr": 1}),
        ("python -c 'print(1)' --lr 1", {"lr": 1}),
        ("bash -c 'python train.py --lr 1'", {}),
        ("./run.sh --cfg other.py", {"cfg": "other.py"}),
        ("./simulate -n 10 in.dat", {"n": 10, "[1]": "in.dat"}),
        ("Rscript fit.R --alpha 0.5", {"alpha": 0.5}),
    ],
)  # fmt: skip
def test_command_lines(command: str, expected: dict[str, Any]) -> None:
    assert _argv.parameters(shlex.split(command)) == expected


@given(st.lists(st.text("-=ab1. ~+", max_size=6), max_size=8))
def test_no_command_line_is_too_odd(words: list[str]) -> None:
    found = _argv.parameters(words)
    assert canonical.dumps(found)
    assert 0 <= _argv.first_argument(words) <= max(len(words), 1)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z_]{1,8}", fullmatch=True),
        st.one_of(
            st.integers(-(10**9), 10**9), st.booleans(), st.floats(-1e6, 1e6, allow_subnormal=False)
        ),
        max_size=5,
    )
)
def test_what_was_written_is_read_back(given: dict[str, Any]) -> None:
    joined = ["--%s=%s" % item for item in given.items()]
    apart = [word for n, v in given.items() for word in ("--" + n, str(v))]
    for words in (joined, apart):
        assert _argv.parameters(["python", "train.py", *words]) == given


def test_a_parser_is_believed_before_the_words() -> None:
    parsed = argparse(learning_rate=(0.1, 0.01), epochs=(3, 3))
    found = values("python train.py --learning-rate 1e-1", parsed)
    assert found == {
        "learning_rate": Parameter(
            0.1, "argparse", 0.01, True, (Other(0.1, "argv", "learning-rate"),)
        ),
        "epochs": Parameter(3, "argparse", 3, False),
    }


def test_shortened_and_nameless_words_are_found_in_the_parsers_answer() -> None:
    parsed = argparse(batch_size=(32, 8), data=("a.csv", None), verbose=(True, False))
    found = values("python train.py --batch 32 a.csv -v", parsed)
    assert set(found) == {"batch_size", "data", "verbose"}
    assert found["batch_size"].others == (Other(32, "argv", "batch"),)
    assert found["data"].others == (Other("a.csv", "argv", "[1]"),)


def test_words_that_no_parser_took_are_kept() -> None:
    found = values("python train.py --lr 0.1 --other 5", argparse(lr=(0.1, 1.0)))
    assert found["other"] == Parameter(5, "argv", None, True)


def test_the_order_of_sources() -> None:
    sources = ("object", "file", "argv", "hydra", "argparse", "sdk")
    sayings = [params.Saying("lr", n, source) for n, source in enumerate(sources)]
    (one,) = params.merged(sayings).values()
    assert (one.value, one.source) == (5, "sdk")
    assert [o.source for o in one.others] == ["argparse", "hydra", "argv", "file", "object"]


def test_secrets_are_not_written() -> None:
    secret = "Zq8vEryPr1vate99"
    parsed = Parsed("argparse", {"api_key": {"value": secret, "default": secret, "given": True}})
    nested = Parsed("config", {"db": {"value": {"password": secret}, "default": None}})
    found = values("python t.py --api-key %s --token=%s" % (secret, secret), parsed, nested)
    assert secret not in canonical.dumps(codec.encode(found))
    assert {"api_key", "token", "db"} == set(found)


def test_long_values_are_cut_with_a_digest() -> None:
    found = values("python t.py --text %s" % ("x " * 3000).replace(" ", "y"))
    text = found["text"].value
    assert len(text) < 400
    assert "6000 characters, sha256" in text


def test_phases(tmp_path: Path) -> None:
    early = params.capture(a_context(tmp_path, DURING))
    assert early.subjects[0].payload["values"]["lr"]["value"] == 0.1
    now = params.capture(a_context(tmp_path, PRESENT))
    assert (now.status, now.reason) == (SKIPPED, RUN_ONLY)


def test_differences(tmp_path: Path) -> None:
    old, new = (
        params.capture(a_context(tmp_path, AFTER, command=("python", "t.py", *words.split())))
        for words in ("--lr 0.1 --gone 1 --same a", "--lr 0.2 --new 1 --same a")
    )
    found = params.compare(old, new)
    assert [(d.kind, d.name, d.effect, d.old, d.new) for d in found.differences] == [
        ("removed", "gone", "unknown", 1, None),
        ("value", "lr", "unknown", 0.1, 0.2),
        ("added", "new", "unknown", None, 1),
    ]
    assert (found.equal, found.total, found.unit) == (1, 4, "parameters")
