"""How the call table names what is called and describes what it is given.

Cheap and without effects: no method of a value is called but those of arrays that only look, no
attribute of an unknown object is asked for. Run by ``sitecustomize``, which gives ``load(name)``.
"""

import sys
import types

load = globals()["load"]

NOTHING = object()
_patches = load("_prov_patches")

_PLAIN = (type(None), bool, int, float)
_LONGEST = 60
_MOST_ITEMS = 8
_SMALL = 64
"""Elements of an array up to which its range is told."""
_MOST_WARNINGS = 200
_ARRAYS = frozenset("numpy torch pandas tensorflow jaxlib jax polars scipy cupy xarray".split())
_QUIET = frozenset(("builtins", "_io", "posix", "time", "_thread", "_frozen_importlib"))

_made = {}
"""By identity: that of the type, and the place of the call that returned an object.

No type is kept: one of the user's keeps its module, whose objects then outlive the program's end.
"""
_public = {}


def names(called, receiver):
    """Return the public and the defined dotted name of what is called.

    None of what is not told: the user's own, and what is built into Python.
    """
    try:
        found = _defined(called, receiver)
    except Exception:
        return None
    if found is None:
        return None
    module, path = found
    if not module or module in _QUIET or is_own_module(module):
        return None
    key = module + ":" + path
    if key not in _public:
        _public[key] = (_shortest(module, path), "%s.%s" % (module, path))
    return _public[key]


def _defined(called, receiver):
    """Return the module and the path in it of what is called.

    A method by the class of its object; one that a class of the user's inherits by the class that
    it comes from.
    """
    kind = type(called)
    if isinstance(called, type):
        return called.__module__, called.__qualname__
    if kind is types.MethodType:
        receiver, called = called.__self__, called.__func__
        kind = type(called)
    name = getattr(called, "__name__", None)
    if kind is types.BuiltinFunctionType:
        owner = called.__self__
        if owner is None or isinstance(owner, types.ModuleType):
            module = called.__module__ or getattr(owner, "__name__", "")
            return module, name
        of = owner if isinstance(owner, type) else type(owner)
        return of.__module__, of.__qualname__ + "." + name
    if receiver is not NOTHING and isinstance(name, str):
        of = receiver if isinstance(receiver, type) else type(receiver)
        if not is_own_module(of.__module__):
            return of.__module__, of.__qualname__ + "." + name
    if isinstance(name, str) and isinstance(getattr(called, "__module__", None), str):
        return called.__module__, getattr(called, "__qualname__", name)
    owner = getattr(called, "__objclass__", None)
    if isinstance(owner, type):
        return owner.__module__, owner.__qualname__ + "." + name
    if kind.__name__ == "ufunc":
        return "numpy", called.__name__
    if is_own_module(kind.__module__):
        for base in kind.__mro__[1:]:
            if "__call__" in vars(base):
                kind = base
                break
    return kind.__module__, kind.__qualname__ + ".__call__"


def is_method(called, first):
    """Return whether ``called`` is a method whose object is its first argument."""
    path = getattr(called, "__qualname__", "")
    if "." not in path or "<locals>" in path.rpartition(".")[0]:
        return False
    owner = getattr(called, "__objclass__", None)
    if isinstance(owner, type):
        return isinstance(first, owner)
    kind = first if isinstance(first, type) else type(first)
    name = path.rpartition(".")[2]
    return any(name in vars(base) for base in kind.__mro__)


def is_own_module(name):
    """Return whether a module is the user's own."""
    if name == "__main__":
        return True
    module = sys.modules.get(name)
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__") if module else None
    except Exception:
        return False
    return isinstance(file, str) and not _patches["foreign"](file)


def _shortest(module, path):
    """Return the shortest name under which a thing is to be had from the modules loaded."""
    head = path.partition(".")[0]
    thing = _attribute(module, head)
    parts = module.split(".")
    if thing is not None:
        for count in range(1, len(parts)):
            name = ".".join(parts[:count])
            if _attribute(name, head) is thing:
                return "%s.%s" % (name, path)
    return "%s.%s" % (module, path)


def _attribute(module, name):
    """Return what a module holds under a name, without asking it: some load when asked."""
    try:
        return object.__getattribute__(sys.modules.get(module), "__dict__").get(name)
    except Exception:
        return None


