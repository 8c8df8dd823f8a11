"""What differs between two signatures, and what of it concerns a call."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.knowledge.changes import (
    Passed,
    announced,
    changes,
    comparable,
    for_call,
    registry_changes,
)

NOTHING = Passed()


def signature(text: str, **more: Any) -> dict[str, Any]:
    """Return the signature that ``def f(text)`` has."""
    import ast

    from provenance.core._parameters import dotted, of_function

    node = ast.parse("def f(%s): ..." % text).body[0]
    parameters = of_function(node, lambda one: {"name": dotted(one)})
    return {"name": "lib.f", "how": "source", "parameters": parameters, **more}


def texts(old: str, new: str, call: Passed = NOTHING, **more: Any) -> list[str]:
    found = for_call(changes(signature(old), signature(new, **more)), "f", call)
    return ["%s: %s" % (hit.effect, hit.text) for hit in found]


def test_a_changed_default_concerns_who_does_not_pass_it() -> None:
    old, new = "k, n_init=10", "k, n_init='auto'"
    told = ["possible: f(n_init) default 10 -> 'auto'; you don't pass it"]
    assert texts(old, new, Passed(1)) == told
    assert texts(old, new, Passed(2)) == []
    assert texts(old, new, Passed(1, frozenset({"n_init"}))) == []
    assert "may not pass" in texts(old, new, Passed(1, spread=True))[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a=2", "a=2.0"),
        ("a=None", "a=()"),
        ("a='Adam'", "a='adam'"),
        ("a=np.float64", "a='float64'"),
        ("a=2", "a=(2, 2)"),
        ("n_jobs=1", "n_jobs=None"),
        ("verbose=0", "verbose='auto'"),
        ("copy=True", "copy=False"),
        ("a=False", "a='deprecated'"),
        ("a='auto'", "a=lib.no_default"),
        ("a=1", "a=1, b=3"),
        ("a=1, b=2", "a=1, *, b=2"),
        ("a=1, b=2", "a=1"),
        ("interpolation='linear'", "method='linear', *, interpolation=None"),
        ("a=Thing(1)", "a=Thing(2)"),
    ],
)
def test_what_says_nothing_to_a_call_without_arguments(old: str, new: str) -> None:
    assert texts(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "call", "told"),
    [
        ("a, b=1", "a", Passed(1, frozenset({"b"})), "broken: f(b) is gone; you pass it"),
        ("a, b=1", "a, **kw", Passed(1, frozenset({"b"})), "possible: f(b) is gone; you pass it"),
        ("a, b=1", "a, *, b=1", Passed(2), "broken: f(b) is keyword-only now"),
        ("a, old=1", "a, new=1", Passed(1, frozenset({"old"})), "broken: f(old) is named new now"),
        ("a, b=1, c=2", "a, x=0, b=1, c=2", Passed(2), "possible: f(b) is parameter 3, was 2"),
        ("a", "a, b", Passed(1), "broken: f(b) is required now"),
        ("a=1", "a", Passed(), "broken: f(a) has no default any more"),
        ("a='SAMME.R'", "a='deprecated'", Passed(), "possible: f(a) default 'SAMME.R' ->"),
        ("sort=None", "sort=False", Passed(), "possible: f(sort) default None -> False"),
        ("g='auto_deprecated'", "g='scale'", Passed(), "possible: f(g) default 'auto_deprecated'"),
    ],
)
def test_what_concerns_a_call(old: str, new: str, call: Passed, told: str) -> None:
    assert [one[: len(told)] for one in texts(old, new, call)] == [told]


def test_a_decorator_may_still_take_what_is_gone() -> None:
    call = Passed(2)
    assert texts("a, b=1", "a, *, b=1", call, wrapped=True)[0].startswith("possible")


def test_signatures_from_different_doors_are_not_compared() -> None:
    static, live = signature("a=1"), signature("a=2", how="object")
    assert comparable(static, live)
    assert changes(static, live) == ()
    assert comparable({"not_compared": "compiled"}, static) == "then: compiled"


DEFAULTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
PARAMETERS = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(("either", "keyword")), DEFAULTS),
    max_size=6,
    unique_by=lambda one: one[0],
)


def made(parameters: list[tuple[str, str, Any]]) -> dict[str, Any]:
    ordered = sorted(parameters, key=lambda one: one[1])
    listed = [{"name": n, "kind": k, "default": d} for n, k, d in ordered]
    return {"name": "f", "how": "source", "parameters": listed}


@given(PARAMETERS)
def test_a_signature_does_not_differ_from_its_copy(parameters: list[tuple[str, str, Any]]) -> None:
    one = made(parameters)
    assert changes(one, copy.deepcopy(one)) == ()


@given(PARAMETERS, PARAMETERS, st.integers(0, 8))
def test_who_passes_all_by_name_hears_of_no_default(
    old: list[tuple[str, str, Any]], new: list[tuple[str, str, Any]], by_place: int
) -> None:
    before, after = made(old), made(new)
    every = frozenset(p["name"] for p in (*before["parameters"], *after["parameters"]))
    hits = for_call(changes(before, after), "f", Passed(0, every))
    assert all(hit.change.kind != "default" for hit in hits)
    for hit in for_call(changes(before, after), "f", Passed(by_place)):
        assert hit.effect in ("possible", "broken")
        assert hit.text


def test_options_of_libraries_are_compared_where_both_have_them() -> None:
    old = {"pandas.mode.copy_on_write": False, "pandas.x": 1, "torch.f": 2}
    new = {"pandas.mode.copy_on_write": True, "pandas.y": 1, "torch.f": 2.0}
    told = [one.parameter for one in registry_changes(old, new) if not one.quiet]
    assert told == ["pandas.mode.copy_on_write"]


def test_warnings_that_announce_what_has_come() -> None:
    warnings = [
        "FutureWarning: The default value of n_init will change from 10 to 'auto' in 1.4.",
        "DeprecationWarning: foo is removed in 2.0.",
        "UserWarning: the default will change in 1.3.",
        "FutureWarning: behaviour of this will change in a future version.",
    ]
    assert announced(warnings, "1.3.2", "1.5") == (warnings[0], warnings[3])
    assert announced(warnings, "1.5", "1.3.2") == (warnings[0], warnings[3])
    assert announced(warnings, "1.4", "1.5") == (warnings[3],)


def test_an_old_name_that_is_still_taken_breaks_no_call_by_position() -> None:
    """scikit-learn 1.9 renamed ``log_loss(y_true, y_pred)`` so that both names are taken."""
    old = "y_true, y_pred, *, labels=None"
    new = "y_true, y_proba=None, *, labels=None, y_pred='deprecated'"
    by_place, by_name = Passed(2), Passed(1, frozenset({"y_pred"}))
    for before, after in ((old, new), (new, old)):
        assert texts(before, after, by_place) == []
        assert texts(before, after, by_name) == []
    told = ["broken: f(y_proba) is named y_pred now; you pass it by name"]
    assert texts(new, old, Passed(1, frozenset({"y_proba"})))[:1] == told
