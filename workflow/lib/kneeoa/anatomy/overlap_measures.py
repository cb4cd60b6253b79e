"""Measure how much of a map lies in a tissue, beside what chance gives.

Every measure starts from a *distribution* over cells (non-negative, sum one): the map itself
(mass), its top k % of cells, its ranks or its peak. A *field* over the same cells describes the
tissue: the share of each cell that it fills, whether it is near, how far it is. The *hit* is the
field's mean under the distribution; by chance (a uniform distribution) it is the field's plain
mean. Every measure is an affine function of a hit, so that chance levels and the means of nulls
follow from those of the hit, and ties in a map share what is expected under random order.

Signs: the part of a map that is evidence for the score is primary; measures named ``absolute_``
take both parts, as paper A does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.statistics.midranks import midranks

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

TOP_PERCENT = (1, 5, 10, 25)
"""Per cent of all cells (paper A: 1, 5 and 10)."""

SIZE = "size"
"""The distribution of as many of a map's largest cells as the tissue fills, one for each tissue."""
REGION = "region_"
"""Prefix of distributions and measures of the joint region alone."""
ABSOLUTE = "absolute_"
"""Prefix of distributions and measures of both signs of the map."""


@dataclass(frozen=True)
class Measure:
    """One measure: a distribution, a field, and the affine function of their hit."""

    name: str
    distribution: str
    field: str
    """share, near or distance."""
    of_hit: Callable[[float], float]
    less_is_closer: bool = False


def top_count(cells: int, percent: int) -> int:
    """Return the number of cells in the top ``percent`` of ``cells``, at least one."""
    return max(1, round(cells * percent / 100))


def top_distribution(saliency: Floats, count: int, ordered: Floats | None = None) -> Floats:
    """Return equal weight on the ``count`` largest cells; cells tied at the threshold share what is
    left (the expectation under random ties).

    ``ordered``: the cells from the least to the largest, where several counts are asked for.
    """
    place = saliency.size - count
    threshold = np.partition(saliency.ravel(), place)[place] if ordered is None else ordered[place]
    above, tied = saliency > threshold, saliency == threshold
    share = (count - int(above.sum())) / int(tied.sum())
    weights: Floats = (above + tied * share) / count
    return weights


def rank_distribution(saliency: Floats) -> Floats:
    """Weigh each cell by how many cells lie below it, ties and itself counting half: the weights of
    the voxel AUROC.
    """
    weights: Floats = (midranks(saliency) - 0.5) / (saliency.size**2 / 2)
    return weights


def distributions(saliency: Floats, absolute: Floats | None = None, region: Booleans | None = None) -> dict[str, Floats]:
    """Return the distributions of a map by name; those of a map (or of its part in the region) that
    is zero everywhere are left out.

    Args:
        saliency: the part that is evidence for the score, non-negative, ``[*shape]``.
        absolute: both parts added; None: no measures of it.
        region: cells of the joint region; None: no measures of it.
    """
    result: dict[str, Floats] = {}
    if saliency.any():
        result |= _mass_distributions(saliency)
        result |= {"ranks": rank_distribution(saliency), "peak": top_distribution(saliency, 1)}
    if absolute is not None and absolute.any():
        result |= {ABSOLUTE + name: one for name, one in _mass_distributions(absolute).items()}
    if region is not None and saliency[region].any():
        for name, one in _mass_distributions(saliency[region]).items():
            result[REGION + name] = np.zeros_like(saliency)
            result[REGION + name][region] = one
    return result


def _mass_distributions(saliency: Floats) -> dict[str, Floats]:
    ordered = np.sort(saliency, axis=None)
    tops = {f"top{percent}": top_distribution(saliency, top_count(saliency.size, percent), ordered) for percent in TOP_PERCENT}
    return {"mass": saliency / saliency.sum(), **tops}


def overlap_measures(cells: int, fraction: float, region: tuple[int, float] | None = None) -> list[Measure]:
    """List the measures of a tissue that fills ``fraction`` of a map of ``cells`` cells;
    ``region``: the same two numbers of the joint region.

    - ``mass``: share of the map's sum in the tissue (paper A's mass@ROI; energy-based pointing
      game, Wang et al. 2020; relevance mass accuracy, Arras et al. 2022). Chance: ``fraction``.
    - ``enrichment``: mass / fraction; ``normalised``: (mass - fraction) / (1 - fraction).
    - ``top<k>_overlap``: share of the top k % cells in the tissue; ``top<k>_dice``: its Dice
      coefficient with the tissue.
    - ``rank_accuracy``: share in the tissue of as many top cells as the tissue fills (relevance
      rank accuracy). Chance: ``fraction``.
    - ``auroc``: the map as a classifier of cells, partly filled ones counting in part. Chance: one
      half.
    - ``pointing``: whether the peak lies within the tolerance of the tissue; ``distance_mm``: from
      the top 1 % of cells to the tissue.
    - ``absolute_*``: of both signs together; ``region_*``: of cells of the joint region alone.

    ``normalised`` and ``auroc`` are left out where the tissue fills everything.
    """
    listed = _mass_measures("", cells, fraction)
    listed.append(Measure("rank_accuracy", SIZE, "share", _identity))
    if fraction < 1:
        # Sum over pairs (in, out) of [s_in > s_out] + [tie] / 2, where pairs within the tissue
        # always add up to half of their number.
        listed.append(Measure("auroc", "ranks", "share", lambda hit: (hit - fraction**2) / (2 * fraction * (1 - fraction))))
    listed.append(Measure("pointing", "peak", "near", _identity))
    listed.append(Measure("distance_mm", "top1", "distance", _identity, less_is_closer=True))
    listed += _mass_measures(ABSOLUTE, cells, fraction)
    return listed + (_mass_measures(REGION, *region) if region is not None and region[1] > 0 else [])


def _mass_measures(prefix: str, cells: int, fraction: float) -> list[Measure]:
    mass = prefix + "mass"
    listed = [Measure(mass, mass, "share", _identity), Measure(f"{prefix}enrichment", mass, "share", lambda hit: hit / fraction)]
    if fraction < 1:
        listed.append(Measure(f"{prefix}normalised", mass, "share", lambda hit: (hit - fraction) / (1 - fraction)))
    for percent in TOP_PERCENT:
        top, count = f"{prefix}top{percent}", top_count(cells, percent)
        listed.append(Measure(f"{top}_overlap", top, "share", _identity))
        listed.append(Measure(f"{top}_dice", top, "share", _dice(count, cells * fraction)))
    return listed


def measure_names() -> list[str]:
    """List the names of all measures, for rows without a value."""
    return [measure.name for measure in overlap_measures(cells=1, fraction=0.5, region=(1, 0.5))]


def _identity(hit: float) -> float:
    return hit


def _dice(count: int, tissue: float) -> Callable[[float], float]:
    return lambda hit: 2 * count * hit / (count + tissue)
