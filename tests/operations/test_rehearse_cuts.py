"""A run whose calls take too long: which are cut in the rehearsal, and what is said of it."""

import pytest

from provenance.environments import build
from provenance.environments.wanted import Wanted
from provenance.operations import comparing_calls, references, rehearse
from provenance.store import project
from tests.environments._index import VERSION, Index

LIBRARY = """\
import time
class Trainer:
    def __init__(self, epochs=1): self.epochs = epochs
    def fit(self, data):
        for _ in range(self.epochs): time.sleep(0.05)
        return round(sum(data) / %s, 3)
def wait(seconds): time.sleep(seconds)
"""
SCRIPT = """\
from alpha import Trainer, wait
trainer = Trainer(epochs=%d)
print(trainer.fit([1, 2]))
wait(%d)
print("end")
"""


@pytest.fixture
def both(loose, tmp_path, monkeypatch):
    """Return how to rehearse a script in two environments with little time."""
    index = Index(tmp_path / "index")
    index.wheel("alpha", "1.0", LIBRARY % 3)
    index.wheel("alpha", "2.0", LIBRARY % 4)
    wish = build.Wish(dict(index.environ, PROV_CACHE=str(tmp_path / "cache")), str(index.wheels))
    found = [
        build.build(Wanted(VERSION, ("alpha==" + version,)), wish).python
        for version in ("1.0", "2.0")
    ]
    monkeypatch.setattr(rehearse, "WHOLE_S", 1.5)
    monkeypatch.setattr(rehearse, "CUT_S", 1.5)

    def ask(text):
        (loose.folder / "fit.py").write_text(text)
        loose("run", "--", found[0], "fit.py")
        place = project.find(str(loose.folder))
        reference = references.choose(None, place, place.root)[0]
        asked = rehearse.Wish(loose.environ, place, found[1], "cut")
        done = rehearse.rehearse(reference, "another", asked)
        return done, comparing_calls.outcome(done, (), reference, "cut").coverage

    return ask


def test_the_passes_of_a_long_call_are_cut_on_both_sides(both):
    done, coverage = both(SCRIPT % (60, 0))
    assert done.problem == ""
    assert (done.old.end, done.new.end) == ("done", "done")
    assert done.old.short == done.new.short == ((0, "epochs", 2),)
    assert coverage.short == "epochs cut to 2"
    assert [root.site.where for root in done.compared.roots] == ["fit.py:3"]


def test_where_the_time_ran_out_is_said(both):
    done, coverage = both(SCRIPT % (2, 4))
    assert done.problem == ""
    assert coverage.short == "stopped after 1.5 s at fit.py:4"
    assert [root.site.where for root in done.compared.roots] == ["fit.py:3"]
