"""Objects of well-known libraries: estimators, configurations, distributions, views of tables."""

load = None
_PARAMS, _FITTED = 40, 24
"""Parameters and fitted attributes of an estimator that are noted."""


def _forms():
    return load("_prov_forms")


def estimator(value, walk, depth):
    """Return the form of an estimator: opaque, with parameters and fitted attributes as evidence.

    The parameters are those that the constructor of its class names, read from the object's own
    dictionary: ``get_params`` of a class that the user wrote could do anything.
    """
    if depth > 2:
        return _forms().opaque(value)
    own = vars(value)
    params, fitted = {}, {}
    for name, one in list(own.items()):
        if type(name) is not str or name[:2] == "__":
            continue
        if name[-1:] == "_" or name in ("_gamma", "_max_iter", "_n_init", "_tol"):
            if len(fitted) < _FITTED:
                fitted[name] = one
        elif name[:1] != "_" and len(params) < _PARAMS:
            params[name] = one
    deep = max(depth + 1, 2)
    evidence = {name: walk.of(one, deep + 1) for name, one in params.items()}
    for name, one in fitted.items():
        evidence[name] = walk.of(one, deep)
    return _forms().opaque(value, evidence)


def config(value, walk, depth):
    """Return the form of a configuration: its plain settings, as evidence."""
    evidence = {}
    for name, one in list(vars(value).items()):
        plain = type(one) in (int, float, bool, str, type(None)) and name[:1] != "_"
        if plain and "version" not in name and "path" not in name:
            evidence[name] = walk.of(one, depth + 2)
    return _forms().opaque(value, evidence)


def frozen(value, walk, depth):
    """Return the form of a distribution of scipy with its arguments."""
    own = vars(value)
    kept = [[name, walk.of(own.get(name), depth + 1)] for name in ("args", "kwds")]
    name = getattr(own.get("dist"), "name", "")
    return ["nt", "scipy.stats.rv_frozen", [["dist", str(name)], *kept]]


def view(value, walk, depth):
    """Return the form of what selects from a table or groups it: the table's."""
    own = getattr(value, "__dict__", {})
    held = [own.get(name) for name in ("obj", "_orig", "orig", "_parent")]
    of = next((one for one in held if one is not None), None)
    of = value.obj if of is None else of  # an indexer's, which is in C
    return ["m", _forms().name_of(type(value)), {}, [["of", walk.of(of, depth + 1)]], {}]


# --- statsmodels ---


def fitted(value, walk, depth):
    """Return the form of a model, of its results or of their influence: the arrays in them."""
    results = vars(value).get("_results", vars(value).get("results", value))
    model = vars(results).get("model", results)
    held = [("params", vars(results)), ("endog", vars(model)), ("exog", vars(model))]
    named = [[name, walk.of(own[name], depth + 1)] for name, own in held if name in own]
    return ["m", _forms().name_of(type(value)), {}, named, {}]
