"""Ten manual segmentations on OAI's grid: resampled there and back, measured, and held against
images painted over them and each other.
"""

import csv
import itertools
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.config.volumes import MaskChecks, View
from kneeoa.formats.read_volume import read_volume
from kneeoa.formats.volume import Affine, Volume
from kneeoa.masks.cartilage import bone_cartilage_interface, crop_to_cartilage, measure
from kneeoa.masks.cartilage_regions import measure_regions
from kneeoa.masks.edge_alignment import EdgeAlignment
from kneeoa.masks.label_resample import resample_labels
from kneeoa.masks.mask_acceptance import ReferenceImage, find_better_header, find_doubts, judge_mask
from kneeoa.masks.tissue_labels import image_grid, share_inside, tissue_values, to_tissues
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.intensity import scale_intensities
from tests.unit.formats.made import grid
from tests.unit.masks.painted import paint

ROOT = os.environ.get("KNEEOA_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(ROOT is None, reason="KNEEOA_REAL_DATA is not set")]

FOLDER = Path(ROOT or "") / "oai_masks"
MASKS = sorted(FOLDER.glob("*.nii.gz")) if ROOT else []
# Lesions belong to their bones.
TISSUES = {
    "femur": (1, 7),
    "femoral_cartilage": (2,),
    "tibia": (3, 8),
    "tibial_cartilage": (4,),
    "patella": (5, 9),
    "patellar_cartilage": (6,),
}
VALUES = tissue_values(TISSUES)
CARTILAGES = ("femoral_cartilage", "tibial_cartilage", "patellar_cartilage")
# How many of the other knees' masks each image is held against.
OTHERS = 4
CANONICAL = View(shape=(160, 256, 256), spacing=(0.7, 0.547, 0.547))


@cache
def mask(path: Path) -> Volume:
    return to_tissues(read_volume(path, "nifti"), TISSUES)


def grades() -> dict[str, str]:
    with (FOLDER / "labels.csv").open(newline="") as stream:
        return {row["file"]: row["kl"] for row in csv.DictReader(stream)}


def turned(mask_of_knee: Volume, codes: str, spacing: tuple[float, float, float], shape: tuple[int, int, int], tilt: float) -> Affine:
    """A grid about the map's middle, shifted by millimetres that are no whole voxels, its axes in
    another order, turned.
    """
    affine = grid(codes, spacing, tilt=tilt)
    middle = mask_of_knee.affine[:3, :3] @ ((np.array(mask_of_knee.array.shape) - 1) / 2) + mask_of_knee.affine[:3, 3]
    affine[:3, 3] = middle + np.array([3.3, -2.2, 1.7]) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def there_and_back(mask_of_knee: Volume, affine: Affine, shape: tuple[int, ...]) -> dict[str, float]:
    """Dice of each cartilage after the way to another grid and back."""
    labels = resample_labels(Volume(resample_labels(mask_of_knee, affine, shape), affine), mask_of_knee.affine, mask_of_knee.array.shape)
    dice = {}
    for name in CARTILAGES:
        before, after = mask_of_knee.array == VALUES[name], labels == VALUES[name]
        dice[name] = 2 * float((before & after).sum()) / float(before.sum() + after.sum())
    return dice


# Two every day, all ten with the slow tests: each takes a quarter of a minute.
@pytest.mark.parametrize(
    "path", [*MASKS[:2], *(pytest.param(path, marks=pytest.mark.slow) for path in MASKS[2:])], ids=lambda path: path.name[:7]
)
def test_resampled_there_and_back(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask_of_knee = mask(path)
    native = there_and_back(mask_of_knee, turned(mask_of_knee, "PRI", (0.3646, 0.7, 0.3646), (440, 200, 440), 12), (440, 200, 440))
    oblique = there_and_back(mask_of_knee, turned(mask_of_knee, "PRI", (0.547, 0.7, 0.547), (300, 200, 300), 12), (300, 200, 300))
    canonical = there_and_back(mask_of_knee, to_canonical(mask_of_knee, CANONICAL, "R").affine, CANONICAL.shape)
    with capsys.disabled():
        for name, overlaps in (
            ("native, 12 degrees", native),
            ("0.547 x 0.547 x 0.7 mm, 12 degrees", oblique),
            ("canonical grid", canonical),
        ):
            print(f"\n{path.name[:7]} by way of {name}: " + ", ".join(f"{tissue} {dice:.4f}" for tissue, dice in overlaps.items()), end="")
    assert min(native.values()) >= 0.975
    assert min(oblique.values()) >= 0.93
    assert min(canonical.values()) >= 0.93


@pytest.mark.parametrize("path", MASKS, ids=lambda path: path.name[:7])
def test_a_manual_segmentation_measures_like_a_knee(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = read_volume(path, "nifti")
    assert sorted(raw.array.shape) == [160, 384, 384]
    np.testing.assert_allclose(np.sort(raw.spacing), (0.3646, 0.3646, 0.7), atol=0.001)
    box = crop_to_cartilage(mask(path), VALUES)
    assert box is not None
    whole = measure(box, bone_cartilage_interface(box, VALUES), VALUES)
    assert find_doubts(1.0, EdgeAlignment(0.9, 0.9, 0.2), whole, MaskChecks()) == []
    regions_by_name = {region.name: region for region in measure_regions(mask(path), VALUES, np.array([1.0, 0, 0]))}
    with capsys.disabled():
        print(f"\n{path.name[:7]}, KL {grades()[path.name]}: {whole.volume:.0f} mm3, {whole.thickness:.2f} mm")
        for name, region in regions_by_name.items():
            numbers = f"{region.volume:6.0f} mm3, {region.thickness:.2f} mm, {region.area:5.0f} mm2, denuded {region.denuded:5.1f} mm2"
            print(f"  {name:27s} {numbers}")
    # Volumes and thicknesses of adult knees, healthy to worn (Eckstein et al. 2006, Osteoarthritis
    # Cartilage 14:974).
    limits = {"femoral": (6_000, 24_000, 1.2, 3.2), "tibial": (2_000, 9_000, 1.1, 3.2), "patellar": (1_000, 8_000, 1.2, 4.5)}
    for plate, (least, most, thin, thick) in limits.items():
        region = regions_by_name[f"{plate}_cartilage"]
        assert least < region.volume < most
        assert thin < (region.thickness or 0) < thick
        assert 0 <= (region.denuded or 0) < 0.35 * (region.area or 0)
    for plate in ("femoral", "tibial"):
        halves = [regions_by_name[f"{plate}_cartilage_{half}"].volume for half in ("medial", "lateral")]
        assert 0.35 < halves[0] / sum(halves) < 0.65
    if grades()[path.name] == "0":
        assert (regions_by_name["tibial_cartilage"].denuded or 0) < 40
    if grades()[path.name] == "4":
        assert (regions_by_name["tibial_cartilage_medial"].denuded or 0) > 100


def test_a_real_mask_keeps_its_volumes_on_a_coarser_grid() -> None:
    mask_of_knee = mask(MASKS[0])
    view = View(shape=(40, 96, 96), spacing=(2.8, 1.46, 1.46))
    canonical = to_canonical(mask_of_knee, view, "R")
    coarse = resample_labels(mask_of_knee, canonical.affine, view.shape)
    source = image_grid(canonical.affine, np.array(canonical.source_centre), canonical.source_shape, np.array(canonical.source_spacing))
    assert share_inside(mask_of_knee, source) > 0.999
    voxel, fine = np.prod(view.spacing), abs(np.linalg.det(mask_of_knee.affine[:3, :3]))
    for name, value in VALUES.items():
        assert (coarse == value).sum() * voxel == pytest.approx((mask_of_knee.array == value).sum() * fine, rel=0.08), name


def painted(path: Path, number: int) -> ReferenceImage:
    raw = read_volume(path, "nifti")
    image = paint(raw.array, raw.spacing, np.random.default_rng([4104, number]))
    canonical = to_canonical(Volume(image, raw.affine), CANONICAL, "R")
    source = image_grid(canonical.affine, np.array(canonical.source_centre), canonical.source_shape, np.array(canonical.source_spacing))
    return ReferenceImage(scale_intensities(canonical, CANONICAL.intensity).array.astype(np.float32), canonical.affine, source)


def middle(mask_of_knee: Volume) -> NDArray[np.float64]:
    box = crop_to_cartilage(mask_of_knee, VALUES)
    assert box is not None
    return np.asarray(bone_cartilage_interface(box, VALUES).points.mean(axis=0))


@pytest.mark.slow
@pytest.mark.long
def test_masks_of_other_real_knees_are_caught(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("good", "flipped", "axis-swapped", "another knee, as scanned", "another knee, centred")
    outcomes: dict[str, list[bool]] = {kind: [] for kind in kinds}
    checks, middles, mended = MaskChecks(), [middle(mask(path)) for path in MASKS], []
    for number, path in enumerate(MASKS):
        shown, mask_of_knee = painted(path, number), mask(path)
        outcomes["good"].append(bool(judge_mask(mask_of_knee, shown, VALUES, checks).doubts))
        for axis in range(3):
            wrong = Volume(np.flip(mask_of_knee.array, axis), mask_of_knee.affine)
            outcomes["flipped"].append(bool(judge_mask(wrong, shown, VALUES, checks).doubts))
        better = find_better_header(Volume(mask_of_knee.array, np.eye(4)), shown, VALUES, checks)
        mended.append(better is not None and np.allclose(better.affine, mask_of_knee.affine, atol=1e-3))
        for order in list(itertools.permutations(range(3)))[1:]:
            wrong = Volume(np.ascontiguousarray(mask_of_knee.array.transpose(order)), mask_of_knee.affine)
            outcomes["axis-swapped"].append(bool(judge_mask(wrong, shown, VALUES, checks).doubts))
        for other in (np.arange(number + 1, number + 1 + OTHERS)) % len(MASKS):
            foreign, moved = mask(MASKS[other]), mask(MASKS[other]).affine.copy()
            moved[:3, 3] += middles[number] - middles[other]
            outcomes["another knee, as scanned"].append(bool(judge_mask(foreign, shown, VALUES, checks).doubts))
            outcomes["another knee, centred"].append(bool(judge_mask(Volume(foreign.array, moved), shown, VALUES, checks).doubts))
    with capsys.disabled():
        print("\nreal masks doubted: " + ", ".join(f"{kind} {np.mean(better):.1%} of {len(better)}" for kind, better in outcomes.items()))
    assert np.mean(outcomes["good"]) <= 0.02
    assert np.mean(outcomes["flipped"] + outcomes["axis-swapped"]) >= 0.95
    assert np.mean(outcomes["another knee, as scanned"]) >= 0.80
    assert np.mean(outcomes["another knee, centred"]) >= 0.80
    assert all(mended)
