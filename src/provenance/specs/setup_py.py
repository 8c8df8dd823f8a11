"""What a ``setup.py`` states, by reading it: it is never run.

Taken are the arguments ``install_requires``, ``extras_require``, ``tests_require`` and
``python_requires`` of ``setup``, and the lines of files beside the script that these come from.
"""

from __future__ import annotations

import ast
import warnings

from provenance.specs._locked import Found, spec
from provenance.specs._pep508 import both, python, stated
from provenance.specs._setup_steps import Steps
from provenance.specs._setup_values import File, Many, Table, Text, Unknown, Value
from provenance.specs._text import brief, decoded
from provenance.specs.model import Fact, Source, Spec, Unread, Unreadable
from provenance.specs.pyproject import beside

FORMAT = "setup.py"

MOST_BYTES = 128 << 10
"""Python's own parser can fail hard on longer chains of operators than this has room for."""


def read(source: Source) -> Spec:
    """Return what a setup.py states. Raises `Unreadable` where it is no Python 3."""
    steps = Steps()
    try:
        steps.run(_tree(source))
    except RecursionError:
        raise Unreadable("Its expressions are too deep to be read.") from None
    found: Found = []
    included: list[str] = []
    for line, given in steps.setups:
        found += _stated(given, line, source, included)
    if not steps.setups:
        notes: tuple[str, ...] = ("%s:1 calls no setup(): it states nothing." % source.path,)
    elif not found:
        where = "%s:%d" % (source.path, steps.setups[0][0])
        notes = ("%s calls setup() without requirements; setup.cfg may have them." % where,)
    else:
        notes = ()
    unique = list(dict.fromkeys(found))
    return spec(source, FORMAT, unique, False, tuple(dict.fromkeys(included)), notes)


def _tree(source: Source) -> ast.Module:
    text = decoded(source.data, MOST_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old escapes in strings
            return ast.parse(text)
    except SyntaxError as error:
        line = min(error.lineno or 0, text.count("\n") + 1)
        why = "It is not valid Python 3 (%s)." % str(error.msg)[:100]
        raise Unreadable(why, max(line, 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable("It cannot be read as Python: %s." % str(error)[:100]) from None


def _stated(given: Table, line: int, source: Source, included: list[str]) -> Found:
    found: Found = []
    where = "%s:%d" % (source.path, line)
    version = given.values.get("python_requires")
    if isinstance(version, Text):
        found.append(python(version.value, "%s:%d" % (source.path, version.line)))
    elif version is not None:
        found.append(_unread(version, source, line))
    for name, group in (("install_requires", ""), ("tests_require", "group:tests")):
        if name in given.values:
            found += _requirements(given.values[name], group, "", source, line, included)
    extras = given.values.get("extras_require")
    if isinstance(extras, Table):
        for key, value in extras.values.items():
            extra, _, marker = key.partition(":")
            group = "extra:" + extra if extra else ""
            found += _requirements(value, group, marker, source, line, included)
        found += [_unread(one, source, line) for one in extras.unknown]
    elif extras is not None:
        found.append(_unread(extras, source, line))
    if given.unknown:
        why = "Some arguments of setup() are computed: there may be more requirements."
        found.append(Unread(where, brief(given.unknown[0].code), why))
    return found


def _unread(value: Value, source: Source, line: int) -> Unread:
    if isinstance(value, Unknown):
        return Unread("%s:%d" % (source.path, value.line), brief(value.code), value.why)
    where = "%s:%d" % (source.path, getattr(value, "line", line))
    return Unread(where, "", "This is not of the kind that setuptools expects here.")


def _requirements(
    value: Value, group: str, marker: str, source: Source, line: int, included: list[str]
) -> Found:
    found: Found = []
    for one in value.items if isinstance(value, Many) else [value]:
        if isinstance(one, Text):
            for number, text in enumerate(one.value.split("\n")):
                bare = text.split(" #")[0].strip()
                if bare and not bare.startswith("#"):
                    # A text of several lines stands over several lines of the file.
                    place = min(one.line + number, source.data.count(b"\n") + 1)
                    found.append(stated(bare, "%s:%d" % (source.path, place), group))
        elif isinstance(one, File):
            path = one.path.replace("\\", "/").removeprefix("./")
            found += beside(source, path, "%s:%d" % (source.path, one.line), group, included)
        else:
            found.append(_unread(one, source, line))
    if not marker:
        return found
    return [
        one._replace(marker=both(marker.strip(), one.marker)) if isinstance(one, Fact) else one
        for one in found
    ]
