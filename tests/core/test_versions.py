"""Ordering of versions, held against the ``packaging`` library."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from provenance.core import versions

NUMBER = st.integers(0, 12).map(str)
RELEASE = st.lists(NUMBER, min_size=1, max_size=4).map(".".join)
EPOCH = st.sampled_from(["", "0!", "1!"])
PRE = st.sampled_from(
    ["", "a", "a1", ".b2", "rc1", "-c3", "_alpha1", "beta", ".preview4", "pre5", "RC2"]
)
POST = st.sampled_from(["", ".post1", "-1", "post", "-r2", ".rev3", "-0", ".POST2"])
DEV = st.sampled_from(["", ".dev0", "dev3", "-dev", "_dev2"])
LOCAL = st.sampled_from(["", "+cu121", "+cpu", "+a.b-c_1"])
VERSION = st.builds("{}{}{}{}{}{}".format, EPOCH, RELEASE, PRE, POST, DEV, LOCAL)
ODD = st.one_of(VERSION, st.text("0123.abrcpost!+- _v*", max_size=10))


def public(text: str) -> Version:
    return Version(Version(text).public)


@given(VERSION, VERSION)
@example("1.0", "1.0.0")
@example("1.0.dev1", "1.0a1.dev1")
@example("1.0a1.post1", "1.0a1")
@example("0", "0.0")
@example("1.0.post1.dev1", "1.0")
def test_order_is_that_of_packaging(one: str, two: str) -> None:
    ours = (versions.key(one) > versions.key(two)) - (versions.key(one) < versions.key(two))
    theirs = (public(one) > public(two)) - (public(one) < public(two))
    assert ours == theirs


@given(ODD)
@example(" v1.0 ")
@example("1.0+")
@example("1.0.post")
@example("1..0")
def test_the_same_texts_are_versions(text: str) -> None:
    try:
        Version(text)
    except InvalidVersion:
        assert not versions.is_version(text)
        with pytest.raises(ValueError, match="not a version number"):
            versions.key(text)
    else:
        assert versions.is_version(text)


@pytest.mark.parametrize(
    ("old", "new", "boundary", "expected"),
    [
        ("1.3.2", "1.4.0", "1.4", True),
        ("1.4.0", "1.3.2", "1.4", True),
        ("1.4.0", "1.5.0", "1.4", False),
        ("1.2", "1.3.9", "1.4", False),
        ("1.3.2", "1.4.0rc1", "1.4", True),
        ("2.0.1+cu118", "2.1.0+cpu", "2.1", True),
        ("1.9", "1.10", "1.10", True),
        ("0.9", "1!0.1", "5", True),
        ("1.3", "unknown", "1.4", False),
        ("", "1.5", "1.4", False),
    ],
)
def test_crossing_a_release(old: str, new: str, boundary: str, expected: bool) -> None:
    assert versions.crossed(old, new, boundary) is expected


@given(VERSION, VERSION, RELEASE)
def test_crossing_has_no_direction_and_nothing_crosses_itself(
    one: str, two: str, boundary: str
) -> None:
    assert versions.crossed(one, two, boundary) == versions.crossed(two, one, boundary)
    assert not versions.crossed(one, one, boundary)
