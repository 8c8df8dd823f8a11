"""Versions named in a sentence: "tested with PyTorch 1.4, CUDA 10.1, Python 3.6".

A name that is known, followed at once by a version; nothing else. What a sentence says about
other versions ("unlike", "if you use", "since") is left out: a wrong fact is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from provenance.specs.model import CUDA, EXACT, JULIA, PACKAGE, PLATFORM, PYPI, PYTHON, RANGE, Fact

MOST_CHARACTERS = 20_000
"""Of one paragraph; what stands behind is not read."""

_KNOWN: dict[str, tuple[str, str]] = {
    "python": (PYTHON, "python"),
    "cpython": (PYTHON, "python"),
    "cuda toolkit": (CUDA, "cuda"),
    "nvidia cuda": (CUDA, "cuda"),
    "cudatoolkit": (CUDA, "cuda"),
    "cuda": (CUDA, "cuda"),
    "cudnn": (CUDA, "cudnn"),
    "julia": (PACKAGE, "julia"),
    "ubuntu linux": (PLATFORM, "ubuntu"),
    "ubuntu": (PLATFORM, "ubuntu"),
    "centos": (PLATFORM, "centos"),
    "debian": (PLATFORM, "debian"),
    "pytorch geometric": (PACKAGE, "torch-geometric"),
    "pytorch-geometric": (PACKAGE, "torch-geometric"),
    "pytorch lightning": (PACKAGE, "pytorch-lightning"),
    "pytorch-lightning": (PACKAGE, "pytorch-lightning"),
    "pytorchlightning": (PACKAGE, "pytorch-lightning"),
    "pytorch": (PACKAGE, "torch"),
    "tensorflow probability": (PACKAGE, "tensorflow-probability"),
    "tensorflow gpu": (PACKAGE, "tensorflow-gpu"),
    "opencv": (PACKAGE, "opencv-python"),
    "sklearn": (PACKAGE, "scikit-learn"),
    "scikit learn": (PACKAGE, "scikit-learn"),
    "scikit_learn": (PACKAGE, "scikit-learn"),
    "tf": (PACKAGE, "tensorflow"),
    "dgl": (PACKAGE, "dgl"),
    "hugging face transformers": (PACKAGE, "transformers"),
    "huggingface transformers": (PACKAGE, "transformers"),
}
_PLAIN = """
accelerate apex allennlp bitsandbytes catboost chainer cupy cvxpy cython datasets deepspeed
diffusers einops fairseq faiss-gpu faiss-cpu flash-attn flax gensim gpytorch gym gymnasium h5py
hydra-core
ipython jax jaxlib joblib jupyter jupyterlab kornia keras lightgbm lightning lmdb matplotlib mmcv
mmcv-full mmdet mmdetection mmsegmentation mujoco-py mxnet networkx nltk notebook numba numpy
omegaconf opencv-python optax optuna pandas peft pillow plotly pot protobuf pybullet pyro-ppl pyyaml
ray rdkit ruamel.yaml scikit-image scikit-learn scipy seaborn sentence-transformers sentencepiece
spacy stable-baselines stable-baselines3 statsmodels sympy tensorboard tensorboardx
tensorflow tensorflow-gpu tensorflow-addons tensorflow-datasets tensorflow-probability
tensorflow_probability tensorflow_datasets theano timm
tokenizers torch torch-geometric torch_geometric torch-scatter torch_scatter torch-sparse
torchaudio torchmetrics torchtext torchvision tqdm transformers triton trl umap-learn vllm wandb
xformers xgboost yacs
"""
_KNOWN.update((name, (PACKAGE, name.replace("_", "-"))) for name in _PLAIN.split())

MAJORS = {
    "python": (2, 3),
    "cuda": (5, 14),
    "cudnn": (4, 10),
    "ubuntu": (12, 30),
    "centos": (5, 9),
    "debian": (7, 15),
    "torch": (0, 3),
    "tensorflow": (0, 3),
}
"""The first number that a version of these can begin with: others are of something else."""

_NUMBER = r"\d{1,4}(?:\.\d{1,5}){1,3}(?:(?:a|b|rc|\.post|\.dev)\d{1,4})?(?:\+(?:cu|cpu|pt)\w{0,8})?"
_ONE = r"%s(?:\.[x*X])?|\d{1,2}\.[x*X](?:\.[x*X])?" % _NUMBER
_NAMES = "|".join(
    re.escape(name).replace(r"\ ", r"[ ]") for name in sorted(_KNOWN, key=len, reverse=True)
)
_STATED = re.compile(
    r"(?<![\w./@:=-])(?P<name>%s)"
    r"(?:[ ][23](?=[ ]\(tested))?[ -]?\(?[ ]?"
    r"(?:tested[ ](?:on|with|under)[ ])?(?:(?:library|package|toolkit)[ ])?"
    r"(?:versions?|ver\.?|v\.|release|is)?"
    r"[ :]{0,2}"
    r"(?P<operator>>=|=>|==|~=|<=|=<|!=|=|>|<|≥|≤|\^)?[ ]{0,2}[vV]?(?P<version>%s|\d{1,2}(?=\+))"
    r"(?P<more>(?:[ ]?,[ ]?(?:<=?|>=?|!=|==)[ ]?\d{1,4}(?:\.[\d*]{1,5}){0,3}){0,4})"
    r"(?P<after>\+(?!\w)|[ ]?\(?(?:or|and|&)[ ]"
    r"(?:later|higher|newer|above|greater|up|upper|more recent)\b"
    r"|[ ]?(?:\(?or[ ](?:later|newer)\)?|and up|onwards?)\b)?"
    r"(?P<rest>[ ]?(?:[-\u2013\u2014/~,|]|to|through|or|and|until)[ ]?(?:v|(?P=name)[ ])?"
    r"\d{1,2}(?:\.[\dx*]{1,5}){1,3})?"
    r"(?![\w%%]|\.\d|-[A-Za-z0-9]|/\w)" % (_NAMES, _ONE),
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<=[.!?])\s+(?=[A-Z(\"'*`\[])|(?<=;)\s+|(?<=,)\s+(?=(?:but|however|though|although)\b)"
)
_ASIDE = re.compile(r"\([^()\d]{0,200}\)")
_BETWEEN = re.compile(
    r"(?:[\s,;:+&/|()\[\]*-]|"
    r"\b(?:and|with|under|on|lts|the|linux)\b)*\.?\s*",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\W*(?:\d{4}[-/.]\d{1,2}\b|\d{1,2}[-/.]\d{1,2}\b|\[[ xX]\]\s"
    r"|(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?,?\s+\d)"
)
"""What entries of news begin with, and items of lists of things to do."""


_FOR = re.compile(
    r"\b(?:test(?:ed|ing)?|requir\w*|depend\w*|need(?:s|ed)?|install\w*|prerequisites?|written|"
    r"implement\w*|built|build|develop\w*|us(?:e|es|ed|ing)|recommend\w*|r[au]n|running|runs|"
    r"environments?|compatible|support(?:s|ed)?|based|works?|experiments?|"
    r"conducted|perform\w*|trained|evaluated|verified|assum\w*|under|set ?up)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"\b(?:not|no longer|cannot|never|unlike|older|old|previous\w*|former\w*|deprecat\w*|drop\w*|"
    r"bugs?|"
    r"since|introduc\w*|added|remov\w*|chang\w*|fail\w*|broken|breaks?|instead|if|unless|"
    r"otherwise|except|warn\w*|errors?|issues?|vs\.?|versus|upgrad\w*|downgrad\w*|migrat\w*|"
    r"before|after|until|"
    r"cite|citation|licen[sc]e\w*|legacy|originally|e\.g\.|for example|for instance|"
    r"alternativ\w*|replace\w*|differ\w*|compared?|comparison|faster|slower|"
    r"reported|paper's|their|theirs|they|released?|announc\w*|would|could|might|may|"
    r"for users|users (?:of|with|on)|in case|when|whether|figures?|tables?|sections?|"
    r"chapters?|equations?)\b|n['\u2019]t\b|^\W*for\b",
    re.IGNORECASE,
)
_LEAST = re.compile(r"\b(?:minimum|minimal|at least|min\.?|lowest)\b", re.IGNORECASE)


class Item(NamedTuple):
    """One version found.

    begin: offset in the text. end: behind it. several: others stand beside it ("3.6, 3.7"), so
    that it is not clear which one was used.
    """

    kind: str
    name: str
    version: str
    specifier: str
    begin: int
    end: int
    several: bool

    def fact(self, where: str) -> Fact:
        """Return it as a fact."""
        exactness = EXACT if self.version else RANGE
        ecosystem = JULIA if self.name == "julia" else PYPI
        return Fact(self.kind, self.name, exactness, where, self.version, self.specifier, ecosystem)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a paragraph with their offsets."""
    begin = 0
    for found in _SENTENCE.finditer(text):
        yield begin, text[begin : found.start()]
        begin = found.end()
    yield begin, text[begin:]


