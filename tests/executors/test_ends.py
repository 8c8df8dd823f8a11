"""How a command starts and ends: exit codes, signals, what is not found, what cannot be run."""

import os
import resource
import signal
import sys

import pytest

from provenance.executors import local
from tests.executors.harness import Way, both, python, run

SILENT = {"stdout": -3, "stderr": -3}


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_code(tmp_path, code):
    got = both(tmp_path, lambda way: run(way.argv("sh", "-c", "exit %d" % code)).returncode)
    assert got == code


@pytest.mark.parametrize("name", ["SEGV", "KILL", "TERM", "INT", "PIPE", "ABRT", "XCPU", "RTMIN"])
def test_death_by_signal(tmp_path, name):
    number = int(getattr(signal, "SIG" + name))
    source = "import os\nos.kill(os.getpid(), %d)" % number
    if name == "INT":
        source = "import signal\nsignal.signal(2, signal.SIG_DFL)\n" + source
    got = both(tmp_path, lambda way: run(way.argv(*python(source)), **SILENT).returncode)
    if name == "PIPE":
        return  # Python ignores it, bare or not
    assert got == -number


def test_the_report_has_shell_codes_and_usage(tmp_path):
    way = Way(tmp_path, True)
    run(way.argv(*python("import os\nb'x' * (80 << 20)\nos.kill(os.getpid(), 15)")), **SILENT)
    outcome = way.report["outcome"]
    assert (outcome["exit_code"], outcome["signal"]) == (143, 15)
    assert outcome["max_process_bytes"] > 80 << 20
    assert outcome["duration_s"] > 0
    assert outcome["cpu_user_s"] + outcome["cpu_system_s"] > 0


def test_memory_of_the_tree(tmp_path):
    way = Way(tmp_path, True)
    hold = "import time\nkept = b'x' * (60 << 20)\ntime.sleep(1.5)"
    source = (
        "import subprocess, sys\n"
        "jobs = [subprocess.Popen([sys.executable, '-c', %r]) for _ in 'ab']\n"
        "[job.wait() for job in jobs]" % hold
    )
    run(way.argv(*python(source)))
    outcome = way.report["outcome"]
    assert outcome["max_tree_bytes"] > 120 << 20
    assert outcome["max_process_bytes"] < outcome["max_tree_bytes"]
    assert 0.1 <= outcome["sample_interval_s"] <= 5


def _bad(folder):
    """Make what cannot be run, and return the commands."""
    (folder / "plain").write_text("echo ran")
    (folder / "folder").mkdir()
    script = folder / "noshebang"
    script.write_text('echo "ran $0 $1 $#"\n')
    lost = folder / "lost"
    lost.write_text("#!/no/such/interpreter\n")
    binary = folder / "binary"
    binary.write_bytes(b"\x7fXXX\0\0\0junk\n")
    empty = folder / "empty"
    empty.write_text("")
    for one in (script, lost, binary, empty):
        one.chmod(0o755)
    return [
        "no-such-command", "./no-such-file", "plain", "./plain", "folder", "./folder", "noshebang",
        "./noshebang", "./lost", "lost", "./binary", "./plain/x", "empty", "",
    ]  # fmt: skip


@pytest.mark.parametrize("index", range(14))
def test_what_a_shell_would_say(tmp_path, index):
    """Bare means started by bash, which finds the command and gives 126 or 127."""

    def scenario(way):
        command = _bad(way.folder)[index]
        argv = [command, "one two", "*"]
        if not way.wrapped:
            argv = ["bash", "-c", '"$@"; exit $?', "bash", *argv]
        env = dict(os.environ, PATH=":" + os.environ["PATH"])
        return run(way.argv(*argv), env=env, cwd=way.folder, stdout=-1, stderr=-3).returncode

    both(tmp_path, scenario)


def test_script_without_interpreter_gets_its_arguments(tmp_path):
    way = Way(tmp_path, True)
    _bad(tmp_path)
    done = run(way.argv("./noshebang", "one two", "*"), cwd=tmp_path, stdout=-1)
    assert done.stdout == b"ran ./noshebang one two 2\n"


def test_messages_name_the_command(tmp_path):
    way = Way(tmp_path, True)
    _bad(tmp_path)
    for command, code, message in (
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./no-such-file", 127, "./no-such-file: No such file or directory"),
        ("./plain", 126, "./plain: Permission denied"),
        ("./folder", 126, "./folder: Is a directory"),
    ):
        done = run(way.argv(command), cwd=tmp_path, stderr=-1, stdout=-3, text=True)
        assert (done.returncode, done.stderr.strip()) == (code, message)


