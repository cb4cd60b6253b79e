"""Two nulls of a map's overlap: the same map shifted, and the maps of other subjects.

Circular shifts keep a map's texture and total, which a permutation of voxels destroys; other
subjects' maps also keep where maps of this network usually lie, so that a map that always looks at
the middle of the image is not enriched there. All shifts come at once by the correlation theorem:
hit(d) = sum over x of w[x - d] m[x] is the inverse transform of conj(W) M.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from kneeoa.atomic_io import digest
from kneeoa.errors import KneeoaError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Spectrum = NDArray[np.complex128]

# Differences below rounding are ties, and ties count against the map: transforms are in double
# precision, products in single.
_ROUNDING = 1e-10
SINGLE = 1e-5


@dataclass(frozen=True)
class NullComparison:
    """A hit compared with a null sample; NaN where undefined."""

    mean: float
    z: float
    """Standard deviations of the null by which the hit is closer to the tissue than the null's
    mean.
    """
    p: float
    """One-sided, that the null is at least as close: (1 + #) / (B + 1)."""


def fourier_transform(field: Floats) -> Spectrum:
    """Return the Fourier transform of a distribution or field ``[*shape]``."""
    transform: Spectrum = fft.rfftn(field)
    return transform


def shifted_hits(distribution: Spectrum, field: Spectrum, shape: tuple[int, ...]) -> Floats:
    """Return the hit under every circular shift of a distribution: entry ``[d]`` of ``[*shape]`` is
    that of ``np.roll(distribution, d)``.
    """
    hits: Floats = fft.irfftn(np.conj(distribution) * field, s=shape)
    return hits


def random_shifts(shape: tuple[int, ...], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw flat indices of ``count`` different shifts, never the identity; all other shifts where
    there are no more.

    Raises:
        KneeoaError: the map has a single cell.
    """
    others = int(np.prod(shape)) - 1
    if others < 1:
        raise KneeoaError(f"a map of shape {shape} has one cell and cannot be shifted; choose a smaller 'saliency.keep'.")
    return generator.choice(others, size=min(count, others), replace=False) + 1


def compare_with_null(hit: float, sample: Floats, *, less_is_closer: bool = False, rounding: float = _ROUNDING) -> NullComparison:
    """Compare ``hit`` with a null sample; members that are not finite are left out, and a sample
    without spread has no z.
    """
    finite = sample[np.isfinite(sample)]
    if not finite.size:
        return NullComparison(np.nan, np.nan, np.nan)
    sign = -1.0 if less_is_closer else 1.0
    mean, spread = float(finite.mean()), float(finite.std(ddof=1)) if finite.size > 1 else 0.0
    slack = rounding * max(1.0, abs(hit))
    reached = int((sign * finite >= sign * hit - slack).sum())
    return NullComparison(mean, sign * (hit - mean) / spread if spread > slack else np.nan, (1 + reached) / (finite.size + 1))


class OtherSubjects:
    """Distributions of other subjects' maps, one map a subject, in single precision."""

    def __init__(self, members: Iterable[tuple[str, Mapping[str, Floats]]], names: Sequence[str]) -> None:
        """``members``: (subject, its map's distributions by name), taken one at a time; ``names``:
        the distributions to keep.

        Memory: members x names x cells x 4 bytes.
        """
        self._names = list(names)
        self._members: list[tuple[str, dict[int, Singles]]] = []
        for subject, distributions in members:
            kept = {index: distributions[name].ravel().astype(np.float32) for index, name in enumerate(names) if name in distributions}
            self._members.append((subject, kept))

    def hits(self, subject: str, fields: Mapping[str, Floats]) -> dict[tuple[str, str], Floats]:
        """Return for each (distribution, field) the hits of the maps of every subject but
        ``subject``; no entry where there is no other.
        """
        others = [kept for member_subject, kept in self._members if member_subject != subject]
        if not any(others):
            return {}
        stacked = np.stack([field_values.ravel() for field_values in fields.values()]).astype(np.float32)
        hits = np.full((len(others), len(self._names), len(fields)), np.nan)
        for member, kept in enumerate(others):
            for index, distribution in kept.items():
                hits[member, index] = stacked @ distribution
        return {(name, field): hits[:, i, j] for i, name in enumerate(self._names) for j, field in enumerate(fields)}


def choose_other_subjects(subjects: Mapping[str, str], count: int, seed: int, cohort: str) -> dict[str, str]:
    """Choose ``count`` subjects by a shuffle of names, and a case of each: subject -> case_id, the
    same for every run that explains the same cases.

    Args:
        subjects: case_id -> subject.
        count: how many subjects.
        seed: of the shuffle.
        cohort: another shuffle for each.
    """
    first: dict[str, str] = {}
    for case_id in sorted(subjects):
        first.setdefault(subjects[case_id], case_id)
    order = sorted(first, key=lambda subject: digest([seed, "pool", cohort, subject]))
    return {subject: first[subject] for subject in order[:count]}
