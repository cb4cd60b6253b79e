"""Sections of cohorts: their sources of images, masks and labels, and their splits."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from kneeoa.config.manifest import LabelColumns, Manifest
from kneeoa.config.phantom import Phantom
from kneeoa.config.section import Name, Section

_PAIRS = {"R": "x", "L": "x", "A": "y", "P": "y", "S": "z", "I": "z"}


def check_orientation(codes: str) -> str:
    """Check that ``codes`` name one side of each pair, and return them.

    Raises:
        ValueError: they do not.
    """
    if len(codes) != 3 or {_PAIRS.get(letter) for letter in codes} != set(_PAIRS.values()):
        raise ValueError(f"'orientation' is '{codes}'; it needs one capital letter of each pair R/L, A/P and S/I, e.g. PIR")
    return codes


class Split(Section):
    """Division of a cohort's subjects. All cases of a subject are in the same split."""

    method: Literal["stratified", "given"] = "stratified"
    """stratified: drawn by level and seed. given: the source's train and test; validation cases are
    drawn from train unless the source gives them too.
    """
    stratify: Name | None = None
    """The level whose classes are balanced over the splits. A subject counts by its worst knee.
    Default: the finest level.
    """
    val: float = Field(default=0.15, ge=0, lt=1)
    """Share of subjects for validation. Where the split is given: share of the training subjects.
    """
    test: float = Field(default=0.25, ge=0, lt=1)
    """Share of subjects for the test set. Ignored where the split is given."""
    seed: int = 0
    """Seed of the draw."""

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.val + self.test >= 1:
            raise ValueError(f"'val' ({self.val}) and 'test' ({self.test}) leave nothing for training; their sum must be below 1")
        return self


class Published(Section):
    """Results that others have published on an external cohort, printed beside the study's."""

    source: str = Field(min_length=1)
    """The citation, e.g. Lee et al. 2024, Knee Surg Relat Res 36:24."""
    level: Name
    """The level of the labels, whose classes are exclusive."""
    accuracy_by_class: tuple[Annotated[float, Field(ge=0, le=1)] | None, ...] = ()
    """The share of right predictions among the cases of each class, in the order of the level's
    classes; null where it is not published.
    """
    accuracy: float | None = Field(default=None, ge=0, le=1)
    """The share of right predictions among all cases."""
    cases: PositiveInt | None = None
    """The number of cases."""


