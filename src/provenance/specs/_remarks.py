"""What people should know about the entries of a requirements file as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable

from provenance.specs import _places
from provenance.specs.model import EXACT, PACKAGE, PLACED, PYPI, Fact

FREEZE_ENTRIES = 25
"""As many exact versions are the output of a program: people name what they use directly."""

CONSTRAINT = "constraint"
"""The group of facts that only say which version, if something else asks for the package."""

_SHOWN = 3
_MOST_NAMES = 20
_MOST_NOTES = 100

_MEANT = {
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "cv2": "opencv-python",
    "pil": "pillow",
    "bs4": "beautifulsoup4",
    "pytorch": "torch",
    "yaml": "pyyaml",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "opencv": "opencv-python",
}
"""Names that are imported or outdated, and the distribution that is meant on pypi.org today."""

_OF_PYTHON = frozenset(
    "argparse typing dataclasses os sys json re math random time pickle copy glob logging enum "
    "collections itertools functools shutil subprocess multiprocessing datetime pathlib tempfile "
    "uuid csv string warnings unittest asyncio contextlib statistics urllib threading io abc "
    "configparser zipfile socket struct hashlib base64 queue traceback types operator heapq "
    "bisect gc inspect platform pprint sqlite3 tkinter distutils".split()
)

_MACHINE = "The entry names a folder of the machine that wrote the file, and no version"


class Remarks:
    """Sentences with the places that they are about, each sentence once."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}

    def add(self, sentence: str, where: str) -> None:
        """Note that ``sentence``, without its full stop, is true of the line at ``where``."""
        if sentence in self._places or len(self._places) < _MOST_NOTES:
            self._places.setdefault(sentence, []).append(where)

    def drop(self, sentence: str) -> None:
        """Forget a sentence."""
        self._places.pop(sentence, None)

    def notes(self) -> tuple[str, ...]:
        """Return the sentences, each with the first places and how many more there are."""
        return tuple(_told(sentence, places) for sentence, places in self._places.items())


def _told(sentence: str, places: list[str]) -> str:
    shown = ", ".join(places[:_SHOWN])
    more = len(places) - _SHOWN
    return "%s (%s%s)." % (sentence, shown, " and %d more" % more if more > 0 else "")


def is_artefact(fact: Fact) -> bool:
    """Return whether an entry names no package: Debian's pip froze ``pkg-resources==0.0.0``."""
    return fact.name == "pkg-resources" and fact.version in ("", "0.0.0")


def about_names(facts: Iterable[Fact], remarks: Remarks) -> None:
    """Remark on names that mean another package or a module of Python itself."""
    for fact in facts:
        if fact.kind != PACKAGE or fact.ecosystem != PYPI or fact.url or fact.group == CONSTRAINT:
            continue
        meant = _MEANT.get(fact.name)
        if meant is not None:
            remarks.add("%s is a name for what is installed as %s" % (fact.name, meant), fact.where)
        elif fact.name in _OF_PYTHON and not fact.marker:
            remarks.add("%s is a module of Python itself" % fact.name, fact.where)


def about_places(facts: Iterable[Fact], remarks: Remarks) -> None:
    """Remark on entries that ``pip freeze`` writes for what conda has built."""
    for fact in facts:
        if fact.exactness == PLACED and fact.url.lower().startswith("file:"):
            remarks.add(_MACHINE + ": `pip list --format=freeze` writes versions", fact.where)


def about_repeated(facts: Iterable[Fact], remarks: Remarks) -> None:
    """Remark on names that are stated more than once and not alike."""
    first: dict[tuple[str, str, str], Fact] = {}
    told: set[str] = set()
    for fact in facts:
        if fact.kind != PACKAGE or fact.ecosystem != PYPI:
            continue
        key = (fact.name, fact.marker, fact.group)
        before = first.setdefault(key, fact)
        if (before.specifier, before.url) != (fact.specifier, fact.url) and len(told) < _MOST_NAMES:
            sentence = "%s is stated twice and differently, which pip refuses" % fact.name
            if fact.name not in told:
                remarks.add(sentence, before.where)
                told.add(fact.name)
            remarks.add(sentence, fact.where)


def loose(facts: Iterable[Fact]) -> list[Fact]:
    """Return the packages to be installed whose version is neither exact nor a commit's."""
    return [one for one in installed(facts) if not _is_exact(one)]


def installed(facts: Iterable[Fact]) -> list[Fact]:
    """Return the packages that are to be installed, without constraints."""
    return [one for one in facts if one.kind == PACKAGE and one.group != CONSTRAINT]


def _is_exact(fact: Fact) -> bool:
    return fact.exactness == EXACT or (fact.exactness == PLACED and _places.is_fixed(fact.url))


PYTHON_IN_COMMENT = re.compile(
    r"(?:this file is autogenerated by pip-compile |requires? |tested |on |with |under |using "
    r"|needs? |for )*python(?: version)?\s*(==?|>=|:)?\s*(\d\.\d+(?:\.\d+)?)\s*\.?\Z",
    re.I | re.A,
)
PYTHON_OF_UV = re.compile(
    r"uv pip compile\b.*\s--python-version[ =](\d\.\d+(?:\.\d+)?)(?:\s|\Z)", re.A
)
COMPILED = re.compile(r"this file (?:is|was) autogenerated by (?:pip-compile|uv)\b", re.I)
CHATTER = re.compile(
    r"\[notice\]|WARNING: |DEPRECATION: |You are using pip version |You should consider upgrading |"
    r"List of packages in environment: |Using Python \d\S* environment|The directory '\S+' or its "
)
"""Messages of pip, uv and conda that a redirection or a copy took into the file."""
EDITABLE = re.compile(r"Editable .*\(([A-Za-z0-9._-]+)===?([^()=\s]+)\)")
"""What `pip freeze` writes above an editable install whose repository it cannot name."""
