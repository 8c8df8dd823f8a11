"""Which parameters ``argparse`` gave the program, with their defaults and whether they were given.

Run by ``sitecustomize``, which gives ``log(kind, value)`` and ``load(name)`` (the names of a file
beside this one).
"""

import os
import sys

log, load = globals()["log"], globals()["load"]

_MOST_VALUES, _MOST_ITEMS, _MOST_PARSES = 1000, 200, 20
_LONGEST = 2000

_depth = []
_parses = []
_events, _patches = load("_prov_events"), load("_prov_patches")


def parse(original, self, *args, **kwargs):
    """Parse; only what the outermost call gives counts, sub-parsers call this again inside."""
    _depth.append(self)
    try:
        result = original(self, *args, **kwargs)
        if len(_depth) == 1:
            _parsed(self, args[0] if args else kwargs.get("args"), result)
        return result
    finally:
        _depth.pop()


def _parsed(parser, words, result):
    """Take note of what a parser and its sub-parsers made of the command line."""
    try:
        words = sys.argv[1:] if words is None else list(words)
        parsers = list(_parsers(parser, words))
        values = {}
        for name, value in list(vars(result[0]).items())[:_MOST_VALUES]:
            pairs = [(a, p) for p in parsers for a in p._actions if a.dest == name]
            default = pairs[0][0].default if pairs else parser.get_default(name)
            given = any(_given(action, owner, words, value) for action, owner in pairs)
            values[str(name)] = (_plain(value, name), _plain(default, name), given)
        entry = (os.path.basename(sys.argv[0] or ""), _of_user(), values)
        if entry not in _parses and len(_parses) < _MOST_PARSES:
            _parses.append(entry)
            log("A", entry)
    except Exception:
        pass


def _parsers(parser, words):
    """Yield a parser and, below it, the sub-parsers that the command line chose."""
    yield parser
    for action in parser._actions:
        if action.nargs == "A..." and isinstance(action.choices, dict):
            chosen = [word for word in words if word in action.choices]
            if chosen:
                for one in _parsers(action.choices[chosen[0]], words):
                    yield one


def _of_user():
    """Return whether a line of the user's own asked for this."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if (
            frame.f_globals.get("log") is not log
            and not _patches["foreign"](file)
            and "<frozen" not in file
        ):
            return True
        frame = frame.f_back
    return False


def _given(action, parser, words, value):
    """Return whether the command line names an option, or has a word for a positional."""
    if not action.option_strings:
        return action.nargs not in ("?", "*") or (value is not action.default and value != [])
    if any(word[:1] in (parser.fromfile_prefix_chars or ()) for word in words):
        return value != action.default
    return any(_names(word, action, parser) for word in _options(words))


def _options(words):
    for word in words:
        if word == "--":
            return
        yield word


def _names(word, action, parser):
    """Return whether ``word`` is an option of ``action``: whole, shortened, joined with others."""
    if word in action.option_strings:
        return True
    if word[:1] not in parser.prefix_chars or len(word) < 2:
        return False
    name = word.partition("=")[0]
    known = parser._option_string_actions
    if name in known:
        return known[name] is action
    if word[1] in parser.prefix_chars:
        begun = {id(known[one]) for one in known if one.startswith(name)}
        return begun == {id(action)} and getattr(parser, "allow_abbrev", True)
    for place in range(1, len(word)):
        flag = known.get(word[0] + word[place])
        if flag is None:
            return False
        if flag is action:
            return True
        if flag.nargs != 0:
            return False
    return False


def _plain(value, name="", depth=0):
    """Return ``value`` as plain data of bounded size; never longer than it is worth."""
    if type(value) is int and "passw" in name.lower():
        return _events["MASK"]
    if value is None or type(value) in (bool, int, float):
        return value
    if name and value and isinstance(value, str) and _events["secret"](name, value):
        return _events["MASK"]
    if isinstance(value, str):
        return str(value) if len(value) <= _LONGEST else value[:_LONGEST] + "..."
    if depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one, name, depth + 1) for one in list(value)[:_MOST_ITEMS]]
    if depth < 4 and isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS]
        return {str(key): _plain(one, str(key), depth + 1) for key, one in items}
    try:
        return _described(value)
    except Exception:
        return "<%s.%s>" % (type(value).__module__, type(value).__qualname__)


def _described(value):
    if hasattr(value, "__fspath__"):
        return str(os.fspath(value))
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "%s.%s" % (value.__module__, value.__qualname__)
    if hasattr(value, "write") and isinstance(getattr(value, "name", None), str):
        return value.name
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "ndim", None) == 0:
        return _plain(item())
    text = repr(value)
    kind = "<%s.%s>" % (type(value).__module__, type(value).__qualname__)
    return kind if " at 0x" in text else text[:_LONGEST]
