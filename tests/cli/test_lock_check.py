"""``prov lock --check``: silent on a repository fit to be published, and each fault is told."""

import json
import os
import platform
import textwrap

import numpy
import pytest

from tests.conftest import PYTHON, Prov, git

TRAIN = """\
import json
import numpy as np
from helper import scale

np.random.seed(1)
data = np.loadtxt("data.csv")
json.dump({"loss": float(scale(data.sum() + np.random.normal()))}, open("metrics.json", "w"))
"""
FILES = {
    "train.py": TRAIN,
    "helper.py": "def scale(loss):\n    return loss * 2\n",
    "data.csv": "1\n2\n3\n",
    ".gitignore": "metrics.json\n",
    "LICENSE": "MIT License\n",
    "README.md": "# Paper\n\nRun: python train.py\n",
    "requirements.txt": "numpy==%s\n" % numpy.__version__,
    ".python-version": platform.python_version() + "\n",
}
SECRET = "gh" + "p_" + "8fK2mQ9xL4vB7nT1wZ6cR3yH5jD0sA2eUoP4"


class Paper(Prov):
    """A repository with everything that reviewers ask for, and a remote that has it all."""

    def write(self, **files):
        """Write files by name, "__" for a slash and "_dot_" for a dot."""
        for name, text in files.items():
            path = self.folder / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def commit(self):
        """Commit everything."""
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "more")

    def push(self):
        """Let the remote's branch, as this clone knows it, hold the newest commit."""
        git(self.folder, "update-ref", "refs/remotes/origin/main", "HEAD")

    def record(self, *words, code=0, **more):
        """Record the training, or ``words``."""
        words = words or (PYTHON, "train.py")
        self("run", "--name", "main", "--", *words, code=code, **more)

    def publish(self):
        """Lock the run, commit the lock and push it."""
        self("lock", "main")
        self.commit()
        self.push()

    def check(self, *words, code=None):
        """Return the objections by kind, and require that the exit code fits them."""
        done = self("lock", "--check", *words, "--json", code=code)
        envelope = json.loads(done.stdout)
        assert envelope["schema"] == "prov/lock-check/1"
        data = envelope["data"]
        blocks = [one for one in data["objections"] if one["weight"] == "blocks"]
        assert done.returncode == data["exit_code"] == (1 if blocks else 0)
        assert data["counts"]["blocks"] == len(blocks)
        weights = [one["weight"] for one in data["objections"]]
        assert weights == sorted(weights, key=["blocks", "advice", "note"].index)
        return {one["kind"]: one for one in data["objections"]}


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


