"""Sharing records as git refs, with real git, bare repositories and clones."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from provenance.core.record import Process
from provenance.errors import NoSuchRun, ProvError, SystemRefused, UsageError
from provenance.operations import _sharegit, fetching, sharing
from provenance.store import project
from tests.cli import _team
from tests.cli._team import REFS
from tests.conftest import git


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a bare repository and the clones of two people once."""
    folder = tmp_path_factory.mktemp("made")
    _team.team(folder)
    return folder


@pytest.fixture
def trio(made, tmp_path):
    """Return a bare repository and two people's command lines; Anna has a run "baseline"."""
    return _team.copied(made, tmp_path)


def test_a_run_goes_from_one_clone_to_the_other(trio):
    bare, anna, ben = trio
    before = _team.state(anna.folder)
    done = anna.json("share", "@last")
    run_id = anna.last()["id"]
    assert done["sent"] == [run_id]
    assert done["remote"] == "origin"
    assert _team.state(anna.folder) == before
    assert anna.json("share", "--all")["same"] == [run_id]
    assert _team.refs(bare) == [run_id]
    assert git(bare, "branch", "--list").split() == ["*", "main"]

    before = _team.state(ben.folder)
    (row,) = _rows(ben)
    assert (row["author"], row["name"], row["here"]) == ("Anna Berg", "baseline", "")
    assert row["metrics"] == {"test_acc": 0.9}
    assert row["machine"] == os.uname().nodename
    assert ben.json("fetch")["runs"] == [run_id]
    assert fetch(ben).same == (run_id,)
    assert _rows(ben)[0]["here"] == "fetched"
    shown = ben.json("show", "baseline")
    assert shown["origin"]["author"] == "Anna Berg"
    assert shown["id"] == run_id
    assert "from     Anna Berg on " in ben("show", run_id[-8:]).stdout
    assert "(Anna Berg on " in ben("ls").stdout
    log = ben.folder / ".prov" / "team" / run_id / "log.txt"
    assert log.read_text().strip() == "trained"
    assert "\nSAME: 1 metric: 1 same" in ben("replay", "baseline", "--yes").stdout
    assert _team.state(ben.folder)[:4] == before[:4]


def share(prov, *names, **more):
    """Share as the command does, without a process."""
    return sharing.share(str(prov.folder), names, not names, **more)


def fetch(prov, *names):
    """Fetch as the command does, without a process."""
    return fetching.fetch(str(prov.folder), names)


def _rows(prov):
    return [fetching.entry_json(one) for one in fetching.seen(str(prov.folder)).runs]


def test_names_of_two_people_are_told_apart(trio):
    _, anna, ben = trio
    share(anna)
    mine = _team.run(ben, "0.8", "baseline")
    fetch(ben)
    said = ben("show", "baseline", code=4).stderr
    assert "'baseline' is ambiguous: yours (%s), Anna Berg's (" % mine in said
    assert ben.last()["id"] == mine, "@last is one's own"
    theirs = anna.last()["id"]
    assert ben.json("show", theirs)["origin"]["remote"] == "origin"
    assert "0.9" in ben("diff", theirs, mine, code=None).stdout
    assert "not yours to share" in ben("share", theirs, code=4).stderr
    share(ben, "@last")
    assert fetch(anna).runs == (mine,)


def test_a_run_that_is_written_again_is_a_second_commit_and_the_closed_one_wins(trio):
    bare, anna, ben = trio
    run_id = anna.last()["id"]
    share(anna, run_id)
    first = git(bare, "rev-parse", REFS + run_id).strip()
    # the same run shared while it went on, from another copy of its folder
    copy = anna.folder.parent / "copy"
    git(anna.folder.parent, "clone", "-q", str(bare), str(copy))
    subprocess.run(["cp", "-r", str(anna.folder / ".prov"), str(copy)], check=True)
    git(bare, "update-ref", "-d", REFS + run_id)
    far = Process(1, "elsewhere")
    _team.change(anna.folder, run_id, status="running", process=far)
    share(anna, run_id)
    assert _rows(ben)[0]["status"] == "running"
    fetch(ben)
    assert ben.json("show", run_id)["status"] == "running"
    git(copy, "config", "user.name", "Copy")
    git(copy, "config", "user.email", "c@example.org")
    closed = type(anna)(copy)
    assert share(closed, run_id).sent == (run_id,)
    parents = git(bare, "rev-list", "--parents", REFS + run_id).splitlines()
    assert len(parents) == 2
    assert first not in parents[0]
    assert fetch(ben).runs == (run_id,)
    assert ben.json("show", run_id)["status"] == "done"
    _team.change(anna.folder, run_id, status="done", tags=("late",))
    (said,) = share(anna, run_id).problems
    assert "in another version, as complete, from Copy: that one stays" in said


