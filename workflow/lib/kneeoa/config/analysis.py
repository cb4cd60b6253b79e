"""Sections for imported predictions, saliency, anatomy, geometry and figures."""

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
    """The columns of one level in an imported table."""

    truth: str | tuple[str, ...]
    """Column of the reference label, an integer class. For a multilabel level one column per
    finding, in order: 0 or 1, empty where it was not read.
    """
    probabilities: tuple[str, ...] = Field(min_length=1)
    """One column per class or finding, in order. For a binary level the column of the positive
    class is enough.
    """

    @property
    def truth_columns(self) -> tuple[str, ...]:
        """The columns of the reference labels."""
        return (self.truth,) if isinstance(self.truth, str) else self.truth


class ImportedArm(Section):
    """An arm whose predictions are imported: a table and its factors."""

    backbone: Name | None
    """The backbone. Null where there is none, as for an ensemble of several."""
    mode: Name | None
    """The mode, which contrasts vary unless they name another factor. Null where there is none."""
    factors: dict[FactorName, Any] = Field(default_factory=dict)
    """Other factors in which arms differ, e.g. {plugin: pim}. An arm that does not name a factor
    has the value none. Null means that the factor does not apply to the arm.
    """
    members: tuple[Name, ...] = ()
    """For an ensemble: the arms that it is made of. Where a contrast varies `ensemble`, the
    ensemble is compared with these arms alone. Factors in which they differ do not apply to it.
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
    """Prediction tables made elsewhere. The study then needs neither images nor a GPU."""

    folder: str
    """Folder of the tables; $VARIABLES are expanded."""
    case_id: str
    """Column that identifies the case."""
    subject: str | None = None
    """Column that identifies the subject. Default: every case is another subject. Name the column
    wherever a person has two knees or visits: they are not two people.
    """
    cohort: Name
    """Name of the cohort."""
    split_column: str | None = None
    """Column of the split: val for validation cases, on which a threshold can be fitted, or test.
    Training cases (train) are left out. Default: all are test cases.
    """
    visit: str = "00m"
    """The visit of every case."""
    arms: dict[Name, ImportedArm] = Field(min_length=1)
    """The arms, each a table and its factors."""

    @model_validator(mode="before")
    @classmethod
    def _accept_split_test(cls, values: Any) -> Any:
        """Accept the old key ``split`` where it is ``test``; other splits are not analysed."""
        if not isinstance(values, dict) or "split" not in values:
            return values
        if values["split"] != "test":
            raise ValueError(
                f"'split' is '{values['split']}', but figures, tables and contrasts are of test cases: leave it out, and name the column "
                "of the split as 'split_column' where there are validation cases too"
            )
        return {key: value for key, value in values.items() if key != "split"}


class Saliency(Section):
    """Saliency maps of each run, of a score that is the same for every mode."""

    methods: tuple[Name, ...] = Field(default=("smoothgrad_input",), min_length=1)
    """Methods: smoothgrad_input (paper A), smoothgrad (the gradient alone), integrated_gradients,
    grad_cam, occlusion. Figures of example cases show the first.
    """
    target: str | None = None
    """The score that is explained. oa, a binary level: its log-odds. kl, a level of several
    classes: the logit of each case's true class. kl.severe: the log-odds of that class against the
    rest, in every case. findings.osteophytes: the log-odds of that finding of a multilabel level,
    in every case. Every mode must have a head that predicts the level. Default: the coarsest binary
    level.
    """
    samples: PositiveInt = 8
    """smoothgrad, smoothgrad_input: number of noisy copies of each image."""
    noise: PositiveFloat = 0.05
    """smoothgrad, smoothgrad_input: standard deviation of the noise, as a share of the image's
    range.
    """
    steps: PositiveInt = 32
    """integrated_gradients: number of steps from the image's darkest value to the image."""
    cube: PositiveInt = 8
    """occlusion: edge of the hidden cube, in voxels of the arm's grid."""
    keep: PositiveInt = 4
    """Maps are stored at 1/keep of the grid along each axis."""
    cases: PositiveInt | None = None
    """Number of test cases of each cohort to explain, in a fixed random order. Default: all."""
    randomised: NonNegativeInt = 0
    """Sanity check: number of test cases to explain again with weights randomised from the head
    downwards. 0: no check.
    """

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for method in methods:
            if method not in registry.methods():
                raise ValueError(f"'{method}' is not a method of saliency; allowed are {', '.join(registry.methods())}")
        return tuple(dict.fromkeys(methods))

    def of_method(self, method: str) -> dict[str, Any]:
        """The keys that decide the maps of one method, with trained and randomised weights, as
        plain values; a change of any other key makes no map again.
        """
        return self.model_dump(mode="json", include={"keep", "cases", "randomised", *registry.options(method)})


