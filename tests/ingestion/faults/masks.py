"""Planted masks: of damaged files, on other grids (legal), and those that lie where they should
not.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.render import label_map
from kneeoa.phantom.grid import Grid
from kneeoa.phantom.plan import plan_cohort
from kneeoa.phantom.scan import make_anatomy, scan_image
from kneeoa.phantom.volume_files import write_metaimage, write_nifti
from tests.ingestion.faults.volume_bytes import nifti2_of, nifti_of

PHANTOM = Phantom(seed=12, subjects=4, both_knees=0.0, shape=(32, 96, 96), spacing=(3.4, 1.5, 1.5), faults=False, nifti=1.0)
_NOT_A_MASK = frozenset(
    {"unreadable", "not-a-label-map", "not-3d", "not-greyscale", "bad-affine", "non-finite", "missing-mask", "missing-file", "too-large"}
)
_UNNAMED = frozenset({"unknown-segments", "layered-segmentation"})
_MISPLACED = frozenset({"mask-misaligned", "mask-implausible", "mask-incomplete", "mask-empty"})


@dataclass(frozen=True)
class Scan:
    """A phantom knee and the grid of its image."""

    knee: Knee
    voxels: NDArray[np.uint16]
    grid: Grid

    def labels(self, grid: Grid) -> NDArray[np.uint8]:
        """The labels that somebody outlines, on any grid."""
        return label_map(self.knee, grid)


def scans() -> list[Scan]:
    """The knees, all of one person each."""
    planted_scans = []
    for planned in plan_cohort(PHANTOM, "masks"):
        grown = make_anatomy(planned, PHANTOM)
        planted_scans.append(Scan(grown, *scan_image(planned, grown, PHANTOM)))
    return planted_scans


PlantMask = Callable[[Path, Scan, Scan], None]
"""Writes ``<stem>.<suffix>`` for a scan; the second scan is another person's."""


@dataclass(frozen=True)
class PlantedMask:
    """A mask that must be believed (no ``reasons``: every cartilage overlaps with the truth by Dice
    ``dice`` at least) or be excluded.
    """

    family: str
    name: str
    plant: PlantMask
    reasons: frozenset[str] = frozenset()
    dice: float = 0.999

    def __str__(self) -> str:
        return f"mask: {self.family}: {self.name}"


def _on(grid_of: Callable[[Scan], Grid], write: Callable[[Path, NDArray[np.uint8], Grid], None] | None = None) -> PlantMask:
    def plant(stem: Path, scan: Scan, _: Scan) -> None:
        grid = grid_of(scan)
        (write or _nifti)(stem, scan.labels(grid), grid)

    return plant


