"""Radiographs as PNG pictures: 8 or 16 bits of grey, or colours that are grey."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kneeoa.errors import UnusableImage
from kneeoa.images.plausible import require_size

_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Numbers of a pixel by the header's colour type (PNG, 11.2.2)."""
_GREY = {"L": np.uint8, "I;16": np.uint16, "I;16B": np.uint16, "I": np.uint16}


def read_png(path: Path) -> NDArray[np.unsignedinteger]:
    """Read a picture, ``[rows, columns]``; colours whose channels are equal count as grey, and a
    see-through channel must be opaque.

    The millimetres that a PNG may give (pHYs) are those of paper, not of a patient, and are not
    read.

    Raises:
        UnusableImage: not a whole PNG (``unreadable``), coloured, see-through or animated
            (``not-greyscale``), or absurdly large (``too-large``).
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            require_size(image.size, path.name)
            frames = int(getattr(image, "n_frames", 1))
            mode = image.mode
            if frames == 1:
                image.load()
                _require_rows(path, image)
                pixels = np.asarray(image if mode in _GREY else image.convert("RGBA"))
    except (UnusableImage, MemoryError):
        raise
    except Exception as error:  # damaged bytes make the decoder raise anything
        raise UnusableImage("unreadable", f"{path.name}: is not a whole PNG picture ({type(error).__name__}); is it damaged?") from None
    if frames != 1:
        raise UnusableImage("not-greyscale", f"{path.name}: holds {frames} pictures; expected one.")
    if mode in _GREY:
        return pixels.astype(_GREY[mode], copy=False)
    if (pixels[..., 3] != 255).any():
        raise UnusableImage("not-greyscale", f"{path.name}: is see-through in places; save it without an alpha channel.")
    if (pixels[..., :1] != pixels[..., 1:3]).any():
        raise UnusableImage("not-greyscale", f"{path.name}: is a colour picture; expected grey.")
    return np.ascontiguousarray(pixels[..., 0])


def _require_rows(path: Path, image: Image.Image) -> None:
    """Compare the bytes of the picture with the rows that its header claims: the decoder leaves
    what is missing black, and says nothing.
    """
    stored = path.read_bytes()
    depth, colour, interlaced = stored[24], stored[25], stored[28]
    columns, rows = image.size
    least = rows * (-(-columns * _SAMPLES[colour] * depth // 8) + (0 if interlaced else 1))
    inflate, found, at = zlib.decompressobj(), 0, 8
    while at + 8 <= len(stored):
        length, kind = struct.unpack(">I4s", stored[at : at + 8])
        if kind == b"IDAT":
            found += len(inflate.decompress(stored[at + 8 : at + 8 + length], least - found + 1)) if found < least else 0
        at += length + 12
    if found < least:
        raise UnusableImage("wrong-dimensions", f"{path.name}: its header claims {rows} rows, its bytes fill fewer; is it damaged?")
