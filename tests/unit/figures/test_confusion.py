import numpy as np
import pandas as pd

from kneeoa.config.analysis import Figures
from kneeoa.figures import confusion
from kneeoa.figures.held_out_predictions import read_predictions
from kneeoa.tables.statistics import METRICS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


def test_counts_are_the_mean_over_seeds():
    rows = pd.DataFrame(
        {
            "seed": [1, 1, 2, 2],
            "truth": [0, 1, 0, 1],
            "probabilities": [np.array(p) for p in ([0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.2, 0.8])],
        }
    )
    assert confusion.confusion(rows, 2).tolist() == [[0.5, 0.5], [0, 1]]


def test_only_modes_with_a_head_are_drawn_and_rows_are_normalised(tmp_path):
    rows = read_predictions(synthetic.predictions(tmp_path), "kl")
    metrics = METRICS.read(synthetic.metrics(tmp_path))
    figure = confusion.figure(rows, metrics, synthetic.FACTORS, "kl", list("01234"), Figures(), cohort="phantom")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"{b}, {m}" for m in ("Single-KL", "Dual") for b in ("ResNet3D", "M3T", "nnMamba")]
    shares = np.asarray(figure.axes[0].images[0].get_array())
    assert np.allclose(shares.sum(axis=1), 1)
    counts = confusion.confusion(rows[rows["arm"] == "resnet3d-single_kl"], 5)
    assert counts.sum() == 64
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {f"{value:g}" for value in counts[counts > 0]} <= texts
    assert clashes(figure) == []
