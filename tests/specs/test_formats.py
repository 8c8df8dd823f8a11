from __future__ import annotations

import sys
from types import ModuleType

import pytest

from provenance.specs import formats
from provenance.specs.model import Source, Spec, Unreadable


@pytest.mark.parametrize(
    ("path", "head", "module"),
    [
        ("env.txt", b"# platform: linux-64\n@EXPLICIT\nhttps://x/y.conda\n", "conda_explicit"),
        ("req.yml", b"name: x\ndependencies:\n  - python=3.7\n", "environment_yml"),
        ("x.yml", b"\xef\xbb\xbfname: x\r\ndependencies:\r\n", "environment_yml"),
        ("lock.yml", b"version: 1\nmetadata:\n  content_hash:\n    a: b\n", "conda_lock"),
        ("cog.yaml", b"build:\n  gpu: true\n", "cog"),
        ("requirements.txt", b"# $ conda create --name <env> --file <this file>\n", "requirements"),
        ("list.txt", b"# $ conda create --name <env> --file <this file>\n", "conda_list"),
        ("x.def", b"EXPORTS\n", ""),
        ("x.def", b"BootStrap: docker\n", "apptainer"),
        ("a.txt", b"hello", ""),
    ],
)
def test_first_bytes_tell(path: str, head: bytes, module: str) -> None:
    assert formats.module_of(path, head) == module


def _with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Spec:
    module = ModuleType("provenance.specs.pdm_lock")

    def read(source: Source) -> Spec:
        raise error

    module.read = read  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return formats.read(Source("a/pdm.lock", b""))


@pytest.mark.parametrize(
    ("error", "where", "why"),
    [
        (Unreadable("No.", 7), "a/pdm.lock:7", "No."),
        (RecursionError(), "a/pdm.lock:1", "The file is nested too deeply."),
        (MemoryError(), "a/pdm.lock:1", "The file needs more memory to read than there is."),
        (KeyError("x"), "a/pdm.lock:1", "Reading it failed (KeyError); please report this file."),
    ],
)
def test_failures_are_unread(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, where: str, why: str
) -> None:
    (one,) = _with(monkeypatch, error).unread
    assert (one.where, one.why) == (where, why)


def test_an_interrupt_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        _with(monkeypatch, KeyboardInterrupt())


def test_unknown_and_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not known" in formats.read(Source("x.bin", b"")).unread[0].why
    monkeypatch.setattr(formats, "MOST_BYTES", 10)
    assert "11 bytes" in formats.read(Source("README.md", b"x" * 11)).unread[0].why
