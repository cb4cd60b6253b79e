"""Sections of statistics: contrasts, the primary one, families of tests, thresholds, margins,
subgroups and the claim.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.factors import value_text
from kneeoa.config.metrics import WITHOUT_DIRECTION, FixedTest, MetricName, applicable
from kneeoa.config.section import FactorName, Name, Section

Test = Literal["bootstrap", "delong", "mcnemar", "delta", "seeds", "non_inferiority", "equivalence"]
"""seeds: a test over random seeds (three or more matched ones); non_inferiority and equivalence:
tests against a margin.
"""

APPLICABLE: dict[FixedTest, tuple[str, ...]] = {test: applicable(test) for test in get_args(FixedTest)}
"""The metrics that a test applies to."""


class Contrast(Section):
    """A comparison of a candidate with a reference on the same cases. One factor of the arms
    varies, all others are equal; there is a row for each combination of the others. A factor that
    does not apply to one of two arms, as one in which an ensemble's members differ, is no
    difference between them.
    """

    name: Name
    """Name of the contrast."""
    level: Name
    """The level at which arms are compared."""
    factor: FactorName = "mode"
    """The factor that varies: mode, backbone, view, grid, rater, ensemble, a key of training in
    which arms differ (training.learning_rate), or a factor of imported arms.
    """
    candidate: str | tuple[str, ...]
    """A value of the factor, or a list of values. Each of a list is compared with the reference,
    and rows that are in no family form a family (Holm) with the name of the contrast.
    """
    reference: str
    """A value of the factor. none: arms without it."""
    follows: tuple[FactorName, ...] = ()
    """Factors that may differ together with the one that varies, e.g. [training] where each
    backbone has its own settings. Arms that are equal in these factors too are paired first.
    """
    tests: dict[MetricName, tuple[FixedTest, ...]]
    """The tests of each metric, e.g. auc: [delong, bootstrap]. With three or more seeds a test over
    random seeds is added and takes their place in the families. For a level of several classes,
    auc, average_precision, sensitivity, specificity, ppv and npv have a row for each class against
    the rest (auc[mild]). For a multilabel level every metric has a row for the mean over findings
    (auc) and one for each finding (auc[osteophytes]).
    """
    margin: dict[MetricName, PositiveFloat] | PositiveFloat | None = None
    """Margin of non-inferiority and equivalence for each metric. A single number is that of the
    first metric in `tests`. Fix it before the run.
    """

    @field_validator("candidate", mode="before")
    @classmethod
    def _values(cls, value: Any) -> Any:
        return tuple(value_text(member) for member in value) if isinstance(value, list | tuple) else value_text(value)

    @field_validator("reference", mode="before")
    @classmethod
    def _value(cls, value: Any) -> str:
        return value_text(value)

    @property
    def candidates(self) -> tuple[str, ...]:
        """The values that are compared with the reference."""
        return self.candidate if isinstance(self.candidate, tuple) else (self.candidate,)

    @property
    def margins(self) -> dict[str, float]:
        """Metric -> margin."""
        if self.margin is None:
            return {}
        return self.margin if isinstance(self.margin, dict) else {next(iter(self.tests)): self.margin}

    @model_validator(mode="after")
    def _one_factor(self) -> Self:
        values = [*self.candidates, self.reference]
        twice = next((value for value in values if values.count(value) > 1), None)
        if not self.candidates or twice is not None:
            what = "has no 'candidate'" if twice is None else f"names the {self.factor} '{twice}' twice"
            raise ValueError(f"contrast '{self.name}' {what}; it compares one value of a factor, or several, with another one")
        if self.factor in self.follows:
            raise ValueError(f"contrast '{self.name}': '{self.factor}' is the factor that varies and cannot stand under 'follows'")
        return self

    @model_validator(mode="after")
    def _applicable(self) -> Self:
        if not self.tests or not all(self.tests.values()):
            raise ValueError(f"contrast '{self.name}' needs 'tests': metrics, and at least one test for each")
        for metric, tests in self.tests.items():
            for test in tests:
                if metric not in APPLICABLE[test]:
                    allowed = " and ".join(APPLICABLE[test])
                    raise ValueError(f"contrast '{self.name}': test '{test}' applies to {allowed}, not to '{metric}'")
        for metric in self.margins:
            if metric not in self.tests or metric in WITHOUT_DIRECTION:
                usable = [name for name in self.tests if name not in WITHOUT_DIRECTION]
                raise ValueError(f"contrast '{self.name}': a margin needs a tested metric with a better end ({usable}), not '{metric}'")
        return self


class Primary(Section):
    """The study's primary comparison. Its p is not adjusted; where it has several rows, Holm
    corrects them.
    """

    contrast: Name
    """Name of the contrast."""
    metric: MetricName
    """One of its metrics. For a multilabel level it is the mean over findings; for a metric with a
    row for each class it is all of them.
    """
    backbone: Name | None = None
    """The backbone. Default: all, which makes a primary family."""
    where: dict[FactorName, str] = Field(default_factory=dict)
    """Values of other factors that both of its arms have, e.g. {mode: dual}. For the contrast's own
    factor it is the candidate's value. Default: all.
    """
    cohort: Name | None = None
    """The cohort. Default: all."""

    @field_validator("where", mode="before")
    @classmethod
    def _texts(cls, where: Any) -> Any:
        return {key: value_text(value) for key, value in where.items()} if isinstance(where, dict) else where

    @property
    def factors(self) -> dict[str, str]:
        """Factor -> value that the primary pairs have."""
        return self.where | ({} if self.backbone is None else {"backbone": self.backbone})


class Family(Section):
    """Tests that are corrected together for multiple testing."""

    name: Name
    """Name of the family."""
    adjust: Literal["holm", "max_t", "bh", "by", "none"]
    """holm: Holm. max_t: step-down max-T, which uses the covariance of the tests' differences over
    subjects; its adjusted p is never larger than Holm's, and smaller where tests are of the same
    cases. bh: Benjamini-Hochberg. by: Benjamini-Yekutieli. none: no adjustment.
    """
    tests: tuple[Test, ...]
    """Tests of the family. A contrast's row belongs to the first family that lists its test and,
    where given, its contrast and metric. A test over random seeds, where it exists, takes the place
    of the metric's other tests, which are then in no family.
    """
    contrasts: tuple[Name, ...] | None = None
    """Contrasts of the family. Default: all."""
    metrics: tuple[MetricName, ...] | None = None
    """Metrics of the family. Default: all."""


class ThresholdRule(Section):
    """A threshold fitted on the validation cases, for each arm and seed. Test cases are never used
    for it.
    """

    rule: Literal["youden", "sensitivity", "specificity"]
    """youden: highest sensitivity + specificity. sensitivity, specificity: at least `value` of that
    rate.
    """
    value: float = Field(default=0.9, gt=0, le=1)
    """The rate that the threshold must reach."""


class Bands(Section):
    """Groups of a number, by limits."""

    bands: tuple[float, ...] = Field(min_length=2)
    """Limits in ascending order. A band includes its lower limit, the last one its upper limit
    too.
    """

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"'bands' must ascend, got {list(self.bands)}")
        return self


class Claim(Section):
    """The study's claim in one table: changes in prediction, in the order of the severity axis and
    in saliency between modes.
    """

    axis: Name = "pc1"
    """The severity axis."""
    tissue: Name = "cartilage"
    """One of the anatomy's targets."""
    measure: Name = "enrichment"
    """The measure of saliency in the tissue, from the maps of the first of `saliency.methods`.
    enrichment: the tissue's share of saliency over its share of the volume (chance: 1).
    """


