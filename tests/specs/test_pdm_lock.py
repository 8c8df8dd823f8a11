"""What pdm.lock and pylock.toml state."""

import pytest

from provenance.specs import pdm_lock, pylock
from provenance.specs.model import EXACT, PLACED, Unreadable

from ._said import said, source

PDM = """\
[metadata]
groups = ["default", "dev"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:abc"

[[metadata.targets]]
requires_python = ">=3.10"

[[package]]
name = "Coverage"
version = "7.4"
groups = ["dev"]
files = [{file = "c.whl", hash = "sha256:%s"}]

[[package]]
name = "coverage"
version = "7.4"
extras = ["toml"]
groups = ["dev"]
dependencies = ["coverage==7.4", "tomli; python_version < '3.11'"]

[[package]]
name = "tomli"
version = "2.0.1"
groups = ["default", "dev"]
marker = "python_version < '3.11'"

[[package]]
name = "mine"
version = "0.1"
git = "https://example.org/m.git"
ref = "main"
revision = "0123"
groups = ["default"]

[[package]]
name = "local"
version = "0.1"
path = "./local"
groups = ["docs", "dev"]

[[package]]
name = "extra-only"
version = "1"
extras = ["b", "a"]
groups = ["default"]
""" % ("d" * 64)


def test_pdm_with_metadata():
    spec = pdm_lock.read(source(PDM))
    assert said(spec) == [
        "8 python >=3.10",
        "10 coverage ==7.4 [group:dev]",
        "23 tomli ==2.0.1 ; python_version < '3.11'",
        "29 mine ==0.1 @ git+https://example.org/m.git@0123",
        "37 local ==0.1 @ ./local [group:docs,group:dev]",
        "43 extra-only ==1 {a,b}",
    ]
    assert spec.complete
    assert spec.facts[1].digest == "sha256:" + "d" * 64
    assert [fact.exactness for fact in spec.facts[3:5]] == [PLACED, PLACED]


def test_pdm_without_metadata():
    text = """\
[metadata]
lock_version = "4.3"
[[package]]
name = "click"
version = "8"
dependencies = ["colorama>=0.4; platform_system == \\"Windows\\"", "not one !"]
[[package]]
name = "colorama"
version = "0.4"
[metadata.files]
"click 8" = [{file = "c.whl", hash = "sha256:%s"}]
""" % ("e" * 64)
    spec = pdm_lock.read(source(text))
    assert said(spec) == ["3 click ==8", '7 colorama ==0.4 ; platform_system == "Windows"']
    assert spec.facts[0].digest == "sha256:" + "e" * 64


PYLOCK = """\
lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = "==3.12.*"
created-by = "a tool"

[[packages]]
name = "attrs"
version = "25.1.0"
requires-python = ">=3.8"
wheels = [
  {name = "attrs.whl", url = "https://example.org/a.whl", hashes = {sha256 = "%s"}},
]
[[packages.attestation-identities]]
kind = "x"

[[packages]]
name = "numpy"
version = "2.2.3"
marker = "'dev' in dependency_groups"
[packages.sdist]
name = "n.tar.gz"
hashes = {sha256 = "%s"}
[[packages.wheels]]
name = "n.whl"
[packages.wheels.hashes]
sha256 = "%s"

[[packages]]
name = "mine"
[packages.vcs]
type = "git"
url = "https://example.org/m.git"
requested-revision = "main"
commit-id = "0123"
subdirectory = "py"

[[packages]]
name = "here"
directory = {path = "../here", editable = true}

[[packages]]
name = "file"
version = "1"
archive = {url = "https://example.org/f.zip", hashes = {md5 = "%s", sha256 = "%s"}}
""" % ("1" * 64, "2" * 64, "3" * 64, "4" * 32, "5" * 64)


def test_pylock():
    spec = pylock.read(source(PYLOCK))
    assert said(spec) == [
        "3 python ==3.12.*",
        "6 attrs ==25.1.0",
        "16 numpy ==2.2.3 ; 'dev' in dependency_groups",
        "28 mine  @ git+https://example.org/m.git@0123#subdirectory=py",
        "37 here  @ ../here",
        "41 file ==1 @ https://example.org/f.zip",
    ]
    digests = [fact.digest for fact in spec.facts[1:]]
    assert digests == ["sha256:" + "1" * 64, "", "", "", "sha256:" + "5" * 64]
    assert spec.facts[1].exactness == EXACT
    assert spec.complete
    assert spec.notes == ()


def test_pylock_of_another_version():
    spec = pylock.read(source("lock-version = '2.0'\n[[packages]]\nname = 'a'\nversion = '1'"))
    assert spec.notes == ("f:1: lock-version 2.0 is not known; read as 1.0.",)


@pytest.mark.parametrize("package", ["1", "{}", "{name = 'a', vcs = 1, wheels = 1, archive = 1}"])
def test_packages_of_the_wrong_kind(package):
    spec = pylock.read(source("lock-version = '1.0'\npackages = [%s]" % package))
    assert len(spec.facts) + len(spec.unread) == 1
    package = package.replace("vcs", "groups = 3, files = 4, extras = 5, dependencies")
    spec = pdm_lock.read(source("package = [%s]\nmetadata = {targets = [1]}" % package))
    assert len(spec.facts) + len(spec.unread) == 1


def test_other_files():
    with pytest.raises(Unreadable, match="no lock of pdm"):
        pdm_lock.read(source("x = 1"))
    with pytest.raises(Unreadable, match=r"no pylock\.toml"):
        pylock.read(source("lock-version = 1"))
