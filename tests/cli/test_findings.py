"""Findings as a screen, as Markdown and as annotations; made by hand, and by a real verify."""

from __future__ import annotations

import io
import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.cli import findings, github, markdown
from provenance.cli.groups import Block, grouped
from provenance.cli.style import Style
from provenance.core.difference import NotCompared
from provenance.core.verdict import Finding, Reason
from provenance.operations.calls import Coverage

PLAIN = Style(io.StringIO())
KMEANS = (
    Reason(
        "L1",
        "KMeans(n_init) default 10 -> 'auto'; not passed at train.py:31",
        "n_init not passed: one start instead of ten",
        "what's new <https://example.org/whats_new/v1.4.html>",
        "add n_init=10   or   pip install scikit-learn==1.3.2",
        ("train.py:31",),
        "known",
    ),
    Reason("L2", "KMeans(n_init) default 10 -> 'auto'", where=("train.py:31",), effect="possible"),
    Reason("L3", "fit differs", "0.1312 -> 0.0977", where=("train.py:31",), follows=12),
)


def version(name: str, effect: str, *reasons: Reason) -> Finding:
    return Finding("packages", "python", "version", name, effect, "1.3.2", "1.5.2", (), "", reasons)


def place(line: int, effect: str = "possible", follows: int = 0) -> Reason:
    text = "call %d gives another result" % line
    return Reason("L3", text, "1 -> 2", where=("a.py:%d" % line,), effect=effect, follows=follows)


def height(lines: list[str]) -> int:
    return sum(-(-len(line) // 80) or 1 for line in lines)


def test_reasons_about_one_place_are_one_block() -> None:
    assert findings.lines([version("scikit-learn", "known", *KMEANS)], PLAIN) == [
        "KNOWN  scikit-learn 1.3.2 -> 1.5.2",
        "  KMeans(n_init) default 10 -> 'auto'; not passed at train.py:31",
        "    seen at train.py:31: 0.1312 -> 0.0977; 12 later lines follow from it",
        "    evidence: n_init not passed: one start instead of ten",
        "    fix: add n_init=10   or   pip install scikit-learn==1.3.2",
        "    source: what's new <https://example.org/whats_new/v1.4.html>",
    ]


def test_reasons_about_other_places_are_blocks_with_effects_of_their_own() -> None:
    one = version("scikit-learn", "known", place(9, follows=3), place(7), *KMEANS)
    blocks = grouped([one, version("pandas", "possible", place(2))]).blocks
    assert [(b.effect, b.where) for b in blocks] == [
        ("known", ("train.py:31",)),
        ("possible", ("a.py:9",)),
        ("possible", ("a.py:7",)),
        ("possible", ("a.py:2",)),
    ]


def test_a_changed_default_that_does_nothing_is_folded() -> None:
    idle = Reason("L2", "PCA(tol) default 0 -> 1", where=("a.py:4",), effect="unknown")
    alone = findings.lines([version("scikit-learn", "unknown", idle)], PLAIN)
    assert len(alone) == 1
    assert "1 changed default checked: no effect on your calls" in alone[0]
    beside = grouped([version("scikit-learn", "known", *KMEANS, idle)])
    assert len(beside.blocks) == 1
    assert beside.checked == ("scikit-learn 1.3.2 -> 1.5.2: PCA(tol) default 0 -> 1",)


def test_what_is_known_of_a_difference_without_effect_is_no_changed_default() -> None:
    told = Reason("L1", "it chooses the kernels of linear algebra")
    other = Finding("environment", "x", "added", "OMP", "unknown", None, "2")
    one = other._replace(reasons=(told,))
    (folded,) = findings.lines([one], PLAIN)
    assert "changed default" not in folded
    assert "[environment] OMP is new here: it chooses" in "\n".join(
        findings.lines([one], PLAIN, verbose=True)
    )


def test_what_the_screen_cannot_hold_is_counted() -> None:
    many = [version("package%d" % n, "possible", place(n)) for n in range(40)]
    shown = findings.lines([version("scikit-learn", "known", *KMEANS), *many], PLAIN)
    full = [line for line in shown if line.startswith("    seen at")]
    short = [line for line in shown if line.startswith("POSSIBLE  a.py:")]
    counted = re.search(r"^and (\d+) more \(-v\)$", "\n".join(shown), re.MULTILINE)
    assert counted
    assert len(full) == 3
    assert len(full) + len(short) + int(counted[1]) == 41
    assert all(len(line) <= 80 for line in short)
    unfolded = findings.lines([version("scikit-learn", "known", *KMEANS), *many], PLAIN, True)
    assert len([line for line in unfolded if "    seen at" in line]) == 41


words = st.text(alphabet=st.characters(codec="utf-8"), max_size=90)
reasons = st.builds(
    Reason,
    st.sampled_from(["L1", "L2", "L3"]),
    words,
    words,
    words,
    words,
    st.lists(st.sampled_from(["a.py:1", "b.py:22", "nb.ipynb:3:4"]), max_size=2).map(tuple),
    st.sampled_from(["", "unknown", "possible", "known"]),
    st.integers(0, 20),
)
found = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["packages", "code"]),
        st.just("s"),
        st.sampled_from(["version", "changed", "removed"]),
        words,
        st.sampled_from(["none", "unknown", "possible", "known", "broken"]),
        words,
        words,
        st.just(()),
        words,
        st.lists(reasons, max_size=3).map(tuple),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found)
