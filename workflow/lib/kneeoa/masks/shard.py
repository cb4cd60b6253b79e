"""The masks stage: bring one shard's masks to the grids of their volumes, each with the measures
that decide whether it is accepted.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import MaskChecks
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.read_volume import read_volume
from kneeoa.formats.volume import Volume
from kneeoa.ingestion.array_writer import open_rows, row_writer
from kneeoa.ingestion.shard_tables import exclusion_columns, shard_files
from kneeoa.masks.cartilage_regions import RegionMeasures, measure_regions
from kneeoa.masks.edge_alignment import EdgeAlignment
from kneeoa.masks.header_candidates import HeaderCandidate
from kneeoa.masks.label_resample import resample_labels
from kneeoa.masks.mask_acceptance import Judgement, ReferenceImage, advice, find_better_header, judge_mask
from kneeoa.masks.radiograph import align_picture_mask
from kneeoa.masks.tissue_labels import Tissues, image_grid, tissue_values, to_tissues
from kneeoa.radiographs.label_picture import read_label_picture
from kneeoa.radiographs.radiograph import DisplayTransform, Projection
from kneeoa.radiographs.read import read_radiograph
from kneeoa.tables.cohort import EXCLUSIONS
from kneeoa.tables.shards import CARTILAGE, MASKS, SHIFTS, VOLUMES

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlignedMask:
    """One mask on its volume's grid, with its judgement and measures.

    Attributes:
        array: uint8, stored values on the canonical grid.
        digest: SHA-256 of the mask's voxels and affine as they were read.
        judgement: its agreement with the image, and the doubts about it.
        repair: the affine that was used instead of the header's, if any.
        regions: its measures of cartilage, or of the joint space.
        shift: mm along each canonical axis by which the image's edges lie displaced from the mask
            as a whole; None where nothing was measured.
    """

    array: NDArray[np.uint8]
    digest: str
    judgement: Judgement
    repair: HeaderCandidate | None
    regions: list[RegionMeasures]
    shift: tuple[float | None, ...] = (None, None, None)


def make_masks(
    *,
    images: Path,
    root: Path,
    cohort: str,
    view_name: str,
    tissues: Tissues,
    checks: MaskChecks,
    volumes_array: Path,
    volumes_index: Path,
    shard: int,
    out_array: Path,
    out_index: Path,
    out_cartilage: Path,
    out_exclusions: Path,
) -> None:
    """Bring a shard's masks to the grids of their volumes: uint8 ``[rows, *shape]``, values by
    ``sorted(tissues)``, rows by ``case_id``.

    Every volume of the shard gets a mask, or a row of exclusions that says why not. A mask that was
    read but is not accepted keeps its row in the index (``usable`` false, with its flags) and has a
    row of exclusions too. Their scope is ``case`` where ``checks.required``, else ``mask``. A mask
    whose header was repaired is usable, and has a row of scope ``repair``.

    Raises:
        KneeoaError: a table or array is not valid, or the tissues contradict each other.
    """
    volumes = open_rows(volumes_array)
    index = VOLUMES.read(volumes_index).sort_values("case_id").to_dict("records")
    files, pictures = (shard_files(images, shard, view_name, role) for role in ("mask", "image"))
    scope = "case" if checks.required else "mask"
    rows: list[dict[str, Any]] = []
    measured: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    with row_writer(out_array, volumes.shape[1:], np.uint8) as writer:
        for volume in index:
            case_id = volume["case_id"]
            case = {"cohort": cohort, "case_id": case_id, "view": view_name}
            subject = case_id.rsplit("-", 2)[0]
            try:
                if case_id not in files:
                    raise UnusableImage("missing-mask", f"{case_id} has no mask of view '{view_name}' in the source.")
                record = {str(key): value for key, value in volume.items()}
                image = volumes[volume["row"]]
                aligned = _read_and_align(root, files[case_id], pictures[case_id], image, record, tissues, checks)
            except UnusableImage as error:
                excluded.append({**case, "subject": subject, **exclusion_columns("masks", scope, error.reason, error.detail)})
                _LOG.warning("%s: %s", case_id, error.detail)
                continue
            place = {"shard": shard, "row": writer.append(aligned.array), "digest": writer.digest}
            rows.append({**case, **place, **_index_columns(aligned)})
            measured += [{**case, **_region_columns(region)} for region in aligned.regions]
            for kind, reason, detail in _reasons(aligned, scope):
                excluded.append({**case, "subject": subject, **exclusion_columns("masks", kind, reason, detail)})
                _LOG.warning("%s: %s", case_id, detail)
    MASKS.write(out_index, rows)
    CARTILAGE.write(out_cartilage, measured)
    EXCLUSIONS.write(out_exclusions, excluded)
    lost = sum(row["scope"] != "repair" for row in excluded)
    _LOG.info("%s, %s, shard %d: %d masks, %d not usable", cohort, view_name, shard, len(rows), lost)


def _read_and_align(
    root: Path,
    file: dict[str, Any],
    source: dict[str, Any],
    image: NDArray[np.generic],
    volume: dict[str, Any],
    tissues: Tissues,
    checks: MaskChecks,
) -> AlignedMask:
    """Read and align one mask. As with images, an unforeseen error excludes this mask
    (``unexpected-error``) and does not stop the shard.
    """
    try:
        if image.ndim == 2:
            stored = read_label_picture(root / file["path"], file["format"])
            return _align_picture(stored, _display_of(root, source, volume), image, volume, tissues, checks)
        # Where the image's own header gave no orientation, so may the mask's.
        declared = volume["orientation"] if isinstance(volume["orientation"], str) else None  # an empty cell may be NaN
        mask = read_volume(root / file["path"], file["format"], orientation=declared)
        return align_mask(mask, image, volume, tissues, checks)
    except (KneeoaError, MemoryError, ImportError, OSError):
        raise
    except Exception as error:
        _LOG.error("%s while aligning %s, at:\n%s", type(error).__name__, file["path"], "".join(traceback.format_tb(error.__traceback__)))
        detail = f"{Path(file['path']).name}: {type(error).__name__} where none was foreseen; please report it with the log of this shard."
        raise UnusableImage("unexpected-error", detail) from error


def _display_of(root: Path, source: dict[str, Any], volume: dict[str, Any]) -> DisplayTransform:
    """The transform from the pixels of a radiograph's file, which its mask has, to the display."""
    # The columns of a frontal radiograph run across the patient.
    projection: Projection = "frontal" if volume["affine"][1] else "lateral"
    return read_radiograph(root / source["path"], source["format"], projection).turn


