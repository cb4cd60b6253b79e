"""The table of chosen locations on tissues: every row in the CSV, means over seeds in print."""

from pathlib import Path

import numpy as np
import pandas as pd

from kneeoa.paper_tables.table_files import read_csv, write_table
from kneeoa.report.report_data import ReportData
from kneeoa.report.selection_sentences import selection_sentences
from kneeoa.tables.selections import SELECTION_SUMMARY
from tests.unit.figures import synthetic
from tests.unit.figures.test_selections import ARM, summary


def test_means_are_printed_by_cohort_and_tissue_and_the_csv_has_all(tmp_path: Path) -> None:
    rows = summary([ARM], ["oai", "most"])
    rows.loc[(rows["map"] == "map-4") & (rows["grade"] == 0), ["share", "difference", "low", "high"]] = np.nan
    SELECTION_SUMMARY.write(tmp_path / "s.parquet", pd.concat([rows, rows.assign(seed=1)]).astype({"seed": "Int32", "grade": "Int16"}))
    out = (tmp_path / "t.csv", tmp_path / "t.tex")
    write_table("selections", *out, selection_summary=tmp_path / "s.parquet", arms=synthetic.FACTORS)
    assert len(read_csv(out[0], SELECTION_SUMMARY)) == 2 * len(rows)
    text = out[1].read_text()
    headings = [f"{tissue}, chosen by the KL heads, {cohort}" for cohort in ("OAI", "MOST") for tissue in ("Joint", "Bone")]
    assert [heading for heading in headings if heading in text] == headings
    lines = [line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if line.startswith("ResNet3D")]
    assert len(lines) == len(rows)
    assert lines[0][:4] == ["ResNet3D", "Dual", "map 1: 32 of 2304", "all"]
    assert lines[0][6].startswith("+0.050 [0.000, 0.")
    hollow = [line for line in lines if line[2] == "map 4: 32 of 36, no claim"]
    assert len(hollow) == 4 * 6
    assert [line[6] for line in hollow if line[3] == "0"] == ["--"] * 4


def test_the_report_says_how_many_maps_differ_whichever_way() -> None:
    rows = summary([ARM], ["oai"]).assign(others_low=0.01)
    rows.loc[rows["map"] == "map-1", ["low", "high"]] = [-0.3, -0.1]
    evidence = ReportData(synthetic.FACTORS, {"selections": rows}, [], {}, 0.95)
    first, *rest = selection_sentences(evidence)
    assert first.startswith("Of the locations chosen by the KL heads, the share on joint (OAI) is higher than that of the same")
    assert "beyond its interval, in 2 and lower in 1 of 3 maps" in first
    assert first.endswith("higher than that of other subjects' selections in 3 and lower in 0.")
    assert rest[0] == "No claim is made of 1 map of which more than a quarter is chosen."
    silent = ReportData(synthetic.FACTORS, {"selections": rows.assign(claim=False)}, [], {}, 0.95)
    assert "no map's share on joint (OAI) can be told from chance" in selection_sentences(silent)[0]
