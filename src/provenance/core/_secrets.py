"""What a secret looks like: telling names, likely values, known forms. The tables of ``redact``.

All work is done on bytes in an ASCII-compatible encoding: UTF-8 is never cut, whatever else a
program printed passes through, and patterns have no locale.

A name alone never condemns an expression (``token = tokenizer.encode(x)``): beside a *strong* name
(password, secret, API key) a quoted text or a value with digits is enough; beside a *weak* one
(token, auth, pass) the value must look random.
"""

from __future__ import annotations

import functools
import re
from typing import Any, FrozenSet, Tuple

NO, WEAK, STRONG = 0, 1, 2


class _Lazy:
    """A pattern that is compiled when it is first needed: compiling them all takes 15 ms."""

    def __init__(self, source: bytes, flags: int = 0) -> None:
        self.source, self.flags = source, flags

    def __getattr__(self, method: str) -> Any:
        if method.startswith("__"):
            raise AttributeError(method)
        found = getattr(re.compile(self.source, self.flags), method)
        setattr(self, method, found)
        return found


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_STRONG = frozenset(
    "password passwords passwd passphrase secret secrets credential credentials apikey accesskey "
    "secretkey privatekey accountkey".split()
)
_WEAK = frozenset("token auth authorization pass cookie sas dsn bearer".split())
_KEY_KINDS = frozenset(
    "api access secret private account encryption signing subscription auth master ssh rsa service "
    "storage hmac jwt session consumer deploy license app admin openai anthropic wandb comet azure "
    "aws hf huggingface google gcp gemini neptune kaggle cohere mistral replicate groq pinecone "
    "langchain langsmith stripe twilio sendgrid".split()
)
_TRAILING = frozenset(
    "prod production dev test testing staging live main default value plain raw old new current "
    "base64 b64 hex pem ro rw".split()
)
"""Words that may follow the telling one without making the name harmless (``TOKEN_PROD``)."""
_LANGUAGE = frozenset(
    "eos bos pad padding unk mask cls sep special start end stop begin new next prev previous last "
    "first max min num per image audio video text class vision decoder encoder prompt think tool "
    "control sentinel separator blank word sub input output target source user assistant system "
    "bot eot im extra reserved prefix suffix middle forced initial cur".split()
)
"""Words before ``token`` that make it a piece of text of a language model."""
_PASSWORDS = frozenset("password passwords passwd passphrase".split())

