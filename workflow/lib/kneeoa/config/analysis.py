"""Predictions made elsewhere, statistics, saliency, geometry: the right half of the workflow."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Name, Section

Metric = Literal["auc", "accuracy", "f1", "balanced_accuracy", "brier", "macro_auc", "macro_f1", "quadratic_kappa", "mae"]
Test = Literal["bootstrap", "delong", "mcnemar"]

BINARY_METRICS: tuple[Metric, ...] = ("auc", "accuracy", "f1", "balanced_accuracy", "brier")
CLASS_METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "macro_auc", "macro_f1", "quadratic_kappa", "mae")

APPLICABLE: dict[Test, tuple[Metric, ...] | None] = {"bootstrap": None, "delong": ("auc", "macro_auc"), "mcnemar": ("accuracy",)}
"""The metrics that a test applies to; None: every one."""


class ImportedLevel(Section):
    """Which columns of a table made elsewhere hold one level."""

    truth: str
    """Column of the reference label (an integer class)."""
    probabilities: tuple[str, ...] = Field(min_length=1)
    """One column per class, in order; for a binary level the positive class's column alone will do."""


class ImportedArm(Section):
    """An arm whose predictions were made elsewhere: a table and its factors."""

    backbone: Name
    """The factor by which arms are grouped."""
    mode: Name
    """The factor that contrasts vary."""
    file: str
    """File name inside `folder`."""
    levels: dict[Name, ImportedLevel]
    """The columns of each level that the table has."""


class Imports(Section):
    """Prediction tables made elsewhere: the study then needs neither images nor a GPU."""

    folder: str
    """Folder of the tables; $VARIABLES are expanded."""
    case_id: str
    """Column that identifies the case."""
    subject: str | None = None
    """Column that identifies the subject; default: every case is a subject of its own."""
    cohort: Name
    """What to call the cohort."""
    split: Name = "test"
    """What to call the split."""
    visit: str = "00m"
    """The visit of every case."""
    arms: dict[Name, ImportedArm] = Field(min_length=1)
    """The arms, each a table and its factors."""


class Contrast(Section):
    """A candidate against a reference, everything but the mode equal, on the same cases; one per backbone."""

    name: Name
    """Name of the contrast."""
    level: Name
    """The level at which arms are compared."""
    candidate: Name
    """A mode."""
    reference: Name
    """A mode."""
    tests: dict[Metric, tuple[Test, ...]]
    """For each metric, the tests to run, e.g. auc: [bootstrap, delong]."""

    @model_validator(mode="after")
    def _applicable(self) -> Self:
        for metric, tests in self.tests.items():
            for test in tests:
                allowed = APPLICABLE[test]
                if allowed is not None and metric not in allowed:
                    raise ValueError(f"contrast '{self.name}': test '{test}' applies to {' and '.join(allowed)}, not to '{metric}'")
        return self


class Family(Section):
    """Tests that are corrected together."""

    name: Name
    """Name of the family."""
    adjust: Literal["holm", "bh", "by", "none"]
    """Holm, Benjamini-Hochberg, Benjamini-Yekutieli or no adjustment."""
    tests: tuple[Test, ...]
    """A contrast's row joins the first family that lists its test and, where given, its contrast and metric."""
    contrasts: tuple[Name, ...] | None = None
    """Contrasts of the family; default all."""
    metrics: tuple[Metric, ...] | None = None
    """Metrics of the family; default all."""


class Statistics(Section):
    """How arms are compared."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    resamples: PositiveInt = 10_000
    """Bootstrap resamples of subjects."""
    seed: int = 42
    """Seed of the bootstrap."""
    mcnemar: Literal["midp", "exact", "chi2", "edwards"] = "midp"
    """Which p-value McNemar tests give (edwards: exact below 25 discordant pairs, else continuity-corrected)."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Probability at which a binary level is called positive."""
    contrasts: tuple[Contrast, ...] = ()
    """What is compared with what."""
    families: tuple[Family, ...] = ()
    """Which tests are corrected together."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        for what, names in (("contrast", [c.name for c in self.contrasts]), ("family", [f.name for f in self.families])):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} '{sorted(twice)[0]}' is declared twice")
        return self


class Saliency(Section):
    """Maps of what a run looks at (SmoothGrad x input, as paper A)."""

    samples: PositiveInt = 8
    """Noisy copies of each image."""
    noise: PositiveFloat = 0.05
    """Standard deviation of the noise, as a share of the image's range."""
    keep: PositiveInt = 4
    """Maps are kept at 1/keep of the grid along each axis."""
    cases: PositiveInt | None = None
    """Explain only the first so many test cases (in the order of a seeded shuffle); default all."""


class Anatomy(Section):
    """Where saliency falls against tissues."""

    targets: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """Groups of the cohort's tissues, e.g. cartilage: [femoral_cartilage, tibial_cartilage]."""
    shifts: PositiveInt = 200
    """Random circular shifts of the map for the null that keeps its texture."""
    seed: int = 7
    """Seed of the shifts."""


class Geometry(Section):
    """The severity axis and measures of the representation."""

    axes: tuple[Literal["pc1", "centroid"], ...] = ("pc1", "centroid")
    """pc1: first principal component of the training cases; centroid: from the lowest to the highest grade."""
    level: Name | None = None
    """The ordinal level whose grades the axis should order; default: the finest ordinal level."""
    resamples: PositiveInt = 1000
    """Bootstrap resamples of subjects."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    seed: int = 11
    """Seed of the bootstrap."""


class Figures(Section):
    """How figures look."""

    dpi: PositiveInt = 150
    """Resolution of the PNG files."""
    font_size: PositiveFloat = 8
    """Points."""
    palette: dict[Name, str] = Field(default_factory=dict)
    """Colours of modes; the default palette is safe for colour-blind readers."""
    labels: dict[Name, str] = Field(default_factory=dict)
    """How names (backbones, modes, levels, tissues) are printed, e.g. nnmamba: nnMamba."""
    example_cases: PositiveInt = 4
    """How many cases the example pictures show."""
