"""What the name and tag of a container image state: the image, its system, Python, CUDA, torch.

Only the words of well-known images and the usual words of tags are read; what is inside of an
image is known to who has it. A tag can be moved to another image, a digest cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from provenance.specs._gathered import cuda, of_version, platform, python
from provenance.specs.model import CUDA, EXACT, NAMED, PACKAGE, PLACED, PLATFORM, PYPI, Fact, R

_REFERENCE = re.compile(
    r"(?:[a-z]+://)?(?P<name>[^\s@:]+(?::\d+/[^\s@:]+)?)(?::(?P<tag>[\w.+-]+))?(?:@(?P<digest>sha\d+:[0-9a-f]+))?\Z"
)
_NUMBER = r"\d+(?:\.\d+)+"
_WORDS = re.compile(
    r"(?:^|[-_])(?:"
    r"(?P<python>py(?:thon)?[-_]?(?:[23]\.\d+(?:\.\d+)?|3\d{1,2}|27))"
    r"|(?P<cuda>cuda[-_]?(?:\d+(?:\.\d+){0,3})|cu(?:\d{2,3})(?!\d))"
    r"|(?P<cudnn>cudnn[-_]?\d+(?:\.\d+){0,3})"
    r"|(?P<torch>(?:py)?torch[-_]?\d+(?:\.\d+)+)"
    r"|(?P<tensorflow>(?:tensorflow|tf)[-_]?\d+(?:\.\d+)+)"
    r"|(?P<system>(?:ubuntu|debian|rockylinux|rocky|centos|ubi|fedora|alpine)[-_]?\d+(?:\.\d+)*)"
    r"|(?P<code>bionic|focal|jammy|noble|xenial|trusty"
    r"|stretch|buster|bullseye|bookworm|trixie)"
    r")(?=[-_]|$)"
)
_CODES = {
    "trusty": ("ubuntu", "14.04"),
    "xenial": ("ubuntu", "16.04"),
    "bionic": ("ubuntu", "18.04"),
    "focal": ("ubuntu", "20.04"),
    "jammy": ("ubuntu", "22.04"),
    "noble": ("ubuntu", "24.04"),
    "stretch": ("debian", "9"),
    "buster": ("debian", "10"),
    "bullseye": ("debian", "11"),
    "bookworm": ("debian", "12"),
    "trixie": ("debian", "13"),
}
_SYSTEMS = ("ubuntu", "debian", "rockylinux", "centos", "fedora", "alpine", "almalinux")
_LEADING = re.compile(r"v?(%s)(?=[-_+]|$)" % _NUMBER)
_LEADING_WHOLE = re.compile(r"(\d+(?:\.\d+)*)(?=[-_]|$)")
_DEVCONTAINER = re.compile(r"(?:\d+-)?(3\.\d+(?:\.\d+)?)(?=-|$)")
_REGISTRY = re.compile(r"[^/]*[.:][^/]*/|localhost/")
_PACKAGES = {
    "pytorch/pytorch": "torch",
    "anibali/pytorch": "torch",
    "tensorflow/tensorflow": "tensorflow",
    "huggingface/transformers-pytorch-gpu": "transformers",
    "huggingface/transformers-gpu": "transformers",
    "pytorch-training": "torch",
    "pytorch-inference": "torch",
    "tensorflow-training": "tensorflow",
    "tensorflow-inference": "tensorflow",
}
"""Images whose tag begins with the version of a package."""


def stated(reference: str, where: str) -> Iterator[Fact]:
    """Yield what an image reference states; nothing for "scratch" and what is no reference."""
    found = _REFERENCE.match(reference[:1000])
    if found is None or found["name"] == "scratch":
        return
    name, tag = found["name"], found["tag"] or ""
    digest = found["digest"] or ""
    named = not digest and tag in ("", "latest")
    exactness = EXACT if digest else NAMED if named else PLACED
    yield Fact(
        PLATFORM,
        name,
        exactness,
        where,
        version=digest,
        specifier=tag,
        ecosystem="",
        url=reference,
        digest=digest,
    )
    short = _REGISTRY.sub("", name, count=1) if "/" in name else name
    short = short.removeprefix("library/").removeprefix("docker/library/")
    yield from _leading(short, tag, where)
    yield from _words(tag, where)


def _leading(name: str, tag: str, where: str) -> Iterator[Fact]:
    """Yield what the tag's first number is the version of."""
    number = _LEADING.match(tag)
    whole = _LEADING_WHOLE.match(tag)
    last = name.rpartition("/")[2]
    if name in ("python", "cimg/python", "circleci/python") and whole:
        yield python(whole[1] if "." in whole[1] else whole[1][:1], where)
    elif last == "python" and "devcontainers" in name:
        inner = _DEVCONTAINER.match(tag)
        if inner:
            yield python(inner[1], where)
    elif name == "nvidia/cuda" and number:
        yield cuda(number[1], where)
    elif name in _SYSTEMS and whole:
        yield platform(name, whole[1], where)
    elif (name in _PACKAGES or last in _PACKAGES) and number:
        package = _PACKAGES.get(name) or _PACKAGES[last]
        yield of_version(PACKAGE, package, number[1], where)._replace(ecosystem=PYPI)
    elif name.startswith("rocker/") and number:
        yield of_version(PACKAGE, "r", number[1], where)._replace(ecosystem=R)


def _words(tag: str, where: str) -> Iterator[Fact]:
    for found in _WORDS.finditer(tag):
        kind = found.lastgroup or ""
        text = found[kind]
        version = re.sub(r"^[a-z]+[-_]?", "", text)
        if kind == "python":
            yield python(version, where)
        elif kind == "cuda":
            yield cuda(version, where)
        elif kind == "cudnn":
            yield of_version(CUDA, "cudnn", version, where)
        elif kind in ("torch", "tensorflow"):
            yield of_version(PACKAGE, kind, version, where)
        elif kind == "system":
            yield platform(text[: len(text) - len(version)].rstrip("-_"), version, where)
        elif kind == "code":
            system, number = _CODES[text]
            yield platform(system, number, where)
