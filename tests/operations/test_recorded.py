"""The old side of a rehearsal: the recorded interpreter if it still is, else one like it."""

import os
import subprocess
import sys

import pytest

from provenance.environments import build
from provenance.environments.wanted import Wanted
from provenance.operations import recorded, references
from provenance.store import project
from tests.environments._index import VERSION, Index
from tests.facets._venvs import UV


@pytest.fixture
def index(tmp_path):
    made = Index(tmp_path / "index")
    made.wheel("alpha", "1.0", "import beta\n", requires=("beta",))
    made.wheel("alpha", "2.0", "import beta\n")
    made.wheel("beta", "1.0")
    made.wheel("unused", "1.0")
    made.wheel("unused", "2.0")
    return made


@pytest.fixture
def run(loose, index):
    """Return a recorded run with its interpreter's path, and how to ask for it again."""
    packages = ("alpha==1.0", "beta==1.0", "unused==1.0")
    environ = dict(index.environ, PROV_CACHE=index.environ["PROV_CACHE"] + "-theirs")
    recipe = Wanted(VERSION, packages, prefer=(sys.executable,))
    made = build.build(recipe, build.Wish(environ, str(index.wheels)))
    (loose.folder / "fit.py").write_text("import alpha\n")
    loose.environ = index.environ
    loose("run", "--", made.python, "fit.py")
    place = project.find(str(loose.folder))
    reference = references.choose(None, place, place.root)[0]

    def ask(**more):
        return recorded.recorded_python(reference, index.environ, place, **more)

    return made.python, ask


def install(index, python, *packages):
    words = [UV, "pip", "install", "-q", "--no-deps", "-p", python, *packages]
    subprocess.run(words, env=index.environ, check=True)


def test_the_recorded_one_while_what_was_imported_is_the_same(run, index):
    python, ask = run
    found = ask()
    assert (found.python, found.how) == (python, "recorded")
    install(index, python, "unused==2.0")
    assert ask().how == "recorded", "the run did not import it"


def test_one_like_it_is_built_only_when_asked(run, index):
    python, ask = run
    install(index, python, "alpha==2.0")
    found = ask()
    assert (found.python, found.how) == (None, "none")
    assert "alpha was 1.0 and is 2.0" in found.why
    assert "--build" in found.hint
    found = ask(build=True)
    assert found.how == "built"
    assert found.missing == ()
    code = "import alpha, importlib.metadata as m; print(m.version('alpha'), m.version('beta'))"
    told = subprocess.run([found.python, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1.0", "1.0"]
    assert ask()[:2] == (found.python, "cached")


def test_a_recorded_interpreter_that_is_gone(run, index):
    python, ask = run
    folder = os.path.dirname(os.path.dirname(python))
    os.rename(folder, folder + "-away")
    found = ask()
    assert found.python is None
    assert "is not here any more" in found.why
    next(index.wheels.glob("beta-1.0*")).unlink()
    found = ask(build=True)
    assert found.how == "built"
    assert found.missing == ("beta 1.0: no index here knows it",)
    assert "without beta 1.0" in found.why


def test_a_run_without_python(loose, index):
    loose("run", "--", "true")
    place = project.find(str(loose.folder))
    reference = references.choose(None, place, place.root)[0]
    found = recorded.recorded_python(reference, index.environ, place, build=True)
    assert (found.python, found.why) == (None, "the record holds no Python packages.")
