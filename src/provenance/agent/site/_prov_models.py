"""Telling what a program built to learn with: models, optimizers, schedules, data loaders.

Shared by the ``_prov_models_*`` files; run by ``sitecustomize``, which gives ``log(kind, value)``
and ``load(name)`` (the names of a file beside this one). Everything is told as ``model.*`` topics.
What is told is plain and bounded; no object of the program is kept alive, and none of its own
``__repr__`` or ``__str__`` is called.
"""

import os
import sys

log, load = globals()["log"], globals()["load"]

_MOST, _MOST_ITEMS, _MOST_ROWS, _CHUNK = 100, 50, 400, 100
"""Things of one role that are told; items of a value; rows of a layer table, in all and a line."""

_told, _patches = load("_prov_told"), load("_prov_patches")
_known, _counted = {}, {}

where = _patches["where"]


def around(owner, name, function):
    """Put ``function(original, ...)`` in the place of a function; more than one file may do so."""
    original = vars(owner).get(name)
    static = isinstance(original, (staticmethod, classmethod))
    inner = original.__func__ if static else original
    if inner is None or not callable(inner):
        return
    wrapped = _patches["hidden"](inner, function)
    kept = "__annotate__" if sys.version_info >= (3, 14) else "__annotations__"
    if hasattr(inner, kept):
        setattr(wrapped, kept, getattr(inner, kept))
    setattr(owner, name, type(original)(wrapped) if static else wrapped)


# --- values --------------------------------------------------------------------------------------


def name_of(kind):
    """Return the dotted name of a class or function."""
    module = getattr(kind, "__module__", "") or ""
    name = getattr(kind, "__qualname__", "") or getattr(kind, "__name__", "?")
    return name if module in ("builtins", "") else "%s.%s" % (module, name)


