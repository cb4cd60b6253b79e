"""Read radiographs from PNG, JPEG, TIFF or BMP pictures: grey of any depth, or colours that are
grey; upright as every viewer shows them.
"""

from __future__ import annotations

import re
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.grey import rgb_to_grey
from kneeoa.formats.limits import require_size
from kneeoa.radiographs.radiograph import DisplayTransform

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_DECODERS = {"png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "bmp": "BMP"}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Channels of a pixel by the header's colour type (PNG, 11.2.2)."""
_GREY = {"L": np.uint8, "I;16": np.uint16, "I;16B": np.uint16, "I": np.int32, "F": np.float32}
_DEEP = re.compile(r"(?P<channels>LA|RGB|RGBA);16(?P<order>[BLN])")
"""Pillow's names of layouts with 16 bits a channel, which it would cut to 8."""
_ORIENTATIONS = {
    2: DisplayTransform(columns=True),
    3: DisplayTransform(rows=True, columns=True),
    4: DisplayTransform(rows=True),
    5: DisplayTransform(transposed=True),
    6: DisplayTransform(transposed=True, columns=True),
    7: DisplayTransform(transposed=True, rows=True, columns=True),
    8: DisplayTransform(transposed=True, rows=True),
}
"""Transforms from the stored rows and columns to upright ones, by the orientation tag (TIFF 6.0,
Exif 2.3).
"""
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
# The frame header of a JPEG of more than 8 bits a sample, or of a lossless one.
_DEEP_JPEG = re.compile(rb"\xff(?:[\xc0-\xc2]..[\x09-\x10]|\xc3..[\x02-\x10])", re.DOTALL)


def read_picture(path: Path, format: str) -> NDArray[np.generic]:
    """Read a picture, ``[rows, columns]``, turned upright by its orientation tag (of TIFF, or in
    the Exif data of the others).

    Colours whose channels are equal, or differ by a trace, count as grey, and an alpha channel must
    be opaque. The millimetres that a picture may give (pHYs, resolution) are those of paper, not of
    a patient, and are not read.

    Args:
        path: the file.
        format: ``png``, ``jpeg``, ``tiff`` or ``bmp``.

    Raises:
        UnusableImage: not a whole picture of that format (``unreadable``), coloured, transparent,
            animated or of several pages (``not-greyscale``), of a depth that no decoder takes
            (``missing-codec``), or absurdly large (``too-large``).
    """
    try:
        # From a stream: of a named TIFF file Pillow maps the rows as if they were upright.
        with path.open("rb") as stream, Image.open(stream, formats=[_DECODERS[format]]) as image:
            require_size(image.size, path.name)
            frames = int(getattr(image, "n_frames", 1))
            if frames == 1:
                pixels = _pixels(path, image, format)
                # Pillow turns TIFF pictures itself.
                turn = DisplayTransform() if format == "tiff" else _ORIENTATIONS.get(_orientation(image), DisplayTransform())
    except (KneeoaError, MemoryError):
        raise
    except Exception as error:  # damaged bytes make the decoder raise anything
        if format == "jpeg" and _DEEP_JPEG.search(path.read_bytes()[: 1 << 16]):
            raise UnusableImage(
                "missing-codec", f"{path.name}: is a JPEG of more than 8 bits or without loss, which no decoder here takes; save it as PNG."
            ) from None
        what = f"{path.name}: is not a whole {_DECODERS[format]} picture"
        raise UnusableImage("unreadable", f"{what} ({type(error).__name__}); is it damaged?") from None
    if frames != 1:
        raise UnusableImage("not-greyscale", f"{path.name}: holds {frames} pictures; expected one.")
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UnusableImage("non-finite", f"{path.name}: has pixels that are not numbers.")
    if pixels.ndim == 3:
        pixels = _grey(pixels, path.name)
    return np.ascontiguousarray(turn.pixels(pixels))


def _pixels(path: Path, image: ImageFile, format: str) -> NDArray[np.generic]:
    """Stored pixels in their depth: ``[rows, columns]``, or with red, green, blue and opacity as a
    third axis.
    """
    mode, layout = image.mode, _layout(image)
    deep = _DEEP.fullmatch(layout)
    if deep is None and mode not in _GREY and ";16" in layout:
        raise UnusableImage(
            "missing-codec", f"{path.name}: has channels of 16 bits in a layout that no decoder here takes; save it as grey."
        )
    transparent = image.info.get("transparency") if deep is not None else None
    if deep is None:
        image.load()
        pixels = np.asarray(image if mode in _GREY else image.convert("RGBA"))
        if mode in _GREY:
            pixels = pixels.astype(np.uint16 if format == "png" and mode == "I" else _GREY[mode], copy=False)
    else:
        pixels = _read_sixteen_bits(path, image.format, deep["channels"], deep["order"])
    if format == "png" and not (deep is None and mode in _GREY and "interlace" not in image.info and pixels[-1].any()):
        _require_rows(path, image)
    if transparent is not None and (pixels[..., :3] == np.asarray(transparent)).all(axis=-1).any():
        raise UnusableImage("not-greyscale", f"{path.name}: is see-through in places; save it without an alpha channel.")
    # Pillow mirrors such pictures of 8 bits, and leaves others as they are.
    if (mode.startswith("I;16") or mode == "F") and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        pixels = (pixels.max() if mode == "F" else np.iinfo(np.uint16).max) - pixels
    return pixels


def _layout(image: ImageFile) -> str:
    """Pillow's name of how the picture is stored."""
    if not image.tile:
        return ""
    options = image.tile[0].args
    return str(options[0] if isinstance(options, tuple) else options)


def _read_sixteen_bits(path: Path, format: str | None, channels: str, order: str) -> NDArray[np.uint16]:
    """A picture of 16 bits a channel, ``[rows, columns, 4]`` (grey is repeated, what has no opacity
    is opaque), from its high bytes and its low ones: Pillow has no type that holds both.
    """
    if channels == "LA":  # as long as RGBA of 8 bits
        pairs = _decode_as(path, format, "RGBA").view(">u2").astype(np.uint16)
        return pairs[..., [0, 0, 0, 1]]
    high, low = "BL" if order == "B" or (order == "N" and sys.byteorder == "big") else "LB"
    halves = [_decode_as(path, format, f"{channels};16{half}").astype(np.uint16) for half in (high, low)]
    colours = (halves[0] << 8 | halves[1]).astype(np.uint16)
    if channels == "RGBA":
        return colours
    return np.concatenate([colours, np.full((*colours.shape[:2], 1), np.iinfo(np.uint16).max, dtype=np.uint16)], axis=-1)


def _decode_as(path: Path, format: str | None, layout: str) -> NDArray[np.uint8]:
    """The picture decoded as if its bytes had another layout of the same size."""
    with path.open("rb") as stream, Image.open(stream, formats=[str(format)]) as image:
        image.tile = [
            tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)  # type: ignore[attr-defined]
            for tile in image.tile  # type: ignore[attr-defined]
        ]
        return np.array(image)


