"""A mask's labels as tissues, and how much of them the image holds."""

import numpy as np
import pytest

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.volume import Segment, Volume
from kneeoa.masks.tissue_labels import Grid, Tissues, image_grid, joint_space_values, label_numbers, share_inside, tissue_values, to_tissues
from tests.unit.formats.made import grid
from tests.unit.masks.joint import TISSUES


def test_values_follow_the_sorted_names_and_other_labels_vanish() -> None:
    tissues = {"tibia": (3,), "femur": (1, 9), "cartilage": (2, 4)}
    assert tissue_values(tissues) == {"cartilage": 1, "femur": 2, "tibia": 3}
    array = np.array([0, 1, 2, 3, 4, 5, 9, 200], dtype=np.int16).reshape(1, 2, 4)
    expected = [0, 2, 1, 3, 1, 0, 2, 0]
    for kind in (np.int16, np.uint8, np.float32, np.int64):
        assert to_tissues(Volume(array.astype(kind), np.eye(4)), tissues).array.ravel().tolist() == expected
    assert to_tissues(Volume(array - np.int16(9), np.eye(4)), tissues).array.ravel().tolist() == [0] * 7 + [0]
    assert to_tissues(Volume(array == 1, np.eye(4)), tissues).array.sum() == 2


def test_fractions_are_no_labels_and_a_label_has_one_meaning() -> None:
    with pytest.raises(UnusableImage) as caught:
        to_tissues(Volume(np.full((2, 2, 2), 0.5), np.eye(4)), TISSUES)
    assert caught.value.reason == "not-a-label-map"
    with pytest.raises(KneeoaError, match="each label to one tissue"):
        to_tissues(Volume(np.zeros((2, 2, 2), np.uint8), np.eye(4)), {"a": (1,), "b": (1, 2)})


@pytest.mark.parametrize("labels", [4, 9, 25])
def test_labels_that_a_slope_left_beside_whole_numbers_are_those_numbers(labels: int) -> None:
    # As nibabel stores floating-point labels in a byte: a slope that spreads them over 0 to 255.
    true = np.arange(labels + 1).repeat(9).reshape(3, 3, -1)
    slope = labels / 255
    stored = np.rint(true / slope).astype(np.uint8)
    tissues = {f"tissue{label:02d}": (label,) for label in range(1, labels + 1)}
    for kind in (np.float32, np.float64):
        back = (stored * slope).astype(kind)
        assert not np.array_equal(back, true)
        np.testing.assert_array_equal(to_tissues(Volume(back, np.eye(4)), tissues).array, true)


@pytest.mark.parametrize("off", [0.1, 0.25, 0.5, -0.2])
def test_what_lies_between_labels_is_none(off: float) -> None:
    array = np.ones((3, 3, 3))
    array[1, 1, 1] += off
    with pytest.raises(UnusableImage) as caught:
        to_tissues(Volume(array, np.eye(4)), {"femur": (1,)})
    assert caught.value.reason == "not-a-label-map"


def drawn(*names: str, first: int = 1) -> tuple[Segment, ...]:
    """Segments as 3D Slicer numbers them: in the order in which they were drawn."""
    return tuple(Segment(name, value, "0") for value, name in enumerate(names, start=first))


CARTILAGES: Tissues = {"femoral_cartilage": (2,), "tibial_cartilage": (4,)}
EITHER: Tissues = {"femoral_cartilage": (2, "fc"), "tibial_cartilage": (4, "tc")}


@pytest.mark.parametrize(
    ("tissues", "segments", "expected"),
    [
        # Numbers do not count where segments are named as tissues are, whatever their case.
        (CARTILAGES, drawn("femoral cartilage", "tibial cartilage"), {"femoral_cartilage": (1,), "tibial_cartilage": (2,)}),
        (CARTILAGES, drawn("Tibial Cartilage", "Femoral-Cartilage"), {"femoral_cartilage": (2,), "tibial_cartilage": (1,)}),
        (CARTILAGES, drawn("femur", "TIBIAL_CARTILAGE", "femoral cartilage"), {"femoral_cartilage": (3,), "tibial_cartilage": (2,)}),
        # Names that the configuration gives, several of them for one tissue.
        (
            {"femoral_cartilage": ("FC",), "tibial_cartilage": ("MTC", "LTC")},
            drawn("LTC", "FC", "MTC"),
            {"femoral_cartilage": (2,), "tibial_cartilage": (3, 1)},
        ),
        # Numbers for files without names, names for the others.
        (EITHER, drawn("tc", "fc"), {"femoral_cartilage": (2,), "tibial_cartilage": (1,)}),
        (EITHER, (), {"femoral_cartilage": (2,), "tibial_cartilage": (4,)}),
        # What was not drawn is absent, as long as no segment could be it.
        (
            {**CARTILAGES, "patella": (5,)},
            drawn("tibial cartilage", "femoral cartilage"),
            {"femoral_cartilage": (2,), "tibial_cartilage": (1,), "patella": ()},
        ),
    ],
)
def test_segments_are_read_by_their_names(tissues: Tissues, segments: tuple[Segment, ...], expected: dict[str, tuple[int, ...]]) -> None:
    assert label_numbers(tissues, segments) == expected
    array = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    out = to_tissues(Volume(array, np.eye(4), segments=segments), tissues).array
    for name, labels in expected.items():
        np.testing.assert_array_equal(out == tissue_values(tissues)[name], np.isin(array, labels))


