"""Building an environment with uv, or taking the one that was built before."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from provenance.core.distributions import Distribution, key_of, scan
from provenance.environments import cache, closure, conda, indexes, pythons, refusals, uv
from provenance.environments.pythons import Python
from provenance.environments.refusals import Refusal
from provenance.environments.wanted import Layer, LeftOut, Wanted, split
from provenance.errors import SystemRefused

KIND = "environments"
MOST_ROUNDS = 60
"""Refusals that one build lives through: uv names one distribution at a time."""

Progress = Callable[[str, int, int, float], None]
"""``progress(phase, done, total, megabytes)``; phases are "python", "conda", "waiting",
"resolve", "download", "install", "check"."""

STALE_S = 3600.0
"""Seconds after which what could not be had is asked for again."""
_OLD_BUILDS = "setuptools<58\ncython<3\n"
"""Build tools for releases that today's no longer build: setuptools 58 dropped ``use_2to3``, Cython
3 no longer takes much of what 0.29 took."""
_DOWNLOADED = re.compile(r"^ *(?:Downloaded|Built) (\S+)")


class Environment(NamedTuple):
    """A built environment.

    python: path of its interpreter. digest: its name in the cache. built: whether this call built
    it. notes: sentences for people. missing: what was wanted and could not be had. version: of its
    Python. seconds: what building took, 0 where it was there.
    """

    python: str
    digest: str
    built: bool
    notes: tuple[str, ...] = ()
    missing: tuple[LeftOut, ...] = ()
    version: str = ""
    seconds: float = 0.0


class Wish(NamedTuple):
    """How to build.

    cwd: where uv looks for settings. offline: only from uv's cache. fresh: build again although
    there is one. limit_mb: no bigger file is downloaded; None: whatever its size.
    """

    environ: Mapping[str, str]
    cwd: str
    offline: bool = False
    fresh: bool = False
    limit_mb: float | None = None


def cached(wanted: Wanted, wish: Wish) -> Environment | None:
    """Return the environment if it is there already. Raises `SystemRefused` without such Python."""
    found = _python(wanted, wish)
    name = _name(wanted, found)
    place = os.path.join(cache.folder(wish.environ), KIND, name)
    return _there(place, found, wanted)


def build(wanted: Wanted, wish: Wish, progress: Progress | None = None) -> Environment:
    """Return the environment, built if need be. Raises `ProvError`.

    What cannot be had is in ``missing``, each with its reason; that the network is down is an
    error, and nothing is kept.
    """
    tell = progress or _nobody
    tell("python", 0, 1, 0.0)
    found = _python(wanted, wish)
    name = _name(wanted, found)
    place = os.path.join(cache.prepare(wish.environ, KIND), name)
    there = _fit(place, found, wanted, wish)
    if there is not None:
        return there
    with cache.locked(place, lambda: tell("waiting", 0, 1, 0.0)):
        there = _fit(place, found, wanted, wish)
        if there is not None:
            return there
        began = time.monotonic()
        with cache.making(place) as part:
            missing = _Builder(wanted, wish, found, part, tell, place).build()
            seconds = time.monotonic() - began
            told = {
                "python": found.version,
                "requirements": list(wanted.requirements),
                "optional": list(wanted.optional),
                "missing": [list(one) for one in missing],
                "seconds": round(seconds, 3),
            }
            cache.finish(part, told)
    made = _there(place, found, wanted)
    if made is None:
        raise SystemRefused("the environment %s was removed while it was built." % place)
    return made._replace(built=True, seconds=seconds)


def build_at(
    wanted: Wanted,
    wish: Wish,
    at: str,
    progress: Progress | None = None,
    layers: Callable[[], tuple[Layer, ...]] | None = None,
    check: Callable[[tuple[LeftOut, ...]], None] | None = None,
) -> Environment:
    """Build into the folder ``at``, not the cache; whole, or the folder is as it was.

    layers: makes further layers, called when ``at`` is there. check: raises where too much is
    missing. Raises `ProvError`: `SystemRefused` where ``at`` holds anything but what an interrupted
    call of this left.
    """
    tell = progress or _nobody
    tell("python", 0, 1, 0.0)
    found = _python(wanted, wish)
    began = time.monotonic()
    with cache.filling(at):
        more = layers() if layers is not None else ()
        full = wanted._replace(layers=(*wanted.layers, *more))
        missing = _Builder(full, wish, found, at, tell, at).build()
        if check is not None:
            check(missing)
    notes = (*((found.note,) if found.note else ()), *wanted.notes)
    python = os.path.join(at, "bin", "python")
    seconds = time.monotonic() - began
    return Environment(python, "", True, notes, missing, found.version, seconds)


def installed_in(made: Environment) -> dict[str, Distribution]:
    """Return what is installed in ``made`` by name."""
    top = os.path.dirname(os.path.dirname(made.python))
    return {one.key: one for one in scan(_sites(top))}


def _sites(top: str) -> list[str]:
    return glob.glob(os.path.join(glob.escape(top), "lib*", "*", "site-packages"))


def _nobody(phase: str, done: int, total: int, megabytes: float) -> None:
    """Take no notice of progress."""


def _python(wanted: Wanted, wish: Wish) -> Python:
    if wanted.conda:  # it brings its own
        return Python("", wanted.python)
    return pythons.find(wanted.python, wish.environ, wish.cwd, wanted.prefer, wanted.implementation)


def _name(wanted: Wanted, found: Python) -> str:
    parts: list[object] = [sorted(wanted.requirements), sorted(wanted.optional)]
    parts += [sorted(one.address for one in wanted.layers)] if wanted.layers else []
    parts += [sorted([one.url, one.md5] for one in wanted.conda)] if wanted.conda else []
    parts += [{pin: sorted(one) for pin, one in wanted.hashes.items()}] if wanted.hashes else []
    return cache.digest(wanted.implementation, found.version, *parts)


def _fit(place: str, found: Python, wanted: Wanted, wish: Wish) -> Environment | None:
    """Return the environment that need not be built, None where one is to be built."""
    there = None if wish.fresh else _there(place, found, wanted)
    if there is None or not there.missing or wish.offline:
        return there
    return there if cache.age_s(place) < STALE_S else None


def _there(place: str, found: Python, wanted: Wanted) -> Environment | None:
    told = cache.marker(place)
    python = os.path.join(place, "bin", "python")
    if told is None or not os.path.exists(python):  # a link to a Python that is gone does not exist
        return None
    missing = tuple(LeftOut(*one) for one in told.get("missing", ()))
    notes = (*((found.note,) if found.note else ()), *wanted.notes)
    return Environment(python, os.path.basename(place), False, notes, missing, found.version)


class _Builder:
    """One build in the folder ``part``: installs, takes refusals, tries again, checks.

    place: what the folder will be called when all is there.
    """

    def __init__(
        self,
        wanted: Wanted,
        wish: Wish,
        found: Python,
        part: str,
        tell: Progress,
        place: str,
    ) -> None:
        self._wanted = wanted
        self._wish = wish
        self._found = found
        self._part = part
        self._tell = tell
        self._place = place
        self._python = os.path.join(part, "bin", "python")
        self._missing: list[LeftOut] = []
        self._megabytes = 0.0
        self._done = 0

    def build(self) -> tuple[LeftOut, ...]:
        """Fill the folder; return what could not be had. Raises `SystemRefused`."""
        self._begin()
        rest = dict(split(one) for one in self._wanted.optional)
        todo = dict(split(one) for one in self._wanted.requirements)
        while todo:
            self._install(todo)
            # What the used ones ask for can only be read once they are there.
            more = closure.asked_for(self._site(), rest) if rest else {}
            for key in more:
                del rest[key]
            todo = more
        for layer in self._wanted.layers:
            self._layer(layer)
        self._check()
        return tuple(self._missing)

    def _begin(self) -> None:
        """Make the environment without what pip installs."""
        if self._wanted.conda:
            self._tell("conda", 0, len(self._wanted.conda), 0.0)
            kept = os.path.join(cache.folder(self._wish.environ), "conda")
            conda.install(self._wanted.conda, self._part, self._place, kept, self._wish.offline)
            with open(os.path.join(self._part, ".gitignore"), "w", encoding="utf-8") as stream:
                stream.write("*\n")  # as uv does
            return
        moves = self._part != self._place
        words = ["venv", "-q", "--no-project"]
        words += ["--relocatable", "--clear"] if moves else ["--allow-existing"]
        done = self._uv([*words, "--python", self._found.path, self._part])
        if done.code:
            raise SystemRefused("uv could not make an environment: %s" % _short(done.complaints))

    def _uv(self, words: list[str], text: str = "", one_index: bool = False) -> uv.Done:
        words = [*words, *(["--offline"] if self._wish.offline else [])]
        return uv.run(words, self._wish.environ, self._wish.cwd, text, self._said, one_index)

    def _said(self, line: str) -> None:
        size = uv.megabytes(line)
        limit = self._wish.limit_mb
        if limit is not None and size > limit:
            name = line.split()[1]
            text = "%s is a download of %.0f MB, more than %.0f." % (name, size, limit)
            raise SystemRefused(text, "--fetch-limit %.0f" % (size + 1))
        if size:
            self._megabytes += size
        elif _DOWNLOADED.match(line):
            self._done += 1
        elif not line.startswith("Prepared"):
            return
        phase = "install" if line.startswith("Prepared") else "download"
        self._tell(phase, self._done, len(self._wanted.requirements), self._megabytes)

    def _install(self, todo: dict[str, str]) -> None:
        """Install ``todo``; what is refused ends up among the missing."""
        todo = dict(todo)
        self._tell("resolve", 0, len(todo), self._megabytes)
        for _ in range(MOST_ROUNDS):
            if not todo:
                return
            done = self._try(todo)
            if done.code == 0:
                return
            refusal = refusals.read(done.complaints, todo, self._wish.offline)
            if refusal.network:
                raise SystemRefused(refusal.reason + ".")
            if not refusal.key:
                self._one_by_one(todo)
                return
            self._without(refusal, todo)
        self._one_by_one(todo)

    def _try(self, todo: dict[str, str], *options: str) -> uv.Done:
        words = ["pip", "install", "--no-deps", "--python", self._python, *options, "-r", "-"]
        pins = ["%s==%s" % one for one in todo.items()]
        text = "".join("%s%s\n" % (pin, self._hashes(pin)) for pin in pins)
        if all(pin in self._wanted.hashes for pin in pins):
            words.insert(2, "--require-hashes")
        done = self._uv(words, text)
        if done.code and not options and indexes.several(self._wish.environ):
            alone = self._uv(words, text, one_index=True)
            return alone if alone.code == 0 else done
        return done

    def _hashes(self, pin: str) -> str:
        return "".join(" --hash=%s" % one for one in self._wanted.hashes.get(pin, ()))

    def _without(self, refusal: Refusal, todo: dict[str, str]) -> None:
        """Try the refused one otherwise; take it out of ``todo`` where nothing helps."""
        key, version = refusal.key, todo.pop(refusal.key)
        otherwise = indexes.of_local(key, version)
        if refusal.built:
            otherwise = ["--build-constraints", self._constraints()]
        if otherwise and self._try({key: version}, *otherwise).code == 0:
            return
        elsewhere = "" if refusal.built or not otherwise else ", nor has the index of its kind"
        self._missing.append(LeftOut(key, version, refusal.reason + elsewhere))

    def _one_by_one(self, todo: dict[str, str]) -> None:
        for key, version in todo.items():
            done = self._try({key: version})
            if done.code:
                refusal = refusals.read(done.complaints, {key: version}, self._wish.offline)
                if refusal.network:
                    raise SystemRefused(refusal.reason + ".")
                self._missing.append(LeftOut(key, version, refusal.reason))

    def _layer(self, layer: Layer) -> None:
        """Install what comes from one address; name it among the missing where that fails."""
        self._tell("download", self._done, len(self._wanted.requirements), self._megabytes)
        words = ["pip", "install", "--no-deps", "--python", self._python]
        what = ["-e", layer.address] if layer.editable else [layer.name + " @ " + layer.address]
        done = self._uv([*words, *what])
        if done.code:
            refusal = refusals.read(done.complaints, {layer.name: layer.version})
            reason = refusal.reason or _short(done.complaints)
            self._missing.append(LeftOut(layer.name, layer.version, reason))

    def _constraints(self) -> str:
        """Return a file that pins the tools of builds: old ones, and the numpy of the record."""
        path = os.path.join(self._part, "build-constraints.txt")
        pins = dict(split(one) for one in self._wanted.requirements + self._wanted.optional)
        text = _OLD_BUILDS if self._found.version < "3.12" else "cython<3\n"
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text + ("numpy==%s\n" % pins["numpy"] if "numpy" in pins else ""))
        return path

    def _site(self) -> list[str]:
        return _sites(self._part)

    def _check(self) -> None:
        """Name what is not there in the version wanted, whatever uv said."""
        self._tell("check", 0, 1, self._megabytes)
        have = {one.key: one.version for one in scan(self._site())}
        lost = {one.name for one in self._missing}
        for requirement in self._wanted.requirements:
            name, version = split(requirement)
            if key_of(name) in lost:
                continue
            found = have.get(key_of(name))
            if found is None or not _same(found, version):
                reason = "uv left %s instead" % (found or "nothing")
                self._missing.append(LeftOut(name, version, reason))


def _same(one: str, other: str) -> bool:
    """Return whether two spellings mean one version ("1.0" and "1.0.0", "2.0.post1")."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _short(complaints: str) -> str:
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith(("error:", "cause:"))]
    return "; ".join(line.partition(": ")[2] for line in told[:2]) or (lines or ["no reason"])[-1]
