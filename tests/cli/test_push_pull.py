"""Runs and their files go to a remote and come back in another clone; what goes wrong is named."""

import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import servers
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
needs_dvc = pytest.mark.skipif(
    importlib.util.find_spec("dvc") is None, reason="DVC is not installed"
)


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


def made(folder):
    """Return the content of what the run read and wrote in ``folder``."""
    names = ["words.txt", "model.bin", *("parts/%03d.txt" % number for number in range(300))]
    return {name: (folder / name).read_bytes() for name in names}


def blobs(remote):
    return {path for path in (remote / "files" / "md5").rglob("*") if path.is_file()}


def blob_of(remote, content):
    """Return the path of the blob that holds ``content``."""
    return next(path for path in blobs(remote) if path.read_bytes() == content)


@contextlib.contextmanager
def folder_server(folder):
    yield str(folder / "remote"), {}


KINDS = {"folder": folder_server, "ssh": servers.ssh, "s3": servers.s3}


SLOW = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("ssh", "s3")]


@pytest.mark.parametrize("kind", ["folder", *SLOW])
def test_a_run_goes_to_each_kind_of_remote_and_back(kind, author, reader, tmp_path):
    with KINDS[kind](tmp_path) as (address, env):
        sent = author.json("push", "baseline", "--remote", address, env=env)
        assert sent["sent"]["blobs"] > 302
        assert sent["lost"] == sent["failed"] == []
        again = author.json("push", "baseline", "--remote", address, env=env)
        assert again["sent"] == {"blobs": 0, "bytes": 0}
        listed = reader.json("pull", "--remote", address, env=env)
        assert (listed["records"], listed["fetched"]["blobs"]) == (1, 0)
        assert [run["name"] for run in reader.json("ls")["runs"]] == ["baseline"]
        done = reader.json("pull", "baseline", "--remote", address, env=env)
        assert done["fetched"]["blobs"] == 303  # 302 files and the list of the folder
        assert (
            reader.json("pull", "baseline", "--remote", address, env=env)["fetched"]["blobs"] == 0
        )
    reader("checkout", "baseline")
    assert made(reader.folder) == made(author.folder)
    assert reader.last()["facets"] == author.last()["facets"]


def test_damaged_and_missing_blobs_are_named_and_the_rest_arrives(author, reader, team):
    author("push")
    blob = blob_of(team, made(author.folder)["model.bin"])
    blob.chmod(0o644)
    blob.write_bytes(b"x" * blob.stat().st_size)
    blob_of(team, made(author.folder)["parts/007.txt"]).unlink()
    done = reader.json("pull", "baseline", code=7)
    assert {one["path"]: one["damaged"] for one in done["failed"]} == {
        "model.bin": True,
        "parts/007.txt": False,
    }
    assert done["fetched"]["blobs"] == 301
    told = reader("pull", "baseline", code=7).stdout
    assert "model.bin: damaged at" in told
    placed = reader.json("checkout", "baseline", code=7)
    assert len(placed["placed"]) == 300
    assert {one["path"] for one in placed["failed"]} == {"model.bin", "parts/007.txt"}
    author("push", "--again")
    assert reader.json("pull", "baseline")["fetched"]["blobs"] == 2
    reader("checkout", "baseline")
    assert made(reader.folder) == made(author.folder)


def test_checkout_never_replaces_a_file_unasked(author, reader, team):
    author("push")
    (reader.folder / "model.bin").write_text("mine")
    refused = reader("checkout", "baseline", "--remote", "team", code=4)
    assert "no run" in refused.stderr
    reader("pull", "baseline")
    refused = reader("checkout", "baseline", code=4)
    assert "model.bin" in refused.stderr
    assert not (reader.folder / "words.txt").exists()
    assert (reader.folder / "model.bin").read_text() == "mine"
    aside = reader.json("checkout", "baseline:model.bin", "--to", "aside")
    assert aside["placed"] == [str(reader.folder / "aside" / "model.bin")]
    done = reader.json("checkout", "baseline", "--force")
    assert Path(done["replaced"][0]["kept_at"]).read_text() == "mine"
    assert made(reader.folder) == made(author.folder)
    assert reader.json("checkout", "baseline")["placed"] == []


def test_what_is_put_in_place_is_a_copy_of_its_own(author, reader, team):
    author("push")
    reader("pull", "baseline")
    reader("checkout", "baseline")
    path = reader.folder / "model.bin"
    assert (path.stat().st_nlink, stat.S_IMODE(path.stat().st_mode) & 0o200) == (1, 0o200)
    path.write_text("changed")
    kept = blobs(reader.folder / ".prov" / "objects")
    assert all(stat.S_IMODE(one.stat().st_mode) & 0o222 == 0 for one in kept)
    path.unlink()
    reader("checkout", "baseline")
    assert made(reader.folder) == made(author.folder)


