"""`executors.sandbox`: no network, limits, and that nothing is left, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
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
MARK = "PROV_TEST_SANDBOX"


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return "%s=%s" % (MARK, tmp_path)


@pytest.fixture
def task(tmp_path: Path, mark: str) -> Callable[..., Task]:
    def make(code: str, *words: str, **more: Any) -> Task:
        environ = dict(os.environ, TMPDIR=str(tmp_path), **{MARK: mark.partition("=")[2]})
        argv = (sys.executable, "-c", textwrap.dedent(code), *words)
        return Task(argv, str(tmp_path), environ, (str(tmp_path),), **{"limit_s": 60.0, **more})

    return make


@pytest.fixture
def run(task: Callable[..., Task]) -> Run:
    return lambda code, *words, **more: sandbox.run(task(code, *words, **more))


def alive(mark: str) -> list[int]:
    """Return the processes that were started with ``mark`` in their environment."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                raw = Path("/proc", name, "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in raw.split(b"\0"):
                found.append(int(name))
    return found


def gone(mark: str, within: float = 10.0) -> bool:
    until = time.monotonic() + within
    while alive(mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def server() -> Iterator[tuple[int, list[Any]]]:
    """A real server on this machine; what reached it."""
    reached: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                while True:
                    reached.append(listening.accept()[1])
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], reached
        listening.shutdown(socket.SHUT_RDWR)


CONNECTIONS = {
    "tcp": "socket.create_connection(('127.0.0.1', port))",
    "tcp6": "socket.socket(socket.AF_INET6).connect(('::1', port))",
    "udp": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "http": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:%d' % port)",
    "listen": "socket.create_server(('127.0.0.1', 0))",
    "netlink": "socket.socket(socket.AF_NETLINK)",
    "packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a child": "import subprocess; subprocess.run(['python3', '-c',"
    " 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])))',"
    " '127.0.0.1', str(port)], check=True)",
}


@pytest.mark.parametrize("code", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_there_is_no_network(run: Run, server: tuple[int, list[Any]], code: str) -> None:
    port, reached = server
    ended = run("import socket, sys; port = int(sys.argv[1])\n" + code, str(port))
    assert ended.code == 1
    assert "Error" in ended.stderr_tail
    assert reached == []


def test_abstract_sockets_of_others_cannot_be_reached(run: Run) -> None:
    if not OFFERED.others:
        pytest.skip("this kernel does not keep them apart")
    name = "\0prov-test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        code = "import socket, sys; socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[1])"
        ended = run(code, name[1:])
    assert ended.code == 1
    assert "PermissionError" in ended.stderr_tail


def test_processes_of_the_user_cannot_be_signalled(run: Run) -> None:
    if not OFFERED.others:
        pytest.skip("this kernel does not keep them apart")
    with subprocess.Popen(["sleep", "60"]) as other:
        code = """
            import os, sys
            for pid in (int(sys.argv[1]), os.getppid()):
                try: os.kill(pid, 9)
                except PermissionError: print("refused")
        """
        ended = run(code, str(other.pid))
        assert ended.stdout_tail == "refused\nrefused\n"
        assert other.poll() is None
        other.kill()


def test_multiprocessing_works(run: Run) -> None:
    ended = run(
        """
        import asyncio, concurrent.futures, multiprocessing as mp
        from multiprocessing import shared_memory

        def square(x):
            return x * x

        if __name__ == "__main__":
            with mp.get_context("fork").Pool(2) as pool:
                print(sum(pool.map(square, range(10))))
            with mp.get_context("fork").Manager() as manager:
                held = manager.dict(a=1)
                print(held["a"])
            queue = mp.Queue()
            worker = mp.get_context("fork").Process(target=queue.put, args=(3,))
            worker.start(); print(queue.get()); worker.join()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                print(sum(pool.map(square, range(4))))
            memory = shared_memory.SharedMemory(create=True, size=4096)
            memory.buf[0] = 7; print(memory.buf[0]); memory.close(); memory.unlink()
            print(asyncio.run(asyncio.sleep(0, "slept")))
            other = mp.get_context("fork").Process(target=__import__("time").sleep, args=(60,))
            other.start(); other.terminate(); other.join(); print(other.exitcode)
        """
    )
    assert (ended.code, ended.stderr_tail) == (0, "")
    assert ended.stdout_tail.split() == ["285", "1", "3", "14", "7", "slept", "-15"]


