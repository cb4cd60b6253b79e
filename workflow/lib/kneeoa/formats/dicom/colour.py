"""Grey radiographs in colour DICOM files: secondary captures in RGB, JPEG in YBR, grey palettes."""

from __future__ import annotations

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import UID

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.file import decoding_error, require_codec
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.grey import rgb_to_grey
from kneeoa.formats.limits import require_size

_PALETTE = "PALETTE COLOR"
COLOUR_TAGS = tuple(
    f"{prefix}{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for prefix, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)
"""Elements of a colour palette."""


def is_colour(dataset: pydicom.Dataset) -> bool:
    """Whether a parsed file has three numbers a pixel, or a palette."""
    samples = str(dataset.get("SamplesPerPixel") or 1)
    return samples == "3" or (samples == "1" and _photometric(dataset) == _PALETTE)


def read_grey(dataset: pydicom.Dataset, name: str) -> NDArray[np.unsignedinteger]:
    """The grey levels of a colour picture, ``[rows, columns]``, bone bright as it is displayed.

    Raises:
        UnusableImage: it is coloured (``not-greyscale``), of several frames
            (``unsupported-dicom``), damaged (``unreadable``), absurdly large (``too-large``), or no
            decoder for it is installed (``missing-codec``).
    """
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    try:
        with silenced():
            size = [int(dataset.get(tag) or 1) for tag in ("NumberOfFrames", "Rows", "Columns", "SamplesPerPixel")]
            top = (1 << int(dataset.get("BitsStored") or dataset.BitsAllocated)) - 1
    except (AttributeError, TypeError, ValueError):
        raise UnusableImage("unreadable", f"{name}: its header does not say how its pixels are stored; is it damaged or cut?") from None
    if size[0] != 1:
        raise UnusableImage("unsupported-dicom", f"{name}: holds {size[0]} frames; a radiograph has one.")
    require_size(size, name)
    decoder = require_codec(syntax, name)
    try:
        with silenced():
            pixels, _ = decoder.as_array(dataset, index=0)  # YBR becomes RGB
            if _photometric(dataset) == _PALETTE:
                from pydicom.pixels.processing import apply_color_lut

                pixels = apply_color_lut(pixels, dataset)
                top = int(np.iinfo(pixels.dtype).max)
        colours = np.asarray(pixels).reshape(size[1], size[2], 3)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes, or a header that contradicts them
        raise decoding_error(error, syntax, name) from None
    return rgb_to_grey(colours, top, name)


def _photometric(dataset: pydicom.Dataset) -> str:
    return str(dataset.get("PhotometricInterpretation") or "").strip().upper()
