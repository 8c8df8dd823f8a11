"""Data named by URL: its version recorded, held against today's, fetched again on replay."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests._servers import serving

READ = """\
import sys
try:
    print(len(open(sys.argv[1], "rb").read()))
except OSError as error:
    sys.exit(str(error))
"""
OPEN = {"NO_PROXY": "*", "no_proxy": "*"}


@pytest.fixture
def server():
    with serving() as files:
        yield files


@pytest.fixture
def project(prov):
    prov.environ.update(OPEN)
    (prov.folder / "read.py").write_text(READ)
    return prov


def remotes(prov):
    return {one["url"]: one for one in prov.payload("data")["remotes"]}


def settings(prov, *data, **more):
    (prov.folder / "prov.yaml").write_text(json.dumps({"data": list(data), **more}))


def found(prov, code):
    told = prov.json("verify", "--calls", "off", code=code)
    (one,) = told["references"] if "references" in told else told["checked"]
    return [
        (each["kind"], each["name"], each["effect"])
        for each in one["findings"]
        if each["facet"] == "data"
    ]


def test_the_version_of_declared_data_is_asked_for(project, server):
    server.content["/d.bin"] = b"x" * 10
    server.redirects["/moved.bin"] = "/d.bin"
    server.refuses["HEAD /d2.bin"] = 403
    server.content["/d2.bin"] = b"y" * 20
    settings(project, server.url + "/moved.bin")
    words = ["--data", server.url + "/d2.bin?v=2&X-Amz-Signature=verysecretvalue"]
    project("run", *words, "--", sys.executable, "-c", "1")
    seen = remotes(project)
    moved = seen[server.url + "/moved.bin"]
    assert (moved["how"], moved["size"], moved["status"]) == ("declared", 10, 200)
    assert len(moved["etag"]) == 16
    assert moved["asked"]
    second = seen[server.url + "/d2.bin?v=2"]
    assert (second["size"], second["status"]) == (20, 206)
    assert "GET /d2.bin?v=2&X-Amz-Signature=verysecretvalue bytes=0-0" in server.asked
    (folder,) = (project.folder / ".prov" / "runs").iterdir()
    assert "verysecretvalue" not in (folder / "record.json").read_text()


def test_what_the_program_was_told_is_not_asked_again(project, server):
    server.content["/d.bin"] = b"x" * 10
    code = "import urllib.request as u; u.urlopen(%r).read()" % (server.url + "/d.bin")
    project("run", "--", sys.executable, "-c", code)
    assert server.asked == ["GET /d.bin"]
    assert "asked" not in remotes(project)[server.url + "/d.bin"]


def test_a_server_that_hangs_keeps_nobody_waiting(project, server):
    server.hangs.add("/slow.bin")
    server.content["/d.bin"] = b"x"
    settings(project, server.url + "/slow.bin", server.url + "/d.bin", remote_seconds=1)
    project("run", "--", sys.executable, "-c", "1")
    seen = remotes(project)
    assert seen[server.url + "/slow.bin"]["problem"] == "the server did not answer in time"
    assert seen[server.url + "/d.bin"]["etag"]


def test_nobody_is_asked_where_that_is_not_wanted(project, server):
    settings(project, server.url + "/d.bin", remote_seconds=0)
    project("run", "--", sys.executable, "-c", "1")
    assert server.asked == []
    assert remotes(project)[server.url + "/d.bin"]["how"] == "declared"


def test_verify_says_whether_it_is_still_the_same(project, server):
    url = server.url + "/d.bin"
    server.content["/d.bin"] = b"x" * 10
    settings(project, url)
    project("run", "--", sys.executable, "-c", "1")
    assert found(project, 0) == []
    server.content["/d.bin"] = b"y" * 10
    assert found(project, 0) == [("content", url, "possible")]
    server.content["/d.bin"] = b"x" * 11
    assert found(project, 1) == [("content", url, "broken")]
    del server.content["/d.bin"]
    assert found(project, 1) == [("removed", url, "broken")]
    server.refuses["HEAD /d.bin"] = 401
    assert found(project, 0) == []
    assert "401" in project("verify", "-v", "--calls", "off").stdout


def test_replay_fetches_what_is_gone_and_goes_on_where_it_broke_off(project, server):
    content = bytes(range(256)) * 40_000
    url = server.url + "/train.bin"
    server.content["/train.bin"] = content
    local = project.folder / "data" / "train.bin"
    local.parent.mkdir()
    local.write_bytes(content)
    settings(project, {"path": "data/train.bin", "url": url})
    (project.folder / ".gitignore").write_text("data\n")
    project("run", "--name", "r", "--", sys.executable, "read.py", "data/train.bin")
    assert remotes(project)[url]["path"] == {"root": "repo", "path": "data/train.bin"}
    local.unlink()
    server.cut["/train.bin"] = 3 << 20
    done = project("path", "r:train.bin", code=4)
    assert "broke off" in done.stderr
    server.asked.clear()
    done = project("replay", "r", "--yes", code=None)
    assert "fetched data/train.bin from %s" % url in done.stderr
    assert ["GET", "/train.bin"] in [one.split()[:2] for one in server.asked]
    (span,) = [one.split()[2] for one in server.asked if "bytes=" in one]
    assert 0 < int(span.removeprefix("bytes=").rstrip("-")) <= 3 << 20
    assert str(len(content)) in done.stdout + done.stderr
    assert not local.exists()
    kept = Path(project("path", "r:train.bin").stdout.strip())
    assert kept.read_bytes() == content


def test_replay_does_not_take_what_is_not_what_was_recorded(project, server):
    url = server.url + "/train.bin"
    server.content["/train.bin"] = b"recorded"
    local = project.folder / "train.bin"
    local.write_bytes(b"recorded")
    settings(project, {"path": "train.bin", "url": url})
    (project.folder / ".gitignore").write_text("train.bin\n")
    project("run", "--name", "r", "--", sys.executable, "read.py", "train.bin")
    local.unlink()
    server.content["/train.bin"] = b"tampered"
    done = project("replay", "r", "--yes", code=None)
    assert "POSSIBLE" in done.stdout.upper()
    assert "what %s has is not what was recorded" % url in done.stdout
    assert not list((project.folder / ".prov" / "replays").glob("*/train.bin"))


def test_files_of_the_hub(project, server):
    commit = "0123456789abcdef0123456789abcdef01234567"
    server.content["/org/tiny/resolve/main/w.bin"] = b"pointer"
    server.redirects["/org/tiny/resolve/main/w.bin"] = "http://127.0.0.1:9/blob"
    server.headers["/org/tiny/resolve/main/w.bin"] = {
        "X-Repo-Commit": commit,
        "X-Linked-Etag": '"blob77"',
        "X-Linked-Size": "1234",
    }
    told = json.dumps({"sha": commit, "lastModified": "2025-03-01T10:00:00.000Z"})
    server.content["/api/datasets/org/set/revision/v1"] = told.encode()
    settings(project, "hf://org/tiny/w.bin", "hf://datasets/org/set@v1")
    environ = {"HF_ENDPOINT": server.url, "HF_TOKEN": "hf_secretsecretsecret"}
    project("run", "--", sys.executable, "-c", "1", env=environ)
    seen = remotes(project)
    one = seen["hf://org/tiny/w.bin"]
    assert (one["revision"], one["etag"], one["size"]) == (commit, "blob77", 1234)
    assert seen["hf://datasets/org/set@v1"]["revision"] == commit
    assert "Bearer hf_secretsecretsecret" in server.authorized
    server.asked.clear()
    project("run", "--", sys.executable, "-c", "1", env=dict(environ, HF_HUB_OFFLINE="1"))
    assert server.asked == []


@pytest.mark.parametrize("wrong", [{"url": "nowhere"}, {"file": "x"}, 7, {"path": 1}])
def test_a_wrong_setting_is_told(project, wrong):
    settings(project, wrong)
    told = project("verify", code=4).stderr
    assert "prov.yaml:1: data must be a list of paths and addresses" in told
