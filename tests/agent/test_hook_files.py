"""What the hook says of files: reads, writes, moves, removals, folders, odd names."""

import os
import sys
import time

import pytest

from provenance.core.redact import Redactor
from tests.agent._hook import AUDITED, VERSIONS, observe, python_of, script


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    for name in ("in.txt", "old.txt", "both.txt"):
        (made / name).write_text("x")
    (made / "sub").mkdir()
    (made / "sub" / "deep.txt").write_text("x")
    return made


def uses(version, folder, code, **more):
    seen = observe([python_of(version), "-c", code], folder, **more)
    assert seen.code == 0, seen.err
    return seen.uses()


@pytest.mark.parametrize("version", VERSIONS)
def test_modes_tell_reads_from_writes(version, folder):
    code = (
        "open('in.txt').close()\nopen('a.txt', 'a').close()\nopen('x.txt', 'x').close()\n"
        "open('w.txt', 'wb').close()\nopen('both.txt', 'r+').close()\n"
        "open('w+.txt', 'w+').close()\nimport os\n"
        "os.close(os.open('old.txt', os.O_RDONLY))\n"
        "os.close(os.open('o.txt', os.O_WRONLY | os.O_CREAT))\n"
        "open('w.txt').close()\nopen('in.txt', 'w').close()\n"
    )
    found = uses(version, folder, code)
    assert found["in.txt"] == "rw"
    assert found["both.txt"] in ("r", "rw")  # opened for both, nothing written to it
    assert {n: found[n] for n in ("a.txt", "x.txt", "w+.txt", "o.txt")} == dict.fromkeys(
        ("a.txt", "x.txt", "w+.txt", "o.txt"), "w"
    )
    assert found["w.txt"] == "wr"
    assert found["old.txt"] == "r"


