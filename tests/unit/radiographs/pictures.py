"""Pictures of 16 bits a channel, written by hand: Pillow writes none."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def deep_png(channels: NDArray[np.uint16], row_filter: int = 0, *, interlaced: bool = False, clear: tuple[int, ...] = ()) -> bytes:
    """A PNG of ``[rows, columns, 1 to 4]``; ``row_filter`` 0 (none), 1 (left) or 2 (above);
    ``clear``: the one colour that is see-through.
    """
    rows, columns, count = channels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 16, _COLOUR_TYPES[count], 0, 0, int(interlaced))
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    parts = [channels[row::down, column::across] for row, column, down, across in passes] if interlaced else [channels]
    voxels = b"".join(_filtered(part, row_filter) for part in parts if part.size)
    chunks = _chunk(b"IHDR", header) + (_chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear)) if clear else b"")
    return b"\x89PNG\r\n\x1a\n" + chunks + _chunk(b"IDAT", zlib.compress(voxels)) + _chunk(b"IEND", b"")


def _filtered(channels: NDArray[np.uint16], row_filter: int) -> bytes:
    stored = np.ascontiguousarray(channels.astype(">u2")).view(np.uint8).reshape(len(channels), -1)
    before = np.zeros_like(stored)
    if row_filter == 1:
        step = 2 * channels.shape[2]
        before[:, step:] = stored[:, :-step]
    elif row_filter == 2:
        before[1:] = stored[:-1]
    lines = np.insert(stored - before, 0, row_filter, axis=1)
    return lines.astype(np.uint8).tobytes()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def deep_tiff(
    channels: NDArray[Any], *, big: bool = False, photometric: int | None = None, orientation: int = 1, deflated: bool = False
) -> bytes:
    """A TIFF of ``[rows, columns, 1 or 3]`` in the type of its numbers, of either byte order."""
    order = ">" if big else "<"
    rows, columns, count = channels.shape
    cells = channels.astype(channels.dtype.newbyteorder(order)).tobytes()
    stored = zlib.compress(cells) if deflated else cells
    meaning = photometric if photometric is not None else 2 if count == 3 else 1
    bits = 8 * channels.dtype.itemsize
    kind = 3 if channels.dtype.kind == "f" else 1
    short, long, entries = 3, 4, 12
    start = 8 + 2 + 12 * entries + 4
    tags = [
        (256, short, 1, columns), (257, short, 1, rows), (258, short, count, start if count > 1 else bits),
        (259, short, 1, 8 if deflated else 1), (262, short, 1, meaning), (273, long, 1, start + 2 * count), (274, short, 1, orientation),
        (277, short, 1, count), (278, short, 1, rows), (279, long, 1, len(stored)), (284, short, 1, 1), (339, short, 1, kind),
    ]  # fmt: skip
    out = (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}IH", 8, len(tags))
    for tag, type_, size, value in tags:
        packed = struct.pack(f"{order}HH", value, 0) if type_ == short and size == 1 else struct.pack(f"{order}I", value)
        out += struct.pack(f"{order}HHI", tag, type_, size) + packed
    return out + struct.pack(f"{order}I", 0) + struct.pack(f"{order}{count}H", *[bits] * count) + stored
