from __future__ import annotations

import pytest

from provenance.specs.model import CONDA, EXACT, NAMED, PLACED, PLATFORM, RANGE
from tests.specs.recipes import facts, read, unread


def docker(text: str) -> list[str]:
    return [one for one in facts("Dockerfile", text) if " platform " not in one]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("python:3.8-slim", ["1 python python ==3.8.*"]),
        ("python:3.8.5-slim-buster", ["1 python python 3.8.5"]),
        ("python:3", ["1 python python ==3.*"]),
        ("python", []),
        ("python:latest", []),
        ("docker.io/library/python:3.9", ["1 python python ==3.9.*"]),
        ("kaggle/python:76", []),
        ("gcr.io/kaggle-gpu-images/python:v76", []),
        ("mcr.microsoft.com/devcontainers/python:1-3.11-bullseye", ["1 python python ==3.11.*"]),
        (
            "nvidia/cuda:11.1.1-cudnn8-devel-ubuntu20.04",
            ["1 cuda cuda 11.1.1", "1 cuda cudnn ==8.*"],
        ),
        ("nvcr.io/nvidia/cuda:10.2-base", ["1 cuda cuda ==10.2.*"]),
        (
            "pytorch/pytorch:1.7.1-cuda11.0-cudnn8-runtime",
            ["1 package torch 1.7.1", "1 cuda cuda ==11.0.*", "1 cuda cudnn ==8.*"],
        ),
        ("pytorch/pytorch:latest", []),
        ("tensorflow/tensorflow:2.4.1-gpu", ["1 package tensorflow 2.4.1"]),
        (
            "tensorflow/tensorflow:1.15.0-gpu-py3",
            ["1 package tensorflow 1.15.0"],
        ),
        ("nvcr.io/nvidia/pytorch:21.07-py3", []),
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:1.8.1-gpu-py36-cu111",
            ["1 package torch 1.8.1", "1 python python ==3.6.*", "1 cuda cuda ==11.1.*"],
        ),
        ("continuumio/miniconda3:4.7.12", []),
        ("scratch", []),
        ("localhost:5000/team/python:3.8", []),
    ],
)
def test_an_image_states_what_its_tag_says(image: str, expected: list[str]) -> None:
    assert docker("FROM %s\n" % image) == expected


@pytest.mark.parametrize(
    ("image", "name", "exactness", "specifier"),
    [
        ("continuumio/miniconda3", "continuumio/miniconda3", NAMED, ""),
        ("ubuntu:latest", "ubuntu", NAMED, "latest"),
        ("nvidia/cuda:11.1-base", "nvidia/cuda", PLACED, "11.1-base"),
        ("python:3@sha256:" + "0" * 64, "python", EXACT, "3"),
    ],
)
def test_an_image_is_a_platform(image: str, name: str, exactness: str, specifier: str) -> None:
    fact = read("Dockerfile", "FROM %s\n" % image).facts[0]
    assert (fact.kind, fact.name) == (PLATFORM, name)
    assert (fact.exactness, fact.specifier, fact.url) == (exactness, specifier, image)


@pytest.mark.parametrize(
    ("image", "system"),
    [
        ("python:3.8-buster", "1 platform debian ==10.*"),
        ("nvidia/cuda:11.8.0-devel-ubi8", "1 platform ubi ==8.*"),
        ("ubuntu:bionic-20191202", "1 platform ubuntu ==18.04.*"),
        ("ubuntu:20.04", "1 platform ubuntu ==20.04.*"),
        ("x/y:cuda-ubuntu22.04", "1 platform ubuntu ==22.04.*"),
    ],
)
def test_a_system_is_told_by_its_code_name_too(image: str, system: str) -> None:
    assert facts("Dockerfile", "FROM %s" % image)[-1] == system


