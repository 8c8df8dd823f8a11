"""Under which names a stated package is looked for in an installed environment."""

from __future__ import annotations

import re

import pytest

from provenance.specs import names
from provenance.specs.model import CONDA, CUDA, EXACT, JULIA, NAMED, PACKAGE, PYPI, Fact


def installed(name: str, ecosystem: str = CONDA, version: str = "") -> tuple[str, ...]:
    fact = Fact(PACKAGE, name, EXACT if version else NAMED, "env.yml:1", version, "", ecosystem)
    return names.installed_names(fact)


@pytest.mark.parametrize(
    ("conda", "first"),
    [
        ("pytorch", "torch"),
        ("pytorch-gpu", "torch"),
        ("pytables", "tables"),
        ("py-opencv", "opencv-python"),
        ("opencv", "opencv-python"),
        ("matplotlib-base", "matplotlib"),
        ("python-graphviz", "graphviz"),
        ("msgpack-python", "msgpack"),
        ("numpy-base", "numpy"),
        ("faiss-gpu", "faiss"),
        ("tensorflow-base", "tensorflow"),
        ("typing_extensions", "typing-extensions"),
        ("ruamel.yaml", "ruamel-yaml"),
        ("pytorch_geometric", "torch-geometric"),
        ("pyg", "torch-geometric"),
        ("spacy-model-en_core_web_sm", "en-core-web-sm"),
        ("dgl-cuda11.1", "dgl"),
        ("librosa", "librosa"),
        ("cuda-python", "cuda-python"),
        ("scikit-learn", "scikit-learn"),
        ("pyyaml", "pyyaml"),
        ("pip", "pip"),
    ],
)
def test_a_package_of_conda_is_looked_for_under_what_it_installs(conda: str, first: str) -> None:
    assert installed(conda)[0] == first


@pytest.mark.parametrize(
    "conda",
    "_libgcc_mutex cudatoolkit mkl libgcc-ng openssl python graphviz lmdb snappy tzdata brotli "
    "xxhash ld_impl_linux-64 cuda-cudart xorg-libx11 r-base ninja pytorch-cuda vc".split(),
)
def test_programs_and_libraries_of_conda_have_no_distribution(conda: str) -> None:
    assert installed(conda) == ()
    assert installed(conda, PYPI) != (), "on PyPI these names are what they say"


def test_builds_of_one_project_stand_for_each_other() -> None:
    assert installed("tensorflow-gpu", PYPI)[:2] == ("tensorflow-gpu", "tensorflow")
    assert "tensorflow-gpu" in installed("tensorflow", PYPI)
    assert "opencv-python-headless" in installed("cv2", PYPI)
    assert "cupy-cuda11x" in installed("cupy", CONDA)


def test_a_name_for_importing_stands_for_its_package_but_not_a_stand_in_that_was_listed() -> None:
    assert installed("sklearn", PYPI) == ("scikit-learn", "sklearn")
    assert installed("sklearn", PYPI, "1.0.2")[0] == "scikit-learn"
    assert installed("sklearn", PYPI, "0.0.post1") == ("sklearn",)
    assert installed("pytorch", PYPI, "1.7.1")[0] == "torch"


def test_what_is_no_package_of_python_has_no_name() -> None:
    assert installed("Flux", JULIA) == ()
    assert names.installed_names(Fact(CUDA, "cuda", EXACT, "README.md:3", "11.3")) == ()


@pytest.mark.parametrize(
    ("name", "ecosystem", "certain"),
    [
        ("numpy", CONDA, True),
        ("pytorch", CONDA, True),
        ("typing_extensions", CONDA, True),
        ("openssl", CONDA, False),
        ("graphviz", CONDA, False),
        ("some-unknown-thing", CONDA, False),
        ("some-unknown-thing", PYPI, True),
        ("Flux", JULIA, False),
    ],
)
def test_which_packages_are_certainly_distributions(
    name: str, ecosystem: str, certain: bool
) -> None:
    fact = Fact(PACKAGE, name, NAMED, "env.yml:1", ecosystem=ecosystem)
    assert names.is_distribution(fact) is certain
    assert not certain or names.installed_names(fact)


def test_every_name_in_the_tables_is_one_that_an_index_would_take() -> None:
    tables = (names._CONDA_FORGE, names._CHANNELS, names._WHOLES, names.MEANT)
    for table in tables:
        for name, distributions in table.items():
            assert distributions, name
            for one in (name, *distributions):
                assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one), one
            assert name not in distributions
    assert not set(names._CONDA_FORGE) & set(names._CHANNELS) | set(names._WHOLES) & names._NEVER
    never = [one for one in names._SAME if names.is_never_python(one)]
    assert not never
    seen = [one for group in names._TWINS for one in group]
    assert len(seen) == len(set(seen))
