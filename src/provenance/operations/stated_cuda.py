"""Which CUDA and cuDNN files state, against what is here.

A stated version is compared to its second number at most: that is what frameworks name, and what
tells one build from another. It is the same where any of what is here agrees, since an image's
toolkit, a framework's build and a conda package may rightly differ from each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from provenance.core.difference import UNKNOWN, Comparison, Difference, NotCompared
from provenance.environments import installed_cuda
from provenance.environments.installed_cuda import CUDA, CUDNN, Graphics, Told
from provenance.specs import model
from provenance.specs.model import CONDA, NAMED, Fact

FACET, SUBJECT, UNIT = "hardware", "host", "versions"

_CONDITION = re.compile(r"(>=|<=|==|!=|~=|>|<|=)?\s*v?(\d+(?:\.\d+)*)(\.?\*)?")
_COMPARED = 2
"""Numbers of a version that are compared."""


def compare_cuda(
    facts: Iterable[Fact], site_folders: Sequence[str], environ: Mapping[str, str]
) -> Comparison:
    """Compare the stated CUDA and cuDNN with what the environment of ``site_folders`` has.

    Packages that carry a CUDA in their names or versions (torch 2.1.0+cu121) are packages, and
    compared as such. Where there is neither CUDA nor a GPU nothing is compared.
    """
    stated = _stated(facts)
    if not stated:
        return Comparison(unit=UNIT)
    here = installed_cuda.look(site_folders, environ)
    packages = installed_cuda.conda_packages(site_folders)
    found: list[Difference] = []
    missed: list[NotCompared] = []
    equal = 0
    machine: Graphics | None = None
    for fact, where in stated:
        beside = _told_of(fact, here, packages)
        if fact.exactness == NAMED or not _conditions(fact):
            missed.append(NotCompared(FACET, _name(fact), "no version is stated"))
            continue
        if any(one.version and fits(fact, one.version) for one in beside):
            equal += 1
            continue
        told: Difference | NotCompared = _differs(fact, where, beside)
        if all(one.system for one in beside):
            machine = machine or installed_cuda.graphics(environ)
            told = _by_driver(fact, where, beside, machine)
        if isinstance(told, Difference):
            found.append(told)
        else:
            missed.append(told)
    return Comparison(tuple(found), equal, equal + len(found), UNIT, tuple(missed))


def _told_of(fact: Fact, here: Iterable[Told], packages: Mapping[str, str]) -> list[Told]:
    """Return what tells of the thing that a fact states; of a conda package itself first."""
    if fact.ecosystem == CONDA and fact.name in packages:
        return [Told(fact.name, "conda's %s" % fact.name, packages[fact.name])]
    found = [one for one in here if one.what == (CUDNN if _is_cudnn(fact) else CUDA)]
    # What the machine has does not serve a framework that was built without CUDA.
    return [one for one in found if not one.system] or found


def _stated(facts: Iterable[Fact]) -> list[tuple[Fact, tuple[str, ...]]]:
    """Return what is stated of CUDA, each version once with all the places that state it."""
    by_value: dict[tuple[str, str, str], tuple[Fact, list[str]]] = {}
    for fact in facts:
        if fact.kind == model.CUDA:
            key = fact.name, fact.version, fact.specifier.strip()
            by_value.setdefault(key, (fact, []))[1].append(fact.where)
    return [(fact, tuple(dict.fromkeys(places))) for fact, places in by_value.values()]


def _is_cudnn(fact: Fact) -> bool:
    return fact.name == "cudnn"


def _name(fact: Fact) -> str:
    return {"cuda": "CUDA", "cudnn": "cuDNN"}.get(fact.name, fact.name)


def _conditions(fact: Fact) -> list[tuple[str, str, str]]:
    text = fact.version or fact.specifier
    return [(one[0], one[1], one[2]) for one in _CONDITION.findall(text[:400])]


def fits(fact: Fact, version: str) -> bool:
    """Return whether ``version`` is what a fact states, as far as both say it."""
    alternatives = [fact.version] if fact.version else fact.specifier[:400].split("|")
    return any(
        conditions and all(_holds(version, one, number) for one, number, _ in conditions)
        for conditions in (_CONDITION.findall(text) for text in alternatives)
    )


def _holds(version: str, operator: str, wanted: str) -> bool:
    now, then = _numbers(version), _numbers(wanted)
    shared = min(len(now), len(then))
    now, then = now[:shared], then[:shared]
    return {
        ">=": now >= then,
        "<=": now <= then,
        ">": now > then,
        "<": now < then,
        "!=": now != then,
        "~=": now >= then and now[:1] == then[:1],
    }.get(operator, now == then)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", version[:100])[:_COMPARED])


def _differs(fact: Fact, where: tuple[str, ...], here: list[Told]) -> Difference:
    """Return how what is here differs; the first of ``here`` is what a program would use."""
    without = ["%s is built without CUDA" % one.by for one in here if not one.version]
    told = ["%s: %s" % (one.by, one.version) for one in here if one.version]
    version = next((one.version for one in here if one.version), "")
    kind, now = ("version", version) if version else ("build", "without CUDA")
    return _difference(fact, where, kind, now, "; ".join(without + told))


def _difference(fact: Fact, where: tuple[str, ...], kind: str, now: str, text: str) -> Difference:
    written = fact.specifier.strip()
    whole = re.fullmatch(r"=*\s*(\d+(?:\.\d+)*)(?:\.\*)?", written)
    old = fact.version or (whole[1] if whole else written)
    return Difference(FACET, SUBJECT, kind, _name(fact), UNKNOWN, old, now, where, text)


def _by_driver(
    fact: Fact, where: tuple[str, ...], here: list[Told], machine: Graphics
) -> Difference | NotCompared:
    """Return what can be said where the environment has no CUDA: only the machine may."""
    name = _name(fact)
    if not machine.driver and not machine.cards:
        return NotCompared(FACET, name, "no GPU here" if here else "no GPU and no CUDA here")
    if here:
        return _differs(fact, where, here)
    if _is_cudnn(fact) or not machine.cuda:
        return NotCompared(FACET, name, "none is installed here")
    wanted = max(_numbers(number) for _, number, _ in _conditions(fact))
    if wanted[:1] <= _numbers(machine.cuda)[:1]:
        # Within a major release a driver serves newer versions too, and older ones always.
        why = "none is installed here; the driver serves CUDA up to %s" % machine.cuda
        return NotCompared(FACET, name, why)
    text = "the driver here (%s) serves no newer CUDA" % machine.driver
    return _difference(fact, where, "version", machine.cuda, text)
