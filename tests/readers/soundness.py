"""What must hold of the answer to any file, and ways to damage one."""

from __future__ import annotations

import os
import random
import resource
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from provenance.compare import contents
from provenance.compare.tolerance import DEFAULT
from provenance.readers import archives, tables
from provenance.readers.model import Unreadable
from provenance.readers.names import is_archive

BUDGET_S = 5.0
"""Of processor time for one small file, the processes apart not counted."""

LOOKED_AT = 1 << 20
"""Elements of one tensor that are read."""

Damage = Callable[[random.Random, bytearray], bytearray]


def sound(path: str, name: str) -> str:
    """Read all of the file, and assert all that must hold; return what was said against it."""
    begin, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = ""
    try:
        _read(path, name)
    except (Unreadable, contents.Opaque) as reason:
        said = str(reason)
        check_text(said)
        assert len(said) >= 8
        assert not said.startswith(name)
        assert os.path.dirname(path) not in said
    took = time.process_time() - begin
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert took < BUDGET_S, "%s took %.1f s" % (name, took)
    assert grown < 400 << 10, "%s took %d MiB" % (name, grown >> 10)
    return said


def _read(path: str, name: str) -> None:
    if tables.known(name):
        table = tables.open_table(path)
        rows = 0
        for batch in table.batches(3):
            lengths = {len(column) for column in batch.values()}
            assert len(lengths) <= 1
            assert list(batch) == list(table.columns)
            rows += max(lengths, default=0)
            if rows > LOOKED_AT:
                return
        assert rows == table.rows or not table.columns
        return
    if not is_archive(name):
        assert contents.compare(path, path, name, DEFAULT).verdict in ("same", "within tolerance")
        return
    archive = archives.open_archive(path, name)
    for note in archive.notes:
        check_text(note)
    for key, one in archive.tensors.items():
        assert key == one.name
        seen = 0
        try:
            for chunk in one.chunks(4096):
                assert isinstance(chunk, np.ndarray)
                assert chunk.ndim == 1
                assert not chunk.dtype.hasobject
                seen += len(chunk)
                if seen > LOOKED_AT:
                    break
            else:
                assert seen == one.size
            if one.size < LOOKED_AT:
                assert one.load().shape == one.shape
        except Unreadable as reason:
            check_text(str(reason))


def check_text(text: str) -> None:
    """Assert that a sentence would not steer a terminal, and is no more than a sentence."""
    assert len(text) < 1000
    assert not any(unicodedata.category(one) in ("Cc", "Cs") for one in text), text


def flip(rng: random.Random, data: bytearray) -> bytearray:
    """Change some bits."""
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def poke(rng: random.Random, data: bytearray) -> bytearray:
    """Write a number that is likely to hurt."""
    hurting = (
        0,
        1,
        0x7F,
        0x80,
        0xFF,
        0x7FFFFFFF,
        0xFFFFFFFF,
        1 << 60,
        (1 << 63) - 1,
        (1 << 64) - 1,
    )
    number = rng.choice(hurting)
    for width in (1, 2, 4, 8):
        if number < 1 << 8 * width:
            break
    place = rng.randrange(len(data))
    data[place : place + width] = number.to_bytes(width, rng.choice(("little", "big")))
    return data


def digits(rng: random.Random, data: bytearray) -> bytearray:
    """Make a number in a text another, often a far larger one of the same length."""
    places = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    for place in rng.sample(places, min(len(places), rng.choice((1, 2, 4)))):
        data[place] = rng.choice(b"0123456789999-e.")
    return data


def cut(rng: random.Random, data: bytearray) -> bytearray:
    """Cut the file short."""
    return data[: rng.randrange(len(data))]


def leave_out(rng: random.Random, data: bytearray) -> bytearray:
    """Leave some bytes out."""
    place = rng.randrange(len(data))
    del data[place : place + rng.choice((1, 2, 8, 64))]
    return data


def repeat(rng: random.Random, data: bytearray) -> bytearray:
    """Repeat some bytes elsewhere."""
    place, size = rng.randrange(len(data)), rng.choice((1, 4, 16, 64, 512))
    at = rng.randrange(len(data))
    data[at:at] = data[place : place + size] * rng.choice((1, 1, 2, 50))
    return data


DAMAGES: tuple[Damage, ...] = (flip, poke, digits, cut, leave_out, repeat)


def damaged(content: bytes, seed: int) -> bytes:
    """Return ``content`` damaged in one to three ways, always the same for one ``seed``."""
    rng = random.Random(seed)
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if data:
            data = rng.choice(DAMAGES)(rng, data)
    return bytes(data)


def seeds() -> dict[str, Any]:
    """Return the real files that are damaged, by name."""
    from tests.readers import recipes

    return {**recipes.archives(), **recipes.tables()}
