"""Measure how often the rows of CONTRASTS reject a true null at 5 %, and how often the 95 %
intervals of CONTRASTS and METRICS hold the truth, for every metric and test, by the number of
cases, of cases of the rarest class, and with two knees a person.

What is called is what makes the tables' rows. A binary level has the rarest class as its positives,
an ordinal level of five grades as its highest. Two models that are exchangeable are compared for
rejection; the better of them with a noisier one for the intervals of differences, whose true values
come from one study of 40,000 cases with the same share of each class. A row says "too few" where a
study has so few subjects in whom two models differ that no p below 5 % can come out.

    python benchmarks/error_rates.py [--studies 400] [--cells 30:3 98:33] [--kinds binary ordinal]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "lib"))

from scipy.special import expit, ndtri

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import BY_NAME, metric_of_row, metrics_of, rows_of
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.metrics import measured, resampled
from kneeoa.contrasts.outcome import Outcome
from kneeoa.contrasts.paired import PairedTests

LEVELS = {
    "binary": Level(name="oa", kind="binary", classes=("no", "yes")),
    "ordinal": Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4")),
}
SHARES = (0.4, 0.25, 0.2, 0.15)
"""Shares of the other grades, among the cases that are not of the highest."""
CELLS = ("30:3", "30:10", "98:33", "200:3", "200:10", "500:50", "2000:3")
CLUSTERED = 0.8
"""Share of variance that two knees of a person have in common."""


@dataclass
class Rates:
    """Counts of one metric and test over studies."""

    studies: int = 0
    rejected: int = 0
    covered: int = 0
    intervals: int = 0
    few: int = 0
    disagree: int = 0


@dataclass
class Cell:
    """The rates of one setting; metric and test -> rates."""

    kind: str
    cases: int
    rare: int
    clustered: bool
    rates: dict[tuple[str, str], Rates] = field(default_factory=lambda: defaultdict(Rates))


def study(rng: np.random.Generator, kind: str, cases: int, rare: int, clustered: bool, noises: Sequence[float]) -> list[LevelPredictions]:
    """Predictions of models of the given noise on the same cases, ``rare`` of them of the rarest
    class.
    """
    subject = np.repeat(np.arange(cases), rng.choice([1, 2], p=[0.3, 0.7], size=cases))[:cases] if clustered else np.arange(cases)

    def normal() -> np.ndarray:
        residual = rng.normal(size=cases)
        return math.sqrt(CLUSTERED) * rng.normal(size=cases)[subject] + math.sqrt(1 - CLUSTERED) * residual if clustered else residual

    severity, shared = normal(), normal()
    rank = severity.argsort().argsort()
    rest = cases - rare
    cuts = np.append(np.cumsum(SHARES)[:-1] * rest, rest) if kind == "ordinal" else np.array([rest])
    truth = (rank[:, None] >= np.round(cuts)).sum(axis=1)
    names = np.array([f"s{one:05d}" for one in subject])
    models = []
    for noise in noises:
        spread = math.sqrt(1.25 + noise**2)
        limits = ndtri(np.clip(np.round(cuts) / cases, 1e-3, 1 - 1e-3)) * spread
        tails = expit(2.0 * ((severity + 0.5 * shared + noise * normal())[:, None] - limits))
        probabilities = -np.diff(np.column_stack([np.ones(cases), tails, np.zeros(cases)]), axis=1)
        models.append(
            LevelPredictions(
                arm=f"model-{len(models)}",
                level=LEVELS[kind],
                head=LEVELS[kind].name,
                seeds=(0,),
                case_ids=tuple(f"c{case:05d}" for case in range(cases)),
                subjects=names,
                truth=truth.astype(np.int64),
                probabilities=probabilities[None],
                unread=0,
            )
        )
    return models


def metrics(kind: str) -> list[str]:
    """The rows' names of every metric that two models can differ in; of cuts the first and last. A
    single class against the rest is a binary level.
    """
    names = [row for name in metrics_of(kind) for row in rows_of(name, LEVELS[kind])]
    return [name for name in names if "[" not in name and name != "prevalence" and not name.endswith(("_2", "_3"))]


def run(
    cell: Cell,
    studies: int,
    statistics: Statistics,
    noises: tuple[float, float] = (0.6, 1.0),
    tests: Sequence[str] = (),
    covered: bool = True,
) -> Cell:
    """Fill ``cell`` from simulated studies; ``tests``: only these (default: all that apply);
    ``covered``: intervals too, which takes three times as long.
    """
    rng = np.random.default_rng([cell.cases, cell.rare, cell.clustered, cell.kind == "binary"])
    names = metrics(cell.kind)
    if covered:
        truths = true_values(rng, cell, statistics, noises)
    for _ in range(studies):
        a, b, *worse = study(rng, cell.kind, cell.cases, cell.rare, cell.clustered, (noises[0], noises[0], noises[1])[: 2 + covered])
        null, draws = PairedTests(a, b, statistics), resampled(a, statistics)
        real = PairedTests(worse[0], a, statistics) if covered else null
        for name in names:
            if covered:
                value = measured(name, a, statistics, draws)
                _cover(cell.rates[name, "interval"], value.low, value.high, truths[name][0])
            for test in BY_NAME[metric_of_row(name)].tests:
                if tests and test not in tests:
                    continue
                rates, row = cell.rates[name, test], null.run(name, test)
                _count(rates, row)
                if covered:
                    row = real.run(name, test)
                    _cover(rates, row.low, row.high, truths[name][1] - truths[name][0])
    return cell


def true_values(rng: np.random.Generator, cell: Cell, statistics: Statistics, noises: tuple[float, float]) -> dict[str, list[float]]:
    """Each metric of both models in one large study."""
    scale = max(40_000 // cell.cases, 1)
    large = study(rng, cell.kind, scale * cell.cases, scale * cell.rare, False, noises)
    return {
        name: [measured(name, one, statistics.model_copy(update={"resamples": 2})).estimate for one in large] for name in metrics(cell.kind)
    }


def _count(rates: Rates, row: Outcome) -> None:
    if math.isnan(row.p):
        return
    rates.studies += 1
    rates.rejected += row.p < 0.05
    rates.few += "too few" in row.note
    rates.disagree += not row.degenerate and not math.isnan(row.low) and (row.p < 0.05) != (row.low > 0 or row.high < 0)


def _cover(rates: Rates, low: float, high: float, truth: float) -> None:
    if not math.isnan(low) and not math.isnan(high):
        rates.intervals += 1
        rates.covered += low <= truth <= high


def table(cells: Sequence[Cell]) -> str:
    """A line for each metric and test: rejection, then coverage, of each cell, in per cent."""
    heads = [f"{cell.cases}/{cell.rare}{' x2' if cell.clustered else ''}" for cell in cells]
    lines = [f"| metric | test | {' | '.join(heads)} |", "|---|---|" + "---|" * len(cells)]
    for name, test in sorted({key for cell in cells for key in cell.rates}, key=lambda key: (metrics(cells[0].kind).index(key[0]), key[1])):
        lines.append(f"| {name} | {test} | {' | '.join(_entry(cell.rates[name, test], test) for cell in cells)} |")
    return "\n".join(lines)


def _entry(rates: Rates, test: str) -> str:
    covered = f"{100 * rates.covered / rates.intervals:.0f}" if rates.intervals else "-"
    if test == "interval":
        return covered
    covered = f", {covered}" if rates.intervals else ""
    if not rates.studies:
        return "-"
    few = f" ({100 * rates.few / rates.studies:.0f})" if rates.few else ""
    return f"{100 * rates.rejected / rates.studies:.1f}{few}{covered}"


def main() -> None:
    """Print a table for each kind of level and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=199)
    parser.add_argument("--cells", nargs="+", default=list(CELLS), help="cases:cases of the rarest class")
    parser.add_argument("--kinds", nargs="+", default=list(LEVELS), choices=list(LEVELS))
    parser.add_argument("--tests", nargs="+", default=[], help="only these tests")
    parser.add_argument("--rejection-only", action="store_true", help="no intervals, a third of the time")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    statistics, start = Statistics(resamples=options.resamples), time.process_time()
    everything = []
    for kind in options.kinds:
        cells = []
        for text in options.cells:
            cases, rare = (int(number) for number in text.split(":"))
            for clustered in (False, True):
                cell = run(
                    Cell(kind, cases, rare, clustered), options.studies, statistics, tests=options.tests, covered=not options.rejection_only
                )
                cells.append(cell)
                print(table([cell]), file=sys.stderr, flush=True)
        print(f"{kind} level, {options.studies} studies: rejection % (too few %), coverage %\n\n{table(cells)}\n", flush=True)
        everything += cells
    total = [
        (rates.rejected, rates.studies, rates.disagree)
        for cell in everything
        for (_, test), rates in cell.rates.items()
        if test != "interval"
    ]
    rejected, studies, disagree = (sum(one) for one in zip(*total, strict=True))
    worst = max(rates.rejected / rates.studies for cell in everything for rates in cell.rates.values() if rates.studies)
    print(
        json.dumps(
            {
                "rejected": round(rejected / studies, 4),
                "worst": round(worst, 4),
                "disagree": disagree,
                "cpu_s": round(time.process_time() - start),
            }
        )
    )


if __name__ == "__main__":
    main()
