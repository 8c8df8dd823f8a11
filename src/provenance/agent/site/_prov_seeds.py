"""Calls that seed a random generator: which, with what, and from which line.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``log(kind, value)`` and ``load(name)`` (the names of a file beside this one).
"""

log, load = globals()["log"], globals()["load"]

_MOST = 50
"""Seed calls that are kept; further ones are only counted."""
_LONGEST = 500

_seeds = {}
_patches = load("_prov_patches")
hidden, replace, where = _patches["hidden"], _patches["replace"], _patches["where"]


def patch(name, module):
    """Replace the functions of ``module``, which has just been imported, that seed."""
    if name == "random":
        instance = module._inst
        if module.seed == instance.seed:
            seed = hidden(type(instance).seed, _seeder("random", "random.seed", 1))
            module.seed = type(instance.seed)(seed, instance)
        return
    library = name.partition(".")[0]
    public = library + "." if library == "torch" else library + ".random."
    for function in ("seed", "default_rng", "manual_seed", "set_seed"):
        if callable(vars(module).get(function)):
            replace(module, function, _seeder(library, public + function))


def _seeder(library, name, place=0):
    def around(original, *args, **kwargs):
        try:
            return original(*args, **kwargs)
        finally:
            given = args[place] if len(args) > place else next(iter(kwargs.values()), None)
            _seeded(library, name, given)

    return around


def _seeded(library, function, argument):
    try:
        place, importing = where(library)
        if function.endswith("default_rng") and (
            importing or hasattr(argument, "bit_generator") or hasattr(argument, "random_raw")
        ):
            return  # a generator of a library's own, or one that was made and seeded before
        argument = getattr(argument, "entropy", argument)
        call = (library, function, _seed(argument), place)
        _seeds[call] = _seeds.get(call, 0) + 1
        if _seeds[call] == 1:
            if len(_seeds) <= _MOST:
                log("S", call)
            else:
                del _seeds[call]
                _seeds[""] = _seeds.get("", 0) + 1
    except Exception:
        pass


def leave():
    """Return, for the report, how many seed calls were not kept."""
    return {"uncounted": _seeds.get("", 0)}


def _seed(value):
    """Return a seed as plain data; of what is none, the name of its type."""
    if value is None or type(value) in (bool, int, float, str):
        return value if not isinstance(value, str) else value[:_LONGEST]
    if isinstance(value, (list, tuple)) and len(value) <= 64:
        return [_seed(one) for one in value]
    if isinstance(value, (bytes, bytearray)):
        return repr(bytes(value[:100]))
    try:
        return value.__index__()
    except Exception:
        return "<%s>" % type(value).__name__
