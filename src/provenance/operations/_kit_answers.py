"""What a record and its repository answer of a reviewer's questions on environment and code."""

from __future__ import annotations

import re
from typing import NamedTuple

from provenance.core.record import Record
from provenance.operations import repeatable
from provenance.operations._cells import cell, size
from provenance.operations._kit_known import Known
from provenance.operations._kit_values import command, first, gpus, shell

RECORD = "record the run behind the paper and publish it: prov run -- COMMAND; prov lock @last"
_SHOWN = 4


class Answer(NamedTuple):
    """text: what is known, "" for nothing. todo: what the authors have to add, "" for nothing."""

    text: str
    todo: str = ""


class Asked(NamedTuple):
    """Whom is asked: what is known, and the files that the repository has or is about to get."""

    known: Known
    files: frozenset[str]

    @property
    def run(self) -> Record | None:
        """The first run of the reference."""
        return self.known.run


def either(text: str, todo: str) -> Answer:
    """Return what is known, and only where that is nothing what to do."""
    return Answer(text, "" if text else todo)


def some(names: list[str]) -> str:
    """Return the first few of ``names`` and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (" and %d more" % more if more > 0 else "")


def count(number: int, what: str) -> str:
    """Return "1 input", "2 inputs"."""
    return "%d %s%s" % (number, what, "" if number == 1 else "s")


def dependencies(asked: Asked) -> Answer:
    """Say which file states the packages, and how exactly."""
    spec, text = asked.known.spec, ""
    if spec is not None:
        packages = sum(fact.kind == "package" for fact in spec.facts)
        exact = "exact" if spec.complete else "not all with exact versions"
        text = "%s (%s, %s)" % (asked.known.environment, count(packages, "package"), exact)
    elif "requirements.txt" in asked.files:
        text = "requirements.txt, from the record"
    return either(text, "write requirements.txt or environment.yml: prov init requirements")


def environment(asked: Asked) -> Answer:
    """Say on which system, with which Python and how many packages the run was."""
    ran = first(asked.run, "runtime")
    if not ran or asked.run is None:
        return Answer("", RECORD)
    system = ran.get("system") or {}
    words = [str(system[key]) for key in ("name", "release", "machine") if system.get(key)]
    installed = [one.payload.get("distributions", {}) for one in asked.run.payloads("packages")]
    packages = count(sum(map(len, installed)), "package")
    where = asked.known.reference
    text = "%s, Python %s, %s with exact versions in %s"
    return Answer(text % (" ".join(words), ran.get("version"), packages, where))


def machine(asked: Asked) -> Answer:
    """Say which hardware the run was on."""
    found = first(asked.run, "hardware")
    cpu, memory = found.get("cpu") or {}, found.get("memory") or {}
    parts = []
    if cpu.get("model"):
        cpus = cpu.get("available") or cpu.get("logical")
        parts.append(cpu["model"] + (", %s" % count(cpus, "CPU") if cpus else ""))
    if memory.get("total"):
        parts.append("%s memory" % size(memory["total"]))
    cards = gpus(asked.run)
    if cards:
        text = "%d x %s" % (len(cards), cards[0].get("name") or cards[0].get("vendor"))
        parts.append(text + (", driver %s" % found["driver"] if found.get("driver") else ""))
    elif found:
        parts.append("no GPU")
    return either("; ".join(parts), RECORD)


def container(asked: Asked) -> Answer:
    """Say where a recipe of a container is."""
    recipes = (
        one
        for one in sorted(asked.files)
        if re.search(r"(^|/)Dockerfile$|\.def$|^Singularity", one)
    )
    return either(next(recipes, ""), "optional; prov init docker writes a Dockerfile")


def places(asked: Asked) -> Answer:
    """Say whether the run read or wrote outside of the repository."""
    if asked.run is None:
        return Answer("", RECORD)
    found = [word for word in asked.run.command[1:] if word.startswith(("/", "~"))]
    for facet in ("data", "outputs"):
        for one in first(asked.run, facet).get("files", ()):
            path = one.get("path") or {}
            if path.get("root") in ("home", "abs") and one.get("kind") != "packaged":
                prefix = "~/" if path["root"] == "home" else ""
                found.append(prefix + str(path.get("path")))
    outside = list(dict.fromkeys(found))
    if outside:
        return Answer("", "make these settable and say so: %s" % some(outside))
    return Answer("the run read and wrote below the repository only")


def used(asked: Asked) -> Answer:
    """Say which source files the run used."""
    files = [one.get("path") or {} for one in first(asked.run, "code").get("used", ())]
    return either(some([str(path.get("path")) for path in files]), RECORD)


def evaluation(asked: Asked) -> Answer:
    """Say which scores the recorded command gave itself."""
    splits = first(asked.run, "metrics").get("splits") or {}
    names = sorted(name for name, split in splits.items() if split in ("test", "validation"))
    text = "the same command evaluates: %s" % some(names) if names else ""
    return either(text, "name the command that evaluates, and record it: prov run -- COMMAND")


def commands(asked: Asked) -> Answer:
    """Say the command of each published run."""
    told = ["%s: %s" % (run.name or run.id, shell(command(run))) for run in asked.known.runs]
    return either("; ".join(told), RECORD)


def example(asked: Asked) -> Answer:
    """Say whether a short form of the run is published."""
    text = "smoke.lock: prov replay smoke.lock" if "smoke.lock" in asked.files else ""
    return either(text, "a short form of the command: prov run, prov lock RUN --out smoke.lock")


def seeds(asked: Asked) -> Answer:
    """Say which seeds were set, and what is random without one."""
    if asked.run is None:
        return Answer("", RECORD)
    found = [
        "%s(%s)" % (one.get("function"), cell(one["argument"]))
        for one in first(asked.run, "seeds").get("calls", ())
        if one.get("argument") is not None
    ]
    found += [
        "%s=%s" % (name, cell(one.get("value")))
        for name, one in sorted(first(asked.run, "params").get("values", {}).items())
        if re.search(r"(^|[._])(seed|random_state)$", name) and one.get("value") is not None
    ]
    doubts = [str(one) for one in repeatable.doubts(asked.run)]
    if doubts:
        return Answer(some(found), "not repeatable: %s" % some(doubts))
    return either(some(found), "say which seeds were used, or that nothing is random")


def parameters(asked: Asked) -> Answer:
    """Say how many parameters are recorded, and which were set."""
    values = first(asked.run, "params").get("values", {})
    given = [
        "%s=%s" % (name, cell(one.get("value")))
        for name, one in sorted(values.items())
        if one.get("given")
    ]
    text = "%d with their defaults in the record" % len(values) if values else ""
    text += "; set: %s" % some(given) if given else ""
    return either(text, "list them; the record has none" if asked.run else RECORD)


def commit(asked: Asked) -> Answer:
    """Say which commit the run used, and whether readers can get it."""
    code = first(asked.run, "code")
    if not code.get("commit"):
        return Answer("", "say which commit or release the paper used")
    todo = ""
    if code.get("changed_count"):
        todo = "commit the code and record again: the run used uncommitted changes"
    elif code.get("pushed") is False or (code.get("pushed") is None and not asked.known.remote):
        todo = "push it to where readers can clone it"
    return Answer("commit %.12s" % code["commit"], todo)


def licence(asked: Asked) -> Answer:
    """Say which licence the repository carries."""
    file = asked.known.licence_file
    words = (asked.known.licence, "in %s" % file if file else "")
    return either(
        " ".join(filter(None, words)), "add a LICENSE file with a recognised open licence"
    )


def tests(asked: Asked) -> Answer:
    """Say where automated tests are; the drop-in test is none of the software."""
    ours = re.compile(r"(?!.*test_provenance\.py$)(?:tests?/|test_\w+\.py$)")
    found = sorted({one.split("/")[0] for one in asked.files if ours.match(one)})
    return either(some(found), "add tests; drop this line if it is no software paper")
