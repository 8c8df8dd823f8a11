"""Texts of two forms compared: numbers inside with tolerance, everything else exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from provenance.compare._form_parts import Seen, Settings

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F?]+")
_LIBRARY = re.compile(r"(?:/[\w.@+\-]+)+/(?:site|dist)-packages/")
_TEMPORARY = re.compile(r"/tmp/[\w.\-]+|/var/folders/[\w.\-/]+")  # noqa: S108


def normalised(text: str) -> str:
    """Return a text without addresses, temporary folders and folders of installed libraries."""
    text = _ADDRESS.sub("0x?", text)
    return _TEMPORARY.sub("<temporary>", _LIBRARY.sub("<libraries>/", text))


def texts(path: str, old: str, new: str, settings: Settings) -> Iterator[Seen]:
    """Yield how two texts differ."""
    first, second = normalised(old), normalised(new)
    if first == second:
        return
    numbers = _NUMBER.findall(first), _NUMBER.findall(second)
    words = _NUMBER.split(first), _NUMBER.split(second)
    spaceless = [[" ".join(one.split()) for one in each] for each in words]
    if words[0] != words[1] and (spaceless[0] != spaceless[1] or numbers[0] == numbers[1]):
        yield Seen(path, _changed(first, second), old, new, None, "text")
        return
    magnitude, noise, example = 0.0, True, ("", "")
    for one, other in zip(*numbers, strict=True):
        apart = _apart(one, other, settings.tolerance)
        if apart is None:
            continue
        if not example[0] or apart[0] > magnitude:
            example, magnitude = (one, other), max(magnitude, apart[0])
        noise = noise and apart[1]
    if example[0]:
        kind = "noise" if noise else "value"
        yield Seen(path, "%s -> %s" % example, old, new, magnitude, kind)


def _apart(old: str, new: str, least: float) -> tuple[float, bool] | None:
    """Return how far two written numbers lie apart and whether that may be rounding; None: same."""
    if old == new:
        return None
    first, second = float(old), float(new)
    if first == second:
        return None
    scale = max(abs(first), abs(second))
    apart = abs(first - second) / scale if scale < float("inf") else 1.0
    digits = max(_digits(old), _digits(new))
    if _whole(old) and _whole(new):
        return apart, False
    tolerance = 1e-12 if digits > 9 else 2e-6 if digits > 6 else 0.0
    if apart <= max(tolerance, least) or scale < 1e-15:
        return None
    last = 10.0 ** -max(len(_decimals(old)), len(_decimals(new)))
    unit = "e" not in (old + new).lower() and abs(first - second) <= last * 1.5
    return apart, apart <= 1e3 * tolerance or (unit and digits >= 5)


def _whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def _decimals(text: str) -> str:
    return re.split("[eE]", text)[0].partition(".")[2]


def _digits(text: str) -> int:
    mantissa = re.split("[eE]", text.lstrip("+-"))[0].replace(".", "")
    return len(mantissa.lstrip("0"))


def _changed(old: str, new: str, length: int = 40) -> str:
    """Return the first place where two texts differ, with a little before it."""
    at = next(i for i, (a, b) in enumerate(zip_longest(old, new)) if a != b)
    start = max(old.rfind("\n", 0, at) + 1, at - 12, 0)
    pieces = [one[start : start + length].split("\n")[0] for one in (old, new)]
    return "%r -> %r" % (pieces[0], pieces[1])


def long_texts(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Yield how two texts differ of which only the ends and digests are known."""
    first, second = old[1], new[1]
    if first["h"] == second["h"]:
        return
    found = list(texts(path, first["head"], second["head"], settings))
    found = found or list(texts(path, first["tail"], second["tail"], settings))
    if found:
        yield found[0]
    elif first["words"] != second["words"]:
        text = "text of %d -> %d characters" % (first["n"], second["n"])
        yield Seen(path, text, old, new, None, "text")
    else:
        one, other = ["l", 0, [], first["numbers"]], ["l", 0, [], second["numbers"]]
        from provenance.compare._form_arrays import lists  # it imports this

        yield from lists(path, one, other, settings)


def other_words(old: str, again: str, new: str) -> bool:
    """Return whether a text that holds numbers of chance (a time) differs in its words.

    again: the text of a second run in the old environment. Where it has other words, too, they are
    of chance as well. Numbers are not compared: which of them are of chance two runs do not tell.
    """
    words, second, third = map(_words, (old, again, new))
    return words == second and words != third


def without_numbers(text: str) -> str:
    """Return a text with ``#`` for each number."""
    return _NUMBER.sub("#", normalised(text))


def _words(text: str) -> list[str]:
    return [" ".join(one.split()) for one in _NUMBER.split(normalised(text))]
