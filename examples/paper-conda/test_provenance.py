#!/usr/bin/env python3
"""The drop-in test: whether what a repository publishes in ``prov.lock`` is still true here.

Looks at the interpreter that runs it and at the files beside the lock; imports no package that it
checks, but reads the sources of those that have another version. As a test file it gives pytest one
test per package, and one each for Python, the code, the data, the settings and the GPU; run as a
program it prints the same and ends with 0, 1 (different), 3 (nothing could be compared) or 4 (no
readable lock). It is packed, with what it needs, into one file.

``PROV_LOCK``     the lock to read (else the nearest one above this file)
``PROV_ACCEPT``   packages whose changes are accepted, by name, with commas between
``PROV_FAIL_ON``  the least effect that fails: unknown, possible, known (default) or broken
``PROV_FULL=1``   digests files above 1 GiB as well

Made by prov 0.1.0.dev0 from its own source; renew it with:  prov init --test
"""

from __future__ import annotations

import ast
import codecs
import fnmatch
import glob
import hashlib
import json
import math
import operator
import os
import platform
import re
import sys
import warnings
from importlib.machinery import EXTENSION_SUFFIXES
from types import SimpleNamespace
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

# ---- provenance.core._types ----------------------------------------------------------------------
# What well-known calls return: enough to follow an object from its maker to its methods.
#
# Facts of the libraries' documented interfaces, kept to what is common in experiments. A call that
# stands nowhere here returns something unknown, which costs a finding its certainty, never its
# truth.


def is_class(name: str) -> bool:
    """Return whether a dotted name names a class, by the custom of capital letters."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() or (last[:1] == "_" and last[1:2].isupper())


# ---- provenance.core.use -------------------------------------------------------------------------
# One use of a library's symbol in the user's source: the value that `uses` reads and records keep.
#
# Apart from the reader, which needs `ast`: a run without Python source never loads that.

CALL, READ, WRITE = "call", "read", "write"
UNRESOLVED = "?."
"""How the symbol of a method begins whose object is not known."""


class Use(NamedTuple):
    """One use of a symbol.

    path: as given. line: 1-based; in a notebook within its cell. cell: number of the code cell, 0
    in a plain file. kind: "call", "read" or "write". arguments: of the positional arguments the
    constant value, None where it is not constant; of a write the value. An import is a read of the
    library's name. keywords: the same by name. A constant is plain JSON; None and library names
    are ``{"name": ...}``. spread: ``*x`` or ``**x`` was given, so that more may be passed.
    assigned: the result is kept.
    """

    symbol: str
    path: str
    line: int
    kind: str = CALL
    arguments: Tuple[Any, ...] = ()
    keywords: Dict[str, Any] = {}
    spread: bool = False
    assigned: bool = False
    cell: int = 0

    @property
    def positional(self) -> int:
        """The number of positional arguments."""
        return len(self.arguments)

    @property
    def where(self) -> str:
        """The place as people read it: "fit.py:8", in a notebook "fit.ipynb:3:8" (cell, line)."""
        cell = "%d:" % self.cell if self.cell else ""
        return "%s:%s%d" % (self.path, cell, self.line)

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = {n: getattr(self, n) for n in self._fields}
        plain = {n: v for n, v in kept.items() if v != self._field_defaults.get(n)}
        if "arguments" in plain:
            plain["arguments"] = list(self.arguments)
        return plain

    @classmethod
    def from_json(cls, value: Any) -> Use:
        """Read the JSON form back; raises ValueError where it is not one."""
        try:
            kept = {n: value[n] for n in cls._fields if n in value}
            one = cls(**kept)
            return one._replace(arguments=tuple(one.arguments), line=int(one.line))
        except (TypeError, KeyError) as error:
            raise ValueError("not a use: %.60r" % (value,)) from error


# ---- provenance.core.difference ------------------------------------------------------------------
# One typed way in which two payloads differ, and what a comparison looked at.
#
# A facet's ``compare`` returns a `Comparison`: not only the differences but how many facts were
# compared and which could not be, so that "same" never stands bare.

NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN = "none", "unknown", "possible", "known", "broken"

EFFECTS = (NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN)
"""From harmless to fatal; the order is the ranking."""


# ---- provenance.core.versions --------------------------------------------------------------------
# Ordering of version numbers, enough to tell on which side of a release an installed one stands.
#
# Follows the ordering rules of the Python packaging specification (epoch, release, pre-, post- and
# development releases; the local part is ignored, since ``2.1.0+cu121`` is release 2.1.0). A test
# holds it against the ``packaging`` library, which cannot be used here: this runs in any
# interpreter.

_FORM = (
    r"^\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_n>\d*))?"
    r"(?P<post>-(?P<post_1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_2>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$"
)
"""Compiled at its first use, by ``re`` itself: most runs order no versions."""
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_BEFORE, _AFTER = (-1, "", 0), (1, "", 0)


def key(version: str) -> Tuple[Any, ...]:
    """Return a sort key for ``version``. Raises ValueError where it is not a version."""
    match = re.match(_FORM, version, re.IGNORECASE)
    if match is None:
        raise ValueError("not a version number: %r" % version)
    part = match.groupdict()
    release = tuple(int(n) for n in part["release"].split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    dev = (0, int(part["dev_n"] or 0)) if part["dev"] else (1, 0)
    post = (1, int(part["post_1"] or part["post_2"] or 0)) if part["post"] else (0, 0)
    if part["pre"]:
        letter = part["pre"].lower()
        pre: Tuple[Any, ...] = (0, _PRE.get(letter, letter), int(part["pre_n"] or 0))
    else:
        pre = _BEFORE if part["dev"] and not part["post"] else _AFTER
    return (int(part["epoch"] or 0), release, pre, post, dev)


def is_version(text: str) -> bool:
    """Return whether ``text`` is a version number that can be ordered."""
    return re.match(_FORM, text, re.IGNORECASE) is not None


versions = SimpleNamespace(is_version=is_version, key=key)


# ---- provenance.knowledge.entry ------------------------------------------------------------------
# One known behaviour change: what changed, in which release, and which calls it strikes.
#
# An entry is data (a file in ``entries/``); this module reads its form. Members of the file:
#
# ``id``            name of the file
# ``packages``      distributions whose release made the change
# ``changed_in``    first release with the new behaviour, for all packages or one for each
# ``changed_after`` last release known to have the old behaviour, where the boundary was not
# narrowed
# ``applies_from``  first release that had the old behaviour (before it there was yet another)
# ``symbols``       what must be used; a component may be ``*``, a last ``*`` stands for any name
# ``when``          conditions on the arguments, all of which must hold
# ``unless``        uses that make the change void (a flag that is set), each with ``symbol`` and,
#                   where its first argument matters, ``first``
# ``along``         patterns of symbols, one of which the source must use as well ("*.astype")
# ``reads``         naming the symbol is enough (a constant, a flag); else it must be called
# ``handed_on``     false: naming the symbol without a call (``dtype=np.float32``) does not count
# ``unresolved``    false: do not consider a method of this name on something unknown
# ``gpu``           true: matters only with a CUDA GPU
# ``parameter``     the parameter whose default changed, where that is the change
# ``what``, ``old``, ``new``, ``effect``   the change and what happens to the numbers, in words
# ``certainty``     "known": changes the numbers of an ordinary call that meets the conditions;
#                   "possible": depends on the data
# ``restore_old``, ``restore_new``         code that brings the old (new) behaviour back
# ``restore_old_until``                    first release that no longer takes ``restore_old``
# ``source``        title and address of the statement
# ``verified``      cases of this change that were run in both environments
# ``probe``         true: ``benchmarks/probes/ID.py`` was run in both releases, which differed


class Condition(NamedTuple):
    """A condition on one argument of a call.

    position: index among the positional arguments (without self), None where keyword-only; it may
    differ by the last components of the symbol. test: one of `TESTS`. values: for the equalities.
    inside: where the argument stands in a dictionary that is itself an argument: its ``parameter``
    and ``position``.
    """

    parameter: str
    test: str
    position: Any = None
    values: Tuple[Any, ...] = ()
    inside: Optional[Dict[str, Any]] = None


class Entry(NamedTuple):
    """A known behaviour change; members as in the module's description."""

    id: str
    packages: Tuple[str, ...]
    changed_in: Dict[str, str]
    symbols: Tuple[str, ...]
    what: str
    old: str
    new: str
    effect: str
    certainty: str
    source: Dict[str, str]
    changed_after: str = ""
    applies_from: str = ""
    parameter: str = ""
    when: Tuple[Condition, ...] = ()
    unless: Tuple[Dict[str, Any], ...] = ()
    along: Tuple[str, ...] = ()
    reads: bool = False
    handed_on: bool = True
    unresolved: bool = True
    gpu: bool = False
    restore_old: str = ""
    restore_new: str = ""
    restore_old_until: str = ""
    verified: Tuple[str, ...] = ()
    probe: bool = False


def span(entry: Entry, package: str, old: str, new: str) -> str:
    """Return what going from ``old`` to ``new`` of ``package`` crosses, in either direction.

    "whole": the change for certain. "part": a stretch of releases in which it may lie. "": not it.
    """
    boundary = entry.changed_in.get(package)
    if boundary is None or not (versions.is_version(old) and versions.is_version(new)):
        return ""
    low, high = sorted((versions.key(old)[:2], versions.key(new)[:2]))
    changed = versions.key(boundary)[:2]
    before = versions.key(entry.changed_after)[:2] if entry.changed_after else None
    if entry.applies_from and low < versions.key(entry.applies_from)[:2]:
        return ""
    if high < changed:
        return "part" if before is not None and high > before else ""
    if before is None:
        return "whole" if low < changed else ""
    if low <= before:
        return "whole"
    return "part" if low < changed else ""


# ---- provenance.core.canonical -------------------------------------------------------------------
# The one JSON form of everything that is kept, and the seal of a closed record.
#
# Canonical form: UTF-8, keys sorted, two spaces of indentation (a reviewer reads it and git diffs
# it
# line by line), a final newline, and no NaN or infinity: those are ``{"float": "nan"}``,
# ``{"float": "inf"}`` and ``{"float": "-inf"}``. The seal is the SHA-256 of the compact canonical
# form of the document without its ``sha256`` member.

SEAL = "sha256"


def plain(value: Any) -> Any:
    """Return ``value`` with non-finite floats spelled out and tuples as lists; keys become text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return {"float": "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def compact(value: Any) -> bytes:
    """Return the shortest canonical bytes of ``value``: what digests are taken of."""
    text = json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return _encodable(text).encode("utf-8")


def _encodable(text: str) -> str:
    """Return ``text`` with lone surrogates (undecodable bytes) written as JSON escapes."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\\u%04x" % ord(c) if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    return text


def digest(value: Any) -> str:
    """Return the hex SHA-256 of the compact canonical form of ``value``."""
    import hashlib  # loads OpenSSL: 3 ms that the start of a run need not pay

    return hashlib.sha256(compact(value)).hexdigest()


def seal_holds(document: Dict[str, Any]) -> bool:
    """Return whether the ``sha256`` member of ``document`` is the digest of the rest of it."""
    body = {key: item for key, item in document.items() if key != SEAL}
    return document.get(SEAL) == digest(body)


canonical = SimpleNamespace(compact=compact, seal_holds=seal_holds)


# ---- provenance.agent._lock ----------------------------------------------------------------------
# The lock that the drop-in test reads: found, opened, and asked what it says.

LOCK_FILE = "prov.lock"
LOCK_SCHEMA = "prov/lock/1"


class LockError(Exception):
    """There is no lock, or it cannot be read; the text is one clear sentence."""


class Lock(NamedTuple):
    """What a lock says, and where it lies.

    runs: records as plain JSON. known: entries on behaviour changes. uses: of libraries, by the
    source of the runs. signatures: of what they call, by symbol; None where the lock has none, for
    the reason that ``unsigned`` gives. surroundings: which cards and settings concern the runs.
    """

    path: str
    runs: Tuple[Dict[str, Any], ...]
    known: Tuple[Entry, ...] = ()
    uses: Tuple[Use, ...] = ()
    signatures: Optional[Dict[str, Any]] = None
    unsigned: str = ""
    surroundings: Tuple[Dict[str, Any], ...] = ()


def find_lock(folder: str, environ: Mapping[str, str]) -> str:
    """Return the path of the lock for a test in ``folder``. Raises `LockError`."""
    named = environ.get("PROV_LOCK")
    if named:
        return named
    start = folder
    while True:
        path = os.path.join(folder, LOCK_FILE)
        if os.path.isfile(path):
            return path
        if os.path.dirname(folder) == folder:
            raise LockError(
                "There is no %s in %s or above it: nothing to compare with. Write one with: "
                "prov lock RUN" % (LOCK_FILE, start)
            )
        folder = os.path.dirname(folder)


