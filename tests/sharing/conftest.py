"""A run of an author, and a clone of a reader who has neither its record nor its files."""

import shutil

import pytest

from tests.conftest import PYTHON, Prov, git

MAKE = """\
import os
text = open("words.txt").read()
os.makedirs("parts", exist_ok=True)
for number in range(300):
    with open("parts/%03d.txt" % number, "w") as stream:
        stream.write(text + str(number))
with open("model.bin", "wb") as stream:
    stream.write(bytes(range(256)) * 4000)
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return a repository in which one run, "baseline", was recorded; not to be changed."""
    folder = tmp_path_factory.mktemp("recorded") / "author"
    folder.mkdir()
    (folder / "make.py").write_text(MAKE)
    (folder / ".gitignore").write_text("words.txt\nparts/\nmodel.bin\nprov.yaml\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    (folder / "words.txt").write_text("lorem ipsum\n")
    Prov(folder)("run", "--name", "baseline", "--", PYTHON, "make.py")
    return folder.rename(folder.parent / "kept")  # nothing is found where the run had it


@pytest.fixture
def author(recorded, tmp_path):
    """Return the command line in a copy of the repository of the run."""
    shutil.copytree(recorded, tmp_path / "author", symlinks=True)
    return Prov(tmp_path / "author")


@pytest.fixture
def reader(recorded, tmp_path):
    """Return the command line in a clone, which has neither the record nor any of the files."""
    git(tmp_path, "clone", "-q", str(recorded), str(tmp_path / "reader"))
    return Prov(tmp_path / "reader")


@pytest.fixture
def team(author, reader, tmp_path):
    """Return the folder that both have as their remote."""
    for one in (author, reader):
        (one.folder / "prov.yaml").write_text("remotes: {team: ../team}\n")
    return tmp_path / "team"
