from __future__ import annotations

import pytest

from tests.specs.recipes import facts, read, unread


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "The code is tested with PyTorch 1.4, CUDA 10.1, Python 3.6.",
            ["package torch ==1.4.*", "cuda cuda ==10.1.*", "python python ==3.6.*"],
        ),
        ("This code requires Python >= 3.7.", ["python python >=3.7"]),
        ("Requires Python 3.7+.", ["python python >=3.7"]),
        ("You will need Python 3.8 or later. Then install Flax.", ["python python >=3.8"]),
        ("We use Python 3.8 (or newer).", ["python python >=3.8"]),
        (
            "We used PyTorch 1.7.1 and torchvision 0.8.2.",
            ["package torch 1.7.1", "package torchvision 0.8.2"],
        ),
        ("Written in **Python 3.8.0** on *Linux*.", ["python python 3.8.0"]),
        (
            "It is tested under Ubuntu Linux 16.04.1 and Python 3.6.",
            ["platform ubuntu 16.04.1", "python python ==3.6.*"],
        ),
        (
            "The codebase is tested on a Ubuntu 18.04 machine with CUDA 10.1.",
            ["platform ubuntu ==18.04.*", "cuda cuda ==10.1.*"],
        ),
        ("We recommend Ubuntu 18+ and Python 3.7+ installation.", ["python python >=3.7"]),
        ("Julia 1.6.0 was used to run the simulations.", ["package julia 1.6.0"]),
        ("JAX v0.2.10, Flax 0.3.3", ["package jax 0.2.10", "package flax 0.3.3"]),
        ("It runs with PyTorch 1.4.0; newer ones were not tried.", ["package torch 1.4.0"]),
        ("We use PyTorch 1.4.0 (others may work).", ["package torch 1.4.0"]),
        ("Tested with TensorFlow 2.x.", ["package tensorflow ==2.*"]),
        ("Tested with PyTorch 1.3.x.", ["package torch ==1.3.*"]),
        (
            "Runs under PyTorch v1.10.0 with CUDA toolkit 11.3.",
            ["package torch 1.10.0", "cuda cuda ==11.3.*"],
        ),
        ("Implemented with PyTorch Lightning 0.9.0.", ["package pytorch-lightning 0.9.0"]),
        ("The minimum version of supported PyTorch is `1.7.2`.", ["package torch >=1.7.2"]),
        ("Install at least Python 3.6.", ["python python >=3.6"]),
        ("Requires [PyTorch](https://pytorch.org/1.2/) version 1.4.0.", ["package torch 1.4.0"]),
        ("All experiments ran on torch 1.7.1+cu110.", ["package torch 1.7.1+cu110"]),
        (
            "It needs Python ≥ 3.7 and numpy>=1.16,<1.20.",
            ["python python >=3.7", "package numpy >=1.16,<1.20"],
        ),
        (
            "Tested with Python3.6 and CUDA-10.1, cuDNN v7.6.5.",
            ["python python ==3.6.*", "cuda cuda ==10.1.*", "cuda cudnn 7.6.5"],
        ),
        ("It works with `scikit-learn == 0.22` and sklearn.", ["package scikit-learn 0.22"]),
        (
            "Our environment: Python 3.6.9, TF 1.15.",
            ["python python 3.6.9", "package tensorflow ==1.15.*"],
        ),
    ],
)
def test_sentences_that_state_versions(sentence: str, expected: list[str]) -> None:
    assert facts("README.md", "# Name\n\n%s\n" % sentence) == ["3 " + one for one in expected]


