"""``--anonymous``: every byte of a lock and of what is exported names nobody, no host, no place."""

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import tarfile

import pytest

from tests.conftest import Prov, git

NAMES = (
    "zeldaqx", "zelda", "quuxton", "krakenlab", "krakenteam", "deepnode", "secretenv", "mlgroup",
    "nightshift", "bigpart", "scratchq",
)  # fmt: skip
TRAIN = """\
import argparse, json, os, random, sys

p = argparse.ArgumentParser()
p.add_argument("--data")
p.add_argument("--entity")
p.add_argument("--out")
p.add_argument("--note")
p.add_argument("--lr", type=float, default=0.1)
args = p.parse_args()
import krakentools
config = json.load(open("config.json"))
random.seed(1)
rows = [float(x) for x in open(args.data)] + [float(x) for x in open("local.csv")]
print("saved by zeldaqx to", args.out, "see https://wandb.ai/krakenteam/paper/runs/1")
json.dump({"loss": krakentools.total(rows) * args.lr}, open("metrics.json", "w"))
"""
CONFIG = {
    "wandb": {"entity": "krakenteam", "project": "paper"},
    "tracking_uri": "http://mlflow.krakenlab.example:5000/#/experiments/3",
    "author": "Zelda Quuxton",
    "mail": "zelda.quuxton@krakenlab.example",
    "cache": "/scratchq/zeldaqx/cache",
    "lr": 0.1,
}
TOOLS = "def total(rows):\n    return sum(rows)\n"
BACKEND = '''\
"""A build backend of our own: an editable install that needs no index."""
import base64, hashlib, os, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "krakentools-1.0-py3-none-any.whl"
    info = "krakentools-1.0.dist-info/"
    files = {
        "krakentools.pth": os.getcwd() + "\\n",
        info + "METADATA": "Metadata-Version: 2.1\\nName: krakentools\\nVersion: 1.0\\n"
        "Author-email: Zelda Quuxton <zelda.quuxton@krakenlab.example>\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n",
    }
    rows = "".join("%s,,\\n" % one for one in files) + info + "RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(info + "RECORD", rows)
    return name

build_wheel = build_editable
'''


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """Return the ``prov`` command of an author with telling names everywhere."""
    home = tmp_path_factory.mktemp("homes") / "zeldaqx"
    repo = home / "krakenlab" / "paper"
    (repo / "sub").mkdir(parents=True)
    (home / "data").mkdir()
    (home / "data" / "train.csv").write_text("1\n2\n")
    (repo / "local.csv").write_text("3\n")
    (repo / "train.py").write_text(TRAIN)
    (repo / "config.json").write_text(json.dumps(CONFIG))
    (repo / "requirements.txt").write_text(
        "krakentools @ git+https://git.krakenlab.example/t.git\n"
    )
    tools = home / "code" / "krakentools"
    tools.mkdir(parents=True)
    (tools / "krakentools.py").write_text(TOOLS)
    (tools / "backend.py").write_text(BACKEND)
    (tools / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "krakentools"\nversion = "1.0"\n'
    )
    prefix = home / "miniconda3" / "envs" / "secretenv"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True, timeout=120
    )
    python = str(prefix / "bin" / "python")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index",
         "--no-build-isolation", "-e", str(tools)],
        check=True, timeout=240, capture_output=True,
    )  # fmt: skip
    for folder, owner in ((repo, "krakenteam"), (tools, "mlgroup")):
        git(folder, "init", "-q", "-b", "zeldaqx/main")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", "start")
        git(folder, "remote", "add", "origin", "git@git.krakenlab.example:%s/paper.git" % owner)
    git(repo, "remote", "add", "web", "https://zeldaqx@github.com/krakenteam/paper.git")
    git(repo, "config", "user.name", "Zelda Quuxton")
    git(repo, "config", "user.email", "zelda.quuxton@krakenlab.example")
    made = Prov(repo)
    made.python = python
    made.environ = {
        "PATH": os.pathsep.join([str(prefix / "bin"), os.environ["PATH"]]),
        "HOME": str(home),
        "USER": "zeldaqx",
        "LOGNAME": "zeldaqx",
        "HOSTNAME": "deepnode7.krakenlab.example",
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": "secretenv",
        "LD_LIBRARY_PATH": "/scratchq/zeldaqx/lib:%s/lib" % home,
        "KRAKENLAB_DATA": "/scratchq/krakenlab",
        "XLA_FLAGS": "--xla_dump_to=/scratchq/zeldaqx/dump",
        "OMP_NUM_THREADS": "1",
        "SLURM_JOB_ID": "777123",
        "SLURM_JOB_USER": "zeldaqx",
        "SLURM_JOB_ACCOUNT": "mlgroup",
        "SLURM_JOB_NAME": "nightshift",
        "SLURM_JOB_PARTITION": "bigpart",
        "SLURM_JOB_NODELIST": "deepnode[7-9]",
        "LANG": "de_CH.UTF-8",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    made(
        "run", "--name", "zeldaqx-main", "--tag", "krakenlab", "--data", str(home / "data"), "--",
        python, "train.py", "--data", str(home / "data" / "train.csv"), "--entity", "krakenteam",
        "--out", "%s/out" % home, "--note=ask zelda.quuxton@krakenlab.example",
    )  # fmt: skip
    made.run = made.last()["id"]
    return made


def leaks(data):
    """Return which telling names stand in ``data``, unpacking what is packed in it."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    for packed in re.findall(r'"([A-Za-z0-9+/]{40,}={0,2})"', text):
        try:
            raw = base64.b64decode(packed, validate=True)
        except ValueError:
            continue
        try:
            with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
                for member in archive:
                    text += member.name + member.uname + member.gname
                    stream = archive.extractfile(member)
                    text += stream.read().decode("utf-8", "replace") if stream else ""
        except (tarfile.TarError, OSError):
            text += raw.decode("latin-1")
    low = text.lower()
    host = socket.gethostname().lower()
    found = [name for name in (*NAMES, "777123", "de_ch") if name in low]
    found += [host] if len(host) > 3 and host in low else []
    found += re.findall(r"/(?:tmp|home|Users|root)/\S*", text)
    found += [one for one in re.findall(r"[\w.+-]+@[\w-]+\.\w+", text) if "anonymous" not in one]
    return found


def test_the_record_itself_says_it_all(author):
    said = author("show", author.run, "--json").stdout.lower()
    missing = [n for n in NAMES if n not in said and n not in ("nightshift", "mlgroup", "deepnode")]
    assert missing == []


def test_lock_names_nobody(author):
    done = author("lock", author.run, "--anonymous")
    assert "commit ids stay" in done.stdout
    lock = (author.folder / "prov.lock").read_bytes()
    assert leaks(lock) == []
    document = json.loads(lock)
    run = document["runs"][0]
    assert run["anonymous"] is True
    values = run["facets"]["environment"]["subjects"][0]["payload"]["values"]
    assert values["OMP_NUM_THREADS"] == "1"
    assert "SLURM_JOB_ID" not in values
    assert run["command"][:3] == ["python", "train.py", "--data"]
    files = run["facets"]["data"]["subjects"][0]["payload"]["files"]
    digests = {one["path"]["path"]: one["digests"] for one in files}
    full = author.json("show", author.run)["facets"]["data"]["subjects"][0]["payload"]["files"]
    assert [d.get("blake3") for d in digests.values()] == [o["digests"].get("blake3") for o in full]
    assert all("sha256" in d or "sha256-tree-1" in d for d in digests.values())


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--json",),
        ("params",),
        ("code",),
        ("packages",),
        ("environment",),
        ("runtime",),
        ("processes",),
        ("--format", "markdown"),
        ("--format", "latex"),
    ],
)
def test_what_is_shown_names_nobody(author, words):
    assert leaks(author("show", author.run, *words, "--anonymous").stdout) == []


def test_verify_and_replay_work_against_it(author):
    author("lock", author.run, "--anonymous")
    text = author("verify").stdout
    assert text.startswith("SAME (exit 0)"), text
    data = author.json("verify")
    assert [one for one in data["findings"] if one["effect"] != "none"] == []
    assert data["not_compared"] == []
    done = author("replay", "prov.lock", "--yes", code=None)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same" in done.stdout


def test_the_drop_in_test_reads_it(author):
    author("lock", author.run, "--anonymous")
    author("init", "--test")
    done = subprocess.run(
        [author.python, "test_provenance.py"],
        cwd=author.folder, env=author.environ, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (author.folder / "test_provenance.py").unlink()


def test_uncommitted_code_that_names_somebody_is_left_out(author):
    path = author.folder / "train.py"
    path.write_text(TRAIN + "# by Zelda Quuxton\nprint('changed')\n")
    (author.folder / "helper.py").write_text("x = 1\n")
    author("run", "--", author.python, "train.py", "--data", "local.csv", "--out", "o")
    path.write_text(TRAIN)
    done = author("lock", "@last", "--anonymous", "--out", "other.lock")
    lock = (author.folder / "other.lock").read_bytes()
    assert leaks(lock) == []
    assert "code.patch" in done.stdout
    assert "left out" in done.stdout
    (author.folder / "helper.py").unlink()
