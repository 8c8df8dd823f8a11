"""Reading strace's log: real logs with odd names, and made ones of every kind of line."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.agent import strace
from provenance.agent.strace import EXEC, EXIT, LINK, MOVE, READ, REMOVE, UPDATE, WRITE, Follower

NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b"..")
)


def quoted(name, extra=b""):
    """Return bytes as strace quotes them: its own escapes, octal for the rest."""
    known = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
    known.pop(7), known.pop(8)
    out = ""
    for at, byte in enumerate(name):
        following = name[at + 1 : at + 2].isdigit()
        if byte in known:
            out += "\\" + known[byte]
        elif 32 <= byte < 127 and byte not in extra:
            out += chr(byte)
        else:
            out += "\\%03o" % byte if following else "\\%o" % byte
    return out


def told(*lines, cwd="/here"):
    follower = Follower(cwd)
    found = [event for line in lines for event in follower.line(line)]
    return [(e.pid, e.kind, e.path, e.target) for e in found + follower.rest()]


def line(text, pid=7):
    return "%d 1795255912.545421 %s" % (pid, text)


@given(NAMES, NAMES)
def test_names_come_back_whatever_is_in_them(folder, name):
    text = 'openat(AT_FDCWD</%s>, "%s", O_RDONLY|O_CLOEXEC) = 3</x>'
    text %= (quoted(folder, b"<>"), quoted(name))
    whole = os.path.normpath(os.fsdecode(b"/" + folder + b"/" + name))
    assert told(line(text)) == [(7, READ, whole, "")]


@given(st.text())
def test_no_text_makes_it_fail(text):
    Follower("/").line(text)
    Follower("/").line(line(text))
    Follower("/").line(line("openat(" + text + ") = 3"))
    strace.unescaped(text)


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ("O_RDONLY", READ),
        ("O_RDONLY|O_CLOEXEC|O_NOCTTY", READ),
        ("O_WRONLY|O_CREAT|O_TRUNC, 0666", WRITE),
        ("O_WRONLY|O_CREAT|O_APPEND, 0666", WRITE),
        ("O_RDWR", UPDATE),
        ("O_RDWR|O_CREAT, 0644", UPDATE),
        ("O_RDWR|O_CREAT|O_TRUNC, 0644", WRITE),
        ("O_RDWR|O_CREAT|O_EXCL, 0600", WRITE),
        ("{flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS}, 24", READ),
        ("O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY", None),
        ("O_RDONLY|O_PATH", None),
        ("O_RDWR|O_TMPFILE, 0600", None),
    ],
)
def test_how_a_file_was_opened(flags, kind):
    call = "openat2" if flags.startswith("{") else "openat"
    got = told(line('%s(AT_FDCWD</a>, "b", %s) = 3</a/b>' % (call, flags)))
    assert got == ([(7, kind, "/a/b", "")] if kind else [])


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('open("b", O_RDONLY) = 3', (READ, "/here/b", "")),
        ('creat("b", 0600)    = 3</b>', (WRITE, "/here/b", "")),
        ('truncate("b", 0) = 0', (WRITE, "/here/b", "")),
        ('unlink("b") = 0', (REMOVE, "/here/b", "")),
        ('unlinkat(4</d>, "b", 0) = 0', (REMOVE, "/d/b", "")),
        ('rename("b", "/c") = 0', (MOVE, "/here/b", "/c")),
        ('renameat2(4</d>, "b", AT_FDCWD</e>, "c", 0) = 0', (MOVE, "/d/b", "/e/c")),
        ('renameat(AT_FDCWD</e>, "b", 4</d>, "c") = 0', (MOVE, "/e/b", "/d/c")),
        ('link("b", "c") = 0', (LINK, "/here/b", "/here/c")),
        ('linkat(AT_FDCWD</e>, "b", AT_FDCWD</e>, "c", 0) = 0', (LINK, "/e/b", "/e/c")),
        ('symlink("/data", "c") = 0', (WRITE, "/here/c", "")),
        ('symlinkat("/data", 5</d>, "c") = 0', (WRITE, "/d/c", "")),
        ('openat(3</gone>(deleted), "b", O_RDONLY) = 4</gone/b>', (READ, "/gone/b", "")),
        ('execve("./x", ["x", "-n"], 0x7ffc /* 40 vars */) = 0', (EXEC, "/here/x", "")),
        ('execve("/b/x", ["x", ...], 0x7ffc /* 40 vars */) = 0', (EXEC, "/b/x", "")),
        ("+++ exited with 3 +++", (EXIT, "", "")),
        ("+++ killed by SIGSEGV (core dumped) +++", (EXIT, "", "")),
    ],
)
def test_calls(text, event):
    assert told(line(text)) == [(7, *event)]


@pytest.mark.parametrize(
    "text",
    [
        'openat(AT_FDCWD</a>, "b", O_RDONLY) = -1 ENOENT (No such file or directory)',
        'unlinkat(4</d>, "b", AT_REMOVEDIR) = 0',
        'openat(AT_FDCWD</a>, "b", O_RDONLY',
        "--- SIGCHLD {si_signo=SIGCHLD} ---",
        "+++ superseded by execve in pid 9 +++",
        'openat(AT_FDCWD</a>, "", O_RDONLY) = 3',
    ],
)
def test_what_tells_of_no_file(text):
    assert told(line(text)) == []


def test_two_files_that_change_places_are_read_and_written():
    text = 'renameat2(AT_FDCWD</e>, "b", AT_FDCWD</e>, "c", RENAME_EXCHANGE) = 0'
    assert told(line(text)) == [(7, UPDATE, "/e/b", ""), (7, UPDATE, "/e/c", "")]


def test_the_working_folder_is_followed():
    got = told(
        line('execve("/bin/sh", ["sh"], 0x1) = 0'),
        line('chdir("sub") = 0'),
        line("clone(child_stack=NULL, flags=SIGCHLD) = 8"),
        line('chdir("..") = 0'),
        line('unlink("a") = 0'),
        line('unlink("b") = 0', 8),
        line("fchdir(5</far>) = 0", 8),
        line('unlink("c") = 0', 8),
    )
    paths = [(pid, path) for pid, kind, path, _ in got if kind == REMOVE]
    assert paths == [(7, "/here/a"), (8, "/here/sub/b"), (8, "/far/c")]


def test_a_child_that_is_heard_before_its_parent():
    got = told(
        line('chdir("sub") = 0'),
        line('unlink("b") = 0', 8),
        line("vfork() = 9", 8),
        line('unlink("c") = 0', 9),
        line("vfork() = 8"),
        line('unlink("d") = 0', 10),
    )
    assert sorted(path for _, _, path, _ in got) == ["/here/d", "/here/sub/b", "/here/sub/c"]


def test_a_process_whose_number_was_used_before():
    got = told(
        line('chdir("sub") = 0'),
        line("fork() = 8"),
        line('chdir("deep") = 0', 8),
        line("+++ exited with 0 +++", 8),
        line("fork() = 8"),
        line('unlink("b") = 0', 8),
    )
    assert got[-1][2] == "/here/sub/b"


def test_memory_is_bounded_where_no_folder_is_ever_known():
    follower = Follower("/here")
    follower.line(line("fork() = 8"))
    for number in range(30000):
        follower.line(line('unlink("b%d") = 0' % number, 10 + number % 50))
    assert sum(map(len, follower._waiting.values())) <= strace._MOST_WAITING


STRACE = shutil.which("strace")
PROGRAM = """
import os, sys
for name in sys.stdin.buffer.read().split(b"\\0"):
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT))
    folder = os.open(b".", os.O_RDONLY)
    os.rename(name, name + b"2")
    os.unlink(name + b"2", dir_fd=folder)
    os.close(folder)
