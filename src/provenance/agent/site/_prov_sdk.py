#!/usr/bin/env python3
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

Made by prov 0.1.0.dev0 from its own source; renew it with:  prov init --sdk
"""

from __future__ import annotations

import array
import hashlib
import json
import math
import os
import sys
import time
import warnings
from _thread import RLock
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

# ---- provenance.agent._live ----------------------------------------------------------------------
# ``%load_ext``: a live notebook or IPython session, recorded from here on.
#
# This side is the kernel's and needs only the standard library. The record is made by another
# process, ``prov session``, which goes on when the kernel is killed: it is started from this
# environment where prov is installed in it, else as the ``prov`` on the PATH. What the two say to
# each other is one JSON document a line. Each cell is appended to the session's journal once it has
# run; nothing else is done between cells.

_PATIENCE_S = 60.0
"""How long to wait for an answer; closing a record digests what the session used."""
_HELP = "use %prov status, or %prov save [NAME] to close the record, or %prov start"


class Live:
    """The session of this kernel. begin_journal: tells the SDK into which folder to write."""

    def __init__(self, ipython: Any, begin_journal: Callable[[str], None]) -> None:
        self.ipython = ipython
        self._journal = begin_journal
        self._recorder: Any = None
        self._told: Dict[str, Any] = {}
        self._before: Dict[str, Optional[str]] = {}
        self._began = 0.0
        self._hook: Dict[str, Any] = {}
        self.cells = 0

    # --- talking to the recorder -----------------------------------------------------------------

    def start(self) -> str:
        """Begin a record; return a sentence about it. Raises OSError or ValueError."""
        if self._told:
            return self.status()
        if any(hasattr(finder, "mapped") for finder in sys.meta_path) and not self._hook:
            return "prov: this kernel is part of a recorded run already"
        import subprocess

        self._recorder = subprocess.Popen(
            [*_command(), "session", notebook_name(self.ipython)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._told = self._answer()
        if "id" not in self._told:
            reason, self._told = str(self._told.get("error", "no answer")), {}
            raise ValueError(reason)
        self._before = {name: os.environ.get(name) for name in self._told["environ"]}
        os.environ.update(self._told["environ"])
        self._observe(self._told["environ"]["PROV_AGENT_DIR"], self._told["site"])
        self._earlier()
        text = "prov: recording this session as %s; %s"
        return text % (self._told["short"], "%prov save [NAME] closes the record, as its end does")

    def _answer(self) -> Dict[str, Any]:
        import select

        ready, _, _ = select.select([self._recorder.stdout], [], [], _PATIENCE_S)
        line = self._recorder.stdout.readline() if ready else b""
        found = json.loads(line.decode("utf-8")) if line else {}
        return found if isinstance(found, dict) else {}

    def save(self, name: str) -> str:
        """Close the record under ``name``; return what it holds. Raises OSError or ValueError."""
        if not self._told:
            return "prov: nothing is being recorded; %prov start begins"
        self._hook["_leave"]()
        self._recorder.stdin.write(json.dumps({"save": name}).encode("utf-8") + b"\n")
        self._recorder.stdin.flush()
        answer = self._answer()
        self._end()
        return "\n".join(answer.get("lines", ["prov: the record could not be closed"]))

    def status(self) -> str:
        """Return a sentence about what is being recorded."""
        if not self._told:
            return "prov: nothing is being recorded; %prov start begins"
        if self._recorder.poll() is not None:
            return "prov: the recorder of %s has ended; its record is closed" % self._told["short"]
        minutes = (time.time() - self._told["started"]) / 60
        text = "prov: recording this session as %s for %.1f minutes, %d cells so far"
        return text % (self._told["short"], minutes, self.cells)

    def _end(self) -> None:
        """Leave nothing of the session in this process."""
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._journal("")
        self._recorder.stdin.close()
        self._recorder.stdout.close()
        self._told, self._before, self.cells = {}, {}, 0

    # --- what is observed ------------------------------------------------------------------------

    def _observe(self, folder: str, site: str) -> None:
        """Start the hook in this process; one that is here already begins a log in ``folder``."""
        self._journal("")
        if self._hook:
            self._hook["_code"]("_prov_kernel")["resume"](folder)
            return
        path = os.path.join(site, "sitecustomize.py")
        with open(path, "rb") as stream:
            code = compile(stream.read(), path, "exec")
        names = {"__name__": "prov_hook", "__file__": path}
        exec(code, names)  # noqa: S102  # the hook, as an interpreter's start would run it
        names["_start"]()  # type: ignore[operator]  # a function of the file
        self._hook = names

    def _earlier(self) -> None:
        """Keep the cells that had run before."""
        history = getattr(self.ipython.history_manager, "input_hist_raw", [""])
        for count, source in enumerate(history[1:], 1):
            if source.strip() and not (count == len(history) - 1 and "load_ext" in source):
                self._write({"count": count, "source": source, "before": True})

    def started_cell(self, *_info: Any) -> None:
        """Note when a cell began."""
        self._began = time.perf_counter()

    def ended_cell(self, result: Any) -> None:
        """Keep a cell that has run. Never raises."""
        try:
            if not self._told or result.execution_count is None:
                return
            error = result.error_before_exec or result.error_in_exec
            self._write(
                {
                    "count": result.execution_count,
                    "source": result.info.raw_cell,
                    "seconds": round(time.perf_counter() - self._began, 6) if self._began else 0,
                    "error": type(error).__name__ if error is not None else "",
                }
            )
        except Exception:  # noqa: BLE001  # a cell must not feel us
            return

    def _write(self, cell: Dict[str, Any]) -> None:
        self.cells += 1
        cell["notebook"] = notebook_name(self.ipython)
        path = os.path.join(os.environ["PROV_AGENT_DIR"], "cells.jsonl")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, json.dumps(cell).encode("ascii") + b"\n")
        finally:
            os.close(fd)

    def magic(self, line: str) -> None:
        """``%prov status``, ``%prov save [NAME]``, ``%prov start``."""
        verb, _, rest = line.strip().partition(" ")
        try:
            if verb == "save":
                text = self.save(rest.strip())
            elif verb == "start":
                text = self.start()
            else:
                text = self.status() if verb in ("", "status") else "prov: " + _HELP
        except Exception as error:  # noqa: BLE001  # nothing of ours may stop a notebook
            text = "prov: %s" % error
        self.ipython.display_pub.publish({"text/plain": text})


def notebook_name(ipython: Any) -> str:
    """Return the name of the notebook, as Jupyter or VS Code tell it; "" where they do not."""
    path = os.environ.get("JPY_SESSION_NAME", "") or str(
        ipython.user_ns.get("__vsc_ipynb_file__", "")
    )
    return os.path.basename(path) if path.endswith(".ipynb") else ""


def _command() -> List[str]:
    """Return the command of a prov that can record. Raises ValueError where there is none."""
    package = sys.modules.get("provenance")
    if package is not None and hasattr(package, "__path__") and sys.version_info >= (3, 10):
        return [sys.executable, "-m", "provenance"]
    import shutil

    found = shutil.which("prov")
    if found is None:
        raise ValueError("there is no prov here: install prov-run, or put `prov` on the PATH")
    return [found]


_sessions: List[Live] = []


def load(ipython: Any, begin_journal: Callable[[str], None]) -> None:
    """Record this session from now on. Never raises."""
    if not _sessions:
        live = Live(ipython, begin_journal)
        _sessions.append(live)
        ipython.register_magic_function(live.magic, "line", "prov")
        ipython.events.register("pre_run_cell", live.started_cell)
        ipython.events.register("post_run_cell", live.ended_cell)
    _sessions[0].magic("start")


def unload(ipython: Any) -> None:
    """Close the record. Never raises."""
    while _sessions:
        live = _sessions.pop()
        live.magic("save")
        ipython.events.unregister("pre_run_cell", live.started_cell)
        ipython.events.unregister("post_run_cell", live.ended_cell)


# ---- provenance.agent._address -------------------------------------------------------------------
# ``path("RUN:NAME")`` from inside the user's interpreter.
#
# ``prov path`` does it: found as the notebook extension finds it, started as a program. Without one
# the record is read here, and the file must still be where the run had it.

_ASKED_BY = "PROV_ASKED_BY"
_READ = 1 << 20


def located(address: str, where: str, used: Callable[..., None]) -> str:
    """Return the absolute path of the artifact. Raises FileNotFoundError.

    where: the user's line. used: called with the parts of a line "u", but for its time, where
    ``prov path`` has not noted it itself.
    """
    try:
        command = _command()
    except ValueError:
        return _by_record(address, where, used)
    import subprocess

    environ = dict(os.environ, **{_ASKED_BY: where})
    done = subprocess.run(
        [*command, "path", "--json", address],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        answer = json.loads(done.stdout.decode("utf-8"))
        data, errors = answer["data"], answer["errors"]
    except (ValueError, KeyError, TypeError):
        raise FileNotFoundError("prov path %s ended with %d" % (address, done.returncode)) from None
    if done.returncode or not data:
        told = ["%s (%s)" % (one["message"], one["hint"]) for one in errors]
        raise FileNotFoundError(" ".join(told) or "prov path %s failed" % address)
    return str(data["artifacts"][0]["path"])


def _by_record(address: str, where: str, used: Callable[..., None]) -> str:
    """Find the file by the record alone. Raises FileNotFoundError."""
    called, _, name = address.partition(":")
    top = _top()
    run = _run(top, called)
    roots: Dict[str, str] = run.get("roots") or {}
    entry = _entry(run, called, name)
    ref = entry["path"]
    if ref.get("root") not in roots and ref.get("root") != "abs":
        raise FileNotFoundError("%s: where run %s ran is not recorded" % (address, called))
    path = os.path.join(roots.get(ref["root"], "/"), ref.get("path", ""))
    if not os.path.exists(path):
        raise FileNotFoundError(
            "%s is no longer at %s; with prov on the PATH it would be looked for" % (address, path)
        )
    _verify(path, entry, address)
    used(where, address, run["id"], ref, os.fsencode(path).hex())
    return path


def _top() -> str:
    """Return the folder of the runs. Raises FileNotFoundError."""
    agent = os.environ.get("PROV_AGENT_DIR", "")
    if os.path.isdir(agent):
        return os.path.dirname(os.path.dirname(agent))
    folder = os.getcwd()
    while True:
        runs = os.path.join(folder, ".prov", "runs")
        if os.path.isdir(runs):
            return runs
        if os.path.dirname(folder) == folder:
            raise FileNotFoundError("there are no recorded runs at or above %s" % os.getcwd())
        folder = os.path.dirname(folder)


def _run(top: str, called: str) -> Dict[str, Any]:
    """Return the record that ``called`` means; never that of the run that asks."""
    own = os.path.basename(os.path.dirname(os.environ.get("PROV_AGENT_DIR", "")))
    found: List[Tuple[str, Dict[str, Any]]] = []
    for name in sorted(os.listdir(top)):
        try:
            with open(os.path.join(top, name, "record.json"), "rb") as stream:
                run = json.loads(stream.read().decode("utf-8"))
            found.append((str(run["started"]), run))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    runs = [run for _, run in sorted(found, key=lambda pair: pair[0]) if run.get("id") != own]
    back = 1 if called == "@last" else 0
    if called[:2] == "@-" and called[2:].isdigit():
        back = int(called[2:])
    if back:
        fits = runs[-back:][:1] if back <= len(runs) else []
    else:
        fits = [run for run in runs if run.get("name") == called] or [
            run
            for run in runs
            if str(run["id"]).startswith(called) or str(run["id"]).endswith(called)
        ]
    if not fits:
        raise FileNotFoundError("no run is called %r in %s" % (called, top))
    return fits[-1]


def _entry(run: Dict[str, Any], called: str, name: str) -> Dict[str, Any]:
    """Return the recorded file that ``name`` means. Raises FileNotFoundError."""
    files: List[Dict[str, Any]] = []
    for facet in ("artifacts", "outputs", "data"):
        for subject in (run.get("facets", {}).get(facet) or {}).get("subjects") or ():
            files += (subject.get("payload") or {}).get("files") or []
    wanted = os.path.normpath(name)
    known = [(str(one.get("path", {}).get("path", "")), one) for one in files]
    for fitting in (
        [pair for pair in known if pair[1].get("name") == name],
        [pair for pair in known if pair[0] == wanted],
        [pair for pair in known if pair[0].endswith("/" + wanted)],
    ):
        fits = dict(fitting)
        if len(fits) == 1:
            return next(iter(fits.values()))
        if fits:
            raise FileNotFoundError("%s means %s of %s" % (name, ", ".join(sorted(fits)), called))
    raise FileNotFoundError("run %s has no file %s" % (called, name))


def _verify(path: str, entry: Dict[str, Any], address: str) -> None:
    """Raise FileNotFoundError where the file is not the recorded one; warn where none can tell."""
    digests: Dict[str, str] = entry.get("digests") or {}
    algorithm: Optional[str] = next((one for one in ("sha256", "md5") if one in digests), None)
    changed = "%s was changed since the run: %s" % (address, path)
    if os.path.isfile(path) and os.path.getsize(path) != entry.get("size"):
        raise FileNotFoundError(changed)
    if algorithm is None or not os.path.isfile(path):
        text = "prov: %s was not verified: no prov is on the PATH" % address
        warnings.warn(text, RuntimeWarning, stacklevel=4)
        return
    state = hashlib.new(algorithm)
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(_READ), b""):
            state.update(chunk)
    if state.hexdigest() != digests[algorithm]:
        raise FileNotFoundError(changed)


# ---- provenance.agent._fingerprint ---------------------------------------------------------------
# What a value looks like, without keeping it: type, shape, dtype, digest, summary.
#
# The digest of an array is over its dtype, its shape and its elements in C order and little-endian,
# so that the same numbers have the same digest in every library. No random numbers are drawn, no
# iterator is consumed, no value is changed, and a large value costs no more than a bounded one.

WHOLE = 1 << 28
"""Bytes of all arrays of one value, up to which each is digested whole."""
SAMPLE, BLOCK = 1 << 20, 1 << 16
"""Bytes of each array that are digested otherwise, in evenly spread blocks of this size."""
SUMMED = 1 << 20
"""Elements of an array that its summary is made of, evenly spread where it has more."""
ELEMENTS = 100000
"""Python objects in one list or array of objects that are looked at, evenly spread."""
PARTS, DEPTH, LONGEST = 1000, 8, 2000
SAMPLED = "sha256-sampled-1"
_PLAIN = (bool, int, float, str, bytes, type(None), complex, range)


def type_name(value: Any) -> str:
    """Return the full name of a value's type; built-in ones without their module."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    return module + kind.__qualname__


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as plain data of bounded size."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        text = str(value)
        return text if len(text) <= 100 * LONGEST else text[: 100 * LONGEST] + "..."
    if isinstance(value, (list, tuple, set, frozenset)) and depth < 4:
        some = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [plain(one, depth + 1) for one in list(some)[:PARTS]]
    if isinstance(value, dict) and depth < 4:
        return {str(key): plain(one, depth + 1) for key, one in list(value.items())[:PARTS]}
    if hasattr(value, "__fspath__"):
        return os.fsdecode(os.fspath(value))
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "%s.%s" % (value.__module__, value.__qualname__)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item(), depth + 1)
    text = repr(value)
    return "<%s>" % type_name(value) if " at 0x" in text else text[:LONGEST]


