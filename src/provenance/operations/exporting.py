"""``prov env export``: the recorded environment as a file of another tool."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from provenance import __version__
from provenance.core import runid
from provenance.environments import cache, indexes, locking, refusals
from provenance.environments.locking import Locked
from provenance.environments.wanted import LeftOut, Wanted, split
from provenance.errors import BadRecord, ProvError, UsageError
from provenance.exports import (
    apptainer,
    conda_explicit,
    conda_lock,
    devcontainer,
    dockerfile,
    pylock,
    requirements,
)
from provenance.exports._environment import CondaFile, Environment, Release
from provenance.facets import packages
from provenance.operations import hashes, recipes, references
from provenance.operations.references import Reference
from provenance.store import files, project
from provenance.store.project import Project

_RENDERERS: dict[str, Callable[[Environment], str]] = {
    "requirements": requirements.render,
    "pylock": pylock.render,
    "conda-lock": conda_lock.render,
    "explicit": conda_explicit.render,
    "dockerfile": dockerfile.render,
    "apptainer": apptainer.render,
    "devcontainer": devcontainer.render,
}
FORMATS = tuple(_RENDERERS)
_OF_CONDA = ("conda-lock", "explicit")
_PLAIN = re.compile(r"^[!-~]+$")
_VERSION = re.compile(r"^\d+(\.\d+)+[a-z0-9]*$")
_PYTHON = re.compile(r"^python[0-9.]*$")
_KEPT = "on no index: its wheel is kept, and prov env create installs it"
_EDITABLE = "an editable install: prov env create checks its code out"


class Wish(NamedTuple):
    """What to write. reference: as `prov verify` takes it. out: file, None for the text alone."""

    cwd: str
    environ: Mapping[str, str]
    reference: str | None
    format: str
    out: str | None = None
    offline: bool = False
    progress: Callable[[str], None] | None = None


class Exported(NamedTuple):
    """A file of another tool. path: where it was written, None for nowhere. notes: sentences."""

    text: str
    path: str | None
    notes: tuple[str, ...]


def export(wish: Wish) -> Exported:
    """Return the recorded environment in the format that ``wish`` names. Raises `ProvError`."""
    render = _RENDERERS.get(wish.format)
    if render is None:
        raise UsageError("--format %r is none." % wish.format, "one of " + ", ".join(FORMATS))
    place = project.find(wish.cwd)
    one = references.choose(wish.reference, place, wish.cwd)[0]
    found, notes = _environment(one, place, wish)
    text = render(found)
    path = os.path.join(wish.cwd, wish.out) if wish.out else None
    if path is not None:
        files.write_atomic(path, text.encode("utf-8"))
    return Exported(text, path, notes)


def _environment(one: Reference, place: Project, wish: Wish) -> tuple[Environment, tuple[str, ...]]:
    recipe = hashes.of_index(one.record)
    if recipe is None or not _VERSION.match(recipe.python):
        raise BadRecord("the record of run %s holds no Python packages." % one.record.id)
    conda, odd = _conda(one)
    if not conda and wish.format in _OF_CONDA:
        text = "run %s used no conda environment." % one.record.id
        raise UsageError(text, "--format requirements, or pylock")
    kept = os.path.join(cache.folder(wish.environ), recipes.WHEELS)
    full = recipes.of(one, place, kept)
    local = [layer.name for layer in full.layers if layer.address.startswith("file:")]
    recipe = recipe._replace(
        requirements=tuple(r for r in recipe.requirements if r in full.requirements)
    )
    locked, notes = _locked(one, recipe, place, wish)
    lost = [x for x in recipe.left_out if x.name not in local and x.reason != hashes.CONDA]
    own = [x for x in recipes.installed(one).values() if recipes.is_own(x)]
    lost = [x for x in lost if x.name not in {project.name for project in own}]
    lost = [x._replace(reason=_EDITABLE) if "editable" in x.reason else x for x in lost]
    lost += [LeftOut(x.name, x.version, _KEPT) for x in full.layers if x.name in local]
    lost += [x for x in locked.without if x.reason in refusals.NOWHERE] + odd
    found = Environment(
        _title(one),
        _made(locked, wish, len(conda)),
        recipe.python,
        locking.here(),
        locked.platform if any(pin.hashes for pin in locked.pins) else "",
        _releases(recipe, locked),
        tuple((x.name, x.address) for x in full.layers if x.name not in local),
        tuple((x.name, x.version, x.reason) for x in sorted(lost)),
        conda,
        _command(one),
        locked.text,
        tuple(dict.fromkeys(x.editable.path.path for x in own if x.editable is not None)),
    )
    return found, notes


def _locked(
    one: Reference, recipe: Wanted, place: Project, wish: Wish
) -> tuple[Locked, tuple[str, ...]]:
    """Return the releases with hashes, those of the lock where it has them, and sentences."""
    bare = Locked(recipe.python, "", "", ())
    if wish.format == "explicit":
        return bare, ()
    stated = hashes.stated(one)
    entry = one.requirements
    if stated and wish.format not in ("pylock", "conda-lock"):
        pins = [locking.Pin(*split(pin), digests) for pin, digests in stated.items()]
        lost = [LeftOut(x["name"], x["version"], x["reason"]) for x in entry.get("without", ())]
        locker = "%s, in %s" % (entry.get("locker"), os.path.basename(one.source))
        return Locked(recipe.python, entry["platform"], locker, tuple(pins), tuple(lost)), ()
    what = locking.PYLOCK if wish.format in ("pylock", "conda-lock") else locking.EVERY
    asked = locking.Wish(wish.environ, place.root, locking.UV, wish.offline, wish.progress)
    try:
        made = locking.lock(recipe, asked, what)
    except ProvError as error:
        if wish.format == "pylock":
            raise
        return bare, ("written without hashes: %s" % error.message,)
    notes = ["no hash for %s" % str(lost) for lost in made.without]
    return made, (*made.notes, *notes)


def _releases(recipe: Wanted, locked: Locked) -> tuple[Release, ...]:
    """Return what an index has: all that is wanted, less what was asked for and is on none."""
    pins = {"%s==%s" % (pin.name, pin.version): pin for pin in locked.pins}
    nowhere = {x.name for x in locked.without if x.reason in refusals.NOWHERE}
    found = []
    for requirement in recipe.requirements:
        name, version = split(requirement)
        if name in nowhere:
            continue
        pin = pins.get(requirement)
        options = tuple(indexes.of_local(name, version))
        if pin is None:
            found.append(Release(name, version, (), options))
        else:
            found.append(Release(name, version, tuple(pin.hashes), options, pin.url))
    return tuple(found)


def _conda(one: Reference) -> tuple[tuple[CondaFile, ...], list[LeftOut]]:
    """Return the conda packages of the first interpreter, and those whose file is not known."""
    installed = next(iter((packages.of(one.record) or {}).values()), None)
    found, lost = [], []
    for name, x in sorted(installed.conda.items()) if installed is not None else ():
        if _PLAIN.match(x.url) and "<" not in x.url and _PLAIN.match(x.md5 or "-"):
            members = (name, x.version, x.build, x.channel, x.url, x.md5, x.sha256)
            found.append(CondaFile(*members))
        else:
            lost.append(LeftOut(name, x.version, "conda did not say which file it came from"))
    return tuple(found), lost


def _command(one: Reference) -> tuple[str, ...]:
    """Return what was run, with the image's Python in place of the recorded one."""
    words = one.record.command
    if words and _PYTHON.match(os.path.basename(words[0])):
        return ("python", *words[1:])
    return words


def _title(one: Reference) -> str:
    run = one.record
    name = ' "%s"' % run.name if run.name else ""
    return "run %s%s, %s" % (runid.short(run.id), name, run.started[:10])


def _made(locked: Locked, wish: Wish, of_conda: int) -> str:
    by = "; hashes by %s" % locked.locker if locked.locker else ""
    text = "Written by prov %s%s." % (__version__, by)
    if of_conda and wish.format in ("requirements", "pylock"):
        text += " Only what pip installed: conda's %d packages: --format explicit." % of_conda
    return text
