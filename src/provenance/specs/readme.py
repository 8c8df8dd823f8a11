"""README files: install lines in code, lists of requirements, "tested with ..." in prose, badges.

Careful rather than complete: a version counts where the text says that it is the one to use, by
its section, its sentence or its form. Versions that contradict each other are unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from provenance.specs import _installs, _markup, _prose, _requirement
from provenance.specs._gathered import Gathered
from provenance.specs._markup import Block
from provenance.specs._text import decoded
from provenance.specs.model import PACKAGE, Fact, Source, Spec, Unread

FORMAT = "README"
MOST_BYTES = 1 << 20
"""The largest READMEs seen have some 100 kilobytes."""

_SEVERAL = "Several versions are named; which one was used is not said."
_INSTALL = re.compile(
    r"\s*(?:[$>%!]\s*|\([\w.-]+\)\s*\$?\s*)?(?:sudo\s+(?:-\w+\s+)?)?"
    r"((?:[\w./~-]*/)?(?:pip[\d.]*|python[\d.]*|conda|mamba|micromamba|uv|poetry|pipenv|pdm|"
    r"virtualenv|pyenv|"
    r"apt-get|apt)\s)"
)
_LIST_NAME = (
    r"(?P<name>[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+){0,4})[ ]?"
    r"(?P<extras>\[[\w,-]{1,60}\])?"
)
_PINNED = re.compile(
    r"[\s*-]*%s[ ]{0,4}\(?(?P<operator>==|>=|<=|~=|!=|>|<|=)[ ]{0,4}v?(?P<version>\d[\w.+!*]{0,40})"
    r"(?P<more>(?:[ ]?,[ ]?(?:<=?|>=?|!=|==)[ ]?\d{1,4}(?:\.[\d*]{1,5}){0,3}){0,4})"
    r"\)?[ ]*[,;.]?\s*(?:#.*|\(.{0,80}\))?$" % _LIST_NAME
)
_NOT_PYTHON = frozenset(
    "gcc g++ cmake make java jdk openjdk node nodejs npm yarn git docker ninja nvcc nccl openmpi "
    "mpi matlab r julia perl go rust cargo ruby php gnu clang llvm boost hdf5 ffmpeg latex "
    "gpu driver "
    "nvidia-driver anaconda miniconda conda mamba pip version linux windows macos ubuntu debian "
    "centos lr alpha beta gamma epsilon eps seed batch epoch epochs size k n t p x y d c l "
    "lambda tau mu "
    "sigma learning-rate batch-size dropout weight-decay momentum temperature accuracy acc "
    "score f1 auc "
    "bleu psnr ssim fid map loss threshold".split()
)
"""Names before an equal sign that are no distributions: other software, and settings."""

_BADGE = re.compile(
    r"(?:img\.shields\.io|badgen\.net)/(?:static/v1\?label=|badge/)([^\s)\"'>?]{1,300})"
)
_SPAN = re.compile(r"(?<!`)(`{1,2})([^`\n]{4,400})\1(?!`)")
_DIGIT = re.compile(r"\d[.+]|\d`")
_ALT = re.compile(r"!\[([^\[\]]{1,80})\]\(([^()\s]{1,1000})")
_ALIKE = {"=": "==", "≥": ">=", "≤": "<="}


def read(source: Source) -> Spec:
    """Return what the file states about the environment."""
    text = decoded(source.data, MOST_BYTES)
    into = Gathered(source.path)
    badges = Gathered(source.path)
    for block in _markup.blocks(text):
        _badges(block, badges)
        if _markup.is_elsewhere(block.headings):
            continue
        if block.kind == _markup.CODE:
            _code(block, into)
        else:
            _spans(block, into)
            _text(block, into)
    named = {(fact.kind, fact.name) for fact in into.facts if fact.specifier}
    into.take(*(fact for fact in badges.facts if (fact.kind, fact.name) not in named))
    into.facts, unread = _agreeing(into.facts)
    into.take(*unread)
    return into.spec(FORMAT)


def _code(block: Block, into: Gathered) -> None:
    """Take install commands, and lists of requirements, of a block of code."""
    if block.language in _markup.OTHER_LANGUAGES:
        return
    lines = block.lines
    at = 0
    while at < len(lines):
        number, line = lines[at]
        at += 1
        found = _INSTALL.match(line[:4000])
        if line.lstrip()[:1] not in ("#", "", "$") and _listed(line, number, True, into):
            continue
        if found:
            parts = [line[found.start(1) :]]
            while parts[-1].rstrip().endswith("\\") and at < len(lines):
                parts.append(lines[at][1])
                at += 1
            _command("\n".join(parts), number, into)


def _command(text: str, number: int, into: Gathered) -> None:
    """Take one command, which begins on line ``number``."""
    lines = into.within(lambda at: into.where(number + text.count("\n", 0, at)))
    _installs.take(re.sub(r"\\[ \t]+\n", "\\\n", text), 0, {}, lines)
    into.merge(lines)


def _spans(block: Block, into: Gathered) -> None:
    """Take install commands in `code` within a text that does not speak against them."""
    for number, line in block.lines:
        for _, span in _SPAN.findall(line[: _prose.MOST_CHARACTERS]):
            if _INSTALL.match(span) and not _prose.speaks_against(line):
                _command(span, number, into)


def _text(block: Block, into: Gathered) -> None:
    """Take versions of a paragraph, list item or table row."""
    if not any(_DIGIT.search(line) for _, line in block.lines):
        return
    told = _markup.is_required(block.headings) or _markup.is_required((block.intro,))
    if block.kind in (_markup.ITEM, _markup.ROW):
        if block.kind == _markup.ITEM and len(block.lines) == 1:
            number, line = block.lines[0]
            if _listed(_markup.plain(line), number, told, into):
                return
        told = told or _is_all(block)
    whole, begins = "", []
    for number, line in block.lines:
        begins.append((len(whole), number))
        whole += _markup.plain(line, keep_cells=block.kind == _markup.ROW) + " "
        if len(whole) > _prose.MOST_CHARACTERS:
            break
    for begin, sentence in _prose.sentences(whole):
        for item in _prose.in_sentence(sentence, told, block.intro):
            offset = begin + item.begin
            number = max((b for b in begins if b[0] <= offset), default=begins[0])[1]
            _item(item, sentence, number, into)


def _item(item: _prose.Item, sentence: str, number: int, into: Gathered) -> None:
    if item.several:
        into.miss(number, sentence[item.begin : item.end], _SEVERAL)
    else:
        into.take(item.fact(into.where(number)))


def _is_all(block: Block) -> bool:
    """Return whether an item is a name and a version and nothing more than a remark."""
    text = _markup.plain(block.lines[0][1], keep_cells=True).strip(" -*+•:")
    found = _prose.items(text)
    return bool(found) and found[0].begin == 0 and len(text) - found[0].end < 60


def _listed(line: str, number: int, told: bool, into: Gathered) -> bool:
    """Take a line that is one requirement: "numpy == 1.19.4", "- torch (>=1.4)"; False if not."""
    found = _PINNED.match(line[:300])
    bare = line.lstrip(" -*+").rstrip()
    known = _prose.items(bare) if told else []
    if found is None and len(known) == 1 and known[0].end - known[0].begin == len(bare):
        _item(known[0], bare, number, into)
        return True
    if found is None or not told:
        return False
    if len(known) == 1 and known[0].kind != PACKAGE:
        _item(known[0], line, number, into)
        return True
    name = found["name"].lower().replace("_", "-")
    operator = _ALIKE.get(found["operator"], found["operator"])
    if name in _NOT_PYTHON or (found["operator"] == "=" and not known):
        return False
    if len(known) == 1:
        name = known[0].name
    elif "." not in found["version"]:
        return False
    version, more = found["version"].rstrip("."), (found["more"] or "").replace(" ", "")
    requirement = "%s%s%s%s%s" % (name, found["extras"] or "", operator, version, more)
    taken = _requirement.take(requirement, into.where(number))
    into.take(*taken.facts)
    return bool(taken.facts)


def _badges(block: Block, into: Gathered) -> None:
    """Take the words of badges: label and message stand in their address."""
    for number, line in block.lines:
        for badge in _BADGE.findall(line[: _prose.MOST_CHARACTERS]):
            text = unquote(badge.replace("&message=", "-"))
            text = text.replace("--", "\0").replace("_", " ").replace("-", " ").replace("\0", "-")
            found = _prose.items(re.sub(r"\s+", " ", text.removesuffix(".svg")))
            if len(found) == 1 and found[0].begin == 0:
                _item(found[0], text, number, into)
        for alt, address in _ALT.findall(line[: _prose.MOST_CHARACTERS]):
            found = _prose.items(alt)
            if "badge" in address and len(found) == 1 and found[0].begin == 0:
                _item(found[0], alt, number, into)


def _agreeing(facts: list[Fact]) -> tuple[list[Fact], Iterator[Unread]]:
    """Return the facts without those that contradict each other, and these as unread."""
    by_name: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        by_name.setdefault((fact.kind, fact.name), []).append(fact)
    against: dict[tuple[str, str], str] = {}
    for key, group in by_name.items():
        said = [fact for fact in group if fact.specifier][:50]
        equal = {text for fact in said if (text := _pep440(fact)).startswith("==")}
        if len(equal) > 1 and not _meet(said):
            against[key] = ", ".join(sorted({fact.specifier for fact in said}))[:80]
    kept, seen = [], set()
    for fact in facts:
        same = fact._replace(where="")
        if (fact.kind, fact.name) not in against and same not in seen:
            seen.add(same)
            kept.append(fact)
    return kept, _contradictions(facts, against)


def _meet(facts: list[Fact]) -> bool:
    """Return whether one version can be what all facts say."""
    for fact in facts:
        version = fact.version or _pep440(fact).removeprefix("==").replace(".*", ".0")
        try:
            if all(SpecifierSet(_pep440(f)).contains(version, prereleases=True) for f in facts):
                return True
        except InvalidSpecifier:
            continue
    return False


def _pep440(fact: Fact) -> str:
    """Return a specifier that packaging takes; conda's "=1.2" is "==1.2.*"."""
    text = fact.specifier
    if text.startswith("=") and not text.startswith("=="):
        return "==%s.*" % text[1:].rstrip(".*")
    return text if text[:1] in "<>=!~" else "==" + text


def _contradictions(facts: list[Fact], against: dict[tuple[str, str], str]) -> Iterator[Unread]:
    told: set[tuple[str, str]] = set()
    for fact in facts:
        key = (fact.kind, fact.name)
        if key in against and key not in told:
            told.add(key)
            text = "%s %s" % (fact.name, against[key])
            yield Unread(
                fact.where, text, "The file names several versions of it: say which was used."
            )