def test_arguments_and_variables_are_put_in() -> None:
    text = """\
ARG PY=3.8
ARG TAG=${PY}-slim
FROM python:${TAG}
ARG PY
ARG TORCH=1.7.1
ENV NUMPY=1.19.5 \\
    # a comment in between

    SCIPY="1.5.4"
ENV PANDAS 1.1.5
RUN pip install torch==$TORCH numpy==${NUMPY} scipy==${SCIPY:-2.0} six==${SIX:-1.15.0}
RUN V=0.29.1; pip install cython==$V pandas==$PANDAS python-dateutil==$PY
RUN pip install wheel==$MISSING 'tqdm==$TORCH'
"""
    assert docker(text) == [
        "3 python python ==3.8.*",
        "11 package torch 1.7.1",
        "11 package numpy 1.19.5",
        "11 package scipy 1.5.4",
        "11 package six 1.15.0",
        "12 package cython 0.29.1",
        "12 package pandas 1.1.5",
        "12 package python-dateutil 3.8",
    ]
    assert unread("Dockerfile", text) == [(13, "wheel==$MISSING"), (13, "tqdm==$TORCH")]


def test_each_package_has_the_line_where_it_stands() -> None:
    text = """\
FROM ubuntu:18.04
RUN apt-get update -y \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
      python3.7 \\
      python3.7-dev git \\
# the packages
 && python3.7 -m pip install -q --no-cache-dir \\
      'Torch==1.4.0' \\ \n\
      "numpy>=1.16,<1.19" -f https://example.org/whl.html \\
      scikit_learn==0.22 # not this: pandas==1.0
"""
    assert docker(text) == [
        "4 python python ==3.7.*",
        "8 package torch 1.4.0",
        "9 package numpy >=1.16,<1.19",
        "10 package scikit-learn 0.22",
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pip install x==1.0", ["2 package x 1.0"]),
        ("pip3 --no-cache-dir install -U x", ["2 package x"]),
        ("/opt/conda/bin/pip install x==1.0", ["2 package x 1.0"]),
        ("sudo -H python3 -m pip install x==1.0", ["2 package x 1.0"]),
        ("uv pip install --system x==1.0", ["2 package x 1.0"]),
        ("conda run -n env pip install x==1.0", ["2 package x 1.0"]),
        ("bash -lc 'pip install x==1.0 && pip install y'", ["2 package x 1.0", "2 package y"]),
        ('["pip", "install", "x==1.0"]', ["2 package x 1.0"]),
        ("--mount=type=cache,target=/root pip install x==1.0", ["2 package x 1.0"]),
        ("cd /tmp && (pip install x==1.0; true)", ["2 package x 1.0"]),
        ("pip install x==1.0 | tee log 2>&1 > file", ["2 package x 1.0"]),
        ("pip install -i https://example.org/simple --timeout 60 x", ["2 package x"]),
        (
            "pip install git+https://g.org/a/b@v1#egg=bee",
            ["2 package bee git+https://g.org/a/b@v1"],
        ),
        ("pip install -e .", []),
        ("pip install ./wheels/x-1.0-py3-none-any.whl", []),
        ("pip install -r requirements.txt -c constraints.txt", []),
        ("pip uninstall -y x", []),
        ("pip download x==1.0", []),
        ("echo pip install x==1.0", []),
        ("apt-get install -y python3-numpy gcc", []),
        ("apt-get install -y cuda-toolkit-11-1", ["2 cuda cuda ==11.1.*"]),
        ("pyenv install 3.8.5", ["2 python python 3.8.5"]),
        ("virtualenv -p python3.6 env", ["2 python python ==3.6.*"]),
        ("python3.7 -m venv env", ["2 python python ==3.7.*"]),
        ("uv venv --python=3.11", ["2 python python ==3.11.*"]),
        ("conda install -yc pytorch pytorch=1.7", ["2 package pytorch =1.7"]),
        ("mamba create -n e python==3.8.5 pip", ["2 python python 3.8.5", "2 package pip"]),
        ("micromamba install -y -n base -f /e.yml", []),
        ("conda env update --file environment.yml", []),
        ("conda install 'pytorch[version=\">=1.7\"]'", ["2 package pytorch >=1.7"]),
        (
            "conda install cudatoolkit=10.1 'numpy 1.19'",
            ["2 cuda cudatoolkit =10.1", "2 package numpy 1.19"],
        ),
    ],
)
def test_install_commands(command: str, expected: list[str]) -> None:
    assert docker("FROM scratch\nRUN %s\n" % command) == expected


def test_a_conda_package_has_its_channel_and_build() -> None:
    text = "FROM scratch\nRUN conda install -y -c pytorch pytorch=1.7.1=py3.8_0 conda-forge::rdkit"
    first, second = read("Dockerfile", text).facts
    assert (first.version, first.build, first.channel) == ("1.7.1", "py3.8_0", "pytorch")
    assert (first.ecosystem, first.exactness) == (CONDA, EXACT)
    assert (second.name, second.channel, second.exactness) == ("rdkit", "conda-forge", NAMED)


