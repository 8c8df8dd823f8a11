"""Tables and other output of programs in files named as requirements; when a file is complete."""

import pytest

from provenance.specs import requirements
from provenance.specs.model import CUDA, EXACT, PACKAGE, PLATFORM, PYTHON, RANGE, Source


def read(text):
    return requirements.read(Source("r.txt", text.encode()))


def rows(spec):
    return [(one.name, one.version, one.ecosystem, one.build, one.where) for one in spec.facts]


PIP_LIST = """\
(base) me@host:~$ pip list
DEPRECATION: Python 2.7 will reach the end of its life
Package    Version      Editable project location
---------- ------------ -------------------------
absl-py    0.15.0
apex       0.1          /home/me/apex dir
torch      1.8.1+cu111  pip
odd        1.0-custom

[notice] A new release of pip is available: 23.0 -> 24.0
"""


def test_pip_list():
    spec = read(PIP_LIST)
    assert (spec.format, spec.complete, spec.unread) == ("pip list", True, ())
    assert rows(spec) == [
        ("absl-py", "0.15.0", "pypi", "", "r.txt:5"),
        ("apex", "0.1", "pypi", "", "r.txt:6"),
        ("torch", "1.8.1+cu111", "pypi", "", "r.txt:7"),
        ("odd", "1.0-custom", "pypi", "", "r.txt:8"),
    ]
    assert [one.url for one in spec.facts] == ["", "/home/me/apex dir", "", ""]
    assert spec.facts[3].specifier == "===1.0-custom"
    assert spec.notes == (
        "Taken as complete: it is a table of all that was installed; exact entries: 4 of 4.",
        "A program's command or message among the entries was passed over "
        "(r.txt:1, r.txt:2, r.txt:10).",
    )


def test_pip_list_of_old():
    spec = read("absl-py (0.1.10)\nmine (1.0, /home/me/mine)\n")
    assert [one[:2] for one in rows(spec)] == [("absl-py", "0.1.10"), ("mine", "1.0")]
    assert not spec.complete


CONDA_LIST = """\
# packages in environment at /home/me/anaconda3/envs/x:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                        main
absl-py                   0.13.0                   pypi_0    pypi
apex                      0.1                       <pip>
cudatoolkit               10.1.243             h6bb024c_0
python                    3.7.10               h12debd9_4    conda-forge
"""


def test_conda_list():
    spec = read(CONDA_LIST)
    assert (spec.format, spec.complete, spec.unread) == ("conda list", True, ())
    assert rows(spec) == [
        ("_libgcc_mutex", "0.1", "conda", "main", "r.txt:4"),
        ("absl-py", "0.13.0", "pypi", "", "r.txt:5"),
        ("apex", "0.1", "pypi", "", "r.txt:6"),
        ("cudatoolkit", "10.1.243", "conda", "h6bb024c_0", "r.txt:7"),
        ("python", "3.7.10", "conda", "h12debd9_4", "r.txt:8"),
    ]
    assert [one.kind for one in spec.facts] == [PACKAGE, PACKAGE, PACKAGE, CUDA, PYTHON]
    assert spec.facts[4].channel == "conda-forge"


def test_list_of_micromamba():
    text = (
        'List of packages in environment: "/home/me/micromamba"\n\n'
        "  Name    Version  Build            Channel\n"
        "─────────────────────────────────────────────\n"
        "  numpy   1.26.4   py310hb13e2d6_0  conda-forge\n"
    )
    spec = read(text)
    assert (spec.format, spec.complete, spec.unread) == ("conda list", True, ())
    assert rows(spec) == [("numpy", "1.26.4", "conda", "py310hb13e2d6_0", "r.txt:5")]


def test_rows_of_conda_without_a_head():
    spec = read("numpy 1.19.2 py37h54aff64_0\nscipy 1.5 py37_1 defaults\n")
    assert [one[:4] for one in rows(spec)] == [
        ("numpy", "1.19.2", "conda", "py37h54aff64_0"),
        ("scipy", "1.5", "conda", "py37_1"),
    ]
    assert not spec.complete


CONDA_EXPORT = """\
# This file may be used to create an environment using:
# $ conda create --name <env> --file <this file>
# platform: linux-64
_libgcc_mutex=0.1=main
absl-py=0.13.0=pypi_0
cudatoolkit=10.1.243=h6bb024c_0
python=3.7.10=h12debd9_4
"""


