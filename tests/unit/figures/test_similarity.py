import numpy as np
import pytest

from kneeoa.config.analysis import Figures
from kneeoa.errors import KneeoaError
from kneeoa.figures import similarity
from kneeoa.geometry.similarity import compare_runs
from kneeoa.tables.geometry import SIMILARITY
from kneeoa.tables.runs import embeddings
from tests.unit.figures import synthetic
from tests.unit.figures.overlap import clashes


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder, table = tmp_path_factory.mktemp("similarity"), synthetic.cases()
    paths = []
    for number, arm in enumerate(synthetic.ARM_ROWS):
        for seed in (1, 2):
            rng = np.random.default_rng([number, seed])
            values = np.outer(table["grade"], rng.normal(size=12)) + rng.normal(size=(len(table), 12))
            cases = table[["cohort", "case_id", "subject"]].assign(
                split="test", study="s", arm=arm["name"], seed=seed, embedding=list(values)
            )
            paths.append(folder / f"{arm['name']}-{seed}.parquet")
            embeddings(12).write(paths[-1], cases)
    compare_runs(paths, synthetic.FACTORS, "s", 0.95, folder / "similarity.parquet")
    return SIMILARITY.read(folder / "similarity.parquet")


def test_the_matrix_stands_in_the_order_of_the_arms(rows):
    drawn = similarity.figure(rows, synthetic.FACTORS, Figures(), cohort="phantom")
    matrix = np.asarray(drawn.axes[0].images[0].get_array())
    assert matrix.shape == (18, 18)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1).all()
    names = list(dict.fromkeys(arm["name"] for arm in synthetic.ARM_ROWS))
    cka = rows[(rows["measure"] == "cka") & (rows["kind"] == "runs")].set_index(["arm_a", "seed_a", "arm_b", "seed_b"])["estimate"]
    assert matrix[1, 0] == cka[names[0], 2, names[0], 1]
    labels = [text.get_text() for text in drawn.axes[0].get_yticklabels()]
    assert labels[:2] == ["Single-OA, 1", "Single-OA, 2"]
    assert clashes(drawn) == []


def test_a_cohort_without_pairs_is_said(rows):
    with pytest.raises(KneeoaError, match="no runs were compared"):
        similarity.figure(rows, synthetic.FACTORS, Figures(), cohort="elsewhere")
