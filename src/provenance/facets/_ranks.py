"""The ranks of a distributed run, and in what they differ from each other."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core import distributions
from provenance.core.context import Context, PythonProcess
from provenance.facets import _variables
from provenance.facets._endings import COMPLETE, REPLACED, RUNNING, Ending, Endings

_BY_ENVIRONMENT = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMIX_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("HOROVOD_RANK", "HOROVOD_SIZE", "HOROVOD_LOCAL_RANK"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
)
"""Variables with rank, size and local rank: torchrun, Open MPI, PMIx, PMI, Horovod, srun."""

_OF_A_RANK = ("RANK", "LOCALID", "PROCID", "NODEID", "VISIBLE_DEVICES", "CACHE", "_DIR")
"""Parts of names of variables that may well differ between ranks."""

_DRAWN = frozenset(("initial_seed", "position", "legacy_seeded", "num_threads_used"))
"""Settings that are meant to differ, or say how far a generator has come."""

MOST_DIFFERENCES, MOST_PACKAGES = 100, 50


class Device(NamedTuple):
    """The GPU that torch used at the end. number: as the process counts. peak_bytes: at most."""

    number: int
    name: str = ""
    uuid: str = ""
    peak_bytes: int = 0


class Rank(NamedTuple):
    """One rank. process: its place in the list of processes. told_by: who says which rank it is.

    environ: variables that may be recorded and were not set so for the run as a whole. settings: by
    framework, read at its end (determinism, precision, seeds); empty where it did not report.
    """

    process: str
    local_rank: Optional[int] = None
    told_by: str = ""
    host: str = ""
    interpreter: str = ""
    ending: str = ""
    exit_code: Optional[int] = None
    error: str = ""
    environ: Dict[str, str] = {}
    settings: Dict[str, Any] = {}
    device: Optional[Device] = None


class RankDifference(NamedTuple):
    """Something in which ranks differ. values: as text, each with the ranks that have it."""

    name: str
    values: Dict[str, Tuple[int, ...]]


class World(NamedTuple):
    """Where a process stands among its like."""

    rank: int
    size: Optional[int]
    local_rank: Optional[int]
    by: str


def world(environ: Dict[str, Any]) -> Optional[World]:
    """Return the rank that variables tell, None where they tell of none."""
    for name, size, local in _BY_ENVIRONMENT:
        rank = _number(environ.get(name))
        if rank is not None:
            found = World(rank, _number(environ.get(size)), _number(environ.get(local)), name)
            if name != "SLURM_PROCID" or (found.size or 0) > 1:
                return found
    return None


def _number(value: Any) -> Optional[int]:
    text = str(value)
    return int(text) if text.isdigit() else None


class Ranks:
    """The processes that are a rank, main ones only: what they start themselves is not."""

    def __init__(self, context: Context, endings: Endings) -> None:
        self._context, self._endings = context, endings
        self._noted: Dict[str, World] = {}
        for noted in context.observed.noted:
            rank = noted.value.get("rank")
            if noted.topic == "rank" and type(rank) is int:
                before = self._noted.get(noted.process)
                one = World(rank, noted.value.get("size"), None, str(noted.value.get("by")))
                if before is None or one.size is not None:
                    self._noted[noted.process] = one
        self.of: Dict[str, World] = {}
        self.main: Dict[int, PythonProcess] = {}
        self.own = world(dict(context.environ))
        self._find()

    def _find(self) -> None:
        inherited: Dict[str, Optional[World]] = {}
        for one in self._context.observed.processes:
            above = inherited.get(one.parent)
            here = self._world(one)
            inherited[one.name] = here or above
            if here is None or (here.size is not None and here.size < 2):
                continue
            self.of[one.name] = here
            replaces = self.main.get(here.rank)
            gone = replaces is not None and self._endings.of(replaces).how == REPLACED
            restarted = replaces is not None and one.parent == replaces.parent
            takes_over = replaces is None or gone or (restarted and not one.forked)
            if takes_over and (above is None or above.rank != here.rank or gone):
                self.main[here.rank] = one
        if len(self.main) == 1 and self.size is None:
            self.main.clear()

    def _world(self, one: PythonProcess) -> Optional[World]:
        mpi = self._endings.told(one).get("mpi")
        told = self._noted.get(one.name)
        by_environ = world(dict(one.environ, **one.changed))
        local = by_environ.local_rank if by_environ else None
        if told is not None and told.size is not None:
            return told._replace(local_rank=local)
        if isinstance(mpi, dict) and type(mpi.get("rank")) is int:
            return World(mpi["rank"], mpi.get("size"), local, "mpi4py")
        return by_environ or told

    @property
    def size(self) -> Optional[int]:
        """How many ranks there are in all; None where nobody told."""
        sizes = [one.size for one in self.of.values() if one.size]
        return max(sizes) if sizes else None

    def payload(self, rank: int, process: str) -> Rank:
        """Return what is known of a rank, ``process`` being its place in the list."""
        one = self.main[rank]
        said, ending = self._endings.told(one), self._endings.of(one)
        device = said.get("device")
        settings = said.get("settings")
        return Rank(
            process,
            self.of[one.name].local_rank,
            self.of[one.name].by,
            one.host,
            one.interpreter,
            ending.how,
            ending.code,
            ending.error,
            self._own_environ(one),
            settings if isinstance(settings, dict) else {},
            _device(device) if isinstance(device, dict) else None,
        )

    def _own_environ(self, one: PythonProcess) -> Dict[str, str]:
        """Return the variables whose values are not those of the run as a whole."""
        run = self._context.environ
        hook = ("PYTHONPATH",)  # there, the hook's folder has been put first
        return {
            name: str(value)
            for name, value in sorted(dict(one.environ, **one.changed).items())
            if _variables.has_public_value(name)
            and value is not None
            and name not in hook
            and run.get(name) != value
        }

    def dead(self) -> List[Tuple[int, Ending]]:
        """Return the ranks that did not come to their end, in order."""
        found = [(rank, self._endings.of(one)) for rank, one in sorted(self.main.items())]
        return [(rank, end) for rank, end in found if end.how not in (COMPLETE, RUNNING)]

    def differences(self) -> Tuple[RankDifference, ...]:
        """Return in what the ranks differ, where they should not."""
        facts = {rank: self._facts(one) for rank, one in sorted(self.main.items())}
        names = dict.fromkeys(name for told in facts.values() for name in told)
        found = []
        for name in names:
            values: Dict[str, List[int]] = {}
            for rank, told in facts.items():
                if name in told or name.startswith("variable "):
                    values.setdefault(str(told.get(name, "not set")), []).append(rank)
            if len(values) > 1:
                found.append(_difference(name, values))
        return (*found[:MOST_DIFFERENCES], *self._packages())

    def _facts(self, one: PythonProcess) -> Dict[str, Any]:
        interpreter = next((i for i in self._context.interpreters if i.id == one.interpreter), None)
        facts: Dict[str, Any] = {}
        if interpreter is not None:
            executable = self._context.roots.refer(interpreter.executable)
            facts["python"] = "%s %s" % (interpreter.version, executable)
        for name, value in sorted(dict(one.environ, **one.changed).items()):
            if _variables.can_change_results(name) and not any(p in name for p in _OF_A_RANK):
                facts["variable " + name] = "not set" if value is None else value
        said = self._endings.told(one)
        settings = said.get("settings") or {}
        for framework, values in sorted(settings.items() if isinstance(settings, dict) else ()):
            for name, value in values.items() if isinstance(values, dict) else ():
                if name not in _DRAWN:
                    facts["setting %s.%s" % (framework, name)] = value
        if isinstance(said.get("device"), dict):
            facts["GPU"] = said["device"].get("name")
        return facts

    def _packages(self) -> Tuple[RankDifference, ...]:
        """Return the packages whose versions differ between the interpreters of the ranks."""
        ranks: Dict[str, List[int]] = {}
        for rank, one in sorted(self.main.items()):
            ranks.setdefault(one.interpreter, []).append(rank)
        if len(ranks) < 2:
            return ()
        paths = {one.id: one.sys_path for one in self._context.interpreters}
        versions = {
            name: {distributions.key_of(d.name): d.version for d in distributions.scan(paths[name])}
            for name in ranks
            if name in paths
        }
        found = []
        for package in sorted({p for one in versions.values() for p in one}):
            values: Dict[str, List[int]] = {}
            for name, known in versions.items():
                values.setdefault(known.get(package, "not installed"), []).extend(ranks[name])
            if len(values) > 1:
                found.append(_difference("package " + package, values))
        return tuple(found[:MOST_PACKAGES])


def _difference(name: str, values: Dict[str, List[int]]) -> RankDifference:
    return RankDifference(name, {value: tuple(sorted(who)) for value, who in values.items()})


def _device(told: Dict[str, Any]) -> Device:
    number, peak = told.get("number"), told.get("peak_bytes")
    return Device(
        number if type(number) is int else 0,
        str(told.get("name", "")),
        str(told.get("uuid", "")),
        peak if type(peak) is int else 0,
    )


def spans(ranks: Sequence[int]) -> str:
    """Return ranks in short: "0-3, 7"."""
    parts: List[List[int]] = []
    for rank in sorted(ranks):
        if parts and rank == parts[-1][1] + 1:
            parts[-1][1] = rank
        else:
            parts.append([rank, rank])
    return ", ".join("%d-%d" % (a, b) if b > a else "%d" % a for a, b in parts)
