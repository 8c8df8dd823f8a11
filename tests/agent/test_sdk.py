"""The SDK: inside a run and outside, with and without the hook, in every kind of process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import provenance
from provenance.agent import _fingerprint, launch
from provenance.core import context
from provenance.facets import _sdk, artifacts, fingerprints, metrics, params
from provenance.facets._series import Full
from tests.agent._hook import VERSIONS, observe, plain_environment, python_of
from tests.facet_contract import a_context

ALL = """
    import provenance as p
    p.log_params({"lr": 0.1, "model": {"depth": 3}}, seed=1)
    p.log_metrics({"loss": 0.5, "val": {"acc": 0.75}})
    p.log_metrics(loss=0.25)
    p.log_metrics({"late": 1}, step=7)
    p.log_artifact("in.txt", name="input", kind="data")
    p.fingerprint("batch", {"x": [1, 2, 3]})
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    (made / "in.txt").write_text("1\n")
    return made


def write(folder: Path, text: str, name: str = "script.py") -> str:
    (folder / name).write_text(textwrap.dedent(text))
    return name


def ran(folder, text, python=sys.executable, argv=()):
    """Run a script under the hook; return the process and a context of its end."""
    agent = folder.parent / ("agent %d" % len(os.listdir(folder.parent)))
    seen = observe([python, *argv, write(folder, text)], folder, agent=agent)
    return seen, a_context(folder, context.AFTER, observed=seen.observed, run_dir=str(folder))


def payload(facet, at):
    answer = facet.capture(at)
    assert answer.status == "captured", answer.reason
    return answer.subjects[0].payload


def series(at):
    found, _ = _sdk.series(at, Full(None))
    return {name: [tuple(point) for point in one.points()] for name, one in found.items()}


def told(at):
    return {one.name: (one.value, one.source) for one in _sdk.params(at)}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_code_tells_is_recorded_where_nothing_is_installed(version, folder):
    seen, at = ran(folder, ALL, python_of(version))
    assert (seen.code, seen.out, seen.err) == (0, b"", b"")
    assert told(at) == {"lr": (0.1, "sdk"), "model.depth": (3, "sdk"), "seed": (1, "sdk")}
    assert series(at) == {
        "loss": [(0, 0.5), (1, 0.25)],
        "val/acc": [(0, 0.75)],
        "late": [(7, 1)],
    }
    named = payload(artifacts, at)["files"]
    assert [(one["name"], one["kind"], one["path"]["path"]) for one in named] == [
        ("input", "data", "in.txt")
    ]
    (one,) = payload(fingerprints, at)["values"]
    assert (one["name"], one["where"], one["times"]) == ("batch", "script.py:8", 1)
    assert one["value"]["parts"]["x"]["summary"] == {
        "min": 1,
        "max": 3,
        "mean": 2.0,
        "std": pytest.approx(0.816496580927726),
    }
    assert payload(params, at)["values"]["lr"]["source"] == "sdk"
    assert payload(metrics, at)["final"]["loss"] == 0.25


def test_the_users_own_module_of_that_name_wins(folder):
    write(folder, "HERE = 1\n", "provenance.py")
    seen, at = ran(folder, "import provenance; print(provenance.HERE, provenance.__file__)")
    assert seen.out.decode().split() == ["1", str(folder / "provenance.py")]
    assert not at.observed.sdk


