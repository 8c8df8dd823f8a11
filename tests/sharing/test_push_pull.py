"""Runs and their files go to a remote and come back in another clone."""

import contextlib
import importlib.util
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import PYTHON, git
from tests.sharing.helpers import blobs, made

needs_dvc = pytest.mark.skipif(
    importlib.util.find_spec("dvc") is None, reason="DVC is not installed"
)


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
    assert reader.json("show", "baseline")["facets"] == author.last()["facets"]


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
    assert not (reader.folder / ".prov" / "team").exists()


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
