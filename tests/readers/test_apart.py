"""HDF5, Keras, parquet and feather, and what happens when their libraries do not survive."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provenance.readers import apart, hdf5
from provenance.readers._bytes import open_store
from provenance.readers.archives import open_archive
from provenance.readers.model import Unreadable
from provenance.readers.tables import open_table
from tests.readers import recipes
from tests.readers.test_arrays import holds, put

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyarrow")


def test_hdf5_gives_what_h5py_gives(tmp_path: Path) -> None:
    archive = open_archive(put(tmp_path, "a.h5", recipes.hdf5()))
    for name in ("matrix", "big_endian", "flags", "scalar", "empty", "bytes"):
        holds(archive.tensors["group/" + name], recipes.ARRAYS[name])
    holds(archive.tensors["packed"], recipes.ARRAYS["fortran"])
    holds(archive.tensors["records/y"], recipes.RECORDS["y"])
    assert archive.values == {"@layers": ["a", "b"], "group@epoch": 3, "names": ["one", "two"]}
    assert archive.notes == ()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_keras_model(tmp_path: Path, packing: int) -> None:
    archive = open_archive(put(tmp_path, "a.keras", recipes.keras(packing)))
    assert archive.kind == "keras"
    assert archive.values["config.json"] == {"class_name": "Sequential"}
    holds(archive.tensors["group/matrix"], recipes.ARRAYS["matrix"])
    holds(archive.tensors["packed"], recipes.ARRAYS["fortran"])


def test_matlab_since_7_3_and_before(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = np.arange(6.0).reshape(2, 3)
    with open(path, "r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file")
    archive = open_archive(str(path))
    holds(archive.tensors["x"], np.arange(6.0).reshape(2, 3))
    assert "reverse order" in archive.notes[0]
    with pytest.raises(Unreadable, match=r"before 7\.3"):
        open_archive(put(tmp_path, "old.mat", b"MATLAB 5.0 MAT-file" + bytes(500)))


def test_nothing_outside_of_the_file_is_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.arange(4)
    raw = tmp_path / "secret.raw"
    raw.write_bytes(bytes(32))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink(str(secret), "/x")
        file["soft"] = h5py.SoftLink("/own")
        file["own"] = np.arange(3)
        file["loop"] = file["/"]
        layout = h5py.VirtualLayout((4,), "i8")
        layout[:] = h5py.VirtualSource(str(secret), "x", shape=(4,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("raw", (4,), "i8", external=[(str(raw), 0, 32)])
    archive = open_archive(str(tmp_path / "a.h5"))
    assert list(archive.tensors) == ["own"]
    assert sorted(note.split(" ", 1)[0] for note in archive.notes) == [
        "link",
        "raw",
        "soft",
        "virtual",
    ]


@pytest.mark.parametrize("write", [recipes.parquet, recipes.feather])
@pytest.mark.parametrize("most", [1, 2, 100])
def test_tables_of_arrow(tmp_path: Path, write: Any, most: int) -> None:
    table = open_table(put(tmp_path, "copy", write()))
    assert table.rows == 3
    assert dict(table.columns) == {
        "id": "int64",
        "x": "float64",
        "name": "text",
        "flag": "bool",
        "gap": "int64",
        "when": "timestamp[us]",
        "list": "json",
        "kind": "text",
    }
    read: dict[str, list[Any]] = {name: [] for name in table.columns}
    for batch in table.batches(most):
        for name, column in batch.items():
            read[name].extend(column)
            assert len(column) <= most
    assert read["id"] == [1, 2, 3]
    assert np.array_equal(read["x"], [1.5, np.nan, 3.0], equal_nan=True)
    assert read["name"] == ["a", None, "c"]
    assert read["gap"] == [1, None, 3]
    assert read["list"] == [[1], [2, 3], None]
    assert read["kind"] == ["p", "q", "p"]
    assert read["when"][0] == "2020-01-01 00:00:00"


def child(tmp_path: Path, monkeypatch: Any, body: str) -> apart.Apart:
    """Return a process apart that does something bad."""
    code = "import json, os, sys, time\nsys.path[:] = json.loads(sys.argv[1])\n" + body
    monkeypatch.setattr(apart, "_START", code)
    return apart.Apart(open_store(put(tmp_path, "a.h5", b"x")).all(), "_hdf5_child", "HDF5")


def test_a_crash_is_one_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    broken = child(tmp_path, monkeypatch, "sys.stdin.readline(); os.kill(os.getpid(), 11)")
    with pytest.raises(Unreadable, match=r"^is not readable as HDF5: the library crashed on it$"):
        broken.ask({"list": True})


def test_a_hang_is_one_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(apart, "PATIENCE_S", 0.2)
    slow = child(tmp_path, monkeypatch, "time.sleep(600)")
    with pytest.raises(Unreadable, match="did not finish"):
        slow.ask({"list": True})
    assert not slow.close.alive, "the process is left running"


def test_too_much_memory_is_one_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    body = (
        "from provenance.readers import _child\n"
        "_child.serve('HDF5', lambda fd: lambda asked: (bytearray(8 << 30), b''))"
    )
    greedy = child(tmp_path, monkeypatch, body)
    with pytest.raises(Unreadable, match="asks for too much memory"):
        greedy.ask({"list": True})


def test_modules_in_the_current_folder_are_not_imported(tmp_path: Path, monkeypatch: Any) -> None:
    for name in ("h5py", "json", "numpy"):
        (tmp_path / (name + ".py")).write_text("open('trace', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", str(tmp_path), *os.sys.path])  # type: ignore[attr-defined]
    path = put(tmp_path, "a.h5", recipes.hdf5())
    assert hdf5.read(open_store(path).all()).tensors
    assert not (tmp_path / "trace").exists()


def test_the_process_ends_with_its_archive(tmp_path: Path) -> None:
    mine = "/proc/%d/task/%d/children" % (os.getpid(), os.getpid())
    others = set(Path(mine).read_text().split())
    archive = open_archive(put(tmp_path, "a.h5", recipes.hdf5()))
    packed = archive.tensors["packed"]
    before = set(Path(mine).read_text().split()) - others
    assert before
    chunks = packed.chunks(7)
    next(chunks)
    del archive, packed, chunks
    until = time.monotonic() + 10
    while before & set(Path(mine).read_text().split()) and time.monotonic() < until:
        time.sleep(0.01)
    assert not before & set(Path(mine).read_text().split())
