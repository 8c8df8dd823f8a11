"""``prov close``: the digests that a run had no time for."""

import os
import subprocess
import time

import pytest

from provenance.core import digest
from tests.conftest import PYTHON

JOB = """\
import os
for name in os.listdir("many"):
    open("many/" + name).read()
open("big.bin", "rb").read()
open("small.bin", "rb").read()
os.makedirs("made")
for number in range(300):
    open("made/%d.txt" % number, "w").write(str(number))
open("model.pt", "w").write("weights")
"""


@pytest.fixture
def hasty(prov, repo):
    """A run that read and wrote files, and had no time to digest any."""
    (repo / "prov.yaml").write_text("digest_seconds: 0\n")
    (repo / "job.py").write_text(JOB)
    (repo / "many").mkdir()
    for number in range(300):
        (repo / "many" / str(number)).write_text(str(number))
    (repo / "big.bin").write_bytes(b"1" * 3_000_000)
    (repo / "small.bin").write_bytes(b"small")
    os.utime(repo / "small.bin", ns=(1, 1))
    done = prov("run", "--", PYTHON, "job.py")
    assert done.returncode == 0
    assert "run `prov close`" in done.stderr
    return repo


def entries(record, facet):
    files = record["facets"][facet]["subjects"][0]["payload"]["files"]
    return {one["path"]["path"]: one for one in files}


def closed(prov):
    return prov.json("close")["runs"]


def test_digests_are_taken_later_of_what_the_run_saw(prov, hasty):
    before = entries(prov.last(), "data")
    assert {before[name]["state"] for name in ("many", "big.bin")} == {"pending"}
    (report,) = closed(prov)
    assert (report["taken"], report["changed"], report["left"]) == (5, 0, 0)
    record = prov.last()
    data, outputs = entries(record, "data"), entries(record, "outputs")
    algorithm = digest.best_algorithm()
    for name in ("big.bin", "small.bin"):
        assert data[name]["digests"] == digest.file_digests(str(hasty / name), (algorithm,))
        assert data[name]["state"] == "digested"
    assert data["many"]["digests"] == digest.tree_digest(str(hasty / "many"), algorithm).digests
    assert data["many"]["files"] == 300
    assert outputs["made"]["digests"] == digest.tree_digest(str(hasty / "made"), algorithm).digests
    assert outputs["model.pt"]["state"] == "digested"
    assert not any("seen" in one for one in [*data.values(), *outputs.values()])
    assert not any("no digest yet" in note for note in record["facets"]["data"]["notes"])


def test_closing_again_changes_nothing(prov, hasty):
    closed(prov)
    path = hasty / ".prov" / "runs" / prov.last()["id"] / "record.json"
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert closed(prov) == []
    assert prov("close", "@last").stdout.endswith("nothing is pending\n")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_what_changed_since_the_run_is_never_digested(prov, hasty):
    status = (hasty / "small.bin").stat()
    (hasty / "small.bin").write_bytes(b"SMALL")  # as long as it was, and as old
    os.utime(hasty / "small.bin", ns=(status.st_atime_ns, status.st_mtime_ns))
    (hasty / "many" / "7").write_text("9")
    (hasty / "made" / "new.txt").write_text("not of the run")
    os.replace(hasty / "big.bin", hasty / "gone.bin")
    (report,) = closed(prov)
    assert (report["taken"], report["changed"]) == (2, 3)
    data = entries(prov.last(), "data")
    for name in ("small.bin", "many", "big.bin"):
        assert (data[name]["state"], data[name]["digests"]) == ("changed", {}), name
    assert entries(prov.last(), "outputs")["made"]["state"] == "digested"
    notes = prov.last()["facets"]["data"]["notes"]
    assert any("small.bin changed after the run" in note for note in notes)


def test_a_lock_closes_first_and_holds_no_number_of_this_machine(prov, hasty):
    done = prov("lock", "@last")
    assert done.returncode == 0, done.stderr
    text = (hasty / "prov.lock").read_text()
    assert '"seen"' not in text
    assert '"pending"' not in text
    assert closed(prov) == []


def test_showing_takes_what_costs_nothing(prov, repo):
    (repo / "prov.yaml").write_text("digest_seconds: 0\n")
    (repo / "in.bin").write_bytes(b"1")
    prov("run", "--", PYTHON, "-c", "open('in.bin').read()")
    shown = prov("show", "@last", "data")
    assert "digested" in shown.stdout
    assert "pending" not in shown.stdout


def test_a_run_that_goes_on_is_left_alone(prov, hasty):
    words = [PYTHON, "-m", "provenance", "run", "--", "sleep", "60"]
    going = subprocess.Popen(words, cwd=hasty, env=prov.environ, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            ids = os.listdir(hasty / ".prov" / "runs")
            if len(ids) == 2:
                break
            time.sleep(0.05)
        assert any(one["running"] for one in closed(prov))
    finally:
        going.terminate()
        going.wait()
