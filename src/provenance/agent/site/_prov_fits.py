"""Parameters of what the user's code fits: sklearn estimators, boosters, splits, Keras models.

Run by ``sitecustomize`` when the program has imported one of these, which gives ``load(name)`` (the
names of a file beside this one). Only calls of the user's own code count: what a search or a
pipeline clones and fits itself is the library's. An estimator does not tell what it was given, so
there ``given`` says whether a value differs from its default.
"""

load = globals()["load"]

_MOST_FITS, _MOST_OF_CLASS = 40, 10
"""Different sayings of a process, and fits of one class, that are kept."""
_METHODS = ("fit", "fit_transform", "fit_predict", "partial_fit")
_LIBRARIES = frozenset("sklearn xgboost lightgbm catboost imblearn sklearnex cuml".split())
_ROUNDS = frozenset(
    (
        "num_boost_round nfold fold_count seed partition_random_seed early_stopping_rounds "
        "stratified shuffle metrics maximize iterations"
    ).split()
)
_KERAS = frozenset(
    (
        "batch_size epochs initial_epoch steps_per_epoch validation_split validation_steps "
        "validation_batch_size validation_freq shuffle class_weight"
    ).split()
)
_VALIDATING = (
    "cross_validate cross_val_score cross_val_predict learning_curve validation_curve "
    "permutation_test_score"
).split()
_VALIDATION = "cv scoring param_name param_range train_sizes n_permutations random_state".split()
_CALLS = {
    "lightgbm.callback": "early_stopping reset_parameter",
    "sklearn.datasets._samples_generator": "make_",
    "sklearn.inspection._permutation_importance": "permutation_importance",
    "xgboost.callback": "EarlyStopping LearningRateScheduler",
}
"""Modules, and the functions and classes (or how their names begin) whose arguments are settings:
of made data, of when training ends, of what is measured afterwards."""

_told, _patches, _params = load("_prov_told"), load("_prov_patches"), load("_prov_params")
_marks = load("_prov_marks")
_fits, _kept, _known = {}, [0], {}


def patch(name, module):
    """Replace what of ``module``, which has just been imported, fits."""
    replace = _patches["replace"]
    if name == "sklearn.base":
        _watch_classes(module.BaseEstimator, _replace_methods)
        for mixin in ("TransformerMixin", "ClusterMixin", "OutlierMixin"):
            if hasattr(module, mixin):
                _replace_methods(getattr(module, mixin))
    elif name == "statsmodels.base.model":
        _watch_classes(module.Model, _replace_fit)
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and issubclass(kind, module.Model):
                _replace_fit(kind)
    elif name == "sklearn.model_selection._split":
        replace(module, "train_test_split", _call)
        for splitter in list(vars(module).values()):
            own = isinstance(splitter, type) and splitter.__module__ == name
            if own and "__init__" in vars(splitter) and splitter.__name__[:1] != "_":
                replace(splitter, "__init__", _made)
    elif name == "sklearn.model_selection._validation":
        for function in _VALIDATING:
            replace(module, function, _validated)
    elif name in _CALLS:
        for one in [one for one in vars(module) if _matches(one, _CALLS[name])]:
            kind = getattr(module, one)
            if isinstance(kind, type):
                replace(kind, "__init__", _made)
            else:
                replace(module, one, _called)
    elif name in ("xgboost.training", "lightgbm.engine"):
        for function in ("train", "cv"):
            replace(module, function, _boosted)
    elif name == "catboost.core":
        for function in ("train", "cv"):
            replace(module, function, _boosted)
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and "fit" in vars(kind) and hasattr(kind, "get_params"):
                replace(kind, "fit", _fitted)
    else:
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and kind.__module__ == name and "fit" in vars(kind):
                replace(kind, "fit", _keras)


def _once(tell):
    """Return ``tell`` as a function that never raises and works no more once enough is known."""

    def told(*args):
        if _kept[0] < _MOST_FITS:
            try:
                tell(*args)
            except Exception:
                pass

    return told


def _say(source, values):
    if values:
        _kept[0] += 1
        _told["parsed"](source, values, owner="__main__")


# --- estimators ----------------------------------------------------------------------------------


def _watch_classes(base, replace):
    """Let ``replace(class)`` see to each class of a library's as it is made from ``base``."""

    def __init_subclass__(cls, **kwargs):  # noqa: N807  # it becomes the class's
        super(base, cls).__init_subclass__(**kwargs)
        try:
            replace(cls)
        except Exception:
            pass

    if "__init_subclass__" not in vars(base):
        _patches["_hide"](__init_subclass__)
        base.__init_subclass__ = classmethod(__init_subclass__)