@pytest.mark.parametrize(
    "sentence",
    [
        "Python 3.6 was published long ago.",
        "- [ ] Run it with Python 3.10",
        "- 2020-05-03: tested with PyTorch 1.5.0.",
        "* [2021/03] We now use PyTorch 1.8.",
        "- May 2021: runs with PyTorch 1.8.",
        "See Figure 3.6 for the results we used.",
        "We use Python 3 and PyTorch.",
        "We use Python.",
        "Python 2019 tutorial used here.",
        "Tested in 2020.10 with care.",
        "Since PyTorch 1.6 the function is built in.",
        "PyTorch 1.6 introduced native mixed precision, which we use.",
        "For PyTorch version >= 1.6, there is a native functionality we use.",
        "If you use Python 3.5, install dataclasses.",
        "If you are using CUDA 9.2, the build needs a patch.",
        "This does not work with PyTorch 1.8.",
        "It doesn't run under Python 3.9.",
        "Unlike TensorFlow 1.15, it is easy to use.",
        "Python 2.7 is no longer supported.",
        "We dropped support for Python 3.6.",
        "Support for Python 3.5 was removed.",
        "There is a bug in numpy 1.19.4 on Windows; use another.",
        "Using PyTorch 1.2 gives an error.",
        "The original paper used Python 2.7 for their experiments.",
        "Results were reported with PyTorch 0.4.1.",
        "We upgraded from PyTorch 1.0 to the latest; it uses less memory.",
        "The code was originally written for TensorFlow 1.4.",
        "It runs 1.5 times faster than with JAX 0.2.10.",
        "Use GPUs of compute capability 7.5 under CUDA.",
        "We use Jython 2.7 for plots.",
        "The model is based on BERT 1.0 and Figure 2.1.",
        "Trained for 3.6 hours in Python with 0.5 dropout.",
        "We use Python 3.6% of the time.",
        "See https://docs.python.org/3.6/library and pytorch.org/1.4.",
        "Download it from [here](https://example.org/python-3.6.tar.gz) to run.",
        "`docker run nvidia/cuda:11.7.1-devel-ubuntu22.04 nvidia-smi` runs it.",
        "Uses the file torch-1.4.0-cp36.whl.",
        "It is compared to a run with tensorflow 1.15.",
        "Python 3.6 or PyTorch 1.0 may be used.",
        "We use a learning rate of 3.6 and Python scripts.",
        "It uses CUDA 99.1 and Python 4.5 and Python 2.9.",
        "The dataset was built with Ubuntu 3.1.",
        "Version 1.4 of our code uses it.",
        "Our package is at 0.3.1 and built for Python.",
        "A warning is printed with numpy 1.20.0; that is used on purpose.",
        "In Section 3.6 of the Python paper we use it.",
        "We use Keras-RL 0.4 there.",
        "We use pytorch-transformers 1.0 there.",
    ],
)
def test_sentences_that_state_nothing(sentence: str) -> None:
    assert facts("README.md", "# Name\n\n%s\n" % sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Tested with Python 3.6, 3.7 and 3.8.",
        "Tested with Python 3.6/3.7.",
        "It runs on Python 3.6-3.8.",
        "Supported: Python 3.10 through 3.14.",
        "Requires PyTorch 1.3.x or TensorFlow 2.x.",
    ],
)
def test_several_versions_are_unread(sentence: str) -> None:
    assert facts("README.md", sentence) == []
    assert unread("README.md", sentence)


@pytest.mark.parametrize(
    "title",
    [
        "News",
        "Changelog",
        "Updates",
        "Citation",
        "References",
        "Results",
        "FAQ",
        "Release notes",
        "License",
        "Troubleshooting",
        "Related work",
    ],
)
def test_sections_of_other_things_state_nothing(title: str) -> None:
    text = (
        "# X\n\n## %s\n\n- Python 3.6\n\nTested with PyTorch 1.4.0.\n\n    pip install a==1\n"
        % title
    )
    assert facts("README.md", text) == []


LIST = """\
# Informer

## Requirements

- Python 3.6
- matplotlib == 3.1.1
* scikit_learn==0.21.3
+ CUDA Version: 11.1
1. [PyTorch](https://pytorch.org) (= 1.10.0)
- `torch_geometric` (>=1.7)
- tensorflow (>0.12)
- **numpy**: 1.19.4
- some-package==2.0.1
- gcc==7.5.0
- batch_size = 32
- GPU with 12.5 GB
- easydict
- Node 14.0.0
- pandas >= 0.25, < 1.2

Dependencies can be installed using `pip install -r requirements.txt`.
"""


def test_a_list_below_requirements() -> None:
    assert facts("README.md", LIST) == [
        "5 python python ==3.6.*",
        "6 package matplotlib 3.1.1",
        "7 package scikit-learn 0.21.3",
        "8 cuda cuda ==11.1.*",
        "9 package torch 1.10.0",
        "10 package torch-geometric >=1.7",
        "11 package tensorflow >0.12",
        "12 package numpy 1.19.4",
        "13 package some-package 2.0.1",
        "19 package pandas >=0.25,<1.2",
    ]
    assert "requirements.txt" in read("README.md", LIST).notes[0]


