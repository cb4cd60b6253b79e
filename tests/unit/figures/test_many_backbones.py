"""Figures of more backbones than stand beside each other: nothing runs into anything, and nothing
is squeezed to nothing.
"""

import warnings
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from kneeoa.config.analysis import Figures
from kneeoa.figures import claim, confusion, decision, forest, learning, reliability, roc
from kneeoa.figures.held_out_predictions import read_predictions, scan_rows
from kneeoa.tables.runs import HISTORY
from kneeoa.tables.statistics import CONTRASTS, METRICS
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes
from tests.unit.figures.test_claim import rows as claimed

NAMES = ("resnet3d", "resnet3d_wide", "m3t", "nnmamba", "densenet121", "swin", "convnext")
MODES = (*synthetic.MODES, "dual_stacked")
CLASSES = [f"KL {grade}" for grade in range(5)]


def factors(backbones: int) -> dict[str, dict[str, str]]:
    return {f"{name}-{mode}": {"backbone": name, "mode": mode} for name in NAMES[:backbones] for mode in MODES}


def spread(table: pd.DataFrame, backbones: int) -> pd.DataFrame:
    """The first backbone's rows under every name, and its dual mode's as the stacked one's."""
    rows = table[table["arm"].str.startswith("resnet3d-")]
    rows = pd.concat([rows, rows[rows["arm"] == "resnet3d-dual"].assign(arm="resnet3d-dual_stacked")])
    return pd.concat([rows.assign(arm=rows["arm"].str.replace("resnet3d-", f"{name}-")) for name in NAMES[:backbones]], ignore_index=True)


def of_pairs(table: pd.DataFrame, backbones: int) -> pd.DataFrame:
    """The first backbone's contrasts under every name."""
    rows = table[table["backbone"] == "resnet3d"]
    copies = []
    for name in NAMES[:backbones]:
        arms = {side: rows[side].str.replace("resnet3d-", f"{name}-") for side in ("candidate", "reference")}
        copies.append(rows.assign(backbone=name, **arms))
    return pd.concat(copies, ignore_index=True)


def drawn(kind: str, folder: Path, backbones: int) -> Figure:
    arms, look = factors(backbones), Figures()
    if kind == "learning":
        return learning.figure(spread(scan_rows(HISTORY, synthetic.histories(folder), {}, HISTORY.schema.names), backbones), arms, look)
    if kind == "forest":
        return forest.figure(of_pairs(CONTRASTS.read(synthetic.contrasts(folder, True)), backbones), arms, look)
    if kind == "claim":
        return claim.figure(of_pairs(claimed(), backbones), arms, look)
    level = "kl" if kind == "confusion" else "oa"
    calls = spread(read_predictions(synthetic.predictions(folder), level), backbones)
    metrics = spread(METRICS.read(synthetic.metrics(folder)), backbones)
    if kind == "roc":
        return roc.figure(calls, metrics, arms, level, look)
    if kind == "reliability":
        return reliability.figure(calls, metrics, arms, level, look, cohort="phantom")
    if kind == "decision":
        return decision.figure(calls, arms, level, look, cohort="phantom")
    return confusion.figure(calls, metrics, arms, level, CLASSES, look, cohort="phantom")


@pytest.mark.parametrize("backbones", [4, 5, 7])
@pytest.mark.parametrize("kind", ["roc", "reliability", "decision", "confusion", "learning", "forest", "claim"])
def test_panels_of_many_backbones_keep_their_room(kind, backbones, tmp_path):
    figure = drawn(kind, tmp_path, backbones)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that found no room says so in a warning alone
        assert clashes(figure) == []
    sizes = [axes.get_window_extent().size / figure.dpi for axes in figure.axes]
    assert min(min(size) for size in sizes) > 0.35  # inches
    titles = {text for axes in figure.axes for text in [axes.get_title(loc="left")] if text}
    assert kind in ("forest", "claim") or len(titles) >= backbones
