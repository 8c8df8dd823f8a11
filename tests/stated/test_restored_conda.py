"""What conda, conda-lock and pixi write, restored by rattler from a channel of a folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.stated.conda_channel import HERE, SCRIPT, SITE, TAG, WHOLE, Channel
from tests.stated.restored import OLD_IDNA, Place, quiet, run, three, tool, uv

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="the packages are made for Linux"),
]
SPECS = tuple(
    ("python %s.*,six ==1.16.0,idna ==3.10,pytorch,libzlib,mkl,py-opencv" % HERE).split(",")
)
LOW_LEVEL = ("_libgcc_mutex", "ca-certificates", "openssl", "libffi", "ncurses", "xz", "sqlite")


class Conda(NamedTuple):
    """The channel, and what installs from it: records of what was installed."""

    channel: Channel
    install: Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def conda(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conda")
    rattler = str(tool(folder, "py-rattler") / "python")
    (folder / "solve.py").write_text(SCRIPT)
    made = Channel(folder / "channel")
    made.python()
    uv(folder, "venv", "-q", "-p", sys.executable, str(folder / "wheels"))
    for pin in ("six==1.16.0", "idna==3.10", "idna==" + OLD_IDNA, "toolz==1.0.0", "pip==24.2"):
        uv(folder, "pip", "install", "-q", "-p", str(folder / "wheels/bin/python"), pin)
        made.wheel(folder / "wheels" / SITE, *pin.split("=="))
    made.module("pytorch", "2.1.0", TAG + "_cpu_0", "torch", ".post300")
    made.module("py-opencv", "4.8.1", TAG + "_0", "opencv-python")
    made.add("libzlib", "1.2.13", "hd590300_5", {"lib/libz.so.1": b"x"})
    made.add("mkl", "2023.2.0", "h84fe81f_50496", {"lib/libmkl.so": b"x"})
    made.add("mkl", "2024.0.0", "ha957f24_49657", {"lib/libmkl.so": b"y"})
    for low in LOW_LEVEL:
        made.add(low, "1.2.3", "h0_0", {"share/%s.txt" % low: b"x"})
    made.write()

    def install(place: Place, *specs: str, pixi: str = "") -> list[dict[str, Any]]:
        asked = {
            "channel": made.url,
            "specs": (*(specs or SPECS), *LOW_LEVEL),
            "prefix": str(place.env),
        }
        asked = {**asked, "cache": str(folder / "cache"), "pixi": pixi}
        return json.loads(run(place.folder, rattler, str(folder / "solve.py"), json.dumps(asked)))

    return Conda(made, install)


def _changed(place: Place, conda: Conda, *also: str) -> None:
    """Put idna in another version, take six away, add toolz."""
    left = [one.replace("3.10", OLD_IDNA) for one in SPECS if not one.startswith("six")]
    left[0] = SPECS[0]
    conda.install(place, *left, "toolz", *also)


ENVIRONMENT = """\
name: paper
channels:
  - conda-forge
  - defaults
dependencies:
  - python=%s
  - six=1.16.0=pyhd8ed1ab_0
  - idna=3.10
  - conda-forge::pytorch>=2.0,<3   # the framework
  - py-opencv=4.8
  - libzlib
  - mkl=2023
  - pip
  - pip:
      - packaging==24.1
      - colorama==0.4.6; sys_platform == 'win32'
