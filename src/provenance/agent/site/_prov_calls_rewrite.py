"""Calls seen by rewriting the user's source in memory: before Python 3.12.

``f(a, b)`` becomes ``_prov_r(7, _prov_f(7, f)(_prov_a(8, a), _prov_a(9, b)))``: the call stays in
the user's own frame, line numbers stay those of the source. Nothing is written, no bytecode either.

What is looked at often enough costs next to nothing: a function gets its own code back, and a loop
has two bodies, of which the second is the original one (`_prov_calls_loops`). A function that is
handed to a library gets its own code back at once: what compiles, pickles or reads it must not see
ours.

Run by ``sitecustomize``, which gives ``load(name)`` (the names of a file beside this one) and
``watchers`` (module to the names of the files that watch it).
"""

import builtins
import time
import types
import weakref
from importlib.machinery import SourceFileLoader

load, watchers = globals()["load"], globals()["watchers"]
_calls, _values = load("_prov_calls"), load("_prov_calls_values")
_now = time.perf_counter

_COMPILES = frozenset(("torch.compile", "torch._dynamo.optimize"))
"""What reads the bytecode of all functions that the one it is given may call."""
_WASTED = 50
"""Looks in vain after which a function or loop is left alone."""

_numbers = []
"""By the number of a call or argument: its site ``[place, executions, unit, open entries]``."""
_on = []
"""By the number of a unit, a function or a loop: whether it is still looked at."""
_wasted = []
_originals = {}
"""Rewritten code of functions to the unit and the code that they would have without us."""
_functions = {}
"""By unit: weak references to the functions that have its rewritten code."""
_state = {"off": False, "plain": False}
"""off: nothing is looked at any more. plain: no functions that are defined from now on."""


def install():
    """Rewrite the user's modules from now on; return what stops that."""
    set_up = {"_prov_f": _f, "_prov_a": _a, "_prov_r": _r, "_prov_d": _d, "_prov_n": _on}
    for name, value in set_up.items():
        setattr(builtins, name, value)
    load("_prov_calls_loops")["install"](_is_on)
    original = SourceFileLoader.get_code

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        if not _state["off"] and path.endswith(".py") and _calls["is_own"](path):
            code = _rewritten(self, path)
            if code is not None:
                return code
        return original(self, fullname)

    SourceFileLoader.get_code = get_code
    for name in load("_prov_calls_pickle")["MODULES"]:
        watchers.setdefault(name, []).append("_prov_calls_pickle")
    load("_prov_calls_main")["install"](source_code)
    return _stop


def _rewritten(loader, path):
    try:
        if not _calls["may_read"](path):
            return None
        return source_code(loader.get_data(path), path)
    except Exception:
        return None


def source_code(text, path, main=False):
    """Return the rewritten code of a module or script; raises what parsing it raises."""
    begin = _now()
    made = load("_prov_calls_tree")["rewritten"](text, path, _numbers, _on, main)
    _wasted.extend([0] * (len(_on) - len(_wasted)))
    _originals.update(made[1])
    _calls["read"](_now() - begin)
    return made[0]


def _stop():
    """Look at nothing any more; running code keeps a call of a C function where ours stood."""
    _state["off"] = True
    for unit in range(len(_on)):
        _on[unit] = False
        _give_back(unit)
    for name in ("_prov_f", "_prov_a", "_prov_r"):
        setattr(builtins, name, {}.get)  # of the arguments (number, value) it returns the value


def _is_on(unit):
    return unit < len(_on) and _on[unit]


def _f(number, called):
    """See what is called."""
    if number >= len(_numbers):
        return called  # code of another process
    site = _numbers[number]
    if site[1] >= _calls["FIRST"]:
        _waste(site[2])
        return called
    site[1] += 1
    begin = _now()
    try:
        receiver = getattr(called, "__self__", None)
        if receiver is None or isinstance(receiver, types.ModuleType):
            receiver = _values["NOTHING"]
        entry = _calls["site"](site[0], called, receiver)
        site[3] = entry
        if entry is None:
            site[1] = _calls["FIRST"]
        elif entry["callee"] in _COMPILES and not _state["plain"]:
            _state["plain"] = True
            for unit in list(_functions):
                _on[unit] = False
                _give_back(unit)
    except Exception:
        site[3] = None
    _calls["took"](_now() - begin)
    return called


def _a(number, value):
    """See an argument."""
    if number >= len(_numbers):
        return value
    site, name = _numbers[number]
    entry = site[3]
    if entry is not None:
        begin = _now()
        try:
            if site[1] <= 1:
                entry.setdefault("given", {})[name] = _values["described"](value)
            _hand_over(value)
        except Exception:
            pass
        _calls["took"](_now() - begin)
    return value


def _r(number, value):
    """See the result."""
    if number >= len(_numbers):
        return value
    site = _numbers[number]
    entry = site[3]
    if entry is not None:
        site[3] = None
        begin = _now()
        try:
            if "result" not in entry:
                entry["result"] = _values["returned"](value)
            _values["remember"](value, entry["where"])
        except Exception:
            pass
        _calls["took"](_now() - begin)
    return value


def _d(function):
    """See a function that was just defined."""
    if type(function) is types.FunctionType:
        known = _originals.get(function.__code__)
        if known is not None:
            if _state["plain"] or not _on[known[0]]:
                function.__code__ = known[1]
            else:
                _functions.setdefault(known[0], []).append(weakref.ref(function))
    return function


def _waste(unit):
    """Count a look in vain."""
    _wasted[unit] += 1
    if _wasted[unit] >= _WASTED and _on[unit]:
        _on[unit] = False
        _give_back(unit)


def _give_back(unit):
    """Give the functions of a unit their own code back."""
    for known in _functions.pop(unit, ()):
        function = known()
        entry = _originals.get(function.__code__) if function is not None else None
        if entry is not None:
            function.__code__ = entry[1]


def _hand_over(value):
    """Give a function, or those of an object of the user's own class, their own code back."""
    if type(value) is types.MethodType:
        value = value.__func__
    if type(value) is types.FunctionType:
        entry = _originals.get(value.__code__)
        if entry is not None:
            value.__code__ = entry[1]
        return
    kind = value if isinstance(value, type) else type(value)
    for base in kind.__mro__[:-1]:
        if _values["is_own_module"](base.__module__):
            for one in list(vars(base).values()):
                if type(one) is types.FunctionType:
                    _hand_over(one)


def original(code):
    """Return the code that a function would have without us."""
    entry = _originals.get(code) if not _state["off"] else None
    return entry[1] if entry is not None else code
