"""Where data comes in: the operations that read the run's recorded data files.

An operation is a source when it opened one of the files, is given the path of one, or asks
something of an object that such an operation returned and that cannot be made up (an open file, a
reader, a data set). What it returned is described on the tape, and kept there if that is wanted.
"""

import ast
import errno
import os
import sys

load = None
MOST_SOURCES = 1000
"""Executions and items that are noted in all."""
MOST_KEPT = 8 << 20
"""Size of all kept values together, as they stand on the tape."""
MOST_HANDLES = 1000
MOST_ITEMS = 12
"""Items of one loop that are described."""
MOST_KEPT_ITEMS = 200
LONGEST_NAME = 80
_LEVELS = 4
"""Folders above one that holds data files that are data as well: classes, splits, subjects."""
_LEAST_DEPTH = 2
"""Below these (``/data``, ``/home``) there is more than one run's data."""

_NEVER = frozenset(
    "print isinstance hasattr str repr format id callable setattr delattr super vars dir".split()
)
_SIZES = frozenset(
    "shape size ndim dtype width height n_frames num_rows num_columns rowcount nbytes".split()
)
"""Attributes that tell how much data there is: with other values the data would not fit them."""
_ABOUT_FILES = frozenset(
    "exists isfile isdir getsize getmtime is_file is_dir stat read_text read_bytes open "
    "listdir scandir glob iglob rglob iterdir".split()
)
"""Functions of Python's that look at a file or folder that they are given."""


class Public(set):
    """Texts and numbers that are published anyway, and every way to write one of ``paths``."""

    def __init__(self, texts, paths):
        set.__init__(self, texts)
        self.paths = paths

    def __contains__(self, one):
        if set.__contains__(self, one):
            return True
        if type(one) is not str or os.sep not in one or "\0" in one:
            return False
        return os.path.abspath(one) in self.paths


