"""Locks and records for double-blind review: nothing in them says who made them, and where.

What was computed, with what, from which bytes stays: digests, versions, parameters, results. What
is taken out is told apart in `core.anonymous`; here is what each facet holds of it. A lock made so
has ``"anonymous": true`` in its records.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from provenance.core import anonymous, canonical, codec, record
from provenance.core.anonymous import HOST, SOMEBODY, Veil
from provenance.core.paths import ABS, REPO, PathRef
from provenance.core.record import Record
from provenance.core.redact import MASK
from provenance.errors import ProvError
from provenance.facets._variables import can_change_results
from provenance.operations import _baked, _identity, present
from provenance.store.lockfile import Lock
from provenance.store.project import Project

MARK = "anonymous"
NOTE = (
    "names, hosts, places and addresses are hidden; commit ids stay, and git's own history has "
    "names: hand in files, or a fresh repository"
)
_HANDLED = frozenset("runs blobs calls interfaces knowledge surroundings stated tool".split())
"""Members of a lock of which is told below what is hidden; of all others everything is."""
_PUBLIC = ("index", "conda", "system")
"""Origins of packages that everybody can have; others may be the author's own."""
_MOST_BYTES = 64 << 20
"""Of unpacked code that is searched for names."""
_HARMLESS = re.compile(r"[\d.,:+-]*|true|false|C(?:\.utf-?8)?|POSIX|en_US(?:\.utf-?8)?", re.I)
"""Values of variables that say nothing about anybody: numbers, switches, the common locale."""
_OF_A_JOB = re.compile(r"(?:JOB_?ID|PARTITION|NODELIST|JOB_NAME|ACCOUNT)$")


def lock(
    made: Lock, place: Project, originals: Iterable[Record], environ: Mapping[str, str]
) -> tuple[Lock, tuple[str, ...]]:
    """Return ``made`` as nobody's, and sentences about what that leaves out or could not hide.

    originals: the records before they were made fit to publish, which know more places.
    """
    originals = tuple(originals)
    veil = _veil(place, originals, environ, _plain_vocabulary(made))
    problems: list[str] = []
    others = {
        name: veil.value(codec.encode(getattr(made, name)))
        for name in Lock._fields
        if name not in _HANDLED
    }
    clean = made._replace(
        **others,
        runs=tuple(_record(run, veil) for run in made.runs),
        blobs=_blobs(made, veil, problems),
        calls=_calls(made, veil, problems),
        interfaces=veil.value(made.interfaces),
        knowledge=tuple(_at_sites(one, veil) for one in made.knowledge),
        surroundings=tuple(_at_sites(one, veil) for one in made.surroundings),
        stated=tuple(veil.value(one) for one in made.stated),
    )
    _require_hidden(clean, veil)
    return clean, (*problems, *_doubts(made, clean, veil))


def _require_hidden(clean: Lock, veil: Veil) -> None:
    """Raise `ProvError` where a name is left all the same: such a lock is not written."""
    left = veil.names(canonical.dumps(codec.encode(clean._replace(calls={}, runs=()))))
    for run in clean.runs:
        left += veil.names(canonical.dumps(record.to_json(run)))
    if left:
        raise ProvError(
            "the lock would still say %s: it was not written." % ", ".join(left[:3]),
            "please report which part of the record says so",
        )


def shown(run: Record, place: Project, environ: Mapping[str, str]) -> Record:
    """Return a record to be shown or exported as nobody's."""
    veil = _veil(place, (run,), environ, _vocabulary((run,)))
    return _record(run, veil)


def is_anonymous(run: Record) -> bool:
    """Return whether a record was made anonymous."""
    return run.extra.get(MARK) is True


def at_home(word: str) -> str:
    """Return a word of an anonymous command with the home folder that it stands for here."""
    head, mark, rest = word.rpartition("~/")
    if not mark or (head and not head.endswith(("=", ":"))):
        return word
    return head + os.path.join(os.path.expanduser("~"), rest)


def is_hidden(word: str) -> bool:
    """Return whether a word of a command holds a place that was hidden."""
    return anonymous.PLACE + "/" in word


def veil(place: Project, runs: Iterable[Record], environ: Mapping[str, str]) -> Veil:
    """Return what hides in other texts what it hides in these records."""
    runs = tuple(runs)
    return _veil(place, runs, environ, _vocabulary(runs))


