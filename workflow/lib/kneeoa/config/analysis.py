"""Predictions made elsewhere, statistics, saliency, geometry: the right half of the workflow."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.factors import value_text
from kneeoa.config.section import FactorName, Name, Section
from kneeoa.config.statistics import Contrast, Family, Primary, Statistics
from kneeoa.saliency.methods import registry

__all__ = [
    "Anatomy",
    "Contrast",
    "Family",
    "Figures",
    "Geometry",
    "ImportedArm",
    "ImportedLevel",
    "Imports",
    "Primary",
    "Saliency",
    "Statistics",
]


class ImportedLevel(Section):
    """Which columns of a table made elsewhere hold one level."""

    truth: str | tuple[str, ...]
    """Column of the reference label (an integer class); for a multilabel level one column per
    finding, in order (0 or 1, empty where it was not read).
    """
    probabilities: tuple[str, ...] = Field(min_length=1)
    """One column per class or finding, in order; for a binary level the positive class's column
    alone will do.
    """

    @property
    def truth_columns(self) -> tuple[str, ...]:
        """The columns of the reference labels."""
        return (self.truth,) if isinstance(self.truth, str) else self.truth


class ImportedArm(Section):
    """An arm whose predictions were made elsewhere: a table and its factors."""

    backbone: Name | None
    """The backbone; null where there is none, as of an ensemble of several."""
    mode: Name | None
    """The mode, the factor that contrasts vary unless they name another; null where there is
    none.
    """
    factors: dict[FactorName, Any] = Field(default_factory=dict)
    """Other factors in which arms differ, e.g. {plugin: pim}; none is the value of arms that do not
    name one, null says that it does not apply to the arm.
    """
    members: tuple[Name, ...] = ()
    """Of an ensemble: the arms that it is made of. Where a contrast varies `ensemble`, it is
    compared with them alone; what they differ in does not apply to it.
    """
    file: str
    """File name inside `folder`."""
    levels: dict[Name, ImportedLevel]
    """The columns of each level that the table has."""

    @field_validator("factors")
    @classmethod
    def _other_factors(cls, factors: dict[str, Any]) -> dict[str, Any]:
        for name in ("backbone", "mode", "fold", "seed", "members"):
            if name in factors:
                raise ValueError(
                    f"'{name}' is no entry of 'factors'" + ("; it is a key of the arm" if name in ("backbone", "mode") else "")
                )
        return {name: None if value is None else value_text(value) for name, value in factors.items()}

    def factor_values(self) -> dict[str, str | None]:
        """Factor -> value; None where it does not apply."""
        pooled = {"ensemble": "ensemble"} if self.members else {}
        return {"backbone": self.backbone, "mode": self.mode, **pooled, **self.factors}


class Imports(Section):
    """Prediction tables made elsewhere: the study then needs neither images nor a GPU."""

    folder: str
    """Folder of the tables; $VARIABLES are expanded."""
    case_id: str
    """Column that identifies the case."""
    subject: str | None = None
    """Column that identifies the subject; default: every case is a subject of its own. Name it
    wherever a person has two knees or visits: they are not two people.
    """
    cohort: Name
    """What to call the cohort."""
    split_column: str | None = None
    """Column that tells validation cases (val), on which a threshold can be fitted, from test cases
    (test); training cases (train) are left out. Default: all are test cases.
    """
    visit: str = "00m"
    """The visit of every case."""
    arms: dict[Name, ImportedArm] = Field(min_length=1)
    """The arms, each a table and its factors."""

    @model_validator(mode="before")
    @classmethod
    def _of_test_cases(cls, values: Any) -> Any:
        """``split: test`` may be written, as it once could be another; nothing else is analysed."""
        if not isinstance(values, dict) or "split" not in values:
            return values
        if values["split"] != "test":
            raise ValueError(
                f"'split' is '{values['split']}', but figures, tables and contrasts are of test cases: leave it out, and name the column "
                "that tells validation cases from test cases as 'split_column' where there are both"
            )
        return {key: value for key, value in values.items() if key != "split"}


class Saliency(Section):
    """Maps of what a run looks at, of a score that is the same for every mode."""

    methods: tuple[Name, ...] = Field(default=("smoothgrad_input",), min_length=1)
    """How maps are made: smoothgrad_input (paper A), smoothgrad (the gradient alone),
    integrated_gradients, grad_cam, occlusion. The first is the one that pictures show.
    """
    target: str | None = None
    """What is explained; default: the coarsest binary level, by its log-odds. Of a level of several
    classes it is the logit of the case's true class; a level and one of its classes, kl.severe, are
    the log-odds of that class against the rest, and findings.osteophytes those of one finding of a
    multilabel level, in every case alike. Every mode must have a head that speaks of the level.
    """
    samples: PositiveInt = 8
    """smoothgrad, smoothgrad_input: noisy copies of each image."""
    noise: PositiveFloat = 0.05
    """smoothgrad, smoothgrad_input: standard deviation of the noise, as a share of the image's
    range.
    """
    steps: PositiveInt = 32
    """integrated_gradients: steps from the image's darkest value to the image."""
    cube: PositiveInt = 8
    """occlusion: edge of the cube that is hidden, in voxels of the arm's grid."""
    keep: PositiveInt = 4
    """Maps are kept at 1/keep of the grid along each axis."""
    cases: PositiveInt | None = None
    """Explain only the first so many test cases (in the order of a seeded shuffle); default all."""
    randomised: NonNegativeInt = 0
    """Sanity check: explain the first so many test cases again with weights randomised from the
    head downwards; 0: no check.
    """

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for method in methods:
            if method not in registry.methods():
                raise ValueError(f"'{method}' is not a method of saliency; allowed are {', '.join(registry.methods())}")
        return tuple(dict.fromkeys(methods))

    def of_method(self, method: str) -> dict[str, Any]:
        """The keys that decide the maps of one method, of trained and randomised weights, as plain
        values: a change of any other makes no map again.
        """
        return self.model_dump(mode="json", include={"keep", "cases", "randomised", *registry.options(method)})


