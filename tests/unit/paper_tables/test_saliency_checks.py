"""The tables that say whether maps tell of the network: sanity checks and deletion."""

from typing import Any

import pandas as pd
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.table_files import write_table
from kneeoa.tables.saliency import DELETION_SUMMARY, SANITY
from tests.unit.figures import synthetic


@pytest.fixture
def out(tmp_path):
    return tmp_path / "t.csv", tmp_path / "t.tex"


COUNTS = {"cases": 12, "subjects": 10, "seeds": 2, "note": ""}


def sanity(check: str, **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(SANITY.schema.names) | COUNTS | {"study": "s", "check": check, "cohort": "phantom", "method": "smoothgrad_input"}
    return row | {"arm": "m3t-dual", "weights": "all", "measure": "spearman", "low": 0.1, "high": 0.3, "estimate": 0.2} | values


def enriched(**values: Any) -> dict[str, Any]:
    levels = {
        "tissue": "cartilage",
        "measure": "absolute_enrichment",
        "null_mean": 1.0,
        "null_p": 0.0001,
        "others_mean": 1.7,
        "others_p": 0.02,
    }
    return sanity("enrichment", **levels | values)


def checks() -> list[dict[str, Any]]:
    gain = {"difference": 1.1, "difference_low": 0.9, "difference_high": 1.3, "p": 0.002}
    return [
        sanity("repeatability", weights="trained", estimate=0.6, low=0.5, high=0.7, reference=0.45),
        sanity("randomised"),
        sanity("randomised", weights="heads", estimate=0.9, low=None, high=None),
        enriched(weights="trained", estimate=2.9, low=2.7, high=3.1),
        enriched(estimate=1.8, low=1.7, high=1.9, **gain),
        enriched(weights="trained", measure="enrichment", estimate=9.0),
        enriched(measure="enrichment", estimate=8.0, **gain),
        enriched(arm="resnet3d-dual", weights="trained", estimate=2.5),  # without its randomised half: not printed
    ]


def test_sanity_keeps_every_row_and_prints_three_tables(tmp_path, out):
    SANITY.write(tmp_path / "s.parquet", checks())
    write_table("sanity", *out, sanity=tmp_path / "s.parquet", arms=synthetic.FACTORS)
    written = pd.read_csv(out[0])
    assert len(written) == len(checks())
    assert list(written.columns) == SANITY.schema.names
    text = out[1].read_text()
    assert text.count(r"\begin{tabular}") == 3
    assert text.index("& heads & Spearman & 0.90") < text.index("& all & Spearman & 0.20 [0.10, 0.30]")  # from the output inwards
    assert "& 0.60 [0.50, 0.70] & 0.45" in text
    assert "12 cases of 10 subjects, 2 seeds." in text


def test_trained_and_randomised_enrichment_share_a_line_with_their_difference(tmp_path, out):
    SANITY.write(tmp_path / "s.parquet", checks())
    write_table("sanity", *out, sanity=tmp_path / "s.parquet", arms=synthetic.FACTORS)
    lines = [line for line in out[1].read_text().splitlines() if "& cartilage &" in line]
    assert len(lines) == 1  # both signs alone, and only where both halves are known
    cells = [cell.strip() for cell in lines[0].removesuffix(r"\\").split("&")]
    assert cells[4:] == ["2.90 [2.70, 3.10]", "$<$.001", "1.70", "1.80 [1.70, 1.90]", "$<$.001", "1.70", "+1.10 [0.90, 1.30]", ".002"]
    assert "Random weights do not make a blank map" in out[1].read_text()


def test_a_study_without_checks_gives_empty_tables(tmp_path, out):
    SANITY.write(tmp_path / "s.parquet", [])
    write_table("sanity", *out, sanity=tmp_path / "s.parquet")
    assert len(pd.read_csv(out[0])) == 0
    assert r"\begin{tabular}" not in out[1].read_text()


def deleted(region: str, reference: str | None = None, **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(DELETION_SUMMARY.schema.names) | COUNTS | {"study": "s", "arm": "m3t-dual", "cohort": "phantom", "measure": "drop"}
    return row | {"region": region, "reference": reference, "estimate": 0.5, "low": 0.3, "high": 0.7} | values


def test_deletion_prints_signed_drops_and_what_is_less_its_control(tmp_path, out):
    rows = [
        deleted("cartilage"),
        deleted("control_bone", estimate=-0.1, low=-0.2, high=0.0),
        deleted("cartilage", "control_bone", estimate=0.6, low=0.4, high=0.8, p=0.004, effect=1.5, rank_biserial=0.9),
        deleted("cartilage", measure="absolute_drop", estimate=0.77),
    ]
    DELETION_SUMMARY.write(tmp_path / "d.parquet", rows)
    write_table("deletion", *out, deletion=tmp_path / "d.parquet", arms=synthetic.FACTORS)
    assert len(pd.read_csv(out[0])) == 4
    text = out[1].read_text()
    assert r"M3T & Dual & Cartilage & +0.50 [0.30, 0.70] &  &  \\" in text
    assert r"Control (bone) & -0.10 [-0.20, 0.00]" in text.replace("−", "-").replace("$-$", "-")
    assert r"Cartilage less control (bone) & +0.60 [0.40, 0.80] & +1.50 & .004 \\" in text
    assert "0.77" not in text
    assert "12 cases of 10 subjects, 2 seeds. Logit units." in text


@pytest.mark.parametrize("name", ["sanity", "deletion"])
def test_another_table_is_refused(tmp_path, out, name):
    with pytest.raises(KneeoaError, match="is not a"):
        write_table(name, *out, **{name: synthetic.metrics(tmp_path)})
