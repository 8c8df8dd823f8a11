"""Templates with values in them."""

import json
import shlex
import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provenance.exports.fill import fill
from provenance.operations._kit_values import QUOTINGS

PRINTED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


def test_values_alone_on_a_line_keep_the_indentation():
    text = "a:\n  @block@\n@gone@\nend @word@\n"
    values = {"block": "one\ntwo", "gone": "", "word": "x"}
    assert fill(text, values, QUOTINGS) == "a:\n  one\n  two\nend x\n"


@pytest.mark.parametrize(("yes", "expected"), [(True, "a\nb\nd\n"), (False, "a\nc\nd\n")])
def test_conditions(yes, expected):
    text = "a\n@if yes@\nb\n@end@\n  @unless yes@\nc\n  @end@\nd\n"
    assert fill(text, {"yes": yes}, QUOTINGS) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("@if a@\n", ValueError),
        ("@end@\n", ValueError),
        ("x @lines@\n", ValueError),
        ("@unknown@\n", KeyError),
        ("@a:unknown@\n", KeyError),
    ],
)
def test_a_wrong_template_is_an_error(text, error):
    with pytest.raises(error):
        fill(text, {"a": "1", "lines": "1\n2"}, QUOTINGS)


def test_what_other_formats_mean_stays():
    text = '- uses: actions/checkout@v4\n  run: echo "${x[@]}" ${{ a.b }} a@b.c $HOME\n'
    assert fill(text, {}, QUOTINGS) == text


@given(st.text())
def test_json_reads_what_was_quoted(value):
    line = fill("key: @value:yaml@\n", {"value": value}, QUOTINGS)
    assert json.loads(line[5:]) == value


@given(PRINTED)
def test_yaml_reads_what_was_quoted(value):
    line = fill("key: @value:yaml@ # comment\n", {"value": value}, QUOTINGS)
    assert yaml.safe_load(line) == {"key": value}


@given(st.lists(PRINTED, min_size=1))
def test_the_shell_reads_what_was_quoted(words):
    assert shlex.split(fill("@words:sh@\n", {"words": tuple(words)}, QUOTINGS)) == words


@pytest.mark.parametrize("word", ["a\nb", "it's\t\\x41", "\x7f'\r\n\\", "plain", "", "$HOME `id`"])
def test_bash_reads_what_was_quoted(word):
    line = fill("printf '%s|' @words:sh@\n", {"words": (word, "end")}, QUOTINGS)
    assert line.count("\n") == 1
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode() == word + "|end|"


@given(st.text())
def test_a_comment_stays_one_line(value):
    assert fill("# @value:line@\n", {"value": value}, QUOTINGS).count("\n") == 1


@given(st.text())
def test_no_expression_of_github_is_left(value):
    text = QUOTINGS["gh"]("${{ %s" % value)
    assert text.startswith("${{ '${{' }}")
    assert text.replace("${{ '${{' }}", "").count("${{") == 0
