"""Runs a script as a rehearsal: rewritten, cut, noted on a tape.

Started by the target interpreter as ``python _prov_rehearse.py SETTINGS.json``. The settings:

``tape``     where to write; ``script`` or ``module``: what to run; ``argv``: its arguments
``cells``    true: the script is a notebook, whose code cells are run one after the other
``own``      folders of the user's source; ``foreign``: folders below them that hold libraries
``rows``     data longer than this is cut to it (0: not cut); ``loop_s``: seconds a loop may take
``follows``  true: ``loops`` ([site, nth, turns]) says how often each loop turns
``data``     paths of the data files, where they are or would be in the tree that this runs in
``keep``     true: what is read of them is kept on the tape; ``feed``: what is given instead of it
``limit_s``  seconds after the first import of the script's own, when all ends
"""

import json
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_loaded = {}


def load(name):
    """Return a module beside this file, None where there is none."""
    if name not in _loaded:
        path = os.path.join(_HERE, name + ".py")
        if not os.path.isfile(path):
            _loaded[name] = None
            return None
        import importlib.util

        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        module.load = load
        _loaded[name] = module
        spec.loader.exec_module(module)
        module.load = load
    return _loaded[name]


class Own(object):
    """Which files are the user's, and the names of the modules made from them."""

    def __init__(self, settings):
        self.folders = tuple(os.path.realpath(one) + os.sep for one in settings["own"])
        self.foreign = tuple(os.path.realpath(one) + os.sep for one in settings.get("foreign", ()))
        self.top = os.path.realpath(settings.get("top", settings["own"][0]))
        self.names = {"__main__"}

    def has(self, path):
        """Return whether the file at ``path`` is the user's own source."""
        real = os.path.realpath(path)
        if not real.endswith(".py") or "site-packages" in real or "dist-packages" in real:
            return False
        return real.startswith(self.folders) and not real.startswith(self.foreign)

    def shown(self, path):
        """Return the path as the tape names it: relative to the top of the project."""
        return os.path.relpath(os.path.realpath(path), self.top)


def install(tape, own):
    """Let every module of the user's own be rewritten when it is imported."""
    from importlib.machinery import SourceFileLoader

    original = SourceFileLoader.get_code

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        if not own.has(path):
            return original(self, fullname)
        own.names.add(fullname)
        code = code_of(tape, own, path, self.get_data(path), False)
        return original(self, fullname) if code is None else code

    SourceFileLoader.get_code = get_code


def code_of(tape, own, path, text, guarded):
    """Return the rewritten code of a file; None where it cannot be rewritten."""
    sites = []
    try:
        offset = len(tape.sites)
        tape.sources.learn(text)
        code = load("_prov_module").rewrite(text, path, own.shown(path), sites, guarded, offset)
    except Exception as error:  # also MemoryError and RecursionError of the compiler
        kind = type(error).__name__
        tape.put({"failed": 0, "e": "%s is left as it is: %s" % (own.shown(path), kind)})
        return None
    tape.add(sites)
    return code


def seed():
    """Give each random generator a fixed start, so that two rehearsals can be compared."""
    import random

    random.seed(0)
    _when("numpy", _seed_numpy)
    _when("torch", lambda module: module.manual_seed(0))
    _when("tensorflow", _seed_tensorflow)


def _seed_numpy(module):
    module.random.seed(0)
    make = getattr(module.random, "default_rng", None)
    if make is not None:
        made = [0]

        def default_rng(seed=None):
            if seed is None:
                made[0] += 1
                seed = made[0]
            return make(seed)

        default_rng.__module__, default_rng.__qualname__ = "numpy.random", "default_rng"
        module.random.default_rng = default_rng


def _seed_tensorflow(module):
    module.random.set_seed(0)


_waiting = {}


def _when(name, act):
    """Call ``act(module)`` once the program has imported the module."""
    _waiting[name] = act


