"""Signatures, options and effective defaults of live objects, as plain JSON.

Runs inside the interpreter that is looked at: standard library only, Python 3.7, loaded by path.
The form of a signature is that of ``core/interfaces.py``. Nothing here raises, and nothing of the
user's is called: attributes of modules, functions and classes are looked up, plain values are read.
"""

import enum
import functools
import inspect
import math
import re
import sys

KINDS = ("positional", "either", "*", "keyword", "**")
"""By the values of ``inspect.Parameter.kind``."""

MOST_PARAMETERS = 300
_MOST_TEXT = 200
_MOST_ITEMS = 50
_MOST_OPTIONS = 2000
_DEEPEST = 4
_LARGEST = 1 << 64
_PLAIN = (bool, str, type(None))


def signature(callee):
    """Return the signature of ``callee`` (a function, method, class or other callable)."""
    try:
        return _signature(callee)
    except Exception as error:  # objects of libraries may raise anything when looked at
        return {"not_compared": "cannot be read: %s" % type(error).__name__}


def _signature(callee):
    found = {"name": name_of(callee)}
    if isinstance(callee, functools.partial):
        found["wrapped"] = True
        callee = callee.func
    try:
        parameters, how = _parameters(callee), "object"
    except (ValueError, TypeError):
        parameters, how = _from_docstring(callee), "docstring"
        if parameters is None:
            return {"not_compared": "compiled, with no readable signature", "name": found["name"]}
    found["how"] = how
    space = getattr(inspect.unwrap(_function(callee)), "__globals__", {})
    found["parameters"] = [_parameter(one, space) for one in parameters[:MOST_PARAMETERS]]
    if _is_wrapped(callee):
        found["wrapped"] = True
    return found


def _parameters(callee):
    """Return the parameters of ``callee``.

    Before Python 3.9 a class that is generic shows those of ``typing.Generic.__new__``, which takes
    anything, where its own ``__init__`` says more.
    """
    found = list(inspect.signature(callee).parameters.values())
    made = getattr(callee, "__init__", None) if inspect.isclass(callee) else None
    if [KINDS[int(one.kind)] for one in found] == ["*", "**"] and inspect.isfunction(made):
        return list(inspect.signature(made).parameters.values())[1:]
    return found


def _function(callee):
    """Return the function that is run when ``callee`` is called, itself where none is found."""
    if inspect.isclass(callee):
        for name in ("__init__", "__new__"):
            made = getattr(callee, name, None)
            if inspect.isfunction(made):
                return made
    callee = getattr(callee, "__func__", callee)
    if not inspect.isroutine(callee) and not inspect.isclass(callee):
        return vars(type(callee)).get("__call__", callee)
    return callee


def _is_wrapped(callee):
    function = _function(callee)
    return hasattr(function, "__wrapped__") or "__signature__" in getattr(function, "__dict__", {})


def _parameter(one, space):
    if not isinstance(one, inspect.Parameter):
        return one
    found = {"name": one.name, "kind": KINDS[int(one.kind)]}
    if one.default is not inspect.Parameter.empty:
        found["default"] = form(one.default, space)
    return found


def _from_docstring(callee):
    """Return the parameters that the first line of a docstring states, None where it states none.

    Understands what Cython, pybind11 and numpy write: ``zeros(shape, dtype=float, order='C')``.
    """
    text = getattr(callee, "__doc__", None)
    name = getattr(callee, "__name__", "")
    if not isinstance(text, str) or not name:
        return None
    text = text.strip()[:4000]
    match = re.match(r"(?:[\w.]+\.)?%s\s*\(" % re.escape(name), text)
    inside = _balanced(text, match.end()) if match else None
    if inside is None or "[" in re.sub(r"=\s*\[[^\]]*\]|:\s*\w+\[[^\]]*\]", "", inside):
        return None
    found, kind = [], "either"
    for word in _split(inside):
        if word in ("/", "*", "..."):
            if word == "/":
                found = [dict(one, kind="positional") for one in found]
            kind = "keyword" if word == "*" else kind
            continue
        stated = re.match(r"^(\*{0,2})([A-Za-z_]\w*)\s*(?::[^=]*)?(?:=\s*(.+))?$", word, re.S)
        if stated is None:
            return None
        stars, label, default = stated.groups()
        if label in ("self", "cls") and not found:
            continue
        one = {"name": label, "kind": stars or kind}
        if stars == "*":
            kind = "keyword"
        if default is not None:
            one["default"] = _stated(default.strip())
        found.append(one)
    return found


