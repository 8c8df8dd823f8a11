"""What makes a run doubtful to repeat is named with its place; what libraries do is not."""

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.operations import repeatable


def run(**payloads):
    facets = {name: record.captured(1, payload) for name, payload in payloads.items()}
    return Record("i", ("x",), PathRef("repo", "."), record.DONE, "2025", facets=facets)


def test_a_generator_seeded_without_a_value():
    seeds = {"unseeded": [{"library": "numpy", "where": ["data.py:18"]}]}
    assert repeatable.doubts(run(seeds=seeds)) == ("numpy seeded without a value data.py:18",)


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
    assert found == (("%s unseeded a.py:3" % library,) if drawn else ())


def test_files_edited_while_the_run_went_on():
    used = [{"path": {"root": "repo", "path": "a.py"}, "changed_during": True}]
    assert "a.py was edited" in repeatable.doubts(run(code={"used": used}))[0]
