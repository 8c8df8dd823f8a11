"""The map between two frameworks' tensors: its grammar, its mistakes, and what it makes equal."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare import _mapping_parse as grammar
from provenance.compare._mapping_steps import FORMS, Malformed, Step, parse
from provenance.compare.mapping import compare_mapped, pair
from provenance.errors import BadRecord
from tests.compare.tensor_helpers import archive, part

RANDOM = np.random.default_rng(0)


def some(*shape):
    return RANDOM.normal(size=shape).astype("f4")


NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
LETTERS = st.permutations("HWIO")
STEPS = st.one_of(
    st.sampled_from([Step("transpose"), Step("squeeze"), Step("negate")]),
    st.tuples(LETTERS, LETTERS).map(lambda two: Step("layout", ("".join(two[0]), "".join(two[1])))),
    st.tuples(LETTERS, LETTERS, st.integers(0, 3)).map(
        lambda three: Step("gates", ("".join(three[0]), "".join(three[1]), three[2]))
    ),
    st.permutations(range(4)).map(lambda axes: Step("permute", tuple(axes))),
    st.lists(st.integers(1, 99), min_size=1).map(lambda ns: Step("reshape", (*ns, -1))),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: Step("scale", (x,))),
    st.lists(st.integers(0, 3), min_size=1, unique=True).map(lambda ns: Step("flip", tuple(ns))),
    st.tuples(st.integers(1, 4), st.integers(4, 8), st.integers(0, 2)).map(
        lambda three: Step("part", three)
    ),
)
SIDES = st.one_of(
    st.builds(
        grammar.Side,
        st.tuples(NAMES),
        st.just(""),
        st.just(0),
        steps=st.lists(STEPS, max_size=3).map(tuple),
    ),
    st.builds(
        grammar.Side,
        st.lists(NAMES, min_size=2, max_size=4).map(tuple),
        st.sampled_from(["concat", "stack"]),
        st.integers(0, 3),
        st.lists(STEPS, max_size=2).map(tuple),
    ),
    st.builds(
        grammar.Side,
        st.lists(NAMES, min_size=2, max_size=3).map(tuple),
        st.just("sum"),
        st.just(0),
        steps=st.lists(STEPS, max_size=2).map(tuple),
    ),
)


@given(STEPS)
def test_a_step_is_read_back_as_it_is_written(step):
    assert parse(str(step)) == step


@given(SIDES)
def test_a_side_is_read_back_as_it_is_written(side):
    assert grammar.parse_side(str(side)) == side


@given(st.text(max_size=40))
def test_any_text_is_a_side_or_one_clear_clause(text):
    with contextlib.suppress(Malformed):
        side = grammar.parse_side(text)
        assert side.names
        assert grammar.parse_side(str(side)) == side


@given(st.text(max_size=200))
def test_any_file_is_a_map_or_one_clear_sentence(text):
    said = "map.yaml"
    try:
        grammar.loads(text, "map.yaml")
    except BadRecord as error:
        said = error.message
    assert said.startswith("map.yaml")


@pytest.mark.parametrize("word", FORMS)
def test_every_documented_step_is_understood(word):
    assert parse(FORMS[word].split(",")[0])


def test_what_a_map_can_say_makes_the_tensors_equal():
    q, k, v, bias = some(4, 6), some(4, 6), some(4, 6), some(8)
    old = {
        "conv.weight": some(3, 2, 5, 5),
        "qkv.weight": np.concatenate([q, k, v]),
        "lstm.weight": some(8, 3),
        "b1": bias,
        "b2": some(8),
        "first": q,
        "stacked": np.stack([q, k]),
        "scaled": some(3),
        "flat": some(1, 12),
    }
    w = old["lstm.weight"]
    new = {
        "c/kernel": old["conv.weight"].transpose(2, 3, 1, 0),
        "q/kernel": q.T,
        "k/kernel": k.T,
        "v/kernel": v.T,
        "l/kernel": w[[0, 1, 4, 5, 2, 3, 6, 7]].T,
        "l/bias": bias + old["b2"],
        "fused": np.concatenate([q, k, v], axis=1),
        "half": old["scaled"] * np.float32(0.5),
        "square": old["flat"].reshape(3, 4),
    }
    text = """
tensors:
  conv.weight: c/kernel | HWIO -> OIHW
  qkv.weight: concat(q/kernel, k/kernel, v/kernel) on axis 1 | transpose
  lstm.weight: l/kernel | transpose | gates igfo -> ifgo
  b1 + b2: l/bias
  first: fused | part 1 of 3 on axis 1
  stacked: stack(q/kernel, k/kernel) | permute 0 2 1
  scaled: half | scale 2
  flat: square | reshape 1 -1
