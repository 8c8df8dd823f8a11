"""Full disks, ^C, damaged folders: the command is not harmed and nothing is lost."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import PYTHON, TRAIN, Prov, git


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a file system of ``size`` at ``folder``; skip where that is not allowed."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=%s" % size, "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("a small file system cannot be mounted here: %s" % done.stderr.decode())
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture
def cramped(tmp_path):
    """Return a project on a file system of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, "400k"):
        (folder / "train.py").write_text(TRAIN)
        (folder / "helper.py").write_text("def scale(loss, lr):\n    return loss * (1 - lr)\n")
        (folder / "data.csv").write_text("x\n1\n")
        yield Prov(folder)


def fill(folder, leave):
    """Fill the file system of ``folder`` but for about ``leave`` bytes."""
    free = os.statvfs(folder)
    room = free.f_bavail * free.f_frsize - leave
    with open(os.path.join(folder, "filler"), "wb") as stream:
        stream.write(b"x" * max(room, 0))


@pytest.mark.parametrize("leave", [0, 4096, 8192, 16384, 32768, 65536])
def test_a_full_disk_never_reaches_the_command(cramped, leave):
    fill(cramped.folder, leave)
    command = [PYTHON, "-c", "print('x' * 50000); raise SystemExit(7)"]
    done = cramped("run", "--", *command, code=7)
    assert done.stdout == "x" * 50000 + "\n"
    os.unlink(cramped.folder / "filler")
    listed = cramped.json("ls")
    for run in listed["runs"]:
        assert run["status"] in ("failed", "interrupted"), run
    if not listed["runs"] or listed["runs"][0]["status"] == "interrupted":
        assert "not all was recorded" in done.stderr


def test_a_disk_that_fills_while_the_command_runs(cramped):
    script = (
        "import os\n"
        "try:\n"
        "    with open('filler', 'wb', buffering=0) as f:\n"
        "        while True: f.write(b'x' * 4096)\n"
        "except OSError: print('full')\n"
    )
    done = cramped("run", "--", PYTHON, "-c", script)
    assert done.stdout == "full\n"
    os.unlink(cramped.folder / "filler")
    assert [run["status"] for run in cramped.json("ls")["runs"]] in (["done"], ["interrupted"])


def test_lock_on_a_full_disk_keeps_the_old_lock(cramped):
    cramped("run", "--", PYTHON, "train.py")
    cramped("lock", "@last")
    before = (cramped.folder / "prov.lock").read_bytes()
    fill(cramped.folder, 0)
    done = cramped("lock", "@last", code=5)
    assert "prov.lock cannot be written" in done.stderr
    assert (cramped.folder / "prov.lock").read_bytes() == before


def test_interrupt_on_a_terminal_reaches_the_command_once_and_is_recorded(prov, repo):
    script = (
        "import signal, sys, time\n"
        "hits = []\n"
        "signal.signal(signal.SIGINT, lambda *a: hits.append(1))\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end: time.sleep(0.05)\n"
        "print('hits', len(hits), flush=True)\n"
        "sys.exit(9)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(repo)
        words = [sys.executable, "-m", "provenance", "run", "--", PYTHON, "-c", script]
        os.execve(sys.executable, words, prov.environ)
    seen = read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    seen += read_until(terminal, b"hits")
    seen += read_until(terminal, b"next:")
    _, status = os.waitpid(pid, 0)
    assert b"hits 1" in seen
    assert os.waitstatus_to_exitcode(status) == 9
    assert prov.last()["exit_code"] == 9


def test_terminate_reaches_the_command_and_the_record_is_closed(prov, repo):
    process = subprocess.Popen(
        [sys.executable, "-m", "provenance", "run", "--", PYTHON, "-c",
         "import time; print('up', flush=True); time.sleep(60)"],
        cwd=repo, env=prov.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout.readline() == b"up\n"
    process.terminate()
    assert process.wait(timeout=60) == -signal.SIGTERM
    record = prov.last()
    assert record["signal"] == signal.SIGTERM
    assert record["status"] == "failed"


def test_a_killed_command_is_recorded_as_killed(prov, repo):
    prov("run", "--", PYTHON, "-c", "import os; os.kill(os.getpid(), 9)", code=-signal.SIGKILL)
    assert prov.last()["signal"] == 9


def test_odd_names_in_the_tree(prov, repo):
    odd = os.path.join(os.fsencode(repo), b"caf\xe9 \n'\".txt")
    with open(odd, "wb") as stream:
        stream.write(b"1")
    script = "import os; [open(n).read() for n in os.listdir('.') if n.endswith('.txt')]"
    prov("run", "--", PYTHON, "-c", script)
    prov("show", "@last", "data")
    prov("lock", "@last")
    assert prov.json("verify")["verdict"] == "same"


def test_a_shallow_and_a_detached_clone(prov, repo, tmp_path):
    git(repo, "commit", "-q", "--allow-empty", "-m", "two")
    git(tmp_path, "clone", "-q", "--depth", "1", "file://%s" % repo, "clone")
    clone = Prov(tmp_path / "clone")
    git(clone.folder, "checkout", "-q", "--detach")
    clone("run", "--", PYTHON, "train.py")
    assert clone.payload("code")["branch"] is None
    assert clone.json("replay", "--yes")["results"]["verdict"] == "same"


def read_until(terminal, word):
    """Read from ``terminal`` until ``word`` was seen or the other side is gone."""
    seen, deadline = b"", time.monotonic() + 60
    while word not in seen and time.monotonic() < deadline:
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            break
    return seen
