"""Time inference: the paired DeLong test from 1e3 to 1e6 cases, and 2,000 clustered paired
resamples of two AUCs, on one core.

    python benchmarks/inference.py [--rounds 5]

Against pROC (where ``Rscript`` finds it), MLstatkit (where it is installed), the algorithm that the
Python ports share, and scikit-learn's two AUCs without a test. The competitors take turns in one
run, so that a busy machine is busy for all; each time is the best of all rounds, in processor
seconds. Every z must agree. The last line is a JSON object, null where a competitor is absent.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"], "1"))

import argparse
import functools
import json
import math
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from inference_peers import Floats, Proc, Test, Truth, mlstatkit, port, seconds, two_aucs

from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.delong import delong_test

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LARGEST = SIZES[-1]
CASES, RESAMPLES = 2_000, 2_000
OURS, CLUSTERED, TIED = "kneeoa", "kneeoa, two knees a subject", "kneeoa, tied scores"
PROC, MLSTATKIT, PORT, VALUES = "pROC (R)", "MLstatkit", "Python port of Sun & Xu", "scikit-learn, two values only"


def made_scores(count: int, seed: int = 0) -> tuple[Truth, Floats, Floats]:
    """Truth with 40 % positives and two models' correlated continuous scores; all are drawn anew
    for another ``count``.
    """
    rng = np.random.default_rng(seed)
    truth = (rng.random(count) < 0.4).astype(np.int64)
    shared = rng.normal(size=count)
    return truth, truth + shared + rng.normal(size=count), 0.9 * truth + shared + rng.normal(size=count)


def ours(truth: Truth, a: Floats, b: Floats) -> float:
    return delong_test(truth, a, b).z


def clustered(truth: Truth, a: Floats, b: Floats) -> float:
    delong_test(truth, a, b, np.arange(truth.size) // 2)
    return math.nan


def tied(truth: Truth, a: Floats, b: Floats) -> float:
    delong_test(truth, np.round(a, 3), np.round(b, 3))
    return math.nan


def race(rounds: int, folder: Path) -> dict[str, dict[int, float]]:
    """Best processor seconds of every competitor at every size."""
    tests: dict[str, Test] = {OURS: ours, CLUSTERED: clustered, TIED: tied, PORT: port, VALUES: two_aucs}
    if (installed := mlstatkit()) is not None:
        tests[MLSTATKIT] = installed
    truth, a, b = made_scores(LARGEST)
    proc = Proc.start(folder / "scores.bin", truth, a, b)
    turns: dict[str, Callable[[int, int], tuple[float, float]]] = {}
    for name, test in tests.items():
        turns[name] = functools.partial(
            lambda test, count, repeats: seconds(lambda: test(truth[:count], a[:count], b[:count]), repeats), test
        )
    if proc is not None:
        turns[PROC] = proc.measure
    best: dict[str, dict[int, float]] = {name: dict.fromkeys(SIZES, math.inf) for name in turns}
    for _ in range(rounds):
        for count in SIZES:
            expected = ours(truth[:count], a[:count], b[:count])
            for name, turn in turns.items():
                spent, z = turn(count, max(1, 20_000 // count))
                if not math.isnan(z) and not math.isclose(z, expected, rel_tol=1e-6):
                    raise SystemExit(f"{name} has z = {z} at {count} cases, not {expected}")
                best[name][count] = min(best[name][count], spent)
    if proc is not None:
        proc.stop()
    return best


def extra_megabytes(work: Callable[[], object]) -> float:
    """Peak of the memory that ``work`` allocates, beside its arguments."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def bootstraps(rounds: int) -> tuple[float, float]:
    """Seconds of the clustered paired bootstrap of two AUCs: ours, and scipy's with scikit-learn's
    AUC.
    """
    from scipy.stats import bootstrap
    from sklearn.metrics import roc_auc_score

    truth, a, b = made_scores(CASES)
    subject = np.arange(CASES) // 2
    knees = np.arange(CASES).reshape(-1, 2)

    def by_weights() -> float:
        return paired_bootstrap(metrics.auc, truth, a, b, subject, resamples=RESAMPLES).low

    def difference(subjects: np.ndarray) -> float:
        chosen = knees[subjects].ravel()
        return float(roc_auc_score(truth[chosen], a[chosen]) - roc_auc_score(truth[chosen], b[chosen]))

    best = min(seconds(by_weights, 1)[0] for _ in range(rounds))
    start = time.process_time()
    result = bootstrap((np.arange(len(knees)),), difference, n_resamples=RESAMPLES, vectorized=False, method="percentile", rng=0)
    spent = time.process_time() - start
    if abs(result.confidence_interval.low - by_weights()) > 0.005:
        raise SystemExit(f"scipy's interval starts at {result.confidence_interval.low}, ours at {by_weights()}")
    return best, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        best = race(rounds, Path(folder))
    print(f"{'paired DeLong, ms':<32}" + "".join(f"{count:>12,}" for count in SIZES) + f"{'times ours':>12}")
    for name in (OURS, CLUSTERED, TIED, PROC, MLSTATKIT, PORT, VALUES):
        if name in best:
            cells = "".join(f"{1e3 * best[name][count]:>12.2f}" for count in SIZES)
            print(f"{name:<32}{cells}{best[name][LARGEST] / best[OURS][LARGEST]:>12.1f}")
        else:
            print(f"{name:<32} not installed")
    largest = made_scores(LARGEST)
    megabytes = extra_megabytes(lambda: delong_test(*largest))
    print(f"extra memory at {LARGEST:,} cases: {megabytes:.0f} MB")
    weights_seconds, copies_seconds = bootstraps(rounds)
    print(
        f"\n{RESAMPLES:,} clustered paired resamples of two AUCs, {CASES:,} cases: {weights_seconds:.3f} s; scipy: {copies_seconds:.1f} s"
    )

    def speedup(name: str) -> float | None:
        return round(best[name][LARGEST] / best[OURS][LARGEST], 1) if name in best else None

    figures = {
        "delong_1e3_ms": round(1e3 * best[OURS][SIZES[0]], 3),
        "delong_1e6_ms": round(1e3 * best[OURS][LARGEST], 1),
        "delong_1e6_clustered_ms": round(1e3 * best[CLUSTERED][LARGEST], 1),
        "delong_1e6_mb": round(megabytes, 1),
        "speedup_over_proc": speedup(PROC),
        "speedup_over_mlstatkit": speedup(MLSTATKIT),
        "speedup_over_python_port": speedup(PORT),
        "bootstrap_s": round(weights_seconds, 3),
        "speedup_over_scipy_bootstrap": round(copies_seconds / weights_seconds, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
