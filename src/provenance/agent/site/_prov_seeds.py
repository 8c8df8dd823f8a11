"""Calls that seed a random generator: which, with what, and from which line.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``log(kind, value)`` and ``load(name)`` (the names of a file beside this one).
"""

import sys

log, load = globals()["log"], globals()["load"]

_MOST = 50
"""Seed calls that are kept; further ones are only counted."""
_LONGEST = 500
_MOST_DRAWS = 50

_SEEDING = {
    "accelerate.utils.random": ("accelerate.utils.", "set_seed"),
    "cupy.random._generator": ("cupy.random.", "seed"),
    "jax._src.random": ("jax.random.", "PRNGKey key"),
    "jax._src.random.core": ("jax.random.", "PRNGKey key"),
    "keras.src.utils.rng_utils": ("keras.utils.", "set_random_seed"),
    "lightning.fabric.utilities.seed": ("lightning.", "seed_everything"),
    "lightning_fabric.utilities.seed": ("pytorch_lightning.", "seed_everything"),
    "mxnet.random": ("mxnet.random.", "seed"),
    "numpy.random._generator": ("numpy.random.", "default_rng"),
    "numpy.random.mtrand": ("numpy.random.", "seed"),
    "paddle.framework.random": ("paddle.", "seed"),
    "tensorflow.python.framework.random_seed": ("tensorflow.random.", "set_seed"),
    "torch.cuda.random": ("torch.cuda.", "manual_seed manual_seed_all seed seed_all"),
    "torch.random": ("torch.", "manual_seed seed"),
    "transformers.trainer_utils": ("transformers.", "set_seed enable_full_determinism"),
}
"""Module in which functions that seed are defined: their public name's beginning, their names."""
_DRAWING = ("sklearn.utils.validation", "scipy._lib._util")
"""Modules whose ``check_random_state(None)`` hands out numpy's global generator."""

_seeds, _draws, _inside = {}, {}, []
_patches = load("_prov_patches")
hidden, replace, where = _patches["hidden"], _patches["replace"], _patches["where"]


def patch(name, module):
    """Replace the functions of ``module``, which has just been imported, that seed."""
    if name == "random":
        instance = module._inst
        if module.seed == instance.seed:
            seed = hidden(type(instance).seed, _seeder("random", "random.seed", 1))
            module.seed = type(instance.seed)(seed, instance)
    elif name in _DRAWING:
        replace(module, "check_random_state", _drawer(name.partition(".")[0]))
    else:
        public, functions = _SEEDING[name]
        library = name.partition(".")[0]
        for function in functions.split():
            if callable(vars(module).get(function)):
                replace(module, function, _seeder(library, public + function))


def _seeder(library, name, place=0):
    def around(original, *args, **kwargs):
        _inside.append(library)
        try:
            return original(*args, **kwargs)
        finally:
            _inside.pop()
            if library not in _inside:  # seeding torch seeds its devices, which is one act
                given = args[place] if len(args) > place else next(iter(kwargs.values()), None)
                _seeded(library, name, given)

    return around


def _drawer(library):
    def around(original, *args, **kwargs):
        if (args[0] if args else next(iter(kwargs.values()), 0)) is None:
            _drawn(library)
        return original(*args, **kwargs)

    return around


def _drawn(library):
    """Take note of the user's line for which a library uses numpy's global generator."""
    try:
        place, importing = where(library)
        if not importing and place not in _draws and len(_draws) < _MOST_DRAWS:
            _draws[place] = True
            load("_prov_told")["noted"](
                "draw", {"library": "numpy", "by": _called(library), "where": place}
            )
    except Exception:
        pass


def _called(library):
    """Return the outermost function of ``library`` on the stack, as ``library.function``."""
    frame, found = sys._getframe(2), library
    for _ in range(60):
        if frame is None:
            break
        names = frame.f_globals
        if names.get("log") is not log:
            if names.get("__name__", "").partition(".")[0] == library:
                owner, method = frame.f_locals.get("self"), frame.f_code.co_name
                if method not in ("wrapper", "inner_f"):  # of scikit-learn's decorators
                    found = type(owner).__name__ + "." + method if owner is not None else method
            elif not _patches["foreign"](frame.f_code.co_filename):
                break
        frame = frame.f_back
    return found


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