def test_ten_processes_share_at_once(trio):
    bare, anna, ben = trio
    ids = _team.copies(anna.folder, 10)
    command = [sys.executable, "-m", "provenance", "share"]
    together = [
        # each its own run, and all of them the last one
        subprocess.Popen(
            [*command, one, ids[-1]],
            cwd=anna.folder,
            env=anna.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for one in ids
    ]
    for one in together:
        out, err = one.communicate(timeout=200)
        assert (one.returncode, err) == (0, ""), out + err
    assert _team.refs(bare) == sorted(ids)
    assert git(bare, "fsck", "--full", "--strict") == ""
    assert {row["id"] for row in _rows(ben)} == set(ids)
    left = [name for name in os.listdir(anna.folder / ".prov" / "shared") if "tmp" in name]
    assert left == []


def test_partial_and_shallow_clones_stay_as_they_are(trio, tmp_path):
    bare, anna, _ = trio
    git(bare, "config", "uploadpack.allowFilter", "true")
    ids = _team.copies(anna.folder, 20)
    share(anna)
    address = "file://%s" % bare
    for name, words in (("partial", ["--filter=blob:none"]), ("shallow", ["--depth=1"])):
        prov = _team.clone(address, tmp_path / name, "Cleo", *words)
        before = _team.state(prov.folder)
        assert {row["id"] for row in _rows(prov)} >= set(ids)
        assert fetch(prov, ids[3]).runs == (ids[3],)
        assert os.listdir(prov.folder / ".prov" / "team") == [ids[3]]
        _team.own(prov, ids[3])
        assert len(share(prov).sent) == 1
        assert _team.state(prov.folder) == before


def test_a_listing_needs_the_commits_alone_and_each_once(trio, monkeypatch):
    bare, anna, ben = trio
    git(bare, "config", "uploadpack.allowFilter", "true")
    git(ben.folder, "remote", "set-url", "origin", "file://%s" % bare)
    _team.copies(anna.folder, 5)
    share(anna)
    kinds = []
    sizes = _sharegit.Repository.sizes

    def spied(ours):
        found = sizes(ours)
        kinds.append(sorted(kind for kind, _ in found.values()))
        return found

    monkeypatch.setattr(_sharegit.Repository, "sizes", spied)
    assert len(_rows(ben)) == 6
    assert kinds == [["commit"] * 6]
    assert len(_rows(ben)) == 6
    assert len(kinds) == 1
    _team.copies(anna.folder, 1)
    share(anna)
    kinds.clear()
    assert len(_rows(ben)) == 7
    assert kinds == [["commit"]]


@pytest.mark.parametrize("delay", [0.3, 0.6])
def test_a_killed_share_is_carried_on_by_the_next(trio, delay):
    bare, anna, ben = trio
    ids = _team.copies(anna.folder, 30)
    going = subprocess.Popen(
        [sys.executable, "-m", "provenance", "share", "--all"],
        cwd=anna.folder,
        env=anna.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(delay)
    os.killpg(going.pid, signal.SIGKILL)
    going.wait()
    assert git(bare, "fsck", "--full", "--connectivity-only") == ""
    done = share(anna)
    assert len(done.sent) + len(done.same) == 31
    assert not done.problems
    assert set(ids) <= set(_team.refs(bare))
    assert len(fetch(ben).runs) == 31


def test_a_removed_ref_is_gone_from_the_list_and_stays_where_it_was_fetched(trio):
    _bare, anna, ben = trio
    run_id = anna.last()["id"]
    share(anna)
    fetch(ben)
    git(anna.folder, "push", "-q", "origin", ":" + REFS + run_id)
    assert _rows(ben) == []
    assert ben.json("show", "baseline")["id"] == run_id
    with pytest.raises(NoSuchRun, match="no run is called"):
        fetch(ben, run_id)


def test_a_server_that_takes_branches_only(trio):
    bare, anna, ben = trio
    hook = bare / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/heads/*) ;; *) exit 1;; esac\n')
    hook.chmod(0o755)
    said = anna("share", "--all", code=5).stderr
    assert said.startswith("prov: origin takes no refs/prov/runs/*: hook declined.\n")
    assert "--branches" in said
    share(anna, branches=True)
    assert len(_rows(ben)) == 1
    assert fetch(ben).runs
    assert share(anna, branches=True).sent == ()


def test_a_server_that_hides_what_it_took(trio):
    bare, anna, _ = trio
    git(bare, "config", "uploadpack.hideRefs", "refs/prov")
    (said,) = share(anna).problems
    assert said.startswith("origin took 1 of the records and does not show them")
    git(bare, "config", "receive.hideRefs", "refs/prov")
    (run_id,) = _team.copies(anna.folder, 1)
    with pytest.raises(SystemRefused, match="hidden"):
        share(anna, run_id)


def test_what_cannot_be_reached_is_one_sentence(trio):
    _, anna, _ = trio
    for to in ("nowhere", "--upload-pack=touch x", "ext::sh -c touch% x", "/nowhere/at/all"):
        with pytest.raises(ProvError) as told:
            share(anna, to=to)
        assert len(told.value.message.splitlines()) == 1
        assert told.value.hint
    for words in (("share",), ("share", "@last", "--all"), ("ls", "elsewhere")):
        done = anna(*words, code=2)
        assert done.stderr.startswith("prov: "), words
        assert len(done.stderr.splitlines()) == 2, words
    assert not (anna.folder / "x").exists()
    git(anna.folder, "remote", "remove", "origin")
    with pytest.raises(UsageError, match="has no git remote"):
        share(anna)


def test_secrets_and_big_logs_stay_at_home(trio):
    bare, anna, ben = trio
    run_id = anna.last()["id"]
    folder = anna.folder / ".prov" / "runs" / run_id
    (folder / "log.txt").write_text("x" * 300_000)
    (folder / "code.patch").write_text("+password = 'hunter2hunter2'\n")
    (folder / "link").symlink_to("/etc/passwd")
    share(anna, run_id)
    names = git(bare, "ls-tree", "--name-only", REFS + run_id).split()
    assert names == ["left-out.json", "record.json"]
    fetch(ben)
    assert ben.json("show", run_id)["origin"]["left_out"] == ["code.patch", "log.txt"]
    assert "was not sent along" in ben("show", run_id).stdout
    secret = "k3y-0123456789abcdef-very-secret"
    _team.change(anna.folder, run_id, name="with " + secret)
    said = anna("share", run_id, code=4, env={"MY_API_KEY": secret}).stderr
    assert "name in its record looks like a secret" in said
    assert secret not in said


def test_hostile_records_are_refused_in_one_sentence_each(trio):
    bare, anna, ben = trio
    run_id = anna.last()["id"]
    share(anna)
    message = git(bare, "log", "-1", "--format=%B", REFS + run_id)
    record = git(bare, "show", REFS + run_id + ":record.json")
    ids = ["20260101T00000%dZ-0000000%d" % (n, n) for n in range(8)]
    good = ("100644", "record.json", record)
    cases = [
        [good, ("100644", "..", "x")],
        [good, ("120000", "log.txt", "/etc/passwd")],
        [good, ("100644", ".git", "x")],
        [good, ("100644", "log.txt", "y" * 9_000_000)],
        [good],  # the record of another run
        [("100644", "record.json", record.replace("0.9", "0.8"))],
        [("100644", "record.json", "[" * 100_000)],
        [("100644", "log.txt", "x")],
    ]
    for one, names in zip(ids, cases, strict=True):
        _team.plant(bare, one, names, message.replace(run_id, one))
    _team.plant(bare, "20260102T000000Z-00000000", [good], "no summary")
    blob = git(bare, "hash-object", "-w", "--stdin", input="x").strip()
    git(bare, "update-ref", REFS + "20260103T000000Z-00000000", blob)
    git(bare, "update-ref", REFS + "evil", REFS + run_id)
    assert len(_rows(ben)) == 9
    for one in ids:
        try:
            (said,) = fetch(ben, one).problems
        except SystemRefused as error:  # git itself would not take it
            said = error.message
        assert len(said.splitlines()) == 1, said
        assert len(said) < 300, said
    done = ben("fetch", "--json", code=None)
    assert os.listdir(ben.folder / ".prov" / "team") == [run_id], done.stdout


def test_words_of_others_do_not_act_on_the_terminal(trio):
    _bare, anna, ben = trio
    git(anna.folder, "config", "user.name", "A\x1b[31m")
    run_id = anna.last()["id"]
    _team.change(anna.folder, run_id, name="red \x1b[31m")
    share(anna, run_id)
    for words in (("ls", "--remote"), ("fetch",), ("ls",)):
        done = ben(*words)
        assert "\x1b" not in done.stdout + done.stderr


def test_a_repository_with_long_object_names(trio, tmp_path):
    _, anna, _ = trio
    bare, long = tmp_path / "long.git", tmp_path / "long"
    for words in (["--bare", str(bare)], [str(long)]):
        git(tmp_path, "init", "-q", "--object-format=sha256", *words)
    shutil.copytree(anna.folder / ".prov", long / ".prov")
    git(long, "config", "user.name", "Anna")
    git(long, "config", "user.email", "anna@example.org")
    git(long, "remote", "add", "origin", str(bare))
    prov = type(anna)(long)
    assert len(share(prov).sent) == 1
    shutil.rmtree(long / ".prov" / "runs")
    assert len(fetch(prov).runs) == 1
    (row,) = _rows(prov)
    assert len(row["oid"]) == 64
    assert row["here"] == "fetched"


def test_a_file_is_traced_to_a_run_that_was_fetched(trio):
    _bare, anna, ben = trio
    run_id = anna.last()["id"]
    share(anna)
    fetch(ben)
    shutil.copy(anna.folder / "metrics.json", ben.folder / "found.json")
    assert "written by run %s" % run_id[-8:] in ben("trace", "found.json").stdout
    assert ben.json("trace", "baseline")["subject"] == [run_id]


def test_a_password_in_an_address_is_neither_shown_nor_kept(trio):
    _bare, anna, _ben = trio
    address = "https://anna:s3cretpw@127.0.0.1:9/x?token=s3cretpw"
    for words in (("share", "@last", "--to"), ("fetch", "--from"), ("ls", "--remote")):
        done = anna(*words, address, "--json", code=5)
        assert "127.0.0.1" in done.stdout
        assert "s3cretpw" not in done.stdout + done.stderr
    place = project.find(str(anna.folder))
    assert _sharegit.remote(place, address).name == "https://127.0.0.1:9/x"
