"""Whatever is in a file: readers of recipes, prose and data lists say it or say why not."""

from __future__ import annotations

import importlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.specs.model import EXACTNESS, Source, Spec, Unread, Unreadable
from tests.specs import test_apptainer, test_dvc, test_interpreters, test_readme

SEEDS = {
    "Dockerfile": "ARG A=1\nFROM python:${A}-slim AS b\nENV X=$A \\\n # c\n Y='2'\n"
    "RUN <<EOF\npip install a==$X\n"
    'EOF\nRUN if x; then pip install "b>=1" -r r.txt || conda install -c d e=1=2; fi\n'
    "COPY --from=b / /\n",
    "x.def": test_apptainer.TEXT,
    "README.md": test_readme.LIST
    + test_readme.CODE
    + "|Python|3.7|\n![a](https://img.shields.io/badge/a-1.0-b)",
    "cog.yaml": test_interpreters.COG,
    "MLproject": "name: x\nconda_env: c.yaml\ndocker_env: {image: 'python:3.8'}\n",
    "python_env.yaml": "python: '3.8'\ndependencies: [-r a, b==1]\n",
    "runtime.txt": "python-3.6.8\n",
    ".python-version": "3.8.1 2.7\n3.9\n",
    ".tool-versions": "python 3.8.1 2.7\n",
    "x.dvc": "wdir: a\ndeps: [{path: b, repo: {url: c, rev: d}}]\nouts: [{md5: e, path: f}]\n",
    "dvc.lock": test_dvc.LOCK,
    "dvc.yaml": "stages: {a: {deps: [b, {c: {cache: false}}], outs: [$d]}}\n",
    "SHA256SUMS": "%s  a b\nMD5 (x) = %s\nx: %s\n" % ("0" * 64, "1" * 32, "2" * 40),
}
MODULES = {
    "Dockerfile": "dockerfile",
    "x.def": "apptainer",
    "README.md": "readme",
    "cog.yaml": "cog",
    "MLproject": "mlproject",
    "python_env.yaml": "mlproject",
    "runtime.txt": "python_version",
    ".python-version": "python_version",
    ".tool-versions": "python_version",
    "x.dvc": "dvc",
    "dvc.lock": "dvc",
    "dvc.yaml": "dvc",
    "SHA256SUMS": "checksums",
}
PIECES = st.sampled_from(
    "\n \\ ' \" $ ${ $( ` { } [ ] ( ) < > << <<EOF\n EOF\n | || & && ; # : - == >= = "
    ", . * @ \t \r\n \0 \ufeff \u2028 é "
    "FROM RUN ENV ARG COPY --from= pip install conda -c -r python 3.6 or later (https:// "
    "![ ``` ~~~ &a *a "
    "if then fi for %post Bootstrap: md5: path: 9999999999999999999999 1.".split(" ")
)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def check(path: str, data: bytes) -> None:
    reader = importlib.import_module("provenance.specs." + MODULES[path])
    try:
        spec = reader.read(Source("a:b/" + path, data))
    except Unreadable as error:
        spec = Spec(
            error.why, "", unread=(Unread("a:b/%s:%d" % (path, error.line or 1), "", error.why),)
        )
    assert isinstance(spec, Spec)
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for one in (*spec.facts, *spec.unread):
        name, _, line = one.where.rpartition(":")
        assert name == "a:b/" + path
        assert 1 <= int(line) <= lines
    for unread in spec.unread:
        assert unread.why.endswith(".")
        assert len(unread.text) <= 120
    for fact in spec.facts:
        assert fact.exactness in EXACTNESS
        assert fact.name


@pytest.mark.parametrize("path", list(SEEDS))
@QUICK
@given(data=st.binary(max_size=300))
def test_any_bytes(path: str, data: bytes) -> None:
    check(path, data)


@pytest.mark.parametrize("path", list(SEEDS))
@QUICK
@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), max_size=8))
def test_files_that_were_changed(path: str, cuts: list[tuple[float, int, str]]) -> None:
    text = SEEDS[path]
    for place, length, piece in cuts:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    check(path, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("path", list(SEEDS))
def test_codings_and_line_ends_state_the_same(path: str, coding: str) -> None:
    reader = importlib.import_module("provenance.specs." + MODULES[path])
    plain = reader.read(Source(path, SEEDS[path].encode()))
    for end in ("\n", "\r\n"):
        assert reader.read(Source(path, SEEDS[path].replace("\n", end).encode(coding))) == plain


HARD = [
    "a" * 180_000, "\\\n" * 40_000, "$(" * 40_000, "${" * 40_000, "`" * 80_000, "'" * 80_000,
    "(" * 80_000, "[" * 80_000, "![](" * 20_000, "<" * 80_000, "* " * 40_000, "#" * 80_000,
    "python " * 12_000, "python 3.6, " * 8_000, "- a==1.0\n" * 10_000, "|a" * 40_000,
    "RUN pip install a\n" * 4_000, "FROM a\n" * 10_000, "FROM a AS b\nFROM b\n" * 2_000,
    "<<A " * 20_000, "a: &a [" * 10_000, "- " * 40_000, "0" * 80_000,
    ("0" * 64 + "  a\n") * 1_600, "a>=" * 20_000, "```\n" * 20_000, "a\n---\n" * 10_000,
    "ENV A=$A$A\n" * 4_000, "1." * 40_000, "python>=1" * 10_000, "1,1," * 10_000, "n't " * 20_000,
    "FROM a\nRUN pip install " + "a==1 " * 10_000, "Bootstrap: docker\n%post\n" * 2_000,
    "| python | 3.6 |\n" * 4_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HARD, ids=[one[:12].strip() or "blank" for one in HARD])
def test_hard_texts_take_no_long_time(text: str) -> None:
    for path in ("Dockerfile", "x.def", "README.md", "x.dvc", "SHA256SUMS", ".python-version"):
        for before in ("", "FROM a\nRUN ", "Bootstrap: docker\n%post\n"):
            begin = time.process_time()
            check(path, (before + text).encode())
            # Thirty times what the slowest takes; what is not linear takes minutes.
            assert time.process_time() - begin < 10, (path, before)