@pytest.mark.parametrize("version", VERSIONS)
def test_failed_opens_leave_no_trace(version, folder):
    code = (
        "import os\nfor name, mode in (('none.txt', 'r'), ('none/x.txt', 'w'), ('sub', 'r')):\n"
        " try:\n  open(name, mode)\n except OSError:\n  pass\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    assert set(seen.uses()) <= {"none/x.txt"}
    assert seen.observed.removed == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_could_not_be_written_was_not(version, folder):
    if os.geteuid() == 0:
        code = "import os\nos.open('old.txt', os.O_WRONLY)\nopen('in.txt').close()"
        os.utime(folder / "old.txt", (1, 1))
        # opened for writing and never written: what counts is the change
        found = uses(version, folder, "import time; time.sleep(0.1)\n" + code)
        assert found.get("old.txt") in (None, "w")
    else:
        (folder / "old.txt").chmod(0o400)
        code = "try:\n open('old.txt', 'w')\nexcept OSError:\n pass"
        assert "old.txt" not in uses(version, folder, "import time; time.sleep(0.1)\n" + code)


@pytest.mark.parametrize("version", VERSIONS)
def test_relative_paths_follow_the_working_folder(version, folder):
    code = (
        "import os\nopen('in.txt').close()\nos.chdir('sub')\nopen('deep.txt').close()\n"
        "open('in.txt', 'w').close()\nos.chdir('..')\nopen('./sub/../old.txt').close()\n"
        "fd = os.open('sub', os.O_RDONLY)\nos.fchdir(fd)\nopen('new.txt', 'w').close()\n"
    )
    found = uses(version, folder, code)
    expected = {"in.txt": "r", "sub/deep.txt": "r", "sub/in.txt": "w", "old.txt": "r"}
    if version != "3.7":
        expected["sub/new.txt"] = "w"
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_moves_and_removals(version, folder):
    code = (
        "import os\nopen('tmp.txt', 'w').close()\nos.replace('tmp.txt', 'new.txt')\n"
        "open('old.txt').close()\nos.remove('old.txt')\n"
        "open('t2', 'w').close()\nos.remove('t2')\n"
        "os.rename('both.txt', 'moved.txt')\n"
        "open('in.txt').close()\nopen('t3', 'w').close()\nos.replace('t3', 'in.txt')\n"
        "try:\n os.remove('never.txt')\nexcept OSError:\n pass\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    found = seen.uses()
    assert found["new.txt"] == "w"
    assert found["moved.txt"] == "w"
    assert found["in.txt"] == "rw"
    assert found["old.txt"] == "r"
    assert "tmp.txt" not in found
    assert "t3" not in found
    removed = {os.path.relpath(path, folder) for path in seen.observed.removed}
    assert removed == {"old.txt", "both.txt"}


@pytest.mark.parametrize("version", AUDITED)
def test_whole_folders_moved_and_removed(version, folder):
    code = (
        "import os, shutil\nos.mkdir('tmp')\nopen('tmp/a.txt', 'w').close()\n"
        "os.makedirs('tmp/b')\nopen('tmp/b/c.txt', 'w').close()\nos.rename('tmp', 'final')\n"
        "open('sub/deep.txt').close()\nshutil.rmtree('sub')\n"
        "shutil.copyfile('in.txt', 'copy.txt')\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    found = seen.uses()
    assert found == {
        "final/a.txt": "w",
        "final/b/c.txt": "w",
        "sub/deep.txt": "r",
        "in.txt": "r",
        "copy.txt": "w",
    }
    assert [os.path.relpath(p, folder) for p in seen.observed.removed] == ["sub/deep.txt"]


@pytest.mark.parametrize("version", AUDITED)
def test_links_lead_to_what_was_read(version, folder):
    old = time.monotonic() + 0.1
    while time.monotonic() < old:  # the files behind the links are older than the run
        time.sleep(0.01)
    code = (
        "import os\nos.symlink('../in.txt', 'sub/soft')\nos.link('old.txt', 'hard')\n"
        "open('sub/soft').close()\nopen('hard').close()\nos.truncate('both.txt', 0)\n"
    )
    found = uses(version, folder, code)
    assert found == {
        "sub/soft": "wr",
        "hard": "wr",
        "in.txt": "r",
        "old.txt": "r",
        "both.txt": "w",
    }


@pytest.mark.parametrize("version", AUDITED)
def test_data_bases(version, folder):
    pytest.importorskip("sqlite3")
    make = "import sqlite3\nd = sqlite3.connect('%s')\nd.execute('%s')\nd.commit()\nd.close()"
    uses(version, folder, make % ("old.db", "create table t(a)"))
    os.utime(folder / "old.db")
    import time

    time.sleep(0.1)
    made = uses(version, folder, make % ("new.db", "create table t(a)"), agent=folder.parent / "2")
    assert made == {"new.db": "w"}
    time.sleep(0.1)
    code = make % ("file:old.db?mode=ro", "select * from t")
    code = code.replace("mode=ro'", "mode=ro', uri=True") + "\nsqlite3.connect(':memory:')"
    assert uses(version, folder, code, agent=folder.parent / "3") == {"old.db": "r"}


@pytest.mark.parametrize("version", VERSIONS)
def test_odd_names(version, folder):
    names = [b"caf\xe9.txt", "日本.txt".encode(), b"a b.txt", b"new\nline.txt", b"back\\slash"]
    for name in names:
        with open(os.path.join(os.fsencode(folder), name), "wb"):
            pass
    code = "import os, pathlib\nfor n in %r:\n open(n).close()\n" % names
    code += "pathlib.Path('in.txt').read_text()\nopen(pathlib.Path('old.txt')).close()\n"
    code += "open(os.fsdecode(%r), 'r').close()" % names[0]
    found = uses(version, folder, code)
    assert found == {**{os.fsdecode(n): "r" for n in names}, "in.txt": "r", "old.txt": "r"}


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "POSIX"])
def test_odd_names_in_odd_locales(locale, folder):
    name = "é.txt".encode()
    with open(os.path.join(os.fsencode(folder), name), "wb"):
        pass
    code = "open(%r).close()" % name
    for extra in ({}, {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}):
        seen = observe(
            [sys.executable, "-c", code],
            folder,
            agent=folder.parent / ("agent%d" % len(extra)),
            LC_ALL=locale,
            **extra,
        )
        assert seen.uses() == {"é.txt": "r"}


@pytest.mark.parametrize("version", VERSIONS)
def test_many_files_become_one_folder(version, folder):
    data = folder / "data"
    data.mkdir()
    for number in range(300):
        (data / ("%d.bin" % number)).write_text("x")
    (data / "labels.json").write_text("{}")
    code = (
        "import os\nfor r in range(3):\n for n in range(300):\n"
        "  open('data/%d.bin' % n).close()\nopen('data/labels.json').close()\n"
        "open('data/out.bin', 'w').close()\nopen('in.txt').close()\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    (many,) = seen.observed.folders
    assert many.path == str(data)
    assert 300 <= many.files <= 302
    found = seen.uses()
    assert found["in.txt"] == "r"
    assert found["data/out.bin"] == "w"
    assert not any(name.endswith("7.bin") for name in found)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_module_without_its_source(version, folder):
    """Bytecode beside the source counts as the source, bytecode alone as itself."""
    script(folder, "X = 1\n", "helper.py")
    script(folder, "X = 1\n", "lone.py")
    code = (
        "import helper, os, py_compile\n"
        "py_compile.compile('lone.py', cfile='lone.pyc')\nos.remove('lone.py')\n"
    )
    environ = {"PYTHONDONTWRITEBYTECODE": ""}
    first = observe([python_of(version), "-c", code], folder, **environ)
    assert first.uses()["helper.py"] == "r", first.err
    again = folder.parent / "again"
    seen = observe(
        [python_of(version), "-c", "import helper, lone"], folder, agent=again, **environ
    )
    assert seen.uses()["helper.py"] == "r", seen.err
    assert not any("__pycache__" in name for name in {**first.uses(), **seen.uses()})


@pytest.mark.parametrize("version", AUDITED)
def test_bytecode_kept_elsewhere_counts_as_the_source(version, folder):
    script(folder, "X = 1\n", "helper.py")
    environ = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder.parent / "cache"),
    }
    for turn in ("1", "2"):
        seen = observe(
            [python_of(version), "-c", "import helper"],
            folder,
            agent=folder.parent / turn,
            **environ,
        )
        assert seen.uses() == {"helper.py": "r"}
    assert list(folder.parent.glob("cache/**/helper*.pyc"))


