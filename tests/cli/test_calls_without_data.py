"""``--calls synthetic`` and ``full`` once the data is gone, and the calls that a lock carries."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sqlite3
import zlib

import pytest

from tests import _two_versions
from tests.conftest import Prov, git

SECRET = "tk-93jf8alWq0zx71"
PERSON, SALARY = "Wilhelmina", 83171.53

FIT = """\
import csv, json, os, sqlite3
import widgets

with open("data/people.json") as stream:
    people = json.load(stream)
print(widgets.power([one["salary"] for one in people])[0])
print(widgets.scale([one["age"] for one in people])[0])
for line in open("data/lines.jsonl"):
    print(widgets.power([json.loads(line)["score"]]))
with open("data/table.csv") as stream:
    rows = [row for row in csv.DictReader(stream) if row["kind"] == "good"]
print(len(rows) > 0, widgets.power([float(row["x"]) for row in rows])[0])
store = sqlite3.connect("data/store.db")
print(widgets.power([value for _, value in store.execute("select name, value from t").fetchall()]))
for name in sorted(os.listdir("data/notes")):
    print(widgets.power([len(open(os.path.join("data", "notes", name)).read())]))
"""
CALM = FIT.replace("widgets.power", "widgets.scale")


def put_data(folder):
    data = folder / "data"
    (data / "notes").mkdir(parents=True)
    people = [{"salary": 41234.5 + n, "age": 20 + n, "name": "Ann %d" % n} for n in range(40)]
    people[3].update(name=PERSON, salary=SALARY)
    (data / "people.json").write_text(json.dumps(people))
    lines = [{"score": n + 0.4711, "text": "%s %d" % (PERSON, n)} for n in range(30)]
    (data / "lines.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    rows = ["%d.25,%s,%s" % (n, ("good", "bad")[n % 2], PERSON) for n in range(50)]
    (data / "table.csv").write_text("\n".join(["x,kind,who", *rows]) + "\n")
    with sqlite3.connect(data / "store.db") as store:
        store.execute("create table t (name text, value real)")
        store.executemany(
            "insert into t values (?, ?)", [(PERSON + str(n), n / 7) for n in range(30)]
        )
    store.close()
    for name in ("a.txt", "b.txt"):
        (data / "notes" / name).write_text(PERSON + " was here\n")


@pytest.fixture
def pythons(tmp_path):
    return _two_versions.both(tmp_path / "two")


@pytest.fixture
def here(repo, pythons):
    """Return the command line of a project whose run read data that git does not hold."""
    put_data(repo)
    (repo / "fit.py").write_text(FIT)
    (repo / "calm.py").write_text(CALM)
    with open(repo / ".gitignore", "a") as stream:
        stream.write("data/\n.prov/\n")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "fit")
    return Prov(repo)


def library(data):
    [found] = [one for one in data["findings"] if one["name"] == "widgets"]
    return found


def seen(data):
    return [one for one in library(data)["reasons"] if one["level"] == "L3"]


def unpacked(text):
    return gzip.decompress(base64.b64decode(text)).decode()


def texts_in(lock):
    """Return all that the calls of a lock hold, unpacked."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for key, one in value.items():
                found.append(key)
                data = zlib.decompress(base64.b64decode(one)) if key == "z" else b""
                walk(data.decode("latin-1") or one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        else:
            found.append(str(value))

    for one in json.loads(lock.read_text())["calls"].values():
        fed = one["feed"]
        walk(json.loads(unpacked(fed)) if isinstance(fed, str) else fed)
        found += [unpacked(tape) for tape in one["tapes"].values()]
    return "\n".join(found)


EFFECT = {"synthetic": "possible", "full": "known"}
"""What differs with made-up data need not differ with the real, so that it fails nothing."""


@pytest.mark.parametrize("mode", ["synthetic", "full"])
def test_calls_are_compared_after_the_data_is_gone(here, pythons, mode):
    here("run", "--", pythons[0], "fit.py")
    code = 1 if EFFECT[mode] == "known" else 0
    told = here("verify", "--python", pythons[1], "--calls", mode, code=code).stdout
    assert {"synthetic": "with made-up data", "full": "with the data that was kept"}[mode] in told
    shutil.rmtree(here.folder / "data")
    data = here.json("verify", "--python", pythons[1], "--calls", mode, code=code)
    assert data["calls"]["mode"] == mode
    assert data["calls"]["missed"] == {}
    assert library(data)["effect"] == EFFECT[mode]
    sources = {one["source"] for one in seen(data)}
    assert all(one.endswith("made-up data") == (mode == "synthetic") for one in sources)
    assert sources
    lines = {one.partition(":")[2] for one in library(data)["where"]}
    assert {"6", "9", "12", "14", "16"} <= lines, "each way in which data came in"


def test_made_up_data_raises_no_false_roots(here, pythons):
    here("run", "--", pythons[0], "calm.py")
    data = here.json("verify", "--python", pythons[1], "--calls", "synthetic", code=None)
    assert data["calls"]["mode"] == "synthetic"
    assert data["calls"]["compared"] == data["calls"]["sites"] > 8
    assert seen(data) == []


def test_what_stands_for_missing_data_is_said(here, pythons):
    here("run", "--", pythons[0], "fit.py")
    shutil.rmtree(here.folder / "data")
    refused = here("verify", "--python", pythons[1], "--calls", "synthetic", "-v", code=None).stdout
    assert "neither the data of the run is here nor what it was like" in refused
    assert "prov lock --calls" in refused
    failing = here.json("verify", "--python", pythons[1], "--calls", "cut", code=None)
    notes = " ".join(failing["references"][0]["notes"])
    assert "what reads it fails in the rehearsal" in notes
    put_data(here.folder)
    here("verify", "--python", pythons[1], "--calls", "cut", code=1)
    shutil.rmtree(here.folder / "data")
    data = here.json("verify", "--python", pythons[1], "--calls", "cut", code=0)
    assert data["calls"]["mode"] == "synthetic"
    assert "were given made-up data instead" in " ".join(data["references"][0]["notes"])


@pytest.mark.parametrize("mode", ["synthetic", "full"])
def test_a_clone_with_a_lock_needs_neither_data_nor_environment(here, pythons, tmp_path, mode):
    here("run", "--", pythons[0], "fit.py")
    made = here("lock", "@last", "--calls", mode)
    assert "its calls with" in made.stdout
    assert " kB" in made.stdout
    plain = here.folder / "plain.lock"
    here("lock", "@last", "--out", "plain.lock")
    grown = (here.folder / "prov.lock").stat().st_size - plain.stat().st_size
    assert 1000 < grown < 60_000
    git(here.folder, "add", "-f", "prov.lock")
    git(here.folder, "commit", "-q", "-m", "lock")
    clone = tmp_path / "elsewhere" / "clone"
    git(tmp_path, "clone", "-q", str(here.folder), str(clone))
    shutil.rmtree(tmp_path / "two" / "old")
    shutil.rmtree(here.folder)
    data = Prov(clone).json("verify", "--python", pythons[1], "--calls", mode, code=None)
    assert data["reference"]["kind"] == "lock"
    assert data["calls"]["mode"] == mode
    assert library(data)["effect"] == EFFECT[mode]
    assert "fit.py:6" in library(data)["where"]
    unasked = Prov(clone)("verify", "--python", pythons[1], code=None).stdout
    assert "--calls " + mode in unasked


def test_a_lock_of_made_up_data_carries_no_value_of_the_data(here, pythons):
    here("run", "--", pythons[0], "fit.py")
    lock = here.folder / "prov.lock"
    here("lock", "@last", "--calls", "full")
    assert PERSON in texts_in(lock)
    assert "4711" in texts_in(lock)
    here("lock", "@last", "--calls", "synthetic")
    found = texts_in(lock)
    for value in (PERSON, str(SALARY), "83171", "41234", "4711", "Ann"):
        assert value not in found
        assert value not in lock.read_text()
    assert "salary" in found, "the source asks for it by this name"


@pytest.mark.parametrize("how", ["in full", "in a thread"])
def test_data_is_not_read_where_it_is_made_up(here, pythons, how):
    source = """\
import json, threading, widgets
found = []
def read():
    with open(%r) as stream:
        found.append(json.load(stream)[3]["name"])
%s
print(widgets.power([len(found[0])]), [found[0]] + widgets.scale([2]))
"""
    start = (
        "read()" if how == "in full" else "t = threading.Thread(target=read); t.start(); t.join()"
    )
    path = str(here.folder / "data" / "people.json")
    (here.folder / "fit.py").write_text(source % (path, start))
    here("run", "--", pythons[0], "fit.py")
    here("lock", "@last", "--calls", "synthetic")
    lock = here.folder / "prov.lock"
    assert "calls" in json.loads(lock.read_text())
    assert PERSON not in texts_in(lock)
    here("lock", "@last", "--calls", "cut")
    assert PERSON in texts_in(lock)


def test_no_secret_gets_into_a_lock(here, pythons):
    source = """\
import os, sys, widgets
print(widgets.power([len(os.environ["API_TOKEN"])]), os.environ["API_TOKEN"], sys.argv)
print(widgets.scale([1]), open("data/key.txt").read())
"""
    (here.folder / "fit.py").write_text(source)
    (here.folder / "data" / "key.txt").write_text("token=%s\n" % SECRET[::-1])
    environ = {"API_TOKEN": SECRET}
    words = ("--", pythons[0], "fit.py", "--password", "Xq7-" + SECRET)
    for mode in ("cut", "full"):
        here("run", *words, env=environ)
        here("lock", "@last", "--calls", mode, env=environ)
        lock = here.folder / "prov.lock"
        assert "widgets.power" in texts_in(lock)
        for content in (lock.read_text(), texts_in(lock)):
            assert SECRET not in content
            assert SECRET[::-1] not in content


def test_a_mode_that_a_lock_cannot_carry(here, pythons):
    here("run", "--", pythons[0], "calm.py")
    refused = here("lock", "@last", "--calls", "auto", code=2)
    assert "synthetic" in refused.stderr
    assert not (here.folder / "prov.lock").exists()


def test_a_lock_without_calls_where_the_environment_is_gone(here, pythons, tmp_path):
    here("run", "--", pythons[0], "fit.py")
    shutil.rmtree(tmp_path / "two" / "old")
    told = here("lock", "@last", "--calls", "cut")
    assert "its calls are not in the lock" in told.stdout
    assert "calls" not in json.loads((here.folder / "prov.lock").read_text())
