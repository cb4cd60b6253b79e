"""Canonical volumes, aligned masks, and the grids that networks take."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Name, Section

Plane = Literal["sagittal", "coronal", "axial", "any"]
ImageType = Literal["magnitude", "phase", "real", "imaginary", "water", "fat", "in_phase", "opposed_phase", "map", "subtraction"]


class N4(Section):
    """How the bias field is fitted (Tustison et al. 2010). Published pipelines rarely say; these
    are ITK's defaults.
    """

    shrink: PositiveInt = 4
    """The field is fitted to every n-th voxel along each axis (fewer where an axis is short)."""
    iterations: tuple[PositiveInt, ...] = Field(default=(50, 50, 50, 50), min_length=1)
    """Most iterations of each fitting level; each level halves the distance between the spline's
    control points.
    """
    convergence: PositiveFloat = 0.001
    """A level ends when the field changes by less than this (coefficient of variation)."""


class Intensity(Section):
    """From scanner units to the network's units. The order is: N4 (if asked), percentile clip,
    z-score.
    """

    n4: bool = False
    """N4 bias-field correction (SimpleITK) before anything else."""
    n4_fit: N4 = N4()
    """How the bias field is fitted, where `n4` asks for it."""
    clip: tuple[float, float] | None = (0.5, 99.5)
    """Percentiles of the image at which intensities are clipped; null: no clipping (as paper A)."""
    zscore: bool = True
    """Subtract the mean and divide by the standard deviation of the clipped voxels in `over`."""
    over: Literal["image", "foreground", "centre"] = "image"
    """Voxels that the z-score's mean and deviation are taken from: all that lie in the image, those
    brighter than Otsu's threshold, or the middle half of the grid along each axis (the joint, where
    the grid is centred on it).
    """

    @model_validator(mode="after")
    def _percentiles(self) -> Self:
        if self.clip is not None and not 0 <= self.clip[0] < self.clip[1] <= 100:
            raise ValueError(f"'clip' needs two rising percentiles between 0 and 100, not {list(self.clip)}")
        return self


class Region(Section):
    """Where a canonical volume is centred. Its physical size is `shape` times `spacing`."""

    around: Literal["image", "foreground"] = "image"
    """image: the middle of the scan, which the technologist puts on the joint; foreground: the
    centre of mass of the voxels brighter than Otsu's threshold, for scans in which the knee lies
    off the middle.
    """
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Millimetres added along the canonical axes: to the knee's lateral side, to the foot, to the
    back. The whole shift is rounded to voxels of the scan, so that it blurs nothing.
    """


