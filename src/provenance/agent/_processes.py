"""What the Python processes of a run said of themselves, and the interpreters that makes."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Iterable, List, Optional, Tuple

from provenance.core.context import Interpreter
from provenance.core.paths import is_inside

_FLAG = re.compile(r"(\w+)=(\w+)")
_TAIL = re.compile(r"\.(?:so|pyd|dylib)$")
_WORDS = {"True": True, "False": False, "None": None}
_SUFFIXES = ("/__init__.py", ".py", ".so", ".pyc")
_SITES = ("site-packages", "dist-packages")
_ADDED = ("/bin", "/IPython/extensions", "/debugpy/_vendored/pydevd")
"""What installed scripts and kernels add to sys.path: of the environment, but no packages."""
_VENDORED = ("/setuptools/_vendor", "/pkg_resources/_vendor")
"""What setuptools puts on sys.path while a program runs: its own copies, which nobody installed."""


class Process:
    """One process. facts: of its interpreter; None in a forked child, which has its parent's."""

    def __init__(self, name: str, parent: str, pid: int, ppid: int, began: int) -> None:
        self.name, self.parent, self.pid, self.ppid, self.began = name, parent, pid, ppid, began
        self.facts: Optional[Dict[str, Any]] = None
        self.path: List[str] = []
        self.imported: List[str] = []
        self.report: Optional[Dict[str, Any]] = None
        self.ended: Optional[int] = None
        self.counted: Dict[str, int] = {}


def interpreters(processes: Iterable[Process], own: str) -> Tuple[Interpreter, ...]:
    """Return the interpreters of ``processes``, in order of appearance; ``own``: our folder.

    Processes belong to one interpreter where version, prefix and the part of sys.path that is of
    the environment agree. The scripts' own folders, which differ, are put together.
    """
    return assigned(processes, own)[0]


def assigned(
    processes: Iterable[Process], own: str
) -> Tuple[Tuple[Interpreter, ...], Dict[str, str]]:
    """Return the `interpreters`, and the id of the one that each process ran, by process name."""
    found: Dict[Any, Interpreter] = {}
    by_name: Dict[str, Any] = {}
    for process in processes:
        if process.facts is None:
            key = by_name.get(process.parent)
            if key is None:
                continue
            one = found[key]
            found[key] = one._replace(processes=one.processes + 1)
        else:
            one = of_facts(_with_report(process), own)
            key = _key(one)
            found[key] = _joined(found[key], one) if key in found else one
        by_name[process.name] = key
    merged = []
    ids = {}
    for number, (key, one) in enumerate(found.items(), 1):
        ids[key] = "python" if number == 1 else "python-%d" % number
        merged.append(one._replace(id=ids[key]))
    return tuple(merged), {name: ids[key] for name, key in by_name.items()}


_FORMS: Dict[str, Any] = {
    "path": list,
    "modules": dict,
    "settings": dict,
    "options": dict,
    "gil": bool,
    "pycache": (str, type(None)),
    "executable": (str, type(None)),
    "tag": (str, type(None)),
    "sources": list,
    "uncounted": int,
    "argv": list,
    "environ": dict,
    "changed": dict,
    "device": dict,
    "mpi": dict,
}


def checked(told: Any) -> Dict[str, Any]:
    """Return facts or a report as the hook writes them; raises ValueError for anything else."""
    if not isinstance(told, dict):
        raise ValueError("not facts")
    for name, value in told.items():
        if not isinstance(name, str) or not isinstance(value, _FORMS.get(name, str)):
            raise ValueError("%r is not as the hook writes it" % (name,))
    named = [*told.get("path", ()), *told.get("modules", {}), *told.get("modules", {}).values()]
    if not all(isinstance(one, str) and "\0" not in one for one in named):
        raise ValueError("a path is no text")
    return told


def of_facts(facts: Dict[str, Any], own: str = "") -> Interpreter:
    """Return the interpreter that reported ``facts``; its id is still to be given."""
    info = str(facts.get("version", ""))
    version = info.partition(" ")[0].rstrip("+")
    path = _absolute(facts.get("path") or (), facts.get("cwd", ""), own)
    return Interpreter(
        id="python",
        executable=facts.get("executable") or "",
        version=version,
        implementation=facts.get("implementation", "cpython"),
        prefix=facts.get("prefix", ""),
        base_prefix=facts.get("base_prefix", ""),
        sys_path=path,
        flags=_flags(facts),
        modules=facts.get("modules") or _modules(facts.get("imported", ()), path),
        settings=facts.get("settings") or {},
        build=_build(facts, info),
        complete=bool(facts.get("complete", True)),
    )


