from __future__ import annotations

from tests.specs.recipes import facts, read, unread

TEXT = """\
Bootstrap: docker
From: python:3.7-slim
Stage: build

%post
    pip install cython==0.29

Bootstrap: docker
From: nvidia/cuda:{{ CUDA }}-cudnn7-devel-ubuntu18.04

%arguments
    CUDA=10.1
%files from build
    /usr/local /usr/local
%environment
    pip install never==1
%post
    apt-get update && apt-get install -y \\
        python3.7 git
    export V=1.4.0
    pip install torch==$V \\
       numpy==1.18.1   # pandas==1
    conda install -c conda-forge rdkit=2020.09
%runscript
    pip install never==1
"""


def test_the_last_stage_and_what_it_copies_from() -> None:
    assert facts("env.def", TEXT) == [
        "6 package cython 0.29",
        "9 platform nvidia/cuda 10.1-cudnn7-devel-ubuntu18.04",
        "9 cuda cuda ==10.1.*",
        "9 cuda cudnn ==7.*",
        "9 platform ubuntu ==18.04.*",
        "19 python python ==3.7.*",
        "21 package torch 1.4.0",
        "22 package numpy 1.18.1",
        "23 package rdkit =2020.09",
    ]


def test_arguments_stand_in_scripts_too() -> None:
    head = "Bootstrap: library\nFrom: ubuntu:22.04\n%arguments\nT=2.0.1\n"
    text = head + "%post\n\n pip install torch=={{ T }}"
    assert facts("Singularity", text) == [
        "2 platform ubuntu 22.04",
        "2 platform ubuntu ==22.04.*",
        "7 package torch 2.0.1",
    ]
    assert unread("x.def", "Bootstrap: docker\nFrom: a:{{ X }}\n") == [(2, "a:${X}")]


def test_systems_that_are_built_from_packages() -> None:
    text = "BootStrap: debootstrap\nOSVersion: focal\nMirrorURL: http://example.org/ubuntu\n"
    assert facts("x.def", text) == ["2 platform ubuntu ==20.04.*"]
    assert facts("x.def", "bootstrap: localimage\nfrom: base.sif") == [
        "2 platform base.sif base.sif"
    ]
    assert unread("x.def", "Bootstrap: magic\n") == [(1, "magic")]


def test_a_windows_def_is_no_recipe() -> None:
    assert "not known" in read("x.def", "LIBRARY foo\nEXPORTS\n  bar\n").unread[0].why
    assert "Bootstrap" in read("Singularity", "hello").unread[0].why
