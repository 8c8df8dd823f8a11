"""Files that libraries open in C, C++ or Rust, of which the interpreter knows nothing.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``opened(event, args)`` (as for an audit event) and ``load(name)`` (a file beside this one).
Reading is what matters: what is written is found on the disk afterwards.
"""

import os

opened, load = globals()["opened"], globals()["load"]

READERS = {
    "cv2": (("imread", 0, "filename"),),
    "h5py._hl.files": (("File.__init__", 1, "name"),),
    "pyarrow._csv": (("read_csv", 0, "input_file"), ("open_csv", 0, "input_file")),
    "pyarrow.feather": (("read_table", 0, "source"),),
    "pyarrow.lib": (("memory_map", 0, "path"),),
    "pyarrow.parquet.core": (
        ("ParquetFile.__init__", 1, "source"),
        ("ParquetDataset.__init__", 1, "path_or_paths"),
        ("read_table", 0, "source"),
    ),
    "polars.io.csv.functions": (("read_csv", 0, "source"), ("scan_csv", 0, "source")),
    "polars.io.parquet.functions": (("read_parquet", 0, "source"), ("scan_parquet", 0, "source")),
    "safetensors": (("safe_open", 0, "filename"),),
    "safetensors.numpy": (("load_file", 0, "filename"),),
    "safetensors.torch": (("load_file", 0, "filename"),),
    "soundfile": (("SoundFile.__init__", 1, "file"),),
    "tables.file": (("open_file", 0, "filename"),),
    "torch.jit._serialization": (("load", 0, "f"),),
    "xgboost.core": (("Booster.load_model", 1, "fname"),),
}
"""Module: functions, with the place and the name of the argument that is the path."""
_MODES = {"h5py._hl.files", "soundfile", "tables.file"}
"""Where the next argument, or ``mode``, may ask for writing."""
_MOST = 2000
"""Files of a folder that was named in place of a file."""


def patch(name, module):
    """Replace the readers of ``module``, which has just been imported."""
    for dotted, place, keyword in READERS.get(name, ()):
        owner_name, _, function = dotted.rpartition(".")
        owner = getattr(module, owner_name, None) if owner_name else module
        if owner is not None:
            around = _watching(place, keyword, name in _MODES)
            load("_prov_patches")["replace"](owner, function, around)


def _watching(place, keyword, with_mode):
    def around(original, *args, **kwargs):
        try:
            path = args[place] if len(args) > place else kwargs.get(keyword)
            mode = args[place + 1] if len(args) > place + 1 else kwargs.get("mode")
            _note(path, (mode or "r") if with_mode else "r")
        except Exception:
            pass
        return original(*args, **kwargs)

    return around


def _note(path, mode):
    if isinstance(path, (list, tuple)):
        for one in path[:_MOST]:
            _note(one, mode)
        return
    if not isinstance(path, (str, bytes)) and not hasattr(path, "__fspath__"):
        return
    path = os.fsdecode(path)
    if "://" in path:
        return
    flags = 0
    if isinstance(mode, str) and mode[:1] in "rwax" and mode != "r":
        flags = os.O_RDWR if mode[0] == "r" and "+" in mode else 0
        flags |= os.O_WRONLY | os.O_CREAT if mode[0] != "r" else 0
    if not flags and os.path.isdir(path):
        for file in _below(path):
            opened("open", (file, None, 0))
    else:
        opened("open", (path, None, flags))


def _below(folder):
    count = 0
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            count += 1
            if count > _MOST:
                return
            yield os.path.join(place, name)
