import csv

import pandas as pd
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.contrasts import FIRST_COLUMNS
from kneeoa.paper_tables.table_files import write_table
from kneeoa.presentation.summary_rows import summary_rows
from kneeoa.tables.statistics import CONTRASTS, METRICS
from tests.unit.figures import synthetic


@pytest.fixture
def out(tmp_path):
    return tmp_path / "t.csv", tmp_path / "t.tex"


def header(path):
    with open(path, newline="") as stream:
        return next(csv.reader(stream))


def test_contrasts_begin_with_the_contracted_columns_and_keep_every_row(tmp_path, out):
    source = synthetic.contrasts(tmp_path)
    write_table("contrasts", *out, contrasts=source, arms=synthetic.FACTORS)
    contract = (
        "backbone, level, metric, reference, candidate, estimate_reference, estimate_candidate, difference, low, high, p, p_adjusted, test"
    )
    assert header(out[0])[:13] == list(FIRST_COLUMNS) == contract.split(", ")
    assert set(header(out[0])) == set(CONTRASTS.schema.names)
    written, table = pd.read_csv(out[0]), CONTRASTS.read(source)
    assert len(written) == 21
    assert written["difference"].tolist() == table["difference"].tolist()
    text = out[1].read_text()
    assert text.count("Dual vs Single-OA") == 12
    assert text.count(r"\addlinespace") == 2
    assert "Adjusted p: Benjamini-Hochberg over the 18 tests of the family primary." in text


def test_contrasts_print_undefined_as_a_dash_and_p_as_journals_do(tmp_path, out):
    rows = [
        synthetic.contrast(p=1e-9, p_adjusted=1e-8),
        synthetic.contrast(difference=None, low=None, high=None, p=None, p_adjusted=None, test="x"),
    ]
    CONTRASTS.write(tmp_path / "c.parquet", rows)
    write_table("contrasts", *out, contrasts=tmp_path / "c.parquet")
    lines = [line for line in out[1].read_text().splitlines() if "resnet3d-dual" in line]
    assert lines[0].endswith(r"& +0.060 [0.010, 0.110] & 0.070 & $<$.001 & $<$.001 & bootstrap \\")
    assert lines[1].endswith(r"& -- & 0.070 & -- & -- & x \\")


def test_metrics_print_means_over_seeds_and_mark_derived_heads(tmp_path, out):
    source = synthetic.metrics(tmp_path)
    write_table("metrics", *out, metrics=source, arms=synthetic.FACTORS)
    table = METRICS.read(source)
    assert len(pd.read_csv(out[0])) == len(table)
    row = table[(table["arm"] == "resnet3d-dual") & table["seed"].isna() & (table["metric"] == "auc") & (table["head"] == "oa")].iloc[0]
    text = out[1].read_text()
    assert f"ResNet3D & Dual & {row['estimate']:.3f} [{row['low']:.2f}, {row['high']:.2f}]" in text
    assert "ResNet3D & Single-KL (from KL) &" in text
    assert text.count(r"\begin{tabular}") == 2
    assert text.index("ResNet3D") < text.index("M3T") < text.index("nnMamba")


def test_an_arm_with_one_seed_speaks_for_itself_and_one_with_a_mean_through_the_mean(tmp_path):
    table = METRICS.read(synthetic.metrics(tmp_path))
    one = table[(table["metric"] == "auc") & (table["head"] == "oa")]
    mixed = pd.concat([one[one["arm"] == "m3t-dual"], one[(one["arm"] == "resnet3d-dual") & (one["seed"] == 2)]])
    summary = summary_rows(mixed)
    assert summary["arm"].tolist() == ["resnet3d-dual", "m3t-dual"]
    assert summary["seeds"].tolist() == [1, 2]
    ambiguous = one[(one["arm"] == "m3t-dual") & one["seed"].notna()]
    assert summary_rows(ambiguous).empty


def test_geometry_gives_mean_and_range_of_seeds(tmp_path, out):
    write_table("geometry", *out, all_measures=synthetic.geometry(tmp_path)[1], arms=synthetic.FACTORS)
    rows = pd.read_csv(out[0])
    rho = rows[(rows["arm"] == "m3t-dual") & (rows["axis"] == "pc1") & (rows["against"] == "kl")]["estimate"]
    text = out[1].read_text()
    assert f"M3T & Dual & {rho.mean():.2f} ({rho.min():.2f} to {rho.max():.2f})" in text
    assert text.count(r"\begin{tabular}") == 3
    assert r"Participation ratio \\" in text
    assert r"nnMamba & Dual & -- \\" in text  # undefined in every seed


def test_one_seed_is_printed_with_its_interval(tmp_path, out):
    paths = [path for path in synthetic.geometry(tmp_path)[1] if path.stem.endswith("-1")]
    write_table("geometry", *out, all_measures=paths, arms=synthetic.FACTORS)
    row = pd.read_csv(out[0]).query("arm == 'm3t-dual' and axis == 'centroid'").iloc[0]
    assert f"{row['estimate']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in out[1].read_text()


def test_anatomy_has_arms_beside_chance_and_contrasts(tmp_path, out):
    write_table("anatomy", *out, anatomy=synthetic.anatomy(tmp_path), arms=synthetic.FACTORS)
    text = out[1].read_text()
    assert text.count(r"\begin{tabular}") == 2
    assert "& Dual vs Single-KL & Cartilage & Enrichment &" in text
    assert "60 cases of 50 subjects, 2 seeds. p: Wilcoxon over subjects; Holm over methods" in text


def test_exclusions_are_counted_by_reason_and_their_text_survives_in_csv(tmp_path, out):
    write_table("exclusions", *out, exclusions=synthetic.exclusions(tmp_path))
    rows = pd.read_csv(out[0])
    assert rows["reason"].tolist() == ["misaligned-mask", "slice-gap", "slice-gap", "slice-gap"]
    assert rows["detail"][1] == "slices 4 & 6 are 5.6 mm apart (100 % too far)"
    assert r"phantom & Volumes & Slice gap & Case & 3 & 1 \\" in out[1].read_text()


def test_arms_are_flattened_and_latex_shows_what_differs(out):
    arms = [
        {"name": f"m3t-{mode}", "backbone": "m3t", "mode": mode, "levels": levels, "grid": None, "training": {"epochs": epochs, "batch": 2}}
        for mode, levels, epochs in (("single_oa", ["oa"], 100), ("dual", ["oa", "kl"], 50))
    ]
    write_table("arms", *out, rows_of_arms=arms)
    assert header(out[0]) == ["name", "backbone", "mode", "levels", "training.epochs", "training.batch"]
    text = out[1].read_text()
    assert r"Arm & Backbone & Mode & Levels & Epochs \\" in text
    assert r"m3t-dual & M3T & Dual & oa, kl & 50 \\" in text
    with pytest.raises(KneeoaError, match="lacks 'mode'"):
        write_table("arms", *out, rows_of_arms=[{"name": "x", "backbone": "m3t"}])


def test_same_input_same_bytes(tmp_path, out):
    source = synthetic.metrics(tmp_path)
    write_table("metrics", *out, metrics=source)
    first = [path.read_bytes() for path in out]
    write_table("metrics", *out, metrics=source)
    assert [path.read_bytes() for path in out] == first
