"""Parameters that no parser tells: scripts' settings, configuration files, launchers, sweeps."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.core.context import AFTER, FileUse, Noted, Observations, Parsed, PythonProcess
from provenance.core.paths import Roots
from provenance.facets import _argv, _scripts, params
from provenance.facets.params import Other, Parameter, Saying
from tests.conftest import Prov
from tests.facet_contract import a_context, a_record

SCRIPT = """
import os, sys
out_dir = 'out'
batch_size = 4 * 8  # comment
lr: float = 1e-3
layers = [64, 64]
net = {'width': 8, 'deep': {'act': 'relu'}}
alpha = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
token = os.environ.get('TOKEN', '')
_private = 1
here = os.path.dirname(os.path.abspath(__file__))
steps = 0
best = None
for epoch in range(3):
    steps += 1
    loss = 0.5
best = steps * 2
history = []
history.append(1)
def helper():
    inside = 3
if __name__ == '__main__':
    seed = 7
class Config:
    depth = 3
class Helper:
    other = 4
"""


def values_of(folder: Path, observed: Observations, *command: str) -> dict[str, Parameter]:
    roots = Roots(str(folder), str(folder), "/nowhere")
    context = a_context(folder, AFTER, command=command, observed=observed, roots=roots)
    view = params.of(a_record(folder, {"params": params.capture(context)}))
    assert view is not None
    return view.values


def script(prov: Prov, text: str, *words: str, code: int = 0) -> dict[str, Any]:
    (prov.folder / "t.py").write_text(text)
    prov("run", "--", sys.executable, "t.py", *words, code=code)
    values: dict[str, Any] = prov.payload("params")["values"]
    return values


def test_settings_of_a_script_and_not_its_state(tmp_path: Path) -> None:
    values = script(Prov(tmp_path), SCRIPT, "0.25")
    found = {name: (one["value"], one["default"], one["given"]) for name, one in values.items()}
    assert found == {
        "out_dir": ("out", "out", None),
        "batch_size": (32, 32, None),
        "lr": (0.001, 0.001, None),
        "layers": ([64, 64], None, None),
        "net.width": (8, None, None),
        "net.deep.act": ("relu", None, None),
        "alpha": (0.25, 0.5, True),
        "token": ("", None, True),
        "seed": (7, 7, None),
        "Config.depth": (3, None, None),
    }
    assert values["alpha"]["others"] == [{"name": "[1]", "source": "argv", "value": 0.25}]


def test_a_script_that_fails_has_settings_too(tmp_path: Path) -> None:
    values = script(Prov(tmp_path), "lr = 0.5\nraise SystemExit(3)\n", code=3)
    assert values["lr"]["value"] == 0.5


def test_settings_overridden_by_a_file_that_is_executed(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text("width = 2\n")
    (tmp_path / "reader.py").write_text(
        "import sys\nfor word in sys.argv[1:]:\n    if '=' in word:\n"
        "        key, text = word[2:].split('=')\n        globals()[key] = int(text)\n"
        "    else:\n        exec(open(word).read())\n"
    )
    text = "width = 8\ndepth = 4\nheads = 1\nexec(open('reader.py').read())\n"
    values = script(Prov(tmp_path), text, "small.py", "--depth=5")
    found = {n: (one["value"], one["default"], one["given"]) for n, one in values.items()}
    assert found["width"] == (2, 8, True)
    assert found["depth"] == (5, 4, True)
    assert found["heads"] == (1, 1, False)


@pytest.mark.parametrize(
    "text", ["x = 1\nfor i in y:\n    x = i\n", "x = 1\ndef f():\n    global x\n    x = 2\n"]
)
def test_what_changes_is_state(text: str) -> None:
    found = _scripts.settings(text.encode())
    assert found is not None
    assert found.literals == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("for i in y:\n    lr = 0.03\n    p -= lr\n", {"lr": (0.03,)}),
        ("while True:\n    lr = 1\n    lr += 1\n", {}),
        ("for i in y:\n    if i:\n        best = 1\n", {}),
        ("for i in y:\n    found = True\n", {}),
        ("def f():\n    for i in y:\n        lr = 1\n", {}),
    ],
)
def test_one_number_that_a_loop_sets_each_time_is_a_setting(
    text: str, kept: dict[str, tuple[Any, ...]]
) -> None:
    found = _scripts.settings(text.encode())
    assert found is not None
    assert found.literals == kept


def test_what_the_script_works_out_later_was_not_given_by_anybody(tmp_path: Path) -> None:
    text = (
        "import sys\nload = False\nwidth = 8\nexec(sys.argv[1])\n"
        "if width:\n    load = bool(width)\n"
    )
    values = script(Prov(tmp_path), text, "width = 9")
    assert (values["width"]["value"], values["width"]["given"]) == (9, True)
    assert (values["load"]["value"], values["load"]["given"]) == (True, None)


@pytest.mark.parametrize("text", [b"def (", b"\0", b"\xff\xfe", b"(" * 500, b"x = " + b"-" * 5000])
def test_no_script_is_too_odd(text: bytes) -> None:
    assert _scripts.settings(text) in (None, _scripts.Settings({}, set(), False, ()))


def test_what_the_script_made_of_a_parsers_answer(tmp_path: Path) -> None:
    text = (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', default=1.0)\n"
        "p.add_argument('--batch', type=int, default=0)\nargs = p.parse_args()\n"
        "args.batch = 64\nargs.lr = 5.0\nargs.device = 'cpu'\n"
    )
    values = script(Prov(tmp_path), text, "--lr", "0.5")
    assert values["lr"]["value"] == "0.5"
    assert {"name": "lr", "source": "script", "value": 5.0} in values["lr"]["others"]
    assert (values["batch"]["value"], values["batch"]["default"]) == (64, 0)
    assert values["device"]["value"] == "cpu"


FILES = {
    "conf/train.yaml": "train:\n  lr: 1e-3\n  layers: [1, 2]\nempty: {}\n",
    "more.json": '{"epochs": 3, "nested": {"name": "x"}}',
    "model.ini": "[model]\nwidth = 8\n",
    "data/annotations.json": '{"a": 1}',
    "tokenizer.json": '{"version": 1}',
    "big.json": '{"x": "%s"}' % ("y" * 300000),
    "rows.json": "[1, 2, 3]",
    "many.json": "{%s}" % ", ".join('"k%d": 1' % n for n in range(500)),
    "broken.yaml": "a: [1\n",
    "odd.yaml": "!!python/object/apply:os.system ['touch made']\n",
    "written.json": '{"out": 1}',
}


def test_values_of_configuration_files_and_no_other_ones(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    uses = [FileUse(str(tmp_path / n), "r", True, False) for n in FILES if n != "written.json"]
    uses.append(FileUse(str(tmp_path / "written.json"), "w", True, True))
    found = values_of(tmp_path, Observations(files=tuple(uses)), "python", "t.py")
    assert {name: (one.value, one.source, one.where) for name, one in found.items()} == {
        "train.lr": ("1e-3", "file", "conf/train.yaml"),
        "train.layers": ([1, 2], "file", "conf/train.yaml"),
        "epochs": (3, "file", "more.json"),
        "nested.name": ("x", "file", "more.json"),
        "model.width": ("8", "file", "model.ini"),
    }
    assert not (tmp_path / "made").exists()


def test_secrets_of_a_file_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("db:\n  password: Zq8vEryPr1vate99\n")
    observed = Observations(files=(FileUse(str(tmp_path / "c.yaml"), "r", True, False),))
    (one,) = values_of(tmp_path, observed, "python", "t.py").values()
    assert "Zq8" not in str(one)


def test_one_parameter_under_the_names_of_its_sources() -> None:
    sayings = [
        Saying("lr", 0.001, "argparse", 0.1, True),
        Saying("train.lr", "1e-3", "file", None, None, "c.yaml"),
        Saying("SVC.lr", 0.001, "sklearn", 0.5, True),
        Saying("model.lr", 0.5, "file", None, None, "c.yaml"),
        Saying("Other.lr", 0.001, "sklearn", 0.001, False),
    ]
    found = params.merged(sayings)
    assert set(found) == {"lr", "model.lr", "Other.lr"}
    assert found["lr"] == Parameter(
        0.001,
        "argparse",
        0.1,
        True,
        (Other("1e-3", "file", "train.lr", "c.yaml"), Other(0.001, "sklearn", "SVC.lr")),
    )


def test_steps_of_a_pipeline_are_told_apart(tmp_path: Path) -> None:
    def step(name: str, seed: int) -> Parsed:
        return Parsed("argparse", {"seed": {"value": seed, "default": 0, "given": True}}, name)

    observed = Observations(
        parsed=(step("prepare.py", 1), step("train.py", 2), step("train.py", 2)),
        processes=(
            PythonProcess("a", 1, 0, argv=("python", "prepare.py", "--seed", "1")),
            PythonProcess("b", 2, 0, argv=("python", "/env/site-packages/x.py", "--noise", "1")),
            PythonProcess("c", 3, 0, argv=("python", "plot.py", "--size", "9")),
        ),
    )
    found = values_of(tmp_path, observed, "bash", "run.sh")
    assert found == {
        "seed": Parameter(
            1, "argparse", 0, True, (Other(2, "argparse", "seed", "train.py"),), "prepare.py"
        ),
        "size": Parameter(9, "argv", None, True, (), "plot.py"),
    }


def test_jobs_of_a_sweep_are_a_list() -> None:
    sayings = [
        Saying(name, value, "hydra", None, True, "", job)
        for job in (1, 0)
        for name, value in (("lr", job), ("steps", 5))
    ]
    found = params.merged(sayings)
    assert (found["lr"].value, found["lr"].by_job) == ([0, 1], True)
    assert (found["steps"].value, found["steps"].by_job) == (5, False)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py --lr 1", {}),
        ("torchrun --standalone --nproc_per_node=2 train.py --lr 1",
         {"standalone": True, "nproc_per_node": 2}),
        ("python -m torch.distributed.run --nproc_per_node 2 train.py", {"nproc_per_node": 2}),
        ("accelerate launch --mixed_precision fp16 train.py", {"mixed_precision": "fp16"}),
        ("mpirun -n 4 python train.py --lr 1", {"n": 4}),
        ("env A=1 srun -n 2 --exclusive python -u train.py", {"n": 2, "exclusive": True}),
    ],
)  # fmt: skip
def test_options_of_launchers(command: str, expected: dict[str, Any]) -> None:
    assert _argv.launched(shlex.split(command)) == expected


def test_a_notebooks_parameters_are_those_given_to_it() -> None:
    words = shlex.split("papermill in.ipynb out.ipynb -k python3 -p lr 0.5")
    assert _argv.parameters(words) == {"lr": 0.5}


def test_plain_values_in_a_notebooks_cells_are_its_settings(tmp_path: Path) -> None:
    cells = ["%matplotlib inline\nlr = 0.5\nlayers = [8, 8]", "!ls", "best = max(layers)\nlr = 0.1"]
    cells += ["not python at all", "for step in range(3):\n    total = step"]
    written = [{"cell_type": "code", "source": cell, "outputs": []} for cell in cells]
    sheet = tmp_path / "nb.ipynb"
    sheet.write_text(json.dumps({"cells": written, "metadata": {}, "nbformat": 4}))
    held = {"lr": 0.1, "layers": [8, 8], "best": 8, "total": 2, "step": 2}
    noted = Noted("main", {"file": "", "values": held, "objects": {}})
    paths = (str(sheet), str(tmp_path / "no.ipynb"))
    uses = tuple(FileUse(path, "r", True, False) for path in paths)
    observed = Observations(noted=(noted,), files=uses)
    found = values_of(tmp_path, observed, "papermill", "nb.ipynb", "out.ipynb")
    assert {name: one.value for name, one in found.items()} == {"lr": 0.1, "layers": [8, 8]}
    assert {one.source for one in found.values()} == {"script"}


def test_what_a_library_says_is_no_script(tmp_path: Path) -> None:
    noted = Noted("main", {"file": str(tmp_path / "gone.py"), "values": {"lr": 1}, "objects": {}})
    assert values_of(tmp_path, Observations(noted=(noted,)), "python", "gone.py") == {}
