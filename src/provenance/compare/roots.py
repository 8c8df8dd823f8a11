"""What the comparison of two tapes says: roots and coverage; and what it pairs them up by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from provenance.compare.forms import Unlike
from provenance.compare.tape import Operation, Site, Tape

Key = tuple[Site, int]
VALUE, STATE, RANDOM, NUMERICS = "value", "state", "random", "numerics"
FAILS, WORKS, ALIAS = "fails", "works", "alias"

Drawn = tuple[tuple[str, str] | None, tuple[str, str] | None]
"""Digests of the global generators before and after an operation, in both environments."""
SHOWN_DIGITS = 8
"""Digits up to which a printed number was rounded on purpose: more are there to show all bits."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]*\w)")

SINK = re.compile(
    r"(^builtins\.print$|\.(dump|dumps|save[a-z_]*|write[a-z_]*|imwrite|imsave|tofile"
    r"|log|info|warning|log_metrics?|add_scalars?|append_row"
    r"|to_(csv|json|parquet|excel|pickle|hdf|sql|feather|html|latex|markdown|stata|clipboard|gbq"
    r"|orc|xml|file|netcdf|zarr|disk|string|image|raster))$)"
)
"""Calls by which values leave the script: what is printed, written or logged."""


class Root(NamedTuple):
    """One way in which a library behaves differently for this script.

    site, operation: where and what. maker: the operation that made the object it is about. after:
    of a part of an object that was read, the operation that may have changed it unseen.
    unlike: what differs. kind: "value" (another result), "state" (the call left an input
    different), "random" (draws from the global generators differently), "alias" (its input was
    changed by something that does not return it), "numerics" (other last bits, and they are
    printed), "fails", "works".
    follows: how many later sites differ because of it. reaches: the first place where what it
    changed is printed or written. handled: the script itself handles the failure.
    """

    site: Site
    operation: Operation
    kind: str
    unlike: Unlike | None
    error: str = ""
    maker: tuple[Site, Operation] | None = None
    after: tuple[Site, Operation] | None = None
    also: tuple[Site, ...] = ()
    follows: int = 0
    reaches: str = ""
    handled: bool = False


class Coverage(NamedTuple):
    """How many call sites of the source were compared.

    reached: sites that ran in the recorded environment. compared: of these, those that could be
    compared. noisy: differ from run to run there. missing: did not run in the other environment.
    """

    reached: int
    compared: int
    noisy: int
    missing: int


class Compared(NamedTuple):
    """What comparing two tapes gave."""

    roots: tuple[Root, ...]
    coverage: Coverage
    agreeing: tuple[Operation, ...]
    """The first execution of each site that was compared and did not differ."""
    same: frozenset[str]
    """Places ("train.py:8") of which everything was compared and, with all that was done with what
    they made, is equal."""


def by_key(tape: Tape) -> dict[Key, Operation]:
    """Return the operations of a tape by site and execution."""
    found: dict[Key, Operation] = {}
    for one in tape.operations:
        site = tape.sites.get(one.site)
        if site is not None:
            found[site, one.nth] = one
    return found


def around(operations: Sequence[Operation]) -> dict[int, Operation]:
    """Return by number the operation within which another one happened: that called it back."""
    found: dict[int, Operation] = {}
    free: list[int] = []
    for one in operations:
        while free and free[-1] > one.begin:
            found[free.pop()] = one
        free.append(one.number)
    return found


def parts(one: Operation, other: Operation) -> list[tuple[str, int | None, int | None]]:
    """Return result and changed inputs of two operations, paired by name."""
    parts: list[tuple[str, int | None, int | None]] = [("", one.result, other.result)]
    mine, theirs = dict(one.changed), dict(other.changed)
    before, after = dict(one.inputs), dict(other.inputs)
    parts += [
        (name, mine.get(name, before.get(name)), theirs.get(name, after.get(name)))
        for name in [*mine, *(n for n in theirs if n not in mine)]
    ]
    return parts


def inputs(one: Operation, other: Operation) -> list[tuple[str, int | None, int | None]]:
    """Return the inputs of two operations, paired by name and, under one name, by their order."""
    rest: dict[str, list[int | None]] = {}
    for name, form in other.inputs:
        rest.setdefault(name, []).append(form)
    paired = []
    for name, form in one.inputs:
        left = rest.get(name)
        paired.append((name, form, left.pop(0) if left else None))
    return paired


def random_states(tape: Tape) -> dict[int, tuple[str, str]]:
    """Return the state of the global generators before and after each operation."""
    found = {}
    state = ""
    for one in tape.operations:
        after = one.random or state
        found[one.number] = (state, after)
        state = after
    return found


def parts_ways(drawn: Drawn) -> bool:
    """Return whether an operation drew in one way here and in another there."""
    mine, theirs = drawn
    if mine is None or theirs is None:
        return False
    return mine[0] == theirs[0] and mine[1] != theirs[1] and bool(mine[0])


def other_digits(old: str, new: str) -> str:
    """Return the first pair of rounded numbers in which two texts differ, "" where there is none.

    Only texts count that are equal but for numbers. ``"loss 3.438616"``, ``"loss 3.438615"``.
    """
    if old == new or _NUMBER.sub("#", old) != _NUMBER.sub("#", new):
        return ""
    for mine, theirs in zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True):
        digits = sum(one.isdigit() for one in mine.lower().partition("e")[0].lstrip("-+0."))
        if mine != theirs and digits <= SHOWN_DIGITS and "." in mine:
            return "%s -> %s" % (mine, theirs)
    return ""


def is_single(form: object) -> bool:
    """Return whether a form holds numbers of single precision or less."""
    text = repr(form)
    return any(name in text for name in ("float32", "float16", "complex64"))
