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