def describe(value: Any) -> Dict[str, Any]:
    """Return what ``value`` looks like.

    type; shape, dtype, bytes, summary (of arrays); value (of short plain ones); size and parts (of
    what has parts); digest, empty where there is none and ``reason`` says why.
    """
    return _described(value, _total(value, 0) > WHOLE, 0)


def _described(value: Any, much: bool, depth: int) -> Dict[str, Any]:
    told: Dict[str, Any] = {"type": type_name(value)}
    try:
        if type(value) in _PLAIN:
            told.update(_of_plain(value))
        else:
            grid = _grid(value)
            if grid is not None:
                told.update(grid.told(much))
            else:
                told.update(_of_parts(value, much, depth))
    except Exception as error:  # noqa: BLE001  # what libraries raise is their affair
        told.update(digest={}, reason="%s: %s" % (type(error).__name__, str(error)[:200]))
    return told


def _of_plain(value: Any) -> Dict[str, Any]:
    data = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
    told: Dict[str, Any] = {"digest": {"sha256": hashlib.sha256(data).hexdigest()}}
    if isinstance(value, (str, bytes)):
        told["size"] = len(value)
    if not isinstance(value, (bytes, complex, range)) and len(data) <= 200:
        told["value"] = value
    return told


# --- what has parts ------------------------------------------------------------------------------


