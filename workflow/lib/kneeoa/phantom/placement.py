"""Place the grids of an image and its mask in the patient's space."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.grid import Grid, rotation
from kneeoa.phantom.imaging import Scanner
from kneeoa.phantom.plan import MaskGrid, PlannedKnee

_AIM = np.array([0.0, -5.0, 9.0])
"""Intended centre of the image, in the knee's frame (mm): a little behind and above the joint
line.
"""
_AXIS_OF = {"R": 0, "L": 0, "I": 1, "S": 1, "P": 2, "A": 2}


def image_grid(planned: PlannedKnee, knee: Knee, machine: Scanner, phantom: Phantom, rng: np.random.Generator) -> Grid:
    """The sagittal grid of an acquisition.

    A DICOM series has the axes (slice, row, column) with rows running down and columns to the back;
    a NIfTI file has the order that its converter chose. The scanner's protocol and the technician's
    positioning turn and shift the grid.
    """
    from_frame = np.linalg.inv(knee.to_frame)
    hand = phantom.variation * np.array([2.0, 3.0, 3.0]) * np.clip(rng.standard_normal(3), -2, 2)
    centre = from_frame[:3, :3] @ _AIM + from_frame[:3, 3] + hand
    turn = rotation(0.0, machine.tilt[1] + float(rng.uniform(-1, 1)), machine.tilt[0] + float(rng.uniform(-1, 1)))
    medial = "L" if planned.side == "R" else "R"
    lateral = planned.side
    dicom = (lateral if machine.medial_first else medial) + "IP"
    return _grid(centre, phantom.shape, phantom.spacing, dicom if planned.image_format == "dicom" else planned.image_axes, turn)


def mask_grid(image: Grid, mask: MaskGrid) -> Grid:
    """The grid of a mask: its image's centre, but its own axes, voxel size, extent and tilt."""
    # The image's shape and spacing in the order right, inferior, posterior, whatever the order of
    # its array axes.
    order = np.argmax(np.abs(image.directions), axis=1)[[0, 2, 1]]
    extent = (np.asarray(image.shape) * image.spacing)[order] * np.asarray(mask.crop)
    spacing = image.spacing[order] * np.asarray(mask.scale)
    shape = tuple(int(count) for count in np.maximum(np.rint(extent / spacing), 1))
    centre = image.affine[:3, :3] @ ((np.asarray(image.shape) - 1) / 2) + image.affine[:3, 3]
    return _grid(centre, (shape[0], shape[1], shape[2]), spacing, mask.axes, rotation(*mask.tilt))


def _grid(
    centre: npt.NDArray[np.float64], shape: tuple[int, int, int], spacing: npt.ArrayLike, axes: str, turn: npt.NDArray[np.float64]
) -> Grid:
    """A grid from shape and spacing in the order right, inferior, posterior."""
    order = [_AXIS_OF[letter] for letter in axes]
    size = np.asarray(spacing, dtype=np.float64)[order]
    return Grid.centred(centre, (shape[order[0]], shape[order[1]], shape[order[2]]), size, axes, turn)
