"""What TensorFlow, Keras and Orbax open in C++, seen at their Python functions.

Run by ``sitecustomize``; see `_prov_shims`, which also explains the lines below. Paths come as
text, bytes, or tensors of either. Inside a graph a path has no value yet: there, what the data
sets were made of (lists of names, patterns) is taken for read as soon as the graph is seen to read
files.
"""

import glob
import os
import time

load, opened = globals()["load"], globals()["opened"]
_shims = load("_prov_shims")

TABLE = {
    "tensorflow.python.saved_model.load": "load_partial 0 export_dir tree",
    "orbax.checkpoint._src.checkpointers.checkpointer": "Checkpointer.restore 1 directory tree",
    "orbax.checkpoint.checkpointer": "Checkpointer.restore 1 directory tree",
    "flax.training.checkpoints": "restore_checkpoint 0 ckpt_dir tree",
    "tensorflow.python.lib.io._pywrap_file_io": "",
    "tensorflow.python.lib.io._pywrap_record_io": "",
    "tensorflow.python.data.ops.readers": "",
    "tensorflow.python.data.ops.dataset_ops": "",
    "tensorflow.python.ops.gen_io_ops": "",
    "tensorflow.python.ops.gen_summary_ops": "",
    "tensorflow.python.checkpoint.functional_saver": "",
    "tensorflow.python.training.py_checkpoint_reader": "",
}
"""Module to its functions that are like those of other libraries; for the others see the end."""

_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_MOST = 20000
"""Names that are kept of the data sets that were made, until a graph reads files."""
_state = {"reads": False}
_named, _logs = [], {}


def patch(name, module):
    """Replace what is known of ``module``, which has just been imported."""
    last = name.rpartition(".")[2]
    _shims["install"](TABLE, name, module)
    for dotted, around in _WRAPPED.get(last, ()):
        owner_name, _, function = dotted.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        if owner is not None and hasattr(owner, function):
            try:
                _shims["wrap"](owner, function, around)
            except (TypeError, AttributeError):
                continue


def leave():
    """Take note of the event files that summary writers made, whose names only they know."""
    for folder, since in _logs.items():
        for path in glob.glob(os.path.join(glob.escape(folder), "events.out.tfevents.*"))[:100]:
            try:
                if os.stat(path).st_mtime >= since - 1:
                    opened("open", (path, None, _WRITE))
            except OSError:
                continue


def paths(value, depth=0):
    """Return the paths in text, bytes, lists, arrays or tensors; None where it has no value yet."""
    if isinstance(value, (list, tuple)) and depth < 2:
        found = []
        for one in value[:_MOST]:
            found += paths(one, depth + 1) or []
        return found
    if isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        return [os.fsdecode(value)]
    if not hasattr(value, "dtype") or getattr(value.dtype, "name", value.dtype) not in _TEXTS:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        return paths(value.ravel()[:_MOST].tolist(), depth + 1) if kind in ("U", "S", "O") else []
    try:
        value = value.numpy()
    except Exception:
        return None
    value = value.ravel()[:_MOST].tolist() if hasattr(value, "ravel") else value
    return paths(value, depth + 1) if depth < 3 else []


_TEXTS = ("string",)


def _reading(place, keyword, expand=lambda path: (path,)):
    """Return a wrapper of what reads files; see the head of this file on graphs."""

    def around(original, *args, **kwargs):
        try:
            found = paths(args[place] if len(args) > place else kwargs.get(keyword))
            if found is None:
                _state["reads"] = True
                _tell(_named)
                del _named[:]
            else:
                _tell([path for one in found for path in expand(one)])
        except Exception:
            pass
        return original(*args, **kwargs)

    return around


def _tell(names):
    for path in names:
        if "://" in path:
            load("_prov_remote")["named"](path)
        else:
            opened("open", (path, None, 0))


def _writing(place, keyword, suffix=""):
    def around(original, *args, **kwargs):
        try:
            for path in paths(args[place] if len(args) > place else kwargs.get(keyword)) or ():
                if "://" not in path:
                    opened("open", (path + suffix, None, _WRITE))
        except Exception:
            pass
        return original(*args, **kwargs)

    return around


