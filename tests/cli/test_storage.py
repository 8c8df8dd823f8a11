"""The disk is full at night: what takes the room, what may go, and nothing else goes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provenance.core import record, runid
from provenance.operations import cleaning, removing
from provenance.store import project, records
from tests.conftest import Prov, git

PYTHON = sys.executable
DAY = 86_400
OLD = time.time() - 90 * DAY


@pytest.fixture
def recorded(prov: Prov) -> Prov:
    """Return a project with one run that has uncommitted code, and an empty cache."""
    prov.environ["PROV_CACHE"] = str(prov.folder.parent / "cache")
    with open(prov.folder / "helper.py", "a") as stream:
        stream.write("# changed\n")
    prov("run", "--name", "first", "--", PYTHON, "train.py")
    return prov


def age(path: Path, when: float = OLD) -> None:
    for folder, _, names in os.walk(path):
        for name in names:
            os.utime(os.path.join(folder, name), (when, when), follow_symlinks=False)
    os.utime(path, (when, when))


def more_runs(prov: Prov, count: int) -> list[str]:
    """Copy the newest run as ``count`` runs of other ids, a day apart; return these."""
    place = project.find(str(prov.folder))
    first = records.find(place, "first")
    made = []
    for number in range(count):
        run_id = runid.new_id(time.time() - (90 - number) * DAY)
        folder = Path(place.runs) / run_id
        folder.mkdir()
        for name in os.listdir(first.folder):
            (folder / name).write_bytes((Path(first.folder) / name).read_bytes())
        started = "%s-%s-%sT00:00:00.000+00:00" % (run_id[:4], run_id[4:6], run_id[6:8])
        value = first.record._replace(id=run_id, name="old%d" % number, started=started)
        records.write(str(folder), value)
        age(folder)
        made.append(run_id)
    return made


def a_tree(prov: Prov, name: str = "20260101T000000Z-of-aaaaaaaa", files: int = 20) -> Path:
    tree = prov.folder / ".prov" / "replays" / name
    (tree / "deep").mkdir(parents=True)
    for number in range(files):
        (tree / "deep" / ("%d.bin" % number)).write_bytes(bytes(5000))
    os.symlink(prov.folder / "data.csv", tree / "data.csv")
    os.symlink(prov.folder, tree / "deep" / "project")
    age(tree)
    return tree


def test_du_says_what_takes_the_room_by_kind_and_run(recorded: Prov) -> None:
    a_tree(recorded)
    found = recorded.json("du")
    kinds = found["kinds"]
    assert kinds["replays"]["bytes"] >= 20 * 5000
    assert kinds["replays"]["files"] == 22  # links count for themselves
    assert set(kinds) >= {"records", "logs", "code", "replays"}
    assert found["total"]["bytes"] == sum(one["bytes"] for one in kinds.values())
    (run,) = found["runs"]
    assert (run["name"], run["why"]) == ("first", "")
    assert run["bytes"] == sum(one["bytes"] for one in run["kinds"].values())
    own = os.lstat(recorded.folder / ".prov" / "replays").st_blocks * 512
    assert found["reclaimable"]["bytes"] == kinds["replays"]["bytes"] - own
    shown = recorded("du").stdout
    assert "trees of replays" in shown
    assert "prov gc would free" in shown
    assert '"first"' in shown


def test_du_agrees_with_the_du_of_the_system(recorded: Prov) -> None:
    a_tree(recorded)
    os.link(recorded.folder / ".prov" / ".gitignore", recorded.folder / ".prov" / "replays" / "l")
    words = ["du", "-s", "--block-size=1", str(recorded.folder / ".prov")]
    wanted = int(subprocess.run(words, capture_output=True, check=True).stdout.split()[0])
    own = sum(os.lstat(recorded.folder / ".prov" / n).st_blocks * 512 for n in (".", "runs"))
    assert recorded.json("du")["total"]["bytes"] + own == wanted


def test_gc_tells_first_and_removes_only_when_told(recorded: Prov) -> None:
    tree = a_tree(recorded)
    before = recorded("ls").stdout
    shown = recorded("gc").stdout
    assert "nothing was removed yet" in shown
    assert "20260101T000000Z-of-aaaaaaaa" in shown
    assert tree.exists()
    done = recorded.json("gc", "--yes")
    assert done["removed"]
    assert done["problems"] == []
    assert not tree.exists()
    assert (recorded.folder / "data.csv").exists()
    assert not (recorded.folder / ".prov" / "trash").exists()
    assert recorded("ls").stdout == before
    assert "nothing to remove" in recorded("gc").stdout


def test_gc_goes_by_age_and_keeps_the_newest(recorded: Prov) -> None:
    trees = [a_tree(recorded, "2026010%dT000000Z-of-aaaaaaaa" % day) for day in (1, 2, 3)]
    age(trees[1], time.time() - 2 * DAY)
    kinds = [one["path"] for one in recorded.json("gc", "--older-than", "1d")["items"]]
    assert sorted(kinds) == sorted(map(str, trees))
    assert len(recorded.json("gc", "--older-than", "1w")["items"]) == 2
    assert len(recorded.json("gc", "--older-than", "1d", "--keep-last", "1")["items"]) == 2
    for wrong in ("soon", "-3d", "3 years"):
        assert "is no age" in recorded("gc", "--older-than=" + wrong, code=2).stderr


def test_gc_leaves_the_trees_of_kept_and_running_replays(recorded: Prov) -> None:
    recorded("replay", "first", "--yes", code=None)
    (tree,) = (recorded.folder / ".prov" / "replays").iterdir()
    age(tree)
    recorded("keep", "@last")
    found = recorded.json("gc")
    assert [one["kind"] for one in found["items"]] == []
    assert [one["why"] for one in found["spared"]] == ["of its run: it is kept (prov keep)"]
    recorded("keep", "--off", "@last")
    assert [one["path"] for one in recorded.json("gc")["items"]] == [str(tree)]


def test_gc_removes_blobs_of_old_runs_when_asked_and_their_records_stay(recorded: Prov) -> None:
    old = more_runs(recorded, 4)
    recorded("lock", "old1")
    recorded("keep", "old2")
    assert recorded.json("gc")["items"] == []
    done = recorded.json("gc", "--blobs", "--keep-last", "2", "--yes")
    gone = {Path(one["path"]).parent.name for one in done["items"]}
    assert gone == {old[0]}  # 1 is locked, 2 kept, 3 and the first are the newest two
    assert os.listdir(recorded.folder / ".prov" / "runs" / old[0]) == ["record.json"]
    assert len(recorded.json("ls")["runs"]) == 5
    assert recorded.json("show", "old0")["name"] == "old0"
    assert "not at hand" in recorded("replay", "old0", "--yes", code=None).stderr


def test_blobs_that_no_record_names_go_and_the_others_stay(recorded: Prov) -> None:
    objects = recorded.folder / ".prov" / "objects" / "files" / "md5"
    place = project.find(str(recorded.folder))
    digest = next(
        one["digests"]["blake3"] for one in recorded.payload("outputs")["files"] if one["digests"]
    )
    listed = "0123456789abcdef0123456789abcdef"
    listing = "fedcba9876543210fedcba9876543210"
    names = (digest, listed, listing + ".dir", "a" * 32, "b" * 32 + ".dir")
    for name in names:
        (objects / name[:2]).mkdir(parents=True, exist_ok=True)
        (objects / name[:2] / name[2:]).write_text("x")
    (objects / listing[:2] / (listing[2:] + ".dir")).write_text(json.dumps([{"md5": listed}]))
    wheel = recorded.folder / ".prov" / "objects" / "wheels" / "mine-1.0-0123456789abcdef"
    wheel.mkdir(parents=True)
    (wheel / "mine-1.0-py3-none-any.whl").write_bytes(b"x")
    last = records.find(place, "@last")
    noted = last.record._replace(notes=("kept as %s" % listing,))
    records.write(last.folder, noted)
    for path in objects.rglob("*"):
        os.utime(path, (OLD, OLD))
    os.utime(wheel, (OLD, OLD))
    found = {one["path"] for one in recorded.json("gc", "--yes")["items"]}
    gone = [name for name in names if str(objects / name[:2] / name[2:]) in found]
    assert gone == ["a" * 32, "b" * 32 + ".dir"]
    assert found - {str(objects / n[:2] / n[2:]) for n in names} == {str(wheel)}


def test_environments_of_the_cache_go_when_nobody_used_them(recorded: Prov) -> None:
    kinds = Path(recorded.environ["PROV_CACHE"]) / "environments"
    for name in ("old", "new", "busy"):
        (kinds / name / "bin").mkdir(parents=True)
        (kinds / name / "prov-environment.json").write_text("{}")
        if name != "new":
            age(kinds / name)
    (kinds / "mine.txt").write_text("not ours")
    sleeper = [PYTHON, "-c", "import time; time.sleep(60)", str(kinds / "busy" / "bin" / "python")]
    with subprocess.Popen(sleeper) as busy:
        found = recorded.json("gc", "--yes")["items"]
        busy.kill()
    assert [one["path"] for one in found] == [str(kinds / "old")]
    assert sorted(p.name for p in kinds.iterdir() if p.is_dir() or p.suffix == ".txt") == [
        "busy",
        "mine.txt",
        "new",
    ]
    assert recorded.json("gc", "--no-cache")["items"] == []


def test_rm_asks_and_takes_the_run_alone(recorded: Prov) -> None:
    (old,) = more_runs(recorded, 1)
    assert "no terminal to ask on" in recorded("rm", "old0", code=2).stderr
    assert len(recorded.json("ls")["runs"]) == 2
    assert recorded.json("rm", "old0")["removed"] is False
    shown = recorded("rm", "old0", "--yes").stdout
    assert "removed 1 run" in shown
    assert [one["name"] for one in recorded.json("ls")["runs"]] == ["first"]
    assert not (recorded.folder / ".prov" / "runs" / old).exists()
    assert (recorded.folder / "model.bin").exists()  # what the run wrote stays
    assert "no run is called" in recorded("rm", "old0", "--yes", code=4).stderr


def test_rm_refuses_what_is_locked_kept_or_read_by_those(recorded: Prov) -> None:
    more_runs(recorded, 2)
    recorded("lock", "first")
    text = recorded("rm", "old0", "first", "--yes", code=4).stderr
    assert "prov.lock names it" in text
    assert len(recorded.json("ls")["runs"]) == 3  # all or none
    recorded("keep", "old1")
    assert recorded.json("keep")["runs"][0]["id"] == recorded.json("show", "old1")["id"]
    assert "it is kept" in recorded("rm", "old1", "--yes", code=4).stderr
    recorded("rm", "old1", "first", "--yes", "--force")
    assert [one["name"] for one in recorded.json("ls")["runs"]] == ["old0"]
    assert recorded.json("keep")["runs"] == []


def test_a_lock_on_another_branch_protects_its_runs(recorded: Prov) -> None:
    recorded("lock", "first")
    git(recorded.folder, "checkout", "-q", "-b", "paper")
    git(recorded.folder, "add", "-f", "prov.lock")
    git(recorded.folder, "commit", "-q", "-m", "lock")
    git(recorded.folder, "checkout", "-q", "main")
    assert not (recorded.folder / "prov.lock").exists()
    assert "prov.lock of paper names it" in recorded("rm", "first", "--yes", code=4).stderr


def test_what_made_the_data_of_a_kept_run_is_needed(recorded: Prov) -> None:
    (recorded.folder / "next.py").write_text(
        "print(len(open('model.bin','rb').read()))\nopen('end.txt', 'w').write('1')\n"
    )
    time.sleep(0.05)
    recorded("run", "--name", "second", "--", PYTHON, "next.py")
    recorded("keep", "second")
    assert "reads what it made" in recorded("rm", "first", "--yes", code=4).stderr


def test_a_run_that_goes_on_is_never_removed(recorded: Prov) -> None:
    code = "import time; open('started', 'w').close(); time.sleep(60)"
    words = [PYTHON, "-m", "provenance", "run", "--", PYTHON, "-c", code]
    with subprocess.Popen(words, cwd=recorded.folder, env=recorded.environ) as going:
        try:
            while not (recorded.folder / "started").exists():
                time.sleep(0.05)
            for more in ((), ("--force",), ("--blobs-only",)):
                assert "still goes on" in recorded("rm", "@last", "--yes", *more, code=4).stderr
            recorded("gc", "--blobs", "--older-than", "0d", "--yes")
            assert len(recorded.json("ls")["runs"]) == 2
        finally:
            going.send_signal(signal.SIGINT)
    assert recorded.last()["status"] != "running"


def test_a_corrupt_record_is_removed_by_its_id_and_with_force(recorded: Prov) -> None:
    (old,) = more_runs(recorded, 1)
    (recorded.folder / ".prov" / "runs" / old / "record.json").write_text("{")
    assert "--force" in recorded("rm", old, "--yes", code=4).stderr
    recorded("rm", runid.short(old), "--yes", "--force")
    assert len(os.listdir(recorded.folder / ".prov" / "runs")) == 1


def kills(prov: Prov, turns: int, seed: int) -> int:
    """Kill removals at random moments; return how many were hit before they had ended."""
    rng = random.Random(seed)
    cwd, environ = str(prov.folder), dict(prov.environ)
    locked, kept = more_runs(prov, 2)
    prov("lock", locked)
    prov("keep", kept)
    place = project.find(cwd)
    policy = cleaning.Policy(older_than_s=DAY, blobs=True, keep_last=1)
    whole = mine(prov)
    staying = set(records.ids(place))
    folders = {one: sorted(os.listdir(Path(place.runs) / one)) for one in (locked, kept)}
    longest, hit = 0.15, 0
    for turn in range(turns):
        for one in set(records.ids(place)) - staying:
            shutil.rmtree(os.path.join(place.runs, one))
        a_tree(prov, "2026010%dT000000Z-of-%08x" % (turn % 9 + 1, turn), files=25)
        doomed = more_runs(prov, 2)
        child = os.fork()
        if not child:
            try:
                if turn % 2:
                    cleaning.clean(cleaning.find(cwd, environ, policy))
                else:
                    removing.remove(removing.plan(cwd, tuple(doomed)))
            finally:
                os._exit(0)
        began = time.monotonic()
        time.sleep(rng.random() * longest)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        hit += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status):
            longest = max(0.01, time.monotonic() - began)
        assert mine(prov) == whole
        for one in records.each(place):
            assert isinstance(one, records.Stored), one
            assert one.record.status == record.DONE
        for one, names in folders.items():
            assert sorted(os.listdir(Path(place.runs) / one)) == names
        for one in records.ids(place):
            assert (Path(place.runs) / one / "record.json").exists()
    return hit


def mine(prov: Prov) -> dict[str, bytes]:
    """Return the user's own files."""
    paths = [p for p in prov.folder.rglob("*") if p.is_file() and ".prov" not in p.parts]
    return {str(p): p.read_bytes() for p in paths if ".git" not in p.parts}


def test_killed_at_any_moment_nothing_is_half_removed(recorded: Prov) -> None:
    killed_often(recorded, 50)


@pytest.mark.slow
def test_killed_a_hundred_times(recorded: Prov) -> None:
    killed_often(recorded, 100)


def killed_often(prov: Prov, turns: int) -> None:
    assert kills(prov, turns, seed=turns) > turns // 4
    done = prov.json("gc", "--older-than", "1d", "--blobs", "--keep-last", "1", "--yes")
    assert done["problems"] == []
    assert not (prov.folder / ".prov" / "trash").exists()
    assert len(list((prov.folder / ".prov" / "replays").iterdir())) <= 1
    assert (prov.folder / "data.csv").exists()
    assert prov("verify", code=None).returncode in (0, 1)
    assert prov.json("show", "first")["name"] == "first"


def test_a_variable_that_was_never_set_is_no_run(recorded: Prov) -> None:
    for words in (("rm", "--yes", "--force"), ("keep",), ("show",), ("push",), ("checkout",)):
        done = recorded(*words, "", code=4)
        assert "no run is called ''" in done.stderr
    assert len(os.listdir(recorded.folder / ".prov" / "runs")) == 1
