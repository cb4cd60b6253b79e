"""Pages of quality control: thumbnails show what they should, pages are files of the right size,
equal input gives equal bytes.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kneeoa.atomic_io import sha256_file
from kneeoa.config.analysis import Figures
from kneeoa.figures import quality
from kneeoa.figures.quality import draw
from kneeoa.figures.thumbnails import SIZE, thumbnails
from kneeoa.tables.cohort import EXCLUSIONS
from kneeoa.tables.shards import CARTILAGE, MASKS, QUALITY, VOLUMES

SHAPE = (24, 40, 40)
TISSUES = ("femoral_cartilage", "femur", "tibial_cartilage")


def case(name: str) -> dict[str, Any]:
    return {"cohort": "main", "case_id": f"{name}-R-00m", "view": "sag"}


def files(folder: Path, cases: int, shape: tuple[int, ...] = SHAPE, *, masks: bool = True) -> dict[str, Any]:
    """Arrays and tables of a few cases: 0 flagged, 1 repaired, 2 without a mask, the others
    sound.
    """
    rng = np.random.default_rng(0)
    affine = np.diag([-3.0, -2.5, -2.5, 1])
    rows, marked, excluded = [], [], []
    for number in range(cases):
        keys = {**case(f"{number:04d}"), "shard": 0, "row": number, "digest": "", "source_digest": ""}
        space = {"source_shape": list(shape), "source_spacing": [2.0] * len(shape), "source_centre": [0.0] * len(shape)}
        rows.append(
            {**keys, **space, "affine": affine.ravel().tolist(), "mirrored": False, "low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}
        )
        if masks and number != 2:
            flags = {0: ["mask-misaligned"], 1: ["mask-repaired"]}.get(number, [])
            measures = {
                "inside": 1.0,
                "contrast": 0.9,
                "boundary": 0.9,
                "offset_mm": 0.1,
                "cartilage_mm3": 2e4,
                "cartilage_thickness_mm": 2.0,
            }
            marked.append(
                {**keys, "row": len(marked), **measures, "flags": flags, "usable": number != 0, "repair": "lps" if number == 1 else None}
            )
    if masks:
        excluded.append(
            {**case("0000"), "subject": "0000", "stage": "masks", "scope": "mask", "reason": "mask-misaligned", "detail": "no."}
        )
    VOLUMES.write(folder / "v.parquet", rows)
    MASKS.write(folder / "m.parquet", marked)
    CARTILAGE.write(folder / "c.parquet", [])
    EXCLUSIONS.write(folder / "e.parquet", excluded)
    np.save(folder / "v.npy", rng.normal(size=(cases, *shape)).astype(np.float16))
    stored = np.zeros((len(marked), *shape), dtype=np.uint8)
    if masks:
        stored[:, 6:18, 15:18, 10:30], stored[:, 6:18, 20:23, 10:30] = 1, 3
    np.save(folder / "m.npy", stored)
    has = {"mask_arrays": [folder / "m.npy"], "mask_indices": [folder / "m.parquet"], "cartilage": [folder / "c.parquet"]}
    return {
        "volume_arrays": [folder / "v.npy"],
        "volume_indices": [folder / "v.parquet"],
        **(has if masks else {key: [] for key in has}),
        "exclusions": [folder / "e.parquet"],
        "tissues": TISSUES if masks else (),
        "cohort": "main",
        "view": "sag",
        "cases": 1000,
        "figures": Figures(),
    }


def run(folder: Path, given: dict[str, Any], name: str = "q") -> tuple[Path, Path, Path]:
    out = tuple(folder / f"{name}.{suffix}" for suffix in ("parquet", "pdf", "png"))
    draw(**given, out_table=out[0], out_pdf=out[1], out_png=out[2])
    return out[0], out[1], out[2]


def pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))


def test_a_thumbnail_shows_three_planes_and_the_outline() -> None:
    image = np.zeros((40, 60, 50), dtype=np.float16)
    image[10:20, 20:40, 15:30] = 1
    mask = np.zeros(image.shape, dtype=np.uint8)
    mask[10:20, 20:40, 15:30] = 3
    red = (255, 0, 0)
    drawn = thumbnails(image, mask, (2.0, 1.5, 1.5), {3: red})
    assert [picture.shape for picture in drawn] == [(SIZE, SIZE, 3)] * 3
    for picture, (down, across) in zip(drawn, ((30, 22.5), (30, 20), (22.5, 20)), strict=True):
        edge = (picture == red).all(axis=2)
        white = (picture == 255).all(axis=2)
        rows, columns = np.flatnonzero(edge.any(axis=1)), np.flatnonzero(edge.any(axis=0))
        # 115 mm over 128 pixels, the mask's middle in the middle.
        assert rows[-1] - rows[0] + 1 == pytest.approx(down / 115 * SIZE, abs=2)
        assert columns[-1] - columns[0] + 1 == pytest.approx(across / 115 * SIZE, abs=2)
        assert (rows[0] + rows[-1]) / 2 == pytest.approx((SIZE - 1) / 2, abs=1.5)
        assert (columns[0] + columns[-1]) / 2 == pytest.approx((SIZE - 1) / 2, abs=1.5)
        # The outline lies on the picture of the same thing.
        assert white[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1].all()
        assert not white[: rows[0] - 1].any()


def test_a_flat_image_is_one_thumbnail_and_no_mask_no_outline() -> None:
    flat = np.tile(np.linspace(0, 1, 30, dtype=np.float32), (60, 1))
    drawn = thumbnails(flat, None, (float("nan"), float("nan")), {1: (255, 0, 0)})
    assert len(drawn) == 1
    picture = drawn[0].astype(int)
    assert (picture[..., 0] == picture[..., 2]).all()
    assert picture[SIZE // 2, SIZE // 2 + 25, 0] > picture[SIZE // 2, SIZE // 2 - 25, 0] + 100
    volume = np.random.default_rng(0).normal(size=(10, 12, 14)).astype(np.float16)
    assert all((one[..., 0] == one[..., 1]).all() for one in thumbnails(volume, None, (3, 3, 3), {1: (255, 0, 0)}))


def test_the_mask_of_a_radiograph_is_outlined_on_it() -> None:
    flat = np.full((60, 60), 5.0)
    flat[::7] = 9.0
    mask = np.zeros((60, 60), dtype=np.uint8)
    mask[20:40, 10:50] = 2
    (drawn,) = thumbnails(flat, mask, (1.0, 1.0), {2: (255, 0, 0)})
    red = (drawn == (255, 0, 0)).all(axis=-1)
    rows, columns = np.nonzero(red)
    scale = SIZE / 60
    assert (rows.min(), rows.max()) == (pytest.approx(20 * scale, abs=2), pytest.approx(40 * scale, abs=2))
    assert (columns.min(), columns.max()) == (pytest.approx(10 * scale, abs=2), pytest.approx(50 * scale, abs=2))
    assert not red[round(30 * scale), round(30 * scale)], "an outline, not an area"


def test_a_page_frames_what_is_flagged_and_leaves_no_trace_of_time(tmp_path: Path) -> None:
    given = files(tmp_path, 7)
    table, pdf, png = run(tmp_path, given)
    rows = QUALITY.read(table)
    assert len(rows) == 7
    assert rows["page"].notna().all()
    assert pages(pdf) == 1
    picture = np.asarray(Image.open(png).convert("RGB")).astype(int)
    red = (np.abs(picture - [204, 51, 17]).max(axis=2) < 12).sum()
    orange = (np.abs(picture - [238, 119, 51]).max(axis=2) < 12).sum()
    assert red > 3 * SIZE  # a frame and its words
    assert orange > 3 * SIZE
    again = run(tmp_path, given, "again")
    assert [sha256_file(one) for one in (table, pdf, png)] == [sha256_file(one) for one in again]
    assert b"CreationDate" not in pdf.read_bytes()


def test_a_declared_orientation_is_asked_of_the_first_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = files(tmp_path, 7)
    plain = Image.open(run(tmp_path, given)[2])
    rows = VOLUMES.read(tmp_path / "v.parquet")
    VOLUMES.write(tmp_path / "v.parquet", rows.assign(orientation=[None] * 5 + ["PIR", None]))
    drawn: list[list[str]] = []
    asked: list[Sequence[str]] = []
    page = quality._page

    def noted(cells: Any, title: str, colours: Any, figures: Figures, questions: Sequence[str]) -> Any:
        listed = list(cells)
        drawn.append([row["case_id"] for row, _ in listed])
        asked.append(questions)
        return page(iter(listed), title, colours, figures, questions)

    monkeypatch.setattr(quality, "_page", noted)
    picture = Image.open(run(tmp_path, given, "declared")[2])
    assert drawn[0][0] == "0005-R-00m"
    assert sorted(drawn[0]) == [f"{number:04d}-R-00m" for number in range(7)]
    assert "of 1 case is" in asked[0][0]
    assert "declares PIR" in asked[0][0]
    assert "'cohorts.main.orientation'" in asked[0][1]
    assert len(asked[0]) == 2
    assert picture.size[0] == plain.size[0]
    assert picture.size[1] > plain.size[1]
    # Room for the two lines: nothing runs out of the page, or into the pictures.
    red = np.abs(np.asarray(picture.convert("RGB")).astype(int) - [204, 51, 17]).max(axis=2) < 60
    columns, rows_of_text = np.flatnonzero(red[84:132].any(axis=0)), np.flatnonzero(red[84:134].any(axis=1))
    assert columns[0] < 40
    assert 600 < columns[-1] < picture.size[0] - 10
    assert 30 < rows_of_text[-1] < 48


@pytest.mark.parametrize(("beside", "asked"), [(0, False), (2, False), (4, True)])
def test_masks_that_lie_beside_their_edges_as_a_whole_are_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, beside: int, asked: bool
) -> None:
    given = files(tmp_path, 7)
    masks = MASKS.read(tmp_path / "m.parquet")
    assert masks["usable"].sum() == 5
    by = [2.8 if row in (1, 2, 3, 4)[:beside] else 0.1 for row in range(len(masks))]
    MASKS.write(tmp_path / "m.parquet", masks.assign(shift_slices_mm=by, shift_rows_mm=-0.2, shift_columns_mm=0.1))
    with caplog.at_level("WARNING"):
        table = QUALITY.read(run(tmp_path, given)[0])
    assert (table["flags"].map(lambda flags: "mask-shifted" in flags)).sum() == beside
    assert ("4 of 5 masks lie about a voxel beside" in caplog.text) == asked
    assert ("2.8, 0.2, 0.1 mm" in caplog.text) == asked


def test_pages_are_capped_but_the_table_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kneeoa.masks.quality_ranking", "kneeoa.figures.quality"):
        monkeypatch.setattr(f"{module}.PER_PAGE", 5)
    given = files(tmp_path, 12, (8, 10, 10)) | {"cases": 9}
    table, pdf, _ = run(tmp_path, given)
    assert pages(pdf) == 2
    assert len(QUALITY.read(table)) == 12


@pytest.mark.parametrize("shape", [SHAPE, (40, 40)])
def test_a_cohort_without_masks_and_a_flat_view_have_pages_too(tmp_path: Path, shape: tuple[int, ...]) -> None:
    _, pdf, png = run(tmp_path, files(tmp_path, 3, shape, masks=False))
    assert pages(pdf) == 1
    assert Image.open(png).size[0] > 500


def test_an_empty_cohort_has_an_empty_page(tmp_path: Path) -> None:
    table, pdf, _ = run(tmp_path, files(tmp_path, 0, masks=False))
    assert len(QUALITY.read(table)) == 0
    assert pages(pdf) == 1
