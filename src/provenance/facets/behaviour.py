"""Where the run's own source calls libraries: what tells later which of their changes matter.

Read from the text of the user's source files, without importing or running anything. Says nothing
by itself: a difference here is a difference of the code, which another facet tells.
"""

from __future__ import annotations

import os
import sys
from typing import (
    Any,
    Dict,
    FrozenSet,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Set,
    Tuple,
)

from provenance.core import codec, filekinds
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import Comparison
from provenance.core.paths import PathRef
from provenance.core.record import Payload, Record, captured, skipped
from provenance.core.use import READ, UNRESOLVED, Use
from provenance.facets import _calls, _facet

NAME = "behaviour"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.HOST

MOST_SITES = 5000
MOST_ORDERS = 200
LARGEST_FILE = 1 << 20
"""Bytes above which a source file is not read: it is data in the guise of source."""
LARGEST_VALUE = 400
"""Characters above which a constant argument is left out: no condition asks for so much."""
NO_SOURCE = "no Python source of the user's own was seen"

_KEPT_OF_STDLIB = frozenset(("builtins", "random", "multiprocessing", "concurrent"))
_STDLIB: FrozenSet[str] = frozenset(
    getattr(sys, "stdlib_module_names", sys.builtin_module_names)
) | frozenset("os re json math time random functools itertools collections pathlib".split())

upgrade = _facet.nothing_to_upgrade


class Behaviour(NamedTuple):
    """The uses of libraries in the run's own source.

    sites: in order of files and lines. files: how many source files were read. left_out: how many
    uses did not fit. set_order: "file:line" where the order of a set may reach a result. calls:
    what was seen of the calls while the run went on, None where that was not asked for.
    """

    sites: Tuple[Use, ...] = ()
    files: int = 0
    left_out: int = 0
    set_order: Tuple[str, ...] = ()
    calls: Optional[_calls.Table] = None


def capture(context: Context) -> Payload:
    """Return the uses of libraries in the source that the run used (or, now, that it had used)."""
    paths = sorted(_recorded(context) if context.phase == PRESENT else _observed(context))
    if not paths and context.phase != PRESENT:
        return skipped(VERSION, NO_SOURCE)
    own = _own_modules(paths)
    notes: List[str] = []
    found: List[Use] = []
    orders: List[str] = []
    for uses in _read(paths, context, notes, orders):
        found.extend(_third_party(uses, own))
    kept = found if len(found) <= MOST_SITES else _most_telling(found)
    clean = tuple(_clean(use, context) for use in kept)
    seen = _calls.table(context) if context.phase == AFTER else None
    known = seen or _of_reference(context)
    clean = _calls.resolved(clean, known) if known is not None else clean
    notes += seen.notes if seen is not None else ()
    left_out = len(found) - len(kept)
    payload = Behaviour(clean, len(paths), left_out, tuple(orders[:MOST_ORDERS]), seen)
    return captured(VERSION, payload, notes=tuple(notes))


def _of_reference(context: Context) -> Optional[_calls.Table]:
    """Return the call table of the record that the present is compared with."""
    told = of(context.reference) if context.reference is not None else None
    return told.calls if told is not None else None


def _recorded(context: Context) -> Set[str]:
    """Return where the source files are today that the reference says were used."""
    found = set()
    for subject in context.reference.payloads("code") if context.reference else ():
        for entry in subject.payload.get("used", ()):
            try:
                place = context.roots.locate(PathRef.from_json(entry["path"]))
            except (ValueError, KeyError, TypeError):
                continue
            if place is not None and _is_python(place) and os.path.isfile(place):
                found.add(place)
    return found


