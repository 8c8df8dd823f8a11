"""Forms of torch: tensors, modules, optimizers, schedulers, generators, distributions."""

# ruff: noqa: ARG001  # each maker takes the walk and the depth, whether it needs them or not

import sys

load = None
TENSORS, OTHERS = 20, 2000
"""Tensors of a model that are noted each; of the others up to the second number the means and
spreads are put together: the form of a model is to stay near 3 kB."""
_ELEMENTS = 4096
"""Elements of one tensor of a model that are looked at, evenly spread: with all of them a model of
ordinary size would take longer than a training step."""


def _forms():
    return load("_prov_forms")


def tensor(value, walk, depth, wanted=None, elements=0):
    """Return the form of a tensor; of its data what can be read without changing it.

    Parameters and buffers are tensors: torch moved between these classes.
    """
    torch = sys.modules["torch"]
    dtype = str(value.dtype).rpartition(".")[2]
    shape = [int(n) for n in value.shape]
    device = str(value.device.type)
    known = {"at": []}
    if device != "meta":
        try:
            known = _data(torch, value, walk, depth, wanted, elements)
        except Exception:
            known = {"at": []}
    if not elements:
        known["device"] = device
        known["requires_grad"] = bool(value.requires_grad)
    kind = _forms().name_of(type(value))
    return ["a", "torch.Tensor" if kind.startswith("torch.") else kind, dtype, shape, known]