class _Finder(object):
    """Sees the imports that `_when` waits for; finds nothing itself."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):  # noqa: ARG003
        if name not in _waiting:
            return None
        act = _waiting.pop(name)
        import importlib.util

        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return spec
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            try:
                act(module)
            except Exception:
                pass

        spec.loader.exec_module = exec_module
        return spec


def watch_warnings(tape):
    """Note each warning under the operation that is open, shown or not."""
    import warnings

    original = warnings.warn

    def warn(message, category=None, stacklevel=1, *rest, **named):
        kind = type(message) if isinstance(message, Warning) else category or UserWarning
        tape.warned("%s: %s" % (getattr(kind, "__name__", "Warning"), message))
        return original(message, category, stacklevel + 1, *rest, **named)

    warnings.warn = warn


def main():
    """Run what the settings name."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        settings = json.load(stream)
    own = Own(settings)
    load("_prov_forms").set_roots(
        os.path.dirname(own.top), os.path.dirname(settings["tape"]), os.environ.get("TMPDIR")
    )
    sys.dont_write_bytecode = False
    tape = load("_prov_tape").Tape(settings["tape"], own.names, settings)
    tape.put({"tape": 1, "python": "%d.%d.%d" % sys.version_info[:3]})
    import builtins

    for name in "afrslte":
        setattr(builtins, "_prov_" + name, getattr(tape, name))
    builtins._prov_x = tape.x
    sys.meta_path.insert(0, _Finder)
    seed()
    install(tape, own)
    watch_warnings(tape)
    guard = load("_prov_guard")
    guard.processes(_HERE)
    guard.compilers(_when)
    guard.limit(tape, own, settings.get("limit_s", 60.0))
    how, why = "done", ""
    try:
        run(tape, own, settings)
    except SystemExit as error:
        why = "exit %s" % (error.code,)
    except BaseException as error:
        tape.x(0)
        how, why = "error", load("_prov_names").error(error)
    guard.leave(tape, how, why)


def run(tape, own, settings):
    """Run the script or module as ``__main__``."""
    import types

    argv, module = settings["argv"], settings.get("module")
    if module:
        import importlib.util

        sys.path[0] = os.getcwd()
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.submodule_search_locations is not None:
            module += ".__main__"
            spec = importlib.util.find_spec(module)
        if spec is None or not spec.origin:
            raise ImportError("there is no module %s" % module)
        script, package, shown = spec.origin, spec.parent, spec.origin
    else:
        script, package, shown = os.path.abspath(settings["script"]), None, settings["script"]
        sys.path[0] = os.path.dirname(os.path.realpath(script))
    sys.argv[:] = [shown, *argv]
    main_module = types.ModuleType("__main__")
    if not settings.get("cells"):  # a notebook has none, and no process can be started from it
        main_module.__file__ = script if sys.version_info >= (3, 9) else shown
    main_module.__builtins__ = __builtins__
    main_module.__package__ = package
    if module:
        main_module.__spec__ = spec
    sys.modules["__main__"] = main_module
    with open(script, "rb") as stream:
        text = stream.read()
    if settings.get("cells"):
        run_cells(tape, own, script, text, main_module.__dict__)
        return
    code = code_of(tape, own, script, text, True) if own.has(script) else None
    if code is None:
        code = compile(text, script, "exec", dont_inherit=True)
    exec(code, main_module.__dict__)


class _Kernel(object):
    """Stands in for what a notebook's kernel offers and a rehearsal does not."""

    def __call__(self, *given, **named):  # noqa: ARG002
        return None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _kernel():
    return _Kernel()


def run_cells(tape, own, script, data, names):
    """Run the code cells of a notebook in their order; one that fails does not end the rest."""
    names["display"], names["get_ipython"] = _Kernel(), _kernel
    for number, text in load("_prov_cells").cells(data):
        shown = "%s:%d" % (own.shown(script), number)
        sites = []
        try:
            offset = len(tape.sites)
            tape.sources.learn(text)
            code = load("_prov_module").rewrite(
                text, "<cell %d>" % number, shown, sites, True, offset
            )
        except (SyntaxError, RecursionError, ValueError):
            tape.x(0)
            continue
        tape.add(sites)
        exec(code, names)


if __name__ == "__main__":
    main()