class Anatomy(Section):
    """Comparison of saliency with tissues."""

    targets: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Groups of the cohort's tissues, e.g. cartilage: [femoral_cartilage, tibial_cartilage]. The
    first is the subject of the study, the others are its controls. The name background stands for
    all that has no label.
    """
    shifts: PositiveInt = 200
    """Number of random circular shifts of the map, for the null that keeps its texture."""
    partners: PositiveInt = 20
    """Number of other subjects' maps, for the null that keeps where this network's maps usually
    lie.
    """
    dilations: tuple[PositiveInt, ...] = ()
    """Voxels by which the first group is also measured dilated, e.g. [1, 3]. Cartilage is thin and
    maps are coarse.
    """
    tolerance_mm: PositiveFloat = 5.0
    """Pointing game: largest distance of a map's peak from the tissue."""
    region_mm: PositiveFloat = 15.0
    """Distance in mm from any labelled tissue that bounds the joint region. Measures of the region
    ignore what lies outside.
    """
    seed: int = 7
    """Seed of the shifts, of the choice of other subjects and of control regions."""
    deletion: NonNegativeInt = 0
    """Number of test cases of each cohort from which tissues are deleted, to measure the change of
    the score. 0: none.
    """
    controls: PositiveInt = 4
    """deletion: number of moved copies of the first group, of each kind (inside the joint, on bone,
    on background).
    """
    blur_mm: PositiveFloat = 6.0
    """deletion: standard deviation of the Gaussian by which a deleted region is filled from its
    surroundings.
    """

    def of_overlap(self) -> dict[str, Any]:
        """The keys that decide the overlap of a map with tissues, as plain values."""
        return self.model_dump(mode="json", exclude={"deletion", "controls", "blur_mm"})

    def of_deletion(self) -> dict[str, Any]:
        """The keys that decide the deletion, as plain values."""
        return self.model_dump(mode="json", include={"targets", "region_mm", "seed", "deletion", "controls", "blur_mm"})


class Geometry(Section):
    """The severity axis and measures of the representation."""

    axes: tuple[Literal["pc1", "centroid", "lda", "ridge"], ...] = Field(default=("pc1", "centroid", "lda", "ridge"), min_length=1)
    """pc1: first principal component of the training cases. centroid: from the lowest to the
    highest grade. lda: first linear discriminant of the grades (shrunk covariance). ridge: ridge
    regression on the grade. The figure shows the first axis of the list.
    """
    level: Name | None = None
    """The ordinal level whose grades the axis should order. Default: the finest ordinal level."""
    resamples: PositiveInt = 1000
    """Number of bootstrap resamples of subjects."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence level of every interval."""
    seed: int = 11
    """Seed of the bootstrap, the permutations and the probes' folds."""
    permutations: NonNegativeInt = 1000
    """Number of permutations of the grades between subjects for the null of each axis. 0: none."""
    untrained: bool = True
    """Also measure the embeddings of each untrained backbone. This is one short GPU job for each of
    a backbone's inputs and seeds.
    """
    raw_images: bool = True
    """Also measure the principal components of the raw images."""
    raw_grid: PositiveInt = 16
    """Most voxels along each axis to which images are averaged over blocks, before their principal
    components are computed.
    """


class Figures(Section):
    """Appearance of figures."""

    dpi: PositiveInt = 150
    """Resolution of the PNG files, in dots per inch."""
    font_size: PositiveFloat = 8
    """Font size in points."""
    palette: dict[Name, str] = Field(default_factory=dict)
    """Colours of modes. The default palette is safe for the colour-blind."""
    labels: dict[Name, str] = Field(default_factory=dict)
    """Printed names of backbones, modes, levels and tissues, e.g. nnmamba: nnMamba."""
    example_cases: PositiveInt = 4
    """Number of cases in the figures of examples."""
