"""One suite that every facet has to pass, and the small real run that it is passed with.

`small_run` makes a project folder with git, code, data and an output, runs a Python command in it
for real, and returns contexts of all four phases. Other tests of facets build theirs from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from provenance import facets
from provenance.core import canonical, context, record
from provenance.core.context import (
    FileUse,
    Interpreter,
    Observations,
    Outcome,
    Parsed,
    SeedCall,
)
from provenance.core.digest import file_digests
from provenance.core.paths import Roots
from provenance.core.record import CAPTURED, RUN_ONLY, SKIPPED, Payload, Record, Subject
from provenance.core.redact import Redactor

PROGRAM = """\
import json, random, sys
random.seed(3)
rows = open("data/train.csv").read().split()
json.dump({"loss": 0.5, "rows": len(rows)}, open("metrics.json", "w"))
print("step 1 loss 0.5")
"""

_REPORT = """\
import json, os, sys
modules = {}
for name, module in list(sys.modules.items()):
    if "." not in name and not name.startswith("_"):
        modules[name] = getattr(module, "__file__", None) or ""
flags = {n: getattr(sys.flags, n) for n in dir(sys.flags) if not n.startswith(("_", "n_"))}
flags = {n: int(v) for n, v in flags.items() if isinstance(v, (bool, int))}
print(json.dumps({"executable": sys.executable, "version": sys.version.split()[0],
    "implementation": sys.implementation.name, "prefix": sys.prefix,
    "base_prefix": getattr(sys, "base_prefix", sys.prefix), "sys_path": [p for p in sys.path if p],
    "flags": flags, "modules": modules}))
"""


class SmallRun(NamedTuple):
    """A run that really took place, as contexts: ``phases`` by name."""

    folder: Path
    phases: dict[str, context.Context]


def interpreter(python: str | Path, before: str = "", **environ: str) -> Interpreter:
    """Return ``python`` as it reports itself after running ``before``."""
    env = {n: v for n, v in os.environ.items() if not n.startswith("PYTHON")}
    done = subprocess.run(
        [str(python), "-c", before + "\n" + _REPORT],
        env=dict(env, **environ),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    said["sys_path"] = tuple(said["sys_path"])
    return Interpreter("python", **said)


def a_context(folder: Path, phase: str = context.PRESENT, **rest: Any) -> context.Context:
    """Return a context for ``folder`` with nothing in it but what is given."""
    given: dict[str, Any] = {
        "phase": phase,
        "roots": Roots(str(folder), str(folder), os.path.expanduser("~")),
        "command": (sys.executable, "train.py", "--lr", "0.1"),
        "environ": {"PATH": os.environ.get("PATH", ""), "HOME": os.path.expanduser("~")},
        "redact": Redactor(),
        "digest": file_digests,
        "started": time.time(),
    }
    given.update(rest)
    return context.Context(**given)


def a_record(folder: Path, answers: dict[str, Payload]) -> Record:
    """Return a record of a run in ``folder`` with the given answers."""
    here = Roots(str(folder), str(folder), "/nowhere")
    return Record(
        id="20260101T000000Z-00000001",
        command=("python", "train.py"),
        cwd=here.refer("."),
        status=record.DONE,
        started="2026-01-01T00:00:00+00:00",
        exit_code=0,
        facets=answers,
    )


def git(folder: Path, *words: str) -> str:
    """Run git in ``folder`` with a name and no configuration of the machine's."""
    env = dict(os.environ, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, env=env, check=True, text=True, capture_output=True
    )
    return done.stdout


