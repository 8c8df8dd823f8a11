"""Small data sets in the formats that published examples download, made up and always the same.

    python _realcode_data.py mnist FOLDER      IDX files as torchvision looks for them
    python _realcode_data.py words FOLDER      train.txt, valid.txt, test.txt

Standard library only: each script's environments lack the other's readers.
"""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path

_SIDE, _TRAIN, _TEST = 28, 1500, 500


def main() -> int:
    """Write what was asked for."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    {"mnist": mnist, "words": words}[kind](folder)
    return 0


def mnist(folder: Path) -> None:
    """Write ten classes of noisy strokes, 28 by 28 pixels, as four IDX files."""
    draw = random.Random(20)
    strokes = [
        [(draw.randrange(4, 24), draw.randrange(4, 24)) for _ in range(6)] for _ in range(10)
    ]
    for name, count in (("train", _TRAIN), ("t10k", _TEST)):
        labels = bytes(draw.randrange(10) for _ in range(count))
        images = b"".join(_image(strokes[label], draw) for label in labels)
        head = struct.pack(">IIII", 2051, count, _SIDE, _SIDE)
        (folder / (name + "-images-idx3-ubyte")).write_bytes(head + images)
        head = struct.pack(">II", 2049, count)
        (folder / (name + "-labels-idx1-ubyte")).write_bytes(head + labels)


def _image(points: list[tuple[int, int]], draw: random.Random) -> bytes:
    pixels = bytearray(draw.randrange(40) for _ in range(_SIDE * _SIDE))
    right, down = draw.randrange(-2, 3), draw.randrange(-2, 3)
    for x, y in points:
        for i in range(3):
            for j in range(3):
                pixels[(y + down + i) * _SIDE + x + right + j] = 200 + draw.randrange(56)
    return bytes(pixels)


def words(folder: Path) -> None:
    """Write sentences of a small vocabulary, in which each word depends on the one before it."""
    draw = random.Random(20)
    for name, count in (("train", 400), ("valid", 60), ("test", 60)):
        lines = []
        for _ in range(count):
            place, line = draw.randrange(120), []
            for _ in range(draw.randrange(5, 20)):
                line.append("w%d" % place)
                place = (place * 7 + draw.randrange(4)) % 120
            lines.append(" %s . \n" % " ".join(line))
        (folder / (name + ".txt")).write_text("".join(lines))


if __name__ == "__main__":
    sys.exit(main())
