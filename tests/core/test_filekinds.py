"""Which files are whose: the system's, an environment's, the project's."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import filekinds
from provenance.core.paths import Roots


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("/usr/lib/python3/x.py", True),
        ("/usr/src/app/train.py", False),
        ("/usr/src/app/node_modules/x.js", True),
        ("/usr/src/app/venv/lib/x.py", True),
        ("/home/a/other/train.py", False),
        ("/home/a/other/__pycache__/x.py", True),
    ],
)
def test_a_project_may_lie_where_the_system_does(path, ignored):
    tops = Roots("/usr/src/app", "/usr/src/app/sub", "/root").tops()
    assert filekinds.is_ignored(path, ("/usr/src/app/venv",), tops) is ignored


def test_the_tree_of_a_replay_is_a_project_and_the_records_are_not():
    assert not filekinds.is_ignored("/p/.prov/replays/x-of-y/train.py", ())
    assert filekinds.is_ignored("/p/.prov/runs/x/code.py", ())


def test_the_root_of_the_file_system_is_nobodys_project():
    assert Roots(None, "/", "/root").tops() == ()


@given(st.text("ab./~", max_size=12))
def test_suffixes_are_those_of_the_standard_library(name):
    assert filekinds.suffix("/x/" + name) == os.path.splitext("/x/" + name)[1].lower()


SITE = "/p/venv/lib/python3.11/site-packages/"


@pytest.mark.parametrize(
    ("name", "packaged"),
    [
        ("sklearn/datasets/data/digits.csv.gz", True),
        ("sklearn/datasets/images/china.jpg", True),
        ("sklearn/datasets/descr/digits.rst", False),
        ("sklearn/datasets/__pycache__/_base.cpython-311.pyc", False),
        ("sklearn/utils/_repr_html/estimator.css", False),
        ("statsmodels/datasets/longley/longley.csv", True),
        ("vega_datasets/_data/cars.json", True),
        ("plotly/package_data/datasets/iris.csv.gz", True),
        ("skimage/data/astronaut.png", True),
        ("datasets/utils/resources/languages.json", False),
        ("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf", False),
        ("matplotlib/mpl-data/images/home.png", False),
        ("matplotlib/mpl-data/sample_data/goog.npz", True),
        ("botocore/data/endpoints.json", False),
        ("torchvision/datasets/mnist.py", False),
        ("xgboost/VERSION", False),
    ],
)
def test_data_sets_that_come_with_a_package(name, packaged):
    assert filekinds.is_package_data(SITE + name) is packaged
    assert not filekinds.is_package_data("/p/" + name)
