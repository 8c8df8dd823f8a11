"""Files that libraries open in C, C++ or Rust, of which the interpreter knows nothing.

Run by ``sitecustomize`` when the program imports one of these packages, which gives ``opened(event,
args)`` (as for an audit event), ``load(name)`` (a file beside this one) and ``watchers``. Which
functions of which module take paths stands in ``_prov_shims_*``: each has a ``TABLE``, whose
modules are watched from then on, and a ``patch``.

Functions are replaced where they are defined, and types changed in place, so that ``isinstance``
and pickling stay as they were. A type that cannot be changed is left alone.
"""

import os
import sys

opened, load, log = globals()["opened"], globals()["load"], globals()["log"]
watchers = globals()["watchers"]
_patches = load("_prov_patches")
_ours = opened.__globals__["_ours"]

PACKAGES = {
    "_prov_shims_tables": (
        "_duckdb duckdb fastparquet h5py lmdb netCDF4 polars pyarrow tables tensorstore"
    ),
    "_prov_shims_media": "av cv2 decord soundfile torch torchaudio torchvision",
    "_prov_shims_models": (
        "catboost ctranslate2 faiss fasttext kenlm lightgbm llama_cpp onnxruntime safetensors "
        "sentencepiece tokenizers xgboost"
    ),
    "_prov_shims_tf": "flax keras orbax tensorflow",
}
"""Files beside this one, and the packages of whose modules they know."""

_MOST = 20000
"""Files of a folder that was named in place of a file."""
_READ = 0
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_EITHER = os.O_RDWR | os.O_CREAT
"""Whether it is read or written shows at the end: by whether it has changed."""
_folders = set()
_expected = set()


def expect(name):
    """Watch the modules of the package ``name``, which is about to be imported."""
    if name in _expected:
        return
    _expected.add(name)
    for file, packages in PACKAGES.items():
        if name in packages.split():
            for module in load(file)["TABLE"]:
                if module.partition(".")[0] == name:
                    watchers.setdefault(module, []).append(file)


def patch(name, _):
    """See to what was imported before it could be expected."""
    if name not in _expected:
        expect(name)
        for known in [one for one in watchers if one == name or one.startswith(name + ".")]:
            if known in sys.modules:
                _patches["patch"](known, sys.modules[known])


def leave():
    """Ask the files beside this one that have something to say at the end."""
    for name in ("flax", "keras", "orbax", "tensorflow"):
        if name in _expected:
            load("_prov_shims_tf")["leave"]()
            return


def install(table, name, module):
    """Replace what ``table`` says of ``module``, which has just been imported.

    table: module to lines of ``dotted.function place keyword how``. place: of the path among the
    positional arguments ("-" where there is none). how: ``read``; ``tree`` (reads, of a folder all
    that is in it); ``write``; ``mode`` (the next argument, or ``mode``, tells); ``either``.
    """
    for line in table.get(name, "").strip().splitlines():
        dotted, place, keyword, how = line.split()
        owner_name, _, function = dotted.rpartition(".")
        owner = module
        for part in owner_name.split(".") if owner_name else ():
            owner = getattr(owner, part, None)
        if owner is not None:
            try:
                wrap(owner, function, watching(place, keyword, how))
            except (TypeError, AttributeError):
                continue  # a type of C that cannot be changed


def watching(place, keyword, how):
    """Return the wrapper of one function; see `install`."""
    at = 1000 if place == "-" else int(place)
    if how == "mode":

        def around(original, *args, **kwargs):
            try:
                mode = args[at + 1] if len(args) > at + 1 else kwargs.get("mode")
                note(args[at] if len(args) > at else kwargs.get(keyword), flags(mode))
            except Exception as error:
                if not _ours(error):
                    raise
            return original(*args, **kwargs)

    elif how == "read":

        def around(original, *args, **kwargs):
            path = args[at] if len(args) > at else kwargs.get(keyword)
            try:
                if path.__class__ is str and path and "://" not in path:
                    opened("open", (path, None, 0))
                else:
                    note(path, 0)
            except Exception as error:
                if not _ours(error):
                    raise
            return original(*args, **kwargs)

    elif how == "either":

        def around(original, *args, **kwargs):
            try:
                path = args[at] if len(args) > at else kwargs.get(keyword)
                if os.path.exists(path) or _may_write(user_frame()):
                    note(path, _EITHER)
            except Exception as error:
                if not _ours(error):
                    raise
            return original(*args, **kwargs)

    else:
        wanted = {"write": _WRITE, "tree": _READ}[how]

        def around(original, *args, **kwargs):
            try:
                note(args[at] if len(args) > at else kwargs.get(keyword), wanted, how == "tree")
            except Exception as error:
                if not _ours(error):
                    raise
            return original(*args, **kwargs)

    return around


