"""Statistics of numbers that two versions agree in up to rounding, whatever holds the numbers.

``at`` samples by position; ``nan``, ``inf`` how many; ``mean``, ``std``, ``min``, ``max`` and
``skew``; ``b`` weighted sums of consecutive blocks: each element counts with a weight of its own,
so that one that changes between the samples, or two that change places, change a sum. numpy, torch
and plain Python come to the same numbers, up to rounding; the digest ``h`` is left to the caller.
"""

import sys
from math import fsum, isnan, sqrt

load = None
BLOCKS = 16
_TURN, _SIGN = 0.6180339887498949, 0.4142135623730951
"""Fractions of the golden ratio and the root of two, whose multiples spread evenly in 0 ... 1."""
_DIGITS = {2: 6, 4: 9}


def digits(size):
    """Return the significant digits worth noting of floats of ``size`` bytes."""
    return "%%.%dg" % _DIGITS.get(size, 15)


def short(number, size=8):
    """Return the form of a float with the digits that its precision is worth."""
    return load("_prov_forms_plain").simple(float(digits(size) % number))


def samples(numbers, size, exact):
    """Return the forms of floats looked at; exact: with all digits, equal forms are equal bits."""
    simple = load("_prov_forms_plain").simple
    written = {2: "%.5g", 4: "%.9g"}.get(size, "" if exact else "%.15g")
    return [simple(float(written % one) if written else one) for one in numbers]


def blocks(wanted):
    """Return the number of blocks for a form of which ``wanted`` elements are looked at."""
    return BLOCKS if wanted >= 64 else BLOCKS // 4 if wanted >= 16 else 0


def of_array(flat, wanted, size):
    """Return the statistics of a flat ndarray of real numbers; size: bytes of its own dtype."""
    numpy = sys.modules["numpy"]
    known = {}
    with numpy.errstate(all="ignore"):
        flat = numpy.ascontiguousarray(flat, "f8")
        finite = numpy.isfinite(flat)
        if not finite.all():
            known["nan"] = int(numpy.isnan(flat).sum())
            known["inf"] = int(flat.size - finite.sum()) - known["nan"]
            flat = flat[finite]
        if not flat.size:
            return known
        mean = float(flat.mean())
        apart = flat - mean
        squares = apart * apart
        _moments(known, mean, float(squares.mean()), size)
        if wanted > 4:
            known["min"], known["max"] = short(flat.min(), size), short(flat.max(), size)
        if wanted >= 16:
            _skew(known, float(numpy.dot(squares, apart)) / flat.size)
            each = -(-flat.size // blocks(wanted))
            turns = numpy.arange(each, dtype="f8")
            weights = 0.5 + 0.5 * ((turns * _TURN) % 1.0)
            weights[(turns * _SIGN) % 1.0 < 0.5] *= -1.0
            parts = [flat[at : at + each] for at in range(0, flat.size, each)]
            sums = [float(numpy.dot(part, weights[: part.size])) for part in parts]
            known["b"] = [short(one, size) for one in sums]
    return known


def of_tensor(torch, flat, wanted, size):
    """Return the statistics of a flat tensor of real numbers where there is no numpy."""
    known = {}
    flat = flat.double()
    unknown = int(torch.isnan(flat).sum())
    finite = torch.isfinite(flat)
    if int(finite.sum()) < flat.numel():
        known["nan"], known["inf"] = unknown, flat.numel() - int(finite.sum()) - unknown
        flat = flat[finite]
    if not flat.numel():
        return known
    mean = flat.mean().item()
    apart = flat - mean
    squares = apart * apart
    _moments(known, mean, squares.mean().item(), size)
    if wanted > 4:
        known["min"], known["max"] = short(flat.min().item(), size), short(flat.max().item(), size)
    if wanted >= 16:
        _skew(known, torch.dot(squares, apart).item() / flat.numel())
        each = -(-flat.numel() // blocks(wanted))
        turns = torch.arange(each, dtype=torch.double)
        weights = 0.5 + 0.5 * torch.fmod(turns * _TURN, 1.0)
        weights[torch.fmod(turns * _SIGN, 1.0) < 0.5] *= -1.0
        parts = [flat[at : at + each] for at in range(0, flat.numel(), each)]
        sums = [torch.dot(part, weights[: part.numel()]).item() for part in parts]
        known["b"] = [short(one, size) for one in sums]
    return known


def of_list(numbers, wanted, size=8):
    """Return the statistics of plain numbers."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and len(numbers) > 1000:
        try:
            return of_array(numpy.array([real(one) for one in numbers]), wanted, size)
        except Exception:  # a numpy that is not whole
            numpy = None
    known = {"nan": sum(1 for one in numbers if type(one) is float and isnan(one))}
    finite = [real(one) for one in numbers if one - one == 0]
    if not finite:
        return known
    mean = _sum(finite) / len(finite)
    apart = [one - mean for one in finite]
    _moments(known, mean, _sum([one * one for one in apart]) / len(finite), size)
    if wanted > 4:
        known["min"], known["max"] = short(min(finite), size), short(max(finite), size)
    if wanted >= 16:
        _skew(known, _sum([one * one * one for one in apart]) / len(finite))
        each = -(-len(finite) // blocks(wanted))
        weights = [
            (0.5 + 0.5 * (i * _TURN % 1.0)) * (-1.0 if i * _SIGN % 1.0 < 0.5 else 1.0)
            for i in range(each)
        ]
        parts = [finite[at : at + each] for at in range(0, len(finite), each)]
        sums = [_sum([one * weight for one, weight in zip(part, weights)]) for part in parts]
        known["b"] = [short(one, size) for one in sums]
    return known


def _sum(numbers):
    try:
        return fsum(numbers)
    except (OverflowError, ValueError):
        return float("nan")


def _moments(known, mean, variance, size):
    known["mean"] = short(mean, size)
    known["std"] = short(sqrt(variance) if variance >= 0.0 else variance, size)


def _skew(known, third):
    """Note the skewness: reordering keeps it, other signs do not."""
    spread = known["std"]
    if type(spread) is float and spread > 0.0:
        cube = spread * spread * spread
        known["skew"] = load("_prov_forms_plain").simple(
            float("%.6g" % (third / cube if cube > 0.0 else 0.0))
        )


def real(value):
    """Return a whole number as a float; 0 for one that is too large."""
    try:
        return float(value)
    except OverflowError:
        return 0.0


def squeezed(numbers):
    """Return the statistics of columns or weights, put together as one list.

    They are of very different sizes: asinh keeps the sign and makes a relative change of a large
    one as visible as that of a small one.
    """
    from math import asinh

    return [asinh(one) for one in numbers if type(one) in (int, float) and one - one == 0]
