"""Flips and permutations: what the stored axes mean, and that the world stays where it was."""

import itertools

import numpy as np
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Volume
from kneeoa.volumes.orientation import LEFT_KNEE, RIGHT_KNEE, axis_codes, canonical_codes, reorient
from tests.unit.formats.made import grid, pattern, same_place

PAIRS = ("RL", "AP", "SI")
ALL = ["".join(signs) for axes in itertools.permutations(PAIRS) for signs in itertools.product(*axes)]


@pytest.mark.parametrize("codes", ALL)
def test_all_orientations_come_to_the_canonical_one_and_stay_in_place(codes: str) -> None:
    affine = grid(codes, (1.0, 2.0, 3.0), (5, 6, 7), tilt=15)
    volume = Volume(pattern((4, 5, 6)), affine)
    for target in (RIGHT_KNEE, LEFT_KNEE):
        result = reorient(volume, target)
        assert axis_codes(result) == target
        assert same_place(result, pattern((4, 5, 6)), affine, 1e-9)


def test_codes_name_where_an_index_increases_to() -> None:
    # A marker at the patient's right, foot and back; it must have the highest index along every
    # axis.
    array = np.zeros((4, 5, 6), dtype=np.int16)
    array[-1, 0, 0] = 1
    result = reorient(Volume(array, grid("RAS", (1, 1, 1))), RIGHT_KNEE)
    assert np.argwhere(result.array).tolist() == [[3, 5, 4]]


def test_a_left_knee_is_the_mirror_image_of_a_right_one() -> None:
    # Two knees that are mirror images about the patient's midline: stored, they are equal.
    affine = grid("RIP", (2.0, 1.0, 1.5), (40, 3, 4), tilt=0)
    right = Volume(pattern((4, 5, 6)), affine)
    left = Volume(pattern((4, 5, 6)), np.diag([-1.0, 1, 1, 1]) @ affine)
    stored_right, stored_left = (reorient(knee, canonical_codes(side)) for knee, side in ((right, "R"), (left, "L")))
    np.testing.assert_array_equal(stored_left.array, stored_right.array)
    np.testing.assert_allclose(stored_left.affine, np.diag([-1.0, 1, 1, 1]) @ stored_right.affine)
    assert np.linalg.det(stored_left.affine[:3, :3]) * np.linalg.det(stored_right.affine[:3, :3]) < 0


def test_a_knee_of_unknown_side_is_stored_as_a_right_one() -> None:
    assert canonical_codes(None) == canonical_codes("R") == RIGHT_KNEE != canonical_codes("L")


@pytest.mark.parametrize("shape", [(3, 3), (3, 3, 3, 3), (0, 3, 3)])
def test_only_three_axes_make_a_volume(shape: tuple[int, ...]) -> None:
    with pytest.raises(UnusableImage) as caught:
        Volume(np.zeros(shape), np.eye(4))
    assert caught.value.reason == "not-3d"


def test_the_digest_knows_voxels_affine_shape_and_type() -> None:
    base = Volume(pattern((4, 5, 6)), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 1e-6
    others = [
        Volume(base.array + np.int16(1), np.eye(4)),
        Volume(base.array, moved),
        Volume(base.array.reshape(6, 5, 4), np.eye(4)),
        Volume(base.array.astype(np.int32), np.eye(4)),
    ]
    assert len({volume.digest() for volume in [base, *others]}) == 5
    assert Volume(base.array.copy(), np.eye(4)).digest() == base.digest()