def test_it_always_fits_and_holds_nothing_that_steers_a_terminal(made: list[Finding]) -> None:
    blocks = grouped(made).blocks
    shown = findings.block_lines(blocks, PLAIN)
    assert height(shown) <= findings.ROOM + 1
    assert all(line.isprintable() for line in findings.lines(made, PLAIN, True))
    graver = [one for one in made if one.effect in ("possible", "known", "broken")]
    assert {one.effect for one in graver if not one.reasons} <= {b.effect for b in blocks}


def test_the_clause_on_calls_is_honest() -> None:
    some = Coverage("cut", 38, 44, {"noisy": 4, "not reached": 2})
    text = "calls compared: 38 of 44 call sites (4 noisy, 2 not reached)"
    assert findings.calls_clause(some, ()) == text
    why = (NotCompared("calls", "your calls", "ask for it"),)
    assert findings.calls_clause(None, why) == "calls not compared (ask for it)"
    assert findings.calls_clause(None, ()) == ""


def undone(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


@given(words, words, st.sampled_from(["", "sub,folder", "a:b"]))
def test_an_annotation_is_one_line_whose_parts_come_back(what: str, fix: str, top: str) -> None:
    block = Block("known", "a: b, c", "packages", (what,), ("x.py:3",), fixes=(fix,))
    (line,) = github.commands([block], "known", top)
    assert "\n" not in line
    assert "\r" not in line
    match = re.fullmatch(r"::error file=([^,:]*),line=3,title=([^,:]*)::(.*)", line, re.DOTALL)
    assert match
    assert undone(match[1]) == ("%s/x.py" % top if top else "x.py")
    assert undone(match[2]) == "KNOWN: a: b, c"
    assert undone(match[3]) == "%s\nfix: %s" % (what, fix)


def test_annotations_follow_fail_on_and_what_github_shows() -> None:
    blocks = [Block("possible", "t%d" % n, "packages", ("w",), ("n.ipynb:2:7",)) for n in range(12)]
    lines = github.commands(blocks, "known")
    assert lines[0] == "::warning file=n.ipynb,title=POSSIBLE%3A t0::w"
    assert len(lines) == 11
    assert "and 2 more" in lines[-1]
    assert github.commands(blocks[:1], "possible")[0].startswith("::error ")


def test_nothing_that_is_quoted_becomes_a_command() -> None:
    first, quoted, last = github.guarded(["::set-env name=PATH::x"])
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert last == "::%s::" % token
    assert quoted == "::set-env name=PATH::x"


def test_markdown_has_the_remedy_to_copy_and_a_link() -> None:
    text = markdown.document(
        "DIFFERENT", [markdown.Section("who", grouped([version("scikit-learn", "known", *KMEANS)]))]
    )
    assert "\n```\nn_init=10\n```\n\nor `pip install scikit-learn==1.3.2`" in text
    assert "](<https://example.org/whats_new/v1.4.html>)" in text
    assert "- seen at `train.py:31`: `0.1312 -> 0.0977`; 12 later lines follow from it" in text


@given(words)
def test_markdown_shows_words_as_they_are(words: str) -> None:
    text = markdown.text(words)
    assert "\n" not in text
    assert "<" not in text.replace("\\<", "")
    assert not re.search(r"(?<!\w)@\w", text)
    span = markdown.code(words)
    if span:
        ticks = re.match("`+", span)
        assert ticks
        assert ticks[0] not in re.findall("`+", span[len(ticks[0]) : -len(ticks[0])])


def test_fences_are_longer_than_what_they_hold() -> None:
    block = Block("known", "t", "packages", ("w",), ("a.py:1",), fixes=("x = '```'",))
    text = markdown.document("t", [markdown.Section("", grouped(())._replace(blocks=(block,)))])
    assert "\n````\nx = '```'\n````\n" in text
