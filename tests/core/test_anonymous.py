"""Nothing of an identity is left in any JSON, and what was computed stays."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core import canonical
from provenance.core.anonymous import MAIL, Identity, Veil, is_generic, is_telling

WHO = Identity(
    tops=("/home/zeldaq/deep/paper",),
    homes=("/home/zeldaq",),
    words=(
        ("zeldaq", "user"),
        ("node07.krakenlab.example", "host"),
        ("node07", "host"),
        ("krakenlab", "owner"),
        ("Zelda Quuxton", "author"),
        ("Quuxton", "author"),
        ("max", "user"),
    ),
    mails=("zelda.quuxton@krakenlab.example",),
)
NAMES = ("zeldaq", "node07", "krakenlab", "quuxton", "zelda quuxton", "/home/")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("/home/zeldaq/deep/paper/train.py", "./train.py"),
        ("/home/zeldaq/data/x.csv", "~/data/x.csv"),
        ("--out=/home/zeldaq/out", "--out=~/out"),
        ("/scratch/zeldaq/data/x.csv", "/anonymous/x.csv"),
        ("/a/b:/home/zeldaq/lib:/usr/lib/x", "/anonymous/b:~/lib:/usr/lib/x"),
        ("/usr/bin/python3", "/usr/bin/python3"),
        ("saved by ZeldaQ on node07", "saved by user on host"),
        ("runs_zeldaq_3", "runs_user_3"),
        ("write to zelda.quuxton@krakenlab.example", "write to " + MAIL),
        ("git@git.krakenlab.example:team/paper.git", MAIL),
        ("https://wandb.ai/zeldaq/paper/runs/1", "https://wandb.ai/anonymous"),
        ("http://mlflow.krakenlab.example:5000/api", "http://anonymous.invalid/api"),
        ("https://github.com/zeldaq/paper", "https://github.com/user/paper"),
        ("https://user:pw@github.com/a/b", "https://github.com/a/b"),
        ("https://pypi.org/simple", "https://pypi.org/simple"),
        ("hf://facebook/opt-125m", "hf://facebook/opt-125m"),
        ("s3://krakenlab-data/train.csv", "s3://anonymous.invalid/train.csv"),
        ("file:///home/zeldaq/x.whl", "file:///anonymous/x.whl"),
        (r"C:\Users\zeldaq\data\x.csv", "/anonymous/x.csv"),
        ("/home/somebody/x.csv", "/anonymous/x.csv"),
        ("val/acc", "val/acc"),
        ("a" * 40, "a" * 40),
        ("numpy.max", "numpy.user"),
    ],
)
def test_text(text, hidden):
    veil = Veil(WHO)
    assert veil.text(text) == hidden
    assert veil.text(hidden) == hidden


def test_a_name_that_is_a_word_of_the_program_stays_in_it():
    veil = Veil(WHO, ("numpy", "max", "krakenlabels"))
    assert veil.kept == ("max",)
    assert veil.text("numpy.max") == "numpy.max"
    assert veil.text("krakenlab") == "owner"
    assert veil.text("krakenlabels") == "krakenlabels"  # a name only within another word


def test_references_keep_their_root():
    veil = Veil(WHO)
    home = {"root": "home", "path": "data/zeldaq/x.csv"}
    assert veil.value(home) == {"root": "home", "path": "data/user/x.csv"}
    away = {"root": "abs", "path": "/scratch/a/x.csv"}
    other = {"root": "abs", "path": "/scratch/b/x.csv"}
    told = veil.value([away, other, away])
    assert [one["path"] for one in told] == [
        "/anonymous/x.csv",
        "/anonymous/2/x.csv",
        "/anonymous/x.csv",
    ]
    raw = {"root": "home", "path_base64": "emVsZGFxL/8="}
    assert "zeldaq" not in json.dumps(veil.value(raw))
    assert veil.value({"root": "repo", "path_base64": "eP8="}) == {
        "root": "repo",
        "path_base64": "eP8=",
    }


def test_keys_that_become_alike_are_told_apart():
    veil = Veil(WHO)
    assert veil.value({"zeldaq": 1, "user": 2}) == {"user": 1, "user (2)": 2}


def test_generic_names_hide_nothing():
    assert all(map(is_generic, ("root", "ab", "user", "Ubuntu", "42", "author")))
    veil = Veil(Identity(words=(("root", "user"), ("data", "user"))))
    assert veil.text("root data") == "root data"


@pytest.mark.parametrize(
    "name", ["user", "wandb.entity", "run-owner", "job-name", "E-mail", "hostname"]
)
def test_telling(name):
    assert is_telling(name)


@pytest.mark.parametrize(
    "name", ["lr", "users_per_batch", "host_memory", "entity_type", "partition"]
)
def test_not_telling(name):
    assert not is_telling(name)


pieces = st.one_of(
    st.sampled_from(
        [
            "zeldaq", "ZELDAQ", "node07.krakenlab.example", "krakenlab", "Zelda Quuxton",
            "/home/zeldaq",
            "/home/zeldaq/deep/paper", "/scratch/zeldaq/d", "zelda.quuxton@krakenlab.example", "/",
            ".",
            "://", "https://git.krakenlab.example/", "https://github.com/zeldaq/", "_", "=", " ",
            "~",
            "user", "author", ":", "\\", "C:\\Users\\zeldaq\\x", "@", "é", "file://",
        ]
    ),
    st.text(max_size=4),
)  # fmt: skip
texts = st.lists(pieces, max_size=8).map("".join)
documents = st.recursive(
    st.one_of(texts, st.integers(), st.none(), st.booleans(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
        st.builds(
            lambda root, path: {"root": root, "path": path},
            st.sampled_from(["repo", "cwd", "home", "abs"]),
            texts,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(documents)
def test_no_name_is_left_in_any_document(document):
    hidden = Veil(WHO).value(document)
    text = json.dumps(hidden, ensure_ascii=False).lower()
    assert [name for name in ("zeldaq", "node07", "krakenlab", "quuxton") if name in text] == []
    assert Veil(WHO).value(document) == hidden
    canonical.dumps(hidden)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_hiding_twice_is_hiding_once(text):
    once = Veil(WHO).text(text)
    assert Veil(WHO).text(once) == once


@given(
    st.dictionaries(
        st.sampled_from(["lr", "sha256", "path", "metrics"]),
        st.one_of(
            st.integers(), st.floats(allow_nan=False), st.sampled_from(["ab12" * 16, "relu"])
        ),
    )
)
def test_what_names_nobody_stays(document):
    assert Veil(WHO).value(document) == document
