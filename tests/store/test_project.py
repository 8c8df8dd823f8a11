"""Where ``.prov`` stands, what it ignores, which settings hold."""

import os

import pytest

from provenance import config
from provenance.errors import BadRecord, SystemRefused
from provenance.store import project


def test_prov_stands_at_the_git_top(tmp_path):
    (tmp_path / ".git").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    found = project.find(str(below))
    assert found == project.Project(str(tmp_path), str(tmp_path))


def test_a_nearer_prov_yaml_wins_but_the_code_root_stays(tmp_path):
    (tmp_path / ".git").mkdir()
    below = tmp_path / "paper" / "src"
    below.mkdir(parents=True)
    (tmp_path / "paper" / "prov.yaml").write_text("")
    assert project.find(str(below)) == project.Project(str(tmp_path / "paper"), str(tmp_path))


def test_without_git_the_working_folder_is_the_project(tmp_path):
    assert project.find(str(tmp_path)) == project.Project(str(tmp_path), None)


def test_prov_ignores_itself(tmp_path):
    place = project.find(str(tmp_path))
    project.ensure(place)
    project.ensure(place)
    assert (tmp_path / ".prov" / ".gitignore").read_text() == "*\n"


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / ".prov").write_text("not a folder")
    with pytest.raises(SystemRefused, match=r"\.prov.*cannot be made"):
        project.ensure(project.find(str(tmp_path)))


def test_settings(tmp_path):
    (tmp_path / "prov.yaml").write_text("data: corpus\noutputs: [a, ../b]\nrtol: 0.01\nnew: 1\n")
    found = config.load(str(tmp_path))
    assert found.data == (str(tmp_path / "corpus"),)
    assert found.outputs == (str(tmp_path / "a"), os.path.normpath(str(tmp_path / "../b")))
    assert found.rtol == 0.01
    assert found.digest_seconds == 30.0


def test_settings_in_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.prov]\nfail_on = "possible"\n')
    assert config.load(str(tmp_path)).fail_on == "possible"


@pytest.mark.parametrize("text", ["remotes:\n", "data:\n#  - x\n", "of_a_newer_version: 1\n"])
def test_what_states_nothing_is_no_mistake(tmp_path, text):
    (tmp_path / "prov.yaml").write_text(text)
    assert config.load(str(tmp_path)) == config.Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data: 3\n", "prov.yaml:1: data must be a list of paths"),
        ("rtol: 1\nremotes:\n  a: /x\n  b:\n", "prov.yaml:4: remotes/b must be an address"),
        ("remotes:\n  a:\n    url: s3://x\n    password: 1\n", "prov.yaml:4: remotes/a/password"),
        ("remotes: {a: 's3://b?X-Amz-Signature=x'}\n", "prov.yaml:1: remotes/a must be an address"),
        ("\nremoets: {a: /x}\n", "prov.yaml:2: remoets must be remotes"),
        ("fail_on: always\n", "fail_on must be one of"),
        ("rtol: -1\n", "rtol must be a number"),
        ("a: [1\nb: 2\n", "prov.yaml:2"),
        ("- a\n", "expected settings"),
    ],
)
def test_wrong_settings_name_the_file_and_member(tmp_path, text, says):
    (tmp_path / "prov.yaml").write_text(text)
    with pytest.raises(BadRecord, match=r"prov\.yaml") as caught:
        config.load(str(tmp_path))
    assert says in caught.value.message
