"""Lines of pip's, as they stand inside other files: read as a requirements.txt of their own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ._conda import Told, both
from ._text import brief
from .model import EXACT, NAMED, PACKAGE, PLACED, RANGE, Fact, Source, Spec, Unread

_WHOLE = re.compile(r"(Taken|Not taken) as complete\b")
_FILE = re.compile(r"^(\s{0,99}(?:-r|-c|--requirement|--constraint)[ =]\s{0,99})file:(?!//)")


def state(
    items: Iterable[tuple[int, str]],
    source: Source,
    told: Told,
    marker: str = "",
    group: str = "",
) -> None:
    """Add what the lines ``items`` (number and text of each) state to ``told``."""
    numbers: list[int] = []
    lines: list[str] = []
    for number, text in items:
        for line in text.split("\n"):
            numbers.append(number)
            # conda's documentation writes -r file:requirements.txt, which pip takes for the file.
            lines.append(_FILE.sub(r"\1", line.rstrip("\\")))
    spec = _reader()(Source(source.path, "\n".join(lines).encode(), source.sibling))
    place = re.compile(re.escape(source.path) + r":(\d{1,9})(?!\d)")

    def moved(where: str) -> str:
        return place.sub(
            lambda found: told.where(numbers[min(int(found[1]), len(numbers)) - 1]), where
        )

    for fact in spec.facts:
        told.add(
            fact._replace(
                where=moved(fact.where),
                marker=both(_grouped(fact.marker), marker) if marker else fact.marker,
                group=fact.group or group,
            )
        )
    told.unread += [one._replace(where=moved(one.where)) for one in spec.unread]
    # Whether these lines are all that is installed is for the file around them to say.
    told.notes += [moved(note) for note in spec.notes if not _WHOLE.match(note)]
    told.included += spec.included


def _grouped(marker: str) -> str:
    return "(%s)" % marker if " or " in marker else marker


def _reader() -> Callable[[Source], Spec]:
    """Return the reader of requirements files; while it has an older form, the one below."""
    from . import requirements  # noqa: PLC0415  # it may in turn need what reads conda's lines

    whole: Any = requirements.read
    return whole if len(inspect.signature(whole).parameters) == 1 else _plain


def _plain(source: Source) -> Spec:
    facts: list[Fact] = []
    unread: list[Unread] = []
    for number, line in enumerate(source.data.decode().split("\n"), 1):
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        where = "%s:%d" % (source.path, number)
        if not text:
            continue
        try:
            facts.append(_requirement(text, where))
        except InvalidRequirement:
            egg = re.search(r"#egg=([\w.-]+)", text)
            if egg:
                url = text.removeprefix("-e").strip().partition("#")[0]
                name = canonicalize_name(egg[1])
                facts.append(Fact(PACKAGE, name, PLACED, where, url=url))
            else:
                unread.append(Unread(where, brief(text), "An option, folder or file of pip's."))
    return Spec(source.path, "requirements.txt", tuple(facts), tuple(unread))


def _requirement(text: str, where: str) -> Fact:
    one = Requirement(text)
    clauses = list(one.specifier)
    exact = len(clauses) == 1 and clauses[0].operator in ("==", "===")
    exact = exact and not clauses[0].version.endswith("*")
    return Fact(
        PACKAGE,
        canonicalize_name(one.name),
        PLACED if one.url else EXACT if exact else RANGE if clauses else NAMED,
        where,
        version=clauses[0].version if exact else "",
        specifier=str(one.specifier),
        marker=str(one.marker) if one.marker else "",
        extras=tuple(sorted(one.extras)),
        url=one.url or "",
    )
