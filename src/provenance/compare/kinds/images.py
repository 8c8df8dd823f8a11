"""Images by their pixels, with Pillow; PNG without it by the chunks that make up the picture."""

from __future__ import annotations

import importlib
import itertools
import math
import warnings
from collections.abc import Iterator
from typing import Any

from provenance.compare.judged import Judged, Part
from provenance.compare.kinds.base import Opaque, Pair, needs
from provenance.core.verdict import DIFFERENT, WITHIN

KIND = "image"
MOST_PIXELS = 200_000_000
"""Of all frames of an image: more is a mistake or a decompression bomb."""
_FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")


def compare(pair: Pair) -> Judged:
    """Compare two images frame by frame."""
    try:
        pillow = importlib.import_module("PIL.Image")
    except ImportError:
        if pair.old_name.lower().endswith(".png"):
            return _png(pair)
        raise needs("pillow", "an image") from None
    frames = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, _, which in pair.sides:
            frames.append(_frames(pillow, path, which))
    return _judged(*frames)


def _frames(pillow: Any, path: str, which: str) -> list[tuple[str, Any]]:
    """Return the mode and the pixels of each frame. Raises `Opaque`."""
    numpy = importlib.import_module("numpy")
    sequence = importlib.import_module("PIL.ImageSequence")
    try:
        with pillow.open(path, formats=_FORMATS) as image:
            pixels = image.size[0] * image.size[1]
            if pixels * getattr(image, "n_frames", 1) > MOST_PIXELS:
                text = "%s has more than %d million pixels"
                raise Opaque(text % (which, MOST_PIXELS // 1_000_000))
            found = []
            for frame in sequence.Iterator(image):
                plain = frame.convert("RGBA") if frame.mode in ("P", "PA") else frame
                found.append((frame.mode, numpy.asarray(plain)))
            return found
    except Opaque:
        raise
    except pillow.DecompressionBombError as error:
        raise Opaque("%s has too many pixels to be opened" % which) from error
    except Exception as error:  # broken images raise what the decoder came across
        raise Opaque("%s is not readable as an image" % which) from error


def _judged(old: list[tuple[str, Any]], new: list[tuple[str, Any]]) -> Judged:
    numpy = importlib.import_module("numpy")
    if len(old) != len(new):
        return _different("%d frames -> %d" % (len(old), len(new)), "frames", 0)
    total = 0
    parts = []
    for at, ((mode, one), (new_mode, other)) in enumerate(zip(old, new, strict=True)):
        name = "frame %d" % (at + 1) if len(old) > 1 else "pixels"
        if one.shape[:2] != other.shape[:2]:
            sizes = (*one.shape[1::-1], *other.shape[1::-1])
            return _different("%dx%d -> %dx%d pixels" % sizes, "size", total)
        if one.shape != other.shape or one.dtype != other.dtype:
            return _different("mode %s -> %s" % (mode, new_mode), "mode", total)
        total += one.shape[0] * one.shape[1]
        if not numpy.array_equal(one, other):
            parts.append(_apart(numpy, name, one, other))
    if not parts:
        text = "the same pixels: only what is written beside them differs"
        return Judged(WITHIN, text, KIND, total)
    return Judged(DIFFERENT, parts[0].detail, KIND, total, tuple(parts), parts[0].figures)


def _apart(numpy: Any, name: str, old: Any, new: Any) -> Part:
    first, second = old.astype(numpy.float64), new.astype(numpy.float64)
    distance = numpy.abs(first - second)
    pixels = distance.reshape(old.shape[0], old.shape[1], -1).max(axis=2)
    share = float((pixels > 0).mean())
    squared = float((distance**2).mean())
    peak = 255.0 if old.dtype.itemsize == 1 else float(max(first.max(), second.max(), 1.0))
    psnr = 10 * math.log10(peak * peak / squared) if squared else math.inf
    rows, columns = numpy.nonzero(pixels)
    box = [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]
    figures = {"share": share, "max_abs": float(distance.max()), "psnr_db": psnr, "box": box}
    count = int((pixels > 0).sum())
    text = "%s of %s pixels differ (%.3g %%), by up to %g of %g; PSNR %.1f dB" % (
        format(count, ","), format(pixels.size, ","), 100 * share, distance.max(), peak, psnr
    )  # fmt: skip
    return Part(name, DIFFERENT, text, figures)


def _different(detail: str, name: str, total: int) -> Judged:
    return Judged(DIFFERENT, detail, KIND, total, (Part(name, DIFFERENT, detail),))


def _png(pair: Pair) -> Judged:
    """Compare the picture itself: text chunks hold versions and times."""
    count = 0
    for one, other in itertools.zip_longest(_critical(pair.old), _critical(pair.new)):
        if one != other:
            raise Opaque("another picture; pip install 'prov-run[files]' to see how far apart")
        count += 1
    return Judged(WITHIN, "the same picture: only what is written beside it differs", KIND, count)


def _critical(path: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG file that make up the picture: their names begin with a capital."""
    with open(path, "rb") as stream:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            raise ValueError("not a PNG file")
        while True:
            head = stream.read(8)
            if len(head) < 8:
                return
            data = stream.read(int.from_bytes(head[:4], "big") + 4)
            if head[4:5].isupper():
                yield head[4:], data
