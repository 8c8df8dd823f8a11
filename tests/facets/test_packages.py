"""What the packages facet makes of differences, conda prefixes and modules; no index needed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.core import canonical, codec
from provenance.core.context import AFTER
from provenance.core.difference import Comparison
from provenance.core.paths import PathRef
from provenance.core.record import CAPTURED, Payload, Subject
from provenance.facets import _origins, packages
from provenance.facets._conda import CondaPackage
from provenance.facets._origins import Editable
from provenance.facets._owners import Owner, imported
from provenance.facets.packages import Installed, Packages
from tests.core.test_distributions import dist_info
from tests.facet_contract import a_context, a_record, interpreter

CONDA = {"vcs_info": {"vcs": "git", "commit_id": "a" * 40}}


def payload(*installed: Installed, conda: Any = None, complete: bool = True) -> Payload:
    found = {packages_key(one): one for one in installed}
    value = codec.encode(Packages(found, conda or {}, (), complete))
    return Payload(CAPTURED, 1, (Subject("python", value, "/usr/bin/python"),))


def packages_key(one: Installed) -> str:
    return one.name.lower()


def used(version: str = "1.0", **rest: Any) -> Installed:
    given: dict[str, Any] = {"how": "observed", "modules": ("lib",), **rest}
    return Installed("lib", version, True, **given)


def unused(version: str = "1.0", **rest: Any) -> Installed:
    return Installed("lib", version, False, **rest)


def editable(commit: str, root: str = "home", dirty: bool = False) -> dict[str, Any]:
    return {"origin": "editable", "editable": Editable(PathRef(root, "lib"), commit, dirty)}


def vcs(commit: str) -> dict[str, Any]:
    return {"origin": "vcs", "direct_url": {"vcs_info": {"vcs": "git", "commit_id": commit}}}


OURS = {c: editable(c, "repo") for c in "ab"}
THEIRS = {c: editable(c) for c in "ab"}
EDITED = editable("a", dirty=True)
HASHED = {"record_sha256": "a"}
OTHERWISE = {"record_sha256": "b"}

TABLE = [
    ("same", used(), used(), None),
    ("imported, newer", used(), used("1.1"), ("version", "unknown")),
    ("imported, older", used("1.1"), used(), ("version", "unknown")),
    ("not imported, newer", unused(), unused("2.0"), ("version", "none")),
    ("imported only now", unused(), used("2.0"), ("version", "none")),
    ("imported then, gone", used(), None, ("removed", "broken")),
    ("perhaps imported, gone", used(how="inferred"), None, ("removed", "unknown")),
    ("not imported, gone", unused(), None, ("removed", "none")),
    ("new", None, unused(), ("added", "none")),
    ("CPU for GPU build", used("2.1.0+cu121"), used("2.1.0+cpu"), ("build", "unknown")),
    ("local label gone", used("2.1.0+cu121"), used("2.1.0"), ("build", "unknown")),
    ("newer, and local", used("2.1.0+cpu"), used("2.2.0+cpu"), ("version", "unknown")),
    ("other files", used(record_sha256="a"), used(record_sha256="b"), ("build", "unknown")),
    ("other files, not used", unused(**HASHED), unused(**OTHERWISE), ("build", "none")),
    ("no RECORD to compare", used(record_sha256="a"), used(), None),
    ("other installer", used(installer="pip"), used(installer="uv"), None),
    ("from conda", used(), used(origin="conda"), ("origin", "unknown")),
    ("other commit", used(**vcs("a" * 40)), used(**vcs("b" * 40)), ("origin", "unknown")),
    ("same commit", used(**vcs("a" * 40)), used(**vcs("a" * 40)), None),
    ("index for commit", used(**vcs("a" * 40)), used(), ("origin", "unknown")),
    ("editable moved on", used(**THEIRS["a"]), used(**THEIRS["b"]), ("origin", "unknown")),
    ("editable edited", used(**THEIRS["a"]), used(**EDITED), ("origin", "unknown")),
    ("own project moved on", used(**OURS["a"]), used(**OURS["b"]), ("origin", "none")),
    ("own version", used("0.1", **OURS["a"]), used("0.2", **OURS["b"]), ("version", "none")),
    ("own project, gone", used(**OURS["a"]), None, ("removed", "unknown")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_differences(old: Installed | None, new: Installed | None, expected: Any) -> None:
    found = packages.compare(payload(*([old] if old else [])), payload(*([new] if new else [])))
    assert (found.total, found.unit) == (1, "packages")
    if expected is None:
        assert found.differences == ()
        assert found.equal == 1
        return
    (one,) = found.differences
    assert (one.kind, one.effect) == expected
    assert (one.name, one.facet, one.subject) == ("lib", "packages", "python")
    assert one.old == (old.version if old else None)
    assert one.new == (new.version if new else None)


def test_without_knowing_the_imports_nothing_is_called_harmless_or_broken() -> None:
    old = payload(unused(), complete=False)
    for new in (payload(unused("2.0")), payload()):
        (one,) = packages.compare(old, new).differences
        assert one.effect == "unknown"
        assert "not known whether" in one.text


def test_shared_libraries_matter_though_nothing_imports_them() -> None:
    old, new = (payload(Installed("nvidia-cublas-cu12", v)) for v in ("12.1", "12.4"))
    (one,) = packages.compare(old, new).differences
    assert one.effect == "unknown"
    (one,) = packages.compare(old, payload()).differences
    assert one.effect == "unknown"


def test_modules_that_another_distribution_provides_are_not_gone() -> None:
    old = payload(Installed("opencv-python", "4.9", True, "observed", modules=("cv2",)))
    new = payload(Installed("opencv-python-headless", "4.9", modules=("cv2",)))
    removed, added = sorted(
        packages.compare(old, new).differences, key=lambda d: d.kind != "removed"
    )
    assert (removed.kind, removed.effect) == ("removed", "unknown")
    assert "opencv-python-headless" in removed.text
    assert added.effect == "none"


def conda_package(version: str = "1.0", build: str = "h0_0") -> CondaPackage:
    return CondaPackage(version, build, "conda-forge")


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("libopenblas", "1.0", "2.0", [("version", "unknown")]),
        ("zlib", "1.0", "2.0", [("version", "none")]),
        ("mkl", "1.0", None, [("removed", "unknown")]),
        ("tk", None, "1.0", [("added", "none")]),
        ("mkl", "1.0", "1.0", []),
        ("python", "3.10.0", "3.11.0", []),
    ],
)
def test_conda_packages_without_python(
    name: str, old: str | None, new: str | None, expected: Any
) -> None:
    both = {"tzdata": conda_package()}
    sides = [
        payload(conda=dict(both, **({name: conda_package(v)} if v else {}))) for v in (old, new)
    ]
    found = packages.compare(*sides)
    assert [(d.kind, d.effect) for d in found.differences] == expected


def test_a_conda_record_in_a_plain_environment_is_not_compared_and_no_alarm() -> None:
    old = payload(
        used(origin="conda", conda="lib"), conda={"lib": conda_package(), "mkl": conda_package()}
    )
    found = packages.compare(old, payload(used()))
    assert [(d.kind, d.effect) for d in found.differences] == [("origin", "unknown")]
    assert [n.what for n in found.not_compared] == ["conda packages"]


def test_another_conda_build_of_a_python_package() -> None:
    sides = [
        payload(used(origin="conda", conda="lib"), conda={"lib": conda_package(build=b)})
        for b in ("mkl_0", "openblas_0")
    ]
    (one,) = packages.compare(*sides).differences
    assert (one.kind, one.effect, one.old, one.new) == (
        "build",
        "unknown",
        "1.0 mkl_0",
        "1.0 openblas_0",
    )


def test_interpreters_are_matched_by_id_and_missing_ones_named() -> None:
    one, other = (
        payload(used()).subjects[0],
        payload(used("2.0")).subjects[0]._replace(id="python-2"),
    )
    old = Payload(CAPTURED, 1, (one, other))
    found = packages.compare(old, Payload(CAPTURED, 1, (other, one)))
    assert found.differences == ()
    assert found.total == 2
    three = other._replace(id="python-3")
    missing = packages.compare(old, Payload(CAPTURED, 1, (one, three)))
    assert [(n.what, n.reason) for n in missing.not_compared] == [
        ("python-2", "there is no such interpreter here")
    ]
    lone = packages.compare(Payload(CAPTURED, 1, (other,)), Payload(CAPTURED, 1, (one,)))
    assert lone.total == 1


def conda_prefix(folder: Path, indent: int | None) -> Path:
    """Make what conda leaves of a prefix: numpy by conda, six by pip on top of conda's."""
    site = folder / "lib" / "python3.11" / "site-packages"
    dist_info(site, "numpy", "1.26.4", INSTALLER="conda\n", RECORD="numpy/__init__.py,sha256=a,1\n")
    dist_info(site, "six", "1.16.0", INSTALLER="pip\n", RECORD="six.py,sha256=a,1\n")
    dist_info(site, "older", "1.0", RECORD="older.py,sha256=a,1\n")
    meta = folder / "conda-meta"
    meta.mkdir()
    for name, version, files in (
        ("numpy", "1.26.4", ["numpy-1.26.4.dist-info/METADATA", "numpy/__init__.py"]),
        ("six", "1.15.0", ["six-1.15.0.dist-info/METADATA", "six.py"]),
        ("older", "1.0", ["older-1.0.dist-info/METADATA"]),
        ("libblas", "3.9.0", []),
        ("python", "3.11.7", []),
    ):
        paths = [{"_path": f, "name": "trap", "sha256": "bad"} for f in files]
        document = {
            "build": "h1_0",
            "channel": "https://user:pw@x.org/t/tk-12-abc/forge",
            "depends": ["python >=3"],
            "files": ["lib/python3.11/site-packages/" + f for f in files],
            "md5": "d" * 32,
            "name": name,
            "paths_data": {"paths": paths},
            "sha256": "e" * 64,
            "url": "https://x.org/t/tk-12-abc/forge/%s.conda" % name,
            "version": version,
        }
        text = json.dumps(document, indent=indent, sort_keys=True)
        (meta / ("%s-%s-h1_0.json" % (name, version))).write_text(text + "\n")
    (meta / "history").write_text("")
    (meta / "broken-1-0.json").write_text("{")
    return site


