from __future__ import annotations

from provenance.specs.model import EXACT, NAMED, PLACED
from tests.specs.recipes import facts, read, unread


def test_one_output() -> None:
    text = "outs:\n- md5: acb39268fb9dd785aac887f69b89282e\n  size: 17\n  path: images 1.tar.gz\n"
    assert facts("data/images 1.tar.gz.dvc", text) == [
        "2 data images 1.tar.gz md5:acb39268fb9dd785aac887f69b89282e"
    ]
    assert read("x.dvc", text).facts[0].exactness == EXACT


def test_a_folder_with_its_files_and_a_working_folder() -> None:
    text = """\
wdir: ../raw
outs:
- path: set
  hash: md5
  md5: 22e3f61e52c0ba45334d973244efc155.dir
  files:
  - relpath: a.png
    md5: d41d8cd98f00b204e9800998ecf8427e
- path: s3://bucket/x
  etag: '"abc"'
- path: /big
"""
    assert facts("x.dvc", text) == [
        "5 data ../raw/set md5:22e3f61e52c0ba45334d973244efc155.dir",
        "8 data ../raw/set/a.png md5:d41d8cd98f00b204e9800998ecf8427e",
        '10 data s3://bucket/x etag:"abc"',
        "11 data /big",
    ]
    assert read("x.dvc", text).facts[-1].exactness == NAMED


def test_an_import_has_the_place_it_comes_from() -> None:
    text = """\
frozen: true
deps:
- path: data/x.xml
  repo:
    url: https://example.org/registry
    rev_lock: f31f5c4
outs:
- path: x.xml
"""
    (fact,) = read("x.xml.dvc", text).facts
    assert (fact.name, fact.exactness) == ("x.xml", PLACED)
    assert fact.url == "https://example.org/registry@f31f5c4"
    address = (
        "deps:\n- path: https://example.org/a.zip\n  etag: x\nouts:\n- md5: abc\n  path: a.zip\n"
    )
    (fact,) = read("a.zip.dvc", address).facts
    assert (fact.url, fact.digest, fact.where) == (
        "https://example.org/a.zip",
        "md5:abc",
        "a.zip.dvc:5",
    )


LOCK = """\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: data
      md5: aaa.dir
    params:
      params.yaml:
        lr: 0.1
    outs:
    - path: model.pt
      md5: bbb
  eval:
    deps:
    - path: model.pt
      md5: bbb
    outs:
    - path: model.pt
      md5: ccc
"""


def test_a_lock_names_each_state_of_a_file_once() -> None:
    assert facts("dvc.lock", LOCK) == [
        "7 data data md5:aaa.dir",
        "13 data model.pt md5:bbb",
        "20 data model.pt md5:ccc",
    ]
    old = "train:\n  cmd: x\n  deps:\n  - path: a\n    md5: b\n"
    assert facts("dvc.lock", old) == ["5 data a md5:b"]


def test_the_pipeline_names_files_only() -> None:
    text = """\
stages:
  a:
    cmd: x
    wdir: sub
    deps: [in.csv, src]
    outs:
    - out.csv:
        cache: false
    - ${item}
  b:
    foreach: [1, 2]
    do:
      cmd: y
      deps: [z]
"""
    assert facts("dvc.yaml", text) == [
        "5 data sub/in.csv",
        "5 data sub/src",
        "7 data sub/out.csv",
        "14 data z",
    ]
    assert unread("dvc.yaml", text) == [(9, "${item}")]


def test_what_is_no_dvc_file() -> None:
    assert "no map" in read("x.dvc", "- 1\n").unread[0].why
    assert unread("x.dvc", "a: 1\n") == [(1, "")]
    assert unread("x.dvc", "outs:\n- {}\n") == [(2, "")]


def test_sizes_of_files_and_folders() -> None:
    text = """\
outs:
- md5: 687552951726b99c2eee15d29b4ccf0e.dir
  size: 17397976
  nfiles: 3
  path: data
- {md5: acb39268fb9dd785aac887f69b89282e, path: a, size: 0}
- {md5: acb39268fb9dd785aac887f69b89282e, path: b, size: many}
- {md5: acb39268fb9dd785aac887f69b89282e, path: c, size: 99999999999999999999999}
- {md5: acb39268fb9dd785aac887f69b89282e, path: d}
"""
    spec = read("sets/x.dvc", text)
    assert [(one.name, one.size) for one in spec.facts] == [
        ("data", 17397976), ("a", 0), ("b", -1), ("c", -1), ("d", -1),
    ]  # fmt: skip
    assert spec.facts[0].digest == "md5:687552951726b99c2eee15d29b4ccf0e.dir"


def test_what_no_other_step_reads_is_a_result():
    text = (
        "schema: '2.0'\nstages:\n"
        "  prepare:\n    cmd: x\n    deps:\n    - path: raw.csv\n      md5: a\n"
        "    outs:\n    - path: clean.csv\n      md5: b\n"
        "  train:\n    cmd: y\n    deps:\n    - path: clean.csv\n      md5: b\n"
        "    outs:\n    - path: metrics.json\n      md5: c\n"
    )
    spec = read("dvc.lock", text)
    groups = {one.name: one.group for one in spec.facts}
    assert groups == {"raw.csv": "", "clean.csv": "", "metrics.json": "output"}
