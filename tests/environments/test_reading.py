"""What uv says, what pip's settings say, and which requirements a record gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.core import codec, record
from provenance.core.paths import PathRef
from provenance.environments import indexes, newest, refusals, sources, wanted
from provenance.environments.uv import environment
from provenance.facets import _system
from provenance.facets._installed import Installed, Packages
from provenance.facets._origins import Editable
from provenance.facets.runtime import Runtime

HEAD = "Using Python 3.10.13 environment at: v1\nerror: No solution found when resolving\n  cause: "
TAIL = ", we can conclude that your requirements are unsatisfiable."


SAYS = {
    "Because there is no version of scipy==99.1 and you require scipy==99.1": (
        "scipy",
        "no index here has this version",
    ),
    "Because no-such was not found in the package registry and you require it": (
        "no-such",
        "no index here knows it",
    ),
    "Because Torch==2.13.0+cpu has no wheels with a matching Python ABI tag (e.g., `cp310`)": (
        "torch",
        "no wheel for this Python and platform",
    ),
    "Because all versions of anyjson have no usable wheels": (
        "anyjson",
        "no wheel for this Python and platform",
    ),
    "Because the current Python version (3.8) does not satisfy Python>=3.11 and scipy==1.15 "
    "depends on Python>=3.11": ("scipy", "this release does not take that Python"),
}
"""Sentences of uv with the distribution that they refuse and our words for why."""


@pytest.mark.parametrize("text", SAYS, ids=["version", "unknown", "tag", "wheel", "python"])
def test_refusals(text):
    key, reason = SAYS[text]
    known = {"scipy", "torch", "no-such", "anyjson"}
    found = refusals.read(HEAD + text + TAIL, known)
    assert (found.key, found.reason, found.network, found.offline) == (key, reason, False, False)


def test_failed_builds_and_networks_are_told_apart():
    text = (
        "error: Failed to build `anyjson==0.3.3`\n  cause: The build backend returned an error\n"
        "     [stderr]\n     error in anyjson setup command: use_2to3 is invalid.\n\n"
        "hint: Build failures usually indicate a problem with the package\n"
    )
    found = refusals.read(text, {"anyjson"})
    assert (found.key, found.built, found.network) == ("anyjson", True, False)
    assert found.reason.endswith("error in anyjson setup command: use_2to3 is invalid.")
    text = "error: Failed to fetch: http://x/toolz/\n  cause: tcp connect error\n"
    assert refusals.read(text, {"toolz"}).network
    text = "error: Failed to build `a==1`\n  cause: Failed to resolve\n"
    text += "  cause: Request failed after 3 retries\n  cause: dns error\n"
    found = refusals.read(text, {"a"})
    assert (found.network, found.built) == (True, False)
    assert found.reason == "the index cannot be reached: dns error"
    text = "error: Failed to download `a==1`\n  cause: Network connectivity is disabled, but\n"
    found = refusals.read(text, {"a"})
    assert (found.key, found.offline, found.network) == ("a", True, False)


@given(st.text(), st.sets(st.text(max_size=5)))
def test_any_complaint_is_read(text, known):
    found = refusals.read(text, known)
    assert found.key in known | {""}
    assert found.reason


def test_pips_settings_reach_uv_unless_uv_has_its_own(tmp_path):
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nfind-links = /a\n  /b\nindex-url = https://x/simple\n")
    base = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}
    found = indexes.settings(base)
    assert found["UV_FIND_LINKS"] == "/a,/b"
    assert found["UV_DEFAULT_INDEX"] == "https://x/simple"
    found = indexes.settings(dict(base, PIP_EXTRA_INDEX_URL="https://y/simple"))
    assert found["UV_INDEX"] == "https://y/simple"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert indexes.settings(dict(base, UV_FIND_LINKS="/own")) == {}
    config.write_text("not a configuration")
    assert indexes.settings(dict(base, PIP_FIND_LINKS="/c"))["UV_FIND_LINKS"] == "/c"


def test_what_would_lead_uv_astray_is_taken_away():
    found = environment({"VIRTUAL_ENV": "/v", "PYTHONPATH": "/p", "UV_EXCLUDE_NEWER": "2020-01-01"})
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "UV_EXCLUDE_NEWER"} & set(found)


def test_local_versions_name_their_index():
    assert "whl/cu118" in indexes.of_local("torch", "2.1.0+cu118")[1]
    assert indexes.of_local("torch", "2.1.0") == []
    assert indexes.of_local("mine", "1.0+cpu") == []


def a_record(*found, complete=True):
    held = Packages({one.name: one for one in found}, complete=complete)
    runtime = codec.encode(Runtime(_system.look({}), "3.10.13", "cpython"))
    return record.Record(
        id="1",
        command=(),
        cwd=PathRef("cwd", "."),
        status=record.DONE,
        started="",
        facets={
            "packages": record.captured(1, codec.encode(held), "python"),
            "runtime": record.captured(1, runtime, "python"),
        },
    )


def test_what_no_index_has_is_left_out_and_listed():
    run = a_record(
        Installed("numpy", "1.23.5", True),
        Installed("mkl-fft", "1.3", True, origin="conda", conda="mkl_fft"),
        Installed("mine", "0.1", True, origin="editable", editable=Editable(PathRef("repo", "."))),
        Installed("theirs", "0.2", True, origin="vcs"),
        Installed("odd", "of today", True),
        Installed("pip", "22.0", False),
    )
    found = wanted.of(run)
    assert found.requirements == ("mkl-fft==1.3", "numpy==1.23.5", "pip==22.0")
    assert {one.name for one in found.left_out} == {"mine", "theirs", "odd"}
    assert "conda had installed 1 of these (mkl-fft)" in found.notes[0]
    assert found.python == "3.10.13"


def test_only_what_was_used_if_that_is_known():
    dists = (Installed("numpy", "1.0", True), Installed("toolz", "2.0", False))
    found = wanted.of(a_record(*dists), only_used=True)
    assert (found.requirements, found.optional) == (("numpy==1.0",), ("toolz==2.0",))
    found = wanted.of(a_record(*dists, complete=False), only_used=True)
    assert found.requirements == ("numpy==1.0", "toolz==2.0")
    assert wanted.of(record.Record("1", (), PathRef("cwd", "."), "done", "")) is None


def test_newest_that_go_together(index):
    index.wheel("alpha", "1.0")
    index.wheel("alpha", "2.0", requires=("beta<2",))
    index.wheel("beta", "1.0")
    index.wheel("beta", "2.0")
    found = newest.newest(
        ["Alpha", "beta", "nowhere"], "3.11", index.environ, str(index.wheels), offline=True
    )
    assert found.versions == {"alpha": "2.0", "beta": "1.0"}
    assert [one.name for one in found.left_out] == ["nowhere"]


def test_sources_are_fetched_without_requirements_and_kept(index):
    index.wheel("alpha", "1.0", "def f(a=1): pass\n", requires=("nowhere",))
    here = (index.environ, str(index.wheels))
    found = sources.fetch("alpha", "1.0", "3.7", *here)
    assert found.folder is not None
    assert "def f(a=1)" in open(found.folder + "/alpha/__init__.py").read()  # noqa: SIM115
    for wheel in index.wheels.iterdir():
        wheel.unlink()
    assert sources.fetch("alpha", "1.0", "3.7", *here) == found
    assert sources.fetch("alpha", "2.0", "3.7", *here).folder is None
