"""What a requirements file states; what it does not state is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.specs import requirements

TEXT = """\
# comment
numpy==1.26.4  # pinned
Scikit_Learn>=1.1,<1.2
torch[extra]==2.1.0 --hash=sha256:abc
pandas
-r other.txt
--index-url https://example.org/simple
git+https://example.org/x.git#egg=x
name @ https://example.org/name.whl
colorama==0.4 ; sys_platform == "win32"
sudo apt-get install this
"""


def test_stated_facts_with_their_place():
    found = {one.name: (one.specifier, one.where) for one in requirements.read(TEXT, "r.txt")}
    assert found == {
        "numpy": ("==1.26.4", "r.txt:2"),
        "scikit-learn": ("<1.2,>=1.1", "r.txt:3"),
        "torch": ("==2.1.0", "r.txt:4"),
        "pandas": ("", "r.txt:5"),
    }


@pytest.mark.parametrize(
    ("line", "version", "allowed"),
    [
        ("x==1.0", "1.0.0", True),
        ("x==1.0", "1.0.1", False),
        ("x>=1", "2.0rc1", True),
        ("x==2.1.0", "2.1.0+cu121", True),
        ("x", "0", True),
    ],
)
def test_allows(line, version, allowed):
    assert requirements.read(line, "r.txt")[0].allows(version) is allowed


@given(st.text())
def test_no_text_is_an_error(text):
    for one in requirements.read(text, "r.txt"):
        assert one.where.startswith("r.txt:")
