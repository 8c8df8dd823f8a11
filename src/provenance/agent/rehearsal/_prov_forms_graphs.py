"""Forms of TensorFlow, Keras, JAX and flax; and of networkx' graphs."""

# ruff: noqa: ARG001  # each maker takes the walk and the depth, whether it needs them or not

import sys

load = None
_ELEMENTS = 4096
"""Elements of one weight of a model that are looked at, evenly spread."""
_WEIGHTS, _OTHERS = 20, 2000
"""Weights of a model that are noted each, and put together; see `_prov_forms_models`."""
_NODES = 40
"""Nodes and edges of a graph that are noted; of all of them a digest."""


def _forms():
    return load("_prov_forms")


def _array(data, kind, walk, depth, wanted=None, elements=0):
    """Return the form of what a framework hands out as an ndarray."""
    numpy = sys.modules["numpy"]
    arrays = load("_prov_forms_arrays")
    data = numpy.asarray(data)
    dtype, shape = arrays.dtype_name(data.dtype), list(data.shape)
    if data.dtype.kind == "V" or dtype in ("bfloat16",) or dtype.startswith("float8"):
        data = data.astype("f4")
    if elements and data.size > elements:
        data = data.reshape(-1)[:: data.size // elements + 1]
    return ["a", kind, dtype, shape, arrays.facts(data, walk, depth, wanted)]


# --- TensorFlow and Keras ---


def tensor(value, walk, depth):
    """Return the form of a tensor; of a symbolic one its dtype and shape."""
    kind = "tensorflow.Tensor"
    read = getattr(type(value), "_numpy", None) or getattr(type(value), "numpy", None)
    if read is None or type(value).__name__ in ("SymbolicTensor", "KerasTensor"):
        return _symbolic(value, kind)
    try:
        data = read(value)
    except Exception:
        return _symbolic(value, kind)
    return _array(data, kind, walk, depth)


def _symbolic(value, kind):
    known = {"dtype": str(getattr(value.dtype, "name", value.dtype)), "shape": str(value.shape)}
    return ["m", kind, known, [], {}]


def variable(value, walk, depth):
    """Return the form of a variable: its value."""
    data = value.numpy() if hasattr(value, "numpy") else value
    return _array(data, "tensorflow.Variable", walk, depth)


def dtype(value, walk, depth):
    return ["q", "dtype", str(value.name)]


def shape(value, walk, depth):
    sizes = value.as_list() if value.rank is not None else []
    return ["t", len(sizes), [walk.of(one, depth + 1) for one in sizes], {}]


def opaque(value, walk, depth):
    return _forms().opaque(value)


def keras_layer(value, walk, depth):
    """Return the form of a layer or model: its weights in order, and its plain settings."""
    named = _weights(value.weights if _built(value) else (), walk, depth)
    meta = {"weights": len(named)}
    evidence = {}
    for name in ("trainable", "built", "dtype", "units", "filters", "rate"):
        one = vars(value).get(name, vars(value).get("_" + name))
        if type(one) in (int, float, str, bool):
            evidence[name] = one
    return ["m", _forms().name_of(type(value)), meta, named, evidence]


def _built(value):
    return any(vars(value).get(name) for name in ("built", "_built", "_self_tracked_trackables"))


def _weights(weights, walk, depth):
    """Return the short forms of weights. Their names hold counters, so the place stands instead."""
    kept = []
    wanted = 16 if len(weights) <= 4 else 6 if len(weights) <= 8 else 2
    for place, one in enumerate(weights[:_WEIGHTS]):
        kept.append(["%d" % place, _weight(one, walk, depth, wanted, _ELEMENTS)])
    rest = weights[_WEIGHTS:_OTHERS]
    if rest:
        made = [_weight(one, walk, depth, 2, 1024) for one in rest]
        facts = [one[4] for one in made if one[0] == "a"]
        kept += load("_prov_forms_models").others(facts, "float32")
    return kept


def _weight(value, walk, depth, wanted, elements):
    if not hasattr(value, "numpy") and not hasattr(value, "__array__"):
        return _forms().opaque(value)  # a table of words, say
    data = value.numpy() if hasattr(value, "numpy") else value
    return _array(data, "tensorflow.Variable", walk, depth + 1, wanted, elements)


def keras_optimizer(value, walk, depth):
    """Return the form of an optimizer: its rate and its variables."""
    meta, evidence = {}, {}
    hyper = vars(value).get("_hyper")
    rate = vars(value).get("_learning_rate", (hyper or {}).get("learning_rate"))
    if hasattr(rate, "numpy"):
        rate = float(rate.numpy())
    if type(rate) is float:
        meta["lr"] = float("%.7g" % rate)
    for name, one in list(vars(value).items()) + list((hyper or {}).items()):
        if type(one) in (int, float, bool) and name != "learning_rate":
            evidence[name.lstrip("_")] = one
    return ["m", _forms().name_of(type(value)), meta, [], evidence]


def history(value, walk, depth):
    """Return the form of what fit returned: the metrics per epoch."""
    known = vars(value)
    kept = [[name, walk.of(known.get(name), depth + 1)] for name in ("history", "epoch")]
    return ["nt", "keras.History", kept]


# --- JAX ---


def jax_array(value, walk, depth):
    """Return the form of an array or of a key; of a traced one its dtype and shape."""
    name = type(value).__name__
    if "Tracer" in name:
        return ["m", "jax.Tracer", {"shape": str(value.aval)}, [], {}]
    if str(value.dtype).startswith("key<"):
        jax = sys.modules["jax"]
        data = _array(jax.random.key_data(value), "jax.Array", walk, depth)
        return ["m", "jax.PRNGKey", {"impl": str(value.dtype)}, [["key", data]], {}]
    if getattr(value, "is_deleted", None) is not None and value.is_deleted():
        return ["o", "jax.Array", {}]
    return _array(value, "jax.Array", walk, depth)


def frozen_dict(value, walk, depth):
    inner = vars(value).get("_dict", getattr(value, "_dict", None))
    return walk.of(inner, depth)


def nnx_variable(value, walk, depth):
    """Return the form of what a variable of flax.nnx holds."""
    return walk.of(_held(value), depth)


def _held(variable):
    for name in ("_raw_value", "raw_value", "value"):
        if hasattr(type(variable), name) or name == "value":
            return object.__getattribute__(variable, name)
    return None


def nnx_state(value, walk, depth):
    """Return the form of a state of flax.nnx: the mapping inside of it."""
    return walk.of(vars(value).get("_mapping"), depth)


def nnx_module(value, walk, depth):
    """Return the form of a module of flax.nnx: the arrays in it, by their dotted names."""
    named = []
    _arrays_in("", value, named, 0)
    kept = [[name, _short(one, walk, depth)] for name, one in sorted(named)[:_WEIGHTS]]
    rest = [_short(one, walk, depth) for _, one in sorted(named)[_WEIGHTS:_OTHERS]]
    facts = [one[4] for one in rest if one[0] == "a"]
    if facts:
        kept += load("_prov_forms_models").others(facts, "float32")
    return ["m", _forms().name_of(type(value)), {}, kept, {"arrays": len(named)}]


def _arrays_in(name, value, found, below):
    """Add the arrays in modules, variables and plain containers."""
    if below > 12 or len(found) >= _OTHERS:
        return
    bases = {base.__name__ for base in type.mro(type(value))}
    if bases & {"Array", "ArrayImpl", "PRNGKeyArray", "Tracer"}:
        found.append((name, value))
    elif "Variable" in bases:
        _arrays_in(name, _held(value), found, below + 1)
    elif isinstance(value, (list, tuple)):
        for place, one in enumerate(value):
            _arrays_in("%s.%d" % (name, place), one, found, below + 1)
    elif isinstance(value, dict) or bases & {"Pytree", "Object", "State"}:
        own = value if isinstance(value, dict) else vars(value)
        for key, one in list(own.items()):
            if not str(key).startswith("_pytree"):
                _arrays_in(("%s.%s" % (name, key)).lstrip("."), one, found, below + 1)


def _short(value, walk, depth):
    if not type(value).__name__.startswith("ArrayImpl") or str(value.dtype).startswith("key<"):
        return jax_array(value, walk, depth + 1)
    return _array(value, "jax.Array", walk, depth + 1, 6, _ELEMENTS)


# --- graphs ---


def graph(value, walk, depth):
    """Return the form of a networkx graph: nodes and edges in order, with what they carry."""
    own = vars(value)
    nodes, around = own["_node"], own["_adj"]
    edges = [(one, other, held) for one, others in around.items() for other, held in others.items()]
    carried = [held for _, _, held in edges[:5000]] + list(nodes.values())[:5000]
    names = sorted({str(name) for held in carried for name in held})
    kept = [
        ["nodes", walk.of(list(nodes)[: _NODES * 50], depth + 1)],
        ["edges", walk.of([edge[:2] for edge in edges][:_NODES], depth + 1)],
        ["size", ["t", 2, [len(nodes), len(edges)], {}]],
        ["data", walk.of([held for _, _, held in edges][:_NODES], depth + 2)],
        ["names", walk.of(names, depth + 1)],
        ["carried", walk.of(dict(list(nodes.items())[:_NODES]), depth + 2)],
    ]
    plain = [one for edge in edges[:100000] for one in edge[:2]]
    if all(type(one) in (int, str) for one in plain):
        digest = _forms().digest(repr(plain).encode("utf-8", "replace"))
        kept.append(["all", digest])
    return ["nt", _forms().name_of(type(value)), kept]
