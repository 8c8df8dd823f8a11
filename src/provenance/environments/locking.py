"""Hashes for exactly the versions of a record: what an index serves for them now.

Nothing is resolved: every requirement is pinned, and none is followed to what it requires. An index
that no longer has one of them does not fail the others: it is named, with its reason. A hash here
says what the index serves at the time of the lock, not that the bytes installed for the run were
those; of the installed files only their RECORD speaks (`prov verify --deep`).
"""

from __future__ import annotations

import os
import platform
import re
import sys
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.core.distributions import key_of
from provenance.core.redact import without_credentials
from provenance.environments import indexes, piptools, refusals, uv
from provenance.environments.wanted import LeftOut, Wanted, split
from provenance.errors import SystemRefused, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

UV, PIP_TOOLS = "uv", "pip-tools"
LOCKERS = (UV, PIP_TOOLS)
FILES, EVERY, PYLOCK = "files", "every", "pylock"
"""What to lock: the files for this platform, all files of the releases, or a pylock.toml."""

MOST_REFUSED = 60
"""Refusals after which the rest is left without hashes: uv names one distribution at a time."""
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=([a-z0-9]+:[0-9a-f]+)")
_OFFLINE = "offline: only what uv's cache knew of the index has hashes"


class Pin(NamedTuple):
    """One release with its files.

    hashes: "sha256:<hex>" to the name of the file, "" where it is not known; empty where the index
    states none. options: of uv and pip for the index that has it, beside the usual one. url: of the
    first file, "" where not known.
    """

    name: str
    version: str
    hashes: Mapping[str, str]
    options: tuple[str, ...] = ()
    url: str = ""


class Locked(NamedTuple):
    """The pinned releases of an environment.

    python: full version. platform: "linux-x86_64", of the files; "" where they are those of every
    platform. locker: "uv 0.13.8". without: what has no hash, and why. notes: sentences. text: the
    pylock.toml, where that was asked for.
    """

    python: str
    platform: str
    locker: str
    pins: tuple[Pin, ...]
    without: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    text: str = ""


class Wish(NamedTuple):
    """How to lock.

    cwd: where uv looks for settings. locker: one of `LOCKERS`. offline: only from uv's cache.
    progress: told in a few words what is going on.
    """

    environ: Mapping[str, str]
    cwd: str
    locker: str = UV
    offline: bool = False
    progress: Callable[[str], None] | None = None


def here() -> str:
    """Return the platform that files are for, as "linux-x86_64" or "linux-x86_64-musl"."""
    libc = "-musl" if sys.platform == "linux" and platform.libc_ver()[0] != "glibc" else ""
    return "%s-%s%s" % (sys.platform, platform.machine(), libc)


def lock(wanted: Wanted, wish: Wish, what: str = FILES) -> Locked:
    """Return the releases of ``wanted`` with their hashes. Raises `ProvError`.

    That a locker is missing or no index answers is an error; that an index lacks a release is not.
    """
    if wish.locker not in LOCKERS:
        raise UsageError("--locker %r is none." % wish.locker, "one of " + ", ".join(LOCKERS))
    if wish.progress is not None:
        wish.progress("locking %d releases with %s" % (len(wanted.requirements), wish.locker))
    if wish.locker == PIP_TOOLS:
        return _with_pip_tools(wanted, wish)
    return _Locker(wanted, wish, what).lock()


def _with_pip_tools(wanted: Wanted, wish: Wish) -> Locked:
    if wish.offline:
        raise UsageError("pip-tools locks only with an index.", "--locker uv, or not --offline")
    locker, text = piptools.compile_pins(wanted, wish.environ, wish.cwd)
    pins = [pin for pin in pins_of(text, ()) if pin.hashes]
    known = {pin.name for pin in pins}
    rest = [split(one) for one in wanted.requirements]
    without = tuple(
        LeftOut(*one, "pip-compile gave no hash") for one in rest if one[0] not in known
    )
    return Locked(wanted.python, "", locker, tuple(pins), without)


