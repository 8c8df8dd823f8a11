"""The names that the script itself holds at its end: how those are set whose settings are code.

Run by ``sitecustomize`` at the end of a process, which gives ``load(name)`` (the names of a file
beside this one). Which of them are parameters is decided later, by reading the script.
"""

import os
import sys

load = globals()["load"]

_MOST, _MOST_LEAVES, _LONGEST = 300, 50, 300
_SETTING = ("config", "cfg", "args", "param", "hparam", "setting", "option", "opt", "flags")
_SHELLS = ("In", "Out", "exit", "quit", "get_ipython", "open")
"""Names that IPython adds."""

_patches = load("_prov_patches")


def leave():
    """Tell the plain values that stand in the script at its end; nothing of a library's script."""
    names = vars(sys.modules["__main__"])
    file = names.get("__file__")
    if file is None:  # it is taken away once a script has ended
        file = getattr(names.get("__loader__"), "path", None)
    if "get_ipython" in names:
        file = ""  # of a notebook, which the kernel does not know
    elif names.get("__name__") != "__main__" or not isinstance(file, str):
        return
    file = file and os.path.abspath(file)
    if file and _patches["foreign"](file):
        return
    told = load("_prov_told")  # not earlier: a process without a script has no use for it
    values, objects = {}, {}
    for name, value in list(names.items()):
        if name[:1] == "_" or name in _SHELLS or len(values) + len(objects) >= _MOST:
            continue
        if _plain(value):
            values[name] = value
        elif not isinstance(value, (list, tuple, set, dict)):
            held = _settings(name, value)
            if held:
                objects[name] = held
    if values or objects:
        spec = getattr(names.get("__spec__"), "name", "")
        if not (spec and told["helper"](spec)):
            told["noted"]("main", {"file": file, "values": values, "objects": objects})


def _plain(value, depth=0):
    if value is None or type(value) in (bool, int, float):
        return True
    if type(value) is str:
        return len(value) <= _LONGEST
    if depth < 3 and type(value) in (list, tuple):
        return len(value) <= _MOST_LEAVES and all(_plain(one, depth + 1) for one in value)
    if depth < 3 and type(value) is dict:
        return len(value) <= _MOST_LEAVES and all(
            type(key) is str and _plain(one, depth + 1) for key, one in value.items()
        )
    return False


def _settings(name, value):
    """Return what a class or object of settings holds, by dotted name; None of anything else."""
    if isinstance(value, type):
        if value.__module__ != "__main__" or not _speaks_of_settings(value.__name__):
            return None
        if hasattr(value, "__dataclass_fields__") or len(value.__mro__) > 3:
            return None
        held = {key: one for key, one in vars(value).items() if key[:1] != "_"}
    else:
        file = getattr(sys.modules.get(type(value).__module__), "__file__", None) or ""
        if _patches["foreign"](file) and type(value).__name__ != "Namespace":
            return None
        params = load("_prov_params")
        held = params["members"](value)
        if held is None and type(value).__module__ == "__main__" and _speaks_of_settings(name):
            held = dict(getattr(value, "__dict__", {}))
        if held is None or len(held) > _MOST:
            return None
        if any(kind.__module__ == "flax.linen.module" for kind in type(value).__mro__):
            held = {key: one for key, one in held.items() if key not in ("name", "parent")}
        held = params["flat"](held)
    return {key: one for key, one in held.items() if _plain(one)}


def _speaks_of_settings(name):
    return any(part in name.lower() for part in _SETTING)
