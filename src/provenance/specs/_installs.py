"""What install commands state: pip, uv, conda and its kin, apt's Pythons; in any shell text."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from itertools import pairwise

from provenance.specs import _conda, _requirement
from provenance.specs._gathered import Gathered, cuda, python
from provenance.specs._shell import Command, Word, commands

_DEEPEST = 3
"""Shells within shells (``bash -c "..."``)."""

_UNKNOWN = "It holds something that is not set in this file; only who runs it knows the version."
_CONDITION = "Whether this is run depends on a condition; what it installs is not taken."
_ARROW = "Without quotes a shell takes < and > for files: any version is installed. Quote it."

_PIP = re.compile(r"(?:.*/)?pip[\d.]*$")
_PYTHON = re.compile(r"(?:.*/)?python([\d.]*)$")
_CONDA = re.compile(r"(?:.*/|~/)?(?:conda|mamba|micromamba)(?:\.exe)?$")
_SHELLS = re.compile(r"(?:.*/)?(?:ba|da|z|k)?sh$")
_APT = ("apt", "apt-get", "aptitude", "yum", "dnf", "apk", "microdnf")
_WITH_VALUE = frozenset(
    "-f --find-links -i --index-url --extra-index-url -t --target --trusted-host --python "
    "--platform --python-version --implementation --abi --global-option --install-option "
    "--build-option -C --config-settings --no-binary --only-binary --prefix --root --src --report "
    "--progress-bar --timeout --default-timeout --retries --proxy --cache-dir --log "
    "--exists-action --upgrade-strategy --index --default-index --index-strategy -p "
    "--torch-backend --use-feature "
    "--use-deprecated --cert --client-cert --hash --prerelease --resolution --link-mode".split()
)
_CONDA_WITH_VALUE = frozenset(
    "-n --name -p --prefix -c --channel --solver --repodata-fn --platform --subdir -r "
    "--root-prefix --clone --rc-file --experimental --log-level --channel-priority".split()
)
_APT_PYTHON = re.compile(r"python(3\.\d+|2\.7)(?:-(?:dev|venv|minimal|distutils|full))?(?:=.*)?$")
_APT_CUDA = re.compile(r"cuda(?:-[a-z]+)*-(\d+)-(\d+)(?:=.*)?$")


def take(text: str, base: int, values: Mapping[str, str], into: Gathered, depth: int = 0) -> None:
    """Gather what the commands of a shell text install. base: the offset of the text in its file.

    values: of the variables that are known.
    """
    for command in commands(text, values):
        _command(command, base, into, depth)


def _command(command: Command, base: int, into: Gathered, depth: int) -> None:
    words = _unwrapped(list(command.words))
    if not words:
        return
    head = words[0].text
    if _SHELLS.match(head):
        _shell(words, base, into, depth)
        return
    installs = _installs(words)
    if installs is None:
        return
    tool, rest = installs
    if not command.sure:
        if rest and tool != "apt":
            shown = " ".join(word.text for word in words[:20])
            into.miss(base + words[0].offset, shown, _CONDITION)
        return
    {"pip": _pip, "conda": of_conda, "apt": _apt, "python": _python}[tool](rest, base, into)


def _shell(words: list[Word], base: int, into: Gathered, depth: int) -> None:
    """Take the text of ``bash -c "..."``."""
    for option, text in pairwise(words[:4]):
        if option.text.startswith("-") and option.text.endswith("c"):
            if depth < _DEEPEST:
                inside = into.within(functools.partial(_always, into.where(base + text.offset)))
                take(text.text, 0, {}, inside, depth + 1)
                into.merge(inside)
            break


def _always(place: str, at: int) -> str:
    del at  # a shell's text within a shell's text has no lines of its own
    return place


def _unwrapped(words: list[Word]) -> list[Word]:
    """Return the words without sudo, env and ``conda run -n x`` before the command."""
    for _ in range(8):
        if not words:
            break
        head = words[0].text
        if head in ("sudo", "env", "nohup", "exec", "eval"):
            words = words[1:]
            while words and (words[0].text.startswith("-") or "=" in words[0].text):
                words = words[1:]
        elif head in ("uv", "poetry", "pipenv", "pdm", "hatch") and len(words) > 2:
            if words[1].text != "run" or head == "uv":
                break
            words = words[2:]
        elif _CONDA.match(head) and len(words) > 2 and words[1].text == "run":
            words = words[2:]
            while words and words[0].text.startswith("-"):
                words = words[2 if words[0].text in ("-n", "--name", "-p", "--prefix") else 1 :]
        else:
            break
    return words


def _installs(words: list[Word]) -> tuple[str, list[Word]] | None:
    """Return the tool of an install command and what stands behind it; None for another one."""
    texts = [word.text for word in words[:5]]
    head = texts[0]
    made = _PYTHON.match(head)
    if made and texts[1:3] == ["-m", "pip"]:
        return ("pip", words[4:]) if texts[3:4] == ["install"] else None
    if made and made[1].count(".") == 1 and texts[1:3] == ["-m", "venv"]:
        return "python", [Word(made[1], words[0].offset)]
    if _PIP.match(head) or head in ("%pip", "!pip"):
        begin = next((n for n, t in enumerate(texts[1:4], 1) if t == "install"), 0)
        return ("pip", words[begin + 1 :]) if begin else None
    if head == "uv":
        return _uv(texts, words)
    if head in ("pipenv", "poetry", "pdm") and texts[1:2] in (["install"], ["add"]):
        return "pip", [word for word in words[2:] if texts[1] == "add" or head == "pipenv"]
    if head in ("virtualenv", "pyenv"):
        return _environment(head, texts, words)
    if _CONDA.match(head) or head in ("%conda", "!conda"):
        at = 2 if texts[1:2] == ["env"] else 1
        verb = texts[at] if len(texts) > at else ""
        if verb in ("install", "create", "update", "upgrade"):
            return "conda", words[at + 1 :]
        return None
    if head in _APT and any(text in ("install", "add") for text in texts[1:5]):
        return "apt", words[1:]
    return None


def _uv(texts: list[str], words: list[Word]) -> tuple[str, list[Word]] | None:
    if texts[1:3] == ["pip", "install"]:
        return "pip", words[3:]
    if texts[1:2] == ["add"]:
        return "pip", words[2:]
    if texts[1:3] == ["python", "install"]:
        return "python", words[3:]
    if texts[1:2] == ["venv"]:
        return _environment("virtualenv", texts, words)
    return None


def _environment(head: str, texts: list[str], words: list[Word]) -> tuple[str, list[Word]] | None:
    if head == "pyenv":
        verb = texts[1] if len(texts) > 1 else ""
        return ("python", words[2:]) if verb in ("install", "local", "global") else None
    for at, text in enumerate(texts):
        if text in ("-p", "--python") and len(words) > at + 1:
            return "python", [words[at + 1]]
        if text.startswith("--python="):
            return "python", [words[at]._replace(text=text.partition("=")[2])]
    return None


def _python(words: list[Word], base: int, into: Gathered) -> None:
    for word in words:
        number = re.fullmatch(r"(?:.*/)?(?:python)?([23]\.\d+(?:\.\d+)?)", word.text[:200])
        if number and not word.open:
            into.take(python(number[1], into.where(base + word.offset)))


def _pip(words: list[Word], base: int, into: Gathered) -> None:
    at = 0
    while at < len(words):
        word = words[at]
        text, place = word.text, base + word.offset
        at += 1
        option, _, value = text.partition("=") if text.startswith("--") else (text, "", "")
        if option in ("-r", "--requirement", "-c", "--constraint", "--requirements"):
            if not value and at < len(words):
                value = words[at].text
                at += 1
            _included(value, place, into)
        elif option in ("-e", "--editable"):
            if not value and at < len(words):
                word = words[at]
                value, at = word.text, at + 1
            _one(word._replace(text=value), base, into)
        elif text.startswith("-r") and not text.startswith("--"):
            _included(text[2:], place, into)
        elif option in _WITH_VALUE and not value:
            at += 1
        elif not text.startswith("-") and text.strip():
            _one(word, base, into)


def _included(path: str, place: int, into: Gathered) -> None:
    if path:
        shown = path[:200]
        sentence = '%s: what the file "%s" states is installed too.' % (into.where(place), shown)
        into.note(sentence)


def _one(word: Word, base: int, into: Gathered) -> None:
    """Take one requirement of a command line."""
    text, place = word.text.strip(), base + word.offset
    if word.open or "$" in text:
        into.miss(place, text, _UNKNOWN)
    elif word.redirected:
        into.miss(place, text, _ARROW)
        into.take(*_requirement.take(re.split("[<>=!~]", text)[0], into.where(place)).facts)
    elif _is_place_here(text):
        into.note('%s: the folder or file "%s" is installed.' % (into.where(place), text[:200]))
    else:
        taken = _requirement.take(text, into.where(place))
        into.take(*taken.facts, *taken.unread)
        for note in taken.notes:
            into.note("%s: %s." % (into.where(place), note.rstrip(".")))


def _is_place_here(text: str) -> bool:
    """Return whether pip takes it as a folder: the project itself, mostly."""
    bare = re.sub(r"\[[^\[\]]*\]$", "", text)
    if "://" in text or " @ " in text:
        return False
    return bare in (".", "..") or bare.startswith(("./", "../", "/", "~", "file:")) or "/" in bare


def of_conda(words: list[Word], base: int, into: Gathered) -> None:
    """Take what stands behind ``conda install``: specs, files, and options to pass over."""
    channels = [b.text for a, b in pairwise(words) if _is_channel(a.text)]
    channels += [w.text.partition("=")[2] for w in words if w.text.startswith("--channel=")]
    channel = channels[0] if len(channels) == 1 else ""
    at = 0
    while at < len(words):
        word = words[at]
        text, place = word.text, base + word.offset
        at += 1
        option, _, value = text.partition("=") if text.startswith("--") else (text, "", "")
        if option in ("-f", "--file"):
            if not value and at < len(words):
                value, at = words[at].text, at + 1
            _included(value, place, into)
        elif option in _CONDA_WITH_VALUE or _is_channel(text):
            at += 0 if value else 1
        elif text.startswith("-") or not text.strip():
            continue
        elif word.open:
            into.miss(place, text, _UNKNOWN)
        elif text.endswith((".yml", ".yaml", ".txt", ".lock")):
            _included(text, place, into)
        elif word.redirected:
            into.miss(place, text, _ARROW)
        else:
            _matchspec(text, place, channel, into)


def _is_channel(text: str) -> bool:
    """Return whether an option takes a channel: also as the last of a cluster (-yc)."""
    return text == "--channel" or bool(re.fullmatch(r"-[qyvkS]*c", text))


def _matchspec(text: str, place: int, channel: str, into: Gathered) -> None:
    """Take one of conda's specs. channel: the one that the command names, if it names one."""
    try:
        fact = _conda.fact_of(text, into.where(place))
    except ValueError as error:
        into.miss(place, text, str(error))
        return
    into.take(fact._replace(channel=fact.channel or channel))


def _apt(words: list[Word], base: int, into: Gathered) -> None:
    """Take the Python and the CUDA that a system's packages name; the others are not compared."""
    seen: set[str] = set()
    for word in words:
        place = into.where(base + word.offset)
        one = _APT_PYTHON.match(word.text[:200])
        if one and one[1] not in seen:
            seen.add(one[1])
            into.take(python(one[1], place))
        toolkit = _APT_CUDA.match(word.text[:200])
        if toolkit and toolkit[0] not in seen:
            seen.add(toolkit[0])
            into.take(cuda("%s.%s" % (toolkit[1], toolkit[2]), place))
