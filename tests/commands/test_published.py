"""`make published` runs whole, to its report: on small made-up tables here, on the published ones
in tests/real_data.
"""

from pathlib import Path

import pandas as pd
import pytest

from kneeoa.tables.runs import PREDICTIONS
from tests.commands.published import shrink, write_tables
from tests.commands.running import clone, run
from tests.commands.table import PUBLISHED
from tests.dag import ROOT


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the small published study has run, by the commands of the README."""
    folder = clone(tmp_path_factory.mktemp("published") / "clone")
    write_tables(folder / "raw")
    shrink(folder)
    for each in PUBLISHED:
        run(folder, each)
    return folder


def test_the_tables_have_the_flaw_that_once_ended_the_study(published: Path) -> None:
    table = pd.read_csv(published / "raw" / "paper_a_predictions" / "m3t_single_kl_preds.csv", float_precision="round_trip")
    sums = table["prob_kl_2"] + table["prob_kl_3"] + table["prob_kl_4"]
    assert (sums > 1).any()
    assert sums.max() - 1 < 1e-6


def test_every_figure_and_table_is_there(published: Path) -> None:
    results = published / "results" / "published"
    figures = {path.name for path in (results / "figures").iterdir()}
    assert {f"{name}.{suffix}" for name in ("roc", "reliability", "confusion", "forest") for suffix in ("pdf", "png")} <= figures
    tables = {path.name for path in (results / "tables").iterdir()}
    assert {f"{name}.{suffix}" for name in ("metrics", "contrasts", "arms") for suffix in ("csv", "tex")} <= tables
    assert (results / "report.html").read_text().count("data:image/png;base64,") >= 4


def test_no_derived_probability_passes_one_and_the_imported_ones_are_as_they_were(published: Path) -> None:
    table = PREDICTIONS.read(published / "results" / "published" / "predictions" / "m3t-single-kl" / "imported.parquet")
    derived = table[(table["level"] == "oa") & (table["head"] == "kl")]
    assert len(derived) == 60
    assert max(values[1] for values in derived["probabilities"]) == 1.0
    raw = pd.read_csv(published / "raw" / "paper_a_predictions" / "m3t_single_kl_preds.csv", float_precision="round_trip")
    own_head = table[table["head"] == table["level"]].set_index("case_id")["probabilities"]
    assert own_head.loc[raw["CMT_ID"]].map(list).to_list() == raw[[f"prob_kl_{grade}" for grade in range(5)]].to_numpy().tolist()


def test_the_small_study_differs_from_the_published_one_in_its_resamples_alone(published: Path) -> None:
    old, new = ((folder / "workflow/studies/published.yaml").read_text().splitlines() for folder in (ROOT, published))
    assert [line for line in new if line not in old] == ["  resamples: 200"]
