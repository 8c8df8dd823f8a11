"""What the hook does to libraries once the program has imported them.

Run by ``sitecustomize`` when first needed, which gives ``log(kind, value)``, ``prefixes`` (of the
interpreter), ``load(name)`` (the names of a file beside this one) and ``watchers`` (module to the
names of the files that watch it).

A replaced function behaves as the original: same signature, same pickle, same result. Its frame
is taken out of tracebacks (from 3.11 on, where that is possible), and `warnings` passes over it.
"""

import os
import sys

log, load, prefixes = globals()["log"], globals()["load"], globals()["prefixes"]
watchers = globals()["watchers"]

_HIDDEN = "<frozen importlib._bootstrap>"
"""Frames of this name are cut out of the tracebacks of failing imports, and `warnings` does not
count them in its stack level."""


def watch(loader, name):
    """See to it that the module ``name`` is patched as soon as ``loader`` has run it.

    A file that has an ``expect(name)`` learns of it before.
    """
    for watcher in watchers[name][:]:
        try:
            load(watcher).get("expect", id)(name)
        except Exception:
            continue
    run = getattr(loader, "exec_module", None)
    if run is None:
        return

    def exec_module(module):
        try:
            del loader.exec_module
        except AttributeError:
            pass
        run(module)
        patch(name, module)

    _hide(exec_module)
    try:
        loader.exec_module = exec_module
    except (AttributeError, TypeError):
        pass


def _hide(function):
    if hasattr(function.__code__, "replace"):
        function.__code__ = function.__code__.replace(co_filename=_HIDDEN)


def patch(name, module):
    """Let every file that watches ``module``, which has just been imported, replace what it wants.

    One that fails costs only what it would have seen.
    """
    for watcher in watchers.get(name, ()):
        try:
            load(watcher)["patch"](name, module)
        except Exception:
            continue


def replace(owner, name, around):
    """Put ``around(original, ...)`` in the place of a function of a module or class."""
    made = vars(owner).get(name) if isinstance(owner, type) else None
    if isinstance(made, (classmethod, staticmethod)):
        if not hasattr(made.__func__, "_prov_original"):
            setattr(owner, name, type(made)(hidden(made.__func__, around)))
        return
    original = getattr(owner, name, None)
    if original is not None and not hasattr(original, "_prov_original"):
        setattr(owner, name, hidden(original, around))


def hidden(original, around):
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

    kept = "__annotate__" if sys.version_info >= (3, 14) else "__annotations__"  # PEP 649
    for name in ("__module__", "__name__", "__qualname__", "__doc__", kept):
        if hasattr(original, name):
            setattr(function, name, getattr(original, name))
    function.__dict__.update(getattr(original, "__dict__", {}))
    function.__wrapped__ = original
    function._prov_original = True
    _hide(function)
    return function


def foreign(file):
    return file.startswith(prefixes) or "-packages/" in file


def where(package):
    """Return the user's own line that led here, else the first line outside ``package``.

    And whether that is a library's, run because it is being imported.
    """
    frame = sys._getframe(1)
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
