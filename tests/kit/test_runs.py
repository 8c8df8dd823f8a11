"""What the kit writes is run for real: in a fresh clone, with a fresh environment.

No container can be started here, nor a batch system: the Dockerfile is parsed (`test_rendered`) and
its installing line run, the batch script is run by bash.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import Prov, git
from tests.kit import _ci, _tools
from tests.kit._papers import clone, copied, paper, relocked

pytestmark = [pytest.mark.slow, pytest.mark.network]
PARTS = "test github smoke gitlab pre-commit devcontainer docker slurm readme citation".split()


def uv(*words, cwd):
    subprocess.run([_tools.tool("uv"), *words], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    """Return a paper with an environment of its own, recorded, locked, with the kit committed."""
    folder = paper(tmp_path_factory.mktemp("adopted") / "paper", requirements__txt="six==1.16.0\n")
    uv("venv", "-q", "--python", sys.executable, ".venv", cwd=folder)
    uv("pip", "install", "-q", "--python", ".venv/bin/python", "six==1.16.0", cwd=folder)
    prov = Prov(folder)
    prov("run", "--name", "table1", "--", ".venv/bin/python", "train.py", "--lr", "0.2")
    prov("lock", "table1")
    prov("init", *PARTS, "--into-readme")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Adopt prov")
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return what stands for prov on the index: a wheel of this source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "-q", "--wheel", "--out-dir", str(folder), str(_tools.ROOT), cwd=folder)
    return str(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def job_python(tmp_path_factory):
    """Return where the machines have their Python."""
    return tmp_path_factory.mktemp("job") / "python"


@pytest.fixture
def machine(tmp_path, job_python):
    """Return a function that gives a machine with a fresh clone of a repository."""

    def made(source):
        return _ci.Runner(clone(source, tmp_path / "clone"), tmp_path / "runner", job_python)

    return made


@pytest.fixture
def runner(adopted, machine):
    """Return a machine with a fresh clone of the adopted paper."""
    return machine(adopted)


GITHUB = ".github/workflows/provenance.yml"
SMOKE = ".github/workflows/smoke-replay.yml"


def test_the_github_workflow(runner, wheel):
    codes = runner.workflow(runner.folder / GITHUB, PROV=wheel)
    assert set(codes.values()) == {0}, runner.outputs
    assert list(codes)[-2:] == ["Run the drop-in test", "Verify"]
    assert re.search(r"test_data .*ok", runner.outputs["Run the drop-in test"])
    assert "prov verify: SAME" in runner.summary
    (runner.folder / "data.csv").write_text("x\n1\n2\n4\n")
    train = runner.folder / "train.py"
    train.write_text(train.read_text().replace("* args.lr", "* args.lr * 2"))
    (runner.folder / ".venv").rename(runner.scratch / "former")
    codes = runner.workflow(runner.folder / GITHUB, PROV=wheel)
    assert codes["Run the drop-in test"] != 0
    assert codes["Verify"] == 1  # it runs all the same, for its annotations
    assert re.search(
        r"^::error .*data\.csv: 1 of 3 cells differ", runner.outputs["Verify"], re.MULTILINE
    )
    assert re.search(r"^::error .*train\.py was changed", runner.outputs["Verify"], re.MULTILINE)
    assert "data.csv" in runner.summary


def test_the_smoke_workflow_replays(runner, wheel):
    codes = runner.workflow(runner.folder / SMOKE, PROV=wheel)
    assert set(codes.values()) == {0}, runner.outputs
    assert "Bring the data" not in codes  # git holds it
    assert re.search(r"test/loss .* same", runner.outputs["Replay"])


def test_the_smoke_workflow_rehearses_a_long_run(adopted, wheel, machine, tmp_path):
    folder = copied(adopted, tmp_path / "work")
    relocked(folder, lambda run: run.update(duration_s=9000.0))
    (folder / SMOKE).unlink()
    Prov(folder)("init", "smoke")
    git(folder, "commit", "-qam", "A long run")
    runner = machine(folder)
    codes = runner.workflow(runner.folder / SMOKE, PROV=wheel)
    assert set(codes.values()) == {0}, runner.outputs
    assert "SAME" in runner.outputs["Rehearse"]
    # another release of the package: what its calls return is compared
    (runner.folder / "requirements.txt").write_text("six==1.15.0\n")
    (runner.folder / ".venv").rename(runner.scratch / "former")
    codes = runner.workflow(runner.folder / SMOKE, PROV=wheel)
    assert codes["Rehearse"] == 0, runner.outputs
    assert "calls compared" in runner.outputs["Rehearse"]


def test_the_workflow_of_a_repository_that_never_ran_prov(wheel, machine, tmp_path):
    folder = paper(tmp_path / "paper", requirements__txt="six==1.16.0\n")
    Prov(folder)("init", "github")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Adopt prov")
    runner = machine(folder)
    path = runner.folder / GITHUB
    codes = runner.workflow(path, PROV=wheel)
    assert set(codes.values()) == {0}, runner.outputs
    assert "requirements.txt" in runner.outputs["Verify"]


def test_the_gitlab_job(runner, wheel):
    code = runner.gitlab(runner.folder / ".gitlab-ci.yml", PROV=wheel)
    assert code == 0, runner.outputs
    assert "<testsuite" in (runner.folder / "provenance.xml").read_text()
    (runner.folder / "data.csv").write_text("x\n1\n2\n4\n")
    (runner.folder / ".venv").rename(runner.scratch / "former")
    assert runner.gitlab(runner.folder / ".gitlab-ci.yml", PROV=wheel) != 0
    assert "data.csv" in runner.outputs["script"]


def test_our_action_verifies(runner):
    runner.set_up_python()
    uv("venv", "-q", "--python", sys.executable, ".venv", cwd=runner.folder)
    uv("pip", "install", "-q", "--python", ".venv/bin/python", "six==1.16.0", cwd=runner.folder)
    codes = runner.action(_tools.ROOT / "action.yml", python=".venv/bin/python")
    assert codes == {"Install prov": 0, "Verify": 0}, runner.outputs
    (runner.folder / "data.csv").write_text("x\n9\n")
    codes = runner.action(_tools.ROOT / "action.yml", python=".venv/bin/python", fail_on="broken")
    assert codes["Verify"] == 1
    assert "::error" in runner.outputs["Verify"]


def test_the_devcontainer_prepares_its_environment(runner):

    text = (runner.folder / ".devcontainer" / "devcontainer.json").read_text()
    runner.set_up_python()
    assert runner.bash(json.loads(text)["postCreateCommand"]) == 0, runner.outputs
    assert runner.bash(".venv/bin/python train.py") == 0, runner.outputs


def test_the_image_installs_what_the_command_needs(runner, tmp_path):
    runner.python = tmp_path / "of-the-image"
    text = (runner.folder / "Dockerfile").read_text()
    runner.set_up_python()  # stands for the image's Python
    for line in re.findall(r"^RUN (.+)$", text, re.MULTILINE):
        assert runner.bash(line) == 0, runner.outputs
    assert runner.bash("python train.py --lr 0.2") == 0, runner.outputs


def test_the_readme_says_what_works(runner, wheel):
    text = (runner.folder / "README.md").read_text()
    assert text.startswith("# Learning")  # what was there stays
    block = re.search(r"```\n(git clone .*?)```", text, re.DOTALL)
    runner.set_up_python()
    assert runner.bash("pip install -q '%s' uv" % wheel) == 0
    assert runner.bash("\n".join(block[1].splitlines()[1:]), shell="bash") == 0, runner.outputs
    assert "SAME" in runner.outputs[""]


@pytest.fixture
def bin_with_prov(tmp_path):
    """Return a folder with a ``prov`` of this source tree, to be put on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = '#!/bin/sh\nexec "%s" -m provenance "$@"\n' % sys.executable
    (folder / "prov").write_text(script)
    (folder / "prov").chmod(0o755)
    return folder


