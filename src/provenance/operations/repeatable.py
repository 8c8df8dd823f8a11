"""Whether a run could be repeated bit for bit, as far as its record tells, and what to do about it.

Each reason to doubt names the user's own line and the remedy. What a library does for itself is no
doubt, and a generator that was seen not to have given a number is none either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from provenance.core import versions
from provenance.core.record import Record

_NOT_DRAWN = frozenset(
    "seed default_rng Generator RandomState SeedSequence BitGenerator PCG64 PCG64DXSM MT19937 "
    "Philox SFC64 get_state set_state getstate setstate Random SystemRandom".split()
)
"""Members of ``random`` and ``numpy.random`` that do not draw from the global generator."""

_TORCH_DRAWS = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like bernoulli multinomial normal "
    "poisson".split()
)
_TORCH_LAYERS = frozenset(
    "Linear Bilinear LazyLinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d "
    "ConvTranspose3d Embedding EmbeddingBag RNN LSTM GRU RNNCell LSTMCell GRUCell "
    "MultiheadAttention Transformer TransformerEncoderLayer TransformerDecoderLayer".split()
)
_KERAS_LAYERS = frozenset(
    "Dense Conv1D Conv2D Conv3D Conv2DTranspose Embedding LSTM GRU SimpleRNN MultiHeadAttention "
    "SeparableConv2D DepthwiseConv2D EinsumDense Dropout".split()
)
"""Layers whose initial weights are drawn when they are made (or whose mask, when they are used)."""

_SEED = {
    "random": "random.seed(0) before it",
    "numpy": "np.random.seed(0) before it, or rng = np.random.default_rng(0)",
    "torch": "torch.manual_seed(0) before it",
    "tensorflow": "tf.random.set_seed(0) before it",
    "keras": "keras.utils.set_random_seed(0) before it",
    "cupy": "cupy.random.seed(0) before it",
}
_ALL_AT_ONCE = {
    "keras": _SEED["keras"],
    "lightning": "lightning.seed_everything(0) before it",
    "pytorch-lightning": "pytorch_lightning.seed_everything(0) before it",
}
"""What seeds torch, too, where a library drew from it for the user (initial weights, shuffling)."""
_SEEDED_BY = {"keras": ("keras", "tensorflow", "random")}
"""Libraries of which one being seeded makes this one repeatable (Keras 3 draws its own seed from
``random``: keras/src/random/seed_generator.py, make_default_seed)."""

_NUMPY_IN_WORKERS = "1.9"
"""From this torch on, workers of a DataLoader seed numpy themselves
(https://github.com/pytorch/pytorch/pull/56488)."""

_SHOWN = 3
_CLOCK_S = 7 * 86400.0


class Doubt(NamedTuple):
    """One reason to doubt. text: what. where: "file:line", the first few. fix: what to do."""

    text: str
    where: tuple[str, ...] = ()
    fix: str = ""

    def __str__(self) -> str:
        return " ".join([self.text, ", ".join(self.where)]).rstrip()


def doubts(run: Record) -> tuple[Doubt, ...]:
    """Return every reason to doubt that ``run`` is repeatable, the surest first."""
    found: list[Doubt] = []
    for subject in run.payloads("seeds"):
        found += _seeding(run, subject.payload)
        found += _by_the_clock(run, subject.payload)
        found += _devices(run, subject.payload)
        found += _set_order(run, subject.payload)
    found += _workers(run)
    found += _edited(run)
    return tuple(dict.fromkeys(found))


def _seeding(run: Record, seeds: dict[str, Any]) -> Iterator[Doubt]:
    for entry in seeds.get("unseeded", []):
        library = str(entry.get("library"))
        places = _own(entry.get("where", []))
        if places:
            fix = "give it a seed, such as 0"
            yield Doubt("%s seeded without a value" % library, places, fix)
    seeded = {call.get("library") for call in seeds.get("calls", [])}
    unseeded = set(seeds.get("never_seeded", []))
    for library in [*seeds.get("never_seeded", []), "keras"]:
        others = _SEEDED_BY.get(library, (library,))
        if seeded.intersection(others) or _not_drawn(seeds, library):
            continue
        places = _own(_drawn(run, library))
        if places or (library == "torch" and _drew(seeds, library)):
            fix = _SEED.get(library, "seed it")
            around = () if places else (_ALL_AT_ONCE[n] for n in _ALL_AT_ONCE if _imported(run, n))
            yield Doubt("%s unseeded" % library, places, next(iter(around), fix))
    if "numpy" in unseeded and not _not_drawn(seeds, "numpy"):
        by: dict[str, list[str]] = {}
        for one in seeds.get("draws", []):
            by.setdefault(str(one.get("by")), []).append(str(one.get("where")))
        for name, lines in by.items():
            places = _own(lines)
            if places:
                yield Doubt("%s without random_state" % name, places, "pass random_state=0")


def _imported(run: Record, name: str) -> bool:
    """Return whether the run imported the distribution ``name``."""
    found = (one.payload.get("distributions", {}).get(name, {}) for one in run.payloads("packages"))
    return any(one.get("imported") for one in found)


def _own(places: Iterable[str]) -> tuple[str, ...]:
    """Return the first of ``places`` that are not what libraries do for themselves."""
    kept = [
        place
        for place in dict.fromkeys(places)
        if not any(part in ("site-packages", "dist-packages") for part in place.split("/"))
    ]
    return tuple(kept[:_SHOWN])


def _states(seeds: dict[str, Any], library: str) -> list[Any]:
    """Return, per interpreter, whether the library's global generator gave numbers at last."""
    settings = seeds.get("settings", {}).values()
    found = [one.get(library, {}) for one in settings if isinstance(one, dict)]
    return [one["drawn"] for one in found if isinstance(one, dict) and "drawn" in one]


def _not_drawn(seeds: dict[str, Any], library: str) -> bool:
    states = _states(seeds, library)
    return bool(states) and not any(states)


def _drew(seeds: dict[str, Any], library: str) -> bool:
    return any(_states(seeds, library))


def _drawn(run: Record, library: str) -> Iterator[str]:
    """Yield the places in the user's source that draw from the library's global generator."""
    for subject in run.payloads("behaviour"):
        for site in subject.payload.get("sites", []):
            if _draws(str(site.get("symbol", "")), library):
                yield "%s:%s" % (site.get("path"), site.get("line"))


def _draws(symbol: str, library: str) -> bool:
    parts = symbol.split(".")
    if library == "random":
        return parts[0] == "random" and len(parts) == 2 and parts[1] not in _NOT_DRAWN
    if library == "numpy":
        return parts[:2] == ["numpy", "random"] and len(parts) == 3 and parts[2] not in _NOT_DRAWN
    if library == "torch":
        in_nn = parts[:2] == ["torch", "nn"]
        return (parts[:1] == ["torch"] and len(parts) == 2 and parts[1] in _TORCH_DRAWS) or (
            in_nn and len(parts) > 2 and (parts[2] == "init" or parts[-1] in _TORCH_LAYERS)
        )
    if library == "keras":
        return "keras" in parts[:2] and "layers" in parts and parts[-1] in _KERAS_LAYERS
    if library == "tensorflow":
        return parts[:2] == ["tensorflow", "random"] and parts[-1] not in ("set_seed", "Generator")
    return False


def _by_the_clock(run: Record, seeds: dict[str, Any]) -> Iterator[Doubt]:
    """Yield seeds that are the time of day, in any of its usual units."""
    if not seeds.get("calls"):
        return
    from datetime import datetime  # most short commands seed nothing

    try:
        began = datetime.fromisoformat(run.started.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return
    for call in seeds.get("calls", []):
        value = call.get("argument")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        if any(abs(value / unit - began) < _CLOCK_S for unit in (1, 1e3, 1e6, 1e9)):
            places = _own([str(call.get("where"))])
            if places:
                text = "%s was given the time of day" % call.get("function")
                yield Doubt(text, places, "give it a fixed seed, such as 0")


def _devices(run: Record, seeds: dict[str, Any]) -> Iterator[Doubt]:
    """Yield what lets the same program on the same GPU give other numbers."""
    del run
    for settings in seeds.get("settings", {}).values():
        torch = settings.get("torch", {}) if isinstance(settings, dict) else {}
        if torch.get("cuda.initialized") is not True:
            continue
        if torch.get("cudnn.benchmark") is True:
            text = "cuDNN chose its algorithms by timing them (cudnn.benchmark)"
            yield Doubt(text, (), "torch.backends.cudnn.benchmark = False")
        if torch.get("deterministic_algorithms") is False:
            fix = (
                "torch.use_deterministic_algorithms(True), and CUBLAS_WORKSPACE_CONFIG=:4096:8 "
                "in the environment"
            )
            yield Doubt("CUDA kernels that add in any order were allowed", (), fix)


def _set_order(run: Record, seeds: dict[str, Any]) -> Iterator[Doubt]:
    if seeds.get("hash_seed") != "random":
        return
    for subject in run.payloads("behaviour"):
        places = _own(subject.payload.get("set_order", []))
        if places:
            text = "the order of a set may change from run to run"
            yield Doubt(text, places, "sorted(...) around it, or PYTHONHASHSEED=0")


def _workers(run: Record) -> Iterator[Doubt]:
    """Yield loaders whose workers repeat each other's numpy numbers (torch below 1.9)."""
    for subject in run.payloads("packages"):
        torch = subject.payload.get("distributions", {}).get("torch", {})
        version = str(torch.get("version", ""))
        if not version or not versions.is_version(version):
            continue
        if versions.key(version) >= versions.key(_NUMPY_IN_WORKERS):
            continue
        for model in run.payloads("model"):
            for loader in model.payload.get("loaders", []):
                workers = loader.get("arguments", {}).get("num_workers", {}).get("value")
                places = _own([str(loader.get("where") or "")])
                if workers and places:
                    text = "DataLoader workers of torch %s share one numpy stream" % version
                    fix = "worker_init_fn=lambda i: np.random.seed(torch.initial_seed() % 2**32)"
                    yield Doubt(text, places, fix)


def _edited(run: Record) -> Iterator[Doubt]:
    for subject in run.payloads("code"):
        for entry in subject.payload.get("used", []):
            if entry.get("changed_during"):
                text = "%s was edited while the run went on" % entry["path"].get("path")
                yield Doubt(text, (), "run it again")
