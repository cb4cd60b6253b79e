"""Agreement with pROC (Robin et al. 2011) where R is found: 200 fresh data sets a run, and pROC's
published aSAH example.
"""

import math
import secrets
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.statistics.delong import auc_covariance, delong_test

SETS = 200
NAMES = ("auc_a", "auc_b", "variance_a", "variance_b", "covariance", "z", "p")
ASAH = {  # pROC 1.18's z and p
    "s100b-ndka": (1.390770025735577, 0.16429517522305448),
    "s100b-wfns": (-2.2089835914409077, 0.02717578222918815),
    "wfns-ndka": (2.7977759186890387, 0.005145579706910978),
}


def fresh_sets(seed: int) -> pd.DataFrame:
    """Data sets of 10 to 400 cases: continuous to heavily tied scores, 3 to 97 % positives,
    correlated models of any skill.

    Scores have six decimals at most, so that R reads the same numbers.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for index in range(SETS):
        n = int(rng.integers(10, 401))
        truth = (rng.random(n) < rng.choice([0.03, 0.2, 0.5, 0.8, 0.97])).astype(int)
        truth[:2], truth[2:4] = 1, 0
        shared = rng.normal(size=n)
        decimals = int(rng.choice([0, 1, 2, 6]))
        a, b = (np.round(rng.uniform(-1, 2.5) * truth + shared + rng.normal(size=n), decimals) + 0.0 for _ in range(2))
        frames.append(pd.DataFrame({"set": index, "truth": truth, "a": a, "b": b}))
    return pd.concat(frames)


def ours(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    test, both = delong_test(truth, a, b), auc_covariance(truth, np.column_stack([a, b])).covariance
    values = (test.estimate_a, test.estimate_b, both[0, 0], both[1, 1], both[0, 1], test.z, test.p)
    return dict(zip(NAMES, values, strict=True))


@pytest.fixture(scope="module")
def seed() -> int:
    """Fresh in every run, and named by a failing assertion."""
    return secrets.randbits(32)


@pytest.fixture(scope="module")
def proc(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Path:
    """Folder of pROC's answers from one R process."""
    if shutil.which("Rscript") is None:
        pytest.skip("no Rscript on the PATH (Debian: r-base-core, r-cran-proc)")
    if subprocess.run(["Rscript", "-e", "library(pROC)"], capture_output=True, check=False).returncode:
        pytest.skip("R has no pROC (Debian: r-cran-proc)")
    folder = tmp_path_factory.mktemp("proc")
    fresh_sets(seed).to_csv(folder / "sets.csv", index=False)
    files = [str(folder / name) for name in ("sets.csv", "answers.csv", "asah.csv", "asah_answers.csv")]
    subprocess.run(["Rscript", str(Path(__file__).with_name("proc.R")), *files], check=True, capture_output=True, text=True)
    return folder


def test_two_hundred_fresh_data_sets(proc: Path, seed: int) -> None:
    answers = pd.read_csv(proc / "answers.csv", index_col="name", float_precision="round_trip")
    compared = 0
    for index, one in pd.read_csv(proc / "sets.csv", float_precision="round_trip").groupby("set"):
        result, expected = ours(*(one[name].to_numpy() for name in ("truth", "a", "b"))), answers.loc[index]
        for name in NAMES:
            if name in ("z", "p") and not expected["variance_a"] + expected["variance_b"] - 2 * expected["covariance"] > 1e-6:
                continue  # pROC takes this difference, which leaves too few digits of a variance near zero
            where = f"{name} of set {index}, seed {seed}"
            assert result[name] == pytest.approx(expected[name], rel=1e-10, abs=1e-10), where
            compared += 1
    assert len(answers) == SETS
    assert compared > 6.5 * SETS


@pytest.mark.parametrize("pair", ASAH)
def test_asah(proc: Path, pair: str) -> None:
    data, answers = pd.read_csv(proc / "asah.csv", float_precision="round_trip"), pd.read_csv(proc / "asah_answers.csv", index_col="name")
    first, second = pair.split("-")
    result = ours(*(data[name].to_numpy() for name in ("truth", first, second)))
    assert (result["z"], result["p"]) == pytest.approx(ASAH[pair], rel=1e-12)
    for name in NAMES:
        assert result[name] == pytest.approx(answers.loc[pair, name], rel=1e-10)
    assert len(data) == 113
    assert math.isfinite(result["p"])
