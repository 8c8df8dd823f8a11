"""`core.sourcedigest`: equal exactly where Python's own parser sees the same program."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import sourcedigest
from provenance.core.sourcedigest import notebook_code_digest, python_tokens_digest

SOURCE = Path(sourcedigest.__file__).parents[2]
STDLIB = Path(sysconfig.get_paths()["stdlib"])
CORPUS = sorted((STDLIB / "json").glob("*.py")) + [
    STDLIB / name
    for name in "argparse.py dataclasses.py enum.py inspect.py ast.py pathlib.py typing.py".split()
]
OLD = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python"))

BASE = b'''import os
def f(a, b=2):
    """Says what."""
    # why
    if a:
        return (a +
                b)
    return f"{a!r:>{b}} {'#'} {{" "x" 'y'
'''
SAME = [
    BASE.replace(b'    """Says what."""\n', b""),
    BASE.replace(b"Says what", b"Says something else"),
    BASE.replace(b"    # why\n", b"\n\n  # other\n"),
    BASE.replace(b"\n", b"\r\n"),
    BASE.replace(b"    ", b"\t"),
    BASE.replace(b"a, b=2", b"a,b = 2  # defaults\n"),
    BASE.replace(b"(a +\n                b)", b"(a + b)"),
    BASE.replace(b"if a:", b"if \\\n  a :"),
    b"\xef\xbb\xbf# -*- coding: utf-8 -*-\n" + BASE,
    BASE + b"\n\n# the end",
]
OTHER = [
    BASE.replace(b"b=2", b"b=3"),
    BASE.replace(b"a +", b"a -"),
    BASE.replace(b"'#'", b"'#2'"),
    BASE.replace(b'"x"', b'"x "'),
    BASE.replace(b"        return", b"    return").replace(b"if a:", b"if a: pass"),
    BASE.replace(b"    return f", b"        return f"),
    BASE.replace(b'f"{a', b'"{a'),
]


@pytest.mark.parametrize("text", SAME)
def test_layout_comments_and_docstrings_do_not_count(text: bytes) -> None:
    assert python_tokens_digest(text) == python_tokens_digest(BASE) is not None


@pytest.mark.parametrize("text", OTHER)
def test_everything_else_counts(text: bytes) -> None:
    assert python_tokens_digest(text) not in (None, python_tokens_digest(BASE))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (b'x = f"{d["#1"]}"\n', b'x = f"{d["#2"]}"\n'),
        (b"x = f'{a:'>10}'\n", b"x = f'{a:'>11}'\n"),
        (b'x = f"""{\na # note\n}"""\n', b'x = f"""{\nb # note\n}"""\n'),
        (b'x = f"{a:{w}}#1"\n', b'x = f"{a:{w}}#2"\n'),
        (b'x = f"\\N{NUMBER SIGN}#1"\n', b'x = f"\\N{NUMBER SIGN}#2"\n'),
        (b'x = rf"\\{a}#1"\n', b'x = rf"\\{a}#2"\n'),
        (b'x = f"{f"{f"{1}"}"}#1"\n', b'x = f"{f"{f"{1}"}"}#2"\n'),
        (b'return"#1"\n', b'return"#2"\n'),
    ],
)
def test_a_hash_sign_within_a_string_is_no_comment(one: bytes, two: bytes) -> None:
    first, second = python_tokens_digest(one), python_tokens_digest(two)
    assert first != second
    assert None not in (first, second)


@pytest.mark.parametrize(
    "text",
    [
        *(b"x = (1\n", b"x = 'a\n", b'x = """a', b"x)\n", b"\x00", b"a \\ b\n", b'f"{', b'f"{a:'),
        *(b"if x:\n    a\n  b\n", b"# coding: rot13\nx = 1\n", b"# coding: nonsense\n"),
        b"x = '\xff'\n",
    ],
)
def test_what_is_not_python_has_no_digest(text: bytes) -> None:
    assert python_tokens_digest(text) is None


def test_a_file_that_reads_its_docstring_keeps_it() -> None:
    text = b'"""Usage: x [--lr]"""\nimport docopt\nargs = docopt.docopt(__doc__)\n'
    assert python_tokens_digest(text) != python_tokens_digest(text.replace(b"--lr", b"--wd"))


