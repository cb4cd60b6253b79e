"""What stands under each figure: what is drawn, of how many, what the interval is; and the words
for those who cannot see it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kneeoa.figures.numbers import percent
from kneeoa.figures.words import count
from kneeoa.paper_tables.metrics import speaking
from kneeoa.report.evidence import Evidence


@dataclass(frozen=True)
class Caption:
    """A figure's title, its caption and its alternative text."""

    title: str
    text: str
    alternative: str


def sample(evidence: Evidence) -> str:
    """``64 test knees of 52 subjects, 2 seeds``; empty where no metrics are known."""
    if "metrics" not in evidence.tables:
        return ""
    rows = evidence.tables["metrics"]
    rows = rows[rows["split"] == "test"]
    parts = []
    for cohort, own in rows.groupby("cohort", sort=False):
        where = f" ({evidence.printed(cohort)})" if rows["cohort"].nunique() > 1 else ""
        parts.append(f"{count(int(own['cases'].max()), 'test knee')} of {count(int(own['subjects'].max()), 'subject')}{where}")
    seeds = int(rows["seeds"].max()) if len(rows) else 1
    return ", ".join([*parts, f"{count(seeds, 'seed')} an arm"] if seeds > 1 else parts)


def intervals(evidence: Evidence, metric: str) -> str:
    """``95 % interval (logit-delong)``, with the methods that METRICS names for ``metric``."""
    rows = speaking(evidence.tables["metrics"]) if "metrics" in evidence.tables else None
    kinds = [] if rows is None else sorted({kind for kind in rows.loc[rows["metric"] == metric, "interval"] if kind})
    return f"{percent(evidence.confidence)} interval" + (f" ({', '.join(kinds)})" if kinds else "")


def caption(name: str, evidence: Evidence) -> Caption:
    """The caption of a figure by its name; a variant such as ``axis-centroid`` has that of
    ``axis``.
    """
    level, who = percent(evidence.confidence), sample(evidence)
    of = f" {who[:1].upper()}{who[1:]}." if who else ""
    known = {
        "flow": Caption(
            "Cohort flow",
            "Knees and subjects from what was found to what was analysed, with every exclusion's stage and reason, after STARD 2015.",
            "Flow diagram: found, excluded, analysed and divided knees of each cohort. The numbers are in the text.",
        ),
        "volumes": Caption(
            "Example images",
            "Canonical images of test knees from mild to severe, cut where the mask is largest, with the mask's contours. Cases are chosen "
            "by grade and name, not by result.",
            "Grey-scale knee images in three planes with outlined tissues, one column for each grade.",
        ),
        "learning": Caption(
            "Learning curves",
            "Loss of each supervised level and its measure on the validation cases; one line a seed, training dashed, validation solid. "
            "Dots mark the epoch with the lowest total validation loss.",
            "Line plots of loss and validation measure against epoch, a column for each backbone, a colour for each mode.",
        ),
        "roc": Caption(
            "ROC curves",
            f"Sensitivity against 1 − specificity; thin lines are seeds, the bold line is their vertical average.{of} "
            f"Legend: AUC with {intervals(evidence, 'auc')}.",
            "ROC curves, one panel for each backbone, one colour for each mode. The areas are in the table of metrics.",
        ),
        "reliability": Caption(
            "Reliability",
            f"Observed share against mean predicted probability in bins of equal count, with Wilson {level} intervals; below, the "
            f"histogram of predictions. The diagonal is perfect calibration.{of}",
            "Calibration curves, one panel for each backbone, one colour for each mode, with histograms below.",
        ),
        "decision": Caption(
            "Decision curves",
            f"Net benefit of acting on a prediction at each threshold probability, with pointwise {level} intervals over subjects; grey: "
            f"acting on everybody, dotted: on nobody.{of}",
            "Decision curves, one panel for each backbone, one colour for each mode.",
        ),
        "claim": Caption(
            "Prediction, axis and saliency",
            "Candidate minus reference in each part of the question, a row for each backbone and pair of modes. Subjects (with three or "
            f"more seeds, seeds too) are drawn once for all columns; bars are {level} intervals.{of}",
            "Differences between modes in prediction, in the order of the severity axis and in saliency, side by side.",
        ),
        "confusion": Caption(
            "Confusion matrices",
            f"True class by row, predicted class by column; colour is the share of the row, numbers are knees.{of}",
            "Matrices of true against predicted grade, one for each arm with a head for the grade.",
        ),
        "forest": Caption(
            "Contrasts",
            f"Candidate minus reference on the same knees, with paired {level} intervals; p as tested and adjusted within its family.{of}",
            "Forest plot of the differences between modes. The same numbers are in the table of contrasts.",
        ),
        "axis": Caption(
            "Severity axis",
            "Test knees on an axis fitted on training knees. Above, the plane of the axis and the next direction; below, the order of the "
            f"grades along it. ρ is Spearman's correlation with its {level} interval over subjects.{of}",
            "Scatter and strip plots of the learned severity axis, coloured by grade, one panel for each arm.",
        ),
        "similarity": Caption(
            "Similarity of representations",
            "Unbiased linear CKA of the embeddings of every pair of runs on the test cases: 1 the same up to rotation and scale, "
            "0 unrelated. Blocks on the diagonal are the seeds of one arm.",
            "Matrix of the similarity of every pair of runs, ordered by backbone, mode and seed. The means are in the table.",
        ),
        "saliency": Caption(
            "Saliency over anatomy",
            "SmoothGrad × input for the same knees under each mode, each map scaled to its own 99.5th percentile for the eye; measures are "
            "taken on the maps as computed. Left: the image alone.",
            "Knee images with saliency overlaid and cartilage outlined, one column for each mode.",
        ),
        "anatomy": Caption(
            "Saliency on tissues",
            f"Enrichment (share of saliency in a tissue over the tissue's share of the image) with {level} subject-bootstrap intervals, "
            "beside chance and the same maps shifted at random; right, differences between modes on the same knees.",
            "Dot plots of saliency enrichment on each tissue and of its differences between modes. The numbers are in the table.",
        ),
        "readers": Caption(
            "Noisy readers",
            "Above, what arms achieve against the reference labels of test knees when a reader misread a share of the labels they learnt; "
            "below, candidate minus reference mode. Points are means over seeds (faint: one seed) with "
            f"{level} subject-bootstrap intervals; kappa (quadratic weighted) is that of the training labels. The slope says whether "
            f"the difference moves with the noise.{of}",
            "Line plots of a metric and of its difference between modes against the share of misread training labels.",
        ),
    }
    key = next((key for key in known if name == key or name.startswith((f"{key}-", f"{key}_"))), None)
    return known[key] if key else Caption(name.replace("_", " ").capitalize(), "", f"Figure {name}.")
