"""Good masks are believed; flipped, displaced and foreign ones are not."""

import numpy as np
import pytest

from kneeoa.config.volumes import MaskChecks
from kneeoa.images.alignment import tissue_values, to_tissues
from kneeoa.images.cartilage import Measures, measure
from kneeoa.images.quality import Pose, flags, pose
from kneeoa.images.volume import Volume
from tests.unit.images.joint import TISSUES, labels, picture
from tests.unit.images.made import grid

SHAPE, SPACING = (36, 64, 56), np.array([2.4, 1.5, 1.5])
AFFINE = grid("RIP", (2.4, 1.5, 1.5), (-42, 44, 47))
CARTILAGE = {name: value for name, value in TISSUES.items() if "cartilage" in name}
GOOD = Measures(20_000, 2.4, (), True)


def judge(array: np.ndarray, tissues: dict[str, tuple[int, ...]], seed: int = 0) -> tuple[Pose, list[str]]:
    mask = to_tissues(Volume(array, AFFINE), tissues)
    values = tissue_values(tissues)
    found = pose(picture(AFFINE, SHAPE, seed).astype(np.float16), mask.array, SPACING, values)
    return found, [slug for slug, _ in flags(1.0, found, measure(mask, values), MaskChecks())]


def shifted(mm: tuple[float, float, float]) -> np.ndarray:
    moved = AFFINE.copy()
    moved[:3, 3] -= mm
    return labels(moved, SHAPE)


@pytest.mark.parametrize("tissues", [TISSUES, CARTILAGE])
@pytest.mark.parametrize("seed", range(2))
def test_a_good_mask_is_believed(tissues: dict[str, tuple[int, ...]], seed: int) -> None:
    found, slugs = judge(labels(AFFINE, SHAPE), tissues, seed)
    assert slugs == []
    assert found.contrast > 0.85
    assert found.contrast > found.elsewhere + 0.1


BAD = {
    "upside down": labels(AFFINE, SHAPE)[:, ::-1],
    "mirrored": labels(AFFINE, SHAPE)[::-1],
    "back to front": labels(AFFINE, SHAPE)[:, :, ::-1],
    "another knee": labels(AFFINE, SHAPE, stretch=1.35),
    "1 cm along x": shifted((10, 0, 0)),
    "1 cm along y": shifted((0, -10, 0)),
    "1 cm along z": shifted((0, 0, 10)),
    "1.5 cm aslant": shifted((8, 9, -9)),
    "3 cm aslant": shifted((17, 17, 17)),
}


@pytest.mark.parametrize("tissues", [TISSUES, CARTILAGE])
@pytest.mark.parametrize("what", BAD)
def test_a_mask_that_does_not_belong_is_not_believed(what: str, tissues: dict[str, tuple[int, ...]]) -> None:
    found, slugs = judge(BAD[what], tissues)
    assert slugs[:1] == ["mask-misaligned"], found


def test_the_verdict_does_not_depend_on_the_images_scale_or_offset() -> None:
    mask = to_tissues(Volume(labels(AFFINE, SHAPE), AFFINE), TISSUES).array
    image = picture(AFFINE, SHAPE).astype(np.float32)
    poses = [pose(scaled, mask, SPACING, tissue_values(TISSUES)) for scaled in (image, image / 350 - 2)]
    assert poses[0].contrast == pytest.approx(poses[1].contrast, abs=1e-6)


@pytest.mark.parametrize(
    ("inside", "found", "measures", "expected"),
    [
        (1.0, Pose(0.9, 0.6), GOOD, []),
        (0.8, Pose(0.9, 0.6), GOOD, ["mask-misaligned"]),
        (1.0, Pose(0.55, 0.5), GOOD, ["mask-misaligned"]),
        (1.0, Pose(0.8, 0.79), GOOD, ["mask-misaligned"]),
        (1.0, Pose(0.9, 0.6), Measures(20_000, 2.4, (), False), ["mask-misaligned"]),
        (1.0, Pose(0.9, 0.6), Measures(20_000, 2.4, ("tibial",), True), ["mask-incomplete"]),
        (1.0, Pose(0.9, 0.6), Measures(900, 2.4, (), True), ["mask-implausible"]),
        (1.0, Pose(0.9, 0.6), Measures(20_000, 9.0, (), True), ["mask-implausible"]),
        (0.0, Pose(0.5, 0.5), Measures(0, 0, ("femoral", "tibial"), True), ["mask-empty"]),
        (0.5, Pose(0.9, 0.6), Measures(900, 2.4, ("tibial",), True), ["mask-misaligned", "mask-incomplete", "mask-implausible"]),
    ],
)
def test_each_check_has_its_flag_worst_first(inside: float, found: Pose, measures: Measures, expected: list[str]) -> None:
    assert [slug for slug, _ in flags(inside, found, measures, MaskChecks())] == expected


def test_the_limits_are_the_configurations() -> None:
    assert flags(0.8, Pose(0.55, 0.4), GOOD, MaskChecks(minimum_inside=0.7, minimum_contrast=0.5)) == []


def test_a_grid_without_cartilage_says_nothing() -> None:
    empty = np.zeros(SHAPE, np.uint8)
    assert pose(picture(AFFINE, SHAPE).astype(np.float32), empty, SPACING, tissue_values(TISSUES)) == Pose(0.5, 0.5)
