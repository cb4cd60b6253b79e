"""One command goes from raw scanner files to figures, tables and a report; the broken knees are
accounted for.
"""

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from kneeoa.phantom.dicom import IDENTIFIERS
from tests.dag import planned, snakemake
from tests.end_to_end.conftest import SMALL
from tests.ingestion.search import bytes_of, words_in


@pytest.fixture(scope="module")
def results(finished: Path) -> Path:
    return finished / "results" / "small"


def test_every_figure_is_there_as_pdf_and_png(results: Path) -> None:
    names = {path.stem for path in (results / "figures").glob("*.png")}
    assert {"flow", "volumes", "learning", "roc", "reliability", "confusion", "forest", "axis", "saliency", "anatomy"} <= names
    for name in names:
        assert (results / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert (results / "figures" / f"{name}.pdf").read_bytes()[:4] == b"%PDF"


def test_the_report_is_one_file_that_needs_nothing_else(results: Path) -> None:
    text = (results / "report.html").read_text()
    assert text.count("data:image/png;base64,") >= 8
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "<script" not in text


def test_contrasts_begin_with_the_columns_of_the_contract(results: Path) -> None:
    table = pd.read_csv(results / "tables" / "contrasts.csv")
    assert list(table.columns[:13]) == [
        "backbone", "level", "metric", "reference", "candidate", "estimate_reference", "estimate_candidate",
        "difference", "low", "high", "p", "p_adjusted", "test",
    ]  # fmt: skip
    assert set(table["test"]) == {"delong", "mcnemar", "bootstrap"}
    defined = table.dropna(subset=["difference"])
    assert len(defined) > 0
    assert (defined["low"] <= defined["difference"]).all()
    assert (defined["difference"] <= defined["high"]).all()


def test_every_broken_knee_ends_as_planned_with_its_reason(results: Path) -> None:
    truth = pq.read_table(results / "truth" / "phantom.parquet").to_pandas()
    exclusions = pq.read_table(results / "splits" / "phantom.exclusions.parquet").to_pandas()
    analysed = set(pq.read_table(results / "splits" / "phantom.parquet").column("case_id").to_pylist())
    excluded = set(exclusions.loc[exclusions["scope"] == "case", "case_id"])
    expected = truth.dropna(subset=["expected_reason"])
    assert len(expected) >= 8
    actual = set(exclusions[["case_id", "stage", "scope", "reason"]].itertuples(index=False, name=None))
    planned = set(expected[["case_id", "expected_stage", "expected_scope", "expected_reason"]].itertuples(index=False, name=None))
    assert planned <= actual
    assert excluded == set(expected.loc[expected["expected_scope"] == "case", "case_id"]), "a good knee was lost"
    assert analysed | excluded == set(truth["case_id"])
    assert not analysed & excluded
    assert (exclusions["detail"].str.len() > 20).all()


def test_the_flow_adds_up(results: Path) -> None:
    flow = json.loads((results / "splits" / "phantom.flow.json").read_text())
    splits = pq.read_table(results / "splits" / "phantom.parquet").to_pandas()
    assert flow["found"]["cases"] == flow["analysed"]["cases"] + sum(row["cases"] for row in flow["excluded"])
    assert flow["analysed"]["cases"] == len(splits)
    assert splits.groupby("subject")["split"].nunique().max() == 1


def test_each_run_says_what_made_it(results: Path) -> None:
    run = json.loads((results / "runs" / "resnet3d-dual" / "seed-1" / "run.json").read_text())
    text = json.dumps(run)
    for word in ("code", "threads", "torch", "seed"):
        assert word in text


def test_trained_and_randomised_maps_are_held_against_the_same_nulls_on_the_same_cases(results: Path) -> None:
    """Two epochs teach nothing that could be asserted; where a network has learnt something,
    tests/unit/anatomy does.
    """
    sanity = pd.read_csv(results / "tables" / "sanity.csv")
    rows = sanity[(sanity["check"] == "enrichment") & (sanity["tissue"] == "cartilage") & (sanity["measure"] == "absolute_enrichment")]
    assert set(rows["arm"]) == {"resnet3d-single-oa", "resnet3d-single-kl", "resnet3d-dual", "m3t-dual"}
    for _, of_arm in rows.groupby("arm"):
        of_arm = of_arm.set_index("weights")
        assert set(of_arm.index) == {"trained", "heads", "half", "all"}
        assert of_arm["subjects"].nunique() == 1
        assert of_arm["null_mean"].between(0.8, 1.2).all()
        assert of_arm[["null_p", "others_mean", "others_p"]].notna().all(axis=None)
        randomised = of_arm.drop(index="trained")
        assert (randomised["difference"] - (of_arm.loc["trained", "estimate"] - randomised["estimate"])).abs().max() < 1e-9
        assert randomised["difference"].between(randomised["difference_low"], randomised["difference_high"]).all()
    assert "Random weights do not make a blank map" in (results / "report.html").read_text()


def test_no_identifier_of_a_header_reaches_an_output(results: Path) -> None:
    """The phantom's DICOM headers carry a planted person, place and private tag; only the raw files
    may hold them.
    """
    raw = [path.read_bytes() for path in (results / "phantom").rglob("001")]
    assert set().union(*(words_in(content, IDENTIFIERS) for content in raw)) == set(IDENTIFIERS)
    outputs = [path for path in results.rglob("*") if path.is_file() and path.relative_to(results).parts[0] != "phantom"]
    assert len(outputs) > 100
    assert [path for path in outputs if words_in(bytes_of(path), IDENTIFIERS)] == []


def test_a_second_run_has_nothing_to_do(finished: Path) -> None:
    run = snakemake(finished, "--cores", "2", *SMALL)
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout + run.stderr
    assert planned(finished, *SMALL) == []
