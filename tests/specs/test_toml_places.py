"""Where entries of TOML and JSON stand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.specs import _json, _toml
from provenance.specs.model import Source, Unreadable

TOML = '''\
# a comment [not.a.table]
title = "x" # = "y"
"quoted name" = 'it''
a.b . "c.d" = 1
text = """
[fake]
key = "in \\""" text"
"""
raw = \'\'\'
[[fake]]
\'\'\'\'
list = [ # comment ] here
  "one", "two",
  { name = "x", deep = [1, [2,
    3]] },
]

[table.sub]
x = {a = 1, b.c = [1, 2]}
[[many]]
name = 1
[many.files]
f = 1
[[many]]
name = 2
  [[many.inner]]
  n = 1
  [[many.inner]]
  n = 2
[ spaced . "key" ]
v = 2020-01-01
'''

PLACES = {
    ("title",): 2,
    ("a", "b", "c.d"): 4,
    ("text",): 5,
    ("raw",): 9,
    ("list",): 12,
    ("list", 0): 13,
    ("list", 1): 13,
    ("list", 2): 14,
    ("list", 2, "deep", 1): 14,
    ("list", 2, "deep", 1, 1): 15,
    ("table", "sub"): 18,
    ("table", "sub", "x", "b", "c", 1): 19,
    ("many", 0): 20,
    ("many", 0, "name"): 21,
    ("many", 0, "files", "f"): 23,
    ("many", 1): 24,
    ("many", 1, "name"): 25,
    ("many", 1, "inner", 0, "n"): 27,
    ("many", 1, "inner", 1, "n"): 29,
    ("spaced", "key", "v"): 31,
    ("nothing", "of", "that"): 1,
    ("many", 1, "nothing"): 24,
}


def test_lines_of_toml():
    text = TOML.replace("'it''", "'it'")
    file = _toml.load(Source("x.toml", text.encode()))
    assert {key: file.line(*key) for key in PLACES} == PLACES
    assert file.where("title") == "x.toml:2"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_encodings_and_line_ends(ending, encoding):
    text = '[a]\nname = "é"\n[b]\nx = 1\n'.replace("\n", ending)
    file = _toml.load(Source("x.toml", text.encode(encoding)))
    assert (file.text("a", "name"), file.line("b", "x")) == ("é", 4)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \n", 2),
        ("a = 1\na = 2\n", 0),
        ("x = 1\n<<<<<<< HEAD\n", 2),
        ("x = " + "[" * 5000, 1),
        ("x = " + "{a=" * 5000, 1),
        (".".join("a" * 5000) + " = 1", 1),
        ("[" + ".".join("a" * 5000) + "]", 1),
        ("x = " + "9" * 10_000, 0),
        ("x = '''", 0),
        ('x = "\\', 0),
    ],
)
def test_what_is_no_toml(text, line):
    with pytest.raises(Unreadable) as error:
        _toml.load(Source("x.toml", text.encode()))
    assert not line or error.value.line in (line, 0)
    assert error.value.why.endswith((".", "deep."))


def test_too_large():
    with pytest.raises(Unreadable, match="at most"):
        _toml.load(Source("x.toml", b"#" * (_toml.MOST_TOML + 1)))
    with pytest.raises(Unreadable, match="at most"):
        _json.load(Source("x.json", b" " * (_json.MOST_JSON + 1)))


def every_key(value, key=()):
    yield key
    if isinstance(value, dict):
        for name, one in value.items():
            yield from every_key(one, (*key, name))
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from every_key(one, (*key, number))


def test_every_entry_of_a_file_has_a_place():
    file = _toml.load(Source("x.toml", TOML.replace("'it''", "'it'").encode()))
    missing = [k for k in every_key(file.root) if k and k not in file.places]
    # Tables that are only named on the way to others begin nowhere.
    assert missing == [("table",), ("spaced",)]


NAMES = st.text(st.sampled_from('ab".\\é \n'), max_size=5)
VALUES = st.recursive(
    st.integers() | st.text(st.sampled_from('a"\\[]{},:\n#é'), max_size=8) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.sampled_from([None, 0, 2]))
def test_lines_of_json(value, indent):
    text = json.dumps(value, indent=indent)
    file = _json.load(Source("x.json", text.encode()))
    lines = text.split("\n")
    for key in every_key(value):
        if key:
            assert key in file.places
            assert lines[file.line(*key) - 1].strip()[:1] not in ("]", "}") or indent is None
    if indent == 2:
        for number, name in enumerate(value):
            expected = json.dumps({name: value[name]}, indent=2).split("\n")[1].rstrip(",")
            assert lines[file.line(name) - 1].rstrip(",") == expected, number


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", '{"a": ' * 5000, "[" * 100_000, '{"a": 1' + "0" * 9000 + "}", '{"a', "", "\0"],
)
def test_what_is_no_json(text):
    with pytest.raises(Unreadable):
        _json.load(Source("x.json", text.encode()))


@given(st.text(st.sampled_from("[]{}=.,#\"'\\\n ab1"), max_size=60))
def test_any_text_ends(text):
    _toml.Scanner(text).run()
    line = 0
    try:
        _toml.load(Source("x.toml", text.encode()))
    except Unreadable as error:
        line = error.line
    assert 0 <= line <= text.count("\n") + 1