Groups = Literal["all"] | tuple[str | int, ...] | Bands


class Statistics(Section):
    """Comparison of arms."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence level of every interval."""
    resamples: PositiveInt = 10_000
    """Number of bootstrap resamples of subjects."""
    seed: int = 42
    """Seed of the bootstrap."""
    mcnemar: Literal["midp", "exact", "chi2", "edwards"] = "midp"
    """The p-value of McNemar tests. edwards: exact below 25 discordant pairs, else
    continuity-corrected. Where people have several knees, the test is by person: midp and exact
    stay exact, by sign permutation; chi2 and, from 25 discordant people, edwards are Obuchowski's.
    """
    threshold: ThresholdRule | Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability from which a binary level is predicted positive: a number, or a rule that fits it
    on the validation cases, e.g. {rule: youden} or {rule: sensitivity, value: 0.9}.
    """
    power: float = Field(default=0.8, gt=0.5, lt=1)
    """Power at which the smallest detectable difference, printed beside every difference, is
    computed.
    """
    contrasts: tuple[Contrast, ...] = ()
    """Comparisons between arms."""
    primary: Primary | None = None
    """The primary comparison."""
    families: tuple[Family, ...] = ()
    """Families of the other tests, each corrected together."""
    subgroups: dict[Name, Groups] = Field(default_factory=dict)
    """Columns of the cases table (sex, age, site, side) or levels, with their groups: all, a list
    of values, or bands. The first metric of every contrast is compared in each group, with a test
    of interaction.
    """
    claim: Claim = Claim()
    """Axis, tissue and measure of the claim's table and figure."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        families = [family.name for family in self.families] + (["primary"] if self.primary is not None else [])
        for what, names in (("contrast", [contrast.name for contrast in self.contrasts]), ("family", families)):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} '{sorted(twice)[0]}' is declared twice")
        return self