def _replace_methods(kind):
    """Replace the fitting methods that a library's class defines; a user's class stays as it is.

    A class of the script itself may be pickled by value, and ours must not come along.
    """
    if kind.__module__.partition(".")[0] not in _LIBRARIES:
        return
    for method in _METHODS:
        if type(vars(kind).get(method)).__name__ == "function":
            _patches["replace"](kind, method, _fitted)


def _replace_fit(kind):
    own = type(vars(kind).get("fit")).__name__ == "function"
    if own and kind.__module__.partition(".")[0] == "statsmodels":
        _patches["replace"](kind, "fit", _estimated)


def _estimated(original, self, *args, **kwargs):
    if _params["by_user"]():
        _tell_model(self)
        _tell_arguments(original, type(self).__name__ + ".fit", (self, *args), kwargs, 1)
    return original(self, *args, **kwargs)


@_once
def _tell_model(model):
    """Tell how a model of statsmodels was made: what it would be made with once more."""
    label = type(model).__name__
    if _fits.setdefault(label, 0) >= _MOST_OF_CLASS:
        return
    _fits[label] += 1
    values = {}
    for name, value in model._get_init_kwds().items():
        if not _params["simple"](value):
            kind = type(value)
            if hasattr(value, "shape") or isinstance(value, (list, tuple, dict)):
                continue
            value = "<%s.%s>" % (kind.__module__, kind.__name__)  # noqa: PLW2901
        values["%s.%s" % (label, name)] = (value, None, None)
    _say("statsmodels", values)


def _fitted(original, self, *args, **kwargs):
    kind = type(self)
    count = _fits.get(kind, 0)
    if count >= _MOST_OF_CLASS or not _params["by_user"]():
        return original(self, *args, **kwargs)
    _fits[kind] = count + 1
    _tell_estimator(self)
    if _marks["asked"]():
        _marks["fitted"]("%s.%s" % (kind.__name__, original.__name__), args, kwargs)
    result = original(self, *args, **kwargs)
    if hasattr(self, "best_params_"):
        _tell_best(self)
    return result


@_once
def _tell_estimator(estimator):
    values = {}
    _visit(values, estimator, 0)
    library = type(estimator).__module__.partition(".")[0]
    _say(library if library in ("xgboost", "lightgbm", "catboost") else "sklearn", values)


@_once
def _tell_best(search):
    best = _params["flat"](search.best_params_, type(search).__name__ + ".best_params_")
    _say("sklearn", {name: (value, None, None) for name, value in best.items()})


def _visit(values, estimator, depth):
    """Add the parameters of an estimator and of those that it holds."""
    kind = type(estimator)
    if depth > 4 or len(values) > 500:
        return
    standing = _known.get(kind)
    if standing is None:
        standing = _known[kind] = {}
        for one in reversed(kind.__mro__):  # some pass what they do not name on to their parent
            if "__init__" in vars(one):
                standing.update(_params["defaults"](one.__init__))
    sparse = kind.__module__.partition(".")[0] == "xgboost"
    try:
        held = estimator.get_params(deep=False)
    except TypeError:
        held = estimator.get_params()
    for name, value in held.items():
        below = list(_estimators(value))
        for one in below:
            _visit(values, one, depth + 1)
        default = standing.get(name)
        if sparse and value is None and default is None:
            continue
        if below:
            value = [type(one).__name__ for one in below]  # noqa: PLW2901
            value = value if len(below) > 1 else value[0]  # noqa: PLW2901
        elif not _params["simple"](value):
            value = "<%s.%s>" % (type(value).__module__, type(value).__name__)  # noqa: PLW2901
        given = _params["differs"](value, default) if name in standing else True
        whole = "%s.%s" % (kind.__name__, name)
        if isinstance(value, dict) and value:
            for key, one in _params["flat"](value, whole).items():
                values.setdefault(key, (one, None, given))
        else:
            values.setdefault(whole, (_params["plain"](value), default, given))


def _estimators(value, depth=0):
    """Yield the estimators in a parameter: itself, or those of a list of named ones."""
    if hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type):
        yield value
    elif isinstance(value, (list, tuple)) and depth < 2 and len(value) <= 50:
        for one in value:
            for found in _estimators(one, depth + 1):
                yield found


# --- splits and validation -----------------------------------------------------------------------


