"""Forms of what JAX traces, and of the modules of flax, in two releases of each."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from provenance.agent.rehearsal import _prov_forms as forms
from provenance.compare.forms import unlike
from tests.agent.test_hook_models import installed

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPT = """
import importlib.util, json, sys
import jax, jax.numpy as jnp, optax
from flax import nnx
spec = importlib.util.spec_from_file_location("_prov_forms", sys.argv[1])
forms = importlib.util.module_from_spec(spec); spec.loader.exec_module(forms)
made = {}
def noted(name):
    def f(x):
        made[name] = forms.form(x)
        return (x * x).sum()
    return f
jax.grad(noted("grad"))(jnp.ones(3))
jax.jit(noted("jit"))(jnp.ones(3))
jax.vmap(noted("vmap"))(jnp.ones((2, 3)))
net = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
net.kernel[...] = jnp.arange(6.0).reshape(2, 3)
made["module"], made["parameter"] = forms.form(net), forms.form(net.kernel)
made["optimizer"] = forms.form(nnx.Optimizer(net, optax.adam(0.1), wrt=nnx.Param))
made["state"], made["streams"] = forms.form(nnx.state(net)), forms.form(nnx.Rngs(3))
net.bias[...] = jnp.ones(3)
made["trained"] = forms.form(net)
print(json.dumps(made, allow_nan=False))
"""
RELEASES = {"old": ("jax==0.7.2", "flax==0.11.2"), "new": ("jax==0.10.2", "flax==0.12.8")}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = {}
    for name, wanted in RELEASES.items():
        python = installed(tmp_path_factory.mktemp(name) / "env", *wanted, "numpy")
        words = [python, "-W", "ignore", "-c", SCRIPT, str(Path(forms.__file__))]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found[name] = json.loads(done.stdout)
    return found


def test_what_is_traced_has_one_form_in_every_release(made: dict[str, Any]) -> None:
    for name in ("grad", "jit", "vmap"):
        assert made["old"][name] == made["new"][name]
        assert made["old"][name][:2] == ["m", "jax.Tracer"]


def test_a_module_is_the_arrays_in_it(made: dict[str, Any]) -> None:
    for name in ("module", "parameter", "optimizer", "state", "trained"):
        assert unlike(made["old"][name], made["new"][name]) is None, name
    for one in made.values():
        assert [name for name, _ in one["module"][3]] == ["bias", "kernel"]
        assert one["parameter"][0] == "a"
        assert unlike(one["module"], one["trained"]) is not None
        assert len(one["optimizer"][3]) == 6
        assert [name for name, _ in one["streams"][3]] == ["default.count", "default.key"]