def described(value, name="", depth=0):
    """Return ``value`` in a few plain words: what it is, never all that is in it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return _told["plain"](value, name)
    kind = type(value)
    if hasattr(kind, "shape") and hasattr(kind, "dtype"):
        return _array(value)
    if depth < 3 and kind in (list, tuple, set, frozenset):
        return [described(one, name, depth + 1) for one in list(value)[:_MOST_ITEMS]]
    if depth < 3 and isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS]
        return {str(key): described(one, str(key), depth + 1) for key, one in items}
    if kind.__name__ == "partial" and hasattr(value, "func"):
        given = dict(enumerate(value.args), **{str(k): v for k, v in value.keywords.items()})
        return {"function": _callable(value.func), "given": described(given, name, depth + 1)}
    if kind.__module__ == "torch" and kind.__name__ in ("dtype", "device"):
        return str(value)
    if isinstance(value, type) or hasattr(value, "__qualname__"):
        return _callable(value)
    return "<%s>" % name_of(kind)


def _array(value):
    try:
        if value.ndim == 0 and getattr(value, "is_cpu", True):
            item = value.item()
            return item if isinstance(item, (bool, int, float)) else str(item)[:100]
    except Exception:
        pass
    try:
        return "<%s %s %s>" % (type(value).__name__, list(value.shape), value.dtype)
    except Exception:
        return "<%s>" % name_of(type(value))


def _callable(value):
    """Return the name of a class or function; of one without a name of its own the line, too."""
    code = getattr(value, "__code__", None)
    text = name_of(value)
    if code is not None and "<" in text:
        text += " at %s:%d" % (os.path.basename(code.co_filename), code.co_firstlineno)
    return text


def arguments(function, args, kwargs, exact=True, skip=()):
    """Return ``name -> [value, default, given, required]`` for a call of ``function``.

    exact: ``args`` and ``kwargs`` are what the caller wrote; else an argument that has its default
    is one of which is not known whether it was given.
    """
    signature = sys.modules["inspect"].signature(function)
    bound = signature.bind(*args, **kwargs)
    found = {}
    for name, parameter in signature.parameters.items():
        if name in skip or len(found) >= _MOST_ITEMS:
            continue
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        if parameter.kind is parameter.VAR_KEYWORD:
            for key, value in bound.arguments.get(name, {}).items():
                if key not in skip:
                    found[key] = [described(value, key), None, True, True]
            continue
        given = name in bound.arguments
        value, usual = described(bound.arguments.get(name, default), name), described(default, name)
        if given and not exact and value == usual:
            given = None
        found[name] = [value, usual, given, required]
    return found


def defaults(function, kept, skip=()):
    """Return the arguments of ``function`` with the values that an object kept of them by name."""
    found = {}
    for name, parameter in sys.modules["inspect"].signature(function).parameters.items():
        if name in skip or name not in kept or len(found) >= _MOST_ITEMS:
            continue
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        value, usual = described(kept[name], name), described(default, name)
        found[name] = [value, usual, True if required or value != usual else None, required]
    return found


# --- telling -------------------------------------------------------------------------------------


def made(role, kind, place, given, more=None, framework="torch"):
    """Tell of something that was made, and return its number; the same again is only counted."""
    entry = {
        "role": role,
        "framework": framework,
        "type": kind,
        "where": place,
        "arguments": given,
        "more": more or {},
    }
    key = role + ascii(entry)
    number = _known.get(key)
    if number is None:
        number = sum(1 for one in _known if one.startswith(role))
        if number >= _MOST:
            return None
        _known[key] = number
        _note("model.made", dict(entry, number=number))
    _counted[role, number] = _counted.get((role, number), 0) + 1
    return number


def again(role, number, times):
    """Count something that was told before as often more."""
    if number is not None:
        _counted[role, number] = _counted.get((role, number), 0) + times


def ended(role, number, more):
    """Tell how something that was made before is at its end."""
    if number is not None:
        _note("model.end", {"role": role, "number": number, "more": more})


def counts():
    """Tell how often each thing was made, where that was more than once."""
    for (role, number), count in _counted.items():
        if count > 1:
            _note("model.count", {"role": role, "number": number, "count": count})
    _counted.clear()


def model(number, facts, rows):
    """Tell of a model: ``facts`` of the whole and ``rows`` of its layer table."""
    _note("model.summary", dict(facts, number=number, left_out=max(0, len(rows) - _MOST_ROWS)))
    for first in range(0, min(len(rows), _MOST_ROWS), _CHUNK):
        part = rows[first : min(first + _CHUNK, _MOST_ROWS)]
        _note("model.layers", {"number": number, "first": first, "rows": part})


def _note(topic, value):
    log("N", (topic, value))


def placed(package, made):
    """Return the line at which something was made: ``where`` without its own constructors."""
    own = set()
    for kind in type(made).__mro__:
        function = vars(kind).get("__init__")
        own.add(getattr(getattr(function, "__wrapped__", function), "__code__", None))
    frame, first = sys._getframe(1), ""
    for _ in range(60):
        if frame is None:
            break
        inside = frame.f_globals.get("__name__", "").partition(".")[0] == package
        if frame.f_globals.get("log") is not log and frame.f_code not in own and not inside:
            file = frame.f_code.co_filename
            place = "%s:%d" % (os.path.abspath(file) if file[:1] != "<" else file, frame.f_lineno)
            if not _patches["foreign"](file) and "<frozen" not in file:
                return place
            first = first or place
        frame = frame.f_back
    return first


def place_of(kind):
    """Return where the first method of a class is, as "file:line"; "" where not known."""
    module = sys.modules.get(getattr(kind, "__module__", ""))
    file = vars(module).get("__file__") if module is not None else None
    if not isinstance(file, str):
        return ""
    lines = []
    for member in list(vars(kind).values()):
        code = getattr(getattr(member, "__wrapped__", member), "__code__", None)
        if code is not None and code.co_filename == file:
            lines.append(code.co_firstlineno)
    return "%s:%d" % (os.path.abspath(file), min(lines)) if lines else os.path.abspath(file)


def folded(groups):
    """Return ``(name, rows)`` of siblings with runs of equal numbered ones put together.

    A row is a list whose first member is the name below the sibling and whose last tells how often
    it is repeated. "0", "1", "2" with equal rows become "0-2", repeated three times.
    """
    found, start = [], 0
    while start < len(groups):
        name, rows = groups[start]
        end = start + 1
        if name.isdigit():
            while end < len(groups) and groups[end] == (str(int(name) + end - start), rows):
                end += 1
        if end - start > 1:
            name = "%s-%s" % (name, groups[end - 1][0])
            rows = [[*row[:-1], row[-1] * (end - start)] for row in rows]
        found.append((name, rows))
        start = end
    return found


def joined(groups):
    """Return the rows of siblings as those of their parent, their names put before."""
    return [
        [name + ("." if row[0] else "") + row[0], *row[1:]]
        for name, below in folded(groups)
        for row in below
    ]
