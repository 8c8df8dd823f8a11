"""Another machine or setting: what is told, how gravely, and that the rest stays folded."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.core.difference import POSSIBLE, UNKNOWN, Difference
from provenance.core.record import Record, captured
from provenance.core.verdict import Finding
from provenance.knowledge import match, surroundings
from tests.knowledge._records import a_record

TORCH = "import torch\nnet = torch.nn.Conv2d(3, 8, 3)\nloss(net).backward()\n"
LINALG = "import numpy as np\nx = np.linalg.svd(a)\n"
V100 = {"vendor": "nvidia", "name": "Tesla V100", "capability": "7.0"}
A100 = {"vendor": "nvidia", "name": "NVIDIA A100", "capability": "8.0"}


def machine(record: Record, gpus: list[Any], environ: dict[str, str] | None = None) -> Record:
    """Return ``record`` as one of a run with these cards and variables."""
    facets = dict(record.facets, hardware=captured(1, {"gpus": gpus}, "host"))
    facets["environment"] = captured(1, {"names": [], "values": environ or {}}, "host")
    return record._replace(facets=facets)


def told(
    source: str,
    before: list[Any],
    after: list[Any],
    *differences: Difference,
    environ: dict[str, str] | None = None,
    **packages: str,
) -> tuple[Finding, ...]:
    """Return the findings of a run of ``source`` that moved from one machine to another."""
    record = a_record(source, **packages)
    return match.explain(
        differences, machine(record, before, environ), machine(record, after, environ)
    )


def cards(old: str, new: str) -> Difference:
    return Difference("hardware", "host", "changed", "GPUs", UNKNOWN, old, new)


def setting(name: str, old: Any, new: Any, facet: str = "environment") -> Difference:
    return Difference(facet, "host", "changed", name, UNKNOWN, old, new)


def texts(found: Finding) -> str:
    return "\n".join(reason.text for reason in found.reasons)


def test_a_card_with_tf32_for_one_without() -> None:
    (found,) = told(TORCH, [V100], [A100], cards("Tesla V100", "NVIDIA A100"), torch="1.10.0")
    assert found.effect == POSSIBLE
    assert "before 1.12 uses TF32" in texts(found)
    assert "cuDNN use TF32" in texts(found)
    assert "fit.py:2" in found.where
    (later,) = told(TORCH, [V100], [A100], cards("Tesla V100", "NVIDIA A100"), torch="2.1.0")
    assert "before 1.12" not in texts(later)
    assert "cuDNN use TF32" in texts(later)


@pytest.mark.parametrize(
    ("before", "after"), [([V100], [V100]), ([A100], [A100]), ([{"vendor": "amd"}], [V100])]
)
def test_no_tf32_where_both_sides_are_alike(before: list[Any], after: list[Any]) -> None:
    (found,) = told(TORCH, before, after, cards("a", "b"), torch="1.10.0")
    assert "TF32" not in texts(found)


def test_a_flag_that_the_source_sets_takes_tf32_out() -> None:
    flag = "torch.backends.cudnn.allow_tf32 = False\n"
    (found,) = told(TORCH + flag, [V100], [A100], cards("V", "A"), torch="2.1.0")
    assert "TF32" not in texts(found)


def test_a_card_that_is_gone_is_told_though_the_facet_cannot_compare() -> None:
    (found,) = told(TORCH, [A100], [], torch="2.1.0")
    assert (found.facet, found.name, found.new) == ("hardware", "GPUs", "none")
    assert found.effect == POSSIBLE
    assert "CPU and GPU" in texts(found)
    assert told(LINALG, [A100], [], numpy="2.0.0") == ()
    assert told(TORCH, [dict(A100, visible=False)], [], torch="2.1.0") == ()


def test_another_number_of_cards_matters_to_a_script_that_uses_all() -> None:
    source = "import torch\nnet = torch.nn.DataParallel(net)\n"
    (found,) = told(source, [A100] * 4, [A100] * 8, cards("4 x A", "8 x A"), torch="2.1.0")
    assert "the batch of a step" in texts(found)
    (single,) = told(TORCH, [A100] * 4, [A100] * 8, cards("4 x A", "8 x A"), torch="2.1.0")
    assert "the batch of a step" not in texts(single)
    assert single.effect == UNKNOWN


def test_last_bits_are_explained_and_stay_folded() -> None:
    flags = setting("CPU instruction sets", "avx avx2 avx512f fma", "avx avx2 fma", "hardware")
    (found,) = told(LINALG, [], [], flags)
    assert found.effect == UNKNOWN
    assert "OpenBLAS" in texts(found)
    assert found.reasons[0].text.endswith("at fit.py:2")
    (plain,) = told("print(1)\n", [], [], flags)
    assert plain.reasons == ()
    newer = setting("CPU instruction sets", "avx2 avx512f", "avx2 avx512f avx512_bf16", "hardware")
    assert told(LINALG, [], [], newer)[0].reasons == ()


@pytest.mark.parametrize(
    "name", ["memory", "CPU", "CPU cores", "GPU memory", "GPU power limit", "NUMA nodes"]
)
def test_bare_hardware_has_no_known_effect(name: str) -> None:
    (found,) = told(TORCH + LINALG, [A100], [A100], setting(name, "a", "b", "hardware"))
    assert found.effect == UNKNOWN
    assert found.reasons == ()


def test_the_hash_seed_matters_only_where_a_set_has_an_order() -> None:
    record = a_record("print(1)\n")
    subject = record.facets["behaviour"].subjects[0]
    payload = dict(subject.payload, set_order=["fit.py:4"])
    facets = dict(record.facets)
    facets["behaviour"] = facets["behaviour"]._replace(
        subjects=(subject._replace(payload=payload),)
    )
    ordered = record._replace(facets=facets)
    difference = setting("PYTHONHASHSEED", "0", None)
    (found,) = match.explain([difference], ordered, record)
    assert found.effect == POSSIBLE
    assert found.where == ("fit.py:4",)
    assert found.reasons[0].remedy.startswith("PYTHONHASHSEED=0")
    assert match.explain([difference], record, record)[0].effect == UNKNOWN


def test_threads_name_the_recorded_number() -> None:
    (found,) = told(LINALG, [], [], setting("OMP_NUM_THREADS", "4", "1"))
    assert found.reasons[0].remedy == "set it to 4"
    assert found.effect == UNKNOWN


def test_missing_determinism_is_told_with_another_card() -> None:
    (found,) = told(TORCH, [V100], [A100], cards("V", "A"), torch="2.1.0")
    assert "did not ask torch for deterministic" in texts(found)
    asked = TORCH + "torch.use_deterministic_algorithms(True)\n"
    (found,) = told(asked, [V100], [A100], cards("V", "A"), torch="2.1.0")
    assert "did not ask torch" not in texts(found)


def test_every_item_is_complete() -> None:
    names = [item["id"] for item in surroundings.items()]
    assert len(names) == len(set(names)) >= 30
    for item in surroundings.items():
        assert set(item.get("asks", ())) <= set(surroundings.QUESTIONS), item["id"]
        assert item["effect"] in (UNKNOWN, POSSIBLE)
        assert item["text"]
        assert item["size"]
        assert item["remedy"]
        assert item["source"]["title"]
        assert item.get("symbols") or item.get("asks") or item["facet"] in ("runtime", "seeds")


def test_a_lock_carries_what_concerns_its_runs_wherever_they_are_repeated() -> None:
    def carried(record: Record) -> list[str]:
        found = surroundings.concerning(record, match.uses_of(record), match.versions_of(record))
        return ["%s: %s" % (one["name"][0], one["text"]) for one in found]

    record = a_record(TORCH, torch="1.10.0")
    assert carried(machine(record, [])) == []
    found = carried(machine(record, [V100]))
    assert any(line.startswith("GPUs: ") and "at fit.py:2" in line for line in found)
    assert any(line.startswith("NVIDIA_TF32_OVERRIDE: ") for line in found)
    assert carried(a_record("print(3)\n", torch="1.10.0")) == []
