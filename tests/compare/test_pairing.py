"""Output files with other names: in a folder with another name, or with other numbers."""

from __future__ import annotations

from provenance.compare import pairing
from provenance.core.paths import PathRef
from provenance.facets._entries import FileEntry


def files(*names: str) -> dict[PathRef, FileEntry]:
    entries = (FileEntry(PathRef("project", name), "file") for name in names)
    return {one.path: one for one in entries}


def paired(old: tuple[str, ...], new: tuple[str, ...]) -> dict[str, str]:
    found = pairing.renamed(files(*old), files(*new))
    return {path.path: one.path.path for path, one in found.items()}


def test_a_folder_with_another_name() -> None:
    old, new = ("a/ckpt_16.npz", "a/ckpt_32.npz", "log.txt"), ("b/ckpt_16.npz", "b/ckpt_32.npz")
    assert paired(old, (*new, "log.txt")) == dict(zip(old, new, strict=False))
    assert paired(("out/1/m.json", "out/1/w.pt"), ("out/2/m.json", "out/2/w.pt")) == {
        "out/1/m.json": "out/2/m.json",
        "out/1/w.pt": "out/2/w.pt",
    }


def test_of_two_folders_that_would_do_none_is_taken() -> None:
    assert paired(("a/w.pt",), ("b/w.pt", "c/w.pt")) == {}
    old, new = ("a/w.pt", "a/m.json"), ("b/w.pt", "c/w.pt", "c/m.json")
    assert paired(old, new) == {"a/w.pt": "c/w.pt", "a/m.json": "c/m.json"}


def test_another_step_is_another_file() -> None:
    assert paired(("a/ckpt_16.npz",), ("b/ckpt_32.npz",)) == {}


def test_names_that_differ_in_digits() -> None:
    assert paired(("m-2025-01-02.json",), ("m-2026-03-04.json",)) == {
        "m-2025-01-02.json": "m-2026-03-04.json"
    }
    assert paired(("a1", "a2"), ("a3",)) == {}


def test_what_is_on_both_sides_keeps_its_name() -> None:
    assert paired(("a/w.pt", "b/w.pt"), ("b/w.pt",)) == {}
