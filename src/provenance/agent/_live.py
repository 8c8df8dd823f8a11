"""``%load_ext``: a live notebook or IPython session, recorded from here on.

This side is the kernel's and needs only the standard library. The record is made by another
process, ``prov session``, which goes on when the kernel is killed: it is started from this
environment where prov is installed in it, else as the ``prov`` on the PATH. What the two say to
each other is one JSON document a line. Each cell is appended to the session's journal once it has
run; nothing else is done between cells.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Callable, Dict, List, Optional

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