def test_path_of_the_command_not_ours(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tool").write_text("#!/bin/sh\necho %s\n" % name)
        (tmp_path / name / "tool").chmod(0o755)
    way = Way(tmp_path, True)
    env = dict(os.environ, PATH="b:%s/a" % tmp_path, PROV_TEST_CWD=str(tmp_path))
    assert run(way.argv("tool"), env=env, cwd="/", stdout=-1).stdout == b"b\n"
    env["PATH"] = "%s/a:b" % tmp_path
    assert run(way.argv("tool"), env=env, cwd="/", stdout=-1).stdout == b"a\n"
    assert run(way.argv("/bin/pwd"), env=env, cwd="/", stdout=-1).stdout == b"%s\n" % bytes(
        tmp_path
    )


def test_what_the_command_inherits(tmp_path):
    """Descriptors, signal mask and dispositions, limits, priority, working folder, group."""
    source = (
        "import os, signal, json\n"
        "fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))\n"
        "fds = [n for n in fds if os.path.exists('/proc/self/fd/%d' % n)]\n"
        "status = [l.split() for l in open('/proc/self/status')]\n"
        "libc = 3 << 31  # the C library's own signals, which its posix_spawn ignores\n"
        "mask = [(l[0], int(l[1], 16) & ~libc) for l in status if l[0] in ('SigBlk:', 'SigIgn:')]\n"
        "print(json.dumps([fds, mask, os.getcwd(), os.nice(0), os.umask(0)]))\n"
    )

    def scenario(way):
        read, write = os.pipe()
        before = {signal.SIGUSR2}
        old = signal.pthread_sigmask(signal.SIG_BLOCK, before)
        hup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            argv = way.argv(*python(source))
            return run(argv, stdout=-1, pass_fds=[read, write], cwd="/tmp").stdout
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
            signal.signal(signal.SIGHUP, hup)
            os.close(read)
            os.close(write)

    assert b"SigBlk" in both(tmp_path, scenario)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
def test_closed_descriptors_stay_closed(tmp_path, closed):
    source = (
        "import os, sys\n"
        "def there(fd):\n"
        "    try: os.fstat(fd)\n"
        "    except OSError: return False\n"
        "    return True\n"
        "found = [there(fd) for fd in (0, 1, 2)]\n"
        "open(sys.argv[1], 'w').write(repr(found))\n"
    )

    def scenario(way):
        out = way.folder / "fds"
        shut = " ".join("%d>&-" % fd for fd in closed)
        run(["sh", "-c", '"$@" ' + shut, "sh", *way.argv(*python(source), str(out))], **SILENT)
        return out.read_text()

    assert both(tmp_path, scenario) == repr([fd not in closed for fd in (0, 1, 2)])


def test_no_core_file_of_ours(tmp_path):
    way = Way(tmp_path, True)
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    source = "import resource, os\nresource.setrlimit(resource.RLIMIT_CORE, (0, %d))\n" % limit
    source += "os.kill(os.getpid(), 11)\n"
    shell = 'ulimit -c %s; "$@"; ls' % ("unlimited" if limit < 0 else limit)
    done = run(["bash", "-c", shell, "bash", *way.argv(*python(source))], cwd=tmp_path, stdout=-1)
    assert b"core" not in done.stdout


def test_signals_reach_us_again_after_release(tmp_path):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    request = local.Request(
        (sys.executable, "-c", "pass"), os.environ, os.getcwd(), None, lambda d: d, lambda: 0
    )
    for _ in range(2):
        ended = local.run(request)  # pytest's own threads may be handed its end: see LOOK_S
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    local.release()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert ended.log.path is None
    assert ended.log.mode == "not captured"
    with pytest.raises(local.NotStarted):
        local.run(request._replace(argv=("no-such-command",)))
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_the_end_of_the_command_is_seen_where_another_thread_takes_the_signal(tmp_path):
    """A thread from before us does not block signals: the kernel may hand it SIGCHLD."""
    source = (
        "import os, sys, threading, time\n"
        "from provenance.executors import _signals, local\n"
        "_signals.LOOK_S = 0.2\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "fetch = _signals.fetch\n"
        "def late(timeout):\n"
        "    time.sleep(0.3)\n"  # the command ends while nobody waits
        "    return fetch(timeout)\n"
        "_signals.fetch = late\n"
        "request = local.Request((sys.executable, '-c', 'pass'), os.environ, os.getcwd(), None,\n"
        "                        lambda d: d, lambda: 0)\n"
        "print(local.run(request).outcome.exit_code, flush=True)\n"
        "os._exit(0)\n"
    )
    done = run([sys.executable, "-c", source], cwd=tmp_path, stdout=-1)
    assert done.stdout.split() == [b"0"]