def _orientation(image: ImageFile) -> int:
    """The orientation tag; 1 (upright) where there is none, or none that can be read."""
    try:
        code = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # viewers pass over damaged Exif data, too
        return 1
    return code if isinstance(code, int) else 1


def _grey(pixels: NDArray[Any], name: str) -> NDArray[np.generic]:
    top = int(np.iinfo(pixels.dtype).max)
    if (pixels[..., 3] != top).any():
        raise UnusableImage("not-greyscale", f"{name}: is see-through in places; save it without an alpha channel.")
    return rgb_to_grey(pixels[..., :3], top, name)


def _require_rows(path: Path, image: Image.Image) -> None:
    """Compare the bytes of the picture with the rows that its header claims: the decoder silently
    leaves missing rows black, so that a last row with a grey level in it needs no look.
    """
    stored = path.read_bytes()
    depth, colour, interlaced = stored[24], stored[25], stored[28]
    columns, rows = image.size
    expected = rows * (-(-columns * _CHANNELS[colour] * depth // 8) + (0 if interlaced else 1))
    decompressor, filled, position = zlib.decompressobj(), 0, 8
    while position + 8 <= len(stored):
        length, kind = struct.unpack(">I4s", stored[position : position + 8])
        if kind == b"IDAT":
            filled += (
                len(decompressor.decompress(stored[position + 8 : position + 8 + length], expected - filled + 1))
                if filled < expected
                else 0
            )
        position += length + 12
    if filled < expected:
        raise UnusableImage("wrong-dimensions", f"{path.name}: its header claims {rows} rows, its bytes fill fewer; is it damaged?")
