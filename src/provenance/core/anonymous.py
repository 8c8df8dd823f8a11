"""Taking who and where somebody is out of plain JSON, for double-blind review.

A `Veil` knows an `Identity`: folders, names and addresses. It walks any plain JSON and puts neutral
words in their place: the same word for the same thing each time, whatever the thing was called, so
that two documents of one machine are alike. Absolute places are hidden whether or not they name
anybody, and so are addresses on hosts that are not known to be public. Digests and everything that
says what was computed stay.

A name that is also a word of the program (a user "max", a host "ray") is looked for in places and
addresses only: elsewhere it would blank out what the record is about. `Veil.kept` tells which.
"""

from __future__ import annotations

import binascii
import os
import re
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Set, Tuple

from provenance.core.paths import ABS

USER, HOST, AUTHOR, OWNER, ACCOUNT = "user", "host", "author", "owner", "account"
ENVIRONMENT = "environment"
"""What stands for a login, a machine, a person, an organisation, an account of a batch system, the
name of a conda environment."""
SOMEBODY = "anonymous"
"""What stands for a value that would name somebody, and the first part of hidden places."""
MAIL = "author@anonymous.invalid"
ADDRESS = "anonymous.invalid"

PLACE = "/" + SOMEBODY
"""The folder that hidden places are said to lie in."""
_SHORTEST = 3
"""Letters of a name that is looked for; shorter ones stand in too many words."""
_DISTINCT = 5
"""Letters from which on a name is also found within a longer word ("krakenlab")."""
_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/etc/", "/dev/", "/proc/", "/sys/")
_KEPT = (*_SYSTEM, "/opt/conda/", "/opt/venv/", PLACE + "/")
_GENERIC = frozenset(
    "root user users ubuntu debian centos admin administrator runner jovyan vagrant docker nobody "
    "test tester guest student default anonymous author host localhost localdomain local home node "
    "login gpu server workstation desktop laptop worker master container builder app git www data "
    "main project research work lab com org edu net info dev gov mail owner account".split()
)
"""Names that so many have that they name nobody."""
_OURS = " ".join((USER, HOST, AUTHOR, OWNER, ACCOUNT, ENVIRONMENT, MAIL, PLACE))
"""What this module writes: a name that stands in it cannot be hidden, and names nobody."""
_ROUNDS = 4
"""A replacement can bring another name about (it shortens what stands around it); seldom twice."""
_PUBLIC = re.compile(
    r"(?:[\w-]+\.)*(?:pypi|python|pythonhosted|anaconda|conda-forge|pytorch|tensorflow|nvidia|github"
    r"|githubusercontent|gitlab|bitbucket|codeberg|huggingface|hf|zenodo|figshare|osf|kaggle|openml"
    r"|openaipublic|fbaipublicfiles|paperswithcode|doi|arxiv|scikit-learn|numpy|scipy|pandas|apache"
    r"|mozilla|wikipedia|wikimedia|r-project|julialang|debian|ubuntu|docker|quay|ghcr|yann|lecun)"
    r"\.(?:org|com|co|io|net|edu|ai)|archive\.ics\.uci\.edu"
)
"""Hosts that serve everybody: their addresses say what was used, not who used it."""
_TRACKER = re.compile(
    r"(?:[\w-]+\.)*(?:wandb\.(?:ai|com)|neptune\.(?:ai|ml)|comet\.(?:com|ml)|clear\.ml|clearml\.\w+"
    r"|dagshub\.com|aimstack\.io|databricks\.com|azuredatabricks\.net)"
)
"""Hosts of trackers: the first part of an address there names whose it is."""
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,20})://(?P<rest>[^\s\"'<>\\|]+)")
_SSH = re.compile(r"(?<![\w.+-])[\w.-]+@[\w.-]+:(?!//)[\w./~-]+")
_MAIL = re.compile(r"(?<![\w.+/@-])[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}(?![\w-])", re.UNICODE)
_ABSOLUTE = re.compile(r"(?<![\w./~-])(?:/[\w.+@%~,=-]+){2,}/?", re.UNICODE)
_FOREIGN_HOME = re.compile(r"(?<![\w.~-])(?:/home|/Users|/export/home)/[\w.-]+", re.UNICODE)
_WINDOWS = re.compile(r"(?<!\w)[A-Za-z]:\\(?:[^\\\s\"':;|]+\\?)+", re.UNICODE)
_ENVIRONMENTS = re.compile(r"((?:^|/)(?:envs|virtualenvs|\.virtualenvs)/)[^/\s:\"']+")
_HEX = re.compile(r"[0-9a-f]{7,128}")
_TELLING = re.compile(
    r"(?:^|[._/-])(?:user(?:_?name)?|login|author|e?[-_]?mail|entity|account|hostname|owner|"
    r"organi[sz]ation|workspace|mail[-_]user|job[-_]name|nodelist|affiliation|institution|wckey|"
    r"reservation)$",
    re.IGNORECASE,
)
_UUID = frozenset(("uuid", "boot_id", "serial"))


