"""Paths that mean something on another machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import canonical
from provenance.core.paths import ABS, CWD, HOME, REPO, PathRef, Roots, is_inside

ROOTS = Roots("/home/me/repo", "/home/me/repo/sub", "/home/me")
PART = st.binary(min_size=1, max_size=6).filter(lambda b: b"/" not in b and b"\0" not in b)
PATHS = st.lists(PART, min_size=1, max_size=5).map(lambda parts: os.fsdecode(b"/".join(parts)))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/me/repo/data/x.csv", PathRef(REPO, "data/x.csv")),
        ("x.csv", PathRef(REPO, "sub/x.csv")),
        ("../x.csv", PathRef(REPO, "x.csv")),
        ("/home/me/repo", PathRef(REPO, ".")),
        ("/home/me/repository/x", PathRef(HOME, "repository/x")),
        ("/home/me/data/x", PathRef(HOME, "data/x")),
        ("/data/x", PathRef(ABS, "/data/x")),
        ("/home/me/repo/../other", PathRef(HOME, "other")),
    ],
)
def test_the_innermost_meaning_is_taken(path: str, expected: PathRef) -> None:
    assert ROOTS.refer(path) == expected


def test_without_a_repository_the_working_folder_counts() -> None:
    roots = Roots(None, "/work", "/home/me")
    assert roots.refer("x") == PathRef(CWD, "x")
    assert roots.locate(PathRef(REPO, "x")) is None
    assert Roots(None, "/", "/").refer("/etc/x") == PathRef(ABS, "/etc/x")


@given(PATHS)
def test_what_is_referred_to_is_found_again(path: str) -> None:
    full = os.path.normpath(os.path.join(ROOTS.cwd, path))
    for absolute in (full, os.path.normpath("/elsewhere/" + path)):
        assert ROOTS.locate(ROOTS.refer(absolute)) == absolute


@given(PATHS)
def test_json_keeps_every_name(path: str) -> None:
    ref = ROOTS.refer(path)
    text = canonical.dumps(ref.to_json())
    assert PathRef.from_json(json.loads(text)) == ref


@given(st.sampled_from([REPO, CWD, HOME]), PATHS)
def test_a_reference_never_leads_out_of_its_root(root: str, path: str) -> None:
    base = {REPO: ROOTS.repo, CWD: ROOTS.cwd, HOME: ROOTS.home}[root]
    for below in (path, "../" + path, "a/../../" + path, "/" + path):
        found = ROOTS.locate(PathRef(root, below))
        assert found is None or (base is not None and is_inside(found, base))


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", ".."])
def test_these_lead_out(path: str) -> None:
    assert ROOTS.locate(PathRef(REPO, path)) is None


def test_odd_roots_and_relative_absolutes_are_nowhere() -> None:
    assert ROOTS.locate(PathRef("moon", "x")) is None
    assert ROOTS.locate(PathRef(ABS, "x")) is None


@pytest.mark.parametrize("value", [None, 3, [], {}, {"root": "repo"}, {"path": "x"}, "text"])
def test_what_is_no_path_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="not a path"):
        PathRef.from_json(value)


def test_names_for_people() -> None:
    shown = [str(PathRef(root, "x/y")) for root in (REPO, CWD, HOME)]
    assert shown == ["x/y", "x/y", "~/x/y"]


def test_inside_is_by_folders_not_by_letters(tmp_path: Path) -> None:
    assert is_inside("/a/b", "/a")
    assert is_inside("/a", "/a")
    assert is_inside("/a", "/")
    assert not is_inside("/ab", "/a")
