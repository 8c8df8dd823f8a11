"""What the command reads and writes, and what its descriptors look like to it."""

import itertools
import os
import signal
import socket
import subprocess

import pytest

from provenance.executors import _streams
from tests.executors.harness import Terminal, Way, both, python, run, text_of

KINDS = ("terminal", "pipe", "file", "null")
LOOK = (
    "import os, stat, sys\n"
    "def kind(fd):\n"
    "    mode = os.fstat(fd).st_mode\n"
    "    return ('tty' if os.isatty(fd) else 'file' if stat.S_ISREG(mode) else\n"
    "            'pipe' if stat.S_ISFIFO(mode) else 'other')\n"
    "size = [os.get_terminal_size(fd) if os.isatty(fd) else 0 for fd in (0, 1, 2)]\n"
    "text = repr([[kind(fd) for fd in (0, 1, 2)], size])\n"
    "os.write(1, b'out\\n')\n"
    "os.write(2, b'err\\n')\n"
    "open(sys.argv[1], 'w').write(text)\n"
)


@pytest.mark.parametrize("kinds", list(itertools.product(KINDS, repeat=3)), ids="-".join)
def test_terminals_stay_terminals(tmp_path, kinds):
    """All combinations of what 0, 1 and 2 are; and the bytes arrive where they should."""
    shell = {
        "terminal": ("", "", ""),
        "pipe": ("</dev/null cat | ", "1>&3", "2>&4"),
        "file": ("<input", "1>output", "2>errors"),
        "null": ("</dev/null", "1>/dev/null", "2>/dev/null"),
    }

    def scenario(way):
        (way.folder / "input").write_text("x")
        told = way.folder / "told"
        words = [shell[kind][fd] for fd, kind in enumerate(kinds)]
        before = words[0] if kinds[0] == "pipe" else ""
        first = "" if before else words[0]
        # 3 and 4 lead to pipes with a reader each, whatever the terminal is
        line = '{ { %s "$@" %s %s %s 3>&- 4>&-; } 3>&1 1>&5 5>&- | cat >p1; } 5>&1 4>p2 3>&-'
        line %= (before, first, words[1], words[2])
        if kinds[2] == "pipe":
            line = "mkfifo fifo; cat fifo >p2 & " + line.replace("4>p2", "4>fifo") + "; wait"
        argv = ["bash", "-c", line, "bash", *way.argv(*python(LOOK), str(told))]
        with Terminal(argv, size=(31, 97), cwd=way.folder) as terminal:
            terminal.end()
            got = [told.read_text(), terminal.output]
        for name in ("output", "errors", "p1", "p2"):
            path = way.folder / name
            got.append(path.read_bytes() if path.exists() else None)
        return got

    seen = both(tmp_path, scenario)[0]
    names = {"terminal": "tty", "null": "other"}
    assert seen.startswith(repr([[names.get(kind, kind) for kind in kinds]])[:-1])


def test_stdin_passes_through(tmp_path):
    data = os.urandom(100_000)
    assert both(tmp_path, lambda way: run(way.argv("cat"), input=data, stdout=-1).stdout) == data


@pytest.mark.parametrize("data", [b"", b"no end of line", b"\0\xff\r\n\x1b[0m", "big"])
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_bytes_are_exact_beyond_and_in_the_log(tmp_path, data, to):
    data = os.urandom(3_000_000) if data == "big" else data
    (tmp_path / "data").write_bytes(data)
    way = Way(tmp_path, True)
    with open(tmp_path / "out", "wb") as file:
        argv = way.argv("cat", str(tmp_path / "data"))
        if to == "file":
            run(argv, stdout=file, stderr=-2)
        else:
            file.write(run(argv, stdout=-1, stderr=-2).stdout)
    assert (tmp_path / "out").read_bytes() == data
    assert way.log.read_bytes() == data
    assert way.report["log"] == {
        "path": "log", "mode": to, "size": len(data), "redactions": 0, "truncated": False,
    }  # fmt: skip


def test_order_of_merged_output(tmp_path):
    source = "import os\nfor i in range(3000):\n    os.write(1 + i % 2, b'%d\\n' % i)"

    def scenario(way):
        done = run(way.argv(*python(source)), stdout=-1, stderr=subprocess.STDOUT)
        if way.wrapped:
            assert way.log.read_bytes() == done.stdout
        return done.stdout

    assert both(tmp_path, scenario) == b"".join(b"%d\n" % i for i in range(3000))


def test_two_pipes_stay_apart_and_meet_in_the_log(tmp_path):
    way = Way(tmp_path, True)
    done = run(way.argv("sh", "-c", "echo out; echo err >&2"), stdout=-1, stderr=-1)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert sorted(way.log.read_bytes().split()) == [b"err", b"out"]


