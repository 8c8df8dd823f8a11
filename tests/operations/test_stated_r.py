"""What renv.lock, packrat.lock and DESCRIPTION state, against the R that is here."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.core.difference import BROKEN, POSSIBLE, UNKNOWN
from provenance.environments import installed_r
from provenance.environments.elsewhere import Installed, Release
from provenance.operations import stated_r
from provenance.operations.stated_r import compare_r, uses
from provenance.specs import formats
from provenance.specs.model import EXACTNESS, Fact, Source

R = shutil.which("R")
real_r = pytest.mark.skipif(R is None, reason="R is not installed (apt-get: r-base-core)")

LOCK = {
    "R": {
        "Version": "4.1.3",
        "Repositories": [{"Name": "CRAN", "URL": "https://cran.r-project.org"}],
    },
    "Bioconductor": {"Version": "3.14"},
    "Packages": {
        "MASS": {"Package": "MASS", "Version": "7.3-55", "Source": "Repository"},
        "Rcpp": {"Package": "Rcpp", "Version": "1.0.8", "Source": "Repository"},
        "thing": {
            "Package": "thing",
            "Version": "0.1.0",
            "Source": "GitHub",
            "RemoteType": "github",
            "RemoteHost": "api.github.com",
            "RemoteUsername": "some",
            "RemoteRepo": "thing",
            "RemoteSha": "0123456789abcdef0123456789abcdef01234567",
        },
    },
}


def facts(path: str, text: str) -> tuple[Fact, ...]:
    spec = formats.read(Source(path, text.encode()))
    assert not spec.unread, spec.unread
    return spec.facts


def an_r(tmp_path: Path, packages: dict[str, str], version: str = "4.1.3") -> dict[str, str]:
    """Make an R with ``packages``, each a version and more lines; return an environment for it."""
    home = tmp_path / "somewhere" / "R"
    for name, text in {"base": version, **packages}.items():
        folder = home / "library" / name
        folder.mkdir(parents=True)
        (folder / "DESCRIPTION").write_text("Package: %s\nVersion: %s\n" % (name, text))
    (tmp_path / "somewhere" / "bin").mkdir()
    script = tmp_path / "somewhere" / "bin" / "R"
    script.write_text("#!/bin/sh\nR_HOME_DIR=%s\nexit 97\n" % home)
    script.chmod(0o755)
    return {"PATH": str(script.parent), "HOME": str(tmp_path)}


THERE = {
    "MASS": "7.3.55",
    "Rcpp": "1.0.8",
    "BiocVersion": "3.14.0",
    "thing": "0.1.0\nRemoteSha: 0123456789abcdef0123456789abcdef01234567",
}


def test_quiet_after_a_restore(tmp_path: Path) -> None:
    stated = facts("renv.lock", json.dumps(LOCK))
    found = compare_r(stated, an_r(tmp_path, THERE), str(tmp_path))
    assert (found.equal, found.total, found.unit) == (5, 5, "R packages")
    assert found.differences == found.not_compared == ()


def test_each_difference_with_the_line_that_states_it(tmp_path: Path) -> None:
    text = json.dumps(LOCK, indent=1)
    there = {
        **THERE,
        "MASS": "7.3-58.1",
        "thing": "0.1.0\nRemoteSha: ffff456789abcdef0123456789abcdef01234567",
        "BiocVersion": "3.16.0",
    }
    del there["Rcpp"]
    environ = an_r(tmp_path, there, "4.2.0")
    (tmp_path / "fit.R").write_text("# library(MASS)\nx <- Rcpp::cppFunction('')\n")
    found = compare_r(facts("renv.lock", text), environ, str(tmp_path))
    told = {one.name: (one.kind, one.effect, one.old, one.new) for one in found.differences}
    assert told == {
        "R": ("version", UNKNOWN, "4.1.3", "4.2.0"),
        "Bioconductor": ("version", UNKNOWN, "3.14", "3.16"),
        "MASS": ("version", UNKNOWN, "7.3-55", "7.3-58.1"),
        "Rcpp": ("removed", BROKEN, "1.0.8", None),
        "thing": (
            "origin",
            UNKNOWN,
            "0.1.0",
            "ffff456789abcdef0123456789abcdef01234567",
        ),
    }
    assert {(one.facet, one.subject) for one in found.differences} == {("packages", "r")}
    line = text.splitlines()[int(found.differences[1].where[0].partition(":")[2]) - 1]
    assert '"MASS"' in line
    assert (found.equal, found.total) == (0, 5)


def test_without_r_nothing_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_r, "USUAL", ())
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    found = compare_r(facts("renv.lock", json.dumps(LOCK)), environ, str(tmp_path))
    assert (found.differences, found.total) == ((), 0)
    assert [(one.what, one.reason) for one in found.not_compared] == [
        ("5 R packages", "R is not installed here")
    ]


def test_a_project_that_was_not_restored_still_compares_r(tmp_path: Path) -> None:
    (tmp_path / ".Rprofile").write_text('source("renv/activate.R")\n')
    environ = an_r(tmp_path, THERE, "4.2.0")
    found = compare_r(facts("renv.lock", json.dumps(LOCK)), environ, str(tmp_path))
    assert [one.name for one in found.differences] == ["R"]
    assert found.not_compared[0].what == "4 R packages"
    assert "renv::restore()" in found.not_compared[0].reason


def test_conditions_of_a_description(tmp_path: Path) -> None:
    text = (
        "Package: mine\nVersion: 1.0\nDepends: R (>= 4.0), MASS (>= 7.3-60)\n"
        "Imports: Rcpp (>= 1.0.7),\n    stats, nothere\nSuggests: knitr\n"
    )
    environ = an_r(tmp_path, {"MASS": "7.3-55", "Rcpp": "1.0.8", "stats": "4.1.3"})
    found = compare_r(facts("DESCRIPTION", text), environ, str(tmp_path))
    assert {one.effect for one in found.differences} == {POSSIBLE}
    assert {one.name: (one.kind, one.old, one.new) for one in found.differences} == {
        "MASS": ("version", ">= 7.3-60", "7.3-55"),
        "nothere": ("removed", None, None),
    }
    assert {one.what: one.reason for one in found.not_compared} == {
        "stats": "no version is stated",
        "knitr": "optional, and not installed",
    }
    assert (found.equal, found.total) == (2, 4)


def test_packages_that_the_source_loads(tmp_path: Path) -> None:
    (tmp_path / "a.Rmd").write_text("```{r}\nlibrary('dplyr'); ggplot2::ggplot()\n```\n")
    (tmp_path / "b.r").write_text('if (!requireNamespace("zoo", quietly = TRUE)) stop()\n')
    (tmp_path / "c.py").write_text("library(not_r)\n")
    (tmp_path / "renv").mkdir()
    (tmp_path / "renv" / "activate.R").write_text("library(renv)\n")
    assert uses(str(tmp_path)) == {"dplyr", "ggplot2", "zoo"}


def test_other_facts_are_left_alone(tmp_path: Path) -> None:
    stated = facts("requirements.txt", "numpy==1.26.4\n")
    assert compare_r(stated, {"PATH": ""}, str(tmp_path)).not_compared == ()


def test_a_large_library_takes_no_time(tmp_path: Path) -> None:
    names = ["p%03d" % number for number in range(400)]
    environ = an_r(tmp_path, dict.fromkeys(names, "1.0\nDescription: %s" % ("x" * 2000)))
    packages = {name: {"Package": name, "Version": "1.0"} for name in names}
    stated = facts("renv.lock", json.dumps({"R": {"Version": "4.1.3"}, "Packages": packages}))
    began = time.process_time()
    assert compare_r(stated, environ, str(tmp_path)).equal == 401
    assert time.process_time() - began < 20


@real_r
def test_the_real_r_of_this_machine(tmp_path: Path) -> None:
    """A lock of what ``installed.packages`` says is the same; another version is told."""
    base = Path("/usr/lib/R/library/stats/DESCRIPTION")
    if not base.exists():
        pytest.skip("R stands at another place here")
    version = next(
        line.split()[1] for line in base.read_text().splitlines() if line.startswith("Version:")
    )
    packages = {"stats": {"Package": "stats", "Version": version}}
    lock = {"R": {"Version": version}, "Packages": packages}
    same = compare_r(facts("renv.lock", json.dumps(lock)), dict(os.environ), str(tmp_path))
    assert (same.equal, same.total, same.not_compared) == (2, 2, ())
    packages["jsonlite"] = {"Package": "jsonlite", "Version": "0.0.1"}
    other = compare_r(facts("renv.lock", json.dumps(lock)), dict(os.environ), str(tmp_path))
    assert [one.name for one in other.differences] == ["jsonlite"]


NUMBERS = st.text("0123456789.-<>=!, rc+", max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(
    version=NUMBERS,
    specifier=NUMBERS,
    url=st.text(max_size=12),
    exactness=st.sampled_from(EXACTNESS),
    here=st.sampled_from(("1.0", "1.0-2", "1.0.rc1", "7")),
)
def test_any_stated_version_gives_one_answer(
    tmp_path: Path, version: str, specifier: str, url: str, exactness: str, here: str
) -> None:
    fact = Fact("package", "x", exactness, "f:1", version, specifier, "r", url=url)
    release = {"x": Release(here, "0123456789")}
    told = stated_r._tell(fact, Installed("r", "4.1.0", release), frozenset())
    assert not (told.difference and told.reason)
    own = stated_r._tell(fact._replace(name="r"), Installed("r", "4.1.0", release), frozenset())
    assert not (own.difference and own.reason)
