"""Parameters of programs whose command line click, typer, absl, fire, docopt or tyro parsed.

Run by ``sitecustomize`` when the program has imported one of these, which gives ``load(name)`` (the
names of a file beside this one). Each is asked where it hands the values to the user's code.
"""

import sys

load = globals()["load"]

_told, _patches, _params = load("_prov_told"), load("_prov_patches"), load("_prov_params")


def patch(name, module):
    """Replace what of ``module``, which has just been imported, hands over parsed values."""
    owner, function, around = _PLACES[name]
    _patches["replace"](getattr(module, owner) if owner else module, function, around)


def _quietly(tell):
    """Return ``tell`` as a function that never raises."""

    def told(*args):
        try:
            tell(*args)
        except Exception:
            pass

    return told


# --- click and typer, which has a copy of it -----------------------------------------------------


def _click(original, self, ctx, *args, **kwargs):
    _tell_click(self, ctx)
    return original(self, ctx, *args, **kwargs)


@_quietly
def _tell_click(command, ctx):
    values = {}
    options = {one.name: one for one in command.get_params(ctx)}
    for name, value in list(ctx.params.items()):
        option = options.get(name)
        if option is None or (getattr(option, "is_eager", False) and value is None):
            continue
        default = getattr(option, "default", None)
        if type(default).__name__ in ("Sentinel", "UnsetType") or callable(default):
            default = None
        asked = getattr(ctx, "get_parameter_source", None)  # from click 8 on
        source = getattr(asked(name), "name", None) if asked else None
        given = None if source is None else source in ("COMMANDLINE", "ENVIRONMENT", "PROMPT")
        used, default = _params["plain"](value), _params["plain"](default)
        if source is None and used != default:
            given = True
        elif not given and default is None:
            default = used
        values[name] = (used, default, given)
    chosen = getattr(ctx, "invoked_subcommand", None)
    if chosen:
        values.setdefault("command", (chosen, None, True))
    owner = getattr(command.callback, "__module__", "") or ""
    if values:
        _told["parsed"]("typer" if "typer" in sys.modules else "click", values, owner=owner)


# --- absl ----------------------------------------------------------------------------------------


def _absl(original, self, *args, **kwargs):
    result = original(self, *args, **kwargs)
    _tell_absl(self)
    return result


@_quietly
def _tell_absl(flags):
    values = {}
    for module, defined in list(flags.flags_by_module_dict().items()):
        if module.partition(".")[0] == "absl" or _told["helper"](module):
            continue
        own = sys.modules.get(module)
        file = getattr(own, "__file__", None) or ""
        library = bool(file) and _patches["foreign"](file)
        for flag in defined:
            if flag.present or not library:
                value, default = flag.value, flag.default
                reader = getattr(value, "to_dict", None)
                if reader is None or isinstance(value, type):
                    values[flag.name] = (_params["plain"](value), default, bool(flag.present))
                else:
                    for key, one in _params["flat"](reader(), flag.name).items():
                        values.setdefault(key, (one, None, None))
    if values:
        _told["parsed"]("absl", values)


# --- fire ----------------------------------------------------------------------------------------


def _fire(original, fn, *args, **kwargs):
    parse = original(fn, *args, **kwargs)

    def parsing(words):
        result = parse(words)
        _tell_fire(fn, result)
        return result

    _patches["_hide"](parsing)
    return parsing


@_quietly
def _tell_fire(function, result):
    (positional, keywords), consumed = result[0], result[1]
    if getattr(function, "__module__", "") == "builtins":
        return
    known = sys.modules["fire.inspectutils"].GetFullArgSpec(function)
    at_end = len(known.args) - len(known.defaults)
    defaults = dict(zip(known.args[at_end:], known.defaults), **known.kwonlydefaults)
    pairs = dict(zip(known.args, positional), **keywords)
    if len(positional) > len(known.args) and known.varargs:
        pairs[known.varargs] = list(positional[len(known.args) :])
    named = _options(consumed)
    bare = len([word for word in consumed if not word.startswith("-")])
    values = {}
    for name, value in dict(defaults, **pairs).items():
        differs = name not in defaults or _params["differs"](value, defaults[name])
        given = bool(differs or name in named or (bare and name[:1] in named))
        values[name] = (value, defaults.get(name), given)
    if values:
        owner = getattr(function, "__module__", None) or "__main__"
        _told["parsed"]("fire", values, owner=owner)


