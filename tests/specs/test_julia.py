"""What Julia's Project.toml and Manifest.toml state."""

import pytest

from provenance.specs import julia_manifest, julia_project
from provenance.specs.model import EXACT, JULIA, NAMED, PLACED, RANGE, Unreadable

from ._said import said, source, unread

PROJECT = """\
name = "Paper"
uuid = "x"
[deps]
DataFrames = "a93c6f00-e57d-5684-b7b6-d8193f3e46c0"
Plots = "91a5bcdd-55d7-5caf-9e0b-520d859cae80"
Mine = "00000000-0000-0000-0000-000000000000"
Odd = "00000000-0000-0000-0000-000000000001"
[extras]
Test = "8dfed614-e22c-5e08-85e1-65c5234f0b40"
Plots = "91a5bcdd-55d7-5caf-9e0b-520d859cae80"
[sources]
Mine = {url = "https://example.org/Mine.jl", rev = "main"}
[compat]
DataFrames = "1.3, 1.4"
Plots = "=1.38.0"
Odd = 1
julia = "1.9"
"""


def test_project():
    spec = julia_project.read(source(PROJECT))
    assert said(spec) == [
        "14 DataFrames 1.3, 1.4",
        "15 Plots =1.38.0",
        "6 Mine  @ git+https://example.org/Mine.jl@main",
        "9 Test [group:extras]",
        "17 julia 1.9",
    ]
    assert unread(spec) == [(16, "1")]
    levels = [(fact.exactness, fact.version) for fact in spec.facts]
    assert levels == [(RANGE, ""), (EXACT, "1.38.0"), (PLACED, ""), (NAMED, ""), (RANGE, "")]
    assert {fact.ecosystem for fact in spec.facts} == {JULIA}


TWO = """\
# machine-generated
julia_version = "1.9.0"
manifest_format = "2.0"

[[deps.DataFrames]]
deps = ["Future"]
git-tree-sha1 = "db2a9cb664fcea7836da4b414c3278d71dd602d2"
version = "1.3.6"

[[deps.Future]]
uuid = "9fa8497b"

[[deps.Two]]
uuid = "1"
version = "1.0.0"
[[deps.Two]]
uuid = "2"
version = "2.0.0"

[[deps.Dev]]
path = "../Dev"
version = "0.1.0"

[[deps.Mine]]
repo-rev = "main"
repo-url = "https://example.org/Mine.jl"
version = "0.2.0"
    [deps.Mine.weakdeps]
    X = "y"
"""

EXPECTED = [
    "5 DataFrames ==1.3.6",
    "10 Future",
    "13 Two ==1.0.0",
    "16 Two ==2.0.0",
    "20 Dev ==0.1.0 @ ../Dev",
    "24 Mine ==0.2.0 @ git+https://example.org/Mine.jl@main",
]


def test_manifest_2():
    spec = julia_manifest.read(source(TWO))
    assert said(spec) == ["2 julia ==1.9.0", *EXPECTED]
    assert spec.facts[1].digest == "git-tree-sha1:db2a9cb664fcea7836da4b414c3278d71dd602d2"
    assert spec.complete


def test_manifest_1():
    lines = TWO.replace("deps.", "").split("\n")
    lines[1:3] = ["", ""]
    assert said(julia_manifest.read(source("\n".join(lines)))) == EXPECTED


@pytest.mark.parametrize(
    "text", ['manifest_format = "2.0"\ndeps = 1', 'manifest_format = "2.0"\n[deps]\nx = 1\ny = [2]']
)
def test_manifests_of_the_wrong_kind(text):
    spec = julia_manifest.read(source(text))
    assert spec.facts == ()
    assert spec.notes or len(spec.unread) == 2
    with pytest.raises(Unreadable, match="no manifest of Julia"):
        julia_manifest.read(source("x = 1"))