def _balanced(text, start):
    """Return what stands from ``start`` to the bracket that closes it."""
    depth = 1
    for place in range(start, len(text)):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
            if depth == 0:
                return text[start:place]
    return None


def _split(text):
    """Return the parts of ``text`` between commas that stand in no bracket or quotes."""
    parts, depth, quote, begin = [], 0, "", 0
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[begin:place].strip())
            begin = place + 1
    parts.append(text[begin:].strip())
    return [part for part in parts if part]


def _stated(text):
    import ast  # only for compiled functions

    try:
        return form(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    if re.match(r"^[A-Za-z_][\w.]*$", text):
        return {"name": text}
    return {"code": re.sub(r"0x[0-9a-f]{6,}", "0x", text)[:_MOST_TEXT]}


def name_of(thing):
    """Return where ``thing`` is defined, dotted; of an instance its class."""
    thing = getattr(thing, "func", thing) if isinstance(thing, functools.partial) else thing
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if not isinstance(name, str):
        thing = type(thing)
        name = thing.__qualname__
    owner = getattr(thing, "__self__", None)
    module = getattr(thing, "__module__", None)
    if module is None and owner is not None:
        module = getattr(type(owner), "__module__", None)
    module = module if isinstance(module, str) else ""
    return "%s.%s" % (module, name) if module and module != "builtins" else name


def form(value, space=None, depth=0):
    """Return a stable form of a default: no addresses, no state, no more than is needed."""
    kind = type(value)
    if kind in _PLAIN:
        return value[:_MOST_TEXT] if kind is str else value
    if value is Ellipsis:
        return {"name": "Ellipsis"}
    if isinstance(value, enum.Enum):
        return {"name": "%s.%s" % (name_of(kind), value.name)}
    if kind is int:
        return value if abs(value) < _LARGEST else {"code": hex(value)[:_MOST_TEXT]}
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value):
        return {"name": name_of(value) if not inspect.ismodule(value) else value.__name__}
    if kind in (list, tuple, set, frozenset, dict):
        return _container(value, space, depth)
    named = _name_in(value, space)
    if named:
        return {"name": named}
    return _scalar(value)


def _container(value, space, depth):
    if depth >= _DEEPEST or len(value) > _MOST_ITEMS:
        return {"type": type(value).__name__}
    if isinstance(value, dict):
        return {"dict": {str(k)[:_MOST_TEXT]: form(v, space, depth + 1) for k, v in value.items()}}
    items = [form(one, space, depth + 1) for one in value]
    return {"set": sorted(items, key=repr)} if isinstance(value, (set, frozenset)) else items


def _scalar(value):
    """Return the form of a number, dtype or marker of a library; of anything else its type."""
    kind = type(value)
    top = (getattr(kind, "__module__", "") or "").partition(".")[0]
    if top == "numpy" and hasattr(kind, "itemsize") and getattr(value, "shape", None) == ():
        plain = value.item()
        if type(plain) in (int, float, bool, str):
            return form(plain)
    if (
        top in ("numpy", "torch", "jax", "tensorflow", "pandas")
        and "dtype" in kind.__name__.lower()
    ):
        return {"name": str(value)[:_MOST_TEXT]}
    if kind.__name__.lstrip("_").lower().startswith(("novalue", "nodefault", "sentinel", "unset")):
        return {"name": name_of(kind)}
    return {"type": name_of(kind)}


def _name_in(value, space):
    """Return the name under which the module of the function holds the object ``value``."""
    for name, one in list((space or {}).items()):
        if one is value and not name.startswith("__"):
            return "%s.%s" % (space.get("__name__", ""), name)
    return ""