class _Locker:
    """One lock with uv: asks for all, takes refusals, asks again without what was refused."""

    def __init__(self, wanted: Wanted, wish: Wish, what: str) -> None:
        self._wanted = wanted
        self._wish = wish
        self._what = what
        self._without: list[LeftOut] = []
        self._refused = 0

    def lock(self) -> Locked:
        todo = dict(split(one) for one in self._wanted.requirements)
        text = self._compile(todo, ())
        pins = self._read(text, ())
        notes = [_OFFLINE + "."] if self._wish.offline else []
        later = [one for one in self._without if indexes.of_local(one.name, one.version)]
        for one in later:  # builds with a local version, which their makers' index has
            options = tuple(indexes.of_local(one.name, one.version))
            self._without.remove(one)
            more = self._compile({one.name: one.version}, options)
            pins += self._read(more, options)
            if self._what == PYLOCK and more:
                text += "\n" + more[more.index("[[packages]]") :]
        bare = [
            LeftOut(p.name, p.version, "the index states no hash") for p in pins if not p.hashes
        ]
        return Locked(
            self._wanted.python,
            "" if self._what == EVERY else here(),
            self._version(),
            tuple(sorted(pins)),
            tuple(sorted([*self._without, *bare])),
            tuple(notes),
            text if self._what == PYLOCK else "",
        )

    def _version(self) -> str:
        said = uv.run(["--version"], self._wish.environ, self._wish.cwd).output.split()
        return " ".join(said[:2])

    def _words(self, options: tuple[str, ...]) -> list[str]:
        words = ["pip", "compile", "--no-deps", "--no-header", "--no-annotate"]
        words += ["--python-version", self._wanted.python, *options]
        words += ["--offline"] if self._wish.offline else []
        form = ["--generate-hashes"] if self._what == EVERY else ["--format", "pylock.toml"]
        return [*words, *form, "-"]

    def _compile(self, todo: dict[str, str], options: tuple[str, ...]) -> str:
        """Return what uv writes for ``todo`` less what is refused; "" where nothing is left."""
        todo = dict(todo)
        layers = {one.name: one for one in self._wanted.layers} if self._what == PYLOCK else {}
        if options:
            layers = {}
        while todo or layers:
            lines = ["%s==%s" % one for one in todo.items()]
            lines += ["%s @ %s" % (one.name, one.address) for one in layers.values()]
            text = "\n".join(lines) + "\n"
            done = uv.run(self._words(options), self._wish.environ, self._wish.cwd, text)
            if done.code == 0:
                return done.output
            known = {key_of(name): name for name in (*todo, *layers)}
            refusal = refusals.read(done.complaints, known, self._wish.offline)
            name = known.get(refusal.key, "")
            if name in layers:  # a repository that does not answer is no index that does not
                layers.pop(name)
                continue
            if refusal.network:
                raise SystemRefused("nothing was locked: %s." % refusal.reason)
            self._refused += 1
            if not name or self._refused > MOST_REFUSED:
                left = "not looked at, after %d others" % MOST_REFUSED if name else refusal.reason
                self._without += [LeftOut(*one, left) for one in todo.items()]
                return ""
            self._without.append(LeftOut(name, todo.pop(name), refusal.reason))
        return ""

    def _read(self, text: str, options: tuple[str, ...]) -> list[Pin]:
        return pins_of(text, options) if self._what == EVERY else _pins_of_pylock(text, options)


def pins_of(text: str, options: tuple[str, ...]) -> list[Pin]:
    """Return the pins of the requirements ``text``, with hashes; files have no names there."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        pin = _REQUIREMENT.match(line)
        if pin:
            hashes = dict.fromkeys(sorted(_HASH.findall(line)), "")
            found.append(Pin(key_of(pin.group(1)), pin.group(2), hashes, options))
    return found


def _pins_of_pylock(text: str, options: tuple[str, ...]) -> list[Pin]:
    """Return the pins of a pylock.toml (PEP 751), those with a version and files from an index."""
    found = []
    for one in tomllib.loads(text).get("packages", []) if text else []:
        files = [*one.get("wheels", []), *([one["sdist"]] if "sdist" in one else [])]
        if not files or "version" not in one:
            continue
        hashes: dict[str, str] = {}
        for file in files:
            hashes.update({digest: _file_name(file) for digest in _digests(file)})
        url = without_credentials(str(files[0].get("url", "")))
        url = url if url.startswith("http") else ""
        found.append(Pin(key_of(one["name"]), one["version"], hashes, options, url))
    return found


def _digests(file: Mapping[str, Any]) -> list[str]:
    """Return the best digest that is stated of a file, as a list of at most one."""
    stated = file.get("hashes", {})
    return ["%s:%s" % (name, stated[name]) for name in ("sha256", "sha512") if name in stated][:1]


def _file_name(file: Mapping[str, Any]) -> str:
    if "name" in file:
        return str(file["name"])
    path = urllib.parse.urlsplit(str(file.get("url") or file.get("path", ""))).path
    return urllib.parse.unquote(os.path.basename(path))
