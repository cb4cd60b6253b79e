import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import claim, decision
from kneeoa.figures.held_out_predictions import read_predictions
from kneeoa.paper_tables.claim import tabulars
from kneeoa.presentation.arms import ArmNames
from kneeoa.statistics.decision import decision_curve
from kneeoa.tables.statistics import CLAIM
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes

PARTS = [("prediction", "oa", "auc", ""), ("prediction", "kl", "macro_auc", ""), ("axis", "kl", "spearman", "pc1")]
PARTS += [("saliency", "", "enrichment", "cartilage")]


def rows() -> pd.DataFrame:
    listed = []
    for backbone in synthetic.BACKBONES:
        for reference in ("single_oa", "single_kl"):
            for number, (part, level, measure, of) in enumerate(PARTS):
                if (reference, measure) == ("single_oa", "macro_auc"):
                    continue
                row = {
                    "factor": "mode",
                    "backbone": backbone,
                    "reference": f"{backbone}-{reference}",
                    "candidate": f"{backbone}-dual",
                    "cohort": "phantom",
                }
                row |= {"part": part, "level": level, "measure": measure, "of": of, "estimate_reference": 0.7, "estimate_candidate": 0.75}
                row |= {"difference": 0.05, "low": -0.02 + 0.03 * (number % 2), "high": 0.12, "p": 0.1, "resampled": "subjects and seeds"}
                listed.append(row | {"cases": 64, "subjects": 52, "seeds": 5, "note": ""})
    return pd.DataFrame(listed)


def test_every_part_is_a_column_and_every_pair_a_line():
    figure = claim.figure(rows(), synthetic.FACTORS, Figures())
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Prediction", "Prediction", "Severity axis", "Saliency"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:2] == [
        "ResNet3D: Dual vs Single-OA",
        "ResNet3D: Dual vs Single-KL",
    ]
    assert "subjects and seeds resampled once for all columns" in " ".join(figure.get_supxlabel().split())
    assert clashes(figure) == []
    (table,) = tabulars(rows(), ArmNames(synthetic.FACTORS, None), None)
    assert len(table.rows) == 6
    assert table.rows[0][3] == "–"  # no macro AUC without a head for the grade
    with pytest.raises(KneeoaError, match="no rows"):
        claim.figure(pd.DataFrame(columns=CLAIM.schema.names), synthetic.FACTORS, Figures())


def test_decision_curves_are_the_methods_mean_over_seeds(tmp_path):
    table = read_predictions(synthetic.predictions(tmp_path), "oa")
    figure = decision.figure(table, synthetic.FACTORS, "oa", Figures(), cohort="phantom")
    arm_rows = table[table["arm"] == "resnet3d-single_oa"]
    curves = []
    for _, run in arm_rows.groupby("seed"):
        score = np.array([value[1] for value in run["probabilities"]])
        curves.append(decision_curve(run["truth"].to_numpy(), score, decision.THRESHOLDS).net_benefit)
    assert figure.axes[0].lines[0].get_ydata() == pytest.approx(np.mean(curves, axis=0))
    assert "64 knees of 52 subjects, mean over 2 seeds" in " ".join(figure.get_supxlabel().split())
    assert clashes(figure) == []