def test_a_file_that_changed_since_the_run_is_not_sent_but_named(author, team):
    (author.folder / "model.bin").write_text("later")
    (author.folder / "words.txt").unlink()
    done = author.json("push", code=7)
    assert {one["path"]["path"]: one["reason"].split(",")[0] for one in done["lost"]} == {
        "model.bin": "it has changed since the run",
        "words.txt": "it is not here any more",
    }
    assert not any(path.read_bytes() == b"later" for path in blobs(team))


def test_a_file_that_the_remote_has_is_not_lost(author, team):
    author("push")
    (author.folder / "model.bin").write_text("later")
    assert author.json("push")["lost"] == []


def test_a_file_that_is_in_place_need_not_have_been_pushed(author, reader, team):
    author("push", "--outputs")
    assert [one["path"] for one in reader.json("pull", "baseline", code=7)["failed"]] == [
        "words.txt"
    ]
    (reader.folder / "words.txt").write_text("lorem ipsum\n")
    reader("pull", "baseline")
    assert reader.json("checkout", "baseline")["there"] == [str(reader.folder / "words.txt")]


def test_what_the_store_keeps_is_sent_on_when_the_file_is_gone(author, reader, team, tmp_path):
    author("push")
    reader("pull", "baseline")
    other = tmp_path / "other"
    done = reader.json("push", "baseline", "--remote", str(other))
    assert done["sent"]["blobs"] > 302
    assert done["lost"] == []


def test_a_dry_run_writes_nothing(author, reader, team):
    told = author.json("push", "--dry-run")
    assert told["sent"]["blobs"] > 302
    assert not team.exists()
    assert not list((author.folder / ".prov" / "runs").glob("*/blobs.json"))
    author("push")
    reader.json("pull", "baseline", "--dry-run")
    assert not (reader.folder / ".prov" / "runs").exists()


def test_only_what_is_asked_for_is_sent(author, team):
    author("push", "--records")
    words = {path.read_bytes() for path in blobs(team)}
    assert b"lorem ipsum\n" not in words
    author("push", "--data")
    words = {path.read_bytes() for path in blobs(team)}
    assert b"lorem ipsum\n" in words
    assert made(author.folder)["model.bin"] not in words


def test_files_outside_of_the_project_stay_out_until_asked_for(author, reader, team, tmp_path):
    (tmp_path / "shared.csv").write_text("1,2\n")
    (author.folder / "read.py").write_text("print(open(%r).read())" % str(tmp_path / "shared.csv"))
    author("run", "--name", "away", "--", PYTHON, "read.py")
    told = author("push", "away").stdout
    assert "1 file outside of the project left out" in told
    assert not any(path.read_bytes() == b"1,2\n" for path in blobs(team))
    author("push", "away", "--all")
    reader("pull", "away", "--all")
    (tmp_path / "shared.csv").unlink()
    reader("checkout", "away")
    assert not (tmp_path / "shared.csv").exists()
    path = str(tmp_path / "shared.csv")
    assert reader("checkout", "away:" + path, code=2).stderr
    done = reader.json("checkout", "away:" + path, "--to", "aside")
    assert Path(done["placed"][0]).read_text() == "1,2\n"


def test_a_remote_that_lies_is_found_out(author, reader, team):
    author("push")
    evil = json.loads(next((author.folder / ".prov" / "runs").glob("*/blobs.json")).read_text())
    words = next(one for one in evil["blobs"].values() if one["size"] == 12)
    model = next(one for one in evil["blobs"].values() if one["size"] == 1024000)
    model["oid"], model["size"] = words["oid"], words["size"]
    path = next((author.folder / ".prov" / "runs").glob("*/blobs.json"))
    path.write_text(json.dumps(evil))
    from provenance.store import announced, objects

    run = next((team / "prov" / "runs").iterdir())
    told = announced.parse(run.read_bytes(), run.stem, "here")
    oid = objects.Store(str(team)).put_bytes(path.read_bytes())
    files = [(p, oid if p == "blobs.json" else o, n) for p, o, n in told.files]
    run.write_bytes(announced.to_bytes(told._replace(files=tuple(files))))
    reader("pull", "baseline")
    done = reader.json("checkout", "baseline", code=7)
    assert [one["path"] for one in done["failed"]] == ["model.bin"]
    assert not (reader.folder / "model.bin").exists()
    files = [("../../../evil.txt", oid, 1), *files]
    run.write_bytes(announced.to_bytes(told._replace(files=tuple(files))))
    shutil.rmtree(reader.folder / ".prov")
    refused = reader("pull", run.stem, code=7)
    assert "is not what prov wrote" in refused.stdout
    assert not list(reader.folder.parent.rglob("evil.txt"))


def test_a_changed_record_is_not_taken(author, reader, team):
    author("push")
    record = next((author.folder / ".prov" / "runs").glob("*/record.json")).read_bytes()
    blob = blob_of(team, record)
    blob.chmod(0o644)
    blob.write_bytes(record.replace(b"baseline", b"basehigh"))
    refused = reader("pull", "baseline", code=7)
    assert "the record of" in refused.stdout
    assert reader.json("ls")["runs"] == []


