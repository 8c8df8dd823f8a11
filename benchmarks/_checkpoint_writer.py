"""A checkpoint as ``torch.save`` writes it, without torch: for benchmarks and for tests.

Only what is needed for a dict of float32 tensors: the same members, the same calls in the pickle.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class _Named:
    """Stands for a global of torch: pickled by its name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Tensor:
    def __init__(self, key: str, array: Any, transposed: bool) -> None:
        self.key, self.array, self.transposed = key, array, transposed


class _Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes globals by name, and tensors as torch does."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Named):
            self.write(pickle.GLOBAL + ("%s\n%s\n" % (obj.module, obj.name)).encode())
        elif isinstance(obj, _Tensor):
            self._tensor(obj)
        else:
            super().save(obj, save_persistent_id)

    def _tensor(self, one: _Tensor) -> None:
        size = one.array.size
        shape = one.array.shape
        steps = [1]
        for length in reversed(shape[1:]):
            steps.insert(0, steps[0] * length)
        if one.transposed:
            shape, steps = shape[::-1], steps[::-1]
        self.save(_Named("torch._utils", "_rebuild_tensor_v2"))
        self.write(pickle.MARK)
        self.save(("storage", _Named("torch", "FloatStorage"), one.key, "cpu", size))
        self.write(pickle.BINPERSID)
        for part in (0, tuple(shape), tuple(steps), False):
            self.save(part)
        self.save(_Named("collections", "OrderedDict"))
        self.write(pickle.EMPTY_TUPLE + pickle.REDUCE + pickle.TUPLE + pickle.REDUCE)


def save(path: Path, arrays: Mapping[str, Any], transposed: bool = False) -> None:
    """Write ``arrays`` of float32 to ``path``; ``transposed``: as views of their transposes."""
    content = io.BytesIO()
    found = {
        name: _Tensor(str(number), array, transposed and array.ndim > 1)
        for number, (name, array) in enumerate(arrays.items())
    }
    _Pickler(content, 2).dump(found)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", content.getvalue())
        for one in found.values():
            archive.writestr("archive/data/" + one.key, memoryview(one.array).cast("B"))
        archive.writestr("archive/version", b"3\n")
