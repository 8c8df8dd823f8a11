"""Models and optimizers of JAX programs: flax (nnx and linen) and optax.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``load(name)`` (a file beside this one). What is replaced makes models, optimizers and schedules;
nothing that runs for each step, and of what is traced only shapes and types are read.
"""

import sys

load = globals()["load"]

_models = load("_prov_models")
_around, _where = _models["around"], _models["where"]

_MAKERS = {
    "optax._src.alias": "optimizer",
    "optax.schedules._schedule": "schedule",
    "optax._src.schedule": "schedule",
    "optax.transforms._clipping": "clipping",
    "optax._src.clipping": "clipping",
    "optax._src.transform": "transformation",
    "optax.transforms._adding": "transformation",
}
"""Modules whose functions make parts of an optimizer, and what these are."""
_RETURNS = ("GradientTransformation", "Schedule", "Callable")
_DEEPEST, _MOST = 30, 20

_depth = []
_told = {}
_last = {}


def patch(name, module):
    """Replace what of ``module``, which has just been imported, makes something."""
    if name in _MAKERS:
        for function, value in sorted(vars(module).items()):
            returned = str(getattr(value, "__annotations__", {}).get("return", ""))
            own = getattr(value, "__module__", "") == name and function[:1] != "_"
            if own and any(word in returned for word in _RETURNS):
                _around(module, function, _made(_MAKERS[name]))
    elif name == "flax.nnx.training.optimizer":
        _around(module.Optimizer, "__init__", _nnx)
    elif name == "flax.training.train_state":
        _around(module.TrainState, "create", _state)
    elif name == "flax.linen.module":
        _around(module.Module, "init", _linen)


