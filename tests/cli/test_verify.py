"""``prov verify`` and ``prov lock``: quiet when nothing changed, plain words when something did."""

import json
import os

import pytest

from tests.conftest import PYTHON, git


@pytest.fixture
def recorded(prov):
    """Return the command line after one recorded training."""
    prov("run", "--name", "s0", "--", PYTHON, "train.py")
    return prov


def test_quiet_right_after_the_run(recorded):
    data = recorded.json("verify")
    assert data["verdict"] == "same"
    assert [f for f in data["findings"] if f["effect"] != "none"] == []
    assert data["compared"]["code"]["total"] >= 2
    assert data["compared"]["packages"]["equal"] == data["compared"]["packages"]["total"]
    assert data["compared"]["data"]["total"] == 1
    assert data["reference"]["name"] == "s0"
    assert os.path.isabs(data["interpreter"]["executable"])


def test_text_says_against_whom_and_how_much(recorded):
    text = recorded("verify").stdout
    first, second = text.splitlines()
    assert first.startswith("SAME (exit 0)  run ")
    assert "  vs  " in first
    assert second.startswith("compared (equal/all):")


def test_changed_code_is_broken_at_its_file(recorded, repo):
    (repo / "helper.py").write_text("def scale(loss, lr):\n    return loss * lr\n")
    data = recorded.json("verify", code=1)
    found = [f for f in data["findings"] if f["effect"] == "broken"]
    assert [(f["facet"], f["name"]) for f in found] == [("code", "helper.py")]
    assert data["verdict"] == "different"


def test_comments_and_unused_files_do_not_matter(recorded, repo):
    (repo / "helper.py").write_text('"""Doc."""\n# note\n' + (repo / "helper.py").read_text())
    (repo / "unused.py").write_text("x = 1\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "later")
    assert recorded.json("verify")["verdict"] == "same"


def test_changed_data_is_broken_absent_data_is_not_compared(recorded, repo):
    (repo / "data.csv").write_text("x\n9\n")
    data = recorded.json("verify", code=1)
    counting = [(f["facet"], f["effect"]) for f in data["findings"] if f["effect"] != "none"]
    assert counting == [("data", "broken")]
    (repo / "data.csv").unlink()
    data = recorded.json("verify")
    assert [n["facet"] for n in data["not_compared"] if n["facet"] == "data"] == ["data"]
    assert recorded("verify").stdout.startswith("SAME; 1 not compared (exit 0)  run ")


def test_fail_on(recorded, repo):
    recorded("verify", "--fail-on", "broken")
    done = recorded("verify", "--fail-on", "always", code=2)
    assert "not an effect" in done.stderr


def test_nothing_to_compare_with(prov):
    done = prov("verify", code=3)
    assert "no prov.lock, no finished run and no environment file" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["verify", "nope"], 4, "no run is called 'nope'"),
        (["verify", "absent.lock"], 4, "absent.lock does not exist"),
        (["verify", "--python", "no-such-python"], 5, "no-such-python"),
        (["verify", "--python", "./data.csv"], 5, "data.csv"),
        (["show", "@last", "nofacet"], 3, "no facet 'nofacet'"),
        (["lock", "nope"], 4, "no run is called"),
        (["diff", "@last", "@-9"], 4, "there is one"),
    ],
)
def test_bad_input_is_one_sentence(recorded, words, code, says):
    done = recorded(*words, code=code)
    assert says in done.stderr
    assert done.stderr.startswith("prov: ")
    envelope = json.loads(recorded(*words, "--json", code=code).stdout)
    assert envelope["data"] is None
    assert says in envelope["errors"][0]["message"]


def test_corrupt_lock_and_record(recorded, repo):
    (repo / "prov.lock").write_text("{")
    assert "prov.lock:1" in recorded("verify", code=4).stderr
    (repo / "prov.lock").unlink()
    record = repo / ".prov" / "runs" / recorded.last()["id"] / "record.json"
    record.write_text(record.read_text()[:100])
    assert "corrupt" in recorded("show", "@last", code=4).stderr
    assert "left out" in recorded("ls").stderr


def test_lock_then_verify_in_a_fresh_clone(recorded, repo, tmp_path):
    data = recorded.json("lock", "s0")
    assert data["path"] == str(repo / "prov.lock")
    text = (repo / "prov.lock").read_text()
    assert str(repo) not in text.replace(PYTHON, "")
    git(repo, "add", "prov.lock")
    git(repo, "commit", "-q", "-m", "lock")
    git(tmp_path, "clone", "-q", str(repo), "clone")
    found = recorded.json("verify", cwd=tmp_path / "clone")
    assert found["reference"]["kind"] == "lock"
    assert found["verdict"] == "same"
    assert found["compared"]["data"]["equal"] == 1


def test_lock_says_what_a_reviewer_would_object_to(prov, repo):
    (repo / ".gitignore").write_text("*.lock\n" + (repo / ".gitignore").read_text())
    (repo / "requirements.txt").write_text("pytest==0.1\nno-such-dist>=1\n")
    git(repo, "remote", "add", "origin", str(repo))
    (repo / "helper.py").write_text((repo / "helper.py").read_text() + "changed = 1\n")
    prov("run", "--", PYTHON, "train.py")
    warnings = " ".join(prov.json("lock", "@last")["warnings"])
    assert "git ignores" in warnings
    assert "uncommitted changes that no commit holds (helper.py)." in warnings
    assert "did not have: no-such-dist (requirements.txt:2)" in warnings
    assert "on no remote" in warnings


def test_verify_needs_no_python_for_a_shell_run(prov, repo):
    prov("run", "--data", "data.csv", "--", "sh", "-c", "cat data.csv > copy.csv")
    data = prov.json("verify")
    assert data["interpreter"] is None
    assert data["compared"]["data"]["equal"] == 1


def test_diff_of_two_runs(recorded, repo):
    recorded("run", "--name", "s1", "--", PYTHON, "train.py", "--lr", "0.5")
    data = recorded.json("diff", "s0", "s1")
    changed = {f["name"]: (f["old"], f["new"]) for f in data["findings"] if f["facet"] == "params"}
    assert changed["lr"] == (0.1, 0.5)
    verdicts = {m["name"]: m["verdict"] for m in data["results"]["metrics"]}
    assert verdicts["loss"] == "different"
    assert data["results"]["verdict"] == "different"
    assert verdicts["test/acc"] == "same"
    assert "loss" in recorded("diff", "s0", "s1").stdout


def test_show_and_ls_for_people(recorded):
    text = recorded("show", "@last").stdout
    for word in ("code", "env", "data", "result", "params", "train.py", "s0"):
        assert word in text
    for facet in recorded.last()["facets"]:
        assert recorded("show", "s0", facet).stdout.strip()
    assert '"s0"' in recorded("ls").stdout


def test_init_is_safe_to_repeat(prov, repo):
    first = prov.json("init", "--test")
    assert {os.path.basename(p) for p in first["made"]} == {"prov.yaml", "test_provenance.py"}
    (repo / "prov.yaml").write_text("fail_on: broken\n")
    second = prov.json("init", "--test")
    assert second["made"] == []
    assert (repo / "prov.yaml").read_text() == "fail_on: broken\n"
    assert "prov.yaml" in git(repo, "status", "--porcelain")
    assert ".prov/" not in git(repo, "status", "--porcelain")
