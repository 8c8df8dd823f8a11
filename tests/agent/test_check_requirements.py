"""What the drop-in test understands of requirements.txt, held against the library `packaging`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from provenance.agent import check
from tests.agent._dropin import Project

NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))
ENDS = st.sampled_from(["", "", "", "rc1", ".post1", ".dev1", "a2", "+cu117"])
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="])


@settings(max_examples=1000, deadline=None)
@given(NUMBERS, ENDS, SIGNS, NUMBERS, ENDS, st.booleans())
def test_versions_are_held_against_specifiers_as_packaging_does(
    have: str, end: str, sign: str, wanted: str, other: str, star: bool
) -> None:
    if sign == "~=" and "." not in wanted:
        wanted += ".0"
    specifier = sign + wanted + (other if sign in ("==", "!=") or "+" not in other else "")
    if star and sign in ("==", "!="):
        specifier = sign + wanted + ".*"
    expected = SpecifierSet(specifier).contains(Version(have + end), prereleases=True)
    try:
        found = check.meets(have + end, specifier)
    except ValueError:
        assert end or other, "only a suffix may be left undecided"
        return
    assert found == expected


def test_several_specifiers_have_to_hold_together() -> None:
    assert check.meets("1.4", ">=1.2, <2, !=1.5.*")
    assert not check.meets("2.0", ">=1.2,<2")
    assert check.meets("1.4", "")
    for wrong in ("latest", ">=", "1.2", ">=one"):
        with pytest.raises(check.NOT_UNDERSTOOD):
            check.meets("1.0", wrong)


@pytest.mark.parametrize(
    "marker",
    [
        'python_version < "3.8"',
        'python_version >= "3.6" and python_version < "4.0"',
        '"3.10" <= python_version',
        'sys_platform == "win32" or (platform_system == "Linux" and os_name != "nt")',
        'sys_platform in "linux darwin"',
        'platform_machine not in "x86_64 AMD64"',
        'extra == "docs"',
        'python_full_version != "3.99.1" and implementation_name == "cpython"',
        'platform_python_implementation == "PyPy"',
        'python_version == "3.*"',
    ],
)
def test_markers_hold_as_packaging_says(marker: str) -> None:
    assert check.applies(marker) == Marker(marker).evaluate({"extra": ""})


@pytest.mark.parametrize(
    "marker",
    [
        "__import__('os').getcwd() == 'x'",
        "python_version",
        "x == 'y'",
        "1 < 2 < 3",
        "(",
        "not True",
    ],
)
def test_what_is_no_marker_is_not_understood(marker: str) -> None:
    with pytest.raises(check.NOT_UNDERSTOOD):
        check.applies(marker)


ODD = """\
# a comment
--index-url https://pypi.org/simple
numpy==1.26.4  # pinned
scikit_learn[extra] >= 1.0, \\
    < 1.2 ; python_version >= "3.0"
absent ; python_version < "3.0"
tqdm==4.66.0 --hash=sha256:0000 \\
    --hash=sha256:1111
gone (>=2.0)
git+https://example.org/a/b.git@main#egg=b
./local
weird ~= one
-r more/base.txt
"""


def rows(folder: Path) -> dict[str, str]:
    found = check.requirements(str(folder / "requirements.txt"))
    return {row["key"]: row.get("asked", row.get("unread")) for row in found}


def test_lines_are_read_as_pip_means_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(ODD)
    (tmp_path / "more" / "base.txt").write_text("scipy\n")
    assert rows(tmp_path) == {
        "requirements.txt:2": "not understood: --index-url https://pypi.org/simple",
        "numpy": "==1.26.4",
        "scikit-learn": ">=1.0,<1.2",
        "tqdm": "==4.66.0",
        "gone": ">=2.0",
        "requirements.txt:10": "not understood: git+https://example.org/a/b.git@main#egg=b",
        "requirements.txt:11": "not understood: ./local",
        "requirements.txt:12": "not understood: weird ~= one",
        "scipy": "",
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_encodings_of_other_systems(tmp_path: Path, encoding: str, newline: str) -> None:
    text = newline.join(["numpy==1.0", "scipy==2.0 \\", " # the end", "six==3.0 \\"])
    (tmp_path / "requirements.txt").write_bytes(text.encode(encoding))
    assert rows(tmp_path) == {"numpy": "==1.0", "scipy": "==2.0", "six": "==3.0"}


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six\n-r requirements.txt\n")
    assert "six" in rows(tmp_path)
    (tmp_path / "requirements.txt").write_text("six\n-r nowhere.txt\n")
    assert rows(tmp_path)["requirements.txt:2"] == "not understood: -r nowhere.txt"


@given(st.binary(max_size=200))
def test_no_file_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "requirements.txt"
    path.write_bytes(data)
    assert all("key" in row for row in check.requirements(str(path)))


def test_without_a_lock_the_requirements_speak(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "requirements.txt").write_text(
        "numpy<1.25\nscikit-learn==1.1.3\ntqdm\nnowhere>=1\n./wheel.whl\n"
    )
    done = project.plain()
    assert done.returncode == 0, done.stderr
    assert "numpy 1.26.4 is installed; requirements.txt:1 asks for <1.25." in done.stderr
    assert "nowhere is not installed; requirements.txt:4 asks for >=1." in done.stderr
    assert "skipped 'not understood: ./wheel.whl'" in done.stderr
    for name in ("scikit-learn", "tqdm"):
        assert "test_packages[%s]" % name in done.stderr
    done = project.plain(PROV_FAIL_ON="possible")
    assert done.returncode == 1
    assert "POSSIBLE: numpy" in done.stderr
    assert "FAILED (failures=1" in done.stderr
    assert project.plain(PROV_FAIL_ON="possible", PROV_ACCEPT="numpy").returncode == 0


def test_requirements_without_a_version_of_anything_compare_that_it_is_there(
    tmp_path: Path,
) -> None:
    project = Project(tmp_path)
    (tmp_path / "requirements.txt").write_text("./a\n-e .\n")
    assert "could be compared" in project.said()
    (tmp_path / "requirements.txt").write_text("tqdm\n")
    assert project.plain().returncode == 0
