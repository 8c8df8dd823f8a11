"""Files of other tools state exactly the recorded releases, whatever stands in the record."""

import json
import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import MissingExtra
from provenance.exports import (
    apptainer,
    conda_explicit,
    conda_lock,
    devcontainer,
    dockerfile,
    pylock,
    requirements,
)
from provenance.exports._environment import CondaFile, Environment, Release
from provenance.specs import formats
from provenance.specs.model import Source

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
TORCH = ("--default-index", "https://download.pytorch.org/whl/cpu")
NUMPY = CondaFile(
    "numpy",
    "1.26.4",
    "py311h64a7726_0",
    "https://conda.anaconda.org/conda-forge",
    "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda",
    "a" * 32,
    "c" * 64,
)
PIP = Environment(
    'run "x" (1234)',
    "Written by a test.",
    "3.11.7",
    "linux-x86_64",
    "linux-x86_64",
    (Release("six", "1.16.0", (A, B)), Release("torch", "2.1.0+cpu", (A,), TORCH)),
    (("tool", "git+https://example.org/tool.git@" + "0" * 40),),
    (("mine", "0.1", "an editable install"),),
    command=("python", "a b.py"),
    projects=(".",),
)
CONDA = PIP._replace(
    conda=(NUMPY,), releases=(Release("six", "1.16.0", (A,), (), "https://x/six"),)
)


def stated(name, text):
    """Return name and version of what our own reader of such files finds in ``text``."""
    read = formats.read(Source(name, text.encode()))
    return {one.name: one.version or one.url for one in read.facts if one.kind == "package"}


def test_requirements_are_pinned_hashed_and_name_their_index():
    text = requirements.render(PIP)
    assert stated("requirements.txt", text) == {"six": "1.16.0", "torch": "2.1.0+cpu"}
    assert "six==1.16.0 \\\n    --hash=%s \\\n    --hash=%s\n" % (A, B) in text
    assert "\n--extra-index-url https://download.pytorch.org/whl/cpu\n" in text
    assert "# Not in this file: mine 0.1 (an editable install)" in text
    assert "# Then: pip install --no-deps 'tool @ git+https://example.org/tool.git@" in text
    assert "# Then: pip install --no-deps -e .\n" in text
    assert "--require-hashes" in text
    bare = PIP._replace(releases=(Release("six", "1.16.0"), *PIP.releases[1:]))
    assert "--require-hashes" not in requirements.render(bare)


def test_a_dockerfile_holds_its_lists():
    text = dockerfile.render(PIP)
    assert "\nFROM python:3.11.7\n" in text
    assert "COPY <<'END-OF-FILE' /opt/requirements.txt\n--extra-index-url" in text
    assert text.endswith('RUN pip install --no-deps -e .\nCMD ["python", "a b.py"]\n')
    of_conda = dockerfile.render(CONDA)
    assert "FROM condaforge/miniforge3" in of_conda
    assert NUMPY.url + "#" + NUMPY.md5 in of_conda
    assert "RUN /opt/environment/bin/python -m pip install --no-cache-dir --no-deps" in of_conda


@pytest.mark.parametrize("one", [PIP, CONDA])
def test_the_commands_of_images_are_shell(one):
    text = apptainer.render(one)
    post = text[text.index("%post\n") + 6 : text.index("%runscript")].partition("%environment")[0]
    subprocess.run(["sh", "-n"], input=post, text=True, check=True)
    for line in re.findall(r"^RUN (.*)", dockerfile.render(one), re.M):
        subprocess.run(["sh", "-n"], input=line, text=True, check=True)
    assert "exec python 'a b.py'\n" in text


def test_a_list_in_a_definition_file_is_written_as_it_is(tmp_path):
    text = apptainer.render(PIP)
    post = text[text.index("%post\n") + 6 : text.index("    pip install")]
    target = tmp_path / "requirements.txt"
    subprocess.run(
        ["sh"], input=post.replace("/opt/requirements.txt", str(target)), text=True, check=True
    )
    assert target.read_text().endswith("torch==2.1.0+cpu \\\n    --hash=%s\n" % A)


def test_a_devcontainer_names_the_files_that_it_installs_from():
    text = devcontainer.render(CONDA)
    comments = [line for line in text.splitlines() if line.startswith("//")]
    assert any("--format explicit -o explicit.lock" in line for line in comments)
    told = json.loads("\n".join(x for x in text.splitlines() if not x.startswith("//")))
    assert told["image"].startswith("condaforge/miniforge3")
    assert told["postCreateCommand"].startswith("conda create --yes --prefix /opt/environment")
    assert "-r requirements.lock" in told["postCreateCommand"]


def test_an_explicit_list_keeps_pips_packages_apart():
    text = conda_explicit.render(CONDA)
    assert stated("explicit.txt", text) == {"numpy": "1.26.4"}
    assert "#   six==1.16.0" in text


def test_a_pylock_is_passed_on():
    text = 'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "six"\nversion = "1"\n'
    assert stated("pylock.toml", pylock.render(PIP._replace(pylock=text))) == {"six": "1"}


def test_a_conda_lock_is_read_by_conda_lock(tmp_path):
    try:
        text = conda_lock.render(CONDA)
    except MissingExtra as error:
        pytest.skip(error.message)
    from conda_lock.lockfile import parse_conda_lock_file

    path = tmp_path / "conda-lock.yml"
    path.write_text(text)
    found = {one.name: one for one in parse_conda_lock_file(path).package}
    assert (found["numpy"].manager, found["numpy"].hash.md5) == ("conda", "a" * 32)
    assert (found["six"].manager, found["six"].hash.sha256) == ("pip", "a" * 64)
    assert stated("conda-lock.yml", text) == {"numpy": "1.26.4", "six": "1.16.0"}


RENDERERS = (requirements, pylock, conda_explicit, dockerfile, apptainer, devcontainer)


@given(st.text(), st.sampled_from(RENDERERS))
def test_no_word_of_a_record_ends_a_comment(word, renderer):
    plain = renderer.render(CONDA).splitlines()
    odd = CONDA._replace(
        title=word, made=word, left_out=(("mine", "0.1", word), ("mine", word, "x"))
    )
    lines = renderer.render(odd).splitlines()
    mark = "//" if renderer is devcontainer else "#"
    rest = [line for line in lines if not line.startswith(mark)]
    if renderer is not devcontainer:
        assert rest == [line for line in plain if not line.startswith(mark)]
    else:
        assert json.loads("\n".join(rest))["name"] == word
