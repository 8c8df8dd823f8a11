"""Exactly the recorded releases get hashes; what an index lacks is named and fails nothing."""

import hashlib
import os

import pytest

from provenance.environments import build, locking
from provenance.environments.wanted import Layer, Wanted
from provenance.errors import SystemRefused, UsageError
from tests.environments._index import VERSION
from tests.environments.test_build import wish as build_wish


def wanted(*requirements, **more):
    return Wanted(VERSION, requirements, **more)


def wish(index, **more):
    return locking.Wish(index.environ, str(index.wheels), **more)


def digest(path):
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


REAL = wanted("six==1.16.0", "docopt==0.6.2", "no-such-release-of-ours==1.0", "six-not-there==2")


@pytest.mark.network
def test_every_release_gets_the_files_for_here_or_all(tmp_path):
    asked = locking.Wish(dict(os.environ), str(tmp_path))
    made = locking.lock(REAL, asked)
    pins = {pin.name: pin for pin in made.pins}
    assert set(pins) == {"six", "docopt"}
    assert set(pins["six"].hashes.values()) == {
        "six-1.16.0.tar.gz",
        "six-1.16.0-py2.py3-none-any.whl",
    }
    assert list(pins["docopt"].hashes) == [
        "sha256:49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8d08c85c491"
    ]
    assert {one.name for one in made.without} == {"no-such-release-of-ours", "six-not-there"}
    assert made.platform == locking.here()
    assert made.locker.startswith("uv ")

    every = locking.lock(wanted("markupsafe==2.0.1"), asked, locking.EVERY)
    some = locking.lock(wanted("markupsafe==2.0.1"), asked)
    assert every.platform == ""
    assert set(some.pins[0].hashes) < set(every.pins[0].hashes)
    assert len(every.pins[0].hashes) > 20

    offline = locking.lock(REAL, asked._replace(offline=True))
    assert offline.pins == made.pins
    assert "only what uv's cache knew" in offline.notes[0]
    empty = dict(os.environ, UV_CACHE_DIR=str(tmp_path / "empty"))
    nothing = locking.lock(REAL, locking.Wish(empty, str(tmp_path), offline=True))
    assert nothing.pins == ()
    assert {one.reason for one in nothing.without} == {
        "not in uv's cache, and the network is not to be used"
    }


@pytest.mark.network
def test_a_pylock_is_uvs_own(tmp_path):
    asked = locking.Wish(dict(os.environ), str(tmp_path))
    made = locking.lock(REAL, asked, locking.PYLOCK)
    tables = locking.tomllib.loads(made.text)
    assert [one["name"] for one in tables["packages"]] == ["docopt", "six"]
    assert tables["lock-version"] == "1.0"
    assert made.pins[1].url.startswith("https://")


@pytest.mark.network
def test_a_repository_that_does_not_answer_keeps_nothing_from_being_locked(tmp_path):
    asked = locking.Wish(dict(os.environ), str(tmp_path))
    gone = Layer("gone", "1.0", "git+https://127.0.0.1:9/gone.git@" + "0" * 40)
    made = locking.lock(wanted("six==1.16.0", layers=(gone,)), asked, locking.PYLOCK)
    assert [pin.name for pin in made.pins] == ["six"]


def test_no_index_is_an_error_that_says_so(index):
    index.wheel("alpha", "1.0")
    away = locking.Wish(index.away(), str(index.wheels))
    with pytest.raises(SystemRefused, match="nothing was locked: the index cannot be reached"):
        locking.lock(wanted("beta==1.0"), away)


def test_an_unknown_locker_is_refused(index):
    with pytest.raises(UsageError, match="--locker 'poetry' is none"):
        locking.lock(wanted("alpha==1.0"), wish(index, locker="poetry"))


def test_local_wheels_are_locked_as_files(index):
    path = index.wheel("alpha", "1.0")
    made = locking.lock(wanted("alpha==1.0"), wish(index))
    assert dict(made.pins[0].hashes) == {digest(path): path.name}
    assert made.pins[0].url == "", "a place of this machine is no address"


def test_a_build_takes_only_files_that_were_locked(index):
    path = index.wheel("alpha", "1.0")
    right = {"alpha==1.0": (digest(path),)}
    made = build.build(wanted("alpha==1.0", hashes=right), build_wish(index))
    assert made.missing == ()
    index.wheel("alpha", "1.0", source="VERSION = 'another build'\n")
    index.environ["UV_CACHE_DIR"] += "-empty"  # it still holds the file that was locked
    made = build.build(wanted("alpha==1.0", hashes=right), build_wish(index, fresh=True))
    assert [one.reason for one in made.missing] == [
        "the index has other files now than were locked (hash mismatch)"
    ]


def test_pins_are_read_from_requirements():
    text = "--index-url https://x\nA_b[c]==1.0 \\\n    --hash=sha256:%s\nd==2 # why\n# e==3\n"
    one, other = locking.pins_of(text % ("0" * 64), ())
    assert (one.name, one.version, dict(one.hashes)) == ("a-b", "1.0", {"sha256:" + "0" * 64: ""})
    assert (other.name, other.version, dict(other.hashes)) == ("d", "2", {})


@pytest.mark.network
@pytest.mark.slow
def test_pip_tools_locks_the_same_releases(tmp_path):
    pytest.importorskip("piptools")
    asked = locking.Wish(dict(os.environ), str(tmp_path), locking.PIP_TOOLS)
    made = locking.lock(wanted("six==1.16.0", "docopt==0.6.2"), asked)
    with_uv = locking.lock(wanted("six==1.16.0", "docopt==0.6.2"), asked._replace(locker="uv"))
    assert [(p.name, set(p.hashes)) for p in made.pins] == [
        (p.name, set(p.hashes)) for p in with_uv.pins
    ]
    assert made.locker.startswith("pip-tools ")
    with pytest.raises(SystemRefused, match=r"which is .* here; the run had 2\.7"):
        locking.lock(Wanted("2.7.18", ("six==1.16.0",)), asked)
    with pytest.raises(UsageError, match="only with an index"):
        locking.lock(wanted("six==1.16.0"), asked._replace(offline=True))