class Anatomy(Section):
    """Where saliency falls against tissues."""

    targets: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Groups of the cohort's tissues, e.g. cartilage: [femoral_cartilage, tibial_cartilage]; the
    first is what the study is about, the others are its controls. The name background stands for
    all that has no label.
    """
    shifts: PositiveInt = 200
    """Random circular shifts of the map for the null that keeps its texture."""
    partners: PositiveInt = 20
    """Maps of so many other subjects for the null that keeps where maps of this network usually
    lie.
    """
    dilations: tuple[PositiveInt, ...] = ()
    """Measure the first group dilated by so many voxels too, e.g. [1, 3]: cartilage is thin and
    maps are coarse.
    """
    tolerance_mm: PositiveFloat = 5.0
    """Pointing game: how far from the tissue the peak of a map may lie."""
    region_mm: PositiveFloat = 15.0
    """The joint region: cells within so many mm of any labelled tissue; measures of the region
    ignore what lies outside.
    """
    seed: int = 7
    """Seed of the shifts, of the choice of other subjects and of control regions."""
    deletion: NonNegativeInt = 0
    """Delete tissues from the first so many test cases and see what becomes of the score; 0: not at
    all.
    """
    controls: PositiveInt = 4
    """deletion: moved copies of the first group, of each kind (inside the joint, on bone, on
    background).
    """
    blur_mm: PositiveFloat = 6.0
    """deletion: what is deleted is filled from its surroundings, weighted by a Gaussian of this
    standard deviation.
    """

    def of_overlap(self) -> dict[str, Any]:
        """The keys that decide the overlap of a map with tissues, as plain values."""
        return self.model_dump(mode="json", exclude={"deletion", "controls", "blur_mm"})

    def of_deletion(self) -> dict[str, Any]:
        """The keys that decide what is deleted, as plain values."""
        return self.model_dump(mode="json", include={"targets", "region_mm", "seed", "deletion", "controls", "blur_mm"})


class Geometry(Section):
    """The severity axis and measures of the representation."""

    axes: tuple[Literal["pc1", "centroid", "lda", "ridge"], ...] = Field(default=("pc1", "centroid", "lda", "ridge"), min_length=1)
    """pc1: first principal component of the training cases; centroid: from the lowest to the
    highest grade; lda: first linear discriminant of the grades (shrunk covariance); ridge: ridge
    regression on the grade. The first is the one that the figure shows.
    """
    level: Name | None = None
    """The ordinal level whose grades the axis should order; default: the finest ordinal level."""
    resamples: PositiveInt = 1000
    """Bootstrap resamples of subjects."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Level of every interval."""
    seed: int = 11
    """Seed of the bootstrap, the permutations and the probes' folds."""
    permutations: NonNegativeInt = 1000
    """Permutations of the grades between subjects in the null of each axis; 0: none."""
    untrained: bool = True
    """Also measure the embeddings of each backbone at its initialisation (one short GPU job for
    each of a backbone's inputs and seeds).
    """
    raw_images: bool = True
    """Also measure the principal components of the images themselves."""
    raw_grid: PositiveInt = 16
    """Images are averaged over blocks to at most so many voxels along each axis before their
    principal components are taken.
    """


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
