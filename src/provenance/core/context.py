"""What a facet may look at when it captures: plain values, no methods that reach out.

The runner fills a `Context` phase by phase: *before* the command starts, *during* it (as soon as
the first interpreter has reported), *after* it has ended; and *present*, when no run takes place
and today's state is captured to be compared with a reference record.
"""

# No postponed annotations here: typing compiles each one that is text, 10 us a field at start-up.

from typing import Any, Callable, Dict, FrozenSet, Mapping, NamedTuple, Optional, Tuple

from provenance.core.digest import Digests
from provenance.core.paths import Roots
from provenance.core.record import Payload, Record
from provenance.core.redact import Redactor

BEFORE, DURING, AFTER, PRESENT = "before", "during", "after", "present"


class Interpreter(NamedTuple):
    """A Python interpreter that took part in the run, as it reported itself.

    id: "python", then "python-2" ... in order of appearance. version: "3.11.7". implementation:
    sys.implementation.name. sys_path: as the run's own imports saw it, our folder left out. flags:
    sys.flags by name. modules: top-level modules imported, with the file each came from ("" for
    builtins). settings: per framework, what was read from it at exit (seeds, determinism). build:
    platform tag, SOABI and the like. processes: how many processes ran it. complete: whether at
    least one of them reported at its exit (a killed one does not).
    """

    id: str
    executable: str
    version: str
    implementation: str = "cpython"
    prefix: str = ""
    base_prefix: str = ""
    sys_path: Tuple[str, ...] = ()
    flags: Dict[str, Any] = {}
    modules: Dict[str, str] = {}
    settings: Dict[str, Any] = {}
    build: Dict[str, str] = {}
    processes: int = 1
    complete: bool = True


class FileUse(NamedTuple):
    """One file that the run opened.

    path: absolute. first: "r" or "w", whichever came first. read, written: whether it ever was.
    how: how it is known: "observed" by the hook, "traced" by strace.
    """

    path: str
    first: str
    read: bool
    written: bool
    how: Tuple[str, ...] = ("observed",)


class FolderUse(NamedTuple):
    """A folder of which many distinct files were read, kept together.

    names: of the files, where they are known: each exists, was only read, and is neither source
    code nor configuration. Empty where so many were read that only their number is known.
    """

    path: str
    files: int
    how: Tuple[str, ...] = ("observed",)
    names: Tuple[str, ...] = ()


class Parsed(NamedTuple):
    """Parameters that a parser in the run produced.

    source: the parser ("argparse"). values: name to {"value", "default", "given"}: given tells
    whether the user gave it, None where not known. script: name of the one that it belongs to. job:
    number of the job in a sweep that one process worked through, None where there was none.
    """

    source: str
    values: Dict[str, Dict[str, Any]]
    script: str = ""
    job: Optional[int] = None


class SeedCall(NamedTuple):
    """A call that seeded a generator. argument: the seed, None where unseeded; where: file:line."""

    library: str
    function: str
    argument: Any
    where: str


class Command(NamedTuple):
    """A command that the run's Python code started; argv is redacted and capped.

    own_environment: whether the hook was missing in the environment it was given. times: how often.
    """

    argv: Tuple[str, ...]
    own_environment: bool = False
    times: int = 1


class PythonProcess(NamedTuple):
    """A Python process of the run, as it reported itself.

    name: unique in the run. parent: name of the one that forked or started it, "" where that was
    none of these. forked: it is a copy of its parent, not a start of an interpreter. interpreter:
    an `Interpreter.id`. argv: redacted; a forked one's is its parent's. began, ended: seconds since
    the epoch; ended None where it did not report its end. alive: whether it ran on. environ: of
    the variables that may be recorded, those it began with; changed: what it set itself
    (None: removed). told: further members of its last report (settings, device, error ...).
    """

    name: str
    pid: int
    ppid: int
    parent: str = ""
    forked: bool = False
    interpreter: str = ""
    argv: Tuple[str, ...] = ()
    began: float = 0.0
    ended: Optional[float] = None
    alive: bool = False
    host: str = ""
    environ: Dict[str, str] = {}
    changed: Dict[str, Any] = {}
    told: Dict[str, Any] = {}


class NestedRun(NamedTuple):
    """A run that was recorded inside this one. exit_code: None where it has not ended (well).

    pid: of its ``prov``. counted: whether what it did counts for this run, too.
    """

    id: str
    command: Tuple[str, ...]
    pid: int = 0
    exit_code: Optional[int] = None
    counted: bool = False


class Sighting(NamedTuple):
    """A process of the run's tree that was seen by looking now and then; argv is not redacted.

    hooked: whether its environment held the hook, None where that could not be read. began:
    seconds since the epoch.
    """

    pid: int
    ppid: int
    argv: Tuple[str, ...]
    began: float = 0.0
    hooked: Optional[bool] = None


