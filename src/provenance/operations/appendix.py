"""The tables that papers leave out, from any record; what it lacks is said and not left out."""

from __future__ import annotations

import shlex
from typing import Any

from provenance.core import runid
from provenance.core.record import CAPTURED, Record
from provenance.core.table import NUMBER, TEXT, WIDE, Table
from provenance.errors import NothingToCompare, SystemRefused
from provenance.exports import latex, markdown
from provenance.operations import _appendix_model
from provenance.operations._cells import cell, default, size, where

FORMATS = {"latex": latex.render, "markdown": markdown.render}
_FACT = (("what", TEXT), ("value", WIDE))


def render(run: Record, form: str, facet: str | None = None) -> str:
    """Return the tables of ``run`` as text of a format in `FORMATS`."""
    title = "Run %s" % (run.name or runid.short(run.id)) if facet is None else ""
    return FORMATS[form](tables(run, facet), title)


def save(path: str, text: str) -> None:
    """Write ``text`` to a file, in the place of what was there. Raises `ProvError`."""
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from None


def tables(run: Record, facet: str | None = None) -> tuple[Table, ...]:
    """Return all tables of a record, or those on one facet. Raises `ProvError` for none."""
    every = [
        _run(run),
        _params(run),
        *_appendix_model.tables(run),
        _data(run),
        _software(run),
        _hardware(run),
        _seeds(run),
        _cost(run),
        _metrics(run),
    ]
    found = tuple(one for one in every if facet is None or facet in one.facets)
    if not found:
        known = sorted({name for one in every for name in one.facets})
        raise NothingToCompare(
            "there is no table on %r." % facet, "there are tables on: %s" % ", ".join(known)
        )
    return found


def _first(run: Record, facet: str) -> dict[str, Any]:
    subjects = run.payloads(facet)
    return subjects[0].payload if subjects else {}


def _missing(run: Record, *facets: str) -> list[str]:
    """Return a sentence for each facet that has no answer."""
    found = []
    for name in facets:
        answer = run.facets.get(name)
        if answer is None:
            found.append("Not in the record: %s." % name)
        elif answer.status != CAPTURED:
            found.append("Not recorded: %s (%s: %s)." % (name, answer.status, answer.reason))
        else:
            found += ["%s: %s." % (name, note) for note in answer.notes[:3]]
    return found


def _table(
    run: Record, name: str, title: str, columns: Any, rows: list[tuple[str, ...]], *facets: str
) -> Table:
    notes = _missing(run, *facets)
    if not rows and not notes:
        notes = ["There were none."]
    return Table(name, title, columns, tuple(rows), tuple(notes), facets)


def _run(run: Record) -> Table:
    code = _first(run, "code")
    ending = run.status if run.exit_code is None else "exit code %d" % run.exit_code
    rows: list[tuple[str, ...]] = [
        ("run", run.id),
        ("command", shlex.join(run.command)),
        ("started", run.started),
    ]
    rows += [("ended", ending), ("recorded by", "prov %s" % run.tool)]
    if code.get("commit"):
        rows.append(("commit", str(code["commit"])))
        changed = code.get("changed_count") or 0
        rows.append(("uncommitted files", str(changed)))
    if run.replay_of:
        rows.append(("replays", run.replay_of))
    return _table(run, "run", "The run", _FACT, rows, "code")


def _params(run: Record) -> Table:
    values = _first(run, "params").get("values", {})
    rows: list[tuple[str, ...]] = []
    for name, one in sorted(values.items(), key=lambda item: item[1].get("given") is not True):
        given = one.get("given")
        origin = one.get("source", "") if given else "default" if given is False else "not known"
        if given is None:
            origin = str(one.get("source", "not known"))
        rows.append((name, cell(one.get("value")), default(one.get("default"), given), origin))
    columns = (("parameter", TEXT), ("value", WIDE), ("default", WIDE), ("set by", TEXT))
    return _table(run, "hyperparameters", "Hyper-parameters", columns, rows, "params")


def _data(run: Record) -> Table:
    rows: list[tuple[str, ...]] = []
    for one in _first(run, "data").get("files", ()):
        digests = one.get("digests") or {}
        digest = " ".join("%s:%.12s" % pair for pair in sorted(digests.items())[:1])
        count = "%d files, " % one["files"] if one.get("files") else ""
        state = one.get("state", "digested")
        rows.append(
            (
                where(one.get("path")),
                str(one.get("kind", "")),
                count + size(one.get("size")),
                digest or str(state),
            )
        )
    columns = (("data", WIDE), ("kind", TEXT), ("size", NUMBER), ("digest (beginning)", TEXT))
    return _table(run, "data", "Data that was read", columns, rows, "data")


