"""Candidate affines for a mask whose header is wrong: orders and directions of its axes, the
image's own grid, the other millimetres.

Masks lose their place in a few known ways: an array saved without its affine, axes swapped between
libraries (z, y, x against x, y, z), an axis flipped, DICOM's millimetres (left, back, head) taken
for NIfTI's (right, front, head). Each way is a candidate, another affine for the same array; the
image decides among them. None is used unless the configuration says so, and none where two fit
about equally well.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.formats.bare_header import lacks_orientation
from kneeoa.formats.volume import LPS_TO_RAS, Affine
from kneeoa.masks.edge_alignment import EdgeAlignment, contrast, measure_edge_alignment
from kneeoa.masks.surfaces import Surface
from kneeoa.masks.tissue_labels import Grid

_MAX_SCREENED = 8
_FACES = 1_500
_SAME_MM = 2.0
_MIN_LEAD = 0.1


@dataclass(frozen=True)
class HeaderCandidate:
    """Another affine for a mask's array, with a stable slug, a description in words, and its
    agreement with the image.
    """

    slug: str
    words: str
    affine: Affine
    alignment: EdgeAlignment


def candidates(mask: Grid, image: Grid) -> Iterator[tuple[str, str, Affine]]:
    """Slug, words and affine of every candidate: at most 96."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            change, shape = _change_of_axes(mask.shape, order, flips)
            slug, words = _describe_change(order, flips)
            if slug:
                yield slug, f"with {words}", mask.affine @ change
            if shape == image.shape:
                yield (
                    "-".join(filter(None, ("image-grid", slug))),
                    " with ".join(filter(None, ("on the image's grid", words))),
                    (image.affine @ change),
                )
    yield "lps", "with its millimetres read as DICOM's (to the left and to the back)", LPS_TO_RAS @ mask.affine


def best_candidate(
    picture: NDArray[np.floating],
    affine: Affine,
    faces: Surface,
    mask: Grid,
    image: Grid,
    accepts: Callable[[EdgeAlignment], bool],
    is_upright: Callable[[Surface], bool],
) -> HeaderCandidate | None:
    """The one candidate that the image proves; None where there is none.

    Args:
        picture: canonical image.
        affine: its affine.
        faces: the mask's surface by its header
            (:func:`kneeoa.masks.cartilage.bone_cartilage_interface`).
        mask: the mask's own grid.
        image: the image's own grid.
        accepts: whether the agreement with the image is enough.
        is_upright: whether a surface has the femur above the tibia.

    Returns:
        None where no candidate is accepted, or where one in another place fits about as well as the
        best.
    """
    sample = faces.where(np.arange(len(faces)) % max(1, len(faces) // _FACES) == 0)
    to_index = np.linalg.inv(mask.affine)
    posed = [
        (slug, words, candidate_affine, sample.moved(candidate_affine @ to_index))
        for slug, words, candidate_affine in candidates(mask, image)
    ]
    screened = sorted(posed, key=lambda item: -contrast(picture, affine, item[3]))[:_MAX_SCREENED]
    accepted = [
        (HeaderCandidate(slug, words, candidate_affine, measure_edge_alignment(picture, affine, moved)), moved)
        for slug, words, candidate_affine, moved in screened
        if is_upright(moved)
    ]
    accepted = [item for item in accepted if accepts(item[0].alignment)]
    if not accepted:
        return None
    accepted.sort(key=lambda item: -item[0].alignment.boundary)
    first, place = accepted[0]
    for other, moved in accepted[1:]:
        is_elsewhere = float(np.linalg.norm(moved.points - place.points, axis=1).mean()) > _SAME_MM
        if is_elsewhere and other.alignment.boundary > first.alignment.boundary - _MIN_LEAD:
            return None
    return first


def header_doubt(mask: Grid, image: Grid) -> str:
    """A clause on what is odd about a mask's header compared with its image's, without looking at
    voxels; empty where nothing is.
    """
    linear = mask.affine[:3, :3]
    if np.allclose(np.abs(linear), np.eye(3)) and not np.allclose(np.linalg.norm(image.affine[:3, :3], axis=0), 1, atol=0.05):
        return "its header has an identity affine, as of a file saved without one"
    if lacks_orientation(mask.shape, mask.affine):
        return "its header gives no orientation, as of an array saved with its voxel sizes alone"
    if sorted(mask.shape) == sorted(image.shape) and mask.shape != image.shape and not _covers(mask, image):
        return "its axes have the image's lengths in another order, and its header puts them elsewhere"
    if sorted(mask.shape) == sorted(image.shape) and not _covers(mask, image):
        return "it has as many voxels as the image, but its header puts them elsewhere"
    return ""


def _covers(mask: Grid, image: Grid) -> bool:
    """Whether two grids fill the same box, to 2 mm, in whatever order of axes."""
    boxes = []
    for grid in (mask, image):
        corners = np.array(list(itertools.product(*((0.0, size - 1.0) for size in grid.shape))))
        places = corners @ grid.affine[:3, :3].T + grid.affine[:3, 3]
        boxes.append((places.min(axis=0), places.max(axis=0)))
    return bool(np.allclose(boxes[0], boxes[1], atol=_SAME_MM))


def _change_of_axes(shape: tuple[int, ...], order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[Affine, tuple[int, ...]]:
    """Index of the array -> index of the array with its axes in ``order``, flipped where ``flips``
    says; and its shape.
    """
    new = tuple(shape[axis] for axis in order)
    change = np.zeros((4, 4))
    change[3, 3] = 1
    for row, (axis, flip) in enumerate(zip(order, flips, strict=True)):
        change[row, axis] = -1 if flip else 1
        change[row, 3] = new[row] - 1 if flip else 0
    return change, new


def _describe_change(order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[str, str]:
    slugs, words = [], []
    if order != (0, 1, 2):
        slugs.append("axes" + "".join(str(axis) for axis in order))
        words.append(f"its axes in the order {', '.join(str(axis) for axis in order)}")
    flipped = [str(axis) for axis, flip in enumerate(flips) if flip]
    if flipped:
        slugs.append("flip" + "".join(flipped))
        words.append(f"axis {' and '.join(flipped)} flipped")
    return "-".join(slugs), " and ".join(words)
