"""A wheel made from what was installed installs the same files again."""

import os
import subprocess
import sys
import zipfile

import pytest

from provenance.core.distributions import scan
from provenance.environments import repack
from tests.facets._venvs import project, uv, venv


def sites(python):
    folder = os.path.dirname(os.path.dirname(python))
    name = "python%d.%d" % sys.version_info[:2]
    return folder, os.path.join(folder, "lib", name, "site-packages")


def installed(python, key):
    return next(one for one in scan([sites(python)[1]]) if one.key == key)


def packed(python, key):
    dist = installed(python, key)
    return repack.repack(dist.location, os.path.basename(dist.folder), sites(python)[0])


@pytest.fixture
def tool(tmp_path):
    """Return the interpreter that has a package with scripts of both kinds, data and a header."""
    folder = project(tmp_path / "src", "prov-tool")
    (folder / "old-script").write_text("#!/usr/bin/env python\nimport prov_tool\nprint(5)\n")
    (folder / "note.txt").write_text("for share")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "prov-tool"\nversion = "0.1+local.1"\n'
        '[project.scripts]\nprov-tool = "prov_tool:main"\n'
        '[tool.setuptools]\nscript-files = ["old-script"]\n'
        '[tool.setuptools.data-files]\n"share/tool" = ["note.txt"]\n'
    )
    (folder / "prov_tool" / "__init__.py").write_text("def main():\n    print(7)\n")
    return venv(tmp_path / "one", str(folder))


@pytest.mark.network
@pytest.mark.slow
def test_what_it_gives_is_what_was_installed(tool, tmp_path):
    wheel = packed(tool, "prov-tool")
    assert wheel.name == "prov_tool-0.1+local.1-py3-none-any.whl"
    assert wheel.edited == ()
    assert wheel == packed(tool, "prov-tool"), "the same files give the same bytes"
    path = tmp_path / wheel.name
    path.write_bytes(wheel.content)
    names = zipfile.ZipFile(path).namelist()
    assert not [one for one in names if one.endswith(("INSTALLER", "direct_url.json", ".pyc"))]
    assert not [one for one in names if one.endswith("scripts/prov-tool")], "made by the installer"

    other = venv(tmp_path / "two", str(path))
    one, two = installed(tool, "prov-tool"), installed(other, "prov-tool")
    assert one.record_sha256 == two.record_sha256 != ""
    assert one.modules == two.modules == ("prov_tool",)
    folder = sites(other)[0]
    for name, said in (("prov-tool", b"7\n"), ("old-script", b"5\n")):
        assert subprocess.check_output([os.path.join(folder, "bin", name)]) == said
    with open(os.path.join(folder, "share/tool/note.txt")) as stream:
        assert stream.read() == "for share"


@pytest.mark.network
@pytest.mark.slow
def test_a_compiled_package_keeps_its_tags_and_pip_takes_it(tmp_path):
    old = venv(tmp_path / "one", "markupsafe==2.1.5")
    wheel = packed(old, "markupsafe")
    assert "-cp%d%d-" % sys.version_info[:2] in wheel.name
    path = tmp_path / wheel.name
    path.write_bytes(wheel.content)
    other = venv(tmp_path / "two", "pip")
    subprocess.run([other, "-m", "pip", "install", "-q", "--no-deps", str(path)], check=True)
    code = "import markupsafe._speedups as s; print(s.escape('<'))"
    assert subprocess.check_output([other, "-c", code], text=True) == "&lt;\n"
    same = [installed(python, "markupsafe").record_sha256 for python in (old, other)]
    assert same[0] == same[1]


@pytest.mark.network
@pytest.mark.slow
def test_edited_files_are_named(tmp_path):
    old = venv(tmp_path / "one", "six==1.16.0")
    path = os.path.join(sites(old)[1], "six.py")
    with open(path, "rb") as stream:
        text = stream.read()
    os.unlink(path)  # it may be a link to uv's cache
    with open(path, "wb") as stream:
        stream.write(text + b"X = 1\n")
    wheel = packed(old, "six")
    assert wheel.edited == ("six.py",)
    uv(tmp_path, "venv", "-q", str(tmp_path / "two"))


def test_what_has_no_record_is_refused(tmp_path):
    (tmp_path / "x-1.0.dist-info").mkdir()
    with pytest.raises(ValueError, match="it has no RECORD"):
        repack.repack(str(tmp_path), "x-1.0.dist-info", str(tmp_path))
    with pytest.raises(ValueError, match="it has no RECORD"):
        repack.repack(str(tmp_path), "x-1.0.egg-info", str(tmp_path))
    (tmp_path / "x-1.0.dist-info" / "RECORD").write_text("")
    with pytest.raises(ValueError, match="it was not installed from a wheel"):
        repack.repack(str(tmp_path), "x-1.0.dist-info", str(tmp_path))


def test_files_outside_the_environment_are_refused(tmp_path):
    info = tmp_path / "env" / "site" / "x-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "WHEEL").write_text("Tag: py3-none-any\n")
    (info / "RECORD").write_text("../../../etc/passwd,,\n")
    with pytest.raises(ValueError, match="outside the environment"):
        repack.repack(str(info.parent), info.name, str(tmp_path / "env"))