def _software(run: Record) -> Table:
    rows: list[tuple[str, ...]] = []
    for subject in run.payloads("runtime"):
        one = subject.payload
        system = one.get("system", {})
        if not rows:
            words = [str(system.get(k, "")) for k in ("name", "release", "machine", "container")]
            rows.append(("operating system", " ".join(word for word in words if word), ""))
        if one.get("version"):
            words = [str(one.get(k, "")) for k in ("implementation", "kind")]
            rows.append(("Python", str(one["version"]), ", ".join(w for w in words if w)))
    hidden = 0
    for subject in run.payloads("packages"):
        for _, one in sorted(subject.payload.get("distributions", {}).items()):
            if not one.get("imported"):
                hidden += 1
                continue
            origin = one.get("origin", "index")
            rows.append(
                (str(one.get("name")), str(one.get("version")), "" if origin == "index" else origin)
            )
    for name, text in sorted(_first(run, "environment").get("values", {}).items()):
        if name.endswith("_NUM_THREADS") or name.startswith(("CUDA_", "CUBLAS_", "PYTHONHASH")):
            rows.append((name, cell(text), "variable"))
    columns = (("software", TEXT), ("version", WIDE), ("origin", TEXT))
    table = _table(
        run, "environment", "Software", columns, rows, "runtime", "packages", "environment"
    )
    if hidden:
        text = "%d installed packages that the run did not import are left out." % hidden
        table = table._replace(notes=(*table.notes, text))
    return table


def _hardware(run: Record) -> Table:
    machine = _first(run, "hardware")
    cpu, memory = machine.get("cpu") or {}, machine.get("memory") or {}
    rows: list[tuple[str, ...]] = []
    for label, key in (("CPU", "model"), ("CPU cores", "physical"), ("CPU threads", "logical")):
        if cpu.get(key):
            rows.append((label, str(cpu[key])))
    if cpu.get("available"):
        rows.append(("CPU threads available", str(cpu["available"])))
    if memory.get("total"):
        rows.append(("memory", size(memory["total"])))
    counted: dict[tuple[str, str], int] = {}
    for gpu in machine.get("gpus") or ():
        card = (str(gpu.get("name") or gpu.get("vendor")), size(gpu.get("memory")))
        counted[card] = counted.get(card, 0) + 1
    for (name, text), count in counted.items():
        rows.append(("GPU", "%d x %s, %s" % (count, name, text)))
    if machine and not counted:
        rows.append(("GPU", "none"))
    cuda = machine.get("cuda") or {}
    found = [("GPU driver", machine.get("driver")), ("CUDA of the driver", cuda.get("driver"))]
    found += [("CUDA toolkit", cuda.get("toolkit"))]
    found += [("CUDA of %s" % k, v) for k, v in sorted((cuda.get("runtime") or {}).items())]
    found += [("cuDNN of %s" % k, v) for k, v in sorted((cuda.get("cudnn") or {}).items())]
    rows += [(label, str(text)) for label, text in found if text]
    return _table(run, "hardware", "Hardware", _FACT, rows, "hardware")


def _seeds(run: Record) -> Table:
    seeds = _first(run, "seeds")
    rows: list[tuple[str, ...]] = []
    for call in seeds.get("calls", ()):
        argument = call.get("argument")
        text = "not seeded" if argument is None else cell(argument)
        rows.append((str(call.get("function")), text, str(call.get("where", ""))))
    if seeds.get("hash_seed"):
        rows.append(("PYTHONHASHSEED", cell(seeds["hash_seed"]), ""))
    rows += [(str(n), "imported, never seeded", "") for n in seeds.get("never_seeded", ())]
    for frameworks in (seeds.get("settings") or {}).values():
        for framework, settings in frameworks.items():
            if isinstance(settings, dict):
                for key, value in settings.items():
                    rows.append(("%s %s" % (framework, key), cell(value), "at the end"))
    columns = (("generator or setting", TEXT), ("value", WIDE), ("where", TEXT))
    return _table(run, "seeds", "Seeds and determinism", columns, rows, "seeds")


def _cost(run: Record) -> Table:
    used = _first(run, "resources")
    rows: list[tuple[str, ...]] = []
    for label, key in (
        ("wall time", "wall_s"),
        ("CPU time, user", "cpu_user_s"),
        ("CPU time, system", "cpu_system_s"),
    ):
        if isinstance(used.get(key), (int, float)):
            rows.append((label, "%.1f s" % used[key]))
    for label, key in (
        ("memory of the largest process", "max_process_bytes"),
        ("memory of all processes", "max_tree_bytes"),
    ):
        if used.get(key):
            rows.append((label, size(used[key])))
    for key, value in used.items():
        if "gpu" in key and isinstance(value, (int, float, str)):
            rows.append((key.replace("_", " "), cell(value)))
    return _table(run, "cost", "Cost", _FACT, rows, "resources")


def _metrics(run: Record) -> Table:
    found = _first(run, "metrics")
    sources = found.get("sources", {})
    rows: list[tuple[str, ...]] = [
        (name, cell(value), str(sources.get(name, "")))
        for name, value in found.get("final", {}).items()
    ]
    columns = (("metric", TEXT), ("last value", NUMBER), ("from", WIDE))
    table = _table(run, "metrics", "Results", columns, rows, "metrics")
    if run.status != "done":
        ended = run.status if run.exit_code is None else "exit code %d" % run.exit_code
        text = "The run did not end well (%s): these are no final results." % ended
        table = table._replace(notes=(text, *table.notes))
    return table
