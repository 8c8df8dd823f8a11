"""Processes, ranks, runs inside runs and runs side by side, through the real command line."""

import os
import re
import shutil
import subprocess
import sys
import time

import pytest

from tests.conftest import PYTHON

PROV = "%s -m provenance run -q --" % PYTHON
RANK = "import os, sys; rank = os.environ['RANK']; print(rank)\n"
LAUNCHER = """\
import os, subprocess, sys
started = []
for rank in range(%d):
    environ = dict(os.environ, RANK=str(rank), WORLD_SIZE="%d", LOCAL_RANK=str(rank))
    started.append(subprocess.Popen([sys.executable, "rank.py"], env=environ))
for one in started:
    one.wait()
"""


def launch(folder, text, ranks):
    (folder / "rank.py").write_text(text)
    (folder / "launch.py").write_text(LAUNCHER % (ranks, ranks))


def subjects(loose, run="@last"):
    return loose.json("show", run)["facets"]["processes"]["subjects"]


def test_ranks_are_one_record_and_their_differences_are_named(loose, folder):
    text = RANK + (
        "if rank == '2': os.environ['OMP_NUM_THREADS'] = '9'\n"
        "if rank == '1': os.kill(os.getpid(), 9)\n"
        "if rank == '3': sys.exit(5)\n"
    )
    launch(folder, text, 4)
    done = loose("run", "--", PYTHON, "launch.py")
    run, *ranks = subjects(loose)
    assert [one["rank"] for one in ranks] == [0, 1, 2, 3]
    told = run["payload"]
    assert (told["size"], told["ranks"], told["total"]) == (4, [0, 1, 2, 3], 5)
    ends = [(r["payload"]["ending"], r["payload"]["exit_code"]) for r in ranks]
    assert ends == [("complete", 0), ("killed", -9), ("complete", 0), ("failed", 5)]
    assert ranks[2]["payload"]["environ"]["OMP_NUM_THREADS"] == "9"
    (differing,) = (d for d in told["differing"] if "OMP" in d["name"])
    assert differing["values"]["9"] == [2]
    assert {one.get("parent") for one in told["listed"]} == {None, "1"}
    assert "rank 1 was killed by signal 9; rank 3 ended with exit code 5" in done.stderr
    shown = loose("show", "@last", "processes").stdout
    assert "4 of 4 ranks" in shown
    assert "killed by signal 9" in shown


def test_equal_ranks_differ_in_nothing(loose, folder):
    launch(folder, RANK, 3)
    done = loose("run", "--", PYTHON, "launch.py")
    run, *ranks = subjects(loose)
    assert run["payload"]["differing"] == []
    assert len(ranks) == 3
    assert "! processes" not in done.stderr


def test_what_a_rank_starts_is_no_rank_of_its_own(loose, folder):
    text = RANK + "import subprocess; subprocess.call([sys.executable, '-c', 'open(\"x\", \"w\")'])"
    launch(folder, text, 2)
    loose("run", "--", PYTHON, "launch.py")
    run, *ranks = subjects(loose)
    assert [one["rank"] for one in ranks] == [0, 1]
    assert sorted(one.get("rank", -1) for one in run["payload"]["listed"]) == [-1, 0, 0, 1, 1]


def test_three_hundred_workers_stay_short(loose, folder):
    code = (
        "import os\n"
        "for _ in range(300):\n"
        "    if os.fork() == 0:\n        open('data.csv').close(); os._exit(0)\n"
        "    os.wait()\n"
    )
    (folder / "many.py").write_text(code)
    loose("run", "--", PYTHON, "many.py")
    told = loose.payload("processes")
    assert told["total"] == 301
    assert len(told["listed"]) < 10
    assert sum(one["times"] for one in told["alike"]) + len(told["listed"]) == 301
    assert len(loose("show", "@last", "processes").stdout.splitlines()) < 15


def test_what_is_not_observed_is_named_with_its_reason_and_no_secret(loose, folder):
    code = (
        "import subprocess, sys\n"
        "subprocess.call([sys.executable, '-I', '-c', 'pass'])\n"
        "subprocess.call([sys.executable, 'helper.py'], env={'PATH': '/usr/bin'})\n"
        "subprocess.call('Rscript fit.R --password=hush-hush-1 2>/dev/null', shell=True)\n"
        "subprocess.call(['env', '-i', sys.executable, '-c', 'pass'])\n"
        "subprocess.call([sys.executable, '-c', 'pass'])\n"
        "subprocess.call(['true'])\n"
    )
    (folder / "calls.py").write_text(code)
    (folder / "bin").mkdir()
    (folder / "bin" / "Rscript").write_text("#!/bin/sh\n")  # a real one starts R, which is seen
    (folder / "bin" / "Rscript").chmod(0o755)
    path = str(folder / "bin") + os.pathsep + os.environ["PATH"]
    done = loose("run", "--", PYTHON, "calls.py", env={"PATH": path})
    told = loose.payload("processes")["unobserved"]
    assert sorted(one["reason"] for one in told) == [
        "Python started with -I",
        "Python started with an environment of its own",
        "in another language",
        "started with an environment that env cleaned",
    ]
    assert "hush" not in str(loose.last())
    assert done.stderr.count("not observed") == 1
    assert "and 3 more" in done.stderr