def test_passwords_are_kept_nowhere_and_shown_nowhere(author):
    (author.folder / "prov.yaml").write_text("remotes: {team: 's3://me:hunter2@bucket/p'}\n")
    refused = author("push", code=4)
    assert "remotes/team must be an address without password" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout
    text = "remotes: {team: {url: 's3://b/p', secret_access_key: hunter2}}\n"
    (author.folder / "prov.yaml").write_text(text)
    refused = author("push", code=4)
    assert "secret_access_key" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout


def test_an_unknown_remote_is_told_with_those_that_are_known(author, team):
    refused = author("push", "--remote", "tem", code=2)
    assert "known: team" in refused.stderr
    assert "there is no such folder" in author("pull", code=5).stderr
    (author.folder / "prov.yaml").unlink()
    assert "--remote" in author("push", code=2).stderr


def test_replay_fetches_data_that_is_not_here(author, reader, team):
    author("lock", "baseline")
    author("push")
    shutil.copy(author.folder / "prov.lock", reader.folder)
    done = reader("replay", "--yes", "--python", PYTHON, code=None)
    assert "the rerun will miss it" not in done.stdout + done.stderr
    tree = next((reader.folder / ".prov" / "replays").iterdir())
    assert (tree / "words.txt").read_text() == "lorem ipsum\n"
    assert not (reader.folder / "words.txt").exists()


@pytest.mark.slow
@needs_dvc
def test_in_a_repository_of_dvc_its_cache_and_remotes_are_used(author, reader, tmp_path):
    dvc = [PYTHON, "-m", "dvc"]
    env = dict(os.environ, DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=str(tmp_path / "site"))

    def run(where, *words):
        return subprocess.run(
            [*dvc, *words], cwd=where.folder, env=env, check=True, capture_output=True, text=True
        ).stdout

    run(author, "init", "-q")
    run(author, "remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    run(author, "add", "-q", "words.txt")
    git(author.folder, "add", "-A")
    git(author.folder, "commit", "-q", "-m", "data")
    git(reader.folder, "pull", "-q", str(author.folder), "main")
    sent = author.json("push", "baseline")
    assert sent["remote"] == str(tmp_path / "store")
    reader("pull", "baseline")
    assert not (reader.folder / ".prov" / "objects" / "files").exists()
    assert blobs(reader.folder / ".dvc" / "cache") < blobs_like(tmp_path / "store", reader)
    run(reader, "checkout", "words.txt")  # DVC finds it in its cache: nothing is pulled
    assert (reader.folder / "words.txt").read_text() == "lorem ipsum\n"
    assert "up to date" in run(reader, "status", "--cloud") or "in sync" in run(
        reader, "status", "--cloud"
    )


def blobs_like(remote, reader):
    """Return where in the reader's cache of DVC the blobs of ``remote`` would be."""
    cache = reader.folder / ".dvc" / "cache"
    return {cache / path.relative_to(remote) for path in blobs(remote)}


def test_links_in_a_folder_of_data_come_back_unless_they_lead_out(author, reader, team):
    folder = author.folder / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").symlink_to("a.txt")
    (folder / "c.txt").symlink_to("/etc/hostname")
    settings = "remotes: {team: ../team}\ndata: [corpus]\n"
    (author.folder / "prov.yaml").write_text(settings)
    author("run", "--name", "linked", "--", PYTHON, "-c", "pass")
    author("push", "linked")
    reader("pull", "linked")
    reader("checkout", "linked:corpus")
    assert os.readlink(reader.folder / "corpus" / "b.txt") == "a.txt"
    assert not (reader.folder / "corpus" / "c.txt").is_symlink()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_killed_at_any_point_nothing_is_damaged(verb, author, reader, team, tmp_path):
    before = made(author.folder)
    if verb == "pull":
        author("push")
    where = author if verb == "push" else reader
    words = [sys.executable, "-m", "provenance", verb, "baseline"]
    rng = random.Random(7)
    for _ in range(20):
        started = subprocess.Popen(
            words, cwd=where.folder, env=where.environ, stdout=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.15, 1.0))
        started.send_signal(rng.choice([signal.SIGKILL, signal.SIGINT]))
        started.wait()
        check(team)
        check(where.folder / ".prov" / "objects")
        if rng.random() < 0.5:
            shutil.rmtree(team / "files" if verb == "push" else reader.folder / ".prov", True)
    where(verb, "baseline")
    reader("pull", "baseline")
    reader("checkout", "baseline")
    assert made(reader.folder) == made(author.folder) == before


def check(store):
    """Require that each blob below ``store`` is what its name says."""
    import hashlib

    for path in blobs(store):
        name = (path.parent.name + path.name).removesuffix(".dir")
        assert hashlib.md5(path.read_bytes()).hexdigest() == name, path
