"""What goes wrong on the way is named, and nothing of anybody's is lost."""

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

from tests.sharing.helpers import blob_of, blobs, check, made


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


def test_a_file_that_changed_since_the_run_is_not_sent_but_named(author, team):
    (author.folder / "model.bin").write_text("later")
    (author.folder / "words.txt").unlink()
    done = author.json("push", code=7)
    assert {one["path"]["path"]: one["reason"].split(",")[0] for one in done["lost"]} == {
        "model.bin": "it has changed since the run",
        "words.txt": "it is not here any more",
    }
    assert not any(path.read_bytes() == b"later" for path in blobs(team))


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
    assert "make.py is no folder" in author("push", "--remote", "./make.py", code=5).stderr
    refused = author("push", "--remote", "https://example.org/x?sig=secret", code=2)
    assert "https://example.org/x cannot be a remote" in refused.stderr
    (author.folder / "prov.yaml").unlink()
    assert "--remote" in author("push", code=2).stderr


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


def test_what_is_no_plain_file_or_of_another_size_is_not_fetched(author, reader, team):
    author("push")
    blob = blob_of(team, (author.folder / "model.bin").read_bytes())
    blob.unlink()
    with open(blob, "wb") as stream:
        stream.truncate(1 << 40)  # a copy of it would fill the disk
    done = reader.json("pull", "baseline", code=7)
    assert [one["path"] for one in done["failed"]] == ["model.bin"]
    assert "damaged at" in done["failed"][0]["reason"]
    blob.unlink()
    os.mkfifo(blob)  # reading it would never end
    done = reader.json("pull", "baseline", code=7)
    assert "has it no more" in done["failed"][0]["reason"]
    os.mkfifo(team / "prov" / "runs" / "20260101T000000Z-deadbeef.json")
    assert "is not what prov wrote" in reader("pull", code=7).stdout
