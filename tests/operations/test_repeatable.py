"""What makes a run doubtful to repeat is named with its place; what libraries do is not."""

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.operations import repeatable


def run(**payloads):
    facets = {name: record.captured(1, payload) for name, payload in payloads.items()}
    return Record("i", ("x",), PathRef("repo", "."), record.DONE, "2025", facets=facets)


def said(found):
    return tuple(str(doubt) for doubt in found)


def test_a_generator_seeded_without_a_value():
    seeds = {"unseeded": [{"library": "numpy", "where": ["data.py:18"]}]}
    (doubt,) = repeatable.doubts(run(seeds=seeds))
    assert str(doubt) == "numpy seeded without a value data.py:18"
    assert "seed" in doubt.fix


def test_what_a_library_does_for_itself_is_no_doubt():
    place = "/v/lib/python3.11/site-packages/scipy/stats/_x.py:3"
    seeds = {"unseeded": [{"library": "numpy", "where": [place]}]}
    assert repeatable.doubts(run(seeds=seeds)) == ()


@pytest.mark.parametrize(
    ("library", "symbol", "drawn"),
    [
        ("numpy", "numpy.random.rand", True),
        ("numpy", "numpy.random.seed", False),
        ("numpy", "numpy.random.default_rng", False),
        ("numpy", "numpy.zeros", False),
        ("random", "random.shuffle", True),
        ("random", "random.Random", False),
        ("torch", "torch.randn", True),
        ("torch", "torch.nn.Linear", True),
        ("torch", "torch.nn.ReLU", False),
        ("torch", "torch.nn.init.normal_", True),
        ("torch", "torch.zeros", False),
    ],
)
def test_draws_from_a_generator_that_was_never_seeded(library, symbol, drawn):
    sites = [{"symbol": symbol, "path": "a.py", "line": 3, "kind": "call"}]
    found = repeatable.doubts(run(seeds={"never_seeded": [library]}, behaviour={"sites": sites}))
    assert said(found) == (("%s unseeded a.py:3" % library,) if drawn else ())


def test_files_edited_while_the_run_went_on():
    used = [{"path": {"root": "repo", "path": "a.py"}, "changed_during": True}]
    assert "a.py was edited" in str(repeatable.doubts(run(code={"used": used}))[0])


SITES = {"sites": [{"symbol": "numpy.random.rand", "path": "a.py", "line": 3, "kind": "call"}]}


@pytest.mark.parametrize(("drawn", "count"), [(False, 0), (True, 1)])
def test_a_generator_that_gave_no_number_is_no_doubt(drawn, count):
    seeds = {"never_seeded": ["numpy"], "settings": {"python": {"numpy": {"drawn": drawn}}}}
    assert len(repeatable.doubts(run(seeds=seeds, behaviour=SITES))) == count


def test_a_torch_that_drew_is_a_doubt_even_where_the_line_is_not_known():
    seeds = {"never_seeded": ["torch"], "settings": {"python": {"torch": {"drawn": True}}}}
    (doubt,) = repeatable.doubts(run(seeds=seeds))
    assert (str(doubt), doubt.fix) == ("torch unseeded", "torch.manual_seed(0) before it")


@pytest.mark.parametrize(("imported", "fix"), [(True, "keras.utils"), (False, "torch.manual")])
def test_what_drew_from_torch_tells_how_it_is_seeded(imported, fix):
    seeds = {"never_seeded": ["torch"], "settings": {"python": {"torch": {"drawn": True}}}}
    packages = {"distributions": {"keras": {"version": "3.9", "imported": imported}}}
    (doubt,) = repeatable.doubts(run(seeds=seeds, packages=packages))
    assert doubt.fix.startswith(fix)


def test_a_library_that_draws_from_an_unseeded_generator():
    draws = [{"library": "numpy", "by": "KMeans.fit", "where": "a.py:%d" % n} for n in (7, 9)]
    (doubt,) = repeatable.doubts(run(seeds={"never_seeded": ["numpy"], "draws": draws}))
    assert str(doubt) == "KMeans.fit without random_state a.py:7, a.py:9"
    assert doubt.fix == "pass random_state=0"
    calls = [{"library": "numpy", "function": "numpy.random.seed", "argument": 0, "where": "a:1"}]
    assert repeatable.doubts(run(seeds={"calls": calls, "draws": draws})) == ()


@pytest.mark.parametrize("unit", [1, 1000, 10**9])
def test_the_time_of_day_is_no_seed(unit):
    call = {"library": "random", "function": "random.seed", "where": "a.py:2"}
    began = 1735689600  # 2025-01-01
    for argument, count in ((began * unit + 5, 1), (42, 0), (True, 0), (1234567890 * unit, 0)):
        calls = [dict(call, argument=argument)]
        one = run(seeds={"calls": calls})._replace(started="2025-01-01T00:00:00Z")
        assert len(repeatable.doubts(one)) == count


@pytest.mark.parametrize(("hash_seed", "count"), [("random", 1), ("0", 0)])
def test_the_order_of_a_set(hash_seed, count):
    found = repeatable.doubts(
        run(seeds={"hash_seed": hash_seed}, behaviour={"set_order": ["a.py:4"]})
    )
    assert len(found) == count
    assert all("PYTHONHASHSEED=0" in one.fix for one in found)


@pytest.mark.parametrize(
    ("torch", "count"),
    [
        ({"cuda.initialized": False, "cudnn.benchmark": True}, 0),
        ({"cuda.initialized": True, "cudnn.benchmark": True}, 1),
        ({"cuda.initialized": True, "cudnn.benchmark": True, "deterministic_algorithms": False}, 2),
        ({"cuda.initialized": True, "deterministic_algorithms": True}, 0),
    ],
)
def test_what_a_gpu_may_do_in_any_order(torch, count):
    seeds = {"settings": {"python": {"torch": torch}}}
    assert len(repeatable.doubts(run(seeds=seeds))) == count


@pytest.mark.parametrize(("version", "count"), [("1.8.1", 1), ("1.9.0", 0), ("2.13.0+cpu", 0)])
def test_workers_that_repeat_each_other(version, count):
    loader = {"where": "a.py:5", "arguments": {"num_workers": {"value": 4}}}
    one = run(
        packages={"distributions": {"torch": {"version": version}}}, model={"loaders": [loader]}
    )
    assert len(repeatable.doubts(one)) == count


@pytest.mark.parametrize(
    ("library", "count"), [("keras", 0), ("random", 0), ("tensorflow", 0), ("numpy", 1)]
)
def test_keras_draws_its_seed_from_another_generator(library, count):
    calls = [{"library": library, "function": "f", "argument": 1, "where": "a.py:1"}]
    sites = {"sites": [{"symbol": "keras.layers.Dense", "path": "a.py", "line": 3, "kind": "call"}]}
    assert len(repeatable.doubts(run(seeds={"calls": calls}, behaviour=sites))) == count