def _of_parts(value: Any, much: bool, depth: int) -> Dict[str, Any]:
    known = getattr(value, "_fingerprint", None)
    if isinstance(known, str) and type(value).__module__.startswith("datasets."):
        return {"size": len(value), "digest": {"datasets": known}}
    if isinstance(value, (list, tuple)) and value and all(type(o) in _PLAIN for o in value[:100]):
        return _of_objects(value, len(value))
    parts = _parts(value)
    if parts is None:
        reason = "an iterator is not consumed" if hasattr(value, "__next__") else "no known form"
        return {"digest": {}, "reason": reason}
    if depth >= DEPTH:
        return {"digest": {}, "reason": "nested too deeply"}
    found = {name: _described(one, much, depth + 1) for name, one in parts[:PARTS]}
    told: Dict[str, Any] = {"size": len(parts), "parts": found}
    kinds = {kind for one in found.values() for kind in one["digest"]}
    if all(one["digest"] for one in found.values()) and len(parts) <= PARTS:
        rows = sorted((name, sorted(one["digest"].items())) for name, one in found.items())
        data = json.dumps(rows).encode("ascii")
        kind = SAMPLED if SAMPLED in kinds else "sha256"
        told["digest"] = {kind: hashlib.sha256(data).hexdigest()}
    else:
        told.update(digest={}, reason="some of its parts have no digest")
    return told


