"""Forms of what torch has, with numpy beside it and without."""

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
if sys.argv[2] == "alone":
    sys.modules["numpy"] = None
import torch
from torch import nn
spec = importlib.util.spec_from_file_location("_prov_forms", sys.argv[1])
forms = importlib.util.module_from_spec(spec); spec.loader.exec_module(forms)
torch.manual_seed(1)
before = forms.digest_of_random_state()
x = torch.randn(50, 30)
values = {"x": x, "double": x.double(), "whole": torch.arange(500), "mask": x > 0,
    "half": x.half(), "rounded": x.bfloat16(), "few": torch.tensor([1.5, float("nan")]),
    "gaps": torch.cat([x.reshape(-1), torch.tensor([float("nan"), float("inf")])]),
    "number": torch.tensor(2.5), "none": torch.zeros(0), "parameter": nn.Parameter(x[0]),
    "buffer": x[0], "layer": nn.Linear(30, 40), "turned": x.t(), "complex": torch.ones(3) * 2j,
    "many": nn.Sequential(*[nn.Linear(16, 16) for _ in range(40)]),
    "optimizer": torch.optim.Adam(nn.Linear(3, 3).parameters(), 0.1),
    "state": torch.Generator().manual_seed(3)}
drawn = forms.digest_of_random_state()
made = {name: forms.form(value) for name, value in values.items()}
assert forms.digest_of_random_state() == drawn != before
own = torch.Generator().manual_seed(3)
torch.rand(700, generator=own)
made["later"] = forms.form(own)
seeded = torch.Generator().manual_seed(7)
seeded.set_state(own.get_state())
made["same stream"] = forms.form(seeded)
model = values["many"]
with torch.no_grad():
    model[39].bias[0] += 1.0
made["last changed"] = forms.form(model)
net = nn.Linear(3, 3)
sgd = torch.optim.SGD(net.parameters(), 0.1)
made["no gradient"] = forms.form(sgd)
net(torch.ones(2, 3)).sum().backward()
made["gradient"] = forms.form(sgd)
sgd.zero_grad(set_to_none=False)
made["zero gradient"] = forms.form(sgd)
print(json.dumps(made, allow_nan=False))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    return installed(tmp_path_factory.mktemp("torch") / "env", "torch==2.13.0+cpu", "numpy")


def made(python: str, how: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-c", SCRIPT, str(Path(forms.__file__)), how],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    known: dict[str, Any] = json.loads(done.stdout)
    return known


def test_tensors_have_one_form_with_numpy_and_without(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    one, other = made(python, "beside"), made(python, "alone")
    for name, form in one.items():
        assert unlike(form, other[name]) is None, name
        if form[0] == "a" and name != "complex":
            assert form[4]["at"] == other[name][4]["at"], name
            assert form[4].get("h", 0) == other[name][4].get("h", 0) or name == "half", name
    parameter, buffer = one["parameter"], one["buffer"]
    assert parameter[1] == buffer[1] == "torch.Tensor"
    assert one["later"] == one["same stream"] != one["state"]
    assert unlike(one["many"], one["last changed"]) is not None
    assert len(json.dumps(one["many"], separators=(",", ":"))) < 5000


def test_an_optimizer_is_also_the_gradients_that_its_step_will_use(
    python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    one = made(python, "beside")
    assert one["no gradient"] == one["zero gradient"] != one["gradient"]
    halved = json.loads(json.dumps(one["gradient"]))
    numbers = next(item[4]["at"] for name, item in halved[3] if name == "(gradients).mean")
    numbers[0] /= 2
    assert unlike(one["gradient"], halved) is not None
