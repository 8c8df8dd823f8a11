"""Keeping secrets out of everything that is written.

One `Redactor` is made per run, from the environment, and everything that enters a record passes
through it. It knows three kinds of secret: the values of environment variables whose name says so,
text that has the form of a known kind of key, and what stands beside a telling name
(``--password X``, ``token=X``, ``https://user:X@host``).
"""

from __future__ import annotations

import re
from typing import Any, Iterable, List, Mapping, Pattern, Sequence, Tuple

MASK = "<redacted>"
SHORTEST_LITERAL = 6
"""Shorter values of secret variables are not searched for: they would blank out ordinary text."""

_NAMES = (
    r"pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|auth(?:orization)?|"
    r"credentials?|private[_-]?key|client[_-]?secret|sas|dsn|cookie|session[_-]?key"
)
SECRET_NAME = re.compile(r"(?:^|[_\-.])(?:%s)(?:$|[_\-.])" % _NAMES, re.IGNORECASE)
_TELLING = re.compile(
    r"(?i)((?:[\w\-.]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|"
    r"private[_-]?key|credential)[\w\-.]*)[\"']?\s*(?:=|:|\s=>)\s*[\"']?)([^\s\"',;&}]{6,})"
)
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.\-]*://)([^\s/@:\"']*:[^\s/@\"']+|[^\s/@:\"']{12,})@")
_FORMS: Tuple[Tuple[str, Pattern[str]], ...] = (
    ("AWS access key", re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b")),
    ("GitHub token", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,})")),
    ("GitLab token", re.compile(r"\bglpat-[0-9A-Za-z_\-]{16,}")),
    ("OpenAI or Anthropic key", re.compile(r"\bsk-[0-9A-Za-z_\-]{20,}")),
    ("Hugging Face token", re.compile(r"\b(?:hf|api_org)_[0-9A-Za-z]{20,}")),
    ("Slack token", re.compile(r"\bxox[abprs]-[0-9A-Za-z\-]{10,}")),
    ("Google key", re.compile(r"\bAIza[0-9A-Za-z_\-]{30,}")),
    ("JSON web token", re.compile(r"\beyJ[0-9A-Za-z_\-]{10,}\.eyJ[0-9A-Za-z_\-]{10,}\.[\w\-]+")),
    ("PyPI token", re.compile(r"\bpypi-[0-9A-Za-z_\-]{30,}")),
    (
        "private key",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
        ),
    ),
)


def is_secret_name(name: str) -> bool:
    """Return whether a variable or option of this name is likely to hold a secret."""
    return SECRET_NAME.search(name) is not None


class Redactor:
    """Replaces secrets by `MASK` and counts how many it replaced (``hits``)."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        literal = sorted({s for s in secrets if len(s) >= SHORTEST_LITERAL}, key=len, reverse=True)
        self._literals = [(s, s.encode("utf-8", "surrogateescape")) for s in literal]
        self.hits = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Redactor:
        """Return a redactor that knows the values of secret-looking variables."""
        return cls(value for name, value in environ.items() if is_secret_name(name))

    def text(self, text: str) -> str:
        """Return ``text`` with every secret in it replaced."""
        for literal, _ in self._literals:
            if literal in text:
                self.hits += text.count(literal)
                text = text.replace(literal, MASK)
        for _, form in _FORMS:
            text = form.sub(self._mask, text)
        if "://" in text:
            text = _URL.sub(self._mask_url, text)
        return _TELLING.sub(self._mask_value, text)

    def data(self, data: bytes) -> bytes:
        """Return ``data`` (output of a program, any encoding) with every secret replaced."""
        text = data.decode("utf-8", "surrogateescape")
        clean = self.text(text)
        return data if clean is text else clean.encode("utf-8", "surrogateescape")

    def argv(self, argv: Sequence[str]) -> Tuple[str, ...]:
        """Return a command line with secrets replaced, also ``--password X`` in two words."""
        clean: List[str] = []
        after_secret = False
        for word in argv:
            name, equals, _ = word.partition("=")
            option = word.startswith("-") and is_secret_name(name.lstrip("-"))
            if after_secret and not word.startswith("-"):
                clean.append(self._count(MASK))
            elif option and equals:
                clean.append(self._count(name + "=" + MASK))
            else:
                clean.append(self.text(word))
            after_secret = option and not equals
        return tuple(clean)

    def value(self, name: str, value: Any) -> Any:
        """Return a named value (parameter, configuration) with secrets replaced, recursively."""
        if isinstance(value, dict):
            return {key: self.value(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(name, item) for item in value]
        if isinstance(value, str):
            if value and is_secret_name(name):
                return self._count(MASK)
            return self.text(value)
        return value

    def _count(self, text: str) -> str:
        self.hits += 1
        return text

    def _mask(self, _: Any) -> str:
        return self._count(MASK)

    def _mask_url(self, match: Any) -> str:
        return self._count(match.group(1) + MASK + "@")

    def _mask_value(self, match: Any) -> str:
        return self._count(match.group(1) + MASK) if match.group(2) != MASK else match.group(0)
