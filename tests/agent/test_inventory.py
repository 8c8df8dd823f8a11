"""Asking interpreters what they are."""

import os
import subprocess
import sys
import time

import pytest

from provenance.agent import inventory, launch
from provenance.errors import SystemRefused
from tests.agent._hook import VERSIONS, observe, plain_environment, python_of


@pytest.mark.parametrize("version", ["3.6", *VERSIONS])
def test_every_version_answers(version, tmp_path):
    one = inventory.probe(python_of(version), plain_environment(), str(tmp_path))
    assert one.version.startswith(version + ".")
    assert one.implementation == "cpython"
    assert one.sys_path[0] == str(tmp_path)
    assert os.path.isdir(one.prefix)
    assert not any(launch.SITE in entry or "agent" in entry for entry in one.sys_path)
    assert one.build["platform"] == sys.platform


@pytest.mark.parametrize("version", VERSIONS)
def test_it_says_what_a_run_says(version, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "x.py").write_text("")
    environ = {"PYTHONPATH": "lib:" + str(tmp_path)}
    seen = observe([python_of(version), "x.py"], folder, **environ)
    (ran,) = seen.interpreters
    asked = inventory.probe(python_of(version), plain_environment(**environ), str(folder))
    same = ("executable", "version", "prefix", "base_prefix", "sys_path", "build", "flags")
    assert {n: getattr(asked, n) for n in same} == {n: getattr(ran, n) for n in same}


def test_a_venv_without_pip(tmp_path):
    where = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True)
    one = inventory.probe("env/bin/python", plain_environment(), str(tmp_path))
    assert one.prefix == str(where)
    assert one.base_prefix != one.prefix
    assert one.executable == str(where / "bin" / "python")


def test_the_hook_of_a_run_around_us_stays_out(tmp_path):
    agent = tmp_path / "agent"
    agent.mkdir()
    hooked = launch.hooked_environment(plain_environment(PYTHONPATH="mine"), str(agent))
    one = inventory.probe(sys.executable, hooked, str(tmp_path))
    assert list(agent.iterdir()) == []
    assert one.sys_path[:2] == (str(tmp_path), str(tmp_path / "mine"))


def test_what_others_print_at_start_does_not_matter(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('hello'); print('prov-inventory-1 x')\n")
    environ = plain_environment(PYTHONPATH=str(tmp_path))
    one = inventory.probe(sys.executable, environ, str(tmp_path))
    assert one.version == "%d.%d.%d" % sys.version_info[:3]


def refused(python, tmp_path, **more):
    with pytest.raises(SystemRefused) as caught:
        inventory.probe(str(python), plain_environment(), str(tmp_path), **more)
    assert "\n" not in caught.value.message
    return caught.value.message


def program(tmp_path, text):
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_what_is_no_interpreter(tmp_path):
    assert "cannot be started: No such file" in refused(tmp_path / "none", tmp_path)
    assert "cannot be started: Permission" in refused(tmp_path, tmp_path)
    assert "is not a Python interpreter" in refused("/bin/ls", tmp_path)
    assert "no luck" in refused(program(tmp_path, "echo no luck >&2; exit 3"), tmp_path)
    assert "signal 11" in refused(program(tmp_path, "kill -11 $$"), tmp_path)
    text = "echo 'prov-inventory-1 {not json'"
    assert "is not a Python" in refused(program(tmp_path, text), tmp_path)


def test_python_2_is_named(tmp_path):
    assert "is Python 2.7" in refused(python_of("2.7"), tmp_path)


def test_one_that_hangs_is_ended_with_its_children(tmp_path):
    path = program(tmp_path, "sleep 600 & echo $! > pid; wait")
    assert "did not answer in 0.5 s" in refused(path, tmp_path, limit_s=0.5)
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        try:
            with open("/proc/%d/stat" % child) as stream:
                if stream.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail("the child of the program still runs")