prefix: /home/somebody/miniconda3/envs/paper
"""
NAMED = {("libzlib", "no version is stated")}


def test_environment_yml(tmp_path, conda):
    place = Place(tmp_path, **{"environment.yml": ENVIRONMENT % HERE})
    conda.install(place, *SPECS[:-2], "mkl 2023.*", "py-opencv", "pip")
    place.install("packaging==24.1")
    said = place.verify()
    quiet(said, *NAMED)
    assert said.status("colorama") == "not for here"
    assert said.rows["torch"]["status"] == "same"
    assert said.data["compared"]["runtime"]["equal"] == 1
    _changed(place, conda, "mkl 2023.*", "pip")
    said = place.verify(code=1)
    three(said, place, "environment.yml", "3.10.*", "1.16.0", False)
    _changed(place, conda, "mkl 2024.*", "pip")
    said = place.verify(code=1)
    assert ("version", "mkl", "unknown", "2023.*", "2024.0.0") in said.findings


def _export(records: list[dict[str, Any]], pip: tuple[str, ...]) -> str:
    """Return what ``conda env export`` prints."""
    lines = ["name: paper", "channels:", "  - conda-forge", "dependencies:"]
    lines += ["  - %(name)s=%(version)s=%(build)s" % one for one in records]
    return "\n".join([*lines, "  - pip:", *("      - " + one for one in pip), "prefix: /x", ""])


def _list(records: list[dict[str, Any]], pip: tuple[str, ...]) -> str:
    """Return what ``conda list --export`` prints."""
    lines = [
        "# This file may be used to create an environment using:",
        "# $ conda create --name <env> --file <this file>",
        "# platform: linux-64",
    ]
    lines += ["%(name)s=%(version)s=%(build)s" % one for one in records]
    return "\n".join([*lines, *(one.replace("==", "=") + "=pypi_0" for one in pip), ""])


def _table(records: list[dict[str, Any]], pip: tuple[str, ...]) -> str:
    """Return what ``conda list`` prints."""
    lines = ["# packages in environment at /opt/conda/envs/paper:", "#"]
    lines += ["# Name                    Version                   Build  Channel"]
    lines += ["%(name)-24s %(version)-20s %(build)20s  conda-forge" % one for one in records]
    rows = [one.partition("==")[::2] for one in pip]
    lines += ["%-24s %-20s %20s  pypi" % (*row, "pypi_0") for row in rows]
    return "\n".join([*lines, ""])


def _explicit(records: list[dict[str, Any]], pip: tuple[str, ...]) -> str:
    """Return what ``conda list --explicit --md5`` prints, which knows nothing of pip."""
    lines = ["# $ conda create --name <env> --file <this file>", "# platform: linux-64"]
    return "\n".join([*lines, "@EXPLICIT", *("%(url)s#%(md5)s" % one for one in records), ""])


def _conda_lock(records: list[dict[str, Any]], pip: tuple[str, ...]) -> str:
    """Return what conda-lock writes, for two platforms of which one is another one."""
    head = (
        "version: 1\nmetadata:\n  content_hash:\n    linux-64: abc\n    win-64: abd\n"
        "  channels:\n  - url: conda-forge\n    used_env_vars: []\n"
        "  platforms:\n  - linux-64\n  - win-64\n  sources:\n  - environment.yml\npackage:\n"
    )
    one = (
        "- name: %(name)s\n  version: %(version)s\n  manager: conda\n  platform: %(platform)s\n"
        "  dependencies: {}\n  url: %(url)s\n  hash:\n    md5: %(md5)s\n    sha256: %(sha256)s\n"
        "  category: main\n  optional: false\n"
    )
    win = {"name": "pywin32", "version": "306", "url": "https://x/win-64/pywin32-306-0.conda"}
    rows = [one % {**record, "platform": "linux-64"} for record in records]
    rows.append(one % {**win, "platform": "win-64", "md5": "0" * 32, "sha256": "0" * 64})
    rows += [
        "- name: %s\n  version: %s\n  manager: pip\n  platform: linux-64\n  dependencies: {}\n"
        "  url: https://x/%s\n  hash:\n    sha256: %s\n  category: main\n  optional: false\n"
        % (*text.partition("==")[::2], text, "0" * 64)
        for text in pip
    ]
    return head + "".join(rows)


FORMS = {
    "environment.yml": (_export, True, (r"- idna=", r"- six=")),
    "conda-list.txt": (_list, True, ("^idna=", "^six=")),
    "requirements.txt": (_list, True, ("^idna=", "^six=")),
    "environment.txt": (_table, True, ("^idna ", "^six ")),
    "conda-explicit.txt": (_explicit, True, ("/idna-", "/six-")),
    "conda-lock.yml": (_conda_lock, True, ("name: idna", "name: six")),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_conda_prints_of_an_environment(tmp_path, conda, name):
    place = Place(tmp_path)
    write, complete, lines = FORMS[name]
    records = conda.install(place)
    pip = () if write is _explicit else ("packaging==24.1",)
    place.write(name, write(records, pip))
    if pip:
        place.install(*pip)
    said = place.verify(*([name] if name == "environment.txt" else []))
    quiet(said)
    assert said.data["reference"]["file"] == name
    assert said.data["reference"]["complete"] is complete
    assert {said.status(one) for one in ("torch", "libzlib", "idna", "opencv-python")} == {"same"}
    assert said.data["compared"]["packages"]["total"] >= len(records) - 1
    _changed(place, conda)
    said = place.verify(*([name] if name == "environment.txt" else []), code=1)
    three(said, place, name, "3.10", "1.16.0", complete, lines)


def test_pixi_lock(tmp_path, conda):
    place = Place(tmp_path)
    conda.install(place, pixi=str(place.folder / "pixi.lock"))
    said = place.verify()
    quiet(said)
    assert said.data["reference"]["complete"]
    assert {said.status(one) for one in ("torch", "libzlib", "idna", "opencv-python")} == {"same"}
    _changed(place, conda)
    said = place.verify(code=1)
    assert {one[:2] for one in said.findings} == {
        ("version", "idna"), ("removed", "six"), ("added", "toolz")
    }  # fmt: skip
    assert said.rows["idna"]["stated"] == "3.10"


def test_another_build_of_one_version(tmp_path, conda):
    place = Place(tmp_path)
    records = conda.install(place)
    place.write("environment.yml", _export(records, ()).replace("_cpu_0", "_cuda118_0"))
    said = place.verify()
    one = "2.1.0 %s_cuda118_0" % TAG, "2.1.0 %s_cpu_0" % TAG
    assert said.findings == {("build", "torch", "unknown", *one)}


def test_an_environment_of_conda_restored_with_pip(tmp_path, conda):
    """Of what only conda has nothing can be said; all else is compared."""
    place = Place(tmp_path, **{"environment.yml": ENVIRONMENT % HERE})
    place.venv()
    place.install("six==1.16.0", "idna==3.10", "packaging==24.1")
    said = place.verify()
    assert {one[:2] for one in said.findings} == {
        ("removed", "torch"), ("removed", "opencv-python"), ("removed", "pip")
    }  # fmt: skip
    assert said.left == {
        ("libzlib", "there is no conda environment here"),
        ("mkl", "there is no conda environment here"),
    }


def test_python_of_another_minor_version(tmp_path, conda):
    place = Place(tmp_path, **{"environment.yml": ENVIRONMENT % "3.7"})
    conda.install(place, *SPECS[:-2], "mkl 2023.*", "py-opencv", "pip")
    place.install("packaging==24.1")
    said = place.verify()
    assert {one[:2] + one[3:] for one in said.findings} == {("version", "python", "3.7.*", WHOLE)}
