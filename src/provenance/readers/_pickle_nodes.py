"""What a pickle is read into: plain values, and inert marks where it would import or call."""

from __future__ import annotations

from typing import Any, NamedTuple

from provenance.readers._bytes import Span


class Name(NamedTuple):
    """Something that the pickle would import. Here it is two texts and nothing else."""

    module: str
    name: str

    @property
    def dotted(self) -> str:
        """Return the whole name."""
        return "%s.%s" % self


class Call:
    """Something that the pickle would call, with what it would then put into the outcome.

    made_by: a `Name`, or whatever node stands there. states: given to BUILD. items, pairs:
    appended or set as if it were a list or a dict.
    """

    __slots__ = ("args", "items", "kwargs", "made_by", "pairs", "states")

    def __init__(self, made_by: Any, args: Any, kwargs: Any = None) -> None:
        self.made_by = made_by
        self.args: tuple[Any, ...] = args if isinstance(args, tuple) else (args,)
        self.kwargs = kwargs
        self.states: list[Any] = []
        self.items: list[Any] = []
        self.pairs: list[tuple[Any, Any]] = []

    def is_of(self, *names: str) -> bool:
        """Return whether it would call one of ``names``, told as "module.name"."""
        return isinstance(self.made_by, Name) and self.made_by.dotted in names


class Pairs:
    """A dict as the list of its items: keys from a file could be chosen to collide."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class Bag:
    """A set as the list of its items."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any] | None = None) -> None:
        self.items: list[Any] = items or []


class Persistent(NamedTuple):
    """Something that stands outside of the pickle, by whatever identifies it there."""

    pid: Any


class Long(NamedTuple):
    """Many bytes that stay in the file. form: "bytes", "utf-8" (a text) or "latin-1" (Python 2)."""

    span: Span
    form: str