def test_conda_export():
    spec = read(CONDA_EXPORT)
    assert (spec.format, spec.complete, spec.unread) == ("conda list --export", True, ())
    assert rows(spec) == [
        ("linux-64", "", "conda", "", "r.txt:3"),
        ("_libgcc_mutex", "0.1", "conda", "main", "r.txt:4"),
        ("absl-py", "0.13.0", "pypi", "", "r.txt:5"),
        ("cudatoolkit", "10.1.243", "conda", "h6bb024c_0", "r.txt:6"),
        ("python", "3.7.10", "conda", "h12debd9_4", "r.txt:7"),
    ]
    kinds = [one.kind for one in spec.facts]
    assert kinds == [PLATFORM, PACKAGE, PACKAGE, CUDA, PYTHON]


def test_single_equals_is_as_loose_as_conda_means_it():
    spec = read(CONDA_EXPORT + "numpy=1.19\n")
    last = spec.facts[-1]
    assert (last.exactness, last.specifier, last.ecosystem) == (RANGE, "=1.19", "conda")
    assert not spec.complete
    alone = read("a=1\nb=2\nc=3.0\nd=4\npytorch-cuda=11.8\nnumpy\n")
    assert [one.ecosystem for one in alone.facts] == ["conda"] * 5 + ["pypi"]
    assert alone.facts[4].kind == CUDA
    assert read("a=1\nb==2\n").facts[0].ecosystem == "pypi"


FREEZE = """\
brotlipy @ file:///home/conda/feedstock_root/build_artifacts/brotlipy_1602657270830/work
certifi==2020.6.20
## The following requirements were added by pip freeze:
# Editable install with no version control (foo==0.1)
-e /home/me/foo
# Editable Git install with no remote (bar===odd)
-e /home/me/bar
-e git+https://h/o/r@0123456789012345678901234567890123456789#egg=r
"""


def test_freeze_with_what_it_says_in_comments():
    spec = read(FREEZE)
    assert [(one.name, one.exactness, one.version, one.url) for one in spec.facts[2:4]] == [
        ("foo", EXACT, "0.1", "/home/me/foo"),
        ("bar", EXACT, "odd", "/home/me/bar"),
    ]
    assert not spec.unread
    assert not spec.complete


PINS = "".join("name%d==1.%d\n" % (n, n) for n in range(25))


ALL, NOT_ALL = "Taken as complete", "Not taken as complete"
COMMIT = "a" * 40


@pytest.mark.parametrize(
    ("text", "form", "note"),
    [
        (PINS, "pip freeze", ALL),
        (PINS + "-e git+https://h/o/r@%s#egg=r" % COMMIT, "pip freeze", ALL),
        (PINS + "pkg-resources==0.0.0\npython==3.7\n", "pip freeze", ALL),
        (PINS + "other\n", "requirements.txt", NOT_ALL),
        (PINS + "so it is\n", "requirements.txt", NOT_ALL),
        (PINS + "git+https://h/o/r@main#egg=r", "requirements.txt", NOT_ALL),
        (PINS[:-14], "requirements.txt", ""),
        (PINS + PINS.replace("==", ">="), "requirements.txt", ""),
        ("a==1 --hash=sha256:a\nb==2 \\\n --hash=sha256:b", "requirements.txt", ALL),
        ("a==1 --hash=sha256:a\nb==2", "requirements.txt", ""),
        ("", "requirements.txt", ""),
    ],
)
def test_complete(text, form, note):
    spec = read(text)
    assert (spec.format, spec.complete) == (form, note == ALL)
    assert "".join(spec.notes[:1]).startswith(note)


def test_output_of_resolvers():
    spec = read(
        "#\n# This file is autogenerated by pip-compile with Python 3.8\n#\n"
        "absl-py==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via x\nsix==1.16\n"
    )
    assert (spec.complete, spec.format) == (True, "requirements.txt")
    assert [(one.kind, one.specifier, one.where) for one in spec.facts] == [
        (PYTHON, "==3.8.*", "r.txt:2"),
        (PACKAGE, "==1.0", "r.txt:4"),
        (PACKAGE, "==1.16", "r.txt:8"),
    ]
    spec = read(
        "# This file was autogenerated by uv via the following command:\n"
        "#    uv pip compile --python-version 3.10 requirements.in -o requirements.txt\n"
        "absl-py==1.0\n    # via x\n"
    )
    assert spec.complete
    assert spec.facts[0].specifier == "==3.10.*"
