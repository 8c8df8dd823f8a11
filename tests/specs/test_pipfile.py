"""What Pipfile and Pipfile.lock state."""

import json

import pytest

from provenance.specs import pipfile, pipfile_lock
from provenance.specs.model import EXACT, PLACED, PYTHON, RANGE, Unreadable

from ._said import said, source, unread

PIPFILE = """\
[[source]]
url = "https://pypi.org/simple"
name = "pypi"

[packages]
requests = "*"
Torch_Vision = "==0.8.1"
numpy = ">=1.18,<2"
e1839a8 = {path = ".", editable = true}
mine = {git = "https://example.org/m.git", ref = "v1", editable = true}
win = {version = "*", sys_platform = "== 'win32'", python_version = "< '3.8'", index = "pypi"}
uvicorn = {extras = ["standard"], version = "~=0.11"}
old = {version = "==1.0", markers = "os_name == 'nt'"}
bad = "== ==1"

[dev-packages]
pytest = "==6.*"

[docs]
sphinx = "3.0"

[requires]
python_version = "3.8"

[scripts]
test = "pytest"
"""


def test_pipfile():
    spec = pipfile.read(source(PIPFILE))
    assert said(spec) == [
        "23 python ==3.8.*",
        "6 requests",
        "7 torch-vision ==0.8.1",
        "8 numpy >=1.18,<2",
        "9 e1839a8  @ .",
        "10 mine  @ git+https://example.org/m.git@v1",
        "11 win ; sys_platform == 'win32' and python_version < '3.8'",
        "12 uvicorn ~=0.11 {standard}",
        "13 old ==1.0 ; os_name == 'nt'",
        "17 pytest ==6.* [group:dev]",
        "20 sphinx ==3.0 [group:docs]",
    ]
    assert unread(spec) == [(14, "== ==1")]
    assert (spec.facts[0].kind, spec.facts[0].exactness) == (PYTHON, RANGE)
    assert not spec.complete


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ('python_full_version = "3.7.9"\npython_version = "3.7"', ("2 python ==3.7.9", EXACT)),
        ('python_version = "3.7.9"', ("2 python ==3.7.9", EXACT)),
        ('python_version = "3"', ("2 python ==3.*", RANGE)),
        ('python_version = ">=3.6"', ("2 python >=3.6", RANGE)),
    ],
)
def test_python(requires, expected):
    spec = pipfile.read(source("[requires]\n" + requires))
    assert (said(spec)[0], spec.facts[0].exactness) == expected


LOCK = {
    "_meta": {
        "hash": {"sha256": "abc"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.8"},
        "sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": True}],
    },
    "default": {
        "Torch": {"hashes": ["sha256:" + "f" * 64], "index": "pypi", "version": "==1.7.0"},
        "colorama": {
            "hashes": ["sha256:" + "1" * 64, "sha256:" + "2" * 64],
            "markers": "sys_platform == 'win32'",
            "version": "==0.4.4",
        },
        "mine": {"editable": True, "git": "https://example.org/m.git", "ref": "0123"},
        "local": {"editable": True, "path": "."},
        "uvicorn": {"extras": ["standard"], "version": "==0.11.3"},
        "odd": {"version": 3},
        "odder": ["x"],
    },
    "develop": {
        "torch": {"version": "==1.7.0"},
        "pytest": {"version": "==6.0"},
    },
    "docs": {"sphinx": {"version": "3.0"}},
}


def test_lock():
    spec = pipfile_lock.read(source(json.dumps(LOCK, indent=4)))
    assert said(spec) == [
        "8 python ==3.8.*",
        "19 torch ==1.7.0",
        "26 colorama ==0.4.4 ; sys_platform == 'win32'",
        "34 mine  @ git+https://example.org/m.git@0123",
        "39 local  @ .",
        "43 uvicorn ==0.11.3 {standard}",
        "60 pytest ==6.0 [group:dev]",
        "65 sphinx ==3.0 [group:docs]",
    ]
    assert unread(spec) == [(49, "3"), (52, "[1 items]")]
    assert spec.complete
    assert [fact.digest for fact in spec.facts[1:3]] == ["sha256:" + "f" * 64, ""]
    assert [fact.exactness for fact in spec.facts[1:5]] == [EXACT, EXACT, PLACED, PLACED]


def test_lock_on_one_line():
    spec = pipfile_lock.read(source(json.dumps(LOCK)))
    assert {fact.where for fact in spec.facts} == {"f:1"}


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"default": 1', "null", "1" * 5000])
def test_no_lock(text):
    with pytest.raises(Unreadable):
        pipfile_lock.read(source(text))


@pytest.mark.parametrize("value", [1, [], None, {"a": None}, {"a": {"version": None}}])
def test_sections_of_the_wrong_kind(value):
    spec = pipfile_lock.read(source(json.dumps({"_meta": value, "default": value})))
    assert spec.facts == ()
    assert spec.unread or spec.notes
