"""Models, optimizers, schedules, data loaders and the like of torch programs.

Run by ``sitecustomize`` when the program has imported one of these modules, which gives
``load(name)`` (a file beside this one). What is replaced are constructors and functions that are
called once or once a step, never a module's call or an optimizer's step.
"""

import sys

load = globals()["load"]

_models, _layers = load("_prov_models"), load("_prov_models_layers")
_marks = load("_prov_marks")
_around, _where = _models["around"], _models["where"]

_MOST_MODELS, _MOST_SEARCHES, _MOST_GROUPS = 20, 3, 20
_CLIPPING = ("clip_grad_norm_", "clip_grad_value_")
_NO_SETTINGS = ("self", "params", "optimizer", "dataset", "schedulers")
_BUILDING = ("torch.nn.modules.", "torch.nn.init", "torch.nn.utils.")

_making = set()
_optimizers = {}
_roots = []
_inside = {}
_calls = {}
_state = {"searches": 0, "over": False}


def patch(name, module):
    """Replace what is worth watching of ``module``, which has just been imported."""
    if name == "torch.optim":
        _optim(module)
    elif name == "torch.utils.data.dataloader":
        _around(module.DataLoader, "__init__", _made("loader", module.DataLoader))
        if _marks["asked"]():
            _marks["watch_batches"](module._BaseDataLoaderIter)
    elif name.endswith("grad_scaler"):
        _around(module.GradScaler, "__init__", _made("precision", module.GradScaler))
    elif name == "torch.nn.utils.clip_grad":
        for function in _CLIPPING:
            _around(module, function, _called("clipping"))
    elif name == "torch.nn.init":
        for function in sorted(vars(module)):
            if function.endswith("_") and function[:1] != "_":
                _around(module, function, _called("initialiser"))
    elif name == "torch.nn.modules.module":
        _around(module.Module, "load_state_dict", _entrusted("load_state_dict"))
        _around(module.Module, "eval", _entrusted("eval"))
        _around(module.Module, "zero_grad", _entrusted("zero_grad"))


def _optim(module):
    base = module.Optimizer
    for kind in sorted(_layers["_kinds"](base), key=lambda k: k.__name__):
        if "__init__" in vars(kind):
            _around(kind, "__init__", _made("optimizer", kind))
    if "__del__" not in vars(base):
        load("_prov_patches")["_hide"](_gone)
        base.__del__ = _gone
    schedules = module.lr_scheduler
    for _, kind in sorted(vars(schedules).items()):
        own = isinstance(kind, type) and kind.__module__ == schedules.__name__
        code = getattr(kind.__init__, "__code__", None) if own else None
        if code is not None and "optimizer" in code.co_varnames:
            _around(kind, "__init__", _made("schedule", kind))


# --- what is constructed -------------------------------------------------------------------------


def _made(role, owner):
    """Return what tells of the construction of an instance of ``owner`` or of a class below it."""

    def around(original, self, *args, **kwargs):
        if id(self) in _making:
            original(self, *args, **kwargs)
            return
        _making.add(id(self))
        try:
            before = _quietly(_before, role, args, kwargs)
            original(self, *args, **kwargs)
        finally:
            _making.discard(id(self))
        _quietly(_tell, role, owner, self, args, kwargs, before)

    return around


