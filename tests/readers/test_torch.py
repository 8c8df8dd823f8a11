"""Checkpoints that torch 1.1 to 2.13 wrote are read as torch reads them, without torch."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provenance.readers.archives import open_archive
from provenance.readers.model import Unreadable
from tests.readers.recipes import FILES
from tests.readers.test_arrays import holds

CHECKPOINTS = sorted(path.name for path in FILES.glob("torch-*.pt"))
GRID = np.arange(24.0, dtype=np.float32).reshape(4, 6)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_tensor_of_a_checkpoint(name: str) -> None:
    archive = open_archive(str(FILES / name))
    found = archive.tensors
    assert archive.kind == "torch"
    assert archive.notes == ()
    holds(found["model.fc.weight"], np.arange(6, dtype=np.float32).reshape(2, 3))
    holds(found["views.t"], GRID.T)
    holds(found["views.row"], GRID[1])
    holds(found["views.column"], GRID[:, 2])
    holds(found["views.step"], GRID[::2, ::3])
    holds(found["shared.1"], GRID)
    holds(found["expanded"], np.ones((3, 4)))
    holds(found["half"], np.array([1.5, -2.0]))
    holds(found["count"], np.array(7))
    holds(found["empty"], np.zeros((0, 3)))
    holds(found["parameter"], np.array([1.0, 2.0]))
    assert found["optimizer.state.0.exp_avg" if "2.13" in name else "half"].size
    assert archive.values["epoch"] == 3
    assert archive.values["args.layers"] == [1, 2]
    assert archive.values["args.seed"] is None
    assert archive.values["optimizer.param_groups.0.lr"] == 0.25


@pytest.mark.parametrize("name", ["torch-2.13.0.pt", "torch-2.13.0-legacy.pt"])
def test_types_that_numpy_does_not_have(name: str) -> None:
    found = open_archive(str(FILES / name)).tensors
    for kind in ("bfloat16", "float8_e4m3fn"):
        assert found[kind].dtype == kind
        assert found[kind].load().tolist() == [1.5, -2.0, 0.0, 448.0]
    assert found["float8_e5m2"].load().tolist() == [1.5, -2.0, 0.0, 448.0]
    assert found["bool"].load().tolist() == [True, True, False, True]
    assert found["complex64"].load().tolist() == [1.5, -2.0, 0.0, 448.0]


@pytest.mark.parametrize("version", ["1.6.0", "2.13.0"])
def test_a_whole_module_has_the_names_of_its_state_dict(version: str) -> None:
    module = open_archive(str(FILES / ("module-%s.pt" % version)))
    beside = open_archive(str(FILES / ("torch-%s.pt" % version)))
    names = [n.partition(".")[2] for n in beside.tensors if n.startswith("model.")]
    assert list(module.tensors) == names
    assert module.values["fc.in_features"] == 3
    assert module.values["fc.__class__"] == "torch.nn.modules.linear.Linear"


def test_a_copy_without_a_name_is_known_by_its_content(tmp_path: Path) -> None:
    for name in CHECKPOINTS:
        shutil.copy(FILES / name, tmp_path / "5f3a")
        assert open_archive(str(tmp_path / "5f3a"), name).kind == "torch"


class Named:
    """A global of torch, as its pickles name it."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes what torch would write."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Named):
            self.write(pickle.GLOBAL + ("%s\n%s\n" % (obj.module, obj.name)).encode())
        elif isinstance(obj, list) and obj[:1] == ["pid"]:
            self.save(obj[1])
            self.write(pickle.BINPERSID)
        elif isinstance(obj, list) and obj[:1] == ["call"]:
            self.save(obj[1])
            self.save(tuple(obj[2:]))
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def checkpoint(path: Path, node: Any, storage: bytes) -> str:
    """Write a checkpoint of one storage whose pickle says whatever it likes."""
    import io
    import zipfile

    stream = io.BytesIO()
    Pickler(stream, 2).dump(node)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", stream.getvalue())
        archive.writestr("a/data/0", storage)
    return str(path)


def tensor(offset: Any, shape: Any, strides: Any, kind: str = "FloatStorage") -> Any:
    storage = ["pid", ("storage", Named("torch", kind), "0", "cpu", 4)]
    rebuild = Named("torch._utils", "_rebuild_tensor_v2")
    return ["call", rebuild, storage, offset, shape, strides, False]


@pytest.mark.parametrize(
    "node",
    [
        tensor(0, (5,), (1,)),
        tensor(4, (1,), (1,)),
        tensor(1 << 60, (1,), (1,)),
        tensor(0, (1 << 59, 1 << 59), (1, 1)),
        tensor(0, (2, 2), (1 << 40, 1)),
        tensor(0, (1 << 40,), (0,)),
        tensor(0, (-1,), (1,)),
        tensor(-1, (1,), (1,)),
        tensor(0, (1,), (1, 1)),
        tensor(0, "x", (1,)),
        tensor(0, (1,) * 100, (1,) * 100),
        tensor(0, (1,), (1,), "TeapotStorage"),
    ],
)
def test_a_view_that_leaves_its_storage_is_refused(tmp_path: Path, node: Any) -> None:
    path = checkpoint(tmp_path / "a.pt", {"w": node}, bytes(16))
    told = ""
    try:
        archive = open_archive(path)
    except Unreadable as reason:
        told = str(reason)
    else:
        assert not archive.tensors
        told = archive.notes[0]
    assert told.startswith(("w was not read: it has", "is cut short"))


def test_a_sparse_tensor_is_told_as_its_parts(tmp_path: Path) -> None:
    """As torch 2.13 writes ``torch.eye(2).to_sparse()``."""
    layout = ["call", Named("torch.serialization", "_get_layout"), "torch.sparse_coo"]
    size = ["call", Named("torch", "Size"), (2, 2)]
    rebuild = Named("torch._utils", "_rebuild_sparse_tensor")
    parts = (tensor(0, (2, 2), (2, 1)), tensor(0, (2,), (1,)), size, True)
    path = checkpoint(tmp_path / "a.pt", {"eye": ["call", rebuild, layout, parts]}, bytes(16))
    archive = open_archive(path)
    assert {name: one.shape for name, one in archive.tensors.items()} == {
        "eye.indices": (2, 2),
        "eye.values": (2,),
    }
    assert archive.values == {
        "eye.layout": "torch.sparse_coo",
        "eye.size": [2, 2],
        "eye.is_coalesced": True,
    }


def test_a_class_with_its_source_beside_it(tmp_path: Path) -> None:
    """As torch before 1.6 wrote a module: the class is a persistent thing."""
    cls = ["pid", ("module", Named("models", "Net"), "models.py", "class Net: pass")]
    path = checkpoint(tmp_path / "a.pt", {"net": ["call", cls, 3]}, b"")
    assert open_archive(path).values["net.__class__"] == "models.Net"
