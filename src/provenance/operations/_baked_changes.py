"""What would change for the runs of a lock with other versions, judged before anybody has them.

Written knowledge (L1) becomes stretches of versions in which a reason holds; interfaces (L2) become
single parameters of single functions, with the file in which the definition stands. Everything that
``prov verify`` is silent about is left out here, so that the drop-in need not know of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.agent import check
from provenance.core import versions
from provenance.core._symbols import Place
from provenance.core.difference import UNKNOWN
from provenance.core.interfaces import Library, maker_of
from provenance.core.paths import is_inside
from provenance.core.use import Use
from provenance.core.verdict import Finding
from provenance.knowledge._defaults import why_quiet
from provenance.knowledge.changes import DEFAULT, REMOVED, Hit, changes, for_call, passed
from provenance.knowledge.entry import Entry
from provenance.knowledge.interfaces import calls_in, calls_of, short, with_hits
from provenance.knowledge.judge import Judged, judge

_STAND_INS = ("warn", "deprecated", "warn_deprecated", "auto_deprecated")
_LATER = "\0"
"""Stands for a default that is not known yet."""


class Package(NamedTuple):
    """A package as the runs had it. modules: its importable names."""

    key: str
    name: str
    version: str
    modules: tuple[str, ...] = ()


# ---- written knowledge


def known(
    entries: Iterable[Entry],
    packages: Mapping[str, Package],
    uses: Sequence[Use],
    gpu: bool | None,
) -> list[dict[str, Any]]:
    """Return which of ``entries`` would apply with which versions, each in its packages' order."""
    found: list[dict[str, Any]] = []
    for entry in entries:
        for name in entry.packages:
            if name in packages:
                found += _stretches(entry, packages[name], uses, gpu)
    return found


def _stretches(
    entry: Entry, package: Package, uses: Sequence[Use], gpu: bool | None
) -> Iterator[dict[str, Any]]:
    """Yield a row for each stretch of versions of ``package`` in which ``entry`` applies alike."""
    stretch: list[_Sample] = []
    told: Judged | None = None
    for sample in [*_samples(entry, package), None]:
        later = sample.version if sample else package.version
        now = next(iter(judge([entry], package.key, package.version, later, uses, gpu)), None)
        if stretch and (sample is None or now != told):
            if told is not None:
                yield _row(told, package, _specifier(stretch[0], stretch[-1]))
            stretch = []
        told = now
        stretch += [sample] if sample else []


class _Sample(NamedTuple):
    """A version for one boundary, or for all between two (then neither end belongs to it)."""

    version: str
    low: str
    high: str
    closed: bool


def _samples(entry: Entry, package: Package) -> list[_Sample]:
    """Return one version for each stretch that the boundaries of ``entry`` divide versions into.

    The recorded version is one of them: below and above it the change is told in two directions.
    """
    limits = [entry.changed_in[package.key], entry.changed_after, entry.applies_from]
    limits += [entry.restore_old_until, package.version]
    plain = {_release(one) for one in limits if versions.is_version(one)}
    ordered = sorted(plain, key=versions.key)
    found = [_Sample("0", "", ordered[0], False)]
    for one, following in zip(ordered, [*ordered[1:], ""], strict=True):
        found.append(_Sample(one, one, one, True))
        found.append(_Sample(one + ".0.0.1", one, following, False))
    return found


def _release(version: str) -> str:
    return ".".join(map(str, versions.key(version)[1]))


def _specifier(first: _Sample, last: _Sample) -> str:
    """Return the stretch of versions from one sample to another: ">=1.4,<1.7"."""
    parts = [(">=" if first.closed else ">") + first.low] if first.low else []
    parts += [("<=" if last.closed else "<") + last.high] if last.high else []
    return ",".join(parts)


def _row(told: Judged, package: Package, when: str) -> dict[str, Any]:
    reason = told.reason
    return {
        "id": told.entry.id,
        "package": package.key,
        "when": when,
        "effect": told.effect,
        "text": sentences(reason.text, reason.evidence, reason.remedy, reason.source),
    }


def sentences(text: str, why: str, fix: str, source: str) -> str:
    """Return a reason as the drop-in prints it; of a signature it is the file itself that tells."""
    told = (("why", why), ("fix", fix), ("source", source))
    return "\n".join([text + ".", *("  %s: %s" % (word, one) for word, one in told if one)])


# ---- interfaces


