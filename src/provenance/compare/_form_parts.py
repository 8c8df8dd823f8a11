"""What the comparisons of forms share: reading a form's parts, naming them for people."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

TOLERANCES = {
    "float64": 1e-12,
    "complex128": 1e-12,
    "float32": 2e-6,
    "complex64": 2e-6,
    "float16": 2e-3,
    "bfloat16": 1.6e-2,
}
"""Relative. Double precision rounds at 1.1e-16 and sums of thousands in another order move the 13th
digit; single precision rounds at 6e-8 and torch versions differ by up to 1e-6 in neighbouring
releases (measured over 800 operations); half has 11 bits, bfloat16 has 8."""

_ELAPSED = re.compile(
    r"(?:^|[.\[_])(?:(?:\w+_)?(?:fit|score|predict|refit|elapsed|wall|run|train|cpu|build|setup|"
    r"total|epoch|step)_?times?_?(?:s|ms|sec)?|elapsed|duration|runtime|walltime|time_elapsed|"
    r"mean_fit_time|std_fit_time|mean_score_time|std_score_time|train_runtime|\w+_per_second)"
    r"(?:\]|$)",
    re.I,
)
_SAME_PACKAGE = {"keras": "tensorflow", "tf_keras": "tensorflow", "jaxlib": "jax"}


class Seen(NamedTuple):
    """One difference; the members of `forms.Unlike`."""

    path: str
    text: str
    old: Any
    new: Any
    magnitude: float | None
    kind: str


class Settings(NamedTuple):
    """tolerance: at least this, relative. ignore: paths that are not compared."""

    tolerance: float
    ignore: frozenset[str]


def tag(form: Any) -> str:
    """Return a form's tag; scalars of numpy and arrays without dimensions are as plain values."""
    form = bare(form)
    if isinstance(form, list) and form and isinstance(form[0], str):
        return "number" if form[0] in ("f", "i") else form[0]
    if form is None:
        return "none"
    if isinstance(form, bool):
        return "bool"
    return "str" if isinstance(form, str) else "number" if isinstance(form, (int, float)) else "?"


def bare(form: Any) -> Any:
    """Return the plain value inside of a numpy scalar or an array without dimensions."""
    if isinstance(form, list) and form:
        if form[0] == "sc":
            return bare(form[2])
        if form[0] == "a" and form[3] == [] and len(form[4].get("at", ())) == 1:
            return bare(form[4]["at"][0])
        if form[0] == "f":
            return float(form[1])
    return form


def unread(form: Any) -> bool:
    """Return whether a form is of an array of one element that could not be read."""
    if not (isinstance(form, list) and len(form) > 4 and form[0] == "a"):
        return False
    return form[3] == [] and isinstance(form[4], dict) and form[4].get("at") == []


