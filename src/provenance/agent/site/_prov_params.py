"""Parameters out of whatever holds them: mappings, dataclasses, name spaces, arguments of a call.

Run by ``sitecustomize`` when a file that tells of parameters needs it, which gives ``log`` and
``load(name)`` (the names of a file beside this one). It imports nothing: `inspect` is used where
the program, or the library that is watched, has loaded it.
"""

import sys

log, load = globals()["log"], globals()["load"]

_MOST = 1000
"""Parameters of one source that are kept."""
_DEEPEST = 8

_patches = load("_prov_patches")


def flat(value, prefix=""):
    """Return nested parameters by dotted name; a list or an empty mapping is one value."""
    found = {}
    _flatten(found, value, prefix, 0)
    return found


def _flatten(found, value, name, depth):
    if len(found) >= _MOST:
        return
    items = members(value)
    if not items or depth >= _DEEPEST:
        if name:
            found[name] = plain(value) if items is None or depth >= _DEEPEST else {}
        return
    for key, one in list(items.items()):
        _flatten(found, one, "%s.%s" % (name, key) if name else str(key), depth + 1)


def members(value):
    """Return what a mapping, dataclass or name space holds by name; None of anything else."""
    kind = type(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, type):
        return None
    fields = getattr(kind, "__dataclass_fields__", None)
    if isinstance(fields, dict):
        return {name: getattr(value, name) for name in fields if hasattr(value, name)}
    if kind.__module__ in ("jsonargparse._namespace", "jsonargparse.namespace"):
        return dict(vars(value))
    if kind.__name__ in ("Namespace", "SimpleNamespace"):
        return dict(vars(value))
    return None


def plain(value):
    """Return an enumeration's value in the place of its member, also within a list."""
    if isinstance(value, (list, tuple)) and len(value) <= _MOST:
        return [plain(one) for one in value]
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return value.value
    return value


def arguments(function, args, kwargs, skip=0):
    """Return ``{name: (value, default, passed)}`` of a call; {} where its form is not known.

    skip: how many arguments at the front do not count (1 for ``self``).
    """
    inspect = sys.modules.get("inspect")
    if inspect is None:
        return {}
    try:
        signature = inspect.signature(function)
        bound = _bound(signature, args, kwargs)
    except (TypeError, ValueError):
        return {}
    found = {}
    for name, one in list(signature.parameters.items())[skip:]:
        default = None if one.default is one.empty else one.default
        if one.kind == one.VAR_KEYWORD:
            for key, value in bound.get(name, {}).items():
                found[key] = (value, None, True)
        elif one.kind != one.VAR_POSITIONAL and (name in bound or one.default is not one.empty):
            found[name] = (bound.get(name, default), default, name in bound)
    return found


def _bound(signature, args, kwargs):
    """Return the arguments of a call by name.

    Libraries that made arguments keyword-only take them by position still, with a warning, through
    a function around it that has the new signature: then they follow in its order.
    """
    try:
        return signature.bind_partial(*args, **kwargs).arguments
    except TypeError:
        names = [n for n, one in signature.parameters.items() if one.kind not in (2, 4)]
        if len(args) > len(names):
            raise
        return signature.bind_partial(**dict(kwargs, **dict(zip(names, args)))).arguments


def defaults(function):
    """Return the defaults of a function's arguments by name; {} where they are not known."""
    inspect = sys.modules.get("inspect")
    try:
        known = inspect.signature(function).parameters.values()
    except (AttributeError, TypeError, ValueError):
        return {}
    return {one.name: one.default for one in known if one.default is not one.empty}


def simple(value):
    """Return whether a value is a parameter: no data, no model, no function's result."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return True
    enum = sys.modules.get("enum")
    if enum is not None and isinstance(value, enum.Enum):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return len(value) <= 50 and all(simple(one) for one in value)
    if isinstance(value, dict):
        return len(value) <= 50 and all(simple(one) for one in value.values())
    if isinstance(value, type) or hasattr(value, "__fspath__"):
        return True
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return True
    return callable(value) and hasattr(value, "__qualname__")


def differs(value, default):
    """Return whether a value is not its default; None where they cannot be compared."""
    try:
        if value is default or repr(value) == repr(default) == "nan":
            return False
        return bool(value != default)
    except Exception:
        return None


def by_user():
    """Return whether the user's own code made the call that is watched, not a library."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("log") is log:
        frame = frame.f_back
    if frame is None:
        return False
    file = frame.f_code.co_filename
    return not _patches["foreign"](file) and "<frozen" not in file