@pytest.mark.parametrize("indent", [2, 4, None])
def test_a_conda_prefix_tells_conda_from_pip(tmp_path: Path, indent: int | None) -> None:
    site = conda_prefix(tmp_path / "prefix", indent)
    python = interpreter(sys.executable)._replace(
        prefix=str(tmp_path / "prefix"),
        sys_path=(str(site),),
        modules={"numpy": str(site / "numpy" / "__init__.py")},
    )
    answer = packages.capture(a_context(tmp_path, AFTER, interpreters=(python,)))
    found = codec.decode(Packages, answer.subjects[0].payload)
    origins = {n: (d.origin, d.conda, d.imported) for n, d in found.distributions.items()}
    assert origins == {
        "numpy": ("conda", "numpy", True),
        "six": ("index", "", False),
        "older": ("conda", "older", False),
    }
    assert set(found.conda) == {"numpy", "six", "older", "libblas", "python"}
    numpy = found.conda["numpy"]
    assert (numpy.version, numpy.build, numpy.md5, numpy.sha256) == (
        "1.26.4", "h1_0", "d" * 32, "e" * 64,
    )  # fmt: skip
    written = canonical.dumps(codec.encode(found))
    assert "tk-12-abc" not in written
    assert "user:pw" not in written
    assert answer.notes == ("conda-meta/broken-1-0.json cannot be read",)


