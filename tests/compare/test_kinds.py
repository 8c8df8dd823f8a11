"""Text, logs, documents, archives, images and drawings compared by what they say."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from provenance.compare import contents
from provenance.compare.kinds import images, packed
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, WITHIN

from ._pairs import judge, names, sentence

LOG = "".join("epoch %d loss %.3f 1.2s\n" % (n, 1 / (n + 1)) for n in range(50))


def test_lines_that_one_has_more_do_not_shift_the_rest(tmp_path: Path) -> None:
    one = judge(tmp_path, "a.log", LOG, "Warning: new\n" + LOG.replace("1.2s", "3.4s"))
    assert one.verdict == DIFFERENT
    assert one.detail == "1 line only in the second; the first at line 1"
    assert names(one) == {"line 1": "only in the second: Warning: new"}
    one = judge(tmp_path, "b.log", LOG, LOG.replace("loss 0.250", "loss 0.300"))
    assert one.detail == "1 of 50 lines differ, the first at line 4"
    assert names(one)["line 4"] == "epoch 3 loss 0.250 1.2s -> epoch 3 loss 0.300 1.2s"


def test_the_same_lines_in_another_order_are_said_to_be(tmp_path: Path) -> None:
    turned = "".join(reversed(LOG.splitlines(keepends=True)))
    one = judge(tmp_path, "a.txt", LOG, turned)
    assert one.verdict == DIFFERENT
    assert one.detail.startswith("the same lines in another order")


def test_progress_bars_and_colours_do_not_count(tmp_path: Path) -> None:
    old = " 10%|#  | 1/9 [00:01<00:09, 1.1it/s]\r100%|###| 9/9 [00:09<00:00, 1.1it/s]\nend\n"
    new = "100%|###| 9/9 [00:07<00:00, 2.3it/s]\n\x1b[32mend\x1b[0m\x1b[A\n"
    assert judge(tmp_path, "a.log", old, new).verdict == WITHIN


def test_a_text_without_suffix_is_known_by_its_bytes(tmp_path: Path) -> None:
    assert judge(tmp_path, "notes", "a 1.0\n", "a 1.00000001\n").verdict == WITHIN
    with pytest.raises(contents.Opaque):
        judge(tmp_path, "blob", b"\x00\x01", b"\x00\x02")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.toml", '[a]\nx = 1\ny = "k"\n', '[a]\ny = "k"\nx = 2\n'),
        ("a.yaml", "a:\n  x: 1\n  y: k\n", "a: {y: k, x: 2}\n"),
        ("a.json", '{"a": {"x": 1, "y": "k"}}', '{"a": {"y": "k", "x": 2}}'),
    ],
)
def test_documents_by_their_values(tmp_path: Path, name: str, old: str, new: str) -> None:
    one = judge(tmp_path, name, old, new)
    assert (one.detail, names(one)) == (
        "1 of 2 values differ, the first at a/x",
        {"a/x": "1 -> 2"},
    )
    assert judge(tmp_path, "b" + name, old, new.replace("2", "1")).verdict == WITHIN


def test_broken_documents_say_where(tmp_path: Path) -> None:
    with pytest.raises(contents.Opaque, match=r"the second is not readable as JSON: .*line 2"):
        judge(tmp_path, "a.json", "{}", "{\n,}")
    with pytest.raises(contents.Opaque, match="nested too deeply"):
        judge(tmp_path, "b.json", "{}", "[" * 100_000)


def zipped(year: int, **members: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name + ".json", (year, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def tarred(mtime: int, mode: str = "w:gz", **members: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name + ".json")
            info.size, info.mtime, info.uid = len(data), mtime, mtime
            archive.addfile(info, io.BytesIO(data.encode()))
    return out.getvalue()


@pytest.mark.parametrize(("name", "pack"), [("a.zip", zipped), ("a.tar.gz", tarred)])
def test_archives_by_what_their_members_say(tmp_path: Path, name: str, pack: Any) -> None:
    old = pack(1990, a='{"x": 1}', b='{"y": 0.5}')
    one = judge(tmp_path, name, old, pack(2001, b='{"y": 0.5}', a='{"x": 1}'))
    assert one.verdict == WITHIN
    assert one.detail == "2 members the same: only times, order or packing differ"
    one = judge(tmp_path, name, old, pack(1990, a='{"x": 1}', b='{"y": 0.5000000001}'))
    assert (one.verdict, names(one)) == (WITHIN, {"b.json": "1 value within tolerance"})
    one = judge(tmp_path, name, old, pack(1990, a='{"x": 2}', c="1"))
    assert one.verdict == DIFFERENT
    assert names(one)["b.json"] == "only in the first"
    assert names(one)["a.json"] == "1 of 1 values differ, the first at x"


def test_compressed_files_by_what_is_in_them(tmp_path: Path) -> None:
    for end, pack in ((".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
        old, new = b'{"a": 1.0, "b": 2}', b'{"b": 2, "a": 1.0}'
        assert judge(tmp_path, "a.json" + end, pack(old), pack(new)).verdict == WITHIN
        one = judge(tmp_path, "b.json" + end, pack(old), pack(b'{"a": 1.0, "b": 3}'))
        assert names(one) == {"b": "2 -> 3"}


def test_archives_in_archives_and_bombs_end(tmp_path: Path, monkeypatch: Any) -> None:
    def nested(data: bytes, depth: int) -> bytes:
        for _ in range(depth):
            data = gzip.compress(data, mtime=0)
        return data

    one = judge(tmp_path, "a.json" + ".gz" * 6, nested(b"1", 6), nested(b"2", 6))
    assert one.verdict == DIFFERENT
    assert "3 deep" in one.detail
    monkeypatch.setattr(packed, "MOST_BYTES", 1000)
    big = bytes(5000)
    with pytest.raises(contents.Opaque, match="unpacks to more"):
        judge(tmp_path, "b.gz", gzip.compress(big), gzip.compress(big + b"1"))
    one = judge(tmp_path, "c.zip", zipped(1990, a="1" * 5000), zipped(1990, a="2" * 5000))
    assert one.verdict == NOT_COMPARED
    assert "to unpack" in one.parts[0].detail


def picture(colour: int, spot: int | None = None, **more: Any) -> Any:
    def save(path: Path) -> None:
        image = Image.new("RGB", (20, 10), (colour, 0, 0))
        if spot is not None:
            image.putpixel((3, 2), (spot, 0, 0))
        image.save(path, **more)

    return save


@pytest.mark.parametrize("end", ["png", "bmp", "tiff", "gif", "webp"])
def test_images_by_their_pixels(tmp_path: Path, end: str) -> None:
    more = {"lossless": True} if end == "webp" else {}
    one = judge(tmp_path, "a." + end, picture(100, **more), picture(100, 120, **more))
    assert one.verdict == DIFFERENT
    assert one.figures["share"] == pytest.approx(1 / 200)
    assert one.figures["box"] == [3, 2, 4, 3]
    assert one.detail.startswith("1 of 200 pixels differ (0.5 %), by up to 20 of 255; PSNR ")


def test_images_of_other_size_mode_and_with_other_remarks(tmp_path: Path) -> None:
    remark = PngImagePlugin.PngInfo()
    remark.add_text("Software", "another version")
    one = judge(tmp_path, "a.png", picture(1), picture(1, pnginfo=remark))
    assert one.verdict == WITHIN
    wide = lambda path: Image.new("RGB", (30, 10)).save(path)  # noqa: E731
    assert judge(tmp_path, "b.png", picture(1), wide).detail == "20x10 -> 30x10 pixels"
    grey = lambda path: Image.new("L", (20, 10)).save(path)  # noqa: E731
    assert judge(tmp_path, "c.png", picture(1), grey).detail == "mode RGB -> L"
    photo = judge(tmp_path, "d.jpg", picture(1, quality=90), picture(1, quality=20))
    assert photo.verdict in (WITHIN, DIFFERENT)


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 100)
    with pytest.raises(contents.Opaque, match="million pixels"):
        judge(tmp_path, "a.png", picture(1), picture(2))


def test_png_without_pillow(tmp_path: Path, monkeypatch: Any) -> None:
    remark = PngImagePlugin.PngInfo()
    remark.add_text("Software", "another version")
    real = images.importlib.import_module

    def missing(name: str) -> Any:
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(images.importlib, "import_module", missing)
    assert judge(tmp_path, "a.png", picture(1), picture(1, pnginfo=remark)).verdict == WITHIN
    with pytest.raises(contents.Opaque, match=r"prov-run\[files\]"):
        judge(tmp_path, "b.png", picture(1), picture(2))
    with pytest.raises(contents.Opaque, match=r"prov-run\[files\]"):
        judge(tmp_path, "c.jpg", picture(1), picture(2))


SVG = """<svg><!-- Created with matplotlib v%s --><dc:date>%s</dc:date>
<defs><path id="m%s" d="M 0 0 L 0 3.5"/></defs>
<use xlink:href="#m%s" x="%s"/><g clip-path="url(#p%s)"/></svg>
"""


def test_drawings_without_identifiers_and_dates(tmp_path: Path) -> None:
    old = SVG % ("3.8.0", "2025-01-01T00:00:00", *["a1b2c3d4e5"] * 2, "10.5", "0123456789")
    new = SVG % ("3.9.2", "2026-02-02T00:00:00", *["ffffffff00"] * 2, "10.5", "9876543210")
    assert judge(tmp_path, "a.svg", old, new).verdict == WITHIN
    assert judge(tmp_path, "b.svg", old, new.replace("10.5", "11.5")).verdict == DIFFERENT


BROKEN = "a.json a.yaml a.toml a.png a.gif a.zip a.tar a.tar.gz a.gz a.xz a.ipynb a.svg a.txt a.npz"


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BROKEN.split()), st.binary(max_size=300), st.binary(max_size=300))
def test_anything_gives_a_sentence(
    tmp_path_factory: Any, name: str, one: bytes, other: bytes
) -> None:
    said = sentence(tmp_path_factory.mktemp("t"), name, one, other)
    assert "\n" not in said
    assert len(said) < 400


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("good")
    made = {
        "a.zip": zipped(1990, a="1"),
        "a.tar.gz": tarred(1, a="1"),
        "a.tar": tarred(1, "w", a="1"),
    }
    for end in ("png", "gif", "tiff", "bmp", "webp", "jpg"):
        picture(9)(folder / ("a." + end))
        made["a." + end] = (folder / ("a." + end)).read_bytes()
    return made


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_give_a_sentence(tmp_path_factory: Any, good: Any, data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(good)))
    whole = good[name]
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=8))
    cut = data.draw(st.booleans())
    broken = whole[:at] if cut else whole[:at] + damage + whole[at + len(damage) :]
    said = sentence(tmp_path_factory.mktemp("t"), name, whole, broken)
    assert "\n" not in said
    assert len(said) < 400