def is_telling(name: str) -> bool:
    """Return whether a parameter or option of this name is likely to say who somebody is."""
    return _TELLING.search(name) is not None


def is_generic(word: str) -> bool:
    """Return whether a name is one that many have, or too short to be looked for."""
    low = word.lower()
    return len(word) < _SHORTEST or low in _GENERIC or word.isdigit() or low in _OURS


class Identity(NamedTuple):
    """Who and where somebody is.

    tops: absolute folders of the repository; they become ".". homes: home folders; they become "~".
    words: names and the neutral word for each. mails: addresses of people.
    """

    tops: Tuple[str, ...] = ()
    homes: Tuple[str, ...] = ()
    words: Tuple[Tuple[str, str], ...] = ()
    mails: Tuple[str, ...] = ()


class Veil:
    """Hides an identity in plain JSON. ``kept``: names that are also words of the program."""

    def __init__(self, identity: Identity, vocabulary: Iterable[str] = ()) -> None:
        known = frozenset(word.lower() for word in vocabulary)
        self.kept: Tuple[str, ...] = ()
        self._identity = identity
        self._folders = _folders(identity)
        self._words: List[Tuple[Any, str]] = []
        self._places: Dict[str, str] = {}
        self._given: Set[str] = set()
        self._told: Dict[str, str] = {}
        for word, neutral in sorted(set(identity.words), key=lambda pair: (-len(pair[0]), pair)):
            if is_generic(word):
                continue
            if _is_word(word, known):
                self.kept += (word,)
            else:
                self._words.append((_pattern(word, known), neutral))
        self._mails = tuple(mail.lower() for mail in identity.mails if "@" in mail)

    def value(self, item: Any, name: str = "") -> Any:
        """Return plain JSON with everything hidden. name: of the member that ``item`` is."""
        if isinstance(item, dict):
            if "root" in item and ("path" in item or "path_base64" in item) and len(item) == 2:
                return self._reference(item)
            found: Dict[str, Any] = {}
            for key, part in item.items():
                found[self._free(self.text(key), found)] = self.value(part, key)
            return found
        if isinstance(item, (list, tuple)):
            return [self.value(part, name) for part in item]
        if isinstance(item, str):
            if name in _UUID:
                return ""
            return self.text(item)
        return item

    def text(self, text: str) -> str:
        """Return ``text`` with everything hidden."""
        if text not in self._told:
            hidden, before = self._hidden(text), text
            for _ in range(_ROUNDS):
                if hidden == before:
                    break
                hidden, before = self._hidden(hidden), hidden
            self._told[text] = hidden
        return self._told[text]

    def _hidden(self, text: str) -> str:
        if not text or _HEX.fullmatch(text):
            return text
        text = _URL.sub(self._url, text) if "://" in text else text
        for pattern, neutral in self._folders:
            text = pattern.sub(neutral, text)
        if "@" in text:
            text = _MAIL.sub(MAIL, _SSH.sub(MAIL, text))
        if "/" in text:
            text = _ABSOLUTE.sub(lambda match: self.place(match.group()), text)
            text = _FOREIGN_HOME.sub("~", text)
        if "envs/" in text:
            text = _ENVIRONMENTS.sub(r"\1" + ENVIRONMENT, text)
        if "\\" in text:
            text = _WINDOWS.sub(self._windows, text)
        return self._named(text)

    def place(self, path: str) -> str:
        """Return what stands for an absolute place: its last part, below a folder of no meaning."""
        if path.startswith(_KEPT) or path in ("/", PLACE):
            return self._named(path)
        bare = path.rstrip("/")
        if bare not in self._places:
            last = self._named(bare.rpartition("/")[2])
            made, number = "%s/%s" % (PLACE, last), 1
            while made in self._given:
                number += 1
                made = "%s/%d/%s" % (PLACE, number, last)
            self._given.add(made)
            self._places[bare] = made
        return self._places[bare] + ("/" if path.endswith("/") else "")

    def names(self, text: str) -> Tuple[str, ...]:
        """Return what of the identity stands in ``text``: names, folders and addresses of mail."""
        low = text.lower()
        found = [
            match.group() for pattern, _ in self._words for match in [pattern.search(text)] if match
        ]
        found += [
            match.group()
            for pattern, _ in self._folders
            for match in [pattern.search(text)]
            if match
        ]
        found += [mail for mail in self._mails if mail in low]
        return tuple(dict.fromkeys(found))

    def _named(self, text: str) -> str:
        for _ in range(_ROUNDS):
            before = text
            for pattern, neutral in self._words:
                text = pattern.sub(neutral, text)
            if text == before:
                break
        return text

    def _reference(self, item: Mapping[str, Any]) -> Dict[str, Any]:
        """Return a recorded path (`core.paths.PathRef` in JSON) with nothing of the place in it."""
        root, path = str(item["root"]), item.get("path")
        if path is None:
            try:
                path = os.fsdecode(binascii.a2b_base64(item["path_base64"]))
            except (ValueError, TypeError):
                path = ""
            hidden = self._below(root, path)
            return dict(item) if hidden == path else {"root": root, "path": _printable(hidden)}
        return {"root": root, "path": self._below(root, str(path))}

    def _below(self, root: str, path: str) -> str:
        path = _ENVIRONMENTS.sub(r"\1" + ENVIRONMENT, path)
        if root != ABS:
            # no text: a name of a file may look like an address of mail ("last@best.ckpt")
            return self._named(_ABSOLUTE.sub(lambda match: self.place(match.group()), path))
        return self.place(path) if path.startswith("/") else self.text(path)

    def _url(self, match: Any) -> str:
        scheme, rest = match.group("scheme"), match.group("rest")
        authority, slash, path = rest.partition("/")
        host = authority.rpartition("@")[2].partition(":")[0].lower()
        last = path.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
        if scheme.lower() == "file":
            return "file://" + self.place(
                "/" + path if not host or host == "localhost" else "/" + rest
            )
        if scheme.lower() in ("hf", "doi", "pkg"):
            return str(match.group())
        if _TRACKER.fullmatch(host):
            return "%s://%s/%s" % (scheme, host, SOMEBODY)
        if _PUBLIC.fullmatch(host):
            return "%s://%s%s%s" % (scheme, authority.rpartition("@")[2], slash, path)
        return "%s://%s/%s" % (scheme, ADDRESS, last) if last else "%s://%s" % (scheme, ADDRESS)

    def _windows(self, match: Any) -> str:
        return self.place("/" + match.group()[3:].replace("\\", "/").strip("/"))

    @staticmethod
    def _free(key: str, taken: Mapping[str, Any]) -> str:
        """Return ``key``, with a number where two keys have become alike."""
        made, number = key, 1
        while made in taken:
            number += 1
            made = "%s (%d)" % (key, number)
        return made


def _folders(identity: Identity) -> List[Tuple[Any, str]]:
    """Return patterns of known folders, the longest first, with what stands for them."""
    pairs = [(one, ".") for one in identity.tops] + [(one, "~") for one in identity.homes]
    kept = {one.rstrip("/"): neutral for one, neutral in reversed(pairs) if one.rstrip("/")}
    found = []
    for folder in sorted(kept, key=lambda one: (-len(one), one)):
        if folder.count("/") < 2 and folder not in ("/root",):
            continue  # "/work" as a home would take every place below it for a home
        found.append((re.compile(r"(?<![\w.~-])%s(?![\w-])" % re.escape(folder)), kept[folder]))
    return found


def _pattern(word: str, vocabulary: FrozenSet[str]) -> Any:
    """Return what finds a name: within longer words too, where it is long and no word has it."""
    within = len(word) >= _DISTINCT and not any(word.lower() in known for known in vocabulary)
    edges = "%s" if within else r"(?<![^\W_])%s(?![^\W_])"
    return re.compile(edges % re.escape(word), re.IGNORECASE | re.UNICODE)


def _is_word(word: str, vocabulary: FrozenSet[str]) -> bool:
    return word.lower() in vocabulary


def _printable(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")