def test_old_encodings_are_read_by_their_cookie() -> None:
    latin = "# coding: latin-1\nx = 'é'\n".encode("latin-1")
    assert python_tokens_digest(latin) == python_tokens_digest("x = 'é'\n".encode())


def _tree(text: str) -> str:
    """The program as Python's parser sees it, without strings that stand as statements."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                kept = [s for s in body if not _is_doc(s)]
                setattr(node, name, kept)
    return ast.dump(tree)


def _is_doc(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, (str, bytes))
    )


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.name)
def test_real_code_without_its_comments_is_the_same(path: Path) -> None:
    text = path.read_text("utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    bare = tokenize.untokenize([t[:2] for t in tokens if t.type != tokenize.COMMENT])
    assert _tree(bare) == _tree(text)
    assert python_tokens_digest(bare.encode()) == python_tokens_digest(text.encode()) is not None


LINES = CORPUS[4].read_text("utf-8").splitlines(keepends=True)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(LINES) - 1), st.sampled_from(["# x\n", "\n", "x", "()", " ", "'", "a = 1\n"])
)
def test_an_edit_counts_exactly_when_the_parser_sees_it(where: int, what: str) -> None:
    edited = "".join([*LINES[:where], what, *LINES[where:]])
    try:
        tree = _tree(edited)
    except SyntaxError:
        return
    same = python_tokens_digest(edited.encode()) == python_tokens_digest("".join(LINES).encode())
    assert not same or tree == _tree("".join(LINES))
    if what in ("# x\n", "\n"):
        assert same == (tree == _tree("".join(LINES)))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text("f\"'{}:#\\\n a(=1", max_size=40).map(str.encode)))
def test_never_raises(source: bytes) -> None:
    python_tokens_digest(source)
    notebook_code_digest(source)


@settings(max_examples=300, deadline=None)
@given(st.text("fr\"'{}!:#\\\nN a+(1)", max_size=24))
def test_whatever_python_accepts_has_a_digest(text: str) -> None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return
    assert python_tokens_digest(text.encode()) is not None


@pytest.mark.skipif(not OLD, reason="no other interpreters on this machine")
@pytest.mark.parametrize("python", OLD, ids=lambda p: p.parts[-3])
def test_every_python_gives_the_same_digest(python: Path, tmp_path: Path) -> None:
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info >= (3, 7))"],
        capture_output=True,
        text=True,
        check=True,
    )
    if version.stdout.strip() != "True":
        pytest.skip("older than 3.7")
    samples = [p.read_bytes() for p in CORPUS] + SAME + OTHER + [b'x = f"{d["#1"]:>{w}}" # c\n']
    for index, data in enumerate(samples):
        (tmp_path / ("%03d.py" % index)).write_bytes(data)
    code = (
        "import os, sys; sys.path.insert(0, %r)\n"
        "from provenance.core.sourcedigest import python_tokens_digest as d\n"
        "for n in sorted(os.listdir('.')): print(d(open(n, 'rb').read()))\n" % str(SOURCE)
    )
    done = subprocess.run(
        [python, "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.split() == [python_tokens_digest(data) for data in samples]


def _notebook(cells: list[dict[str, object]]) -> bytes:
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


def test_only_the_code_of_a_notebook_counts() -> None:
    code = {"cell_type": "code", "source": ["x = 1\n", "x"], "outputs": [], "execution_count": 1}
    text = {"cell_type": "markdown", "source": "# Title"}
    base = notebook_code_digest(_notebook([code, text]))
    again = dict(
        code, outputs=[{"data": {"text/plain": "1"}}], execution_count=7, source="x = 1\nx"
    )
    assert notebook_code_digest(_notebook([dict(text, source="other"), again])) == base is not None
    assert notebook_code_digest(_notebook([dict(code, source="x = 2\nx")])) != base


def test_what_is_not_a_notebook_has_no_digest() -> None:
    for data in (b"", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [{"cell_type": "code"}]}'):
        assert notebook_code_digest(data) is None


def test_digests_by_the_name_of_the_file() -> None:
    assert list(sourcedigest.digests("a.py", b"x = 1\n")) == ["python-tokens-1"]
    assert list(sourcedigest.digests("a.ipynb", _notebook([]))) == ["notebook-code-1"]
    assert sourcedigest.digests("a.sh", b"x") == {}
    assert sourcedigest.digests("a.py", b"#" * (sourcedigest.LARGEST + 1)) == {}
