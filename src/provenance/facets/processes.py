"""Which processes made up the run: who started whom, which ranks, what was not observed."""

from __future__ import annotations

import os
import shlex
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context, PythonProcess
from provenance.core.difference import NONE, UNKNOWN, Comparison, Difference
from provenance.core.record import (
    CAPTURED,
    RUN_ONLY,
    Payload,
    Record,
    Subject,
    skipped,
)
from provenance.facets import _commands, _endings, _facet, _jobs
from provenance.facets._endings import COMPLETE, Ending, Endings
from provenance.facets._jobs import Job, Submitted
from provenance.facets._ranks import Rank, RankDifference, Ranks, spans

NAME = "processes"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

MOST_LISTED = 200
"""Processes that are listed one by one; the others are only counted, by command."""
MOST_ALIKE = 3
"""Processes of one parent and command that are listed before the others are only counted."""
MOST_UNOBSERVED, MOST_FAILED, MOST_RANKS, MOST_NESTED = 100, 50, 1024, 200
LONGEST = 300
"""Characters of a command in a list; the record's own command is kept whole."""

LAUNCHERS = {
    "torchrun": "torchrun",
    "torch.distributed.run": "torchrun",
    "torch.distributed.launch": "torchrun",
    "accelerate": "accelerate",
    "accelerate.commands.launch": "accelerate",
    "deepspeed": "deepspeed",
    "horovodrun": "horovodrun",
    "mpirun": "mpirun",
    "mpiexec": "mpirun",
    "mpiexec.hydra": "mpirun",
    "orterun": "mpirun",
    "srun": "srun",
}
"""Programs and modules that start ranks, by the names they are called with."""

upgrade = _facet.nothing_to_upgrade


class ProcessEntry(NamedTuple):
    """A Python process of the run. Members that have their default are left out of the JSON.

    id: "1" is the first. parent: the id of the process that started it, None where that was none of
    these. forked: it is a copy of its parent. rank: of a distributed run, also of what a rank
    started. argv: as one text, cut; a forked one has none of its own. interpreter: as in
    ``runtime``. began, ended: seconds since the run began; ended None where it did not say.
    ending, exit_code, error: see `Ending`.
    """

    id: str
    parent: Optional[str] = None
    forked: bool = False
    rank: Optional[int] = None
    command: str = ""
    interpreter: str = ""
    began: float = 0.0
    ended: Optional[float] = None
    ending: str = COMPLETE
    exit_code: Optional[int] = None
    error: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = {}
        for name in self._fields:
            value = getattr(self, name)
            if name == "id" or value != self._field_defaults[name]:
                kept[name] = codec.encode(value)
        return kept


class Alike(NamedTuple):
    """Processes that are only counted. endings: how many ended in which way."""

    command: str
    parent: Optional[str]
    times: int
    endings: Dict[str, int]


class Unobserved(NamedTuple):
    """A command that the hook could not look into: what it read and computed is not known."""

    command: str
    reason: str
    times: int = 1


class FailedCommand(NamedTuple):
    """A command that Python code started and that ended badly; -n is signal n."""

    command: str
    exit_code: int
    times: int = 1


class Nested(NamedTuple):
    """A run that was recorded inside this one. counted: what it did counts here, too."""

    id: str
    command: str
    exit_code: Optional[int] = None
    counted: bool = False


class Processes(NamedTuple):
    """The processes of a run; its ranks, if any, are subjects of their own.

    total: how many Python processes. listed: see `ProcessEntry`. alike: those not listed. launcher:
    what started the ranks. size: how many ranks there are in all; ranks: those that were observed.
    differing: in what these differ. own_rank: of a run that is one rank. unobserved, failed: see
    there. nested: runs inside; within: the run that this one was started in. job, submitted: of a
    batch system.
    """

    total: int = 0
    listed: Tuple[ProcessEntry, ...] = ()
    alike: Tuple[Alike, ...] = ()
    launcher: str = ""
    size: Optional[int] = None
    ranks: Tuple[int, ...] = ()
    differing: Tuple[RankDifference, ...] = ()
    own_rank: Optional[int] = None
    unobserved: Tuple[Unobserved, ...] = ()
    failed: Tuple[FailedCommand, ...] = ()
    nested: Tuple[Nested, ...] = ()
    within: Optional[str] = None
    job: Optional[Job] = None
    submitted: Optional[Submitted] = None


