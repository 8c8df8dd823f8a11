"""Which parameters ``argparse`` gave the program, with their defaults and whether they were given.

Run by ``sitecustomize``, which gives ``load(name)`` (the names of a file beside this one).
"""

import sys

load = globals()["load"]

_MOST_VALUES = 1000

_depth = []
_told, _patches = load("_prov_told"), load("_prov_patches")


def patch(_name, module):
    """Replace what of ``argparse``, which has just been imported, parses."""
    for method in ("parse_known_args", "parse_known_intermixed_args"):
        _patches["replace"](module.ArgumentParser, method, parse)


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
            values[str(name)] = (value, default, given)
        _told["parsed"]("argparse", values)
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
