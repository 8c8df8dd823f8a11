"""What can be done to an array on the way from one framework's layout to another's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

if TYPE_CHECKING:
    from provenance.readers.model import Array


class Malformed(Exception):
    """A part of a map that cannot be understood or done; the text is one clause that says why."""


class Step(NamedTuple):
    """One step. name: see `KNOWN`. args: as its parser below returns them."""

    name: str
    args: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """Return the step as it is written in a map."""
        return _WRITE.get(self.name, _plain)(self)

    def apply(self, array: Array) -> Array:
        """Return ``array`` after this step, as a view where numpy can. Raises `Malformed`."""
        return _APPLY[self.name](array, *self.args)


def parse(text: str) -> Step:
    """Return the step that ``text`` states, for example ``HWIO -> OIHW``. Raises `Malformed`."""
    text = " ".join(text.split())
    for pattern, make in _FORMS:
        found = re.fullmatch(pattern, text)
        if found:
            return make(*found.groups())
    word = text.split(" ")[0]
    if word in FORMS:
        raise Malformed("'%s' is not complete; it is written: %s" % (text, FORMS[word]))
    raise Malformed("'%s' is no step; steps are: %s" % (text, ", ".join(FORMS)))


FORMS = {
    "transpose": "transpose",
    "permute": "permute 2 0 1",
    "HWIO": "HWIO -> OIHW",
    "gates": "gates ifgo -> iofg, with 'on axis 1' behind where it is not axis 0",
    "reshape": "reshape 10 -1",
    "squeeze": "squeeze",
    "flip": "flip 0 1",
    "scale": "scale 0.5",
    "negate": "negate",
    "part": "part 1 of 3, with 'on axis 1' behind where it is not axis 0",
}
"""The steps by their first word, each with an example."""


def _layout(old: str, new: str) -> Step:
    if len(set(old)) != len(old) or sorted(old) != sorted(new):
        raise Malformed("'%s -> %s' must hold the same letters, each once" % (old, new))
    return Step("layout", (old, new))


def _gates(old: str, new: str, axis: str | None) -> Step:
    if len(set(old)) != len(old) or sorted(old) != sorted(new):
        raise Malformed("'gates %s -> %s' must hold the same letters, each once" % (old, new))
    return Step("gates", (old, new, int(axis or 0)))


def _permute(axes: str) -> Step:
    found = tuple(int(one) for one in axes.split())
    if sorted(found) != list(range(len(found))):
        raise Malformed("'permute %s' must name each axis from 0 on once" % axes)
    return Step("permute", found)


def _reshape(lengths: str) -> Step:
    found = tuple(int(one) for one in lengths.split())
    if min(found) < -1 or found.count(-1) > 1:
        raise Malformed("'reshape %s': one length at most may be -1" % lengths)
    return Step("reshape", found)


def _part(which: str, count: str, axis: str | None) -> Step:
    if not 1 <= int(which) <= int(count):
        raise Malformed("'part %s of %s': parts are counted from 1 on" % (which, count))
    return Step("part", (int(which), int(count), int(axis or 0)))


def _flip(axes: str) -> Step:
    return Step("flip", tuple(int(one) for one in axes.split()))


def _scale(factor: str) -> Step:
    try:
        return Step("scale", (float(factor),))
    except ValueError:
        raise Malformed("'scale %s' needs a number" % factor) from None


_AXIS = r"(?: on axis (-?\d{1,2}))?"
_FORMS: list[tuple[str, Callable[..., Step]]] = [
    (r"(transpose|squeeze|negate)", Step),
    (r"permute ((?:\d{1,2} ?)+)", _permute),
    (r"gates ([a-zA-Z]{2,8}) ?-> ?([a-zA-Z]{2,8})" + _AXIS, _gates),
    (r"([a-zA-Z]{2,8}) ?-> ?([a-zA-Z]{2,8})", _layout),
    (r"reshape ((?:-?\d{1,12} ?)+)", _reshape),
    (r"flip ((?:\d{1,2} ?)+)", _flip),
    (r"scale (\S+)", _scale),
    (r"part (\d{1,6}) of (\d{1,6})" + _AXIS, _part),
]


def _plain(step: Step) -> str:
    return " ".join([step.name, *("%g" % x if isinstance(x, float) else str(x) for x in step.args)])


def _on_axis(text: str, axis: int) -> str:
    return text + (" on axis %d" % axis if axis else "")


_WRITE: dict[str, Callable[[Step], str]] = {
    "layout": lambda step: "%s -> %s" % step.args,
    "gates": lambda step: _on_axis("gates %s -> %s" % step.args[:2], step.args[2]),
    "part": lambda step: _on_axis("part %d of %d" % step.args[:2], step.args[2]),
    "scale": lambda step: "scale %r" % step.args[0],
}


def _shaped(array: Array) -> str:
    return "x".join(str(one) for one in array.shape) or "a single value"


def _axis(array: Array, axis: int) -> int:
    if not -array.ndim <= axis < array.ndim:
        raise Malformed("axis %d is not there: the array is %s" % (axis, _shaped(array)))
    return axis


def _do_permute(array: Array, *axes: int) -> Array:
    if array.ndim != len(axes):
        raise Malformed("permute names %d axes, the array is %s" % (len(axes), _shaped(array)))
    turned: Array = array.transpose(axes)
    return turned


def _do_layout(array: Array, old: str, new: str) -> Array:
    if array.ndim != len(old):
        raise Malformed("%s names %d axes, the array is %s" % (old, len(old), _shaped(array)))
    turned: Array = array.transpose(tuple(old.index(letter) for letter in new))
    return turned


def _do_gates(array: Array, old: str, new: str, axis: int) -> Array:
    blocks = _split(array, len(old), axis)
    made: Array = numpy.concatenate([blocks[old.index(letter)] for letter in new], axis=axis)
    return made


def _split(array: Array, count: int, axis: int) -> list[Array]:
    length = array.shape[_axis(array, axis)]
    if length % count:
        raise Malformed("%d cannot be cut into %d equal parts" % (length, count))
    blocks: list[Array] = numpy.split(array, count, axis=axis)
    return blocks


def _do_reshape(array: Array, *lengths: int) -> Array:
    try:
        return array.reshape(lengths)
    except ValueError:
        wanted = " ".join(str(one) for one in lengths)
        raise Malformed("%s cannot take the shape %s" % (_shaped(array), wanted)) from None


def _do_flip(array: Array, *axes: int) -> Array:
    made: Array = numpy.flip(array, axis=tuple(_axis(array, one) for one in axes))
    return made


def _do_scale(array: Array, factor: float) -> Array:
    if array.dtype.kind not in "fiuc":
        raise Malformed("%s cannot be scaled" % array.dtype)
    return array * array.dtype.type(factor) if array.dtype.kind == "f" else array * factor


def _do_negate(array: Array) -> Array:
    if array.dtype.kind not in "fic":
        raise Malformed("%s cannot be negated" % array.dtype)
    return -array


def _do_part(array: Array, which: int, count: int, axis: int) -> Array:
    return _split(array, count, axis)[which - 1]


_APPLY: dict[str, Callable[..., Array]] = {
    "transpose": lambda array: array.transpose(),
    "squeeze": lambda array: array.squeeze(),
    "negate": _do_negate,
    "permute": _do_permute,
    "layout": _do_layout,
    "gates": _do_gates,
    "reshape": _do_reshape,
    "flip": _do_flip,
    "scale": _do_scale,
    "part": _do_part,
}
