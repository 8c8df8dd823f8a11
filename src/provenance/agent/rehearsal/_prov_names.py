"""What things are called, and whose they are: the user's, a library's, or plain Python's."""

import sys
import types

OWN = frozenset()
"""Names of the user's own modules; filled as they are imported."""
LONGEST = 400

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_CONTAINERS = (list, tuple, dict, set, frozenset, range, slice, type(...), bytearray)


def callee(function):
    """Return the dotted name of a callable as defined; a method by the class of its object."""
    try:
        if answers(function):
            kind = type(function)
            return asked(function, "__call__") or "%s.%s" % (kind.__module__, kind.__qualname__)
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", "")
        if owner is not None and not isinstance(owner, (types.ModuleType, types.FunctionType)):
            kind = owner if isinstance(owner, type) else type(owner)
            return "%s.%s.%s" % (kind.__module__, kind.__qualname__, name)
        if isinstance(function, type):
            return "%s.%s" % (function.__module__, function.__qualname__)
        module = getattr(function, "__module__", None)
        qualified = getattr(function, "__qualname__", name)
        if isinstance(module, str) and isinstance(qualified, str) and qualified:
            return "%s.%s" % (module, qualified)
        if isinstance(owner, types.ModuleType):
            return "%s.%s" % (owner.__name__, name)
        kind = type(function)
        if kind.__name__ == "ufunc":
            return "numpy." + name
        home = _home(function, name) if kind is types.BuiltinFunctionType else ""
        if home:
            return "%s.%s" % (home, name)
        return asked(function, "__call__") or "%s.%s.__call__" % (
            kind.__module__,
            kind.__qualname__,
        )
    except Exception:
        return "?"


def _home(function, name):
    """Return the module that has a compiled function which does not say where it is from (cv2)."""
    homes = [
        module
        for module in list(sys.modules)
        if module not in OWN and getattr(sys.modules[module], "__dict__", {}).get(name) is function
    ]
    return min(homes, key=len) if homes else ""


OPERATORS = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "@": "__matmul__", "/": "__truediv__",
    "%": "__mod__", "**": "__pow__", "<<": "__lshift__", ">>": "__rshift__", "|": "__or__",
    "^": "__xor__", "&": "__and__", "//": "__floordiv__", "~": "__invert__", "==": "__eq__",
    "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__",
    "in": "__contains__", "not in": "__contains__",
}  # fmt: skip


def asked(value, name):
    """Return the dotted name of an attribute, item or operator of an object or module."""
    try:
        if isinstance(value, types.ModuleType):
            return "%s.%s" % (value.__name__, name)
        for kind in type(value).__mro__:
            if is_library(kind):
                return "%s.%s.%s" % (kind.__module__, kind.__qualname__, name)
    except Exception:
        return ""
    return ""


def answers(value):
    """Return whether the user's own code answers when an attribute of ``value`` is looked up."""
    for kind in type(value).__mro__:
        if kind.__module__ in OWN and (
            "__getattr__" in kind.__dict__ or "__getattribute__" in kind.__dict__
        ):
            return True
    return False


def has_own_text(value, depth=0):
    """Return whether the user's own code makes the text of ``value``, or of what is in it."""
    kind = type(value)
    if kind in _PLAIN or depth > 3:
        return False
    if kind in _CONTAINERS:
        inner = ()
        if kind is dict:
            inner = list(value)[:20] + list(value.values())[:20]
        elif kind in (list, tuple, set, frozenset):
            inner = list(value)[:20]
        return any(has_own_text(one, depth + 1) for one in inner)
    if kind.__module__ not in OWN:
        return False
    for name in ("__str__", "__repr__", "__format__"):
        code = getattr(getattr(kind, name, None), "__code__", None)
        if code is not None and not code.co_filename.startswith("<"):
            return True  # a data class has made one of its own, in a file "<string>"
    return False


ROOM = 250
"""Frames that are left for noting: an overflow of ours would end old Pythons for good."""


def is_away(frame):
    """Return whether nothing should be noted in ``frame``: deep down, or in a recorded trace."""
    torch = sys.modules.get("torch")
    if torch is not None:
        try:
            if torch._C._get_tracing_state() is not None:
                return True  # what we ask of a tensor would become part of the trace
        except Exception:
            pass
    limit = sys.getrecursionlimit()
    left = limit - min(ROOM, limit // 2)
    while frame is not None and left > 0:
        frame = frame.f_back
        left -= 1
    return left <= 0


def is_own(thing):
    """Return whether a function, class, module or object is of the user's own source."""
    try:
        if isinstance(thing, types.ModuleType):
            return thing.__name__ in OWN
        if answers(thing):
            return type(thing).__module__ in OWN and "__call__" in type(thing).__dict__
        owner = getattr(thing, "__self__", None)
        if isinstance(thing, types.MethodType):
            # A library's method of a user's class (``Net.parameters``) is the library's.
            return getattr(thing.__func__, "__module__", "") in OWN
        if owner is not None and isinstance(owner, type):
            thing = owner
        if isinstance(thing, (types.FunctionType, type)):
            return thing.__module__ in OWN
        return type(thing).__module__ in OWN and "__call__" in type(thing).__dict__
    except Exception:
        return False


def is_callable_object(function):
    """Return whether what is called is an object with a state, such as a model."""
    try:
        if not answers(function) and isinstance(getattr(function, "__name__", None), str):
            return False  # a class or function, also one of a compiled kind (a ufunc)
    except Exception:
        return False
    return is_foreign(function)


def is_plain(value):
    """Return whether a value is a number, a text or nothing."""
    return type(value) in _PLAIN


def is_foreign(value):
    """Return whether a value is of a type that neither Python's builtins nor the user defined."""
    kind = type(value)
    if kind in _PLAIN or kind in _CONTAINERS:
        return False
    if kind is types.ModuleType:
        return True
    try:
        module = kind.__module__
    except Exception:
        return False
    if module in OWN:
        return any(is_library(base) for base in kind.__mro__[1:-1])
    return module != "builtins" or kind.__name__ in ("generator", "module")


def is_library(kind):
    """Return whether a class is defined by a library."""
    module = getattr(kind, "__module__", "builtins")
    return module not in OWN and module != "builtins" and module not in ("abc", "typing")


def is_module(value):
    """Return whether a value is a module (also a lazy one), a class or a function."""
    return isinstance(
        value, (types.ModuleType, type, types.FunctionType, types.BuiltinFunctionType)
    )


def error(value):
    """Return an exception as one line."""
    if value is None:
        return ""
    try:
        text = str(value).strip().partition("\n")[0]
    except Exception:
        text = ""
    return ("%s: %s" % (type(value).__name__, text))[:LONGEST]


def missing(value):
    """Return the name for want of which the user's own code failed, "" for any other failure."""
    if not isinstance(value, NameError) or value.__traceback__ is None:
        return ""
    last = value.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    if last.tb_frame.f_globals.get("__name__") not in OWN:
        return ""
    name = getattr(value, "name", None)
    if not isinstance(name, str):
        name = str(value).partition("'")[2].partition("'")[0]
    return name or "?"


def loaded():
    """Return the names of the modules that are imported."""
    return sorted(sys.modules)