def test_a_python_out_of_reach_of_a_shell_is_seen_in_passing(loose, folder):
    (folder / "job.sh").write_text("env -i %s -c 'import time; time.sleep(1.5)'\n" % PYTHON)
    loose("run", "--", "sh", "job.sh")
    (told,) = loose.payload("processes")["unobserved"]
    assert told["reason"] == "Python started with an environment of its own"


def test_runs_inside_a_run_count_for_both(loose, folder):
    (folder / "d.txt").write_text("1")
    (folder / "job.py").write_text(
        "import json, sys; open('d.txt').read(); json.dump({'acc': 0.5}, open(sys.argv[1], 'w'))"
    )
    script = "%s %s job.py a.json\n%s %s job.py b.json\n%s sh -c 'exit 3'\nexit 0\n"
    (folder / "all.sh").write_text(script % (PROV, PYTHON, PROV, PYTHON, PROV))
    done = loose("run", "--", "sh", "all.sh")
    assert "3 runs inside" in done.stderr
    runs = loose.json("ls")["runs"]
    assert len(runs) == 4
    by_command = {run["command"][-1]: run["id"] for run in runs}
    outer = by_command["all.sh"]
    told = loose.payload("processes", outer)
    assert sorted(one["exit_code"] for one in told["nested"]) == [0, 0, 3]
    assert {one["id"] for one in told["nested"]} == set(by_command.values()) - {outer}
    assert all(one["counted"] for one in told["nested"])
    inner = by_command["a.json"]
    assert loose.payload("processes", inner)["within"] == outer
    assert told["within"] is None
    outputs = loose.payload("outputs", outer)["files"]
    assert [f["path"]["path"] for f in outputs] == ["a.json", "b.json"]
    assert {f["state"] for f in outputs} == {"digested"}
    assert all("observed" in f["how"] for f in outputs)
    assert [f["path"]["path"] for f in loose.payload("data", outer)["files"]] == ["d.txt"]
    (alone,) = loose.payload("outputs", inner)["files"]
    assert (alone["path"]["path"], alone["state"]) == ("a.json", "digested")
    values = loose.payload("environment", inner)["values"]
    assert "site" not in values.get("PYTHONPATH", "")


def test_a_run_knows_all_runs_around_it(loose, folder):
    (folder / "deep.sh").write_text("sleep 1.1; echo 1 > deep.bin\n")
    (folder / "middle.sh").write_text(PROV + " sh deep.sh\n")
    (folder / "all.sh").write_text(PROV + " sh middle.sh\n")
    loose("run", "--", "sh", "all.sh")
    assert outputs_of(loose, ["sh", "deep.sh"]) == {"deep.bin": "digested"}


def both(loose, *commands, cwd=None):
    """Start runs together and wait for their ends."""
    started = []
    for words in commands:
        argv = [sys.executable, "-m", "provenance", "run", "-q", "--", *words]
        started.append(subprocess.Popen(argv, cwd=cwd or loose.folder, env=loose.environ))
    assert [one.wait(60) for one in started] == [0] * len(started)


SLOW = "import time; time.sleep(0.8); open(%r, 'w').write('x'); time.sleep(0.8)"


def test_three_at_once_each_has_what_its_own_python_wrote(loose, folder):
    both(loose, *([PYTHON, "-c", SLOW % name] for name in ("a.bin", "b.bin", "c.bin")))
    for run in loose.json("ls")["runs"]:
        (own,) = loose.payload("outputs", run["id"])["files"]
        name = re.search(r"\w\.bin", run["command"][-1]).group()
        assert (own["path"]["path"], own["state"]) == (name, "digested")


