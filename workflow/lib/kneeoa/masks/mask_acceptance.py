"""Decide whether a mask is accepted: its agreement with the image, the range of a knee's cartilage,
and possible faults of its header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import MaskChecks
from kneeoa.formats.volume import Affine, Volume
from kneeoa.masks.cartilage import CartilageMeasures, bone_cartilage_interface, crop_to_cartilage, femur_above_tibia, has_bone_side, measure
from kneeoa.masks.edge_alignment import NO_ALIGNMENT, EdgeAlignment, measure_edge_alignment
from kneeoa.masks.header_candidates import HeaderCandidate, best_candidate, header_doubt
from kneeoa.masks.tissue_labels import Grid, share_inside

# Ranges of adult knees, healthy or with end-stage disease; outside them a label map means something
# else.
_VOLUME_MM3 = (2_000.0, 80_000.0)
_THICKNESS_MM = (0.5, 6.0)
# Where a mask does not say which side of cartilage lies on bone, half of its surface looks into
# the joint, where edges are arbitrary.
_WITHOUT_BONE_SIDE = 0.7

Doubt = tuple[str, str]
"""A reason not to accept a mask: a stable slug and a sentence."""


@dataclass(frozen=True)
class Judgement:
    """Measures of one mask and the doubts that follow, worst first; no doubts for a good mask.
    Masks of radiographs have no measures of cartilage.
    """

    inside: float
    alignment: EdgeAlignment
    measures: CartilageMeasures | None
    doubts: list[Doubt]


@dataclass(frozen=True)
class ReferenceImage:
    """The canonical image that masks are compared with, its affine, and the grid that it was
    scanned on.
    """

    array: NDArray[np.floating]
    affine: Affine
    source: Grid


def judge_mask(labels: Volume, picture: ReferenceImage, values: Mapping[str, int], checks: MaskChecks) -> Judgement:
    """Judge a mask at the place that its header gives.

    Args:
        labels: stored tissue values on the mask's own grid.
        picture: the image.
        values: the stored value of each tissue.
        checks: the limits.
    """
    box = crop_to_cartilage(labels, values)
    faces = bone_cartilage_interface(box, values) if box is not None else None
    agreement = NO_ALIGNMENT
    if faces is not None:
        agreement = measure_edge_alignment(_signed(picture, checks), picture.affine, faces)
    inside = share_inside(labels, picture.source)
    measures = measure(box, faces, values)
    return Judgement(inside, agreement, measures, find_doubts(inside, agreement, measures, checks, bone_side=has_bone_side(values)))


def find_better_header(labels: Volume, picture: ReferenceImage, values: Mapping[str, int], checks: MaskChecks) -> HeaderCandidate | None:
    """The one other reading of a mask's header that the image proves; None where there is none.
    Arguments as of :func:`judge`.
    """
    box = crop_to_cartilage(labels, values)
    if box is None:
        return None
    limit = checks.minimum_boundary * (1 if has_bone_side(values) else _WITHOUT_BONE_SIDE)
    return best_candidate(
        _signed(picture, checks),
        picture.affine,
        bone_cartilage_interface(box, values),
        Grid(labels.array.shape, labels.affine),
        picture.source,
        lambda agreement: agreement.contrast >= checks.minimum_contrast and agreement.boundary >= limit,
        lambda moved: femur_above_tibia(box, moved, values),
    )


def advice(labels: Volume, picture: ReferenceImage, other: HeaderCandidate | None) -> str:
    """Advice on a mask that is not accepted: what is odd about its header, where it would fit."""
    oddity = header_doubt(Grid(labels.array.shape, labels.affine), picture.source)
    prefix = f"{oddity[0].upper()}{oddity[1:]}. " if oddity else ""
    if other is None:
        return f"{prefix}No other reading of its header fits; it may be another knee's."
    fits = f"{other.alignment.boundary:.0%} of its outline would lie on edges {other.words}"
    return f"{prefix}{fits}: mend its header, or set 'masks.repair: header'."


def find_doubts(
    inside: float, agreement: EdgeAlignment, measures: CartilageMeasures, checks: MaskChecks, *, bone_side: bool = True
) -> list[Doubt]:
    """Reasons not to accept a mask, worst first; empty for a good one.

    Args:
        inside: share of the mask that lies in the image.
        agreement: its agreement with the edges of the image.
        measures: its cartilage measures.
        checks: the limits.
        bone_side: whether the mask says which side of its cartilage lies on bone, so that all of
            the surface that was measured should be an edge.
    """
    if measures.volume == 0:
        return [("mask-empty", "the mask holds no cartilage.")]
    doubts = []
    if inside < checks.minimum_inside:
        detail = f"{inside:.0%} of the mask lies inside the image; expected at least {checks.minimum_inside:.0%}."
        doubts.append(("mask-misaligned", detail))
    if not measures.femur_above_tibia:
        doubts.append(("mask-misaligned", "femoral cartilage lies below tibial cartilage: the mask is upside down."))
    limit = checks.minimum_boundary * (1 if bone_side else _WITHOUT_BONE_SIDE)
    if agreement.contrast < checks.minimum_contrast:
        detail = (
            f"cartilage stands out from the bone under it by an AUC of {agreement.contrast:.2f}; expected {checks.minimum_contrast:.2f}."
        )
        doubts.append(("mask-misaligned", detail))
    elif agreement.boundary < limit:
        detail = f"{agreement.boundary:.0%} of the mask's outline of cartilage lies on an edge of the image; expected at least {limit:.0%}."
        doubts.append(("mask-misaligned", detail))
    if measures.missing:
        doubts.append(("mask-incomplete", f"the mask has no {' and no '.join(measures.missing)} cartilage."))
    if not _VOLUME_MM3[0] <= measures.volume <= _VOLUME_MM3[1] or not _THICKNESS_MM[0] <= measures.thickness <= _THICKNESS_MM[1]:
        detail = f"{measures.volume:.0f} mm3 of cartilage, {measures.thickness:.1f} mm thick, is not what a knee has."
        doubts.append(("mask-implausible", detail))
    return doubts


def _signed(picture: ReferenceImage, checks: MaskChecks) -> NDArray[np.floating]:
    """The image with cartilage brighter than bone."""
    return picture.array if checks.cartilage == "bright" else -picture.array