def in_sentence(text: str, told: bool, before: str = "") -> list[Item]:
    """Return the versions that a sentence states as those to use.

    told: whether its place says so already (a list below "Requirements"). before: what introduces
    it ("minimum versions:").
    """
    bare = _ASIDE.sub(" ", text)
    if _AGAINST.search(bare) or _DATED.match(text):
        return []
    found = items(text, before)
    return found if told or _FOR.search(bare) or is_list(text, found) else []


def is_list(text: str, found: list[Item]) -> bool:
    """Return whether a text is nothing but names with their versions."""
    ends = [0, *(one.end for one in found)]
    begins = [*(one.begin for one in found), len(text)]
    between = (text[end:begin] for end, begin in zip(ends, begins, strict=True))
    return bool(found) and all(_BETWEEN.fullmatch(part[:100]) for part in between)


def items(text: str, before: str = "") -> list[Item]:
    """Return all known names that a version follows; of "A 1.0 or B 2.0" both as several."""
    least = _LEAST.search(text) is not None or _LEAST.search(before) is not None
    found = (_item(one, least) for one in _STATED.finditer(text[:MOST_CHARACTERS]))
    kept = [one for one in found if one is not None]
    for at, (first, second) in enumerate(pairwise(kept)):
        if text[first.end : second.begin].strip(" ,").lower() in ("or", "/", "either"):
            kept[at] = first._replace(several=True)
            kept[at + 1] = second._replace(several=True)
    return kept


