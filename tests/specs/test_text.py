"""Bytes become numbered lines, whatever program wrote them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.specs import _text
from provenance.specs.model import Unreadable

WORDS = "numpy==1.0\nscipy\n"


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        b"\xef\xbb\xbf" + WORDS.encode(),
        WORDS.encode("utf-16"),
        b"\xfe\xff" + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-16-le"),
        WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        WORDS.replace("\n", "\r\n").encode(),
        WORDS.replace("\n", "\r").encode(),
        WORDS.replace("\n", "\r\n").encode("utf-16"),
    ],
)
def test_encodings_and_line_ends(data):
    assert _text.decoded(data) == WORDS


def test_bytes_of_another_encoding_spoil_only_themselves():
    assert _text.decoded(b"caf\xe9\nnumpy") == "caf\N{REPLACEMENT CHARACTER}\nnumpy"
    assert _text.decoded(b"\xff\xfea") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"a\nb\0c", 2, "NUL"),
        (b"<!DOCTYPE html>\n<html>", 1, "web page"),
        (b"\n <HTML><head>", 1, "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 1, "git lfs pull"),
    ],
)
def test_what_is_no_text(data, line, word):
    with pytest.raises(Unreadable) as caught:
        _text.decoded(data)
    assert caught.value.line == line
    assert word in caught.value.why


def test_too_many_bytes():
    assert _text.decoded(b"abc", 3) == "abc"
    with pytest.raises(Unreadable, match="4 bytes"):
        _text.decoded(b"abcd", 3)


def lines(text):
    return [tuple(one)[:3] for one in _text.logical(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", [(1, "a", "")]),
        ("a\n\nb\n", [(1, "a", ""), (2, "", ""), (3, "b", "")]),
        ("a # c", [(1, "a", "c")]),
        ("a#c", [(1, "a#c", "")]),
        ("#c", [(1, "", "c")]),
        ("a \\\n  b \\\n c\nd", [(1, "a   b  c", ""), (4, "d", "")]),
        # A comment inside ends the line, as for pip.
        ("a \\\n# c\nb", [(1, "a", "c"), (3, "b", "")]),
        ("# c \\\nb", [(1, "", "c \\"), (2, "b", "")]),
        ("a \\", [(1, "a", "")]),
        ("a\x0cb\u2028c", [(1, "a", ""), (1, "b", ""), (1, "c", "")]),
    ],
)
def test_logical_lines(text, expected):
    assert lines(text) == expected


def test_an_endless_line_is_cut():
    long = "x" * (_text.LONGEST_LINE + 1)
    first, second = _text.logical(long + "\ny")
    assert (first.number, first.cut, len(first.text)) == (1, True, _text.SHOWN)
    assert (second.number, second.text, second.cut) == (2, "y", False)
    assert next(_text.logical("ab\\\n" * 100_000)).cut
    assert not next(_text.logical("\\\n" * 100_000)).cut


@given(st.text(alphabet=st.sampled_from("ab\\# \n\t\x0c"), max_size=60))
def test_numbers_are_of_the_text(text):
    physical = text.count("\n") + 1
    numbers = [one.number for one in _text.logical(text)]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= physical for number in numbers)


@given(st.binary(max_size=300))
def test_any_bytes(data):
    text = ""
    with contextlib.suppress(Unreadable):
        text = _text.decoded(data)
    assert "\r" not in text


def test_brief():
    assert _text.brief(" a\n b\x00 ") == "a b\N{REPLACEMENT CHARACTER}"
    assert _text.brief("a" * 500) == "a" * 97 + "..."
    assert _text.brief("a" * 100) == "a" * 100
