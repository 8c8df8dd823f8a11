"""``prov diff`` on weights and outputs: as a user types it, on the example's own files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.conftest import Prov

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ported-weights"
WEIGHTS, PORT, WRONG = (
    "authors/weights.safetensors",
    "port/weights.npz",
    "port-wrong/weights.npz",
)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "ported-weights"
    shutil.copytree(EXAMPLE, made, ignore=shutil.ignore_patterns("__pycache__"))
    return made


@pytest.fixture
def prov(folder):
    return Prov(folder)


def test_ported_weights_are_the_same_through_the_map(prov):
    found = prov.json("diff", WEIGHTS, PORT, "--map", "map.yaml")
    assert found["verdict"] == "same"
    assert found["figures"]["tensors"] == 17
    details = {one["name"]: one["detail"] for one in found["parts"]}
    assert details["conv2.weight"] == "equal to conv2/kernel after HWIO -> OIHW"
    assert "lstm.bias_ih_l0 + lstm.bias_hh_l0" in details


def test_the_wrong_matrix_is_found_by_name(prov):
    shown = prov("diff", WEIGHTS, WRONG, "--map", "map.yaml", code=1).stdout
    assert shown.startswith("DIFFERENT: one of 17 tensors differs: fc2.weight")
    assert "lies the other way round than the map says: equal without `transpose`" in shown


def test_without_a_map_nothing_is_paired(prov):
    found = prov.json("diff", WEIGHTS, PORT, code=1)
    assert found["verdict"] == "different"


def test_the_guessed_map_makes_them_equal_and_is_never_written_over(prov, folder):
    shown = prov("diff", WEIGHTS, PORT, "--guess-map", "guess.yaml").stdout
    assert shown.startswith("wrote guess.yaml: 17 by exact values\n")
    assert prov.json("diff", WEIGHTS, PORT, "--map", "guess.yaml")["verdict"] == "same"
    before = (folder / "guess.yaml").read_text()
    refused = prov("diff", WEIGHTS, WRONG, "--guess-map", "guess.yaml", code=2)
    assert "guess.yaml is there already and is not overwritten." in refused.stderr
    assert (folder / "guess.yaml").read_text() == before


def test_the_guess_is_json_too(prov, folder):
    found = prov.json("diff", WEIGHTS, PORT, "--guess-map", "guess.yaml")["guessed"]
    assert found["pairs"] == {"exact values": 17}
    assert found["text"] == (folder / "guess.yaml").read_text()


def test_outputs_agree_to_rounding(prov):
    found = prov.json("diff", "--outputs", "authors/outputs.npz", "port/outputs.npz")
    assert found["verdict"] == "within tolerance"
    assert all(one["figures"]["rms_rel"] < 1e-6 for one in found["parts"])
    assert "predictions (logits) agree on 4 of 4" in found["detail"]
    assert "the new one is NHWC" in found["parts"][0]["detail"]


def test_outputs_of_the_wrong_port_name_the_layer(prov):
    found = prov.json("diff", "--outputs", "authors/outputs.npz", "port-wrong/outputs.npz", code=1)
    assert "up to lstm; fc2 is the first that differs" in found["detail"]
    assert "the error jumps at fc2" in found["detail"]


@pytest.mark.parametrize("which", ["port", "port-wrong"])
def test_the_files_of_the_example_are_what_its_scripts_make(folder, which):
    stored = {}
    for name in ("weights", "outputs"):
        with np.load(folder / which / (name + ".npz")) as file:
            stored[name] = {key: file[key] for key in file.files}
    wrong = ["wrong"] if which == "port-wrong" else []
    for script in (["convert.py", which, *wrong], ["port.py", which]):
        subprocess.run([sys.executable, *script], cwd=folder, check=True, timeout=120)
    for name, wanted in stored.items():
        with np.load(folder / which / (name + ".npz")) as file:
            assert file.files == list(wanted)
            for key, value in wanted.items():
                np.testing.assert_allclose(file[key], value, rtol=1e-4, atol=1e-5)


def test_a_map_that_names_what_is_not_there_is_told_by_line(prov, folder):
    (folder / "bad.yaml").write_text("tensors:\n  conv1.weight: conv1/kernal\n")
    told = prov("diff", WEIGHTS, PORT, "--map", "bad.yaml", code=4).stderr
    assert "bad.yaml:2: the second file has no tensor conv1/kernal; did you mean" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--map", "map.yaml", "--outputs"), 2, "--map and --outputs exclude each other"),
        (("--map", "none.yaml"), 4, "none.yaml cannot be read"),
        (("--guess-map", "no/such/folder/m.yaml"), 5, "cannot be written"),
    ],
)
def test_mistakes_are_one_sentence(prov, options, code, said):
    told = prov("diff", WEIGHTS, PORT, *options, code=code).stderr
    assert said in told
    assert "Traceback" not in told


def test_files_without_arrays_and_folders_are_refused(prov, folder):
    (folder / "text.npz").write_text("no archive\n")
    told = prov("diff", WEIGHTS, "text.npz", "--map", "map.yaml", code=4).stderr
    assert told.startswith("prov: text.npz ")
    told = prov("diff", "authors", "port", "--outputs", code=2).stderr
    assert "--outputs compares two files of arrays" in told


def test_a_chosen_tolerance_decides_and_is_shown(prov, folder):
    weights = load_file(folder / WEIGHTS)
    weights["head.bias"] = weights["head.bias"] + np.float32(1e-3)
    save_file(weights, folder / "near.safetensors")
    found = prov.json("diff", "near.safetensors", PORT, "--map", "map.yaml", code=1)
    assert [one["name"] for one in found["parts"] if one["verdict"] == "different"] == ["head.bias"]
    shown = prov("diff", "near.safetensors", PORT, "--map", "map.yaml", "--atol", "0.01").stdout
    assert shown.startswith("WITHIN TOLERANCE")
    assert "atol 0.01 (command line)" in shown


def test_what_names_hold_cannot_steer_the_terminal(prov, folder):
    evil = {"w\x1b[31m": np.ones(3, "f4"), "tab\there": np.zeros(2, "f4")}
    save_file(evil, folder / "evil.safetensors")
    np.savez(folder / "plain.npz", k=np.zeros(3, "f4"))
    shown = prov("diff", "evil.safetensors", "plain.npz", "--map", "empty.yaml", code=4).stderr
    (folder / "empty.yaml").write_text("")
    shown += prov("diff", "evil.safetensors", "plain.npz", "--map", "empty.yaml", code=1).stdout
    shown += prov("diff", "evil.safetensors", "plain.npz", "--guess-map", "g.yaml").stdout
    assert "\x1b" not in shown
    assert "\x1b" not in (folder / "g.yaml").read_text()
    assert json.loads(prov("diff", "evil.safetensors", "evil.safetensors", "--json").stdout)