def _with_report(process: Process) -> Dict[str, Any]:
    """Return the facts of a process as last known: at its exit, or until it was killed."""
    facts = dict(process.facts or {})
    report = process.report
    facts["complete"] = report is not None
    if report is not None:
        facts.update({name: report.get(name) for name in ("path", "modules", "settings")})
    else:
        facts["path"] = process.path or facts.get("path", [])
        facts["imported"] = process.imported
    return facts


def _absolute(path: Iterable[str], cwd: str, own: str) -> Tuple[str, ...]:
    entries = []
    for entry in path:
        whole = os.path.normpath(os.path.join(cwd or "/", entry))
        if whole != own and whole not in entries and not whole.endswith(_VENDORED):
            entries.append(whole)
    return tuple(entries)


def _flags(facts: Dict[str, Any]) -> Dict[str, Any]:
    """Return sys.flags by name, read from its printed form; -X options and the GIL beside them."""
    flags: Dict[str, Any] = {}
    for name, value in _FLAG.findall(facts.get("flags", "")):
        flags[name] = int(value) if value.isdigit() else _WORDS.get(value, value)
    options = facts.get("options") or {}
    if options:
        flags["x_options"] = {str(name): value for name, value in options.items()}
    if facts.get("gil") is False:
        flags["gil"] = False
    return flags


def _build(facts: Dict[str, Any], info: str) -> Dict[str, str]:
    """Return how an interpreter was built, as far as it says so without any import."""
    built, _, compiler = info.partition("[")
    suffix = str(facts.get("suffix", ""))
    build = {
        "platform": facts.get("platform", ""),
        "soabi": _TAIL.sub("", suffix).strip("."),
        "multiarch": facts.get("multiarch", ""),
        "cache_tag": facts.get("tag") or "",
        "compiler": compiler.rstrip("]").strip(),
        "built": built.partition("(")[2].rstrip(") \n"),
    }
    return {name: str(value) for name, value in build.items() if value}


def _modules(names: Iterable[str], path: Tuple[str, ...]) -> Dict[str, str]:
    """Return where top-level modules are that a killed process imported, or tried to.

    Names that stand nowhere on ``path`` are left out: built in, or not there.
    """
    listed: List[Tuple[str, Dict[str, str]]] = []
    for folder in path:
        here: Dict[str, str] = {}
        try:
            entries = os.listdir(folder)
        except OSError:
            continue
        for entry in entries:
            name, _, rest = entry.partition(".")
            if not rest or "." + rest.rpartition(".")[2] in _SUFFIXES:
                here.setdefault(name, entry) if rest else here.update({name: entry})
        listed.append((folder, here))
    found: Dict[str, str] = {}
    for name in names:
        for folder, here in listed:
            if name not in here:
                continue
            file = os.path.join(folder, here[name])
            if here[name] == name:
                if not os.path.isdir(file):
                    continue
                start = os.path.join(file, "__init__.py")
                file = start if os.path.exists(start) else ""
            found[name] = file
            break
    return found


def _key(one: Interpreter) -> Any:
    roots = {os.path.normpath(p) for p in (one.prefix, one.base_prefix) if p and p != "/"}
    ours = [
        entry
        for entry in one.sys_path
        if not entry.endswith(_ADDED)
        and (os.path.basename(entry) in _SITES or any(is_inside(entry, root) for root in roots))
    ]
    return (one.version, one.implementation, one.prefix, one.base_prefix, tuple(ours))


def _settings(first: Dict[str, Any], other: Dict[str, Any]) -> Dict[str, Any]:
    """Return the first process's settings, but of a library that drew numbers only in the other."""
    found = dict(other, **first)
    for name, told in other.items():
        mine = first.get(name)
        if isinstance(mine, dict) and isinstance(told, dict) and told.get("drawn"):
            found[name] = mine if mine.get("drawn") else told
    return found


def _joined(first: Interpreter, other: Interpreter) -> Interpreter:
    path = first.sys_path + tuple(e for e in other.sys_path if e not in first.sys_path)
    return first._replace(
        sys_path=path,
        modules=dict(other.modules, **first.modules),
        settings=_settings(first.settings, other.settings),
        processes=first.processes + other.processes,
        complete=first.complete or other.complete,
    )
