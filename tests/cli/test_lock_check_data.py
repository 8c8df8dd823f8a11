"""``prov lock --check``: what a run read and ran on, and how it ended."""

import json

import pytest

from provenance.operations import _publishable_run
from tests.cli._paper import TRAIN, made_in
from tests.conftest import PYTHON, git


@pytest.fixture
def paper(tmp_path):
    """Return the command line in a repository that is fit to be published."""
    return made_in(tmp_path / "paper")


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


def test_weights_from_caches_are_named(paper, tmp_path):
    cache = tmp_path / "home" / ".cache"
    torch = cache / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    commit = "0123456789abcdef0123456789abcdef01234567"
    hub = cache / "huggingface" / "hub" / "models--acme--tiny" / "snapshots" / commit / "model.bin"
    for path in (torch, hub):
        path.parent.mkdir(parents=True)
        path.write_text("weights")
    opened = "".join("open(%r).read()\n" % str(path) for path in (torch, hub))
    paper.write(train_dot_py=TRAIN + opened)
    paper.commit()
    paper.push()
    paper.record(env={"HOME": str(tmp_path / "home")})
    data = paper.json_of("main", env={"HOME": str(tmp_path / "home")})
    told = {one["text"]: one["weight"] for one in data if one["kind"] == "read-from-cache"}
    assert [text for text, weight in told.items() if weight == "advice"] == [
        "weights read from a cache of this machine: hub/checkpoints/resnet18-f37072fd.pth"
    ]
    assert any("hf://acme/tiny" in text and "0123456789ab" in text for text in told)
    assert not [one for one in data if one["kind"] == "data-out-of-reach"]


def test_data_too_large_for_git_hosts(paper):
    with open(paper.folder / "big.bin", "wb") as stream:
        stream.truncate((100 << 20) + 1)
    paper.write(train_dot_py=TRAIN + 'open("big.bin", "rb").read(9)\n')
    paper.commit()
    paper.push()
    paper.record()
    one = paper.check("main", code=1)["data-too-large"]
    assert "big.bin" in one["text"]
    paper.write(_dot_gitattributes="big.bin filter=lfs\n")
    assert "data-too-large" not in paper.check("main")


def test_submodules(paper, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "lib.py").write_text("x = 1\n")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "start")
    git(
        paper.folder,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        str(other),
        "sub",
    )
    paper.commit()
    paper.push()
    paper.write(sub__lib_dot_py="x = 2\n")
    paper.record()
    found = paper.json_of("main")
    told = [one["text"] for one in found if one["weight"] == "blocks"]
    assert "submodule sub comes from a folder of this machine" in told
    assert "submodule sub had uncommitted changes" in told


def test_notebooks():
    def kinds(**members):
        one = {"path": {"root": "repo", "path": "a.ipynb"}, **members}
        return [told.kind for told in _publishable_run._notebook(one)]

    assert kinds(saved=[1, 2, 3]) == kinds(saved=[]) == kinds(saved=[None, None]) == []
    assert kinds(saved=[2, 1]) == kinds(saved=[1, None]) == ["notebook-order"]
    assert kinds(session=True, saved=[2, 1]) == ["notebook-by-hand"]
    assert kinds(saved=[1], failed=["cell 2: ValueError"]) == ["notebook-failed"]


def test_several_runs_are_told_apart(paper):
    paper.record()
    paper.write(train_dot_py=TRAIN.replace("np.random.seed(1)\n", ""))
    paper.commit()
    paper.push()
    paper("run", "--name", "second", "--", PYTHON, "train.py")
    paper("lock", "main", "second")
    text = paper("lock", "--check", code=1).stdout
    assert "run second: not repeatable: numpy unseeded (train.py:6)" in text
    assert "run main: code that the run used has changed since (train.py)" in text