SITE = "/v/lib/python3.11/site-packages"
AUTH = Owner("google-auth", SITE, ("google.auth", "google.oauth2"))
PROTO = Owner("protobuf", SITE, ("google.protobuf",))
NUMPY = Owner("numpy", SITE, ("numpy",))
PROJECT = Owner("project", SITE, ("project",), "/home/me/project")
LOOSE = Owner("loose", SITE, (), "/home/me/project/libs/loose")


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        ({"numpy": SITE + "/numpy/__init__.py"}, {"numpy": "observed"}),
        ({"numpy": "/home/me/work/numpy.py"}, {}),
        ({"numpy": "/v/lib64/python3.11/site-packages/numpy/__init__.py"}, {"numpy": "inferred"}),
        ({"google": ""}, {}),
        ({"google.auth.compiled": ""}, {"google-auth": "observed"}),
        ({"google.protobuf": SITE + "/google/protobuf/__init__.py"}, {"protobuf": "observed"}),
        ({"google": "", "google.protobuf": ""}, {"protobuf": "observed"}),
        ({"google": SITE + "/google/auth/__init__.py"}, {"google-auth": "observed"}),
        ({"sys": "", "os": "/usr/lib/python3.11/os.py"}, {}),
        ({"project": "/home/me/project/src/project/__init__.py"}, {"project": "observed"}),
        ({"train": "/home/me/project/train.py"}, {}),
        ({"anything": "/home/me/project/libs/loose/src/anything.py"}, {"loose": "observed"}),
        ({}, {}),
    ],
)
def test_modules_are_traced_to_their_distributions(modules: Any, expected: Any) -> None:
    assert imported((AUTH, PROTO, NUMPY, PROJECT, LOOSE), modules) == expected


