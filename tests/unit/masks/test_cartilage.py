"""Cartilage measured: names, sides, thickness of layers whose thickness is known, denuded bone of
known area, halves.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.formats.volume import Volume
from kneeoa.masks.cartilage import CartilageMeasures, bone_cartilage_interface, crop_to_cartilage, measure
from kneeoa.masks.cartilage_regions import RegionMeasures, measure_regions, midline
from kneeoa.masks.tissue_labels import bone_values, bones_under, cartilage_sides, cartilage_values, to_tissues
from tests.unit.formats.made import grid, world
from tests.unit.masks.joint import TISSUES, labels

VALUES = {"femoral_cartilage": 1, "femur": 2, "patella": 3, "tibia": 4, "tibial_cartilage": 5}
LATERAL = np.array([1.0, 0, 0])
KNEE = {"patella": 1, "patellar_cartilage": 2}
RADIUS, WIDE = 22.0, 55.0


def measured(mask: Volume, values: dict[str, int]) -> CartilageMeasures:
    box = crop_to_cartilage(mask, values)
    return measure(box, bone_cartilage_interface(box, values) if box else None, values)


def layer(
    thick: float, spacing: tuple[float, float, float], *, concave: bool = False, hole: float = 0.0, slit: float = 0.0, seed: int = 0
) -> Volume:
    """A cap of cartilage, 55 degrees about an arbitrary axis, on a ball of bone (or in a hollow);
    ``hole``: half the angle (degrees) of a round gap in it; ``slit``: mm, width of a gap that runs
    30 degrees inwards from its edge.
    """
    reach = RADIUS + (6 if not concave else 4)
    shape = tuple(int(np.ceil(2 * reach / step)) for step in spacing)
    rng = np.random.default_rng(seed)
    affine = grid("PIR", spacing, tilt=float(rng.uniform(0, 40)))
    axes = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2 + rng.random(3)) + affine[:3, 3]
    away = world(affine, shape) - middle
    distance = np.maximum(np.linalg.norm(away, axis=-1), 1e-6)

    def angle(axis: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.degrees(np.arccos(np.clip(away @ axis / distance, -1, 1)))

    def beside(degrees: float) -> NDArray[np.float64]:
        return np.cos(np.radians(degrees)) * axes[:, 0] + np.sin(np.radians(degrees)) * axes[:, 1]

    covered = (angle(axes[:, 0]) < WIDE) & (angle(beside(20)) >= hole)
    covered &= ~((np.abs(away @ axes[:, 2]) < slit / 2) & (away @ axes[:, 1] > 0) & (angle(axes[:, 0]) > WIDE - 30))
    array = np.zeros(shape, dtype=np.uint8)
    if concave:
        array[distance > RADIUS] = 1
        array[(distance <= RADIUS) & (distance > RADIUS - thick) & covered] = 2
    else:
        array[distance < RADIUS] = 1
        array[(distance >= RADIUS) & (distance < RADIUS + thick) & covered] = 2
    return Volume(array, affine)


def cap(degrees: float) -> float:
    """Area of the bone within an angle."""
    return float(2 * np.pi * RADIUS**2 * (1 - np.cos(np.radians(degrees))))


def test_names_tell_cartilage_bone_and_side() -> None:
    assert cartilage_values(VALUES) == {"femoral_cartilage": 1, "tibial_cartilage": 5}
    assert bone_values(VALUES) == {"femur": 2, "patella": 3, "tibia": 4}
    assert cartilage_sides(VALUES) == {"femoral": [1], "tibial": [5]}
    assert cartilage_sides({"medial_tibial_cartilage": 1, "lateral_tibial_cartilage": 2}) == {"tibial": [1, 2]}
    assert cartilage_sides({"cartilage": 1}) == {}
    assert bones_under("femoral_cartilage", VALUES) == [2]
    assert bones_under("medial_tibial_cartilage", VALUES) == [4]
    assert bones_under("cartilage", VALUES) == [2, 3, 4]
    assert bones_under("cartilage", {"cartilage": 1}) == []


@pytest.mark.parametrize("thick", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("concave", [False, True])
def test_the_thickness_and_area_of_a_curved_layer(thick: float, concave: bool) -> None:
    mask = layer(thick, (0.7, 0.36, 0.36), concave=concave, seed=int(10 * thick))
    measured_region = measure_regions(mask, KNEE, LATERAL)[0]
    assert measured_region.thickness == pytest.approx(thick, rel=0.05)
    assert measured_region.area == pytest.approx(cap(WIDE), rel=0.06)
    assert measured_region.volume == pytest.approx((mask.array == 2).sum() * 0.7 * 0.36 * 0.36)
    assert measured_region.denuded == 0
    assert measured(mask, KNEE).thickness == pytest.approx(thick, rel=0.05)
    # Without bone in the mask: less exact, as rims count.
    assert measured(mask, {"patellar_cartilage": 2}).thickness == pytest.approx(thick, rel=0.1)


@pytest.mark.parametrize("spacing", [(0.7, 0.36, 0.36), (1.4, 0.9, 0.9)])
@pytest.mark.parametrize("hole", [10.0, 16.0, 25.0])
def test_bone_laid_bare_inside_a_plate_has_its_area(spacing: tuple[float, float, float], hole: float) -> None:
    measured_region = measure_regions(layer(2.0, spacing, hole=hole), KNEE, LATERAL)[0]
    # Holes of 46, 118 and 285 mm2; the first two by the closing (less than 10 mm wide or not), the
    # last enclosed.
    assert measured_region.denuded == pytest.approx(cap(hole), rel=0.12)


def test_a_gap_that_opens_at_the_edge_counts_where_it_is_narrow_and_a_ragged_edge_does_not() -> None:
    length = RADIUS * np.radians(30)
    narrow, wide = (measure_regions(layer(2.0, (0.7, 0.36, 0.36), slit=width), KNEE, LATERAL)[0] for width in (4.0, 14.0))
    assert narrow.denuded == pytest.approx(4.0 * length, rel=0.15)
    assert wide.denuded is not None
    assert wide.denuded < 0.2 * 14 * length
    ragged = layer(2.0, (0.7, 0.36, 0.36))
    rng = np.random.default_rng(1)
    ragged.array[(ragged.array == 2) & (rng.random(ragged.array.shape) < 0.02)] = 0
    assert measure_regions(ragged, KNEE, LATERAL)[0].denuded == 0


def test_hollows_of_the_bone_are_no_bare_bone_and_a_voxel_between_the_outlines_is_no_gap() -> None:
    mask = layer(2.0, (0.7, 0.36, 0.36))
    middle = np.array(mask.array.shape) // 2
    mask.array[tuple(slice(place - 8, place + 8) for place in middle)] = 0
    whole = measure_regions(mask, KNEE, LATERAL)[0]
    assert whole.denuded == 0
    # Take the cartilage's lowest voxel layer away: outlines drawn apart.
    bone = mask.array == 1
    beside = np.zeros_like(bone)
    for axis in range(3):
        beside |= np.roll(bone, 1, axis) | np.roll(bone, -1, axis)
    apart = np.where(beside & (mask.array == 2), 0, mask.array).astype(np.uint8)
    measured_region = measure_regions(Volume(apart, mask.affine), KNEE, LATERAL)[0]
    assert measured_region.area == pytest.approx(whole.area, rel=0.03)
    assert measured_region.denuded == 0


@pytest.mark.parametrize("layers", [2, 4, 7])
@pytest.mark.parametrize("axis", [1, 2])
def test_the_thickness_and_volume_of_a_plate_without_bone(layers: int, axis: int) -> None:
    array = np.zeros((40, 60, 60), dtype=np.uint8)
    index: list[slice] = [slice(5, 35), slice(5, 55), slice(5, 55)]
    index[axis] = slice(20, 20 + layers)
    array[tuple(index)] = 1
    measured_region = measured(Volume(array, grid("LPS", (0.7, 0.4, 0.4), (9, 9, 9), tilt=20)), {"femoral_cartilage": 1})
    assert measured_region.volume == pytest.approx(array.sum() * 0.7 * 0.4 * 0.4)
    assert measured_region.thickness == pytest.approx(layers * 0.4, abs=0.1)


def test_halves_lie_on_their_sides_of_the_spines_and_add_up() -> None:
    affine = grid("RIP", (1.2, 0.8, 0.8), (-42, 44, 47))
    mask = to_tissues(Volume(labels(affine, (72, 120, 112)), affine), TISSUES)
    values = {"femoral_cartilage": 1, "femur": 2, "tibia": 3, "tibial_cartilage": 4}
    assert midline(mask, values, LATERAL) == pytest.approx(0, abs=1.5)
    measured_region = {region.name: region for region in measure_regions(mask, values, LATERAL)}
    assert list(measured_region) == [f"{plate}_cartilage{half}" for plate in ("femoral", "tibial") for half in ("", "_medial", "_lateral")]
    for plate in ("femoral_cartilage", "tibial_cartilage"):
        whole, medial, lateral = (measured_region[plate + half] for half in ("", "_medial", "_lateral"))
        assert whole.volume == pytest.approx(medial.volume + lateral.volume)
        assert whole.area == pytest.approx((medial.area or 0) + (lateral.area or 0))
        assert whole.thickness == pytest.approx(3.0, rel=0.15)
    # The lateral condyle of the toy joint is the larger one; turned about, the halves change
    # places.
    assert measured_region["femoral_cartilage_lateral"].volume > measured_region["femoral_cartilage_medial"].volume
    turned = {region.name: region for region in measure_regions(mask, values, -LATERAL)}
    assert turned["femoral_cartilage_medial"].volume == pytest.approx(measured_region["femoral_cartilage_lateral"].volume, rel=0.08)


def test_named_halves_stay_whole_and_missing_cartilage_has_no_thickness() -> None:
    affine = grid("RIP", (1.2, 0.8, 0.8), (-42, 44, 47))
    mask = to_tissues(Volume(labels(affine, (72, 120, 112)), affine), TISSUES)
    values = {"medial_tibial_cartilage": 4, "lateral_tibial_cartilage": 9, "tibia": 3}
    measured_region = measure_regions(mask, values, LATERAL)
    assert [region.name for region in measured_region] == ["lateral_tibial_cartilage", "medial_tibial_cartilage"]
    assert measured_region[0] == RegionMeasures("lateral_tibial_cartilage", 0.0, None, None, None)
    assert measured_region[1].volume > 0
    bare = measure_regions(mask, {"tibial_cartilage": 4}, LATERAL)
    assert {region.area for region in bare} == {None}
    assert bare[0].volume == pytest.approx(bare[1].volume + bare[2].volume)


def test_missing_sides_and_upside_down_masks_are_told() -> None:
    affine = grid("RIP", (2, 1.5, 1.5), (-40, 45, 50))
    mask = to_tissues(Volume(labels(affine, (40, 64, 60)), affine), TISSUES)
    values = {"femoral_cartilage": 1, "femur": 2, "tibia": 3, "tibial_cartilage": 4}
    good = measured(mask, values)
    assert good.missing == ()
    assert good.femur_above_tibia
    assert not measured(Volume(mask.array[:, ::-1], affine), values).femur_above_tibia
    half = mask.array.copy()
    half[half == 4] = 0
    assert measured(Volume(half, affine), values).missing == ("tibial",)
    assert measured(Volume(half, affine), values).femur_above_tibia
    empty = measured(Volume(np.zeros((3, 3, 3), np.uint8), affine), values)
    assert (empty.volume, empty.thickness, empty.missing) == (0, 0, ("femoral", "tibial"))
