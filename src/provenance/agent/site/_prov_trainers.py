"""Arguments of trainers: Hugging Face's ``TrainingArguments``, Lightning's ``Trainer`` and hparams.

Run by ``sitecustomize`` when the program has imported one of these, which gives ``load(name)`` (the
names of a file beside this one). Of the many arguments those are told that differ from their
default, and those that every paper should name.
"""

load = globals()["load"]

_MOST = 20
_IMPORTANT = frozenset(
    (
        "learning_rate per_device_train_batch_size per_device_eval_batch_size num_train_epochs "
        "gradient_accumulation_steps max_steps weight_decay adam_beta1 adam_beta2 adam_epsilon "
        "max_grad_norm lr_scheduler_type warmup_ratio warmup_steps seed data_seed fp16 bf16 tf32 "
        "optim label_smoothing_factor gradient_checkpointing eval_strategy save_strategy "
        "full_determinism dataloader_num_workers dataloader_drop_last load_best_model_at_end "
        "max_epochs precision accumulate_grad_batches gradient_clip_val gradient_clip_algorithm "
        "deterministic benchmark accelerator devices num_nodes strategy"
    ).split()
)
_DERIVED = frozenset(
    "local_rank logging_dir report_to run_name _n_gpu distributed_state deepspeed_plugin".split()
)
_told, _patches, _params = load("_prov_told"), load("_prov_patches"), load("_prov_params")
_passed = {}


def patch(name, module):
    """Replace what of ``module``, which has just been imported, is handed the arguments."""
    replace = _patches["replace"]
    if name == "transformers.trainer":
        replace(module.Trainer, "__init__", _transformers)
    elif name.startswith("transformers."):
        for kind in list(vars(module).values()):
            own = isinstance(kind, type) and kind.__module__ == name
            if own and hasattr(kind, "__dataclass_fields__") and "__init__" in vars(kind):
                replace(kind, "__init__", _arguments)
    elif name.endswith(".trainer"):
        replace(module.Trainer, "__init__", _lightning)
    else:
        replace(module.HyperparametersMixin, "_set_hparams", _hparams)


# --- transformers --------------------------------------------------------------------------------


def _arguments(original, self, *args, **kwargs):
    if _params["by_user"]() and len(_passed) < _MOST:
        _passed[id(self)] = frozenset(kwargs)
    return original(self, *args, **kwargs)


def _transformers(original, self, *args, **kwargs):
    result = original(self, *args, **kwargs)
    try:
        _tell_transformers(self.args)
    except Exception:
        pass
    return result


def _tell_transformers(given):
    passed = _passed.get(id(given))
    values = {}
    for name, field in type(given).__dataclass_fields__.items():
        if name in _DERIVED or not hasattr(given, name) or not field.init:
            continue
        value = _params["plain"](getattr(given, name))
        made = type(field.default_factory).__name__ == "_MISSING_TYPE"
        default = field.default if made else None
        default = None if type(default).__name__ == "_MISSING_TYPE" else _params["plain"](default)
        was_passed = None if passed is None else name in passed
        differs = made and _params["differs"](value, default)
        if not (was_passed or name in _IMPORTANT or (passed is None and differs)):
            continue
        if was_passed is None and not differs:
            was_passed = False
        if _params["simple"](value):
            values[name] = (value, default, was_passed)
    if values:
        _told["parsed"]("transformers", values, owner="__main__")


# --- Lightning -----------------------------------------------------------------------------------


def _lightning(original, self, *args, **kwargs):
    try:
        _tell_lightning(original, self, args, kwargs)
    except Exception:
        pass
    return original(self, *args, **kwargs)


def _tell_lightning(original, self, args, kwargs):
    values = {}
    for name, (value, default, passed) in _params["arguments"](
        original, (self, *args), kwargs, 1
    ).items():
        if not passed and name not in _IMPORTANT:
            continue
        if isinstance(value, (list, tuple)) and not _params["simple"](value):
            value = [type(one).__name__ for one in value]  # noqa: PLW2901
        elif not _params["simple"](value):
            value = type(value).__name__  # noqa: PLW2901
        values["Trainer." + name] = (value, default, passed)
    if values:
        _told["parsed"]("trainer", values, owner="__main__")


def _hparams(original, self, hp, *args, **kwargs):
    result = original(self, hp, *args, **kwargs)
    try:
        _tell_hparams(self)
    except Exception:
        pass
    return result


def _tell_hparams(module):
    standing = _params["flat"](_params["defaults"](type(module)))
    values = {}
    for name, value in _params["flat"](dict(module.hparams)).items():
        if name.startswith("_") or not _params["simple"](value):
            continue
        default = standing.get(name)
        given = bool(_params["differs"](value, default)) if name in standing else None
        values[name] = (value, default, given)
    if values:
        _told["parsed"]("lightning", values, owner="__main__")
