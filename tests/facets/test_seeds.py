"""Seeds, determinism settings, and generators left to chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provenance.core.context import AFTER, PRESENT, Interpreter, Observations, SeedCall
from provenance.core.record import RUN_ONLY, Payload
from provenance.facets import seeds
from provenance.facets.seeds import Seeded, Seeds, Unseeded
from tests.facet_contract import a_context, a_record

PYTHON = Interpreter("python", "/usr/bin/python", "3.11.7")
TORCH = {"torch": {"deterministic": True, "cudnn.benchmark": False}}
LOOSE = {"torch": {"deterministic": False, "cudnn.benchmark": False}}


def capture(folder: Path, *calls: SeedCall, environ: Any = None, **rest: Any) -> Payload:
    context = a_context(
        folder,
        AFTER,
        interpreters=(PYTHON._replace(**rest),),
        observed=Observations(seeds=calls),
        environ=environ or {},
    )
    return seeds.capture(context)


def view(folder: Path, answer: Payload) -> Seeds:
    found = seeds.of(a_record(folder, {"seeds": answer}))
    assert found is not None
    return found


def test_calls_with_places_of_the_project(tmp_path: Path) -> None:
    where = str(tmp_path / "src" / "train.py") + ":7"
    answer = capture(
        tmp_path, SeedCall("numpy", "numpy.random.seed", 3, where), environ={"PYTHONHASHSEED": "0"}
    )
    found = view(tmp_path, answer)
    assert found.calls == (Seeded("numpy", "numpy.random.seed", 3, "src/train.py:7"),)
    assert found.hash_seed == "0"


def test_generators_without_a_seed_are_told_with_their_places(tmp_path: Path) -> None:
    calls = [SeedCall("numpy", "default_rng", None, "/x/t.py:%d" % n) for n in (1, 2, 1)]
    found = view(tmp_path, capture(tmp_path, *calls, SeedCall("torch", "manual_seed", 1, "t.py:9")))
    assert found.unseeded == (Unseeded("numpy", ("/x/t.py:1", "/x/t.py:2")),)


def test_imported_and_never_seeded_is_a_fact_apart(tmp_path: Path) -> None:
    modules = {"numpy": "n", "torch": "t", "random": "r", "pandas": "p"}
    answer = capture(tmp_path, SeedCall("torch", "manual_seed", 1, "t.py:9"), modules=modules)
    found = view(tmp_path, answer)
    assert found.never_seeded == ("random", "numpy")
    assert found.unseeded == ()


def test_settings_and_hash_seed(tmp_path: Path) -> None:
    found = view(tmp_path, capture(tmp_path, settings=TORCH))
    assert found.settings == {"python": TORCH}
    assert found.hash_seed == "random"
    nobody = seeds.capture(a_context(tmp_path, AFTER))
    assert view(tmp_path, nobody) == Seeds()


def test_the_present_is_out_of_scope(tmp_path: Path) -> None:
    assert seeds.capture(a_context(tmp_path, PRESENT)).reason == RUN_ONLY


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ({"calls": (3,)}, []),
        ({"calls": (4,)}, [("value", "numpy.random.seed", [3], [4])]),
        ({"calls": ()}, [("removed", "numpy.random.seed", [3], None)]),
        ({"calls": (3, 3)}, [("value", "numpy.random.seed", [3], [3, 3])]),
        ({"calls": (3,), "environ": {"PYTHONHASHSEED": "1"}}, [
            ("value", "PYTHONHASHSEED", "random", "1"),
        ]),
        ({"calls": (3,), "settings": LOOSE}, [
            ("value", "torch.deterministic", True, False),
        ]),
    ],
)  # fmt: skip
def test_differences(tmp_path: Path, new: dict[str, Any], expected: Any) -> None:
    def answer(calls: Any = (3,), environ: Any = None, settings: Any = TORCH) -> Payload:
        made = [SeedCall("numpy", "numpy.random.seed", seed, "t.py:1") for seed in calls]
        return capture(tmp_path, *made, environ=environ, settings=settings)

    found = seeds.compare(answer(), answer(**new))
    assert [(d.kind, d.name, d.old, d.new) for d in found.differences] == expected
    assert {d.effect for d in found.differences} <= {"unknown"}
    assert found.total - found.equal == len(expected)


def test_where_an_unseeded_generator_stands_is_no_difference(tmp_path: Path) -> None:
    def answer(initial: int, *calls: SeedCall) -> Payload:
        found = {"torch": {"initial_seed": initial}, "numpy": {"position": initial % 624}}
        return capture(tmp_path, *calls, settings=found)

    assert seeds.compare(answer(123), answer(45)).differences == ()
    ranks = [SeedCall("torch", "torch.manual_seed", n, "t.py:1") for n in (5, 6)]
    assert seeds.compare(answer(5, *ranks), answer(6, *ranks[::-1])).differences == ()
    one = SeedCall("torch", "torch.manual_seed", 5, "t.py:1")
    found = seeds.compare(answer(5, one), answer(8, one)).differences
    assert [each.name for each in found] == ["torch.initial_seed"]
