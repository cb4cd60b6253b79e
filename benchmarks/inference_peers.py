"""The competitors of ``inference.py``: the same paired DeLong test elsewhere, each with its
processor seconds and its z.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truth = NDArray[np.int64]
Test = Callable[[Truth, Floats, Floats], float]


def seconds(work: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Processor seconds of one call, the mean of ``repeats``, and what the last returned."""
    start = time.process_time()
    for _ in range(repeats):
        result = work()
    return (time.process_time() - start) / repeats, result


def port(truth: Truth, a: Floats, b: Floats) -> float:
    """Sun and Xu 2014 (IEEE Signal Process Lett 21:1389) as Python ports write it: midranks by a
    loop over ties, then covariances.
    """
    positive = truth == 1
    m, n = int(positive.sum()), int((~positive).sum())
    aucs, of_positives, of_negatives = [], [], []
    for scores in (a, b):
        x, y = scores[positive], scores[~positive]
        joint, of_x, other = _midranks(np.concatenate([x, y])), _midranks(x), _midranks(y)
        aucs.append(joint[:m].sum() / m / n - (m + 1) / 2 / n)
        of_positives.append((joint[:m] - of_x) / n)
        of_negatives.append(1 - (joint[m:] - other) / m)
    covariance = np.cov(of_positives) / m + np.cov(of_negatives) / n
    contrast = np.array([1.0, -1.0])
    return float((aucs[0] - aucs[1]) / math.sqrt(contrast @ covariance @ contrast))


def _midranks(x: Floats) -> Floats:
    order = np.argsort(x, kind="mergesort")
    ranked, ranks, start = x[order], np.empty(x.size), 0
    while start < x.size:
        end = start
        while end < x.size and ranked[end] == ranked[start]:
            end += 1
        ranks[start:end] = (start + end + 1) / 2
        start = end
    result = np.empty(x.size)
    result[order] = ranks
    return result


def two_aucs(truth: Truth, a: Floats, b: Floats) -> float:
    """scikit-learn's two values, without a test: no z."""
    from sklearn.metrics import roc_auc_score

    roc_auc_score(truth, a)
    roc_auc_score(truth, b)
    return math.nan


def mlstatkit() -> Test | None:
    """MLstatkit's test, whose z is b - a; None where it is not installed."""
    try:
        from MLstatkit import Delong_test
    except ImportError:
        return None
    return lambda truth, a, b: -float(Delong_test(truth, a, b)[0])


class Proc:
    """pROC in one R process that waits for its turns."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @classmethod
    def start(cls, path: Path, truth: Truth, a: Floats, b: Floats) -> Proc | None:
        """The process, with the scores handed over in a file at ``path``; None where R or pROC is
        not installed.
        """
        if (
            shutil.which("Rscript") is None
            or subprocess.run(["Rscript", "-e", "library(pROC)"], capture_output=True, check=False).returncode
        ):
            return None
        np.concatenate([truth.astype(np.float64), a, b]).tofile(path)
        command = ["Rscript", str(Path(__file__).with_name("inference.R")), str(path)]
        return cls(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def measure(self, count: int, repeats: int) -> tuple[float, float]:
        """Processor seconds and z of the test on the first ``count`` cases."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{count} {repeats}\n")
        self.process.stdin.flush()
        spent, z = self.process.stdout.readline().split()
        return float(spent), float(z)

    def stop(self) -> None:
        """Close its input, upon which it ends."""
        self.process.communicate()
