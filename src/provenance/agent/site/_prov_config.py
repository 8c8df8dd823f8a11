"""Parameters of programs that hydra, omegaconf or jsonargparse configure: what was resolved.

Run by ``sitecustomize`` when the program has imported one of these, which gives ``load(name)`` (the
names of a file beside this one). Interpolations are followed here and not by the library: a
resolver of the user's may count, ask the clock or draw a random number.
"""

import sys

load = globals()["load"]

_told, _patches, _params = load("_prov_told"), load("_prov_patches"), load("_prov_params")
_merged = {}
"""What the user's code merged last at each of its lines."""
_MOST_LINES = 20


def patch(name, module):
    """Replace what of ``module``, which has just been imported, hands over a configuration."""
    if name == "hydra.core.utils":
        _patches["replace"](module, "run_job", _hydra)
    elif name == "hydra.compose":
        _patches["replace"](module, "compose", _composed)
    elif name == "omegaconf.omegaconf":
        for function in ("merge", "unsafe_merge"):
            _patches["replace"](module.OmegaConf, function, _omegaconf)
    else:
        _patches["replace"](module.ArgumentParser, "parse_args", _jsonargparse)


# --- hydra and omegaconf -------------------------------------------------------------------------


def _hydra(original, *args, **kwargs):
    try:
        config = kwargs["config"] if "config" in kwargs else _config_of(original, args, kwargs)
        _tell_hydra(_container(config))
    except Exception:
        pass
    return original(*args, **kwargs)


def _composed(original, *args, **kwargs):
    """Tell what the user's own code composed, in a notebook or a script without hydra's main."""
    result = original(*args, **kwargs)
    try:
        if _params["by_user"]():
            words = _params["arguments"](original, args, kwargs)["overrides"][0] or ()
            config = _container(result)
            if "hydra" not in config:
                pairs = [str(word).lstrip("+~").partition("=") for word in words]
                groups = {
                    key.partition("@")[0]: value
                    for key, _, value in pairs
                    if "/" in key or isinstance(config.get(key), dict)
                }
                told = {"task": [str(word) for word in words]}
                config["hydra"] = {"overrides": told, "runtime": {"choices": groups}}
            _tell_hydra(config)
    except Exception:
        pass
    return result


def _config_of(original, args, kwargs):
    """Return the argument ``config``: the first one of older versions, the second of newer."""
    return _params["arguments"](original, args, kwargs)["config"][0]


def _container(config):
    """Return a configuration as plain data, nothing resolved."""
    return sys.modules["omegaconf"].OmegaConf.to_container(config, resolve=False)


def _tell_hydra(config):
    own = config.pop("hydra", None) or {}
    words = [str(one) for one in (own.get("overrides") or {}).get("task") or ()]
    named = {word.lstrip("+~").partition("=")[0].partition("@")[0] for word in words}
    values = {}
    choices = (own.get("runtime") or {}).get("choices") or {}
    for name, choice in choices.items():
        if not str(name).startswith("hydra/") and choice is not None:
            values[str(name)] = (choice, None, name in named)
    for name, value in _params["flat"](config).items():
        given = any(name == one or name.startswith(one + ".") for one in named - set(choices))
        values[name] = (_followed(value, config, name), None, given)
    for name in named - set(values):
        word = next(one for one in words if one.lstrip("+~").startswith(name))
        if not any(known.startswith(name + ".") for known in values):
            values[name] = (word.partition("=")[2] or None, None, True)
    job = own.get("job") or {}
    number = job.get("num") if "MULTIRUN" in str(own.get("mode", "")) else None
    if number is None and isinstance(job.get("num"), int) and own.get("mode") is None:
        number = job["num"]  # versions that do not tell the mode number the jobs of sweeps alone
    _told["parsed"]("hydra", values, job=number, owner="__main__")


