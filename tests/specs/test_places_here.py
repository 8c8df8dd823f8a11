"""Packages found by the place that they came from, and what their revision says."""

import pytest

from provenance.core.paths import PathRef
from provenance.facets._installed import Installed
from provenance.facets._origins import Editable
from provenance.specs import places_here
from provenance.specs.model import PACKAGE, PLACED, Fact


def fact(url, name="x"):
    return Fact(PACKAGE, name, PLACED, "requirements.txt:1", url=url)


def remote(url, revision="", commit="a" * 40):
    info = {"vcs": "git", "commit_id": commit, "requested_revision": revision}
    return Installed("timm", "1.0", direct_url={"url": url, "vcs_info": info})


def local(path, root="abs"):
    return Installed("near-tool", "1.0", direct_url={"path": {"root": root, "path": path}})


@pytest.mark.parametrize(
    "stated",
    [
        "git+https://github.com/hf/pytorch-image-models",
        "git+https://github.com/hf/pytorch-image-models.git@v1.0",
        "git+https://user@github.com/HF/pytorch-image-models.git@main#egg=timm",
        "git+ssh://git@github.com/hf/pytorch-image-models.git",
        "git@github.com:hf/pytorch-image-models.git",
        "https://github.com/hf/pytorch-image-models/",
    ],
)
def test_a_repository_is_known_however_it_is_written(stated):
    there = {"timm": remote("https://github.com/hf/pytorch-image-models.git")}
    assert places_here.find(fact(stated, "pytorch-image-models"), there) == "timm"
    assert places_here.find(fact("git+https://github.com/hf/other"), there) == ""


@pytest.mark.parametrize(
    ("stated", "path", "same"),
    [
        ("./near", "near", True),
        ("file:///home/a/paper/near", "/srv/b/near", True),
        ("../near/", "/srv/near", True),
        ("near", "far", False),
        (".", "paper", False),
        ("file:///build/six_162/work", "/build/six_162/work", True),
        ("file:///build/six_162/work", "/build/numpy_163/work", False),
        ("git+file:///srv/near@v1", "/srv/near", True),
    ],
)
def test_a_folder_is_known_by_its_name_unless_many_have_that(stated, path, same):
    assert places_here.is_from(fact(stated), local(path)) is same


def test_two_that_came_from_one_place_are_not_told_apart():
    there = {"a": local("near"), "b": local("near")}
    assert places_here.find(fact("./near"), there) == ""


@pytest.mark.parametrize(
    ("asked", "have", "same"),
    [("v1.0", "v1.0", True), ("main", "main", None), ("v1.0", "v1.1", None), ("", "v1.0", None)],
)
def test_a_tag_is_told_and_a_branch_is_not(asked, have, same):
    url = "git+https://example.org/a/b" + ("@" + asked if asked else "")
    assert places_here.revision(url) == asked
    there = remote("https://example.org/a/b", have)
    assert places_here.same_revision(fact(url), there) is same


def test_what_belongs_to_the_repository():
    inside = local("near", "repo")
    assert not places_here.is_of_repository(inside)  # a file of a wheel
    folder = inside._replace(direct_url={**inside.direct_url, "dir_info": {}})
    assert places_here.is_of_repository(folder)
    outside = folder._replace(direct_url={**local("/srv/near").direct_url, "dir_info": {}})
    assert not places_here.is_of_repository(outside)
    edited = Installed("x", "1", editable=Editable(PathRef("abs", "/srv/x")))
    assert places_here.is_of_repository(edited)


@pytest.mark.parametrize(("url", "top"), [(".", True), ("file:.", True), ("./near", False)])
def test_the_folder_itself(url, top):
    assert places_here.is_top(url) is top
