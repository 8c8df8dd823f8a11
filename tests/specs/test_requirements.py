"""What a requirements file states, line by line, and what becomes of each odd line."""

import pytest

from provenance.specs import requirements
from provenance.specs.model import (
    CUDA,
    EXACT,
    MOST_BYTES,
    NAMED,
    PLACED,
    PYTHON,
    RANGE,
    Source,
    Unreadable,
)

COMMIT = "0123456789012345678901234567890123456789"


def read(text):
    return requirements.read(Source("r.txt", text if isinstance(text, bytes) else text.encode()))


def only(text):
    spec = read(text)
    assert not spec.unread, spec.unread
    (fact,) = spec.facts
    assert fact.where == "r.txt:1"
    return fact


def brief(fact):
    """Return the members of a fact that are not as usual, without its kind and place."""
    usual = {"ecosystem": "pypi"}
    members = fact._asdict().items()
    return {
        k: v
        for k, v in members
        if v not in ("", (), -1) and k not in ("kind", "where") and usual.get(k) != v
    }


@pytest.mark.parametrize(
    ("text", "name", "exactness", "version", "specifier"),
    [
        ("numpy==1.26.4", "numpy", EXACT, "1.26.4", "==1.26.4"),
        ("Scikit_Learn >= 1.1, <1.2", "scikit-learn", RANGE, "", ">=1.1,<1.2"),
        ("matplotlib == 3.1.1", "matplotlib", EXACT, "3.1.1", "==3.1.1"),
        ("zope.interface", "zope-interface", NAMED, "", ""),
        ("aqtp!=0.1.1  # a comment", "aqtp", RANGE, "", "!=0.1.1"),
        ("gradio==3.50.*", "gradio", RANGE, "", "==3.50.*"),
        ("a===2004d", "a", EXACT, "2004d", "===2004d"),
        ("a~=1.4", "a", RANGE, "", "~=1.4"),
        ("a==v1.2", "a", EXACT, "1.2", "==v1.2"),
        ("a (>=1.0)", "a", RANGE, "", ">=1.0"),
        ("a==1.0,!=1.1", "a", EXACT, "1.0", "==1.0,!=1.1"),
        ("a==1.0,==2.0", "a", RANGE, "", "==1.0,==2.0"),
        ("a==1.0,>=2.0", "a", RANGE, "", "==1.0,>=2.0"),
        ("a===odd,>=2.0", "a", RANGE, "", "===odd,>=2.0"),
        ("a==1.0,", "a", EXACT, "1.0", "==1.0"),
        ("torch==1.13.1+cu117", "torch", EXACT, "1.13.1+cu117", "==1.13.1+cu117"),
        ("rdkit==2022.03.3", "rdkit", EXACT, "2022.03.3", "==2022.03.3"),
        ("a==1.0 --hash=sha256:AB --hash=sha256:cd", "a", EXACT, "1.0", "==1.0"),
        ("a==1 --global-option='--x y' --config-settings a=b", "a", EXACT, "1", "==1"),
        ("a==1.0 -f https://example.org/x.html", "a", EXACT, "1.0", "==1.0"),
    ],
)
def test_versions(text, name, exactness, version, specifier):
    fact = only(text)
    stated = (fact.name, fact.exactness, fact.version, fact.specifier)
    assert stated == (name, exactness, version, specifier)
    assert fact.digest == ""


def test_extras_markers_and_a_digest():
    text = "A[y, X_1] >= 2.8.1 ; python_version < '2.7' and extra == 'dev'"
    expected = {
        "name": "a",
        "exactness": RANGE,
        "specifier": ">=2.8.1",
        "extras": ("X_1", "y"),
        "marker": 'python_version < "2.7" and extra == "dev"',
    }
    assert brief(only(text)) == expected
    assert only("a==1 --hash=sha256:AB").digest == "sha256:ab"


