"""The script itself, before Python 3.12: its code is made by us and run by `runpy`.

The interpreter compiles a script on its own, where nobody can change it. But it asks the path hooks
first whether the script is a folder or archive with a ``__main__`` to run. One of ours says so for
this one path and gives the rewritten code, whose first call makes the names of ``__main__`` and
``sys.path`` what they would have been. The frames of `runpy` below the script's own are cut out
of the traceback that an exception prints.
"""

import os
import sys

load = globals()["load"]
_calls = load("_prov_calls")


def install(source_code):
    """Take part in the start of the script, where this process has one of the user's own."""
    path = _script()
    if not path or not path.endswith(".py") or not _calls["is_own"](os.path.abspath(path)):
        return
    shown = os.path.abspath(path) if sys.version_info >= (3, 9) else path
    try:
        with open(path, "rb") as stream:
            text = stream.read()
        code = source_code(text, shown, True)
    except Exception:
        return  # the interpreter says what is wrong with it
    claimed = frozenset((path, shown))

    def hook(entry):
        if entry not in claimed:
            raise ImportError(entry)
        sys.path_hooks.remove(hook)
        return _Importer(entry, shown, code, _hide())

    sys.path_hooks.insert(0, hook)


def _script():
    """Return the script of this process as its command line has it, "" where it has none."""
    words = getattr(sys, "orig_argv", None)
    if words is None:
        with open("/proc/self/cmdline", "rb") as stream:
            words = [os.fsdecode(one) for one in stream.read().split(b"\0")[:-1]]
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in ("-", "-i") or word[:2] in ("-c", "-m"):
            return ""
        if word in ("-W", "-X", "--check-hash-based-pycs"):
            rest = rest[1:]
    return rest[0] if rest else ""


def _hide():
    """Let `warnings` not count the frames of `runpy` that are about to begin.

    It passes over those of a file of this name. Return the functions with their own code.
    """
    import runpy  # which is about to be imported

    found = []
    for name in ("_run_code", "_run_module_as_main"):
        function = getattr(runpy, name)
        found.append((function, function.__code__))
        if hasattr(function.__code__, "replace"):
            hidden = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")
            function.__code__ = hidden
    return found


class _Importer(object):
    """Finds and loads ``__main__``, once."""

    def __init__(self, entry, shown, code, hidden):
        self.entry, self.shown, self.code, self.hidden = entry, shown, code, hidden

    def find_spec(self, name, target=None):  # noqa: ARG002  # as importers are called
        """Say that there is a ``__main__``."""
        if name != "__main__":
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self, origin=self.shown)

    def get_code(self, name):  # noqa: ARG002  # as runpy calls it
        """Return the code, which begins and may end with a call of ours."""
        import builtins

        builtins._prov_m, builtins._prov_x = self.begin, self.failed
        sys.path_importer_cache.pop(self.entry, None)
        if sys.path and sys.path[0] == self.entry:
            sys.path[0] = os.path.dirname(os.path.realpath(self.shown))
        if getattr(sys.flags, "safe_path", False):
            del sys.path[0]
        return self.code

    def begin(self):
        """Make the names of ``__main__`` what they are when a script is run."""
        for function, own in self.hidden:
            function.__code__ = own
        from importlib.machinery import SourceFileLoader

        names = sys.modules["__main__"].__dict__
        names.update(__spec__=None, __package__=None, __cached__=None, __file__=self.shown)
        names["__loader__"] = SourceFileLoader("__main__", self.shown)

    def failed(self):
        """Leave the frames below the script's out of what is printed of its exception."""
        shown, code = sys.excepthook, self.code

        def excepthook(kind, error, trace):
            sys.excepthook = shown
            first = trace
            while first is not None and first.tb_frame.f_code is not code:
                first = first.tb_next
            if first is not None:
                trace = first
                error.__traceback__ = first
            return shown(kind, error, trace)

        if not isinstance(sys.exc_info()[1], SystemExit):
            sys.excepthook = excepthook