def _veil(
    place: Project, runs: Iterable[Record], environ: Mapping[str, str], vocabulary: Iterable[str]
) -> Veil:
    return Veil(_identity.of(place, runs, environ), vocabulary)


def _record(run: Record, veil: Veil) -> Record:
    """Return ``run`` with each facet's own traces of somebody removed, then all the others."""
    document = record.to_json(run._replace(process=None, roots={}))
    document["command"] = _command(run)
    for name, answer in (document.get("facets") or {}).items():
        for subject in answer.get("subjects", []):
            payload = subject.get("payload") or {}
            if name in _BY_FACET:
                _BY_FACET[name](payload)
            interpreter = subject.get("interpreter")
            if interpreter and os.path.isabs(interpreter):
                hidden = veil.text(interpreter)
                own = hidden.startswith("./")
                subject["interpreter"] = hidden if own else os.path.basename(interpreter)
    document = veil.value(document)
    document[MARK] = True
    return record.from_json(document)


def _command(run: Record) -> list[str]:
    """Return the command without telling values, an interpreter elsewhere by its name alone."""
    words = list(run.command)
    for at, value in _identity.told(run.command):
        words[at] = words[at][: len(words[at]) - len(value)] + SOMEBODY
    if words and os.path.isabs(words[0]) and present.is_python(words[0]):
        words[0] = os.path.basename(words[0])
    return words


def _code(payload: dict[str, Any]) -> None:
    payload["remotes"] = []
    payload["upstream"] = None


def _data(payload: dict[str, Any]) -> None:
    """Hide where data is kept and came from; names of remotes and buckets name groups, too."""
    for one in payload.get("dvc") or ():
        for name in ("remote", "url", "origin"):
            if one.get(name):
                one[name] = SOMEBODY


def _environment(payload: dict[str, Any]) -> None:
    """Keep what can change a result and what says nothing; names of variables name sites, too."""
    values = {
        # a place that is not told cannot be compared: facets leave out what is masked
        name: MASK if "/" in str(value) else value
        for name, value in (payload.get("values") or {}).items()
        if can_change_results(name) or _HARMLESS.fullmatch(str(value))
        if not _OF_A_JOB.search(name)
    }
    payload["values"], payload["names"] = values, []


def _runtime(payload: dict[str, Any]) -> None:
    """Hide where an environment outside of the repository lies; its folder names the project."""
    for name in ("prefix", "base_prefix"):
        if isinstance(payload.get(name), dict) and payload[name].get("root") != REPO:
            payload[name] = PathRef(ABS, "/%s/%s" % (SOMEBODY, name)).to_json()
    if isinstance(payload.get("executable"), dict) and payload["executable"].get("root") != REPO:
        last = str(payload["executable"].get("path")).rpartition("/")[2]
        payload["executable"] = PathRef(ABS, "/%s/%s" % (SOMEBODY, last)).to_json()


def _processes(payload: dict[str, Any]) -> None:
    hosts: dict[str, str] = {}
    for rank in payload.get("ranks", []):
        if rank.get("host"):
            name = HOST if not hosts else "%s-%d" % (HOST, len(hosts) + 1)
            rank["host"] = hosts.setdefault(str(rank["host"]), name)
    for name in ("job", "submitted"):
        if isinstance(payload.get(name), dict):
            payload[name] = dict(payload[name], id="")
    for one in payload.get("differing", []):
        values = one.get("values")
        if "host" in str(one.get("name", "")).lower() and isinstance(values, dict):
            one["values"] = {
                "%s-%d" % (HOST, number): ranks for number, ranks in enumerate(values.values(), 1)
            }


def _params(payload: dict[str, Any]) -> None:
    for name, one in (payload.get("values") or {}).items():
        if not anonymous.is_telling(name) or not isinstance(one, dict):
            continue
        for entry in (one, *(one.get("others") or ())):
            for member in ("value", "default"):
                if isinstance(entry.get(member), str) and entry[member]:
                    entry[member] = SOMEBODY


_BY_FACET = {
    "code": _code,
    "data": _data,
    "environment": _environment,
    "processes": _processes,
    "params": _params,
    "runtime": _runtime,
}