def _nifti(stem: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
    write_nifti(stem.with_name(stem.name + ".nii.gz"), labels, grid)


def _mha(stem: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
    write_metaimage(stem.with_name(stem.name + ".mha"), labels, grid)


def _typed(dtype: str) -> Callable[[Path, NDArray[np.uint8], Grid], None]:
    return lambda stem, labels, grid: _bytes(stem, nifti_of(labels.astype(dtype), grid.affine))


def _scaled(stem: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
    """As nibabel writes labels that were numbers of floating point: bytes with a slope."""
    slope = float(labels.max()) / 255
    _bytes(stem, nifti_of(np.rint(labels / slope).astype("|u1"), grid.affine, scl_slope=slope))


def _bytes(stem: Path, content: bytes, suffix: str = ".nii.gz") -> None:
    stem.with_name(stem.name + suffix).write_bytes(gzip.compress(content, 1) if suffix.endswith("gz") else content)


def _same(scan: Scan) -> Grid:
    return scan.grid


def _turned(codes: str) -> Callable[[Path, NDArray[np.uint8], Grid], None]:
    """Return the voxels in another order of axes, with the header that says so."""

    def write(stem: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
        image = nibabel.Nifti1Image(labels, grid.affine)
        change = nibabel.orientations.ornt_transform(nibabel.io_orientation(grid.affine), nibabel.orientations.axcodes2ornt(codes))
        turned = image.as_reoriented(change)
        _bytes(stem, nifti_of(np.ascontiguousarray(turned.dataobj), turned.affine))

    return write


def _grid(scale: float, tilt: float, axes: str, away: tuple[float, float, float] = (0, 0, 0)) -> Callable[[Scan], Grid]:
    """Another grid around the image's middle: finer or coarser, turned by degrees about two
    axes.
    """

    def made(scan: Scan) -> Grid:
        middle = scan.grid.affine[:3, :3] @ ((np.asarray(scan.grid.shape) - 1) / 2) + scan.grid.affine[:3, 3] + away
        c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
        turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        spacing = 1.4 * scale
        shape = tuple(int(150 / spacing) for _ in range(3))
        return Grid.centred(middle, (shape[0], shape[1], shape[2]), (spacing,) * 3, axes, turn)

    return made


def _edited(edit: Callable[[NDArray[np.uint8]], NDArray[np.generic]]) -> PlantMask:
    """Other voxels under the same header."""
    return _on(_same, lambda stem, labels, grid: _bytes(stem, nifti_of(np.ascontiguousarray(edit(labels)), grid.affine)))


def _header(**fields: float) -> PlantMask:
    return _on(_same, lambda stem, labels, grid: _bytes(stem, nifti_of(labels, grid.affine, **fields)))


def _moved(by: tuple[float, float, float]) -> PlantMask:
    return _on(_same, lambda stem, labels, grid: _nifti(stem, labels, grid.translated(by)))


def _of_another(stem: Path, scan: Scan, other: Scan) -> None:
    """Another person's mask, moved so that the joints' grids share their middle: the hardest
    case.
    """
    labels = other.labels(other.grid)
    step = scan.grid.affine[:3, :3] @ ((np.asarray(scan.grid.shape) - 1) / 2) + scan.grid.affine[:3, 3]
    step = step - (other.grid.affine[:3, :3] @ ((np.asarray(other.grid.shape) - 1) / 2) + other.grid.affine[:3, 3])
    _nifti(stem, labels, other.grid.translated(step + np.array([0.0, 4.0, -6.0])))


def _elsewhere(stem: Path, _: Scan, other: Scan) -> None:
    _nifti(stem, other.labels(other.grid), other.grid.translated((0.0, -24.0, 30.0)))


def _cut(share: float) -> PlantMask:
    def plant(stem: Path, scan: Scan, _: Scan) -> None:
        content = gzip.compress(nifti_of(scan.labels(scan.grid), scan.grid.affine), 1)
        stem.with_name(stem.name + ".nii.gz").write_bytes(content[: int(len(content) * share)])

    return plant


def _relabelled(pairs: dict[int, int]) -> PlantMask:
    table = np.arange(256, dtype=np.uint8)
    for old, new in pairs.items():
        table[old] = new
    return _edited(lambda labels: table[labels])


_SEGMENTS = {1: "Femur", 2: "Femoral Cartilage", 3: "tibia", 4: "tibial-cartilage", 5: "PATELLA", 6: "patellar cartilage"}


def _slicer(order: tuple[int, ...], names: dict[int, str] | None = None) -> PlantMask:
    """A segmentation as 3D Slicer saves it: values in the order in which segments were drawn, under
    their names.
    """
    table = np.zeros(256, dtype=np.uint8)
    table[list(order)] = range(1, len(order) + 1)

    def write(stem: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
        columns = (np.diag([-1.0, -1.0, 1.0]) @ grid.affine[:3]).T
        vectors = ["(" + ",".join(f"{number:.6f}" for number in column) + ")" for column in columns]
        head = ["NRRD0004", "type: unsigned char", "dimension: 3", "space: left-posterior-superior"]
        head += [f"sizes: {' '.join(map(str, labels.shape))}", f"space directions: {' '.join(vectors[:3])}", f"space origin: {vectors[3]}"]
        head += ["kinds: domain domain domain", "endian: little", "encoding: gzip"]
        for number, old in enumerate(order):
            head += [f"Segment{number}_Name:={(names or _SEGMENTS)[old]}", f"Segment{number}_LabelValue:={number + 1}"]
            head += [f"Segment{number}_Layer:=0"]
        voxels = gzip.compress(table[labels].tobytes(order="F"))
        stem.with_name(stem.name + ".nrrd").write_bytes("\n".join([*head, "", ""]).encode() + voxels)

    return _on(_same, write)


_IDENTITY = {f"srow{row}{column}": float(row == column) for row in range(3) for column in range(4)} | {
    "pixdim1": 1.0,
    "pixdim2": 1.0,
    "pixdim3": 1.0,
}

CASES: list[PlantedMask] = [
    PlantedMask("sound mask", "on the image's grid", _on(_same)),
    PlantedMask("sound mask", "MetaImage", _on(_same, _mha)),
    *(PlantedMask("other grid", f"axes {codes}", _on(_same, _turned(codes))) for codes in ("RAS", "LPI", "SAL", "PIR", "ILA")),
    PlantedMask("other grid", "finer", _on(_grid(0.6, 0, "LPS")), dice=0.75),
    PlantedMask("other grid", "finer, turned by 12 degrees", _on(_grid(0.6, 12, "ASL")), dice=0.75),
    PlantedMask("other grid", "turned by 25 degrees, MetaImage", _on(_grid(0.7, 25, "RAS"), _mha), dice=0.75),
    *(PlantedMask("mask dtype", name, _on(_same, _typed(name))) for name in ("<i2", "<u2", "<i4", "<f4", "<f8", ">i2", "|i1")),
    PlantedMask("mask dtype", "NIfTI-2", _on(_same, lambda stem, labels, grid: _bytes(stem, nifti2_of(labels, grid.affine)))),
    PlantedMask("mask labels", "labels of other tissues too", _edited(lambda labels: np.where(labels == 0, np.uint8(9), labels))),
    PlantedMask("mask labels", "through a slope", _on(_same, _scaled)),
    PlantedMask("mask labels", "empty", _edited(np.zeros_like), _MISPLACED | _NOT_A_MASK),
    PlantedMask("mask labels", "bone alone", _relabelled({2: 0, 4: 0, 6: 0}), _MISPLACED),
    PlantedMask("mask labels", "femur and tibia exchanged", _relabelled({1: 3, 3: 1, 2: 4, 4: 2}), _MISPLACED),
    PlantedMask("mask labels", "bone and cartilage exchanged", _relabelled({1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5}), _MISPLACED),
    PlantedMask("mask labels", "probabilities", _edited(lambda labels: (labels / 7).astype("<f4")), _NOT_A_MASK),
    PlantedMask("mask labels", "NaN", _edited(lambda labels: np.where(labels == 2, np.nan, labels).astype("<f4")), _NOT_A_MASK),
    PlantedMask("mask labels", "negative", _edited(lambda labels: -labels.astype("<i2")), _MISPLACED | _NOT_A_MASK),
    PlantedMask("mask segments", "in the order of the labels", _slicer((1, 2, 3, 4, 5, 6))),
    PlantedMask("mask segments", "tibia drawn first", _slicer((3, 4, 1, 2, 5, 6))),
    PlantedMask("mask segments", "cartilage first, from below", _slicer((6, 4, 2, 5, 3, 1))),
    PlantedMask("mask segments", "without names", _slicer((1, 2, 3, 4, 5, 6), {n: f"Segment_{n}" for n in range(1, 7)}), _UNNAMED),
    PlantedMask("mask segments", "one name mistyped", _slicer((1, 2, 3, 4, 5, 6), _SEGMENTS | {4: "tibial cartilag"}), _UNNAMED),
    PlantedMask("mask segments", "two of one name", _slicer((1, 2, 3, 4, 5, 6), _SEGMENTS | {4: "Femoral Cartilage"}), _UNNAMED),
    PlantedMask("mask files", "half of it", _cut(0.5), _NOT_A_MASK),
    PlantedMask("mask files", "zero bytes", _cut(0), _NOT_A_MASK),
    PlantedMask("mask files", "none", lambda stem, scan, other: None, _NOT_A_MASK),
    PlantedMask("mask files", "NaN affine", _header(srow11=float("nan")), _NOT_A_MASK),
    PlantedMask("mask files", "singular affine", _header(srow00=0, srow10=0, srow20=0), _NOT_A_MASK),
    PlantedMask("mask files", "no orientation codes", _header(sform_code=0), _NOT_A_MASK),
    PlantedMask(
        "mask files",
        "a million cubed",
        _on(_same, lambda stem, labels, grid: _bytes(stem, nifti2_of(labels, grid.affine, shape=(10**6,) * 3))),
        _NOT_A_MASK,
    ),
    PlantedMask(
        "mask files",
        "4D, a volume for each tissue",
        _edited(lambda labels: np.stack([labels == 2, labels == 4], axis=-1).astype("u1")),
        _NOT_A_MASK,
    ),
    PlantedMask(
        "mask files",
        "the image in its place",
        lambda stem, scan, other: write_nifti(stem.with_name(stem.name + ".nii.gz"), scan.voxels.astype("<i2"), scan.grid),
        _MISPLACED | _NOT_A_MASK,
    ),
    PlantedMask("misplaced mask", "identity affine", _header(**_IDENTITY), _MISPLACED | {"bad-affine"}),
    *(
        PlantedMask("misplaced mask", f"flipped along axis {axis}", _edited(lambda labels, axis=axis: np.flip(labels, axis)), _MISPLACED)
        for axis in range(3)
    ),
    PlantedMask("misplaced mask", "rows and columns exchanged", _edited(lambda labels: labels.transpose(0, 2, 1)), _MISPLACED),
    PlantedMask("misplaced mask", "axes in reverse order", _edited(lambda labels: labels.transpose(2, 1, 0)), _MISPLACED),
    PlantedMask("misplaced mask", "10 mm to the side", _moved((10, 0, 0)), _MISPLACED),
    PlantedMask("misplaced mask", "10 mm to the front", _moved((0, 10, 0)), _MISPLACED),
    PlantedMask("misplaced mask", "10 mm up", _moved((0, 0, 10)), _MISPLACED),
    PlantedMask("misplaced mask", "100 mm up", _moved((0, 0, 100)), _MISPLACED),
    PlantedMask("another's mask", "in the middle of the image", _of_another, _MISPLACED),
    PlantedMask("another's mask", "elsewhere", _elsewhere, _MISPLACED),
]
