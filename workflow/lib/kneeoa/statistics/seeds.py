"""Does one mode beat another? Two statements about several seeds of each, from their AUCs and the
covariance of all of them.

*Fixed seeds*: of these very networks, on other subjects. The contrast of the modes' means, weights
+-1/S, and the sampling variance of the subjects alone. It says nothing about networks that were not
trained, and is never the primary statement.

*Random seeds*: of networks trained with other seeds, on other subjects:
:mod:`kneeoa.statistics.obuchowski_rockette`. It is the primary statement wherever it exists; with
fewer than three seeds it does not. Seeds are *matched* where seed j means the same in every mode
(same split, same order of the data), else nested in modes.

Seeds are never pooled as extra cases, and S values of one split are never given to a plain t test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, finite
from kneeoa.statistics.obuchowski_rockette import RandomSeeds, VarianceComponents, clean, components, random_seed_anova
from kneeoa.statistics.wald import NOISE, Wald, wald

LEAST_SEEDS = 3
"""Below this there is no random-seed inference."""


@dataclass(frozen=True, kw_only=True)
class FixedSeeds(Wald):
    """The difference of the modes' means for these seeds only; ``primary`` is always False."""

    difference: float
    variance: float
    primary: bool
    method: str


@dataclass(frozen=True)
class ModeEffect:
    """Both statements. ``random`` is the primary; where it does not exist it holds NaN, and
    ``reason`` says why.

    ``superiority`` is the share of seed pairs (matched pairs, or all pairs where nested) in which
    mode 0 is above mode 1, ties half: P(A > B) of Bouthillier et al. 2021 (MLSys 3:747). NaN for
    more than two modes. ``mean`` is each mode's over seeds.
    """

    random: RandomSeeds
    fixed: FixedSeeds
    components: VarianceComponents
    superiority: float
    mean: tuple[float, ...]
    modes: int
    seeds: int
    matched: bool
    reason: str


def mode_effect(auc_by_mode_and_seed: ArrayLike, covariance: ArrayLike, matched: bool = True, confidence: float = 0.95) -> ModeEffect:
    """Both statements on the modes' means; the difference is mode 0 - mode 1.

    Args:
        auc_by_mode_and_seed: ``[t, S]``; any statistic with a joint covariance will do in the AUC's
            place.
        covariance: of all t x S values, ``[t S, t S]``, row i * S + j for seed j of mode i
            (mode-major), as :func:`kneeoa.statistics.delong.auc_covariance` (or
            :func:`kneeoa.statistics.influence_functions.covariance`) gives it for the models in
            that order; clusters enter through it.
        matched: whether seed j is the same seed in every mode; otherwise seeds are nested in modes.
        confidence: of the intervals.

    Returns:
        With fewer than three seeds the random-seed part is NaN with the ``reason``. With more than
        two modes there is the F test of all of them; differences, intervals and the fixed-seed
        statement are then NaN.

    Raises:
        KneeoaError: fewer than two modes, shapes that disagree, or a covariance that is not
            symmetric.
        ValueError: an infinite value, or a confidence out of range.
    """
    auc, sigma = _checked(auc_by_mode_and_seed, covariance)
    modes, seeds = auc.shape
    fixed = _fixed(auc, sigma, confidence)
    reason = ""
    if seeds < LEAST_SEEDS:
        reason = f"{seeds} seed{'' if seeds == 1 else 's'}, and random-seed inference needs at least {LEAST_SEEDS}"
    elif np.isnan(sigma).any() or np.isnan(auc).any():
        reason = "the values or their covariance are undefined"
    return ModeEffect(
        random=_refused(modes, fixed.difference, reason) if reason else random_seed_anova(auc, sigma, matched, confidence),
        fixed=fixed,
        components=components(auc, sigma, matched),
        superiority=_superiority(auc, matched),
        mean=tuple(float(value) for value in auc.mean(axis=1)),
        modes=modes,
        seeds=seeds,
        matched=matched,
        reason=reason,
    )


def _checked(values: ArrayLike, covariance: ArrayLike) -> tuple[Floats, Floats]:
    auc, sigma = np.asarray(values, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if auc.ndim != 2 or auc.shape[0] < 2 or auc.shape[1] < 1:
        raise KneeoaError(f"auc_by_mode_and_seed: expected [modes, seeds] with at least two modes, got shape {auc.shape}.")
    if sigma.shape != (auc.size, auc.size):
        raise KneeoaError(f"covariance: expected [{auc.size}, {auc.size}] for {auc.size} AUCs, got shape {sigma.shape}.")
    for name, array in (("auc_by_mode_and_seed", auc), ("covariance", sigma)):
        finite(np.where(np.isnan(array), 0.0, array), name)  # NaN is an undefined AUC, infinity a mistake
    size = float(np.nanmax(np.abs(sigma), initial=0.0))
    if not np.allclose(sigma, sigma.T, rtol=1e-8, atol=NOISE * size, equal_nan=True):
        raise KneeoaError("covariance: expected a symmetric matrix.")
    return auc, sigma


def _fixed(auc: Floats, sigma: Floats, confidence: float) -> FixedSeeds:
    modes, seeds = auc.shape
    difference, variance = math.nan, math.nan
    if modes == 2:
        weights = np.repeat([1.0, -1.0], seeds) / seeds
        difference = clean(float(auc[0].mean() - auc[1].mean()), NOISE)
        # The quadratic form of equal models cancels to rounding of the covariance's own size.
        variance = clean(max(float(weights @ sigma @ weights), 0.0), NOISE * float(np.abs(sigma).max()))
    tail = wald(difference, variance, confidence)
    return FixedSeeds(difference=difference, variance=variance, primary=False, method="fixed seeds: test sampling only", **vars(tail))


def _refused(modes: int, difference: float, reason: str) -> RandomSeeds:
    nan = math.nan
    return RandomSeeds(
        difference=difference,
        standard_error=nan,
        statistic=nan,
        t=nan,
        df_modes=modes - 1,
        df=nan,
        p=nan,
        log10_p=nan,
        low=nan,
        high=nan,
        degenerate=False,
        method=f"no random-seed inference: {reason}",
    )


def _superiority(auc: Floats, matched: bool) -> float:
    if len(auc) != 2 or np.isnan(auc).any():
        return math.nan
    gaps = auc[0] - auc[1] if matched else np.subtract.outer(auc[0], auc[1])
    return float(np.mean((gaps > NOISE) + 0.5 * (np.abs(gaps) <= NOISE)))
