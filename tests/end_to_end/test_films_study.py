"""The small study of phantom radiographs from raw films to its report: another scanner's cohort is
tested once, masks, overlap and deletion are those of pictures, and a plug-in chooses locations.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from kneeoa.phantom.dicom import IDENTIFIERS
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS, TRUTH
from kneeoa.tables.part_predictions import PART_PREDICTIONS
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.saliency import ANATOMY, DELETION
from kneeoa.tables.selections import SELECTION_SUMMARY, SELECTIONS
from kneeoa.tables.shards import QUALITY
from tests.dag import copy_tree, snakemake

pytestmark = pytest.mark.slow

STUDY = "tests/small_films.yaml"
PLUGGED = "densenet121-dual-pim"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished study."""
    folder = copy_tree(tmp_path_factory.mktemp("films") / "clone")
    run = snakemake(folder, "--cores", "2", "--configfile", STUDY)
    assert run.returncode == 0, run.stderr[-4000:]
    return folder / "results" / yaml.safe_load((folder / STUDY).read_text())["study"]


def test_the_report_has_both_cohorts(results: Path) -> None:
    page = (results / "report.html").read_text()
    assert "Saliency on joint" in page
    assert set(ANATOMY.read(results / "anatomy" / "summary.parquet")["cohort"]) == {"oai", "most"}
    assert set(DELETION.read(results / "deletion" / "densenet121-dual" / "seed-1.parquet")["cohort"]) == {"oai", "most"}


def test_what_the_plugin_chose_is_measured_on_the_joint_and_shown(results: Path) -> None:
    chosen = SELECTIONS.read(results / "selections" / PLUGGED / "seed-1.parquet")
    tested = PREDICTIONS.read(results / "predictions" / PLUGGED / "seed-1.parquet").query("split == 'test'")
    assert set(zip(chosen["cohort"], chosen["case_id"], strict=True)) == set(zip(tested["cohort"], tested["case_id"], strict=True))
    summary = SELECTION_SUMMARY.read(results / "anatomy" / "selections.parquet")
    assert set(summary["cohort"]) == {"oai", "most"}
    assert set(summary["tissue"]) == {"joint", "bone"}
    assert {0, 4} <= set(summary["grade"].dropna())
    assert summary.groupby("map")["claim"].first().to_dict() == {"map-1": True, "map-2": True, "map-3": True, "map-4": False}
    assert summary.loc[summary["grade"].isna(), ["share", "difference", "low", "high", "others_difference"]].notna().all(axis=None)
    page = (results / "report.html").read_text()
    for words in (
        "Chosen locations over images",
        "Chosen locations on the joint",
        "Chosen locations on tissues",
        "These results choose nothing",
    ):
        assert words in page
    for name in ("selections", "selection_shares"):
        assert (results / "figures" / f"{name}.png").stat().st_size > 10_000


def test_the_answer_is_the_mean_of_the_parts_of_the_plugin(results: Path) -> None:
    parts = PART_PREDICTIONS.read(results / "parts" / PLUGGED / "seed-1.parquet")
    answers = PREDICTIONS.read(results / "predictions" / PLUGGED / "seed-1.parquet").query("level == head")
    key = ["cohort", "case_id", "level"]
    means = parts.groupby(key)["probabilities"].agg(lambda rows: np.mean(np.stack(rows), axis=0).tolist())
    expected = answers.set_index(key)["probabilities"].reindex(means.index)
    np.testing.assert_allclose(np.concatenate(means.to_list()), np.concatenate(expected.to_list()), atol=1e-6)


def test_the_external_cohort_is_tested_alone(results: Path) -> None:
    assert set(SPLITS.read(results / "splits" / "most.parquet")["split"]) == {"test"}
    predicted = PREDICTIONS.read(results / "predictions" / "densenet121-dual" / "seed-1.parquet")
    tested = predicted[predicted["split"] == "test"]
    truth = TRUTH.read(results / "truth" / "most.parquet")
    assert set(tested.loc[tested["cohort"] == "most", "case_id"]) == set(truth["case_id"])


def test_what_was_broken_ends_where_the_truth_says(results: Path) -> None:
    rows = EXCLUSIONS.read(results / "splits" / "oai.exclusions.parquet")
    reasons = {(row["case_id"], row["stage"], row["scope"], row["reason"]) for row in rows.to_dict("records")}
    broken = TRUTH.read(results / "truth" / "oai.parquet").dropna(subset=["expected_reason"])
    expected = {(row["case_id"], row["expected_stage"], row["expected_scope"], row["expected_reason"]) for row in broken.to_dict("records")}
    assert reasons == expected
    flow = json.loads((results / "splits" / "oai.flow.json").read_text())
    assert flow["cohort"] == "oai"


def test_every_sound_mask_is_accepted_and_drawn(results: Path) -> None:
    for cohort, subjects in (("oai", 20), ("most", 10)):
        table = QUALITY.read(results / "quality" / cohort / "pa.parquet")
        truth = TRUTH.read(results / "truth" / f"{cohort}.parquet")
        sound = truth.loc[truth["fault"].isna(), "case_id"]
        assert len(sound) == 2 * subjects
        usable = table.loc[table["case_id"].isin(sound), "mask_usable"]
        assert usable.all()
        assert (results / "quality" / cohort / "pa.pdf").stat().st_size > 10_000


def test_no_identifier_of_a_header_reaches_a_result(results: Path) -> None:
    raw = b"".join(path.read_bytes() for path in (results / "phantom" / "oai").rglob("001"))
    planted = [text.encode() for text in IDENTIFIERS if text.encode() in raw]
    assert planted
    for path in results.rglob("*"):
        if path.is_file() and path.relative_to(results).parts[0] != "phantom":
            content = path.read_bytes()
            assert not [text for text in planted if text in content], path