def _align_picture(
    stored: NDArray[np.generic],
    display: DisplayTransform,
    image: NDArray[np.generic],
    volume: dict[str, Any],
    tissues: Tissues,
    checks: MaskChecks,
) -> AlignedMask:
    """Bring the mask of a radiograph to its grid, judge and measure it."""
    aligned = align_picture_mask(stored, display, image, volume, tissues, checks)
    alignment = aligned.alignment or EdgeAlignment(0.5, float("nan"), float("nan"))
    shift: tuple[float | None, ...] = (None, None, None)
    if not aligned.measured:
        alignment = replace(alignment, offset=float("nan"), shift=None)
    if alignment.shift is not None:
        shift = (None, alignment.shift[1], -alignment.shift[2] if volume["mirrored"] else alignment.shift[2])
    judgement = Judgement(aligned.inside, alignment, None, aligned.doubts)
    return AlignedMask(aligned.array, Volume(stored[None], np.eye(4)).digest(), judgement, None, aligned.regions, shift)


def align_mask(mask: Volume, image: NDArray[np.generic], volume: dict[str, Any], tissues: Tissues, checks: MaskChecks) -> AlignedMask:
    """Bring one mask to its volume's grid: judge it, repair its header where that is asked for and
    proved, and measure it.

    Args:
        mask: as it was read.
        image: the canonical image, ``[i, j, k]``.
        volume: its row of the volumes' index.
        tissues: the tissues and their labels.
        checks: limits, and the settings of resampling and repair.

    Raises:
        UnusableImage: the mask is no label map.
    """
    values = tissue_values(tissues)
    affine = np.asarray(volume["affine"], dtype=np.float64).reshape(4, 4)
    source = image_grid(
        affine, np.asarray(volume["source_centre"]), tuple(volume["source_shape"]), np.asarray(volume["source_spacing"], dtype=np.float64)
    )
    picture = ReferenceImage(np.asarray(image, dtype=np.float32), affine, source)
    labels = to_tissues(mask, tissues)
    judgement, repair = judge_mask(labels, picture, values, checks), None
    if any(slug == "mask-misaligned" for slug, _ in judgement.doubts):
        candidate = find_better_header(labels, picture, values, checks)
        moved = Volume(labels.array, candidate.affine) if candidate is not None else labels
        repaired = judge_mask(moved, picture, values, checks) if candidate is not None and checks.repair == "header" else judgement
        # A repair that leaves other doubts proves nothing.
        if repaired.doubts:
            judgement.doubts.append(("mask-misaligned", advice(labels, picture, candidate)))
        else:
            labels, judgement, repair = moved, repaired, candidate
    lateral = affine[:3, 0] / np.linalg.norm(affine[:3, 0])
    if volume["case_id"].rsplit("-", 2)[1] == "L" and not volume["mirrored"]:
        lateral = -lateral
    array = resample_labels(labels, affine, image.shape, checks.interpolation)
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    moved_by = judgement.alignment.shift
    shift: tuple[float | None, ...] = (None, None, None) if moved_by is None else tuple((axes.T @ np.array(moved_by)).tolist())
    return AlignedMask(array, mask.digest(), judgement, repair, measure_regions(labels, values, lateral), shift)


