"""The tables that compare arms beyond the contrasts: the claim and the subgroups."""

from typing import Any

import pandas as pd
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.table_files import write_table
from kneeoa.tables.statistics import CLAIM, SUBGROUPS
from tests.unit.figures import synthetic


@pytest.fixture
def out(tmp_path):
    return tmp_path / "t.csv", tmp_path / "t.tex"


PAIR = {"factor": "mode", "backbone": "m3t", "reference": "m3t-single_oa", "candidate": "m3t-dual", "cohort": "phantom"}
COUNTS = {"cases": 60, "subjects": 50, "seeds": 3, "note": ""}


def claimed(part: str, level: str, measure: str, of: str, difference: float | None, **values: Any) -> dict[str, Any]:
    limits = {"low": None, "high": None} if difference is None else {"low": difference - 0.02, "high": difference + 0.02}
    row = dict.fromkeys(CLAIM.schema.names) | PAIR | COUNTS | {"part": part, "level": level, "measure": measure, "of": of}
    return row | {"difference": difference, "resampled": "subjects and seeds"} | limits | values


def test_a_pair_of_modes_is_one_line_with_a_column_for_each_part_of_the_claim(tmp_path, out):
    other = {"backbone": "nnmamba", "reference": "nnmamba-single_oa", "candidate": "nnmamba-dual"}
    rows = [
        claimed("saliency", "", "enrichment", "cartilage", None),
        claimed("axis", "kl", "spearman", "pc1", -0.05),
        claimed("prediction", "oa", "auc", "", 0.03),
        claimed("prediction", "oa", "auc", "", 0.01, **other),
    ]
    CLAIM.write(tmp_path / "c.parquet", rows)
    write_table("claim", *out, claim=tmp_path / "c.parquet", arms=synthetic.FACTORS)
    assert pd.read_csv(out[0])["part"].tolist() == ["saliency", "axis", "prediction", "prediction"]  # the table's own order
    text = out[1].read_text().replace("−", "-").replace("$-$", "-")
    assert r"Backbone & Comparison & OA AUC & KL first principal component Spearman & Cartilage enrichment \\" in text
    assert r"M3T & Dual vs Single-OA & +0.030 [0.010, 0.050] & -0.050 [-0.070, -0.030] & -- \\" in text
    assert r"nnMamba & Dual vs Single-OA & +0.010 [-0.010, 0.030] & -- & -- \\" in text
    assert "subjects and seeds resampled; not adjusted" in text
    assert "60 cases of 50 subjects, 3 seeds" in text


def test_cohorts_have_tables_of_their_own(tmp_path, out):
    rows = [claimed("prediction", "oa", "auc", "", 0.03, cohort=cohort) for cohort in ("phantom", "elsewhere")]
    CLAIM.write(tmp_path / "c.parquet", rows)
    write_table("claim", *out, claim=tmp_path / "c.parquet", arms=synthetic.FACTORS)
    assert out[1].read_text().count(r"\begin{tabular}") == 2


def grouped(attribute: str, group: str, difference: float | None, **values: Any) -> dict[str, Any]:
    row = dict.fromkeys(SUBGROUPS.schema.names) | PAIR | COUNTS | {"candidate_value": "dual", "reference_value": "single_oa"}
    row |= {
        "contrast": "c",
        "level": "oa",
        "metric": "auc",
        "attribute": attribute,
        "group": group,
        "counts": "40, 20",
        "suppressed": False,
    }
    limits = {"low": None, "high": None} if difference is None else {"low": difference - 0.1, "high": difference + 0.1}
    return row | {"difference": difference} | limits | values


def test_groups_have_their_counts_and_the_interaction_alone_has_a_p(tmp_path, out):
    rows = [
        grouped("sex", "F", 0.05, p=0.2),
        grouped("sex", "M", None, suppressed=True, counts="9, 2"),
        grouped("sex", "interaction", 0.04, p=0.03, statistic=4.7, df=1, counts=""),
    ]
    SUBGROUPS.write(tmp_path / "s.parquet", rows)
    write_table("subgroups", *out, subgroups=tmp_path / "s.parquet", arms=synthetic.FACTORS)
    written = pd.read_csv(out[0])
    assert written["suppressed"].tolist() == [False, True, False]
    assert written["df"].tolist()[2] == 1
    text = out[1].read_text().replace("−", "-").replace("$-$", "-")
    assert r"M3T & OA AUC & Dual vs Single-OA & Sex: F & 40, 20 & +0.050 [-0.050, 0.150] & -- \\" in text
    assert r"Sex: M & 9, 2 & -- & -- \\" in text
    assert r"Sex: interaction & -- & +0.040 [-0.060, 0.140] & .030 \\" in text


def test_no_subgroups_no_table(tmp_path, out):
    SUBGROUPS.write(tmp_path / "s.parquet", [])
    write_table("subgroups", *out, subgroups=tmp_path / "s.parquet")
    assert r"\begin{tabular}" not in out[1].read_text()


@pytest.mark.parametrize("name", ["claim", "subgroups"])
def test_another_table_is_refused(tmp_path, out, name):
    with pytest.raises(KneeoaError, match="is not a"):
        write_table(name, *out, **{name: synthetic.metrics(tmp_path)})
