"""Does one mode beat another? Two statements about several seeds of each, from their AUCs and the
covariance of all of them.

*Fixed seeds*: of these very networks, on other subjects. The contrast of the modes' means, weights
+-1/S, and the sampling variance of the subjects alone. It says nothing about networks that were not
trained, and is never the primary statement.

*Random seeds*: of networks trained with other seeds, on other subjects. It is the primary statement
wherever it exists; with fewer than three seeds it does not. Seeds are *matched* where seed j means
the same in every mode (same split, same order of the data), else nested in modes.

Seeds are never pooled as extra cases, and S values of one split are never given to a plain t test.

All are tested on the same cases, so their errors are correlated: the analysis of variance of
Obuchowski and Rockette 1995 (Commun Stat Simul 24:285) with the degrees of freedom of Hillis 2007
(Stat Med 26:596), a seed in a rater's place. With t modes and S seeds that are matched across
modes,

    F = MS(T) / (MS(TR) + S max(cov2 - cov3, 0)),   df = denominator^2 / (MS(TR)^2 / ((t - 1)(S -
    1)));

where seeds are nested in modes (Hillis 2014, Stat Med 33:330) MS(seeds in modes), on t(S - 1)
degrees of freedom, takes the place of MS(TR). cov1, cov2 and cov3 are the mean covariances of one
seed's values in two modes, of two seeds in one mode, and of two seeds in two modes (nested: of any
two in two modes).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2, norm
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Booleans, Floats, finite
from kneeoa.statistics.wald import NOISE, Wald, wald

LEAST_SEEDS = 3
"""Below this there is no random-seed inference."""


@dataclass(frozen=True)
class VarianceComponents:
    """Moment estimates, never below zero, on the squared scale of the statistic.

    ``test_sampling``: of one value by the choice of subjects (mean of the covariance's diagonal).
    ``seed``: of the seeds that the modes have in common (NaN where nested). ``mode_seed``: of mode
    x seed (where nested: of seeds within modes). With one seed the latter two and cov2 are NaN.
    """

    test_sampling: float
    seed: float
    mode_seed: float
    cov1: float
    cov2: float
    cov3: float


@dataclass(frozen=True, kw_only=True)
class RandomSeeds:
    """The difference for seeds like these: ``statistic`` is F on (``df_modes``, ``df``), ``t`` its
    signed root for two modes.
    """

    difference: float
    standard_error: float
    statistic: float
    t: float
    df_modes: int
    df: float
    p: float
    log10_p: float
    low: float
    high: float
    degenerate: bool
    method: str


def components(values: Floats, sigma: Floats, matched: bool) -> VarianceComponents:
    """Variance components of ``values`` ``[t, S]`` with the covariance ``sigma`` ``[t S, t S]``,
    mode-major.
    """
    modes, seeds = values.shape
    blocks = sigma.reshape(modes, seeds, modes, seeds)
    one_mode = np.eye(modes, dtype=np.bool_)[:, None, :, None]
    one_seed = np.eye(seeds, dtype=np.bool_)[None, :, None, :]

    def mean(chosen: Booleans) -> float:
        picked = blocks[np.broadcast_to(chosen, blocks.shape)]
        return float(picked.mean()) if picked.size else math.nan

    var, cov2 = mean(one_mode & one_seed), mean(one_mode & ~one_seed)
    cov1 = mean(~one_mode & one_seed) if matched else math.nan
    cov3 = mean(~one_mode & ~one_seed) if matched else mean(~one_mode & (one_seed | ~one_seed))
    if seeds < 2:
        return VarianceComponents(var, math.nan, math.nan, cov1, cov2, cov3)
    error, _ = _error(values, matched)
    if not matched:
        return VarianceComponents(var, math.nan, max(error - var + cov2, 0.0), cov1, cov2, cov3)
    by_seed = modes * float(((values.mean(axis=0) - values.mean()) ** 2).sum()) / (seeds - 1)
    seed = max((by_seed - error) / modes - cov1 + cov3, 0.0)
    return VarianceComponents(var, seed, max(error - var + cov1 + max(cov2 - cov3, 0.0), 0.0), cov1, cov2, cov3)


def random_seed_anova(values: Floats, sigma: Floats, matched: bool, confidence: float) -> RandomSeeds:
    """The F test of all modes and, for two, the difference mode 0 - mode 1 with its t interval; at
    least two seeds.

    Equal modes (no mean square at all): statistic 0, p 1, interval [0, 0], degenerate. A difference
    without any error mean square: no test, NaN, degenerate. No variance between seeds, but sampling
    of subjects: df is infinite and the test normal.
    """
    modes, seeds = values.shape
    two = modes == 2
    means = values.mean(axis=1)
    between = clean(seeds * float(((means - means.mean()) ** 2).sum()) / (modes - 1), NOISE**2)
    parts = components(values, sigma, matched)
    error, error_df = _error(values, matched)
    denominator = error + clean(seeds * max(parts.cov2 - parts.cov3, 0.0), NOISE * parts.test_sampling)
    difference = clean(float(means[0] - means[1]), NOISE) if two else math.nan
    spread = math.sqrt(2 * denominator / seeds) if two else math.nan
    df = math.nan
    if denominator == 0.0:
        statistic, p, reach = (0.0, 1.0, 0.0) if between == 0.0 else (math.nan, math.nan, math.nan)
    else:
        statistic = between / denominator
        df = denominator**2 / (error**2 / error_df) if error > 0 else math.inf
        exact_variance = math.isinf(df)
        p = float(chi2.sf(statistic * (modes - 1), modes - 1) if exact_variance else f_distribution.sf(statistic, modes - 1, df))
        p = max(p, sys.float_info.min)
        reach = float(norm.ppf(0.5 + confidence / 2) if exact_variance else t_distribution.ppf(0.5 + confidence / 2, df)) * spread
    return RandomSeeds(
        difference=difference,
        standard_error=spread,
        statistic=statistic,
        t=math.copysign(math.sqrt(statistic), difference) if two else math.nan,
        df_modes=modes - 1,
        df=df,
        p=p,
        log10_p=math.log10(p),
        low=difference - reach,
        high=difference + reach,
        degenerate=denominator == 0.0,
        method="random seeds: Obuchowski-Rockette, Hillis df, seeds " + ("matched" if matched else "nested in modes"),
    )


def clean(value: float, noise: float) -> float:
    """``value``, or zero where it is no larger than the rounding of the numbers it was subtracted
    from.
    """
    return 0.0 if abs(value) <= noise else value


def _error(values: Floats, matched: bool) -> tuple[float, int]:
    """Mean square of mode x seed, or of seeds within modes, and its degrees of freedom."""
    modes, seeds = values.shape
    residual = values - values.mean(axis=1, keepdims=True)
    df = modes * (seeds - 1)
    if matched:
        residual = residual - (values.mean(axis=0) - values.mean())
        df = (modes - 1) * (seeds - 1)
    return clean(float((residual**2).sum()) / df, NOISE**2), df


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
