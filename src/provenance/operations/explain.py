"""What other versions would change for the user's own calls, before anything is installed.

The same comparison as verify's, with differences that nobody has yet: known changes (L1) from the
source alone, then the interfaces of the two releases (L2), whose wheels are fetched and read, not
run; a rehearsal (L3) where there is a run to rehearse.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core import codec, verdict, versions
from provenance.core.difference import UNKNOWN, Difference, NotCompared
from provenance.core.distributions import key_of
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.uses import CALL, Use
from provenance.core.verdict import Finding, Reason
from provenance.environments import newest as newest_
from provenance.errors import NothingToCompare, UsageError
from provenance.facets import packages, runtime
from provenance.knowledge import catalog, match
from provenance.knowledge import entry as entries_
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _interfaces, _written, measuring, references, settle
from provenance.store import project

NEWEST = "newest"
"""The word that stands for a version: the newest that there is."""
DEFAULT_PYTHON = "3.11"
"""For which Python releases are looked at where no record says which: most have wheels for it."""


class Wish(NamedTuple):
    """What to explain.

    package, old, new: the change; old "" is the version of the reference. files: read instead of
    the reference's call sites. reference: a run or lock, None for the best one here. newest: all
    packages of the reference against their newest releases. offline: nothing is fetched.
    limit_mb: no bigger wheel is fetched, None for the default.
    """

    cwd: str
    environ: Mapping[str, str]
    package: str = ""
    old: str = ""
    new: str = ""
    files: tuple[str, ...] = ()
    reference: str | None = None
    newest: bool = False
    offline: bool = False
    limit_mb: float | None = None
    fail_on: str | None = None
    progress: Callable[[str], None] | None = None


class Change(NamedTuple):
    """A change of version. known: curated entries between the two; calls: of it in the source."""

    package: str
    old: str
    new: str
    known: int
    calls: int


class Explained(NamedTuple):
    """What the changes mean. about: whose calls, "train.py" or "run 1a2b3c4d"."""

    about: str
    files: int
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...]
    fail_on: str | None

    @property
    def verdict(self) -> str:
        """The verdict over the findings."""
        return verdict.verdict(self.findings, len(self.changes))

    @property
    def exit_code(self) -> int:
        """0, or 1 where ``fail_on`` was asked for and reached."""
        return verdict.exit_code(self.findings, 1, self.fail_on) if self.fail_on else 0


class _Source(NamedTuple):
    """Whose calls are looked at, and what is known of the environment they ran in.

    folders: of environments here, which may hold a release that then need not be fetched.
    """

    record: Record
    about: str
    files: int
    python: str
    notes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def explain(wish: Wish) -> Explained:
    """Return what the change, or all newest versions, would do to the calls. Raises `ProvError`."""
    source = _source(wish)
    notes = list(source.notes)
    differences = _newer(wish, source, notes) if wish.newest else [_change(wish, source)]
    entries = measuring.entries(wish.environ)
    found = match.explain(differences, source.record, source.record, entries)
    uses = match.uses_of(source.record)
    findings, not_compared = [], []
    for one in found:
        own = calls_of(one.name, uses, source.record)
        told, missing = _interfaces.changed(one, own, source.python, wish, source.folders)
        findings.append(with_reasons(told, rehearsed(one, source.record)))
        not_compared += missing
    changes = tuple(_told(one, uses, source.record) for one in differences)
    return Explained(
        source.about,
        source.files,
        changes,
        tuple(verdict.ranked(findings)),
        tuple(not_compared),
        tuple(notes),
        wish.fail_on,
    )


def rehearsed(finding: Finding, run: Record) -> Sequence[Reason]:
    """Return what replaying the calls showed (L3): nothing yet, since no run is rehearsed here."""
    del finding, run
    return ()


def with_reasons(finding: Finding, more: Sequence[Reason]) -> Finding:
    """Return ``finding`` with ``more`` reasons; each may raise its effect and adds its places."""
    if not more:
        return finding
    effects = [finding.effect, *(one.effect for one in more if one.effect)]
    where = dict.fromkeys((*finding.where, *(place for one in more for place in one.where)))
    return finding._replace(
        effect=verdict.worst(effects), where=tuple(where), reasons=(*finding.reasons, *more)
    )


def _source(wish: Wish) -> _Source:
    place = project.find(wish.cwd)
    if wish.files:
        written = _written.read(wish.files, wish.cwd)
        about = written.files[0] if len(written.files) == 1 else "%d files" % len(written.files)
        return _Source(
            written.record,
            about,
            len(written.files),
            DEFAULT_PYTHON,
            written.notes,
            _active(wish.environ),
        )
    chosen = references.choose(wish.reference, place, wish.cwd)[0]
    run = chosen.record
    if not match.uses_of(run):
        raise NothingToCompare(
            "the record of run %s holds no calls of libraries." % run.id,
            "name the files: prov explain PACKAGE OLD NEW FILE ...",
        )
    ran = next(iter((runtime.of(run) or {}).values()), None)
    python = ran.version if ran is not None and ran.version else DEFAULT_PYTHON
    files = len({use.path for use in match.uses_of(run)})
    folders = (*_recorded(run, settle.recorded_roots(place, run)), *_active(wish.environ))
    return _Source(run, "run %s" % run.id.rpartition("-")[2], files, python, (), folders)


def _recorded(run: Record, roots: Roots) -> tuple[str, ...]:
    """Return where the packages of ``run`` were installed, as far as that is here."""
    held = next(iter((packages.of(run) or {}).values()), None)
    found = [roots.locate(ref) for ref in held.sys_path] if held else []
    return tuple(path for path in found if path and path.endswith("-packages"))


def _active(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders of packages of the active virtual or conda environment."""
    prefixes = filter(None, (environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")))
    tail = os.path.join("lib", "python*", "site-packages")
    return tuple(p for one in prefixes for p in glob.glob(os.path.join(glob.escape(one), tail)))


def _change(wish: Wish, source: _Source) -> Difference:
    key = package_of(wish.package)
    old = wish.old or match.versions_of(source.record).get(key, "")
    if key == PYTHON_ITSELF and not old:
        old = source.python
    if not old:
        raise UsageError(
            "%s does not hold %s." % (source.about, wish.package),
            "name the old version, too: prov explain PACKAGE OLD NEW",
        )
    new = wish.new
    if NEWEST in (old, new):
        found = newest_.newest([key], source.python, wish.environ, wish.cwd, wish.offline)
        latest = found.versions.get(key)
        if latest is None:
            raise UsageError("no newest version of %s is known here." % wish.package)
        old, new = (latest if one == NEWEST else one for one in (old, new))
    for version in (old, new):
        if not versions.is_version(version):
            raise UsageError(
                "%r is not a version." % version, "prov explain scikit-learn 1.1.3 1.5.2 train.py"
            )
    return difference_of(key, old, new)


def difference_of(key: str, old: str, new: str) -> Difference:
    """Return the change of a package, or of Python itself, as a facet would tell it."""
    facet = "runtime" if key == PYTHON_ITSELF else "packages"
    return Difference(facet, "python", "version", key, UNKNOWN, old, new)


def _newer(wish: Wish, source: _Source, notes: list[str]) -> list[Difference]:
    """Return the newer releases of what the run imported, as far as they go together."""
    installed = next(iter((packages.of(source.record) or {}).values()), None)
    if installed is None:
        raise NothingToCompare("%s holds no packages." % source.about, "prov explain RUN --newest")
    ours = {
        key: one
        for key, one in installed.distributions.items()
        if one.editable is None and (one.imported or not installed.complete)
    }
    found = newest_.newest(ours, source.python, wish.environ, wish.cwd, wish.offline)
    notes.extend("%s: %s" % (left.name, left.reason) for left in found.left_out)
    text = "newest releases that go together on Python %s; other releases on others"
    notes.append(text % ".".join(source.python.split(".")[:2]))
    return [
        difference_of(key, one.version, found.versions[key])
        for key, one in sorted(ours.items())
        if key in found.versions and _public(one.version) != found.versions[key]
    ]


def _public(version: str) -> str:
    return version.partition("+")[0]


def package_of(name: str) -> str:
    """Return the key of the package that people mean: "sklearn" is scikit-learn."""
    key = key_of(name)
    known = catalog.by_package(catalog.load())
    if key in known:
        return key
    for package, entries in known.items():
        tops = {symbol.partition(".")[0] for one in entries for symbol in one.symbols}
        if tops == {name} and all(len(one.packages) == 1 for one in entries):
            return package
    return key


def calls_of(package: str, uses: Sequence[Use], run: Record) -> list[Use]:
    """Return the ``uses`` that name ``package`` by one of its modules; of Python itself, all."""
    key = key_of(package)
    if key == PYTHON_ITSELF:
        return list(uses)
    tops = {key.replace("-", "_")}
    for one in catalog.by_package(catalog.load()).get(key, ()):
        if len(one.packages) == 1:
            tops |= {symbol.partition(".")[0] for symbol in one.symbols}
    for installed in (packages.of(run) or {}).values():
        held = installed.distributions.get(key)
        tops |= {module.partition(".")[0] for module in held.modules} if held else set()
    return [use for use in uses if use.symbol.partition(".")[0] in tops]


def _told(one: Difference, uses: Sequence[Use], run: Record) -> Change:
    known = catalog.by_package(catalog.load()).get(one.name, ())
    crossed = [entry for entry in known if entries_.span(entry, one.name, one.old, one.new)]
    calls = [use for use in calls_of(one.name, uses, run) if use.kind == CALL]
    return Change(one.name, one.old, one.new, len(crossed), len(calls))


def as_json(result: Explained) -> dict[str, Any]:
    """Return the ``data`` member of ``prov explain --json``."""
    return {
        "verdict": result.verdict,
        "fail_on": result.fail_on,
        "about": result.about,
        "files": result.files,
        "changes": [one._asdict() for one in result.changes],
        "findings": codec.encode(result.findings),
        "not_compared": codec.encode(result.not_compared),
        "notes": list(result.notes),
    }