def read_lock(path: str) -> Lock:
    """Return the lock at ``path``. Raises `LockError` with what is wrong."""
    try:
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
    except OSError as error:
        raise LockError("%s cannot be read: %s." % (path, error.strerror or error)) from None
    except (ValueError, RecursionError):
        raise LockError("%s is not JSON: damaged, or a merge was left half done." % path) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != LOCK_SCHEMA:
        raise LockError(
            "%s is not a lock that this test can read (schema %r, not %r): renew the test with "
            "prov init --test." % (path, schema, LOCK_SCHEMA)
        )
    if not canonical.seal_holds(document):
        raise LockError("%s was changed by hand: its seal does not hold." % path)
    try:
        runs = tuple(dict(run) for run in document["runs"])
        known = tuple(_known(one) for one in document.get("knowledge", ()))
        signatures, unsigned = _signatures(document.get("interfaces") or {})
        around = tuple(dict(one) for one in document.get("surroundings", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise LockError("%s does not hold readable records: %s." % (path, error)) from None
    return Lock(os.path.abspath(path), runs, known, _uses(runs), signatures, unsigned, around)


def _known(value: Dict[str, Any]) -> Entry:
    """Return the entry that ``prov lock`` wrote, which was checked when it was read there."""
    plain: Dict[str, Any] = {
        name: tuple(item) if isinstance(item, list) else item
        for name, item in value.items()
        if name in Entry._fields
    }
    plain["when"] = tuple(
        Condition(
            one["parameter"],
            one.get("is") or one["test"],
            one.get("position"),
            tuple(one.get("values") or ()),
            one.get("inside"),
        )
        for one in value.get("when", ())
    )
    return Entry(**plain)


def _uses(runs: Tuple[Dict[str, Any], ...]) -> Tuple[Use, ...]:
    """Return the uses that any of ``runs`` has; those that cannot be read are left out."""
    found: Dict[str, Use] = {}
    for run in runs:
        for payload in payloads(run, "behaviour"):
            for site in payload.get("sites") or ():
                try:
                    found.setdefault(repr(site), Use.from_json(site))
                except (ValueError, AttributeError):
                    continue
    return tuple(found.values())


def _signatures(parts: Dict[str, Any]) -> Tuple[Optional[Dict[str, Any]], str]:
    """Return the signatures that any run has, and why there are none."""
    found: Dict[str, Any] = {}
    for one in parts.values():
        for symbol, signature in (one.get("signatures") or {}).items():
            found.setdefault(symbol, signature)
    if any("signatures" in one for one in parts.values()):
        return found, ""
    why = [str(one["missing"]) for one in parts.values() if one.get("missing")]
    return None, why[0] if why else "the lock was written without signatures"


def payloads(run: Mapping[str, Any], facet: str) -> List[Dict[str, Any]]:
    """Return the payloads of ``facet`` in ``run``, one per subject; empty where not captured."""
    answer = (run.get("facets") or {}).get(facet) or {}
    if answer.get("status") != "captured":
        return []
    return [subject.get("payload") or {} for subject in answer.get("subjects", ())]


def title(run: Mapping[str, Any]) -> str:
    """Return how a run is called in a sentence: "run 7f3k, 2025-05-02"."""
    short = str(run.get("id", "?")).rpartition("-")[2]
    return "run %s, %s" % (short, str(run.get("started", "?"))[:10])


def repository(lock_path: str) -> str:
    """Return the top of the repository that the lock lies in, or its folder without git."""
    folder = start = os.path.dirname(os.path.abspath(lock_path))
    while not os.path.exists(os.path.join(folder, ".git")):
        if os.path.dirname(folder) == folder:
            return start
        folder = os.path.dirname(folder)
    return folder


def place(ref: Any, run: Mapping[str, Any], top: str) -> Optional[str]:
    """Return where a recorded path is here, None where that cannot be told or leads outside."""
    if not isinstance(ref, dict) or not isinstance(ref.get("path"), str):
        return None
    root, path = ref.get("root"), ref["path"]
    if root == "abs":
        return str(path)
    folder = {"repo": top, "home": os.path.expanduser("~")}.get(str(root))
    if root == "cwd":
        own = run.get("cwd")
        inside = isinstance(own, dict) and own.get("root") == "repo"
        folder = os.path.join(top, own["path"]) if inside and own else top
    if folder is None:
        return None
    full = os.path.normpath(os.path.join(folder, path))
    return full if full.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep) else None


def shown_path(ref: Any) -> str:
    """Return a recorded path as people read it."""
    path = str(ref.get("path", "?")) if isinstance(ref, dict) else "?"
    return "~/" + path if isinstance(ref, dict) and ref.get("root") == "home" else path


def files_of(
    lock: Lock, facet: str, member: str
) -> Iterator[Tuple[str, Optional[str], Dict[str, Any]]]:
    """Yield name, place here and entry of the files that ``facet`` lists, each path once."""
    top = repository(lock.path)
    seen = set()
    for run in lock.runs:
        for payload in payloads(run, facet):
            for entry in payload.get(member) or ():
                name = shown_path(entry.get("path"))
                if name not in seen:
                    seen.add(name)
                    yield name, place(entry.get("path"), run, top), entry


# ---- provenance.core.verdict ---------------------------------------------------------------------
# Reasons, findings, and the verdict that findings add up to.
#
# =========  ==================  ====
# worst      verdict             exit
# =========  ==================  ====
# none       same                0
# unknown    no known effect     0
# possible   possible effect     0
# known      different           1
# broken     different           1
# (nothing)  not compared        3
# =========  ==================  ====
#
# The exit column is for the default ``--fail-on known``; see `exit_code`.


class Reason(NamedTuple):
    """Why a difference matters.

    level: how it is known: "L1" curated knowledge, "L2" changed interface, "L3" replayed call.
    text: what changed, old value and new value. evidence: what in this run makes it apply; of L3
    what came out, "0.1312 -> 0.0977". source: where the fact stands (release notes, change log).
    remedy: code or command that restores the recorded behaviour. where: "file:line" places of this
    reason alone; reasons that share one are told together. effect: of this reason alone, "" for
    that of its finding; "unknown" where it was checked and does nothing. follows: of L3 the number
    of later operations that differ only because this one does.
    """

    level: str
    text: str
    evidence: str = ""
    source: str = ""
    remedy: str = ""
    where: Tuple[str, ...] = ()
    effect: str = ""
    follows: int = 0


class Finding(NamedTuple):
    """A difference with its effect on this run, where it strikes, and the reasons.

    Fields as in `Difference`; ``effect`` is the final one and ``where`` the places that reasons
    found.
    """

    facet: str
    subject: str
    kind: str
    name: str
    effect: str
    old: Any = None
    new: Any = None
    where: Tuple[str, ...] = ()
    text: str = ""
    reasons: Tuple[Reason, ...] = ()


def rank(effect: str) -> int:
    """Return the place of an effect in the order from harmless to fatal."""
    return EFFECTS.index(effect)


def worst(effects: Iterable[str]) -> str:
    """Return the gravest of ``effects``, ``none`` where there are none."""
    return max(effects, key=rank, default=NONE)


verdict = SimpleNamespace(worst=worst)


# ---- provenance.agent._report --------------------------------------------------------------------
# What the drop-in test found, item by item, and the same as a page of text.

PASSED, WARNED, SKIPPED, FAILED = "passed", "warned", "skipped", "failed"
LISTED = 4


class Item(NamedTuple):
    """One thing that was checked.

    group: "python", "packages", "code", "data", "gpu" or "lock". status: passed, warned, skipped or
    failed. effect: as everywhere. text: sentences for people. equal, total: facts compared.
    """

    group: str
    name: str
    status: str
    effect: str = NONE
    text: str = ""
    equal: int = 0
    total: int = 0


def ended(effect: str, environ: Mapping[str, str]) -> str:
    """Return how an item with this effect ends, by ``PROV_FAIL_ON``."""
    least = environ.get("PROV_FAIL_ON", KNOWN)
    if least not in EFFECTS[1:]:
        least = KNOWN
    if rank(effect) >= rank(least):
        return FAILED
    return PASSED if effect == NONE else WARNED


def exit_status(items: Sequence[Item]) -> int:
    """Return 0, 1 (something failed) or 3 (nothing could be compared)."""
    if any(item.status == FAILED for item in items):
        return 1
    return 0 if any(item.total for item in items) else 3


def report(lock: Lock, items: Sequence[Item], status: int) -> str:
    """Return the page that the program prints."""
    runs = "; ".join(title(run) for run in lock.runs)
    lines = [
        "%s (%s)  vs  %s %s"
        % (os.path.basename(lock.path), runs, sys.executable, platform.python_version())
    ]
    for effect in (BROKEN, KNOWN, POSSIBLE):
        for item in items:
            if item.effect == effect and item.text:
                lines += _block(effect, item)
    lines += _unknown(items)
    lines.append("compared: %s" % (_counts(items) or "nothing"))
    skipped = ["%s (%s)" % (i.name, i.text) for i in items if i.status == SKIPPED]
    if skipped:
        lines.append("not compared: " + "; ".join(skipped))
    lines.append(_last(items, status))
    return "\n".join(lines) + "\n"


def _block(effect: str, item: Item) -> List[str]:
    first, *rest = item.text.split("\n")
    return ["%s  %s" % (effect.upper(), first)] + ["  " + line for line in rest]


def _unknown(items: Iterable[Item]) -> List[str]:
    names = [item.name for item in items if item.effect == UNKNOWN]
    if not names:
        return []
    more = "" if len(names) <= LISTED else " and %d more" % (len(names) - LISTED)
    return ["unknown effect: %s%s" % (", ".join(names[:LISTED]), more)]


def _counts(items: Sequence[Item]) -> str:
    units = (("python", "Python"), ("packages", "packages"), ("code", "code"), ("data", "data"))
    parts = []
    for group, unit in units:
        equal = sum(item.equal for item in items if item.group == group)
        total = sum(item.total for item in items if item.group == group)
        if total:
            parts.append("%s %d/%d equal" % (unit, equal, total))
    return ", ".join(parts)


def _last(items: Sequence[Item], status: int) -> str:
    if status == 3:
        return "NOT COMPARED: the lock and this place have nothing in common (exit 3)"
    counted = {effect: sum(1 for i in items if i.effect == effect) for effect in EFFECTS[1:]}
    told = ", ".join("%d %s" % (n, effect) for effect, n in reversed(list(counted.items())) if n)
    words = {NONE: "SAME", UNKNOWN: "NO KNOWN EFFECT", POSSIBLE: "POSSIBLE EFFECT"}
    verdict = words.get(worst(item.effect for item in items), "DIFFERENT")
    if status == 1 and verdict != "DIFFERENT":
        verdict = "FAILED"
    return "%s%s (exit %d)" % (verdict, ": " + told if told else "", status)


# ---- provenance.agent._settings ------------------------------------------------------------------
# Cards and environment variables that concern the lock's runs, as the drop-in test finds them.


def check_settings(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return which environment variables that matter to the runs have another value here."""
    recorded: Dict[str, str] = {}
    for run in lock.runs:
        for payload in payloads(run, "environment"):
            for name, value in (payload.get("values") or {}).items():
                recorded.setdefault(name, str(value))
    known = [one for one in lock.surroundings if one.get("facet") == "environment"]
    if not known:
        return Item("settings", "settings", SKIPPED, NONE, "none is known to concern the runs")
    lines: List[str] = []
    for name in sorted(set(recorded) | set(environ)):
        old, new = recorded.get(name, "unset"), environ.get(name, "unset")
        told = [one for one in known if old != new and _is_about(one, name)]
        for one in told:
            lines.append("%s is %s; the recorded run had %s." % (name, new, old))
            lines += reason(one, old)
    if not lines:
        return Item("settings", "settings", PASSED, NONE, "", 1, 1)
    return Item("settings", "settings", ended(POSSIBLE, environ), POSSIBLE, "\n".join(lines), 0, 1)


def _is_about(one: Mapping[str, object], name: str) -> bool:
    patterns = one.get("name")
    named: Sequence[object] = patterns if isinstance(patterns, list) else []
    return any(fnmatch.fnmatchcase(name, str(pattern)) for pattern in named)


def reason(one: Mapping[str, object], old: str) -> List[str]:
    """Return what is known of a difference, and the remedy, as lines."""
    remedy = str(one.get("remedy", "")).replace("{old}", old)
    return ["%s." % one.get("text", ""), "  fix: %s" % remedy]


def of_cards(lock: Lock, recorded: Sequence[str], here: Sequence[str]) -> List[str]:
    """Return what is known of having the cards ``here`` instead of the ``recorded`` ones."""
    answers = {
        "one side has none": bool(recorded) != bool(here),
        "another model": bool(recorded and here) and set(recorded) != set(here),
        "another number": bool(recorded and here) and len(recorded) != len(here),
    }
    lines: List[str] = []
    for one in lock.surroundings:
        asks = one.get("asks") or ()
        if one.get("facet") == "hardware" and asks and all(answers.get(ask) for ask in asks):
            lines += reason(one, ", ".join(recorded) or "none")
    return lines


# ---- provenance.core.sourcedigest ----------------------------------------------------------------
# Digests of source code that do not move when only comments, docstrings or layout do.
#
# ``python-tokens-1``: SHA-256 over the tokens of a Python file. Comments, blank lines, the width of
# an indentation, spaces between tokens, line continuations and line ends do not count; neither do
# statements that are nothing but a string (docstrings), unless the file reads docstrings itself
# (`_READS_DOCSTRINGS`), for then they are data. A string, f-strings included, counts by its source
# text. The lexer is our own, so that the digest is the same whichever Python computes it: the
# standard library's tokenizer splits f-strings from 3.12 on, and is several times slower.
#
# ``notebook-code-1``: SHA-256 over the sources of a notebook's code cells, in order: outputs,
# counts,
# text cells and metadata do not count.

PYTHON, NOTEBOOK = "python-tokens-1", "notebook-code-1"

LARGEST = 1 << 20
"""Bytes above which a source file gets no such digest: it is data in the guise of source."""

_STRING, _FSTRING, _INDENT, _DEDENT = "\x00", "\x01", "\x02", "\x03"
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f]")
_MARK = re.compile(r"[#\"'\\]")
_FIELD_MARK = re.compile(r"[#\"'()\[\]{}:]")
_TOKEN = re.compile(r"\w+|[^\w \t\f]")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_READS_DOCSTRINGS = re.compile(r"\b(?:__doc__|getdoc|docopt|dspy)\b")
_PREFIX_LETTERS = frozenset("rRbBuUfFtT")
_END = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.S),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.S),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.S),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.S),
}
_LITERAL_MARK = {quote: re.compile(r"[{\\\n]|" + quote) for quote in _END}


class _Unreadable(Exception):
    """The source does not have the form of Python."""


class _Code(NamedTuple):
    """Source with comments gone, line continuations joined, and each string as one character."""

    text: str
    strings: Tuple[str, ...]


def digests(name: str, data: bytes) -> Dict[str, str]:
    """Return the digests beyond content that a source file called ``name`` has; may be none."""
    if len(data) > LARGEST:
        return {}
    if name.endswith((".py", ".pyi")):
        found, algorithm = python_tokens_digest(data), PYTHON
    elif name.endswith(".ipynb"):
        found, algorithm = notebook_code_digest(data), NOTEBOOK
    else:
        return {}
    return {} if found is None else {algorithm: found}


def python_tokens_digest(source: bytes) -> Optional[str]:
    """Return the ``python-tokens-1`` digest, or None where ``source`` is not readable as Python."""
    text = _decoded(source)
    if text is None or _FORBIDDEN.search(text):
        return None
    try:
        return _digest(_without_comments(text))
    except (_Unreadable, RecursionError):
        return None


def notebook_code_digest(source: bytes) -> Optional[str]:
    """Return the ``notebook-code-1`` digest, or None where ``source`` is not a notebook."""
    try:
        document = json.loads(source.decode("utf-8"))
        sheets = document.get("worksheets") or [document]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [_cell_source(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    text = json.dumps([cell for cell in code if cell], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _cell_source(cell: Dict[str, Any]) -> str:
    source = cell["source"] if "source" in cell else cell["input"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").rstrip()


def _decoded(source: bytes) -> Optional[str]:
    encoding = "utf-8"
    for line in source.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match:
            encoding = match.group(1).decode("ascii")
            break
    if source.startswith(codecs.BOM_UTF8):
        source, encoding = source[3:], "utf-8"
    try:
        text: Any = codecs.lookup(encoding).decode(source, "strict")[0]
    except (LookupError, ValueError, TypeError):
        return None
    if not isinstance(text, str):
        return None
    return str(text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_comments(text: str) -> _Code:
    """Return the code of ``text``. Raises `_Unreadable`."""
    pieces: List[str] = []
    strings: List[str] = []
    position, size = 0, len(text)
    while True:
        mark = _MARK.search(text, position)
        if mark is None:
            pieces.append(text[position:])
            return _Code("".join(pieces), tuple(strings))
        at = mark.start()
        if text[at] == "#":
            pieces.append(text[position:at])
            position = text.find("\n", at)
            position = size if position < 0 else position
        elif text[at] == "\\":
            if text[at + 1 : at + 2] != "\n":
                raise _Unreadable
            pieces.append(text[position:at] + " ")
            position = at + 2
        else:
            start, end, formatted = _string(text, at, position)
            pieces.append(text[position:start] + (_FSTRING if formatted else _STRING))
            strings.append(text[start:end])
            position = end


def _string(text: str, at: int, floor: int) -> Tuple[int, int, bool]:
    """Return start (with prefix), end, and whether it is an f-string, of the string quoted at."""
    start = at
    while start > floor and at - start < 2 and text[start - 1] in _PREFIX_LETTERS:
        start -= 1
    if start > floor and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start = at
    quote = text[at : at + 3] if text.startswith(text[at] * 3, at) else text[at]
    prefix = text[start:at].lower()
    if "f" in prefix or "t" in prefix:
        return start, _literal_end(text, at + len(quote), quote, "r" in prefix), True
    end = _END[quote].match(text, at + len(quote))
    if end is None:
        raise _Unreadable
    return start, end.end(), False


def _literal_end(text: str, position: int, quote: str, raw: bool) -> int:
    """Return where the f-string ends whose text goes on at ``position``."""
    search = _LITERAL_MARK[quote].search
    while True:
        mark = search(text, position)
        if mark is None:
            raise _Unreadable
        position, found = mark.end(), mark.group()
        if found == quote:
            return position
        if found == "\n":
            if len(quote) == 1:
                raise _Unreadable
        elif found == "\\":
            position = _after_escape(text, position, raw)
        elif text.startswith("{", position):
            position += 1
        else:
            position = _field_end(text, position)


def _after_escape(text: str, position: int, raw: bool) -> int:
    if not raw and text.startswith("N{", position):
        end = text.find("}", position)
        if end < 0:
            raise _Unreadable
        return end + 1
    return position if text.startswith("{", position) else position + 1


def _field_end(text: str, position: int) -> int:
    """Return where the replacement field ends that was opened before ``position``."""
    depth = 0
    while True:
        mark = _FIELD_MARK.search(text, position)
        if mark is None:
            raise _Unreadable
        floor, position, found = position, mark.end(), mark.group()
        if found in "([{":
            depth += 1
        elif found == "}" and depth == 0:
            return position
        elif found in ")]}":
            depth -= 1
        elif found == "#":
            position = text.find("\n", position)
            if position < 0:
                raise _Unreadable
        elif found != ":":
            position = _string(text, mark.start(), floor)[1]
        elif depth == 0:
            return _format_end(text, position)


def _format_end(text: str, position: int) -> int:
    """Return where the replacement field ends whose format goes on at ``position``."""
    while True:
        close = text.find("}", position)
        if close < 0:
            raise _Unreadable
        nested = text.find("{", position, close)
        if nested < 0:
            return close + 1
        position = _field_end(text, nested + 1)


def _digest(code: _Code) -> str:
    """Return the digest of the tokens of ``code``. Raises `_Unreadable`."""
    keep_docstrings = _READS_DOCSTRINGS.search(code.text) is not None
    out: List[str] = []
    kept: List[str] = []
    indents = [0]
    depth = taken = 0
    for line in code.text.split("\n"):
        count = line.count(_STRING) + line.count(_FSTRING)
        strings = code.strings[taken : taken + count]
        taken += count
        if depth == 0:
            body = line.lstrip(" \t\f")
            if not body or not (keep_docstrings or body.strip(_STRING + " \t\f")):
                continue
            _indent(line[: len(line) - len(body)], indents, out)
        out.append(line)
        kept.extend(strings)
        depth += _opened(line)
        if depth < 0:
            raise _Unreadable
        out.append(" " if depth else "\n")
    if depth:
        raise _Unreadable
    tokens = _TOKEN.findall("".join(out))
    state = hashlib.sha256("\x1f".join(tokens).encode("utf-8", "surrogatepass"))
    for string in kept:
        raw = string.encode("utf-8", "surrogatepass")
        state.update(b"\x00%d\x00" % len(raw) + raw)
    return state.hexdigest()


def _opened(line: str) -> int:
    """Return how many more brackets ``line`` opens than it closes."""
    count = line.count
    return (count("(") + count("[") + count("{")) - (count(")") + count("]") + count("}"))


def _indent(lead: str, indents: List[int], out: List[str]) -> None:
    """Write what the indentation ``lead`` opens or closes. Raises `_Unreadable`."""
    width = len(lead.rpartition("\f")[2].expandtabs(8))
    if width > indents[-1]:
        indents.append(width)
        out.append(_INDENT)
    while width < indents[-1]:
        indents.pop()
        out.append(_DEDENT)
    if width != indents[-1]:
        raise _Unreadable


# ---- provenance.agent._observe -------------------------------------------------------------------
# Code, data and GPU as the drop-in test finds them, against what the lock recorded.

source_digests = digests

CHUNK_BYTES = 1 << 20
LARGE = 1 << 30
"""Bytes above which a file is digested only with ``PROV_FULL=1``: it would take seconds."""
_TREE = "-tree-1"
_DRIVER = "/proc/driver/nvidia/gpus/*/information"


def check_code(lock: Lock) -> Item:
    """Return whether the source files that the recorded run used are the same here."""
    equal, wrong, unknown = 0, [], 0
    for name, path, entry in files_of(lock, "code", "used"):
        state = _source_state(path, entry)
        if state is None:
            unknown += 1
        elif state:
            wrong.append("%s: %s." % (name, state))
        else:
            equal += 1
    total = equal + len(wrong)
    if not total:
        why = "no digest that can be checked" if unknown else "the lock names no source files"
        return Item("code", "code", SKIPPED, NONE, why)
    if not wrong:
        return Item("code", "code", PASSED, NONE, "", equal, total)
    text = "code differs from the recorded run's:\n" + "\n".join(wrong)
    return Item("code", "code", FAILED, BROKEN, text, equal, total)


def _source_state(path: Optional[str], entry: Mapping[str, Any]) -> Optional[str]:
    """Return what is wrong with a source file, "" for nothing, None where it cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    outside = (entry.get("path") or {}).get("root") in ("home", "abs") or entry.get("missing")
    if path is None or not os.path.isfile(path):
        return None if outside or path is None else "it is not here"
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        return "it cannot be read (%s)" % (error.strerror or error)
    if recorded.get("sha256") == hashlib.sha256(data).hexdigest():
        return ""
    shared = [(n, d) for n, d in source_digests(path, data).items() if n in recorded]
    if shared and all(recorded[n] == d for n, d in shared):
        return ""
    return "it has changed" if "sha256" in recorded or shared else None


def check_data(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return whether the data files that are here are those that the recorded run read."""
    equal, wrong, skipped = 0, [], []
    for name, path, entry in files_of(lock, "data", "files"):
        state, why = _data_state(path, entry, environ.get("PROV_FULL") == "1")
        if state is None:
            skipped.append("%s: %s" % (name, why))
        elif state:
            equal += 1
        else:
            wrong.append("%s: it has other content." % name)
    total = equal + len(wrong)
    if wrong:
        text = "data differs from what the recorded run read:\n" + "\n".join(wrong)
        return Item("data", "data", FAILED, BROKEN, text, equal, total)
    if skipped:
        more = "" if len(skipped) <= LISTED else " and %d more" % (len(skipped) - LISTED)
        text = "; ".join(skipped[:LISTED]) + more
        return Item("data", "data", SKIPPED, NONE, text, equal, total)
    if not total:
        return Item("data", "data", SKIPPED, NONE, "the lock names no data files")
    return Item("data", "data", PASSED, NONE, "", equal, total)


def _data_state(
    path: Optional[str], entry: Mapping[str, Any], full: bool
) -> Tuple[Optional[bool], str]:
    """Return whether a data file is the recorded one, or None and why that cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    state = str(entry.get("state", "digested"))
    if state != "digested":
        return None, "%s when recorded" % state
    if path is None or not os.path.exists(path):
        return None, "not here"
    name = "sha256" + (_TREE if os.path.isdir(path) else "")
    if name not in recorded:
        return None, "no SHA-256 in the lock"
    try:
        if not full and (entry.get("size") or 0) > LARGE:
            return None, "more than 1 GiB (PROV_FULL=1 digests it)"
        left_out = frozenset(entry.get("left_out") or ())
        found = _tree(path, left_out) if os.path.isdir(path) else _file(path)
    except OSError as error:
        return None, error.strerror or "unreadable"
    return found == recorded[name], ""


def _file(path: str) -> str:
    state = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            state.update(chunk)
    return state.hexdigest()


def _tree(folder: str, left_out: FrozenSet[str]) -> str:
    """Return the digest of a folder as records have it: canonical JSON of its sorted files."""
    rows: List[List[Any]] = []
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in names + links:
            path = os.path.join(parent, name)
            below = os.path.relpath(path, folder).replace(os.sep, "/")
            if below in left_out:
                continue
            if os.path.islink(path):
                rows.append([below, -1, os.readlink(path)])
            else:
                rows.append([below, os.lstat(path).st_size, _file(path)])
    rows.sort(key=lambda row: os.fsencode(row[0]))
    return hashlib.sha256(canonical.compact(rows)).hexdigest()


def check_gpu(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return whether a GPU is here if the recorded run had one; models are only compared."""
    recorded: List[str] = []
    stated = False
    for run in lock.runs:
        for payload in payloads(run, "hardware"):
            stated = stated or "gpus" in payload
            recorded.extend(str(gpu.get("name", "GPU")) for gpu in payload.get("gpus") or ())
    if not stated:
        return Item("gpu", "GPU", SKIPPED, NONE, "the lock says nothing of GPUs")
    if not recorded:
        return Item("gpu", "GPU", SKIPPED, NONE, "the recorded run had none")
    here = _models()
    told = of_cards(lock, recorded, here)
    if told:
        text = "%s here; the recorded run used %s." % (here[0] if here else "No GPU", recorded[0])
        full = "\n".join([text, *told])
        return Item("gpu", "GPU", ended(POSSIBLE, environ), POSSIBLE, full, 0, 1)
    if not here:
        return Item("gpu", "GPU", SKIPPED, NONE, "none here; the recorded run had %s" % recorded[0])
    if set(here) & set(recorded):
        return Item("gpu", "GPU", PASSED, NONE, "", 1, 1)
    text = "%s here; the recorded run used %s." % (here[0], recorded[0])
    return Item("gpu", "GPU " + here[0], WARNED, UNKNOWN, text, 0, 1)


def _models() -> List[str]:
    """Return the models of the NVIDIA GPUs here, as the driver names them."""
    found = []
    for path in sorted(glob.glob(_DRIVER)):
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                lines = stream.read().split("\n")
        except OSError:
            continue
        for line in lines:
            label, _, value = line.partition(":")
            if label.strip() == "Model" and value.strip():
                found.append(value.strip())
    return found


# ---- provenance.agent._places --------------------------------------------------------------------
# Where recorded uses stand in a file that was edited since, and what they pass there now.
#
# Calls are found again by the last name of what is called and by their order; that needs no more
# than
# the file. What else was used moves with the call before it.


def moved(uses: Sequence[Use], source: str) -> Tuple[Use, ...]:
    """Return the ``uses`` of one file as they stand in ``source``; as they are if unreadable.

    Where a name is called more or less often than it was, and for several things, its uses are
    only moved; where it stood for one thing, each call of it counts as that, none as none.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return tuple(uses)
    calls = _calls(tree)
    before: Dict[str, List[Use]] = {}
    for use in uses:
        if use.kind == CALL and not use.symbol.endswith("__"):
            before.setdefault(_name_of(use), []).append(use)
    shifts: List[Tuple[int, int]] = []
    found: List[Use] = []
    for name, own in before.items():
        now = calls.get(name, [])
        if len(own) == len(now):
            shifts += [(use.line, call.lineno - use.line) for use, call in zip(own, now)]
            found += [_at(call, use) for use, call in zip(own, now)]
        elif len({use.symbol for use in own}) == 1 and (now or name not in source):
            found += [_at(call, own[0]._replace(arguments=(), keywords={})) for call in now]
        else:
            continue
        uses = [use for use in uses if use not in own]
    found += [use._replace(line=use.line + _shift(use.line, shifts)) for use in uses]
    return tuple(sorted(found, key=lambda use: use.line))


def _name_of(use: Use) -> str:
    return use.symbol.rpartition(".")[2]


def _calls(tree: ast.Module) -> Dict[str, List[ast.Call]]:
    """Return the calls of a file in their order, by the last name of what is called."""
    names = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    found: Dict[str, List[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            found.setdefault(names.get(name, name), []).append(node)
    for calls in found.values():
        calls.sort(key=lambda call: call.lineno)
    return found


def _at(call: ast.Call, use: Use) -> Use:
    """Return ``use`` with place and arguments of ``call``; what is no literal stays as recorded."""
    stars = any(isinstance(one, ast.Starred) for one in call.args)
    plain = [one for one in call.args if not isinstance(one, ast.Starred)]
    known = list(use.arguments) + [None] * len(plain)
    return use._replace(
        line=call.lineno,
        arguments=tuple(_constant(node, old) for node, old in zip(plain, known)),
        keywords={
            word.arg: _constant(word.value, use.keywords.get(word.arg))
            for word in call.keywords
            if word.arg is not None
        },
        spread=stars or any(word.arg is None for word in call.keywords),
    )


def _constant(node: ast.AST, recorded: Any) -> Any:
    """Return a literal as a recorded use holds it; of anything else what was ``recorded``."""
    try:
        return _as_recorded(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return recorded


def _as_recorded(value: Any) -> Any:
    if value is None:
        return {"name": "None"}
    if isinstance(value, (list, tuple)):
        return [_as_recorded(one) for one in value]
    if isinstance(value, dict):
        return {"dict": {str(key): _as_recorded(one) for key, one in value.items()}}
    return value if isinstance(value, (bool, int, float, str)) else None


def _shift(line: int, shifts: Sequence[Tuple[int, int]]) -> int:
    """Return by how much the last call at or above ``line`` moved."""
    above = [one for one in sorted(shifts) if one[0] <= line]
    return above[-1][1] if above else 0


# ---- provenance.core.distributions ---------------------------------------------------------------
# What is installed for an interpreter, read from the folders on its ``sys.path``.
#
# Works from outside the interpreter (nothing is imported or run) and inside it; needs no network
# and
# no ``importlib.metadata``, which 3.7 lacks and which is several times slower. Also packed into the
# drop-in test, therefore self-contained.

HEADER_BYTES = 4096
"""Name and Version stand in the first lines of METADATA; long descriptions come after them."""

_SEPARATORS = re.compile(r"[-_.]+")


class Distribution(NamedTuple):
    """One installed distribution, as the interpreter that owns the ``sys.path`` sees it.

    name: as its metadata writes it. key: the name in the form of PEP 503, by which names are
    compared. location: the folder on ``sys.path``. folder: of its metadata (a file for old eggs).
    installer: "pip", "uv", "conda"; "" where not stated. requested: asked for by name, not pulled
    in. direct_url: as in PEP 610, credentials and all: redact before writing. editable_root: the
    project folder of an editable install, else "". record_sha256: of what the RECORD says of the
    package's own files (see `_record`); "" where there is no RECORD. modules: importable names,
    dotted below namespace packages. note: what is wrong with it, else "".
    """

    name: str
    key: str
    version: str
    location: str
    folder: str
    installer: str = ""
    requested: bool = False
    direct_url: Dict[str, Any] = {}
    editable_root: str = ""
    record_sha256: str = ""
    modules: Tuple[str, ...] = ()
    note: str = ""


def versions_in(sys_path: Sequence[str]) -> Dict[str, Distribution]:
    """Return every distribution on ``sys_path`` by key: name, version and place, nothing more."""
    found: Dict[str, Distribution] = {}
    for folder in _distinct(sys_path):
        here: Dict[str, Distribution] = {}
        for one in _in_folder(folder, {}, _headed):
            here[one.key] = _better(here[one.key], one) if one.key in here else one
        for key, one in here.items():
            found.setdefault(key, one)
    return found


def key_of(name: str) -> str:
    """Return a distribution's name in the form by which names are compared (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _distinct(sys_path: Sequence[str]) -> Iterator[str]:
    seen = set()
    for entry in sys_path:
        folder = os.path.abspath(entry or os.curdir)
        if folder not in seen:
            seen.add(folder)
            yield folder


def _in_folder(
    folder: str, links: Dict[str, str], read: Callable[[str, str], Distribution]
) -> Iterator[Distribution]:
    """Yield the distributions right inside ``folder``; note egg-links in ``links``."""
    try:
        names = sorted(os.listdir(folder))
    except NotADirectoryError:
        if folder.endswith(".egg"):
            yield _by_name(os.path.basename(folder), os.path.dirname(folder), "packed egg")
        return
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            if name.startswith("~"):
                yield _by_name(name, folder, "half removed")
            else:
                yield read(folder, name)
        elif name == "EGG-INFO" and folder.endswith(".egg"):
            yield read(folder, name)
        elif name.endswith(".egg-link"):
            root = _bytes(os.path.join(folder, name)).decode("utf-8", "replace").split("\n")[0]
            if root.strip():
                links[key_of(name[:-9])] = os.path.abspath(root.strip())


def _headed(location: str, entry: str) -> Distribution:
    """Return what the header of the metadata ``entry`` of the folder ``location`` tells."""
    folder = os.path.join(location, entry)
    header = _metadata(folder, ("METADATA", "PKG-INFO")) or _bytes(folder, HEADER_BYTES)
    return _named(header, location, folder)


def _metadata(folder: str, files: Any) -> bytes:
    for name in ("METADATA", "PKG-INFO"):
        header = _bytes(os.path.join(folder, name), HEADER_BYTES) if name in files else b""
        if header:
            return header
    return b""


def _named(header: bytes, location: str, folder: str) -> Distribution:
    """Return a distribution with the name and version of ``header``, else of its folder's name."""
    header = header.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    name, version = _field(header, b"Name:"), _field(header, b"Version:")
    if name and version:
        return Distribution(name, key_of(name), version, location, folder)
    return _by_name(os.path.basename(folder), location, "no metadata")


def _field(header: bytes, name: bytes) -> str:
    start = 0 if header.startswith(name) else header.find(b"\n" + name) + 1
    if not start and not header.startswith(name):
        return ""
    value = header[start + len(name) :].partition(b"\n")[0]
    return value.strip().decode("utf-8", "replace")


def _by_name(entry: str, location: str, note: str) -> Distribution:
    """Return what the name of a metadata folder tells: ``name-version[-py3.8].dist-info``."""
    stem = re.sub(r"(-py\d[\d.]*(-[^-]+)?)?\.(dist-info|egg-info|egg)$", "", entry)
    match = re.match(r"(.+?)-(\d.*)$", stem)
    name, version = match.groups() if match else (stem, "")
    return Distribution(
        name, key_of(name), version, location, os.path.join(location, entry), note=note
    )


def _better(old: Distribution, new: Distribution) -> Distribution:
    """Return which of two entries of one name in one folder counts: the newer whole one."""
    whole = (not old.note, not new.note)
    if whole[0] != whole[1]:
        return old if whole[0] else new
    ordered = versions.is_version(old.version) and versions.is_version(new.version)
    later = new if ordered and versions.key(new.version) >= versions.key(old.version) else old
    other = old if later is new else new
    return later._replace(note="also version %s in the same folder" % (other.version or "unknown"))


def _bytes(path: str, limit: int = 0) -> bytes:
    """Return (the first ``limit`` bytes of) a file, nothing where it cannot be read.

    System calls, because 1,500 of these small reads make a third of a scan's time.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        size = limit or os.fstat(handle).st_size + 1
        data = os.read(handle, size)
        while not limit and len(data) >= size:
            more = os.read(handle, size)
            if not more:
                break
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(handle)


# ---- provenance.core._modulefiles ----------------------------------------------------------------
# Modules on a ``sys.path`` as their source has them: what each binds, without importing it.

SOURCE, STUB, COMPILED, NAMESPACE = "source", "stub", "compiled", "namespace"

MOST_BYTES = 4 << 20
"""Bytes above which a module is not read: generated code."""
_ENDINGS = (".so", ".pyd")


class Binding(NamedTuple):
    """What a module binds a name to.

    kind: "definition" (a function or class), "from", "import" or "value". node: syntax of a
    definition or value. nodes: all of them, of an overloaded function. module, name: where an
    import takes it from; module is absolute.
    """

    kind: str
    node: Any = None
    nodes: Tuple[Any, ...] = ()
    module: str = ""
    name: str = ""


class Module(NamedTuple):
    """One module. how: `SOURCE`, `STUB`, `COMPILED`, `NAMESPACE`. stars: modules taken whole.

    lazy: names that are loaded at their first use, with the modules that may hold them.
    dynamic: whether names may appear that its source does not bind.
    """

    name: str
    path: str
    how: str
    bindings: Dict[str, Binding] = {}
    stars: Tuple[str, ...] = ()
    lazy: Dict[str, Tuple[str, ...]] = {}
    dynamic: bool = False


class Modules:
    """The modules below the folders of ``sys_path``, each read once."""

    def __init__(self, sys_path: Sequence[str]) -> None:
        self._path = [folder for folder in sys_path if folder]
        self._read: Dict[str, Optional[Module]] = {}
        self._listed: Dict[str, Tuple[str, ...]] = {}

    def get(self, name: str) -> Optional[Module]:
        """Return the module ``name``, None where there is none."""
        if name not in self._read:
            self._read[name] = None
            found = self._find(name)
            if found is not None:
                self._read[name] = _parsed(name, *found)
        return self._read[name]

    def files(self) -> List[str]:
        """Return the files and folders whose content decided what was read, and the path's own."""
        found = [one.path for one in self._read.values() if one is not None]
        return sorted({*found, *self._path, *self._listed})

    def may_bind(self, module: str, name: str) -> bool:
        """Return whether ``module`` may bind ``name``, by a look at its text where it is unread."""
        if module in self._read:
            return self._read[module] is not None
        found = self._find(module)
        if found is None or found[1] not in (SOURCE, STUB):
            return found is not None
        try:
            with open(found[0], "rb") as stream:
                raw = stream.read(MOST_BYTES)
        except OSError:
            return False
        return any(one in raw for one in (name.encode("utf-8"), b"import *", b"__getattr__"))

    def _find(self, name: str) -> Optional[Tuple[str, str]]:
        """Return path and kind of the file of module ``name``."""
        relative = os.path.join(*name.split(".")) if all(name.split(".")) else ""
        namespace = None
        for folder in self._path if relative else ():
            base = os.path.join(folder, relative)
            found = self._file(base)
            if found is not None:
                return found
            if namespace is None and os.path.isdir(base):
                namespace = base, NAMESPACE
        return namespace

    def _file(self, base: str) -> Optional[Tuple[str, str]]:
        package = os.path.join(base, "__init__.py")
        if os.path.isfile(package):
            return package, SOURCE
        if os.path.isfile(base + ".py"):
            return base + ".py", SOURCE
        compiled = self._compiled(base)
        if not compiled:
            return None
        return (base + ".pyi", STUB) if os.path.isfile(base + ".pyi") else (compiled, COMPILED)

    def _compiled(self, base: str) -> str:
        folder, stem = os.path.split(base)
        for name in self._names(folder):
            if name.startswith(stem + ".") and name.endswith(_ENDINGS):
                return os.path.join(folder, name)
        return ""

    def _names(self, folder: str) -> Tuple[str, ...]:
        if folder not in self._listed:
            try:
                names = tuple(n for n in os.listdir(folder) if n.endswith(_ENDINGS))
            except OSError:
                names = ()
            self._listed[folder] = names
        return self._listed[folder]


def _parsed(name: str, path: str, how: str) -> Module:
    if how in (COMPILED, NAMESPACE):
        return Module(name, path, how, dynamic=True)
    tree = _syntax(path)
    if tree is None:
        return Module(name, path, COMPILED, dynamic=True)
    reader = _Reader(name, os.path.basename(path).startswith("__init__."))
    reader.block(tree.body)
    stub = path + "i"
    if reader.dynamic and how == SOURCE and os.path.isfile(stub):
        # lazy_loader.attach_stub: the stub beside the package says what it loads
        other = _syntax(stub)
        if other is not None:
            reader.block(other.body, weak=True)
    if reader.dynamic:
        reader.look_for_tables(tree)
    return Module(
        name, path, how, reader.bindings, tuple(reader.stars), reader.lazy, reader.dynamic
    )


def _syntax(path: str) -> Optional[ast.Module]:
    try:
        if os.path.getsize(path) > MOST_BYTES:
            return None
        with open(path, "rb") as stream:
            return ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    """Goes through the statements of one module; branches are all taken, the first one wins."""

    def __init__(self, module: str, package: bool) -> None:
        self._package = module if package else module.rpartition(".")[0]
        self._weak: Dict[str, bool] = {}
        self.bindings: Dict[str, Binding] = {}
        self.stars: List[str] = []
        self.lazy: Dict[str, Tuple[str, ...]] = {}
        self.dynamic = False

    def block(self, body: Iterable[ast.stmt], weak: bool = False) -> None:
        """Take the bindings of ``body``; weak: only of names that have none."""
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._define(statement, weak)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    top = alias.name.partition(".")[0]
                    target = alias.name if alias.asname else top
                    self._bind(alias.asname or top, Binding("import", module=target), weak)
            elif isinstance(statement, ast.ImportFrom):
                self._import_from(statement, weak)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
                self._assign(statement, weak)
            else:
                self._inside(statement, weak)

    def _inside(self, statement: ast.stmt, weak: bool) -> None:
        body = getattr(statement, "body", None)
        if not isinstance(body, list):
            return
        checking = isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test)
        self.block(body, weak or checking)
        for handler in getattr(statement, "handlers", ()):
            self.block(handler.body, weak=True)
        self.block(getattr(statement, "orelse", ()), weak=not checking or weak)
        self.block(getattr(statement, "finalbody", ()), weak)

    def _define(self, node: Any, weak: bool) -> None:
        if node.name in ("__getattr__", "__dir__"):
            self.dynamic = True
        before = self.bindings.get(node.name)
        nodes: Tuple[Any, ...] = (node,)
        if before is not None and before.nodes and is_overload(before.nodes[-1]):
            nodes = before.nodes + nodes if is_overload(node) else nodes
        self._bind(node.name, Binding("definition", node, nodes), weak)

    def _import_from(self, node: ast.ImportFrom, weak: bool) -> None:
        source = absolute(self._package, node.level, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(source)
            else:
                one = Binding("from", module=source, name=alias.name)
                self._bind(alias.asname or alias.name, one, weak)

    def _assign(self, node: Any, weak: bool) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                self._bind(target.id, Binding("value", node.value), weak)
            elif isinstance(target, (ast.Tuple, ast.List)):
                names = [one.id for one in target.elts if isinstance(one, ast.Name)]
                self.dynamic = self.dynamic or "__getattr__" in names
            elif isinstance(target, ast.Subscript) and "modules" in ast.dump(target.value):
                self.dynamic = True

    def _bind(self, name: str, one: Binding, weak: bool) -> None:
        if weak and name in self.bindings:
            return
        if name in self.bindings and not weak and self._weak.get(name) is False:
            # `def f` and then `f = decorate(f)`: the definition says more
            known = self.bindings[name]
            if known.kind == "definition" and one.kind == "value" and _mentions(one.node, name):
                return
        self.bindings[name] = one
        self._weak[name] = weak

    def look_for_tables(self, tree: ast.Module) -> None:
        """Take the tables from which lazy loaders serve: {module: [names]}, {name: module}."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values):
                    if key is not None:
                        self._row(_literal(key), _literal(value))
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                index: Any = node.targets[0].slice
                key_node = getattr(index, "value", index) if not _is_text(index) else index
                self._row(_literal(key_node), _literal(node.value))

    def _row(self, key: Any, value: Any) -> None:
        if not isinstance(key, str):
            return
        if isinstance(value, str) or (isinstance(value, tuple) and value):
            place = value if isinstance(value, str) else value[0]
            if isinstance(place, str) and place.replace(".", "").isidentifier():
                self._serve(key, place)
        if isinstance(value, (list, tuple, set)):
            for name in value:
                if isinstance(name, str):
                    self._serve(name, key)

    def _serve(self, name: str, place: str) -> None:
        inner = place.lstrip(".")
        places = (self._package + "." + inner, inner) if self._package else (inner,)
        known = self.lazy.get(name, ())
        if len(known) < 8:
            self.lazy[name] = known + tuple(one for one in places if one not in known)


def absolute(package: str, level: int, module: str) -> str:
    """Return the module that ``from ...module import`` in ``package`` names."""
    if not level:
        return module
    parts = package.split(".")
    base = parts[: len(parts) - level + 1]
    return ".".join([*base, module] if module else base)


def is_overload(node: Any) -> bool:
    """Return whether a definition is one of several ``@overload``."""
    for one in getattr(node, "decorator_list", ()):
        if getattr(one, "attr", getattr(one, "id", "")) == "overload":
            return True
    return False


def _literal(node: Any) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _is_text(node: Any) -> bool:
    return isinstance(_literal(node), str)


def _mentions(node: Any, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


# ---- provenance.core._parameters -----------------------------------------------------------------
# Parameters of a function as plain JSON, from its syntax tree; nothing is executed.
#
# The form is that of `core.interfaces`: ``{"name", "kind", "default"}`` with the kinds below, in
# the
# order of the signature, without ``self``. A default is a literal as it is; otherwise an object
# with
# one member: ``name`` (a class, function or constant by dotted name), ``code`` (an expression),
# ``dict``, ``set``, ``float`` (one that JSON lacks), ``unknown`` (a stub says "...").

POSITIONAL, EITHER, KEYWORD, REST, OPTIONS = "positional", "either", "keyword", "*", "**"

UNKNOWN_DEFAULT: Dict[str, Any] = {"unknown": True}
MOST_TEXT = 200
_MOST_ITEMS = 50
_LARGEST = 1 << 64

Named = Callable[[ast.AST], Any]
"""Returns the default form of a name or attribute."""

_OPERATORS: Dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def of_function(node: Any, named: Named, bound: bool = False) -> List[Dict[str, Any]]:
    """Return the parameters of a function's syntax ``node``; bound: leave out the first one."""
    found: List[Dict[str, Any]] = []
    args = node.args
    before = list(getattr(args, "posonlyargs", ()))
    plain = before + list(args.args)
    defaults: List[Optional[ast.AST]] = [None] * (len(plain) - len(args.defaults))
    defaults += args.defaults
    for place, (one, default) in enumerate(zip(plain, defaults)):
        hidden = place < len(before) or (one.arg.startswith("__") and not one.arg.endswith("__"))
        found.append(_parameter(one.arg, POSITIONAL if hidden else EITHER, default, named))
    if bound and found:
        found.pop(0)
    if args.vararg is not None:
        found.append({"name": args.vararg.arg, "kind": REST})
    for one, default in zip(args.kwonlyargs, args.kw_defaults):
        found.append(_parameter(one.arg, KEYWORD, default, named))
    if args.kwarg is not None:
        found.append({"name": args.kwarg.arg, "kind": OPTIONS})
    return found


def _parameter(name: str, kind: str, default: Optional[ast.AST], named: Named) -> Dict[str, Any]:
    one: Dict[str, Any] = {"name": name, "kind": kind}
    if default is not None:
        one["default"] = form_of(default, named)
    return one


def of_fields(node: ast.ClassDef, named: Named) -> List[Dict[str, Any]]:
    """Return the fields that the body of a data class or typed named tuple declares."""
    found = []
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if dotted(statement.annotation).rpartition(".")[2] == "ClassVar":
            continue
        default: Optional[ast.AST] = statement.value
        kind = EITHER
        if isinstance(default, ast.Call) and dotted(default.func).rpartition(".")[2] == "field":
            settings = {word.arg: word.value for word in default.keywords}
            if _is(settings.get("init"), False):
                continue
            kind = KEYWORD if _is(settings.get("kw_only"), True) else EITHER
            default = settings.get("default", settings.get("default_factory"))
        found.append(_parameter(statement.target.id, kind, default, named))
    return found


def _is(node: Optional[ast.AST], value: Any) -> bool:
    try:
        return node is not None and ast.literal_eval(node) is value
    except (ValueError, TypeError):
        return False


def form_of(node: ast.AST, named: Named) -> Any:
    """Return the default form of an expression."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        return named(node)
    try:
        return form(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    number = _number(node)
    if number is not None:
        return form(number)
    if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) <= _MOST_ITEMS:
        return [form_of(item, named) for item in node.elts]
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        empty = {"dict": {"dict": {}}, "list": [], "tuple": [], "set": {"set": []}}
        if dotted(node.func) in empty:
            return empty[dotted(node.func)]
    return {"code": text_of(node, named)[:MOST_TEXT]}


def form(value: Any) -> Any:
    """Return the default form of a literal's value."""
    if value is Ellipsis:
        return dict(UNKNOWN_DEFAULT)
    if value is None or isinstance(value, (bool, str)):
        return value[:MOST_TEXT] if isinstance(value, str) else value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else {"code": hex(value)[:MOST_TEXT]}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, (list, tuple)) and len(value) <= _MOST_ITEMS:
        return [form(item) for item in value]
    if isinstance(value, (set, frozenset)) and len(value) <= _MOST_ITEMS:
        return {"set": sorted((form(item) for item in value), key=repr)}
    if isinstance(value, dict) and len(value) <= _MOST_ITEMS:
        return {"dict": {str(key): form(item) for key, item in value.items()}}
    return {"code": repr(value)[:MOST_TEXT]}


def _number(node: ast.AST) -> Any:
    """Return the value of arithmetic on numbers, None where it is not just that."""
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left), _number(node.right)
        if left is None or right is None:
            return None
        try:
            if isinstance(node.op, ast.Pow):
                return left**right if abs(right) <= 64 and abs(left) <= 1000 else None
            if isinstance(node.op, ast.LShift):
                return left << right if right <= 64 else None
            apply = _OPERATORS.get(type(node.op))
            return apply(left, right) if apply else None
        except (ArithmeticError, TypeError, ValueError):
            return None
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        make = {"float": float, "int": int}.get(dotted(node.func))
        try:
            return make(ast.literal_eval(node.args[0])) if make else None
        except (ValueError, TypeError, OverflowError):
            return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def dotted(node: Optional[ast.AST]) -> str:
    """Return the dotted name that ``node`` is, of a subscript what it is taken from; "" else."""
    parts: List[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *parts[::-1]])
        else:
            return ""


def text_of(node: ast.AST, named: Named) -> str:
    """Return a stable text for an expression: names resolved, layout and quotes left out."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        found = named(node)
        return str(found["name"]).rpartition(".")[2] if _has_name(found) else repr(found)
    if isinstance(node, ast.Call):
        words = [text_of(one, named) for one in node.args]
        words += ["%s=%s" % (one.arg, text_of(one.value, named)) for one in node.keywords]
        return "%s(%s)" % (text_of(node.func, named), ", ".join(words))
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        parts = [text_of(child, named) for child in _expressions(node)]
        return "%s(%s)" % (type(node).__name__.lower(), ", ".join(parts))


def _has_name(found: Any) -> bool:
    return isinstance(found, dict) and "name" in found


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    return (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def merged(overloads: List[List[Dict[str, Any]]]) -> Tuple[List[Dict[str, Any]], bool]:
    """Return one list of parameters for several overloads, and whether they agree on the order.

    A parameter that only some have, or whose defaults differ, has an unknown default.
    """
    longest = max(overloads, key=len)
    agree = all([p["name"] for p in one] == [p["name"] for p in longest] for one in overloads)
    found = []
    for one_of in longest:
        parameter, name = one_of, one_of["name"]
        same = [p for one in overloads for p in one if p["name"] == name]
        given = [p["default"] for p in same if "default" in p]
        if given:
            known = [d for d in given if d != UNKNOWN_DEFAULT]
            equal = known and all(d == known[0] for d in known)
            parameter = dict(parameter, default=known[0] if equal else dict(UNKNOWN_DEFAULT))
        elif len(same) < len(overloads):
            parameter = dict(parameter, default=dict(UNKNOWN_DEFAULT))
        found.append(parameter)
    return found, agree


# ---- provenance.core._symbols --------------------------------------------------------------------
# From a symbol as the user reaches it to its definition in the sources of a library.
#
# Follows re-exports, star imports, tables of lazy loaders, plain assignments and base classes;
# stubs
# stand for compiled modules. Nothing is imported.

DEFINED, MODULE, VALUE, DARK, ABSENT = "defined", "module", "value", "dark", "absent"

Seen = FrozenSet[Tuple[str, str]]

_DEEPEST = 40
_MOST_STARS = 60
"""A package that takes more modules whole is a catalogue: all of them would take seconds."""
_ALSO: Tuple[Tuple[str, str], ...] = (
    ("keras.", "tensorflow.keras."),
    ("keras.", "tf_keras."),
    ("keras.", "keras.api."),
    ("keras.", "keras.src."),
    ("tensorflow.keras.", "keras."),
    ("tensorflow.keras.", "keras.api._v2.keras."),
    ("keras.", "keras.api._v2.keras."),
    ("keras.", "tensorflow.python.keras."),
    ("tensorflow.", "tensorflow._api.v2."),
    ("pytorch_lightning.", "lightning.pytorch."),
    ("pandas.", "pandas.core.groupby.generic."),
    ("pandas.", "pandas.core.groupby.groupby."),
)
"""Where else a symbol may stand: `_types.spelled` writes several places of one thing as one."""

_PLAIN_BASES = frozenset("object ABC Generic Protocol type Mapping Iterable Hashable".split())
"""Bases that have no constructor of their own."""


class Place(NamedTuple):
    """What a name means. kind: `DEFINED`, `MODULE`, `VALUE`, `DARK` (cannot be read) or `ABSENT`.

    name: dotted, where it is defined. module: in which it stands. nodes: its syntax, several of an
    overloaded function. why: what keeps a dark one from being read.
    """

    kind: str
    name: str = ""
    module: Optional[Module] = None
    nodes: Tuple[Any, ...] = ()
    why: str = ""

    @property
    def node(self) -> Any:
        """The last of its syntax nodes."""
        return self.nodes[-1]

    @property
    def is_class(self) -> bool:
        """Whether it is the definition of a class."""
        return self.kind == DEFINED and isinstance(self.node, ast.ClassDef)


class Method(NamedTuple):
    """A function found in a class or one of its bases; owner: that class.

    dark: why a base before it could not be read.
    """

    place: Optional[Place]
    owner: Optional[Place] = None
    dark: str = ""


class Symbols:
    """Finds definitions below the folders of one ``sys.path``."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._found: Dict[Tuple[str, str], Place] = {}

    def find(self, symbol: str) -> Place:
        """Return what ``symbol`` means, under the names that stand for the same thing too."""
        first = self.walk(symbol)
        if first.kind == DEFINED:
            return first
        for prefix, other in _ALSO:
            if symbol.startswith(prefix) and not symbol.startswith(other):
                found = self.walk(other + symbol[len(prefix) :])
                if found.kind == DEFINED:
                    return found
        return first

    def walk(self, symbol: str) -> Place:
        """Return what ``symbol`` means, taken name by name."""
        parts = symbol.split(".")
        top = self._modules.get(parts[0])
        if top is None:
            return Place(ABSENT, symbol, why="%s is not installed" % parts[0])
        place = Place(MODULE, top.name, top)
        for index, part in enumerate(parts[1:]):
            before, place = place, self.member(place, part, frozenset())
            if place.kind == ABSENT and before.kind == MODULE:
                return self._as_modules(parts[: index + 1], parts[index + 1 :]) or place
            if place.kind in (DARK, ABSENT):
                return place
        return place

    def _as_modules(self, head: List[str], rest: List[str]) -> Optional[Place]:
        """Return the meaning where a package does not bind what is a module all the same."""
        name = ".".join(head)
        while len(rest) > 1:
            name, rest = name + "." + rest[0], rest[1:]
            module = self._modules.get(name)
            if module is not None:
                place = Place(MODULE, name, module)
                for part in rest:
                    place = self.member(place, part, frozenset())
                return place if place.kind == DEFINED else None
        return None

    def member(self, place: Place, name: str, seen: Seen) -> Place:
        """Return what ``name`` means in a module or class."""
        if place.kind == MODULE and place.module is not None:
            return self.bound(place.module, name, seen)
        whole = place.name + "." + name
        if not place.is_class:
            return Place(DARK, whole, why=place.why or "made at run time")
        found = self.method(place, name)
        if found.place is not None:
            return found.place
        return Place(DARK if found.dark else ABSENT, whole, why=found.dark)

    def bound(self, module: Module, name: str, seen: Seen) -> Place:
        """Return what ``name`` means in ``module``."""
        key = (module.name, name)
        if key in seen or len(seen) > _DEEPEST:
            return Place(ABSENT, module.name + "." + name)
        if key in self._found:
            return self._found[key]
        found = self._bound(module, name, seen | {key})
        if found.kind != ABSENT or not seen:  # absent may be only for this way of coming here
            self._found[key] = found
        return found

    def _bound(self, module: Module, name: str, seen: Seen) -> Place:
        whole = module.name + "." + name
        if module.how == COMPILED:
            return Place(DARK, whole, module, why="compiled")
        binding = module.bindings.get(name)
        if binding is not None:
            found = self._of_binding(module, name, binding, seen)
            if found.kind != ABSENT:
                return found
        starred = self._from_stars(module, name, seen)
        if starred is not None and starred.kind != DARK:
            return starred
        below = self._modules.get(whole)
        if below is not None and below.how != NAMESPACE:
            return Place(MODULE, whole, below)
        for source in module.lazy.get(name, ()):
            found = self._taken(source, name, seen)
            if found.kind in (DEFINED, MODULE):
                return found
        if below is not None:
            return Place(MODULE, whole, below)
        if starred is not None:
            return starred
        if module.dynamic:
            return Place(DARK, whole, module, why="loaded at its first use")
        return Place(ABSENT, whole, module, why="not in %s" % module.name)

    def _from_stars(self, module: Module, name: str, seen: Seen) -> Optional[Place]:
        dark = None
        for source in _likely(module.stars, name):
            other = self._modules.get(source) if self._modules.may_bind(source, name) else None
            if other is None:
                continue
            found = self.bound(other, name, seen)
            if found.kind == DARK:
                dark = found
            elif found.kind != ABSENT:
                return found
        return dark

    def _of_binding(self, module: Module, name: str, one: Binding, seen: Seen) -> Place:
        whole = module.name + "." + name
        if one.kind == "definition":
            return Place(DEFINED, whole, module, one.nodes)
        if one.kind == "import":
            other = self._modules.get(one.module)
            return Place(MODULE, one.module, other) if other else Place(ABSENT, whole)
        if one.kind == "from":
            return self._taken(one.module, one.name, seen)
        path = "" if isinstance(one.node, ast.Subscript) else dotted(one.node)
        if path:
            found = self.meaning(module, path, seen)
            if found.kind in (DEFINED, MODULE):
                return found
        return Place(VALUE, whole, module, (one.node,), "made at run time")

    def _taken(self, source: str, name: str, seen: Seen) -> Place:
        other = self._modules.get(source)
        if other is None:
            return Place(ABSENT, source + "." + name, why="%s is not there" % source)
        return self.bound(other, name, seen)

    def meaning(self, module: Module, path: str, seen: Seen) -> Place:
        """Return what the dotted name ``path`` means inside ``module``."""
        parts = path.split(".")
        place = self.bound(module, parts[0], seen)
        for part in parts[1:]:
            if place.kind not in (DEFINED, MODULE):
                break
            place = self.member(place, part, seen)
        return place

    def default(self, module: Module, node: ast.AST) -> Any:
        """Return the default form of a name that ``module`` uses: its value where it is plain."""
        path = dotted(node)
        place = self.meaning(module, path, frozenset()) if path else Place(ABSENT)
        name = {"name": (place.name if place.kind != ABSENT else "") or path or "?"}
        if place.kind != VALUE or isinstance(place.node, (ast.Call, ast.Name, ast.Attribute)):
            return name
        value = form_of(place.node, lambda one: {"name": dotted(one)})
        hidden = isinstance(value, dict) and ("code" in value or "name" in value)
        return name if hidden else value

    def method(self, place: Place, name: str) -> Method:
        """Return the function ``name`` of a class, looked for in its bases as Python would."""
        for one in self.line(place):
            if not one.is_class:
                return Method(None, None, "its base %s cannot be read" % one.name)
            found = tuple(n for n in _members(one.node) if getattr(n, "name", "") == name)
            if found:
                return Method(Place(DEFINED, one.name + "." + name, one.module, found), one)
        return Method(None)

    def line(self, place: Place) -> Iterator[Place]:
        """Yield a class and its bases, nearest first; one that cannot be read as a dark place."""
        return self._line(place, {place.name}, 0)

    def _line(self, place: Place, seen: Any, depth: int) -> Iterator[Place]:
        yield place
        if place.module is None or not place.is_class or depth > _DEEPEST:
            return
        for base in place.node.bases:
            path = dotted(base)
            if path.rpartition(".")[2] in _PLAIN_BASES:
                continue
            found = self.meaning(place.module, path, frozenset()) if path else Place(DARK)
            if found.kind != DEFINED:
                yield found._replace(kind=DARK, name=path or "?")
            elif found.name not in seen:
                seen.add(found.name)
                for one in self._line(found, seen, depth + 1):
                    yield one


def _likely(stars: Tuple[str, ...], name: str) -> List[str]:
    """Return the modules taken whole, later ones first; of very many those that sound alike."""
    if len(stars) <= _MOST_STARS:
        return list(reversed(stars))
    small = name.lower()
    alike = [one for one in stars if one.rpartition(".")[2].replace("_", "") in small]
    return sorted(alike, key=len, reverse=True)[:_MOST_STARS]


def _members(node: ast.ClassDef) -> Iterator[Any]:
    """Yield the statements of a class body, branches included."""
    for statement in node.body:
        if isinstance(statement, (ast.If, ast.Try)):
            for one in [*statement.body, *statement.orelse]:
                yield one
        else:
            yield statement


# ---- provenance.core.interfaces ------------------------------------------------------------------
# Signatures of a library's symbols, read from its installed sources; nothing is imported or run.
#
# A signature is plain JSON, the same that the rehearsal reads from live objects:
#
# ``name``          dotted, where the thing is defined
# ``how``           "source", "stub" or "fields" here; "object", "text" or "docstring" there
# ``parameters``    in order, without ``self``: ``{"name", "kind", "default"}``, see `_parameters`
# ``wrapped``       true: a decorator stands between caller and function; it may accept more
# ``not_compared``  instead of ``parameters``: why there are none; with ``absent`` it is not there

PLAIN_DECORATORS = frozenset(
    "abstractmethod array_function_dispatch cache classmethod contextmanager doc final "
    "finalize_array_function_like lru_cache no_grad overload override set_module staticmethod "
    "tf_export keras_export validate_params Substitution Appender add_dispatch_support "
    "deprecate_with_docstring _dispatchable docstring_filler for_subclass_implementors".split()
)
"""Decorators that leave what a caller may pass as it is."""
_PROPERTIES = frozenset("property setter cached_property deleter getter cache_readonly".split())
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DATA_CLASSES = frozenset("dataclass attrs define frozen attr".split())


class Library(NamedTuple):
    """The libraries on one ``sys.path``; made by `library`."""

    symbols: Symbols
    known: Dict[str, Dict[str, Any]]
    modules: Modules

    def signature(self, symbol: str) -> Dict[str, Any]:
        """Return the signature of calling ``symbol``, as far as its sources tell."""
        if symbol not in self.known:
            try:
                self.known[symbol] = _signature(self.symbols, symbol)
            except RecursionError:
                self.known[symbol] = dark("nested too deeply")
        return self.known[symbol]


def library(sys_path: Sequence[str]) -> Library:
    """Return the libraries below the folders of ``sys_path``; each module is read once."""
    modules = Modules(sys_path)
    return Library(Symbols(modules), {}, modules)


def dark(why: str) -> Dict[str, Any]:
    """Return the signature of what is not compared."""
    return {"not_compared": why}


def _signature(symbols: Symbols, symbol: str) -> Dict[str, Any]:
    place = symbols.find(symbol)
    if place.kind == ABSENT:
        return dict(dark(place.why or "not found"), absent=True)
    if place.kind == MODULE:
        return dark("a module")
    if place.kind != DEFINED:
        return dark(place.why or "made at run time")
    if place.is_class:
        return _of_class(symbols, place)
    if not isinstance(place.node, _FUNCTIONS):
        return dark("made at run time")
    owner = symbol.rpartition(".")[0]
    method = "." in owner and symbols.find(owner).is_class
    return _of_function(symbols, place, method)


def _of_function(symbols: Symbols, place: Place, method: bool) -> Dict[str, Any]:
    module = place.module
    if module is None:
        return dark("not found")
    names = [_decorator(one) for one in place.node.decorator_list]
    if any(name in _PROPERTIES for name in names):
        return dark("a property")
    several = [node for node in place.nodes if isinstance(node, _FUNCTIONS)]
    if module.how != STUB:
        several = several[-1:]
    bound = method and "staticmethod" not in names

    def named(node: ast.AST) -> Any:
        return symbols.default(module, node)

    parameters, agree = merged([of_function(node, named, bound) for node in several])
    how = "stub" if module.how == STUB else "source"
    found: Dict[str, Any] = {"name": place.name, "how": how, "parameters": parameters}
    if not agree or any(name not in PLAIN_DECORATORS for name in names):
        found["wrapped"] = True
    return found


def _of_class(symbols: Symbols, place: Place) -> Dict[str, Any]:
    maker = Method(None) if _is_transformed(symbols, place) else maker_of(symbols, place)
    if maker.place is not None:
        found = _of_function(symbols, maker.place, True)
        if "parameters" not in found:
            return found
        return dict(found, name=place.name)
    if maker.dark:
        return dark(maker.dark)
    fields = _fields(symbols, place)
    if fields is None:
        return {"name": place.name, "how": "source", "parameters": []}
    return {"name": place.name, "how": "fields", "parameters": fields}


def maker_of(symbols: Symbols, place: Place) -> Method:
    """Return the constructor of a class: ``__init__`` or ``__new__``, whichever is nearer."""
    for one in symbols.line(place):
        if not one.is_class:
            return Method(None, None, "its base %s cannot be read" % one.name)
        for name in ("__init__", "__new__"):
            found = symbols.method(one, name)
            if found.owner is not None and found.owner.name == one.name:
                return found
        if _is_data_class(one.node):
            break
    return Method(None)


def _is_data_class(node: ast.ClassDef) -> bool:
    names = [_decorator(one) for one in node.decorator_list]
    bases = [dotted(base).rpartition(".")[2] for base in node.bases]
    return any(name in _DATA_CLASSES for name in names) or "NamedTuple" in bases


def _is_transformed(symbols: Symbols, place: Place) -> bool:
    """Return whether a base makes data classes of what derives from it (flax modules)."""
    bases = [one for one in symbols.line(place) if one.is_class][1:]
    words = [_decorator(word) for one in bases for word in one.node.decorator_list]
    return "dataclass_transform" in words


def _fields(symbols: Symbols, place: Place) -> Optional[List[Dict[str, Any]]]:
    """Return the fields of a data class, those of its bases first; None where it is none."""
    every = _is_transformed(symbols, place)
    line = [
        one for one in symbols.line(place) if one.is_class and (every or _is_data_class(one.node))
    ]
    found: Dict[str, Dict[str, Any]] = {}
    for one in reversed(line):
        module = one.module
        if module is not None:
            for field in of_fields(one.node, _namer(symbols, module)):
                found[field["name"]] = field
    return list(found.values()) if line else None


def _namer(symbols: Symbols, module: Any) -> Any:
    return lambda node: symbols.default(module, node)


def _decorator(node: Any) -> str:
    """Return the last name of a decorator."""
    return dotted(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


# ---- provenance.knowledge._defaults --------------------------------------------------------------
# When two defaults of a parameter are the same to a caller, and when their change says nothing.
#
# Each rule gives its reason in words. They come from signatures of the scientific libraries over
# their releases, where raw comparison raised an alarm and an ordinary call gave the same result.

_STAND_IN = re.compile(
    r"(?i)^(auto_|_)*(no_?default|no_?value|sentinel|unset|missing|deprecated|undefined|not_?given|"
    r"default_?value_?placeholder|unspecified|not_?set|empty)_*(type)?$"
)
_WARNING_TEXTS = frozenset(("warn", "deprecated", "warn_deprecated"))
_EFFORT = frozenset(
    "n_jobs njobs nthread nthreads n_threads num_threads workers num_workers n_workers threads "
    "copy copy_x copy_X copy_U overwrite_x overwrite_a overwrite_b check_finite pre_dispatch "
    "cache_size memory precompute_distances parallel parallel_edges low_memory chunksize "
    "working_memory foreach fused capturable maximize differentiable jit compile "
    "use_multiprocessing max_queue_size return_output".split()
)
"""Parameters that say how the work is done, by their meaning not what comes out."""
_DISPLAY = frozenset(
    "verbose verbosity verbose_eval verbose_feature_names_out disp iprint display progress "
    "progress_bar show_progress show_progress_bar log_level logging_steps name desc print_fn "
    "out file stacklevel silent quiet report doc title label colorbar figsize ax fig "
    "enable_progress_bar".split()
)
"""Parameters that say what is shown, or how a thing is called."""


def shown(value: Any) -> str:
    """Return a default as people write it: ``'auto'``, ``1e-05``, ``no_default``."""
    if isinstance(value, dict):
        for member in ("name", "type"):
            if member in value:
                return str(value[member]).rpartition(".")[2]
        for member in ("code", "float"):
            if member in value:
                return str(value[member])
        if "dict" in value:
            inside = ("%r: %s" % (k, shown(v)) for k, v in value["dict"].items())
            return "{%s}" % ", ".join(inside)
        return "set(%s)" % ", ".join(shown(one) for one in value.get("set", ()))
    if isinstance(value, list):
        return "(%s)" % ", ".join(shown(one) for one in value)
    return repr(value)


def why_equal(old: Any, new: Any) -> str:
    """Return "same" for equal forms, a reason where they differ only in writing, "" else."""
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return "same"
    if any(isinstance(one, dict) and "unknown" in one for one in (old, new)):
        return "not stated in a stub"
    numbers = [_as_number(one) for one in (old, new)]
    if None not in numbers and (numbers[0] == numbers[1] or _both_nan(numbers)):
        return "the same number"
    if _is_empty(old) and _is_empty(new):
        return "both mean nothing"
    if _word(old) and _word(old) == _word(new):
        return "the same in another spelling"
    if _same_items(old, new):
        return "the same items"
    for one, other in ((old, new), (new, old)):
        if isinstance(one, list) and one and all(why_equal(item, other) for item in one):
            return "one number for all"
    codes = [isinstance(one, dict) and ("code" in one or "type" in one) for one in (old, new)]
    if any(codes):
        return "made by code"
    return ""


def _same_items(old: Any, new: Any) -> bool:
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return False
    return all(why_equal(a, b) for a, b in zip(old, new))


def _both_nan(numbers: List[Any]) -> bool:
    return all(isinstance(one, float) and math.isnan(one) for one in numbers)


def _as_number(value: Any) -> Any:
    if isinstance(value, dict):
        if "float" in value:
            return float(value["float"])
        name = str(value.get("name", "")).rpartition(".")[2].lower()
        named = {"nan": math.nan, "inf": math.inf, "infty": math.inf, "pi": math.pi}
        return named.get(name)
    return value if isinstance(value, (int, float)) else None


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("dict") == {} or value.get("set") == []
    return value is None or value in ([], "")


def _word(value: Any) -> str:
    """Return the one word that a default comes down to: 'Adam', 'adam' and optim.Adam are one."""
    if isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str) or not value:
        return ""
    word = value.rpartition(".")[2] if "/" not in value else value
    return re.sub(r"[\s_\-]+", "", word).lower()


def is_stand_in(value: Any) -> bool:
    """Return whether a default only stands for "not passed": ``no_default``, 'deprecated'."""
    if isinstance(value, dict) and "name" in value:
        return bool(_STAND_IN.match(str(value["name"]).rpartition(".")[2]))
    return isinstance(value, str) and (
        value in _WARNING_TEXTS or bool(_STAND_IN.match(value)) or value.startswith("<no")
    )


def why_quiet(name: str, old: Any, new: Any) -> str:
    """Return why the change of the default of ``name`` says nothing, "" where it may matter."""
    if name in _EFFORT:
        return "says how the work is done"
    if name in _DISPLAY:
        return "says what is shown"
    if is_stand_in(new) and not _is_choice(old):
        return "stands for the old default while that is deprecated"
    return ""


def _is_choice(value: Any) -> bool:
    """Return whether a default names one of several ways, which a stand-in no longer does."""
    if not isinstance(value, str) or is_stand_in(value):
        return False
    return bool(value) and _word(value) not in ("auto", "default", "none", "infer")


# ---- provenance.knowledge.changes ----------------------------------------------------------------
# What differs between two signatures of one symbol, and what of it concerns a call.
#
# Signatures are in the form of `core.interfaces`, read from sources or from live objects. Pure.
#
# `changes` keeps what says nothing too, with the reason in ``quiet``: a reader of a verbose listing
# may ask why. `for_call` leaves it out, and all that the call's own arguments decide.

DEFAULT, REMOVED, ADDED, RENAMED = "default", "removed", "added", "renamed"
KEYWORD_ONLY, MOVED, REQUIRED = "keyword only", "moved", "required"

Parameter = Mapping[str, Any]
_STATIC = frozenset(("source", "stub", "fields"))


class Change(NamedTuple):
    """One way in which a signature differs.

    kind: "default", "removed", "added", "renamed", "keyword only", "moved" (another parameter
    stands at its position), "required" (has no default any more). old, new: defaults, of a renamed
    one the names. before, after: position among what can be passed by position, None where not.
    taken: whether passing the old name or position may still be accepted (``**kwargs``, a
    decorator). quiet: why it says nothing, "" where it may matter.
    """

    kind: str
    parameter: str
    old: Any = None
    new: Any = None
    before: Optional[int] = None
    after: Optional[int] = None
    taken: bool = False
    quiet: str = ""


class Passed(NamedTuple):
    """What a call passes. spread: ``*x`` or ``**x`` may pass more than is seen."""

    positional: int = 0
    keywords: FrozenSet[str] = frozenset()
    spread: bool = False


class Hit(NamedTuple):
    """A change that concerns a call: how gravely at most, and in words."""

    change: Change
    effect: str
    text: str


def passed(use: Use) -> Passed:
    """Return what a recorded use of a symbol passes."""
    return Passed(len(use.arguments), frozenset(use.keywords), use.spread)


def comparable(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return why two signatures cannot be compared, "" where they can."""
    for one, when in ((old, "then"), (new, "now")):
        if "parameters" not in one:
            return "%s: %s" % (when, one.get("not_compared", "no signature"))
        kinds = {p["kind"] for p in one["parameters"]}
        if kinds and kinds <= {"*", "**"}:
            return "%s: takes anything" % when
    if (old.get("how") in _STATIC) != (new.get("how") in _STATIC):
        return "one was read from sources, the other from live objects"
    if (old.get("how") == "docstring") != (new.get("how") == "docstring"):
        return "one was read from a docstring, the other from the object"
    return ""


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tuple[Change, ...]:
    """Return how ``new`` differs from ``old``; nothing where they cannot be compared."""
    if comparable(old, new):
        return ()
    before, after = _plain(old["parameters"]), _plain(new["parameters"])
    loose = bool(new.get("wrapped")) or any(p["kind"] == "**" for p in new["parameters"])
    star = any(p["kind"] == "*" for p in new["parameters"])
    renamed = _renamed(before, after)
    found: List[Change] = []
    for name, one in before.items():
        now = renamed.get(name, name)
        if now not in after:
            found.append(_removed(name, one, before, loose or star))
            continue
        if now != name:
            place = _position(before, name)
            quiet = "" if place is None or one["kind"] != "positional" else "only by position"
            found.append(Change(RENAMED, name, name, now, place, place, loose, quiet))
        found += _of_parameter(name, now, before, after, loose or star)
    for name, one in after.items():
        if name not in before and name not in renamed.values():
            found.append(_added(name, one, after, old))
    return tuple(found)


def _plain(parameters: Sequence[Parameter]) -> Dict[str, Parameter]:
    return {p["name"]: p for p in parameters if p["kind"] not in ("*", "**")}


def _position(parameters: Mapping[str, Parameter], name: str) -> Optional[int]:
    order = [n for n, p in parameters.items() if p["kind"] != "keyword"]
    return order.index(name) if name in order else None


def _renamed(before: Mapping[str, Parameter], after: Mapping[str, Parameter]) -> Dict[str, str]:
    """Return the new names of parameters that only have another name: same place and default."""
    gone = [name for name in before if name not in after]
    come = [name for name in after if name not in before]
    found: Dict[str, str] = {}
    for name in gone:
        place = _position(before, name)
        for other in come:
            same_place = place is not None and _position(after, other) == place
            plain = "default" not in before[name] and "default" not in after[other]
            default = before[name].get("default"), after[other].get("default")
            like = (
                place is None
                and default[0] is not None
                and default[0] == default[1]
                and _alike(name, other)
            )
            fits = (same_place and (plain or default[0] == default[1])) or like
            if fits and other not in found.values():
                found[name] = other
                break
    return found


def _alike(one: str, other: str) -> bool:
    """Return whether two names are spellings of one word (``nthread``, ``n_threads``)."""
    a, b = (name.replace("_", "").rstrip("s").lower() for name in (one, other))
    return a == b or a.startswith(b) or b.startswith(a)


def _removed(name: str, one: Parameter, before: Mapping[str, Parameter], taken: bool) -> Change:
    quiet = ""
    if is_stand_in(one.get("default")):
        quiet = "was deprecated"
    return Change(
        REMOVED, name, one.get("default"), None, _position(before, name), None, taken, quiet
    )


def _added(name: str, one: Parameter, after: Mapping[str, Parameter], old: Any) -> Change:
    place = _position(after, name)
    if "default" not in one:
        could = any(p["kind"] in ("*", "**") for p in old["parameters"])
        quiet = "may have been passed as something else before" if could else ""
        return Change(ADDED, name, None, {"required": True}, None, place, False, quiet)
    return Change(ADDED, name, None, one["default"], None, place, False, "an addition")


def _of_parameter(
    name: str,
    now: str,
    before: Mapping[str, Parameter],
    after: Mapping[str, Parameter],
    taken: bool,
) -> List[Change]:
    old, new = before[name], after[now]
    was, is_ = _position(before, name), _position(after, now)
    found = []
    if was is not None and is_ is None:
        found.append(Change(KEYWORD_ONLY, name, None, None, was, None, taken))
    elif was is not None and is_ is not None and was != is_:
        found.append(Change(MOVED, name, was, is_, was, is_, taken))
    if "default" in old and "default" in new:
        same = why_equal(old["default"], new["default"])
        if same != "same":
            quiet = same or why_quiet(name, old["default"], new["default"])
            if not quiet and new["default"] is None and _handed_over(old["default"], before, after):
                quiet = "another parameter has taken its default over"
            found.append(
                Change(DEFAULT, name, old["default"], new["default"], was, is_, taken, quiet)
            )
    elif "default" in old:
        found.append(Change(REQUIRED, name, old["default"], None, was, is_, taken))
    return found


def _handed_over(
    default: Any, before: Mapping[str, Parameter], after: Mapping[str, Parameter]
) -> bool:
    """Return whether a parameter that came has the ``default`` of one that stepped back."""
    plain = default is None or isinstance(default, bool)
    come = [p.get("default") for n, p in after.items() if n not in before]
    return not plain and any(one == default for one in come)


def for_call(found: Sequence[Change], name: str, call: Passed) -> Tuple[Hit, ...]:
    """Return what of ``found`` concerns a call of ``name``; never more than "possible" or "broken".

    A changed default concerns a call that does not pass it; a parameter that is gone, renamed or
    keyword-only now, one that does pass it in the old way.
    """
    hits = []
    for one in found:
        if one.quiet:
            continue
        hit = _hit(one, name, call)
        if hit is not None:
            hits.append(hit)
    return tuple(hits)


def _hit(one: Change, name: str, call: Passed) -> Optional[Hit]:
    by_name = one.parameter in call.keywords
    by_place = one.before is not None and call.positional > one.before
    gone = POSSIBLE if one.taken else BROKEN
    label = "%s(%s)" % (name, one.parameter)
    if one.kind in (DEFAULT, REQUIRED):
        if by_name or by_place or (one.after is not None and call.positional > one.after):
            return None
        if one.kind == REQUIRED:
            effect = POSSIBLE if one.taken or call.spread else BROKEN
            return Hit(one, effect, "%s has no default any more; you don't pass it" % label)
        words = "you may not pass it" if call.spread else "you don't pass it"
        change = "%s default %s -> %s; %s" % (label, shown(one.old), shown(one.new), words)
        return Hit(one, POSSIBLE, change)
    if one.kind == REMOVED and (by_name or by_place):
        return Hit(one, gone, "%s is gone; you pass it" % label)
    if one.kind == RENAMED and by_name:
        return Hit(one, gone, "%s is named %s now; you pass it by name" % (label, one.new))
    if one.kind == KEYWORD_ONLY and by_place:
        return Hit(one, gone, "%s is keyword-only now; you pass it by position" % label)
    if one.kind == MOVED and by_place:
        text = "%s is parameter %d, was %d; you pass it by position"
        return Hit(one, POSSIBLE, text % (label, one.new + 1, one.old + 1))
    reached = one.after is not None and call.positional > one.after
    if one.kind == ADDED and not (by_name or reached or call.spread):
        return Hit(one, BROKEN, "%s is required now; you don't pass it" % label)
    return None


# ---- provenance.knowledge.sites ------------------------------------------------------------------
# Which uses in the user's code an entry strikes, and how surely.

_INTERNAL = frozenset("core src python modules lib internals".split())
"""Names of folders inside libraries that people import through, though they are not the API."""

HOLDS, FAILS, OPEN = "holds", "fails", "open"


class Struck(NamedTuple):
    """A use that an entry speaks of. sure: its conditions hold for certain; why: what they see."""

    use: Use
    sure: bool
    why: str


def struck(entry: Entry, uses: Sequence[Use]) -> Tuple[Struck, ...]:
    """Return the ``uses`` that ``entry`` strikes, in their order; empty where a flag voids it.

    A method of something unknown counts in files that use the library by name.
    """
    near = _near(entry, uses)
    if not near or any(_voids(flag, use) for flag in entry.unless for use in uses):
        return ()
    if entry.along and not _is_used_along(entry.along, uses):
        return ()
    files = _files_with(entry, near, uses)
    found = [_strike(entry, use, files) for use in near]
    return tuple(one for one in found if one is not None)


def _near(entry: Entry, uses: Sequence[Use]) -> List[Use]:
    """Return the ``uses`` that a look at their first or last component does not rule out."""
    tops = tuple({symbol.partition(".")[0] + "." for symbol in entry.symbols})
    wanted = {symbol.rpartition(".")[2] for symbol in entry.symbols}
    if entry.reads or "*" in wanted:
        return [use for use in uses if use.symbol.startswith(tops)]
    return [use for use in uses if use.symbol.rpartition(".")[2] in wanted]


def _files_with(entry: Entry, near: Sequence[Use], uses: Sequence[Use]) -> FrozenSet[str]:
    """Return the files in which the library of ``entry`` is used by name; none if not needed."""
    if not any(use.symbol.startswith(UNRESOLVED) for use in near):
        return frozenset()
    tops = {symbol.partition(".")[0] for symbol in entry.symbols}
    return frozenset(use.path for use in uses if use.symbol.partition(".")[0] in tops)


def _is_used_along(patterns: Sequence[str], uses: Sequence[Use]) -> bool:
    return any(fnmatch.fnmatchcase(use.symbol, one) for use in uses for one in patterns)


def _voids(flag: Dict[str, Any], use: Use) -> bool:
    if use.symbol != flag["symbol"] or use.kind not in (CALL, WRITE):
        return False
    return "first" not in flag or use.arguments[:1] == (flag["first"],)


def _strike(entry: Entry, use: Use, files: FrozenSet[str]) -> Optional[Struck]:
    resolved = any(matches(symbol, name) for name in _names(entry, use) for symbol in entry.symbols)
    if not resolved and not _may_be(entry, use, files):
        return None
    if use.kind == WRITE and not use.symbol.endswith("__setitem__"):
        return None
    named_only = use.kind != CALL and not entry.reads and not use.symbol.endswith("__")
    if named_only and not entry.handed_on:
        return None
    states = [_state(condition, use) for condition in entry.when]
    if FAILS in states:
        return None
    sure = resolved and OPEN not in states and not named_only
    return Struck(use, sure, _why(entry, use, resolved, named_only))


def _names(entry: Entry, use: Use) -> List[str]:
    """Return the symbols that ``use`` names; what a constant is asked for names the constant."""
    names = [use.symbol]
    while entry.reads and names[-1].count(".") > 1:
        names.append(names[-1].rpartition(".")[0])
    return names


def _may_be(entry: Entry, use: Use, files: FrozenSet[str]) -> bool:
    """Return whether a method of something unknown may be the one that ``entry`` speaks of."""
    if not use.symbol.startswith(UNRESOLVED) or not entry.unresolved or use.path not in files:
        return False
    name = use.symbol[len(UNRESOLVED) :]
    for symbol in entry.symbols:
        owner, _, method = symbol.rpartition(".")
        if method == name and is_class(owner):
            return True
    return False


def matches(pattern: str, symbol: str) -> bool:
    """Return whether ``symbol``, as the user reaches it, is the one that ``pattern`` names.

    Libraries show a thing at several places ("torch.nn.modules.batchnorm.BatchNorm2d"), so modules
    may stand between the first component and a class, and internal ones before a function.
    """
    want, have = pattern.split("."), symbol.split(".")
    if want[0] != have[0] or len(have) < len(want):
        return False
    return _fits(want, have)


def _fits(want: List[str], have: List[str]) -> bool:
    if not want or not have:
        return not want and not have
    if want[0] in ("*", have[0]) and _fits(want[1:], have[1:]):
        return True
    before_class = any(is_class(part) for part in want)
    return _skippable(have[0], before_class) and _fits(want, have[1:])


def _skippable(part: str, before_class: bool) -> bool:
    """Return whether a module of this name may be left out of a symbol."""
    if is_class(part):
        return False
    return before_class or part in _INTERNAL or part.startswith("_") or part.endswith("_")


def _state(condition: Condition, use: Use) -> str:
    """Return whether ``condition`` holds at ``use``, fails, or stays open."""
    if use.kind != CALL:
        return OPEN
    given = _given(condition, use)
    if given is _UNKNOWN:
        return OPEN
    if condition.test == "not passed":
        return HOLDS if given is _ABSENT else FAILS
    if condition.test == "passed":
        return FAILS if given is _ABSENT else HOLDS
    if given is _ABSENT:
        return FAILS if condition.test in ("equal", "starts with") else HOLDS
    if given is None:
        return OPEN
    if condition.test == "starts with":
        fits = isinstance(given, str) and given.startswith(condition.values)
        return HOLDS if fits else FAILS
    equal = any(_equal(given, value) for value in condition.values)
    return HOLDS if equal != (condition.test == "not equal") else FAILS


def _equal(given: Any, value: Any) -> bool:
    """Return whether two constants are equal; True is not 1."""
    same_kind = isinstance(given, bool) == isinstance(value, bool)
    return same_kind and bool(given == value)


_ABSENT, _UNKNOWN = object(), object()


def _given(condition: Condition, use: Use) -> Any:
    """Return the constant that was passed, None where not constant, or one of the two marks."""
    if condition.inside is not None:
        outer = _argument(condition.inside["parameter"], condition.inside.get("position"), use)
        if outer is _ABSENT or outer is _UNKNOWN:
            return outer
        if not isinstance(outer, dict) or "dict" not in outer:
            return _UNKNOWN
        return outer["dict"].get(condition.parameter, _ABSENT)
    position = condition.position
    if isinstance(position, dict):
        names = use.symbol.split(".")
        position = position.get(".".join(names[-2:]), position.get(names[-1]))
    return _argument(condition.parameter, position, use)


def _argument(parameter: str, position: Optional[int], use: Use) -> Any:
    if parameter in use.keywords:
        return use.keywords[parameter]
    if position is not None and len(use.arguments) > position:
        return use.arguments[position]
    return _UNKNOWN if use.spread else _ABSENT


def _why(entry: Entry, use: Use, resolved: bool, named_only: bool) -> str:
    """Return in a few words what makes ``entry`` apply at ``use``."""
    if not resolved:
        return "%s() of something not known" % use.symbol[len(UNRESOLVED) :]
    if named_only:
        return "handed on, not called"
    parts: List[str] = []
    for condition in entry.when:
        words = _condition_words(condition, use)
        if words and words not in parts:
            parts.append(words)
    return ", ".join(parts) or ("used" if entry.reads else "called")


def _condition_words(condition: Condition, use: Use) -> str:
    if condition.test == "not passed":
        unknown = _given(condition, use) is _UNKNOWN
        return "%s %s" % (condition.parameter, "may be passed" if unknown else "not passed")
    given = _given(condition, use)
    if given is _ABSENT:
        return ""
    if given is None or given is _UNKNOWN or isinstance(given, (dict, list)):
        return "%s passed" % condition.parameter
    return "%s=%r" % (condition.parameter, given)


def places_of(found: Iterable[Struck]) -> Tuple[str, ...]:
    """Return the places of ``found`` as people read them, each once."""
    places: List[str] = []
    for one in found:
        if one.use.where not in places:
            places.append(one.use.where)
    return tuple(places)


# ---- provenance.knowledge.judge ------------------------------------------------------------------
# What a known behaviour change means for the calls of one run: effect, reason, remedy.
#
# Pure, and without records: the drop-in test judges with the same rules from what its lock carries.
# The two directions are one rule: going back to an older release swaps old and new, and the remedy
# with them.

LEVEL = "L1"
MOST_PLACES = 20
SHOWN_PLACES = 3
PYTHON_ITSELF = "python"
"""The name under which entries on Python itself stand among the packages."""


class Judged(NamedTuple):
    """An entry that applies: its effect on this run, the reason, and where it strikes."""

    entry: Entry
    effect: str
    reason: Reason
    where: Tuple[str, ...]


def judge(
    entries: Sequence[Entry],
    package: str,
    old: str,
    new: str,
    uses: Sequence[Use],
    gpu: Optional[bool] = None,
) -> List[Judged]:
    """Return the ``entries`` that going from ``old`` to ``new`` of ``package`` makes apply.

    gpu: whether the run had a CUDA GPU, None where not known.
    """
    found = []
    for one in entries:
        crossed = span(one, package, old, new)
        if not crossed or (one.gpu and gpu is False):
            continue
        hits = struck(one, uses)
        if hits:
            sure = crossed == "whole" and (not one.gpu or gpu is True)
            found.append(_judged(one, package, old, new, hits, sure))
    return sorted(found, key=lambda j: (-rank(j.effect), j.where, j.entry.id))


def teller(entry: Entry, changed: Mapping[str, Tuple[str, str]]) -> str:
    """Return the package whose change of version tells of ``entry``: the first that crosses it."""
    for package in entry.packages:
        if package in changed and span(entry, package, *changed[package]):
            return package
    return ""


def _judged(
    entry: Entry, package: str, old: str, new: str, hits: Sequence[Struck], sure: bool
) -> Judged:
    certain = [hit for hit in hits if hit.sure]
    effect = KNOWN if certain and sure and entry.certainty == KNOWN else POSSIBLE
    shown = certain or list(hits)
    where = places_of(shown)
    forward = key(old) < key(new)
    why = shown[0].why
    if entry.parameter and why.startswith(entry.parameter + " not passed"):
        why = why[len(entry.parameter) + 1 :]
    text = "%s; %s at %s" % (_line(entry, shown[0].use, forward), why, _places(where))
    reason = Reason(
        LEVEL,
        text,
        "%s: %s" % (shown[0].why, entry.effect),
        _source(entry),
        remedy(entry, package, old, new),
        where[:MOST_PLACES],
        effect,
    )
    return Judged(entry, effect, reason, where[:MOST_PLACES])


def _line(entry: Entry, use: Use, forward: bool) -> str:
    """Return the change in one line: ``KMeans(n_init) default 10 -> 'auto'``."""
    old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
    name = _name(entry, use)
    if not (old and new):
        return "%s: %s changed" % (name, entry.what)
    if entry.parameter and entry.what.startswith("default"):
        return "%s(%s) default %s -> %s" % (name, entry.parameter, old, new)
    return "%s: %s: %s -> %s" % (name, entry.what, old, new)


def _name(entry: Entry, use: Use) -> str:
    """Return the short name of what is used: the class, or class and method."""
    symbol = use.symbol
    while entry.reads and not any(matches(pattern, symbol) for pattern in entry.symbols):
        if "." not in symbol:
            break
        symbol = symbol.rpartition(".")[0]
    if symbol.startswith(UNRESOLVED):
        name = symbol[len(UNRESOLVED) :]
        symbol = next((s for s in entry.symbols if s.endswith("." + name)), symbol)
    parts = symbol.replace(".__getitem__", "[...]").replace(".__setitem__", "[...] =").split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts[-1:] if is_class(parts[-1]) else parts)


def _places(where: Sequence[str]) -> str:
    more = len(where) - SHOWN_PLACES
    shown = ", ".join(where[:SHOWN_PLACES])
    return shown + (" and %d more" % more if more > 0 else "")


def _source(entry: Entry) -> str:
    address = entry.source.get("url", "")
    return entry.source["title"] + (" <%s>" % address if address else "")


def remedy(entry: Entry, package: str, old: str, new: str) -> str:
    """Return code that keeps the recorded behaviour, and the command that restores the version."""
    forward = key(old) < key(new)
    code = entry.restore_old if forward else entry.restore_new
    until = entry.restore_old_until
    if forward and until and is_version(new) and key(new) >= key(until):
        code = ""
    restore = (
        "use Python " + old if package == PYTHON_ITSELF else "pip install %s==%s" % (package, old)
    )
    if not code:
        return restore
    argument = entry.parameter and code.startswith(entry.parameter + "=")
    return "%s%s   or   %s" % ("add " if argument else "", code, restore)


# ---- provenance.knowledge.interfaces -------------------------------------------------------------
# What changed interfaces mean for the calls of one run (L2): reasons for a package's new version.
#
# Pure but for the signatures, which are asked for when a call needs them; nothing is imported.

CURATED = LEVEL

INTERFACE = "L2"

Signature = Dict[str, Any]
Documented = Callable[[Finding, Use, Library], List[Tuple[Hit, str]]]
"""Returns what a call meets by the documentation of the new release, with the source."""
UNREAD: Signature = {"not_compared": "no signature was kept"}
_FAMILIES = (
    frozenset(("keras", "tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-keras")),
    frozenset(("lightning", "pytorch-lightning")),
)
"""Distributions that publish one thing under one name."""


def calls_of(uses: Sequence[Use]) -> List[Use]:
    """Return the calls of something known among ``uses``."""
    return [use for use in uses if use.kind == CALL and not use.symbol.startswith(UNRESOLVED)]


def calls_in(package: str, modules: Sequence[str], uses: Sequence[Use]) -> List[Use]:
    """Return the ``uses`` that speak of a package; modules: its importable names, as recorded."""
    tops = {str(name).partition(".")[0] for name in modules} or {package.replace("-", "_")}
    for family in _FAMILIES:
        if package in family:
            tops |= {name.replace("-", "_") for name in family}
    return [use for use in uses if use.symbol.partition(".")[0] in tops]


def explained(
    finding: Finding,
    calls: Sequence[Use],
    old: Optional[Callable[[str], Signature]],
    new: Library,
    documented: Optional[Documented] = None,
) -> Finding:
    """Return ``finding`` with what concerns ``calls``; old None: what ``documented`` tells."""
    hits: Dict[str, Tuple[Hit, List[str], str]] = {}
    for use in calls:
        label = short(use.symbol)
        if old is not None:
            found = changes(old(use.symbol), new.signature(use.symbol))
            told = [(hit, "") for hit in for_call(found, label, passed(use))]
        else:
            told = documented(finding, use, new) if documented else []
        for hit, source in told:
            places = hits.setdefault(hit.text, (hit, [], source))[1]
            places += [] if use.where in places else [use.where]
    return with_hits(finding, list(hits.values()))


def with_hits(finding: Finding, hits: Sequence[Tuple[Hit, List[str], str]]) -> Finding:
    """Return ``finding`` with reasons for ``hits``: each with its places, and where it was read.

    What a curated reason tells of the same parameter is added to that; nothing is told twice.
    """
    reasons = list(finding.reasons)
    effects, where = [finding.effect], list(finding.where)
    for hit, places, source in hits:
        told = _told_before(reasons, hit, places)
        if told is not None:
            one = reasons[told]
            change = hit.text.partition(")")[2].partition(";")[0].strip()
            if one.level == INTERFACE or hit.text in one.evidence or change in one.text:
                continue
            more = "; ".join(text for text in (one.evidence, "signature: " + hit.text) if text)
            reasons[told] = one._replace(evidence=more)
            continue
        reasons.append(_reason(finding, hit, places, source))
        effects.append(hit.effect)
        where += [one for one in places if one not in where]
    return finding._replace(
        effect=verdict.worst(effects), where=tuple(where[:MOST_PLACES]), reasons=tuple(reasons)
    )


def _told_before(reasons: Sequence[Reason], hit: Hit, places: Sequence[str]) -> Optional[int]:
    """Return which reason tells of the same parameter at one of the same places."""
    label = hit.text.partition(")")[0] + ")"
    for index, one in enumerate(reasons):
        same = one.text.startswith(label) or (
            label.partition("(")[0].rpartition(".")[2] in one.text
            and hit.change.parameter in one.text
        )
        known = one.level in (CURATED, INTERFACE) and same
        if known and any(place in one.text for place in places):
            return index
    return None


def _reason(finding: Finding, hit: Hit, places: Sequence[str], source: str) -> Reason:
    more = " and %d more" % (len(places) - SHOWN_PLACES) if len(places) > SHOWN_PLACES else ""
    line = "%s at %s%s" % (hit.text, ", ".join(places[:SHOWN_PLACES]), more)
    restore = "pip install %s==%s" % (finding.name, finding.old)
    argument = _kept_default(hit)
    return Reason(
        INTERFACE,
        line,
        "",
        source or "the signatures of %s %s and %s" % (finding.name, finding.old, finding.new),
        "add %s   or   %s" % (argument, restore) if argument else restore,
        tuple(places[:MOST_PLACES]),
        hit.effect,
    )


def _kept_default(hit: Hit) -> str:
    """Return the argument that keeps the old default, "" where it is no plain value."""
    change = hit.change
    if change.kind != DEFAULT or isinstance(change.old, dict) or change.old in _NO_VALUES:
        return ""
    value = tuple(change.old) if isinstance(change.old, list) else change.old
    return "" if "{" in repr(value) else "%s=%r" % (change.parameter, value)


_NO_VALUES = (None, "warn", "deprecated", "auto_deprecated")
"""Defaults that stand for "not given": the new release may refuse them, or read them otherwise."""


def short(symbol: str) -> str:
    """Return the name people know: from the class on, else the last component."""
    parts = symbol.split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts)


# ---- provenance.agent._versions ------------------------------------------------------------------
# Packages and Python as the drop-in test finds them, against what the lock recorded.

_OTHERS_LOAD = re.compile(r"^(nvidia-|mkl$|intel-openmp$|tbb$|triton$|pytorch-triton|jaxlib$)")
"""Packages of shared libraries, on which results depend though no import shows."""


class Wanted(NamedTuple):
    """A package as a run had it. trusted: whether ``imported`` is known in full."""

    name: str
    version: str
    imported: bool
    trusted: bool
    modules: Tuple[str, ...]
    own: bool


class Known(NamedTuple):
    """What the runs use, and what tells how that changed.

    uses: of libraries, where they stand today. gpu: whether there was one. old: the recorded
    signature of a symbol; None: there are none, and ``unsigned`` says why. new: what is here.
    """

    entries: Tuple[Entry, ...]
    uses: Tuple[Use, ...]
    gpu: Optional[bool]
    old: Optional[Callable[[str], Signature]]
    unsigned: str
    new: Library


def check_packages(lock: Lock, sys_path: Sequence[str], environ: Mapping[str, str]) -> List[Item]:
    """Return one item per recorded package, by name."""
    here = versions_in(sys_path)
    known = knowledge(lock, sys_path)
    accepted = {key_of(n.strip()) for n in environ.get("PROV_ACCEPT", "").split(",") if n.strip()}
    recorded = _recorded(lock)
    changed = {
        name: (wanted.version, here[name].version)
        for name, wanted in recorded.items()
        if name in here and here[name].version != wanted.version
    }
    items = []
    for name, wanted in sorted(recorded.items()):
        found, text = _compared(name, wanted, here.get(name), sys_path)
        if found.effect == BROKEN and changed and known.uses:
            found, text = _softened(found, text, name, wanted, known.uses)
        if name in changed:
            found = _explained(found, name, wanted.modules, changed, known)
        if name in accepted and found.effect != NONE:
            items.append(Item("packages", name, PASSED, NONE, text + "\naccepted", 0, 1))
            continue
        status = ended(found.effect, environ)
        lines = _sentences(text, found)
        if name in changed and found.effect != NONE:
            lines += _dark(calls_in(name, wanted.modules, calls_of(known.uses)), known)
        if status == FAILED:
            lines.append("Or accept the change: PROV_ACCEPT=%s" % name)
        items.append(
            Item("packages", name, status, found.effect, "\n".join(lines), int(not text), 1)
        )
    return items


def _recorded(lock: Lock) -> Dict[str, Wanted]:
    """Return the packages of all runs; of one that runs had in two versions, the first."""
    found: Dict[str, Wanted] = {}
    for run in lock.runs:
        for payload in payloads(run, "packages"):
            trusted = bool(payload.get("complete"))
            for name, one in (payload.get("distributions") or {}).items():
                wanted = _wanted(one, trusted)
                if name not in found or (wanted.imported and not found[name].imported):
                    found[name] = wanted
    return found


def _wanted(one: Mapping[str, Any], trusted: bool) -> Wanted:
    editable = (one.get("editable") or {}).get("path") or {}
    return Wanted(
        str(one.get("name", "")),
        str(one.get("version", "")),
        bool(one.get("imported")),
        trusted,
        tuple(one.get("modules") or ()),
        editable.get("root") in ("repo", "cwd"),
    )


def _compared(
    name: str,
    wanted: Wanted,
    here: Optional[Distribution],
    sys_path: Sequence[str],
) -> Tuple[Finding, str]:
    """Return what differs, without reasons, and the first sentence; "" where nothing does."""
    matters = wanted.imported or not wanted.trusted or _OTHERS_LOAD.match(name) is not None
    effect = UNKNOWN if matters and not wanted.own else NONE
    found = Finding("packages", "", "version", wanted.name, effect, wanted.version)
    if here is None:
        if wanted.imported and not wanted.own and not _is_here(wanted.modules, sys_path):
            text = "%s is not installed; the recorded run imported %s."
            return found._replace(effect=BROKEN), text % (wanted.name, wanted.version)
        return found, "%s %s is not installed." % (wanted.name, wanted.version)
    if here.version == wanted.version:
        return found._replace(effect=NONE), ""
    text = "%s %s installed; the recorded run used %s."
    text = text % (wanted.name, here.version or "(no version)", wanted.version)
    return found._replace(new=here.version), text


def _softened(
    found: Finding, text: str, name: str, wanted: Wanted, uses: Sequence[Use]
) -> Tuple[Finding, str]:
    """Return a package that is gone as "possible" where only other packages imported it."""
    tops = {use.symbol.partition(".")[0] for use in uses}
    if tops.intersection(wanted.modules or (name.replace("-", "_"),)):
        return found, text
    return found._replace(effect=POSSIBLE), text[:-1] + ": a library that it used did."


def _is_here(modules: Sequence[str], sys_path: Sequence[str]) -> bool:
    """Return whether any of ``modules`` can be imported, whoever provides it."""
    names = [os.path.join(*name.split(".")) for name in modules if name]
    endings = ("", ".py", *EXTENSION_SUFFIXES)
    return any(
        os.path.exists(os.path.join(folder, name + ending))
        for folder in sys_path
        for name in names
        for ending in endings
    )


def _explained(
    found: Finding,
    name: str,
    modules: Sequence[str],
    changed: Mapping[str, Tuple[str, str]],
    known: Known,
) -> Finding:
    """Return ``found`` with the reasons why another version of ``name`` matters to the runs."""
    if found.effect != NONE:
        own = [one for one in known.entries if teller(one, changed) == name]
        judged = judge(own, name, *changed[name], known.uses, known.gpu)
        effect = worst([found.effect] + [one.effect for one in judged])
        found = found._replace(effect=effect, reasons=tuple(one.reason for one in judged))
    return explained(found, calls_in(name, modules, calls_of(known.uses)), known.old, known.new)


def _sentences(text: str, found: Finding) -> List[str]:
    lines = [text] if text else []
    for one in found.reasons:
        lines.append(one.text + ".")
        lines += ["  why: %s" % one.evidence] if one.evidence else []
        lines += ["  fix: %s" % one.remedy] if one.remedy else []
    return lines


def _dark(calls: Sequence[Use], known: Known) -> List[str]:
    """Return sentences on the ``calls`` whose interfaces could not be compared."""
    if not calls or known.old is None:
        return ["interfaces not compared: %s" % known.unsigned] if calls else []
    found: Dict[str, List[str]] = {}
    for use in calls:
        why = comparable(known.old(use.symbol), known.new.signature(use.symbol))
        if why and use.symbol not in found.setdefault(why, []):
            found[why].append(use.symbol)
    text = "interfaces not compared (%s): %s%s"
    return [
        text % (why, ", ".join(names[:LISTED]), " ..." if len(names) > LISTED else "")
        for why, names in found.items()
    ]


def knowledge(lock: Lock, sys_path: Sequence[str] = ()) -> Known:
    """Return what the lock knows, uses moved to where they stand in files that changed since."""
    uses = lock.uses
    asked = {use.path for use in uses}
    for name, path, entry in files_of(lock, "code", "used"):
        if name in asked and path is not None and _changed(path, entry):
            own = [use for use in uses if use.path == name]
            uses = tuple(use for use in uses if use.path != name) + _today(own, path)
    gpus = [p["gpus"] for run in lock.runs for p in payloads(run, "hardware") if "gpus" in p]
    old, signatures = None, lock.signatures
    if signatures is not None:
        old = lambda symbol: signatures.get(symbol, UNREAD)  # noqa: E731
    return Known(
        lock.known,
        uses,
        any(gpus) if gpus else None,
        old,
        lock.unsigned,
        library(sys_path),
    )


def _changed(path: str, entry: Mapping[str, Any]) -> bool:
    recorded = (entry.get("digests") or {}).get("sha256")
    try:
        with open(path, "rb") as stream:
            return bool(hashlib.sha256(stream.read()).hexdigest() != recorded)
    except OSError:
        return False


def _today(uses: Sequence[Use], path: str) -> Tuple[Use, ...]:
    """Return the uses of a file as it is today."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return moved(uses, stream.read())
    except OSError:
        return tuple(uses)


def check_python(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return how the Python that runs this differs from the recorded one."""
    recorded = [
        str(payload["version"])
        for run in lock.runs
        for payload in payloads(run, "runtime")
        if payload.get("version")
    ]
    if not recorded:
        return Item("python", "Python", SKIPPED, NONE, "the lock names none")
    now, old = platform.python_version(), recorded[0]
    if now in recorded:
        return Item("python", "Python", PASSED, NONE, "", 1, 1)
    text = "Python %s runs this; the recorded run used %s." % (now, old)
    found = Finding("runtime", "", "version", "Python", UNKNOWN, old, now)
    if is_version(now) and is_version(old) and key(now)[1][:2] != key(old)[1][:2]:
        known = knowledge(lock)
        judged = judge(known.entries, PYTHON_ITSELF, old, now, known.uses, known.gpu)
        effect = worst([UNKNOWN] + [one.effect for one in judged])
        found = found._replace(effect=effect, reasons=tuple(one.reason for one in judged))
    status = ended(found.effect, environ)
    full = "\n".join(_sentences(text, found))
    return Item("python", "Python " + now, status, found.effect, full, 0, 1)


# ---- provenance.agent.check ----------------------------------------------------------------------

_MEMORY: Dict[str, Any] = {}


def the_lock() -> Lock:
    """Return the lock that speaks of this file's repository. Raises `LockError`."""
    if "lock" not in _MEMORY:
        here = os.path.dirname(os.path.abspath(__file__))
        _MEMORY["lock"] = read_lock(find_lock(here, os.environ))
    found: Lock = _MEMORY["lock"]
    return found


def package_items() -> Dict[str, Item]:
    """Return one item per recorded package by the id of its test; the lock's own if unreadable."""
    if "packages" not in _MEMORY:
        try:
            found = {one.name: one for one in check_packages(the_lock(), sys.path, os.environ)}
        except LockError as error:
            found = {"prov.lock": Item("lock", "prov.lock", FAILED, "broken", str(error))}
        _MEMORY["packages"] = found
    items: Dict[str, Item] = _MEMORY["packages"]
    return items


def all_items() -> List[Item]:
    """Return everything that was checked. Raises `LockError`."""
    lock = the_lock()
    rest = [check_code(lock), check_data(lock, os.environ)]
    if any(one.get("facet") == "environment" for one in lock.surroundings):
        rest.append(check_settings(lock, os.environ))
    rest.append(check_gpu(lock, os.environ))
    return [check_python(lock, os.environ), *package_items().values(), *rest]


def settle(item: Item) -> None:
    """End the running test as ``item`` says, with its sentences and no traceback."""
    pytest = sys.modules.get("pytest")
    if item.status == FAILED:
        if pytest is None:
            raise AssertionError(item.text)
        pytest.fail(item.text, pytrace=False)
    if item.status == SKIPPED and pytest is not None:
        pytest.skip(item.text)
    if item.status == WARNED:
        warnings.warn("\n" + item.text, UserWarning, stacklevel=2)


def pytest_generate_tests(metafunc: Any) -> None:
    """Give pytest one test per recorded package, under the package's name."""
    if "recorded_package" in metafunc.fixturenames:
        metafunc.parametrize("recorded_package", list(package_items()))


def test_packages(recorded_package: str) -> None:
    """The package is as the recorded run had it, or its change cannot be known to matter."""
    settle(package_items()[recorded_package])


def test_python() -> None:
    """Python is the one that the run used, or its change cannot be known to matter."""
    settle(_of(lambda lock: check_python(lock, os.environ)))


def test_code() -> None:
    """The source files that the run used are as they were, comments aside."""
    settle(_of(check_code))


def test_data() -> None:
    """The data files that are here are those that the run read."""
    settle(_of(lambda lock: check_data(lock, os.environ)))


def test_settings() -> None:
    """Environment variables that matter to the run have the values that they had."""
    settle(_of(lambda lock: check_settings(lock, os.environ)))


def test_gpu() -> None:
    """A GPU is here if the run had one."""
    settle(_of(lambda lock: check_gpu(lock, os.environ)))


def _of(check: Any) -> Item:
    try:
        item: Item = check(the_lock())
    except LockError as error:
        item = Item("lock", "prov.lock", SKIPPED, "none", str(error))
    return item


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print what was found and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words:
        sys.stdout.write((__doc__ or "").strip() + "\n")
        return 0 if words[0] in ("-h", "--help") else 2
    try:
        lock, items = the_lock(), all_items()
    except LockError as error:
        sys.stderr.write("%s\n" % error)
        return 4
    status = exit_status(items)
    sys.stdout.write(report(lock, items, status))
    return status


if __name__ == "__main__":
    sys.exit(main())
