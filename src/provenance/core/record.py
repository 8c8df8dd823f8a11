"""A run's record: a header and one payload per facet.

The in-memory form keeps facets as the JSON they were read from, so that facets and fields which
this version does not know survive being read and written again. Facet modules give typed views
(their ``of``).
"""

# No postponed annotations here: typing compiles each one that is text, 10 us a field at start-up.

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.paths import PathRef

SCHEMA = "prov/record/1"

CAPTURED, SKIPPED, FAILED = "captured", "skipped", "failed"
RUNNING, DONE, RUN_FAILED, INTERRUPTED = "running", "done", "failed", "interrupted"

ALLOWED = "tolerance"
"""A member of `Record.extra` that keeps how far results may lie apart, as its author had chosen
when the run was recorded or locked: ``rtol``, ``atol``, ``metrics`` (the same by name or pattern),
``since`` ("recorded" or "locked"). Left out where nothing was chosen."""

RUN_ONLY = "exists only for a run"
"""The reason that a facet gives for being skipped when the present, not a run, is captured."""


class Subject(NamedTuple):
    """Whom a payload speaks of, and the payload itself as plain JSON.

    id: "run", "host", or an interpreter's id. interpreter: path of the executable where the subject
    is one. rank: of a distributed job, where there is one.
    """

    id: str
    payload: Dict[str, Any]
    interpreter: Optional[str] = None
    rank: Optional[int] = None


class Payload(NamedTuple):
    """A facet's answer: captured (subjects), or skipped or failed (reason).

    notes: sentences for people about what this answer leaves out.
    """

    status: str
    version: int
    subjects: Tuple[Subject, ...] = ()
    reason: str = ""
    notes: Tuple[str, ...] = ()


def captured(
    version: int, payload: Any, subject: str = "run", notes: Tuple[str, ...] = ()
) -> Payload:
    """Return a captured answer with one subject; ``payload`` is a named tuple or a plain dict."""
    return Payload(CAPTURED, version, (Subject(subject, codec.encode(payload)),), "", notes)


def skipped(version: int, reason: str) -> Payload:
    """Return an answer that was deliberately not sought, with its reason."""
    return Payload(SKIPPED, version, (), reason)


def failed(version: int, reason: str) -> Payload:
    """Return an answer that could not be had, with its reason."""
    return Payload(FAILED, version, (), reason)


class Process(NamedTuple):
    """Which process wrote a record: enough to tell later whether it still lives.

    start_ticks: field 22 of /proc/PID/stat (clock ticks since boot); 0 where not known.
    """

    pid: int
    host: str
    boot_id: str = ""
    start_ticks: int = 0


class Log(NamedTuple):
    """What the command printed.

    path: name in the record's folder; None where nothing was kept (``--no-capture``). mode: how it
    was obtained ("terminal", "pipe", "file", "not captured"). size: bytes kept. redactions: how
    many secrets were replaced; 0 means that the text is byte-exact. truncated: whether the middle
    was left out because of its size.
    """

    path: Optional[str] = None
    mode: str = "not captured"
    size: int = 0
    redactions: int = 0
    truncated: bool = False


class Record(NamedTuple):
    """A run: what was started, how it ended, and what each facet says of it.

    id: run identifier. command: argv, redacted. cwd: where it ran. status: running, done,
    failed or interrupted. exit_code: as the shell shows it (128 + n for signal n), None while
    running or where unknown. signal: the number of the signal that ended it. started, ended:
    ISO 8601, UTC. duration_s: monotonic seconds. tool: version of this package that wrote it.
    replay_of: the id of the run that this one replays. process: who wrote it. log: what it
    printed. roots: absolute folders at the time, left out of published locks. notes: sentences
    for people. facets: payload per facet name. extra: members that this version does not know,
    kept as they are.
    """

    id: str
    command: Tuple[str, ...]
    cwd: PathRef
    status: str
    started: str
    schema: str = SCHEMA
    name: Optional[str] = None
    tags: Tuple[str, ...] = ()
    labels: Dict[str, str] = {}
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    ended: Optional[str] = None
    duration_s: Optional[float] = None
    tool: str = ""
    replay_of: Optional[str] = None
    process: Optional[Process] = None
    log: Optional[Log] = None
    roots: Dict[str, str] = {}
    notes: Tuple[str, ...] = ()
    facets: Dict[str, Payload] = {}
    extra: Dict[str, Any] = {}

    def payloads(self, facet: str) -> Tuple[Subject, ...]:
        """Return the subjects that ``facet`` captured; empty where it did not."""
        answer = self.facets.get(facet)
        return answer.subjects if answer is not None and answer.status == CAPTURED else ()


def to_json(record: Record) -> Dict[str, Any]:
    """Return ``record`` as plain JSON values, unknown members restored, without a seal."""
    document: Dict[str, Any] = codec.encode(record._replace(extra={}))
    del document["extra"]
    return dict(record.extra, **document)


def from_json(document: Mapping[str, Any]) -> Record:
    """Return the record that ``document`` holds.

    Raises `codec.ShapeError` or ValueError where it is not one; of another schema's record too.
    """
    schema = document.get("schema")
    if schema != SCHEMA:
        raise codec.ShapeError("schema: expected %r, found %.60r" % (SCHEMA, schema))
    known = set(Record._fields) - {"extra"}
    record = codec.decode(Record, {k: v for k, v in document.items() if k in known}, "record")
    extra = {k: v for k, v in document.items() if k not in known and k != "sha256"}
    return record._replace(extra=extra)


def with_facets(record: Record, facets: Mapping[str, Payload]) -> Record:
    """Return ``record`` with ``facets`` added to or put in the place of its own."""
    return record._replace(facets=dict(record.facets, **facets))


def status_of(exit_code: Optional[int]) -> str:
    """Return the status of a run that has ended with ``exit_code``."""
    if exit_code is None:
        return INTERRUPTED
    return DONE if exit_code == 0 else RUN_FAILED


def missing_facets(record: Record) -> List[Tuple[str, str, str]]:
    """Return ``(facet, status, reason)`` of every facet that gave no answer."""
    return [
        (n, p.status, p.reason) for n, p in sorted(record.facets.items()) if p.status != CAPTURED
    ]
