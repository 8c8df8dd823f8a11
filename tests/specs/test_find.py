from __future__ import annotations

import pytest

from provenance.specs import find, formats
from provenance.specs.model import EXACT, PACKAGE, Fact, Spec


def found(*paths: str) -> list[str]:
    return [one.path for one in find.files(paths)]


def test_the_most_exact_kind_comes_first() -> None:
    order = [
        "prov.lock",
        "uv.lock",
        "spec-file.txt",
        "requirements-frozen.txt",
        "environment.yml",
        "requirements.txt",
        "pyproject.toml",
        "Dockerfile",
        "README.md",
        ".python-version",
        "data/x.dvc",
    ]
    assert found(*reversed(order)) == order


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("requirements.txt", "requirements"),
        ("requirement.txt", "requirements"),
        ("requirements-dev.txt", "requirements"),
        ("requirements_py3101.txt", "requirements"),
        ("test-requirements.txt", "requirements"),
        ("requirements.in", "requirements"),
        ("requirements/base.txt", "requirements"),
        ("reqs.txt", "requirements"),
        ("pip-requirements.txt", "requirements"),
        ("requirements.lock", "requirements"),
        ("environment.yml", "environment_yml"),
        ("environment-gpu.yaml", "environment_yml"),
        ("env.yaml", "environment_yml"),
        ("conda_env.yml", "environment_yml"),
        ("conda.yaml", "environment_yml"),
        ("gmd_env.yml", "environment_yml"),
        ("ppc64le.environment.yml", "environment_yml"),
        ("env/SE3nv.yml", "environment_yml"),
        ("conda-lock.yml", "conda_lock"),
        ("ppc64le.conda-lock.yml", "conda_lock"),
        ("conda-linux-64.lock", "conda_explicit"),
        ("spec-file.txt", "conda_explicit"),
        ("pixi.lock", "pixi_lock"),
        ("Pipfile", "pipfile"),
        ("Pipfile.lock", "pipfile_lock"),
        ("poetry.lock", "poetry_lock"),
        ("pdm.lock", "pdm_lock"),
        ("uv.lock", "uv_lock"),
        ("pylock.toml", "pylock"),
        ("pylock.gpu.toml", "pylock"),
        ("pyproject.toml", "pyproject"),
        ("setup.cfg", "setup_cfg"),
        ("setup.py", "setup_py"),
        ("renv.lock", "renv_lock"),
        ("Manifest.toml", "julia_manifest"),
        ("Manifest-v1.11.toml", "julia_manifest"),
        ("Project.toml", "julia_project"),
        ("docker/Dockerfile", "dockerfile"),
        ("Dockerfile.gpu", "dockerfile"),
        ("gpu.dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("Singularity", "apptainer"),
        ("Singularity.cuda10", "apptainer"),
        ("env.def", "apptainer"),
        ("README", "readme"),
        ("readme.md", "readme"),
        ("README.rst", "readme"),
        ("INSTALL.md", "readme"),
        ("docs/installation.md", "readme"),
        ("MLproject", "mlproject"),
        ("cog.yaml", "cog"),
        ("runtime.txt", "python_version"),
        (".python-version", "python_version"),
        (".tool-versions", "python_version"),
        ("data/x.csv.dvc", "dvc"),
        ("dvc.lock", "dvc"),
        ("SHA256SUMS", "checksums"),
        ("data/md5sum.txt", "checksums"),
        ("model.pt.sha256", "checksums"),
        ("checksums.txt", "checksums"),
    ],
)
def test_names(path: str, module: str) -> None:
    assert [(one.path, one.module) for one in find.files([path])] == [(path, module)]


@pytest.mark.parametrize(
    "path",
    [
        "a/b/c/requirements.txt",
        "third_party/x/requirements.txt",
        "vendor/requirements.txt",
        "node_modules/x/README.md",
        "build/environment.yml",
        "x.egg-info/requires.txt",
        ".venv/requirements.txt",
        "../requirements.txt",
        "/etc/requirements.txt",
        "train.py",
        "requirements.py",
        "environment.py",
        "config.yaml",
        "env_config.json",
        "install.sh",
        "checksum.py",
        "data.txt",
        "notes.md",
        "package.json",
        "Cargo.lock",
    ],
)
def test_names_that_are_left_out(path: str) -> None:
    assert found(path) == []


def test_a_virtual_environment_is_told_by_its_marker() -> None:
    assert found("env/pyvenv.cfg", "env/share/README.md", "envs/base.yml") == ["envs/base.yml"]
    assert found("mine/conda-meta/history", "mine/x/README.md") == []


def test_files_for_other_uses_come_later() -> None:
    paths = [
        "requirements-dev.txt",
        "docs/requirements.txt",
        "environment_macos.yml",
        "requirements-gpu.txt",
        "requirements.txt",
        "environment.yml",
        "part/environment.yml",
        "part/README.md",
        "README.md",
    ]
    got = find.files(paths)
    assert [one.path for one in got if not one.other] == [
        "environment.yml",
        "requirements.txt",
        "requirements-gpu.txt",
        "README.md",
    ]
    assert got[0].path == "environment.yml"


def test_a_part_counts_where_the_top_says_nothing() -> None:
    got = find.files(["README.md", "setup.py", "cifar/requirements.txt", "docker/Dockerfile"])
    assert (got[0].path, got[0].other) == ("cifar/requirements.txt", False)


def test_what_was_read_decides_in_the_end() -> None:
    files = find.files(["environment.yml", "requirements.txt", "docs/uv.lock", "README.md"])
    fact = Fact(PACKAGE, "a", EXACT, "x:1", "1")
    full = {"requirements.txt": True, "docs/uv.lock": True}
    read = [
        (
            one,
            Spec(
                one.path,
                one.module,
                (fact,) * (one.path != "README.md"),
                complete=full.get(one.path, False),
            ),
        )
        for one in files
    ]
    assert [one.path for one, _ in find.by_content(reversed(read))] == [
        "requirements.txt",
        "environment.yml",
        "docs/uv.lock",
        "README.md",
    ]


def test_every_module_of_a_name_has_a_rank() -> None:
    for _, module in formats._BY_NAME:
        assert module in find.RANKS
