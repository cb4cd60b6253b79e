"""Good masks are believed; flipped, displaced and foreign ones are not; a wrong header is named,
and mended where that is asked for.
"""

import itertools
from typing import Any, Literal

import numpy as np
import pytest

from kneeoa.config.volumes import MaskChecks
from kneeoa.formats.volume import LPS_TO_RAS, Volume
from kneeoa.masks.cartilage import CartilageMeasures
from kneeoa.masks.edge_alignment import NO_ALIGNMENT, EdgeAlignment
from kneeoa.masks.header_candidates import candidates, header_doubt
from kneeoa.masks.mask_acceptance import Judgement, ReferenceImage, advice, find_better_header, find_doubts, judge_mask
from kneeoa.masks.shard import AlignedMask, align_mask
from kneeoa.masks.tissue_labels import Grid, tissue_values, to_tissues
from tests.unit.formats.made import grid
from tests.unit.masks.joint import TISSUES, labels, picture

SHAPE = (36, 64, 56)
AFFINE = grid("RIP", (2.4, 1.5, 1.5), (-42, 44, 47))
GRID = Grid(SHAPE, AFFINE)
CARTILAGE = {name: value for name, value in TISSUES.items() if "cartilage" in name}
GOOD = CartilageMeasures(20_000, 2.4, (), True)
SURE = EdgeAlignment(0.9, 0.9, 0.3)
# A mask of its own: other axes, finer, cropped.
OWN = grid("PSL", (1.1, 1.2, 1.3), (38, -45, -40), tilt=3)
OWN[:3, 3] = -OWN[:3, :3] @ (np.array([79, 69, 59]) / 2) + [0, 0, 4]
OWN_SHAPE = (80, 70, 60)


def pictured(seed: int = 0, noise: float = 60.0) -> ReferenceImage:
    return ReferenceImage(picture(AFFINE, SHAPE, seed, noise=noise).astype(np.float32), AFFINE, GRID)


def judged(array: np.ndarray, tissues: dict[str, tuple[int, ...]], affine: np.ndarray = AFFINE, seed: int = 0) -> Judgement:
    mask = to_tissues(Volume(array, affine), tissues)
    return judge_mask(mask, pictured(seed), tissue_values(tissues), MaskChecks())


def slugs(judgement: Judgement) -> list[str]:
    return [slug for slug, _ in judgement.doubts]


def shifted(mm: tuple[float, float, float]) -> np.ndarray:
    moved = AFFINE.copy()
    moved[:3, 3] -= mm
    return labels(moved, SHAPE)


@pytest.mark.parametrize("tissues", [TISSUES, CARTILAGE])
@pytest.mark.parametrize("seed", range(2))
def test_a_good_mask_is_believed(tissues: dict[str, tuple[int, ...]], seed: int) -> None:
    result = judged(labels(AFFINE, SHAPE), tissues, seed=seed)
    assert slugs(result) == []
    assert result.alignment.contrast > 0.85
    assert result.alignment.boundary > 0.75
    finer = judged(labels(OWN, OWN_SHAPE), tissues, OWN, seed)
    assert slugs(finer) == []
    assert finer.alignment.offset < 1


BAD = {
    "upside down": labels(AFFINE, SHAPE)[:, ::-1],
    "mirrored": labels(AFFINE, SHAPE)[::-1],
    "back to front": labels(AFFINE, SHAPE)[:, :, ::-1],
    "another knee": labels(AFFINE, SHAPE, stretch=1.35),
    "a knee a little larger": labels(AFFINE, SHAPE, stretch=1.12),
    "5 mm along z": shifted((0, 0, 5)),
    "1 cm along x": shifted((10, 0, 0)),
    "1 cm along y": shifted((0, -10, 0)),
    "1 cm along z": shifted((0, 0, 10)),
    "1.5 cm aslant": shifted((8, 9, -9)),
    "3 cm aslant": shifted((17, 17, 17)),
    "far away": shifted((500, 0, 0)),
}