def _observed(context: Context) -> Set[str]:
    """Return the Python source files of the user's own that the run used."""
    folders = filekinds.environment_folders(context.interpreters)
    tops = context.roots.tops()
    candidates = [
        use.path for use in context.observed.files if use.first == "r" and _is_python(use.path)
    ]
    for one in context.interpreters:
        candidates.extend(one.modules.values())
    candidates.extend(os.path.join(context.roots.cwd, word) for word in context.command)
    found = set()
    for candidate in candidates:
        path = os.path.normpath(os.path.join(context.roots.cwd, candidate)) if candidate else ""
        if (
            _is_python(path)
            and not filekinds.is_ignored(path, folders, tops)
            and os.path.isfile(path)
        ):
            found.add(path)
    return found


def _is_python(path: str) -> bool:
    return path.endswith((".py", ".ipynb"))


def _own_modules(paths: List[str]) -> FrozenSet[str]:
    """Return the names under which the user's own files may be imported."""
    names = set()
    for path in paths:
        names.add(os.path.splitext(os.path.basename(path))[0])
        folder = os.path.dirname(path)
        while os.path.isfile(os.path.join(folder, "__init__.py")):
            names.add(os.path.basename(folder))
            folder = os.path.dirname(folder)
    return frozenset(names)


def _read(
    paths: List[str], context: Context, notes: List[str], orders: List[str]
) -> Iterator[Tuple[Use, ...]]:
    """Yield the uses of each file, in the order of ``paths``."""
    texts = []
    for path in paths:
        shown = str(context.roots.refer(path))
        text = _text(path, shown, notes)
        if text is not None:
            texts.append((shown, text))
    from provenance.core import setorder, uses  # a run without Python source never needs them

    readings = uses.read_all(texts)
    for shown, text in texts:
        orders.extend("%s:%d" % (shown, line) for line in setorder.lines(text))
        if readings[shown].note:
            notes.append(readings[shown].note)
        yield readings[shown].uses


def _text(path: str, shown: str, notes: List[str]) -> Optional[str]:
    try:
        if os.path.getsize(path) > LARGEST_FILE:
            notes.append("%s: too big to be read as source" % shown)
            return None
        with open(path, "rb") as stream:
            return stream.read().decode("utf-8", "replace")
    except OSError as error:
        notes.append("%s: %s" % (shown, error.strerror or error))
        return None


def _third_party(found: Tuple[Use, ...], own: FrozenSet[str]) -> Iterator[Use]:
    """Yield the uses that speak of libraries; what is only named, once in a file."""
    named: Set[str] = set()
    for use in found:
        top = use.symbol.partition(".")[0]
        if top in own or (top in _STDLIB and top not in _KEPT_OF_STDLIB):
            continue
        if use.kind == READ:
            if use.symbol in named:
                continue
            named.add(use.symbol)
        yield use


def _most_telling(found: List[Use]) -> List[Use]:
    """Return as many uses as fit, those of known symbols before those of something unknown."""
    unknown = [i for i, use in enumerate(found) if use.symbol.startswith(UNRESOLVED)]
    surplus = set(unknown[max(0, len(unknown) - (len(found) - MOST_SITES)) :])
    return [use for i, use in enumerate(found) if i not in surplus][:MOST_SITES]


def _clean(use: Use, context: Context) -> Use:
    """Return ``use`` with secrets replaced and large constants left out."""
    arguments = tuple(_small(context.redact.value("", value)) for value in use.arguments)
    keywords = {n: _small(context.redact.value(n, v)) for n, v in use.keywords.items()}
    return use._replace(arguments=arguments, keywords=keywords)


def _small(value: Any) -> Any:
    simple = value is None or isinstance(value, (bool, int, float))
    return value if simple or len(str(value)) <= LARGEST_VALUE else None


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare nothing: what the source calls is told by the facet of the code."""
    del old, new
    return Comparison(unit="call sites")


def of(record: Record) -> Optional[Behaviour]:
    """Return the uses that ``record`` holds; None where it has none."""
    for subject in record.payloads(NAME):
        payload: Dict[str, Any] = subject.payload
        return codec.decode(Behaviour, payload)
    return None
