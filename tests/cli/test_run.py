"""``prov run``: as if bare, and recorded."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.conftest import PYTHON, Prov, git


def test_the_whole_record_of_a_small_training(prov, repo):
    done = prov(
        "run",
        "--name",
        "s0",
        "--tag",
        "t",
        "--label",
        "k=v",
        "--",
        PYTHON,
        "train.py",
        "--lr",
        "0.2",
    )
    assert done.stdout.startswith("final loss ")
    assert "recorded" in done.stderr
    record = prov.last()
    assert record["name"] == "s0"
    assert record["tags"] == ["t"]
    assert record["labels"] == {"k": "v"}
    assert record["status"] == "done"
    assert record["exit_code"] == 0
    assert record["command"] == [PYTHON, "train.py", "--lr", "0.2"]
    for name, answer in record["facets"].items():
        assert answer["status"] == "captured", (name, answer["reason"])


def test_what_each_facet_says(prov, repo):
    prov("run", "--", PYTHON, "train.py", "--lr", "0.2")
    code = prov.payload("code")
    assert code["commit"] == git(repo, "rev-parse", "HEAD").strip()
    used = {entry["path"]["path"] for entry in code["used"]}
    assert {"train.py", "helper.py"} <= used
    data = {f["path"]["path"]: f for f in prov.payload("data")["files"]}
    assert "data.csv" in data
    assert data["data.csv"]["digests"]
    outputs = {f["path"]["path"] for f in prov.payload("outputs")["files"]}
    assert outputs == {"metrics.json", "history.csv", "model.bin"}
    params = prov.payload("params")["values"]
    assert params["lr"]["value"] == 0.2
    assert params["lr"]["default"] == 0.1
    assert params["lr"]["given"] is True
    assert params["epochs"]["given"] is False
    metrics = prov.payload("metrics")
    assert metrics["final"]["test/acc"] == 0.5
    assert [p["step"] for p in metrics["series"]["loss"]] == [0, 1, 2]
    assert prov.payload("resources")["wall_s"] > 0


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_exit_codes_pass_through(prov, code):
    prov("run", "--", "sh", "-c", "exit %d" % code, code=code)
    assert prov.last()["exit_code"] == code
    assert prov.last()["status"] == ("done" if code == 0 else "failed")


def test_death_by_signal_passes_through(prov):
    prov("run", "--", "sh", "-c", "kill -SEGV $$", code=-signal.SIGSEGV)
    record = prov.last()
    assert record["signal"] == signal.SIGSEGV
    assert record["exit_code"] == 128 + signal.SIGSEGV


@pytest.mark.parametrize(
    ("word", "code", "says"),
    [("no-such-command-xyz", 127, "not found"), ("./data.csv", 126, "data.csv")],
)
def test_a_command_that_cannot_start_is_one_sentence_and_no_record(prov, word, code, says):
    done = prov("run", "--", word, code=code)
    assert says in done.stderr
    assert prov.json("ls")["runs"] == []


@pytest.mark.parametrize("words", [["run"], ["run", "--"], ["run", "--label", "x", "--", "true"]])
def test_wrong_usage(prov, words):
    done = prov(*words, code=2)
    assert done.stderr.startswith("prov: ")


def test_the_tree_and_the_index_are_not_touched(prov, repo):
    (repo / "helper.py").write_text("# changed\n" + (repo / "helper.py").read_text())
    (repo / "new.py").write_text("x = 1\n")
    git(repo, "add", "new.py")
    (repo / "loose.py").write_text("y = 1\n")
    before = git(repo, "status", "--porcelain")
    index = (repo / ".git" / "index").read_bytes()
    prov("run", "--", PYTHON, "train.py")
    assert (repo / ".git" / "index").read_bytes() == index  # before our own status renews it
    assert git(repo, "status", "--porcelain") == before
    assert git(repo, "stash", "list") == ""


def test_without_git(loose, folder):
    loose("run", "--", PYTHON, "train.py")
    assert loose.payload("code")["commit"] is None
    assert {e["path"]["path"] for e in loose.payload("code")["used"]} == {"train.py", "helper.py"}


def test_a_repository_without_a_commit(folder):
    git(folder, "init", "-q")
    prov = Prov(folder)
    prov("run", "--", PYTHON, "train.py")
    assert prov.last()["facets"]["code"]["status"] == "captured"


def test_in_a_subfolder(prov, repo):
    below = repo / "sub"
    below.mkdir()
    prov("run", "--", PYTHON, "-c", "open('out.txt', 'w').write('x')", cwd=below)
    assert (repo / ".prov").is_dir()
    assert not (below / ".prov").exists()
    record = prov.last()
    assert record["cwd"] == {"root": "repo", "path": "sub"}
    assert {f["path"]["path"] for f in prov.payload("outputs")["files"]} == {"sub/out.txt"}


def test_twenty_runs_at_once_give_twenty_right_records(prov, repo):
    script = "import sys; open('out%s.txt' % sys.argv[1], 'w').write(sys.argv[1])"
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "provenance",
                "run",
                "--name",
                "n%d" % n,
                "--",
                PYTHON,
                "-c",
                script,
                str(n),
            ],
            cwd=repo,
            env=prov.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for n in range(20)
    ]
    assert [process.wait(timeout=200) for process in started] == [0] * 20
    runs = {run["name"]: run for run in prov.json("ls")["runs"]}
    assert set(runs) == {"n%d" % n for n in range(20)}
    for n in range(20):
        record = prov.json("show", "n%d" % n)
        assert record["command"][-1] == str(n)
        written = [
            f["path"]["path"]
            for f in record["facets"]["outputs"]["subjects"][0]["payload"]["files"]
            if "observed" in f["how"]
        ]
        assert written == ["out%d.txt" % n]


def test_prov_killed_leaves_an_interrupted_record(prov, repo):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "provenance",
            "run",
            "--",
            PYTHON,
            "-c",
            "import time; open('data.csv').read(); print('up', flush=True); time.sleep(60)",
        ],
        cwd=repo,
        env=prov.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"up\n"
    assert prov.json("ls")["runs"][0]["status"] == "running"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert prov.json("ls")["runs"][0]["status"] == "interrupted"
    record = prov.last()
    assert record["facets"]["code"]["status"] == "captured"
    assert [f["path"]["path"] for f in prov.payload("data")["files"]] == ["data.csv"]
    assert any("killed" in note for note in record["notes"])


def test_an_unusable_prov_folder_never_stops_the_command(prov, repo):
    (repo / ".prov").write_text("in the way")
    done = prov("run", "--", PYTHON, "train.py")
    assert done.stdout.startswith("final loss")
    assert "not all was recorded" in done.stderr
    done = prov("run", "--require-record", "--", PYTHON, "train.py", code=125)
    assert done.stdout == ""


def test_secrets_appear_in_no_file_of_ours(prov, repo):
    secrets = {
        "env": "envSecretValue123456",
        "argv": "argvSecret987654",
        "remote": "remotePass55555",
        "index": "indexPass66666",
        "file": "AKIAIOSFODNN7EXAMPLE",
        "printed": "ghp_" + "a1B2c3D4e5" * 4,
    }
    git(repo, "remote", "add", "origin", "https://me:%s@example.org/x.git" % secrets["remote"])
    (repo / "helper.py").write_text(
        (repo / "helper.py").read_text() + "KEY = '%s'\n" % secrets["file"]
    )
    (repo / "fresh.py").write_text("AWS = '%s'\n" % secrets["file"])
    script = "import os, sys; print(os.environ['MY_API_TOKEN'], sys.argv, %r)" % secrets["printed"]
    prov(
        "run",
        "--",
        PYTHON,
        "-c",
        script,
        "--password",
        secrets["argv"],
        "--index=https://u:%s@example.org/simple" % secrets["index"],
        env={
            "MY_API_TOKEN": secrets["env"],
            "PIP_INDEX_URL": "https://u:%s@example.org/simple" % secrets["index"],
        },
    )
    prov("run", "--name", "train", "--", PYTHON, "train.py", env={"MY_API_TOKEN": secrets["env"]})
    prov("lock", "@-2", "@last")
    files = [p for p in (repo / ".prov").rglob("*") if p.is_file()] + [repo / "prov.lock"]
    assert len(files) > 4
    import gzip

    for path in files:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        for name, secret in secrets.items():
            assert secret.encode() not in content, (name, path)


def test_nothing_heavy_is_imported(prov, repo, tmp_path):
    listing = tmp_path / "modules"
    prov("run", "--", PYTHON, "train.py", env={"PROV_DEBUG_MODULES": str(listing)})
    loaded = set(listing.read_text().split())
    heavy = {"typer", "pydantic", "rich", "git", "yaml", "psutil", "packaging", "dataclasses"}
    assert not heavy & loaded


def test_the_log_is_kept_byte_for_byte(prov, repo):
    prov("run", "--", PYTHON, "-c", "print('a\\r', end=''); print('\\x1b[1mb')")
    record = prov.last()
    log = repo / ".prov" / "runs" / record["id"] / "log.txt"
    assert log.read_bytes() == b"a\r\x1b[1mb\n"
    assert record["log"]["redactions"] == 0
    prov("run", "--no-capture", "--", PYTHON, "-c", "print(1)")
    assert prov.last()["log"]["path"] is None


def test_no_hook_records_less_and_says_so(prov, repo):
    prov("run", "--no-hook", "--", PYTHON, "train.py")
    record = prov.last()
    assert record["facets"]["code"]["status"] == "captured"
    assert {f["path"]["path"] for f in prov.payload("outputs")["files"]} >= {"metrics.json"}


def test_bash_with_several_python_steps(prov, repo):
    text = '%s -c \'open("mid.txt","w").write("1")\' && %s -c \'print(open("mid.txt").read())\''
    prov("run", "--", "bash", "-c", text % (PYTHON, PYTHON))
    runtimes = prov.last()["facets"]["runtime"]["subjects"]
    assert len(runtimes) == 1
    kinds = {f["path"]["path"]: f["kind"] for f in prov.payload("outputs")["files"]}
    assert kinds == {"mid.txt": "intermediate"}


def test_a_bad_settings_file_does_not_stop_the_run(prov, repo):
    (repo / "prov.yaml").write_text("data: [1\n")
    done = prov("run", "--", PYTHON, "train.py")
    assert "prov.yaml:" in done.stderr


def test_summary_goes_to_stderr_and_can_be_silenced(prov):
    done = prov("run", "-q", "--", "true")
    assert done.stderr == ""
    assert done.stdout == ""


def test_record_is_sealed_json_that_a_person_can_read(prov, repo):
    prov("run", "--", "true")
    path = repo / ".prov" / "runs" / prov.last()["id"] / "record.json"
    document = json.loads(path.read_text())
    assert len(document["sha256"]) == 64
    assert list(document) == sorted(document)


def test_running_record_exists_before_the_command_starts(prov, repo):
    script = (
        "import json, glob; path = glob.glob('.prov/runs/*/record.json')[0];"
        "print(json.load(open(path))['status'])"
    )
    done = prov("run", "--", PYTHON, "-c", script)
    assert done.stdout == "running\n"


def test_many_files_read_right_in_the_top_folder_are_listed(prov, repo):
    for number in range(300):
        (repo / ("part%03d.csv" % number)).write_text(str(number))
    script = (
        "import glob; total = sum(int(open(f).read()) for f in glob.glob('part*.csv'));"
        "open('metrics.json', 'w').write('{\"total\": %d}' % total)"
    )
    prov("run", "--", PYTHON, "-c", script)
    names = {f["path"]["path"] for f in prov.payload("data")["files"]}
    assert {"part%03d.csv" % number for number in range(300)} <= names
    assert "metrics.json" not in names
    assert prov.json("verify")["compared"]["data"]["equal"] >= 300
