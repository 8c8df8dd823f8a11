"""Which ways of starting Python are observed, on every version that is here."""

import os
import subprocess
import sys

import pytest

from provenance.agent import launch
from tests.agent._hook import AUDITED, VERSIONS, observe, plain_environment, python_of, script

READS = "with open('in.txt') as stream: stream.read()\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    script(made, READS)
    return made


WAYS = {
    "script": ["script.py"],
    "-c": ["-c", READS],
    "-m": ["-m", "script"],
    "-u -B": ["-u", "-B", "script.py"],
    "-s": ["-s", "script.py"],
    "-W error -X dev": ["-W", "error", "-X", "dev", "-c", "open('in.txt').close()"],
    "-bb": ["-bb", "-c", "open(b'in.txt').close(); open('in.txt').close()"],
    "-O": ["-O", "script.py"],
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", WAYS)
def test_is_reached(version, way, folder):
    seen = observe([python_of(version), *WAYS[way]], folder)
    assert (seen.code, seen.out, seen.err) == (0, b"", b"")
    assert seen.uses()["in.txt"] == "r"
    assert len(seen.interpreters) == 1
    assert seen.interpreters[0].version.startswith(version + ".")
    assert seen.interpreters[0].complete


@pytest.mark.parametrize("version", VERSIONS)
def test_a_virtual_environment_is_an_interpreter_of_its_own(version, folder):
    python = python_of(version)
    subprocess.run(
        [python, "-m", "venv", "--without-pip", "env"],
        cwd=folder,
        env=plain_environment(),
        check=True,
    )
    seen = observe([str(folder / "env/bin/python"), "script.py"], folder)
    assert seen.uses() == {"in.txt": "r", "script.py": "r"} or version == "3.7"
    one = seen.interpreters[0]
    assert one.prefix == str(folder / "env")
    assert one.base_prefix != one.prefix
    assert any(entry.startswith(one.prefix) for entry in one.sys_path)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_lost_when_killed_right_after_an_open(version, folder):
    code = READS + "import json, os; os.kill(os.getpid(), 9)"
    seen = observe([python_of(version), "-c", code], folder)
    assert seen.code == -9
    assert seen.uses()["in.txt"] == "r"
    assert not seen.interpreters[0].complete
    if version in AUDITED:
        assert "json" in seen.interpreters[0].modules
        assert str(folder) in seen.interpreters[0].sys_path


@pytest.mark.parametrize("version", VERSIONS)
def test_forks_and_sudden_exits(version, folder):
    code = (
        "import os\npid = os.fork()\n"
        "if pid == 0:\n open('in.txt').read(); open('out.txt', 'w').close(); os._exit(0)\n"
        "os.waitpid(pid, 0)\nos._exit(3)\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    assert seen.code == 3
    assert seen.uses() == {"in.txt": "r", "out.txt": "w"}
    assert [one.processes for one in seen.interpreters] == [2]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(version, method, folder):
    text = (
        "import multiprocessing as m\n"
        "def work(n):\n return open('in%%d.txt' %% n).read()\n"
        "if __name__ == '__main__':\n"
        " with m.get_context('%s').Pool(2) as pool:\n"
        "  print(pool.map(work, range(4)))\n" % method
    )
    script(folder, text)
    for number in range(4):
        (folder / ("in%d.txt" % number)).write_text("x")
    seen = observe([python_of(version), "script.py"], folder)
    assert seen.out == b"['x', 'x', 'x', 'x']\n", seen.err
    assert {"in0.txt", "in1.txt", "in2.txt", "in3.txt"} <= set(seen.uses())
    assert len(seen.interpreters) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_python_of_the_program_and_what_it_becomes(version, folder):
    code = (
        "import os, subprocess, sys\n"
        "subprocess.check_call([sys.executable, '-c', \"open('a.txt', 'w').close()\"])\n"
        "os.execv(sys.executable, [sys.executable, 'script.py'])\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    uses = seen.uses()
    assert (uses["a.txt"], uses["in.txt"]) == ("w", "r")
    assert seen.interpreters[0].processes == 3
    assert seen.observed.notes == () or version == "3.7"
    if version in AUDITED:
        assert [c.argv[1] for c in seen.observed.commands] == ["-c", "script.py"]


@pytest.mark.parametrize("version", AUDITED)
def test_pythons_out_of_reach_are_counted(version, folder):
    code = (
        "import os, subprocess, sys\n"
        "subprocess.call([sys.executable, '-I', 'script.py'])\n"
        "subprocess.call([sys.executable, 'script.py'], env={'PATH': '/usr/bin:/bin'})\n"
        "subprocess.call([sys.executable, '-W', 'ignore', '-S', 'script.py'])\n"
        "subprocess.call([sys.executable, '-c', 'import sys; print(sys.flags.isolated)'])\n"
    )
    seen = observe([python_of(version), "-c", code], folder)
    assert seen.out == b"0\n"
    assert seen.observed.notes == ("3 Python processes were started outside the hook's reach",)
    assert "in.txt" not in seen.uses()


@pytest.mark.parametrize("version", VERSIONS)
def test_all_descriptors_closed_by_the_program(version, folder):
    code = (
        "import os\nos.closerange(3, 256)\nopen('in.txt').read()\n"
        "fds = [os.open('in.txt', os.O_RDONLY) for _ in range(5)]\nprint(fds[0] < 9)"
    )
    seen = observe([python_of(version), "-c", code], folder)
    assert seen.out == b"True\n"
    assert seen.uses()["in.txt"] == "r"


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_older_pythons_are_left_alone(version, folder):
    seen = observe([python_of(version), "-c", "import sys; print(sorted(sys.modules))"], folder)
    bare = subprocess.run(
        [python_of(version), "-c", "import sys; print(sorted(sys.modules))"],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        check=True,
    )
    assert (seen.code, seen.out, seen.err) == (0, bare.stdout, bare.stderr)
    assert (seen.interpreters, seen.observed.files) == ((), ())


def test_a_folder_that_cannot_be_written_makes_it_inert(folder, tmp_path):
    agent = tmp_path / "gone"
    seen = observe([sys.executable, "-c", READS], folder, agent=agent)
    assert "in.txt" in seen.uses()
    agent = tmp_path / "is no folder"
    agent.mkdir()
    environ = launch.hooked_environment(plain_environment(), str(agent / "missing"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", READS],
        cwd=folder,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert os.listdir(agent) == []


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_a_full_disk_makes_it_inert(version, folder, tmp_path):
    """A limit on the size of files stands in for the disk: allocating fails just the same."""
    code = "import resource, subprocess, sys\n" + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "sys.exit(subprocess.call([sys.executable, '-W', 'error', '-c', %r]))" % READS
    )
    seen = observe([python_of(version), "-c", code], folder)
    assert (seen.code, seen.out, seen.err) == (0, b"", b"")
    assert "in.txt" not in seen.uses()


@pytest.mark.parametrize("version", AUDITED)
def test_a_program_that_removes_the_path_may_start_others(version, folder):
    text = (
        "import os, subprocess\ndel os.environ['PYTHONPATH']\n"
        "subprocess.run(['true'], env=os.environ)\nsubprocess.run(['true'])\nos.system('true')\n"
    )
    seen = observe([python_of(version), script(folder, text)], folder)
    assert (seen.code, seen.out, seen.err) == (0, b"", b"")