@pytest.mark.parametrize(
    ("tissues", "segments", "reason"),
    [
        (CARTILAGES, drawn("Segment_1", "Segment_2"), "unknown-segments"),
        (CARTILAGES, drawn("femoral cartilage", "tibia cart."), "unknown-segments"),
        ({"tibial_cartilage": (4, 5)}, drawn("medial tibial cartilage", "lateral tibial cartilage"), "unknown-segments"),
        ({"femoral_cartilage": ("fc",)}, drawn("femoral cartilage"), "unknown-segments"),
        ({"femoral_cartilage": ("fc",)}, (), "unknown-segments"),
        (CARTILAGES, (Segment("femoral cartilage", 1, "0"), Segment("tibial cartilage", 2, "1")), "layered-segmentation"),
        (CARTILAGES, (Segment("femoral cartilage", 1, "0"), Segment("tibial cartilage", None, "0")), "layered-segmentation"),
        (CARTILAGES, drawn("femoral cartilage", "Femoral Cartilage", "tibial cartilage"), "layered-segmentation"),
    ],
)
def test_segments_that_nobody_can_name_are_not_guessed(tissues: Tissues, segments: tuple[Segment, ...], reason: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        to_tissues(Volume(np.ones((2, 2, 2), np.uint8), np.eye(4), segments=segments), tissues)
    assert caught.value.reason == reason
    # Names in a file may be anybody's; they are not quoted.
    assert not any(segment.name in caught.value.detail for segment in segments if segment.name not in str(tissues).replace("_", " "))


def test_inside_is_the_share_in_the_image() -> None:
    affine = grid("RIP", (1, 1, 1))
    array = np.zeros((10, 10, 10), dtype=np.uint8)
    array[:8] = 1
    assert share_inside(Volume(array, affine), Grid((10, 10, 10), affine)) == 1
    assert share_inside(Volume(array, affine), Grid((4, 10, 10), affine)) == pytest.approx(4 / 8)
    moved = affine.copy()
    moved[:3, 3] += 4 * affine[:3, 0]
    assert share_inside(Volume(array, moved), Grid((10, 10, 10), affine)) == pytest.approx(6 / 8)
    assert share_inside(Volume(np.zeros((10, 10, 10), np.uint8), affine), Grid((10, 10, 10), affine)) == 0


def test_the_images_grid_follows_from_the_volumes_index() -> None:
    scanned = grid("RIP", (0.7, 0.36, 0.4), (5, -9, 30), tilt=8)
    shape = (160, 384, 352)
    canonical = scanned.copy()
    canonical[:3, :3] = scanned[:3, :3] * [2, 3, 2.5]
    canonical[:3, 3] = scanned[:3, :3] @ [20.0, 35, 11] + scanned[:3, 3]
    middle = scanned @ [*((np.array(shape) - 1) / 2), 1]
    centre = (np.linalg.inv(canonical) @ middle)[:3]
    result = image_grid(canonical, centre, shape, np.array([0.7, 0.36, 0.4]))
    assert result.shape == shape
    np.testing.assert_allclose(result.affine, scanned, atol=1e-9)


@pytest.mark.parametrize("most", [1, 4, 5, 9, 20])
def test_labels_that_went_through_a_slope_are_labels(most: int) -> None:
    labels = np.random.default_rng(2).integers(0, most + 1, (6, 7, 8))
    labels[0, 0, :2] = 0, most
    tissues = {f"label {label:02d}": (label,) for label in range(1, most + 1)}
    slope = np.float32(most / 255)
    scaled = np.rint(labels / slope).astype(np.uint8) * slope
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(to_tissues(Volume(scaled, np.eye(4)), tissues).array, labels)
    for spoiled in (labels + 0.1, labels * 0.9, np.where(labels == most, np.nan, labels)):
        with pytest.raises(UnusableImage) as caught, np.errstate(invalid="ignore"):
            to_tissues(Volume(spoiled, np.eye(4)), tissues)
        assert caught.value.reason == "not-a-label-map"


def test_joint_space_is_called_so_and_no_other_tissue_is() -> None:
    spaces = ["joint_space", "medial_joint_space", "joint-space-lateral", "tibiofemoral_joint_space_2"]
    others = ["joint_capsule", "joint_effusion", "popliteal_space", "joint_spaces", "adjoint_space", "space_of_joint", "joint_fat_space"]
    assert list(joint_space_values({name: value for value, name in enumerate(spaces + others, start=1)})) == spaces