def test_what_nobody_saw_written_is_ambiguous_for_both(loose, folder):
    both(
        loose,
        ["sh", "-c", "sleep 0.6; echo 1 > unseen.bin; sleep 0.6"],
        [PYTHON, "-c", SLOW % "seen.bin"],
    )
    states = {}
    for run in loose.json("ls")["runs"]:
        files = loose.payload("outputs", run["id"])["files"]
        states[run["command"][0]] = {f["path"]["path"]: f["state"] for f in files}
    assert states["sh"] == {"unseen.bin": "ambiguous"}
    assert states[PYTHON] == {"unseen.bin": "ambiguous", "seen.bin": "digested"}


def outputs_of(loose, command):
    """Return name and state of what the run of this command changed; ids tell whole seconds."""
    (run,) = (one for one in loose.json("ls")["runs"] if one["command"] == command)
    return {f["path"]["path"]: f["state"] for f in loose.payload("outputs", run["id"])["files"]}


def test_runs_one_after_another_are_not_ambiguous(loose, folder):
    for name in ("one", "two", "three"):
        command = ["sh", "-c", "echo 1 > %s.bin" % name]
        loose("run", "--", *command)
        assert outputs_of(loose, command) == {name + ".bin": "digested"}


def test_a_run_that_was_killed_casts_no_doubt_on_later_ones(loose, folder):
    argv = [sys.executable, "-m", "provenance", "run", "--", "sleep", "30"]
    started = subprocess.Popen(argv, cwd=folder, env=loose.environ, start_new_session=True)
    while not list(folder.glob(".prov/runs/*/record.json")):
        time.sleep(0.05)
    os.killpg(started.pid, 9)
    started.wait()
    command = ["sh", "-c", "echo 1 > later.bin"]
    loose("run", "--", *command)
    assert outputs_of(loose, command) == {"later.bin": "digested"}


@pytest.fixture
def slurm(tmp_path):
    """Play the two programs of a batch system as far as their interface goes."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text("#!/bin/sh\necho Submitted batch job 4242\n")
    (programs / "srun").write_text(
        "#!/bin/sh\nn=$2; shift 2; i=0\nwhile [ $i -lt $n ]; do\n"
        "SLURM_JOB_ID=4242 SLURM_STEP_ID=0 SLURM_PROCID=$i SLURM_NTASKS=$n "
        'SLURM_LOCALID=$i "$@" &\ni=$((i+1)); done; wait\n'
    )
    for one in programs.iterdir():
        one.chmod(0o755)
    return {"PATH": "%s:%s" % (programs, os.environ["PATH"])}


def test_a_submission_and_the_ranks_of_a_step(loose, folder, slurm):
    (folder / "job.sbatch").write_text("#!/bin/sh\ntrue\n")
    done = loose("run", "--", "sbatch", "-N", "2", "job.sbatch", "--lr", "1", env=slurm)
    told = loose.payload("processes")["submitted"]
    assert told == {"system": "slurm", "id": "4242", "script": "job.sbatch"}
    assert "submitted slurm job 4242" in done.stderr
    assert "job.sbatch" in [u["path"]["path"] for u in loose.payload("code")["used"]]
    loose("run", "--", "srun", "-n", "2", PYTHON, "helper.py", env=slurm)
    run, *ranks = subjects(loose)
    assert (run["payload"]["launcher"], [r["rank"] for r in ranks]) == ("srun", [0, 1])


def test_each_task_with_a_record_of_its_own_names_the_job(loose, folder, slurm):
    words = ["srun", "-n", "2", *PROV.split(), PYTHON, "helper.py"]
    environ = dict(loose.environ, **slurm)
    subprocess.run(words, cwd=folder, env=environ, check=True, timeout=60)
    runs = [loose.payload("processes", run["id"]) for run in loose.json("ls")["runs"]]
    assert sorted(one["own_rank"] for one in runs) == [0, 1]
    assert {(one["job"]["id"], one["job"]["tasks"], one["size"]) for one in runs} == {
        ("4242", 2, 2)
    }


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="no mpirun here")
def test_ranks_of_a_real_mpirun(loose, folder):
    (folder / "rank.py").write_text(
        "import argparse, os\np = argparse.ArgumentParser()\np.add_argument('--seed', type=int)\n"
        "p.parse_args(['--seed', os.environ['OMPI_COMM_WORLD_RANK']])\n"
    )
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    words = ["mpirun", "--oversubscribe", "-np", "3", PYTHON, "rank.py"]
    loose("run", "--", *words, env=root)
    run, *ranks = subjects(loose)
    assert (run["payload"]["launcher"], run["payload"]["size"]) == ("mpirun", 3)
    assert [one["rank"] for one in ranks] == [0, 1, 2]
    assert loose.payload("params")["values"]["seed"]["value"] == 0
