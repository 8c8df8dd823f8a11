"""Whose calls ``explain`` looks at: those of a run, of a lock, or of files that no run knows."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from typing import NamedTuple

from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.errors import NothingToCompare
from provenance.facets import packages, runtime
from provenance.knowledge import match
from provenance.operations import _written, references, settle
from provenance.operations.references import Reference
from provenance.store import project

DEFAULT_PYTHON = "3.11"
"""For which Python releases are looked at where no record says which: most have wheels for it."""
FILES = "files"
"""The kind of a reference that is no run."""


class Source(NamedTuple):
    """Whose calls are looked at, and what is known of the environment they ran in.

    about: for people, "train.py" or "run 1a2b3c4d". files: how many there are, and their paths
    where they were named. folders: of environments here, which may hold a release that then need
    not be fetched. reference: the run; of the kind "files" where no run knows the files.
    """

    record: Record
    about: str
    files: int
    python: str
    reference: Reference
    notes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def find(
    files: tuple[str, ...], reference: str | None, cwd: str, environ: Mapping[str, str]
) -> Source:
    """Return ``files``, or without any the run that ``reference`` means. Raises `ProvError`."""
    if files:
        written = _written.read(files, cwd)
        shown = written.files
        about = shown[0] if len(shown) == 1 else "%d files" % len(shown)
        loose = Reference(written.record, FILES, "", lambda _: None)
        return Source(
            written.record,
            about,
            len(shown),
            DEFAULT_PYTHON,
            loose,
            written.notes,
            active(environ),
            shown,
        )
    place = project.find(cwd)
    chosen = references.choose(reference, place, cwd)[0]
    run = chosen.record
    uses = match.uses_of(run)
    if not uses:
        raise NothingToCompare(
            "the record of run %s holds no calls of libraries." % run.id,
            "name the files: prov explain PACKAGE OLD NEW FILE ...",
        )
    ran = next(iter((runtime.of(run) or {}).values()), None)
    python = ran.version if ran is not None and ran.version else DEFAULT_PYTHON
    folders = (*_recorded(run, settle.recorded_roots(place, run)), *active(environ))
    about = "run %s" % run.id.rpartition("-")[2]
    return Source(run, about, len({u.path for u in uses}), python, chosen, (), folders)


def _recorded(run: Record, roots: Roots) -> tuple[str, ...]:
    """Return where the packages of ``run`` were installed, as far as that is here."""
    held = next(iter((packages.of(run) or {}).values()), None)
    found = [roots.locate(ref) for ref in held.sys_path] if held else []
    return tuple(path for path in found if path and path.endswith("-packages"))


def active(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders of packages of the active virtual or conda environment."""
    prefixes = filter(None, (environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")))
    tail = os.path.join("lib", "python*", "site-packages")
    return tuple(p for one in prefixes for p in glob.glob(os.path.join(glob.escape(one), tail)))