def test_a_table() -> None:
    text = (
        "## Environment\n\n| Name | Version |\n|---|---|\n| Python | 3.7.3 |\n| PyTorch | 1.4 |\n"
    )
    assert facts("README.md", text) == ["5 python python 3.7.3", "6 package torch ==1.4.*"]
    least = "## Backends\n\nThe minimum versions are:\n\n| JAX | 0.4.20 |\n"
    assert facts("README.md", least) == ["5 package jax >=0.4.20"]


CODE = """\
Install
=======

```bash
# conda install never=1
$ conda create -n x python=3.7 -y
(x) $ conda install pytorch=1.7 cudatoolkit=11.0 \\
    -c pytorch
pip install transformers==3.3.0 'numpy<1.20'
!pip install tqdm==4.50.0
python train.py --lr=0.1 --python 3.6
```

    pip install a==1.0

```python
import torch  # pip install never==1
never==1.0
```

```
torch==1.8.0
python 3.7.2
lr = 0.1
```

Then run ``pip install lm-eval==0.4.2``, or `pip install b`.

If it fails, run `pip install never==1`.
"""


def test_install_lines_in_code() -> None:
    assert facts("README.md", CODE) == [
        "6 python python =3.7",
        "7 package pytorch =1.7",
        "7 cuda cudatoolkit =11.0",
        "9 package transformers 3.3.0",
        "9 package numpy <1.20",
        "10 package tqdm 4.50.0",
        "14 package a 1.0",
        "22 package torch 1.8.0",
        "23 python python 3.7.2",
        "27 package lm-eval 0.4.2",
        "27 package b",
    ]


def test_rst() -> None:
    text = """\
Name
====

Requirements
------------

* Python 3.6+

Install it with::

    pip install a==1.0

.. code-block:: bash

   pip install b==2.0

Tested with `PyTorch <https://pytorch.org>`_ 1.4.0.
"""
    assert facts("README.rst", text) == [
        "7 python python >=3.6",
        "11 package a 1.0",
        "15 package b 2.0",
        "17 package torch 1.4.0",
    ]


@pytest.mark.parametrize(
    ("badge", "expected"),
    [
        (
            "![Python 3.6](https://img.shields.io/badge/python-3.6-green.svg?style=x)",
            ["python python ==3.6.*"],
        ),
        ("![x](https://img.shields.io/badge/python-3.7%2B-blue)", ["python python >=3.7"]),
        (
            "![PyTorch 1.2](https://img.shields.io/badge/PyTorch%20-%23EE4C2C.svg)",
            ["package torch ==1.2.*"],
        ),
        ('<img src="https://img.shields.io/badge/PyTorch-1.8.1-red">', ["package torch 1.8.1"]),
        ("![x](https://img.shields.io/badge/version-3.6-green)", []),
        ("![Python 3.6](figure.png)", []),
        ("![x](https://img.shields.io/pypi/pyversions/x.svg)", []),
        ("![x](https://img.shields.io/badge/arXiv-1905.09957-red)", []),
    ],
)
def test_badges(badge: str, expected: list[str]) -> None:
    assert facts("README.md", badge) == ["1 " + one for one in expected]


def test_a_badge_gives_way_to_a_list() -> None:
    text = "![x](https://img.shields.io/badge/python-3.6-green)\n\n## Requirements\n- Python 3.8\n"
    assert facts("README.md", text) == ["4 python python ==3.8.*"]


def test_contradictions_are_unread() -> None:
    text = "## Install\n\n    conda install cudatoolkit=10.2\n    conda install cudatoolkit=11.0\n"
    assert facts("README.md", text) == []
    assert unread("README.md", text) == [(3, "cudatoolkit =10.2, =11.0")]
    same = "## Requirements\n- Python 3.6\n- python==3.6.9\n- Python >= 3.5\n"
    assert len(facts("README.md", same)) == 3


def test_a_sentence_over_two_lines_has_the_line_of_the_name() -> None:
    text = "The repository is currently tested with\nPython 3.6 and PyTorch\nv1.10.0 there.\n"
    assert facts("README.md", text) == ["2 python python ==3.6.*", "2 package torch 1.10.0"]


def test_nothing_is_said_plainly() -> None:
    assert read("README.md", "# Hello\n").notes == (
        "Nothing about the environment is stated in it.",
    )
