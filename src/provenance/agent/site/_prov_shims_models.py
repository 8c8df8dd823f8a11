"""Models and their inputs: safetensors, tokenizers, SentencePiece, and the boosting libraries.

Run by ``sitecustomize``; see `_prov_shims`, which also explains the lines below.
"""

import os

load = globals()["load"]
_shims = load("_prov_shims")

TABLE = {
    "safetensors": "safe_open.__init__ 1 filename read",
    "safetensors.numpy": """
        load_file 0 filename read
        save_file 1 filename write
    """,
    "safetensors.torch": """
        load_file 0 filename read
        save_file 1 filename write
        save_model 1 filename write
        load_model 1 filename read
    """,
    "safetensors.flax": """
        load_file 0 filename read
        save_file 1 filename write
    """,
    "safetensors.tensorflow": """
        load_file 0 filename read
        save_file 1 filename write
    """,
    "sentencepiece": """
        SentencePieceProcessor.LoadFromFile 1 arg read
        SentencePieceProcessor.Load 1 model_file read
    """,
    "xgboost.data": "_from_uri 0 data tree",
    "xgboost.core": """
        Booster.load_model 1 fname read
        Booster.save_model 1 fname write
        Booster.dump_model 1 fout write
        Booster.get_dump 1 fmap read
        Booster.get_score 1 fmap read
        DMatrix.save_binary 1 fname write
    """,
    "lightgbm.basic": """
        Booster.__init__ - model_file read
        Booster.save_model 1 filename write
        Dataset.save_binary 1 filename write
        _InnerPredictor.from_model_file 1 model_file read
        _InnerPredictor.predict 1 data read
    """,
    "catboost.core": """
        Pool._read 1 pool_file read
        Pool.save 1 fname write
        CatBoost.load_model 1 fname read
        _CatBoostBase._load_model 1 model_file read
        CatBoost.save_model 1 fname write
    """,
    "tokenizers": "tokenizers",
    "tokenizers.models": "tokenizers",
    "fasttext.FastText": """
        load_model 0 path read
        train_supervised 0 input read
        train_unsupervised 0 input read
    """,
    "kenlm": "Model.__init__ 1 path read",
    "faiss.swigfaiss": """
        read_index 0 fname read
        write_index 1 fname write
    """,
    "onnxruntime.capi.onnxruntime_inference_collection": (
        "InferenceSession.__init__ 1 path_or_bytes read"
    ),
    "llama_cpp.llama": "Llama.__init__ 1 model_path read",
    "ctranslate2": "Translator.__init__ 1 model_path tree",
}
"""Module to its functions."""


def patch(name, module):
    """Replace what is known of ``module``, which has just been imported."""
    if name == "tokenizers":
        _tokenizer(module)
    elif name == "tokenizers.models":
        _vocabularies(module)
    elif name == "xgboost.data":
        _shims["wrap"](module, "_from_uri", _uri)
    else:
        _shims["install"](TABLE, name, module)
    if name == "sentencepiece":
        _trainer(module)
    elif name == "lightgbm.basic":
        _shims["wrap"](module.Dataset, "__init__", _dataset)


def _dataset(original, *args, **kwargs):
    """LightGBM: its first argument may be a path; it takes parameters as well."""
    try:
        _shims["note"](args[1] if len(args) > 1 else kwargs.get("data"), 0)
        load("_prov_fits")["dataset"](original, args, kwargs)
    except Exception:
        pass
    return original(*args, **kwargs)


def _uri(original, *args, **kwargs):
    """XGBoost: ``path?format=libsvm#cache``."""
    try:
        path = os.fsdecode(args[0] if args else kwargs.get("data"))
        _shims["note"](path.partition("#")[0].rpartition("?")[0] or path.partition("#")[0], 0)
    except Exception:
        pass
    return original(*args, **kwargs)


def _trainer(module):
    """SentencePiece: ``input`` is one path or several, as a list or in one text."""

    def around(original, *args, **kwargs):
        try:
            words = dict(kwargs)
            text = args[0] if args else kwargs.get("arg")
            for word in str(text or "").split():
                name, _, value = word.lstrip("-").partition("=")
                words[name] = value
            given = words.get("input") or ()
            given = given.split(",") if isinstance(given, str) else given
            _shims["note"](list(given), 0)
            prefix = words.get("model_prefix")
            for suffix in (".model", ".vocab") if prefix else ():
                _shims["note"](str(prefix) + suffix, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        except Exception:
            pass
        return original(*args, **kwargs)

    for name in ("_Train", "Train", "train"):
        _shims["wrap"](module.SentencePieceTrainer, name, around)


def _tokenizer(module):
    for name, place, keyword, how in (
        ("from_file", "0", "path", "read"),
        ("save", "1", "path", "write"),
        ("train", "1", "files", "read"),
    ):
        _try(module.Tokenizer, name, _shims["watching"](place, keyword, how))


def _vocabularies(module):
    """Watch what the models read and write: a vocabulary, and some a list of merges."""

    def reading(original, *args, **kwargs):
        try:
            _shims["note"]([a for a in (*args, *kwargs.values()) if isinstance(a, str)], 0)
        except Exception:
            pass
        return original(*args, **kwargs)

    def saving(original, *args, **kwargs):
        made = original(*args, **kwargs)
        try:
            _shims["note"](list(made), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        except Exception:
            pass
        return made

    for kind in ("BPE", "WordPiece", "WordLevel", "Unigram"):
        owner = getattr(module, kind, None)
        for name in ("from_file", "read_file"):
            _try(owner, name, reading)
    _try(getattr(module, "Model", None), "save", saving)


def _try(owner, name, around):
    try:
        _shims["wrap"](owner, name, around)
    except (TypeError, AttributeError):
        return
