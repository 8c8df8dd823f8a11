"""What is not observed, how processes ended, ranks and jobs: from plain values."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from provenance.core.context import Noted, Outcome, PythonProcess
from provenance.facets import _commands, _jobs, _ranks, processes
from tests.facets._runs import ran

CASES = {
    "python -I x.py": ["Python started with -I"],
    "python3.11 -uS x.py": ["Python started with -S"],
    "python x.py": [],
    "env A=1 python x.py": [],
    "env -i A=1 python x.py": ["started with an environment that env cleaned"],
    "bash -c 'cd x && Rscript a.R | tee log; FOO=1 python -E b.py'": [
        "in another language",
        "Python started with -E",
    ],
    "nice -n 5 julia a.jl": ["in another language"],
    "srun -n 4 python -S t.py": ["Python started with -S"],
    "mpirun -np 2 python t.py": [],
    "docker build .": [],
    "docker run -it image python x.py": ["in a container"],
    "ssh host python t.py": ["on another machine"],
    "sudo -E python t.py": ["with an environment that it cleans"],
    "java -version": [],
    "git status": [],
    "sh -c 'unclosed \"'": [],
    "": [],
}


@pytest.mark.parametrize("command", CASES)
def test_commands_that_are_not_observed(command: str) -> None:
    found = _commands.unobserved(tuple(shlex.split(command)))
    assert [why for _, why in found] == CASES[command]


def test_an_environment_without_the_hook() -> None:
    (one,) = _commands.unobserved(("python", "x.py"), own_environment=True)
    assert one == ("python x.py", "Python started with an environment of its own")
    assert not list(_commands.unobserved(("python", "--version"), own_environment=True))


@pytest.mark.parametrize(
    ("ranks", "text"), [([0], "0"), ([3, 1, 2, 0], "0-3"), ([0, 2, 3, 7], "0, 2-3, 7"), ([], "")]
)
def test_ranks_in_short(ranks: list[int], text: str) -> None:
    assert _ranks.spans(ranks) == text


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}, (3, 8, 1, "RANK")),
        ({"PMI_RANK": "2", "PMI_SIZE": "4"}, (2, 4, None, "PMI_RANK")),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, (1, 2, None, "SLURM_PROCID")),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, None),  # the script of a batch job
        ({"RANK": "first"}, None),
        ({}, None),
    ],
)
def test_which_rank(environ: dict[str, str], rank: Any) -> None:
    assert _ranks.world(environ) == rank


def test_jobs_of_batch_systems() -> None:
    slurm = {"SLURM_JOB_ID": "7", "SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_NNODES": "1"}
    assert _jobs.job(slurm) == _jobs.Job("slurm", "7", "", 1, 2, 1)
    assert _jobs.job({"PBS_JOBID": "7.host", "PBS_ARRAY_INDEX": "3"}).array_task == "3"
    assert _jobs.job({"JOB_ID": "7", "SGE_TASK_ID": "undefined"}).array_task == ""
    assert _jobs.job({"JOB_ID": "7"}) is None


@pytest.mark.parametrize(
    ("command", "printed", "job"),
    [
        ("sbatch -J name job.sh x", "note\nSubmitted batch job 12\n", ("slurm", "12", "job.sh")),
        ("sbatch --parsable job.sh", "12;cluster\n", ("slurm", "12", "job.sh")),
        ("qsub -N x job.sh", "12.server\n", ("pbs", "12.server", "job.sh")),
        (
            "bsub -q long job.sh",
            "Job <12> is submitted to x.\n",
            ("lsf", "12", "job.sh"),
        ),
        ("sbatch job.sh", "error: invalid partition\n", ("slurm", "", "job.sh")),
        ("python sbatch", "Submitted batch job 12\n", None),
    ],
)
def test_submissions(tmp_path: Path, command: str, printed: str, job: Any) -> None:
    log = tmp_path / "log.txt"
    log.write_text(printed)
    context = ran(tmp_path, command=tuple(command.split()), log=str(log))
    assert _jobs.submitted(context) == job


def process(name: str, pid: int, **rest: Any) -> PythonProcess:
    return PythonProcess(name, pid, 1, **rest)


def test_endings(tmp_path: Path) -> None:
    seen = (
        process("main", 10, ended=1.0, argv=("python", "a.py")),
        process("raised", 11, parent="main", ended=1.0, told={"error": "ValueError"}),
        process("killed", 12, parent="main"),
        process("sudden", 13, parent="main"),
        process("gone", 14, parent="main"),
        process("alive", 15, parent="main", alive=True),
        process("before", 16, parent="main"),
        process("after", 16, parent="before", ended=1.0),
        process("child", 17, parent="main", forked=True),
    )
    noted = (
        Noted("ended", {"pid": 11, "code": 1, "argv": ["python", "b.py", "--password=hush-hush"]}),
        Noted("ended", {"pid": 12, "code": -9, "argv": []}),
        Noted("ended", {"pid": 13, "code": 3, "argv": []}),
        Noted("ended", {"pid": "x", "code": None}),
        Noted("leaving", {"code": 4}, "child"),
    )
    outcome = Outcome(2, None, 1.0, 1.0, 0.0, 1, pid=10)
    answer = processes.capture(ran(tmp_path, processes=seen, noted=noted, outcome=outcome))
    payload = answer.subjects[0].payload
    ends = {e["id"]: (e.get("ending", "complete"), e.get("exit_code")) for e in payload["listed"]}
    assert list(ends.values()) == [
        ("failed", 2),
        ("failed", 1),
        ("killed", -9),
        ("exited", 3),
        ("not known", None),
        ("running", None),
        ("replaced", None),
        ("complete", None),
        ("failed", 4),
    ]
    assert payload["failed"][0]["exit_code"] == 1
    assert "hush" not in str(answer)


def test_another_number_of_ranks_is_a_difference(tmp_path: Path) -> None:
    def run(size: int) -> Any:
        seen = tuple(
            process(str(n), 10 + n, ended=1.0, environ={"RANK": str(n), "WORLD_SIZE": str(size)})
            for n in range(size)
        )
        return processes.capture(ran(tmp_path, processes=seen))

    assert processes.compare(run(2), run(2)).differences == ()
    found = {d.name: d.effect for d in processes.compare(run(2), run(4)).differences}
    assert found == {"ranks": "unknown", "Python processes": "none"}
