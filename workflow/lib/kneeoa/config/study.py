"""The whole configuration of a study: all sections, and arms, levels and shapes derived from
them.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from typing import Any, Self

from pydantic import Field, PositiveInt, ValidationError, model_validator

from kneeoa.config.analysis import (
    Anatomy,
    Figures,
    Geometry,
    Imports,
    Saliency,
    Statistics,
)
from kneeoa.config.arms import Arm, ArmRow, Backbone
from kneeoa.config.checks import check_study, require_member
from kneeoa.config.cohorts import Cohort
from kneeoa.config.factors import CANONICAL, NONE, inapplicable_factors
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.config.people import Groups
from kneeoa.config.plugins import Plugin
from kneeoa.config.prediction import Ensemble, Prediction
from kneeoa.config.raters import REFERENCE, NoisyRater
from kneeoa.config.renamed_keys import renamed_key_messages
from kneeoa.config.resources import Resources
from kneeoa.config.section import Name, Section
from kneeoa.config.training import Training
from kneeoa.config.validation_messages import validation_messages
from kneeoa.config.volumes import Grid, MaskChecks, Quality, View
from kneeoa.errors import KneeoaError


class Study(Section):
    """The configuration of a study: its cohorts, arms and analyses."""

    study: Name
    """Name of the study and of its folder below results/."""
    title: str = ""
    """Title of the report."""
    question: str = ""
    """The question that the report answers, in one or two sentences."""
    levels: tuple[Level, ...] = Field(min_length=1)
    """The label hierarchy, coarse to fine."""
    cohorts: dict[Name, Cohort] = Field(default_factory=dict)
    """Sources of images, masks and labels."""
    same_people: Groups = ()
    """Cohorts in which the same id is the same person: [a, b], or several such groups. Nobody is
    tested in one of them who was trained on in another.
    """
    distinct_people: Groups = ()
    """Cohorts in which the same id is another person. Where ids of two cohorts overlap, the study
    must declare one of the two.
    """
    views: dict[Name, View] = Field(default_factory=dict)
    """Kinds of image of a case, each with its canonical form."""
    masks: MaskChecks = MaskChecks()
    """Acceptance of aligned masks."""
    quality: Quality = Quality()
    """Pages for quality control."""
    grids: dict[Name, Grid] = Field(default_factory=dict)
    """Input sizes besides the views' canonical ones."""
    backbones: dict[Name, Backbone] = Field(default_factory=dict)
    """Encoders of arms."""
    modes: dict[Name, Mode] = Field(default_factory=dict)
    """Modes of supervision of arms."""
    plugins: dict[Name, Plugin] = Field(default_factory=dict)
    """Plug-ins between the feature maps and the answers of arms."""
    raters: dict[Name, NoisyRater] = Field(default_factory=dict)
    """Noisy raters whose labels arms may be trained on instead of the reference."""
    training: Training = Training()
    """Training of every arm. An arm's row may change it."""
    arms: tuple[ArmRow, ...] = ()
    """The arms table: arms to train and compare."""
    seeds: tuple[PositiveInt, ...] = (1,)
    """Random seeds. Each arm is trained once with every seed."""
    predict: Prediction = Prediction()
    """Prediction by trained networks."""
    ensembles: dict[Name, Ensemble] = Field(default_factory=dict)
    """Ensembles of runs, compared as arms are."""
    imports: Imports | None = None
    """Predictions made elsewhere, instead of cohorts and arms."""
    statistics: Statistics = Statistics()
    """Comparison of arms."""
    geometry: Geometry = Geometry()
    """Measures of representations."""
    saliency: Saliency = Saliency()
    """Saliency maps."""
    anatomy: Anatomy = Anatomy()
    """Comparison of saliency with tissues."""
    figures: Figures = Figures()
    """Appearance of figures."""
    resources: Resources = Resources()
    """Resources that jobs request from the scheduler."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_study(self)
        return self

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels, coarse to fine."""
        return tuple(level.name for level in self.levels)

    def level(self, name: str) -> Level:
        """The level of that name."""
        return self.levels[self.level_names.index(name)]

    def levels_of(self, mode: str) -> tuple[Level, ...]:
        """The levels of a mode: those that supervise, and the coarser ones that can be derived from
        them.
        """
        return self.with_parents(set(self.modes[mode].levels))

    def rated_level(self, rater: str) -> Level:
        """The level that a rater reads: the configured one, else the finest that is not
        multilabel.
        """
        single = [level for level in self.levels if level.exclusive] or list(self.levels)
        return self.level(self.raters[rater].level or single[-1].name)

    def with_parents(self, names: set[str]) -> tuple[Level, ...]:
        """The levels of those names and the coarser ones derived from them, coarse to fine."""
        wanted = set(names)
        for level in reversed(self.levels):  # children come after their parents
            if level.name in wanted and level.parent is not None:
                wanted.add(level.parent)
        return tuple(level for level in self.levels if level.name in wanted)

    def arms_table(self) -> tuple[Arm, ...]:
        """All arms with their factors, in order: every combination of the lists in each row of
        ``arms``.
        """
        return self._arms

    @cached_property
    def _arms(self) -> tuple[Arm, ...]:
        return tuple(itertools.chain.from_iterable(self._expand(row) for row in self.arms))

    def _expand(self, row: ArmRow) -> list[Arm]:
        try:
            training = self.training.with_changes(row.training)
        except ValidationError as error:
            raise ValueError("; ".join(f"in 'arms[].training', {line}" for line in validation_messages(error, Training))) from error
        given = {key: getattr(row, key) for key in ArmRow.model_fields if key not in ("training", "name")}
        lists = [value if isinstance(value, tuple) else (value,) for value in given.values()]
        arms = []
        for values in itertools.product(*lists):
            factors = dict(zip(given, values, strict=True))
            lacking = inapplicable_factors(factors)
            texts = (
                factors
                | {"mode": factors["mode"].replace("_", "-"), "rater": factors["rater"] or REFERENCE, "plugin": factors["plugin"] or NONE}
                | dict.fromkeys(lacking, NONE)
            )
            name = row.name if "name" in row.model_fields_set or texts["plugin"] == NONE else f"{row.name}-{{plugin}}"
            for key, text in texts.items():
                name = name.replace(f"{{{key}}}", text or "")
            entries = {key: None if key in lacking or value in (NONE, CANONICAL) else value for key, value in factors.items()}
            arms.append(Arm(name=name, training=training, **entries))
        return [arm for place, arm in enumerate(arms) if arm not in arms[:place]]

    def view_of(self, arm: Arm) -> str:
        """The view of an arm."""
        if arm.view is not None:
            require_member(f"arms ({arm.name}).view", arm.view, self.views)
            return arm.view
        if len(self.views) != 1:
            raise ValueError(f"arm '{arm.name}' must name its 'view': the study has {sorted(self.views)}")
        return next(iter(self.views))

    def input_shape(self, arm: Arm) -> tuple[int, ...]:
        """The shape of an arm's images: its grid's, else its view's canonical one."""
        return tuple(self.grids[arm.grid].shape if arm.grid else self.views[self.view_of(arm)].shape)

    def taken_shape(self, arm: Arm) -> tuple[int, ...]:
        """Voxels along each axis of what an arm's network takes: of its crop, else of its input."""
        return arm.training.crop or self.input_shape(arm)


def load(config: dict[str, Any]) -> Study:
    """Turn a mapping (a parsed config.yaml) into a checked study.

    Raises:
        KneeoaError: one line per mistake, each with key, value and what is allowed.
    """
    lines = renamed_key_messages(config)
    if not lines:
        try:
            return Study.model_validate(config)
        except ValidationError as error:
            lines = validation_messages(error, Study)
    raise KneeoaError("The configuration cannot be used:\n" + "\n".join(f"  - {line}" for line in lines))
