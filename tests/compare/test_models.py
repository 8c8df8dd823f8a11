"""Models written as text, compared tree by tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance.compare import contents
from provenance.core.verdict import DIFFERENT, WITHIN

from ._pairs import judge

HEAD = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=age income
feature_infos=[1:9] [0:5]
tree_sizes=300 301

"""
TREE = """Tree=%d
num_leaves=2
num_cat=0
split_feature=%s
split_gain=10.5
threshold=%s
decision_type=2
left_child=-1
right_child=-2
leaf_value=%s
leaf_weight=5 5
leaf_count=5 5
internal_value=0.5
internal_weight=10
internal_count=10
is_linear=0
shrinkage=0.1


"""
TAIL = """end of trees

feature_importances:
age=1
income=1

parameters:
[boosting: gbdt]
[learning_rate: 0.1]
[num_threads: 4]
[output_model: /tmp/a/model.txt]
end of parameters

pandas_categorical:null
"""
"""The form that LightGBM 4.6 writes, as in its models of two leaves."""


def model(*trees: str, head: str = HEAD, tail: str = TAIL) -> str:
    return head + "".join(trees) + tail


FIRST, SECOND = TREE % (0, "0", "2.5", "0.25 -0.5"), TREE % (1, "1", "1.5", "0.125 0.75")


def test_lightgbm_with_lines_in_another_order_and_other_settings(tmp_path: Path) -> None:
    lines = FIRST.splitlines(keepends=True)
    mixed = lines[0] + "".join(sorted(lines[1:-2])) + "\n\n"
    tail = TAIL.replace("age=1\nincome=1", "income=1\nage=1").replace("threads: 4", "threads: 64")
    one = judge(tmp_path, "model.txt", model(FIRST, SECOND), model(mixed, SECOND, tail=tail))
    assert one.verdict == WITHIN
    assert one.detail == (
        "the same trees, number by number: only order of lines or settings differ"
    )


def test_lightgbm_number_by_number(tmp_path: Path) -> None:
    near = SECOND.replace("0.75", "0.7500000001")
    one = judge(tmp_path, "model.txt", model(FIRST, SECOND), model(FIRST, near))
    assert (one.verdict, one.detail) == (WITHIN, "1 number within tolerance")
    far = SECOND.replace("0.75", "0.8")
    one = judge(tmp_path, "model.txt", model(FIRST, SECOND), model(FIRST, far))
    assert one.verdict == DIFFERENT
    assert one.detail.startswith("1 of 2 trees differ, the first is tree 1: 1 of ")
    assert one.detail.endswith("the first at leaf_value[1]: 0.75 -> 0.8")
    one = judge(tmp_path, "model.txt", model(FIRST, SECOND), model(FIRST))
    assert one.parts[0].detail == "only in the first"


def test_lightgbm_with_features_or_trees_in_another_order(tmp_path: Path) -> None:
    head = HEAD.replace("age income", "income age").replace("[1:9] [0:5]", "[0:5] [1:9]")
    turned = [
        TREE % (0, "1", "2.5", "0.25 -0.5"),
        TREE % (1, "0", "1.5", "0.125 0.75"),
    ]
    one = judge(tmp_path, "m.txt", model(FIRST, SECOND), model(*turned, head=head))
    assert one.verdict == WITHIN
    assert "features stand in another order" in one.detail
    one = judge(tmp_path, "n.txt", model(FIRST, SECOND), model(SECOND, FIRST))
    assert one.verdict == WITHIN
    assert "the same trees in another order" in one.detail
    three = HEAD.replace("num_tree_per_iteration=1", "num_tree_per_iteration=2")
    one = judge(
        tmp_path, "o.txt", model(FIRST, SECOND, head=three), model(SECOND, FIRST, head=three)
    )
    assert one.verdict == DIFFERENT


def test_a_broken_model_says_where(tmp_path: Path) -> None:
    with pytest.raises(contents.Opaque, match="the second is not a LightGBM model: line 12"):
        judge(tmp_path, "m.txt", model(FIRST), HEAD + "nonsense\n")


def test_crfsuite_lists_in_any_order_and_xgboost_nodes_by_number(tmp_path: Path) -> None:
    crf = (
        "FILEHEADER = {\n  magic: lCRF\n}\n\n"
        "TRANSITIONS = {\n  (1) A --> B: 0.5\n  (1) B --> A: 1\n}\n"
    )
    lines = crf.splitlines(keepends=True)
    lines[5], lines[6] = lines[6], lines[5]
    one = judge(tmp_path, "crf.txt", crf, "".join(lines))
    assert one.verdict == WITHIN
    assert "in any order" in one.detail
    assert judge(tmp_path, "crf.txt", crf, crf.replace("0.5", "0.6")).verdict == DIFFERENT
    dump = "booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=1\n\t1:leaf=0.5\n\t2:leaf=-0.5\n"
    turned = "booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=1\n\t2:leaf=-0.5\n\t1:leaf=0.5000000001\n"
    one = judge(tmp_path, "dump.txt", dump, turned)
    assert (one.verdict, one.detail) == (
        WITHIN,
        "the same trees, node by node; 1 node within tolerance",
    )


def test_lightgbm_itself(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    numpy = pytest.importorskip("numpy")
    draw = numpy.random.default_rng(0)
    x = draw.random((300, 4))
    y = x[:, 0] + 2 * x[:, 1]

    def trained(**more: object) -> str:
        options = {"objective": "regression", "verbose": -1, "seed": 1, "num_threads": 1, **more}
        return str(lightgbm.train(options, lightgbm.Dataset(x, y), 5).model_to_string())

    old = trained()
    again = judge(tmp_path, "a.txt", old, trained(num_threads=2).replace("\n", "\n", 1))
    assert again.verdict == WITHIN
    other = judge(tmp_path, "b.txt", old, trained(learning_rate=0.2))
    assert other.detail.startswith("5 of 5 trees differ, the first is tree 0")
    assert "parameters" in {one.name for one in other.parts}
