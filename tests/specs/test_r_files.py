"""What renv.lock, DESCRIPTION and packrat.lock state."""

import json

import pytest

from provenance.specs import description, packrat_lock, renv_lock
from provenance.specs.model import EXACT, NAMED, PLACED, PLATFORM, RANGE, R, Unreadable

from ._said import said, source, unread

RENV = {
    "R": {
        "Version": "4.1.2",
        "Repositories": [{"Name": "CRAN", "URL": "https://example.org/cran"}],
    },
    "Bioconductor": {"Version": "3.14"},
    "Packages": {
        "dplyr": {
            "Package": "dplyr",
            "Version": "1.0.7",
            "Source": "Repository",
            "Repository": "CRAN",
            "Hash": "36f1ae62f026c8ba9f9b5c9a08c03297",
        },
        "limma": {"Package": "limma", "Version": "3.50.0", "Source": "Bioconductor"},
        "mine": {
            "Package": "mine",
            "Version": "0.1.0",
            "Source": "GitHub",
            "RemoteType": "github",
            "RemoteHost": "api.github.com",
            "RemoteUsername": "someone",
            "RemoteRepo": "mine",
            "RemoteRef": "HEAD",
            "RemoteSha": "0123",
            "RemoteSubdir": "r",
        },
        "local": {"Version": "1", "Source": "Local", "RemoteUrl": "./local_1.tar.gz"},
        "bare": {},
        "odd": 3,
    },
}


def test_renv():
    spec = renv_lock.read(source(json.dumps(RENV, indent=2)))
    assert said(spec) == [
        "3 r ==4.1.2",
        "12 bioconductor ==3.14",
        "15 dplyr ==1.0.7",
        "22 limma ==3.50.0",
        "27 mine ==0.1.0 @ git+https://github.com/someone/mine@0123#subdirectory=r",
        "39 local ==1 @ ./local_1.tar.gz",
        "44 bare",
    ]
    assert unread(spec) == [(45, "3")]
    assert {fact.ecosystem for fact in spec.facts} == {R}
    assert [fact.channel for fact in spec.facts[2:5]] == ["CRAN", "Bioconductor", ""]
    levels = [fact.exactness for fact in spec.facts]
    assert levels == [EXACT, EXACT, EXACT, EXACT, PLACED, PLACED, NAMED]
    assert spec.facts[1].kind == PLATFORM
    assert spec.complete


@pytest.mark.parametrize("value", ["{}", "[]", '{"R": 1}', '{"Packages": []}', '{"R": {}', "x"])
def test_no_renv(value):
    with pytest.raises(Unreadable):
        renv_lock.read(source(value))


DESCRIPTION = """\
Package: mypaper
Title: A paper
    in two lines
Version: 0.1.0
Depends:
    R (>= 3.5.0),
    methods
Imports: dplyr (>= 1.0.0), ggplot2
    (== 3.3.5),
  Matrix(<1.4-0),
Suggests: testthat, 3bad
Remotes: someone/mine@v1
"""


def test_description():
    spec = description.read(source(DESCRIPTION))
    assert said(spec) == [
        "6 r >= 3.5.0",
        "7 methods",
        "8 dplyr >= 1.0.0",
        "8 ggplot2 == 3.3.5",
        "10 Matrix < 1.4-0",
        "11 testthat [group:suggests]",
    ]
    assert unread(spec) == [(11, "3bad"), (12, "someone/mine@v1")]
    levels = [fact.exactness for fact in spec.facts]
    assert levels == [RANGE, NAMED, RANGE, EXACT, RANGE, NAMED]
    assert spec.facts[3].version == "3.3.5"


@pytest.mark.parametrize("text", ["", "x", "Some: text\nOther: one", "\n\n  Package: a"])
def test_no_description(text):
    with pytest.raises(Unreadable, match="fields of a DESCRIPTION"):
        description.read(source(text))


PACKRAT = """\
PackratFormat: 1.4
PackratVersion: 0.5.0
RVersion: 3.6.1
Repos: CRAN=https://example.org/cran

Package: BH
Source: CRAN
Version: 1.69.0-1
Hash: 0fde015f5153e51df44981da0767f522

Package: mine
Source: github
Version: 0.1.0
Requires: BH,
    Rcpp
GithubRepo: mine
GithubUsername: someone
GithubSha1: 0123

Version: 1
"""


def test_packrat():
    spec = packrat_lock.read(source(PACKRAT))
    assert said(spec) == [
        "3 r ==3.6.1",
        "6 BH ==1.69.0-1",
        "11 mine ==0.1.0 @ git+https://github.com/someone/mine@0123",
    ]
    assert unread(spec) == [(20, "Version")]
    assert spec.complete
    with pytest.raises(Unreadable, match="no lock of packrat"):
        packrat_lock.read(source(DESCRIPTION))
