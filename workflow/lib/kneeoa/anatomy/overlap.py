"""How much of a map lies in a tissue, and how much would by chance.

Every measure starts from a *distribution* over cells (non-negative, sum one): the map itself (mass), or its top k % of cells. Its
*hit* is the share of the distribution inside the tissue, whose chance level is the tissue's share of the volume; the rest are affine
functions of a hit, so that chance levels and null means follow from those of the hit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOP_PERCENT = (1, 5, 10)
"""Paper A's k: per cent of all cells."""


@dataclass(frozen=True)
class Measure:
    """One measure: the distribution whose hit it reads, and the affine function of the hit."""

    name: str
    distribution: str
    of_hit: Callable[[float], float]


def top_count(cells: int, percent: int) -> int:
    """How many cells are the top ``percent`` of ``cells``; at least one."""
    return max(1, round(cells * percent / 100))


def top_distribution(saliency: Floats, count: int) -> Floats:
    """Equal weight on the ``count`` largest cells; cells tied at the threshold share what is left (the expectation under random ties)."""
    threshold = np.partition(saliency.ravel(), saliency.size - count)[saliency.size - count]
    above, tied = saliency > threshold, saliency == threshold
    share = (count - int(above.sum())) / int(tied.sum())
    weights: Floats = (above + tied * share) / count
    return weights


def distributions(saliency: Floats) -> dict[str, Floats]:
    """The distributions of a map (non-negative, any number of axes): ``mass`` and ``top<k>``. None for a map that is zero everywhere."""
    total = saliency.sum()
    if not total > 0:
        return {}
    tops = {f"top{percent}": top_distribution(saliency, top_count(saliency.size, percent)) for percent in TOP_PERCENT}
    return {"mass": saliency / total, **tops}


def measures(cells: int, fraction: float) -> list[Measure]:
    """The measures of a tissue that fills ``fraction`` of a map of ``cells`` cells.

    - ``mass``: share of the map's sum in the tissue (paper A's mass@ROI; energy-based pointing game). Chance: ``fraction``.
    - ``enrichment``: mass / fraction; ``normalised``: (mass - fraction) / (1 - fraction), left out where the tissue fills the volume.
    - ``top<k>_overlap``: share of the top k % cells in the tissue; ``top<k>_dice``: its Dice coefficient with the tissue.
    """
    found = [Measure("mass", "mass", lambda hit: hit), Measure("enrichment", "mass", lambda hit: hit / fraction)]
    if fraction < 1:
        found.append(Measure("normalised", "mass", lambda hit: (hit - fraction) / (1 - fraction)))
    for percent in TOP_PERCENT:
        count = top_count(cells, percent)
        found.append(Measure(f"top{percent}_overlap", f"top{percent}", lambda hit: hit))
        found.append(Measure(f"top{percent}_dice", f"top{percent}", _dice(count, cells * fraction)))
    return found


def measure_names() -> list[str]:
    """Names of all measures, for rows without a value."""
    return [measure.name for measure in measures(cells=1, fraction=0.5)]


def _dice(count: int, tissue: float) -> Callable[[float], float]:
    return lambda hit: 2 * count * hit / (count + tissue)
