"""``prov lock --check``: silent on a repository fit to be published, and each fault is told."""

import json
import os
import re

import numpy
import pytest

from tests.cli._paper import FILES, ROOT, TRAIN, Paper, made_in
from tests.conftest import PYTHON, git

SECRET = "gh" + "p_" + "8fK2mQ9xL4vB7nT1wZ6cR3yH5jD0sA2eUoP4"


@pytest.fixture
def paper(tmp_path):
    """Return the command line in a repository that is fit to be published."""
    return made_in(tmp_path / "paper")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Return the same after one recorded training, to be left as it was."""
    made = made_in(tmp_path_factory.mktemp("recorded") / "paper")
    made.record()
    return made


def test_a_published_paper_is_ready(paper):
    paper.record()
    paper.publish()
    assert paper.check(code=0) == {}
    text = paper("lock", "--check").stdout
    assert text.startswith("READY: nothing to object to (exit 0)  prov.lock (run ")
    assert len(text.splitlines()) == 1
    assert paper("lock", "main").stdout.count("!") == 0


def test_a_fresh_clone_is_ready_too(paper, tmp_path):
    paper.record()
    paper.publish()
    git(tmp_path, "clone", "-q", str(paper.folder), "clone")
    found = paper.json("verify", cwd=tmp_path / "clone")
    assert found["verdict"] == "same"
    done = paper("lock", "--check", "--json", cwd=tmp_path / "clone", code=0)
    kinds = [one["kind"] for one in json.loads(done.stdout)["data"]["objections"]]
    assert kinds == ["no-remote"]  # the clone's only remote is a folder here


def test_nothing_recorded(paper):
    found = paper.check(code=1)
    assert found["no-run"]["weight"] == "blocks"
    assert "prov run" in found["no-run"]["fix"]
    assert "package-not-pinned" not in found
    paper.write(requirements_dot_txt="scipy\nnumpy==1.0\n")
    assert paper.check(code=1)["package-not-pinned"]["where"] == ["requirements.txt:1"]
    (paper.folder / "requirements.txt").unlink()
    assert paper.check(code=1)["no-environment"]["weight"] == "blocks"


def test_what_git_does_not_hold(paper):
    paper.write(helper_dot_py="def scale(loss):\n    return loss * 3\n")
    paper.write(more_dot_py="x = 1\n", secret_plan_dot_py="y = 2\n", _dot_gitignore="secret*\n")
    paper.write(train_dot_py=TRAIN.replace("import json", "import json, more, secret_plan"))
    paper.record()
    found = paper.check("main")
    assert set(found["code-uncommitted"]["where"]) == {"helper.py", "train.py"}
    assert found["code-untracked"]["where"] == ["more.py"]
    assert found["code-untracked"]["fix"] == "git add more.py"
    assert found["code-ignored"]["where"] == ["secret_plan.py"]
    git(paper.folder, "add", "-f", "secret_plan.py")
    paper.commit()
    paper.push()
    left = paper.check("main")
    assert not {"code-uncommitted", "code-untracked", "code-ignored"} & set(left)


def test_code_changed_since_the_lock(paper):
    paper.record()
    paper.publish()
    paper.write(helper_dot_py='"""Remark."""\n' + FILES["helper.py"])
    paper.commit()
    paper.push()
    assert "code-changed" not in paper.check()  # a docstring does not matter
    paper.write(helper_dot_py="def scale(loss):\n    return loss * 3\n")
    paper.commit()
    paper.push()
    assert paper.check(code=1)["code-changed"]["where"] == ["helper.py"]


def test_commits_and_remotes(paper):
    paper.commit()
    paper.record()
    found = paper.check("main", code=1)
    assert "is on no remote" in found["commit-not-pushed"]["text"]
    assert "head-not-pushed" not in found
    paper.push()
    assert "commit-not-pushed" not in paper.check("main")
    paper.commit()
    assert paper.check("main")["head-not-pushed"]["weight"] == "advice"
    git(paper.folder, "remote", "remove", "origin")
    assert paper.check("main", code=1)["no-remote"]["weight"] == "blocks"


def test_the_lock_itself(paper):
    paper.record()
    assert paper.check("main", code=0)["no-lock"]["weight"] == "advice"
    paper("lock", "main")
    assert paper.check(code=1)["lock-not-committed"]["fix"] == "git add prov.lock"
    paper.write(_dot_gitignore="*.lock\n")
    assert "!prov.lock" in paper.check(code=1)["lock-ignored"]["fix"]
    paper.write(_dot_gitignore=FILES[".gitignore"])
    paper.commit()
    paper.record()
    assert paper.check("main")["not-in-lock"]["fix"].startswith("prov lock ")
    paper("lock", "main")
    assert "differs" in paper.check(code=1)["lock-not-committed"]["text"]


@pytest.mark.parametrize(
    ("files", "kind", "weight", "where"),
    [
        ({"requirements.txt": "numpy==1.0\n"}, "version-not-used", "blocks", "requirements.txt:1"),
        ({"requirements.txt": "\nnumpy<1\n"}, "version-not-used", "blocks", "requirements.txt:2"),
        ({"requirements.txt": "numpy\n"}, "package-not-pinned", "advice", "requirements.txt:1"),
        ({"requirements.txt": "torch==2.0\n"}, "package-not-stated", "blocks", "train.py:2"),
        (
            {"requirements.txt": "numpy==%s\ntorch\n" % numpy.__version__},
            "stated-not-had",
            "advice",
            "requirements.txt:2",
        ),
        (
            {"requirements.txt": "numpy==%s\npytest\n" % numpy.__version__},
            "stated-not-used",
            "note",
            "requirements.txt:2",
        ),
        (
            {
                "requirements.txt": None,
                "environment.yml": "dependencies:\n  - python=2.7\n  - numpy=1.0\n",
            },
            "version-not-used",
            "blocks",
            "environment.yml:3",
        ),
        (
            {
                "requirements.txt": None,
                "environment.yml": "dependencies:\n  - numpy=%s\n" % numpy.__version__[:3],
            },
            "package-not-pinned",
            "advice",
            "environment.yml:2",
        ),
        ({".python-version": "2.7.18\n"}, "python-not-used", "blocks", ".python-version:1"),
        ({".python-version": None}, "no-python-stated", "advice", None),
        (
            {"Dockerfile": "FROM python:2.7\nRUN pip install numpy==1.0\n"},
            "version-not-used",
            "advice",
            "Dockerfile:2",
        ),
        (
            {
                "requirements.txt": None,
                "pyproject.toml": '[project]\nname = "p"\nversion = "1"\n'
                'dependencies = ["numpy==1.0"]\n',
            },
            "version-not-used",
            "blocks",
            "pyproject.toml:4",
        ),
        ({"requirements.txt": None}, "no-environment", "blocks", None),
        ({"requirements.txt": "$ numpy\n"}, "line-not-read", "advice", "requirements.txt:1"),
        ({"LICENSE": None}, "no-license", "advice", None),
        ({"README.md": None}, "no-readme", "advice", None),
        (
            {"prov.yaml": "claims:\n  table2: {run: gone, metric: acc, value: 0.9}\n"},
            "claim-without-run",
            "advice",
            "prov.yaml:2",
        ),
        (
            {"prov.yaml": "claims:\n  table2: {value: 0.9}\n"},
            "claim-unreadable",
            "advice",
            "prov.yaml",
        ),
        ({"config.yaml": "token: %s\n" % SECRET}, "secret", "blocks", "config.yaml:1"),
    ],
)  # fmt: skip
def test_what_the_repository_states(recorded, files, kind, weight, where):
    for name, text in files.items():
        path = recorded.folder / name
        path.unlink() if text is None else path.write_text(text)
    try:
        found = recorded.check("main")
    finally:
        git(recorded.folder, "checkout", "-q", ".")
        git(recorded.folder, "clean", "-q", "-fd", "-e", ".prov")
    assert kind in found, found
    assert found[kind]["weight"] == weight
    assert found[kind]["where"][:1] == ([where] if where else [])


def test_a_whole_version_of_condas_is_a_pin(recorded):
    path = recorded.folder / "requirements.txt"
    path.unlink()
    other = recorded.folder / "environment.yml"
    other.write_text("dependencies:\n  - numpy=%s\n" % numpy.__version__)
    try:
        found = recorded.check("main")
    finally:
        other.unlink()
        git(recorded.folder, "checkout", "-q", ".")
    assert "package-not-pinned" not in found
    assert "version-not-used" not in found


def test_all_versions_are_asked_for_at_once(paper):
    (paper.folder / "requirements.txt").unlink()
    paper.record()
    fix = paper.check("main")["no-environment"]["fix"]
    assert fix == "write requirements.txt with: numpy==%s" % numpy.__version__


def test_for_github_and_in_markdown(paper):
    paper.write(requirements_dot_txt="numpy==1.0\n")
    paper.commit()
    paper.record()
    lines = paper("lock", "--check", "main", "--github", code=1).stdout.splitlines()
    told = [line for line in lines if line.startswith("::error")]
    assert any("file=requirements.txt,line=1," in line for line in told)
    text = paper("lock", "--check", "main", "--markdown", code=1).stdout
    assert text.startswith("## prov lock --check: NOT READY")
    assert "- [ ] **blocks** numpy 1.0 is stated" in text
    assert "`requirements.txt:1`" in text
    done = paper("lock", "--check", "--json", "--github", code=2)
    assert "exclude each other" in done.stderr


def test_one_screen_and_one_reference(paper):
    for name in ("LICENSE", "README.md", ".python-version"):
        (paper.folder / name).unlink()
    paper.write(
        requirements_dot_txt="torch\n",
        train_dot_py=TRAIN.replace("seed(1)", "seed()") + 'X = "/home/x/y"\n',
    )
    paper.write(_dot_gitignore="*.csv\n*.lock\n", config_dot_json='{"out": "/home/x/out"}')
    git(paper.folder, "rm", "-q", "--cached", "data.csv")
    git(paper.folder, "remote", "remove", "origin")
    paper.record(PYTHON, "train.py", "--cache", "/mnt/cache/x", "--user", "me")
    text = paper("lock", "--check", "main", code=1).stdout
    assert len(text.splitlines()) <= 24
    assert "(-v)" in text
    assert len(paper("lock", "--check", "main", "-v", code=1).stdout.splitlines()) >= 16
    assert "one run or lock" in paper("lock", "--check", "a", "b", code=2).stderr
    assert "leave out --out" in paper("lock", "--check", "--out", "x", code=2).stderr
    assert "go with --check" in paper("lock", "main", "--github", code=2).stderr
    assert "no run is called" in paper("lock", "--check", "nope", code=4).stderr


def test_without_git(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    made = Paper(tmp_path)
    made.record()
    found = made.check("main", code=0)
    assert found["no-git"]["weight"] == "advice"
    assert os.path.isfile(tmp_path / "train.py")


def test_all_kinds_are_documented():
    sources = (ROOT / "src" / "provenance" / "operations").glob("*publishable*.py")
    text = "".join(one.read_text() for one in sources)
    kinds = set(re.findall(r'Objection\(\s*"([a-z-]+)"', text))
    page = (ROOT / "docs" / "json-output.md").read_text()
    page = page[page.index("## lock --check") : page.index("## init")]
    assert len(kinds) > 30
    assert kinds == {one for one in re.findall(r"`([a-z-]+)`", page) if "-" in one or one in kinds}
