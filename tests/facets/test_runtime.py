"""Interpreters, their flags, and the system under them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Interpreter
from provenance.core.record import CAPTURED, Payload, Subject
from provenance.facets import _system, runtime
from provenance.facets._system import System
from provenance.facets.runtime import Runtime
from tests.facet_contract import a_context, a_record, interpreter
from tests.facets._venvs import python_of

DEBIAN = System("linux", "debian 12", "glibc 2.36", "6.1.0", "x86_64")

TRIXIE = DEBIAN._replace(release="debian 13")


def payload(*views: Runtime) -> Payload:
    subjects = [
        Subject("python-%d" % n, codec.encode(view), "/usr/bin/python")
        for n, view in enumerate(views)
    ]
    return Payload(CAPTURED, 1, tuple(subjects))


def python(version: str = "3.11.7", system: System = DEBIAN, **rest: Any) -> Runtime:
    given: dict[str, Any] = {"implementation": "cpython", "kind": "venv", "flags": {}, **rest}
    return Runtime(system, version, **given)


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.13"])
def test_captures_a_real_interpreter(tmp_path: Path, version: str) -> None:
    main = interpreter(python_of(version))._replace(build={"soabi": "cpython-x"})
    answer = runtime.capture(a_context(tmp_path, AFTER, interpreters=(main,)))
    assert answer.subjects[0].interpreter == main.executable
    view = codec.decode(Runtime, answer.subjects[0].payload)
    assert view.version.startswith(version + ".")
    assert (view.implementation, view.build) == ("cpython", {"soabi": "cpython-x"})
    assert view.flags is not None
    assert view.flags.get("hash_randomization") == 1
    assert "optimize" not in view.flags
    assert view.system.name == sys.platform
    assert view.system.kernel == os.uname().release


def test_the_present_states_no_flags(tmp_path: Path) -> None:
    main = interpreter(sys.executable)
    answer = runtime.capture(a_context(tmp_path, PRESENT, interpreters=(main,)))
    assert codec.decode(Runtime, answer.subjects[0].payload).flags is None


def test_a_run_without_python_still_has_a_system(tmp_path: Path) -> None:
    answer = runtime.capture(a_context(tmp_path, AFTER))
    (subject,) = answer.subjects
    assert (subject.id, subject.interpreter) == ("host", None)
    view = codec.decode(Runtime, subject.payload)
    assert view.version == ""
    assert view.system.name == sys.platform
    assert runtime.compare(answer, answer).total > 0


def test_kinds_of_environment(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    here = Interpreter("python", "/p", "3.11.7", prefix="/usr", base_prefix="/usr")
    assert runtime.kind_of(here) == "system"
    assert runtime.kind_of(here._replace(prefix="/venv")) == "venv"
    assert runtime.kind_of(here._replace(prefix=str(tmp_path))) == "conda"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (python(), []),
        (python("3.11.9"), [("version", "python", "none")]),
        (python("3.12.7"), [("version", "python", "unknown")]),
        (python(implementation="pypy"), [("changed", "implementation", "unknown")]),
        (python(kind="conda"), [("changed", "kind of environment", "none")]),
        (python(flags={"optimize": 1}), [("changed", "flag optimize", "unknown")]),
        (python(flags={"isolated": 1}), []),
        (python(flags=None), []),
        (python(processes=9), []),
        (python(system=DEBIAN._replace(kernel="6.9")), [("changed", "kernel", "none")]),
        (python(system=TRIXIE), [("changed", "operating system", "unknown")]),
        (python(system=DEBIAN._replace(libc="musl")), [("changed", "C library", "unknown")]),
        (python(system=DEBIAN._replace(machine="aarch64")), [("changed", "machine", "unknown")]),
        (python(system=DEBIAN._replace(container="docker")), []),
    ],
)  # fmt: skip
def test_differences(new: Runtime, expected: Any) -> None:
    found = runtime.compare(payload(python()), payload(new))
    assert [(d.kind, d.name, d.effect) for d in found.differences] == expected
    assert found.equal == found.total - len(expected)


def test_a_system_is_told_of_once_however_many_interpreters() -> None:
    new = python(system=TRIXIE)
    found = runtime.compare(payload(python(), python()), payload(new, new))
    assert len(found.differences) == 1


def test_an_interpreter_that_is_not_here_is_not_compared() -> None:
    found = runtime.compare(payload(python(), python(), python()), payload(python(), python()))
    assert [n.what for n in found.not_compared] == ["python-2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('NAME="Debian"\nID=debian\nVERSION_ID="12"\n', "debian 12"),
        ("# x\nID='arch'\n", "arch"),
        ("nonsense\n\x00", ""),
    ],
)
def test_os_release(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_text(text)
    assert _system.release(str(tmp_path)) == expected


def test_containers_are_seen(tmp_path: Path) -> None:
    root = str(tmp_path)
    assert _system.look({}, root).container == ""
    assert _system.look({"SINGULARITY_NAME": "x.sif"}, root).container == "singularity"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".containerenv").write_text("")
    assert _system.look({}, root).container == "podman"


def test_view_by_id(tmp_path: Path) -> None:
    view = runtime.of(a_record(tmp_path, {"runtime": payload(python("3.9.1"))}))
    assert view is not None
    assert view["python-0"].version == "3.9.1"