def test_a_socket_gets_the_output(tmp_path):
    ours, theirs = socket.socketpair()
    way = Way(tmp_path, True)
    with ours, theirs:
        job = subprocess.Popen(way.argv("seq", "60000"), stdout=theirs, stdin=-3)
        theirs.close()
        got = b"".join(iter(lambda: ours.recv(65536), b""))
        assert job.wait() == 0
    assert got == way.log.read_bytes() == b"".join(b"%d\n" % i for i in range(1, 60001))


def test_what_we_opened_is_not_the_users(tmp_path):
    """Where the user had closed descriptor 1, a file of ours may have got its number."""
    with open(tmp_path / "file", "wb") as file:
        assert _streams.look(file.fileno()).mode == _streams.OTHER
        os.set_inheritable(file.fileno(), True)
        assert _streams.look(file.fileno()).mode == _streams.FILE


@pytest.mark.parametrize("append", [False, True])
def test_only_our_part_of_a_file_is_kept(tmp_path, append):
    out = tmp_path / "out"
    way = Way(tmp_path, True)
    shell = '{ echo before; "$@"; echo after; } %s out 2>&1' % (">>" if append else ">")
    run(["sh", "-c", shell, "sh", *way.argv("sh", "-c", "echo one; echo two >&2")], cwd=tmp_path)
    assert out.read_bytes() == b"before\none\ntwo\nafter\n"
    assert way.log.read_bytes() == b"one\ntwo\n"
    assert way.report["log"]["mode"] == "file"


def test_a_file_truncated_meanwhile(tmp_path):
    way = Way(tmp_path, True)
    shell = '{ echo a long line that was there before; "$@"; } >>out'
    command = way.argv("sh", "-c", "echo x; : >out; echo new")
    assert run(["sh", "-c", shell, "sh", *command], cwd=tmp_path).returncode == 0
    assert way.log.read_bytes() == (tmp_path / "out").read_bytes() == b"new\n"


def test_two_files_are_both_kept(tmp_path):
    way = Way(tmp_path, True)
    with open(tmp_path / "o", "wb") as out, open(tmp_path / "e", "wb") as err:
        run(way.argv("sh", "-c", "echo out; echo err >&2"), stdout=out, stderr=err)
    assert way.log.read_bytes() == b"out\nerr\n"


def test_without_a_log_everything_is_inherited(tmp_path):
    way = Way(tmp_path, True, capture=False)
    source = "import os\nprint(os.readlink('/proc/self/fd/1'))"
    read, write = os.pipe()
    with os.fdopen(read) as end:
        run(way.argv(*python(source)), stdout=write)
        os.close(write)
        inode = os.fstat(read).st_ino
        assert end.read() == "pipe:[%d]\n" % inode
    assert way.report["log"]["mode"] == "not captured"


def test_devices_are_said_not_to_be_kept(tmp_path):
    way = Way(tmp_path, True)
    run(way.argv("echo", "x"), stdout=-3, stderr=-3)
    assert way.report["log"]["path"] is None
    assert any("not kept" in note for note in way.report["notes"])


@pytest.mark.parametrize("turn", range(20))
def test_the_reader_goes_away(tmp_path, turn):
    """``yes | head -1``: the command dies by SIGPIPE, as bare."""

    def scenario(way):
        shell = '"$@" | head -1; echo ${PIPESTATUS[0]}'
        done = run(["bash", "-c", shell, "bash", *way.argv("yes")], stdout=-1, stderr=-1)
        return done.stdout, done.stderr

    assert both(tmp_path, scenario) == (b"y\n141\n", b"")


def test_the_reader_goes_away_while_the_command_is_silent(tmp_path):
    """Its first write after that must fail, though we could still take it."""
    source = (
        "import os, sys, time\n"
        "os.write(1, b'first\\n')\n"
        "while not os.path.exists(sys.argv[1] + '/gone'): time.sleep(.01)\n"
        "time.sleep(.3)\n"
        "try: os.write(1, b'second\\n')\n"
        "except BrokenPipeError: sys.exit(9)\n"
    )

    def scenario(way):
        argv = way.argv(*python(source), str(way.folder))
        job = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert job.stdout.readline() == b"first\n"
        job.stdout.close()
        (way.folder / "gone").touch()
        return job.wait()

    assert both(tmp_path, scenario) == 9