def test_outside_a_run_it_does_nothing(folder):
    one_file = Path(launch.SITE, "_prov_sdk.py").read_text()
    write(folder, one_file, "prov_sdk.py")
    script = write(folder, ALL.replace("provenance", "prov_sdk") + "    p.log_params(1, 2, 3)\n")
    before = set(os.listdir(folder))
    done = subprocess.run(
        [sys.executable, "-B", script],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert set(os.listdir(folder)) == before


@pytest.mark.parametrize("version", VERSIONS)
def test_one_file_works_where_the_hook_does_not(version, folder):
    write(folder, Path(launch.SITE, "_prov_sdk.py").read_text(), "prov_sdk.py")
    text = "import sys; sys.path.insert(0, '.')\n" + textwrap.dedent(
        ALL.replace("provenance", "prov_sdk")
    )
    seen, at = ran(folder, text, python_of(version), ["-I"])
    assert (seen.code, seen.err) == (0, b"")
    assert series(at)["loss"] == [(0, 0.5), (1, 0.25)]
    assert told(at)["lr"] == (0.1, "sdk")


@pytest.mark.parametrize("flags", [[], ["-W", "error"]], ids=["plain", "warnings are errors"])
def test_no_call_raises_and_each_function_warns_once(flags, folder):
    text = """
        import provenance as p
        class Odd:
            def keys(self): raise RuntimeError("no")
            __getitem__ = keys
            def __repr__(self): raise RuntimeError("no")
        for _ in range(3):
            p.log_params(1); p.log_params(1, 2, 3); p.log_params(Odd()); p.log_params(x=Odd())
            p.log_metrics("a"); p.log_metrics({"a": "text"}); p.log_metrics({"a": 1}, {"b": 1}, 5)
            p.log_artifact(None); p.log_artifact(); p.log_artifact(b"x\\0y", 3, 4)
            p.fingerprint(); p.fingerprint("odd", Odd()); p.fingerprint(Odd(), 1)
        print("done")
    """
    seen, _ = ran(folder, text, argv=flags)
    assert (seen.code, seen.out) == (0, b"done\n")
    expected = 0 if flags else 4
    assert seen.err.decode().count("RuntimeWarning: prov: ") == expected, seen.err


def test_what_was_told_survives_kill_9(folder):
    seen, at = ran(folder, ALL + "    import os; os.kill(os.getpid(), 9)\n")
    assert seen.code == -9
    assert series(at)["loss"] == [(0, 0.5), (1, 0.25)]
    assert payload(fingerprints, at)["values"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_tell_for_themselves(method, folder):
    text = """
        import multiprocessing, provenance as p
        def work(n):
            p.log_metrics(loss=n); p.log_metrics({"own%d" % n: n})
        if __name__ == "__main__":
            p.log_metrics(loss=0.5)
            with multiprocessing.get_context(METHOD).Pool(1) as pool: pool.map(work, [1, 2])
    """.replace("METHOD", repr(method))
    seen, at = ran(folder, text)
    assert seen.code == 0, seen.err
    found = series(at)
    assert found.pop("loss") == [(0, 0.5)]
    assert found.pop("script/loss") == [(0, 1), (1, 2)]
    assert set(found) == {"own1", "own2"}


def test_rank_0_has_the_plain_names_and_others_are_kept(folder):
    text = """
        import os, subprocess, sys, provenance as p
        rank = os.environ.get("RANK")
        if rank is None:
            for one in "10":
                subprocess.run([sys.executable, __file__], env=dict(os.environ, RANK=one))
        else:
            p.log_params(lr=0.1, shard=int(rank)); p.log_metrics(loss=int(rank), same=5)
            p.fingerprint("x", int(rank))
    """
    seen, at = ran(folder, text)
    assert seen.code == 0, seen.err
    assert series(at) == {"loss": [(0, 0)], "same": [(0, 5)], "rank1/loss": [(0, 1)]}
    assert [(p.name, p.value, p.source) for p in _sdk.params(at)] == [
        ("lr", 0.1, "sdk"),
        ("shard", 0, "sdk"),
        ("shard", 1, "sdk rank 1"),
    ]
    assert {one["name"] for one in payload(fingerprints, at)["values"]} == {"x", "x rank 1"}
    assert "1 series" in " ".join(metrics.capture(at).notes)


def test_many_points_are_thinned_and_the_ends_are_kept(folder):
    text = """
        import provenance as p
        for n in range(30000): p.log_metrics({"loss": -n if n == 777 else n})
    """
    seen, at = ran(folder, text)
    assert seen.code == 0
    found = payload(metrics, at)
    points = [(one["step"], one["value"]) for one in found["series"]["loss"]]
    assert len(points) <= 2000
    assert points[0] == (0, 0)
    assert points[-1] == (29999, 29999)
    assert (777, -777) in points
    assert found["thinned"]["loss"] == 30000


def test_secrets_do_not_enter_the_record(folder):
    text = """
        import provenance as p
        p.log_params(api_key="hunter2hunter2hunter2", url="https://me:pass1word@host/x")
        p.fingerprint("password", "hunter2hunter2hunter2")
        p.fingerprint("ghp_0123456789abcdefghijABCDEFGHIJ012345", {"secret": "abcd1234efgh5678"})
    """
    _, at = ran(folder, text)
    kept = json.dumps([payload(params, at), payload(fingerprints, at)])
    for secret in ("hunter2hunter2", "pass1word", "ghp_0123", "abcd1234efgh5678"):
        assert secret not in kept


def test_nothing_is_drawn_and_nothing_is_kept(folder):
    text = """
        import gc, random, weakref, numpy as np, provenance as p
        random.seed(1); np.random.seed(1)
        state = random.getstate(), np.random.get_state()[1].tolist()
        array = np.arange(6.0).reshape(2, 3); generator = iter([1, 2])
        p.log_params(array=array); p.log_metrics(loss=array[0, 0])
        p.fingerprint("all", [array, {"g": generator}]); p.fingerprint("g", generator)
        assert (random.getstate(), np.random.get_state()[1].tolist()) == state
        assert list(generator) == [1, 2]
        gone = weakref.ref(array); del array; gc.collect()
        assert gone() is None
    """
    seen, _ = ran(folder, text)
    assert (seen.code, seen.err) == (0, b"")


def test_the_installed_package_offers_the_same_and_stays_light():
    for name in ("log_params", "log_metrics", "log_artifact", "fingerprint"):
        assert callable(getattr(provenance, name))
    with pytest.raises(AttributeError, match="nonsense"):
        provenance.nonsense  # noqa: B018  # asking is the test
    text = "import sys, provenance; print([m for m in sys.modules if m.startswith('provenance')])"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['provenance']"


# --- fingerprints --------------------------------------------------------------------------------


def digest(value):
    told = _fingerprint.describe(value)
    assert told["digest"], told
    return told["digest"]


def test_equal_numbers_have_equal_digests_however_they_lie():
    np = pytest.importorskip("numpy")
    array = np.arange(24, dtype="float32").reshape(2, 3, 4)
    assert digest(array) == digest(np.asfortranarray(array)) == digest(array.astype(">f4"))
    assert digest(array) == digest(array[:, :, ::-1][:, :, ::-1])
    others = [array.reshape(6, 4), array.astype("float64"), array + 1, array[::-1]]
    assert len({str(digest(one)) for one in [array, *others]}) == 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}),
        ([1, 2], [2, 1]),
        ((1, 2), (1, 2, 3)),
        ("a", "b"),
        (1, 1.0),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}),
        ([None], [0]),
        (b"a", b"b"),
    ],
    ids=str,
)
def test_different_values_have_different_digests(one, other):
    assert digest(one) != digest(other)
    assert digest(one) == digest(one)


