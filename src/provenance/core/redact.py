"""Keeping secrets out of everything that is written.

One `Redactor` is made per run, from the environment, and everything that enters a record passes
through it. It knows three kinds of secret: the values of environment variables whose name says so,
text that has the form of a known kind of key (also URLs with credentials, headers, private key
blocks), and what stands beside a telling name and looks like a secret (``--password X``,
``token=X``). What it replaces never changes the number of lines, and redacting twice is the same
as once. It cannot know a secret that neither its name nor its form gives away.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from provenance.core import _secrets
from provenance.core._secrets import NO, STRONG

MASK = "<redacted>"
SHORTEST_LITERAL = 6
"""Shorter values of secret variables are not searched for: they would blank out ordinary text."""

_MASK = MASK.encode("ascii")
_LINE = re.compile(rb"[^\r\n]+")
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NAME_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LONGEST_NAME = 64
_WINDOW = 8192
"""Bytes after a telling word within which what it tells must end."""
_ROUNDS = 4
"""A replacement can bring another one about (it shortens what stands around it); seldom twice."""

Span = Tuple[int, int]


def is_secret_name(name: str) -> bool:
    """Return whether a variable or option of this name is likely to hold a secret."""
    return _secrets.strength(name) != NO


def without_credentials(url: str) -> str:
    """Return ``url`` without user name and password, still good for reaching the place.

    The user of an SSH address stays (``ssh://git@host``, ``git@host:path``): it is needed and no
    secret. So does what has no ``://``.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    host, slash, path = rest.partition("/")
    user, at, place = host.rpartition("@")
    keep = scheme.lower().endswith("ssh") and at
    kept = user.partition(":")[0] + "@" if keep else ""
    return scheme + mark + kept + place + slash + path


class Redactor:
    """Replaces secrets by `MASK` and counts how many it replaced (``hits``)."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known: Set[bytes] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST_LITERAL and MASK not in secret:
                known.update(_guises(secret))
        self._literals = sorted(known, key=lambda value: (-len(value), value))
        self.hits = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Redactor:
        """Return a redactor that knows the values of secret-looking variables."""
        return cls(_secret_values(environ))

    def text(self, text: str, settings: bool = False) -> str:
        """Return ``text`` with every secret in it replaced.

        settings: the text is a settings file (YAML, INI ...), in which the words after a name are
        its value and never an expression.
        """
        raw = text.encode("utf-8", "surrogatepass")
        clean = self._clean(raw, settings)
        return text if clean is raw else clean.decode("utf-8", "surrogatepass")

    def data(self, data: bytes, settings: bool = False) -> bytes:
        """Return ``data`` (output of a program, any encoding) with every secret replaced."""
        return self._clean(data, settings)

    def argv(self, argv: Sequence[str]) -> Tuple[str, ...]:
        """Return a command line with secrets replaced, also ``--password X`` in two words."""
        clean: List[str] = []
        asked = ""
        for word in argv:
            name, equals, value = word.partition("=")
            if asked and not (word.startswith("-") and is_secret_name(word.lstrip("-"))):
                clean.append(self._given(asked, word))
            elif equals and is_secret_name(name):
                clean.append(name + "=" + self._given(name, value))
            else:
                clean.append(self.text(word))
            asked = "" if equals or asked else self._asks(word, clean)
        return tuple(clean)

    @staticmethod
    def _asks(word: str, before: Sequence[str]) -> str:
        """Return the name of the secret that the next word gives, "" where it gives none."""
        if word.startswith("-") and is_secret_name(word.lstrip("-")):
            return word.lstrip("-")
        programs = {part.rpartition("/")[2] for part in before}
        if (word in ("-u", "--user", "--proxy-user") and "curl" in programs) or (
            word == "-p" and "sshpass" in programs
        ):
            return "password"
        return "login token" if word == "login" and "wandb" in programs else ""

    def value(self, name: str, value: Any) -> Any:
        """Return a named value (parameter, configuration) with secrets replaced, recursively."""
        if isinstance(value, dict):
            return {key: self.value(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(name, item) for item in value]
        if isinstance(value, str):
            return self._given(name, value)
        if isinstance(value, int) and value >= 1000 and _secrets.names_password(name):
            return self._count(MASK) if _secrets.strength(name) == STRONG else value
        return value

    def holds_secret(self, data: bytes) -> bool:
        """Return whether ``data`` (a file of any kind) has a secret in it; counts nothing."""
        found = next(self._spans(data, False), None) is not None
        if not found and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16", "replace").encode("utf-8", "replace")
            found = next(self._spans(text, False), None) is not None
        return found

    def _given(self, name: str, value: str) -> str:
        if value and _secrets.is_given_secret(name, value.encode("utf-8", "surrogatepass")):
            return self._count(MASK)
        return self.text(value)

    def _count(self, text: str) -> str:
        self.hits += 1
        return text

    def _clean(self, raw: bytes, settings: bool) -> bytes:
        for _ in range(_ROUNDS):
            spans = _merged(self._spans(raw, settings))
            changed = [(at, end) for at, end in spans if raw[at:end] != _MASK]
            if not changed:
                break
            self.hits += len(changed)
            pieces, position = [], 0
            for at, end in changed:
                pieces.append(raw[position:at])
                pieces.append(_LINE.sub(_MASK, raw[at:end]))
                position = end
            raw = b"".join(pieces) + raw[position:]
        return raw

    def _spans(self, raw: bytes, settings: bool) -> Iterator[Span]:
        """Yield where the secrets in ``raw`` are, in any order, possibly overlapping."""
        for literal in self._literals:
            for at in _places(raw, literal):
                if len(literal) >= 16 or _stands_alone(raw, at, at + len(literal)):
                    yield at, at + len(literal)
        for span in _forms(raw):
            yield span
        low = raw.lower()
        for core in _secrets.CORES:
            if core in low:
                for span in _named(raw, low, core, settings):
                    yield span
        for span in _contexts(raw, low):
            yield span


def _guises(secret: str) -> Iterator[bytes]:
    """Yield the ways in which ``secret`` may be written: as it is, in a URL, in JSON."""
    for errors in ("surrogatepass", "surrogateescape"):
        try:
            raw = secret.encode("utf-8", errors)
        except UnicodeEncodeError:
            continue
        yield raw
        yield b"".join(bytes((c,)) if c in _SAFE else b"%%%02X" % c for c in raw)
        yield raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")


def _secret_values(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        raw = value.encode("utf-8", "surrogatepass")
        if "://" in value:
            for match in _secrets.USERINFO.finditer(raw):
                yield match.group(1).rpartition(b":")[2].decode("utf-8", "surrogatepass")
        elif not value.startswith(("/", "~", "./")) and _secrets.is_given_secret(name, raw):
            if is_secret_name(value) and value.isalpha():
                continue  # PASSWORD=password: would blank out every mention of passwords
            yield value


def _places(raw: bytes, part: bytes) -> Iterator[int]:
    at = raw.find(part)
    while at >= 0:
        yield at
        at = raw.find(part, at + len(part))


def _stands_alone(raw: bytes, at: int, end: int) -> bool:
    return not (raw[at - 1 : at].isalnum() if at else False) and not raw[end : end + 1].isalnum()


def _merged(spans: Iterator[Span]) -> List[Span]:
    merged: List[Span] = []
    for at, end in sorted(spans):
        if merged and at < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > at:
            merged.append((at, end))
    return merged


def _forms(raw: bytes) -> Iterator[Span]:
    """Yield keys known by their form, looking only where there is a long unbroken stretch."""
    shape = raw.translate(_secrets.RUN_CLASS)
    run = b"a" * _secrets.RUN
    at = shape.find(run)
    while at >= 0:
        end = shape.find(b" ", at)
        end = len(shape) if end < 0 else end
        if not _secrets.COMMON_RUN.fullmatch(raw, at, end):
            for match in _secrets.FORMS.finditer(raw, at, min(end + 1, len(raw))):
                yield match.start(), end if raw[end : end + 1] in b"+/=" else match.end()
        for start in _dotted_starts(raw, at, end):
            match_dotted = _secrets.DOTTED.match(raw, start)
            if match_dotted is not None:
                yield match_dotted.span()
        at = shape.find(run, end)
    if b"PRIVATE KEY" in raw:
        for span in _private_keys(raw):
            yield span


def _dotted_starts(raw: bytes, at: int, end: int) -> Iterator[int]:
    """Yield where a key of several stretches may begin whose first long one is at ``at``."""
    if raw[end : end + 1] == b"." and raw.startswith(b"eyJ", at):
        yield at
    before = raw[max(0, at - 11) : at]
    if before[-1:] == b".":
        yield at - (5 if before.endswith(b"ya29.") else 3 if before.endswith(b"SG.") else 4)
    elif before[-1:] == b":" and before[-2:-1].isdigit():
        yield at - (len(before) - len(before[:-1].rstrip(b"0123456789")))


def _private_keys(raw: bytes) -> Iterator[Span]:
    """Yield the bodies of private key blocks, also of such as are cut off at either end."""
    closed = set()
    for begin in _secrets.KEY_BEGIN.finditer(raw):
        end = _secrets.KEY_END.search(raw, begin.end(), begin.end() + _secrets.LONGEST_KEY)
        if end is not None:
            closed.add(end.start())
            if _secrets.KEY_BODY.search(raw, begin.end(), end.start()):
                yield begin.end(), end.start()
        else:
            rest = _secrets.KEY_REST.match(raw, begin.end())
            if rest is not None:
                yield rest.span()
    for end in _secrets.KEY_END.finditer(raw):
        start = end.start()
        while end.start() not in closed and end.start() - start < _secrets.LONGEST_KEY:
            above = raw.rfind(b"\n", 0, max(0, start - 1)) + 1
            if above == start or not _secrets.KEY_LINE.fullmatch(raw, above, start):
                break
            start = above
        if _secrets.KEY_BODY.search(raw, start, end.start()):
            yield start, end.start()


def _named(raw: bytes, low: bytes, core: bytes, settings: bool) -> Iterator[Span]:
    """Yield the values that stand after names which contain ``core``."""
    for match in _secrets.AFTER_CORE[core].finditer(low):
        before = raw[max(0, match.start() - _LONGEST_NAME) : match.start()]
        start = match.start() - (len(before) - len(before.rstrip(_NAME_BYTES)))
        found = raw[start : match.end()].decode("latin-1")
        name = re.split(r"[\\\"'\]\s=:,]", found, maxsplit=1)[0]
        if _secrets.strength(name) == NO:
            continue
        span = _value(raw, start, match.end(), name, settings)
        if span is not None:
            yield span


def _value(raw: bytes, start: int, at: int, name: str, settings: bool) -> Any:
    """Return where the secret value is that begins at ``at``, None where it is not one."""
    annotation = _secrets.ANNOTATION.match(raw, at)
    if annotation is not None:
        at = annotation.end()
    quoted = _secrets.QUOTED.match(raw, at)
    if quoted is not None:
        value = quoted.group(2)
        listed = raw[start:at].rstrip().endswith(b",")
        hit = _secrets.looks_random(value) if listed else _secrets.is_quoted_secret(name, value)
        return quoted.span(2) if hit else None
    in_quotes = raw[max(0, start - 1) : start] in (b'"', b"'")
    if (settings and not in_quotes) or _is_shell(raw, start, at, name):
        value = _setting(raw, at)
        if value[:1] not in (b'"', b"'", b"[", b"{", b"!") and b"\\n" not in value:
            hit = _secrets.is_given_secret(name, value) and not _secrets.is_placeholder(value)
            return (at, at + len(value)) if hit else None
    bare = _secrets.BARE.match(raw, at)
    if bare is None or raw[bare.end() : bare.end() + 1] in (b"(", b"["):
        return None
    return bare.span() if _secrets.is_bare_secret(name, bare.group()) else None


def _setting(raw: bytes, at: int) -> bytes:
    """Return the rest of the line at ``at``, without a remark."""
    end = raw.find(b"\n", at)
    line = raw[at:] if end < 0 else raw[at:end]
    remark = _secrets.REMARK.search(line)
    return (line[: remark.start()] if remark else line).rstrip()


def _is_shell(raw: bytes, start: int, at: int, name: str) -> bool:
    """Return whether this is an assignment of a shell: ``export NAME=value``, no spaces."""
    if not name.isupper() or raw[at - 1 : at] != b"=" or at - start != len(name) + 1:
        return False
    line = raw.rfind(b"\n", 0, start) + 1
    return _secrets.SHELL.match(raw[line:start]) is not None


def _contexts(raw: bytes, low: bytes) -> Iterator[Span]:
    """Yield secrets known by what they stand in: URLs, queries, headers, connection strings."""
    if b"://" in raw:
        for match in _secrets.USERINFO.finditer(raw):
            if _is_userinfo(raw, match):
                yield match.span(1)
    for hints, pattern in _GATED:
        plain = pattern in _PLAIN
        for start, end in _windows(low, hints):
            for match in pattern.finditer(raw, start, end):
                if not _secrets.is_placeholder(match.group(2)) and (plain or _likely(match)):
                    yield match.span(2)


def _windows(low: bytes, hints: Sequence[bytes]) -> Iterator[Span]:
    """Yield the surroundings of each of ``hints``: a pattern over the whole would be slow."""
    for hint in hints:
        covered = 0
        for at in _places(low, hint):
            if at >= covered:
                covered = at + _WINDOW // 2
                yield max(0, at - _WINDOW // 4), at + _WINDOW


def _is_userinfo(raw: bytes, match: Any) -> bool:
    user, colon, secret = match.group(1).partition(b":")
    if colon:
        return bool(secret) and not secret.isspace()
    scheme = raw[max(0, match.start() - 8) : match.start()].lower()
    if not scheme.endswith((b"http://", b"https://")):
        return False
    return _secrets.looks_random(user) or (len(user) >= 20 and not user.isalpha())


def _likely(match: Any) -> bool:
    before, value = match.group(1).lower(), match.group(2)
    if b"amz-" in before or b"goog-" in before:
        return True
    return _secrets.looks_random(value) or any(w in before for w in (b"token=", b"password="))


_PLAIN = (
    _secrets.AUTHORIZATION,
    _secrets.COOKIE,
    _secrets.NETRC,
    _secrets.CONNECTION,
    _secrets.HTTP_AUTH,
    _secrets.HOOK,
    _secrets.LOGIN,
)
"""Where the surroundings leave no doubt; elsewhere the value must look like a secret as well."""
_GATED = (
    (
        (b"amz-", b"goog-", b"sig=", b"signature=", b"key=", b"token=", b"?code=", b"&code="),
        _secrets.QUERY,
    ),
    ((b"authorization",), _secrets.AUTHORIZATION),
    ((b"bearer ",), _secrets.BEARER),
    ((b"cookie:",), _secrets.COOKIE),
    ((b"login",), _secrets.NETRC),
    ((b"pwd=", b"password="), _secrets.CONNECTION),
    ((b"auth",), _secrets.HTTP_AUTH),
    ((b"hooks.slack.com", b"/api/webhooks/"), _secrets.HOOK),
    ((b"wandb",), _secrets.LOGIN),
)
"""Words without which a pattern cannot match, and the pattern: searching for words is fast."""