def _data(torch, value, walk, depth, wanted, elements):
    base = torch.Tensor
    data = base.detach(value)
    if data.is_sparse or str(getattr(data, "layout", "torch.strided")) != "torch.strided":
        data = data.to_dense()
    if getattr(data, "is_quantized", False):
        data = data.dequantize()
    for name in ("resolve_conj", "resolve_neg"):
        if hasattr(base, name):
            data = getattr(data, name)()
    if elements and data.numel() > elements:
        data = data.reshape(-1)[:: data.numel() // elements + 1]
    data = data.cpu()
    if str(data.dtype) == "torch.bfloat16" or "float8" in str(data.dtype):
        data = data.float()
    wanted = wanted or walk.samples(depth)
    if sys.modules.get("numpy") is not None:
        try:
            array = data.numpy()
        except Exception:
            array = None
        if array is not None:
            return load("_prov_forms_arrays").facts(array, walk, depth, wanted)
    return _without_numpy(torch, data.reshape(-1), wanted)


_CODES = {"float64": "d", "float32": "f", "int64": "q", "int32": "i", "int16": "h", "int8": "b"}
_CODES.update(uint8="B", bool="B")
"""Codes of the module array for the dtypes that it has."""


def _without_numpy(torch, flat, wanted):
    """Return samples, statistics and digest of a flat tensor: those of an ndarray's form."""
    forms, numbers = _forms(), load("_prov_forms_numbers")
    simple = load("_prov_forms_plain").simple
    name, count = str(flat.dtype).rpartition(".")[2], flat.numel()
    at = forms.spots(count, wanted)
    part = flat if len(at) == count else flat[torch.tensor(at)]
    whole = len(at) == count
    if name.startswith("complex"):
        return {"at": [["c", simple(one.real), simple(one.imag)] for one in part.tolist()]}
    floats = name.startswith("float")
    size = int(name[5:]) // 8 if floats else 8
    listed = part.tolist()
    known = {"at": numbers.samples(listed, size, whole) if floats else list(map(simple, listed))}
    if whole:
        return known
    if name in _CODES and count <= 1000000:
        import array

        known["h"] = forms.digest(array.array(_CODES[name], flat.tolist()).tobytes())
    known.update(numbers.of_tensor(torch, flat, wanted, size))
    return known


def module(value, walk, depth):
    """Return the form of a module: its parameters and buffers by name, and whether it trains."""
    named = []
    _tensors_of(value, "", named, set())
    own = object.__getattribute__(value, "__dict__")
    meta = {"training": bool(own.get("training")), "tensors": len(named)}
    return ["m", _forms().name_of(type(value)), meta, several(named, walk, depth), {}]


def _tensors_of(value, prefix, found, seen):
    """Add the tensors of a module and of the modules in it, in the order of its state_dict."""
    own = object.__getattribute__(value, "__dict__")
    if id(value) in seen or len(found) > 5000:
        return
    seen.add(id(value))
    skipped = own.get("_non_persistent_buffers_set", ())
    for group in ("_parameters", "_buffers"):
        for name, one in list((own.get(group) or {}).items()):
            if one is not None and name not in skipped:
                found.append((prefix + name, one))
    for name, one in list((own.get("_modules") or {}).items()):
        if one is not None:
            _tensors_of(one, prefix + name + ".", found, seen)


def several(named, walk, depth):
    """Return the short forms of named tensors; of those above the limit the statistics of all."""
    kept = []
    wanted = 16 if len(named) <= 4 else 6 if len(named) <= 8 else 2
    for name, one in named[:TENSORS]:
        kept.append([name, tensor(one, walk, depth + 1, wanted, _ELEMENTS)])
    rest = named[TENSORS:OTHERS]
    if rest:
        facts = [tensor(one, walk, depth + 1, 2, 1024)[4] for _, one in rest]
        kept += others(facts, "float32")
    return kept


def others(facts, dtype):
    """Return the statistics of what is not noted each as two lists of numbers."""
    kept = []
    for key in ("mean", "std"):
        numbers = [f.get(key, f["at"][0] if f.get("at") else 0.0) for f in facts]
        numbers = load("_prov_forms_numbers").squeezed(numbers)
        known = load("_prov_forms_plain").number_facts(numbers, 16)
        kept.append(["(others).%s" % key, ["a", "numpy.ndarray", dtype, [len(facts)], known]])
    return kept


def optimizer(value, walk, depth):
    """Return the form of an optimizer: the tensors it changes, their gradients and its rates."""
    groups = value.param_groups
    named, meta, options = [], {}, {}
    for place, group in enumerate(groups[:8]):
        meta["lr%d" % place] = walk.of(_number(group.get("lr")), depth + 1)
        for name, option in group.items():
            if name not in ("params", "lr"):
                options["%s%d" % (name, place)] = walk.of(option, max(depth + 2, 3))
        named += [("group%d.%d" % (place, i), one) for i, one in enumerate(group["params"])]
    kept = several(named, walk, depth) + _gradients([one for _, one in named], walk, depth)
    return ["m", _forms().name_of(type(value)), meta, kept, options]


def _gradients(tensors, walk, depth):
    """Return what the gradients of tensors are like; none that are zero, which may be as None."""
    grads = [getattr(one, "grad", None) for one in tensors[:OTHERS]]
    facts = [tensor(one, walk, depth + 1, 2, 1024)[4] for one in grads if one is not None]
    if not any(any(one.get("at", ())) or one.get("mean") or one.get("std") for one in facts):
        return []
    return [["(gradients)%s" % name[8:], numbers] for name, numbers in others(facts, "float32")]


def _number(value):
    torch = sys.modules["torch"]
    return float(value) if isinstance(value, torch.Tensor) and value.numel() == 1 else value


def scheduler(value, walk, depth):
    """Return the form of a scheduler: the learning rates that it has set."""
    own = object.__getattribute__(value, "__dict__")
    inner = own.get("optimizer")
    rates = [_number(one.get("lr")) for one in getattr(inner, "param_groups", ())]
    plain = {k: v for k, v in own.items() if type(v) in (int, float, str, bool, list)}
    evidence = {name: walk.of(one, max(depth + 2, 3)) for name, one in plain.items()}
    meta = {"lr": walk.of(rates, depth + 1)}
    return ["m", _forms().name_of(type(value)), meta, [], evidence]


def generator(value, walk, depth):
    state = value.get_state()
    data = load("_prov_forms_random").stream(state)
    return ["m", "torch.Generator", {"state": _forms().digest(data)}, [], {}]


def named_value(value, walk, depth):
    kind = "dtype" if type(value).__name__ == "dtype" else "device"
    return ["q", kind, str(value).replace("torch.", "")]


def size(value, walk, depth):
    return ["t", tuple.__len__(value), [int(n) for n in tuple.__iter__(value)], {}]


def distribution(value, walk, depth):
    """Return the form of a distribution: the parameters that it holds."""
    torch = sys.modules["torch"]
    own = object.__getattribute__(value, "__dict__")
    named = [
        [name, tensor(one, walk, depth + 1)]
        for name, one in own.items()
        if isinstance(one, torch.Tensor) and name[:1] != "_"
    ]
    return ["m", _forms().name_of(type(value)), {}, named, {}]


def packed(value, walk, depth):
    return [
        "nt",
        "torch.PackedSequence",
        [
            [name, walk.of(getattr(value, name), depth + 1)]
            for name in ("data", "batch_sizes", "sorted_indices", "unsorted_indices")
        ],
    ]
