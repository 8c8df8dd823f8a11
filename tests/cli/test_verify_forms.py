"""``prov verify`` on an environment of sixty packages, and its output for other readers."""

import os

import pytest

from tests.conftest import PYTHON, git

SCRIPT = "import dist00, dist20\nprint(dist00.f(1) + dist20.f(2))\n"


def install(site, number, version):
    """Put a small package where pip would have put it, in place of any other version of it."""
    name = "dist%02d" % number
    for old in site.glob(name + "-*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    info = site / ("%s-%s.dist-info" % (name, version))
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    )
    (info / "RECORD").write_text("%s.py,,\n%s/METADATA,,\n" % (name, info.name))
    (site / (name + ".py")).write_text("def f(x):\n    return x\n")


@pytest.fixture
def sixty(prov, repo, tmp_path):
    """Return the command line and the packages of an environment with a run in it."""
    import venv

    venv.create(tmp_path / "venv")
    site = next((tmp_path / "venv").glob("lib/python*/site-packages"))
    for number in range(60):
        install(site, number, "1.0.0")
    (repo / "job.py").write_text(SCRIPT)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "job")
    prov("run", "--", str(tmp_path / "venv" / "bin" / "python"), "job.py")
    return prov, site


def test_ten_upgrades_that_do_not_matter_are_two_lines(sixty):
    prov, site = sixty
    for number in range(10):
        install(site, number, "1.1.0")
    first, second = prov("verify", "--calls", "off").stdout.splitlines()
    assert first.startswith("NO KNOWN EFFECT: 1 unknown; 1 not compared (exit 0)  run ")
    assert "packages 50/60" in second
    assert "dist00 1.0.0 -> 1.1.0" in second
    assert "9 changes that cannot matter (-v)" in second
    for number in range(50, 60):
        assert "dist%02d" % (number - 50) in prov("verify", "--calls", "off", "-v").stdout


def test_markdown_and_github_say_the_same_with_the_same_exit_code(prov, repo, tmp_path):
    prov("run", "--", PYTHON, "train.py")
    (repo / "helper.py").write_text("def scale(loss, lr):\n    return loss * lr\n")
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(repo.parent)}
    text = prov("verify", "--markdown", code=1, env=env).stdout
    assert text.startswith("## prov verify: DIFFERENT (1 broken)\n")
    assert "### BROKEN: helper.py was changed" in text
    assert os.fspath(tmp_path) not in text
    lines = prov("verify", "--github", code=1, env=env).stdout.splitlines()
    assert lines[-1].startswith("::error file=%s/helper.py,title=BROKEN%%3A " % repo.name)
    assert lines[0].startswith("::stop-commands::")
    assert lines[-2] == "::%s::" % lines[0].removeprefix("::stop-commands::")
    assert summary.read_text() == "before\n" + text
    dry = prov("replay", "--dry-run", "--markdown", code=1).stdout
    assert "### BROKEN: helper.py was changed" in dry
    assert "Note: will run:" in dry


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["verify", "--json", "--markdown"], "exclude each other"),
        (["verify", "--calls", "banana"], "'banana' is not a mode"),
        (["replay", "--markdown"], "show what would be done"),
    ],
)
def test_forms_that_make_no_sense_are_one_sentence(prov, words, says):
    prov("run", "--", PYTHON, "-c", "pass")
    assert says in prov(*words, code=2).stderr


def test_the_code_of_a_lock_is_not_rehearsed_unasked(sixty, repo):
    prov, site = sixty
    prov("lock", "@last")
    assert "calls not compared" not in prov("verify", "prov.lock").stdout
    install(site, 0, "1.1.0")
    assert "--calls cut" in prov("verify", "prov.lock").stdout.splitlines()[1]
    (repo / "prov.yaml").write_text("calls: off\n")
    assert "--calls cut" not in prov("verify", "prov.lock").stdout
    (repo / "prov.yaml").write_text("calls: maybe\n")
    assert "calls must be one of auto" in prov("verify", "prov.lock", code=4).stderr