class Sources(object):
    """Finds sources while a rehearsal runs and notes them. settings: see `_prov_rehearse`."""

    def __init__(self, settings, tape):
        self.tape = tape
        self.files = frozenset(os.path.abspath(one) for one in settings.get("data", ()))
        self.folders = frozenset(_above(self.files))
        self.refused = frozenset()
        if settings.get("feed") is not None:  # what is fed stands for the data
            self.refused = frozenset(one for one in self.files if os.path.exists(one))
        self.public = Public(settings.get("argv", ()), self.files | self.folders)
        self.keep = settings.get("keep", False)
        self.watching = bool(self.files)
        self.room = MOST_KEPT
        self.noted = 0
        self.unclaimed = 0
        self.opener = None
        self.handles = {}
        self.loops = {}
        for path in self.files | self.folders:
            name = os.path.basename(path)
            self.public.update((name, os.path.splitext(name)[0]))
        if self.watching and hasattr(sys, "addaudithook"):
            sys.addaudithook(self._heard)

    def learn(self, text):
        """Take the texts that stand in a module of the user's own: those are published anyway."""
        if not self.watching:
            return
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return
        for node in ast.walk(tree):
            value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            value = getattr(node, "s", value) if type(node).__name__ == "Str" else value
            value = getattr(node, "n", value) if type(node).__name__ == "Num" else value
            if type(value) in (int, float) or (type(value) is str and len(value) <= LONGEST_NAME):
                self.public.add(value)

    def _heard(self, event, args):
        if event not in ("open", "os.listdir", "os.scandir", "sqlite3.connect") or not args:
            return
        try:
            known = self.is_data(args[0])
            if known:
                self.unclaimed += 1
                self.opener = self._code(sys._getframe(1))
                if self.tape.open:
                    self.tape.open[-1].opened = True
            refused = known and os.path.abspath(os.fsdecode(args[0])) in self.refused
        except Exception:
            return
        if refused:  # by another thread, say, which is not fed
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), args[0])

    def _code(self, frame):
        """Return the code of the user's own that is running in or below ``frame``."""
        while frame is not None and frame.f_globals.get("__name__") not in self.tape.names.OWN:
            frame = frame.f_back
        return None if frame is None else frame.f_code

    def is_data(self, value):
        """Return whether a value is the path of a data file, or of a folder that holds some."""
        if isinstance(value, bytes):
            value = os.fsdecode(value)
        if not isinstance(value, (str, os.PathLike)):
            return False
        text = os.fspath(value)
        if not text or len(text) > 4096 or "\n" in text or "://" in text or "\0" in text:
            return False
        path = os.path.abspath(text)
        if path in self.files or path in self.folders:
            return True
        star = min([path.find(mark) for mark in "*?[" if mark in path] or [-1])
        return star > 0 and os.path.dirname(path[:star]) in self.folders

    def _names_data(self, value, depth=0):
        if type(value) in (list, tuple) and depth < 2:
            return any(self._names_data(one, depth + 1) for one in value[:20])
        if type(value) is dict and depth < 2:
            return any(self._names_data(one, depth + 1) for one in list(value.values())[:20])
        return self.is_data(value)

    def is_handle(self, value):
        """Return whether a source returned this object, and it cannot be made up."""
        known = self.handles.get(id(value))
        if known is None:
            return False
        kind, alive = known
        return kind is type(value) and (alive is None or alive() is value)

    def _handle(self, value):
        import weakref

        if len(self.handles) >= MOST_HANDLES or self.tape.names.is_plain(value):
            return
        if type(value) in (list, tuple):
            for one in value:
                self._handle(one)
            return
        try:
            alive = weakref.ref(value)
        except TypeError:
            alive = None
        self.handles[id(value)] = (type(value), alive)

    # --- what the tape tells -----------------------------------------------------------------

    def returned(self, operation, value):
        """Look at an operation that returns ``value``: note it if it is a source."""
        if not self._is_source(operation, value):
            return
        self.unclaimed = 0
        site = operation.site
        self._put({"source": [site, self.tape.counts[site] - 1]}, value)

    def _is_source(self, operation, value):
        kind = self.tape.sites[operation.site]["kind"]
        if kind in ("text", "store", "iterate"):
            return False
        if kind not in ("call", "method"):
            if kind == "attribute" and callable(value):
                return False
            return any(self.is_handle(one) for one in operation.values)
        callee = operation.callee or "?"
        name = callee.rpartition(".")[2]
        if operation.noted is False and not callee.startswith(("builtins.", "_io.")):
            return False  # the user's own: what it does inside is looked at there
        if callee.startswith("builtins.") and name in _NEVER:
            return False
        return self._reads(operation, kind, callee, name, value)

    def _reads(self, operation, kind, callee, name, value):
        owner = operation.values[0] if kind == "method" and operation.values else None
        if owner is not None and self.is_handle(owner):
            return True
        opened = operation.opened and self.unclaimed
        given = any(self.is_handle(one) for one in operation.values)
        named = any(self._names_data(one) for one in operation.values)
        if named and name in _ABOUT_FILES and value is not None:
            return True
        if not (opened or given or (named and not _is_of_python(callee))):
            return False
        if value is None or (type(value) is str and self.is_data(value)):
            return bool(opened and not _is_object(self.tape.names, owner))
        if isinstance(value, os.PathLike) and not opened:
            return False
        if _is_object(self.tape.names, owner) and not isinstance(owner, (str, os.PathLike)):
            return load("_prov_schemas").described(value) is not None
        return True

    def watched(self, site, iterable, turns):
        """Yield what ``turns`` yields, the items of a loop, and look at them."""
        if type(iterable) in (list, tuple, range, dict, set, str):
            for item in turns:
                yield item
            return
        execution, number = self.tape.cut.loops.get(site, 0), 0
        self.unclaimed, code = 0, self._code(sys._getframe(1))
        try:
            for item in turns:
                if self.opener is not code:
                    self.unclaimed = 0  # opened in a function that the library called, fed there
                self._turn(site, iterable, item, number, execution)
                number += 1
                yield item
                self.unclaimed = 0
        finally:
            self._turned(site, execution, number)

    def _turn(self, site, iterable, item, number, execution):
        opened, self.unclaimed = self.unclaimed, 0
        if not (opened or self.is_handle(iterable)) or self.tape.names.is_plain(iterable):
            return
        if getattr(iterable, "gi_code", None) is not None and not self.is_handle(iterable):
            return  # a generator of the user's own: what it reads is looked at inside
        most = MOST_KEPT_ITEMS if self.keep else MOST_ITEMS
        if number >= most and number & (number - 1):
            return
        self._put({"source": [site, execution], "item": number}, item)

    def _turned(self, site, execution, turns):
        if (site, execution) in self.loops:
            self.tape.put({"source": [site, execution], "turns": turns})

    def _put(self, line, value):
        if self.noted >= MOST_SOURCES:
            return
        self.noted += 1
        if "item" in line:
            self.loops[tuple(line["source"])] = True
        schemas = load("_prov_schemas")
        try:
            known = schemas.names(value, self.public) or schemas.described(value)
        except Exception:
            known = None
        if known is None:
            self._handle(value)
            known = schemas.HANDLE
        elif known["k"] in ("list", "tuple") and schemas.HANDLE in known.get("items", ()):
            for one, part in zip(value, known["items"]):
                if part is schemas.HANDLE:
                    self._handle(one)
        asked = self.tape.sites[line["source"][0]]["text"].rpartition(".")[2]
        if asked not in _SIZES:
            known = load("_prov_schemas_private").private(known, self.public)
        line["schema"] = known
        if self.keep and line["schema"] != schemas.HANDLE:
            self._keep(line, value)
        self.tape.put(line)

    def _keep(self, line, value):
        packed, rows = load("_prov_kept").kept(value)
        if packed is None:
            return
        import json

        size = len(json.dumps(packed))
        if size <= self.room:
            self.room -= size
            line["value"] = packed
            if rows:
                line["rows"] = rows


def _above(files):
    """Yield the folders that hold data. Of those that the script runs in, only the nearest one."""
    here = os.getcwd() + os.sep
    for path in files:
        folder = os.path.dirname(path)
        yield folder
        for _ in range(_LEVELS):
            folder = os.path.dirname(folder)
            if here.startswith(os.path.join(folder, "")) or folder.count(os.sep) < _LEAST_DEPTH:
                break
            yield folder


def _is_object(names, owner):
    return owner is not None and not names.is_module(owner)


def _is_of_python(callee):
    """Return whether a callee is of the standard library: there, opening a file is heard of."""
    if not hasattr(sys, "addaudithook"):
        return callee.startswith(("posixpath.", "pathlib.", "os.", "argparse.", "logging."))
    top = callee.partition(".")[0]
    known = getattr(sys, "stdlib_module_names", None)
    if known is not None:
        return top in known
    path = getattr(sys.modules.get(top), "__file__", None) or ""
    library = os.path.dirname(os.__file__) + os.sep
    return not path or (path.startswith(library) and "-packages" not in path)
