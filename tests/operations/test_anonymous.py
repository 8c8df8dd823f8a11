"""Records as nobody's: whichever of their strings holds a name, none comes through."""

import json
import re
from pathlib import Path

import pytest

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Process, Record, Subject
from provenance.errors import ProvError
from provenance.operations import _identity, anonymous
from provenance.store.lockfile import Lock
from provenance.store.project import Project
from tests.conftest import git

GOLDEN = sorted((Path(__file__).parent.parent / "golden").rglob("record.json"))
WHO = {"USER": "zeldaqx", "HOME": "/home/zeldaqx", "HOSTNAME": "deepnode7.krakenlab.example"}
NAMES = ("zeldaqx", "deepnode7", "krakenlab", "quuxton")
FIXED = "schema status root sha256 id path_base64 mode version symbol origin".split()


@pytest.fixture
def place(tmp_path):
    """Return a project whose git settings name somebody."""
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Zelda Quuxton")
    git(tmp_path, "config", "user.email", "zelda.quuxton@krakenlab.example")
    git(tmp_path, "remote", "add", "origin", "https://github.com/krakenlab/paper.git")
    return Project(str(tmp_path), str(tmp_path))


def saturated(item, name=""):
    """Return plain JSON with a name in every string that is free to hold one."""
    if isinstance(item, dict):
        return {key: saturated(part, key) for key, part in item.items()}
    if isinstance(item, list):
        return [saturated(part, name) for part in item]
    if isinstance(item, str) and name not in (*FIXED, "modules"):
        if item.startswith("/"):
            return item + "/zeldaqx/of-ZELDAQX.csv"
        return "%s zeldaqx /home/zeldaqx/x/y.csv zelda.quuxton@krakenlab.example" % item
    return item


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_no_string_of_a_record_comes_through(path, place):
    document = saturated(json.loads(path.read_text(encoding="utf-8")))
    run = record.from_json(document)
    hidden = json.dumps(record.to_json(anonymous.shown(run, place, WHO))).lower()
    assert [name for name in NAMES if name in hidden] == []
    assert re.findall(r".{60}/home/.{30}", hidden) == []


def of(**facets):
    """Return a record with these payloads, made on a telling machine."""
    answers = {
        name: Payload("captured", 1, (Subject("run", payload),)) for name, payload in facets.items()
    }
    return Record(
        "20260101T000000Z-00000001",
        ("python", "train.py"),
        PathRef("repo", "."),
        "done",
        "2026-01-01T00:00:00+00:00",
        process=Process(1, "deepnode9"),
        roots={"home": "/mnt/users/zeldaqx", "repo": "/mnt/users/zeldaqx/paper"},
        facets=answers,
    )


def test_ranks_jobs_and_cards(place):
    run = of(
        processes={
            "ranks": [{"host": "deepnode9", "device": {"uuid": "GPU-1"}}, {"host": "other3"}],
            "differing": [{"name": "host", "values": {"deepnode9": [0], "other3": [1]}}],
            "job": {"system": "slurm", "id": "99"},
            "listed": [{"command": "/mnt/users/zeldaqx/paper/run.sh on deepnode9"}],
        },
        hardware={"gpus": [{"name": "A100", "uuid": "GPU-1", "serial": "77"}]},
    )
    hidden = anonymous.shown(run, place, WHO)
    told = hidden.facets["processes"].subjects[0].payload
    assert [rank["host"] for rank in told["ranks"]] == ["host", "host-2"]
    assert told["ranks"][0]["device"]["uuid"] == ""
    assert told["differing"][0]["values"] == {"host-1": [0], "host-2": [1]}
    assert told["job"] == {"system": "slurm", "id": ""}
    assert told["listed"][0]["command"] == "./run.sh on host"
    card = hidden.facets["hardware"].subjects[0].payload["gpus"][0]
    assert card == {"name": "A100", "uuid": "", "serial": ""}
    assert hidden.process is None
    assert hidden.roots == {}


def test_telling_options_and_parameters(place):
    run = of(params={"values": {"wandb.entity": {"value": "mlgroup9"}, "lr": {"value": 0.1}}})
    run = run._replace(
        command=("srun", "-A", "biglab7", "--job-name=nightly", "python", "t.py", "--user", "zq7",
                 "author=Someone Else", "--out", "/scratch/mlgroup9/biglab7")
    )  # fmt: skip
    hidden = anonymous.shown(run, place, WHO)
    assert hidden.command == (
        "srun", "-A", "anonymous", "--job-name=anonymous", "python", "t.py", "--user", "anonymous",
        "author=anonymous", "--out", "/anonymous/account",
    )  # fmt: skip
    values = hidden.facets["params"].subjects[0].payload["values"]
    assert values == {"wandb.entity": {"value": "anonymous"}, "lr": {"value": 0.1}}


def test_who_is_told_by_git_remotes_and_hosts(place):
    who = _identity.of(place, (of(),), WHO)
    words = {word.lower(): neutral for word, neutral in who.words}
    assert words["zeldaqx"] == "user"
    assert words["deepnode9"] == "host"
    assert words["krakenlab"] == "owner"
    assert words["quuxton"] == words["zelda quuxton"] == "author"
    assert "/mnt/users/zeldaqx" in who.homes
    assert "github.com" not in words
    assert "example" not in words


def test_a_name_in_a_file_of_the_code_is_told(place):
    run = of(code={"used": [{"path": {"root": "repo", "path": "conf/zeldaqx.py"}, "digests": {}}]})
    made, told = anonymous.lock(Lock((run,)), place, (run,), WHO)
    assert "conf/zeldaqx.py" in " ".join(told)
    assert "zeldaqx" not in json.dumps(record.to_json(made.runs[0]))


def test_a_member_that_is_not_known_is_hidden_too(place):
    run = of()._replace(extra={"later": {"by": "zeldaqx"}})
    made, _ = anonymous.lock(
        Lock((run,), stated=({"url": "git@x.example:krakenlab/a"},)), place, (run,), WHO
    )
    assert made.runs[0].extra == {"later": {"by": "user"}, "anonymous": True}
    assert "krakenlab" not in json.dumps(made.stated)


def test_what_would_still_name_somebody_is_not_written(place):
    run = of()
    entry = {"id": "x", "text": "as zeldaqx said"}
    words = anonymous._plain_vocabulary(Lock((run,), (entry,)))
    assert "zeldaqx" in words  # prov's own words are no names
    veil = anonymous._veil(place, (run,), WHO, ())
    with pytest.raises(ProvError, match="it was not written"):
        anonymous._require_hidden(Lock((run,), (entry,)), veil)


def test_words_of_public_libraries_are_no_names_and_those_of_own_packages_may_be(place):
    packages = {
        "distributions": {
            "deepnode7": {"version": "1", "modules": ["deepnode7"]},
            "zeldaqx-tools": {"version": "1", "origin": "editable", "modules": ["zeldaqx"]},
        }
    }
    sites = {"sites": [{"symbol": "zeldaqx.load", "note": "deepnode7.run of zeldaqx"}]}
    run = of(packages=packages, behaviour=sites)
    hidden = anonymous.shown(run, place, WHO)
    assert "deepnode7" in hidden.facets["packages"].subjects[0].payload["distributions"]
    assert "zeldaqx" not in json.dumps(record.to_json(hidden))
