"""The hash-locked releases of runs, as ``prov.lock`` carries them, and as a rebuild uses them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.environments import locking, refusals, wanted
from provenance.environments.locking import Locked
from provenance.environments.wanted import LeftOut, Wanted, split
from provenance.errors import ProvError, UsageError
from provenance.facets import packages, runtime
from provenance.operations.references import Reference
from provenance.store.project import Project

_SHOWN = 3
_THREADED = re.compile(r"\bcpython-3\d+t\b")
_DIGEST = re.compile(r"^sha(256|512):[0-9a-f]{64,128}$")
CONDA = "conda's own: its package file has a digest in the record"


class Wish(NamedTuple):
    """How to lock: see `locking.Wish`."""

    environ: Mapping[str, str]
    locker: str = locking.UV
    offline: bool = False
    progress: Callable[[str], None] | None = None


class Carried(NamedTuple):
    """requirements: one entry per environment. notes: what it is. problems: what it lacks."""

    requirements: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def carried(runs: Sequence[Record], place: Project, wish: Wish) -> Carried:
    """Return the hash-locked releases of ``runs``, each environment once.

    Raises `UsageError` for a locker that there is not; never fails for want of one or of an index:
    what goes wrong is a sentence in ``problems``.
    """
    chosen: dict[tuple[str, bool, tuple[str, ...]], tuple[Wanted, list[str]]] = {}
    for run in runs:
        recipe = of_index(run)
        if recipe is not None and recipe.requirements:
            key = (recipe.python, _is_plain(run), recipe.requirements)
            chosen.setdefault(key, (recipe, []))[1].append(run.id)
    found: list[dict[str, Any]] = []
    notes: list[str] = []
    problems: list[str] = []
    asked = locking.Wish(wish.environ, place.root, wish.locker, wish.offline, wish.progress)
    for (_, plain, _), (recipe, names) in chosen.items():
        try:
            made = locking.lock(recipe, asked, locking.FILES if plain else locking.EVERY)
        except UsageError:
            raise
        except ProvError as error:
            hint = " (%s)" % error.hint if error.hint else ""
            problems.append("no hashes in the lock: %s%s" % (error.message.rstrip("."), hint))
            continue
        if any(pin.hashes for pin in made.pins):
            found.append(to_json(made, names))
            notes.append(_note(made))
        notes += made.notes
        problems += _lacking(made)
    return Carried(tuple(found), tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(problems)))


def _is_plain(run: Record) -> bool:
    """Return whether the run's Python takes the files that uv chooses for its version.

    Not so PyPy and builds without the global lock: for these all files of a release are locked.
    """
    ran = next(iter((runtime.of(run) or {}).values()))
    words = [str(word) for word in ran.build.values()]
    return ran.implementation == "cpython" and not any(_THREADED.search(word) for word in words)


def of_index(run: Record) -> Wanted | None:
    """Return what an index may have of the first interpreter of ``run``, conda's own left out."""
    recipe = wanted.of(run)
    if recipe is None:
        return None
    installed = next(iter((packages.of(run) or {}).values()))
    of_conda = {k for k, one in installed.distributions.items() if one.origin == "conda"}
    kept = tuple(one for one in recipe.requirements if split(one)[0] not in of_conda)
    left = [LeftOut(*split(one), CONDA) for one in recipe.requirements if one not in kept]
    return recipe._replace(requirements=kept, left_out=(*recipe.left_out, *left), notes=())


def to_json(made: Locked, runs: Sequence[str]) -> dict[str, Any]:
    """Return ``made`` as a lock holds it."""
    pins = [pin for pin in made.pins if pin.hashes]
    entry: dict[str, Any] = {
        "runs": list(runs),
        "python": made.python,
        "platform": made.platform,
        "locker": made.locker,
        "hashes": {"%s==%s" % (pin.name, pin.version): dict(pin.hashes) for pin in pins},
        "without": [one._asdict() for one in made.without],
    }
    options = {"%s==%s" % (p.name, p.version): list(p.options) for p in pins if p.options}
    return dict(entry, options=options) if options else entry


def stated(reference: Reference) -> Mapping[str, Mapping[str, str]]:
    """Return what a lock carries for a run: per "name==version" the hashes and their files.

    Empty where it carries none, where those are of the files of another platform or Python, and
    where it is not well formed.
    """
    entry = reference.requirements
    hashes = entry.get("hashes")
    if entry.get("platform") not in ("", locking.here()) or not isinstance(hashes, dict):
        return {}
    return {
        pin: files
        for pin, files in hashes.items()
        if isinstance(files, dict) and files and all(_DIGEST.match(one) for one in files)
    }


def unknown(made: Carried, run: str) -> tuple[str, ...]:
    """Return the names of the releases of a run that an index was asked for and does not have."""
    lost = [one for entry in made.requirements if run in entry["runs"] for one in entry["without"]]
    return tuple(one["name"] for one in lost if one["reason"] in refusals.NOWHERE)


def _note(made: Locked) -> str:
    files = sum(len(pin.hashes) for pin in made.pins)
    for_whom = "%s, Python %s" % (made.platform or "any platform", made.python)
    count = sum(1 for pin in made.pins if pin.hashes)
    text = "hashes of %d releases (%d files for %s), by %s"
    return text % (count, files, for_whom, made.locker)


def _lacking(made: Locked) -> list[str]:
    """Return one sentence per reason for which releases have no hash."""
    reasons: dict[str, list[str]] = {}
    for one in made.without:
        reasons.setdefault(one.reason, []).append("%s %s" % (key_of(one.name), one.version))
    found = []
    for reason, names in reasons.items():
        more = " and %d more" % (len(names) - _SHOWN) if len(names) > _SHOWN else ""
        found.append("no hash for %s%s: %s." % (", ".join(names[:_SHOWN]), more, reason))
    return found