def _parts(value: Any) -> Optional[List[Tuple[str, Any]]]:
    """Return the named parts of a batch, data frame, sparse array or model; None for none."""
    if isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", None) or ["[%d]" % n for n in range(len(value))]
        return list(zip(names, value))
    if hasattr(value, "filled") and hasattr(value, "mask"):
        return [
            ("data", value.filled(0) if value.dtype.kind in "biufc" else value.data),
            ("mask", value.mask),
        ]
    names = getattr(getattr(value, "dtype", None), "names", None)
    if names:
        return [(name, value[name]) for name in names]
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):
        return _columns(value)
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return [(str(key), value[key]) for key in list(value.keys())]
    if isinstance(value, (set, frozenset)):
        return [("values", sorted(value, key=repr))]
    if hasattr(value, "indptr") and hasattr(value, "indices"):
        return [(name, getattr(value, name)) for name in ("data", "indices", "indptr")]
    for method in ("state_dict", "get_weights"):
        if callable(getattr(value, method, None)) and not isinstance(value, type):
            return _parts(getattr(value, method)())
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return [(name, getattr(value, name)) for name in fields if hasattr(value, name)]
    return None


def _columns(frame: Any) -> List[Tuple[str, Any]]:
    names = [str(one) for one in frame.columns]
    if hasattr(frame, "iloc"):
        parts = [(name, frame.iloc[:, n]) for n, name in enumerate(names)]
        return [*parts, ("(index)", frame.index)]
    return [(name, frame[name]) for name in names]


