"""R's libraries, read as R itself finds them: held against a real R where one is here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.environments import _renviron, installed_r

R = shutil.which("R")
real_r = pytest.mark.skipif(R is None, reason="R is not installed (apt-get: r-base-core)")


def package(library: Path, name: str, version: str, more: str = "") -> Path:
    """Write what an installed package has of interest: its DESCRIPTION."""
    folder = library / name
    folder.mkdir(parents=True)
    text = "Package: %s\nTitle: What\n  Version: 9.9 is no field\nVersion: %s\n%s"
    (folder / "DESCRIPTION").write_text(text % (name, version, more))
    return folder


def r_home(place: Path, version: str = "4.1.3") -> Path:
    """Write an R of which only what is read is there, with a script on a PATH of its own."""
    package(place / "library", "base", version, "Priority: base\n")
    (place / "etc").mkdir()
    (place / "etc" / "Renviron").write_text(
        "R_PLATFORM=${R_PLATFORM-'x86_64-pc-linux-gnu'}\n"
        "R_LIBS_USER=${R_LIBS_USER-'~/R/x86_64-pc-linux-gnu-library/4.1'}\n"
        "#R_LIBS_USER=${R_LIBS_USER-'~/Library/R/4.1/library'}\n"
    )
    programs = place.parent / "bin"
    programs.mkdir()
    script = "#!/bin/sh\n# Shell wrapper for R executable.\n\nR_HOME_DIR=%s\nexit 97\n" % place
    (programs / "R").write_text(script)
    (programs / "R").chmod(0o755)
    return programs


def test_no_r_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_r, "USUAL", ())
    found = installed_r.look({"PATH": str(tmp_path), "HOME": str(tmp_path)}, str(tmp_path))
    assert found.missing == "R is not installed here"
    assert (found.version, found.packages) == ("", {})


def test_the_script_on_path_names_the_home_and_is_not_run(tmp_path: Path) -> None:
    programs = r_home(tmp_path / "here" / "R")
    home = tmp_path / "home"
    user = home / "R" / "x86_64-pc-linux-gnu-library" / "4.1"
    package(user, "MASS", "7.3-58.1", "Repository: CRAN\n")
    package(tmp_path / "here" / "R" / "library", "MASS", "7.3-55")
    package(tmp_path / "here" / "R" / "site-library", "Rcpp", "1.0.8")
    found = installed_r.look({"PATH": str(programs), "HOME": str(home)}, str(tmp_path / "here"))
    assert found.version == "4.1.3"
    assert found.packages["MASS"].version == "7.3-58.1", "the user's library comes first"
    assert found.packages["MASS"].origin == "CRAN"
    assert found.packages["Rcpp"].version == "1.0.8", "found in the site library"


def test_where_a_package_of_github_came_from(tmp_path: Path) -> None:
    programs = r_home(tmp_path / "R")
    more = "RemoteType: github\nRemoteUsername: some\nRemoteRepo: thing\nRemoteSha: %s\n" % (
        "0123456789abcdef0123456789abcdef01234567"
    )
    package(tmp_path / "lib", "thing", "0.0.0.9000", more)
    package(tmp_path / "lib", "plain", "1.2", "RemoteType: standard\nRemoteSha: 1.2\n")
    environ = {"PATH": str(programs), "R_LIBS": "lib:nowhere"}
    found = installed_r.look(environ, str(tmp_path)).packages
    assert found["thing"].revision == "0123456789abcdef0123456789abcdef01234567"
    assert found["thing"].origin == "some/thing"
    assert found["plain"].revision == "", "pak writes the version there"


@pytest.mark.parametrize(
    "library",
    ["renv/library/R-4.1/x86_64-pc-linux-gnu", "renv/library/linux-ubuntu-jammy/R-4.1/x86_64"],
)
def test_a_library_of_renv_hides_the_others(tmp_path: Path, library: str) -> None:
    programs = r_home(tmp_path / "here" / "R")
    project = tmp_path / "project"
    package(project / library, "jsonlite", "1.7.0")
    package(project / "renv" / "library" / "R-3.6" / "x86_64-pc-linux-gnu", "jsonlite", "1.6")
    package(tmp_path / "here" / "R" / "site-library", "Rcpp", "1.0.8")
    found = installed_r.look({"PATH": str(programs)}, str(project))
    assert {name: one.version for name, one in found.packages.items()} == {
        "jsonlite": "1.7.0",
        "base": "4.1.3",
    }


def test_packages_that_renv_links_from_its_cache_count(tmp_path: Path) -> None:
    programs = r_home(tmp_path / "here" / "R")
    cached = package(tmp_path / "cache", "jsonlite", "1.8.0")
    library = tmp_path / "project" / "renv" / "library" / "R-4.1" / "x86_64-pc-linux-gnu"
    library.mkdir(parents=True)
    (library / "jsonlite").symlink_to(cached)
    (library / "gone").symlink_to(tmp_path / "nowhere")
    found = installed_r.look({"PATH": str(programs)}, str(tmp_path / "project"))
    assert found.packages["jsonlite"].version == "1.8.0"
    assert "gone" not in found.packages


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ('source("renv/activate.R")\n', "renv::restore()"),
        ('  source("packrat/init.R")\n', "packrat::restore()"),
        ('# source("renv/activate.R")\n', ""),
    ],
)
def test_a_project_whose_library_is_not_here(tmp_path: Path, profile: str, said: str) -> None:
    programs = r_home(tmp_path / "here" / "R")
    (tmp_path / ".Rprofile").write_text("options(digits = 3)\n" + profile)
    found = installed_r.look({"PATH": str(programs)}, str(tmp_path))
    assert (said in found.missing) if said else not found.missing
    assert found.version == "4.1.3"


def test_a_library_of_packrat(tmp_path: Path) -> None:
    programs = r_home(tmp_path / "here" / "R")
    package(tmp_path / "packrat" / "lib" / "x86_64-pc-linux-gnu" / "4.1.3", "digest", "0.6.29")
    found = installed_r.look({"PATH": str(programs)}, str(tmp_path))
    assert found.packages["digest"].version == "0.6.29"


def test_the_version_from_the_header_where_there_is_no_description(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "Rversion.h").write_text(
        '#define R_VERSION 262915\n#define R_MAJOR  "4"\n#define R_MINOR  "3.3"\n'
    )
    assert installed_r.version_of(str(tmp_path)) == "4.3.3"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "a"),
        ("${NONE}", ""),
        ("${NONE-x}", "x"),
        ("${EMPTY:-'x y'}", "x y"),
        ("${NONE-${A}/b}/c", "a/b/c"),
        ("${A", "${A"),
        ("$A", "$A"),
        ("${1}", ""),
    ],
)
def test_variables_are_put_in(text: str, value: str) -> None:
    assert _renviron.expanded(text, {"A": "a", "EMPTY": ""}) == value


@given(st.text("${}:-AB'\n=#", max_size=300))
def test_any_text_of_an_renviron_is_read(text: str) -> None:
    found = _renviron.variables(text, {"A": "${A}"})
    assert found["A"] is not None


def told(environ: dict[str, str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """Return the libraries and packages that the real R finds when started in ``folder``."""
    code = (
        "p <- installed.packages(); p <- p[!duplicated(p[, 'Package']), , drop = FALSE]; "
        "cat(.libPaths(), sep = '\\n'); cat('--\\n'); "
        "cat(paste(p[, 'Package'], p[, 'Version']), sep = '\\n')"
    )
    done = subprocess.run(
        [str(R), "--no-echo", "--no-restore", "-e", code],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    before, _, after = done.stdout.partition("--\n")
    return before.split("\n")[:-1], dict(line.split(" ") for line in after.splitlines())


@real_r
@pytest.mark.parametrize("case", ["plain", "user", "variable", "renviron", "twice"])
def test_the_same_as_the_real_r(tmp_path: Path, case: str) -> None:
    """Versions and order of the libraries are what R says, in all the ways to name libraries."""
    source = tmp_path / "source"
    (source / "R").mkdir(parents=True)
    (source / "R" / "all.R").write_text("one <- function() 1\n")
    (source / "NAMESPACE").write_text("export(one)\n")
    (source / "DESCRIPTION").write_text(
        "Package: provenanceprobe\nVersion: 0.1-2\nTitle: A Probe\nLicense: GPL-3\n"
        "Description: Nothing.\nAuthor: Nobody\nMaintainer: Nobody <a@b.org>\n"
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}
    version = installed_r.look(environ, str(tmp_path)).version
    minor = ".".join(version.split(".")[:2])
    default = tmp_path / "home" / "R" / ("x86_64-pc-linux-gnu-library/" + minor)
    library = {"user": default}.get(case, tmp_path / "own" / minor)
    library.mkdir(parents=True)
    if case == "variable":
        environ["R_LIBS"] = "%s:%s" % (tmp_path / "own" / "%v", library)
    elif case == "renviron":
        (tmp_path / ".Renviron").write_text(
            "# comment\nPLACE=${PLACE:-%s}\nR_LIBS_USER='${PLACE}/%%v'\n" % (tmp_path / "own")
        )
    elif case == "twice":
        environ["R_LIBS"] = "%s:%s/" % (library, library)
        environ["R_LIBS_USER"] = str(library)
        environ["R_LIBS_SITE"] = "own/../own/%s" % minor
    if case != "plain":
        subprocess.run(
            [str(R), "CMD", "INSTALL", "--library=%s" % library, str(source)],
            env=environ,
            check=True,
            capture_output=True,
        )
    places, packages = told(environ, tmp_path)
    found = installed_r.look(environ, str(tmp_path))
    here = {name: one.version for name, one in found.packages.items()}
    assert [os.path.realpath(p) for p in found.places] == [os.path.realpath(p) for p in places]
    assert {n: v for n, v in here.items() if n != "translations"} == packages
    assert ("provenanceprobe" in here) == (case != "plain"), json.dumps(here)


def test_files_made_to_last_end_at_once(tmp_path: Path) -> None:
    """Nothing here takes time or memory that grows faster than the file."""
    programs = r_home(tmp_path / "R")
    package(tmp_path / "lib", "long", "1.0", "Repository: a" + "\t" * 500_000 + "b\n")
    doubling = "A=x\n" + "A=${A}${A}\n" * 2000 + "R_LIBS=%s\n" % (tmp_path / "lib")
    (tmp_path / ".Renviron").write_text(doubling + "B=" + "${" * 3000 + "\n")
    began = time.process_time()
    found = installed_r.look({"PATH": str(programs)}, str(tmp_path))
    assert found.packages["long"].version == "1.0"
    assert time.process_time() - began < 20


def test_the_newest_r_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_r, "USUAL", ())
    for version in ("4.9.1", "4.10.0"):
        package(tmp_path / "R" / ("R-" + version) / "library", "base", version)
    environ = {"PATH": "", "ProgramFiles": str(tmp_path)}
    assert installed_r.look(environ, str(tmp_path)).version == "4.10.0"
