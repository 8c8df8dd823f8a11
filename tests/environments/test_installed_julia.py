"""Julia's depots and versions; Julia cannot be had from a package index, so no Julia runs here.

The names of folders are real ones: pairs of package and folder as public descriptions of depots
list them (nix expressions whose addresses hold UUID and tree), as Julia 1.8 made them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.environments import installed_julia

KNOWN = """
AbstractFFTs Wg2Yf 621f4979-c628-5d54-868e-fcf4e3e8185c 69f7020bd72f069c219b5e8c236c1fa90d2cb409
Adapt wASZA 79e6a3ab-5dfb-504d-930d-738a2a938a0e af92965fb30777147966f58acb05da51c5616b5f
Compat LtJN6 34da2185-b29b-5c13-b0c7-acf172513d20 9be8be1d8a6f44b96482c8af52238ea7987da3e3
DSP 0NQTS 717857b8-e6f2-59f4-9121-6e50c889abd2 3fb5d9183b38fdee997151f723da42fb83d1c6f2
HDF5 7zvRl f67ccb44-e63f-5c2f-98bd-6dc0ccc4ba2f 9ffc57b9bb643bf3fce34f3daf9ff506ed2d8b7a
JSON NeJ9k 682c06a0-de6a-54ab-a142-c8b1cf79cde6 3c837543ddb02250ef42f4738347454f95079d4e
MacroTools PP9IQ 1914dd2f-81c6-5fcd-8719-6d5c9610ff09 3d3e902b31198a27340d0bf00d6ac452866021cf
OpenSpecFun_jll 1Zaof efe28fd5-8261-553b-a9e1-b2916fc3738e 13652491f6856acfd2db29360e1bbcd4565d04f1
Parsers KmPKe 69de0a69-1ddd-5017-9359-2bf0b02dc9f0 0044b23da09b5608b4ecacb4e5e6c6332f833a7e
Preferences VmJXL 21216c6a-2e73-6563-6e65-726566657250 47e5f437cc0e7ef2ce8406ce1e7e24d44915f88d
Requires Z8rfN ae029012-a4dd-5104-9daa-d747884805df 838a3a4188e2ded87a4f9f184b4b0d78a1e91cb7
SpecialFunctions hefUc 276daf66-3868-5448-9aa4-cd146d93841b d75bda01f8c31ebb72df80a46c88b25d1c79c56d
Tables PxO1m bd369af6-aec1-5ad0-b16a-f7cc5008161c 5ce79ce186cc678bbb5c5681ca3379d1ddae11a1
ZygoteRules AIbCs 700de1a5-db45-46bc-99cf-38207098b444 8c1a8e4dfacb1fd631745552c8db35d0deb09ea0
"""


def test_the_checksum_is_the_one_of_castagnoli() -> None:
    assert installed_julia._crc32c(b"123456789") == 0xE3069283, "the check value of its definition"


@pytest.mark.parametrize("line", KNOWN.split("\n")[1:-1])
def test_folders_of_real_depots(line: str) -> None:
    _, slug, package, tree = line.split()
    assert installed_julia.version_slug(package, tree) == slug
    assert installed_julia.has_tree(package, tree, frozenset((slug[:4],))), "before Julia 1.0"
    assert not installed_julia.has_tree(package, tree[::-1], frozenset((slug,)))


@given(st.uuids(), st.binary(min_size=20, max_size=20))
def test_any_package_gets_a_folder(package: object, tree: bytes) -> None:
    slug = installed_julia.version_slug(str(package), tree.hex())
    assert len(slug) == 5
    assert slug.isalnum()


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_stated_text_breaks_it(package: str, tree: str) -> None:
    assert not installed_julia.has_tree(package, tree, frozenset(("AAAAA",)))


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 97\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("prefix", "file", "text", "version"),
    [
        (
            "julia",
            "include/julia/julia_version.h",
            '#define JULIA_VERSION_STRING "1.9.3"\n',
            "1.9.3",
        ),
        ("julia", "lib/libjulia.so.1.8.5", "", "1.8.5"),
        ("usr", "lib/x86_64-linux-gnu/libjulia.so.1.5.3", "", "1.5.3"),
        ("julia-1.6.7", "LICENSE.md", "", "1.6.7"),
        ("julia-1.11.0-rc1", "LICENSE.md", "", "1.11.0-rc1"),
        ("julia", "lib/libjulia.so.1", "", ""),
    ],
)
def test_the_version_of_a_julia(
    tmp_path: Path, prefix: str, file: str, text: str, version: str
) -> None:
    place = tmp_path / prefix
    (place / file).parent.mkdir(parents=True)
    (place / file).write_text(text)
    real = program(place / "bin" / "julia")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "julia").symlink_to(real)
    environ = {"PATH": str(tmp_path / "path"), "HOME": str(tmp_path)}
    assert installed_julia.find(environ, str(tmp_path)).version == version


def juliaup(home: Path) -> dict[str, str]:
    """Write what juliaup keeps, with its launcher on PATH."""
    settings = {
        "Default": "release",
        "InstalledVersions": {
            "1.11.2+0.x64.linux.gnu": {"Path": "./julia-1.11.2+0.x64.linux.gnu"},
            "1.6.7+0.x64.linux.gnu": {"Path": "./julia-1.6.7+0.x64.linux.gnu"},
        },
        "InstalledChannels": {
            "release": {"Version": "1.11.2+0.x64.linux.gnu"},
            "lts": {"Version": "1.6.7+0.x64.linux.gnu"},
            "mine": {"Command": "/somewhere/julia", "Args": []},
        },
        "Overrides": [{"Path": str(home / "old"), "Channel": "lts"}],
    }
    place = home / ".julia" / "juliaup"
    place.mkdir(parents=True)
    (place / "juliaup.json").write_text(json.dumps(settings))
    program(home / ".juliaup" / "bin" / "juliaup")
    launcher = program(home / ".juliaup" / "bin" / "julialauncher")
    (home / ".juliaup" / "bin" / "julia").symlink_to(launcher)
    return {"PATH": str(launcher.parent), "HOME": str(home)}


def test_the_channel_of_juliaup(tmp_path: Path) -> None:
    environ = juliaup(tmp_path)
    found = installed_julia.find(environ, str(tmp_path))
    assert found.version == "1.11.2"
    assert found.prefix == str(tmp_path / ".julia" / "juliaup" / "julia-1.11.2+0.x64.linux.gnu")
    assert installed_julia.find(dict(environ, JULIAUP_CHANNEL="lts"), "/").version == "1.6.7"
    assert installed_julia.find(dict(environ, JULIAUP_CHANNEL="mine"), "/").version == ""
    (tmp_path / "old" / "paper").mkdir(parents=True)
    assert installed_julia.find(environ, str(tmp_path / "old" / "paper")).version == "1.6.7"
    (tmp_path / ".julia" / "juliaup" / "juliaup.json").write_text("[1, 2")
    assert installed_julia.find(environ, "/").version == ""


def test_no_julia(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    assert installed_julia.find(environ, str(tmp_path)) == installed_julia.Julia()
    assert installed_julia.depots(environ) == ()


def test_which_depots_are_looked_into(tmp_path: Path) -> None:
    for name in (".julia", "shared", "prefix/share/julia"):
        (tmp_path / name).mkdir(parents=True)
    environ = {"HOME": str(tmp_path)}
    prefix = str(tmp_path / "prefix")
    usual = (str(tmp_path / ".julia"), str(tmp_path / "prefix" / "share" / "julia"))
    assert installed_julia.depots(environ, prefix) == usual
    environ["JULIA_DEPOT_PATH"] = "~/shared:%s" % (tmp_path / "gone")
    assert installed_julia.depots(environ, prefix) == (str(tmp_path / "shared"),)
    environ["JULIA_DEPOT_PATH"] = "~/shared:"
    assert installed_julia.depots(environ, prefix) == (str(tmp_path / "shared"), *usual)


def test_versions_in_a_depot(tmp_path: Path) -> None:
    place = tmp_path / "packages" / "JSON" / "NeJ9k"
    place.mkdir(parents=True)
    (place / "Project.toml").write_text(
        'name = "JSON"\nuuid = "682c06a0-de6a-54ab-a142-c8b1cf79cde6"\nversion = "0.21.3"\n'
        '\n[deps]\nDates = "x"\n[compat]\nversion = "9"\n'
    )
    (slug, package, release), *more = installed_julia.installed((str(tmp_path),), "JSON")
    assert (slug, package, release.version, more) == (
        "NeJ9k",
        "682c06a0-de6a-54ab-a142-c8b1cf79cde6",
        "0.21.3",
        [],
    )
    assert list(installed_julia.installed((str(tmp_path),), "../packages/JSON")) == []


def test_files_made_to_last_end_at_once(tmp_path: Path) -> None:
    place = tmp_path / "packages" / "JSON" / "NeJ9k"
    place.mkdir(parents=True)
    (place / "Project.toml").write_text("\n" * 900_000 + 'version = "1.0"\n')
    environ = juliaup(tmp_path)
    (tmp_path / ".julia" / "juliaup" / "juliaup.json").write_text("[" * 500_000)
    began = time.process_time()
    (one,) = installed_julia.installed((str(tmp_path),), "JSON")
    assert one[2].version == "1.0"
    assert installed_julia.find(environ, "/").version == ""
    assert time.process_time() - began < 20
