"""What reviewers ask for, and how much of it the record answers.

The questions are those of the checklists in `exports.checklist.SOURCES`, put together where several
ask the same. An answer quotes the record or the repository; what neither can know is open and says
what the authors have to write.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from provenance.core.record import Record
from provenance.exports.checklist import Item
from provenance.facets import model
from provenance.operations import repeatable
from provenance.operations._cells import cell, size
from provenance.operations._kit_known import Known
from provenance.operations._kit_values import command, first, gpus, spell

_SETUP, _CODE, _DATA, _COST = (
    "Dependencies and environment",
    "Code and commands",
    "Data and models",
    "Results and cost",
)
_RECORD = "record the run behind the paper and publish it: prov run -- COMMAND; prov lock @last"
_SHOWN = 4


def items(known: Known, made: frozenset[str]) -> tuple[Item, ...]:
    """Return all questions in the order of their groups. made: paths that the kit writes now."""
    files = known.files | made
    return (
        *_setup(known, files),
        *_code(known, files),
        *_data(known),
        *_results(known),
        *_cost(known, files),
    )


def _or(answer: str, todo: str) -> dict[str, str]:
    """Return an answer where there is one, else what to do."""
    return {"answer": answer} if answer else {"todo": todo}


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (
        " and %d more" % (len(names) - _SHOWN) if len(names) > _SHOWN else ""
    )


def _count(number: int, what: str) -> str:
    return "%d %s%s" % (number, what, "" if number == 1 else "s")


def _setup(known: Known, files: frozenset[str]) -> Iterator[Item]:
    stated = known.environment
    if known.spec is not None:
        inexact = not known.spec.complete
        stated += " (%s%s)" % (
            _count(sum(fact.kind == "package" for fact in known.spec.facts), "package"),
            ", not all with exact versions" if inexact else ", exact",
        )
    elif "requirements.txt" in files:
        stated = "requirements.txt, from the record"
    yield Item(
        _SETUP,
        "Dependencies are stated in a file, with how to install them",
        ("MLCC", "JOSS"),
        **_or(stated, "write requirements.txt or environment.yml: prov init requirements"),
    )
    yield Item(
        _SETUP,
        "The exact environment of the authors: operating system, Python, package versions",
        ("EuroSys", "ASPLOS", "NeurIPS"),
        **_or(_environment(known), _RECORD),
    )
    yield Item(
        _SETUP,
        "Hardware, named up front: processors, memory, GPUs, driver",
        ("MLSys", "ASPLOS", "ACL", "NeurIPS"),
        **_or(_machine(known.run), _RECORD),
    )
    image = next((one for one in sorted(files) if one.rpartition("/")[2] == "Dockerfile"), "")
    yield Item(
        _SETUP,
        "A container comes with the script that builds it",
        ("EuroSys", "MLCC"),
        **_or(image, "optional; prov init docker writes a Dockerfile"),
    )
    yield Item(
        _SETUP,
        "Tried on a clean set-up, on another machine than the authors'",
        ("EuroSys",),
        todo="say where it was tried and by whom; prov init github tries it on each push",
    )
    outside = _outside(known.run)
    answer = "the run read and wrote below the repository only" if known.run else ""
    todo = "make these settable and say so: %s" % _some(outside) if outside else ""
    yield Item(
        _SETUP,
        "Nothing depends on folders or addresses of the authors' machines",
        ("EuroSys",),
        answer="" if todo else answer,
        todo=todo or ("" if answer else _RECORD),
    )


def _environment(known: Known) -> str:
    machine = first(known.run, "runtime")
    if not machine:
        return ""
    system = machine.get("system") or {}
    name = " ".join(str(system[key]) for key in ("name", "release", "machine") if system.get(key))
    count = sum(
        len(one.payload.get("distributions", {}))
        for one in (known.run.payloads("packages") if known.run else [])
    )
    where = known.reference
    return "%s, Python %s, %d packages with exact versions in %s" % (
        name,
        machine.get("version"),
        count,
        where,
    )


def _machine(run: Record | None) -> str:
    machine = first(run, "hardware")
    cpu, memory = machine.get("cpu") or {}, machine.get("memory") or {}
    parts = []
    if cpu.get("model"):
        count = cpu.get("available") or cpu.get("logical")
        parts.append("%s%s" % (cpu["model"], ", %s" % _count(count, "CPU") if count else ""))
    if memory.get("total"):
        parts.append("%s memory" % size(memory["total"]))
    cards = gpus(run)
    if cards:
        text = "%d x %s" % (len(cards), cards[0].get("name") or cards[0].get("vendor"))
        driver = machine.get("driver")
        parts.append(text + (", driver %s" % driver if driver else ""))
    elif machine:
        parts.append("no GPU")
    return "; ".join(parts)


def _outside(run: Record | None) -> list[str]:
    """Return what the run read or wrote outside of the repository, by where it was found."""
    found = [word for word in (run.command[1:] if run else ()) if word.startswith(("/", "~"))]
    for facet in ("data", "outputs"):
        for one in first(run, facet).get("files", ()):
            path = one.get("path") or {}
            if path.get("root") in ("home", "abs") and one.get("kind") != "packaged":
                prefix = "~/" if path["root"] == "home" else ""
                found.append(prefix + str(path.get("path")))
    return list(dict.fromkeys(found))


def _code(known: Known, files: frozenset[str]) -> Iterator[Item]:
    used = [
        str((one.get("path") or {}).get("path")) for one in first(known.run, "code").get("used", ())
    ]
    yield Item(
        _CODE,
        "Training code",
        ("MLCC",),
        **_or(_some(used), _RECORD),
    )
    splits = first(known.run, "metrics").get("splits") or {}
    tested = sorted(name for name, split in splits.items() if split in ("test", "validation"))
    yield Item(
        _CODE,
        "Evaluation code",
        ("MLCC",),
        **_or(
            "the same command evaluates: %s" % _some(tested) if tested else "",
            "name the command that evaluates, and record it: prov run -- COMMAND",
        ),
    )
    told = "; ".join(
        "%s: %s" % (run.name or run.id, shlex.join(command(run))) for run in known.runs
    )
    yield Item(
        _CODE,
        "The precise command for each result",
        ("MLCC", "EuroSys"),
        **_or(told, _RECORD),
    )
    small = "smoke.lock: prov replay smoke.lock" if "smoke.lock" in files else ""
    yield Item(
        _CODE,
        "A minimal working example",
        ("EuroSys", "JOSS"),
        **_or(small, "a short form of the command: prov run, then prov lock RUN --out smoke.lock"),
    )
    yield _seeds(known.run)
    yield _parameters(known.run)
    yield Item(
        _CODE,
        "How hyper-parameters were chosen: bounds, method, number of trials",
        ("ACL", "NeurIPS"),
        todo="write the search space, how it was searched, and how many runs that took",
    )
    yield _commit(known)
    yield Item(
        _CODE,
        "Licence of the code",
        ("EuroSys", "ASPLOS", "JOSS", "MLOSS"),
        **_or(
            " ".join(
                filter(None, (known.licence, known.licence_file and "in %s" % known.licence_file))
            ),
            "add a LICENSE file with a recognised open licence",
        ),
    )
    yield Item(
        _CODE,
        "Archived with a DOI",
        ("ACM", "ASPLOS"),
        todo="archive a release (Zenodo, Software Heritage) and put the DOI into CITATION.cff",
    )


def _seeds(run: Record | None) -> Item:
    seeds = first(run, "seeds")
    calls = [
        "%s(%s)" % (one.get("function"), cell(one.get("argument")))
        for one in seeds.get("calls", ())
        if one.get("argument") is not None
    ]
    values = first(run, "params").get("values", {})
    calls += [
        "%s=%s" % (name, cell(one.get("value")))
        for name, one in sorted(values.items())
        if re.search(r"(^|[._])(seed|random_state)$", name) and one.get("value") is not None
    ]
    doubts = [str(one) for one in repeatable.doubts(run)] if run else []
    todo = "seed these: %s" % "; ".join(doubts[:_SHOWN]) if doubts else ""
    if not calls and not todo:
        todo = "say which seeds were used, or that nothing is random" if run else _RECORD
    return Item(_CODE, "Random seeds", ("ACL", "NeurIPS"), _some(calls), todo)


def _parameters(run: Record | None) -> Item:
    values = first(run, "params").get("values", {})
    given = [
        "%s=%s" % (n, cell(one.get("value")))
        for n, one in sorted(values.items())
        if one.get("given")
    ]
    text = "%d with their defaults in the record" % len(values) if values else ""
    text += "; set: %s" % _some(given) if given else ""
    return Item(
        _CODE,
        "Values of all hyper-parameters",
        ("ACL", "NeurIPS"),
        **_or(text, "list them" if run else _RECORD),
    )


def _commit(known: Known) -> Item:
    code = first(known.run, "code")
    commit = str(code.get("commit") or "")
    todo = ""
    if not commit:
        todo = "say which commit or release the paper used"
    elif code.get("dirty") and code.get("changed_count"):
        todo = "commit the code and record again: the run used uncommitted changes"
    elif code.get("pushed") is False or (code.get("pushed") is None and not known.remote):
        todo = "push it to where readers can clone it"
    answer = "commit %.12s" % commit if commit else ""
    return Item(_CODE, "A fixed version of the code", ("EuroSys", "ACM"), answer, todo)


def _data(known: Known) -> Iterator[Item]:
    total = size(sum(one.size for one in known.data))
    held = sum(one.in_git for one in known.data)
    text = ""
    if known.data:
        text = "%s, %s, with digests in %s" % (
            _count(len(known.data), "input"),
            total,
            known.reference,
        )
    elif known.run:
        text = "the run read no files of its own"
    yield Item(_DATA, "Data files and their sizes", ("ASPLOS",), **_or(text, _RECORD))
    remotes = [str(one.get("url")) for one in first(known.run, "data").get("remotes", ())]
    absent = [one.path for one in known.data if not one.in_git]
    answer = _some(remotes)
    if known.data and not absent:
        answer = "%s in the repository" % _count(held, "input")
    yield Item(
        _DATA,
        "Where the data is, and which version",
        ("ACL", "ASPLOS"),
        answer=answer,
        todo="say where others get: %s" % _some(absent)
        if absent
        else ""
        if answer or known.run
        else "write where the data is and which version was used",
    )
    yield Item(
        _DATA,
        "Statistics, splits, exclusions and pre-processing of the data",
        ("ACL", "NeurIPS"),
        todo="write them for each data set",
    )
    yield Item(
        _DATA,
        "Licence of the data and how to get it",
        ("ASPLOS", "NeurIPS"),
        todo="name the licence of each data set and of each pre-trained model",
    )
    kept = [
        "%s (%s)" % ((one.get("path") or {}).get("path"), size(one.get("size")))
        for one in first(known.run, "outputs").get("files", ())
        if one.get("kind") == "checkpoint"
    ]
    yield Item(
        _DATA,
        "Pre-trained models",
        ("MLCC",),
        answer="the run wrote %s" % _some(kept) if kept else "",
        todo="publish the weights and put the link here" if kept else "link them, or say why not",
    )


def _results(known: Known) -> Iterator[Item]:
    finals = first(known.run, "metrics").get("final", {})
    shown = ["%s %s" % (name, cell(value)) for name, value in finals.items()]
    yield Item(
        _COST,
        "A table of results next to the commands",
        ("MLCC",),
        **_or("above" if shown else "", "write the results next to their commands"),
    )
    yield Item(
        _COST,
        "Expected results and the tolerance within which they count as reproduced",
        ("ACM", "MLSys"),
        answer=_some(shown),
        todo="state the tolerance, and set it in prov.yaml as rtol and atol",
    )
    same = [run for run in known.runs if run.exit_code == 0]
    yield Item(
        _COST,
        "Error bars or summary statistics over several runs",
        ("ACL", "NeurIPS"),
        answer="%d runs in %s" % (len(same), known.reference) if len(same) > 1 else "",
        todo="say over how many runs, what varies between them, and what the bars are",
    )
    splits = set((first(known.run, "metrics").get("splits") or {}).values())
    both = {"test", "validation"} <= splits
    yield Item(
        _COST,
        "A validation score for each test score",
        ("ACL",),
        **_or(
            "both are in the record" if both else "",
            "report both; the record has %s" % (", ".join(sorted(splits)) or "no scores"),
        ),
    )
    yield Item(
        _COST,
        "Metrics are defined",
        ("ACL", "ASPLOS"),
        todo="define %s"
        % (_some(list(finals)) or "each metric, or name the code that computes it"),
    )


def _cost(known: Known, files: frozenset[str]) -> Iterator[Item]:
    used = first(known.run, "resources")
    wall = used.get("wall_s")
    yield Item(
        _COST,
        "Run time",
        ("ACL", "EuroSys", "NeurIPS"),
        **_or("%s on the machine above" % spell(wall) if wall else "", _RECORD),
    )
    made = model.of(known.run) if known.run else None
    sizes = [
        "%s %s" % (one.type.rpartition(".")[2], format(one.total, ","))
        for one in (made.models if made else ())
    ]
    yield Item(
        _COST,
        "Number of parameters",
        ("ACL",),
        **_or(_some(sizes), "write it; the record saw no model" if known.run else _RECORD),
    )
    outputs = sum(one.get("size") or 0 for one in first(known.run, "outputs").get("files", ()))
    memory = used.get("max_tree_bytes") or used.get("max_process_bytes")
    text = ""
    if known.run:
        text = "disk: %s read, %s written" % (
            size(sum(one.size for one in known.data)),
            size(outputs),
        )
        text += "; memory: %s" % size(memory) if memory else ""
    yield Item(_COST, "Disk and memory that it takes", ("ASPLOS", "EuroSys"), **_or(text, _RECORD))
    yield Item(
        _COST,
        "Time to prepare, and total compute of the project with what was tried and dropped",
        ("ASPLOS", "NeurIPS"),
        todo="write both; a record knows one run",
    )
    ours = re.compile(r"(?!.*test_provenance\.py$)(?:tests?/|test_\w+\.py$)")
    tests = sorted({one.split("/")[0] for one in files if ours.match(one)})
    yield Item(
        _COST,
        "Software papers: automated tests",
        ("JOSS", "MLOSS"),
        **_or(_some(tests), "add tests, or drop this line: not a software paper"),
    )
    yield Item(
        _COST,
        "The venue's own paper checklist is answered",
        ("NeurIPS", "ACL"),
        todo="fill it in in the paper: a submission without it may be rejected unread",
    )
