"""The central part of an image, and the cells of a coarser grid that lie in it."""

from __future__ import annotations

import numpy as np
import pytest

from kneeoa.central_crop import Taken, central_window, check_crop


@pytest.mark.parametrize(
    ("shape", "crop", "starts"), [((510, 510), (384, 384), (63, 63)), ((9, 8), (4, 3), (2, 2)), ((5, 6, 7), (5, 6, 7), (0, 0, 0))]
)
def test_the_part_lies_in_the_middle(shape: tuple[int, ...], crop: tuple[int, ...], starts: tuple[int, ...]) -> None:
    assert central_window(shape, crop) == tuple(slice(first, first + size) for first, size in zip(starts, crop, strict=True))


@pytest.mark.parametrize(
    ("shape", "crop", "grid"),
    [((510, 510), (384, 384), (128, 128)), ((16, 16), (10, 9), (4, 5)), ((20, 30, 40), (4, 29, 40), (5, 7, 10)), ((8,), (2,), (8,))],
)
def test_cells_inside_hold_no_voxel_outside(shape: tuple[int, ...], crop: tuple[int, ...], grid: tuple[int, ...]) -> None:
    for whole, part, cells, window in zip(shape, central_window(shape, crop), grid, Taken(shape, crop).cells(grid), strict=True):
        edges = np.linspace(0, whole, cells + 1)
        inside = [cell for cell in range(cells) if edges[cell] >= part.start - 1e-9 and edges[cell + 1] <= part.stop + 1e-9]
        assert list(range(cells)[window]) == inside or (not inside and window.stop - window.start == 1)


@pytest.mark.parametrize(("crop", "message"), [((4,), "has 1 axes, but the images have 2"), ((4, 9), "larger than the images")])
def test_what_is_no_part_is_refused(crop: tuple[int, ...], message: str) -> None:
    check_crop((8, 8), (8, 8))
    with pytest.raises(ValueError, match=message):
        check_crop(crop, (8, 8))
