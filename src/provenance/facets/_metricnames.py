"""What the name of a number says: a measure, a counter of steps, a time, a split, a setting.

Names are judged by their words: ``val_f1-score@10`` has the words val, f1, score.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, Optional, Tuple

from provenance.core.volatile import is_volatile_name

STEPS = ("global_step", "step", "iteration", "iter", "round", "batch", "epoch")
"""What numbers the rows of a table, the finest first."""

COUNTERS = frozenset(
    (
        "epoch epochs ep step steps iter iters iteration iterations it round rounds episode "
        "episodes "
        "update updates batch minibatch batches generation gen fold trial global_step timestep "
        "timesteps total_timesteps trees tree boosting_round num_updates cycle"
    ).split()
)
"""Words before a number that counts how far a program is."""

COARSE = frozenset("epoch epochs ep cycle fold trial".split())
"""Counters beside which a finer one may stand on the same line."""

_LEAST = frozenset(
    (
        "loss losses nll ce bce mse rmse mae mape mdape rmsle logloss mlogloss merror error err "
        "errors perplexity ppl wer cer ter fid kid lpips eer cost bpc bpb bpd elbo_loss residual "
        "rmsd hinge inertia distortion brier hamming wasserstein emd regret divergence kl "
        "deviance aic bic hqic bouldin cd rae rse smape msle male wmape"
    ).split()
)
_GREATEST = frozenset(
    (
        "acc accuracy accuracies precision recall f1 fscore fbeta auc auroc auprc aucpr roc ap map "
        "miou iou jaccard dice bleu rouge rougel meteor cider spice chrf r2 score scores reward "
        "rewards return returns psnr ssim ndcg mrr hits em kappa mcc sensitivity specificity top1 "
        "top5 pck correlation corr pearson spearman pearsonr spearmanr kendall likelihood elbo "
        "silhouette ari nmi ami homogeneity completeness success wins winrate hitrate coverage "
        "explained_variance evidence concordance cindex determination vmeasure calinski uas las "
        "tpr tnr ppv npv"
    ).split()
)
_OTHER = frozenset(
    (
        "entropy metric variance fpr fnr far frr grad_norm gradnorm gnorm purity objective "
        "energy fitness mean_reward rew loss_fn_value criterion"
    ).split()
)
MEASURES = _LEAST | _GREATEST | _OTHER

_RATES = frozenset("lr learning_rate grad_norm beta_kl temperature momentum".split())
"""What is often printed along with results, at each step."""

_AFTER_MEASURE = frozenset(
    (
        "score scores rate mean avg average std stdev min max best final total sum macro micro "
        "weighted val valid validation train training test dev eval overall all set value so far "
        "epoch step at top k samples none running ema smoothed percent pct per class ratio "
        "avg5 median last now current curve of on"
    ).split()
)
"""Words that may follow the measure in a name: ``f1_macro``, ``loss/val``, ``hit rate``."""

_SETTINGS = frozenset(
    (
        "weight weights scale fn func function type name coef coefficient alpha gamma smoothing "
        "dim size num number count threshold thresh tol tolerance patience every interval freq "
        "frequency workers seed seeds version port device gpu cuda rank pid line id index idx "
        "param params parameters parameter samples classes len length width height layers heads "
        "embd vocab chunk shard rng decay dropout eps epsilon beta betas clip warmup limit budget "
        "bytes mb gb kb files images sentences tokens examples rows columns cols shape eta nfold "
        "depth max_depth v_num vnum nodes leaves features support remaining total_steps loader"
    ).split()
)
"""Last words of names that hold settings, sizes and the like rather than results."""

_NO_NAME = frozenset(
    (
        "line file warning error: info debug page section table figure fig eq version python cuda "
        "release copyright date at in on of to for from with after before by and or is than level "
        "http https port took"
    ).split()
)
_TIMING = frozenset(
    (
        "mfu batch_time data_time dt took eta elapsed remaining sec secs s ms wps ups sps "
        "toks tflops tok samples_per_second wall cpu gpu_mem mem memory util fps cputime"
    ).split()
)
TIME_UNITS = re.compile(
    r"(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hr|hrs|hours?|days?)?"
    r"(?:/\w+|it/s|s/it)?(?![\w/])"
)
TRAIN, VALIDATION, TEST = "train", "validation", "test"
_SPLITS = {
    "train": TRAIN, "training": TRAIN, "trn": TRAIN, "learn": TRAIN, "fit": TRAIN,
    "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "validate": VALIDATION,
    "dev": VALIDATION, "eval": VALIDATION, "evaluation": VALIDATION, "development": VALIDATION,
    "test": TEST, "testing": TEST, "holdout": TEST, "tst": TEST,
}  # fmt: skip
_SAME = {
    "acc": "accuracy", "accuracies": "accuracy", "losses": "loss", "scores": "score",
    "error": "error", "err": "error", "ppl": "perplexity", "fscore": "f1", "avg": "mean",
    "average": "mean", "lr": "learning_rate", "training": "train", "trn": "train",
    "learn": "train", "valid": "validation", "val": "validation", "dev": "validation",
    "eval": "validation", "evaluation": "validation", "testing": "test",
}  # fmt: skip
_DROPPED = frozenset("epoch step log history the of on score scalars metrics metric".split())
_SPLITTER = re.compile(r"[^A-Za-z0-9²^%@]+|(?<=[a-z])(?=[A-Z][a-z])")
_DIGITS_BEHIND = re.compile(r"(?:@[\d.:]+|(?<=[a-z]{3})\d+)$")


_PHRASES = {
    ("r", "squared"): "r2", ("r", "square"): "r2", ("r", "squ"): "r2", ("r", "sq"): "r2",
    ("v", "measure"): "vmeasure", ("f", "measure"): "f1", ("f", "score"): "f1",
    ("f1", "measure"): "f1", ("rand", "index"): "ari", ("rand", "score"): "ari",
    ("mutual", "information"): "ami", ("mutual", "info"): "ami",
    ("silhouette", "coefficient"): "silhouette", ("dice", "coefficient"): "dice",
    ("jaccard", "index"): "jaccard", ("correlation", "coefficient"): "correlation",
    ("concordance", "index"): "concordance", ("c", "index"): "concordance",
    ("calinski", "harabasz"): "calinski", ("davies", "bouldin"): "bouldin",
}  # fmt: skip
"""Names of measures in two words, of which neither says it alone; with the word for both."""


def words(name: str) -> List[str]:
    """Return the words of ``name`` in lower case, numbers behind a word left out."""
    found = []
    for part in _SPLITTER.split(name.replace("'s ", " ")):
        low = part.lower().replace("²", "2").replace("^2", "2").strip("%@^")
        if low in MEASURES:
            found.append(low)
        elif low:
            bare = _DIGITS_BEHIND.sub("", low)
            if bare:
                found.append(bare)
    for place in range(len(found) - 1):
        one = _PHRASES.get((found[place], found[place + 1]))
        if one is not None:  # two words that only together name a measure
            return [*found[:place], one, *words(" ".join(found[place + 2 :]))]
    return found


def is_measure(name: str) -> bool:
    """Return whether ``name`` says that its number is a result: a loss, a score, a rate."""
    parts = words(name)
    if not parts or parts[-1] in _SETTINGS or parts[0] in ("lambda", "weight", "num", "n"):
        return False
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] in MEASURES:
            return all(_may_follow(one) for one in parts[place + 1 :])
    joined = "_".join(parts)
    return any(one in joined for one in ("mean_reward", "ep_rew", "explained_variance"))


def _may_follow(word: str) -> bool:
    return word in _AFTER_MEASURE or word in MEASURES or word.isdigit() or len(word) == 1


def has_measure(name: str) -> bool:
    """Return whether a word of ``name`` is a measure, whatever follows: prose, not a name."""
    return any(word in MEASURES for word in words(name))


def is_rate(name: str) -> bool:
    """Return whether ``name`` is what programs print along with results, such as the rate."""
    return "_".join(words(name)) in _RATES


def is_counter(name: str) -> bool:
    """Return whether ``name`` counts steps: ``epoch``, ``Train Epoch``, ``global_step``."""
    parts = words(name)
    if not parts:
        return False
    return parts[-1] in COUNTERS or "_".join(parts) in COUNTERS


@lru_cache(maxsize=256)
def is_coarse(name: str) -> bool:
    """Return whether ``name`` counts epochs and the like, inside which finer steps pass."""
    return (words(name) or [""])[-1] in COARSE


def is_timing(name: str) -> bool:
    """Return whether ``name`` is of a time, a rate of work or a use of memory."""
    parts = words(name)
    if not parts:
        return False
    return is_volatile_name(name) or parts[-1] in _TIMING or parts[0] in ("time", "eta", "ms", "s")


def is_time(name: str, source: str) -> bool:
    """Return whether a metric of a file is a time or a rate, by its name or the file's."""
    stem = source.rpartition("/")[2].partition(".")[0]
    return is_volatile_name(name) or words(name)[-1:] == ["remaining"] or stem == "time_left"


