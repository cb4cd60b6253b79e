import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import reliability
from kneeoa.figures.held_out_predictions import read_predictions
from kneeoa.statistics.reliability import reliability_curve
from kneeoa.tables.statistics import METRICS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


def of_arm(tmp_path, arm="resnet3d-single_oa"):
    rows = read_predictions(synthetic.predictions(tmp_path), "oa")
    return rows[rows["arm"] == arm]


def test_a_curve_is_that_of_the_statistics_over_subjects(tmp_path):
    arm_rows = of_arm(tmp_path)
    one = arm_rows[arm_rows["seed"] == arm_rows["seed"].iloc[0]]
    expected = reliability_curve(
        one["truth"], reliability.positive_probability(one), 5, cluster=one["subject"].to_numpy(dtype=str), confidence=0.9
    )
    curve = reliability.mean_curve(one, 5, 0.9)
    for name in ("predicted", "observed", "low", "high"):
        assert getattr(curve, name).tolist() == pytest.approx(getattr(expected, name).tolist())


def test_intervals_widen_when_every_case_is_there_twice_for_the_same_people_only_if_people_are_forgotten(tmp_path):
    one = of_arm(tmp_path).query("seed == 1").drop_duplicates("subject")
    twice = pd.concat([one, one.assign(case_id=one["case_id"] + "-again")], ignore_index=True)
    strangers = twice.assign(subject=[str(place) for place in range(len(twice))])
    single, clustered, forgotten = (reliability.mean_curve(rows, 3, 0.95) for rows in (one, twice, strangers))
    widths = [(curve.high - curve.low).mean() for curve in (single, clustered, forgotten)]
    assert widths[1] == pytest.approx(widths[0], rel=0.1)
    assert widths[2] < 0.85 * widths[0]


def test_seeds_are_averaged_not_pooled(tmp_path):
    rows = read_predictions(synthetic.predictions(tmp_path), "oa")
    metrics = METRICS.read(synthetic.metrics(tmp_path))
    figure = reliability.figure(rows, metrics, synthetic.FACTORS, "oa", Figures(), cohort="phantom", bins=5)
    assert "64 knees in 5 bins of equal count, mean over 2 seeds" in figure.get_supxlabel()
    line = figure.axes[0].lines[1]
    arm_rows = rows[rows["arm"] == "resnet3d-single_oa"]
    runs = [reliability.mean_curve(run, 5, 0.95) for _, run in arm_rows.groupby("seed")]
    assert len(runs) == 2
    assert line.get_ydata() == pytest.approx(np.mean([run.observed for run in runs], axis=0))
    assert line.get_ydata().tolist() != pytest.approx(reliability.mean_curve(arm_rows.assign(seed=1), 5, 0.95).observed.tolist())
    assert clashes(figure) == []


@pytest.mark.parametrize("excess", [5e-8, 1e-5])
def test_a_probability_that_passes_one_by_rounding_is_drawn_and_by_more_is_refused(tmp_path, excess):
    """Tables that an earlier version summed may hold the first."""
    rows = of_arm(tmp_path).query("seed == 1").reset_index(drop=True)
    rows.at[0, "probabilities"] = np.array([0.0, 1 + excess])
    if excess < 1e-6:
        assert np.isfinite(reliability.mean_curve(rows, 3, 0.95).predicted).all()
        assert reliability.positive_probability(rows).max() == 1.0
    else:
        with pytest.raises(KneeoaError, match=r"to 1\.00001\."):
            reliability.mean_curve(rows, 3, 0.95)
