"""`executors.sandbox`: what a command in it can and cannot do, with real processes and kernels."""

from __future__ import annotations

import os
import sqlite3
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provenance.executors import sandbox
from provenance.executors.sandbox import Ended, Task

OFFERED = sandbox.probe()
pytestmark = pytest.mark.skipif(
    not OFFERED.writes, reason="no protection here: %s" % " ".join(OFFERED.reasons[:1])
)

Run = Callable[..., Ended]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    (folder / "tmp").mkdir(parents=True)
    return folder


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's, with a file, a database and a folder in it."""
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("precious")
    os.utime(folder / "file", (1e9, 1e9))
    with sqlite3.connect(folder / "data.db") as base:
        base.execute("create table t (x)")
    return folder


@pytest.fixture
def python(scratch: Path, mine: Path) -> Run:
    """Run Python code in the sandbox; MINE names the user's folder."""

    def run(code: str, *words: str, **more: Any) -> Ended:
        environ = dict(
            os.environ, MINE=str(mine), TMPDIR=str(scratch / "tmp"), **more.pop("env", {})
        )
        head = "import os, sys\nmine = os.environ['MINE']\n"
        argv = (sys.executable, "-c", head + textwrap.dedent(code), *words)
        given = {"limit_s": 30.0, **more}
        task = Task(argv, str(scratch), environ, (str(scratch),), **given)
        return sandbox.run(task)

    return run


