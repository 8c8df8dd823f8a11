"""Lines of pip's, as they stand inside other files: read as a requirements.txt of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provenance.specs import requirements
from provenance.specs._conda import both
from provenance.specs._gathered import Gathered
from provenance.specs.model import Source

_WHOLE = re.compile(r"(Taken|Not taken) as complete\b")
_FILE = re.compile(r"^(\s{0,99}(?:-r|-c|--requirement|--constraint)[ =]\s{0,99})file:(?!//)")


def state(
    items: Iterable[tuple[int, str]],
    source: Source,
    told: Gathered,
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
    spec = requirements.read(Source(source.path, "\n".join(lines).encode(), source.sibling))
    place = re.compile(re.escape(source.path) + r":(\d{1,9})(?!\d)")

    def moved(where: str) -> str:
        return place.sub(
            lambda found: told.where(numbers[min(int(found[1]), len(numbers)) - 1]), where
        )

    for fact in spec.facts:
        told.take(
            fact._replace(
                where=moved(fact.where),
                marker=both(_grouped(fact.marker), marker) if marker else fact.marker,
                group=fact.group or group,
            )
        )
    told.take(*(one._replace(where=moved(one.where)) for one in spec.unread))
    # Whether these lines are all that is installed is for the file around them to say.
    told.notes += [moved(note) for note in spec.notes if not _WHOLE.match(note)]
    told.included += spec.included


def _grouped(marker: str) -> str:
    return "(%s)" % marker if " or " in marker else marker