"""


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@settings(max_examples=5, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=200, unique=True), NAMES)
def test_a_real_log_of_odd_names(tmp_path_factory, names, place):
    folder = os.fsencode(tmp_path_factory.mktemp("odd").resolve()) + b"/" + place
    log = str(tmp_path_factory.mktemp("log") / "log")
    os.mkdir(folder)
    from provenance.executors import _trace

    tracer, reason = _trace.probe(os.environ, log)
    if tracer is None:
        pytest.skip(reason)
    words = [STRACE, *_trace._words(tracer), sys.executable, "-I", "-S", "-c", PROGRAM]
    subprocess.run(words, cwd=folder, input=b"\0".join(names), check=True)
    follower = Follower(os.fsdecode(folder))
    deadline = time.monotonic() + 60
    events = []
    with open(log, encoding="latin-1", newline="\n") as stream:
        while not follower.ended and time.monotonic() < deadline:
            events += [event for text in stream for event in follower.line(text)]
    below = [e for e in events if e.path.startswith(os.fsdecode(folder) + "/")]
    expected = {os.fsdecode(folder + b"/" + name) for name in names}
    assert {e.path for e in below if e.kind == WRITE} == expected
    assert {e.path for e in below if e.kind == MOVE} == expected
    assert {e.path for e in below if e.kind == REMOVE} == {path + "2" for path in expected}