def with_prov(folder):
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("PROV_", "GIT_"))}
    source = str(_tools.ROOT / "src")
    return dict(environ, PATH="%s:%s" % (folder, os.environ["PATH"]), PYTHONPATH=source)


def test_the_batch_script_records_and_passes_arguments_on(adopted, bin_with_prov, tmp_path):
    folder = copied(adopted, tmp_path / "work")
    environ = dict(with_prov(bin_with_prov), SLURM_SUBMIT_DIR=str(folder), SLURM_JOB_NAME="job7")
    done = subprocess.run(
        ["bash", "slurm.sh", "--seed", "5"], cwd=folder, env=environ, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "loss" in done.stdout
    last = Prov(folder).last()
    assert last["name"] == "job7"
    assert last["command"][-4:] == ["--lr", "0.2", "--seed", "5"]


def test_the_batch_script_runs_without_prov(adopted, tmp_path):
    folder = copied(adopted, tmp_path / "work")
    environ = dict(os.environ, PATH="/usr/bin:/bin")
    environ.pop("SLURM_SUBMIT_DIR", None)
    done = subprocess.run(
        ["bash", str(folder / "slurm.sh")], cwd=tmp_path, env=environ, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert "not recorded" in done.stderr
    assert "loss" in done.stdout


def test_the_hook_stops_a_push(adopted, bin_with_prov, tmp_path):
    pre_commit = _tools.tool("pre-commit")
    folder = copied(adopted, tmp_path / "work")
    environ = dict(with_prov(bin_with_prov), PRE_COMMIT_HOME=str(tmp_path / "hooks"))
    environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(folder, "remote", "set-url", "origin", str(tmp_path / "remote.git"))

    def run(*words):
        return subprocess.run(
            words, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )

    assert run(pre_commit, "install", "--hook-type", "pre-push").returncode == 0
    pushed = run("git", "push", "-q", "origin", "main")
    assert pushed.returncode == 0, pushed.stderr
    (folder / "data.csv").write_text("x\n1\n2\n4\n")
    run("git", "commit", "-qam", "Change the data")  # committing is not in the way
    stopped = run("git", "push", "-q", "origin", "main")
    assert stopped.returncode != 0
    assert "data.csv" in stopped.stdout + stopped.stderr


def test_our_hook_verifies(adopted, bin_with_prov, tmp_path):
    """As from a .pre-commit-config.yaml that names the repository of prov."""
    pre_commit = _tools.tool("pre-commit")
    hooks = tmp_path / "prov"
    hooks.mkdir()
    (hooks / ".pre-commit-hooks.yaml").write_text(
        (_tools.ROOT / ".pre-commit-hooks.yaml").read_text()
    )
    git(hooks, "init", "-q")
    git(hooks, "add", ".")
    git(hooks, "commit", "-q", "-m", "hooks")
    folder = copied(adopted, tmp_path / "work")
    environ = dict(with_prov(bin_with_prov), PRE_COMMIT_HOME=str(tmp_path / "hooks"))
    words = [pre_commit, "try-repo", str(hooks), "prov-verify", "--hook-stage", "pre-push"]
    done = subprocess.run(
        [*words, "--all-files", "--verbose"], cwd=folder, env=environ, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SAME" in done.stdout
