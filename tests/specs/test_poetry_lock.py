"""What poetry.lock files of all lock-versions state."""

import pytest

from provenance.specs import poetry_lock
from provenance.specs.model import EXACT, PLACED, Unreadable

from ._said import said, source, unread

OLD = """\
[[package]]
name = "Colorama"
version = "0.4.4"
description = "x"
category = "main"
optional = false
python-versions = ">=2.7"

[[package]]
name = "torch"
version = "1.6.0"
category = "main"
optional = false
python-versions = ">=3.6.1"

[package.dependencies]
numpy = "*"
colorama = {version = ">=0.4", markers = "sys_platform == \\"win32\\""}

[[package]]
name = "numpy"
version = "1.19.2"
category = "main"
optional = false
marker = "python_version < '4'"
python-versions = ">=3.6"

[[package]]
name = "pytest"
version = "5.4.3"
category = "dev"
optional = false

[[package]]
name = "pyqt5"
version = "5.15.0"
category = "main"
optional = true
[package.dependencies]
pyqt5-sip = ">=12"

[[package]]
name = "pyqt5-sip"
version = "12.8"
category = "main"
optional = true

[[package]]
name = "alone"
version = "1"
category = "main"
optional = true

[extras]
gui = ["pyqt5"]
all = ["pyqt5", "alone"]

[metadata]
lock-version = "1.1"
python-versions = "^3.7"
content-hash = "abc"

[metadata.files]
colorama = [{file = "c.whl", hash = "sha256:%s"}]
numpy = [
    {file = "n.whl", hash = "sha256:%s"},
    {file = "n.tar.gz", hash = "sha256:%s"},
]
""" % ("a" * 64, "b" * 64, "c" * 64)


def test_version_1():
    spec = poetry_lock.read(source(OLD))
    assert said(spec) == [
        "60 python >=3.7,<4.0",
        '1 colorama ==0.4.4 ; sys_platform == "win32"',
        "9 torch ==1.6.0",
        "20 numpy ==1.19.2 ; python_version < '4'",
        "28 pytest ==5.4.3 [group:dev]",
        "34 pyqt5 ==5.15.0 [extra:gui,extra:all]",
        "42 pyqt5-sip ==12.8 [extra:gui,extra:all]",
        "48 alone ==1 [extra:all]",
    ]
    assert spec.complete
    assert [fact.digest for fact in spec.facts[1:4]] == ["sha256:" + "a" * 64, "", ""]
    assert {fact.exactness for fact in spec.facts[1:]} == {EXACT}


TWO = """\
[[package]]
name = "isort"
version = "5.13.2"
optional = false
files = []
[package.dependencies]
colorama = {version = ">=0.4.6", optional = true, markers = "extra == \\"colors\\""}

[[package]]
name = "colorama"
version = "0.4.6"
optional = false

[[package]]
name = "numpy"
version = "1.24.4"
optional = false

[[package]]
name = "numpy"
version = "2.0.2"
optional = false

[[package]]
name = "pandas"
version = "2.0.3"
optional = false
[package.dependencies]
numpy = [
    {version = ">=1.20,<2", markers = "python_version < \\"3.10\\""},
    {version = ">=2", markers = "python_version >= \\"3.10\\""},
]
tomli = {version = "*", markers = "python_version < \\"3.11\\""}

[[package]]
name = "tomli"
version = "2.0.1"
optional = false

[[package]]
name = "mine"
version = "0.1.0"
optional = false
[package.source]
type = "git"
url = "https://example.org/mine.git"
reference = "main"
resolved_reference = "0123abc"
subdirectory = "py"

[[package]]
name = "local"
version = "0.1.0"
optional = false
[package.source]
type = "directory"
url = "../local"

[[package]]
name = "private"
version = "3.0"
optional = false
[package.source]
type = "legacy"
url = "https://example.org/simple"
reference = "ours"

[metadata]
lock-version = "2.0"
python-versions = "*"
"""