def calls(
    package: Package, uses: Sequence[Use], library: Library | None, folders: Sequence[str]
) -> list[dict[str, Any]]:
    """Return what the drop-in looks at of the signatures that ``uses`` of ``package`` rely on.

    library: the recorded one, below ``folders``; None where it is not at hand. What cannot be
    compared stands there with its name alone.
    """
    by_symbol: dict[str, list[Use]] = {}
    for use in calls_in(package.key, package.modules, calls_of(uses)):
        by_symbol.setdefault(use.symbol, []).append(use)
    found: list[dict[str, Any]] = []
    for symbol, own in sorted(by_symbol.items()):
        rows = _of_symbol(package, symbol, own, library, folders) if library else None
        if rows is None:
            rows = [{"label": short(symbol), "words": []}]
        found += [dict(one, package=package.key) for one in rows]
    return found


def _of_symbol(
    package: Package, symbol: str, uses: Sequence[Use], library: Library, folders: Sequence[str]
) -> list[dict[str, Any]] | None:
    """Return the rows of one symbol, None where the drop-in could not read its definition."""
    signature = library.signature(symbol)
    place = _definition(library, symbol, folders)
    if "parameters" not in signature or signature["how"] != "source" or place is None:
        return None
    if check.function_in(*place, tuple(folders)) is None:
        return None
    found = []
    for index, parameter in enumerate(signature["parameters"]):
        for other in _otherwise(signature["parameters"], index):
            row = _row_of(package, symbol, uses, signature, dict(signature, parameters=other))
            if row is not None:
                words = [short(symbol).rpartition(".")[2], parameter["name"]]
                row.update(file=place[0], function=place[1], parameter=words[1], words=words)
                if "default" in row:
                    row["same"] = _spellings(parameter["name"], parameter["default"])
                if check.changed(row, tuple(folders)) == {}:
                    found.append(row)
    return found


def _definition(library: Library, symbol: str, folders: Sequence[str]) -> tuple[str, str] | None:
    """Return where a symbol's signature stands: the file below a folder, the name in that file."""
    place: Place | None = library.symbols.find(symbol)
    owner = library.symbols.find(symbol.rpartition(".")[0])
    if place is not None and place.is_class:
        owner, place = place, maker_of(library.symbols, place).place
    if place is None or (owner.is_class and not place.name.startswith(owner.name + ".")):
        return None  # inherited: another release may define it in the class itself
    module = place.module
    if module is None or not place.name.startswith(module.name + "."):
        return None
    for folder in folders:
        if folder and is_inside(module.path, folder):
            file = os.path.relpath(module.path, folder).replace(os.sep, "/")
            return file, place.name[len(module.name) + 1 :]
    return None


def _otherwise(parameters: Sequence[Any], index: int) -> Iterator[list[Any]]:
    """Yield the ``parameters`` with another default of one of them, and without that one."""
    one = parameters[index]
    if one["kind"] in ("*", "**"):
        return
    if "default" in one and _is_plain(one["default"]):
        yield [*parameters[:index], dict(one, default=_LATER), *parameters[index + 1 :]]
    yield [*parameters[:index], *parameters[index + 1 :]]


def _row_of(
    package: Package, symbol: str, uses: Sequence[Use], old: dict[str, Any], new: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what ``prov verify`` would say if ``new`` were the signature, None for nothing."""
    places: dict[str, tuple[Hit, list[str], str]] = {}
    for use in uses:
        for hit in for_call(changes(old, new), short(symbol), passed(use)):
            if hit.change.kind == DEFAULT or hit.change.parameter in use.keywords:
                own = places.setdefault(hit.text, (hit, [], ""))[1]
                own += [] if use.where in own else [use.where]
    hits = [one for one in places.values() if one[0].change.kind in (DEFAULT, REMOVED)]
    if not hits:
        return None
    plain = Finding("packages", "", "version", package.name, UNKNOWN, package.version, "another")
    reason = with_hits(plain, hits[:1]).reasons[0]
    kind = "default" if hits[0][0].change.kind == DEFAULT else "gone"
    text = reason.text.replace(repr(_LATER), "{new}")
    return {"label": short(symbol), kind: sentences(text, "", reason.remedy, "")}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _spellings(name: str, value: Any) -> list[str]:
    """Return how the drop-in may spell a default that is the same as ``value`` to a caller."""
    alike: list[Any] = [value]
    if isinstance(value, list):
        alike += [tuple(value), *(value[:1] if len({repr(one) for one in value}) == 1 else ())]
    elif isinstance(value, (bool, int, float)):
        alike += [one for kind in (bool, int, float) for one in [kind(value)] if one == value]
        alike += [kind((value,) * size) for size in (1, 2, 3) for kind in (tuple, list)]
    if value is None or value in ([], ""):
        alike += [None, "", (), [], {}]
    alike += [one for one in _STAND_INS if why_quiet(name, value, one)]
    return sorted({check.spelled(one) for one in alike})