def small_run(folder: Path) -> SmallRun:
    """Make a project in ``folder``, run its program, and return the contexts of every phase."""
    (folder / "data").mkdir(parents=True)
    (folder / "train.py").write_text(PROGRAM)
    (folder / "data" / "train.csv").write_text("1\n2\n3\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "start")
    run_dir = folder / ".prov" / "runs" / "20260101T000000Z-00000001"
    run_dir.mkdir(parents=True)
    (folder / ".prov" / ".gitignore").write_text("*\n")
    marker = run_dir / "marker"
    marker.write_text("")
    common = {"run_dir": str(run_dir), "marker_ns": marker.stat().st_ctime_ns}
    before = a_context(folder, context.BEFORE, **common)
    time.sleep(0.02)  # the output's change time must be later than the marker's
    done = subprocess.run(
        [sys.executable, "train.py", "--lr", "0.1"], cwd=folder, check=True, capture_output=True
    )
    (run_dir / "log.txt").write_bytes(done.stdout)
    python = interpreter(sys.executable, "import random")
    main = python._replace(modules=dict(python.modules, __main__=str(folder / "train.py")))
    during = before._replace(phase=context.DURING, interpreters=(main,))
    after = during._replace(
        phase=context.AFTER, observed=_observed(folder), outcome=Outcome(0, None, 0.1, 0.1, 0.0, 1)
    )
    present = a_context(folder, interpreters=(python,))
    every = {one.phase: one for one in (before, during, after, present)}
    return SmallRun(folder, every)


def _observed(folder: Path) -> Observations:
    lr = {"lr": {"value": 0.1, "default": 0.01, "given": True}}
    return Observations(
        files=(
            FileUse(str(folder / "train.py"), "r", True, False),
            FileUse(str(folder / "data" / "train.csv"), "r", True, False),
            FileUse(str(folder / "metrics.json"), "w", False, True),
        ),
        parsed=(Parsed("argparse", lr),),
        seeds=(SeedCall("random", "seed", 3, str(folder / "train.py") + ":2"),),
    )


def check_attributes(name: str) -> None:
    """The module has the contract's names, and its own name and phases are what they must be."""
    facet = facets.load(name)
    assert name == facet.NAME
    assert isinstance(facet.VERSION, int)
    assert facet.VERSION >= 1
    assert {context.BEFORE, context.DURING, context.AFTER}.issuperset(facet.PHASES)
    assert facet.PHASES
    assert facet.SITE in ("target", "host")
    for function in ("capture", "compare", "of", "upgrade"):
        assert callable(getattr(facet, function)), function
        assert getattr(facet, function).__doc__, function
    public = {n for n in vars(facet) if not n.startswith("_")}
    assert not public & {"export", "restore", "reasons", "explain"}


def check_capture(name: str, run: SmallRun) -> None:
    """Every phase gives an answer that survives JSON, equals itself and can be viewed."""
    facet = facets.load(name)
    answer: Payload | None = None
    for phase in (context.BEFORE, context.DURING, context.AFTER):
        if phase in facet.PHASES:
            answer = facet.capture(run.phases[phase]._replace(earlier=answer))
            check_payload(name, answer, run.folder)
    assert answer is not None
    assert answer.status == CAPTURED, answer.reason


def check_present(name: str, run: SmallRun) -> None:
    """The present is captured as well, or is out of scope with the one reason that says so."""
    facet = facets.load(name)
    answer: Payload | None = None
    for phase in (context.BEFORE, context.DURING, context.AFTER):
        if phase in facet.PHASES:
            answer = facet.capture(run.phases[phase]._replace(earlier=answer))
    assert answer is not None
    reference = a_record(run.folder, {name: answer})
    now = facet.capture(run.phases[context.PRESENT]._replace(reference=reference))
    if now.status == SKIPPED:
        assert now.reason == RUN_ONLY
        return
    check_payload(name, now, run.folder)
    found = facet.compare(answer, now)
    assert all(d.effect in ("none", "unknown") for d in found.differences), found.differences


def check_payload(name: str, answer: Payload, folder: Path) -> None:
    """One answer keeps its form, is equal to itself, and has a typed view."""
    facet = facets.load(name)
    assert answer.version == facet.VERSION
    written = canonical.dumps(record.to_json(a_record(folder, {name: answer})))
    assert "object at 0x" not in written
    back = record.from_json(json.loads(written))
    assert back.facets[name] == _as_json(answer)
    assert facet.upgrade(answer) == answer
    if answer.status != CAPTURED:
        assert answer.reason
        assert facet.of(back) is None
        return
    assert answer.subjects
    assert facet.of(back) is not None
    same = facet.compare(answer, back.facets[name])
    assert same.differences == ()
    assert same.equal == same.total
    assert same.unit
    assert facet.of(a_record(folder, {})) is None


def check_empty(name: str, folder: Path) -> None:
    """With nothing to look at, a facet answers, or raises what the system or a bad file raises."""
    facet = facets.load(name)
    for phase in facet.PHASES:
        with contextlib.suppress(OSError, ValueError):
            answer = facet.capture(a_context(folder, phase, command=(), environ={}, started=0.0))
            assert answer.status in (CAPTURED, SKIPPED, record.FAILED)


def _as_json(answer: Payload) -> Payload:
    """Return ``answer`` with its payloads as reading a file gives them."""
    subjects = tuple(
        Subject(s.id, json.loads(canonical.dumps(s.payload)), s.interpreter, s.rank)
        for s in answer.subjects
    )
    return answer._replace(subjects=subjects)