def is_number(value: Any) -> bool:
    """Return whether a bare form is a number; truth values are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def dtype_of(form: Any) -> str:
    """Return the dtype of a number's form: numpy's, else "int" or "float"."""
    if isinstance(form, list) and form[0] == "sc":
        return str(form[1])
    if isinstance(form, list) and form[0] == "a":
        return str(form[2])
    return "int" if isinstance(form, int) else "float"


def tolerance_of(dtype: str) -> float:
    """Return the relative tolerance of a dtype; 0 for whole numbers."""
    if dtype in TOLERANCES:
        return TOLERANCES[dtype]
    if dtype.lower() in TOLERANCES:
        return TOLERANCES[dtype.lower()]
    if dtype.startswith(("float8", "fp8")):
        return 0.13
    return 1e-12 if dtype.startswith(("float", "complex", "longdouble")) else 0.0


def rounding(value: float) -> float:
    """Return the tolerance of a Python float: that of single precision where it may stem from it.

    A number whose 53 bits end in 29 zeros was a single-precision one, or is a short binary
    fraction such as 0.5, of which no neighbour within the tolerance is.
    """
    try:
        if value and struct.unpack("f", struct.pack("f", value))[0] == value:
            return 1e-12 if _short_fraction(value) else TOLERANCES["float32"]
    except (OverflowError, ValueError):
        pass
    return 1e-12


def of_several(values: Iterable[Any]) -> float:
    """Return the tolerance of Python floats that belong together, such as those of one list.

    They stem from single precision where all do that can tell: 0.5 and 3.0 can not.
    """
    telling = [one for one in values if isinstance(one, float) and not _short_fraction(one)]
    return min(map(rounding, telling), default=1e-12)


def _short_fraction(value: float) -> bool:
    return not math.isfinite(value) or value * 1024 == int(value * 1024)


def package(name: str) -> str:
    """Return the top package of a class; those that are one library under two names are one."""
    top = name.partition(".")[0] if "." in name else ""
    return _SAME_PACKAGE.get(top, top)


def same_class(old: str, new: str) -> bool:
    """Return whether two qualified names are one class, whose module may have moved.

    Compiled modules of old releases do not say of which package they are: ``mtrand.RandomState``.
    """
    if old == new or ("." in old and new.endswith("." + old)):
        return True
    first, second = old.rpartition(".")[2], new.rpartition(".")[2]
    return first.lstrip("_") == second.lstrip("_") and package(old) == package(new)


def same_moment(old: Any, new: Any) -> bool:
    """Return whether two forms are of one date, time or span: pandas' are Python's."""
    if not all(isinstance(one, list) and len(one) > 2 and one[0] == "v" for one in (old, new)):
        return False
    return bool(old[2] == new[2]) and {old[1], new[1]} <= _MOMENTS


_MOMENTS = frozenset(
    ("pandas.Timestamp", "pandas.Timedelta", "datetime.datetime", "datetime.timedelta")
)


def is_elapsed(path: str) -> bool:
    """Return whether a path ends in the name of an elapsed time, which differs always."""
    return bool(path) and _ELAPSED.search(path) is not None


def only_numbers(form: Any) -> bool:
    """Return whether a list's form holds numbers alone."""
    if "at" in form[3]:
        return True
    return bool(form[2]) and form[1] == len(form[2]) and all(is_number(bare(o)) for o in form[2])


def size(form: Any) -> int:
    """Return the number of members of a tuple's form."""
    return len(form[2]) if form[0] == "nt" else int(form[1])


def members(form: Any) -> list[Any]:
    """Return the members of a tuple's form, named or not."""
    return [item for _, item in form[2]] if form[0] == "nt" else list(form[2])


def key(form: Any) -> str:
    """Return the form of a key as it is shown in a path."""
    value = bare(form)
    if isinstance(value, list) and value and value[0] == "t":
        return "(%s)" % ", ".join(key(one) for one in value[2])
    if isinstance(value, list) and len(value) > 2 and value[0] in ("v", "e", "q"):
        return str(value[2])
    return value if isinstance(value, str) else repr(value)


def shape(sizes: Any) -> str:
    """Return a shape as Python writes it."""
    return repr(tuple(sizes))


def listed(changed: list[str], old: Any) -> str:
    """Return keys that came and went, a few of them by name."""
    marks = [("-" if name in old else "+") + name for name in changed]
    return ", ".join(marks[:4]) + (", ..." if len(marks) > 4 else "")


def listed_pair(old: list[str], new: list[str]) -> str:
    """Return the first names that differ."""
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    return "%s -> %s" % pairs[0] if pairs else ""


def kind_of(form: Any) -> str:
    """Return what a form is, for people: ``tuple``, ``KMeans``, ``None``, ``float32 array``."""
    plain = {
        "none": "None",
        "bool": "bool",
        "str": "str",
        "s": "str",
        "by": "bytes",
        "c": "complex",
    }
    name = tag(form)
    if name == "number":
        return dtype_of(form)
    if name in plain:
        return plain[name]
    fixed = {"l": "list", "t": "tuple", "set": "set", "ix": "Index"}
    if name in fixed:
        return fixed[name]
    if name == "a":
        return "%s %s" % (form[1].rpartition(".")[2], shape(form[3]))
    return str(form[1]).rpartition(".")[2] if name != "q" else str(form[1])


def short(form: Any, length: int = 60) -> str:
    """Return a value's form for people, in few characters."""
    value = bare(form)
    if isinstance(value, float):
        return "%.6g" % value
    if isinstance(value, list):
        name = tag(value)
        if name in ("v", "e", "q"):
            return str(value[2])
        if name in ("l", "t") and value[2] and value[1] == len(value[2]):
            text = ", ".join(short(one, 20) for one in value[2][:6])
            more = ", ..." if len(value[2]) > 6 else ""
            return ("[%s%s]" if name == "l" else "(%s%s)") % (text, more)
        return kind_of(value)
    text = repr(value)
    return text if len(text) <= length else text[: length - 4] + "..." + text[-1]