def _options(words):
    """Return the names of the options on a command line, with underscores."""
    return {
        str(word).lstrip("-").partition("=")[0].replace("-", "_")
        for word in words
        if str(word).startswith("-")
    }


# --- docopt --------------------------------------------------------------------------------------


def _docopt(original, *args, **kwargs):
    result = original(*args, **kwargs)
    _tell_docopt(original, args, kwargs, result)
    return result


@_quietly
def _tell_docopt(original, args, kwargs, result):
    text = args[0] if args else kwargs.get("doc", kwargs.get("docstring"))
    module = sys.modules[original.__module__]
    known = {one.name: one.value for one in _docopt_defaults(module, text)}
    words = args[1] if len(args) > 1 else kwargs.get("argv")
    words = sys.argv[1:] if words is None else list(words)
    named = {"--" + word for word in _options(words)}
    values = {}
    for name, value in result.items():
        if name in ("--help", "--version"):
            continue
        default = known.get(name)
        given = value != default and value not in (None, False, [], 0)
        given = given or "--" + name.lstrip("-").replace("-", "_") in named
        values[name.strip("<>").lstrip("-")] = (value, default, given)
    _told["parsed"]("docopt", values)


def _docopt_defaults(module, text):
    try:
        return module.parse_defaults(text)
    except Exception:  # docopt-ng splits the text first
        return module.parse_options(text) if hasattr(module, "parse_options") else ()


# --- tyro ----------------------------------------------------------------------------------------


def _tyro(original, *args, **kwargs):
    result = original(*args, **kwargs)
    _tell_tyro(args, kwargs, result)
    return result


@_quietly
def _tell_tyro(args, kwargs, result):
    names = ("f", "parser_definition", "default_instance", "values", "field_name_prefix")
    asked = dict(zip(names, args), **kwargs)
    if asked.get("field_name_prefix"):
        return
    call = result[0]
    function = getattr(call, "func", None)
    if function is None:
        return
    passed = _params["arguments"](function, call.args, call.keywords)
    defaults = _params["flat"](asked.get("default_instance"))
    defaults = dict(_class_defaults(asked.get("f")), **(defaults if len(defaults) else {}))
    named = {one[3:] if one.startswith("no_") else one for one in _options(sys.argv[1:])}
    named |= {one.replace(".no_", ".") for one in named}
    values = {}
    for name, (value, default, _) in passed.items():
        for whole, one in _params["flat"](value, name).items():
            key = whole.replace("__tyro_dummy_inner__.", "").replace("__tyro_dummy_field__.", "")
            standing = defaults.get(key, default if key == name else None)
            given = key in named or (key not in defaults and default is None and one is not None)
            values[key] = (one, _params["plain"](standing), given)
    _told["parsed"]("tyro", values)


def _class_defaults(kind, prefix="", depth=0):
    """Return the plain defaults of a dataclass and those nested in it, by dotted name."""
    found = {}
    fields = getattr(kind, "__dataclass_fields__", None)
    for name, field in (fields or {}).items():
        made = field.default_factory
        nested = made if isinstance(made, type) else None
        if nested is not None and hasattr(nested, "__dataclass_fields__") and depth < 8:
            found.update(_class_defaults(nested, prefix + name + ".", depth + 1))
        elif type(field.default).__name__ != "_MISSING_TYPE":
            found.update(_params["flat"](field.default, prefix + name))
    return found


_PLACES = {
    "click.core": ("Command", "invoke", _click),
    "typer._click.core": ("Command", "invoke", _click),
    "absl.flags._flagvalues": ("FlagValues", "__call__", _absl),
    "fire.core": ("", "_MakeParseFn", _fire),
    "docopt": ("", "docopt", _docopt),
    "tyro._calling": ("", "callable_with_args", _tyro),
}
"""Module: class, function and what is done around it."""