def state(folder: Path) -> dict[str, Any]:
    """Return names, modes, times and contents of all below ``folder``."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (info.st_mode, info.st_uid, info.st_mtime_ns, info.st_nlink, content)
    return found


def test_it_runs_and_writes_its_own_folder(python: Run, scratch: Path) -> None:
    ended = python(
        """
        import shutil, subprocess, tempfile
        os.makedirs("a/b"); open("a/b/x", "w").write("1")
        os.rename("a/b/x", "a/y"); os.link("a/y", "z"); os.symlink("z", "l"); os.truncate("z", 0)
        shutil.copy2("z", "w"); os.chmod("z", 0o700); os.unlink("a/y"); os.rmdir("a/b")
        tempfile.TemporaryFile().write(b"x")
        open("/dev/null", "w").write("x")
        print(subprocess.check_output(["sh", "-c", "echo from a shell"], text=True), end="")
        print("err", file=sys.stderr)
        sys.exit(7)
        """
    )
    assert (ended.code, ended.signal, ended.limit, ended.why) == (7, None, "", "")
    assert (ended.stdout_tail, ended.stderr_tail) == ("from a shell\n", "err\n")
    assert sorted(path.name for path in scratch.iterdir()) == ["a", "l", "tmp", "w", "z"]


HARM = {
    "open to write": "open(mine + '/file', 'w')",
    "append": "open(mine + '/file', 'a').write('x')",
    "open to read and write": "open(mine + '/file', 'r+').write('x')",
    "create": "open(mine + '/new', 'x')",
    "truncate": "os.truncate(mine + '/file', 0)",
    "empty by reading": "os.open(mine + '/file', os.O_RDONLY | os.O_TRUNC)",
    "unlink": "os.unlink(mine + '/file')",
    "rmdir": "os.rmdir(mine + '/sub')",
    "mkdir": "os.mkdir(mine + '/new')",
    "rename out": "os.rename(mine + '/file', 'taken')",
    "rename in": "open('x', 'w'); os.rename('x', mine + '/file')",
    "rename within": "os.rename(mine + '/file', mine + '/other')",
    "a symlink of its own": "os.symlink(mine + '/file', 'l'); open('l', 'w')",
    "a symlinked folder": "os.symlink(mine, 'd'); open('d/file', 'w')",
    "dot dot": "open(os.path.relpath(mine, os.getcwd()) + '/file', 'w')",
    "a hard link": "os.link(mine + '/file', 'h'); open('h', 'w')",
    "a hard link there": "open('x', 'w'); os.link('x', mine + '/x')",
    "a symlink there": "os.symlink('x', mine + '/x')",
    "a fifo there": "os.mkfifo(mine + '/x')",
    "by /proc": "f = os.open(mine + '/file', os.O_RDONLY); open('/proc/self/fd/%d' % f, 'w')",
    "by a folder's descriptor": "f = os.open(mine, os.O_RDONLY);"
    " os.open('file', os.O_WRONLY, dir_fd=f)",
    "change the owner": "os.chown(mine + '/file', 1234, 1234)",
    "set an attribute": "os.setxattr(mine + '/file', 'user.x', b'1')",
    "chattr": "import fcntl; f = os.open(mine + '/file', os.O_RDONLY);"
    " fcntl.ioctl(f, 0x40086602, b'\\x10' + bytes(7))",
    "sqlite3, in C": "import sqlite3; b = sqlite3.connect(mine + '/data.db');"
    " b.execute('insert into t values (1)'); b.commit()",
    "numpy, in C": "import numpy; numpy.arange(9).tofile(mine + '/file')",
    "a memory map": "import numpy; numpy.memmap(mine + '/file', mode='r+')[0] = 1",
    "a child": "import subprocess; subprocess.run(['sh', '-c', 'echo x > $MINE/file'], check=True)",
    "a daemon": "import subprocess; subprocess.run(['setsid', 'sh', '-c', 'echo x > $MINE/file'],"
    " check=True)",
    "a namespace of its own": "os.unshare(0x10020000) if hasattr(os, 'unshare') else"
    " __import__('subprocess').run(['unshare', '-rm', 'true'], check=True)",
}


@pytest.mark.parametrize("code", HARM.values(), ids=HARM.keys())
def test_it_cannot_harm_files_of_the_user(python: Run, mine: Path, code: str) -> None:
    before = state(mine)
    ended = python(code)
    assert ended.code == 1, ended
    assert "Error" in ended.stderr_tail
    assert state(mine) == before


def test_modes_and_times_are_not_changed_though_it_looks_so(python: Run, mine: Path) -> None:
    before = state(mine)
    ended = python(
        """
        f = os.open(mine + "/file", os.O_RDONLY)
        os.chmod(mine + "/file", 0); os.fchmod(f, 0)
        os.utime(mine + "/file", (1, 1)); os.utime(f, (1, 1))
        """
    )
    assert (ended.code, ended.stderr_tail) == (0, "")
    assert state(mine) == before


@pytest.mark.parametrize("where", ["/tmp", "/var/tmp", "/etc", "~"])
def test_nothing_is_made_elsewhere(python: Run, where: str) -> None:
    name = os.path.join(os.path.expanduser(where), "prov-test-%d" % os.getpid())
    assert python("open(sys.argv[1], 'w')", name).code == 1
    assert not os.path.exists(name)


def test_places_of_secrets_are_closed_and_all_else_is_open(python: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (".ssh/id", ".config/gcloud/key", ".config/tool/settings", ".netrc", "data/x"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("secret")
    elsewhere = tmp_path / "kept"
    elsewhere.write_text("secret")
    (home / ".pypirc").symlink_to(elsewhere)
    code = """
        for name in sys.argv[2:]:
            try:
                print(name, open(os.path.join(sys.argv[1], name)).read())
            except PermissionError:
                print(name, "closed")
    """
    names = (".ssh/id", ".config/gcloud/key", ".netrc", ".pypirc", "../kept")
    ended = python(code, str(home), *names, env={"HOME": str(home)})
    assert ended.stdout_tail == "".join(name + " closed\n" for name in names)
    ended = python(code, str(home), ".config/tool/settings", "data/x", env={"HOME": str(home)})
    assert ended.stdout_tail == ".config/tool/settings secret\ndata/x secret\n"


def test_the_environment_of_other_processes_is_closed(python: Run) -> None:
    ended = python("print(open('/proc/%d/environ' % int(sys.argv[1])).read())", str(os.getpid()))
    assert ended.code == 1
    assert "PermissionError" in ended.stderr_tail


def test_the_terminal_of_the_user_is_closed(python: Run) -> None:
    keyboard, screen = os.openpty()
    try:
        os.write(keyboard, b"typed\n")
        ended = python("print(os.read(os.open(sys.argv[1], os.O_RDONLY), 9))", os.ttyname(screen))
        assert ended.code == 1
        assert "PermissionError" in ended.stderr_tail
        assert python("os.open('/dev/tty', os.O_RDWR)").code == 1
    finally:
        os.close(keyboard)
        os.close(screen)


def test_a_folder_that_cannot_be_listed_is_no_obstacle(tmp_path: Path) -> None:
    closed = tmp_path / "homes"
    (closed / "me" / ".ssh").mkdir(parents=True)
    (closed / "me" / "data").mkdir()
    closed.chmod(0o111)
    try:
        rules = sandbox._landlock.readable([str(closed / "me" / ".ssh")])
    finally:
        closed.chmod(0o755)
    paths = {rule.path for rule in rules}
    assert str(closed / "me" / "data") in paths
    assert not {str(closed), str(closed / "me"), str(closed / "me" / ".ssh")} & paths


def test_a_missing_command_and_one_that_is_no_program(scratch: Path) -> None:
    with pytest.raises(sandbox.NotStarted):
        sandbox.run(Task(("no-such-program-x",), str(scratch), {}, (str(scratch),)))
    (scratch / "text").write_text("no program")
    (scratch / "text").chmod(0o755)
    ended = sandbox.run(Task((str(scratch / "text"),), str(scratch), {}, (str(scratch),)))
    assert (ended.code, ended.limit) == (None, "start")
    assert ended.why.startswith("%s could not be started" % (scratch / "text"))


def test_without_protection_nothing_is_started(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox._landlock, "version", lambda: (0, "this kernel has no Landlock"))
    task = Task(("touch", "started"), str(scratch), dict(os.environ), (str(scratch),))
    with pytest.raises(sandbox.SystemRefused, match="writing everywhere: this kernel has no"):
        sandbox.run(task)
    assert not (scratch / "started").exists()
    assert sandbox.run(task._replace(unprotected=True)).code == 0
    assert (scratch / "started").exists()


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5, 6])
def test_kernels_of_other_versions_lose_no_file_either(
    python: Run, mine: Path, abi: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This kernel is told to do no more than an older one could."""
    if abi > sandbox._landlock.version()[0]:
        pytest.skip("this kernel offers less")
    monkeypatch.setattr(sandbox._landlock, "version", lambda: (abi, ""))
    before = state(mine)
    harm = ("truncate", "empty by reading", "open to write", "a hard link", "unlink", "rename in")
    tried = "\n".join(
        "try:\n    %s\n    print(%r)\nexcept OSError: pass" % (HARM[name], name) for name in harm
    )
    ended = python(tried + "\nopen('own', 'w').write('abc'); os.kill(os.getpid(), 0)")
    assert (ended.code, ended.stdout_tail, ended.stderr_tail) == (0, "", "")
    assert state(mine) == before