@pytest.mark.parametrize(
    ("text", "name", "version", "url"),
    [
        ("git+https://example.org/o/Some_Repo.git", "some-repo", "", None),
        (
            "git+https://example.org/o/r@v1#egg=Real[x]",
            "real",
            "",
            "git+https://example.org/o/r@v1",
        ),
        ("-e git+https://h/o/r.git@%s#egg=a" % COMMIT, "a", "", "git+https://h/o/r.git@" + COMMIT),
        ("--editable=git+ssh://git@h/o/r.git", "r", "", "git+ssh://git@h/o/r.git"),
        ("git+https://h/o/r#egg=a&subdirectory=py", "a", "", "git+https://h/o/r#subdirectory=py"),
        (
            "git+https://h/o/r#subdirectory=py/Two",
            "two",
            "",
            "git+https://h/o/r#subdirectory=py/Two",
        ),
        ("-e git@h:o/r.git@main", "r", "", "git@h:o/r.git@main"),
        ("a@git+https://u:token@h/o/r.git@main", "a", "", "git+https://h/o/r.git@main"),
        ("a @ ${X}/a", "a", "", "${X}/a"),
        ("a @ file:///tmp/build/80754af9/a_1/work", "a", "", "file:///tmp/build/80754af9/a_1/work"),
        ("a @ https://h/a-1.0.zip ; python_version < '3'", "a", "1.0", "https://h/a-1.0.zip"),
        ("https://h/torch-1.7.1%2Bcu110-cp38-cp38-linux_x86_64.whl", "torch", "1.7.1+cu110", None),
        ("./wheels/foo_bar-1.0.tar.gz", "foo-bar", "1.0", "./wheels/foo_bar-1.0.tar.gz"),
        ("C:\\w\\foo-1.0-py3-none-any.whl", "foo", "1.0", "C:\\w\\foo-1.0-py3-none-any.whl"),
        ("https://github.com/o/r/archive/refs/tags/v1.2.tar.gz", "r", "", None),
        ("https://github.com/o/r/releases/download/v2/r-2.0.tar.gz", "r", "2.0", None),
        ("-e ./libs/foo[x]", "foo", "", "./libs/foo"),
        ("-e foo_dir", "foo-dir", "", "foo_dir"),
    ],
)
def test_places(text, name, version, url):
    fact = only(text)
    assert (fact.name, fact.version, fact.url) == (name, version, url or text)
    assert fact.specifier == ("==" + version if version else "")
    assert fact.exactness == (EXACT if version else PLACED)


def test_parts_of_places():
    fact = only("-e ./libs/foo[x] ; python_version >= '3.6'")
    assert (fact.extras, fact.marker) == (("x",), 'python_version >= "3.6"')
    assert not read("-e '.[dev, test]'").unread
    assert only("git+https://h/r#egg=a[b,c]").extras == ("b", "c")
    assert only("https://h/a-1.zip#sha256=AB").digest == "sha256:ab"


def test_what_people_are_told_about_places():
    spec = read("-e .\ngit+https://h/o/r\n-e .[dev]\na @ file:///x/work\n")
    assert spec.notes == (
        ". is installed from its own folder or address; no name and version are stated "
        "(r.txt:1, r.txt:3).",
        "A package's name is not stated; that of its repository, file or folder stands for it "
        "(r.txt:2).",
        "A repository is named without a commit: what it gives changes with time (r.txt:2).",
        "The entry names a folder of the machine that wrote the file, and no version: "
        "`pip list --format=freeze` writes versions (r.txt:4).",
    )
    assert not spec.unread


@pytest.mark.parametrize(
    ("text", "specifier", "word"),
    [
        ("a=1.2", "==1.2", "One ="),
        ("a=>1.2", ">=1.2", "=>"),
        ("a>=1 <2", ">=1,<2", "comma"),
        ("a==2004d", "===2004d", "PEP 440"),
        ("a==1.2.x", "==1.2.*", "wildcard"),
        ("a>=1.*", ">=1", "bound"),
        ("a>=1.0+cu1", ">=1.0", "bound"),
        ("a 1.19.2", "==1.19.2", "side by side"),
        ("a (1.19.2)", "==1.19.2", "side by side"),
        ("a (1.19.2, /home/me/a)", "==1.19.2", "side by side"),
        ("a: 1.19.2", "==1.19.2", "side by side"),
        ("a,1.19.2", "==1.19.2", "side by side"),
        ("a - v1.19.2", "==1.19.2", "side by side"),
        ("a 1.0+", ">=1.0", "or later"),
        ("a==1.0+", ">=1.0", "or later"),
        ("a 1.0 or newer", ">=1.0", "or later"),
        ("a-1.7.1", "==1.7.1", "dash"),
        ("a==1.0 or higher", ">=1.0", "or later"),
        ('"a==1.0",', "==1.0", "Quotes"),
        ("- a==1.0", "==1.0", "Quotes"),
        ("* a", "", "Quotes"),
        ("a==1.0;", "==1.0", "Quotes"),
    ],
)
def test_habits_that_pip_refuses(text, specifier, word):
    spec = read(text)
    (fact,) = spec.facts
    assert (fact.name, fact.specifier) == ("a", specifier)
    assert not spec.unread
    assert any(word in note and note.endswith("(r.txt:1).") for note in spec.notes)


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        ("a==1.0 (for python 3)", "a", "(for python 3)"),
        ("a == 1.0 (or b)", "a", "(or b)"),
        ("a>=1.0#c", "a", "#c"),
        ("a==1.0 ; platform == 'x'", "a", "platform == 'x'"),
        ("https://h/a-1.0.zip ;x", "a", "x"),
        ("a==${V}", "a", "==${V}"),
        ("a==latest", "a", "==latest"),
        ("a===", "a", "==="),
    ],
)
def test_entries_that_are_read_in_part(text, name, left):
    spec = read(text)
    assert [one.name for one in spec.facts] == [name]
    assert [(one.where, one.text) for one in spec.unread] == [("r.txt:1", left)]


