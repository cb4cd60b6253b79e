import math

import pandas as pd
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.paper_tables.latex import Tabular, escape, group_starts, render
from kneeoa.paper_tables.table_files import read_csv, write_csv
from kneeoa.tables.statistics import CONTRASTS
from tests.unit.figures import synthetic


def test_latex_escapes_what_has_a_meaning_and_translates_signs():
    assert escape("a_b & 5 % #1 $x$ {y} ~^\\") == r"a\_b \& 5 \% \#1 \$x\$ \{y\} \textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert escape("−0.1") == "$-$0.1"
    assert escape("<.001 – ↓") == r"$<$.001 -- $\downarrow$"


def test_a_tabular_is_booktabs_with_groups_and_as_many_cells_as_columns():
    text = render([Tabular(["A", "B_1", "C"], [["x", "1", "2"], ["y", "3", "4"]], left=1, heading="Head", breaks=[1], notes="Note")])
    assert text.startswith("\\begin{tabular}{lcc}\n\\toprule\n\\multicolumn{3}{l}{Head}")
    assert "x & 1 & 2 \\\\\n\\addlinespace\ny & 3 & 4 \\\\\n\\bottomrule" in text
    assert "A & B\\_1 & C \\\\" in text
    assert text.count("\\begin{") == text.count("\\end{") == 1


def test_changes_are_where_a_group_starts():
    assert group_starts(["a", "a", "b", "b", "a"]) == [2, 4]
    assert group_starts([]) == []


def test_csv_comes_back_bit_for_bit(tmp_path):
    rows = pd.DataFrame(
        [
            synthetic.contrast(difference=0.1 + 0.2, low=-1e-300, high=None, p=2.2e-155, note='a, "b"\nc', degenerate=True),
            synthetic.contrast(p=None, statistic=1 / 3, test="delong"),
        ]
    )
    CONTRASTS.write(tmp_path / "c.parquet", rows)
    table = CONTRASTS.read(tmp_path / "c.parquet")
    write_csv(tmp_path / "c.csv", table)
    back = read_csv(tmp_path / "c.csv", CONTRASTS)
    assert (back["difference"][0], back["low"][0], back["p"][0], back["statistic"][1]) == (0.1 + 0.2, -1e-300, 2.2e-155, 1 / 3)
    assert math.isnan(back["high"][0])
    assert math.isnan(back["p"][1])
    assert back["note"].tolist() == ['a, "b"\nc', ""]
    assert back["degenerate"].tolist() == [True, False]
    assert list(back["metric"]) == list(table["metric"])


def test_csv_is_sorted_and_has_unix_line_ends(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"k": ["b", "a", "c"], "v": [1.5, None, 3.0]}), order=["k"])
    assert (tmp_path / "a.csv").read_bytes() == b"k,v\na,\nb,1.5\nc,3.0\n"


def test_a_csv_of_something_else_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(KneeoaError, match="lacks the column 'contrast'"):
        read_csv(tmp_path / "a.csv", CONTRASTS)
    with pytest.raises(KneeoaError, match="cannot be read"):
        read_csv(tmp_path / "none.csv", CONTRASTS)
