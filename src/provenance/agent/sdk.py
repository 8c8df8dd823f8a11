"""What code may tell the record of its run: parameters, metrics, artifacts, fingerprints.

Use it as ``import provenance``, or from the one-file form that ``prov init --sdk`` writes:

    log_params({"lr": 0.1})            what the run was made with; nested names are joined by dots
    log_metrics({"loss": 0.3}, step=7) numbers that came out; without a step they are counted
    log_artifact("best.pt", kind="model")   a file that matters, under a name
    fingerprint("batch0", batch)       what data looked like here: shape, digest, summary
    path("baseline:best.pt")           where an artifact of another run is, verified

Outside a recorded run all but ``path`` do nothing. Inside one they append a line to a file of this
process in the run's folder, so that nothing is lost when the process is killed. Nor do they raise:
a call that makes no sense warns, once per function. They draw no random numbers and keep nothing of
what they are given. Nothing but the standard library of Python 3.7 is needed.

In a notebook, ``%load_ext provenance`` (or the name of this file) records the session as a run.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from _thread import RLock
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from provenance.agent._address import located
from provenance.agent._fingerprint import describe, plain, type_name
from provenance.agent._live import load, unload

__all__ = ["fingerprint", "log_artifact", "log_metrics", "log_params", "path"]

_FOLDER = "PROV_AGENT_DIR"
_FIRST, _LARGEST, _LIMIT = 1 << 14, 1 << 23, 1 << 29
"""Bytes of the first file, of the largest one, and of all of them for one process."""
_LONGEST = 1 << 20
_MOST_NAMES = 10000
_RANKS = "RANK OMPI_COMM_WORLD_RANK PMIX_RANK PMI_RANK SLURM_PROCID".split()
"""Variables in which torchrun, Open MPI, PMIx, MPICH and Slurm say which rank a process is."""


class _Journal:
    """The lines of this process, in files of its own.

    With the hook in this process the files are memory-mapped, which costs a microsecond a line;
    without it each line is written at once. A forked child begins files of its own.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.begin("")

    def begin(self, folder: str) -> None:
        """Write to ``folder`` from now on; to the one that the environment names if empty."""
        self.folder = folder
        self.pid = self.number = self.used = self.size = self.total = 0
        self.at = ""
        self.rank: Optional[int] = None
        self.map: Any = None

    def ready(self) -> bool:
        """Return whether there is a run to tell."""
        if not self.folder:
            folder = os.environ.get(_FOLDER, "")
            self.folder = folder if folder[:1] == "/" else ""
        return bool(self.folder)

    def put(self, *parts: Any) -> None:
        """Append one line, and before it whatever the reader must know first."""
        line = _line(parts)
        if len(line) > _LONGEST:
            raise ValueError("too much for one call")
        with self.lock:
            if self.pid != os.getpid():
                self.begin(self.folder)
                self.pid = os.getpid()
                self.at = "%016x.%d" % (time.time_ns(), self.pid)
                self.rank = _stated_rank()
                self._head()
            elif self.rank is None and "torch.distributed" in sys.modules:
                self.rank = _joined_rank()
                if self.rank is not None:
                    self._head()
            self._append(line)

    def _head(self) -> None:
        self._append(_line(("H", self.at, os.path.basename(sys.argv[0] or ""), self.rank)))

    def _append(self, line: bytes) -> None:
        n = len(line)
        if self.total + n > _LIMIT:
            return
        if self.used + n >= self.size and not self._renew(n):
            self._write(line)
            return
        start, self.used = self.used, self.used + n
        self.map[start : start + n] = line

    def _renew(self, need: int) -> bool:
        """Map another file; False where the hook is not here or the disk has no room."""
        create = next((f.mapped for f in sys.meta_path if hasattr(f, "mapped")), None)
        size = min(max(self.size * 2, _FIRST), _LARGEST)
        size = max(size, (need + 4096) // 4096 * 4096)
        if create is None:
            return False
        try:
            fresh = create(self._path(), size)
        except OSError:
            return False
        if hasattr(self.map, "madvise"):
            self.map.madvise(4)  # MADV_DONTNEED: what is written stays, the memory goes
        self.map, self.used, self.size = fresh, 0, size
        self.number += 1
        self.total += size
        return True

    def _write(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(self._path(), flags, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)
        self.number = self.number or 1
        self.total += len(line)

    def _path(self) -> str:
        return "%s/%s.%d.sdk" % (self.folder, self.at, self.number if self.map is not None else 0)


def _line(parts: Tuple[Any, ...]) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode("ascii") + b"\n"


def _stated_rank() -> Optional[int]:
    """Return which rank of a job the environment says this process is, None where it is silent."""
    for name in _RANKS:
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return None


def _joined_rank() -> Optional[int]:
    """Return which rank this process is in the group that it joined, None where it did not."""
    distributed: Any = sys.modules["torch.distributed"]
    if distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_rank())
    return None


_journal = _Journal()
_warned: List[str] = []


def _harmless(function: Callable[..., None]) -> Callable[..., None]:
    """Return ``function`` as one that does nothing outside a run and never raises."""

    def called(*args: Any, **kwargs: Any) -> None:
        try:
            if _journal.ready():
                function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # nothing of ours may reach the user's code
            _warn(function.__name__, error)

    called.__name__ = called.__qualname__ = function.__name__
    called.__doc__ = function.__doc__
    called.__wrapped__ = function  # type: ignore[attr-defined]  # shown as the signature
    return called


def _warn(name: str, error: Exception) -> None:
    """Warn of a call that could not be recorded, once per function."""
    if name in _warned or (isinstance(error, OSError) and not os.path.isdir(_journal.folder)):
        return  # the run is over, and this process lives on
    _warned.append(name)
    text = "prov: %s was not recorded (%s: %s)" % (name, type(error).__name__, error)
    try:
        warnings.warn(text, RuntimeWarning, stacklevel=3)
    except Exception:  # noqa: BLE001  # where warnings are errors, ours must not be one
        return


@_harmless
def log_params(params: Any = None, **more: Any) -> None:
    """Record parameters: a dictionary, a namespace or a dataclass, and keywords."""
    values: Dict[str, Any] = {}
    for given in (params, more):
        for name, value in _flat("", _mapping(given), 0, "."):
            if len(values) < _MOST_NAMES:
                values[name] = plain(value)
    if values:
        _journal.put("p", time.time_ns(), _where(), values)


@_harmless
def log_metrics(metrics: Any = None, step: Any = None, **more: Any) -> None:
    """Record numbers by name, at a step; nested names are joined by slashes."""
    values: Dict[str, Any] = {}
    wrong = ""
    for given in (metrics, more):
        for name, value in _flat("", _mapping(given), 0, "/"):
            number = _number(value)
            if number is None:
                wrong = wrong or "%s is no number" % name
            elif len(values) < _MOST_NAMES:
                values[name] = number
    if values:
        _journal.put("m", time.time_ns(), None if step is None else _number(step), values)
    if wrong:
        raise TypeError(wrong)


@_harmless
def log_artifact(path: Any, name: Any = None, kind: Any = None) -> None:
    """Record that a file or folder matters, under a name, as what it is ("model", "data" ...)."""
    full = os.path.abspath(os.fsdecode(path))
    called = os.path.basename(full) if name is None else str(name)
    kind = "" if kind is None else str(kind)
    _journal.put("a", time.time_ns(), _where(), called, os.fsencode(full).hex(), kind)


@_harmless
def fingerprint(name: Any, value: Any) -> None:
    """Record what ``value`` looks like here: type, shape, digest and summary, never the value.

    Arrays and tensors of all libraries, data frames, batches (dictionaries, lists, tuples) and
    models are looked into; iterators are not consumed. A tensor on a device is copied to be read.
    Up to 256 MiB are digested whole; of more, 1 MiB of each array, evenly spread, which the record
    then says.
    """
    _journal.put("f", time.time_ns(), _where(), str(name), describe(value))


def path(address: Any) -> str:
    """Return where an artifact of a run is: ``path("@last:model.pt")``, ``path("baseline:vocab")``.

    Its content is the recorded one; it is brought here where that is needed (``prov path``). Works
    outside of a run too; inside one the file counts as its data. Raises FileNotFoundError with what
    is wrong; without a ``prov`` in reach the file must be here, and only what the standard library
    can digest is verified.
    """
    return located(str(address), _where(), _used)


def told_used(*parts: Any) -> None:
    """Note that an artifact of another run is used: the parts of a line "u"."""
    if _journal.ready():
        _journal.put("u", *parts)


def _used(*parts: Any) -> None:
    """Note so where ``prov path`` could not."""
    try:
        told_used(time.time_ns(), *parts)
    except Exception as error:  # noqa: BLE001  # as all that is only recording
        _warn("path", error)


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext``: record this notebook or IPython session from here on."""
    load(ipython, _journal.begin)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext``: close the record."""
    unload(ipython)


def _mapping(given: Any) -> Dict[Any, Any]:
    """Return what was given as a dictionary. Raises TypeError where it has no names."""
    if given is None:
        return {}
    if hasattr(given, "keys") and hasattr(given, "__getitem__"):
        return {key: given[key] for key in list(given.keys())}
    if isinstance(given, (list, tuple, set, str, bytes, int, float)):
        raise TypeError("a dictionary is needed, not %s" % type_name(given))
    return dict(vars(given))


def _flat(prefix: str, given: Dict[Any, Any], depth: int, joint: str) -> Iterator[Tuple[str, Any]]:
    """Yield the leaves of nested dictionaries under their joined names."""
    for key, value in given.items():
        name = prefix + str(key)
        mapping = hasattr(value, "keys") and hasattr(value, "__getitem__")
        if depth < 8 and mapping and not hasattr(value, "shape") and len(value):
            for pair in _flat(name + joint, _mapping(value), depth + 1, joint):
                yield pair
        else:
            yield name, value


def _number(value: Any) -> Any:
    """Return a plain number; None where ``value`` is none."""
    if type(value) in (int, float):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (str, bytes, complex)) or value is None:
        return None
    if hasattr(value, "item"):
        try:
            value = value.item()
        except (ValueError, RuntimeError, TypeError):
            return None
    elif hasattr(value, "numpy") and getattr(value, "shape", None) == ():
        value = value.numpy().item()
    if isinstance(value, int):
        return int(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _where() -> str:
    """Return the line that called the SDK."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return "%s:%d" % (frame.f_code.co_filename, frame.f_lineno) if frame is not None else ""