def test_several_on_a_line():
    spec = read("torch==1.7.1+cu110 torchvision==0.8.2 -f https://h/x.html\na, b,c")
    stated = [(one.name, one.version, one.where) for one in spec.facts]
    assert stated == [
        ("torch", "1.7.1+cu110", "r.txt:1"),
        ("torchvision", "0.8.2", "r.txt:1"),
        ("a", "", "r.txt:2"),
        ("b", "", "r.txt:2"),
        ("c", "", "r.txt:2"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Please install these",
        "a - description of a",
        "(",
        "3.7",
        "http://example.org/page",
        "https://github.com/o/r",
        "<<<<<<< HEAD",
        "--bogus 3",
        "-r",
        "-r https://example.org/r.txt",
        "-r /home/me/r.txt",
        "-r C:\\r.txt",
        "-r ${X}/r.txt",
        "-r missing.txt",
        "apt-get install libfoo",
        "cd x && python setup.py install",
        "pip uninstall a",
        "a" * 5000,
        "a; " + "(" * 2000,
        "a==" + "1" * 5000,
    ],
)
def test_lines_that_state_nothing(text):
    spec = read("numpy\n" + text)
    assert [one.name for one in spec.facts] == ["numpy"]
    (unread,) = spec.unread
    assert unread.where == "r.txt:2"
    assert unread.why.endswith(".")
    assert len(unread.text) <= 100


def test_python_and_cuda_among_packages():
    spec = read(
        "# Python 3.7\npython>=3.6\npython==3.7.3\ncudatoolkit=10.1\n# tested with python: 3.8.1"
    )
    stated = [(one.kind, one.name, one.exactness, one.specifier, one.where) for one in spec.facts]
    assert stated == [
        (PYTHON, "python", RANGE, "==3.7.*", "r.txt:1"),
        (PYTHON, "python", RANGE, ">=3.6", "r.txt:2"),
        (PYTHON, "python", EXACT, "==3.7.3", "r.txt:3"),
        (CUDA, "cudatoolkit", RANGE, "==10.1.*", "r.txt:4"),
        (PYTHON, "python", EXACT, "==3.8.1", "r.txt:5"),
    ]


def test_options_state_where_to_look():
    text = """\
-i https://me:secret@example.org/simple
--extra-index-url https://example.org/more
--find-links=./wheels
--no-binary a,b
--no-index
--pre
--trusted-host example.org
--use-feature=fast-deps
--require-hashes
--prefer-binary
-Z
"""
    spec = read(text)
    assert spec.notes == (
        "Packages are looked for at https://example.org/simple (r.txt:1).",
        "Packages are looked for at https://example.org/more too (r.txt:2).",
        "Packages are looked for at ./wheels too (r.txt:3).",
        "Built from source, not taken as wheels: a,b (r.txt:4).",
        "No package index is used (--no-index) (r.txt:5).",
    )
    assert not spec.unread
    assert not spec.facts


def test_names_that_mean_others():
    spec = read("sklearn==0.0\nargparse\npkg_resources==0.0.0\nPyYAML==6.0\npyyaml==6.0.2\nb\nb\n")
    assert [one.name for one in spec.facts] == ["sklearn", "argparse", "pyyaml", "pyyaml", "b", "b"]
    assert spec.notes == (
        "pkg-resources is no package: pip on Debian and Ubuntu lists it by mistake (r.txt:3).",
        "sklearn is a name for what is installed as scikit-learn (r.txt:1).",
        "argparse is a module of Python itself (r.txt:2).",
        "pyyaml is stated twice and differently, which pip refuses (r.txt:4, r.txt:5).",
    )


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("name: x\ndependencies:\n- a\n", "environment.yml", 2),
        ("# c\n@EXPLICIT\nhttps://h/a-1-0.conda", "@EXPLICIT", 2),
        ('{"a": 1}', "JSON", 1),
        ("[packages]\na = 1\n", "TOML", 1),
        ("this is prose\n" * 1100, "no list", 1001),
        ("a\n" * 20_100, "no list", 20_001),
        ("\n" * 200_100, "lines", 0),
        (b"a" * (9 << 20), "bytes", 0),
    ],
)
def test_files_of_another_kind(text, word, line):
    with pytest.raises(Unreadable, match=word) as caught:
        read(text)
    assert caught.value.line == line
    assert len(text) < MOST_BYTES


@pytest.mark.parametrize(
    ("line", "version", "allowed"),
    [
        ("x==1.0", "1.0.0", True),
        ("x==1.0", "1.0.1", False),
        ("x>=1", "2.0rc1", True),
        ("x==2.1.0", "2.1.0+cu121", True),
        ("x", "0", True),
        ("x==1.0", "not a version", False),
        ("x===2004d", "2004d", True),
    ],
)
def test_allows(line, version, allowed):
    assert requirements.allows(only(line), version) is allowed


def test_applies():
    assert requirements.applies(only("x ; python_version >= '3'"))
    assert not requirements.applies(only("x ; python_version < '3'"))
    assert not requirements.applies(only("x ; extra == 'dev'"))
    assert requirements.applies(only("x")._replace(marker="no marker"))
