"""``prov verify --deep``: site-packages that somebody edited are found, with the line."""

import os
import pathlib

import pytest

from provenance.store import lockfile
from tests.cli.test_replay_rebuild import commit, paper  # noqa: F401  # a fixture
from tests.facets._venvs import venv

pytestmark = [pytest.mark.slow, pytest.mark.network]


def site_of(python):
    return next(pathlib.Path(python).parent.parent.glob("lib/python3*/site-packages"))


def edit(path, change):
    """Write ``change(text)`` to a new file: the old one may be a link to uv's cache."""
    text = path.read_text()
    path.unlink()
    path.write_text(change(text))


@pytest.fixture
def recorded(paper, tmp_path):  # noqa: F811
    """Return the command line after a run in an untouched environment, and its interpreter."""
    paper.environ["PROV_CACHE"] = str(tmp_path / "cache")
    python = venv(tmp_path / "env", "six==1.16.0", "click==8.1.7", "idna==3.7")
    commit(paper, main="import six, click\n")
    paper("run", "--", python, "main.py")
    return paper, python


def deep(prov, python, code=0):
    words = ("@last", "--python", python, "--deep", "--calls", "off")
    told = prov.json("verify", *words, code=code)
    found = {f["name"]: f for f in told["findings"] if f["kind"] in ("content", "missing")}
    return told, found


def test_untouched_files_are_counted(recorded):
    prov, python = recorded
    told, found = deep(prov, python)
    assert found == {}
    counted = told["compared"]["package files"]
    assert counted["unit"] == "files"
    assert counted["equal"] == counted["total"] > 15, "all of six and click, none of idna"
    assert "package files" not in prov.json("verify", "@last", "--python", python)["compared"]


def test_an_edit_is_told_with_its_line_and_what_it_can_mean(recorded):
    prov, python = recorded
    site = site_of(python)
    edit(site / "six.py", lambda text: text.replace("PY3 = sys.version_info[0] == 3", "PY3 = 1"))
    edit(site / "click" / "_winconsole.py", lambda text: text + "X = 1\n")
    edit(site / "click" / "py.typed", lambda _: "partial\n")
    edit(site / "idna" / "__init__.py", lambda text: text + "X = 1\n")
    _, found = deep(prov, python, code=1)
    assert set(found) == {"six: six.py", "click: click/_winconsole.py", "click: click/py.typed"}
    six = found["six: six.py"]
    assert (six["effect"], six["text"]) == ("known", "edited since it was installed")
    told = six["reasons"][0]
    assert told["level"] == "L0"
    assert "'PY3 = sys.version_info[0] == 3' -> 'PY3 = 1'" in told["text"]
    assert told["remedy"] == "pip install --force-reinstall --no-deps six==1.16.0"
    assert found["click: click/_winconsole.py"]["effect"] == "possible"
    assert found["click: click/py.typed"]["effect"] == "unknown"
    shown = prov("verify", "@last", "--python", python, "--deep", "--calls", "off", code=1).stdout
    assert "KNOWN  six: six.py: edited since it was installed" in shown


def test_a_file_that_is_gone_is_told(recorded):
    prov, python = recorded
    (site_of(python) / "click" / "utils.py").unlink()
    _, found = deep(prov, python)
    assert found["click: click/utils.py"]["kind"] == "missing"
    assert found["click: click/utils.py"]["effect"] == "possible"


def test_what_was_edited_before_the_run_is_no_change_but_the_lock_warns(recorded):
    prov, python = recorded
    path = site_of(python) / "six.py"
    edit(path, lambda text: text + "X = 1\n")
    later = os.stat(path).st_mtime + 30  # as edited a while after the install
    os.utime(path, (later, later))
    os.utime(path.parent / "six-1.16.0.dist-info" / "RECORD", (later - 30, later - 30))
    warnings = " ".join(prov.json("lock", "@last")["warnings"])
    assert "six 1.16.0 was edited after it was installed (six.py)" in warnings
    os.utime(path, (later - 60, later - 60))
    prov("run", "--", python, "main.py")
    told, found = deep(prov, python)
    assert told["verdict"] == "no known effect"
    assert found["six: six.py"]["effect"] == "unknown"
    assert found["six: six.py"]["text"].startswith("edited before the run, which used it so")


def test_a_lock_carries_hashes_once_per_environment(recorded, tmp_path):
    prov, python = recorded
    prov("run", "--", python, "main.py")
    told = prov.json("lock", "@last", "@-2")
    assert told["notes"][0].startswith("hashes of 3 releases (6 files for ")
    lock = lockfile.read(str(prov.folder / "prov.lock"))
    (entry,) = lock.requirements
    assert sorted(entry["runs"]) == sorted(told["runs"])
    assert sorted(entry["hashes"]) == ["click==8.1.7", "idna==3.7", "six==1.16.0"]
    assert entry["without"] == []
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    told = prov.json("lock", "@last", env=nowhere)
    assert "no hashes in the lock: nothing was locked: the index cannot be" in told["warnings"][0]
    assert lockfile.read(str(prov.folder / "prov.lock")).requirements == ()
    hidden = {"UV_CACHE_DIR": str(tmp_path / "empty")}
    told = prov.json("lock", "@last", "--offline", env=hidden)
    assert any("not in uv's cache" in text for text in told["warnings"])
    assert "--locker 'conda' is none" in prov("lock", "@last", "--locker", "conda", code=2).stderr
