"""Jupyter notebooks: sources and outputs, without counts, times, identifiers and addresses."""

from __future__ import annotations

import base64
import binascii
import os
import re
import tempfile
from itertools import zip_longest
from typing import Any

from provenance.compare.judged import Judged, Part, gravest
from provenance.compare.kinds.base import Opaque, Pair
from provenance.compare.kinds.structured import parsed
from provenance.compare.values import Tally, counted
from provenance.core.verdict import DIFFERENT, SAME, WITHIN

KIND = "notebook"
_IMAGES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif"}
_TEXTUAL = ("text/plain", "text/markdown", "text/latex", "application/json", "text/html")
_FIRST_NAME = re.compile(r"^\s*(?:def|class)\s+(\w+)|^#+\s*(.+)|^(\w+)\s*=|^[\w.]*?(\w+)\(", re.M)
_GENERATED = re.compile(r"""(?:id|for|href|data-target)\s*=\s*["'][^"']*["']|\b[0-9a-f]{32}\b""")
"""Identifiers that libraries make anew at every display (pandas' styles, plotly, bokeh)."""


def compare(pair: Pair) -> Judged:
    """Compare two notebooks cell by cell: what differs first, the source or an output."""
    old, new = (_cells(parsed(p, "x.json", which), which) for p, _, which in pair.sides)
    parts: list[Part] = []
    tally = Tally(pair.tolerance)
    sources = False
    for number, (one, other) in enumerate(zip_longest(old, new), start=1):
        if one is None or other is None:
            text = "only in the %s" % ("second" if one is None else "first")
            parts.append(Part(_name(number, one or other), DIFFERENT, text))
            sources = True
            continue
        before = len(parts)
        _source(pair, number, one, other, parts)
        sources = sources or len(parts) > before
        _outputs(pair, number, one, other, parts, tally)
    return _judged(parts, max(len(old), len(new)), tally, sources)


def _judged(parts: list[Part], cells: int, tally: Tally, sources: bool) -> Judged:
    verdict = gravest([WITHIN, *(one.verdict for one in parts)])
    figures = {"cells": cells, "within": tally.within, "volatile": tally.volatile}
    if verdict == DIFFERENT:
        first = next(one for one in parts if one.verdict == DIFFERENT)
        detail = "%s: %s" % (first.name, first.detail)
        more = sum(1 for one in parts if one.verdict == DIFFERENT) - 1
        detail += " (and %d more)" % more if more else ""
        if not sources:
            detail += "; the sources are the same"
        return Judged(verdict, detail, KIND, cells, tuple(parts), figures)
    words = ["re-executed with the same outputs"]
    if tally.within:
        words = ["%s in outputs within tolerance" % counted(tally.within, "value")]
    if tally.volatile:
        words.append("outputs differ in times, addresses and the like")
    if not tally.within and not tally.volatile:
        words.append("only counts, identifiers and metadata differ")
    return Judged(WITHIN, "; ".join(words), KIND, cells, tuple(parts), figures)