def effective(made, parameter):
    """Return ``[form]`` of what an object made of its default for ``parameter``, ``[]`` if unseen.

    By the custom of the libraries: ``_gamma``, ``gamma_``, ``_gamma_`` or the attribute replaced.
    Only plain values in the object's own dictionary are read.
    """
    try:
        own = vars(made)
    except TypeError:
        return []
    if type(own) is not dict:
        return []
    for name in ("_" + parameter, parameter + "_", "_" + parameter + "_", parameter):
        if name in own:
            value = form(own[name])
            if not isinstance(value, dict) or "float" in value or "name" in value:
                return [value]
    return []


def registries(modules=None):
    """Return the flags and options of imported libraries that decide results, flat by name.

    modules: as ``sys.modules`` (the default). Display options and installed paths are left out.
    """
    modules = sys.modules if modules is None else modules
    found = {}
    for name, read in _REGISTRIES:
        module = modules.get(name)
        if module is None:
            continue
        try:
            for option, value in list(read(module).items())[:_MOST_OPTIONS]:
                if not _SHOWS.search(option) and not _is_path(value):
                    found["%s.%s" % (name, option)] = form(value)
        except Exception:  # an option that a version lacks costs this library's answer
            continue
    return found


_SHOWS = re.compile(
    r"(?i)display|print_changed|styler|plotting|html|verbos|printoptions|formatter|linewidth$|threshold$|"
    r"(^|\.)(backend|interactive|toolbar|savefig|webagg|keymap|animation|docstring|date\.autoform)|"
    r"path|directory|cache|num_threads|threads"
)


def _is_path(value):
    return isinstance(value, str) and value.startswith(("/", "~", "C:\\")) and len(value) > 1


def _pandas(_):
    config = sys.modules.get("pandas._config.config") or sys.modules.get("pandas.core.config")
    found, stack = {}, [("", getattr(config, "_global_config", {}))]
    while stack:
        prefix, level = stack.pop()
        for name, value in dict(level).items():
            if type(value) is dict:
                stack.append((prefix + name + ".", value))
            else:
                found[prefix + name] = value
    return found


def _numpy(module):
    found = {"errstate." + name: how for name, how in module.geterr().items()}
    state = getattr(module, "_get_promotion_state", None)
    if state is not None:
        found["promotion_state"] = state()
    return found


def _torch(module):
    found = {"default_dtype": str(module.get_default_dtype())}
    for name, ask in (
        ("float32_matmul_precision", "get_float32_matmul_precision"),
        ("deterministic_algorithms", "are_deterministic_algorithms_enabled"),
    ):
        if hasattr(module, ask):
            found[name] = getattr(module, ask)()
    for path in _TORCH_FLAGS:
        one = module
        for part in ("backends." + path).split("."):
            one = getattr(one, part, None)
        if isinstance(one, (bool, int, str)):
            found["backends." + path] = one
    return found


_TORCH_FLAGS = (
    "cuda.matmul.allow_tf32",
    "cuda.matmul.allow_fp16_reduced_precision_reduction",
    "cuda.matmul.allow_bf16_reduced_precision_reduction",
    "cudnn.enabled",
    "cudnn.allow_tf32",
    "cudnn.benchmark",
    "cudnn.deterministic",
    "mkldnn.enabled",
    "opt_einsum.enabled",
)


def _jax(module):
    values = getattr(module.config, "values", None)
    return {
        name: value
        for name, value in dict(values or {}).items()
        if value is None or isinstance(value, (bool, int, float, str))
    }


def _keras(module):
    backend = getattr(module, "backend", None) or module.config
    return {name: getattr(backend, name)() for name in ("floatx", "epsilon", "image_data_format")}


_REGISTRIES = (
    ("matplotlib", lambda module: dict(module.rcParams)),
    ("numpy", _numpy),
    ("pandas", _pandas),
    ("torch", _torch),
    ("sklearn", lambda module: module.get_config()),
    ("jax", _jax),
    ("keras", _keras),
    ("tensorflow.keras", _keras),
)
"""Library and what reads its options; each is asked only where the run imported it."""