class Cohort(Section):
    """Images and labels from one source."""

    role: Literal["develop", "external"] = "develop"
    """develop: split into train, val and test. external: test only; nothing is fitted or chosen on
    it, and its cases need a label of the finest level that it has labels of, which may be a coarse
    one.
    """
    reader: Name
    """The layout of the source: oai, oai_zib, oaizib_cm, grades_folder or manifest. See
    docs/data.md.
    """
    root: str | None = None
    """Folder of the raw data. $VARIABLES are expanded. Not given for the phantom, which the
    workflow makes.
    """
    phantom: Phantom | None = None
    """Make this cohort, with its raw files, before reading it."""
    views: tuple[Name, ...] = ("sag_dess",)
    """The views to take from this cohort."""
    visits: tuple[str, ...] = ("00m",)
    """Visits to take, as the source names them."""
    series: dict[Name, str] = Field(default_factory=dict)
    """OAI: a regular expression for each view's series description, with a group `side` (LEFT,
    RIGHT) unless the view shows both knees.
    """
    labels: dict[Name, LabelColumns] = Field(default_factory=dict)
    """Columns that hold the label of each level. For OAI, names are without the visit's prefix, and
    the default is {kl: XRKL}.
    """
    reading_project: int | str | tuple[int | str, ...] | None = None
    """Reading projects in the order of preference, where a knee has several readings (OAI's
    READPRJ). Other projects follow by number.
    """
    readings: Literal["preferred", "first", "median", "unanimous"] = "preferred"
    """The label of a knee with several readings. preferred: the preferred project's. first: the
    first in the table. median: the (lower) median. unanimous: a label only where all agree.
    """
    landmarks: str | None = None
    """CSV of the joints' centres in radiographs: subject, side, row, column, and visit or view
    where needed. Its path is below `root`, or absolute.
    """
    manifest: Manifest | None = None
    """The column map of reader `manifest`."""
    orientation: str | None = None
    """Orientation of volumes whose header gives none, e.g. PIR: to the back, to the foot, to the
    right, as the sagittal slices of most scanners. Each letter is the side to which the index of an
    axis increases, in the order of the file's header (NIfTI i, j, k; MetaImage and NRRD x, y, z;
    DICOM columns, rows, slices). A file whose header gives an orientation keeps it. NumPy's .npy
    has no header: the letters are those of the array's axes, and `spacing_mm` is needed too. Null:
    a volume without an orientation is excluded.
    """
    spacing_mm: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = Field(default=None, exclude_if=lambda value: value is None)
    """Voxel size in millimetres of volumes that are NumPy's .npy, along each axis of the array.
    Other formats have it in their headers. Null: a .npy is excluded.
    """
    tissues: dict[Name, tuple[int | str, ...]] = Field(default_factory=dict)
    """Labels of each tissue in this cohort's masks, e.g. femoral_cartilage: [2]. In segmentations
    of 3D Slicer (.seg.nrrd), label values differ from file to file: give the names of segments, in
    any case, e.g. femoral_cartilage: [Femoral Cartilage]. A file that names its segments is read by
    names, which are the tissues' names where no other is given. Numbers are for files that name
    none. Empty: no masks.
    """
    shards: PositiveInt = 4
    """Number of pieces of whole subjects into which the cohort is divided. A changed subject reruns
    one piece.
    """
    split: Split = Split()
    """Division of the cohort's subjects."""
    unlabelled: bool = Field(default=False, exclude_if=lambda value: value is False)
    """Whether no case has a label of the finest level. Images of such a cohort are decoded and
    shown in quality control, and none is trained or tested on. Any other cohort must have labels.
    """
    published: tuple[Published, ...] = Field(default=(), exclude_if=lambda value: value == ())
    """Numbers that others have published of an external cohort."""

    @model_validator(mode="after")
    def _source(self) -> Self:
        if (self.root is None) == (self.phantom is None):
            raise ValueError("a cohort needs either 'root' (its folder) or 'phantom' (how to make it), and not both")
        if self.root is not None and not self.root.strip():
            raise ValueError("'root' is empty; name the folder of the raw data")
        if self.phantom is not None:
            self._check_phantom(self.phantom)
        return self

    def _check_phantom(self, phantom: Phantom) -> None:
        if phantom.form == "knees" and (self.reader != "manifest" or (self.manifest is not None and self.manifest.table != "knees.csv")):
            raise ValueError("a phantom of the form knees is a table of pictures: 'reader' must be 'manifest' and its 'table' knees.csv")
        if phantom.form != "knees" and self.reader != "oai":
            raise ValueError("a phantom cohort is written in OAI's layout: 'reader' must be 'oai'")
        if phantom.images == "radiographs" and phantom.form != "knees" and self.views != ("pa",):
            raise ValueError(f"a phantom of radiographs has the view pa alone, but 'views' is {list(self.views)}: write 'views: [pa]'")

    @model_validator(mode="after")
    def _geometry(self) -> Self:
        if self.spacing_mm is not None and self.orientation is None:
            raise ValueError("'spacing_mm' is for arrays (.npy), which need 'orientation' too, e.g. RIP for (slice, row, column)")
        return self

    @field_validator("orientation")
    @classmethod
    def _one_of_each_pair(cls, value: str | None) -> str | None:
        return None if value is None else check_orientation(value)

    @field_validator("tissues")
    @classmethod
    def _numbers(cls, value: dict[str, tuple[int | str, ...]]) -> dict[str, tuple[int | str, ...]]:
        """Read numbers in quotes as numbers: no segment is called 2."""
        return {
            name: tuple(int(label) if isinstance(label, str) and label.isdecimal() else label for label in labels)
            for name, labels in value.items()
        }

    @model_validator(mode="after")
    def _columns(self) -> Self:
        if (self.reader == "manifest") != (self.manifest is not None):
            raise ValueError("reader 'manifest' needs the section 'manifest' (its column map), and no other reader takes one")
        if self.manifest is not None:
            self._check_placeholders(self.manifest)
        wrong = [visit for visit in self.visits if not re.fullmatch(r"\w+", visit)]
        if wrong:
            raise ValueError(f"'visits' names '{wrong[0]}'; a visit has letters, digits and _, as it becomes part of a case's name")
        for view, pattern in self.series.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'series.{view}' is '{pattern}', which is not a regular expression ({error})") from error
        return self

    def _check_placeholders(self, manifest: Manifest) -> None:
        names = [name for level in self.labels.values() for name in level.names]
        for placeholder, texts in (("side", manifest.sides), ("visit", manifest.visits), ("view", manifest.views)):
            if not texts and any(f"{{{placeholder}}}" in name for name in names):
                raise ValueError(f"'labels' holds '{{{placeholder}}}': 'manifest.{placeholder}s' must say what stands for it")
        if manifest.visit is None and not manifest.visits and len(self.visits) != 1:
            raise ValueError("a manifest without 'visit' or 'visits' has one visit, so 'visits' must name exactly one")
        for key, wanted in (("visits", self.visits), ("views", self.views)):
            given = getattr(manifest, key)
            lacking = [entry for entry in wanted if given and entry not in given]
            if lacking:
                raise ValueError(f"'manifest.{key}' lacks '{lacking[0]}', which '{key}' asks for")
        for placeholder, texts in (("side", manifest.sides), ("visit", manifest.visits), ("view", manifest.views)):
            if texts and not any(f"{{{placeholder}}}" in name for name in (*names, *manifest.columns.values())):
                raise ValueError(
                    f"'manifest.{placeholder}s' is given, but no column's name holds '{{{placeholder}}}', so every {placeholder} would get "
                    "the same cells"
                )
