"""What ``prov checkout`` puts where: names, links, and what stands in the way."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import PYTHON

MAKE = """\
import os
os.makedirs("out/tok", exist_ok=True)
open("out/model.bin", "wb").write(b"weights")
open("out/tok/vocab.txt", "w").write("a b")
for name, leads in (("last", "model.bin"), ("gone", "nowhere"), ("self", ".")):
    os.symlink(leads, "out/" + name)
os.symlink("/etc/hostname", "out/away")
"""


@pytest.fixture
def pushed(prov, tmp_path):
    """Return a project whose one run, "base", was pushed."""
    (prov.folder / "make.py").write_text(MAKE)
    (prov.folder / "prov.yaml").write_text("remotes: {team: %s}\n" % (tmp_path / "team"))
    prov("run", "--name", "base", "--", PYTHON, "make.py")
    prov("push")
    return prov


def test_links_of_a_run_come_back_where_they_stay_in_the_project(pushed):
    shutil.rmtree(pushed.folder / "out")
    told = pushed("checkout", "base").stdout
    out = pushed.folder / "out"
    leads = {one.name: os.readlink(one) for one in out.iterdir() if one.is_symlink()}
    assert leads == {"last": "model.bin", "self": "."}
    assert "out/last" in told
    (out / "last").unlink()
    (out / "last").write_text("mine")
    pushed("checkout", "base", "--force")
    assert (out / "last").read_text() == "mine"
    other = pushed.folder / "else" / "out"
    pushed("checkout", "base", "--to", "else")
    assert (other / "last").read_bytes() == b"weights"


@pytest.mark.parametrize("name", ["out/tok/vocab.txt", "vocab.txt", "*.txt", "out/tok", "tok"])
def test_an_address_means_what_it_means_to_path(pushed, name):
    (pushed.folder / "out" / "tok" / "vocab.txt").unlink()
    done = pushed.json("checkout", "base:" + name)
    assert [os.path.basename(one) for one in done["placed"]] == ["vocab.txt"]


@pytest.mark.parametrize(("address", "code"), [("base:", 2), (":out", 2), ("base:nothing", 4)])
def test_what_is_no_address_is_told(pushed, address, code):
    done = pushed("checkout", address, code=code)
    assert done.stderr.startswith("prov: ")


def test_a_file_where_a_folder_was_is_in_the_way(pushed):
    shutil.rmtree(pushed.folder / "out")
    (pushed.folder / "out").write_text("mine")
    done = pushed("checkout", "base", code=4)
    assert "\n  out\n" in done.stderr
    assert (pushed.folder / "out").read_text() == "mine"
    done = pushed.json("checkout", "base", "--force")
    [saved] = done["replaced"]
    assert Path(saved["kept_at"]).read_text() == "mine"
    assert (pushed.folder / "out" / "model.bin").read_bytes() == b"weights"


def test_a_file_is_no_folder_to_put_things_in(pushed):
    (pushed.folder / "file").write_text("mine")
    for to in ("file", "file/below"):
        done = pushed("checkout", "base", "--to", to, code=2)
        assert "is no folder" in done.stderr
    assert (pushed.folder / "file").read_text() == "mine"


def test_links_in_a_folder_are_other_names_of_its_files(pushed):
    out = str(pushed.folder / "out")
    (pushed.folder / "out" / "away").unlink()
    assert pushed("path", "base:out").stdout.strip() == out
    os.symlink("/etc/hostname", out + "/more")
    assert pushed("path", "base:out").stdout.strip() != out