def _total(value: Any, depth: int) -> int:
    """Return how many bytes the arrays in ``value`` have, as far as they say so cheaply."""
    try:
        size = getattr(value, "nbytes", None)
        if isinstance(size, int):
            return size
        if type(value) in _PLAIN or depth >= DEPTH:
            return 0
        element = getattr(value, "element_size", None)
        if callable(element):
            return int(element() * value.numel())
        if isinstance(value, (list, tuple)) and all(type(o) in _PLAIN for o in value[:100]):
            return 0
        return sum(_total(one, depth + 1) for _, one in (_parts(value) or ())[:PARTS])
    except Exception:  # noqa: BLE001  # what has no size is small
        return 0


# --- arrays --------------------------------------------------------------------------------------


class _Grid:
    """An array. piece(start, stop): these elements, in C order, as bytes of equal items."""

    def __init__(
        self,
        shape: Any,
        dtype: str,
        item: int,
        piece: Callable[[int, int], Any],
        some: Callable[[int], Any],
    ) -> None:
        self.shape = [int(n) for n in shape]
        self.count = 1
        for n in self.shape:
            self.count *= n
        self.dtype, self.item, self.piece, self.some = dtype, item, piece, some

    def told(self, much: bool) -> Dict[str, Any]:
        """Return shape, dtype, size, digest and summary."""
        size = self.count * self.item
        sampled = much and size > SAMPLE
        state = hashlib.sha256(json.dumps([self.dtype, self.shape]).encode("ascii"))
        step = max(1, BLOCK // max(1, self.item))
        starts = range(0, self.count, step)
        if sampled:
            starts = _spread(self.count, step)  # type: ignore[assignment]  # whole numbers both
        for start in starts:
            state.update(self.piece(start, min(start + step, self.count)))
        told: Dict[str, Any] = {"shape": self.shape, "dtype": self.dtype, "bytes": size}
        told["digest"] = {SAMPLED if sampled else "sha256": state.hexdigest()}
        summary = _summary(self.some(max(1, -(-self.count // SUMMED)))) if self.count else None
        if summary:
            told["summary"] = summary
        return told


def _spread(count: int, step: int) -> List[int]:
    """Return where blocks of ``step`` elements begin: evenly spread, the first and last as well."""
    blocks = SAMPLE // BLOCK
    last = max(0, count - step)
    return sorted({last * n // (blocks - 1) for n in range(blocks)})


def _grid(value: Any) -> Optional[_Grid]:
    """Return ``value`` as an array; None where it is none. Raises where it cannot be read."""
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, getattr(torch, "Tensor", ())):
        return _of_tensor(torch, value)
    if isinstance(value, (bytearray, memoryview, array.array)):
        data = memoryview(value).cast("B") if not isinstance(value, bytearray) else value
        return _Grid([len(data)], "uint8", 1, lambda i, j: bytes(data[i:j]), lambda _: None)
    if numpy is None or isinstance(value, (list, tuple, type)) or hasattr(value, "columns"):
        return None
    if isinstance(value, numpy.ndarray) and (value.dtype.names or hasattr(value, "filled")):
        return None  # what has fields or a mask is looked at part by part
    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        convert = getattr(value, "to_numpy", None) or getattr(value, "numpy", None)
        if convert is not None and hasattr(value, "dtype"):
            value = convert()
        elif hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
            value = numpy.asarray(value)
        else:
            return None
    return _of_array(numpy.asarray(value))


def _of_array(value: Any) -> _Grid:
    kind = value.dtype
    if kind.hasobject:
        return _Objects(value)
    if kind.byteorder == ">" or (kind.byteorder == "=" and sys.byteorder == "big"):
        value = value.astype(kind.newbyteorder("<"))
    flat = value.reshape(-1) if value.flags.c_contiguous else value.flat

    def some(every: int) -> Any:
        return flat[::every] if kind.kind in "biuf" or kind.name == "bfloat16" else None

    return _Grid(
        value.shape, kind.name, kind.itemsize, lambda i, j: flat[i:j].tobytes(), some
    )  # fmt: skip


def _of_tensor(torch: Any, value: Any) -> _Grid:
    tensor = value.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    flat = tensor.resolve_conj().reshape(-1) if tensor.is_complex() else tensor.reshape(-1)
    name = str(tensor.dtype).rpartition(".")[2]

    def piece(start: int, stop: int) -> bytes:
        return bytes(flat[start:stop].cpu().contiguous().view(torch.uint8).numpy().tobytes())

    def some(every: int) -> Any:
        if tensor.is_complex():
            return None
        part = flat[::every].cpu()
        return (part.double() if part.is_floating_point() else part).numpy()

    return _Grid(tensor.shape, name, tensor.element_size(), piece, some)


def _summary(part: Any) -> Optional[Dict[str, Any]]:
    """Return least, greatest, mean, standard deviation and how many are not a number."""
    numpy: Any = sys.modules.get("numpy")
    if part is None or numpy is None:
        return None
    with numpy.errstate(all="ignore"):
        told: Dict[str, Any] = {}
        values = part.astype("float64")
        finite = numpy.isfinite(values)
        bad = int(part.size - finite.sum())
        if bad:
            told["nan"] = int(numpy.isnan(values).sum())
            told["infinite"] = bad - told["nan"]
            part, values = part[finite], values[finite]
        if values.size:
            told.update(min=part.min().item(), max=part.max().item())
            told.update(mean=float(values.mean()), std=float(values.std()))
        told["of"] = int(finite.size)
        return told


# --- objects -------------------------------------------------------------------------------------


class _Objects(_Grid):
    """An array of Python objects."""

    def __init__(self, value: Any) -> None:
        super().__init__(value.shape, "object", 8, lambda _i, _j: b"", lambda _: None)
        self._flat = value.reshape(-1)

    def told(self, much: bool) -> Dict[str, Any]:  # noqa: ARG002  # as an array of numbers has it
        """Return shape and digest; ``much`` makes no difference."""
        told = {"shape": self.shape, "dtype": "object"}
        return dict(told, **_of_objects(self._flat, self.count))


def _of_objects(values: Any, count: int) -> Dict[str, Any]:
    """Return size and digest of plain objects, and a summary where all are numbers."""
    every = max(1, -(-count // ELEMENTS))
    state = hashlib.sha256(b"%d" % count)
    numbers: List[float] = []
    for given in _each(values, count, every):
        one = given if type(given) in _PLAIN else plain(given)
        if type(one) in (int, float) and abs(one) < 1e300:
            numbers.append(one)
        data = repr(one).encode("utf-8", "surrogatepass")
        state.update(b"%d " % len(data) + data)
    kind = SAMPLED if every > 1 else "sha256"
    told: Dict[str, Any] = {"size": count, "digest": {kind: state.hexdigest()}}
    if numbers and len(numbers) == -(-count // every):
        mean = math.fsum(numbers) / len(numbers)
        std = math.sqrt(math.fsum((n - mean) ** 2 for n in numbers) / len(numbers))
        told["summary"] = {"min": min(numbers), "max": max(numbers), "mean": mean, "std": std}
    return told


def _each(values: Any, count: int, every: int) -> Iterator[Any]:
    for place in range(0, count, every):
        yield values[place]


# ---- provenance.agent.sdk ------------------------------------------------------------------------

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
