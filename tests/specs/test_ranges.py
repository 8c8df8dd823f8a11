"""Versions as files ask for them: allowed or not, shown, and the next release allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from provenance.core import versions
from provenance.specs import ranges
from provenance.specs.model import CONDA, EXACT, NAMED, PACKAGE, PYPI, RANGE, Fact


def fact(specifier, exactness=RANGE, ecosystem=PYPI, version=""):
    return Fact(PACKAGE, "x", exactness, "f:1", version, specifier, ecosystem)


@pytest.mark.parametrize(
    ("one", "allowed", "refused"),
    [
        (fact(">=1.0,<2"), "1.9.9", "2.0"),
        (fact("==1.4.*"), "1.4.2", "1.5"),
        (fact("~=1.4.2"), "1.4.9", "1.5"),
        (fact("==1.0", EXACT, version="1.0"), "1.0.0", "1.0.1"),
        (fact("=1.4", ecosystem=CONDA), "1.4.1", "1.40"),
        (fact("1.4.*", ecosystem=CONDA), "1.4", "1.5"),
        (fact(">=1,<2|3.*", ecosystem=CONDA), "3.1", "2.5"),
        (fact("", NAMED), "7", None),
        (fact("==1.9.0", EXACT, version="1.9.0"), "1.9.0+cu111", "1.9.1+cu111"),
    ],
)
def test_allowed_and_refused(one, allowed, refused):
    assert ranges.allows(one, allowed) is True
    if refused is not None:
        assert ranges.allows(one, refused) is False


def test_what_cannot_be_ordered_is_not_judged():
    assert ranges.allows(fact(">=1.0"), "not a version!") in (None, False)
    assert ranges.allows(fact("==2004d", EXACT, version="2004d"), "2004d") is True


@pytest.mark.parametrize(
    ("one", "shown"),
    [
        (fact("==1.1.3", EXACT, version="1.1.3"), "1.1.3"),
        (fact("==1.4.*"), "1.4.*"),
        (fact(" >= 1.0, < 2"), ">=1.0,<2"),
        (fact("=1.4", ecosystem=CONDA), "1.4.*"),
        (fact("1.4.*", ecosystem=CONDA), "1.4.*"),
        (fact(">=3.6,<3.9", ecosystem=CONDA), ">=3.6,<3.9"),
        (fact("", NAMED), ""),
    ],
)
def test_shown_as_pip_would_write_it(one, shown):
    assert ranges.shown(one) == shown


@pytest.mark.parametrize(
    ("stated", "here", "edge"),
    [
        ("1.1.3", "1.5.2", "1.1.3"),
        ("1.4.*", "2.0", "1.4"),
        (">=1.21,<1.24", "1.26.4", "1.23.999"),
        (">=1.21,<1.24", "1.19", "1.21"),
        ("<=1.5", "2", "1.5"),
        ("<2", "2.1", "1.999"),
        ("~=1.4.2", "1.6", "1.4.999"),
        ("~=1.4.2", "1.4.1", "1.4.2"),
        ("!=1.5", "1.5", ""),
        ("<0", "1", ""),
        ("", "1", ""),
        ("foo", "1", ""),
        (">=1", "not a version", ""),
    ],
)
def test_edge(stated, here, edge):
    assert ranges.edge(stated, here) == edge


numbers = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)


@given(numbers, numbers, numbers)
def test_the_edge_is_allowed_and_nothing_allowed_is_nearer(low, high, here):
    stated = ">=%s,<%s" % (low, high)
    if Version(low) >= Version(high) or SpecifierSet(stated).contains(here):
        return
    edge = ranges.edge(stated, here)
    if Version(here) < Version(low):
        assert edge == low
    elif edge:
        assert Version(edge) < Version(high) <= Version(here)
        assert versions.crossed(edge, here, high)


@given(st.text(max_size=30), st.text(max_size=12))
def test_no_words_make_it_fail(stated, here):
    ranges.edge(stated, here)
    ranges.allows(fact(stated), here)
    ranges.shown(fact(stated))
    ranges.normal(here)
    ranges.commit_of(stated)


@given(numbers)
def test_normal_forms_of_equal_versions_are_equal(text):
    assert ranges.normal(text) == ranges.normal(text + ".0") == ranges.normal("v" + text)


def test_commits_and_places():
    assert ranges.commit_of("git+https://x.org/a/b@abcdef1234#egg=b") == "abcdef1234"
    assert ranges.commit_of("git+https://x.org/a/b@main") == ""
    assert ranges.commit_of("git+ssh://git@x.org/a/b") == ""
    assert ranges.is_remote("git+https://x.org/a/b")
    assert not ranges.is_remote("./libs/b")
    assert not ranges.is_remote("file:///tmp/b.whl")
    assert not ranges.is_remote("git+file:///srv/b")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("1.1.3", "x==1.1.3"),
        ("1.4.*", "'x==1.4.*'"),
        (">=1,<2", "'x>=1,<2'"),
        ("~=1.4", "'x~=1.4'"),
    ],
)
def test_what_pip_is_asked_for(asked, words):
    assert versions.requirement("x", asked) == words
