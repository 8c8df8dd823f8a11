"""The scoring of the benchmark of known changes: what counts as flagged, and what does not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import _behaviour_places
import _behaviour_report
import _behaviour_score as score
import realcode

SCRIPT = """\
from sklearn.cluster import KMeans
import numpy as np

X = np.arange(10.0).reshape(5, 2)
model = KMeans(2)
model.fit(X)
print(X.sum())
print(model.inertia_)
"""
ENVIRONMENTS = (
    {"python": "3.11", "requirements": ["scikit-learn==1.3.2", "numpy==1.26.4"]},
    {"python": "3.11", "requirements": ["scikit-learn==1.4.0", "numpy==1.26.4"]},
)


def a_case(symbol="sklearn.cluster.KMeans", package="scikit-learn", control=False):
    return score.Case("c", package, "k", symbol, control, "job.py", *ENVIRONMENTS, "")


def a_finding(effect="possible", facet="packages", name="scikit-learn", where=(), **reason):
    return {
        "effect": effect,
        "facet": facet,
        "name": name,
        "text": "",
        "where": list(where),
        "reasons": [{"level": "L3", "text": "", "evidence": "", **reason}] if reason else [],
    }


def judged(*findings, **case):
    return score.judge(a_case(**case), SCRIPT, findings)


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "symbol", "lines", "by"),
    [
        (SCRIPT, "sklearn.cluster.KMeans", {5, 6, 8}, "symbol"),
        (SCRIPT, "numpy.ndarray.reshape", {4, 6, 7, 8}, "symbol"),
        ("import a\nx = a.B()\nprint(x)\n", "a.B.hidden", {2, 3}, "class"),
        ("from t.u import L\nfor b in L():\n    s(b)\n", "t.u.Sampler", {2, 3}, "module"),
        ("import t\nt.f()\nprint(1)\n", "t.u.Sampler", {2}, "package"),
        ("print(1)\n", "t.u.Sampler", set(), "nothing"),
        ("d = {}\nprint(d['a'])\n", "h5py.Dataset.__getitem__", {2}, "symbol"),
        (
            "import m\ndef f(z, y):\n    q = z\n    return 1\n\nw = m.make()\nf(w, 2)\n",
            "m.make",
            {3, 6, 7},
            "symbol",
        ),
    ],
)
def test_the_right_lines_are_those_that_use_the_symbol_or_what_came_of_it(
    source, symbol, lines, by
):
    assert _behaviour_places.places(source, symbol) == (frozenset(lines), by)


# --- flagged --------------------------------------------------------------------------------------


def test_a_named_symbol_of_the_right_package_is_a_hit():
    found = judged(a_finding(text="KMeans(n_init) default 10 -> 'auto'"))
    assert found.named
    assert not found.placed
    assert found.flagged


def test_a_right_line_is_a_hit_without_a_name():
    assert judged(a_finding(where=["job.py:6"], text="fit differs")).placed
    assert judged(a_finding(text="fit differs", where=["sub/job.py:8"])).placed


@pytest.mark.parametrize(
    "finding",
    [
        a_finding(),
        a_finding(effect="unknown", text="KMeans changed", where=["job.py:5"]),
        a_finding(text="PCA changed", where=["job.py:7"]),
        a_finding(text="MiniBatchKMeans changed"),
        a_finding(name="numpy", text="KMeans changed"),
        a_finding(remedy="KMeans(n_init=10)", text="something"),
        a_finding(facet="hardware", text="sklearn.KMeans", where=["job.py:5"]),
        a_finding(text="KMeans: checked", effect="possible", where=[]) | {"effect": "unknown"},
    ],
)
def test_what_is_vague_wrong_or_below_possible_is_no_hit(finding):
    assert not judged(finding).flagged


def test_a_reason_that_was_checked_and_does_nothing_does_not_count():
    quiet = a_finding(text="KMeans(n_init) default", where=["job.py:5"], effect="possible")
    quiet["where"] = []
    quiet["reasons"][0]["effect"] = "unknown"
    assert not judged(quiet).flagged


def test_a_loose_hit_is_about_a_package_that_changed():
    assert judged(a_finding(text="PCA changed")).loose
    assert not judged(a_finding()).loose
    assert not judged(a_finding(name="numpy", text="something")).loose


def test_anything_above_unknown_alarms_a_control():
    assert judged(a_finding(facet="hardware"), control=True).alarm
    assert not judged(a_finding(effect="unknown"), control=True).alarm


def test_a_family_of_distributions_is_one_project():
    case = a_case("tf.keras.layers.Dense", "tensorflow-cpu")
    assert score.is_named(case, a_finding(name="keras", text="Dense(units)"))
    assert score.is_named(case, a_finding(name="calls", text="keras.layers.Dense: result differs"))
    assert not score.is_named(case, a_finding(name="numpy", text="Dense(units)"))


# --- the report -----------------------------------------------------------------------------------


def an_answer(flagged, alarm):
    answer = dict.fromkeys(("named", "placed", "loose"), flagged)
    more = {"seconds": 1.0, "again": 0.1, "calls": None, "not_compared": [], "said": "what it said"}
    return {**answer, "flagged": flagged, "alarm": alarm, **more}


def seen(name, control=False, **answer):
    base = {"id": name, "kind": "k", "package": "p", "symbol": "p.s", "control": control}
    return {**base, "record_s": 1.0, "answers": {"all": answer}}


def test_misses_alarms_and_what_could_not_be_judged_are_named_and_aims_decide():
    found = [
        seen("good", **an_answer(True, True)),
        seen("bad", **an_answer(False, False)),
        seen("noisy", control=True, **an_answer(False, True)),
        seen("failed", error="verify ended with 70"),
        {**seen("broken"), "error": "no environment"},
    ]
    text, missed = _behaviour_report.tables(found, ["all"], {"all": (0.95, 0.02)})
    assert missed
    assert "4 of 5 cases judged" in text
    assert "| all | 1/3 | 1 | 1 | 1 | 33.3 % | 1/1 | 100.0 % | 1 |" in text
    assert "- bad (p.s): what it said" in text
    assert "- noisy (p.s): what it said" in text
    assert "- failed (p.s): verify ended with 70" in text
    assert "- broken: no environment" in text
    assert not _behaviour_report.tables(found[:1], ["all"], {"all": (0.95, 0.02)})[1]


# --- the true rerun -------------------------------------------------------------------------------


def ran(output, code=0):
    return realcode.Ran(output, code, 1.0)


@pytest.mark.parametrize(
    ("first", "again", "new", "differs"),
    [
        ("loss 0.50", "loss 0.50", "loss 0.50", False),
        ("loss 0.50", "loss 0.50", "loss 0.51", True),
        ("loss 0.50000001", "loss 0.50000001", "loss 0.50000002", False),
        ("loss 0.50", "loss 0.52", "loss 0.60", False),
        ("took 1.0 s\nloss 0.5", "took 1.2 s\nloss 0.5", "took 7.0 s\nloss 0.4", True),
        ("at 0x7f01", "at 0x7f02", "at 0x8f03", False),
        ("one", "one", "one\ntwo", True),
    ],
)
def test_what_two_equal_runs_differ_in_is_noise(first, again, new, differs):
    assert bool(realcode.true_differences(ran(first), ran(again), ran(new))) is differs


def test_another_exit_code_is_a_difference():
    found = realcode.true_differences(ran("a"), ran("a"), ran("a\nValueError: no", 1))
    assert found == ["exit 0 -> 1: ValueError: no"]
