"""A file given as standard input is data of the run, if the run read it."""

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def run(prov, repo, *command):
    with open(repo / "data.csv", "rb") as stream:
        done = prov("run", "--", *command, stdin=stream)
    return done.stdout, {one["path"]["path"]: one for one in prov.payload("data")["files"]}


def test_what_a_command_reads_from_standard_input_is_data(prov, repo):
    out, found = run(prov, repo, "cat")
    assert out == "x\n1\n2\n3\n"
    assert set(found) == {"data.csv"}
    assert found["data.csv"]["how"] == ["named"]
    assert found["data.csv"]["digests"]


def test_what_it_does_not_read_is_not(prov, repo):
    assert run(prov, repo, "true")[1] == {}


def test_a_pipe_is_no_file(prov, repo):
    prov("run", "--", "cat", stdin=None, input="x")
    assert prov.payload("data")["files"] == []
