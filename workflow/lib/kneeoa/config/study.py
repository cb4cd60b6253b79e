"""The whole configuration of a study: every section, and the checks that reach across sections."""

from __future__ import annotations

import itertools
from typing import Any, Self

from pydantic import Field, PositiveInt, ValidationError, model_validator

from kneeoa.backbones import registry
from kneeoa.cohorts import registry as cohort_readers
from kneeoa.config.analysis import (
    Anatomy,
    Figures,
    Geometry,
    Imports,
    Saliency,
    Statistics,
)
from kneeoa.config.arms import Arm, ArmRow, Backbone
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level, check_hierarchy
from kneeoa.config.metrics import metrics_of
from kneeoa.config.modes import Mode
from kneeoa.config.prediction import Ensemble, Prediction, check_ensembles, flipped_axes
from kneeoa.config.readers import REFERENCE, NoisyReader
from kneeoa.config.resources import Resources
from kneeoa.config.section import Name, Section
from kneeoa.config.sentences import sentences
from kneeoa.config.training import Training
from kneeoa.config.volumes import Grid, MaskChecks, Quality, View
from kneeoa.errors import KneeoaError


class Study(Section):
    """One configuration: what is asked, of which images, by which arms, judged how."""

    study: Name
    """Name of the study and of its folder below results/."""
    title: str = ""
    """Title of the report."""
    question: str = ""
    """The question the report answers, in one or two sentences."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """The label hierarchy, coarse to fine."""
    cohorts: dict[Name, Cohort] = Field(default_factory=dict)
    """Where images, masks and labels come from."""
    views: dict[Name, View] = Field(default_factory=dict)
    """The kinds of image of a case, each with its canonical form."""
    masks: MaskChecks = MaskChecks()
    """When an aligned mask is believed."""
    quality: Quality = Quality()
    """What is shown for quality control."""
    grids: dict[Name, Grid] = Field(default_factory=dict)
    """Input sizes besides the views' canonical ones."""
    backbones: dict[Name, Backbone] = Field(default_factory=dict)
    """The encoders that arms choose from."""
    modes: dict[Name, Mode] = Field(default_factory=dict)
    """The ways of supervising that arms choose from."""
    readers: dict[Name, NoisyReader] = Field(default_factory=dict)
    """Noisy readers whose labels arms may learn instead of the reference."""
    training: Training = Training()
    """How every arm is trained, unless its row says otherwise."""
    arms: tuple[ArmRow, ...] = ()
    """The arms table: what is trained and compared."""
    seeds: tuple[PositiveInt, ...] = (1,)
    """One training job per arm and seed."""
    predict: Prediction = Prediction()
    """How a trained network is asked."""
    ensembles: dict[Name, Ensemble] = Field(default_factory=dict)
    """Several runs that speak as one, compared as arms are."""
    imports: Imports | None = None
    """Predictions made elsewhere, instead of cohorts and arms."""
    statistics: Statistics = Statistics()
    """How arms are compared."""
    geometry: Geometry = Geometry()
    """How representations are measured."""
    saliency: Saliency = Saliency()
    """How maps of what a run looks at are made."""
    anatomy: Anatomy = Anatomy()
    """Which tissues saliency is held against."""
    figures: Figures = Figures()
    """How figures look."""
    resources: Resources = Resources()
    """What jobs ask of the scheduler."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_hierarchy(self.levels)
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"'seeds' holds a seed twice: {list(self.seeds)}")
        if self.imports is not None and (self.cohorts or self.arms):
            raise ValueError("a study has either 'imports' or 'cohorts' with 'arms', not both")
        if self.imports is None and not (self.cohorts and self.arms):
            raise ValueError("a study needs 'cohorts' and 'arms', or 'imports' (predictions made elsewhere)")
        self._check_cohorts()
        self._check_modes()
        self._check_readers()
        self._check_arms()
        self._check_predictions()
        self._check_contrasts()
        return self

    def _check_cohorts(self) -> None:
        for name, cohort in self.cohorts.items():
            _known(f"cohorts.{name}.reader", cohort.reader, cohort_readers.readers())
            for view in cohort.views:
                _known(f"cohorts.{name}.views", view, self.views)
            if cohort.split.stratify is not None:
                _known(f"cohorts.{name}.split.stratify", cohort.split.stratify, self.level_names)
            for group, tissues in self.anatomy.targets.items():
                for tissue in tissues if cohort.tissues else ():
                    _known(f"anatomy.targets.{group}", tissue, (*cohort.tissues, "background"))
        if self.cohorts and not any(cohort.role == "develop" for cohort in self.cohorts.values()):
            raise ValueError("no cohort has the role 'develop', so nothing could be trained")
        if self.saliency.target is not None:
            _known("saliency.target", self.saliency.target, self.level_names)
        if self.geometry.level is not None:
            _known("geometry.level", self.geometry.level, self.level_names)

    def _check_modes(self) -> None:
        for name, mode in self.modes.items():
            for level in mode.levels:
                _known(f"modes.{name}.levels", level, self.level_names)
                try:
                    mode.loss_of(level, self.level(level).kind)
                except ValueError as error:
                    raise ValueError(f"'modes.{name}': {error}") from error
            order = [self.level_names.index(level) for level in mode.levels]
            if order != sorted(set(order)):
                raise ValueError(f"'modes.{name}.levels' is {list(mode.levels)}; levels must be listed once each, coarse to fine")

    def _check_readers(self) -> None:
        for name, reader in self.readers.items():
            where = f"readers.{name}"
            if name == REFERENCE:
                raise ValueError(f"'{where}': the name '{REFERENCE}' stands for the reference labels; choose another")
            if reader.level is not None:
                _known(f"{where}.level", reader.level, self.level_names)
            level = self.level_read(name)
            finer = [child.name for child in self.levels if child.parent == level.name and child.kind != "multilabel"]
            if finer or level.kind == "multilabel":
                why = f"level '{finer[0]}' is finer" if finer else "its findings do not exclude one another"
                raise ValueError(
                    f"'{where}' reads level '{level.name}', but {why}; a reader reads the finest single-label level of a branch"
                )
            if reader.adjacent is not None and level.kind == "multiclass":
                raise ValueError(f"'{where}.adjacent' needs ordered classes, but level '{level.name}' is multiclass; state a 'confusion'")
            try:
                reader.matrix(len(level.classes))
            except ValueError as error:
                raise ValueError(f"'{where}' reads level '{level.name}': {error}") from error

    def _check_reader_of(self, arm: Arm) -> None:
        if arm.reader is not None:
            _known(f"arms ({arm.name}).reader", arm.reader, (REFERENCE, *self.readers))
            read = self.level_read(arm.reader)
            if not {level.name for level in self._with_parents({read.name})} & set(self.modes[arm.mode].levels):
                raise ValueError(
                    f"arm '{arm.name}' learns {list(self.modes[arm.mode].levels)}, none of which follows from the level "
                    f"'{read.name}' that its reader '{arm.reader}' reads"
                )

    def _check_arms(self) -> None:
        names = [arm.name for arm in self.arms_table()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rows of 'arms' give the arm name '{twice[0]}'; tell them apart with 'name'")
        for arm in self.arms_table():
            _known(f"arms ({arm.name}).backbone", arm.backbone, self.backbones)
            _known(f"arms ({arm.name}).mode", arm.mode, self.modes)
            self._check_reader_of(arm)
            view = self.view_of(arm)
            if arm.grid is not None:
                _known(f"arms ({arm.name}).grid", arm.grid, self.grids)
            shape = self.input_shape(arm)
            if len(shape) != self.views[view].dimensions:
                raise ValueError(
                    f"arm '{arm.name}' takes a grid of {len(shape)} axes, but the view '{view}' has {self.views[view].dimensions}"
                )
            backbone = self.backbones[arm.backbone]
            try:
                registry.check(backbone.kind, backbone.options, shape)
            except KneeoaError as error:
                raise ValueError(f"'backbones.{arm.backbone}': {error}") from error

    def _check_predictions(self) -> None:
        views = {arm.name: self.view_of(arm) for arm in self.arms_table()}
        for view in set(views.values()):
            flipped_axes(self.views[view], self.predict.flips)
        check_ensembles(self.ensembles, views, len(self.seeds))

    def _check_contrasts(self) -> None:
        modes = {arm.mode for arm in self.imports.arms.values()} if self.imports else set(self.modes)
        for contrast in self.statistics.contrasts:
            where = f"statistics.contrasts ({contrast.name})"
            _known(f"{where}.level", contrast.level, self.level_names)
            for key in ("candidate", "reference"):
                _known(f"{where}.{key}", getattr(contrast, key), modes)
            level = self.level(contrast.level)
            allowed = metrics_of(level.kind, any(child.parent == level.name for child in self.levels))
            for metric in contrast.tests:
                _known(f"{where}.tests", metric, allowed)
        names = {contrast.name for contrast in self.statistics.contrasts}
        for family in self.statistics.families:
            for name in family.contrasts or ():
                _known(f"statistics.families ({family.name}).contrasts", name, names)
        self._check_primary()
        columns = ("side",) if self.imports else ("sex", "age", "site", "side")  # an import has no cases table
        for name in self.statistics.subgroups:
            _known("statistics.subgroups", name, (*columns, *self.level_names))

    def _check_primary(self) -> None:
        primary = self.statistics.primary
        if primary is None:
            return
        named = {contrast.name: contrast for contrast in self.statistics.contrasts}
        _known("statistics.primary.contrast", primary.contrast, named)
        _known("statistics.primary.metric", primary.metric, named[primary.contrast].tests)
        if primary.backbone is not None:
            backbones = {arm.backbone for arm in self.imports.arms.values()} if self.imports else set(self.backbones)
            _known("statistics.primary.backbone", primary.backbone, backbones)
        if primary.cohort is not None:
            _known("statistics.primary.cohort", primary.cohort, [self.imports.cohort] if self.imports else list(self.cohorts))

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels, coarse to fine."""
        return tuple(level.name for level in self.levels)

    def level(self, name: str) -> Level:
        """The level of that name."""
        return self.levels[self.level_names.index(name)]

    def levels_of(self, mode: str) -> tuple[Level, ...]:
        """The levels that concern a mode: those that supervise, and the coarser ones that can be read from them."""
        return self._with_parents(set(self.modes[mode].levels))

    def level_read(self, reader: str) -> Level:
        """The level that a reader reads: his own choice, else the finest that is not multilabel."""
        single = [level for level in self.levels if level.kind != "multilabel"] or list(self.levels)
        return self.level(self.readers[reader].level or single[-1].name)

    def _with_parents(self, names: set[str]) -> tuple[Level, ...]:
        wanted = set(names)
        for level in reversed(self.levels):  # children come after their parents
            if level.name in wanted and level.parent is not None:
                wanted.add(level.parent)
        return tuple(level for level in self.levels if level.name in wanted)

    def arms_table(self) -> tuple[Arm, ...]:
        """Every arm with its factors: the rows of ``arms`` multiplied out, in order."""
        return tuple(itertools.chain.from_iterable(self._expand(row) for row in self.arms))

    def _expand(self, row: ArmRow) -> list[Arm]:
        backbones = row.backbone if isinstance(row.backbone, tuple) else (row.backbone,)
        modes = row.mode if isinstance(row.mode, tuple) else (row.mode,)
        try:
            training = self.training.changed(row.training)
        except ValidationError as error:
            raise ValueError("; ".join(f"in 'arms[].training', {line}" for line in sentences(error, Training))) from error
        readers = row.reader if isinstance(row.reader, tuple) else (row.reader,)
        arms = []
        for backbone, mode, reader in itertools.product(backbones, modes, readers):
            name = row.name.replace("{backbone}", backbone).replace("{mode}", mode.replace("_", "-")).replace("{grid}", row.grid or "")
            name = name.replace("{reader}", reader or REFERENCE)
            whose = None if reader == REFERENCE else reader
            arms.append(Arm(name=name, backbone=backbone, mode=mode, grid=row.grid, view=row.view, training=training, reader=whose))
        return arms

    def view_of(self, arm: Arm) -> str:
        """The view that an arm takes."""
        if arm.view is not None:
            _known(f"arms ({arm.name}).view", arm.view, self.views)
            return arm.view
        if len(self.views) != 1:
            raise ValueError(f"arm '{arm.name}' must name its 'view': the study has {sorted(self.views)}")
        return next(iter(self.views))

    def input_shape(self, arm: Arm) -> tuple[int, ...]:
        """The shape that an arm's network takes (its grid's, else its view's canonical one)."""
        return tuple(self.grids[arm.grid].shape if arm.grid else self.views[self.view_of(arm)].shape)


def _known(key: str, value: str, allowed: Any) -> None:
    if value not in allowed:
        raise ValueError(f"'{key}' names '{value}'; known are {', '.join(allowed) or 'none'}")


def load(config: dict[str, Any]) -> Study:
    """Turn a mapping (a parsed config.yaml) into a checked study.

    Raises:
        KneeoaError: one line per mistake, each naming key, value and what is allowed.
    """
    try:
        return Study.model_validate(config)
    except ValidationError as error:
        lines = sentences(error, Study)
        raise KneeoaError("The configuration cannot be used:\n" + "\n".join(f"  - {line}" for line in lines)) from None
