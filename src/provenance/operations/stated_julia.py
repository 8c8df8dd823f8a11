"""What files state of Julia and its packages, against the Julia and the depots that are here."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Mapping

from provenance.core.difference import BROKEN, POSSIBLE, UNKNOWN, Comparison
from provenance.environments import elsewhere, installed_julia
from provenance.operations import _versions_stated as versions
from provenance.operations._versions_stated import Told
from provenance.specs.model import EXACT, JULIA, NAMED, PLACED, Fact

UNIT = "Julia packages"

LANGUAGE = "Julia"
"""How Julia itself is named in differences; its fact is named "julia"."""

_TREE = "git-tree-sha1:"
_CONDITION = re.compile(r"(\^|~|>=|≥|<=|≤|==?|<|>)?\s*v?(\d+(?:\.\d+){0,3})(\.\*)?$")
_USES = re.compile(r"^[ \t]*(?:@\w+[ \t]+)?(?:using|import)[ \t]+([^#\n]+)", re.MULTILINE)
_MOST_FOLDERS, _MOST_FILES = 2000, 2000
"""Folders and source files of a project that are looked at for the packages that it loads."""
FREE = "a Project.toml allows several versions, and no Manifest.toml says which one Julia takes"
NOTHING = "none of them is in a depot here; Pkg.instantiate() installs them"
"""Why packages are not compared."""


def compare_julia(facts: Iterable[Fact], environ: Mapping[str, str], folder: str) -> Comparison:
    """Compare Julia and the trees of its packages, as Julia started in ``folder`` would load them.

    A tree that a manifest names is in a depot or not: another version of the package is never
    loaded in its stead. What belongs to Julia's standard library is of Julia's own version. Where
    no package of a manifest is here, that is not compared: nobody has installed them yet.
    """
    stated = versions.of_packages(facts, JULIA)
    if not stated:
        return Comparison(unit=UNIT)
    julia = installed_julia.find(environ, folder)
    places = installed_julia.depots(environ, julia.prefix)
    language = [one for one in stated if one.name == "julia"]
    packages = [one for one in stated if one.name != "julia" and not _is_standard(one)]
    if not julia.version and not any(_slugs(places, one.name) for one in packages):
        return versions.not_here(stated, UNIT, "Julia is not installed here")
    found = versions.compared(language, UNIT, lambda fact: _language(fact, julia.version))
    locked = [one for one in packages if _is_locked(one)]
    free = [one for one in packages if not _is_locked(one)]
    missed = versions.not_here(free, UNIT, FREE).not_compared
    trees = [one for one in locked if one.digest]
    if trees and not any(_is_here(one, places) for one in trees):
        missed += versions.not_here(trees, UNIT, NOTHING).not_compared
        locked = [one for one in locked if not one.digest]
    used = _uses(folder) if locked else frozenset()
    rest = versions.compared(locked, UNIT, lambda fact: _tell(fact, places, folder, used))
    return Comparison(
        found.differences + rest.differences,
        found.equal + rest.equal,
        found.total + rest.total,
        UNIT,
        found.not_compared + rest.not_compared + missed,
    )


def _is_locked(fact: Fact) -> bool:
    """Return whether a manifest says which tree of a package is loaded."""
    return bool(fact.digest) or _of_manifest(fact)


def _is_standard(fact: Fact) -> bool:
    """Return whether a locked package has neither a tree nor a place: it came with Julia."""
    return _of_manifest(fact) and not fact.digest and fact.exactness != PLACED


def _of_manifest(fact: Fact) -> bool:
    return "manifest" in os.path.basename(fact.where.rpartition(":")[0]).lower()


def _slugs(places: tuple[str, ...], name: str) -> list[str]:
    return [slug for slug, _, _ in installed_julia.installed(places, name)]


def _is_here(fact: Fact, places: tuple[str, ...]) -> bool:
    here = list(installed_julia.installed(places, fact.name))
    slugs = frozenset(slug for slug, _, _ in here)
    tree = fact.digest.removeprefix(_TREE)
    return any(
        installed_julia.has_tree(package, tree, slugs)
        for package in {package for _, package, _ in here if package}
    )


def _tell(fact: Fact, places: tuple[str, ...], folder: str, used: frozenset[str]) -> Told:
    if not fact.digest:
        return _developed(fact, folder)
    if _is_here(fact, places):
        return Told()
    here = list(installed_julia.installed(places, fact.name))
    if here and not any(package for _, package, _ in here):
        return Told(reason="what is in the depot here does not tell its UUID")
    others = sorted({one.version for _, _, one in here if one.version})
    text = "not installed" + ("; here: %s" % ", ".join(others[:3]) if others else "")
    if fact.version in others:
        text = "not installed; here is another tree of this version"
    effect = BROKEN if fact.name in used else POSSIBLE
    return versions.different(fact, "removed", None, effect, text)


def _developed(fact: Fact, folder: str) -> Told:
    """Compare a package that a manifest takes from a folder: by the version stated there."""
    if fact.exactness != PLACED or "://" in fact.url:
        return Told(reason="no tree is stated")
    base = os.path.dirname(fact.where.rpartition(":")[0])
    version = installed_julia.project(os.path.join(folder, base, fact.url)).get("version", "")
    if not version or not fact.version:
        return Told(reason="it is a folder (%s), which states no version" % fact.url[:80])
    if version == fact.version:
        return Told()
    return versions.different(fact, "version", version)


def _language(fact: Fact, version: str) -> Told:
    if not version:
        return Told(reason="Julia is not installed here")
    if fact.exactness == NAMED:
        return Told(reason="no version is stated")
    wanted = fact.version or fact.specifier
    same = allows("=" + wanted if fact.exactness == EXACT else wanted, version)
    if same is None:
        return Told(reason="what is stated (%s) cannot be compared" % wanted.strip()[:60])
    effect = UNKNOWN if fact.exactness == EXACT else POSSIBLE
    return Told() if same else versions.different(fact, "version", version, effect, name=LANGUAGE)


def allows(compat: str, version: str) -> bool | None:
    """Return whether a ``[compat]`` entry of Julia allows ``version``, None where it says nothing.

    A number alone allows what semantic versioning calls compatible; commas are alternatives (Pkg's
    documentation, "Compatibility").
    """
    now = versions.numbers(version.partition("-")[0].partition("+")[0])
    parts = [part.strip() for part in compat[:400].split(",")]
    told = [_allows(part, now) for part in parts if part] if now else []
    known = [one for one in told if one is not None]
    return any(known) if known else None


def _allows(part: str, now: tuple[int, ...]) -> bool | None:
    span = re.fullmatch(r"v?(\d[\d.]*)\s+-\s+v?(\d[\d.]*)", part)
    if span:
        low, high = versions.numbers(span[1]), versions.numbers(span[2])
        return low <= now and now[: len(high)] <= high
    found = _CONDITION.match(part)
    if found is None:
        return None
    operator, wanted = found[1] or "^", versions.numbers(found[2])
    if found[3] or operator in ("=", "=="):
        return now[: len(wanted)] == wanted
    if operator in ("^", "~"):
        return now >= wanted and now[: _kept(operator, wanted)] == wanted[: _kept(operator, wanted)]
    padded = wanted + (0,) * (len(now) - len(wanted))
    return {
        ">=": now >= padded,
        "≥": now >= padded,
        "<=": now[: len(wanted)] <= wanted,
        "≤": now[: len(wanted)] <= wanted,
        "<": now < padded,
        ">": now > padded,
    }[operator]


def _kept(operator: str, wanted: tuple[int, ...]) -> int:
    """Return how many numbers a caret or tilde holds fast."""
    if operator == "~":
        return min(len(wanted), 2)
    first = next((index for index, part in enumerate(wanted) if part), len(wanted) - 1)
    return first + 1


def _uses(folder: str) -> frozenset[str]:
    """Return the packages that the Julia sources below ``folder`` load, as their text tells."""
    found: set[str] = set()
    left = _MOST_FILES
    for place, folders, names in itertools.islice(os.walk(folder), _MOST_FOLDERS):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".jl"):
                left -= 1
                found |= _loaded(os.path.join(place, name)) if left >= 0 else set()
    return frozenset(found)


def _loaded(path: str) -> set[str]:
    text = elsewhere.text(path)
    found = set()
    for line in _USES.findall(text):
        # "using A, B" loads both; "using A: f, g" one.
        for part in line.partition(":")[0].split(",") if ":" in line else line.split(","):
            name = re.match(r"\s*([A-Za-z_]\w*)", part)
            found |= {name[1]} if name else set()
    return found
