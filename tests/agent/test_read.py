"""The reader: half-written logs, other people's files, processes that still run."""

import os
import subprocess
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance.agent import _log, launch
from provenance.agent._processes import of_facts
from provenance.agent.read import Reader
from provenance.core.redact import Redactor
from provenance.facets import _variables
from provenance.facets._commands import is_python, loads_hook
from tests.agent._hook import plain_environment

HEAD = b"H ('0001.7', '', 7, 1, 0, 1000)\n"


def write(folder, data, name="0001.7.0.log", size=4096):
    (folder / name).write_bytes(data + bytes(max(0, size - len(data))))


@pytest.fixture
def agent(tmp_path):
    made = tmp_path / "agent"
    made.mkdir()
    return made


@pytest.fixture
def data(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("x")
    return tmp_path


def test_lines_come_as_they_are_completed(agent, data):
    reader = Reader(str(agent), Redactor())
    assert reader.poll() == ()
    text = HEAD + b"R %s/a.csv\n" % os.fsencode(data)
    write(agent, text + b"R %s/b.c" % os.fsencode(data))
    assert reader.poll() == (str(data / "a.csv"),)
    assert reader.poll() == ()
    write(agent, text + b"R %s/b.csv\nR %s/a.csv\n" % (os.fsencode(data), os.fsencode(data)))
    assert reader.poll() == (str(data / "b.csv"),)
    files = reader.observations().files
    assert [use.path for use in files] == [str(data / "a.csv"), str(data / "b.csv")]


def test_a_log_goes_on_in_further_files(agent, data):
    write(agent, HEAD + b"R %s/a.csv\n" % os.fsencode(data))
    reader = Reader(str(agent), Redactor())
    reader.poll()
    second = HEAD.replace(b", 0, 1000", b", 1, 2000") + b"R %s/b.csv\n" % os.fsencode(data)
    write(agent, second, "0001.7.1.log")
    assert reader.poll() == (str(data / "b.csv"),)


def test_what_is_written_first_is_no_input_to_digest(agent, data):
    path = os.fsencode(data) + b"/c.csv"
    write(agent, HEAD + b"W 5 %r\nR %s\n" % (path, path))
    assert Reader(str(agent), Redactor()).poll() == ()


def test_no_folder_and_foreign_files(tmp_path, agent):
    gone = Reader(str(tmp_path / "none"), Redactor())
    assert (gone.poll(), gone.interpreters(), gone.observations().files) == ((), (), ())
    (agent / "x.log").write_bytes(b"R /x\n\xff\xfe\n\n")
    (agent / "y.txt").write_bytes(HEAD)
    (agent / "z.log").mkdir()
    reader = Reader(str(agent), Redactor())
    assert reader.poll() == ()
    assert reader.observations().files == ()


@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b"")), max_size=20))
@example([b"E 5 {'path': 3}", b"P 5 [1]", b"S 5 (1, 2)", b"A 5 (1, 2, 3)", b"C 5 ()", b"M 5 3"])
@example([b"P 5 {'prefix': 1, 'base_prefix': []}", b"D 5 (b'/x', 'y')", b"Y 5 7", b"W 5 (1,)"])
@example([b"E 5 {'sources': 5, 'uncounted': 'x'}", b"H 1", b"H (1,)", b"X z", b"Q 5 {}"])
def test_no_log_makes_it_fail(tmp_path_factory, lines):
    agent = tmp_path_factory.mktemp("agent")
    write(agent, HEAD + b"\n".join(lines) + b"\n")
    reader = Reader(str(agent), Redactor())
    reader.poll()
    reader.observations()
    reader.interpreters()


@given(st.binary(max_size=100))
def test_no_line_makes_it_fail(raw):
    line = _log.parse(raw)
    assert line is None or len(line.kind) == 1


def test_a_process_that_still_runs_is_told(agent, tmp_path):
    (tmp_path / "in.txt").write_text("x")
    hooked = launch.hooked_environment(plain_environment(), str(agent))
    code = "open('in.txt').read(); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=hooked,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        reader = Reader(str(agent), Redactor())
        assert reader.poll() == (str(tmp_path / "in.txt"),)
        assert reader.observations().notes == (
            "1 Python processes of the run still ran when it was recorded",
        )
        process.communicate(b"\n")
    assert reader.observations().notes == ()
    assert reader.interpreters()[0].complete


def test_it_opens_no_finished_log_again(agent, tmp_path):
    hooked = launch.hooked_environment(plain_environment(), str(agent))
    subprocess.run([sys.executable, "-c", "pass"], cwd=tmp_path, env=hooked, check=True)
    reader = Reader(str(agent), Redactor())
    reader.poll()
    for path in agent.iterdir():
        path.unlink()
    assert reader.interpreters()[0].complete


