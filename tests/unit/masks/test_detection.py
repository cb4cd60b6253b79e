"""Wrong masks are caught often enough, and good ones seldom: forty phantom knees, of other seeds
than the limits were chosen on.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.config.phantom import Phantom
from kneeoa.config.volumes import MaskChecks, View
from kneeoa.formats.volume import Volume
from kneeoa.masks.cartilage import bone_cartilage_interface, crop_to_cartilage
from kneeoa.masks.mask_acceptance import ReferenceImage, judge_mask
from kneeoa.masks.tissue_labels import Tissues, image_grid, tissue_values, to_tissues
from kneeoa.phantom.plan import plan_cohort
from kneeoa.phantom.scan import make_anatomy, make_mask, scan_image
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.intensity import scale_intensities

TISSUES = {
    "femoral_cartilage": (2,),
    "tibial_cartilage": (4,),
    "patellar_cartilage": (6,),
    "femur": (1,),
    "tibia": (3,),
    "patella": (5,),
}
VALUES = tissue_values(TISSUES)
CARTILAGE = {name: labels for name, labels in TISSUES.items() if "cartilage" in name}
CHECKS = MaskChecks()
Knee = tuple[str, ReferenceImage, Volume]

# What the default study makes of its knees, and something nearer to a scanner's grid.
COARSE = (Phantom(seed=4106, subjects=40, both_knees=0, faults=False), View(shape=(28, 44, 44), spacing=(3.6, 2.8, 2.8)))
FINE = (
    Phantom(seed=4102, subjects=40, both_knees=0, faults=False, shape=(72, 150, 150), spacing=(1.5, 0.95, 0.95), lesions=1.5),
    View(shape=(72, 120, 120), spacing=(1.6, 1.2, 1.2)),
)
# Little signal, strong bias, worn cartilage, effusions.
HARD = (
    Phantom(seed=4105, subjects=40, both_knees=0, faults=False, noise=0.12, bias=0.4, lesions=2, effect=1.5),
    View(shape=(40, 64, 64), spacing=(2.5, 1.9, 1.9)),
)


def knees(phantom: Phantom, view: View, tissues: Tissues = TISSUES) -> list[Knee]:
    """Side, image and mask of every knee of a phantom cohort, through the canonical grid."""
    cases = []
    for planned in plan_cohort(phantom, "detection"):
        grown = make_anatomy(planned, phantom)
        voxels, grid = scan_image(planned, grown, phantom)
        labels, volume = make_mask(planned, grown, grid, phantom)
        canonical = to_canonical(Volume(voxels.astype(np.int16), grid.affine), view, planned.side)
        source = image_grid(canonical.affine, np.array(canonical.source_centre), canonical.source_shape, np.array(canonical.source_spacing))
        shown = ReferenceImage(scale_intensities(canonical, view.intensity).array.astype(np.float32), canonical.affine, source)
        cases.append((planned.side, shown, to_tissues(Volume(labels, volume.affine), tissues)))
    return cases


def middle(mask: Volume, values: Mapping[str, int]) -> NDArray[np.float64]:
    box = crop_to_cartilage(mask, values)
    assert box is not None
    return np.asarray(bone_cartilage_interface(box, values).points.mean(axis=0))


def rates(cohort: list[Knee], others: int, values: Mapping[str, int] = VALUES) -> dict[str, float]:
    """Share of the masks of each kind that are doubted. Another knee is of the same side, once
    where its header puts it and once with its joint's middle moved onto this knee's.
    """

    def doubted(mask: Volume, shown: ReferenceImage) -> bool:
        return bool(judge_mask(mask, shown, values, CHECKS).doubts)

    verdicts: dict[str, list[bool]] = defaultdict(list)
    rng = np.random.default_rng(0)
    middles = [middle(mask, values) for _, _, mask in cohort]
    for number, (side, shown, mask) in enumerate(cohort):
        verdicts["good"].append(doubted(mask, shown))
        for axis in range(3):
            verdicts["flipped"].append(doubted(Volume(np.flip(mask.array, axis), mask.affine), shown))
        for order in list(itertools.permutations(range(3)))[1:]:
            verdicts["axis-swapped"].append(doubted(Volume(np.ascontiguousarray(mask.array.transpose(order)), mask.affine), shown))
        same = [other for other, knee in enumerate(cohort) if other != number and knee[0] == side]
        for other in rng.permutation(same)[:others]:
            moved = cohort[other][2].affine.copy()
            verdicts["another knee"].append(doubted(cohort[other][2], shown))
            moved[:3, 3] += middles[number] - middles[other]
            verdicts["another knee, centred"].append(doubted(Volume(cohort[other][2].array, moved), shown))
    return {kind: float(np.mean(flagged)) for kind, flagged in verdicts.items()}


def report(name: str, shares: dict[str, float]) -> str:
    return f"\n{name}: " + ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())


def check(shares: dict[str, float]) -> None:
    assert shares["good"] <= 0.02
    assert shares["flipped"] >= 0.95
    assert shares["axis-swapped"] >= 0.95
    assert shares["another knee"] >= 0.80
    assert shares["another knee, centred"] >= 0.80


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cohort"), [("coarse grid", COARSE), pytest.param("fine grid", FINE, marks=pytest.mark.long), ("hard images", HARD)]
)
def test_wrong_masks_are_caught_and_good_ones_pass(name: str, cohort: tuple[Phantom, View], capsys: pytest.CaptureFixture[str]) -> None:
    result = rates(knees(*cohort), others=2)
    with capsys.disabled():
        print(report(f"masks doubted, 40 phantom knees, {name}", result))
    check(result)


@pytest.mark.slow
@pytest.mark.long
def test_masks_without_bone_are_told_apart_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    result = rates(knees(*COARSE, CARTILAGE), 2, tissue_values(CARTILAGE))
    with capsys.disabled():
        print(report("masks without bone doubted, 40 phantom knees, coarse grid", result))
    check(result)