def test_the_order_of_a_dictionary_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_a_summary_counts_what_is_not_a_number():
    np = pytest.importorskip("numpy")
    told = _fingerprint.describe(np.array([1.0, np.nan, 3.0, np.inf]))
    assert told["summary"] == {
        "nan": 1,
        "infinite": 1,
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "std": 1.0,
        "of": 4,
    }


def test_large_arrays_are_sampled_and_say_so(monkeypatch):
    np = pytest.importorskip("numpy")
    monkeypatch.setattr(_fingerprint, "WHOLE", 1 << 21)
    array = np.zeros(1 << 20, dtype="float32")
    assert set(digest(array)) == {"sha256-sampled-1"}
    before = digest(array)
    array[-1] = 1
    assert digest(array) != before
    assert set(digest({"x": array, "y": np.zeros(3)})) == {"sha256-sampled-1"}
    assert set(digest(array[:100])) == {"sha256"}


def test_fields_and_masks_count():
    np = pytest.importorskip("numpy")
    row = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    other = np.array([(1, 3.0)], dtype=[("a", "i4"), ("b", "f8")])
    assert digest(row) != digest(other)
    assert set(_fingerprint.describe(row)["parts"]) == {"a", "b"}
    masks = [np.ma.array([1, 2], mask=mask) for mask in ([0, 1], [1, 0], [0, 0])]
    assert len({str(digest(one)) for one in masks}) == 3


def test_what_has_no_digest_says_why():
    assert _fingerprint.describe(object())["reason"] == "no known form"
    assert _fingerprint.describe(iter([1]))["reason"] == "an iterator is not consumed"
    told = _fingerprint.describe({"good": 1, "bad": object()})
    assert told["digest"] == {}
    assert told["parts"]["good"]["digest"]
    loop = []
    loop.append(loop)
    assert _fingerprint.describe(loop)["reason"]


def test_a_comparison_names_the_first_that_differs(folder):
    text = """
        import sys, provenance as p
        p.fingerprint("data", [1, 2])
        for n in range(4): p.fingerprint("batch", [n, {} if n == 2 else 0])
        p.fingerprint("weights", [3.5 + {}])
    """
    old = fingerprints.capture(ran(folder, text.replace("{}", "0"))[1])
    again = fingerprints.capture(ran(folder, text.replace("{}", "0"))[1])
    new = fingerprints.capture(ran(folder, text.replace("{}", "1"))[1])
    assert fingerprints.compare(old, again).differences == ()
    found = fingerprints.compare(old, new)
    assert (found.equal, found.total) == (1, 3)
    assert [(one.name, one.text) for one in found.differences] == [
        ("batch", "the first fingerprint that differs, call 3 of 4"),
        ("weights", ""),
    ]