def _may_write(frame):
    """Return whether a caller's code has the letters of a mode of writing."""
    modes = ("w", "wb", "a", "ab", "x", "xb", "w+", "w+b", "wb+", "r+", "r+b", "rb+")
    return frame is not None and any(
        one.__class__ is str and one in modes for one in frame.f_code.co_consts
    )


def wrap(owner, name, around):
    """Put ``around(original, ...)`` in the place of a function of a module or type.

    Raises TypeError for a type that cannot be changed.
    """
    raw = vars(owner).get(name) if isinstance(owner, type) else None
    original = getattr(owner, name, None)
    if original is None or hasattr(original, "_prov_original"):
        return
    if isinstance(owner, type) and original is object.__init__:
        # Made by __new__ alone; an __init__ may then do nothing, whatever it is given.
        setattr(owner, name, _patches["hidden"](_nothing, around))
    elif isinstance(raw, (classmethod, _OF_CLASS)):

        def call(_, kind, *args, **kwargs):
            return around(raw.__get__(None, kind), *args, **kwargs)

        setattr(owner, name, classmethod(_patches["hidden"](original, call)))
    elif isinstance(owner, type) and (isinstance(raw, staticmethod) or _is_static(raw)):
        setattr(owner, name, staticmethod(_patches["hidden"](original, around)))
    elif isinstance(owner, type) or hasattr(type(original), "__get__"):
        setattr(owner, name, _patches["hidden"](original, around))
    else:
        setattr(owner, name, _Unbound(_patches["hidden"](original, around), original))


_OF_CLASS = type(dict.__dict__["fromkeys"])


def _is_static(raw):
    return raw is not None and not hasattr(type(raw), "__get__")


def _nothing(*args, **kwargs):
    """Stand for ``object.__init__``."""


class _Unbound(object):
    """In the place of a function of C: as such, it stays what it is as an attribute of a class."""

    def __init__(self, function, original):
        self._function = function
        for name in ("__module__", "__name__", "__qualname__", "__doc__", "__self__"):
            if hasattr(original, name):
                setattr(self, name, getattr(original, name))
        self.__text_signature__ = getattr(original, "__text_signature__", None)
        self.__wrapped__ = original
        self._prov_original = True

    def __call__(self, *args, **kwargs):
        return self._function(*args, **kwargs)

    def __reduce__(self):
        return self.__name__

    def __repr__(self):
        return repr(self.__wrapped__)


_patches["_hide"](_Unbound.__call__)


def flags(mode):
    """Return how a file is opened for a mode of h5py's, netCDF's or the builtin's letters."""
    if not isinstance(mode, str) or mode[:1] not in ("r", "w", "a", "x") or mode in ("r", "rb"):
        return _READ
    return os.O_RDWR if mode[0] == "r" and "+" in mode else _EITHER if mode[0] == "a" else _WRITE


def note(path, how, tree=True):
    """Take note of a path, or of several; nothing where it is no path or one elsewhere.

    how: flags of an open. tree: whether a folder stands for all in it.
    """
    if isinstance(path, (list, tuple)):
        for one in path[:_MOST]:
            note(one, how, tree)
        return
    if not isinstance(path, (str, bytes)) and not hasattr(path, "__fspath__"):
        return
    path = os.fsdecode(path)
    if path.startswith("file:"):
        path = path[7:] if path.startswith("file://") else path[5:]
    if not path or "\0" in path:
        return
    if "://" in path:
        if how == _READ:
            load("_prov_remote")["named"](path)
        return
    if how == _READ and tree and os.path.isdir(path):
        read_below(path)
    else:
        opened("open", (path, None, how))


def read_below(folder):
    """Take note of all files in a folder, once."""
    folder = os.path.abspath(folder)
    if folder in _folders:
        return
    _folders.add(folder)
    count = 0
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            opened("open", (os.path.join(place, name), None, 0))


def user_frame():
    """Return the frame that called a replaced function."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("log") is log:
        frame = frame.f_back
    return frame
