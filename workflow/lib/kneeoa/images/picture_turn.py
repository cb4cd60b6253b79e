"""How a picture file says that it is to be turned before it is looked at: the orientation of its
eXIf data.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from kneeoa.images.radiograph import Turn

_ORIENTATION = 0x0112
_TURNS = {
    2: Turn(columns=True),
    3: Turn(rows=True, columns=True),
    4: Turn(rows=True),
    5: Turn(transposed=True),
    6: Turn(transposed=True, columns=True),
    7: Turn(transposed=True, rows=True, columns=True),
    8: Turn(transposed=True, rows=True),
}
"""By the tag's value (TIFF 6.0, Exif 2.32); 1 is as stored."""
_MARKS = (b"eXIf", b"Raw profile type")
"""What a PNG that holds eXIf data has in it; it may come after the pixels."""


def picture_turn(path: Path) -> Turn:
    """The turn that brings the pixels of a picture file to the display; none where it asks for
    none, or for one that does not exist.
    """
    try:
        with Image.open(path) as image:
            if image.format == "PNG":
                if not any(mark in path.read_bytes() for mark in _MARKS):
                    return Turn()
                image.load()
            return _TURNS.get(int(image.getexif().get(_ORIENTATION, 1)), Turn())
    except MemoryError:
        raise
    except Exception:  # damaged eXIf data say nothing; whether the picture is whole is asked elsewhere
        return Turn()