class Noted(NamedTuple):
    """Something that a watched library told. topic: what about; process: unique in the run."""

    topic: str
    value: Dict[str, Any]
    process: str = ""


class Observations(NamedTuple):
    """All that the hook saw, over all processes, in order of first appearance.

    notes: sentences about what it could not see. sdk: paths of the files that the SDK wrote.
    cells: names of notebook cells, see `core.notebooks.names`.
    traced: whether every file that any process opened is known: what is only named was not read.
    """

    files: Tuple[FileUse, ...] = ()
    folders: Tuple[FolderUse, ...] = ()
    removed: Tuple[str, ...] = ()
    parsed: Tuple[Parsed, ...] = ()
    seeds: Tuple[SeedCall, ...] = ()
    commands: Tuple[Command, ...] = ()
    noted: Tuple[Noted, ...] = ()
    notes: Tuple[str, ...] = ()
    processes: Tuple[PythonProcess, ...] = ()
    nested: Tuple[NestedRun, ...] = ()
    sdk: Tuple[str, ...] = ()
    cells: Dict[str, str] = {}
    traced: bool = False


class Sampled(NamedTuple):
    """That samples were taken while the command ran; they are in ``samples.jsonl`` of the record.

    interval_s: as asked for. taken: how many. cost_s: CPU time that taking them took, GPUs left
    out. notes: sentences about what could not be sampled.
    """

    interval_s: float
    taken: int
    cost_s: float = 0.0
    notes: Tuple[str, ...] = ()


class Outcome(NamedTuple):
    """How the command ended and what it used.

    exit_code: as a shell shows it (128 + n for signal n). Times in seconds, memory in bytes;
    max_process_bytes: the largest single process; max_tree_bytes: sampled sum over the process
    tree, None where never sampled; sample_interval_s: of that. pid: of its first process.
    sightings: processes of its tree that were seen, hooked or not, first come first. sampled: None
    where that was not asked for.
    """

    exit_code: int
    signal: Optional[int]
    duration_s: float
    cpu_user_s: float
    cpu_system_s: float
    max_process_bytes: int
    max_tree_bytes: Optional[int] = None
    sample_interval_s: Optional[float] = None
    pid: int = 0
    sightings: Tuple[Sighting, ...] = ()
    sampled: Optional[Sampled] = None


DigestOf = Callable[[Any, Tuple[str, ...]], Digests]
"""``digest(path, algorithms)``: digests of a file, possibly from a cache; the path is text or an
`os.DirEntry` that has been asked for its status. Raises OSError; of these
TimeoutError where it had to stop in time."""


class Context(NamedTuple):
    """Everything a capture may use.

    phase: one of the four phase names. roots: where "repo", "cwd" and "home" are. run_dir: folder
    of the record, for what is too big for JSON; None in the present phase. command: argv,
    unredacted: never write it without `redact`. environ: the command's environment as the user had
    it. started: seconds since the epoch. marker_ns: change time of a file made on the project's
    file system just before the command started. declared_data, declared_outputs: absolute paths.
    declared_sources: addresses of data, with the absolute local path or "". digest: see `DigestOf`.
    earlier: the facet's own answer of an earlier phase. reference: in the present phase, the record
    that the present will be compared with.
    deadline: monotonic time after which a capture should stop digesting and report the rest as
    pending; None for no limit.
    overlapping: ids of other runs of the project that went on at the same time. theirs: paths that
    those were seen to write. within: id of the run that this one was started in. log: path of what
    the command printed, redacted; None where it was not kept.
    ahead: what has digested already while the run went on (``expect(folder)``, ``tree(folder,
    left_out, deadline)``, ``as_read(path, before_ns)``), and what others know of files (``known``,
    ``known_tree``, ``tracked``), see `operations._hashing`; None for none.
    """

    phase: str
    roots: Roots
    command: Tuple[str, ...]
    environ: Mapping[str, str]
    redact: Redactor
    digest: DigestOf
    run_dir: Optional[str] = None
    started: float = 0.0
    marker_ns: Optional[int] = None
    declared_data: Tuple[str, ...] = ()
    declared_sources: Tuple[Tuple[str, str], ...] = ()
    declared_outputs: Tuple[str, ...] = ()
    interpreters: Tuple[Interpreter, ...] = ()
    observed: Observations = Observations()
    outcome: Optional[Outcome] = None
    earlier: Optional[Payload] = None
    reference: Optional[Record] = None
    deadline: Optional[float] = None
    overlapping: Tuple[str, ...] = ()
    theirs: FrozenSet[str] = frozenset()
    within: Optional[str] = None
    log: Optional[str] = None
    ahead: Any = None
