"""CUDA as files state it, against builds of frameworks, wheels, conda packages and the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.core.difference import UNKNOWN, Comparison
from provenance.environments import installed_cuda
from provenance.environments.installed_cuda import Graphics, Told
from provenance.operations import stated_cuda
from provenance.operations.stated_cuda import compare_cuda
from provenance.specs import formats
from provenance.specs.model import Fact, Source

NOWHERE = {"PATH": ""}
IMAGE = "FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04\n"
README = "# Paper\n\nTested with Python 3.6, PyTorch 1.4 and CUDA 10.1.\n"


@pytest.fixture(autouse=True)
def a_machine_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine one that has neither a GPU nor a toolkit."""
    monkeypatch.setattr(installed_cuda, "graphics", lambda environ: Graphics())
    monkeypatch.setattr(installed_cuda, "_toolkit", lambda environ: "")
    monkeypatch.setattr(installed_cuda._cuda, "header", lambda environ: "")


def facts(path: str, text: str) -> tuple[Fact, ...]:
    return formats.read(Source(path, text.encode())).facts


def site(prefix: Path) -> Path:
    folder = prefix / "lib" / "python3.10" / "site-packages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def torch(prefix: Path, version: str, cuda: str) -> Path:
    """Write torch's own file that names its build, in the form of old or new releases."""
    place = site(prefix) / "torch"
    place.mkdir()
    value = repr(cuda) if cuda else "None"
    if version.startswith("2"):
        text = "from typing import Optional\n\n__version__ = '%s'\ncuda: Optional[str] = %s\n"
        text += "git_version = 'x'\nhip: Optional[str] = None\n"
    else:
        text = "__version__ = '%s'\ndebug = False\ncuda = %s\ngit_version = 'x'\nhip = None\n"
    (place / "version.py").write_text(text % (version, value))
    return site(prefix)


def conda(prefix: Path, packages: dict[str, str]) -> Path:
    folder = prefix / "conda-meta"
    folder.mkdir(parents=True)
    for name, version in packages.items():
        told = {"name": name, "version": version, "build": "0", "files": []}
        (folder / ("%s-%s-0.json" % (name, version))).write_text(json.dumps(told, indent=2))
    return site(prefix)


def brief(found: Comparison) -> list[tuple[str, str, object, object]]:
    assert {(one.facet, one.subject, one.effect) for one in found.differences} <= {
        ("hardware", "host", UNKNOWN)
    }
    return [(one.kind, one.name, one.old, one.new) for one in found.differences]


@pytest.mark.parametrize(
    ("built", "version", "differs"),
    [("1.4.0", "10.1", False), ("1.4.0", "10.1.243", False), ("2.5.1+cu121", "12.1", True)],
)
def test_the_build_of_torch(tmp_path: Path, built: str, version: str, differs: bool) -> None:
    found = compare_cuda(
        facts("README.md", README), [str(torch(tmp_path, built, version))], NOWHERE
    )
    if differs:
        assert brief(found) == [("version", "CUDA", "10.1", "12.1")]
        assert found.differences[0].where == ("README.md:3",)
        assert found.differences[0].text == "torch 2.5.1+cu121: 12.1"
    assert (found.equal, found.total, found.unit) == (int(not differs), 1, "versions")


def test_a_build_without_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_cuda, "_toolkit", lambda environ: "10.1")
    place = torch(tmp_path, "2.5.1+cpu", "")
    found = compare_cuda(facts("README.md", README), [str(place)], NOWHERE)
    assert brief(found) == [("build", "CUDA", "10.1", "without CUDA")]
    assert found.differences[0].text == "torch 2.5.1+cpu is built without CUDA"


def test_nothing_here(tmp_path: Path) -> None:
    found = compare_cuda(facts("Dockerfile", IMAGE), [str(site(tmp_path))], NOWHERE)
    assert (found.differences, found.total) == ((), 0)
    assert [(one.what, one.reason) for one in found.not_compared] == [
        ("CUDA", "no GPU and no CUDA here"),
        ("cuDNN", "no GPU and no CUDA here"),
    ]


def test_a_toolkit_without_a_gpu_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_cuda, "_toolkit", lambda environ: "13.0")
    found = compare_cuda(facts("README.md", README), [str(site(tmp_path))], NOWHERE)
    assert [one.reason for one in found.not_compared] == ["no GPU here"]
    card = Graphics(1, "535.1", "12.2")
    monkeypatch.setattr(installed_cuda, "graphics", lambda environ: card)
    found = compare_cuda(facts("README.md", README), [str(site(tmp_path))], NOWHERE)
    assert brief(found) == [("version", "CUDA", "10.1", "13.0")]


@pytest.mark.parametrize(("driver", "differs"), [("12.2", False), ("11.4", False), ("10.2", True)])
def test_only_a_driver_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, driver: str, differs: bool
) -> None:
    """A driver serves older releases of CUDA, and newer ones within its own major release."""
    card = Graphics(1, "450.80", driver)
    monkeypatch.setattr(installed_cuda, "graphics", lambda environ: card)
    stated = facts("environment.yml", "name: x\ndependencies:\n  - cudatoolkit=11.8\n")
    found = compare_cuda(stated, [str(site(tmp_path))], NOWHERE)
    assert bool(found.differences) == differs
    if differs:
        assert "serves no newer CUDA" in found.differences[0].text
    else:
        assert "serves CUDA up to" in found.not_compared[0].reason


