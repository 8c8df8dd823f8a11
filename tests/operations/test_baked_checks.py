"""What a lock carries for the drop-in test says what ``prov verify`` judges, version by version."""

from __future__ import annotations

from typing import Any

import pytest

from provenance.agent import check
from provenance.core import versions
from provenance.core.use import Use
from provenance.knowledge import catalog
from provenance.knowledge.entry import Entry
from provenance.knowledge.judge import judge
from provenance.operations import _baked_changes
from provenance.operations._baked_changes import Package

ENTRIES = catalog.load()


def around(entry: Entry, package: str) -> list[str]:
    """Return versions at, below, above and between the boundaries of ``entry``."""
    limits = [entry.changed_in[package], entry.changed_after, entry.applies_from]
    found = ["0.0.1", "99.9"]
    for one in filter(None, [*limits, entry.restore_old_until]):
        numbers = versions.key(one)[1]
        plain = ".".join(map(str, numbers))
        below = ".".join(map(str, (*numbers[:-1], max(numbers[-1] - 1, 0)))) + ".99"
        found += [plain, plain + ".0.1", plain + "rc1", plain + ".post1", below]
    return found


def use_of(entry: Entry) -> tuple[Use, ...]:
    """Return a call that meets no condition but the name, so that most entries strike."""
    symbol = entry.symbols[0].replace("*", "thing")
    return (Use(symbol, "a.py", 3), *(Use(one.replace("*", "x"), "a.py", 4) for one in entry.along))


@pytest.mark.parametrize("entry", ENTRIES, ids=[one.id for one in ENTRIES])
def test_every_entry_is_baked_as_it_is_judged(entry: Entry) -> None:
    uses = use_of(entry)
    for name in entry.packages:
        for old in around(entry, name):
            package = Package(name, name, old)
            rows = _baked_changes.known([entry], {name: package}, uses, None)
            for new in around(entry, name):
                judged = judge([entry], name, old, new, uses, None)
                number = check.release(new)[0]
                now = ".".join(map(str, number))
                told = [row for row in rows if check.meets(now, row["when"])]
                assert [row["effect"] for row in told] == [one.effect for one in judged], (old, new)
                for row, one in zip(told, judged, strict=True):
                    reason = one.reason
                    plain = new[-1].isdigit() and "post" not in new and "rc" not in new
                    assert not plain or row["text"] == _baked_changes.sentences(
                        reason.text, reason.evidence, reason.remedy, reason.source
                    )


def test_the_entries_are_struck_at_all() -> None:
    struck = 0
    for entry in ENTRIES:
        name = entry.packages[0]
        package = Package(name, name, "0.0.1")
        struck += bool(_baked_changes.known([entry], {name: package}, use_of(entry), None))
    assert struck > len(ENTRIES) // 4, "the test above would compare nothing with nothing"


def test_an_entry_of_several_packages_stands_in_their_order() -> None:
    several = [one for one in ENTRIES if len(one.packages) > 1]
    for entry in several:
        packages = {name: Package(name, name, "0.0.1") for name in reversed(entry.packages)}
        rows = _baked_changes.known([entry], packages, use_of(entry), None)
        order: list[Any] = list(dict.fromkeys(row["package"] for row in rows))
        assert order == [name for name in entry.packages if name in order]
