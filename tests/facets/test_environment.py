"""Names of all variables, values of harmless ones, and never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import canonical
from provenance.core.context import DURING
from provenance.core.record import Payload, captured
from provenance.core.redact import Redactor
from provenance.facets import _variables, environment
from provenance.facets.environment import Environment
from tests.facet_contract import a_context, a_record

SECRET = "Zq8-very-private-9"  # a value that no pattern would recognise


def capture(environ: dict[str, str], folder: Path = Path("/tmp")) -> Environment:
    redact = Redactor.from_environment(environ)
    context = a_context(folder, DURING, environ=environ, redact=redact)
    view = environment.of(a_record(folder, {"environment": environment.capture(context)}))
    assert view is not None
    return view


def payload(**values: str) -> Payload:
    names = tuple(sorted(values))
    public = {n: v for n, v in values.items() if environment.has_public_value(n)}
    return captured(1, Environment(names, public))


def test_values_by_allow_list_only() -> None:
    environ = {"OMP_NUM_THREADS": "4", "HOME": "/home/me", "PROV_RUN": "x", "TF_CONFIG": "hosts"}
    view = capture(environ)
    assert view.values == {"OMP_NUM_THREADS": "4"}
    assert view.names == ("HOME", "OMP_NUM_THREADS", "TF_CONFIG")


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN", "NVIDIA_API_KEY", "TORCH_SECRET", "JAX_PASSWORD", "AWS_ACCESS_KEY_ID",
        "DATABASE_URL", "MASTER_ADDR", "HUGGING_FACE_HUB_TOKEN", "HF_AUTH_TOKEN", "SSH_AUTH_SOCK",
        "MY_OMP_THING", "USER", "TF_CONFIG", "TF_VAR_region",
            "TF_CLI_CONFIG_FILE", "PYTHONSTARTUP", "PYTHONANYWHERE_SITE",
    ],
)  # fmt: skip
def test_no_other_value_is_public(name: str) -> None:
    assert not environment.has_public_value(name)


@pytest.mark.parametrize(
    "name",
    [
        "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED", "LC_ALL", "LANG", "TZ",
        "SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "RANK", "LOCAL_RANK", "WORLD_SIZE", "XLA_FLAGS",
        "OMPI_COMM_WORLD_RANK", "HF_HOME", "NCCL_ALGO", "MKL_CBWR", "TORCH_HOME",
        "TF_ENABLE_ONEDNN_OPTS", "TF_DETERMINISTIC_OPS",
    ],
)  # fmt: skip
def test_these_values_are_public(name: str) -> None:
    assert environment.has_public_value(name)


@given(st.text("ABCDEFKNOPSTW_", min_size=1, max_size=12), st.booleans())
def test_a_secret_never_comes_through(name: str, allowed: bool) -> None:
    prefix = "HF_" if allowed else "X_"
    environ = {prefix + name + "_PASSWORD": SECRET, "XLA_FLAGS": "--a=%s" % SECRET}
    assert SECRET not in canonical.dumps(capture(environ)._asdict())


def test_long_values_are_cut() -> None:
    assert len(capture({"PYTHONPATH": "/x:" * 5000}).values["PYTHONPATH"]) == 1000


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {}, []),
        ({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "8"}, [("changed", "unknown")]),
        ({"PYTHONHASHSEED": "0"}, {}, [("removed", "unknown")]),
        ({}, {"CUDA_VISIBLE_DEVICES": "0"}, [("added", "unknown")]),
        ({"LANG": "C"}, {"LANG": "de_DE"}, []),
        ({"SLURM_JOB_ID": "1"}, {"SLURM_JOB_ID": "2"}, []),
        ({"A": "", "B": ""}, {"C": ""}, [("changed", "none")]),
        ({"RANK": "0"}, {}, [("changed", "none")]),
        ({"XLA_FLAGS": "<redacted>"}, {"XLA_FLAGS": "--x"}, []),
    ],
)
def test_differences(old: dict[str, str], new: dict[str, str], expected: Any) -> None:
    found = environment.compare(payload(**old), payload(**new))
    assert [(d.kind, d.effect) for d in found.differences] == expected


def test_names_that_came_and_went_are_one_difference() -> None:
    found = environment.compare(payload(A="", B="", C=""), payload(C="", D=""))
    (one,) = found.differences
    assert (one.old, one.new) == (["A", "B"], ["D"])
    assert one.text == "2 set then and not now, 1 set now and not then"


def test_what_can_change_results_is_public() -> None:
    hidden = [n for n in _variables._RESULTS if not environment.has_public_value(n)]
    assert hidden == []