def test_what_may_not_run_is_unread() -> None:
    text = """\
FROM scratch
RUN if [ "$GPU" = 1 ]; then pip install a==1; else pip install b==1; fi; pip install c==1
RUN pip install d==1 || pip install e==1
RUN for p in x y; do pip install f==1; done
"""
    assert docker(text) == ["2 package c 1", "3 package d 1"]
    assert [text for _, text in unread("Dockerfile", text)] == [
        "pip install a==1",
        "pip install b==1",
        "pip install e==1",
        "pip install f==1",
    ]


def test_an_unquoted_greater_than_is_a_file_to_a_shell() -> None:
    spec = read("Dockerfile", "FROM scratch\nRUN pip install torch>=1.7 'numpy>=1.19'")
    assert [(f.name, f.exactness) for f in spec.facts] == [("torch", NAMED), ("numpy", RANGE)]
    assert "Quote it" in spec.unread[0].why


def test_the_last_stage_counts_and_what_it_stands_on() -> None:
    text = """\
FROM python:3.6 AS Base
ENV V=1.0
RUN pip install a==$V
FROM node:14 AS web
RUN pip install never==1
FROM base AS wheels
RUN pip install b==$V
FROM base
COPY --from=wheels /w /w
COPY --from=0 /x /x
COPY --from=busybox:1.2 /y /y
RUN pip install c==$V
"""
    assert docker(text) == [
        "1 python python ==3.6.*",
        "3 package a 1.0",
        "7 package b 1.0",
        "12 package c 1.0",
    ]


def test_the_image_of_a_stage_that_is_copied_from_stays_behind() -> None:
    text = """\
FROM python:3.6 AS builder
RUN pip install a==1.0
FROM nvidia/cuda:11.1.1-base
COPY --chown=1:1 --from=builder /venv /venv
"""
    assert docker(text) == ["2 package a 1.0", "3 cuda cuda 11.1.1"]


def test_builders_own_arguments_are_those_of_the_usual_machine() -> None:
    text = """\
ARG OS=ubi8
FROM --platform=linux/amd64 nvidia/cuda:11.8.0-devel as amd64ubi8
FROM ${TARGETARCH}${OS} as final
"""
    assert docker(text) == ["2 cuda cuda 11.8.0"]
    assert unread("Dockerfile", "ARG X\nFROM python:$X") == [(2, "python:$X")]


def test_heredocs() -> None:
    text = """\
FROM scratch
RUN <<EOF
set -e
pip install a==1.0
EOF
RUN bash <<-'END'
\tpip install b==1.0
\tEND
RUN python3 - <<PY
pip install never==1
PY
COPY <<X /requirements.txt
never==1
X
RUN pip install c==1.0
"""
    assert docker(text) == ["4 package a 1.0", "7 package b 1.0", "15 package c 1.0"]


def test_other_escape_windows_lines_and_lower_case() -> None:
    text = "# escape=`\r\nfrom scratch\r\nrun pip install `\r\n  a==1.0\r\n"
    assert docker(text) == ["4 package a 1.0"]


def test_what_is_no_instruction_is_unread() -> None:
    assert unread("Dockerfile", "FROM scratch\nINCLUDE x\n") == [(2, "INCLUDE x")]
    assert unread("Dockerfile", "hello") == [(1, "")]
    assert "no FROM" in read("Dockerfile", "RUN x").unread[0].why


def test_files_that_are_installed_are_told() -> None:
    spec = read("docker/Dockerfile", "FROM scratch\nRUN pip install -r /tmp/req.txt\n")
    assert spec.notes == (
        'docker/Dockerfile:2: what the file "/tmp/req.txt" states is installed too.',
    )


def test_doubling_variables_stay_small() -> None:
    text = "FROM scratch\nENV A=" + "x" * 50 + "\n" + "ENV A=$A$A\n" * 60
    assert docker(text + "RUN pip install $A") == []
    assert docker("FROM scratch\nENV A=%s\nRUN pip install %s" % ("x" * 4000, "$A " * 4000))[:1]
