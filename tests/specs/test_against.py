"""Stated packages against installed ones: one row each, and what differs."""

import pytest

from provenance.core.difference import BROKEN, NONE, POSSIBLE, UNKNOWN
from provenance.facets._conda import CondaPackage
from provenance.facets._installed import Installed, Packages
from provenance.specs import against
from provenance.specs.against import Here
from provenance.specs.model import (
    CONDA,
    EXACT,
    NAMED,
    PACKAGE,
    PLACED,
    PYPI,
    PYTHON,
    RANGE,
    Fact,
)

MARKERS = {
    "python_version": "3.8",
    "python_full_version": "3.8.18",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
}


def here(conda=None, imports=None, **installed):
    held = {}
    for name, one in installed.items():
        key = name.replace("_", "-")
        held[key] = one if isinstance(one, Installed) else Installed(key, one)
    return Here("3.8.18", Packages(held, conda or {}), MARKERS, imports or {})


def exact(name, version, **more):
    return Fact(PACKAGE, name, EXACT, "f:1", version, "==" + version, **more)


def ranged(name, specifier, **more):
    return Fact(PACKAGE, name, RANGE, "f:2", "", specifier, **more)


def named(name, **more):
    return Fact(PACKAGE, name, NAMED, "f:3", **more)


def one(facts, there, complete=False):
    """Return the only row and the only difference, None for none."""
    found = against.packages(facts, there, complete)
    assert len(found.rows) == 1
    differences = found.comparison.differences
    assert len(differences) <= 1
    return found.rows[0], differences[0] if differences else None


def test_the_same_version_is_the_same_however_written():
    row, told = one([exact("a", "1.0")], here(a="1.0.0"))
    assert (row.status, told) == ("same", None)


def test_another_version_is_told_with_both():
    row, told = one([exact("a", "1.0")], here(a="1.1"))
    assert (row.status, row.stated, row.installed, row.where) == ("differs", "1.0", "1.1", "f:1")
    assert (told.kind, told.old, told.new, told.effect) == ("version", "1.0", "1.1", UNKNOWN)


def test_outside_of_a_range_is_possible_and_says_whose():
    row, told = one([ranged("a", ">=1,<2")], here(a="2.1"))
    assert (row.status, told.effect, told.old) == ("differs", POSSIBLE, ">=1,<2")
    assert told.text == "outside of what f:2 allows"
    assert one([ranged("a", ">=1,<2")], here(a="1.4"))[1] is None


def test_a_release_line_is_no_border():
    assert one([ranged("a", "==1.4.*")], here(a="1.5"))[1].effect == UNKNOWN


def test_a_name_alone_is_never_contradicted():
    row, told = one([named("a")], here(a="3"))
    assert (row.status, told) == ("not stated", None)
    found = against.packages([named("a")], here(a="3")).comparison
    assert (found.equal, found.total) == (1, 1)
    assert [(n.what, n.reason) for n in found.not_compared] == [("a", "no version is stated")]


def test_missing_is_broken_only_where_the_source_imports_it():
    assert one([named("scikit-learn")], here())[1].effect == POSSIBLE
    told = one([named("scikit-learn")], here(imports={"sklearn": ("fit.py:3",)}))[1]
    assert (told.kind, told.effect, told.where) == ("removed", BROKEN, ("fit.py:3",))
    assert one([exact("pkg-resources", "0.0.0")], here())[1].effect == NONE


@pytest.mark.parametrize(
    ("marker", "status"),
    [
        ('python_version < "3.9"', "same"),
        ('python_version >= "3.9"', "not for here"),
        ('sys_platform == "win32"', "not for here"),
        ('extra == "dev"', "same"),
        ("no marker at all", "same"),
    ],
)
def test_markers_are_those_of_the_interpreter_looked_at(marker, status):
    row, told = one([exact("a", "1", marker=marker)], here(a="1"))
    assert (row.status, told) == (status, None)


def test_what_an_extra_asks_for_is_compared_where_it_is_here():
    facts = [exact("a", "1", marker='extra == "dev"')]
    assert one(facts, here(a="1"))[0].status == "same"
    assert one(facts, here(a="2"))[0].status == "differs"
    assert one(facts, here(b="2"))[0].status == "not for here"
    assert one([exact("a", "1", marker='extra == "dev" and sys_platform == "win32"')], here(a="2"))[
        0
    ].status == ("not for here")


def test_two_entries_with_markers_are_one_package():
    facts = [
        exact("a", "1", marker='python_version < "3.7"'),
        exact("a", "2", marker='python_version >= "3.7"'),
    ]
    assert one(facts, here(a="2"))[0].status == "same"
    assert one(facts, here(a="1"))[0].stated == "2"


def test_an_entry_without_version_does_not_hide_one_with():
    facts = [named("a"), exact("a", "1")]
    assert one(facts, here(a="2"))[1].old == "1"
    facts = [ranged("a", ">=1"), exact("a", "1.5")]
    assert one(facts, here(a="2"))[1].old == "1.5"
    assert one([ranged("a", ">=1"), ranged("a", "<2")], here(a="2"))[1].old == "<2"


def test_optional_parts_and_constraints_ask_for_nothing():
    assert against.packages([exact("a", "1", group="extra:dev")], here()).rows == ()
    row, told = one([exact("a", "1", group="constraint")], here(a="2"))
    assert (row.status, told.new) == ("differs", "2")


