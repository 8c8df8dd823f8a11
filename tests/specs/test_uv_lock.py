"""What uv.lock files state."""

import pytest

from provenance.specs import uv_lock
from provenance.specs.model import EXACT, NAMED, PLACED, Unreadable

from ._said import said, source, unread

LOCK = """\
version = 1
revision = 2
requires-python = ">=3.9"
resolution-markers = [
    "python_full_version >= '3.10'",
    "python_full_version < '3.10'",
]

[[package]]
name = "demo"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "numpy", version = "2.0.2", source = { registry = "https://pypi.org/simple" }, \
marker = "python_full_version < '3.10'" },
    { name = "numpy", version = "2.2.6", source = { registry = "https://pypi.org/simple" }, \
marker = "python_full_version >= '3.10'" },
    { name = "coverage", extra = ["toml"] },
    { name = "torch" },
    { name = "wheel" },
    { name = "local" },
]

[package.optional-dependencies]
cli = [{ name = "rich" }]

[package.dev-dependencies]
dev = [{ name = "pytest" }]
docs = [{ name = "rich" }, { name = "pytest" }]

[package.metadata]
requires-dist = [{ name = "numpy" }]

[[package]]
name = "numpy"
version = "2.0.2"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.10'"]
sdist = { url = "https://example.org/n.tar.gz", hash = "sha256:1" }

[[package]]
name = "numpy"
version = "2.2.6"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "Coverage"
version = "7.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://example.org/c.whl", hash = "sha256:%s", size = 1 }]

[package.optional-dependencies]
toml = [{ name = "tomli", marker = "python_full_version <= '3.11'" }]

[[package]]
name = "tomli"
version = "2.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "torch"
version = "2.1"
source = { git = "https://example.org/t.git?rev=main#0123abcd" }

[[package]]
name = "wheel"
version = "1"
source = { url = "https://example.org/w.whl" }

[[package]]
name = "local"
source = { directory = "../local" }

[[package]]
name = "rich"
version = "13"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]

[[package]]
name = "pytest"
version = "8"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "colorama"
version = "0.4"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "whole"
version = "0"
source = { virtual = "." }
""" % ("A" * 64)


def test_lock():
    spec = uv_lock.read(source(LOCK))
    assert said(spec) == [
        "3 python >=3.9",
        "9 demo ==0.1.0 @ .",
        "32 numpy ==2.0.2 ; python_full_version < '3.10'",
        "39 numpy ==2.2.6 ; python_full_version >= '3.10'",
        "44 coverage ==7.0",
        "53 tomli ==2.0 ; python_full_version <= '3.11'",
        "58 torch ==2.1 @ git+https://example.org/t.git@0123abcd",
        "63 wheel ==1 @ https://example.org/w.whl",
        "68 local  @ ../local",
        "72 rich ==13 [extra:cli,group:docs]",
        "78 pytest ==8 [group:dev,group:docs]",
        "83 colorama ==0.4 ; sys_platform == 'win32' [extra:cli,group:docs]",
    ]
    assert spec.complete
    assert spec.unread == spec.notes == ()
    by_name = {fact.name: fact for fact in spec.facts}
    assert by_name["coverage"].digest == "sha256:" + "a" * 64
    assert by_name["local"].exactness == by_name["demo"].exactness == PLACED
    assert by_name["rich"].exactness == EXACT


def test_workspaces_and_unknown_roots():
    text = """\
version = 1
[[package]]
name = "a"
version = "1"
source = { virtual = "a" }
dependencies = [{ name = "b" }]
[[package]]
name = "b"
version = "1"
source = { editable = "b" }
dependencies = [{ name = "c", marker = "os_name == 'nt'" }]
[[package]]
name = "c"
version = "1"
"""
    assert said(uv_lock.read(source(text))) == ["7 b ==1 @ b", "12 c ==1 ; os_name == 'nt'"]
    bare = text.replace("virtual", "registry").replace("editable", "registry")
    assert said(uv_lock.read(source(bare)))[2] == "12 c ==1"


@pytest.mark.parametrize(
    "package",
    [
        "1",
        "{name = 1}",
        "{name = 'a', source = 1, wheels = {}, sdist = [], dependencies = [1, {}]}",
        "{name = 'a', source = {editable = 1}, resolution-markers = 1}",
        "{name = 'a', source = {editable = '.'}, optional-dependencies = [1]}",
        "{name = 'a', source = {editable = '.'}, dependencies = [{name = 'a', extra = [1]}]}",
    ],
)
def test_packages_of_the_wrong_kind(package):
    spec = uv_lock.read(source("version = 1\npackage = [%s]" % package))
    assert len(spec.facts) + len(spec.unread) == 1
    assert all(fact.exactness in (NAMED, PLACED) for fact in spec.facts)


def test_other_versions_and_other_files():
    spec = uv_lock.read(source("version = 9\n[[package]]\nname = 'a'\nversion = '1'\n"))
    assert spec.notes == ("f:1: written for a later uv (version 9); read as version 1.",)
    assert unread(spec) == []
    with pytest.raises(Unreadable, match="no lock of uv"):
        uv_lock.read(source("[[package]]\nname = 'a'"))
