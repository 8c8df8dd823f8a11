"""Under strace a command is still its own: exit, signals, descriptors, dispositions, parent."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from provenance.executors import _trace
from tests.executors import test_ends, test_signals, test_terminal
from tests.executors.harness import Way, both, python, run, wait_for

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None or not os.path.exists("/proc/self/status"),
    reason="strace is not installed",
)


@pytest.fixture(autouse=True)
def traced(tmp_path, monkeypatch):
    tracer, reason = _trace.probe(os.environ, str(tmp_path / "probe"))
    if tracer is None:
        pytest.skip(reason)
    monkeypatch.setenv("PROV_TEST_STRACE", ".strace")


def test_it_is_traced(tmp_path):
    way = Way(tmp_path, True)
    done = run(way.argv("grep", "TracerPid", "/proc/self/status"), stdout=-1)
    assert int(done.stdout.split()[1]) > 0
    assert re.search(r'execve\("[^"]*/grep"', (tmp_path / "report.strace").read_text())


def test_what_a_command_can_see_of_itself(tmp_path):
    look = (
        "import os, sys\n"
        "text = open('/proc/self/status').read()\n"
        "print([l for l in text.splitlines() if l.startswith(('SigBlk', 'SigIgn', 'Groups'))])\n"
        "print(open('/proc/self/cmdline').read(), sorted(os.environ), os.getcwd(), sys.argv)\n"
        "print(sorted(os.listdir('/proc/self/fd')), os.umask(0), os.getpgid(0) == os.getpid())\n"
        "try: print(os.waitpid(-1, os.WNOHANG))\n"
        "except ChildProcessError: print('no children')\n"
    )

    # bare and wrapped, but not traced: that is compared elsewhere; here only being traced differs
    environ = dict(os.environ)
    results = []
    for name in ("plain", "traced"):
        folder = tmp_path / name
        folder.mkdir()
        way = Way(folder, True)
        env = dict(environ, PROV_TEST_STRACE=".strace" if name == "traced" else "")
        done = run(way.argv(*python(look)), stdout=-1, stderr=-1, env=env)
        results.append((done.returncode, done.stderr, done.stdout))
    assert results[0] == results[1]
    assert b"no children" in results[0][2]


@pytest.mark.parametrize("name", ["SEGV", "KILL", "TERM", "RTMIN"])
def test_death_by_signal(tmp_path, name):
    test_ends.test_death_by_signal(tmp_path, name)


@pytest.mark.parametrize("index", range(14))
def test_what_cannot_be_run(tmp_path, index):
    test_ends.test_what_a_shell_would_say(tmp_path, index)


@pytest.mark.parametrize("turn", range(4))
def test_a_signal_for_the_group_comes_once(tmp_path, turn):
    test_signals.test_a_signal_for_the_group_comes_once(tmp_path, turn)


def test_a_signal_for_us_alone_is_passed_on(tmp_path):
    test_signals.test_a_signal_for_us_alone_is_passed_on(tmp_path, "TERM")


def test_stop_and_continue_under_a_shell(tmp_path):
    test_terminal.test_stop_and_continue_under_a_shell(tmp_path, 0)


def test_a_program_that_needs_its_loader_is_checked_before(tmp_path):
    shell = Path(shutil.which("sh")).resolve().read_bytes()
    loader = _trace._loader(shell[:4096])
    assert loader is None or os.path.exists(loader)
    broken = tmp_path / "broken"
    broken.write_bytes(shell.replace(loader, b"/lost") if loader else b"")
    broken.chmod(0o755)
    if loader:
        assert not _trace._starts(str(broken), 4)


def test_kill_9_of_the_group_ends_strace_too(tmp_path):
    counting = test_signals.Counting(Way(tmp_path, True))
    tracer = _trace.tracer_of(counting.pid)
    assert tracer
    os.killpg(counting.job.pid, signal.SIGKILL)
    counting.job.wait()
    counting.job.stdout.close()
    wait_for(lambda: not test_signals._lives(tracer), "the end of strace")


def test_a_daemon_that_is_left_goes_on_unharmed(tmp_path):
    mark = tmp_path / "later"
    script = "(sleep 1; echo done > %s) >/dev/null 2>&1 &" % mark
    way = Way(tmp_path, True)
    start = time.monotonic()
    with subprocess.Popen(way.argv("sh", "-c", script), stdin=-3, stdout=-1) as job:
        job.communicate()
        assert job.returncode == 0
    assert time.monotonic() - start < 30
    wait_for(lambda: mark.exists() and mark.read_text() == "done\n", "the daemon's file")


def test_bytes_in_and_out(tmp_path):
    data = os.urandom(1 << 20)

    def scenario(way):
        return run(way.argv("sh", "-c", "cat; echo err >&2"), input=data, stdout=-1, stderr=-1)

    got = both(tmp_path, lambda way: (scenario(way).stdout, scenario(way).stderr))
    assert got == (data, b"err\n")


def test_without_strace_the_reason_is_one_sentence(tmp_path):
    tracer, reason = _trace.probe({"PATH": str(tmp_path)}, str(tmp_path / "log"))
    assert (tracer, reason) == (None, "strace is not installed")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo \"strace: invalid option -- '-'\" >&2; exit 1", "too old"),
        ("echo 'strace: attach: ptrace(PTRACE_SEIZE, 5): Operation not permitted' >&2; exit 1",
         "does not let one process trace another"),
        ("exit 0", "it logged nothing"),
    ],
    ids=["old", "refused", "mute"],
)  # fmt: skip
def test_a_strace_that_does_not_work(tmp_path, script, told):
    fake = tmp_path / "strace"
    fake.write_text("#!/bin/sh\n%s\n" % script)
    fake.chmod(0o755)
    environ = {"PATH": "%s:%s" % (tmp_path, os.environ["PATH"])}
    tracer, reason = _trace.probe(environ, str(tmp_path / "log"))
    assert tracer is None
    assert told in reason
