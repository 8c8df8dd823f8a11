"""Every entry that comes with the package: its form, and that it strikes what it speaks of."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance.core.uses import CALL, READ, Use
from provenance.core.versions import key
from provenance.knowledge import catalog
from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Condition, Entry, span
from provenance.knowledge.sites import struck

ENTRIES = catalog.load()
BY_ID = {one.id: one for one in ENTRIES}

pytestmark = pytest.mark.parametrize("name", sorted(BY_ID))


def symbol_of(entry: Entry) -> str:
    """Return a symbol that a user may write for the first one of ``entry``."""
    return entry.symbols[0].replace(".*", ".Anything" if entry.symbols[0].endswith("*") else ".X")


def given(condition: Condition) -> Any:
    """Return a constant that makes ``condition`` hold, None where it must not be passed."""
    if condition.test in ("equal", "equal or not passed", "starts with"):
        return condition.values[0]
    if condition.test == "passed":
        return 3
    return None


def striking(entry: Entry) -> Use:
    """Return a use that meets all conditions of ``entry``."""
    keywords: dict[str, Any] = {}
    for condition in entry.when:
        if condition.inside is None and given(condition) is not None:
            keywords[condition.parameter] = given(condition)
    inner = [c for c in entry.when if c.inside is not None]
    if inner:
        values = {c.parameter: given(c) for c in inner if given(c) is not None}
        keywords["params"] = {"dict": values}
    symbol = symbol_of(entry)
    kind = READ if entry.reads and "." in symbol else CALL
    return Use(symbol, "fit.py", 8, kind, (), keywords)


def along(entry: Entry) -> list[Use]:
    """Return the other use without which ``entry`` says nothing."""
    return [Use(one.replace("*", "?"), "fit.py", 9) for one in entry.along[:1]]


def passed_anyway(entry: Entry) -> Iterator[Use]:
    """Yield uses that fail a condition: what must not be passed is, by name and by position."""
    use = striking(entry)
    for condition in entry.when:
        if condition.test != "not passed" or condition.inside is not None:
            continue
        yield use._replace(keywords=dict(use.keywords, **{condition.parameter: 1}))
        position = condition.position
        if isinstance(position, dict):
            names = use.symbol.split(".")
            position = position.get(".".join(names[-2:]), position.get(names[-1]))
        if position is not None:
            yield use._replace(arguments=(1,) * (position + 1))


def test_form(name: str) -> None:
    entry = BY_ID[name]
    path = os.path.join(catalog.FOLDER, name + ".json")
    text = Path(path).read_text(encoding="utf-8")
    document = json.loads(text)
    assert entries_.from_json(entries_.to_json(entry)) == entry
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert entry.what
    assert entry.effect
    assert bool(entry.old) == bool(entry.new)
    url = entry.source["url"]
    assert url == "" or url.startswith("https://")
    assert url or entry.verified or entry.probe, "neither a document nor a run stands behind it"
    for package in entry.packages:
        assert package == package.lower().replace("_", "-")
        before = entry.changed_after or entry.applies_from
        assert not before or key(before) < key(entry.changed_in[package])


def test_strikes_a_call_that_meets_its_conditions(name: str) -> None:
    entry = BY_ID[name]
    hit = struck(entry, [striking(entry), *along(entry)])[0]
    assert hit.sure
    assert hit.why


def test_leaves_alone_a_call_that_does_not(name: str) -> None:
    entry = BY_ID[name]
    for use in passed_anyway(entry):
        assert use not in [hit.use for hit in struck(entry, [use, *along(entry)])]


def test_leaves_alone_the_same_name_of_another_library(name: str) -> None:
    entry = BY_ID[name]
    use = striking(entry)
    other = use._replace(symbol="another." + use.symbol.partition(".")[2])
    assert struck(entry, [other]) == ()


def test_more_arguments_make_it_unsure(name: str) -> None:
    entry = BY_ID[name]
    use = striking(entry)._replace(spread=True)
    open_ones = [c for c in entry.when if c.inside is None and c.parameter not in use.keywords]
    for hit in struck(entry, [use, *along(entry)]):
        assert hit.sure == (not open_ones)


def test_says_nothing_without_what_must_be_used_along(name: str) -> None:
    entry = BY_ID[name]
    if entry.along:
        assert struck(entry, [striking(entry)]) == ()


def test_crosses_its_boundary_both_ways_and_no_patch_release(name: str) -> None:
    entry = BY_ID[name]
    package = entry.packages[0]
    new = entry.changed_in[package]
    old = entry.changed_after or entry.applies_from or "0.0.1"
    assert span(entry, package, old, new) == "whole"
    assert span(entry, package, new, old) == "whole"
    assert span(entry, package, new, new + ".1") == ""
    assert span(entry, package, "0.0.0.1", "0.0.0.2") == ""
    assert span(entry, "another", old, new) == ""