@pytest.mark.parametrize("turn", range(5))
def test_late_output_of_processes_left_behind(tmp_path, turn):
    """The command ends at once, and what its child prints later still arrives."""
    go = tmp_path / "go"

    def scenario(way):
        go.unlink(missing_ok=True)
        inner = "(while ! [ -e %s ]; do sleep .02; done; echo late) & echo early" % go
        job = subprocess.Popen(way.argv("sh", "-c", inner), stdout=subprocess.PIPE, stdin=-3)
        code = job.wait()
        assert job.stdout.readline() == b"early\n"
        go.touch()
        rest = job.stdout.read()
        job.stdout.close()
        if way.wrapped:
            assert way.log.read_bytes() == b"early\n"
            assert any("background" in note for note in way.report["notes"])
        return code, rest

    assert both(tmp_path, scenario) == (0, b"late\n")


def test_late_output_on_a_terminal(tmp_path):
    go = tmp_path / "go"

    def scenario(way):
        go.unlink(missing_ok=True)
        inner = "(while ! [ -e %s ]; do sleep .02; done; echo late; echo > %s.done) & echo early"
        shell = '"$@"; echo "code $?"; : > %s; while ! [ -e %s.done ]; do sleep .02; done' % (
            go,
            go,
        )
        argv = way.argv("sh", "-c", inner % (go, go))
        with Terminal(["sh", "-c", shell + "; sleep 0.5", "sh", *argv]) as terminal:
            terminal.expect(b"late\r\n")
            (tmp_path / "go.done").unlink(missing_ok=True)
            return terminal.output

    assert both(tmp_path, scenario) == b"early\r\ncode 0\r\nlate\r\n"


def test_a_reader_that_stalls_gets_everything_later(tmp_path):
    """The command is killed while its reader does not read; we must not wait for the reader."""
    way = Way(tmp_path, True)
    source = (
        "import os, signal, sys, time\n"
        "os.set_blocking(1, False)\n"
        "full = 0\n"
        "while full < 50:\n"
        "    try: os.write(1, b'x' * 4096); full = 0\n"
        "    except BlockingIOError: full += 1; time.sleep(.01)\n"
        "open(sys.argv[1] + '/full', 'w').write('yes\\n')\n"
        "signal.pause()\n"
    )
    argv = way.argv(*python(source), str(tmp_path))
    job = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=-3, stdin=-3)
    text_of(tmp_path / "full")
    job.terminate()
    assert job.wait() == -signal.SIGTERM
    size = way.report["log"]["size"]
    assert size > 65536
    assert len(job.stdout.read()) == size
    job.stdout.close()


@pytest.mark.parametrize("limit", ["full", "size"])
def test_a_log_that_cannot_be_written(tmp_path, limit):
    way = Way(tmp_path, True)
    argv = way.argv("seq", "200000")
    if limit == "full":
        argv[2] = "/dev/full"
    else:
        argv = ["bash", "-c", 'ulimit -f 16; "$@"', "bash", *argv]
    done = run(argv, stdout=-1)
    assert done.returncode == 0
    assert done.stdout == b"".join(b"%d\n" % i for i in range(1, 200001))
    assert any("log ends early" in note for note in way.report["notes"])


def test_a_log_that_cannot_be_made(tmp_path):
    way = Way(tmp_path, True)
    argv = way.argv("echo", "x")
    argv[2] = str(tmp_path / "no" / "folder")
    assert run(argv, stdout=-1).stdout == b"x\n"
    assert way.report["log"]["path"] is None
    assert any("not kept" in note for note in way.report["notes"])


def test_the_log_is_private(tmp_path):
    way = Way(tmp_path, True)
    run(way.argv("true"), stdout=-1)
    assert way.log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("capture", [True, False])
def test_an_inherited_command_survives_us(tmp_path, capture):
    """Killed -9, we leave a command alone whose output does not go through us."""
    way = Way(tmp_path, True, capture)
    source = (
        "import os, sys, time\n"
        "open(sys.argv[1] + '/pid', 'w').write('%d\\n' % os.getpid())\n"
        "while os.getppid() == int(sys.argv[2]): time.sleep(.01)\n"
        "print('still here', flush=True)\n"
        "open(sys.argv[1] + '/alive', 'w').write('yes\\n')\n"
    )
    with open(tmp_path / "out", "wb") as out:
        job = subprocess.Popen(
            way.argv("sh", "-c", 'exec "$@" $PPID', "sh", *python(source), str(tmp_path)),
            stdout=out,
            stdin=subprocess.DEVNULL,
        )
        text_of(tmp_path / "pid")
        job.kill()
        job.wait()
    assert text_of(tmp_path / "alive") == "yes\n"
    assert (tmp_path / "out").read_bytes() == b"still here\n"
