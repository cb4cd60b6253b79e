"""Maps of a trained network are enriched in a tissue that the image itself does not tell apart, and
those of random weights are not.

The tissue has the noise of its surroundings, voxel for voxel as bright and as rough; in positive
cases alone its signs form a chessboard. Random filters answer to one as to the other, a trained
network to the chessboard.
"""

import numpy as np
import pandas as pd
import pytest

from kneeoa.anatomy.sanity import check_maps
from kneeoa.config.analysis import Statistics
from kneeoa.saliency.explain import explain_run
from kneeoa.saliency.randomised import explain_randomised
from kneeoa.tables.saliency import SANITY
from tests.unit.anatomy.tiny_study import CASES, SHAPE, anatomies, explained, tissue_masks, train, write_study

pytestmark = pytest.mark.slow  # a network is trained

METHODS = ("smoothgrad", "smoothgrad_input")
LABELS = np.arange(CASES) % 2


def chessboards(masks: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(CASES, *SHAPE))
    signs = np.where(np.indices(SHAPE).sum(axis=0) % 2, 1.0, -1.0)
    shown = (masks == 2) & (LABELS == 1).reshape(-1, 1, 1, 1)
    return np.where(shown, np.abs(noise) * signs, noise).astype(np.float16)


@pytest.fixture(scope="module")
def sanity(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("chessboards")
    masks = tissue_masks()
    write_study(folder, chessboards(masks, 0), masks, LABELS)

    def batches(step: int) -> tuple[np.ndarray, np.ndarray]:
        some = slice(step % 3 * 16, step % 3 * 16 + 16)
        return chessboards(masks, 1 + step // 3)[some], LABELS[some]

    train(folder, batches, 100, 1)
    files = {
        name: [explained(folder, 1, function, name, method) for method in METHODS]
        for name, function in (("maps", explain_run), ("randomised", explain_randomised))
    }
    out = folder / "sanity.parquet"
    check_maps(**files, **anatomies(folder), spacings={"sag": (1.0, 1.0, 1.0)}, statistics=Statistics(resamples=400), out=out)
    return SANITY.read(out)


@pytest.mark.parametrize("method", METHODS)
def test_a_trained_network_is_enriched_in_the_tissue_and_a_randomised_one_is_not(sanity: pd.DataFrame, method: str) -> None:
    rows = sanity[(sanity["check"] == "enrichment") & (sanity["method"] == method) & (sanity["tissue"] == "cartilage")]
    rows = rows[rows["measure"] == "absolute_enrichment"].set_index("weights")
    trained, randomised = rows.loc["trained"], rows.loc["all"]
    assert trained["low"] > 1.5
    assert trained["null_p"] < 0.001
    assert trained["others_p"] < 0.001
    assert randomised["low"] < 1 < randomised["high"]
    assert randomised["null_p"] > 0.05
    assert randomised["others_p"] > 0.05
    assert randomised["difference_low"] > 0.5
    assert randomised["p"] < 0.001
    assert randomised["difference"] == pytest.approx(trained["estimate"] - randomised["estimate"])


def test_trained_rows_have_no_difference_and_controls_are_there(sanity: pd.DataFrame) -> None:
    rows = sanity[sanity["check"] == "enrichment"]
    assert set(rows["weights"]) == {"trained", "heads", "half", "all"}
    assert set(rows["tissue"]) == {"cartilage", "bone"}
    assert rows.loc[rows["weights"] == "trained", ["difference", "p"]].isna().all(axis=None)
    bone, cartilage = (rows[(rows["tissue"] == name) & (rows["weights"] == "trained")] for name in ("bone", "cartilage"))
    assert (bone["estimate"].to_numpy() < cartilage["estimate"].to_numpy()).all()  # in the same order of measures
    assert (rows["cases"] == 12).all()
