"""Files that requirements include, and shell commands among them: read, never fetched or run."""

import pytest

from provenance.specs import requirements
from provenance.specs.model import EXACT, NAMED, RANGE, Source


def read(text, files=None, path="r.txt"):
    return requirements.read(Source(path, text.encode(), (files or {}).get))


def brief(fact):
    """Return the members of a fact that are said, without its kind and place."""
    return {
        k: v
        for k, v in fact._asdict().items()
        if v not in ("", (), -1) and k not in ("kind", "where")
    }


def test_included_files():
    files = {
        "../base.txt": b"numpy==1.0\n-r more/deep.txt\n",
        "../more/deep.txt": b"scipy\n-c ../c.txt\n-r ../base.txt\n",
        "../c.txt": b"\npandas==2.0\n",
        "bad.txt": b"a\n\0",
    }
    spec = read("-r ../base.txt\nx\n--requirement bad.txt\n-r r.txt", files, "sub/r.txt")
    stated = [(one.name, one.where, one.group) for one in spec.facts]
    assert stated == [
        ("numpy", "base.txt:1", ""),
        ("scipy", "more/deep.txt:1", ""),
        ("pandas", "c.txt:2", requirements.CONSTRAINT),
        ("x", "sub/r.txt:2", ""),
    ]
    assert spec.included == ("base.txt", "more/deep.txt", "c.txt", "sub/bad.txt")
    ((where, text, why),) = spec.unread
    assert (where, text) == ("sub/r.txt:3", "bad.txt")
    assert why.startswith("sub/bad.txt:2 cannot be read: ")
    assert any("base.txt (more/deep.txt:3)" in note for note in spec.notes)
    assert any("sub/r.txt (sub/r.txt:4)" in note for note in spec.notes)


def test_a_file_of_constraints():
    (fact,) = read("numpy==1.0", path="constraints.txt").facts
    assert fact.group == requirements.CONSTRAINT


def test_chains_of_files_end():
    spec = requirements.read(Source("0.txt", b"-r 1.txt", lambda rel: b"a\n-r %s" % rel.encode()))
    assert len(spec.facts) == 1
    deep = {"%d.txt" % n: b"-r %d.txt\n" % (n + 1) for n in range(1, 99)}
    spec = read("-r 1.txt", deep)
    assert "Too many files" in spec.unread[0].why
    wide = {"%d.txt" % n: b"a" for n in range(99)}
    spec = read("".join("-r %s\n" % name for name in wide), wide)
    assert len(spec.included) < 99
    assert {one.why for one in spec.unread} == {
        "Too many files include one another: this one was not read."
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pip install foo==1.2 'bar>=2' -U", ["foo", "bar"]),
        ("!pip install foo", ["foo"]),
        ("%pip install foo", ["foo"]),
        ("$ sudo -H pip3 install --upgrade foo", ["foo"]),
        ("(base) me@host:~/x$ pip install foo", ["foo"]),
        ("python -m pip install foo -i https://h/simple bar", ["foo", "bar"]),
        ("uv pip install foo", ["foo"]),
        ("pip install foo && pip install -r b.txt", ["foo", "b"]),
        ("conda install -c x foo=1.2 y::bar==2 -y", ["foo", "bar"]),
    ],
)
def test_commands_are_read_not_run(text, names):
    spec = read(text, {"b.txt": b"b"})
    assert [one.name for one in spec.facts] == names
    assert not spec.unread
    assert spec.notes[0].startswith("Shell commands stand in the file")


def test_commands_of_conda():
    spec = read("conda install pytorch==1.7.1 cudatoolkit=10.1 python=3.7 a=1=b_0 c::d -c pytorch")
    stated = [brief(one) for one in spec.facts]
    assert [one.pop("ecosystem") for one in stated] == ["conda"] * 5
    assert [one.pop("channel") for one in stated] == ["pytorch"] * 4 + ["c"]
    assert stated == [
        {"name": "pytorch", "exactness": EXACT, "version": "1.7.1", "specifier": "==1.7.1"},
        {"name": "cudatoolkit", "exactness": RANGE, "specifier": "=10.1"},
        {"name": "python", "exactness": RANGE, "specifier": "=3.7"},
        {"name": "a", "exactness": EXACT, "version": "1", "specifier": "=1", "build": "b_0"},
        {"name": "d", "exactness": NAMED},
    ]
    spec = read("conda install --file specs.txt a")
    assert [one.name for one in spec.facts] == ["a"]
    assert any("specs.txt" in note for note in spec.notes)
