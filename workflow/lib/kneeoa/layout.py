"""Paths of all files of a study: the interface between stages.

Names in braces are Snakemake wildcards; methods fill them in. No other module of the library builds
such a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from kneeoa import figures_and_tables
from kneeoa.config import level_roles
from kneeoa.config.arms import Arm
from kneeoa.config.factors import ArmsTable, arms_table, compared_table
from kneeoa.config.pairs import arm_pairs, missing_counterparts
from kneeoa.config.people import undeclared_cohorts
from kneeoa.config.prediction import TOGETHER
from kneeoa.config.statistics import Contrast
from kneeoa.config.study import Study
from kneeoa.figures_and_tables import Need
from kneeoa.plugins import registry as plugins

ALL_SEEDS = "all-seeds"
"""Name of the table of an ensemble over all seeds."""


def run_key(seed: int, fold: int | None = None) -> str:
    """Key of an arm's run in paths, in the place of {seed}: the seed, and the fold where there is
    one (``seed-1``, ``seed-1-fold-2``).
    """
    return str(seed) if fold is None else f"{seed}-fold-{fold}"


@dataclass(frozen=True)
class Layout:
    """The files of one study below ``results/<study>``."""

    study: Study

    @property
    def root(self) -> str:
        """The study's folder."""
        return f"results/{self.study.study}"

    def arm(self, name: str) -> Arm:
        """The arm of that name."""
        return self._arms[name]

    @cached_property
    def _arms(self) -> dict[str, Arm]:
        return {arm.name: arm for arm in self.study.arms_table()}

    def shards(self, cohort: str) -> range:
        """Numbers of a cohort's shards."""
        return range(self.study.cohorts[cohort].shards)

    def cohorts_with_view(self, view: str) -> list[str]:
        """Cohorts that carry a view, in the order of the configuration."""
        return [name for name, cohort in self.study.cohorts.items() if view in cohort.views]

    def cohorts_with_masks(self, view: str) -> list[str]:
        """Cohorts that carry a view and masks on it."""
        return [name for name in self.cohorts_with_view(view) if self.study.cohorts[name].tissues]

    def cohort_tables(self, kind: str, cohorts: list[str] | None = None) -> list[str]:
        """The ``cases``, ``images``, ``labels`` or ``exclusions`` tables of cohorts (default
        all).
        """
        return [f"{self.root}/cohorts/{name}/{kind}.parquet" for name in cohorts or self.study.cohorts]

    def shard_files(self, stage: str, view: str, suffix: str, cohorts: list[str]) -> list[str]:
        """Files of ``stage`` (volumes, masks) of every shard of the cohorts."""
        return [f"{self.root}/{stage}/{name}/{view}/shard-{shard}{suffix}" for name in cohorts for shard in self.shards(name)]

    def shard_lists(self, stage: str, view: str, cohorts: list[str]) -> list[str]:
        """Files that list the shards of ``stage`` (volumes, masks, inputs/<grid>), one for each
        cohort.
        """
        return [f"{self.root}/{stage}/{name}/{view}/shards.json" for name in cohorts]

    def volume_lists(self, arm: str) -> list[str]:
        """Lists of the shards that an arm reads: of canonical volumes, or resampled to the arm's
        grid.
        """
        factors = self.arm(arm)
        view = self.study.view_of(factors)
        canonical = self.study.input_shape(factors) == tuple(self.study.views[view].shape)
        return self.shard_lists("volumes" if canonical else f"inputs/{factors.grid}", view, self.cohorts_with_view(view))

    def mask_lists(self, arm: str) -> list[str]:
        """Lists of the shards of masks in an arm's view."""
        view = self.study.view_of(self.arm(arm))
        return self.shard_lists("masks", view, self.cohorts_with_masks(view))

    def splits(self, arm: str | None = None) -> list[str]:
        """Split tables of the cohorts that an arm can read (default all)."""
        cohorts = self.cohorts_with_view(self.study.view_of(self.arm(arm))) if arm else list(self.study.cohorts)
        return [f"{self.root}/splits/{name}.parquet" for name in cohorts]

    def evaluation_splits(self, arm: str | None = None) -> list[str]:
        """Split tables for all stages but training: without people whom another cohort trains
        on.
        """
        return [path.replace(".parquet", ".evaluated.parquet") for path in self.splits(arm)]

    def cohorts_sharing_views(self, cohort: str) -> list[str]:
        """A cohort and those that share a view with it, which an arm may read together."""
        views = set(self.study.cohorts[cohort].views)
        return [name for name, other in self.study.cohorts.items() if views & set(other.views)]

    def undeclared_cohorts(self, cohort: str) -> list[str]:
        """The cohorts :meth:`beside` one for which the study does not declare whether they have
        people in common.
        """
        return undeclared_cohorts(cohort, self.cohorts_sharing_views(cohort), self.study.same_people, self.study.distinct_people)

    def external_cohorts(self) -> list[str]:
        """Cohorts that are tested on alone."""
        return [name for name, cohort in self.study.cohorts.items() if cohort.role == "external" and not cohort.unlabelled]

    def truths(self) -> list[str]:
        """Tables of the truth, of phantom cohorts alone."""
        return [f"{self.root}/truth/{name}.parquet" for name, cohort in self.study.cohorts.items() if cohort.phantom is not None]

    def labels(self, arm: str) -> list[str]:
        """Label tables of the cohorts that an arm can read."""
        return self.cohort_tables("labels", self.cohorts_with_view(self.study.view_of(self.arm(arm))))

    def training_labels(self, arm: str) -> list[str]:
        """Label tables that an arm is trained on: its rater's where it has one, for cohorts that
        are trained on.
        """
        rater = self.arm(arm).rater
        if rater is None:
            return self.labels(arm)
        read = self._cohorts_with_raters(arm)
        read_tables = [f"{self.root}/raters/{rater}/{name}.parquet" for name in read]
        others = [name for name in self.cohorts_with_view(self.study.view_of(self.arm(arm))) if name not in read]
        return read_tables + (self.cohort_tables("labels", others) if others else [])

    def agreements(self, arm: str | None = None) -> list[str]:
        """Accounts of the agreement of raters with the reference: of an arm's rater (none without
        one), or of all raters.
        """
        arms = [self.arm(arm)] if arm else self.study.arms_table()
        read = [(each.rater, cohort) for each in arms if each.rater for cohort in self._cohorts_with_raters(each.name)]
        return list(dict.fromkeys(f"{self.root}/raters/{rater}/{cohort}.json" for rater, cohort in read))

    def _cohorts_with_raters(self, arm: str) -> list[str]:
        cohorts = self.cohorts_with_view(self.study.view_of(self.arm(arm)))
        return [name for name in cohorts if self.study.cohorts[name].role == "develop"]

    def runs(self, pattern: str) -> list[str]:
        """Paths of ``pattern`` (below the study's folder, with {arm} and {seed}) for every run."""
        names = [arm.name for arm in self.study.arms_table()]
        return [f"{self.root}/" + pattern.format(arm=arm, seed=run_key(seed)) for arm, seed in product(names, self.study.seeds)]

    def plugged(self) -> list[str]:
        """Arms with a plug-in."""
        return [arm.name for arm in self.study.arms_table() if arm.plugin is not None]

    def selecting(self) -> list[str]:
        """Arms whose plug-in chooses locations."""
        return [name for name in self.plugged() if plugins.selects(self.study.plugins[str(self.arm(name).plugin)].kind)]

    def parts(self, arm: str | None = None) -> list[str]:
        """Predictions by each part of the plug-in, of every run that has one, or of an arm's."""
        names = self.plugged() if arm is None else [arm]
        return [f"{self.root}/parts/{name}/seed-{run_key(seed)}.parquet" for name, seed in product(names, self.study.seeds)]

    def part_metrics(self) -> list[str]:
        """Metrics of each part of the plug-in, of every arm that has one."""
        return [f"{self.root}/statistics/parts/{arm}.parquet" for arm in self.plugged()]

    def first_selections(self) -> list[str]:
        """Selections of the lowest seed of each arm whose plug-in chooses locations, in the
        pictured view.
        """
        views = [self.study.view_of(arm) for arm in self.study.arms_table()]
        names = [name for name in self.selecting() if self.study.view_of(self.arm(name)) == views[0]]
        return [f"{self.root}/selections/{arm}/seed-{run_key(min(self.study.seeds))}.parquet" for arm in names]

    def selection_shares(self) -> list[str]:
        """Shares of what plug-ins chose on tissues, of every run that chooses in a view with
        masks.
        """
        if not self.study.anatomy.targets:
            return []
        names = [name for name in self.selecting() if self.cohorts_with_masks(self.study.view_of(self.arm(name)))]
        return [f"{self.root}/selections/{arm}/seed-{run_key(seed)}.shares.parquet" for arm, seed in product(names, self.study.seeds)]

    def first_runs(self, pattern: str) -> list[str]:
        """Paths of ``pattern`` for every arm's lowest seed, which figures of single runs show."""
        return [f"{self.root}/" + pattern.format(arm=arm.name, seed=run_key(min(self.study.seeds))) for arm in self.study.arms_table()]

    def untrained(self) -> dict[str, str]:
        """Arms whose networks are also measured untrained -> the baselines' names: one for each
        backbone and input, as modes share it, and for each plug-in and mode.
        """
        groups: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}
        for arm in self.study.arms_table() if self.study.geometry.untrained else ():
            plugin = (arm.plugin, arm.mode) if arm.plugin else ()  # its embedding is the mode's too
            groups.setdefault(((arm.backbone, self.study.view_of(arm), arm.grid or ""), plugin), arm.name)
        backbones = [taken[0] for taken in {taken for taken, _ in groups}]
        return {
            name: "-".join(filter(None, ("untrained", *(taken[:1] if backbones.count(taken[0]) == 1 else taken), *plugin)))
            for (taken, plugin), name in groups.items()
        }

    def raw_images(self) -> dict[str, str]:
        """Views whose raw images are measured -> the baselines' names."""
        views = list(dict.fromkeys(self.study.view_of(arm) for arm in self.study.arms_table())) if self.study.geometry.raw_images else []
        return {view: "raw-images" if len(views) == 1 else f"raw-images-{view}" for view in views}

    def untrained_networks(self) -> list[str]:
        """Embeddings of the networks of :meth:`untrained`, for every seed."""
        return [
            f"{self.root}/embeddings_untrained/{arm}/seed-{run_key(seed)}.parquet"
            for arm, seed in product(self.untrained(), self.study.seeds)
        ]

    def raw_components(self) -> list[str]:
        """Principal components of the images of each of :meth:`raw_images`."""
        return [f"{self.root}/embeddings_untrained/raw-images/{view}.parquet" for view in self.raw_images()]

    def axes(self) -> list[str]:
        """Tables of the cases' positions along the severity axis of every run; none without
        grades.
        """
        return self.runs("geometry/{arm}/seed-{seed}.axis.parquet") if self.has_axis() else []

    def measures(self) -> list[str]:
        """Tables of the measures of every representation: of the runs, and of the baselines where
        there are any; none without grades.
        """
        if not self.has_axis():
            return []
        tables = self.runs("geometry/{arm}/seed-{seed}.measures.parquet")
        return tables + ([f"{self.root}/geometry/baselines.parquet"] if self.untrained_networks() or self.raw_components() else [])

    def maps(self, suffix: str, method: str | None = None, *, folder: str = "saliency") -> list[str]:
        """Maps (``.npy``), their index tables or what is measured on them (``.parquet``) of every
        run and method (default all).
        """
        methods = self.study.saliency.methods if method is None else (method,)
        return [file for name in methods for file in self.runs(f"{folder}/{{arm}}/seed-{{seed}}.{name}{suffix}")]

    def predictions(self) -> list[str]:
        """The prediction tables of the study: of its runs and ensembles, or imported."""
        if self.study.imports is not None:
            return [f"{self.root}/predictions/{arm}/imported.parquet" for arm in self.study.imports.arms]
        tables = self.runs("predictions/{arm}/seed-{seed}.parquet")
        pooled = [(name, which) for name in self.study.ensembles for which in self.ensemble_tables(name)]
        return tables + [f"{self.root}/predictions/{name}/{which}.parquet" for name, which in pooled]

    def import_accounts(self) -> list[str]:
        """Accounts of the imported tables; none where predictions are the study's."""
        arms = self.study.imports.arms if self.study.imports is not None else ()
        return [f"{self.root}/predictions/{arm}/imported.json" for arm in arms]

    def ensemble_tables(self, ensemble: str) -> list[str]:
        """Names of an ensemble's tables: one for each seed, or one over all seeds."""
        together = self.study.ensembles[ensemble].seeds == TOGETHER
        return [ALL_SEEDS] if together else [f"seed-{run_key(seed)}" for seed in self.study.seeds]

    def ensemble_members(self, ensemble: str, which: str) -> list[str]:
        """The members' prediction tables of one of :meth:`pools`."""
        seeds = [f"seed-{run_key(seed)}" for seed in self.study.seeds] if which == ALL_SEEDS else [which]
        members = self.study.ensembles[ensemble].members
        return [f"{self.root}/predictions/{member}/{seed}.parquet" for member, seed in product(members, seeds)]

    def arms_and_ensembles(self) -> ArmsTable:
        """The arms table of analyses that need predictions alone: :meth:`factors`, and
        ensembles.
        """
        return self._compared

    @cached_property
    def _compared(self) -> ArmsTable:
        return compared_table(self.study)

    @cached_property
    def _factors(self) -> ArmsTable:
        return arms_table(self.study)

    def factors(self) -> ArmsTable:
        """The arms table that analyses read: name -> factors. Arms are compared where all factors
        but one are equal.
        """
        return self._factors

    def varied_factors(self) -> list[str]:
        """The factor by which figures distinguish arms (that of the primary contrast, else of the
        first contrast, else the mode), then the factors that follow it.
        """
        contrasts, primary = self.study.statistics.contrasts, self.study.statistics.primary
        chosen = [one for one in contrasts if primary is None or one.name == primary.contrast]
        return [chosen[0].factor, *chosen[0].follows] if chosen else ["mode"]

    def missing_counterparts(self) -> dict[str, list[str]]:
        """Contrast -> a sentence, without its full stop, for each of its arms that has no
        counterpart.
        """
        arms = self.arms_and_ensembles()
        return {one.name: sentences for one in self.study.statistics.contrasts if (sentences := missing_counterparts(one, arms))}

    def quality(self) -> list[str]:
        """Tables of quality control, one for each cohort and view; its pages lie beside it."""
        return [f"{self.root}/quality/{name}/{view}.parquet" for name, cohort in self.study.cohorts.items() for view in cohort.views]

    def has_masks(self) -> bool:
        """Whether saliency can be compared with anatomy."""
        return self.has_saliency() and any(cohort.tissues for cohort in self.study.cohorts.values()) and bool(self.study.anatomy.targets)

    def has_saliency(self) -> bool:
        """Whether there is a level that saliency can explain in every arm."""
        return bool(self.study.cohorts) and level_roles.explained_target(self.study) is not None

    def has_axis(self) -> bool:
        """Whether there are grades for a severity axis to order."""
        return bool(self.study.cohorts) and level_roles.axis_level(self.study) is not None

    def has_raters(self) -> bool:
        """Whether an arm is trained on a noisy rater's labels."""
        return any(arm.rater for arm in self.study.arms_table())

    def has_sanity(self) -> bool:
        """Whether maps are checked against randomised weights or other seeds."""
        return self.has_saliency() and (self.study.saliency.randomised > 0 or len(self.study.seeds) > 1)

    def has_deletion(self) -> bool:
        """Whether tissues are deleted from images."""
        return self.has_masks() and self.study.anatomy.deletion > 0

    def has(self, need: Need) -> bool:
        """Whether the study has what a figure or table needs."""
        return self._has[need]

    @cached_property
    def _has(self) -> dict[Need, bool]:
        contrasts = self.study.statistics.contrasts
        return {
            "binary_level": level_roles.binary_level(self.study) is not None,
            "graded_level": level_roles.graded_level(self.study) is not None,
            "levels_by_class": bool(level_roles.levels_by_class(self.study)),
            "axis": self.has_axis(),
            "saliency": self.has_saliency(),
            "cohorts": bool(self.study.cohorts),
            "masks": self.has_masks(),
            "contrasts": bool(contrasts),
            "contrasts_of_arms": self._compares_arms(contrasts),
            "contrasts_at_raters": self._compares_arms([one for one in contrasts if "rater" not in (one.factor, *one.follows)]),
            "subgroups": bool(contrasts and self.study.statistics.subgroups),
            "external": bool(self.external_cohorts()),
            "raters": self.has_raters(),
            "sanity": self.has_sanity(),
            "deletion": self.has_deletion(),
            "plugins": bool(self.plugged()),
            "selections": bool(self.first_selections()),
            "selection_shares": bool(self.selection_shares()),
        }

    def _compares_arms(self, contrasts: Sequence[Contrast]) -> bool:
        """Whether a contrast is answered by arms other than ensembles."""
        return any(arm_pairs(contrast, self.factors()) for contrast in contrasts)

    def figures(self) -> list[str]:
        """Names of the figures that the study has, in the order of the report."""
        return [name for name, declared in figures_and_tables.figures().items() if all(map(self.has, declared.needs))]

    def tables(self) -> list[str]:
        """Names of the tables that the study has, in the order of the report."""
        return [name for name, declared in figures_and_tables.tables().items() if all(map(self.has, declared.needs))]
