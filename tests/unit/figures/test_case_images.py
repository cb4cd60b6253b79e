import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import saliency, volumes
from kneeoa.figures.case_images import PLANES, CaseArrays, examples, grades, largest_slice, plane_slice, slice_spacing, spacing
from kneeoa.ingestion.shard_list import list_shards
from kneeoa.tables.shards import MASKS, VOLUMES
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes

TISSUES = {"phantom": synthetic.TISSUES}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return synthetic.images(tmp_path_factory.mktemp("images"), shape=(16, 40, 40))


def arrays(paths):
    return [path.with_suffix(".npy") for path in paths]


def inputs(files):
    lists = [files[stage][0].with_name("shards.json") for stage in ("volumes", "masks")]
    for stage, out in zip(("volumes", "masks"), lists, strict=True):
        list_shards(arrays(files[stage]), files[stage], out)
    return ([lists[0]], [lists[1]], files["labels"], files["splits"])


def test_planes_stand_as_a_radiologist_expects():
    volume = np.zeros((3, 4, 5))  # medial-lateral, superior-inferior, anterior-posterior
    volume[2, 0, 4] = 1  # most lateral, most superior, most posterior
    sagittal, coronal, axial = PLANES
    assert plane_slice(volume, sagittal, 2)[0, 4] == 1  # top right: superior, posterior
    assert plane_slice(volume, coronal, 4)[0, 0] == 1  # top left: superior, lateral
    assert plane_slice(volume, axial, 0)[4, 0] == 1  # bottom left: posterior, lateral
    assert [slice_spacing((1.0, 2.0, 3.0), plane) for plane in PLANES] == [(2.0, 3.0), (2.0, 1.0), (3.0, 1.0)]


def test_slices_go_where_the_mask_is_largest():
    mask = np.zeros((5, 6, 7), dtype=bool)
    mask[3, 2:4, 1:6] = mask[1, 2, 2] = True
    assert [largest_slice(mask, mask.shape, axis) for axis in range(3)] == [3, 2, 2]
    assert largest_slice(None, (5, 6, 7), 0) == largest_slice(mask & False, (5, 6, 7), 0) == 2


def test_stacks_leave_out_unusable_masks_and_know_the_spacing(files):
    masks = CaseArrays(MASKS, arrays(files["masks"]), files["masks"], "sag_dess")
    images = CaseArrays(VOLUMES, arrays(files["volumes"]), files["volumes"], "sag_dess")
    assert len(images.cases()) == 20
    assert set(images.cases()) - set(masks.cases()) == {("phantom", "s001-R-00m")}
    assert spacing(images.record(images.cases()[0]), 3) == pytest.approx((3.5, 1.75, 1.75))
    assert CaseArrays(VOLUMES, arrays(files["volumes"]), files["volumes"], "pa").cases() == []


def test_an_array_shorter_than_its_index_is_said(files, tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((2, 4, 4, 4), dtype=np.float16))
    with pytest.raises(KneeoaError, match="holds 2 rows"):
        CaseArrays(VOLUMES, [tmp_path / "short.npy"], files["volumes"], "sag_dess")


def test_examples_spread_over_grades_and_prefer_cases_with_masks(files):
    graded = grades(files["labels"], files["splits"], "kl")
    cases = [(row.cohort, row.case_id) for row in graded.itertuples()]
    chosen = examples(graded, cases, cases[1:], 4)
    assert [grade for _, grade in chosen] == [0, 1, 3, 4]
    assert chosen[0][0] == cases[1]
    assert examples(pd.DataFrame({"cohort": [], "case_id": [], "grade": []}), cases, cases, 4) == []


def test_volumes_outline_every_tissue(files, tmp_path):
    volumes.draw(*inputs(files), TISSUES, "sag_dess", "kl", Figures(dpi=40, example_cases=2), tmp_path / "a.pdf", tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    images = CaseArrays(VOLUMES, arrays(files["volumes"]), files["volumes"], "sag_dess")
    masks = CaseArrays(MASKS, arrays(files["masks"]), files["masks"], "sag_dess")
    case = masks.cases()[0]
    shown = volumes.Example("KL 0", images.array(case), volumes.split_tissues(masks.array(case), synthetic.TISSUES), (3.5, 1.75, 1.75))
    figure = volumes.figure([shown], Figures())
    assert [axes.get_ylabel() for axes in figure.axes] == ["Sagittal", "Coronal", "Axial"]
    assert len(figure.axes[0].collections) == 2  # one contour a tissue
    assert figure.axes[1].get_aspect() == pytest.approx(1.75 / 3.5)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Femoral cartilage", "Tibial cartilage"]
    assert clashes(figure) == []


def test_a_two_dimensional_image_is_one_picture_without_a_mask():
    figure = volumes.figure([volumes.Example("KL 2", np.random.default_rng(0).normal(size=(20, 30)), {}, (0.5, 0.25))], Figures())
    assert len(figure.axes) == 1
    assert figure.axes[0].get_aspect() == pytest.approx(2)


def test_no_case_is_said(files, tmp_path):
    with pytest.raises(KneeoaError, match="no test case"):
        volumes.draw(*inputs(files), TISSUES, "pa", "kl", Figures(), tmp_path / "a.pdf", tmp_path / "a.png")


def test_saliency_rows_are_the_same_knees_for_every_mode_and_their_mean(files, tmp_path, monkeypatch):
    drawn = {}
    original = saliency.figure

    def spy(rows, columns, title, note, look, outlined):
        drawn.update(rows=rows, columns=columns, title=title, note=note, figure=original(rows, columns, title, note, look, outlined))
        return drawn["figure"]

    monkeypatch.setattr(saliency, "figure", spy)
    saliency.draw(
        arrays(files["saliency"]),
        files["saliency"],
        *inputs(files),
        synthetic.FACTORS,
        TISSUES,
        {"cartilage": synthetic.TISSUES},
        "sag_dess",
        "kl",
        Figures(dpi=40, example_cases=2),
        tmp_path / "a.pdf",
        tmp_path / "a.png",
    )
    assert drawn["title"] == "ResNet3D"
    assert [row.title for row in drawn["rows"]] == ["KL 0", "KL 4", "Mean of 20 knees"]
    assert all(set(row.maps) == set(synthetic.MODES) for row in drawn["rows"])
    assert drawn["rows"][0].maps["dual"].shape == (10, 10)  # the coarse grid, spread over the image's field
    assert drawn["columns"]["single_kl"] == "Single-KL\nexplains OA, read from KL"
    extents = {tuple(image.get_extent()) for axes in drawn["figure"].axes[:4] for image in axes.images}
    assert extents == {(-0.5, 39.5, 39.5, -0.5)}
    assert clashes(drawn["figure"]) == []


def test_display_scaling_ignores_negative_values_and_survives_a_zero_map():
    scaled = saliency.scaled_to_percentile(np.array([-5.0, 0.0, 1.0, 2.0]))
    assert scaled[0] == 0
    assert scaled.max() == 1
    assert saliency.scaled_to_percentile(np.zeros(4)).tolist() == [0, 0, 0, 0]


def test_a_backbone_that_was_not_explained_is_said(files, tmp_path):
    with pytest.raises(KneeoaError, match="backbone 'm3t'"):
        saliency.draw(
            arrays(files["saliency"]),
            files["saliency"],
            *inputs(files),
            synthetic.FACTORS,
            TISSUES,
            {},
            "sag_dess",
            "kl",
            Figures(),
            tmp_path / "a.pdf",
            tmp_path / "a.png",
            backbone="m3t",
        )