def made_in(folder):
    """Return the command line in a new repository that is fit to be published."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", "https://github.com/someone/paper.git")
    made = Paper(folder)
    made.commit()
    made.push()
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
            {"prov.yaml": "claims:\n  table2: {value: 0.9}\n"},
            "claim-without-run",
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


def test_all_versions_are_asked_for_at_once(paper):
    (paper.folder / "requirements.txt").unlink()
    paper.record()
    fix = paper.check("main")["no-environment"]["fix"]
    assert fix == "write requirements.txt with: numpy==%s" % numpy.__version__


def test_data_out_of_reach(paper, tmp_path):
    away = tmp_path / "scratch" / "train.csv"
    away.parent.mkdir()
    away.write_text("1\n2\n")
    paper.write(train_dot_py=TRAIN.replace('"data.csv"', '"%s"' % away))
    paper.commit()
    paper.record()
    one = paper.check("main", code=1)["data-out-of-reach"]
    assert str(away) in one["text"]
    assert one["where"] == ["train.py:6"]
    assert "path-in-source" not in paper.check("main")  # told already


def test_data_that_git_ignores(paper):
    paper.write(_dot_gitignore="metrics.json\ndata.csv\n")
    git(paper.folder, "rm", "-q", "--cached", "data.csv")
    paper.commit()
    paper.record()
    one = paper.check("main", code=1)["data-out-of-reach"]
    assert "git ignores data that the run read: data.csv" in one["text"]
    assert one["fix"].startswith("git add -f data.csv")
    paper.write(checksums_dot_txt="%s  data.csv\n" % ("a" * 64))
    found = paper.check("main")
    assert "data-out-of-reach" not in found
    assert found["data-no-source"]["weight"] == "advice"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "no remote"),
        ("['remote \"here\"']\n    url = /somewhere\n", "folder of this machine"),
        ("['remote \"there\"']\n    url = s3://bucket/x\n", None),
    ],
)
def test_dvc(paper, config, says):
    git(paper.folder, "rm", "-q", "--cached", "data.csv")
    paper.write(
        _dot_gitignore="metrics.json\n/data.csv\n",
        data_dot_csv_dot_dvc="outs:\n- md5: %s\n  size: 6\n  path: data.csv\n" % ("0" * 32),
        _dot_dvc__config=config,
    )
    paper.commit()
    paper.record()
    found = paper.check("main")
    assert "data-out-of-reach" not in found
    if says is None:
        assert "dvc-not-pushed" not in found
    else:
        assert says in found["dvc-not-pushed"]["text"]
        assert found["dvc-not-pushed"]["where"] == ["data.csv.dvc:2"]


def test_data_of_another_run(paper):
    paper.write(
        make_dot_py='open("made.csv", "w").write("1\\n2\\n")\n',
        _dot_gitignore="metrics.json\nmade.csv\n",
        train_dot_py=TRAIN.replace("data.csv", "made.csv"),
    )
    paper.commit()
    paper.push()
    paper("run", "--name", "prepare", "--", PYTHON, "make.py")
    paper.record()
    one = paper.check("main", code=0)["data-of-another-run"]
    assert one["fix"] == "prov lock prepare main"
    paper("lock", "prepare", "main")
    assert "data-of-another-run" not in paper.check()


def test_places_of_this_machine(paper):
    paper.write(
        train_dot_py=TRAIN + 'OUT = "/home/zelda/results"\n"""/home/doc/string"""\n# /home/x/y\n',
    )
    paper.commit()
    paper.record(PYTHON, "train.py", "--cache", "/mnt/zelda/cache", "--log=/mnt/zelda/log")
    found = paper.check("main")
    assert found["path-in-source"]["where"] == ["train.py:8"]
    assert "/mnt/zelda/cache, --log=/mnt/zelda/log" in found["path-in-command"]["text"]


def test_how_the_run_ended_and_whether_it_repeats(paper):
    paper.write(train_dot_py=TRAIN.replace("np.random.seed(1)\n", "") + "raise SystemExit(3)\n")
    paper.commit()
    paper.record(code=3)
    found = paper.check("main", code=1)
    assert "failed (exit 3)" in found["failed"]["text"]
    assert found["not-repeatable"]["where"] == ["train.py:6"]
    assert "seed" in found["not-repeatable"]["fix"]


def test_a_secret_on_the_command_line(paper):
    paper.record(PYTHON, "train.py", "--password", "hunter2hunter2")
    assert paper.check("main", code=1)["secret"]["fix"]


def test_packages_of_a_folder_elsewhere(paper, tmp_path):
    tools = tmp_path / "tools"
    (tools / "mytools-1.0.dist-info").mkdir(parents=True)
    (tools / "mytools.py").write_text("x = 1\n")
    (tools / "mytools-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mytools\nVersion: 1.0\n"
    )
    (tools / "mytools-1.0.dist-info" / "RECORD").write_text("mytools.py,,\n")
    (tools / "mytools-1.0.dist-info" / "direct_url.json").write_text(
        json.dumps({"url": "file://%s/src" % tmp_path, "dir_info": {}})
    )
    paper.write(train_dot_py="import mytools\n" + TRAIN)
    paper.commit()
    paper.record(env={"PYTHONPATH": str(tools)})
    one = paper.check("main", code=1)["package-not-public"]
    assert "mytools 1.0 was installed from" in one["text"]


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
    assert "no run is called" in paper("lock", "--check", "nope", code=4).stderr


def test_without_git(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    made = Paper(tmp_path)
    made.record()
    found = made.check("main", code=0)
    assert found["no-git"]["weight"] == "advice"
    assert os.path.isfile(tmp_path / "train.py")
