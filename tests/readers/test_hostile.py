"""Damaged and hostile files: tensors or one sentence, in bounded time and memory."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.readers.archives import open_archive
from provenance.readers.model import Unreadable
from tests.readers import recipes
from tests.readers.soundness import damaged, seeds, sound
from tests.readers.test_arrays import put

SEEDS = seeds()


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_damaged_file(name: str, seed: int, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    sound(put(folder, name, damaged(SEEDS[name], seed)), name)


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("make", [recipes.hdf5, recipes.keras, recipes.parquet, recipes.feather])
@pytest.mark.slow
def test_a_damaged_file_of_a_library(tmp_path: Path, make: Any, number: int) -> None:
    suffix = {"hdf5": ".h5"}.get(make.__name__, "." + make.__name__)
    sound(put(tmp_path, "a" + suffix, damaged(make(), number)), "a" + suffix)


@settings(max_examples=50, deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(sorted(SEEDS)))
def test_anything_at_all(content: bytes, name: str, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.getbasetemp() / "anything"
    folder.mkdir(exist_ok=True)
    sound(put(folder, name, content), name)


def npy_header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,)}" % (1 << 60),
        "{'descr': '<f8', 'fortran_order': True, 'shape': (%d, %d)}" % (1 << 40, 1 << 40),
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2.5,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': %s}" % ((1,) * 100,),
        "{'descr': '<U999999999', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<U9999999999999999999', 'fortran_order': False, 'shape': ()}",
        "{'descr': [('a', '<f8')] * 3, 'fortran_order': False, 'shape': ()}",
        "__import__('os').system('true')",
        "(" * 5000,
        "-" * 60000 + "1",
        "{'descr': %s'f8'%s, 'fortran_order': False, 'shape': ()}" % ("[" * 90, "]" * 90),
        "{'shape': ()}",
        "\0",
    ],
)
def test_a_header_of_numpy_that_lies(tmp_path: Path, header: str) -> None:
    with pytest.raises(Unreadable):
        open_archive(put(tmp_path, "a.npy", npy_header(header, bytes(64))))


def bomb(size: int) -> bytes:
    """Return a zip file of an array of ``size`` zeros, packed a thousand to one."""
    stream = io.BytesIO()
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,)}" % (size // 8)
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.npy", "w", force_zip64=True) as member,
    ):
        member.write(npy_header(text))
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return stream.getvalue()


def test_a_packed_bomb_is_read_piece_by_piece(tmp_path: Path) -> None:
    path = put(tmp_path, "a.npz", bomb(600 << 20))
    assert os.path.getsize(path) < 1 << 20
    sound(path, "a.npz")


def test_a_packed_member_that_lies_about_its_size(tmp_path: Path) -> None:
    content = bytearray(bomb(1 << 20))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 0xFFFFFFF0)
    with pytest.raises(Unreadable, match="cannot be so large"):
        open_archive(put(tmp_path, "a.npz", bytes(content)))


def test_a_packed_pickle_that_unpacks_for_ever(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("provenance.readers.joblib.MOST_UNPACKED", 1 << 20)
    with pytest.raises(Unreadable, match="unpacks to more than 1 MiB"):
        open_archive(put(tmp_path, "a.pkl", zlib.compress(b"]" + bytes(2 << 20))))


def test_an_encrypted_or_overlapping_zip(tmp_path: Path) -> None:
    content = bytearray(recipes.npz())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Unreadable, match="is encrypted"):
        open_archive(put(tmp_path, "a.npz", bytes(content)))


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    for name in ("pipe.npz", ""):
        with pytest.raises(Unreadable, match="is not a regular file"):
            open_archive(str(tmp_path / name), "a.npz")
    with pytest.raises(Unreadable, match="cannot be opened: No such file"):
        open_archive(str(tmp_path / "gone.npz"))
    with pytest.raises(Unreadable, match="cannot be opened"):
        open_archive("a\0b.npz")


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, "a.npy", recipes.npy(np.arange(10_000)))
    chunks = open_archive(path).tensors[""].chunks(100)
    next(chunks)
    os.truncate(path, 1000)
    with pytest.raises(Unreadable, match="cut short"):
        list(chunks)