def _at_sites(one: dict[str, Any], veil: Veil) -> dict[str, Any]:
    """Return what prov itself wrote about a change, which names nobody but at its places."""
    return {
        name: veil.value(item) if name in ("sites", "where", "places") else item
        for name, item in one.items()
    }


def _blobs(made: Lock, veil: Veil, problems: list[str]) -> dict[str, dict[str, Any]]:
    """Return uncommitted code that names nobody: elsewhere its digest would no longer hold."""
    found: dict[str, dict[str, Any]] = {}
    for run, blobs in made.blobs.items():
        found[run] = {}
        for name, blob in blobs.items():
            who = veil.names(_unpacked(blob))
            if who:
                text = "%s of run %s is left out, for it says %s: commit that code, and run again."
                problems.append(text % (name, run, ", ".join(who[:3])))
            else:
                found[run][name] = blob
    return found


def _unpacked(blob: Any) -> str:
    """Return all text in a blob: of an archive its members, their names and owners too."""
    if isinstance(blob, str):
        return blob
    try:
        data = base64.b64decode(blob["base64"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        return ""
    parts: list[bytes] = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for member in archive:
                parts.append(("%s %s %s\n" % (member.name, member.uname, member.gname)).encode())
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    parts.append(stream.read(_MOST_BYTES))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        parts.append(data)
    return b"\n".join(parts).decode("utf-8", "replace")


def _calls(made: Lock, veil: Veil, problems: list[str]) -> dict[str, dict[str, Any]]:
    """Return what the runs' calls gave, where nobody is named in it."""
    found = {}
    for run, carried in made.calls.items():
        who = veil.names(_baked.text(carried))
        if who:
            text = "the calls of run %s are left out, for a value in them says %s."
            problems.append(text % (run, ", ".join(who[:3])))
        else:
            found[run] = carried
    return found


def _doubts(made: Lock, clean: Lock, veil: Veil) -> Iterator[str]:
    """Yield what the author has to look at: names that stay, and files that are named otherwise."""
    if veil.kept:
        text = "%s: also a word of the code, so it is hidden in places and addresses only."
        yield text % ", ".join(veil.kept)
    renamed = [
        str(old)
        for before, after in zip(made.runs, clean.runs, strict=True)
        for old, new in zip(_used(before), _used(after), strict=True)
        if old != new
    ]
    if renamed:
        text = "names of files name somebody, and cannot be compared: %s. Rename them."
        yield text % ", ".join(renamed[:4])


def _used(run: Record) -> list[str]:
    return [
        str(one["path"].get("path"))
        for subject in run.payloads("code")
        for one in subject.payload.get("used", [])
        if one["path"].get("root") == "repo"
    ]


def _plain_vocabulary(made: Lock) -> set[str]:
    words = _vocabulary(made.runs)
    for part in (made.knowledge, made.surroundings, made.interfaces):
        words |= _words(part)
    return words


def _vocabulary(runs: Iterable[Record]) -> set[str]:
    """Return the words of public libraries that the program is made of, and our own.

    What is the author's own (packages installed from folders, names of parameters) may be named
    after somebody, and is no such word.
    """
    found: set[str] = set()
    for run in runs:
        found |= set(run.facets)
        found |= {name for answer in run.facets.values() for one in answer.subjects
                  for name in one.payload}  # fmt: skip
        modules = set(sys.stdlib_module_names)
        for subject in run.payloads("packages"):
            for key in subject.payload.get("conda", {}):
                found |= _split(key)
            for key, one in subject.payload.get("distributions", {}).items():
                if one.get("origin", "index") in _PUBLIC:
                    found |= _split(key)
                    modules |= {str(name).partition(".")[0] for name in one.get("modules", ())}
        for module in modules:
            found |= _split(module)
        for subject in run.payloads("behaviour"):
            for site in subject.payload.get("sites", []):
                symbol = str(site.get("symbol", ""))
                found |= _split(symbol) if symbol.partition(".")[0] in modules else set()
    return found


def _words(item: Any) -> set[str]:
    if isinstance(item, dict):
        parts = [_split(str(key)) | _words(value) for key, value in item.items()]
        return set().union(*parts) if parts else set()
    if isinstance(item, (list, tuple)):
        return set().union(*map(_words, item)) if item else set()
    return _split(item) if isinstance(item, str) else set()


def _split(text: str) -> set[str]:
    return {word.lower() for word in re.split(r"[\W_]+", text) if word}
