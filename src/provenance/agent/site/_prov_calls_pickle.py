"""Functions pickled by value leave with their own code, not with what `_prov_calls_rewrite` made.

Run by ``sitecustomize``, which gives ``load(name)`` (the names of a file beside this one).
"""

import types

load = globals()["load"]

MODULES = (
    "cloudpickle.cloudpickle cloudpickle.cloudpickle_fast dill._dill "
    "joblib.externals.cloudpickle.cloudpickle joblib.externals.cloudpickle.cloudpickle_fast "
    "pyspark.cloudpickle.cloudpickle pyspark.cloudpickle.cloudpickle_fast "
    "ray.cloudpickle.cloudpickle ray.cloudpickle.cloudpickle_fast"
).split()


def patch(_name, module):
    """Let the picklers of a module write a function's own code."""
    original = load("_prov_calls_rewrite")["original"]
    for owner in list(vars(module).values()):
        if not isinstance(owner, type) or "ickler" not in owner.__name__:
            continue
        for table in ("_dispatch_table", "dispatch_table", "dispatch"):
            known = vars(owner).get(table)
            if known is None or types.CodeType not in known:
                continue
            if table == "dispatch":
                known[types.CodeType] = _saving(known[types.CodeType], original)
            else:
                known[types.CodeType] = _reducing(known[types.CodeType], original)


def _reducing(reduce, original):
    if hasattr(reduce, "_prov_original"):
        return reduce

    def reduced(code):
        return reduce(original(code))

    reduced._prov_original = True
    return reduced


def _saving(save, original):
    if hasattr(save, "_prov_original"):
        return save

    def saved(pickler, code):
        return save(pickler, original(code))

    saved._prov_original = True
    return saved
