"""The lines of a requirements file, one after the other, and the files that it includes."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import NamedTuple

from provenance.core.redact import without_credentials
from provenance.specs import (
    _commandlines,
    _habits,
    _installs,
    _options,
    _places,
    _remarks,
    _requirement,
    _tables,
    _text,
)
from provenance.specs._gathered import Gathered
from provenance.specs._options import Option
from provenance.specs._requirement import Taken
from provenance.specs._shell import Word
from provenance.specs._text import Line, brief
from provenance.specs.model import (
    CONDA,
    NAMED,
    PLATFORM,
    PYTHON,
    RANGE,
    Fact,
    Source,
    Unread,
    Unreadable,
)

MOST_BYTES = 8 << 20
MOST_LINES = 200_000
MOST_FACTS = 20_000
MOST_UNREAD = 1000
"""Of one file with all that it includes: no list of requirements comes near any of them."""

MOST_FILES, DEEPEST = 64, 12
"""Of included files, and of how far they include one another."""

CONSTRAINT = _remarks.CONSTRAINT

_CHATTER = "A program's command or message among the entries was passed over"
_SHELL = "Shell commands stand in the file, which pip refuses; what they install was read"
_NOT_RUN = "This is a shell command, which pip refuses: nothing was run."
_ALSO = "Of these shell commands only what pip and conda install was read."
_NO_OPTION = "pip knows no such option in a requirements file."
_STRAY = "pip passes over words behind an option: give each package its own line."
_NO_VALUE = "This option needs a value."
_NEEDED = frozenset(
    (
        _options.INCLUDE,
        _options.CONSTRAIN,
        _options.EDIT,
        _options.LINKS,
        _options.INDEX,
        _options.EXTRA_INDEX,
    )
)
_EDIT = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)(.+)\Z", re.S)
_OTHER_FORMATS = (
    (re.compile(r"^dependencies:\s*$", re.M), "conda's environment.yml"),
    (re.compile(r"^@EXPLICIT\s*$", re.M), "conda's explicit list (@EXPLICIT)"),
    (re.compile(r"\A\s*[\[{]\s*[\"{]"), "JSON"),
    (re.compile(r"^\[(?:packages|project|tool\.[\w.-]+)\]\s*$", re.M), "TOML"),
)


class Place(NamedTuple):
    """Where the reader stands. path: as people see it. rel: from the first file's folder."""

    path: str
    rel: str
    group: str
    depth: int = 0


