"""Volatile parts told apart, and values, texts and tables compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.compare.tolerance import DEFAULT
from provenance.compare.values import Tally, shown
from provenance.compare.volatile import masked
from provenance.core.volatile import is_volatile_name


@pytest.mark.parametrize(
    "name",
    "time train_time_s epochTime timestamp created_at duration elapsed train_runtime "
    "train_samples_per_second tokens/s wall_time date end-date fps charts/SPS gpu_mem "
    "hostname".split(),
)
def test_names_of_what_is_never_the_same(name: str) -> None:
    assert is_volatile_name(name)


@pytest.mark.parametrize(
    "name",
    "acc val_loss update updates candidate validated n_time_steps timestep time_series_error "
    "time/acc sentiment runtime_free/x mst lifetimes multimedia momentum".split(),
)
def test_names_of_results(name: str) -> None:
    assert not is_volatile_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2025-01-02 03:04:05,678 INFO x", "2026-11-12 13:14:15,001 INFO x"),
        ("2025-01-02T03:04:05.1+02:00", "2025-01-02T03:04:06Z"),
        ("run 20250102T030405Z-0a1b2c3d", "run 20250102T030406Z-ffffffff"),
        ("done in 1.23s", "done in 45 s"),
        ("took 3 min", "took 12 minutes"),
        ("100%|###| 5/5 [00:01<00:00, 3.3it/s]", "100%|###| 5/5 [00:09<00:01, 12.1it/s]"),
        ("<obj at 0x7f00aa>", "<obj at 0x7fffff>"),
        ("pid=12 ok", "pid=345 ok"),
        ("saved /home/a/x.pt", "saved /tmp/b/c/x.pt"),
        ("t=1700000000.5", "t=1712345678.25"),
        ("1b4e28ba-2fa1-11d2-883f-0016d3cca427", "00000000-2fa1-11d2-883f-0016d3cca427"),
    ],
)
def test_forms_of_what_is_never_the_same(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("epoch 3", "epoch 4"),
        ("acc 0.91", "acc 0.92"),
        ("loss 12.5", "loss 13.5"),
        ("seed 1700", "seed 1701"),
        ("model resnet50", "model resnet101"),
        ("saved best.pt", "saved last.pt"),
        ("ratio 3:4", "ratio 3:5"),
    ],
)
def test_results_are_not_masked(one: str, other: str) -> None:
    assert masked(one) != masked(other)


def tally(old: Any, new: Any) -> tuple[int, int, int, str]:
    one = Tally(DEFAULT)
    one.values("", old, new)
    return one.within, one.volatile, one.different, one.first


def test_json_leaf_by_leaf() -> None:
    old = {"a": [1.0, {"b": 2}], "time": 3, "s": "at 2025-01-01", "d": {"time": {"acc": 1}}}
    assert tally(old, old) == (0, 0, 0, "")
    new = {"a": [1.0 + 1e-8, {"b": 2}], "time": 4, "s": "at 2026-01-01", "d": {"time": {"acc": 1}}}
    assert tally(old, new) == (1, 2, 0, "")
    assert tally(old, {**new, "a": [1.0, {"b": 3}]})[2:] == (1, "a/1/b")
    assert tally(old, {**old, "d": {"time": {"acc": 2}}})[2:] == (1, "d/time/acc")
    assert tally({"a": 1}, {"b": 1})[2:] == (2, "a")
    assert tally([1], [1, 2])[2] == 1
    assert tally({"a": True}, {"a": 1})[2] == 1
    assert tally({"a": None}, {"a": 0})[2] == 1


def test_log_lines() -> None:
    one = Tally(DEFAULT)
    old = ["10% \r 50%\r100% 1.2s\n", "loss 0.5000001\n", "end\n"]
    one.lines(old, ["100% 3.4s\n", "loss 0.5000002\n", "end\n"])
    assert (one.volatile, one.within, one.different) == (1, 1, 0)
    one.lines(["a"], ["a", "b"])
    assert (one.different, one.first) == (1, "line 2")
    one = Tally(DEFAULT)
    one.lines(["lr=0.1 acc 0.5"], ["lr=0.1 acc 0.7"])
    assert one.first == "line 1"
    assert list(shown(["a\rb\r\n"])) == ["b"]


def test_lists_say_how_they_differ() -> None:
    one = Tally(DEFAULT)
    one.values("a", ["x", "y", "z"], ["z", "x", "y"])
    assert one.parts[0].detail == "the same 3 members in another order"
    one.values("b", [1, 2, 3], [1, 3])
    assert one.parts[1].detail == "3 -> 2 members, apart from the 2. on"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("events.out.tfevents.1700000000.node7.123.0", "events.out.tfevents.1712345678.n.9.1"),
        ("labels {'a', 'b', 'c'}", "labels {'c', 'a', 'b'}"),
        ("listening on 127.0.0.1:29500", "listening on 127.0.0.1:29511"),
        ("host=node17 rank 0", "host=node18 rank 0"),
        ("wrote tmpab12_xyz", "wrote tmpq9z8w7e6"),
        ("init_method tcp://10.0.3.4:2222", "init_method tcp://10.0.3.9:2222"),
    ],
)
def test_more_forms_of_what_is_never_the_same(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cudnn 10.2.89", "cudnn 10.2.90"),
        ("cuda 11.8.0.87", "cuda 11.8.0.88"),
        ("{'a': 1, 'b': 2}", "{'a': 2, 'b': 1}"),
        ("['a', 'b']", "['b', 'a']"),
        ("report 12", "report 13"),
        ("tmpfiles 3", "tmpfiles 4"),
        ("ghost 12", "ghost 13"),
    ],
)
def test_more_results_are_not_masked(one: str, other: str) -> None:
    assert masked(one) != masked(other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_value_equals_itself(value: Any) -> None:
    assert tally(value, value) == (0, 0, 0, "")


@given(JSON, JSON)
def test_any_two_values_can_be_compared_and_order_does_not_hide_a_difference(
    one: Any, other: Any
) -> None:
    assert bool(tally(one, other)[2]) == bool(tally(other, one)[2])


@given(st.text(max_size=60))
def test_masking_twice_is_masking_once_for_plain_letters(text: str) -> None:
    plain = "".join(c for c in text if c.isalpha() or c == " ")
    assert masked(plain) == plain


@given(st.lists(st.text(max_size=20)), st.lists(st.text(max_size=20)))
def test_any_two_texts_can_be_compared(old: list[str], new: list[str]) -> None:
    one = Tally(DEFAULT)
    one.lines(old, new)
    assert one.compared == max(len(old), len(new))
    assert list(shown(old)) != list(shown(new)) or one.different == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "2024-01-01 10:00:00 node INFO train[1001]: x",
            "2024-01-02 11:00:00 node INFO train[99]: x",
        ),
        ("started on host gpu01", "started on host gpu77"),
        ("runs/Jan05_10-11-12_gpu01", "runs/Mar15_01-01-02_login2"),
    ],
)
def test_processes_hosts_and_folders_of_logs_are_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024-01-01 10:00:00 INFO epoch[100] x", "2024-01-02 11:00:00 INFO epoch[200] x"),
        ("2024-01-01 10:00:00 INFO t[100]: x", "2024-01-02 11:00:00 ERROR t[200]: x"),
        ("weights[100] x", "weights[200] x"),
    ],
)
def test_indices_and_levels_of_logs_are_not_masked(one: str, other: str) -> None:
    assert masked(one) != masked(other)


def test_digits_that_name_something_are_not_numbers() -> None:
    tally = Tally(DEFAULT)
    tally.values("", {"zip": "0012", "n": "1.0"}, {"zip": "12", "n": 1.0})
    assert [part.detail for part in tally.parts] == ["0012 -> 12", '"1.0" -> 1']


def test_of_a_long_line_the_number_is_shown_not_the_time() -> None:
    tally = Tally(DEFAULT)
    line = "2024-01-0%d 10:00:00 INFO a rather long line about everything, loss %s at the end"
    tally.text("line 1", line % (1, "0.25"), line % (2, "0.26"))
    assert "0.25" in tally.parts[0].detail
    assert "0.26" in tally.parts[0].detail