def test_a_virtual_environment_inside_an_editable_project_is_not_the_project() -> None:
    inner = Owner("numpy", "/home/me/project/.venv/lib/site-packages", ("numpy",))
    modules = {"numpy": "/home/me/project/.venv/lib/site-packages/numpy/__init__.py"}
    assert imported((PROJECT, inner), modules) == {"numpy": "observed"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:secret@example.org/a.git", "https://example.org/a.git"),
        ("https://tokentokentoken@example.org/a.git", "https://example.org/a.git"),
        ("ssh://git@example.org/a.git", "ssh://git@example.org/a.git"),
        ("https://example.org/a.whl", "https://example.org/a.whl"),
    ],
)
def test_credentials_leave_a_direct_url(tmp_path: Path, url: str, expected: str) -> None:
    context = a_context(tmp_path)
    clean = _origins.direct_url({"url": url, **CONDA}, context.roots, context.redact)
    assert clean == {"url": expected, **CONDA}


def test_local_places_become_references(tmp_path: Path) -> None:
    context = a_context(tmp_path)
    url = (tmp_path / "wheels" / "a b.whl").as_uri()
    clean = _origins.direct_url({"url": url, "archive_info": {}}, context.roots, context.redact)
    assert clean == {"path": {"root": "repo", "path": "wheels/a b.whl"}, "archive_info": {}}


def test_a_source_tree_that_is_only_on_the_path_is_no_install(tmp_path: Path) -> None:
    (tmp_path / "mine.egg-info").mkdir()
    (tmp_path / "mine.egg-info" / "PKG-INFO").write_text("Name: mine\nVersion: 0\n")
    python = interpreter(sys.executable)._replace(sys_path=(str(tmp_path),))
    answer = packages.capture(a_context(tmp_path, AFTER, interpreters=(python,)))
    assert answer.subjects[0].payload["distributions"] == {}
    assert "mine" in answer.notes[0]


def test_no_python_no_packages(tmp_path: Path) -> None:
    answer = packages.capture(a_context(tmp_path, AFTER))
    assert (answer.status, answer.reason) == ("skipped", "no Python interpreter took part")


def test_views_of_a_record(tmp_path: Path) -> None:
    written = a_record(tmp_path, {"packages": payload(used("1.5"))})
    assert packages.versions(written) == {"lib": "1.5"}
    view = packages.of(written)
    assert view is not None
    assert view["python"].distributions["lib"] == used("1.5")
    assert packages.versions(a_record(tmp_path, {})) == {}


def test_members_with_their_default_are_left_out() -> None:
    assert codec.encode(Installed("lib", "1")) == {"name": "lib", "version": "1", "imported": False}
    whole = used(**vcs("a" * 40))
    assert codec.decode(Installed, codec.encode(whole)) == whole


def test_comparing_a_shape_that_is_none_is_an_error_with_a_place() -> None:
    bad = Payload(CAPTURED, 1, (Subject("python", {"distributions": {"lib": {"version": 3}}}),))
    with pytest.raises(ValueError, match="lib"):
        packages.compare(bad, bad)
    assert isinstance(packages.compare(payload(), payload()), Comparison)