class Reader:
    """Goes through a file and those that it includes, and gathers what they state.

    rows: how many there were of each kind of table. hashed: entries with hashes. single: positions
    of facts that were written with one ``=``. compiled: a resolver wrote the file.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.facts: list[Fact] = []
        self.unread: list[Unread] = []
        self.included: list[str] = []
        self.remarks = _remarks.Remarks()
        self.tables = _tables.Tables()
        self.rows: Counter[str] = Counter()
        self.hashed = 0
        self.single: list[int] = []
        self.compiled = False
        self.seen: set[tuple[str, str]] = set()
        self.announced: tuple[str, str] | None = None
        self.room = MOST_BYTES
        self.lines = MOST_LINES

    def file(self, data: bytes, place: Place) -> None:
        """Take all lines of a file. Raises `Unreadable`."""
        text = _text.decoded(data, self.room)
        self.room -= len(data)
        self.lines -= text.count("\n")
        if self.lines < 0:
            raise Unreadable("It has more than %d lines: no list of packages has." % MOST_LINES)
        for sign, name in _OTHER_FORMATS:
            if found := sign.search(text):
                line = text.count("\n", 0, found.start()) + 1
                raise Unreadable("Its content is %s: name the file accordingly." % name, line)
        for one in _text.logical(text):
            self._line(one, place)
            if len(self.unread) > MOST_UNREAD or len(self.facts) > MOST_FACTS:
                raise Unreadable("This is no list of packages: too much stands in it.", one.number)

    def _line(self, line: Line, place: Place) -> None:
        where = "%s:%d" % (place.path, line.number)
        if line.cut:
            self.unread.append(Unread(where, brief(line.text), "The line is too long to be read."))
        elif not line.text:
            self._comment(line.comment[:1000], where)
        elif _remarks.CHATTER.match(line.text):
            self.remarks.add(_CHATTER, where)
        elif not self.tables.head(line.text) and not self._row(line.text, where, place):
            self._entry(line.text, where, place)

    def _row(self, text: str, where: str, place: Place) -> bool:
        row = self.tables.row(text, where)
        if row is None:
            return False
        self.rows[row.table] += 1
        self._fact(row.fact._replace(group=place.group))
        return True

    def _comment(self, comment: str, where: str) -> None:
        """Take what programs, and sometimes people, state in comments."""
        if not comment or self.tables.head(comment):
            return
        if found := _remarks.EDITABLE.match(comment):
            self.announced = (found.group(1), found.group(2))
        self.compiled = self.compiled or _remarks.COMPILED.match(comment) is not None
        if found := _remarks.PYTHON_IN_COMMENT.match(comment):
            sign = ">=" if found.group(1) == ">=" else "=="
            self._fact(_requirement.fact("python", sign + found.group(2), where))
        elif found := _remarks.PYTHON_OF_UV.match(comment):
            version = "==%s.*" % found.group(1)
            self._fact(Fact(PYTHON, "python", RANGE, where, specifier=version))
        elif comment.startswith("platform: ") and self.tables.seen:
            name = comment.partition(":")[2].strip()
            self._fact(Fact(PLATFORM, name, NAMED, where, ecosystem=CONDA))

    def _entry(self, text: str, where: str, place: Place) -> None:
        """Take a line of pip's own syntax, or of a shell."""
        if edited := _EDIT.match(text):
            value, text = _options.split(edited.group(1))
            self._editable(value, where, place)
            if not text:
                return
        entry, options = (text, "") if text.startswith("- ") else _options.split(text)
        taken = _requirement.take(entry, where, place.group) if entry else Taken()
        doubtful = taken.unread or options.startswith("-m ")
        if entry and doubtful and (found := _commandlines.commands(text)):
            self._commands(found, text, where, place)
            return
        given, rest = _options.parse(_options.words(options)) if options else ([], [])
        self._take(_hashed(taken, given), where)
        self.hashed += bool(taken.facts and any(one.name == _options.HASH for one in given))
        for option in given:
            if option.known:
                self._option(option, where, place)
        if not all(option.known for option in given):
            self.unread.append(Unread(where, brief(options), _NO_OPTION))
        elif rest:
            self.unread.append(Unread(where, brief(" ".join(rest)), _STRAY))

    def _take(self, taken: Taken, where: str) -> None:
        for note in taken.notes:
            self.remarks.add(note, where)
        for one in taken.facts:
            self._fact(one, _habits.SINGLE in taken.notes)
        self.unread += taken.unread

    def _fact(self, fact: Fact, single: bool = False) -> None:
        if _remarks.is_artefact(fact):
            why = "pkg-resources is no package: pip on Debian and Ubuntu lists it by mistake"
            self.remarks.add(why, fact.where)
            return
        if single:
            self.single.append(len(self.facts))
        self.facts.append(fact)

    def _option(self, option: Option, where: str, place: Place) -> None:
        name, value = option.name, option.value.strip()
        address = brief(without_credentials(value))
        if not value and name in _NEEDED:
            self.unread.append(Unread(where, name, _NO_VALUE))
        elif name in (_options.INCLUDE, _options.CONSTRAIN):
            self._include(value, where, place, name == _options.CONSTRAIN)
        elif name == _options.EDIT:
            self._editable(value, where, place)
        elif name == _options.INDEX:
            self.remarks.add("Packages are looked for at %s" % address, where)
        elif name in (_options.EXTRA_INDEX, _options.LINKS):
            self.remarks.add("Packages are looked for at %s too" % address, where)
        elif name == _options.NO_BINARY:
            self.remarks.add("Built from source, not taken as wheels: %s" % address, where)
        elif name == _options.NO_INDEX:
            self.remarks.add("No package index is used (--no-index)", where)

    def _editable(self, value: str, where: str, place: Place) -> None:
        announced, self.announced = self.announced, None
        if announced and "://" not in value:
            found = _tables.pinned(*announced, where)
            if found is not None:
                url = _places.placed(value).url
                self._fact(found._replace(url=url, group=place.group))
                return
        bare = value.strip()
        if bare[:1] in ("'", '"') and bare.endswith(bare[0]):
            bare = bare[1:-1].strip()
        self._take(_requirement.take_place(bare, where, place.group), where)

    def _commands(
        self, found: tuple[_commandlines.Command, ...], text: str, where: str, place: Place
    ) -> None:
        installs = [one for one in found if one.installs]
        if all(one.tool == _commandlines.LISTING for one in found):
            self.remarks.add(_CHATTER, where)
            return
        for one in installs:
            self.remarks.add(_SHELL, where)
            if one.tool == _commandlines.CONDA:
                self._of_conda([Word(word, 0) for word in one.words], where, place)
                continue
            given, words = _options.parse(one.words)
            for word in words:
                self._take(_requirement.take(word, where, place.group), where)
            for option in given:
                self._option(option, where, place)
        if len(installs) < len(found):
            why = _ALSO if installs else _NOT_RUN
            self.unread.append(Unread(where, brief(text), why))

    def _of_conda(self, words: list[Word], where: str, place: Place) -> None:
        """Take the words of ``conda install``."""
        found = Gathered(place.path, lambda _: where)
        _installs.of_conda(words, 0, found)
        for fact in found.facts:
            self._fact(fact._replace(group=place.group))
        self.unread += found.unread
        for note in found.notes:
            self.remarks.add(note.removeprefix(where + ": ").rstrip("."), where)

    def _include(self, target: str, where: str, place: Place, constrain: bool) -> None:
        """Take another file, where it can be had from the repository."""
        why = _not_here(target)
        rel = posixpath.normpath(posixpath.join(posixpath.dirname(place.rel), _slashed(target)))
        group = CONSTRAINT if constrain else place.group
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.source.path), rel))
        if not why and (path, group) in self.seen:
            self.remarks.add("The file is included more than once, and read once: " + path, where)
            return
        if not why and (len(self.seen) >= MOST_FILES or place.depth >= DEEPEST):
            why = "Too many files include one another: this one was not read."
        if not why:
            self.seen.add((path, group))
            data = self.source.sibling(rel)
            if data is None:
                why = "The file is not there, or lies outside of the repository."
            else:
                self.included.append(path)
                try:
                    self.file(data, Place(path, rel, group, place.depth + 1))
                except Unreadable as error:
                    why = "%s:%d cannot be read: %s" % (path, max(error.line, 1), error.why)
        if why:
            self.unread.append(Unread(where, brief(target), why))


def _slashed(path: str) -> str:
    return path.replace("\\", "/")


def _not_here(target: str) -> str:
    """Return why an included file cannot be asked for, "" where it can."""
    if "://" in target:
        return "The file is at an address, and nothing is fetched."
    if "${" in target:
        return "Which file this is depends on an environment variable."
    if _slashed(target).startswith(("/", "~")) or target[1:2] == ":":
        return "The path is of the machine that wrote the file: give one inside the repository."
    return ""


def _hashed(taken: Taken, given: list[Option]) -> Taken:
    """Return ``taken`` with the digest of its artifact; several are of several artifacts."""
    digests = [one.value.strip().lower() for one in given if one.name == _options.HASH]
    if len(digests) != 1:
        return taken
    return taken._replace(facts=tuple(one._replace(digest=digests[0]) for one in taken.facts))