def _item(found: re.Match[str], least: bool) -> Item | None:
    kind, name = _KNOWN[found["name"].lower()]
    version = found["version"]
    low, high = MAJORS.get(name, (0, 2030))
    major = int(version.split(".")[0])
    if not low <= major <= high or (name == "python" and not _python(version)):
        return None
    if name == "ubuntu" and not re.match(r"\d\d\.(?:04|10)\b", version):
        return None
    several = bool(found["rest"])
    exact, specifier = specified(found["operator"] or "", version, found["more"] or "")
    if found["after"] or (least and not found["operator"]):
        exact, specifier = "", ">=" + re.sub(r"(?:\.[x*X])+$", "", version)
    if several:
        exact, specifier = "", ""
    return Item(kind, name, exact, specifier, found.start(), found.end(), several)


def _python(version: str) -> bool:
    """Return whether there is such a Python."""
    parts = version.split(".")
    if len(parts) < 2 or not parts[1].isdigit():
        return True
    return int(parts[1]) < 40 and (parts[0] == "3" or int(parts[1]) <= 7)


def specified(operator: str, version: str, more: str) -> tuple[str, str]:
    """Return the exact version, "" if there is none, and the specifier in PEP 440's form.

    Without an operator a version of less than three numbers stands for all that begin so.
    """
    operator = {"=>": ">=", "=<": "<=", "≥": ">=", "≤": "<=", "^": "~=", "=": ""}.get(
        operator, operator
    )
    bare = re.sub(r"(?:\.[x*X])+$", "", version)
    more = more.replace(" ", "")
    if operator in ("", "=="):
        if more:
            return "", ("==" + bare + ".*" if operator else ">=" + bare) + more
        if bare != version:
            return "", "==%s.*" % bare
        if operator == "==" or bare.partition("+")[0].count(".") >= 2:
            return bare, "==" + bare
        return "", "==%s.*" % bare
    if operator == "~=" and "." not in bare:
        return "", ">=" + bare
    return "", operator + bare + more


def speaks_against(text: str) -> bool:
    """Return whether a text speaks of other versions, or of a case that need not be."""
    return _AGAINST.search(text[:MOST_CHARACTERS]) is not None