def test_extra_packages_of_a_complete_list_cannot_matter():
    found = against.packages([exact("a", "1")], here(a="1", b="2", pip="23"), complete=True)
    assert [(row.name, row.status) for row in found.rows] == [("a", "same"), ("b", "extra")]
    assert [(d.kind, d.name, d.effect) for d in found.comparison.differences] == [
        ("added", "b", NONE)
    ]
    assert len(against.packages([exact("a", "1")], here(a="1", b="2")).rows) == 1


def test_local_parts_are_builds_of_one_release():
    row, told = one([exact("torch", "1.9.0+cu111")], here(torch="1.9.0+cpu"))
    assert (row.status, told.kind, told.effect) == ("differs", "build", UNKNOWN)
    assert one([exact("torch", "1.9.0")], here(torch="1.9.0+cpu"))[1] is None


def test_commits_are_compared_with_what_was_installed():
    url = "git+https://x.org/a/b@" + "a" * 40
    at = Installed("b", "0.1", direct_url={"vcs_info": {"vcs": "git", "commit_id": "a" * 40}})
    other = Installed("b", "0.1", direct_url={"vcs_info": {"vcs": "git", "commit_id": "b" * 40}})
    fact = Fact(PACKAGE, "b", PLACED, "f:1", url=url)
    assert one([fact], here(b=at))[0].status == "same"
    assert one([fact], here(b=other))[1].kind == "origin"
    assert one([fact], here(b="0.1"))[0].status == "not compared"
    floating = fact._replace(url="git+https://x.org/a/b")
    assert one([floating], here(b=at))[0].status == "not compared"


def test_folders_of_others_are_not_missed():
    fact = Fact(PACKAGE, "b", PLACED, "f:1", url="./libs/b")
    assert one([fact], here())[0].status == "not compared"


def conda(**packages):
    return {name.replace("_", "-"): CondaPackage(*text.split()) for name, text in packages.items()}


def test_conda_names_are_looked_up_as_python_has_them():
    fact = ranged("pytorch", "=1.4", ecosystem=CONDA)
    assert one([fact], here(torch="1.4.1"))[0].status == "same"
    row, told = one([fact], here(torch="1.5.0"))
    assert (row.name, row.stated, told.effect) == ("torch", "1.4.*", UNKNOWN)


def test_conda_libraries_are_compared_in_a_conda_prefix_only():
    fact = exact("libblas", "3.9.0", ecosystem=CONDA, build="16_mkl")
    row, told = one([fact], here())
    assert (row.status, row.reason) == ("not compared", "there is no conda environment here")
    assert told is None
    assert one([fact], here(conda(libblas="3.9.0 16_mkl")))[0].status == "same"
    assert one([fact], here(conda(libblas="3.9.0 1_openblas")))[1].kind == "build"
    assert one([fact], here(conda(libblas="3.8.0 16_mkl")))[1].kind == "version"
    assert one([fact], here(conda(zlib="1 0")))[1].kind == "removed"


def test_pip_has_the_last_word_over_conda():
    facts = [exact("numpy", "1.18", ecosystem=CONDA), exact("numpy", "1.19", ecosystem=PYPI)]
    assert one(facts, here(numpy="1.19"))[0].status == "same"


@pytest.mark.parametrize(
    ("specifier", "version", "effect"),
    [
        ("==3.8.*", "3.8.18", None),
        ("==3.6.*", "3.8.18", UNKNOWN),
        (">=3.9", "3.8.18", POSSIBLE),
        (">=3.6,<4", "3.8.18", None),
    ],
)
def test_python(specifier, version, effect):
    found = against.python([Fact(PYTHON, "python", RANGE, "f:1", "", specifier)], version)
    assert found.total == 1
    assert [d.effect for d in found.differences] == ([effect] if effect else [])


def test_python_of_two_parts_is_a_release_line():
    fact = Fact(PYTHON, "python", EXACT, "f:1", "3.8", "==3.8")
    assert against.python([fact], "3.8.18").differences == ()


def test_nothing_stated_of_python_compares_nothing():
    assert against.python([], "3.8.18").total == 0


@pytest.mark.parametrize("name", ["dataclasses", "enum34", "argparse"])
def test_a_backport_that_python_has_is_not_missed(name):
    stated = here()._replace(imports={"dataclasses": ("fit.py:1",), "enum": ("fit.py:2",)})
    row, told = one([exact(name, "1.0")], stated)
    assert (row.status, told.effect, told.where) == ("not installed", NONE, ())
    old = stated._replace(python="3.3.1")
    assert one([exact(name, "1.0")], old)[1].effect != NONE


def test_a_stand_in_is_missed_only_with_what_it_stands_for():
    facts = [exact("sklearn", "0.0")]
    assert one(facts, here(**{"scikit-learn": "1.3"}))[1].effect == NONE
    assert one(facts, here())[1].effect == POSSIBLE


def test_a_library_of_conda_is_no_module_of_its_name():
    facts = [exact("yaml", "0.2.5", ecosystem=CONDA)]
    row, told = one(facts, here()._replace(imports={"yaml": ("fit.py:3",)}))
    assert (row.status, told) == ("not compared", None)
