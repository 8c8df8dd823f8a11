"""Conda's specs in all their spellings."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.specs._conda import artifact, channel_of, fact_of, marker_of, selector
from provenance.specs._matchspec import parse
from provenance.specs.model import CONDA, CUDA, EXACT, NAMED, PACKAGE, PLACED, PYTHON, RANGE


@pytest.mark.parametrize(
    ("text", "name", "exactness", "specifier", "version", "build"),
    [
        ("numpy", "numpy", NAMED, "", "", ""),
        ("PyYAML", "pyyaml", NAMED, "", "", ""),
        ("_libgcc_mutex=0.1=main", "_libgcc_mutex", EXACT, "=0.1", "0.1", "main"),
        ("numpy=1.19", "numpy", RANGE, "=1.19", "", ""),
        ("numpy = 1.19", "numpy", RANGE, "=1.19", "", ""),
        ("cudatoolkit=10.", "cudatoolkit", RANGE, "=10.", "", ""),
        ("numpy==1.19.2", "numpy", EXACT, "==1.19.2", "1.19.2", ""),
        ("numpy == 1.19.2", "numpy", EXACT, "==1.19.2", "1.19.2", ""),
        ("numpy==1.19.2=py38_0", "numpy", EXACT, "==1.19.2", "1.19.2", "py38_0"),
        ("numpy==1.19.*", "numpy", RANGE, "==1.19.*", "", ""),
        ("numpy>=1.19=py38_0", "numpy", RANGE, ">=1.19", "", "py38_0"),
        ("numpy 1.19.2", "numpy", EXACT, "1.19.2", "1.19.2", ""),
        ("numpy 1.19.2 py38_0", "numpy", EXACT, "1.19.2", "1.19.2", "py38_0"),
        ("numpy 1.19.*", "numpy", RANGE, "1.19.*", "", ""),
        ("numpy 1.19=py38*", "numpy", EXACT, "1.19", "1.19", "py38*"),
        ("numpy=1.19.*=py38*", "numpy", RANGE, "=1.19.*", "", "py38*"),
        ("numpy >=1.14,<2", "numpy", RANGE, ">=1.14,<2", "", ""),
        ("numpy>=1.14, <2", "numpy", RANGE, ">=1.14,<2", "", ""),
        ("numpy >= 1.14 , < 2", "numpy", RANGE, ">=1.14,<2", "", ""),
        ("numpy >=1.14 py38_0", "numpy", RANGE, ">=1.14", "", "py38_0"),
        ("numpy!=1.16", "numpy", RANGE, "!=1.16", "", ""),
        ("numpy~=1.16", "numpy", RANGE, "~=1.16", "", ""),
        ("numpy 1.8|1.9", "numpy", RANGE, "1.8|1.9", "", ""),
        ("numpy=1.8|1.9", "numpy", RANGE, "=1.8|1.9", "", ""),
        ("blas=*=mkl", "blas", NAMED, "=*", "", "mkl"),
        ("pytorch=*=*cuda*", "pytorch", NAMED, "=*", "", "*cuda*"),
        ("numpy *", "numpy", NAMED, "*", "", ""),
        ("openssl=1.1.1k", "openssl", RANGE, "=1.1.1k", "", ""),
        ("foo==1!2.0+local", "foo", EXACT, "==1!2.0+local", "1!2.0+local", ""),
        ("numpy[version='>=1.8',build=py38*]", "numpy", RANGE, ">=1.8", "", "py38*"),
        ('numpy[version="1.8"]', "numpy", EXACT, "1.8", "1.8", ""),
        ("numpy=1.8[build=x_0]", "numpy", RANGE, "=1.8", "", "x_0"),
        ("numpy[extras=[a, b],version='>=1'] ", "numpy", RANGE, ">=1", "", ""),
        ("numpy==1.8 # why", "numpy", EXACT, "==1.8", "1.8", ""),
        ("numpy (optional)", "numpy", NAMED, "", "", ""),
        ("python=3.10 if linux", "python", RANGE, "=3.10", "", ""),
    ],
)
def test_versions_and_builds(
    text: str, name: str, exactness: str, specifier: str, version: str, build: str
) -> None:
    one = parse(text)
    assert (one.name, one.exactness, one.specifier) == (name, exactness, specifier)
    assert (one.version, one.build) == (version, build)


def test_places() -> None:
    one = parse("conda-forge/linux-64::numpy=1.2")
    assert (one.channel, one.subdir, one.name) == ("conda-forge", "linux-64", "numpy")
    one = parse("https://conda.example/my/channel::numpy ==1.2")
    assert (one.channel, one.name, one.version) == (
        "https://conda.example/my/channel", "numpy", "1.2",
    )  # fmt: skip
    one = parse("numpy[channel=pytorch, subdir=osx-arm64, sha256=ab, track_features='x,y']")
    assert (one.channel, one.subdir, one.digest) == ("pytorch", "osx-arm64", "sha256:ab")
    assert one.others == (("track_features", "x,y"),)
    one = parse("[name=numpy, version=2.0]")
    assert (one.name, one.version) == ("numpy", "2.0")


@pytest.mark.parametrize(
    "text",
    ["", "=1.2", "-e .", "numpy 1 2 3", "numpy[version", "numpy[version=']", "numpy[x]", "a b@c",
     "numpy>=1 <2 b", "${{ x }}", "*cuda*", "x" * 2000, "a:b", "numpy==1.0;python_version<'3'"],
)  # fmt: skip
def test_what_conda_does_not_take(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse(text)


def test_facts() -> None:
    one = fact_of("pytorch::pytorch-cuda=11.8", "f:1", 'sys_platform == "linux"', "group:x")
    assert (one.kind, one.name, one.channel) == (CUDA, "pytorch-cuda", "pytorch")
    assert (one.marker, one.group, one.ecosystem) == ('sys_platform == "linux"', "group:x", CONDA)
    assert fact_of("python 3.8.5", "f:1").kind == PYTHON
    assert fact_of("cudnn", "f:1").kind == PACKAGE
    one = fact_of("x[url=https://a:b@h.example/x-1-0.conda]", "f:1")
    assert (one.exactness, one.url) == (PLACED, "https://h.example/x-1-0.conda")
    assert fact_of("numpy[subdir=linux-64]", "f:1").marker == marker_of("linux-64")
    with pytest.raises(ValueError, match="pip does below pip:"):
        fact_of("git+https://h.example/x.git", "f:1")


def test_package_files() -> None:
    one = artifact(
        "https://conda.example/t/secret/conda-forge/linux-64/ld_impl-2.4-h1_0.conda#" + "a" * 32
    )
    assert one is not None
    assert one == (
        "ld_impl", "2.4", "h1_0", "conda-forge", "linux-64",
        "https://conda.example/conda-forge/linux-64/ld_impl-2.4-h1_0.conda", "md5:" + "a" * 32,
    )  # fmt: skip
    one = artifact("file:///opt/pkgs/a-b-1.0-0.tar.bz2#sha256:" + "B" * 64)
    assert one is not None
    assert (one.name, one.subdir, one.digest) == ("a-b", "", "sha256:" + "b" * 64)
    assert artifact("https://conda.example/c/noarch/x-1.conda") is None
    assert artifact("https://conda.example/c/noarch/x-1-0.whl") is None
    one = artifact("x-1-0.conda#zz")
    assert one is not None
    assert one.digest == ""


def test_channels_and_platforms() -> None:
    assert channel_of("https://conda.example/conda-forge/") == "conda-forge"
    assert channel_of("https://conda.example/pkgs/main") == "pkgs/main"
    assert channel_of("https://h.example/pub/x/current") == "https://h.example/pub/x/current"
    assert channel_of("pytorch") == "pytorch"
    assert marker_of("noarch") == "" == marker_of("")
    assert marker_of("win-64") == 'sys_platform == "win32" and platform_machine == "AMD64"'
    assert marker_of("linux-ppc64le").endswith('platform_machine == "ppc64le"')
    assert selector("not  win") == 'sys_platform != "win32"'
    assert selector("osx-arm64") == marker_of("osx-arm64")
    assert selector("py<38") is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1.=<>!~ ,|*[]'\"():/#-_@", max_size=60))
def test_any_text_is_a_spec_or_none(text: str) -> None:
    try:
        one = parse(text)
    except ValueError as error:
        told = str(error)
        assert told.endswith(".")
        return
    assert one.name
    assert bool(one.version) == (one.exactness == EXACT)


@pytest.mark.parametrize("piece", ["=", " ", "[a=", "'", ",", "-", "a ", "::", "a= ", "("])
def test_long_specs_take_no_time(piece: str) -> None:
    started = time.monotonic()
    for end in ("", "]", ".conda", "'x"):
        for text in ("a[" + piece * 900 + end, "a" + piece * 900 + end):
            try:
                fact_of(text[:999], "f:1")
            except ValueError:
                continue
    assert time.monotonic() - started < 10
