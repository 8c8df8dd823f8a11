"""What Manifest.toml and Project.toml state, against depots written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core.difference import BROKEN, POSSIBLE, UNKNOWN
from provenance.operations import stated_julia
from provenance.operations.stated_julia import allows, compare_julia
from provenance.specs import formats
from provenance.specs.model import Fact, Source

JSON = ("JSON", "682c06a0-de6a-54ab-a142-c8b1cf79cde6")
PARSERS = ("Parsers", "69de0a69-1ddd-5017-9359-2bf0b02dc9f0")
MANIFEST = """\
julia_version = "1.9.3"
manifest_format = "2.0"

[[deps.Dates]]
deps = ["Printf"]
uuid = "ade2ca70-3891-5945-98fb-dc099432e06a"

[[deps.JSON]]
deps = ["Dates", "Parsers"]
git-tree-sha1 = "3c837543ddb02250ef42f4738347454f95079d4e"
uuid = "682c06a0-de6a-54ab-a142-c8b1cf79cde6"
version = "0.21.3"

[[deps.Parsers]]
git-tree-sha1 = "0044b23da09b5608b4ecacb4e5e6c6332f833a7e"
uuid = "69de0a69-1ddd-5017-9359-2bf0b02dc9f0"
version = "2.3.2"
"""


def facts(path: str, text: str) -> tuple[Fact, ...]:
    return formats.read(Source(path, text.encode())).facts


def a_julia(tmp_path: Path, version: str = "1.9.3") -> dict[str, str]:
    place = tmp_path / "opt" / ("julia-" + version) / "bin" / "julia"
    place.parent.mkdir(parents=True)
    place.write_text("#!/bin/sh\nexit 97\n")
    place.chmod(0o755)
    return {"PATH": str(place.parent), "HOME": str(tmp_path)}


def install(tmp_path: Path, package: tuple[str, str], slug: str, version: str) -> None:
    name, uuid = package
    place = tmp_path / ".julia" / "packages" / name / slug
    place.mkdir(parents=True)
    text = 'name = "%s"\nuuid = "%s"\nversion = "%s"\n' % (name, uuid, version)
    (place / "Project.toml").write_text(text)


def test_quiet_after_instantiate(tmp_path: Path) -> None:
    environ = a_julia(tmp_path)
    install(tmp_path, JSON, "NeJ9k", "0.21.3")
    install(tmp_path, JSON, "93Ea8", "0.21.4")
    install(tmp_path, PARSERS, "KmPK", "2.3.2")
    found = compare_julia(facts("Manifest.toml", MANIFEST), environ, str(tmp_path))
    assert (found.equal, found.total, found.unit) == (3, 3, "Julia packages")
    assert found.differences == found.not_compared == ()


def test_another_tree_is_not_the_package(tmp_path: Path) -> None:
    """Julia never loads another version in its stead: it is not installed, and what is, is said."""
    environ = a_julia(tmp_path, "1.10.0")
    install(tmp_path, JSON, "93Ea8", "0.21.4")
    install(tmp_path, PARSERS, "KmPKe", "2.3.2")
    (tmp_path / "run.jl").write_text("using Dates: JSON\n# using JSON\n")
    found = compare_julia(facts("Manifest.toml", MANIFEST), environ, str(tmp_path))
    assert [(d.kind, d.name, d.effect, d.old, d.new, d.text) for d in found.differences] == [
        ("version", "Julia", UNKNOWN, "1.9.3", "1.10.0", ""),
        ("removed", "JSON", POSSIBLE, "0.21.3", None, "not installed; here: 0.21.4"),
    ]
    (tmp_path / "run.jl").write_text("using Dates, Plots\nimport JSON\n")
    found = compare_julia(facts("Manifest.toml", MANIFEST), environ, str(tmp_path))
    assert [one.effect for one in found.differences] == [UNKNOWN, BROKEN]
    assert (found.equal, found.total) == (1, 3)
    assert {(one.facet, one.subject) for one in found.differences} == {("packages", "julia")}


def test_before_anybody_instantiated(tmp_path: Path) -> None:
    environ = a_julia(tmp_path)
    found = compare_julia(facts("Manifest.toml", MANIFEST), environ, str(tmp_path))
    assert (found.equal, found.total) == (1, 1)
    assert [(one.what, one.reason) for one in found.not_compared] == [
        ("2 Julia packages", stated_julia.NOTHING)
    ]


def test_without_julia_nothing_differs(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    found = compare_julia(facts("Manifest.toml", MANIFEST), environ, str(tmp_path))
    assert (found.differences, found.total) == ((), 0)
    assert [one.reason for one in found.not_compared] == ["Julia is not installed here"]


def test_a_package_that_is_developed(tmp_path: Path) -> None:
    text = (
        'manifest_format = "2.0"\n[[deps.Mine]]\npath = "../Mine"\nuuid = "%s"\nversion = "0.1.0"\n'
    )
    stated = facts("run/Manifest.toml", text % JSON[1])
    (tmp_path / "Mine").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "Mine" / "Project.toml").write_text('version = "0.2.0"\n')
    found = compare_julia(stated, a_julia(tmp_path), str(tmp_path))
    assert [(one.kind, one.old, one.new) for one in found.differences] == [
        ("version", "0.1.0", "0.2.0")
    ]


def test_a_project_file_alone_names_no_versions(tmp_path: Path) -> None:
    text = '[deps]\nJSON = "%s"\nParsers = "%s"\n[compat]\nJSON = "0.21"\njulia = "1.6"\n'
    stated = facts("Project.toml", text % (JSON[1], PARSERS[1]))
    found = compare_julia(stated, a_julia(tmp_path), str(tmp_path))
    assert (found.equal, found.total) == (1, 1), "Julia itself"
    assert [(one.what, one.reason) for one in found.not_compared] == [
        ("2 Julia packages", stated_julia.FREE)
    ]


@pytest.mark.parametrize(
    ("compat", "version", "told"),
    [
        ("1.6", "1.9.3", True),
        ("1.6", "2.0.0", False),
        ("1.6.7", "1.6.6", False),
        ("0.7, 1", "1.0.5", True),
        ("0.2", "0.3.0", False),
        ("0.0.3", "0.0.4", False),
        ("^1.2", "1.10.0", True),
        ("~1.6", "1.6.9", True),
        ("~1.6", "1.7.0", False),
        ("~1", "1.7.0", True),
        ("=1.9.3", "1.9.3", True),
        ("=1.9.3", "1.9.4", False),
        ("==1.6.*", "1.6.2", True),
        ("==1.6.*", "1.60.2", False),
        (">= 1.9", "1.9.0", True),
        ("< 1.9", "1.9.0", False),
        ("1.6 - 1.8", "1.8.5", True),
        ("1.6 - 1.8", "1.9.0", False),
        ("1.9", "1.11.0-rc1", True),
        ("whatever", "1.9.0", None),
        ("", "1.9.0", None),
    ],
)
def test_compat_entries(compat: str, version: str, told: bool | None) -> None:
    assert allows(compat, version) is told


@given(st.text("0123456789.^~=<>-, v*", max_size=30), st.text("0123456789.-rc+", max_size=12))
def test_any_entry_has_an_answer(compat: str, version: str) -> None:
    assert allows(compat, version) in (True, False, None)
