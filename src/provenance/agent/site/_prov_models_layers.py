"""What a torch model is made of: one row per layer, and the sums.

Run by ``sitecustomize`` when first needed, which gives ``load(name)`` (a file beside this one).
Only the modules' own tables are read: no layer is run, and nothing is asked of a layer that is not
torch's own.
"""

import sys

load = globals()["load"]

_models = load("_prov_models")
_DEEPEST = 60
_LONGEST = 200
_WRAPPERS = ("DataParallel", "DistributedDataParallel", "OptimizedModule")


def unwrapped(module):
    """Return the model within torch's own wrappers, and the names of these, outermost first."""
    names = []
    while type(module).__name__ in _WRAPPERS and type(module).__module__.startswith("torch."):
        inner = module._modules.get("module", module._modules.get("_orig_mod"))
        if inner is None:
            break
        names.append(type(module).__name__)
        module = inner
    return module, names


def summary(module):
    """Return the facts of a model as a whole, and the rows of its layers.

    A row: name, class, ``{parameter: shape}``, parameters, whether they are trained (None for some
    of them), dtype, output shape (not known here), what the layer says of its settings, repeats.
    """
    rows = _rows(module, 0, set())
    totals = {"total": 0, "trainable": 0, "bytes": 0, "dtypes": {}, "devices": {}, "unset": 0}
    seen = set()
    for one in _walk(module):
        for parameter in one._parameters.values():
            if parameter is not None and id(parameter) not in seen:
                seen.add(id(parameter))
                _count(parameter, totals)
    return totals, rows


def _walk(module):
    """Return all modules of a model, each once, without calling any of its methods."""
    seen, left, found = set(), [module], []
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        found.append(one)
        left.extend(reversed(list(one._modules.values())))
    return found


members = _walk


def _count(parameter, totals):
    size = _size(parameter)
    if size is None:
        totals["unset"] += 1
        return
    totals["total"] += size
    totals["trainable"] += size if parameter.requires_grad else 0
    totals["bytes"] += size * parameter.element_size()
    for name, value in (("dtypes", _dtype(parameter)), ("devices", str(parameter.device))):
        totals[name][value] = totals[name].get(value, 0) + size


def _size(parameter):
    """Return the number of elements; None for a lazy parameter, which has no shape yet."""
    try:
        size = 1
        for side in parameter.shape:
            size *= int(side)
        return size
    except Exception:
        return None


def _dtype(parameter):
    return str(parameter.dtype).replace("torch.", "")


def _rows(module, depth, above):
    if depth > _DEEPEST or id(module) in above:
        return []
    children = [(name, one) for name, one in module._modules.items() if one is not None]
    rows = []
    own = {name: one for name, one in module._parameters.items() if one is not None}
    if own or not children:
        rows.append(_row(module, own))
    inside = above | {id(module)}
    below = [(name, _rows(one, depth + 1, inside)) for name, one in children]
    return rows + _models["joined"](below)


def _row(module, own):
    shapes, count, trained, dtypes = {}, 0, set(), set()
    for name, parameter in own.items():
        size = _size(parameter)
        shapes[name] = [int(side) for side in parameter.shape] if size is not None else None
        count += size or 0
        trained.add(bool(parameter.requires_grad))
        dtypes.add(_dtype(parameter))
    state = trained.pop() if len(trained) == 1 else None
    dtype = " ".join(sorted(dtypes))
    kind = type(module)
    return ["", _name(kind), shapes, count, state, dtype, None, _settings(module, kind), 1]


def _name(kind):
    own = kind.__module__.startswith("torch.nn.")
    return "torch.nn." + kind.__name__ if own else _models["name_of"](kind)


def _settings(module, kind):
    """Return what one of torch's own layers says of its settings ("kernel_size=(3, 3)")."""
    if not kind.__module__.startswith("torch.nn.modules."):
        return ""
    try:
        return str(module.extra_repr())[:_LONGEST]
    except Exception:
        return ""


# --- finding models ------------------------------------------------------------------------------


def _kinds(base):
    """Return a class and all below it."""
    found, left = set(), [base]
    while left:
        kind = left.pop()
        if kind not in found:
            found.add(kind)
            left.extend(type.__subclasses__(kind))
    return found


def owners(base, wanted):
    """Return the outermost modules that hold any parameter whose id is in ``wanted``.

    One look at all objects that the garbage collector knows: some tens of milliseconds.
    """
    kinds = _kinds(base)
    modules = [one for one in sys.modules["gc"].get_objects() if type(one) in kinds]
    tables = [one.__dict__ for one in modules]
    inside = {id(c) for t in tables for c in (t.get("_modules") or {}).values() if c is not None}
    found = []
    for one, table in zip(modules, tables):
        if id(one) in inside or "_modules" not in table:
            continue
        held = {id(p) for m in _walk(one) for p in m._parameters.values() if p is not None}
        if held & wanted:
            found.append(one)
    return found


def sources(given, base, depth=0):
    """Return the modules whose parameters an iterable of parameters will give, where it tells.

    A generator of ``Module.parameters`` has the module in its own frame, which is looked at before
    it runs; `filter`, `map`, `chain` and generator expressions hold such a one.
    """
    if depth > 4:
        return []
    kind = type(given)
    if kind.__name__ == "generator":
        frame = given.gi_frame
        names = frame.f_locals if frame is not None else {}
        owner = names.get("self")
        if isinstance(owner, base):
            return [owner]
        return sources(names.get(".0"), base, depth + 1)
    found = []
    if kind in (list, tuple):
        inner = [one.get("params") for one in given[:50] if type(one) is dict]
    elif kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        inner = sys.modules["gc"].get_referents(given)
        inner = [one for one in inner if type(one) is not dict]
        if kind.__name__ in ("tuple_iterator", "list_iterator"):
            inner = [part for one in inner if type(one) in (list, tuple) for part in one[:50]]
    else:
        return []
    for one in inner:
        found += [m for m in sources(one, base, depth + 1) if not any(m is f for f in found)]
    return found
