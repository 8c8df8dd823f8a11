"""The rarer events of the hook: renames, removals, links, data bases, commands.

Run by ``sitecustomize`` when first needed, which gives ``log(kind, value)``, ``as_bytes(path)``
(absolute, None for a descriptor) and ``here`` (the hook's folder).
"""

import os

log, as_bytes, here = globals()["log"], globals()["as_bytes"], globals()["here"]
seen = globals()["seen"]

MASK = "<redacted>"
_STRONG = frozenset("password passwords passwd passphrase pwd secret secrets apikey".split())
_KEYS = frozenset("api access secret private auth account".split())
_MOST = 50
"""Words of a command, and repetitions of one command, that are kept."""
_LONGEST = 500
_COMMANDS = 1000
"""Different commands that are kept."""

_commands = {}


def event(name, args):
    """Take note of an audit event that is neither an open nor an import."""
    if name in ("os.rename", "os.link"):
        # source and target, each perhaps relative to an open folder, which cannot be resolved
        if args[2] in (-1, None) and args[3] in (-1, None):
            target = as_bytes(args[1])
            if os.fsdecode(target) in seen and not os.path.lexists(target):
                log("F", target)
            log("M" if name == "os.rename" else "L", (as_bytes(args[0]), as_bytes(args[1])))
    elif name == "os.symlink":
        if args[2] in (-1, None):
            target = as_bytes(args[1])
            source = os.path.join(os.path.dirname(os.fsdecode(target)), os.fsdecode(args[0]))
            log("L", (as_bytes(source), target))
    elif name == "os.remove":
        if args[1] in (-1, None) and os.path.lexists(args[0]):
            log("X", as_bytes(args[0]))
    elif name == "shutil.rmtree":
        if len(args) < 2 or args[1] is None:
            log("T", as_bytes(args[0]))
    elif name == "os.truncate":
        path = as_bytes(args[0])
        if path is not None:
            log("W", path)
    elif name == "sqlite3.connect":
        _database(args[0])
    else:
        _command(name, args)


def _database(name):
    name = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    if isinstance(name, str) and name.startswith("file:"):
        name = name[5:].partition("?")[0]
        name = name[2:] if name.startswith("//") else name
    if name not in ("", ":memory:"):
        path = as_bytes(name)
        if path is not None:
            log("Q" if os.path.exists(path) else "W", path)


def _command(name, args):
    """Take note of a command. ``subprocess`` may raise a second event for the same one."""
    if name == "os.system":
        text = args[0].decode("utf-8", "replace") if isinstance(args[0], bytes) else args[0]
        argv, environ = ["sh", "-c", str(text)], None
    else:
        argv, environ = args[1], args[-1]
        argv = [argv] if isinstance(argv, (str, bytes)) or hasattr(argv, "__fspath__") else argv
    words = tuple(masked(argv))
    before = _commands.get("last")
    _commands["last"] = (name, words)
    if name == "os.posix_spawn" and before == ("subprocess.Popen", words):
        return
    count = _commands.get(words, 0)
    _commands[words] = count + 1
    if count == 0 and len(_commands) > _COMMANDS:
        del _commands[words]
    elif count < _MOST:
        log("C", (name, words, _reached(environ)))


def _reached(environ):
    """Return whether a Python process with this environment would load the hook."""
    environ = dict(os.environ if environ is None else environ)  # os.environ refuses bytes as names
    for name in ("PYTHONPATH", b"PYTHONPATH"):
        if name in environ:
            value = environ[name]
            return here in (value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
    return False


def secret(name, value):
    """Return whether ``value`` is clearly a secret. The reader looks again, and more closely."""
    words = name.lstrip("-").lower().replace("-", "_").replace(".", "_").split("_")
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _STRONG or last.startswith("credential") or (last == "key" and before in _KEYS):
        return True
    random = len(value) >= 16 and not value.isalpha() and " " not in value and "/" not in value
    return last in ("token", "auth", "cookie") and random


def masked(argv):
    """Return a command line, cut, without what its names say is a secret."""
    words = []
    asked = ""
    for given in list(argv)[:_MOST]:
        word = _word(given)
        name, equals, value = word.partition("=")
        if asked and secret(asked, word):
            asked, word = "", MASK
            words.append(word)
            continue
        if " " in word:
            word = " ".join(masked(word.split(" "))) if len(words) < _MOST else word
        elif equals and secret(name, value):
            word = name + "=" + MASK
        elif "://" in word and "@" in word:
            head, _, rest = word.partition("://")
            word = head + "://" + MASK + "@" + rest.rpartition("@")[2]
        asked = word if word.startswith("-") and not equals else ""
        words.append(word)
    return words


def _word(word):
    if isinstance(word, bytes):
        word = word.decode("utf-8", "surrogateescape")
    elif hasattr(word, "__fspath__"):
        word = os.fspath(word)
        word = word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word
    return word[:_LONGEST] if isinstance(word, str) else type(word).__name__