def is_setting(name: str) -> bool:
    """Return whether ``name`` holds a setting, a size or a place rather than a result."""
    parts = words(name)
    return not parts or parts[-1] in _SETTINGS or parts[-1] in _NO_NAME or parts[0] == "num"


def split_of(name: str) -> Optional[str]:
    """Return "train", "validation" or "test" where ``name`` says one of them, else None."""
    found = {_SPLITS[word] for word in words(name) if word in _SPLITS}
    return found.pop() if len(found) == 1 else None


def leading_split(text: str) -> Tuple[str, str]:
    """Return the word for a split that ``text`` begins with, and the rest; "" where it has none.

    ``Test set: Average loss`` gives ``test`` and the rest.
    """
    match = _LEADING.match(text)
    if match is None or match.group(1).lower() not in _SPLITS:
        return "", text
    return match.group(1).lower() + (match.group(2) or ""), text[match.end() :]


_LEADING = re.compile(
    r"\W*([A-Za-z]+)(_\d+)?(?:'s)?(?:\s+(?:set|results?|metrics?|data|summary|split|performance))*"
    r"(?:\s+(?=\w)|\s*[:\]>|/\-]+\s*|\s*$)",
    re.I,
)


def goal(name: str) -> Optional[str]:
    """Return "least" or "greatest", whichever is better for ``name``; None where not known."""
    for word in reversed(words(name)):
        if word in _LEAST:
            return "least"
        if word in _GREATEST:
            return "greatest"
    return None


def key(name: str) -> Tuple[str, ...]:
    """Return the words by which names of two sources are held to mean the same."""
    found = [_SAME.get(word, word) for word in words(name)]
    return tuple(sorted({word for word in found if word not in _DROPPED} or set(found)))


def may_be_same(one: str, other: str) -> bool:
    """Return whether two names can speak of one metric: one has all the words of the other.

    They may not name different splits, and must share the measure.
    """
    first, second = set(key(one)), set(key(other))
    if split_of(one) and split_of(other) and split_of(one) != split_of(other):
        return False
    less, more = (first, second) if len(first) <= len(second) else (second, first)
    return bool(less) and less <= more