def described(value):
    """Return what is told of a value: itself where it is plain and small, else a description.

    That is its type, shape, dtype and, of a small array, its range.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value if not isinstance(value, float) or value - value == 0 else repr(value)
    if kind is str:
        return value if len(value) <= _LONGEST else {"type": "str", "length": len(value)}
    found = {"type": _type_name(kind)}
    if kind in (list, tuple):
        if len(value) <= _MOST_ITEMS and all(type(one) in _PLAIN for one in value):
            found["items"] = [described(one) for one in value]
        found["length"] = len(value)
        if value:
            found["of"] = _type_name(type(value[0]))
    elif kind in (dict, set, frozenset, bytes):
        found["length"] = len(value)
    elif isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        found["name"] = "%s.%s" % (value.__module__, getattr(value, "__qualname__", ""))
    elif kind.__module__.partition(".")[0] in _ARRAYS:
        _array(value, found)
    return found


def returned(value):
    """Return what is told of a result. Of text the type only: it may have asked for a password."""
    return {"type": "str"} if type(value) is str else described(value)


def _type_name(kind):
    module = kind.__module__
    if module == "builtins":
        return kind.__qualname__
    return _shortest(module, kind.__qualname__)


def _array(value, found):
    """Add what an array or table tells of itself without any work."""
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) or type(shape).__name__ in ("Size", "TensorShape"):
            found["shape"] = [int(one) if one is not None else None for one in shape]
        dtype = getattr(value, "dtype", None)
        if dtype is not None:
            found["dtype"] = str(dtype)[:_LONGEST]
        elif type(value).__name__ == "DataFrame" and found.get("shape", [0, 99])[1] <= _MOST_ITEMS:
            found["dtypes"] = [str(one)[:_LONGEST] for one in value.dtypes]
        numbers = type(value).__module__ == "numpy" and value.dtype.kind in "biuf"
        if numbers and 0 < value.size <= _SMALL:
            items = value.ravel().tolist()
            found["range"] = [described(min(items)), described(max(items))]
        device = getattr(value, "device", None)
        if type(device).__module__ == "torch":
            found["device"] = str(device)
    except Exception:
        return


def remember(value, place):
    """Note which call made an object."""
    if type(value) in _PLAIN or type(value) is str:
        return
    if len(_made) > 20000:
        _made.clear()
    _made[id(value)] = (id(type(value)), place)


def maker(value):
    """Return ``file:line`` of the call that returned an object, "" where that is not known."""
    known = _made.get(id(value))
    return known[1] if known is not None and known[0] == id(type(value)) else ""


def warned(is_own):
    """Return the warnings that were shown: of lines of the user's own, and announced changes.

    Read from the registries that `warnings` keeps in the modules; nothing is listened to.
    """
    found = []
    for module in list(sys.modules.values()):
        try:
            space = object.__getattribute__(module, "__dict__")
            registry = space.get("__warningregistry__")
            file = space.get("__file__")
        except Exception:
            continue
        if not isinstance(registry, dict) or not isinstance(file, str):
            continue
        own = is_own(file)
        for key in list(registry):
            if type(key) is not tuple or len(key) != 3 or not isinstance(key[0], str):
                continue
            kind = getattr(key[1], "__name__", "Warning")
            announced = kind in ("FutureWarning", "DeprecationWarning")
            if (own or announced) and len(found) < _MOST_WARNINGS:
                text = "%s: %s" % (kind, key[0][:300])
                found.append({"where": "%s:%d" % (file, key[2]), "own": own, "text": text})
    return found


def flags():
    """Return the options of pandas and scikit-learn at the end, as plain values."""
    found = {}
    try:
        config = sys.modules.get("pandas._config.config")
        for name, value in _flat(config._global_config, "") if config else ():
            if type(value) in (bool, int, float, str) and not name.startswith(("display.", "io.")):
                found["pandas.options." + name] = value
    except Exception:
        pass
    try:
        config = sys.modules.get("sklearn._config")
        for name, value in config.get_config().items() if config else ():
            if type(value) in (bool, int, float, str):
                found["sklearn.get_config." + name] = value
    except Exception:
        pass
    return found


def _flat(values, prefix):
    for name, value in values.items():
        if isinstance(value, dict):
            for pair in _flat(value, prefix + name + "."):
                yield pair
        else:
            yield prefix + name, value