@pytest.mark.parametrize("version", AUDITED)
def test_order_across_processes(version, folder):
    code = (
        "import subprocess, sys\nopen('in.txt').close()\n"
        "run = lambda code: subprocess.check_call([sys.executable, '-c', code])\n"
        "run(\"open('step1', 'w').write('x')\")\nrun(\"open('step1').close()\")\n"
        "run(\"open('in.txt', 'w').close()\")\n"
    )
    found = uses(version, folder, code)
    assert found == {"in.txt": "rw", "step1": "wr"}


def test_secrets_are_in_no_command_and_no_parameter(folder):
    code = (
        "import argparse, subprocess, sys\np = argparse.ArgumentParser()\n"
        "p.add_argument('--api-key'); p.add_argument('--max-tokens', type=int)\n"
        "p.add_argument('--tokenizer')\n"
        "p.parse_args(['--api-key', 'hush-hush-1', '--max-tokens', '5', '--tokenizer', 'bert'])\n"
        "subprocess.call(['true', '--password', 'hush-hush-2', 'SECRET=hush-hush-3'])\n"
        "subprocess.call('true --password=hush-hush-4 plain', shell=True)\n"
    )
    agent = folder.parent / "agent"
    seen = observe([sys.executable, "-c", code], folder, Redactor(["plain-secret"]), agent)
    raw = b"".join(path.read_bytes() for path in agent.iterdir())
    assert b"bert" in raw
    assert raw.count(b"hush-hush") == 0
    assert "hush" not in repr(seen.observed)
    (parsed,) = seen.observed.parsed
    assert parsed.values["max_tokens"]["value"] == 5
