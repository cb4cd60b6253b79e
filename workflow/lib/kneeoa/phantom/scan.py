"""Scan and outline one planned knee and write its files, faults included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from kneeoa.config.phantom import Phantom
from kneeoa.phantom import dicom
from kneeoa.phantom.anatomy.knee import Knee, make_knee
from kneeoa.phantom.anatomy.render import label_map
from kneeoa.phantom.faults import break_series, break_volume
from kneeoa.phantom.findings import draw_findings
from kneeoa.phantom.grid import Grid
from kneeoa.phantom.imaging import Scanner, acquire, image_grid, mask_grid, scanner
from kneeoa.phantom.plan import PlannedKnee
from kneeoa.phantom.volume_files import write_metaimage, write_nifti

_ANATOMY, _PLACEMENT, _NOISE, _DAMAGE = 2, 3, 4, 5
"""Purposes of a knee's generators (1 is the plan's)."""
_FOREIGN_OFFSET = np.array([0.0, -24.0, 30.0])
"""Offset of the foreign mask's knee from its image's (mm, RAS+)."""
_FLIPPED_OFFSET = 10.0
"""Height of the flipped mask's centre above the image's (mm)."""


def make_anatomy(planned: PlannedKnee, phantom: Phantom) -> Knee:
    """Make the planned knee."""
    return make_knee(planned.findings, planned.side, planned.size, phantom.variation, planned.generator(phantom, _ANATOMY))


def scan_image(planned: PlannedKnee, knee: Knee, phantom: Phantom) -> tuple[npt.NDArray[np.uint16], Grid]:
    """The knee's image: stored values and their grid."""
    machine = scanner(phantom, planned.scanner)
    grid = image_grid(planned, knee, machine, phantom, planned.generator(phantom, _PLACEMENT))
    return acquire(knee, grid, machine, phantom, planned.generator(phantom, _NOISE)), grid


def make_mask(planned: PlannedKnee, knee: Knee, image: Grid, phantom: Phantom) -> tuple[npt.NDArray[np.uint8], Grid]:
    """The knee's mask and its grid, with the planned fault."""
    grid = mask_grid(image, planned.mask_grid)
    if planned.fault == "foreign-mask":
        return label_map(_foreign_knee(knee, planned, phantom), grid), grid
    if planned.fault == "flipped-mask":
        # The crop reaches further up than down: flipping then moves cartilage off cartilage
        # whatever the knee's shape.
        grid = grid.translated((0.0, 0.0, _FLIPPED_OFFSET))
    labels = label_map(knee, grid)
    if planned.fault == "flipped-mask":
        upright = int(np.argmax(np.abs(grid.directions[2])))
        labels = np.ascontiguousarray(np.flip(labels, axis=upright))
    return labels, grid


def write_image(planned: PlannedKnee, path: Path, image: tuple[npt.NDArray[np.uint16], Grid], phantom: Phantom, cohort: str) -> None:
    """Write the image to ``path`` (a folder for a DICOM series), with the planned fault."""
    if planned.fault == "missing-folder":
        return
    voxels, grid = image
    if planned.image_format == "nifti":
        write_nifti(path, voxels.astype(np.int16), grid)
        break_volume(path, planned.fault)
        return
    machine = scanner(phantom, planned.scanner)
    rng = planned.generator(phantom, _DAMAGE)
    stacks = [(voxels, grid)]
    names = np.arange(1, len(voxels) + 1)
    if planned.fault == "mixed-series":
        stacks.insert(0, _localiser(planned, grid, machine, phantom, rng))
        names = rng.permutation(len(voxels) + len(stacks[0][0])) + 1
    dicom.write_series(
        path,
        stacks,
        [int(name) for name in names],
        cohort=cohort,
        subject=planned.subject,
        side=planned.side,
        date=planned.date,
        barcode=planned.barcode,
        station=machine.name,
    )
    break_series(path, planned.fault)


def write_mask(planned: PlannedKnee, path: Path, mask: tuple[npt.NDArray[np.uint8], Grid]) -> None:
    """Write the mask in the planned format; nothing where the fault is a missing mask."""
    if planned.fault != "missing-mask":
        (write_nifti if planned.mask_format == "nii.gz" else write_metaimage)(path, *mask)


def _foreign_knee(knee: Knee, planned: PlannedKnee, phantom: Phantom) -> Knee:
    rng = planned.generator(phantom, _DAMAGE)
    other_findings = draw_findings(1.0 - planned.severity, phantom.effect, phantom.lesions, rng)
    other = make_knee(other_findings, planned.side, 1.9 - planned.size, phantom.variation, rng)
    away = np.eye(4)
    there = np.linalg.inv(knee.to_frame)[:3, 3] + _FOREIGN_OFFSET
    away[:3, 3] = np.linalg.inv(other.to_frame)[:3, 3] - there
    return Knee(other.side, other.findings, other.shape, other.to_frame @ away, other.waves, other.lesion_seed)


def _localiser(
    planned: PlannedKnee, grid: Grid, machine: Scanner, phantom: Phantom, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint16], Grid]:
    """Two axial slices with the series' matrix and identifiers."""
    middle = grid.affine[:3, :3] @ ((np.asarray(grid.shape) - 1) / 2) + grid.affine[:3, 3]
    axial = Grid.centred(middle, (2, *grid.shape[1:]), (20.0, *grid.spacing[1:]), "SPL")
    return acquire(make_anatomy(planned, phantom), axial, machine, phantom, rng), axial
