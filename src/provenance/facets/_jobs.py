"""The batch system: which job this run belongs to, or which one it submitted."""

from __future__ import annotations

import os
import re
from typing import Any, Mapping, NamedTuple, Optional, Tuple

from provenance.core.context import Context

_TAIL = 1 << 16
"""Bytes at the end of the log that are searched for the number of a submitted job."""


class Job(NamedTuple):
    """The job in which a run took place.

    system: "slurm", "pbs", "lsf" or "sge". step: of `srun`. task: which of its tasks this is,
    tasks, nodes: how many; array_task: of a job array.
    """

    system: str
    id: str
    step: str = ""
    task: Optional[int] = None
    tasks: Optional[int] = None
    nodes: Optional[int] = None
    array_task: str = ""


class Submitted(NamedTuple):
    """A job that this run put into a queue; it runs later, and is not observed. id: "" if unknown.

    script: as given on the command line.
    """

    system: str
    id: str = ""
    script: str = ""


_SUBMIT = {
    "sbatch": ("slurm", (r"Submitted batch job (\d+)", r"^(\d+)(?:;\S+)?$")),
    "qsub": ("pbs", (r"[Yy]our job(?:-array)? (\d+)", r"^(\d+(?:\[\])?(?:\.[\w.-]+)?)$")),
    "bsub": ("lsf", (r"Job <(\d+)> is submitted",)),
}
_VALUES = frozenset(
    "-A -J -N -n -o -e -p -q -t -c -d -D -G -C -w -x -a -b -M -L -W -P -R -l".split()
)
"""Options of these programs whose value is the next word."""


def job(environ: Mapping[str, str]) -> Optional[Job]:
    """Return the job that the variables of a batch system tell of."""
    get = environ.get
    slurm = get("SLURM_JOB_ID") or get("SLURM_JOBID")
    if slurm:
        return Job(
            "slurm",
            slurm,
            get("SLURM_STEP_ID", ""),
            _number(get("SLURM_PROCID")),
            _number(get("SLURM_NTASKS") or get("SLURM_NPROCS")),
            _number(get("SLURM_JOB_NUM_NODES") or get("SLURM_NNODES")),
            get("SLURM_ARRAY_TASK_ID", ""),
        )
    if get("PBS_JOBID"):
        return Job("pbs", environ["PBS_JOBID"], array_task=get("PBS_ARRAY_INDEX", ""))
    if get("LSB_JOBID"):
        return Job("lsf", environ["LSB_JOBID"], array_task=get("LSB_JOBINDEX", ""))
    if get("JOB_ID") and get("SGE_TASK_ID"):
        task = environ["SGE_TASK_ID"]
        return Job("sge", environ["JOB_ID"], array_task="" if task == "undefined" else task)
    return None


def _number(value: Any) -> Optional[int]:
    return int(value) if value and str(value).isdigit() else None


def submitted(context: Context) -> Optional[Submitted]:
    """Return the job that the command of this run submitted, None where it is no submission."""
    name = os.path.basename(context.command[0]) if context.command else ""
    if name not in _SUBMIT:
        return None
    system, patterns = _SUBMIT[name]
    text = _printed(context.log)
    for pattern in patterns:
        found = re.findall(pattern, text, re.MULTILINE)
        if found:
            return Submitted(system, found[-1], _script(context))
    return Submitted(system, "", _script(context))


def _printed(log: Optional[str]) -> str:
    try:
        with open(log or "", "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - _TAIL))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _script(context: Context) -> str:
    """Return the first word that is no option: the script; what follows are its own words."""
    words: Tuple[str, ...] = context.command[1:]
    skip = False
    for word in words:
        if skip or word.startswith("-"):
            skip = word in _VALUES and not skip
            continue
        return str(context.roots.refer(os.path.join(context.roots.cwd, context.redact.text(word))))
    return ""
