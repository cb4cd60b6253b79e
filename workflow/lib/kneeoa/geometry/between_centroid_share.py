"""Share of the variance between the grades' centroids that lies along the axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats, MeasureFamily


def centroid_measures(scaled: Floats, direction: Floats, grade: NDArray[np.int64], classes: Sequence[int]) -> MeasureFamily:
    """``between_centroid_share``: the axis's share of the between-centroid variance, each grade
    weighing as many cases as it has.

    A few centroids span few directions (one less than the grades), so the share is high by
    construction: compare it between runs on the same cases only. Noise in the centroids of a wide
    embedding adds to the total and lowers the share.

    Args:
        scaled: ``[cases, kept]`` standardised embeddings.
        direction: the axis, a unit vector ``[kept]``.
        grade: ``[cases]``.
        classes: all grades of the level.
    """
    member = np.stack([grade == value for value in classes]).astype(np.float64)
    along = scaled @ direction
    # Centroids lie in the span of the cases: where cases are fewer than components, project once.
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False) if len(scaled) < scaled.shape[1] else (None, None, None)
    space = scaled if left is None or singular is None else left * singular

    def compute(weights: Floats) -> dict[str, Floats]:
        total = np.maximum(weights.sum(axis=1), 1)
        sizes = weights @ member.T
        between, along_axis = np.zeros(len(weights)), np.zeros(len(weights))
        for index, row in enumerate(member):
            size = np.maximum(sizes[:, index], 1)
            class_weights = weights * row
            centre = class_weights @ space / size[:, None] - weights @ space / total[:, None]
            step = class_weights @ along / size - weights @ along / total
            between += sizes[:, index] * np.einsum("ij,ij->i", centre, centre)
            along_axis += sizes[:, index] * step**2
        defined = ((sizes > 0).sum(axis=1) > 1) & (between > np.finfo(np.float32).eps * total)
        return {"between_centroid_share": np.divide(along_axis, between, out=np.full(len(weights), np.nan), where=defined)}

    return MeasureFamily(compute, {"between_centroid_share": "fewer than two grades among the cases"})
