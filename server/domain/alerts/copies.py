"""Stage 7, alert: about how many packs bear the same code, from the people who asked to verify it.

Few buyers scan, so the people that we see are a small part of those who have a copy. The share that scans is measured
on the same batch: of its codes on sale, how many were verified. With Jeffreys' priors

    share ~ Beta(verified + 1/2, on sale - verified + 1/2)
    others | copies, share ~ Poisson(copies * share), so that copies | share ~ Gamma(others + 1/2) / share

and the copies' distribution is the second averaged over the first (a capture rate with its own uncertainty: G. A. F.
Seber, The Estimation of Animal Abundance, 1982, ch. 3; the priors: H. Jeffreys, Proc. R. Soc. A 186, 1946). It is
integrated numerically: no random numbers, and the same answer each time. Where many scan (a third and more) the
Poisson scatter is larger than the true one, and the interval wider than it need be.

What it assumes, as the page explains:
* every other person held a pack of their own. A visible code that several people scan on one pack in a shop counts too
  high; a hidden code is opened by one household;
* holders of copies press the button as often as buyers of this batch did. Theirs says "I have this pack: tell the
  brand" (ADR 0009), since their first look says that the code was verified before; who leaves it at the look is not
  counted here, so that the number is a lower bound rather than a middle where fewer press that one;
* codes on sale were sold as far as copies were: goods in a warehouse are not scanned, which makes the
  share too small and the number too high.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

LEAST_OTHERS = 3
"""Other people from which on a number is given: one or two are a household, a shop, a gift."""

LEAST_VERIFIED = 20
"""Verified codes of the batch from which on its share is known well enough."""

_JEFFREYS = 0.5
_POINTS = 48  # of the share's distribution, a third of its deviation apart: the rule converges exponentially
_REACH = 8.0  # deviations on each side
_STEPS = 26  # of each search: eight digits
_LARGE = 100.0  # from here on the cube root of a gamma variable is normal to four digits
_TERMS = 500
_EXACT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """About how many packs bear a code besides the first verifier's: the median, and bounds in 95 of 100 cases."""

    point: int
    low: int
    high: int
    others: int
    verified: int
    on_sale: int


def estimate_copies(*, others: int, verified: int, on_sale: int) -> Copies | None:
    """The copies of a code that `others` asked to verify, by counts of its batch's other codes; None: too few scan."""
    if others < LEAST_OTHERS or verified < LEAST_VERIFIED:
        return None
    shares = _shares(verified, max(on_sale, verified))
    shape = others + _JEFFREYS

    def below(copies: float) -> float:
        return sum(weight * gamma_share(shape, copies * share) for share, weight in shares)

    low, point, high = (_where(below, level, shares[0][0], shape) for level in (0.025, 0.5, 0.975))
    return Copies(
        point=max(others, round(point)),
        low=max(others, math.floor(low)),
        high=max(others, math.ceil(high)),
        others=others,
        verified=verified,
        on_sale=on_sale,
    )


def _shares(verified: int, on_sale: int) -> list[tuple[float, float]]:
    """The share that scans as points with weights that add up to one, smallest first: equally far apart in log odds."""
    a, b = verified + _JEFFREYS, on_sale - verified + _JEFFREYS
    middle, step = math.log(a / b), _REACH * math.sqrt(1 / a + 1 / b) * 2 / (_POINTS - 1)
    odds = [middle + (number - (_POINTS - 1) / 2) * step for number in range(_POINTS)]
    logs = [-a * math.log1p(math.exp(-y)) - b * _log1p_exp(y) for y in odds]
    highest = max(logs)
    weights = [math.exp(log - highest) for log in logs]
    total = sum(weights)
    return [(1 / (1 + math.exp(-y)), weight / total) for y, weight in zip(odds, weights, strict=True)]


def _log1p_exp(y: float) -> float:
    return y + math.log1p(math.exp(-y)) if y > 0 else math.log1p(math.exp(y))


def _where(below: Callable[[float], float], level: float, least_share: float, shape: float) -> float:
    """Where a growing function reaches a level, by halving in logarithms."""
    low, high = math.log(shape / 1e4), math.log(shape * 100 / least_share)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(math.exp(middle)) < level else (low, middle)
    return math.exp((low + high) / 2)


def gamma_share(shape: float, x: float) -> float:
    """The share of a gamma distribution of this shape below x: the regularised incomplete gamma function P(shape, x).

    By its series (DLMF 8.7.1) or continued fraction (8.9.2); of large shapes by E. B. Wilson and M. M. Hilferty's cube
    root (PNAS 17, 1931).
    """
    if x <= 0:
        return 0.0
    if shape >= _LARGE:
        distance = ((x / shape) ** (1 / 3) - 1 + 1 / (9 * shape)) * 3 * math.sqrt(shape)
        return math.erfc(-distance / math.sqrt(2)) / 2
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return min(1.0, scale * _series(shape, x)) if x < shape + 1 else max(0.0, 1 - scale * _fraction(shape, x))


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for number in range(1, _TERMS):
        term *= x / (shape + number)
        total += term
        if term < total * _EXACT:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the upper part."""
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    found = d
    for number in range(1, _TERMS):
        a = -number * (number - shape)
        b += 2
        d = 1 / ((a * d + b) or tiny)
        c = (b + a / c) or tiny
        found *= d * c
        if abs(d * c - 1) < _EXACT:
            break
    return found