_NOTHING = frozenset(
    "none null nil true false yes no on off str string bytes int bool any object optional required "
    "undefined empty unset default changeme inherit secretstr void "
    "include omit | > |- >- |+".split()
)
_PLACEHOLDER = _Lazy(
    rb"<redacted|\$\{|\$\(|^\$\w|%\(|^%\w%?$|\{[\w.!:\[\]]*\}|<[\w .-]+>|\.\.\.|^[xX*._?-]{3,}$"
    rb"|^(?:your|my|the|an?|some|insert|enter|example|dummy|fake)[_ -]",
    re.IGNORECASE,
)
_EXPRESSION = _Lazy(rb"[(\[{]|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^@|^&|^\*\w")
_PATH = _Lazy(rb"(?:~|\.{0,2})/[\w.\-/]*[./][\w.\-/]*")
_IDENTIFIER = _Lazy(rb"[A-Za-z_][\w\-]*")
_SEGMENT = _Lazy(rb"[A-Za-z0-9]+")
COMMON_RUN = _Lazy(rb"[0-9a-fA-F]+|[a-zA-Z]+|[0-9]+|[_-]+")
"""Unbroken stretches that are no known key, and common: hashes, words, numbers, rules."""
_HEX = _Lazy(rb"[0-9a-fA-F]{16,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@functools.lru_cache(maxsize=4096)
def strength(name: str) -> int:
    """Return how clearly ``name`` says that its value is a secret: `NO`, `WEAK` or `STRONG`."""
    words = [word.lower() for word in _WORD.findall(name)]
    while words and (words[-1] in _TRAILING or words[-1].isdigit()):
        words.pop()
    if not words:
        return NO
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _STRONG:
        return STRONG
    if last in ("key", "keys") and before in _KEY_KINDS:
        return STRONG
    if last == "pwd" and before:
        return STRONG
    if last == "phrase" and before == "pass":
        return STRONG
    if last == "token" and before in _LANGUAGE:
        return NO
    return WEAK if last in _WEAK else NO


def names_password(name: str) -> bool:
    """Return whether ``name`` is that of a password, which may be any text, numbers included."""
    return any(word.lower() in _PASSWORDS for word in _WORD.findall(name))


def is_placeholder(value: bytes) -> bool:
    """Return whether ``value`` only stands where a secret would be."""
    return _PLACEHOLDER.search(value) is not None or _says_nothing(value)


def _says_nothing(value: bytes) -> bool:
    text = value.decode("latin-1")
    if text.lower() in _NOTHING:
        return True
    # "OPENAI_API_KEY", "password", "db-token": the name of a secret, not one
    named = _IDENTIFIER.fullmatch(value) is not None and strength(text) != NO
    return named and not any(c.isdigit() for c in text)


def looks_random(value: bytes) -> bool:
    """Return whether ``value`` looks like a generated key rather than a word, a path or a number.

    At least 16 characters, of which one unbroken stretch of 12 mixes letters and digits; or a UUID.
    """
    if len(value) < 16 or b"://" in value:
        return False
    if _HEX.fullmatch(value):
        return not value.isdigit()
    longest = max(_SEGMENT.findall(value), key=len, default=b"")
    return len(longest) >= 12 and not longest.isalpha() and not longest.isdigit()


def is_quoted_secret(name: str, value: bytes) -> bool:
    """Return whether the string literal ``value`` is the secret that ``name`` speaks of."""
    level = strength(name)
    if level == NO or len(value) < 6 or is_placeholder(value):
        return False
    if any(c in b" \t\r\n" for c in value) or value[:1] in b"),;:]}/.":
        return level == STRONG and looks_random(value)
    return level == STRONG or looks_random(value)


def is_bare_secret(name: str, value: bytes) -> bool:
    """Return whether ``value``, unquoted after ``name`` in text or code, is a secret."""
    level = strength(name)
    if level == NO or len(value) < 6 or is_placeholder(value) or _EXPRESSION.search(value):
        return False
    if level == WEAK or b"/" in value:
        return looks_random(value)
    if value.isdigit():
        return names_password(name)
    digits = sum(1 for c in value if 48 <= c <= 57)
    if digits == 0:
        return any(c in b"!#%^*+=?~@" for c in value)
    if _number(value):
        return False
    # "password2", "api_key_1": another variable
    return not (_IDENTIFIER.fullmatch(value) and strength(value.decode("latin-1")))


def is_given_secret(name: str, value: bytes) -> bool:
    """Return whether ``value``, certainly a literal (an option, a setting), is a secret."""
    level = strength(name)
    if level == NO or not value or _PLACEHOLDER.search(value):
        return False
    if value.decode("latin-1").lower() in _NOTHING:
        return False
    if _PATH.fullmatch(value) and not names_password(name) and not looks_random(value):
        return False
    if level == STRONG:
        return True
    return len(value) >= 6 and not _number(value) and (not value.isalpha() or len(value) > 12)


def _number(value: bytes) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return not (value.isdigit() and len(value) >= 12)


RUN = 16
"""The shortest unbroken stretch of letters, digits, ``_`` and ``-`` in any known form below."""
RUN_CLASS = bytes(97 if (chr(c).isalnum() and c < 128) or c in b"_-" else 32 for c in range(256))

FORMS = _Lazy(
    rb"(?<![0-9A-Za-z])(?:"
    rb"(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}(?![0-9A-Za-z])"
    rb"|gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,}"
    rb"|gl(?:pat|ptt|dt|rt|cbt|soat)-[0-9A-Za-z_\-]{16,}"
    rb"|sk-(?=[\w-]{0,200}[0-9])(?=[\w-]{0,200}[A-Z])[0-9A-Za-z_\-]{20,}|sk-(?:ant|proj|or)-[\w\-]{16,}"
    rb"|(?:hf|api_org)_[0-9A-Za-z]{20,}|xox[abeoprs]-[0-9A-Za-z\-]{10,}|xapp-[0-9A-Za-z\-]{20,}"
    rb"|AIza[0-9A-Za-z_\-]{30,}|GOCSPX-[0-9A-Za-z_\-]{20,}|pypi-[0-9A-Za-z_\-]{30,}"
    rb"|npm_[0-9A-Za-z]{30,}|dckr_pat_[0-9A-Za-z_\-]{20,}|do[opr]_v1_[0-9a-f]{40,}"
    rb"|dapi[0-9a-f]{32}|(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{16,}|r8_[0-9A-Za-z]{30,}"
    rb"|gsk_[0-9A-Za-z]{30,}|xai-[0-9A-Za-z]{30,}|hvs\.[0-9A-Za-z_\-]{20,}"
    rb"|glsa_[0-9A-Za-z_]{30,}|lin_api_[0-9A-Za-z]{30,}|wandb_v1_[0-9A-Za-z_]{40,}"
    rb"|AGE-SECRET-KEY-1[0-9A-Z]{40,}|tskey-[0-9A-Za-z\-]{20,}|shpat_[0-9a-f]{32}"
    rb"|eyJhcGlfYWRkcmVzcyI6[0-9A-Za-z+/=_\-]{20,}|ya29(?=\.)"
    rb")"
)
"""Keys known by their first letters; each holds, or is followed by, a stretch of `RUN`."""
DOTTED = _Lazy(
    rb"(?:eyJ[0-9A-Za-z_\-]{10,}\.eyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-]+"
    rb"|SG\.[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,}|ya29\.[0-9A-Za-z_\-]{20,}"
    rb"|hvs\.[0-9A-Za-z_\-]{20,}|[0-9]{8,10}:[0-9A-Za-z_\-]{35}(?![0-9A-Za-z_\-]))"
)
"""Keys made of several stretches: JSON web tokens, SendGrid, Google, Vault, Telegram."""
DOTTED_STARTS: FrozenSet[bytes] = frozenset((b"eyJ", b"SG.", b"ya2", b"hvs"))

CORES: Tuple[bytes, ...] = tuple(
    b"pass secret token key credential auth cookie pwd sas dsn".split()
)
"""What every telling name contains, in small letters: found first, because it is fast."""
_SEPARATOR = rb"[\w\-]{0,64}(?:\\{0,8}[\"'])?\]?[ \t]{0,64}(?:=>|:=|==?|:|(?<=[\"']),)[ \t]{0,64}"
AFTER_CORE = {core: _Lazy(core + _SEPARATOR) for core in CORES}
ANNOTATION = _Lazy(rb"[A-Za-z_][\w.\[\], |]{0,40}=[ \t]*(?=[\"'])")
QUOTED = _Lazy(
    rb"(?:[bBrRuU]{0,2}|Secret(?:Str|Bytes)\([bru]?)(\\{0,8}(?:\"\"\"|\'\'\'|[\"']))"
    rb"([^\"'\r\n]{1,4096}?)\\{0,8}[\"']"
)
BARE = _Lazy(rb"[^\s\"'`,;&|)}\]\\]{1,1024}")
REMARK = _Lazy(rb"[ \t][#;]")
SHELL = _Lazy(rb"(?:^|\n)[+ ]?[ \t]*(?:export |ENV |ARG |set |setenv |-e |declare -x )?[ \t]*$")

USERINFO = _Lazy(
    rb"(?<=://)([^\s/@?#\"'`<>{}$%\\]{0,256}:[^\s/?#\"'`<>{}\\]{1,1024}"
    rb"|[^\s/@:?#\"'`<>{}$\\]{1,1024})@"
)
QUERY = _Lazy(
    rb"(?i)([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|key|code"
    rb"|awsaccesskeyid|(?:[a-z]+[_-])?token|password|secret|auth)=)([^&\s\"'`<>#\\)]{6,})"
)
AUTHORIZATION = _Lazy(
    rb"(?i)(authorization\\{0,8}[\"']?\]?\s{0,8}[:=,]\s{0,8}[a-z]{0,2}\\{0,8}[\"']?\s{0,8}"
    rb"(?:(?:bearer|basic|token|digest|bot|apikey|negotiate)\s{1,8}))([^\s\"',\\]{6,})"
)
BEARER = _Lazy(rb"(?i)(\bbearer[ \t]+)([0-9a-z._~+/\-]{16,}=*)")
COOKIE = _Lazy(rb"(?im)^((?:[^\w\n]|-H )*(?:set-)?cookie:[ \t]*)(\S[^\r\n\"']*=[^\r\n\"']{8,})")
NETRC = _Lazy(
    rb"(\b(?:machine\s+\S+|default)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+)(\S+)"
)
CONNECTION = _Lazy(
    rb"(?i)(\b(?:uid|user id|user)=[^;\r\n]{0,256};\s{0,8}(?:pwd|password)=)([^;\s\"']+)"
)
HTTP_AUTH = _Lazy(
    rb"(\bauth[ \t]*=[ \t]*\([ \t]*[\"'][^\"'\r\n]*[\"'][ \t]*,[ \t]*[\"'])([^\"'\r\n]+)(?=[\"'])"
)
HOOK = _Lazy(
    rb"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)([\w/\-]{16,})"
)
LOGIN = _Lazy(rb"(\bwandb[\"',\s]+login[\"',\s]+(?:--[\w-]+[\"',\s]+)*)([0-9a-f]{40})\b")
KEY_BEGIN = _Lazy(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
KEY_END = _Lazy(rb"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
KEY_BODY = _Lazy(rb"[0-9A-Za-z+/=]{40,}")
KEY_REST = _Lazy(rb"(?:(?:\r?\n|\\n)[ +\-\t]?[0-9A-Za-z+/=]{20,})+(?:\r?\n[0-9A-Za-z+/]*={1,2})?")
KEY_LINE = _Lazy(rb"[ +\-\t]?[0-9A-Za-z+/=]+\r?\n")
LONGEST_KEY = 16384
"""Bytes between the two lines of a private key beyond which they do not belong together."""
