"""``prov trace`` of what others shared, of data at servers, and of one file of a folder."""

from __future__ import annotations

import json
import shutil
import sys

from tests._servers import serving
from tests.cli._team import team
from tests.conftest import Prov, git

MANY = """\
import os
os.makedirs("parts", exist_ok=True)
for number in range(300):
    open("parts/%03d.txt" % number, "w").write("part %d" % number)
"""
READ_ALL = """\
import os
total = sum(len(open("parts/" + name).read()) for name in os.listdir("parts"))
open("total.txt", "w").write(str(total))
"""
FETCH = """\
import sys, urllib.request
data = urllib.request.urlopen(sys.argv[1]).read()
open(sys.argv[2], "wb").write(data + sys.argv[2].encode())
"""
USE = "import sys\nopen('score.txt', 'w').write(str(len(open(sys.argv[1]).read())))\n"


def test_runs_that_were_fetched_are_known_without_a_word(tmp_path):
    _, anna, ben = team(tmp_path)
    anna("share", "@last")
    ben("fetch")
    found = tmp_path / "found.json"
    shutil.copy(anna.folder / "metrics.json", found)
    told = ben.json("trace", str(found))
    assert [one["name"] for one in told["runs"]] == ["baseline"]
    assert [one["side"] for one in told["edges"]] == ["wrote"]


def test_one_file_of_a_folder_that_was_recorded_as_a_whole(prov, tmp_path):
    (prov.folder / "many.py").write_text(MANY)
    (prov.folder / "all.py").write_text(READ_ALL)
    (prov.folder / "prov.yaml").write_text(json.dumps({"remotes": {"team": "../team"}}))
    prov("run", "--name", "many", "--", sys.executable, "many.py")
    prov("run", "--name", "all", "--", sys.executable, "all.py")
    found = tmp_path / "elsewhere.txt"
    shutil.copy(prov.folder / "parts" / "042.txt", found)
    assert prov.json("trace", str(found), code=3)["found"] is False, "there is no list of it yet"
    prov("push", "many", "all")
    reader = Prov(tmp_path / "reader")
    reader.folder.mkdir()
    shutil.copy(prov.folder / "prov.yaml", reader.folder)
    reader("pull", "many", "all")
    told = reader.json("trace", str(found))
    assert {run["name"] for run in told["runs"]} == {"many", "all"}
    assert any("042.txt of the folder parts" in note for note in told["notes"])


def test_what_came_from_an_address(repo):
    repo = Prov(repo)
    (repo.folder / "fetch.py").write_text(FETCH)
    with serving() as files:
        files.content["/raw.bin"] = b"raw" * 100
        url = files.url + "/raw.bin"
        repo.environ.update({"NO_PROXY": "*", "no_proxy": "*"})
        repo("run", "--name", "one", "--", sys.executable, "fetch.py", url, "a.bin")
        repo("run", "--name", "two", "--", sys.executable, "fetch.py", url, "b.bin")
        files.content["/raw.bin"] = b"new" * 100
        repo("run", "--name", "three", "--", sys.executable, "fetch.py", url, "c.bin")
    told = repo.json("trace", "a.bin")
    sources = [one for one in told["files"] if one["paths"] == [url]]
    assert [one["digests"][0].startswith("url:" + url + "@") for one in sources] == [True]
    assert sources[0]["origin"].startswith("version ")
    assert {one["name"] for one in told["runs"]} == {"one"}
    told = repo.json("trace", url)
    assert {one["name"] for one in told["runs"]} == {"one", "two", "three"}
    assert "it was read in 2 versions" in told["notes"]
    assert url in repo("trace", "b.bin", "--mermaid").stdout
    repo("trace", "http://nobody.example/other.bin", code=4)


def test_a_file_of_another_run_by_its_address(repo, tmp_path):
    repo = Prov(repo)
    (repo.folder / "use.py").write_text(USE)
    (repo.folder / "make.py").write_text("open('w.txt', 'w').write('weights')\n")
    git(repo.folder, "add", "-A")
    git(repo.folder, "commit", "-q", "-m", "more")
    repo("run", "--name", "maker", "--", sys.executable, "make.py")
    script = 'exec "$0" use.py "$("$0" -m provenance path maker:w.txt)"'
    repo("run", "--name", "user", "--", "sh", "-c", script, sys.executable)
    assert repo.payload("data")["addresses"][0]["address"] == "maker:w.txt"
    told = repo.json("trace", "score.txt")
    assert {one["name"] for one in told["runs"]} == {"maker", "user"}
    (user,) = (one for one in (repo.folder / ".prov" / "runs").iterdir() if is_named(one, "user"))
    alone = tmp_path / "alone"
    shutil.copytree(user, alone / "runs" / user.name)
    elsewhere = Prov(tmp_path / "empty")
    elsewhere.folder.mkdir()
    told = elsewhere("trace", "user:score.txt", "--records", str(alone)).stdout
    assert "asked for as maker:w.txt; the record of run" in told


def is_named(folder, name):
    return json.loads((folder / "record.json").read_text())["name"] == name