def test_time_limit(run: Run, mark: str) -> None:
    code = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("begun", flush=True)
        subprocess.Popen(["sleep", "60"]); time.sleep(60)
    """
    ended = run(code, limit_s=1.0)
    assert ended.timed_out
    assert (ended.code, ended.signal, ended.stdout_tail) == (137, 9, "begun\n")
    assert ended.why == "it was ended after 1 s, its time limit."
    assert alive(mark) == []


def test_memory_limit(run: Run, mark: str) -> None:
    code = """
        import os, time
        os.fork()
        kept = []
        for _ in range(100):
            kept.append(b"x" * 20_000_000); time.sleep(0.02)
        time.sleep(60)
    """
    ended = run(code, limit_memory=300_000_000)
    assert (ended.limit, ended.signal) == ("memory", 9)
    assert alive(mark) == []


def test_memory_that_is_only_reserved_or_shared_does_not_count(run: Run) -> None:
    code = """
        import mmap, os, time
        space = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | 0x4000)  # MAP_NORESERVE
        kept = b"x" * 200_000_000
        for _ in range(3):
            if os.fork() == 0:
                time.sleep(0.5); os._exit(0)
        time.sleep(0.6)
    """
    ended = run(code, limit_memory=500_000_000)
    assert (ended.code, ended.limit, ended.stderr_tail) == (0, "", "")


def test_limit_of_written_bytes_in_many_files_and_in_one(run: Run) -> None:
    many = """
        import time
        for number in range(1000):
            open("f%d" % number, "wb").write(bytes(1_000_000)); time.sleep(0.01)
    """
    ended = run(many, limit_bytes=20_000_000)
    assert (ended.limit, ended.why) == (
        "written",
        "it was ended because it wrote more than 20 MB, its limit.",
    )
    one = "open('one', 'wb').truncate(30_000_000)"
    ended = run(one, limit_bytes=20_000_000)
    assert ended.code == 1
    assert "File too large" in ended.stderr_tail


def test_much_output_is_cut(run: Run) -> None:
    ended = run("import sys\nfor i in range(200_000): print(i, file=sys.stderr)")
    assert ended.code == 0
    assert len(ended.stderr_tail) == 65536
    assert ended.stderr_tail.endswith("199998\n199999\n")


def test_daemons_end_with_it(run: Run, mark: str) -> None:
    code = """
        import os, subprocess, time
        subprocess.Popen(["setsid", "sleep", "60"], start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 3)
                time.sleep(60)
            os._exit(0)
        time.sleep(0.3)
    """
    ended = run(code)
    assert (ended.code, ended.limit) == (0, "")
    assert alive(mark) == []


def test_a_tree_that_doubles_all_the_time_is_ended(run: Run, mark: str) -> None:
    code = """
        import os, time
        for _ in range(8):  # 256 processes: a small bomb, should it not be caught
            os.fork(); time.sleep(0.1)
        time.sleep(20)
    """
    ended = run(code, limit_s=20.0, limit_processes=40)
    assert (ended.limit, ended.signal) == ("processes", 9)
    assert ended.why == "it was ended because it started more than 40 processes, its limit."
    assert alive(mark) == []


def test_it_can_be_stopped_and_what_the_caller_raises_comes_through(
    task: Callable[..., Task], mark: str
) -> None:
    sleep = "import subprocess; subprocess.run(['sleep', '60'])"
    ticks: list[int] = []
    ended = sandbox.run(task(sleep), stop=lambda: len(ticks) > 5, tick=lambda: ticks.append(1))
    assert (ended.limit, ended.signal, alive(mark)) == ("stopped", 9, [])

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run(task(sleep), stop=interrupted)
    assert alive(mark) == []


CALLER = """
import json, os, signal, sys
from provenance.executors import sandbox
argv, cwd, writable = json.loads(sys.argv[1])
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
try:
    sandbox.run(sandbox.Task(tuple(argv), cwd, dict(os.environ), tuple(writable)))
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(130)
"""


def _calling(task: Task) -> subprocess.Popen[str]:
    import json

    words = json.dumps([task.argv, task.cwd, task.writable])
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, words],
        env=dict(task.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 20
    while not Path(task.cwd, "ready").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    return caller


TREE = """
import os, signal, subprocess, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
subprocess.Popen(["setsid", "sleep", "60"])
if os.fork() == 0:
    time.sleep(60)
open("ready", "w")
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_the_caller_is_killed_or_interrupted(
    task: Callable[..., Task], mark: str, number: int
) -> None:
    caller = _calling(task(TREE))
    caller.send_signal(number)
    out, _ = caller.communicate(timeout=20)
    assert out == ("interrupted\n" if number == signal.SIGINT else "")
    assert gone(mark)


def test_a_killed_guard_is_noticed(task: Callable[..., Task], mark: str) -> None:
    """Who kills the process in between leaves nothing behind either, and is told of."""

    def kill_guard() -> None:
        if Path(given.cwd, "ready").exists():
            for name in os.listdir("/proc/%d/task" % os.getpid()):
                raw = Path("/proc/%d/task/%s/children" % (os.getpid(), name)).read_text()
                for pid in raw.split():
                    if b"_guard" in Path("/proc", pid, "cmdline").read_bytes():
                        os.kill(int(pid), signal.SIGKILL)

    given = task(TREE)
    ended = sandbox.run(given, tick=kill_guard)
    assert (ended.code, ended.limit) == (None, "lost")
    assert gone(mark)


def test_it_runs_from_a_thread_beside_others(run: Run) -> None:
    ended: list[Ended] = []
    threads = [threading.Thread(target=lambda: ended.append(run("print(1)"))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [one.stdout_tail for one in ended] == ["1\n"] * 4
