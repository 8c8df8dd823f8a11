"""A graph to draw: boxes with a few lines of text, and arrows between them."""

from __future__ import annotations

from typing import NamedTuple

RUN, FILE, MANY = "run", "file", "many"
"""Kinds of boxes. Many: several files as one."""

SURE, DOUBTFUL = "sure", "doubtful"
"""Kinds of arrows."""


class Box(NamedTuple):
    """lines: shown in it, the first is its name. more: all of it in words. marked: asked about."""

    id: str
    kind: str
    lines: tuple[str, ...]
    more: str = ""
    marked: bool = False


class Arrow(NamedTuple):
    """From box to box, by id. label: shown beside it, "" for none."""

    begin: str
    end: str
    kind: str = SURE
    label: str = ""


class Drawing(NamedTuple):
    """What is to be drawn. said: the whole as a sentence or two, for those who cannot see it."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    said: str = ""


def clean(words: str) -> str:
    """Return ``words`` without characters that no text format allows."""
    text = "".join(c if c.isprintable() else "?" for c in words)
    return text.encode("utf-8", "replace").decode("utf-8")


def cut(words: str, most: int, end: bool = False) -> str:
    """Return ``words`` in at most ``most`` characters; of a path the end is kept."""
    if len(words) <= most:
        return words
    return "…" + words[1 - most :] if end else words[: most - 1].rstrip() + "…"
