"""npy, npz and safetensors give what numpy and safetensors give, in pieces and as a whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from provenance.readers.archives import open_archive
from provenance.readers.model import Archive, Tensor, Unreadable
from provenance.readers.names import is_archive
from tests.readers import recipes


def put(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def holds(one: Tensor, expected: Any) -> None:
    """Assert that a tensor is ``expected``, however it is read."""
    expected = np.asarray(expected)
    equal_nan = expected.dtype.kind in "fcmM"
    assert one.shape == expected.shape
    assert one.size == expected.size
    assert np.array_equal(one.load(), expected, equal_nan=equal_nan)
    for most in (1, 2, 7, 1000):
        chunks = list(one.chunks(most))
        assert all(len(chunk) == most for chunk in chunks[:-1])
        assert sum(map(len, chunks)) == expected.size
        if chunks:
            whole = np.concatenate(chunks)
            assert np.array_equal(whole, expected.ravel(), equal_nan=equal_nan)


@pytest.mark.parametrize("packed", [False, True])
def test_npz_gives_what_numpy_gives(tmp_path: Path, packed: bool) -> None:
    archive = open_archive(put(tmp_path, "a.npz", recipes.npz(packed)))
    for name, array in recipes.ARRAYS.items():
        holds(archive.tensors[name], array)
    assert archive.kind == "npz"
    assert archive.tensors["big_endian"].dtype == "int32"
    assert archive.tensors["text"].dtype == "U4"
    assert archive.tensors["days"].dtype == "datetime64[D]"
    records = recipes.RECORDS
    holds(archive.tensors["records/m"], records["m"])
    holds(archive.tensors["records/y"], records["y"])
    holds(archive.tensors["records/in/b"], records["in"]["b"])
    holds(archive.tensors["records/in/s"], records["in"]["s"])


def test_arrays_of_objects_are_named_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, plain=np.arange(3), objects=np.array([{}, 1], object))
    archive = open_archive(str(path))
    assert list(archive.tensors) == ["plain"]
    assert archive.notes == ("objects holds Python objects (a pickle) and was not read",)


@given(array=hnp.arrays(hnp.array_dtypes() | hnp.scalar_dtypes(), hnp.array_shapes(min_side=0)))
def test_any_array_of_numpy_is_read_as_it_was(array: Any, tmp_path_factory: Any) -> None:
    path = put(tmp_path_factory.mktemp("npy"), "a.npy", recipes.npy(array))
    found = open_archive(path).tensors
    if array.dtype.names is None:
        assert found[""].load().tobytes() == np.ascontiguousarray(array).tobytes() or (
            np.array_equal(found[""].load(), array, equal_nan=array.dtype.kind in "fcmM")
        )
    else:
        assert all(one.shape[: array.ndim] == array.shape for one in found.values())


def test_safetensors_and_their_metadata(tmp_path: Path) -> None:
    archive = open_archive(put(tmp_path, "blob", recipes.safetensors()))
    assert archive.kind == "safetensors"
    assert archive.values == {"format": "np"}
    for name in ("matrix", "flags", "empty", "half"):
        holds(archive.tensors[name], recipes.ARRAYS[name])


def header(said: Any, data: bytes = b"") -> bytes:
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_types_that_numpy_does_not_have(tmp_path: Path) -> None:
    said = {
        "b": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]},
        "e4": {"dtype": "F8_E4M3", "shape": [5], "data_offsets": [6, 11]},
        "e5": {"dtype": "F8_E5M2", "shape": [5], "data_offsets": [11, 16]},
        "e8": {"dtype": "F8_E8M0", "shape": [3], "data_offsets": [16, 19]},
        "f4": {"dtype": "F4", "shape": [3], "data_offsets": [19, 21]},
    }
    data = bytes.fromhex("c03f 00c0 807f  38 7e b8 7f 01  3c 7b 7c 7d 01  7f 80 ff  21 03")
    archive = open_archive(put(tmp_path, "a.safetensors", header(said, data)))
    read = {name: one.load().tolist() for name, one in archive.tensors.items()}
    assert read["b"] == [1.5, -2.0, np.inf]
    assert read["e4"][:3] == [1.0, 448.0, -1.0]
    assert np.isnan(read["e4"][3])
    assert read["e4"][4] == 2.0**-9
    assert read["e5"][:3] == [1.0, 57344.0, np.inf]
    assert np.isnan(read["e5"][3])
    assert read["e5"][4] == 2.0**-16
    assert read["e8"][:2] == [1.0, 2.0]
    assert np.isnan(read["e8"][2])
    assert archive.tensors["b"].dtype == "bfloat16"
    assert archive.notes == ("f4 has elements of less than a byte: told as bytes",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        ((1 << 62).to_bytes(8, "little") + b"{}", "no whole header"),
        (header(b"[1]"), "not a JSON object"),
        (header(b"{" * 5000), "it is not valid"),
        (header(b'{"a":' * 100_000), "nested too deep|not valid"),
        (header(b'{"a": {}, "a": {}}'), "a name comes twice"),
        (header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), "cut short"),
        (header({"a": {"dtype": "F32", "shape": [1 << 62], "data_offsets": [0, 8]}}), "no sense"),
        (header({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8)), "size"),
        (
            header({"a": {"dtype": "X", "shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
            "not known",
        ),
        (header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, bytes(8)), "sense"),
        (
            header(
                {
                    "a": {"dtype": "U8", "shape": [5], "data_offsets": [0, 5]},
                    "b": {"dtype": "U8", "shape": [5], "data_offsets": [3, 8]},
                },
                bytes(8),
            ),
            "overlap",
        ),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        open_archive(put(tmp_path, "a.safetensors", content))


def sharded(folder: Path, second: str = "two.safetensors") -> Archive:
    from safetensors.numpy import save_file

    save_file({"a": np.arange(3)}, folder / "one.safetensors")
    save_file({"b": np.arange(4.0)}, folder / "two.safetensors")
    said = {"metadata": {"total_size": 56}, "weight_map": {"a": "one.safetensors", "b": second}}
    return open_archive(put(folder, "m.safetensors.index.json", json.dumps(said).encode()))


def test_shards_are_one_archive(tmp_path: Path) -> None:
    archive = sharded(tmp_path)
    assert [one.load().tolist() for one in archive.tensors.values()] == [[0, 1, 2], [0, 1, 2, 3]]
    assert archive.values == {}


@pytest.mark.parametrize("name", ["../two.safetensors", "/etc/passwd", "", "gone.safetensors"])
def test_shards_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable, match=r"outside of its folder|names the shard gone"):
        sharded(tmp_path, name)


def test_what_is_known_by_its_name() -> None:
    assert is_archive("runs/Model.PT")
    assert is_archive("model.safetensors.index.json")
    assert not is_archive("results.json")


def test_chunks_that_are_kept_are_not_written_over(tmp_path: Path) -> None:
    array = np.arange(10_000, dtype=np.int32)
    one = open_archive(put(tmp_path, "a.npy", recipes.npy(array))).tensors[""]
    kept = [chunk[::2] for chunk in one.chunks(10)]
    assert np.array_equal(np.concatenate(kept), array[::2])


def test_a_large_array_in_another_order_is_mapped(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("provenance.readers._tensors.WHOLE", 100)
    array = np.asfortranarray(recipes.RNG.random((40, 30, 3)))
    one = open_archive(put(tmp_path, "a.npy", recipes.npy(array))).tensors[""]
    for most in (7, 90, 1000):
        assert np.array_equal(np.concatenate(list(one.chunks(most))), array.ravel())


@given(most=st.integers(1, 100), shape=hnp.array_shapes(max_dims=4, max_side=5))
def test_fortran_order_in_any_chunks(
    most: int, shape: tuple[int, ...], tmp_path_factory: Any
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape, order="F")
    path = put(tmp_path_factory.mktemp("npy"), "a.npy", recipes.npy(array))
    chunks = list(open_archive(path).tensors[""].chunks(most))
    assert np.array_equal(np.concatenate(chunks), array.ravel())