@pytest.mark.parametrize("tissues", [TISSUES, CARTILAGE])
@pytest.mark.parametrize("what", BAD)
def test_a_mask_that_does_not_belong_is_not_believed(what: str, tissues: dict[str, tuple[int, ...]]) -> None:
    result = judged(BAD[what], tissues)
    assert slugs(result)[:1] == ["mask-empty" if what == "far away" else "mask-misaligned"], result


@pytest.mark.parametrize("by", [(0.0, 0.0, 0.0), (2.4, 0.0, 0.0), (0.0, 1.5, 0.0), (0.0, 0.0, -1.5), (-1.2, 1.0, 0.8)])
def test_how_far_a_mask_lies_beside_its_edges_is_told_as_one_vector(by: tuple[float, float, float]) -> None:
    result = judged(shifted(by), TISSUES)
    assert result.alignment.shift is not None
    # The mask was moved by so much; its edges lie the other way.
    np.testing.assert_allclose(result.alignment.shift, -np.array(by), atol=0.5)
    assert NO_ALIGNMENT.shift is None


def test_the_verdict_does_not_depend_on_the_images_scale_or_offset() -> None:
    mask = to_tissues(Volume(labels(AFFINE, SHAPE), AFFINE), TISSUES)
    plain = pictured()
    scaled = ReferenceImage(plain.array / 350 - 2, AFFINE, GRID)
    result = [judge_mask(mask, one, tissue_values(TISSUES), MaskChecks()).alignment for one in (plain, scaled)]
    assert result[0].contrast == pytest.approx(result[1].contrast, abs=1e-4)
    assert result[0].boundary == pytest.approx(result[1].boundary, abs=0.01)


def test_dark_cartilage_is_a_choice() -> None:
    mask = to_tissues(Volume(labels(AFFINE, SHAPE), AFFINE), TISSUES)
    turned = ReferenceImage(-pictured().array, AFFINE, GRID)
    values = tissue_values(TISSUES)
    assert slugs(judge_mask(mask, turned, values, MaskChecks())) == ["mask-misaligned"]
    assert slugs(judge_mask(mask, turned, values, MaskChecks(cartilage="dark"))) == []


def test_an_image_of_noise_proves_nothing() -> None:
    mask = to_tissues(Volume(labels(AFFINE, SHAPE), AFFINE), TISSUES)
    noise = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    for array in (noise, np.zeros(SHAPE, np.float32)):
        result = judge_mask(mask, ReferenceImage(array, AFFINE, GRID), tissue_values(TISSUES), MaskChecks())
        assert slugs(result) == ["mask-misaligned"]
        assert result.alignment.boundary < 0.5


@pytest.mark.parametrize(
    ("inside", "agreement", "measures", "expected"),
    [
        (1.0, SURE, GOOD, []),
        (0.8, SURE, GOOD, ["mask-misaligned"]),
        (1.0, EdgeAlignment(0.55, 0.9, 0.3), GOOD, ["mask-misaligned"]),
        (1.0, EdgeAlignment(0.8, 0.69, 0.3), GOOD, ["mask-misaligned"]),
        (1.0, SURE, CartilageMeasures(20_000, 2.4, (), False), ["mask-misaligned"]),
        (1.0, SURE, CartilageMeasures(20_000, 2.4, ("tibial",), True), ["mask-incomplete"]),
        (1.0, SURE, CartilageMeasures(900, 2.4, (), True), ["mask-implausible"]),
        (1.0, SURE, CartilageMeasures(20_000, 9.0, (), True), ["mask-implausible"]),
        (0.0, NO_ALIGNMENT, CartilageMeasures(0, 0, ("femoral", "tibial"), True), ["mask-empty"]),
        (0.5, SURE, CartilageMeasures(900, 2.4, ("tibial",), True), ["mask-misaligned", "mask-incomplete", "mask-implausible"]),
    ],
)
def test_each_check_has_its_flag_worst_first(
    inside: float, agreement: EdgeAlignment, measures: CartilageMeasures, expected: list[str]
) -> None:
    assert [slug for slug, _ in find_doubts(inside, agreement, measures, MaskChecks())] == expected


