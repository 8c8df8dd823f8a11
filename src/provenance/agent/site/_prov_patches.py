"""What the hook does to libraries once the program has imported them.

Run by ``sitecustomize`` when first needed, which gives ``log(kind, value)``, ``prefixes`` (of the
interpreter) and ``load(name)`` (the names of a file beside this one).

A replaced function behaves as the original: same signature, same pickle, same result. Its frame
is taken out of tracebacks (from 3.11 on, where that is possible), and `warnings` passes over it.
"""

import os
import sys

log, load, prefixes = globals()["log"], globals()["load"], globals()["prefixes"]

_MOST = 50
"""Seed calls that are kept; further ones are only counted."""
_LONGEST = 500
_HIDDEN = "<frozen importlib._bootstrap>"
"""Frames of this name are cut out of the tracebacks of failing imports, and `warnings` does not
count them in its stack level."""

_seeds = {}


def watch(loader, name):
    """See to it that the module ``name`` is patched as soon as ``loader`` has run it."""
    run = getattr(loader, "exec_module", None)
    if run is None:
        return

    def exec_module(module):
        try:
            del loader.exec_module
        except AttributeError:
            pass
        run(module)
        try:
            patch(name, module)
        except Exception:
            pass

    _hide(exec_module)
    try:
        loader.exec_module = exec_module
    except (AttributeError, TypeError):
        pass


def _hide(function):
    if hasattr(function.__code__, "replace"):
        function.__code__ = function.__code__.replace(co_filename=_HIDDEN)


def patch(name, module):
    """Replace what is watched of ``module``, which has just been imported."""
    if name == "argparse":
        for method in ("parse_known_args", "parse_known_intermixed_args"):
            replace(module.ArgumentParser, method, load("_prov_parser")["parse"])
    elif name == "random":
        instance = module._inst
        if module.seed == instance.seed:
            seed = _hidden(type(instance).seed, _seeder("random", "random.seed", 1))
            module.seed = type(instance.seed)(seed, instance)
    elif name in load("_prov_shims")["READERS"]:
        load("_prov_shims")["patch"](name, module)
    else:
        library = name.partition(".")[0]
        public = library + "." if library == "torch" else library + ".random."
        for function in ("seed", "default_rng", "manual_seed", "set_seed"):
            if callable(vars(module).get(function)):
                replace(module, function, _seeder(library, public + function))


def replace(owner, name, around):
    """Put ``around(original, ...)`` in the place of a function of a module or class."""
    original = getattr(owner, name, None)
    if original is not None and not hasattr(original, "_prov_original"):
        setattr(owner, name, _hidden(original, around))


def _hidden(original, around):
    """Return a function that calls ``around(original, *args, **kwargs)`` and looks like the other.

    Where the original raises, our frames are cut out of the traceback: that takes a bare ``raise``
    after changing the exception, which older interpreters than 3.11 ignore.
    """
    _hide(around)

    def function(*args, **kwargs):
        try:
            return around(original, *args, **kwargs)
        except BaseException as error:
            trace = error.__traceback__
            while trace is not None and trace.tb_frame.f_globals.get("log") is log:
                trace = trace.tb_next
            error.__traceback__ = trace
            raise

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(original, name):
            setattr(function, name, getattr(original, name))
    function.__dict__.update(getattr(original, "__dict__", {}))
    function.__wrapped__ = original
    function._prov_original = True
    _hide(function)
    return function


def foreign(file):
    return file.startswith(prefixes) or "-packages/" in file


def _where(package):
    """Return the user's own line that led here, else the first line outside ``package``.

    And whether that is a library's, run because it is being imported.
    """
    frame = sys._getframe(2)
    first = None
    for _ in range(60):
        if frame is None:
            break
        file = frame.f_code.co_filename
        if frame.f_globals.get("log") is not log:
            inside = frame.f_globals.get("__name__", "").partition(".")[0] == package
            if "importlib" in file and "<frozen" in file:
                if first is not None:
                    return "%s:%d" % first, True
            elif not inside:
                place = (os.path.abspath(file) if file[:1] != "<" else file, frame.f_lineno)
                first = first or place
                if not foreign(file):
                    return "%s:%d" % place, False
        frame = frame.f_back
    return "%s:%d" % first if first else "", False


# --- seeds -----------------------------------------------------------------------------------


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
        place, importing = _where(library)
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


def uncounted():
    """Return how many seed calls were not kept."""
    return _seeds.get("", 0)


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
