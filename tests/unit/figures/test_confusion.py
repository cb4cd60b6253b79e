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


def test_ensembles_of_many_have_broken_titles_and_no_row_of_empty_panels(tmp_path):
    backbones, members = ("resnet3d", "m3t", "nnmamba", "swin"), "resnet3d+m3t+nnmamba+swin+convnext+densenet121"
    arms = {f"{name}-{mode}": {"backbone": name, "mode": mode} for name in backbones for mode in ("single_kl", "dual")}
    arms |= {f"all-{number}": {"backbone": f"{members}+{number}", "mode": "dual"} for number in range(3)}

    def spread(table: pd.DataFrame) -> pd.DataFrame:
        parts = [table[table["arm"] == f"resnet3d-{factors['mode']}"].assign(arm=name) for name, factors in arms.items()]
        return pd.concat(parts, ignore_index=True)

    rows = spread(read_predictions(synthetic.predictions(tmp_path), "kl"))
    metrics = spread(METRICS.read(synthetic.metrics(tmp_path)))
    figure = confusion.figure(rows, metrics, arms, "kl", list("01234"), Figures(), cohort="phantom")
    assert [bool(axes.images) for axes in figure.axes] == [True] * len(arms)
    assert clashes(figure) == []