def _quietly(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def _made(role):
    """Return what tells of a call, but not of those that it makes itself."""

    def around(original, *args, **kwargs):
        _depth.append(role)
        try:
            result = original(*args, **kwargs)
        finally:
            _depth.pop()
        if not _depth:
            _quietly(_tell, role, original, args, kwargs)
        return result

    return around


def _tell(role, original, args, kwargs):
    given = _models["arguments"](original, args, kwargs, skip=("params", "mask"))
    for one in given.values():
        one[0] = _closure(one[0])
    place = _where("optax")[0]
    name = "optax." + original.__name__
    number = _models["made"](role, name, place, given, {}, "jax")
    if role == "optimizer" and number is not None:
        _last["optimizer"] = number


def _closure(value):
    """Return the name of the function that made a closure: a schedule is one."""
    if isinstance(value, str) and ".<locals>." in value:
        return value.partition(".<locals>.")[0].rpartition(".")[2] + "(...)"
    return value


# --- models --------------------------------------------------------------------------------------


def _nnx(original, self, model, *args, **kwargs):
    original(self, model, *args, **kwargs)
    _quietly(_module, model, "optimizer")


def _state(original, cls, *args, **kwargs):
    result = original(cls, *args, **kwargs)
    _quietly(_parameters, kwargs.get("apply_fn"), kwargs.get("params"), "optimizer")
    return result


def _linen(original, self, *args, **kwargs):
    result = original(self, *args, **kwargs)
    _quietly(_initialised, self, result)
    return result


def _initialised(module, variables):
    if hasattr(variables, "get") and getattr(module, "scope", None) is None:
        _parameters(module, variables.get("params"), "init")


def _parameters(owner, params, how):
    """Tell of a linen model: the tree of its parameters."""
    owner = getattr(owner, "__self__", owner)
    kind = type(owner) if hasattr(type(owner), "__dataclass_fields__") else None
    groups = _tree(params, 0)
    rows = _models["joined"](groups)
    _model(_models["name_of"](kind) if kind is not None else "(a function)", kind, rows, how)


def _tree(node, depth):
    """Return the rows of a nested mapping of arrays, by the names in it."""
    found, own = [], {}
    for name, value in sorted(node.items(), key=_natural):
        if hasattr(value, "items") and depth < _DEEPEST:
            found += [(str(name), _below(value, depth + 1))]
        elif hasattr(value, "shape") and hasattr(value, "dtype"):
            own[str(name)] = value
    if own:
        found.insert(0, ("", [_row("", own)]))
    return found


def _natural(item):
    """Return what sorts "Dense_10" after "Dense_2"."""
    head = str(item[0]).rstrip("0123456789")
    return head, int("0" + str(item[0])[len(head) :])


def _below(node, depth):
    rows = []
    for name, below in _tree(node, depth):
        rows += [[".".join(w for w in (name, row[0]) if w), *row[1:]] for row in below]
    return rows


def _module(model, how):
    """Tell of an nnx model: its attributes that are modules or parameters."""
    kind = type(model)
    _model(_models["name_of"](kind), kind, _walk(model, 0, ()), how)


def leave():
    """Tell, at the end, of the nnx models that the program's main module holds."""
    nnx, names = sys.modules.get("flax.nnx"), vars(sys.modules.get("__main__", sys))
    for _, value in sorted(names.items(), key=lambda item: item[0]):
        if nnx is not None and isinstance(value, nnx.Module):
            _quietly(_module, value, "held")


def _walk(node, depth, above):
    if depth > _DEEPEST or any(node is one for one in above):
        return []
    base, parameter = sys.modules["flax.nnx"].Module, sys.modules["flax.nnx"].Param
    own, groups = {}, []
    for name, value in sorted(_members(node)):
        if isinstance(value, parameter):
            own[name] = _array(value)
        elif isinstance(value, base) or (_members(value) and _holds(value, base)):
            groups.append((name, _walk(value, depth + 1, (*above, node))))
    rows = [_row(_models["name_of"](type(node)), own)] if own else []
    groups.sort(key=lambda one: (one[0].isdigit(), int(one[0]) if one[0].isdigit() else 0))
    return rows + _models["joined"](groups)


def _members(node):
    """Return what a module, list or mapping holds by name; () for anything else."""
    if isinstance(node, (list, tuple)) or type(node).__name__ in ("List", "Sequence"):
        return [(str(place), one) for place, one in enumerate(node)]
    if isinstance(node, dict):
        return [(str(name), one) for name, one in node.items()]
    names = getattr(node, "__dict__", None)
    if not isinstance(node, sys.modules["flax.nnx"].Module) or names is None:
        return []
    return [(str(name), one) for name, one in names.items() if str(name)[:1] != "_"]


def _holds(node, base):
    return any(isinstance(one, base) for _, one in _members(node))


def _array(variable):
    for name in ("raw_value", "value"):
        found = getattr(variable, name, None)
        if hasattr(found, "shape"):
            return found
    return variable


def _row(kind, own):
    shapes, count, dtypes = {}, 0, set()
    for name, value in own.items():
        shapes[name] = [int(side) for side in value.shape]
        count += _size(value.shape)
        dtypes.add(str(value.dtype))
    kind, dtype = kind.replace("flax.nnx.nn.", "flax.nnx."), " ".join(sorted(dtypes))
    return ["", kind, shapes, count, True, dtype, None, "", 1]


def _size(shape):
    size = 1
    for side in shape:
        size *= int(side)
    return size


def _model(name, kind, rows, how):
    text = hash(ascii((name, rows)))
    known = _told.get(text)
    if not rows or (known is not None and how != "optimizer") or len(_told) >= _MOST:
        return
    number = _told[text] = len(_told) if known is None else known
    total, dtypes, size = 0, {}, 0
    for row in rows:
        total += row[3] * row[8]
        dtype = row[5]
        digits = "".join(c for c in dtype if c.isdigit())
        size += row[3] * row[8] * max(1, int(digits) // 8 if digits else 1)
        dtypes[dtype] = dtypes.get(dtype, 0) + row[3] * row[8]
    facts = {"framework": "jax", "type": name, "how": how, "where": ""}
    if how != "held":
        facts["where"] = _where("flax")[0]
    facts.update(total=total, trainable=total, bytes=size, dtypes=dtypes, unset=0)
    facts["optimizers"] = [_last["optimizer"]] if how == "optimizer" and _last else []
    facts["defined"] = _models["place_of"](kind) if kind is not None else ""
    _models["model"]("jax %d" % number, facts, rows)
