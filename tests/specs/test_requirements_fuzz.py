"""Whatever a requirements file holds: facts with sound places, or `Unreadable`, and soon."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from provenance.specs import requirements
from provenance.specs.model import EXACT, EXACTNESS, NAMED, PYPI, Source, Unreadable

LINES = """\
numpy==1.26.4 --hash=sha256:ab
a[b] >= 1.0 ; python_version < '3'
# Name Version Build
-e git+https://h/o/r.git@main#egg=r
-r other.txt
a @ file:///x/work
x=1.2=py37_0
Package Version
------- -------
torch 1.7.1 /home/me
pip install 'a==1' && b
conda install a=1.2 c::d -c e
./a-1.0-py3-none-any.whl
'a', "b==1",
a==1.0 or later
--find-links=x --no-binary :all:
${X}==${Y}
# Editable x (a==1)
-e .
https://u:p@h/a-1.zip#sha256=ab
a=>1.x <2,
# platform: linux-64
python 3.7
───""".split("\n")

ANY = st.text(alphabet=st.sampled_from("a1=<>!~.,;:@#[]()'\"\\/-+*$ \t\n\r\x0c{}e"), max_size=40)


def sound(data):
    try:
        spec = requirements.read(Source("d/r.txt", data, lambda rel: b"b==1\n-r r.txt"))
    except Unreadable:
        return
    lines = len(re.findall(rb"\r\n|\r|\n", data.replace(b"\0", b""))) + 1
    for one in (*spec.facts, *spec.unread):
        path, _, line = one.where.rpartition(":")
        assert path
        assert 1 <= int(line) <= max(lines, 2)
    for fact in spec.facts:
        assert fact.exactness in EXACTNESS
        assert (fact.exactness == EXACT) == bool(fact.version)
        assert fact.exactness != NAMED or not fact.specifier
        if fact.ecosystem == PYPI:
            SpecifierSet(fact.specifier)
            assert fact.name == canonicalize_name(fact.name)
            assert requirements.applies(fact) in (True, False)
            assert requirements.allows(fact, fact.version or "1") or fact.exactness != EXACT
    for one in spec.unread:
        assert one.why.endswith(".")
        assert len(one.text) <= 100


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data):
    sound(data)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(LINES), ANY), max_size=8), st.sampled_from(["\n", "\r\n"])
)
def test_any_lines(lines, end):
    sound(end.join(lines).encode())


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_lines(data):
    text = data.draw(st.sampled_from(LINES))
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 6))
    sound((text[:at] + data.draw(ANY) + text[at + cut :]).encode())


LONG = {
    "one line": b"a" * 4_000_000,
    "spaces": b" " * 4_000_000,
    "dashes": (b"-" * 60_000 + b"x\n") * 20,
    "brackets": (b"a;" + b"(" * 140 + b"\n") * 300,
    "digits": (b"a==" + b"1" * 4000 + b"\n") * 200,
    "clauses": (b"a" + b"=1," * 140 + b"\n") * 300,
    "words": (b"a " * 2000 + b"\n") * 200,
    "quotes": (b"'" + b"a'" * 2000 + b"\n") * 200,
    "at signs": (b"a@" + b"b@" * 2000 + b"\n") * 200,
    "continued": b"a\\\n" * 150_000,
    "comments": (b"# " + b"uv pip compile " * 4000 + b"\n") * 20,
}


@pytest.mark.parametrize("name", LONG)
def test_long_files_end_soon(name):
    begin = time.process_time()
    sound(LONG[name])
    # Some hundredths of a second; anything quadratic takes minutes.
    assert time.process_time() - begin < 20
