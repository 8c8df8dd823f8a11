from __future__ import annotations

import pytest

from tests.specs.recipes import facts, read, unread

MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SHA1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709"


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("SHA256SUMS", SHA256 + "  a b.txt", "a b.txt sha256:" + SHA256),
        ("SHA256SUMS", SHA256 + " *bin.tar", "bin.tar sha256:" + SHA256),
        ("SHA256SUMS", SHA256.upper() + "  ./x/y", "./x/y sha256:" + SHA256),
        ("md5sum.txt", MD5 + "  x", "x md5:" + MD5),
        ("MD5SUMS", MD5 + "\tx", "x md5:" + MD5),
        ("checksums.txt", SHA1 + "  x", "x sha1:" + SHA1),
        ("checksums.txt", "SHA256 (x (1).zip) = " + SHA256, "x (1).zip sha256:" + SHA256),
        ("checksums.txt", "MD5 (y) = " + MD5, "y md5:" + MD5),
        ("checksums.txt", "BLAKE3 (y) = " + SHA256, "y blake3:" + SHA256),
        ("CHECKSUMS", "SHA2-256(y)= " + SHA256, "y sha256:" + SHA256),
        ("b3sums.txt", SHA256 + "  x", "x blake3:" + SHA256),
        ("data.b3", SHA256 + "  x", "x blake3:" + SHA256),
        ("model.pt.sha256", SHA256, "model.pt sha256:" + SHA256),
        ("model.pt.md5", MD5, "model.pt md5:" + MD5),
        ("checksums.txt", "z.bin: " + MD5, "z.bin md5:" + MD5),
        ("checksums.txt", "z.bin " + MD5, "z.bin md5:" + MD5),
        ("SHA256SUMS", "\\" + SHA256 + "  a\\\\b", "a\\b sha256:" + SHA256),
    ],
)
def test_a_line(name: str, line: str, expected: str) -> None:
    assert facts(name, "# made with care\n\n" + line + "\r\n") == ["3 data " + expected]


def test_a_name_with_a_line_break_is_no_fact() -> None:
    text = "\\" + SHA256 + "  a\\nb\n" + SHA256 + "  c\n"
    assert facts("SHA256SUMS", text) == ["2 data c sha256:" + SHA256]
    (one,) = read("SHA256SUMS", text).unread
    assert (one.where, one.text) == ("SHA256SUMS:1", "a b")


def test_other_lines_are_unread() -> None:
    text = "hello world\n%s\n%s  \nzz  x\n" % (MD5, "f" * 31)
    assert unread("checksums.txt", text) == [
        (1, "hello world"),
        (2, MD5),
        (3, "f" * 31),
        (4, "zz x"),
    ]
    assert unread("checksums.txt", "CRC32 (x) = 12345678\n12345678  x\n") != []
    assert facts("checksums.txt", "CRC32 (x) = 12345678\n12345678  x\n") == []


def test_many_other_lines_are_counted() -> None:
    spec = read("checksums.txt", "hello\n" * 500)
    assert len(spec.unread) == 20
    assert spec.notes == ("500 lines are no checksums; the first 20 are listed.",)
