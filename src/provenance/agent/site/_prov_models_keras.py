"""Models, optimizers and training calls of Keras programs, of Keras 3 and of tf.keras.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``load(name)`` (a file beside this one). What is replaced is called once for a training, never for
a batch.
"""

import sys

load = globals()["load"]

_models = load("_prov_models")
_around, _where, _described = _models["around"], _models["where"], _models["described"]

_DATA = ("self", "x", "y", "optimizer", "validation_data", "sample_weight")
_BACKENDS = ("TensorFlowTrainer", "TorchTrainer", "JAXTrainer", "NumpyTrainer")
_LONGEST = 200
_FRAMES = ("keras", "tf_keras", "tensorflow")

_known = {}
_optimizers = set()


def patch(_name, module):
    """Replace ``compile`` and ``fit`` of ``module``, which has just been imported."""
    for owner in ("Trainer", "Model", *_BACKENDS):
        kind = vars(module).get(owner)
        if isinstance(kind, type) and kind.__module__ == module.__name__:
            for name, function in (("compile", _compile), ("fit", _fit), (_BUILD, _build)):
                if name in vars(kind):
                    _around(kind, name, function)


_BUILD = "_symbolic_build"


def _quietly(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def _compile(original, self, *args, **kwargs):
    result = original(self, *args, **kwargs)
    _quietly(_compiled, original, self, args, kwargs)
    return result


def _fit(original, self, *args, **kwargs):
    number = _quietly(_fitted, original, self, args, kwargs)
    try:
        return original(self, *args, **kwargs)
    finally:
        _quietly(_tell, self, "fit", "")
        _quietly(_end, self, number)


def _build(original, self, *args, **kwargs):
    result = original(self, *args, **kwargs)
    _quietly(_tell, self, "fit", _where(_FRAMES[0])[0])
    return result


# --- what is told --------------------------------------------------------------------------------


def _compiled(original, model, args, kwargs):
    given = _models["arguments"](original, (model, *args), kwargs, skip=_DATA)
    for one in given.values():
        one[:2] = [_plain(one[0]), _plain(one[1])]
    bound = sys.modules["inspect"].signature(original).bind(model, *args, **kwargs).arguments
    for name in ("loss", "metrics", "weighted_metrics", "loss_weights"):
        if name in given:
            given[name][0] = _object(bound.get(name, given[name][0]))
    place = _where("keras")[0]
    _models["made"]("training", "keras.Model.compile", place, given, {}, "keras")
    _known.setdefault(id(model), {}).update(optimizer=_optimizer(model.optimizer, place))
    _tell(model, "compile", place)


def _optimizer(optimizer, place):
    kind = type(optimizer)
    _optimizers.add(id(optimizer))
    arguments = _models["defaults"](kind.__init__, optimizer.get_config(), ("self", "name"))
    for one in arguments.values():
        one[0] = _configured(_single(one[0]))
    number = _models["made"]("optimizer", _public(kind), place, arguments, {}, "keras")
    _schedule(optimizer, place)
    return number


def leave():
    """Tell of the models and optimizers of the main module that were used without ``compile``."""
    names = vars(sys.modules.get("__main__", sys))
    for _, value in sorted(names.items(), key=lambda item: item[0]):
        bases = {one.__name__ for one in type(value).__mro__ if one.__module__[:5] == "keras"}
        if "Model" in bases and id(value) not in _known:
            _quietly(_tell, value, "held", "")
        elif bases & {"BaseOptimizer", "Optimizer"} and id(value) not in _optimizers:
            _quietly(_optimizer, value, "")


def _configured(value):
    """Return an object that stands in a configuration as its class with its settings."""
    if isinstance(value, dict) and {"class_name", "config"} <= set(value):
        given = value["config"] if isinstance(value["config"], dict) else {}
        return {"function": value["class_name"], "given": given}
    return value


def _schedule(optimizer, place):
    schedule = vars(optimizer).get("_learning_rate")
    if hasattr(schedule, "get_config"):
        given = _models["defaults"](type(schedule).__init__, schedule.get_config(), ("name",))
        _models["made"]("schedule", _public(type(schedule)), place, given, {}, "keras")


def _fitted(original, model, args, kwargs):
    given = _models["arguments"](original, (model, *args), kwargs, skip=_DATA)
    bound = sys.modules["inspect"].signature(original).bind(model, *args, **kwargs).arguments
    if "callbacks" in given:
        given["callbacks"][0] = _object(bound.get("callbacks"))
    more = {}
    for name in ("x", "y", "validation_data"):
        if bound.get(name) is not None:
            more[name] = _described(bound[name])
    place = _where("keras")[0]
    _known.setdefault(id(model), {}).setdefault("where", place)
    _tell(model, "fit", place)
    return _models["made"]("training", "keras.Model.fit", place, given, more, "keras")


def _end(model, number):
    """Tell of the end of a training: epochs done, learning rate, steps."""
    history = vars(model).get("history")
    epochs = getattr(history, "epoch", None)
    if isinstance(epochs, list):
        _models["ended"]("training", number, {"epochs": len(epochs)})
    optimizer = model.optimizer
    more = {"groups": [{"lr": _single(float(_number(optimizer.learning_rate)))}]}
    more["steps"] = int(_number(optimizer.iterations))
    _models["ended"]("optimizer", _known.get(id(model), {}).get("optimizer"), more)


def _single(value):
    """Return a number that was kept in 32 bits as people write it: 0.001, not 0.0010000000475."""
    numpy = sys.modules.get("numpy")
    if type(value) is not float or numpy is None or len(repr(value)) < 12:
        return value
    single = numpy.float32(value)
    return float(str(single)) if float(single) == value else value


def _number(value):
    return value.numpy() if hasattr(value, "numpy") else value


def _public(kind):
    """Return the name that people import: ``keras.optimizers.Adam``."""
    parts = kind.__module__.split(".")
    if parts[0] in _FRAMES and "src" in parts:
        for group in ("optimizers.schedules", "optimizers", "losses", "metrics", "callbacks"):
            module = sys.modules.get("%s.%s" % (parts[0], group))
            # A backend has a class of its own below the public one.
            if module is not None and vars(module).get(kind.__name__) in kind.__mro__:
                return "%s.%s.%s" % (parts[0], group, kind.__name__)
    return _models["name_of"](kind)


def _object(value, depth=0):
    """Return losses, metrics and callbacks as their class with its settings."""
    if isinstance(value, (list, tuple)) and depth < 2:
        return [_object(one, depth + 1) for one in list(value)[:20]]
    if isinstance(value, dict) and depth < 2:
        return {str(k): _object(one, depth + 1) for k, one in list(value.items())[:20]}
    kind = type(value)
    if kind.__module__.partition(".")[0] not in _FRAMES or isinstance(value, type):
        return _described(value)
    config = value.get_config() if hasattr(value, "get_config") else {}
    given = {k: _plain(v) for k, v in config.items() if k not in ("name", "dtype", "fn")}
    return {"function": _public(kind), "given": {k: v for k, v in given.items() if v is not None}}


def _plain(value):
    return _described(value, "", 1)


# --- models --------------------------------------------------------------------------------------


def _tell(model, how, place):
    """Tell of a model that has been built, again only where it has changed."""
    if not getattr(model, "built", False):
        return
    entry = _known.setdefault(id(model), {})
    rows, seen = [], {}
    for layer in model._flatten_layers(include_self=False, recursive=True):
        if not _children(layer) and len(rows) < 5000:
            rows.append(_row(layer))
    for weight in model.weights:
        seen.setdefault(id(weight), weight)
    trained = {id(weight) for weight in model.trainable_weights}
    totals = {"total": 0, "trainable": 0, "bytes": 0, "dtypes": {}, "unset": 0, "devices": {}}
    for key, weight in seen.items():
        size, dtype = _size(weight.shape), _dtype(weight)
        totals["total"] += size
        totals["trainable"] += size if key in trained else 0
        totals["bytes"] += size * _bytes(dtype)
        totals["dtypes"][dtype] = totals["dtypes"].get(dtype, 0) + size
    text = hash(ascii((rows, totals)))
    if entry.get("told") == text or not rows:
        return
    number = entry.setdefault("number", sum("number" in one for one in _known.values()))
    if number >= 20:
        return
    entry.setdefault("where", place)
    entry["told"] = text
    kind = type(model)
    facts = dict(totals, framework="keras", type=_name(kind), how=how, where=entry["where"])
    facts["optimizers"] = [entry["optimizer"]] if entry.get("optimizer") is not None else []
    facts["defined"] = "" if _own(kind) else _models["place_of"](kind)
    _models["model"]("keras %d" % number, facts, rows)


def _children(layer):
    found = getattr(layer, "_layers", None)
    return list(found) if found else []


def _own(kind):
    return kind.__module__.partition(".")[0] in _FRAMES


def _name(kind):
    if not _own(kind):
        return _models["name_of"](kind)
    return (
        "keras.%s" % kind.__name__
        if kind.__name__ in _MODELS
        else "keras.layers.%s" % kind.__name__
    )


_MODELS = ("Model", "Sequential", "Functional")


def _row(layer):
    shapes, count, states, dtypes = {}, 0, set(), set()
    trained = {id(weight) for weight in layer.trainable_weights}
    for weight in layer.weights:
        shapes[weight.name.rpartition("/")[2]] = [int(side) for side in weight.shape]
        count += _size(weight.shape)
        states.add(id(weight) in trained)
        dtypes.add(_dtype(weight))
    state = states.pop() if len(states) == 1 else None
    dtype = " ".join(sorted(dtypes))
    kind = type(layer)
    output = _quietly(lambda: list(layer.output.shape)) if _nodes(layer) else None
    return [layer.name, _name(kind), shapes, count, state, dtype, output, _settings(layer, kind), 1]


def _nodes(layer):
    return getattr(layer, "_inbound_nodes", None)


def _settings(layer, kind):
    """Return the plain ones among the settings of one of Keras' own layers."""
    config = _quietly(layer.get_config) if _own(kind) else None
    words = []
    for name, value in (config or {}).items():
        plain = isinstance(value, (bool, int, float, str, tuple))
        if plain and name not in ("name", "trainable", "dtype", "data_format"):
            words.append("%s=%s" % (name, value))
    return ", ".join(words)[:_LONGEST]


def _size(shape):
    size = 1
    for side in shape:
        size *= int(side)
    return size


def _dtype(weight):
    return str(getattr(weight.dtype, "name", weight.dtype))


def _bytes(dtype):
    digits = "".join(c for c in dtype if c.isdigit())
    return max(1, int(digits) // 8) if digits else 1