def _prefixed(prefix):
    """Return the files of a checkpoint of TensorFlow."""
    return [prefix + ".index", *sorted(glob.glob(glob.escape(prefix) + ".data-*"))]


def _naming(original, *args, **kwargs):
    """Keep what the elements of a data set name, if it is files: its graph may read them."""
    try:
        value = args[0] if args else kwargs.get("tensors")
        for one in value if isinstance(value, tuple) else (value,):
            found = paths(one) or []
            if found and os.path.isfile(found[0]):
                _candidates(found)
    except Exception:
        pass
    return original(*args, **kwargs)


def _listing(original, *args, **kwargs):
    try:
        for pattern in paths(args[0] if args else kwargs.get("file_pattern")) or ():
            _candidates(sorted(glob.glob(pattern)))
    except Exception:
        pass
    return original(*args, **kwargs)


def _candidates(found):
    if _state["reads"]:
        _tell(found)
    else:
        _named.extend(os.path.abspath(path) for path in found[: _MOST - len(_named)])


def _summary(original, *args, **kwargs):
    try:
        for folder in paths(args[1] if len(args) > 1 else kwargs.get("logdir")) or ():
            if len(_logs) < 100:
                _logs.setdefault(os.path.abspath(folder), time.time())
    except Exception:
        pass
    return original(*args, **kwargs)


def _stream(original, *args, **kwargs):
    try:
        mode = os.fsdecode(args[2]) if len(args) > 2 else "w"
        _shims["note"](args[1], _shims["flags"](mode), False)
    except Exception:
        pass
    return original(*args, **kwargs)


def _copying(original, *args, **kwargs):
    try:
        _shims["note"](args[0], 0, False)
        _shims["note"](args[1], _WRITE, False)
    except Exception:
        pass
    return original(*args, **kwargs)


def _renaming(original, *args, **kwargs):
    try:
        opened("os.rename", (os.fsdecode(args[0]), os.fsdecode(args[1]), -1, -1))
    except Exception:
        pass
    return original(*args, **kwargs)


def _removing(original, *args, **kwargs):
    try:
        opened("os.remove", (os.fsdecode(args[0]), -1))
    except Exception:
        pass
    return original(*args, **kwargs)


_SOURCES = "TextLineDatasetV2 TFRecordDatasetV2 FixedLengthRecordDatasetV2".split()
_WRAPPED = {
    "_pywrap_file_io": (
        ("BufferedInputStream.__init__", _reading(1, "filename")),
        ("WritableFile.__init__", _stream),
        ("CopyFile", _copying),
        ("RenameFile", _renaming),
        ("DeleteFile", _removing),
    ),
    "_pywrap_record_io": (
        ("RecordWriter.__init__", _writing(1, "path")),
        ("RecordIterator.__init__", _reading(1, "path")),
        ("RandomRecordReader.__init__", _reading(1, "path")),
    ),
    "readers": tuple((kind + ".__init__", _reading(1, "filenames")) for kind in _SOURCES),
    "dataset_ops": (
        ("DatasetV2.from_tensor_slices", _naming),
        ("DatasetV2.list_files", _listing),
        ("DatasetV2.load", _shims["watching"]("0", "path", "tree")),
    ),
    "gen_io_ops": (
        ("read_file", _reading(0, "filename")),
        ("write_file", _writing(0, "filename")),
        ("restore_v2", _reading(0, "prefix", _prefixed)),
        ("save_v2", _writing(0, "prefix", ".index")),
    ),
    "gen_summary_ops": (("create_summary_file_writer", _summary),),
    "functional_saver": (
        ("MultiDeviceSaver.restore", _reading(1, "file_prefix", _prefixed)),
        ("MultiDeviceSaver.save", _writing(1, "file_prefix", ".index")),
    ),
    "py_checkpoint_reader": (("NewCheckpointReader", _reading(0, "filepattern", _prefixed)),),
}
"""Last part of a module's name to its functions."""