def _quietly(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def _before(role, args, kwargs):
    """Return what must be looked at before the constructor runs: it uses up the parameters."""
    if role == "optimizer":
        return _layers["sources"](args[0] if args else kwargs.get("params"), _module())
    return None


def _module():
    return sys.modules["torch.nn.modules.module"].Module


def _tell(role, owner, self, args, kwargs, before):
    kind = type(self)
    place = _models["placed"]("torch", self)
    given = _given(kind, owner, self, args, kwargs)
    more = {"optimizer": _optimizer, "loader": _loader, "schedule": _schedule}.get(role)
    more = more(self, args, kwargs) if more else {}
    number = _models["made"](role, _public(kind), place, given, more)
    if role == "optimizer" and number is not None:
        _follow(self, number, place, before or [])
    if role == "optimizer" and _marks["asked"]():
        _marks["weights"](before or [], place)


def _given(kind, owner, self, args, kwargs):
    """Return the arguments; of a constructor that was not replaced what it made of them."""
    if kind.__init__ is vars(owner)["__init__"]:
        return _models["arguments"](kind.__init__, (self, *args), kwargs, skip=_NO_SETTINGS)
    kept = dict(vars(self), **(vars(self).get("defaults") or {}))
    found = _models["defaults"](kind.__init__, kept, (*_NO_SETTINGS, "last_epoch"))
    return found or _models["arguments"](owner.__init__, (self, *args), kwargs, False, _NO_SETTINGS)


def _public(kind):
    """Return the name that people import: ``torch.optim.SGD``, not ``torch.optim.sgd.SGD``."""
    package = ".".join(kind.__module__.split(".")[:2])
    for parent in (package, "torch.utils.data", "torch.optim.lr_scheduler", "torch.amp"):
        module = sys.modules.get(parent)
        inside = module is not None and kind.__module__.startswith(parent)
        if inside and vars(module).get(kind.__name__) is kind:
            return parent + "." + kind.__name__
    return _models["name_of"](kind)


def _optimizer(optimizer, _args, _kwargs):
    return {"groups": [_group(one, True) for one in optimizer.param_groups[:_MOST_GROUPS]]}


def _group(group, counted=False):
    """Return the settings of a parameter group, and how many parameters it holds."""
    facts = {k: v for k, v in group.items() if k not in ("params", "param_names")}
    facts = _models["described"](facts, "", 1)
    if counted:
        sizes = [_layers["_size"](one) or 0 for one in group["params"]]
        facts.update({"tensors": len(sizes), "parameters": sum(sizes)})
    return facts


def _schedule(schedule, args, kwargs):
    optimizer = kwargs.get("optimizer", args[0] if args else None)
    number = _optimizers.get(id(optimizer), (None,))[0]
    more = {} if number is None else {"optimizer": number}
    inner = vars(schedule).get("_schedulers")
    if isinstance(inner, list):
        more["schedulers"] = [_public(type(one)) for one in inner[:_MOST_GROUPS]]
    return more


def _loader(loader, _args, _kwargs):
    more = {"dataset": _models["name_of"](type(loader.dataset))}
    more["sampler"] = _models["name_of"](type(vars(loader).get("sampler")))
    torch_own = more["sampler"].rpartition(".")[2] in ("SequentialSampler", "RandomSampler")
    # These samplers ask for the length too, so that asking once more is no news to the program.
    if torch_own and vars(loader).get("_dataset_kind") == 0:
        more["length"] = len(loader.dataset)
    return more


# --- models --------------------------------------------------------------------------------------


def _nobody():
    """Stand in for the weak reference of what is not known."""


def _follow(optimizer, number, place, modules):
    """Remember an optimizer weakly, and tell of the models whose parameters it has."""
    _optimizers[id(optimizer)] = (number, sys.modules["weakref"].ref(optimizer))
    part = not modules or all(type(m).__module__.startswith("torch.nn.") for m in modules)
    part = part and not any(type(m).__name__ == "Sequential" for m in modules)
    known = any(_inside.get(id(m), _nobody)() is m for m in modules)  # ids are used again
    if part and not known and _state["searches"] < _MOST_SEARCHES:
        _state["searches"] += 1
        wanted = {id(p) for group in optimizer.param_groups for p in group["params"]}
        modules = _layers["owners"](_module(), wanted) or modules
    for module in modules[:_MOST_MODELS]:
        _model(module, "optimizer", place, number)


def _entrusted(how):
    """Return what tells of the model on which a method was called from outside any model."""

    def around(original, self, *args, **kwargs):
        known = _inside.get(id(self))
        if known is None or known() is not self:
            _quietly(_model, self, how, None, None)
        return original(self, *args, **kwargs)

    return around


def _model(module, how, place, optimizer=None):
    """Tell of a model, unless it is known or part of a known one."""
    if any(kind.__module__.startswith("keras.") for kind in type(module).__mro__):
        return  # told of by Keras
    module, wrappers = _layers["unwrapped"](module)
    known = _inside.get(id(module))
    found = [one for one in _roots if one[1]() is module]
    if not found and known is not None and known() is module:
        return
    if not found:
        if len(_roots) >= _MOST_MODELS:
            return
        facts = {"how": how, "wrappers": wrappers, "optimizers": []}
        facts["where"] = _where("torch")[0] if place is None else place
        kind = type(module)
        facts["type"] = _layers["_name"](kind)
        own = kind.__module__.partition(".")[0] != "torch"
        facts["defined"] = _models["place_of"](kind) if own else ""
        found = [[len(_roots), sys.modules["weakref"].ref(module), facts, None]]
        _roots.append(found[0])
    facts = found[0][2]
    if optimizer is not None and optimizer not in facts["optimizers"]:
        facts["how"] = "optimizer"
        facts["optimizers"].append(optimizer)
    _refresh(found[0])


def _refresh(entry):
    """Tell of a model again where it has changed since it was told of."""
    number, ref, facts, before = entry
    module = ref()
    if module is None:
        return
    totals, rows = _layers["summary"](module)
    weak = sys.modules["weakref"].ref
    members = _layers["members"](module)
    if len(_inside) < 100000:
        _inside.update((id(one), weak(one)) for one in members)
    if not totals["total"] and not totals["unset"]:
        return
    parts = [n for n, r, _, _ in _roots if n != number and any(r() is one for one in members)]
    told = dict(facts, framework="torch", parts=parts, **totals)
    text = hash(ascii((told, rows)))
    if text != before:
        entry[3] = text
        _models["model"](number, told, rows)


# --- calls ---------------------------------------------------------------------------------------


def _called(role):
    """Return what tells of calls of a function: once for each place and set of arguments."""

    def around(original, *args, **kwargs):
        frame = sys._getframe(2)
        if not frame.f_globals.get("__name__", "").startswith(_BUILDING):
            try:
                key = (original, frame.f_code, frame.f_lineno, args[1:], tuple(kwargs.values()))
                known = _calls.get(key)
                if known is None and len(_calls) < 2000:
                    _calls[key] = known = [role, _call(role, original, args, kwargs), 0]
                known[2] += 1
            except Exception:
                pass
        return original(*args, **kwargs)

    return around


def _call(role, original, args, kwargs):
    skip = ("tensor", "parameters", "generator", "foreach")
    given = _models["arguments"](original, args, kwargs, skip=skip)
    name = original.__module__.replace(".clip_grad", "") + "." + original.__name__
    return _models["made"](role, name, _where("torch")[0], given)


# --- the end -------------------------------------------------------------------------------------


def _gone(self):
    """Tell how an optimizer is when it is about to vanish: its last learning rate."""
    if not _state["over"]:
        _quietly(_last, self)


def _last(optimizer):
    number, _ = _optimizers.pop(id(optimizer), (None, None))
    if number is not None:
        _end(number, optimizer)
    for entry in _roots:
        _refresh(entry)


def _end(number, optimizer):
    more = {"groups": [_group(one) for one in optimizer.param_groups[:_MOST_GROUPS]]}
    for state in list(optimizer.state.values())[:1]:
        step = state.get("step") if isinstance(state, dict) else None
        if step is not None and getattr(step, "is_cpu", True):
            more["steps"] = int(step)
    _models["ended"]("optimizer", number, more)


def _losses():
    """Tell of the loss functions that the program's main module holds."""
    module = sys.modules.get("torch.nn.modules.loss")
    names = vars(sys.modules.get("__main__", sys))
    kinds = _layers["_kinds"](module._Loss) if module is not None else ()
    for name, value in sorted(names.items(), key=lambda item: item[0]):
        if type(value) in kinds:
            facts = {k: v for k, v in vars(value).items() if k[:1] != "_" and k != "training"}
            facts.update({k: v for k, v in value._buffers.items() if v is not None})
            given = {k: [_models["described"](v, k), None, None] for k, v in facts.items()}
            _models["made"]("loss", _layers["_name"](type(value)), "", given, {"name": name})


def _held():
    """Tell of the models that the program's main module holds and that nothing has told of."""
    names = vars(sys.modules.get("__main__", sys))
    for _, value in sorted(names.items(), key=lambda item: item[0]):
        if isinstance(value, _module()) and _inside.get(id(value), _nobody)() is not value:
            _model(value, "held", "")


def leave():
    """Tell, at the end, how what is still there is now."""
    for number, ref in list(_optimizers.values()):
        optimizer = ref()
        if optimizer is not None:
            _quietly(_end, number, optimizer)
    for entry in _roots:
        _quietly(_refresh, entry)
    _quietly(_losses)
    _quietly(_held)
    _state["over"] = True
    for role, number, count in _calls.values():
        _models["again"](role, number, count - 1)
    _models["counts"]()
