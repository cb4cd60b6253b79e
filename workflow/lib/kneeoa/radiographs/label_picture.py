"""Read label maps of radiographs: pictures whose grey levels, or palette's indices, are labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.limits import require_size
from kneeoa.radiographs.picture import read_picture

FORMATS = ("png", "tiff", "bmp")
"""Formats that keep every pixel as it was."""


def read_label_picture(path: Path, format: str) -> NDArray[np.generic]:
    """Read a label map, ``[rows, columns]``, turned upright by its orientation tag as its
    radiograph is.

    A palette gives labels their colours, and its indices are the labels.

    Raises:
        UnusableImage: it is missing, damaged, in colours without a palette, or of a format that
            changes labels (JPEG) or has no pixels of a radiograph (``not-a-label-map``); and what
            :func:`kneeoa.radiographs.picture.read_picture` adds.
    """
    if format not in FORMATS:
        raise UnusableImage(
            "not-a-label-map",
            f"{path.name}: is of the format '{format}'; the mask of a radiograph is a picture of its pixels: PNG, TIFF or BMP.",
        )
    if not path.exists():
        raise UnusableImage("missing-file", f"{path.name}: is not there any more.")
    indices = _palette_indices(path)
    return read_picture(path, format) if indices is None else indices


def _palette_indices(path: Path) -> NDArray[np.generic] | None:
    """The indices of a picture with a palette; None for any other, and for what is no whole
    picture, which the reader of pictures says better.
    """
    try:
        with path.open("rb") as stream, Image.open(stream) as image:
            require_size((image.height, image.width), path.name)
            return np.asarray(image) if image.mode == "P" else None
    except (KneeoaError, MemoryError):
        raise
    except Exception:  # damaged bytes make the decoder raise anything
        return None