def test_the_limits_are_the_configurations() -> None:
    checks = MaskChecks(minimum_inside=0.7, minimum_contrast=0.5, minimum_boundary=0.3)
    assert find_doubts(0.8, EdgeAlignment(0.55, 0.4, 1.0), GOOD, checks) == []
    # A mask that does not tell which side of cartilage lies on bone must have seven tenths of it.
    assert find_doubts(1.0, EdgeAlignment(0.9, 0.50, 1.0), GOOD, MaskChecks(), bone_side=False) == []
    assert find_doubts(1.0, EdgeAlignment(0.9, 0.48, 1.0), GOOD, MaskChecks(), bone_side=False) != []


def test_every_turn_and_flip_is_a_candidate_and_places_the_array_as_it_says() -> None:
    shape = (4, 5, 6)
    array = np.arange(120).reshape(shape)
    image = Grid((6, 4, 5), grid("RIP", (2, 1, 1.5), (3, 4, 5)))
    mask = Grid(shape, grid("LPS", (1, 1.1, 1.2), (9, 9, 9)))
    by_slug = {slug: affine for slug, _, affine in candidates(mask, image)}
    assert len(by_slug) == 47 + 8 + 1
    for order, flip in itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)):
        axes = "axes" + "".join(map(str, order)) if order != (0, 1, 2) else ""
        flips = "flip" + "".join(str(axis) for axis in range(3) if flip[axis]) if any(flip) else ""
        turned = array.transpose(order)[tuple(slice(None, None, -1 if one else 1) for one in flip)]
        for grid_slug, source in (("", mask), ("image-grid", image)):
            slug = "-".join(filter(None, (grid_slug, axes, flips)))
            if slug not in by_slug:
                assert slug == "" or turned.shape != image.shape
                continue
            index = np.argwhere(array == 77)[0]
            there = np.argwhere(turned == 77)[0]
            np.testing.assert_allclose(by_slug[slug] @ [*index, 1], source.affine @ [*there, 1], atol=1e-9)
    np.testing.assert_allclose(by_slug["lps"], LPS_TO_RAS @ mask.affine)


def test_odd_headers_are_told_without_looking_at_voxels() -> None:
    assert header_doubt(Grid(OWN_SHAPE, OWN), GRID) == ""
    assert header_doubt(GRID, GRID) == ""
    assert "identity" in header_doubt(Grid(OWN_SHAPE, np.eye(4)), GRID)
    moved = AFFINE.copy()
    moved[:3, 3] += 40
    assert "as many voxels as the image" in header_doubt(Grid(SHAPE, moved), GRID)
    assert "another order" in header_doubt(Grid(SHAPE[::-1], AFFINE), GRID)
    # The image's own grid in another order of axes, and a header that says so, is not odd.
    assert header_doubt(Grid(SHAPE[::-1], AFFINE[:, [2, 1, 0, 3]]), GRID) == ""


Wrong = tuple[np.ndarray, np.ndarray, str]


def wrong(what: str) -> Wrong:
    """A mask whose header is wrong: array, affine, and the slug of what mends it."""
    on_own_grid, native = labels(OWN, OWN_SHAPE), labels(AFFINE, SHAPE)
    return {
        "axis 1 flipped": (on_own_grid[:, ::-1], OWN, "flip1"),
        "two axes flipped": (on_own_grid[::-1, :, ::-1], OWN, "flip02"),
        "axes swapped": (on_own_grid.transpose(2, 1, 0), OWN, "axes210"),
        "axes turned and one flipped": (on_own_grid.transpose(1, 2, 0)[::-1], OWN, "axes201-flip1"),
        "millimetres of DICOM": (on_own_grid, LPS_TO_RAS @ OWN, "lps"),
        "saved without an affine": (native, np.eye(4), "image-grid"),
        "saved reversed without an affine": (native.transpose(2, 1, 0), np.eye(4), "image-grid-axes210"),
    }[what]  # fmt: skip


