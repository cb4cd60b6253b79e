"""Sections of views, masks, quality control and input grids."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from kneeoa.config.section import Section

Plane = Literal["sagittal", "coronal", "axial", "any"]
ImageType = Literal["magnitude", "phase", "real", "imaginary", "water", "fat", "in_phase", "opposed_phase", "map", "subtraction"]


class N4(Section):
    """Fit of the bias field (Tustison et al. 2010). The defaults are ITK's, as published pipelines
    rarely state their settings.
    """

    shrink: PositiveInt = 4
    """The field is fitted to every n-th voxel along each axis (a smaller n where an axis is
    short).
    """
    iterations: tuple[PositiveInt, ...] = Field(default=(50, 50, 50, 50), min_length=1)
    """Most iterations of each fitting level. Each level halves the distance between the spline's
    control points.
    """
    convergence: PositiveFloat = 0.001
    """A level ends when the field changes by less than this (coefficient of variation)."""


class Intensity(Section):
    """Normalisation of intensities, in this order: N4 (if enabled), percentile clip, z-score."""

    n4: bool = False
    """N4 bias-field correction (SimpleITK) before anything else."""
    n4_fit: N4 = N4()
    """Fit of the bias field, where `n4` is true."""
    clip: tuple[float, float] | None = (0.5, 99.5)
    """Percentiles of the image at which intensities are clipped. Null: no clipping (as paper A)."""
    zscore: bool = True
    """Subtract the mean and divide by the standard deviation of the clipped voxels in `over`."""
    over: Literal["image", "foreground", "centre"] = "image"
    """Voxels for the mean and deviation of the z-score. image: all that lie in the image.
    foreground: those brighter than Otsu's threshold. centre: the middle half of the grid along each
    axis, which is the joint where the grid is centred on it.
    """

    @model_validator(mode="after")
    def _percentiles(self) -> Self:
        if self.clip is not None and not 0 <= self.clip[0] < self.clip[1] <= 100:
            raise ValueError(f"'clip' needs two rising percentiles between 0 and 100, not {list(self.clip)}")
        return self


class Region(Section):
    """Centre of a canonical volume. Its physical size is `shape` times `spacing`."""

    around: Literal["image", "foreground"] = "image"
    """image: the middle of the scan, which the technologist centres on the joint. foreground: the
    centre of mass of the voxels brighter than Otsu's threshold, for scans in which the knee is off
    centre.
    """
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Millimetres added along the canonical axes: to the knee's lateral side, to the foot, to the
    back. The whole shift is rounded to voxels of the scan, so that it does not blur.
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
    """Voxels of the canonical grid along each axis."""
    spacing: tuple[PositiveFloat, ...] = ()
    """Voxel size of the canonical grid in millimetres. Left out where `fit` is `extent` or
    `pad`.
    """
    fit: Literal["spacing", "extent", "pad"] = "spacing"
    """spacing: every image gets the same voxel size, and is cropped or padded to the shape. extent:
    the whole image is resized to the shape (as paper A), so the voxel size differs between images;
    the affine has it. pad (radiographs): as extent, but proportions are kept and the rest is
    padded. Pictures without a pixel size (PNG) need extent or pad.
    """
    region: Region = Region()
    """Centre of a three-dimensional grid."""
    antialias: bool = True
    """Average over the volume of a voxel where the grid is coarser than the image. false: plain
    linear interpolation (paper A's loader).
    """
    intensity: Intensity = Intensity()
    """Normalisation of intensities."""
    echo: PositiveInt | None = None
    """Number of the echo, counted from the shortest echo time. In a DICOM series with several
    echoes it selects one; echoes are of one series, or of one acquisition of one study. In a
    converted file (NIfTI, MetaImage, NRRD) it selects a volume along the fourth axis; a file of one
    volume must be that echo by its name or the `.json` beside it. Null: the shortest echo; the one
    volume.
    """
    plane: Plane = Field(default="sagittal", exclude_if=lambda plane: plane == "sagittal")
    """Plane of the slices of DICOM series, to the nearest. Series in other planes are not
    considered. any: a folder holds one series in any plane (isotropic volumes).
    """
    image_type: ImageType | None = Field(default=None, exclude_if=lambda image_type: image_type is None)
    """Kind of image to take from a DICOM series that has several, by its ImageType: the magnitude,
    phase, real or imaginary image, the water, fat, in-phase or opposed-phase image of a Dixon scan,
    a calculated map (T2, field, ADC, fat fraction) or a subtraction. Null: the magnitude image, or
    the only image of a Dixon scan; a case that has several of these is left out.
    """

    projection: Literal["frontal", "lateral"] = "frontal"
    """Radiographs. frontal: PA or AP; left knees are mirrored. lateral: never mirrored."""
    field: PositiveFloat = 1.5
    """Radiographs of both knees with `fit: extent` or `pad`: width of the crop around a joint, as a
    multiple of the width of its tibial plateau.
    """
    negatives: Literal["invert", "exclude", "keep"] = "invert"
    """Frontal radiographs whose bone is dark although their header does not say so. invert: they
    are inverted, and the index says which. exclude: they are excluded. keep: all images stay as
    they are, without a check, for joints that are no knees.
    """

    @property
    def mirrors(self) -> bool:
        """Whether left knees are mirrored to look like right ones: always except in lateral
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
    """Acceptance of aligned masks. A mask that fails is a row of the exclusions table."""

    minimum_inside: float = Field(default=0.9, ge=0, le=1)
    """Least share of the mask that must fall inside the image. Radiographs: of the joint space that
    must fall inside the crop.
    """
    minimum_contrast: float = Field(default=0.6, ge=0.5, le=1)
    """Least AUC by which cartilage and bone intensities must differ under the mask."""
    minimum_boundary: float = Field(default=0.7, ge=0, le=1)
    """Least share of the mask's surface between bone and cartilage that must lie on an edge of the
    image, within 1 mm, or 0.6 voxels of the canonical grid where that is more. Correct pairs
    usually have 0.85 to 1, another knee's mask 0.1 to 0.6. In masks without bone, the shapes of the
    cartilage plates show which side is bone; seven tenths are required where no tissue is named the
    femur's. Radiographs: the outline of the bones, or of the joint space where there is no bone.
    """
    cartilage: Literal["bright", "dark"] = "bright"
    """Brightness of cartilage compared with bone. bright: DESS and other fat-suppressed sequences.
    dark: sequences with bright marrow.
    """
    interpolation: Literal["linear", "nearest"] = "linear"
    """Resampling of labels to the volume's grid. linear: each label's indicator is interpolated,
    and the largest is taken. nearest: the nearest voxel's label is taken. Both keep the volume of
    thin cartilage on coarse grids; linear places surfaces better.
    """
    repair: Literal["never", "header"] = "never"
    """Treatment of a mask whose header contradicts the image, where exactly one other reading of
    the header fits (an axis flipped, axes swapped, the image's grid, DICOM's millimetres). never:
    it is excluded, and the reason names that reading. header: that reading is used, and the masks'
    index says which.
    """
    required: bool = False
    """true: a case without a usable mask is left out of the study. false: it is left out of the
    anatomy only.
    """


class Quality(Section):
    """Quality control: pages of pictures for a visual check of each cohort."""

    cases: PositiveInt | None = 1000
    """Number of cases of a cohort and view that get a picture, 100 a page. Flagged cases come
    first, from the worst, then others in an arbitrary but fixed order. Null: every case. The table
    beside the pages has every case.
    """


class Grid(Section):
    """An input size of arms. Volumes are resampled to it once, not for each arm."""

    shape: tuple[PositiveInt, ...]
    """Voxels along each axis."""
