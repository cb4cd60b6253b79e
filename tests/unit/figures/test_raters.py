from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import raters
from kneeoa.presentation.arms import panels
from kneeoa.tables.raters import RATERS
from tests.unit.figures.overlap import clashes

DOSES = {"none": (0.0, 1.0), "r10": (0.094, 0.97), "r20": (0.21, 0.93), "r40": (0.39, 0.86)}
COLUMNS = [("oa-dual-single", "oa", "single_oa", "auc"), ("kl-dual-single", "kl", "single_kl", "macro_auc")]
COLUMNS += [("kl-dual-single", "kl", "single_kl", "quadratic_kappa")]
FACTORS = {
    f"{backbone}-{mode}-{rater}": {"backbone": backbone, "mode": mode, "rater": rater}
    for backbone in ("resnet3d", "m3t")
    for rater in DOSES
    for mode in ("single_oa", "single_kl", "dual")
}


def table(settings: tuple[str, ...] = ("resnet3d",), seeds: int = 3) -> pd.DataFrame:
    """RATERS of a synthetic study: single modes fall faster than dual ones."""
    draws, rows = np.random.default_rng(1), []
    for setting in settings:
        for contrast, level, reference, metric in COLUMNS:
            base: dict[str, Any] = {
                "contrast": contrast,
                "setting": setting,
                "cohort": "phantom",
                "level": level,
                "metric": metric,
                "p": None,
            }
            base |= {
                "factor": "mode",
                "candidate": "dual",
                "reference": reference,
                "cases": 125,
                "subjects": 96,
                "seeds": seeds,
                "note": "",
            }
            for rater, (misread, kappa) in DOSES.items():
                arms = {q: 0.9 - fall * misread + draws.normal(0, 0.02, seeds) for q, fall in (("candidate", 0.15), ("reference", 0.4))}
                arms["difference"] = arms["candidate"] - arms["reference"]
                for quantity, values in arms.items():
                    at = {**base, "quantity": quantity, "interval": "subjects", "rater": rater, "misread": misread, "kappa": kappa}
                    rows.append({**at, "seed": None, "estimate": values.mean(), "low": values.mean() - 0.05, "high": values.mean() + 0.05})
                    rows += [{**at, "seed": seed, "estimate": value, "low": None, "high": None} for seed, value in enumerate(values, 1)]
            slope = {**base, "quantity": "slope", "rater": None, "misread": None, "kappa": None, "seed": None, "estimate": 0.25}
            rows.append({**slope, "interval": "subjects", "low": 0.1, "high": 0.4, "p": 0.002})
            sampled = {"low": 0.05, "high": 0.45, "p": 0.02} if seeds >= 3 else {"low": None, "high": None}
            rows.append({**slope, "interval": "subjects and seeds", **sampled})
    return pd.DataFrame(rows)


def stored(folder: Path, **changes: Any) -> Path:
    RATERS.write(folder / "raters.parquet", table(**changes))
    return folder / "raters.parquet"


def test_arms_above_their_differences_below_seeds_as_points(tmp_path: Path) -> None:
    rows = RATERS.read(stored(tmp_path))
    figure = raters.figure(rows, FACTORS, Figures(), 0.95)
    assert len(figure.axes) == 2 * len(COLUMNS)
    above, below = figure.axes[0], figure.axes[3]
    assert above.get_title(loc="left") == "OA: AUC"
    seeds = [line for line in (*above.lines, *below.lines) if line.get_alpha()]
    assert [len(line.get_xdata()) for line in seeds] == [12, 12, 12]
    assert below.get_title(loc="left") == "+0.025 [0.005, 0.045], p .020"
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()] == [
        "0 %\n1.00",
        "9 %\n0.97",
        "21 %\n0.93",
        "39 %\n0.86",
    ]
    assert clashes(figure) == []


def test_the_fitted_line_has_the_printed_slope(tmp_path: Path) -> None:
    rows = RATERS.read(stored(tmp_path))
    below = raters.figure(rows, FACTORS, Figures(), 0.95).axes[3]
    line = next(line for line in below.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "--")
    (x0, x1), (y0, y1) = line.get_xdata(), line.get_ydata()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(0.25)


def test_with_few_seeds_the_slope_over_subjects_is_told(tmp_path: Path) -> None:
    rows = RATERS.read(stored(tmp_path, seeds=2))
    assert raters.printed_slope(rows)["interval"] == "subjects"
    assert raters.printed_slope(RATERS.read(stored(tmp_path)))["interval"] == "subjects and seeds"


def test_two_backbones_make_two_blocks_and_files_are_written(tmp_path: Path) -> None:
    path = stored(tmp_path, settings=("resnet3d", "m3t"))
    assert clashes(raters.figure(RATERS.read(path), FACTORS, Figures(), 0.95)) == []
    raters.draw(path, FACTORS, 0.95, Figures(), tmp_path / "a.pdf", tmp_path / "a.png")
    first = (tmp_path / "a.pdf").read_bytes(), (tmp_path / "a.png").read_bytes()
    raters.draw(path, FACTORS, 0.95, Figures(), tmp_path / "a.pdf", tmp_path / "a.png")
    assert ((tmp_path / "a.pdf").read_bytes(), (tmp_path / "a.png").read_bytes()) == first


def test_no_rows_are_said() -> None:
    with pytest.raises(KneeoaError, match="no rows"):
        raters.figure(pd.DataFrame(columns=RATERS.schema.names), FACTORS, Figures(), 0.95)


def test_other_figures_have_a_panel_for_each_rater() -> None:
    assert [panel.title for panel in panels(FACTORS, {})][:2] == ["ResNet3D, reference labels", "ResNet3D, rater r10"]
    assert len(panels(FACTORS, {})) == 8
