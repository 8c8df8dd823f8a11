"""YAML with lines: what is read, and that nothing hostile gets through."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.specs import _yaml
from provenance.specs._text import brief
from provenance.specs.model import Unreadable


def plain(node: _yaml.Node | None) -> object:
    if node is None:
        return None
    if node.kind == _yaml.SCALAR:
        return None if node.empty else node.text
    if node.kind == _yaml.LIST:
        return [plain(one) for one in node.items]
    return {key.text: plain(value) for key, value in node.pairs}


def read(text: str) -> object:
    return plain(_yaml.document(text.encode()).root)


def test_values_stay_text_and_know_their_lines() -> None:
    text = "# c\nname: x\nversion: 3.10\nlist:\n- a\n- 'b c'\n-\n- [1, no]\nempty: ~\nq: 'null'\n"
    found = _yaml.document(text.encode())
    assert plain(found.root) == {
        "name": "x", "version": "3.10", "list": ["a", "b c", None, ["1", "no"]], "empty": None,
        "q": "null",
    }  # fmt: skip
    assert found.root is not None
    assert [n.line for n in found.root.children("list")] == [5, 6, 7, 8]
    assert found.root.string("version") == "3.10"
    assert found.root.string("empty") == "" == found.root.string("list")
    assert found.root.string("q") == "null"
    assert found.lines[found.root.children("list")[1].line - 1] == "- 'b c'"
    assert list(found.problems) == []


def test_repeated_keys_and_second_documents_are_told() -> None:
    found = _yaml.document(b"a: 1\nb: 2\na: 3\n---\nc: 4\n")
    assert plain(found.root) == {"a": "3", "b": "2"}
    assert [(line, text) for line, text, _ in found.problems] == [(3, "a"), (4, "---")]


def test_aliases_and_merged_maps() -> None:
    text = "base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: *b\nmany:\n  <<: [*b, {z: 4}]\n"
    assert read(text) == {
        "base": {"x": "1", "y": "2"},
        "one": {"y": "3", "x": "1"},
        "two": {"x": "1", "y": "2"},
        "many": {"x": "1", "y": "2", "z": "4"},
    }


@pytest.mark.parametrize(
    "data",
    ["a: ü".encode(), "\ufeffa: ü".encode(), "a: ü".encode("utf-16"), "a: ü\n".encode("utf-16-le"),
     "a: ü".encode("utf-16-be"), "\ufeffa: ü".encode("utf-32"), b"a:\r\n  \xc3\xbc\r\n"],
)  # fmt: skip
def test_any_encoding(data: bytes) -> None:
    assert plain(_yaml.document(data).root) == {"a": "ü"}


def test_lines_are_those_of_editors() -> None:
    found = _yaml.document("a: x\u2028y\x85z\r\nb: 1\rc: 2\n".encode())
    assert found.root is not None
    assert [key.line for key, _ in found.root.pairs] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("a: [1\nb: 2\n", "not valid YAML", 2),
        ("a: b: c\n", "not valid YAML", 1),
        ("a:\n\t- b\n", "not valid YAML", 2),
        ("a: *x\n", "YAML: found undefined alias|stands for nothing", 1),
        ("a: &x [*x]\n", "contains itself", 1),
        ("\n" + "[" * 100_000, "levels", 2),
        ("- " * 100_000, "levels", 1),
        ("? " * 100_000, "levels", 1),
        ("{a: " * 100_000, "levels", 1),
    ],
)
def test_what_is_no_yaml_is_one_sentence(text: str, why: str, line: int) -> None:
    started = time.monotonic()
    with pytest.raises(Unreadable, match=why) as raised:
        _yaml.document(text.encode())
    assert raised.value.line == line
    assert raised.value.why.endswith(".")
    assert time.monotonic() - started < 30


def test_aliases_do_not_blow_up() -> None:
    laughs = ["a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol,lol]"]
    laughs += ["a%d: &a%d [%s]" % (n, n, ",".join(["*a%d" % (n - 1)] * 10)) for n in range(1, 12)]
    with pytest.raises(Unreadable, match="aliases are expanded") as raised:
        _yaml.document("\n".join(laughs).encode())
    assert raised.value.line == 6
    merged = ["m0: &m0 {k: v}"]
    merged += ["m%d: &m%d {<<: [*m%d, *m%d]}" % (n, n, n - 1, n - 1) for n in range(1, 60)]
    with pytest.raises(Unreadable, match="aliases are expanded"):
        _yaml.document("\n".join(merged).encode())
    nested = ["n0: &n0 [x]"] + ["n%d: &n%d [*n%d]" % (n, n, n - 1) for n in range(1, 100)]
    with pytest.raises(Unreadable, match="levels"):
        _yaml.document("\n".join(nested).encode())


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_yaml, "MOST_NODES", 1000)
    with pytest.raises(Unreadable, match="More than 1000 values"):
        _yaml.document(b"- a\n" * 2000)
    monkeypatch.setattr(_yaml, "MOST_BYTES", 100)
    with pytest.raises(Unreadable, match="at most 100"):
        _yaml.document(b"#" * 101)


def test_nothing_is_made_of_tags() -> None:
    text = "a: !!python/object/apply:os.system ['false']\nb: !x {c: !!binary AAAA}\n"
    assert read(text) == {"a": ["false"], "b": {"c": "AAAA"}}


def test_empty_files_hold_nothing() -> None:
    assert _yaml.document(b"").root is None
    assert _yaml.document(b"# only\n").root is None


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(), st.text(alphabet="ab:-[]{}&*!|>'\"#%@? \n\t<,~", max_size=80)))
def test_anything_is_read_or_refused(data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    wrong: Unreadable | None = None
    try:
        found = _yaml.document(data)
    except Unreadable as error:
        wrong = error
    if wrong is not None:
        assert 0 <= wrong.line <= data.count(b"\n") + data.count(b"\r") + 1
        return
    todo = [found.root] if found.root else []
    while todo:
        node = todo.pop()
        assert 1 <= node.line <= len(found.lines)
        todo += node.items
        todo += [one for pair in node.pairs for one in pair]


def test_brief() -> None:
    assert brief("a\n  b") == "a b"
    assert brief("x" * 200) == "x" * 97 + "..."
    assert brief("x" * 10_000_000, 20) == "x" * 17 + "..."