def _omegaconf(original, *args, **kwargs):
    result = original(*args, **kwargs)
    try:
        frame = sys._getframe(1)
        while frame is not None and frame.f_globals.get("load") is load:
            frame = frame.f_back
        place = frame.f_code.co_filename, frame.f_lineno
        if _params["by_user"]() and (place in _merged or len(_merged) < _MOST_LINES):
            _merged[place] = _container(result)
    except Exception:
        pass
    return result


def leave():
    """Tell what the user's code merged, each line's last."""
    for config in list(_merged.values()):
        if isinstance(config, dict):
            flat = _params["flat"](config)
            values = {
                name: (_followed(one, config, name), None, None) for name, one in flat.items()
            }
            _told["parsed"]("omegaconf", values, owner="__main__")
    _merged.clear()


def _followed(value, config, name, depth=0):
    """Return ``value`` with plain interpolations (``${a.b}``, ``${oc.env:HOME}``) followed."""
    if not isinstance(value, str) or "${" not in value or depth > 5:
        return value
    head, _, rest = value.partition("${")
    inner, closed, tail = rest.partition("}")
    if closed and inner.startswith("oc.env:") and "${" not in tail:
        variable, comma, default = inner[len("oc.env:") :].partition(",")
        found = sys.modules["os"].environ.get(variable.strip())
        if found is None and (not comma or default.strip()[:1] in "'\""):
            return value
        return head + (default.strip() if found is None else found) + tail
    if not closed or ":" in inner or "$" in inner or "[" in inner:
        return value
    steps = len(inner) - len(inner.lstrip("."))
    parts = name.split(".")[: -steps or None] if steps else []
    node = config
    for part in parts + inner.lstrip(".").split("."):
        if not isinstance(node, dict) or part not in node:
            return value
        node = node[part]
    node = _followed(node, config, ".".join([*parts, inner.lstrip(".")]), depth + 1)
    if not head and not tail:
        return node
    return _followed(head + str(node) + tail, config, name, depth + 1)


# --- jsonargparse --------------------------------------------------------------------------------


def _jsonargparse(original, self, *args, **kwargs):
    depth = load("_prov_parser")["_depth"]
    depth.append(self)
    try:
        result = original(self, *args, **kwargs)
    finally:
        depth.pop()
    if not depth:
        try:
            words = args[0] if args else kwargs.get("args")
            _tell_jsonargparse(self, sys.argv[1:] if words is None else words, result)
        except Exception:
            pass
    return result


def _tell_jsonargparse(parser, words, result):
    flat = _params["flat"](result)
    standing = _jsonargparse_defaults(parser)
    chosen = [str(value) for name, value in flat.items() if name.rpartition(".")[2] == "subcommand"]
    named = [str(word).lstrip("-").partition("=")[0] for word in words if str(word)[:1] == "-"]
    values = {}
    for name, value in flat.items():
        if name.rpartition(".")[2] in ("config", "__default_config__", "print_config"):
            if value is None:
                continue
            values[name] = (
                [str(one) for one in value] if isinstance(value, (list, tuple)) else str(value),
                None,
                True,
            )
            continue
        short = name.partition(".")[2] if name.partition(".")[0] in chosen else name
        default = standing.get(name)
        given = any(one in (name, short) or short.startswith(one + ".") for one in named)
        if not given and name in standing and _params["differs"](value, default):
            given = True
        elif not given and name not in standing:
            given = True if name.rpartition(".")[2] == "subcommand" else None
        values[name] = (value, default, given)
    if values:
        _told["parsed"]("jsonargparse", values)


def _jsonargparse_defaults(parser):
    """Return what stands where nothing is given: as the parser's actions say, none is asked."""
    found = {}
    for action in parser._actions:
        choices = getattr(action, "_name_parser_map", None)
        if isinstance(choices, dict):
            for name, below in choices.items():
                inner = _jsonargparse_defaults(below)
                found.update({"%s.%s" % (name, key): one for key, one in inner.items()})
        elif action.default is not None and str(action.default) != "==SUPPRESS==":
            found.update(_params["flat"](action.default, action.dest))
        elif action.default is None:
            found[action.dest] = None
    return found