class View(Section):
    """One kind of image of a case, and the canonical form that it is brought to.

    Axes are (slice, row, column) for sagittal MRI: left-right first, then superior-inferior, then
    anterior-posterior; and (row, column) for radiographs: superior-inferior first, then left-right
    (frontal) or anterior-posterior (lateral).
    """

    dimensions: Literal[2, 3] = 3
    """Axes of the image."""
    shape: tuple[PositiveInt, ...]
    """Voxels of the canonical grid."""
    spacing: tuple[PositiveFloat, ...] = ()
    """Millimetres of the canonical grid; left out where `fit` is `extent` or `pad`."""
    fit: Literal["spacing", "extent", "pad"] = "spacing"
    """spacing: every image gets the same voxel size, and is cropped or padded to the shape; extent:
    the whole image is resized to the shape (as paper A), so the voxel size differs from image to
    image and the affine tells it; pad (radiographs): as extent, with the proportions kept and the
    rest padded. Pictures without a pixel size (PNG) need extent or pad.
    """
    region: Region = Region()
    """Where a three-dimensional grid is centred."""
    antialias: bool = True
    """Average over what a voxel covers where the grid is coarser than the image; false: plain
    linear interpolation (paper A's loader).
    """
    intensity: Intensity = Intensity()
    """How intensities are brought to a common scale."""
    echo: PositiveInt | None = None
    """Which echo of a DICOM series that holds several, counted from the shortest echo time; which
    volume along the fourth axis of a converted file (NIfTI, MetaImage, NRRD), or which echo a file
    of one volume must be by its name or the `.json` beside it. null: the shortest; the one volume.
    Echoes are of one series, or of one acquisition of one study.
    """
    plane: Plane = Field(default="sagittal", exclude_if=lambda plane: plane == "sagittal")
    """In which plane the slices of DICOM series lie, to the nearest; series of other planes are no
    candidates. any: a folder holds one series of whatever plane (volumes that are as fine in all
    directions).
    """
    image_type: ImageType | None = Field(default=None, exclude_if=lambda image_type: image_type is None)
    """Which picture of a DICOM series that holds several kinds, by its ImageType: the magnitude
    image, the phase or another part of it, water, fat, in-phase or opposed-phase image of a Dixon
    scan, a calculated map (T2, field, ADC, fat fraction) or a subtraction. null: the magnitude
    image or the one picture there is of a Dixon scan; where it holds several of these, a case is
    left out.
    """

    projection: Literal["frontal", "lateral"] = "frontal"
    """Radiographs: frontal (PA or AP; left knees are mirrored) or lateral (never mirrored)."""
    field: PositiveFloat = 1.5
    """Radiographs of both knees with `fit: extent` or `pad`: width of the piece around a joint, in
    widths of its tibial plateau.
    """
    negatives: Literal["invert", "exclude", "keep"] = "invert"
    """Frontal radiographs whose bone is dark although their header does not say so: turned (the
    index tells which), excluded, or left as they are without a look, for joints that are no knees.
    """

    @property
    def mirrors(self) -> bool:
        """Whether left knees are mirrored to look like right ones: always but in lateral
        radiographs.
        """
        return self.dimensions == 3 or self.projection == "frontal"

    @model_validator(mode="after")
    def _flat(self) -> Self:
        if self.dimensions == 3 and (self.fit == "pad" or self.projection != "frontal"):
            raise ValueError("'fit: pad' and 'projection: lateral' are for radiographs, which have 2 'dimensions'")
        if self.dimensions == 2 and (self.intensity.n4 or self.region != Region() or self.echo is not None):
            raise ValueError("'n4', 'region' and 'echo' are for volumes; a view of 2 'dimensions' cannot have them")
        if self.dimensions == 2 and (self.plane != "sagittal" or self.image_type is not None):
            raise ValueError("'plane' and 'image_type' are for volumes; a view of 2 'dimensions' cannot have them")
        return self

    @model_validator(mode="after")
    def _dimensions(self) -> Self:
        for key in ("shape", "spacing") if self.fit == "spacing" else ("shape",):
            if len(getattr(self, key)) != self.dimensions:
                raise ValueError(f"'{key}' needs {self.dimensions} numbers, not {len(getattr(self, key))}")
        return self

    @model_validator(mode="after")
    def _extent(self) -> Self:
        if self.fit != "spacing" and (self.spacing or self.region != Region()):
            raise ValueError(f"'fit: {self.fit}' resizes the whole image; leave 'spacing' and 'region' out")
        return self


class MaskChecks(Section):
    """When an aligned mask is believed. A mask that fails is a row of the exclusions table."""

    minimum_inside: float = Field(default=0.9, ge=0, le=1)
    """Least share of the mask that must fall inside the image."""
    minimum_contrast: float = Field(default=0.6, ge=0.5, le=1)
    """Least AUC by which cartilage and bone intensities must differ under the mask."""
    minimum_boundary: float = Field(default=0.7, ge=0, le=1)
    """Least share of the mask's surface between bone and cartilage that must lie on an edge of the
    image (within 1 mm, or 0.6 voxels of the canonical grid where that is more). On sound pairs 0.85
    to 1 is usual, on another knee's mask 0.1 to 0.6. In masks without bone, bone's side of the
    cartilage is told by the plates' shapes; seven tenths are asked where no tissue is named the
    femur's.
    """
    cartilage: Literal["bright", "dark"] = "bright"
    """How cartilage looks beside bone: bright in DESS and other fat-suppressed sequences, dark
    where marrow is bright.
    """
    interpolation: Literal["linear", "nearest"] = "linear"
    """How labels reach the volume's grid: linear interpolates each label's indicator and takes the
    largest; nearest takes the nearest voxel's. Both keep the volume of thin cartilage on coarse
    grids; linear places surfaces better.
    """
    repair: Literal["never", "header"] = "never"
    """What happens to a mask whose header the image contradicts, where exactly one other reading of
    the header (an axis flipped, axes swapped, the image's own grid, DICOM's millimetres) puts it
    right: never: it is excluded, with that reading named; header: it is taken so, and the masks'
    index says how.
    """
    required: bool = False
    """true: a case without a usable mask leaves the study; false: it leaves the anatomy only."""


class Quality(Section):
    """Quality control: the pages of pictures on which a person looks a cohort over."""

    cases: PositiveInt | None = 1000
    """How many cases of a cohort and view get a picture, 100 a page: those that are flagged, the
    worst first, then unflagged ones in an arbitrary but fixed order; null: every case. The table
    beside the pages has every case.
    """


class Grid(Section):
    """An input size that arms may ask for; volumes are resampled to it once, not per arm."""

    shape: tuple[PositiveInt, ...]
    """Voxels along each axis."""


Grids = dict[Name, Grid]