def capture(context: Context) -> Payload:
    """Return the processes of the run, one subject more for each rank."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    endings = Endings(context)
    ranks = Ranks(context, endings)
    ids = {one.name: str(n) for n, one in enumerate(context.observed.processes, 1)}
    listed, alike = _listed(context, endings, ranks, ids)
    main = sorted(ranks.main)[:MOST_RANKS]
    payload = Processes(
        total=len(context.observed.processes),
        listed=listed,
        alike=alike,
        launcher=_launcher(context, ranks) if main else "",
        size=ranks.size or (ranks.own.size if ranks.own else None),
        ranks=tuple(main),
        differing=ranks.differences() if len(main) > 1 else (),
        own_rank=ranks.own.rank if ranks.own else None,
        unobserved=_unobserved(context),
        failed=_failed(context),
        nested=tuple(
            Nested(one.id, _text(one.command), one.exit_code, one.counted)
            for one in context.observed.nested[:MOST_NESTED]
        ),
        within=context.within,
        job=_jobs.job(context.environ),
        submitted=_jobs.submitted(context),
    )
    subjects = [Subject("run", codec.encode(payload))]
    for rank in main:
        one = ranks.payload(rank, ids[ranks.main[rank].name])
        encoded = context.redact.value("rank", codec.encode(one))
        executable = _executable(context, one.interpreter)
        subjects.append(Subject("rank %d" % rank, encoded, executable, rank))
    told = [note for note in context.observed.notes if not note.endswith(_commands.UNREACHED)]
    notes = (*_notes(payload, ranks), *told)
    return Payload(CAPTURED, VERSION, tuple(subjects), "", notes)


def _executable(context: Context, interpreter: str) -> Optional[str]:
    return next((one.executable for one in context.interpreters if one.id == interpreter), None)


def _listed(
    context: Context, endings: Endings, ranks: Ranks, ids: Dict[str, str]
) -> Tuple[Tuple[ProcessEntry, ...], Tuple[Alike, ...]]:
    """Return the processes that are listed, ranks and troubled ones first, and the others."""
    entries: List[Tuple[ProcessEntry, str]] = []
    mains = {one.name for one in ranks.main.values()}
    seen: Dict[Any, int] = {}
    wanted = []
    for one in context.observed.processes:
        entry = _entry(one, context, endings.of(one), ids)
        world = ranks.of.get(one.name)
        entry = entry._replace(rank=world.rank if world and len(ranks.main) else None)
        key = (entry.parent, entry.command, entry.forked, entry.ending, entry.exit_code)
        seen[key] = seen.get(key, 0) + 1
        first = one.name in mains or not entries
        if first or seen[key] <= MOST_ALIKE:
            wanted.append((not first, entry.ending == COMPLETE, len(entries)))
        entries.append((entry, one.name))
    chosen = {place for _, _, place in sorted(wanted)[:MOST_LISTED]}
    rest: Dict[Any, Dict[str, int]] = {}
    for place, (entry, _) in enumerate(entries):
        if place not in chosen:
            parent = entry.parent if entry.parent in _ids(entries, chosen) else None
            counted = rest.setdefault((entry.command, parent), {})
            counted[entry.ending] = counted.get(entry.ending, 0) + 1
    alike = [
        Alike(command, parent, sum(counted.values()), counted)
        for (command, parent), counted in rest.items()
    ]
    alike.sort(key=lambda one: -one.times)
    return tuple(entries[place][0] for place in sorted(chosen)), tuple(alike[:MOST_LISTED])


def _ids(entries: List[Tuple[ProcessEntry, str]], chosen: Any) -> Any:
    return {entries[place][0].id for place in chosen}


def _entry(
    one: PythonProcess, context: Context, ending: Ending, ids: Dict[str, str]
) -> ProcessEntry:
    ended = None if one.ended is None else round(max(one.ended - context.started, 0.0), 3)
    return ProcessEntry(
        id=ids[one.name],
        parent=ids.get(one.parent),
        forked=one.forked,
        command="" if one.forked else _text(one.argv),
        interpreter=one.interpreter,
        began=round(max(one.began - context.started, 0.0), 3),
        ended=ended,
        ending=ending.how,
        exit_code=ending.code,
        error=ending.error,
    )


def _text(argv: Tuple[str, ...]) -> str:
    text = " ".join(shlex.quote(word) for word in argv)
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def _launcher(context: Context, ranks: Ranks) -> str:
    """Return what started the ranks: by the commands that are known, then by who told the rank."""
    commands = [context.command, *(one.argv for one in context.observed.processes)]
    for argv in commands:
        for place, word in enumerate(argv[:6]):
            name = os.path.basename(word)
            if name in LAUNCHERS and (place == 0 or argv[place - 1] == "-m" or "/" in word):
                return LAUNCHERS[name]
            if name in LAUNCHERS and context.command == argv:
                return LAUNCHERS[name]
    told = next(iter(ranks.of.values())).by if ranks.of else ""
    by = {"SLURM_PROCID": "srun", "OMPI_COMM_WORLD_RANK": "mpirun", "mpi4py": "mpirun"}
    return by.get(told, told if "." in told else "")


def _unobserved(context: Context) -> Tuple[Unobserved, ...]:
    """Return what the hook could not look into: by the commands, and by the processes that ran."""
    found: Dict[Tuple[str, str], int] = {}
    pids = {one.pid for one in context.observed.processes}

    def add(argv: Tuple[str, ...], own_environment: bool, times: int) -> None:
        for words, why in _commands.unobserved(argv, own_environment):
            text = words if len(words) <= LONGEST else words[:LONGEST] + " ..."
            key = (context.redact.text(text), why)
            found[key] = found.get(key, 0) + times

    for one in context.observed.commands:
        add(one.argv, one.own_environment, one.times)
    for number in _endings.silent_deaths(context):
        key = ("a forked process", "killed by signal %d before it did anything" % number)
        found[key] = found.get(key, 0) + 1
    if context.command:
        add(context.redact.argv(context.command), False, 1)
    told = {command for command, _ in found}
    # A program of another language starts others on its way: R is a shell script that starts R.
    scripts = {
        word
        for command, why in found
        if why == _commands.OTHER_LANGUAGE
        for word in command.split()[1:]
        if "." in word and not word.startswith("-")
    }
    for seen in context.outcome.sightings if context.outcome else ():
        argv = context.redact.argv(seen.argv)
        if _commands.is_python(argv) and seen.pid in pids:
            continue
        text = " ".join(shlex.quote(word) for word in argv)
        if not _commands.is_python(argv) and any(word in text for word in scripts):
            continue
        if not any(one == text or one.endswith(" " + text) for one in told):  # `env -i python x`
            add(argv, seen.hooked is False, 1)
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return tuple(Unobserved(*key, times) for key, times in ordered[:MOST_UNOBSERVED])


def _failed(context: Context) -> Tuple[FailedCommand, ...]:
    found = []
    for one in _endings.failed_commands(context, MOST_FAILED):
        text = _text(context.redact.argv(one["argv"]))
        found.append(FailedCommand(text, one["code"], one["times"]))
    return tuple(found)


def _notes(payload: Processes, ranks: Ranks) -> Tuple[str, ...]:
    """Return what a reader must know at once, one line each."""
    notes = []
    dead = ranks.dead()
    if dead:
        told = ["rank %d %s" % (rank, told_ending(end)) for rank, end in dead]
        notes.append(_cut(told, 4))
    for one in payload.differing[:3]:
        values = ["%s (rank %s)" % (value, spans(who)) for value, who in one.values.items()]
        notes.append("ranks differ in %s: %s" % (one.name, _cut(values, 3)))
    if len(payload.differing) > 3:
        notes.append("ranks differ in %d further points" % (len(payload.differing) - 3))
    alone = payload.own_rank is not None
    if payload.ranks and payload.size and len(payload.ranks) < payload.size and not alone:
        text = "%d of %d ranks were not observed: on other machines, or with records of their own"
        notes.append(text % (payload.size - len(payload.ranks), payload.size))
    if payload.unobserved:
        shown = payload.unobserved[0]
        text = "not observed: `%s` (%s)" % (_short(shown.command), shown.reason)
        rest = len(payload.unobserved) - 1
        notes.append(text + (" and %d more" % rest if rest else ""))
    uncounted = [one for one in payload.nested if not one.counted]
    if uncounted:
        text = "%d nested runs have records of their own, and what they did is not counted here"
        notes.append(text % len(uncounted))
    if payload.submitted is not None:
        notes.append("%s: what the job does is not observed here" % _submission(payload.submitted))
    return tuple(notes)


def _submission(one: Submitted) -> str:
    return "submitted %s job %s" % (one.system, one.id or "of unknown number")


def _cut(parts: List[str], most: int) -> str:
    more = len(parts) - most
    return "; ".join(parts[:most]) + (" and %d more" % more if more > 0 else "")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def told_ending(end: Ending) -> str:
    """Return how a process ended, in words."""
    if end.how == _endings.KILLED and end.code is not None:
        return "was killed by signal %d" % -end.code
    if end.error:
        return "failed with %s" % end.error
    if end.how == _endings.NOT_KNOWN:
        return "ended without a report: killed, or left by os._exit"
    return end.how if end.code is None else "ended with exit code %d" % end.code


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare how many ranks took part and how many processes; the latter is harmless."""
    was, now = (codec.decode(Processes, one.subjects[0].payload) for one in (old, new))
    facts = (
        ("ranks", was.size or len(was.ranks), now.size or len(now.ranks), UNKNOWN),
        ("launcher", was.launcher, now.launcher, NONE),
        ("Python processes", was.total, now.total, NONE),
    )
    found = tuple(
        Difference(NAME, "run", "changed", name, effect, a, b)
        for name, a, b, effect in facts
        if a != b
    )
    return Comparison(found, len(facts) - len(found), len(facts), "facts")


def of(record: Record) -> Optional[Dict[str, Union[Processes, Rank]]]:
    """Return the processes as "run", and each rank by its subject; None where there are none."""
    subjects = record.payloads(NAME)
    if not subjects:
        return None
    found: Dict[str, Union[Processes, Rank]] = {}
    for one in subjects:
        if one.rank is None:
            found[one.id] = codec.decode(Processes, one.payload)
        else:
            found[one.id] = codec.decode(Rank, one.payload)
    return found
