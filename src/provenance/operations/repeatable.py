"""Whether a run could be repeated bit for bit, as far as its record tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
"""Layers whose initial weights are drawn when they are made."""

_SHOWN = 3


def doubts(run: Record) -> tuple[str, ...]:
    """Return one sentence per reason to doubt that ``run`` is repeatable."""
    found: list[str] = []
    for subject in run.payloads("seeds"):
        for entry in subject.payload.get("unseeded", []):
            places = [place for place in entry.get("where", []) if not _of_a_library(place)]
            if places:
                text = "%s seeded without a value %s"
                found.append(text % (entry.get("library"), ", ".join(places[:_SHOWN])))
        for library in subject.payload.get("never_seeded", []):
            drawn = list(dict.fromkeys(_drawn(run, library)))
            if drawn:
                found.append("%s unseeded %s" % (library, ", ".join(drawn[:_SHOWN])))
    for subject in run.payloads("code"):
        found += [
            "%s was edited while the run went on" % entry["path"].get("path")
            for entry in subject.payload.get("used", [])
            if entry.get("changed_during")
        ]
    return tuple(dict.fromkeys(found))


def _of_a_library(place: str) -> bool:
    """Return whether a place lies in installed code: what libraries do for themselves."""
    return any(part in ("site-packages", "dist-packages") for part in place.split("/"))


def _drawn(run: Record, library: str) -> Iterator[str]:
    """Yield the places in the user's source that draw from the library's global generator."""
    for subject in run.payloads("behaviour"):
        for site in subject.payload.get("sites", []):
            if _draws(str(site.get("symbol", "")), library):
                yield _place(site)


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
    return False


def _place(site: dict[str, Any]) -> str:
    return "%s:%s" % (site.get("path"), site.get("line"))