def _call(original, *args, **kwargs):
    if _params["by_user"]():
        _tell_call(original, kwargs)
    return original(*args, **kwargs)


@_once
def _tell_call(function, kwargs):
    standing = dict.fromkeys(("test_size", "train_size", "random_state", "stratify"))
    standing["shuffle"] = True
    values = {}
    for name, default in standing.items():
        value = kwargs.get(name, default)
        if not _params["simple"](value):
            value = "<%s>" % type(value).__name__
        values["%s.%s" % (function.__name__, name)] = (value, default, name in kwargs)
    _say("sklearn", values)


def _matches(name, wanted):
    return any(name == one or (one[-1] == "_" and name.startswith(one)) for one in wanted.split())


def _called(original, *args, **kwargs):
    if _params["by_user"]():
        _tell_arguments(original, original.__name__, args, kwargs, 0)
    return original(*args, **kwargs)


def _made(original, self, *args, **kwargs):
    if _params["by_user"]():
        _tell_arguments(original, type(self).__name__, (self, *args), kwargs, 1)
    return original(self, *args, **kwargs)


@_once
def _tell_arguments(original, label, args, kwargs, skip):
    count = _fits[label] = _fits.get(label, 0) + 1
    if count > _MOST_OF_CLASS:
        return
    held = _params["arguments"](original, args, kwargs, skip)
    values = {"%s.%s" % (label, n): one for n, one in held.items() if _params["simple"](one[0])}
    _say(original.__module__.partition(".")[0], values)


def _validated(original, *args, **kwargs):
    if _params["by_user"]():
        _tell_validated(original, args, kwargs)
    return original(*args, **kwargs)


@_once
def _tell_validated(original, args, kwargs):
    held = _params["arguments"](original, args, kwargs)
    values = {}
    for name in _VALIDATION:
        if name in held and _params["simple"](held[name][0]):
            values["%s.%s" % (original.__name__, name)] = held[name]
    if hasattr(held["estimator"][0], "get_params"):
        _visit(values, held["estimator"][0], 0)
    _say("sklearn", values)


# --- boosters and Keras --------------------------------------------------------------------------


def _boosted(original, *args, **kwargs):
    if _params["by_user"]():
        _tell_boosted(original, args, kwargs)
    return original(*args, **kwargs)


@_once
def _tell_boosted(original, args, kwargs):
    held = _params["arguments"](original, args, kwargs)
    handed = held.get("params", ({}, None, False))[0] or {}
    handed = _mapping(handed) if isinstance(handed, (list, tuple)) else handed
    simple = {str(name): one for name, one in handed.items() if _params["simple"](one)}
    values = {name: (_params["plain"](one), None, True) for name, one in simple.items()}
    rounds = {name: held[name] for name in _ROUNDS & held.keys()}
    plain = {name: one for name, one in rounds.items() if _params["simple"](one[0])}
    values.update((n, one) for n, one in plain.items() if one[2] or one[1] not in (None, (), []))
    _say(original.__module__.partition(".")[0], values)


def dataset(original, args, kwargs):
    """Tell the parameters with which the user's code makes a data set of a boosting library."""
    if _params["by_user"]():
        _tell_dataset(original, args, kwargs)


@_once
def _tell_dataset(original, args, kwargs):
    held = _params["arguments"](original, args, kwargs, 1)
    handed = held.pop("params", ({}, None, False))[0] or {}
    known = dict({name: (one, None, True) for name, one in handed.items()}, **held)
    values = {n: one for n, one in known.items() if one[2] and _params["simple"](one[0])}
    for name in ("data", "label", "weight", "group", "init_score", "position", "feature_name"):
        values.pop(name, None)
    _say(original.__module__.partition(".")[0], values)


def _mapping(pairs):
    """Return pairs as a mapping; a name that comes more than once has its values in a list."""
    found = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: many if len(many) > 1 else many[0] for name, many in found.items()}


def _keras(original, self, *args, **kwargs):
    if _params["by_user"]():
        _tell_keras(original, self, args, kwargs)
    return original(self, *args, **kwargs)


@_once
def _tell_keras(original, self, args, kwargs):
    held = _params["arguments"](original, (self, *args), kwargs, 1)
    values = {}
    for name, (value, default, passed) in held.items():
        wanted = passed or name in ("batch_size", "epochs", "shuffle")
        if name in _KERAS and wanted and _params["simple"](value):
            values["fit." + name] = (value, default, passed)
    _say("keras", values)