def _cells(notebook: Any, which: str) -> list[dict[str, Any]]:
    """Return the cells of version 4, or of 3 with its sheets. Raises `Opaque`."""
    try:
        if "cells" in notebook:
            found = notebook["cells"]
        else:
            found = [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        if all(isinstance(one, dict) for one in found):
            return list(found)
    except (KeyError, TypeError):
        pass
    raise Opaque("%s is not a notebook" % which)


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _name(number: int, cell: dict[str, Any] | None) -> str:
    """Return "cell 7 [train]": number from 1, and the first name in it."""
    source = _text((cell or {}).get("source", (cell or {}).get("input", "")))
    match = _FIRST_NAME.search(source)
    word = next((one for one in match.groups() if one), "") if match else ""
    return "cell %d%s" % (number, " [%s]" % word.strip()[:30] if word else "")


def _source(
    pair: Pair, number: int, old: dict[str, Any], new: dict[str, Any], parts: list[Part]
) -> None:
    first, second = (_text(one.get("source", one.get("input", ""))) for one in (old, new))
    if old.get("cell_type") != new.get("cell_type"):
        text = "%s -> %s" % (old.get("cell_type"), new.get("cell_type"))
        parts.append(Part(_name(number, old), DIFFERENT, text))
    elif first.strip() != second.strip():
        tally = Tally(pair.tolerance._replace(rtol=0.0, atol=0.0))
        for at, (one, other) in enumerate(
            zip_longest(first.splitlines(), second.splitlines()), start=1
        ):
            if one != other:
                tally.leaf("line %d" % at, one or "", (other or "") + ("" if one else " "))
                break
        where = tally.parts[0] if tally.parts else Part("", DIFFERENT, "other layout")
        text = "source differs%s: %s" % (" in " + where.name if where.name else "", where.detail)
        parts.append(Part(_name(number, old), DIFFERENT, text))


def _outputs(
    pair: Pair,
    number: int,
    old: dict[str, Any],
    new: dict[str, Any],
    parts: list[Part],
    tally: Tally,
) -> None:
    first, second = (_shown(one.get("outputs") or []) for one in (old, new))
    name = _name(number, old)
    if [kind for kind, _ in first] != [kind for kind, _ in second]:
        if not first or not second:
            text = "no output in the %s" % ("first" if not first else "second")
        else:
            text = "output differs: %s -> %s" % tuple(
                ", ".join(kind for kind, _ in one) or "nothing" for one in (first, second)
            )
        parts.append(Part(name, DIFFERENT, text))
        return
    for (kind, one), (_, other) in zip(first, second, strict=True):
        if one == other:
            continue
        if kind in _IMAGES:
            judged = _image(pair, kind, one, other)
            if judged.verdict != SAME:
                text = "image in the output: %s" % judged.detail
                parts.append(Part(name, judged.verdict, text, judged.figures))
            continue
        before = tally.different
        made = [_GENERATED.sub("", text) if kind == "text/html" else text for text in (one, other)]
        tally.lines(*(text.splitlines() for text in made))
        if tally.different > before:
            text = (
                "output differs: %s" % tally.parts[before].detail
                if before < len(tally.parts)
                else ""
            )
            parts.append(Part(name, DIFFERENT, text or "output differs"))
            return


def _shown(outputs: Any) -> list[tuple[str, str]]:
    """Return the kind and the content of each thing shown; texts of one stream are put together."""
    if not isinstance(outputs, list):
        raise Opaque("the outputs of a cell are not a list")
    found: list[tuple[str, str]] = []
    if not isinstance(outputs, list):
        raise Opaque("the outputs of a cell are not a list")
    for one in outputs:
        if not isinstance(one, dict):
            raise Opaque("an output of a cell is not an object")
        kind = str(one.get("output_type"))
        if kind in ("stream", "error"):
            label = str(one.get("name", one.get("stream", kind))) if kind == "stream" else "error"
            text = _text(one.get("text", one.get("evalue", "")))
            if kind == "error":
                text = "%s: %s" % (one.get("ename"), text)
            if found and found[-1][0] == label:
                found[-1] = (label, found[-1][1] + text)
            elif label != "stderr":
                found.append((label, text))
            continue
        stated = one.get("data")
        data: dict[str, Any] = stated if isinstance(stated, dict) else one
        found += [(mime, _text(data[mime])) for mime in (*_TEXTUAL, *_IMAGES) if mime in data]
    return found


def _image(pair: Pair, kind: str, old: str, new: str) -> Judged:
    with tempfile.TemporaryDirectory(prefix="prov-diff-") as folder:
        paths = []
        for side, data in (("old", old), ("new", new)):
            path = os.path.join(folder, side + _IMAGES[kind])
            try:
                content = base64.b64decode(data)
            except (binascii.Error, ValueError):
                return Judged(DIFFERENT, "not readable")
            with open(path, "wb") as stream:
                stream.write(content)
            paths.append(path)
        name = os.path.basename(paths[0])
        return pair.again(
            pair._replace(
                old=paths[0], new=paths[1], old_name=name, new_name=name, depth=pair.depth + 1
            )
        )


__all__ = ["KIND", "compare"]