def test_secrets_in_parameters_are_redacted_again(agent):
    write(
        agent,
        HEAD + b"A 5 ('argparse', 't.py', True, {'url': ('http://u:hunter22@h/', None, True)})\n",
    )
    (parsed,) = Reader(str(agent), Redactor(["hunter22"])).observations().parsed
    assert "hunter22" not in repr(parsed)


def test_interpreters_differ_by_their_environment_not_by_their_script(agent):
    facts = (
        "{'executable': '/p/bin/python', 'version': '3.9.1 (x) [GCC 1]', 'prefix': '/p', "
        "'base_prefix': '/p', 'path': ['%s', '/p/lib'%s], 'cwd': '/w'}"
    )
    starts = (("a", ""), ("b", ""), ("a", ", '/other/site-packages'"))
    for number, (script, more) in enumerate(starts):
        head = HEAD.replace(b"0001.7", b"000%d.7" % number)
        text = head + b"P 5 %s\n" % (facts % (script, more)).encode()
        write(agent, text, "000%d.7.0.log" % number)
    first, second = Reader(str(agent), Redactor()).interpreters()
    assert (first.id, first.processes, first.version) == ("python", 2, "3.9.1")
    assert first.sys_path == ("/w/a", "/p/lib", "/w/b")
    assert (second.id, second.sys_path) == ("python-2", ("/w/a", "/p/lib", "/other/site-packages"))


def test_facts_of_an_interpreter():
    one = of_facts(
        {
            "version": "3.13.0+ (heads/main, Oct 1) [Clang 17 (x)]",
            "flags": "sys.flags(debug=0, optimize=2, dev_mode=True, int_max_str_digits=4300)",
            "options": {"importtime": True},
            "suffix": ".cpython-313t-x86_64-linux-gnu.so",
            "gil": False,
        }
    )
    assert one.version == "3.13.0"
    assert one.flags["optimize"] == 2
    assert one.flags["dev_mode"] is True
    assert one.flags["gil"] is False
    assert one.flags["x_options"] == {"importtime": True}
    assert one.build["soabi"] == "cpython-313t-x86_64-linux-gnu"
    assert one.build["compiler"] == "Clang 17 (x)"


@pytest.mark.parametrize(
    ("command", "python", "loads"),
    [
        ("python x.py", True, True),
        ("/usr/bin/python3.11 -u -m x -I", True, True),
        ("python3 -I x.py", True, False),
        ("python -uE x", True, False),
        ("python -X dev -S x", True, False),
        ("python -Wignore -c pass", True, True),
        ("python --version", True, True),
        ("pypy3 x", True, True),
        ("python3.13t x", True, True),
        ("pythonw-config", False, True),
        ("bash x.sh", False, True),
        ("", False, True),
    ],
)
def test_commands_that_are_python(command, python, loads):
    words = tuple(command.split())
    assert is_python(words) is python
    assert loads_hook(words) is loads


def test_times_are_those_of_the_file_system(agent, data):
    """A file that was only opened for writing, and has not changed since, was not written."""
    os.utime(data / "a.csv")
    time.sleep(0.1)
    agent = data / "second"
    agent.mkdir()
    reader = Reader(str(agent), Redactor())
    write(agent, HEAD + b"W 5 %r\n" % (os.fsencode(data) + b"/a.csv"))
    assert reader.observations().files == ()


def test_the_hook_and_the_facet_allow_the_same_variables():
    loaded = {}
    path = os.path.join(launch.SITE, "_prov_process.py")
    given = {"log": None, "load": None, "__name__": "_prov_process"}
    with open(path, encoding="utf-8") as stream:
        exec(compile(stream.read(), path, "exec"), given, loaded)
    assert loaded["_PREFIXES"] == _variables.PREFIXES
    assert loaded["_ALLOWED"] == _variables.ALLOWED


def test_what_was_stopped_before_the_end_of_a_log_is_read_by_the_next_call(tmp_path):
    agent = tmp_path / "agent"
    agent.mkdir()
    paths = []
    for number in range(2):
        lines = [b"H " + repr(("p", "", os.getpid(), 1, number, 1)).encode()]
        for part in range(9000):
            path = "/data/%d/%d/some-longer-name-%d.bin" % (number, part // 200, part)
            paths.append(path)
            lines.append(b"R " + path.encode())
        (agent / ("1.1.%d.log" % number)).write_bytes(b"\n".join(lines) + b"\n" + bytes(100))
    reader = Reader(str(agent), Redactor.from_environment({}))
    asked = iter([False, False, False, True])
    first = reader.poll(lambda: next(asked, True))
    assert 0 < len(first) < len(paths)
    assert reader.poll(lambda: True) == ()
    assert [*first, *reader.poll()] == paths


def test_the_copies_that_setuptools_brings_are_no_installed_packages():
    facts = {"version": "3.8.18 (default)", "path": ["/v/site-packages/setuptools/_vendor", "/v"]}
    assert of_facts(facts).sys_path == ("/v",)
