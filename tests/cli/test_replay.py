"""``prov replay``: warn, restore, rerun, compare; the user's tree stays as it is."""

import os
import pty
import sys
import time

import pytest

from tests.conftest import PYTHON, Prov, git


def tree(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and ".prov" not in p.parts and ".git" not in p.parts
    }


def test_a_deterministic_run_replays_the_same(prov, repo):
    prov("run", "--name", "s0", "--", PYTHON, "train.py", "--lr", "0.2")
    before = tree(repo)
    data = prov.json("replay", "s0", "--yes")
    assert data["results"]["verdict"] == "same", data
    assert {m["name"]: m["verdict"] for m in data["results"]["metrics"]}["loss"] == "same"
    assert all(o["verdict"] == "same" for o in data["results"]["outputs"])
    assert tree(repo) == before
    new = prov.json("show", data["run"])
    assert new["replay_of"] == data["replay_of"]
    assert new["facets"]["metrics"] == prov.json("show", "s0")["facets"]["metrics"]
    used = new["facets"]["code"]["subjects"][0]["payload"]["used"]
    assert [one["path"] for one in used] == [
        {"root": "repo", "path": "helper.py"},
        {"root": "repo", "path": "train.py"},
    ]
    assert prov.json("diff", "s0", "@last")["results"]["verdict"] == "same"
    assert os.path.isfile(os.path.join(data["tree"], "metrics.json"))


def test_uncommitted_and_untracked_code_is_what_reruns(prov, repo):
    (repo / "helper.py").write_text(
        "from extra import half\n\ndef scale(x, lr):\n    return half(x)\n"
    )
    (repo / "extra.py").write_text("def half(x):\n    return x / 2\n")
    first = prov("run", "--", PYTHON, "train.py").stdout
    git(repo, "checkout", "-q", "helper.py")
    (repo / "extra.py").unlink()
    done = prov("replay", "@last", "--yes", code=None)
    assert first in done.stdout
    assert "SAME" in done.stdout


def test_a_run_that_is_not_repeatable_is_different(prov, repo):
    script = "import os, json; json.dump({'acc': os.getpid()}, open('metrics.json', 'w'))"
    prov("run", "--", PYTHON, "-c", script)
    data = prov.json("replay", "--yes", code=1)
    assert data["results"]["verdict"] == "different"
    metric = data["results"]["metrics"][0]
    assert metric["name"] == "acc"
    assert metric["difference"] != 0


def test_tolerance_is_the_users(prov, repo):
    script = "import time, json; json.dump({'acc': 1 + time.time() % 1e-4}, open('m.json', 'w'))"
    prov("run", "--", PYTHON, "-c", script)
    data = prov.json("replay", "--yes", "--rtol", "0.01")
    assert data["results"]["verdict"] == "within tolerance"


def test_findings_come_before_the_rerun_and_dry_run_runs_nothing(prov, repo):
    prov("run", "--", PYTHON, "train.py")
    (repo / "data.csv").write_text("x\n100\n")
    done = prov("replay", "--dry-run", code=1)
    assert "data.csv" in done.stdout
    assert "will run:" in done.stdout
    assert not (repo / ".prov" / "replays").exists()
    assert len(prov.json("ls")["runs"]) == 1


def test_without_a_terminal_it_asks_for_yes(prov, repo):
    prov("run", "--", PYTHON, "train.py")
    done = prov("replay", code=2)
    assert "--yes" in done.stderr
    assert not (repo / ".prov" / "replays").exists()


def test_on_a_terminal_it_asks(prov, repo):
    prov("run", "--", PYTHON, "train.py")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(repo)
        os.execve(sys.executable, [sys.executable, "-m", "provenance", "replay"], prov.environ)
    seen, deadline = b"", time.monotonic() + 120
    while b"Rerun now?" not in seen and time.monotonic() < deadline:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"n\n")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(prov.json("ls")["runs"]) == 1


def test_ignored_data_inside_the_repository_is_brought(prov, repo):
    (repo / ".gitignore").write_text((repo / ".gitignore").read_text() + "private/\n")
    git(repo, "commit", "-q", "-am", "ignore")
    (repo / "private").mkdir()
    (repo / "private" / "a.txt").write_text("5")
    script = "import json; json.dump({'n': int(open('private/a.txt').read())}, open('m.json', 'w'))"
    prov("run", "--", PYTHON, "-c", script)
    assert prov.json("replay", "--yes")["results"]["verdict"] == "same"
    assert (repo / "private" / "a.txt").read_text() == "5"


def test_a_failing_run_replays_as_failing(prov):
    prov("run", "--", PYTHON, "-c", "open('o.txt', 'w').write('1'); raise SystemExit(3)", code=3)
    data = prov.json("replay", "--yes")
    assert data["results"]["exit_code"] == {"old": 3, "new": 3}
    assert data["results"]["verdict"] == "same"


def test_nothing_to_compare_is_said(prov):
    prov("run", "--", PYTHON, "-c", "pass")
    data = prov.json("replay", "--yes", code=3)
    assert data["results"]["verdict"] == "not compared"


def test_without_git(loose, folder):
    loose("run", "--", PYTHON, "train.py")
    assert loose.json("replay", "--yes")["results"]["verdict"] == "same"


def test_from_a_lock_in_a_fresh_clone(prov, repo, tmp_path):
    prov("run", "--name", "s0", "--", PYTHON, "train.py")
    prov("lock", "s0")
    git(repo, "add", "prov.lock")
    git(repo, "commit", "-q", "-m", "lock")
    git(tmp_path, "clone", "-q", str(repo), "clone")
    clone = Prov(tmp_path / "clone")
    data = clone.json("replay", "prov.lock", "--yes")
    metrics = {m["name"]: m["verdict"] for m in data["results"]["metrics"]}
    assert metrics["loss"] == "same"


@pytest.mark.parametrize("layout", ["flat", "src"])
def test_the_restored_package_is_imported_not_the_editable_one(repo, tmp_path, layout):
    base = repo / "src" if layout == "src" else repo
    (base / "mypkg").mkdir(parents=True)
    (base / "mypkg" / "__init__.py").write_text("VALUE = 1\n")
    (repo / "use.py").write_text(
        "import json, mypkg; json.dump({'v': mypkg.VALUE}, open('metrics.json', 'w'))\n"
    )
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "package")
    environment = tmp_path / "venv"
    os.system("%s -m venv --without-pip %s" % (sys.executable, environment))
    site = next((environment / "lib").glob("python3*/site-packages"))
    (site / "mypkg-editable.pth").write_text(str(base) + "\n")
    prov = Prov(repo)
    python = str(environment / "bin" / "python")
    prov("run", "--", python, "use.py")
    (base / "mypkg" / "__init__.py").write_text("VALUE = 2\n")
    data = prov.json("replay", "--yes")
    assert data["results"]["verdict"] == "same", data
    assert not [note for note in data["notes"] if "your own tree" in note]
