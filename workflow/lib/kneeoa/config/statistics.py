"""How arms are compared: contrasts, the primary one, families of tests, thresholds, margins,
subgroups and the claim.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.factors import value_text
from kneeoa.config.metrics import WITHOUT_DIRECTION, FixedTest, MetricName, applicable
from kneeoa.config.section import FactorName, Name, Section

Test = Literal["bootstrap", "delong", "mcnemar", "delta", "seeds", "non_inferiority", "equivalence"]
"""seeds: of networks like these (three or more matched seeds); the last two: against a margin."""

APPLICABLE: dict[FixedTest, tuple[str, ...]] = {test: applicable(test) for test in get_args(FixedTest)}
"""The metrics that a test applies to."""


class Contrast(Section):
    """A candidate against a reference on the same cases: one factor of the arms varies, all others
    are equal; rows for each combination of the others. A factor that does not apply to one of two
    arms (what an ensemble's members differ in) is no difference between them.
    """

    name: Name
    """Name of the contrast."""
    level: Name
    """The level at which arms are compared."""
    factor: FactorName = "mode"
    """The factor that varies: mode, backbone, view, grid, reader, ensemble, a key of training in
    which arms differ (training.learning_rate), or a factor that imported arms name.
    """
    candidate: str | tuple[str, ...]
    """A value of the factor, or a list of values, each of which is compared with the reference:
    rows that no family takes are then a family of their own (Holm), called as the contrast.
    """
    reference: str
    """A value of the factor; none: without it."""
    follows: tuple[FactorName, ...] = ()
    """Factors that may differ with the one that varies, e.g. [training] where each backbone is
    trained in its own way. Arms that are equal in them too are compared first of all.
    """
    tests: dict[MetricName, tuple[FixedTest, ...]]
    """For each metric, the tests to run, e.g. auc: [delong, bootstrap]. With three or more seeds a
    test over random seeds joins them by itself and takes their place in the families. Of a level of
    several classes auc, average_precision, sensitivity, specificity, ppv and npv are of each class
    against the rest, a row a class (auc[mild]); of a multilabel level every metric has a row for
    the mean over findings (auc) and one a finding (auc[osteophytes]).
    """
    margin: dict[MetricName, PositiveFloat] | PositiveFloat | None = None
    """Non-inferiority and equivalence margin, fixed before the run; a number is that of the first
    metric in `tests`.
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
    """The one comparison that the study is about; its p is not adjusted. Where it leaves several
    rows, Holm corrects them.
    """

    contrast: Name
    """A contrast."""
    metric: MetricName
    """One of its metrics; of a multilabel level the mean over findings, of a metric with a row for
    each class all of them.
    """
    backbone: Name | None = None
    """The backbone; default: every one, which makes a primary family."""
    where: dict[FactorName, str] = Field(default_factory=dict)
    """Values of other factors that both of its arms have, e.g. {mode: dual}; of the contrast's own
    factor, the candidate's. Default: every one.
    """
    cohort: Name | None = None
    """The cohort; default: every one."""

    @field_validator("where", mode="before")
    @classmethod
    def _texts(cls, where: Any) -> Any:
        return {key: value_text(value) for key, value in where.items()} if isinstance(where, dict) else where

    @property
    def factors(self) -> dict[str, str]:
        """Factor -> value that the primary pairs have."""
        return self.where | ({} if self.backbone is None else {"backbone": self.backbone})


class Family(Section):
    """Tests that are corrected together."""

    name: Name
    """Name of the family."""
    adjust: Literal["holm", "max_t", "bh", "by", "none"]
    """Holm, step-down max-T (by how the tests' differences move together over subjects: never more
    than Holm, and less where tests are of the same cases), Benjamini-Hochberg, Benjamini-Yekutieli
    or no adjustment.
    """
    tests: tuple[Test, ...]
    """A contrast's row joins the first family that lists its test and, where given, its contrast
    and metric. Where a test over random seeds exists, it joins in the place of the metric's other
    tests, which are then in no family.
    """
    contrasts: tuple[Name, ...] | None = None
    """Contrasts of the family; default all."""
    metrics: tuple[MetricName, ...] | None = None
    """Metrics of the family; default all."""


class ThresholdRule(Section):
    """A threshold fitted on the validation cases, for each arm and seed; the test cases never
    choose it.
    """

    rule: Literal["youden", "sensitivity", "specificity"]
    """youden: highest sensitivity + specificity; the others: the threshold that gives at least
    `value` of the rate.
    """
    value: float = Field(default=0.9, gt=0, le=1)
    """The rate that is asked for."""


class Bands(Section):
    """Groups of a number, from limits."""

    bands: tuple[float, ...] = Field(min_length=2)
    """Limits in ascending order; a band holds its lower limit, the last one its upper limit too."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"'bands' must ascend, got {list(self.bands)}")
        return self


class Claim(Section):
    """The study's claim in one table: change in prediction, in the order of the severity axis and
    in saliency, mode against mode.
    """

    axis: Name = "pc1"
    """The severity axis."""
    tissue: Name = "cartilage"
    """One of the anatomy's targets."""
    measure: Name = "enrichment"
    """The measure of saliency in the tissue; enrichment: its share of saliency over its share of
    the volume (chance: 1). Maps are those of the first of `saliency.methods`.
    """


Groups = Literal["all"] | tuple[str | int, ...] | Bands


class Statistics(Section):
    """How arms are compared."""

    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    resamples: PositiveInt = 10_000
    """Bootstrap resamples of subjects."""
    seed: int = 42
    """Seed of the bootstrap."""
    mcnemar: Literal["midp", "exact", "chi2", "edwards"] = "midp"
    """Which p-value McNemar tests give (edwards: exact below 25 discordant pairs, else
    continuity-corrected). With several knees a person the test is by person: midp and exact stay
    exact, by sign permutation; chi2 and, from 25 discordant people, edwards are Obuchowski's.
    """
    threshold: ThresholdRule | Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Probability at which a binary level is called positive: a number, or a rule that finds it on
    the validation cases, e.g. {rule: youden} or {rule: sensitivity, value: 0.9}.
    """
    power: float = Field(default=0.8, gt=0.5, lt=1)
    """The chance at which the smallest detectable difference, printed beside every difference, is
    found.
    """
    contrasts: tuple[Contrast, ...] = ()
    """What is compared with what."""
    primary: Primary | None = None
    """The one primary comparison."""
    families: tuple[Family, ...] = ()
    """Which of the other tests are corrected together."""
    subgroups: dict[Name, Groups] = Field(default_factory=dict)
    """Columns of the cases table (sex, age, site, side) or levels, with their groups: all, a list
    of values or bands. The first metric of every contrast is compared in each group, with a test of
    interaction.
    """
    claim: Claim = Claim()
    """What the claim's table and figure join."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        families = [family.name for family in self.families] + (["primary"] if self.primary is not None else [])
        for what, names in (("contrast", [contrast.name for contrast in self.contrasts]), ("family", families)):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what} '{sorted(twice)[0]}' is declared twice")
        return self