def test_version_2_without_its_project():
    spec = poetry_lock.read(source(TWO))
    assert said(spec) == [
        "1 isort ==5.13.2",
        "9 colorama ==0.4.6",
        '14 numpy ==1.24.4 ; python_version < "3.10"',
        '19 numpy ==2.0.2 ; python_version >= "3.10"',
        "24 pandas ==2.0.3",
        '35 tomli ==2.0.1 ; python_version < "3.11"',
        "40 mine ==0.1.0 @ git+https://example.org/mine.git@0123abc#subdirectory=py",
        "51 local ==0.1.0 @ ../local",
        "59 private ==3.0",
    ]
    assert [fact.exactness for fact in spec.facts[-3:]] == [PLACED, PLACED, EXACT]


PROJECT = """\
[tool.poetry.dependencies]
pandas = "^2"
mine = {git = "https://example.org/mine.git"}
private = "*"
local = {path = "../local"}
[tool.poetry.group.dev.dependencies]
isort = {version = "*", extras = ["colors"]}
tomli = "*"
"""


def test_version_2_beside_its_project():
    spec = poetry_lock.read(source(TWO, "sub/poetry.lock", pyproject__toml=PROJECT))
    assert said(spec)[:6] == [
        "1 isort ==5.13.2 [group:dev]",
        "9 colorama ==0.4.6 [group:dev]",
        '14 numpy ==1.24.4 ; python_version < "3.10"',
        '19 numpy ==2.0.2 ; python_version >= "3.10"',
        "24 pandas ==2.0.3",
        '35 tomli ==2.0.1 ; python_version < "3.11"',
    ]
    assert spec.included == ("sub/pyproject.toml",)


NEWEST = """\
[[package]]
name = "a"
version = "1"
optional = false
groups = ["main", "dev"]
markers = "os_name == 'nt'"
[package.dependencies]
b = ">1"

[[package]]
name = "b"
version = "2"
optional = false
groups = ["dev", "docs"]
markers = {dev = "os_name == 'nt'", docs = "os_name == 'posix'"}

[[package]]
name = "c"
version = "3"
optional = true
groups = ["main"]
markers = "extra == 'x'"

[extras]
x = ["c"]

[metadata]
lock-version = "2.1"
python-versions = ">=3.9 || nonsense"
"""


def test_version_2_1():
    spec = poetry_lock.read(source(NEWEST))
    assert said(spec) == [
        "1 a ==1 ; os_name == 'nt'",
        "10 b ==2 ; os_name == 'nt' or os_name == 'posix' [group:dev,group:docs]",
        "17 c ==3 ; extra == 'x' [extra:x]",
    ]
    assert unread(spec) == [(29, ">=3.9 || nonsense")]


def test_no_lock():
    with pytest.raises(Unreadable, match="no lock of poetry"):
        poetry_lock.read(source("[x]\ny = 1"))
    spec = poetry_lock.read(source("package = []\n[metadata]\n"))
    assert spec.notes == ("f:1 states no package and no version of a language.",)
    assert not spec.complete


@pytest.mark.parametrize(
    "package",
    [
        "1",
        "{}",
        "{name = 1}",
        "{name = 'a', version = 1, source = 2, files = 3, dependencies = 4}",
        "{name = 'a', source = {type = 1}, files = [1], dependencies = {b = 1, c = [[1]]}}",
        "{name = 'a', groups = 1, markers = [1], optional = 'x', category = 3}",
    ],
)
def test_packages_of_the_wrong_kind(package):
    text = "package = [%s]\n[metadata]\nfiles = 1\n[extras]\na = 1\nb = [1, 'x']\n" % package
    spec = poetry_lock.read(source(text))
    assert len(spec.facts) + len(spec.unread) == 1
    assert {one.where for one in (*spec.facts, *spec.unread)} == {"f:1"}


def test_packages_that_need_each_other_in_many_ways():
    many = "".join(
        '[[package]]\nname = "p%d"\nversion = "1"\n[package.dependencies]\n%s\n'
        % (n, "\n".join("p%d = {markers = \"os_name == '%d'\"}" % (m, m * n) for m in range(60)))
        for n in range(60)
    )
    spec = poetry_lock.read(source(many + "[metadata]\n"))
    assert len(spec.facts) == 60
    assert all(len(fact.marker) < 1000 for fact in spec.facts)