@pytest.mark.parametrize(
    ("stated", "here", "equal"),
    [
        ("cudatoolkit=11.3", {"cudatoolkit": "11.3.1"}, True),
        ("cudatoolkit=11.3", {"cudatoolkit": "11.8.0"}, False),
        ("cudatoolkit>=11,<12", {"cudatoolkit": "11.8.0"}, True),
        ("cudatoolkit>=11,<12", {"cudatoolkit": "12.0.0"}, False),
        ("cudatoolkit=10.2|11.3", {"cudatoolkit": "11.3.1"}, True),
        ("cudatoolkit=11.*", {"cudatoolkit": "11.3.1"}, True),
        ("pytorch-cuda=11.8", {"pytorch-cuda": "11.8", "cuda-version": "12.8"}, True),
        ("pytorch-cuda=11.8", {"cuda-version": "11.8"}, True),
    ],
)
def test_conda_packages(tmp_path: Path, stated: str, here: dict[str, str], equal: bool) -> None:
    text = "name: x\ndependencies:\n  - python=3.8\n  - %s\n" % stated
    place = conda(tmp_path, here)
    found = compare_cuda(facts("environment.yml", text), [str(place)], NOWHERE)
    assert (found.equal, found.total) == (int(equal), 1)


def test_wheels_and_local_versions(tmp_path: Path) -> None:
    folder = site(tmp_path)
    for name in (
        "nvidia_cuda_runtime_cu12-12.1.105",
        "nvidia_cudnn_cu12-8.9.2.26",
        "nvidia_cublas_cu12-12.1.3.1",
        "torch_scatter-2.1.0+pt113cu117",
        "cupy_cuda11x-13.0.0",
        "numpy-1.26.4",
    ):
        (folder / (name + ".dist-info")).mkdir()
    assert set(installed_cuda.look([str(folder)], NOWHERE)) == {
        Told("cuda", "cupy-cuda11x 13.0.0", "11"),
        Told("cuda", "torch-scatter 2.1.0+pt113cu117", "11.7"),
        Told("cuda", "nvidia-cuda-runtime-cu12 12.1.105", "12.1.105"),
        Told("cudnn", "nvidia-cudnn-cu12 8.9.2.26", "8.9.2.26"),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "build_info = collections.OrderedDict([('cuda_version', '12.2'), "
            "('cudnn_version', '8'), ('is_cuda_build', True)])\n",
            [("cuda", "12.2"), ("cudnn", "8")],
        ),
        (
            "build_info = {'cuda_version': '64_101', 'cudnn_version': '64_7', "
            "'is_cuda_build': True}\n",
            [("cuda", "10.1"), ("cudnn", "7")],
        ),
        ("build_info = OrderedDict([('is_cuda_build', False)])\n", [("cuda", "")]),
    ],
)
def test_the_build_of_tensorflow(tmp_path: Path, text: str, told: list[tuple[str, str]]) -> None:
    place = site(tmp_path) / "tensorflow" / "python" / "platform"
    place.mkdir(parents=True)
    (place / "build_info.py").write_text(text)
    found = installed_cuda.look([str(site(tmp_path))], NOWHERE)
    assert [(one.what, one.version) for one in found] == told


def test_the_same_statement_twice_counts_once(tmp_path: Path) -> None:
    two = facts("README.md", README) + facts("docs/README.md", README)
    found = compare_cuda(two, [str(torch(tmp_path, "1.8.1+cu102", "10.2"))], NOWHERE)
    assert brief(found) == [("version", "CUDA", "10.1", "10.2")]
    assert found.differences[0].where == ("README.md:3", "docs/README.md:3")


def test_a_cuda_without_a_version_is_not_stated(tmp_path: Path) -> None:
    stated = facts("cog.yaml", "build:\n  gpu: true\n")
    found = compare_cuda(stated, [str(torch(tmp_path, "1.4.0", "10.1"))], NOWHERE)
    assert [(one.what, one.reason) for one in found.not_compared] == [
        ("CUDA", "no version is stated")
    ]


@given(st.text("0123456789.=<>!~*|, cu", max_size=16), st.text("0123456789.", max_size=8))
@example("=" + "9" * 5000, "1")
@example("=1", "9" * 5000)
def test_any_stated_cuda_gives_one_answer(written: str, here: str) -> None:
    fact = Fact("cuda", "cuda", "range", "f:1", "", written)
    told = Told("cuda", "torch", here)
    if here and not stated_cuda.fits(fact, here):
        assert stated_cuda._differs(fact, ("f:1",), [told]).new == here
    machine = Graphics(1, "535", "12.2")
    if stated_cuda._conditions(fact):
        assert stated_cuda._by_driver(fact, ("f:1",), [], machine)