def _index_columns(aligned: AlignedMask) -> dict[str, Any]:
    """The columns of the masks' index with a mask's measures."""
    judged = aligned.judgement
    slugs = list(dict.fromkeys(slug for slug, _ in judged.doubts))
    return {
        "source_digest": aligned.digest,
        "inside": judged.inside,
        "contrast": judged.alignment.contrast,
        "boundary": judged.alignment.boundary,
        "offset_mm": judged.alignment.offset,
        **dict(zip(SHIFTS, aligned.shift, strict=True)),
        "cartilage_mm3": judged.measures.volume if judged.measures else None,
        "cartilage_thickness_mm": judged.measures.thickness if judged.measures else None,
        "flags": slugs if aligned.repair is None else [*slugs, "mask-repaired"],
        "usable": not judged.doubts,
        "repair": None if aligned.repair is None else aligned.repair.slug,
    }


def _region_columns(region: RegionMeasures) -> dict[str, Any]:
    return {
        "region": region.name,
        "volume_mm3": region.volume,
        "thickness_mm": region.thickness,
        "narrowest_mm": region.narrowest,
        "area_mm2": region.area,
        "denuded_mm2": region.denuded,
    }


def _reasons(aligned: AlignedMask, scope: str) -> list[tuple[str, str, str]]:
    """Scope, slug and sentence of the exclusion row of a mask, if it has one."""
    doubts = aligned.judgement.doubts
    if doubts:
        return [(scope, doubts[0][0], " ".join(sentence for _, sentence in doubts))]
    if aligned.repair is not None:
        boundary = aligned.repair.alignment.boundary
        return [
            (
                "repair",
                "mask-repaired",
                f"the mask's header was not believed; it is taken {aligned.repair.words} ({boundary:.0%} on edges).",
            )
        ]
    return []
