"""Student's t by the standard library alone: how likely a value is, given a few others.

The distribution function is the regularized incomplete beta function I_x(a, b), with x = df / (df +
t^2), a = df / 2, b = 1/2 (NIST Digital Library of Mathematical Functions, 8.17; Abramowitz and
Stegun, 26.7.1). I_x is evaluated by its continued fraction, DLMF 8.17.22, after Lentz.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_CLOSE = 1e-15
_TURNS = 10_000


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return I_x(a, b) for 0 <= x <= 1 and positive ``a``, ``b``."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly; DLMF 8.17.4
        return 1 - incomplete_beta(1 - x, b, a)
    log = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log + a * math.log(x) + b * math.log1p(-x)) / a
    return min(1.0, front / _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 x / (1 + d2 x / (1 + ...)), DLMF 8.17.23 for its coefficients."""
    value, up, down = 1.0, 1.0, 0.0
    for turn in range(1, _TURNS):
        half = turn // 2
        if turn % 2:
            part = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            part = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        down = 1 / (1 + part * down or _TINY)
        up = 1 + part / up or _TINY
        change = up * down
        value *= change
        if abs(change - 1) < _CLOSE:
            break
    return value


def two_sided(t: float, df: float) -> float:
    """Return how likely |T| is at least |t| for ``df`` degrees of freedom."""
    if math.isinf(t):
        return 0.0
    if abs(t) > 1e150:
        return 0.0
    return incomplete_beta(df / (df + t * t), df / 2, 0.5)


def quantile(probability: float, df: float) -> float:
    """Return the t that |T| exceeds with ``probability`` (between 0 and 1), by bisection."""
    low, high = 0.0, 1.0
    while two_sided(high, df) > probability and high < 1e12:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if two_sided(middle, df) > probability else (low, middle)
    return (low + high) / 2
