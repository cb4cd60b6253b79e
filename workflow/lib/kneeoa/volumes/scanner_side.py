"""Side of the scanner on which a volume lies: the only evidence of a knee's side in a file whose
header does not claim one.
"""

from __future__ import annotations

import numpy as np

from kneeoa.formats.volume import Volume

_CLEARLY_MM = 25.0
"""Millimetres from the patient's midline at which a knee lies on one side. Knees lie some 80 mm
from it, less where the patient was shifted to bring the knee to the magnet's middle.
"""
_ZERO_MM = 1e-3


def scanner_side(volume: Volume) -> tuple[str, float] | None:
    """``L`` or ``R``, and the millimetres from the patient's midline; None where the volume lies
    about the midline, where its orientation is declared, as its place is then not known, and where
    a corner of it lies at exactly 0, 0, 0, which is what converters write who know no place.
    """
    if volume.declared is not None:
        return None
    last = np.asarray(volume.array.shape) - 1
    corners = np.array([[i, j, k, 1.0] for i in (0, last[0]) for j in (0, last[1]) for k in (0, last[2])]) @ volume.affine.T
    right = float(corners[:, 0].mean())
    if abs(right) < _CLEARLY_MM or (np.abs(corners[:, :3]).max(axis=1) < _ZERO_MM).any():
        return None
    return ("R" if right > 0 else "L"), abs(right)