WRONG = ["axis 1 flipped", "two axes flipped", "axes swapped", "axes turned and one flipped", "millimetres of DICOM",
         "saved without an affine", "saved reversed without an affine"]  # fmt: skip


def aligned(array: np.ndarray, affine: np.ndarray, repair: Literal["never", "header"]) -> AlignedMask:
    index: dict[str, Any] = {
        "case_id": "1-R-00m",
        "affine": AFFINE.ravel(),
        "source_centre": (np.array(SHAPE) - 1) / 2,
        "source_shape": SHAPE,
        "source_spacing": (2.4, 1.5, 1.5),
        "mirrored": False,
    }
    return align_mask(Volume(np.ascontiguousarray(array), affine), pictured().array, index, TISSUES, MaskChecks(repair=repair))


@pytest.mark.parametrize("what", ["axis 1 flipped", "saved without an affine"])
def test_a_wrong_header_is_named(what: str) -> None:
    array, affine, _ = wrong(what)
    unrepaired = aligned(array, affine, "never")
    assert slugs(unrepaired.judgement)[0] == "mask-misaligned"
    assert unrepaired.repair is None
    assert "masks.repair: header" in unrepaired.judgement.doubts[-1][1]
    assert ("identity" in unrepaired.judgement.doubts[-1][1]) == ("without an affine" in what)


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_header_is_mended_on_request(what: str) -> None:
    array, affine, slug = wrong(what)
    mended = aligned(array, affine, "header")
    assert mended.judgement.doubts == []
    assert mended.repair is not None
    assert mended.repair.slug == slug
    # It lies where the joint is: as the truth on the canonical grid.
    truth = to_tissues(Volume(labels(AFFINE, SHAPE), AFFINE), TISSUES).array
    for value in (1, 4):
        both = 2 * ((mended.array == value) & (truth == value)).sum()
        assert both / ((mended.array == value).sum() + (truth == value).sum()) > 0.75


@pytest.mark.parametrize("repair", ["never", "header"])
def test_another_knees_mask_is_never_mended(repair: Literal["never", "header"]) -> None:
    result = aligned(labels(OWN, OWN_SHAPE, stretch=1.2), OWN, repair)
    assert result.repair is None
    assert slugs(result.judgement)[0] == "mask-misaligned"
    assert "another knee's" in result.judgement.doubts[-1][1]


def test_a_sound_mask_is_left_where_it_is_even_if_repairs_are_asked_for() -> None:
    result = aligned(labels(OWN, OWN_SHAPE), OWN, "header")
    assert result.repair is None
    assert result.judgement.doubts == []


def test_a_pose_is_not_chosen_among_equals() -> None:
    # A joint that is its own mirror image: either flip of a wrong mask would do, so neither is
    # taken.
    array = labels(AFFINE, SHAPE)
    array = np.concatenate([array[:18], array[17::-1]])
    image = np.array([300.0, 100, 900, 100, 900])[array] + np.random.default_rng(0).normal(0, 40, SHAPE)
    mask = to_tissues(Volume(np.ascontiguousarray(array[:, ::-1]), AFFINE), TISSUES)
    shown = ReferenceImage(image.astype(np.float32), AFFINE, GRID)
    candidate = find_better_header(mask, shown, tissue_values(TISSUES), MaskChecks())
    assert candidate is None
    empty = Volume(np.zeros(SHAPE, np.uint8), AFFINE)
    assert find_better_header(empty, shown, tissue_values(TISSUES), MaskChecks()) is None
    assert "No other reading" in advice(empty, shown, None)
