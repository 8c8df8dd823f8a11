"""Data sets that come with installed packages: recorded, and found again in another environment."""

import subprocess

import pytest

from tests.conftest import PYTHON

LOAD = """
import os, toolbox
folder = os.path.dirname(toolbox.__file__)
open(os.path.join(folder, "datasets", "data", "iris.csv")).read()
open(os.path.join(folder, "fonts", "a.ttf"), "rb").read()
"""


@pytest.fixture
def environment(tmp_path):
    """Return a way to make a virtual environment with a package; gives its interpreter."""

    def make(name, content):
        folder = tmp_path / name
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(folder)], check=True)
        (site,) = folder.glob("lib/python3*/site-packages")
        for path, text in {
            "toolbox/__init__.py": "",
            "toolbox/datasets/data/iris.csv": content,
            "toolbox/fonts/a.ttf": "x",
        }.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text)
        return str(folder / "bin" / "python")

    return make


def test_the_data_set_of_a_package_is_data_and_its_fonts_are_not(prov, repo, environment):
    (repo / "load.py").write_text(LOAD)
    prov("run", "--", environment("one", "1,2\n"), "load.py")
    (entry,) = prov.payload("data")["files"]
    assert entry["kind"] == "packaged"
    assert entry["path"]["path"].endswith("site-packages/toolbox/datasets/data/iris.csv")
    assert entry["digests"]


@pytest.mark.parametrize(("content", "code"), [("1,2\n", 0), ("3,4\n", 1)], ids=["same", "other"])
def test_it_is_compared_with_the_one_of_another_environment(
    prov, repo, environment, tmp_path, content, code
):
    (repo / "load.py").write_text(LOAD)
    prov("run", "--", environment("one", "1,2\n"), "load.py")
    (tmp_path / "one").rename(tmp_path / "gone")
    other = environment("two", content)
    done = prov("verify", "@last", "--python", other, "-v", code=code)
    assert "data %d/1" % (1 - code) in done.stdout