"""
    judged = compare_mapped(archive(old), archive(new), grammar.loads(text))
    assert judged.verdict == "same", judged
    assert part(judged, "conv.weight").detail == "equal to c/kernel after HWIO -> OIHW"
    assert judged.figures["tensors"] == 8


def test_rules_speak_of_many_layers_and_can_count():
    old = {"layers.%d.fc.weight" % n: some(3, 4) for n in range(12)}
    new = {"block_%d/kernel" % (n + 1): old["layers.%d.fc.weight" % n].T for n in range(12)}
    rules = grammar.loads(
        "rules:\n  layers\\.(\\d+)\\.fc\\.weight: block_\\{1+1}/kernel | transpose\n"
    )
    judged = compare_mapped(archive(old), archive(new), rules)
    assert judged.verdict == "same"
    assert judged.figures["tensors"] == 12


def test_what_no_entry_speaks_of_is_told_and_is_a_difference():
    old, new = {"a": some(3), "n": some(2)}, {"b": some(3), "m": some(2)}
    judged = compare_mapped(archive(old), archive(new), grammar.loads("tensors: {a: b}"))
    assert judged.verdict == "different"
    assert "1 missing: n" in judged.detail
    assert "1 added: m" in judged.detail
    new["b"] = old["a"]
    known = grammar.loads("tensors: {a: b}\nignore: [n, m]")
    judged = compare_mapped(archive(old), archive(new), known)
    assert judged.verdict == "same"
    assert judged.detail == "1 tensor equal; 2 ignored by the map"


def test_tensors_of_one_name_need_no_entry():
    both = {"a": some(3)}
    paired = pair(archive(both), archive(both), grammar.Map())
    assert [str(one.left) for one in paired.entries] == ["a"]


def test_a_rule_that_fits_nothing_is_told():
    judged = compare_mapped(
        archive({"a": some(2)}), archive({"a": some(2)}), grammar.loads("rules:\n  x(.*): y\n", "m")
    )
    assert "m:2: the rule fits no tensor" in judged.detail


def test_a_wrong_matrix_is_named_with_what_would_make_it_right():
    old = {"fc.weight": some(6, 6)}
    known = grammar.loads("tensors: {fc.weight: fc/kernel}")
    judged = compare_mapped(archive(old), archive({"fc/kernel": old["fc.weight"].T}), known)
    assert judged.verdict == "different"
    assert part(judged, "fc.weight").detail == (
        "fc/kernel lies the other way round: `| transpose` behind it in the map would make it equal"
    )
    turned = grammar.loads("tensors: {fc.weight: fc/kernel | transpose}")
    judged = compare_mapped(archive(old), archive({"fc/kernel": old["fc.weight"]}), turned)
    assert "lies the other way round than the map says: equal without `transpose`" in judged.detail


def test_values_within_tolerance_say_how_far():
    old = {"w": np.ones(5, "f4")}
    new = {"k": np.ones(5, "f4") + np.float32(3e-7)}
    judged = compare_mapped(archive(old), archive(new), grammar.loads("tensors: {w: k}"))
    assert judged.verdict == "within tolerance"
    assert part(judged, "w").detail.startswith("equal to 3.6e-07 to k")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensor:\n  a: b\n", "m.yaml:1: 'tensor' is no member"),
        ("tensors:\n  a: b\n  a: c\n", "m.yaml:3: 'a' stands here twice"),
        ("tensors:\n  a: b | turn\n", "m.yaml:2: 'turn' is no step; steps are: transpose"),
        ("tensors:\n  a: b |\n", "m.yaml:2: nothing stands behind the last |"),
        ("tensors:\n\n  a: b | HWIO -> OIHV\n", "m.yaml:3: 'HWIO -> OIHV' must hold the same"),
        ("tensors:\n  a: b c\n", "m.yaml:2: 'c' is not understood behind 'b'"),
        ("tensors:\n  a: [b]\n", "m.yaml:2: a name or an expression is wanted here"),
        ("- a\n", "m.yaml:1: a map has the members tensors, rules, ignore"),
        ("rules:\n  (a: b\n", "m.yaml:2: '(a' is no regular expression"),
        ("ignore: a\n", "m.yaml:1: ignore: wants a list"),
        ("a: [\n", "m.yaml:2: this is not YAML"),
    ],
)
def test_mistakes_are_told_with_their_line(text, said):
    with pytest.raises(BadRecord) as caught:
        grammar.loads(text, "m.yaml")
    assert caught.value.message.startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensors:\n  weight: b\n", "m.yaml:2: the first file has no tensor weight"),
        ("tensors:\n  a.weight: kernal\n", "has no tensor kernal; did you mean kernel?"),
        ("tensors:\n  a.weight: kernel | permute 0 2 1\n", "m.yaml:2: permute names 3 axes"),
        ("tensors:\n  a.weight: kernel | reshape 5 5\n", "3x4 cannot take the shape 5 5"),
        ("tensors:\n  a.weight: kernel | part 1 of 2\n", "3 cannot be cut into 2 equal parts"),
        ("tensors:\n  a.weight: concat(kernel, b)\n", "cannot be concatenated on axis 0"),
        ("rules:\n  a.(.*): \\2\n", "m.yaml:2: for a.weight, the pattern has no group 2"),
    ],
)
def test_maps_that_do_not_fit_the_files_are_told_with_their_line(text, said):
    old, new = archive({"a.weight": some(4, 3)}), archive({"kernel": some(3, 4), "b": some(2)})
    with pytest.raises(BadRecord) as caught:
        compare_mapped(old, new, grammar.loads(text, "m.yaml"))
    assert said in caught.value.message
    assert caught.value.message.startswith("m.yaml:2: ")


@pytest.mark.parametrize("right", ["text | negate", "text | scale 2"])
def test_what_cannot_be_computed_is_told_with_its_line(right):
    old, new = archive({"a": np.array(["x", "y"])}), archive({"text": np.array(["x", "y"])})
    known = grammar.loads("tensors:\n  a: %s\n" % right, "m.yaml")
    with pytest.raises(BadRecord, match=r"^m.yaml:2: .* cannot be "):
        compare_mapped(old, new, known)
