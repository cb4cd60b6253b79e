"""Where every file of a study lies: the interface between stages, in one place.

Names with braces are Snakemake wildcards; methods fill them in. The library itself never builds
such a path elsewhere.
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
from kneeoa.config.pairs import arm_pairs, unanswered
from kneeoa.config.people import undeclared
from kneeoa.config.prediction import TOGETHER
from kneeoa.config.statistics import Contrast
from kneeoa.config.study import Study
from kneeoa.figures_and_tables import Need

ALL_SEEDS = "all-seeds"
"""The table of an ensemble over all seeds."""


def run_key(seed: int, fold: int | None = None) -> str:
    """What tells an arm's runs apart in paths, in the place of {seed}: the seed, and the fold where
    there is one (``seed-1``, ``seed-1-fold-2``).
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
        """Lists of the shards that an arm takes: the canonical volumes, or their resampling to the
        arm's grid.
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

    def evaluated(self, arm: str | None = None) -> list[str]:
        """The same tables for all but training: without those who are trained on elsewhere."""
        return [path.replace(".parquet", ".evaluated.parquet") for path in self.splits(arm)]

    def beside(self, cohort: str) -> list[str]:
        """A cohort, and those that share a view with it: what an arm may see together."""
        views = set(self.study.cohorts[cohort].views)
        return [name for name, other in self.study.cohorts.items() if views & set(other.views)]

    def undeclared_beside(self, cohort: str) -> list[str]:
        """The cohorts beside one of which the study does not say whether they have people in
        common.
        """
        return undeclared(cohort, self.beside(cohort), self.study.same_people, self.study.distinct_people)

    def truths(self) -> list[str]:
        """Tables of the truth, of phantom cohorts alone."""
        return [f"{self.root}/truth/{name}.parquet" for name, cohort in self.study.cohorts.items() if cohort.phantom is not None]

    def labels(self, arm: str) -> list[str]:
        """Label tables of the cohorts that an arm can read."""
        return self.cohort_tables("labels", self.cohorts_with_view(self.study.view_of(self.arm(arm))))

    def training_labels(self, arm: str) -> list[str]:
        """Label tables that an arm learns from: those of its reader where it has one, of cohorts
        that are trained on.
        """
        reader = self.arm(arm).reader
        if reader is None:
            return self.labels(arm)
        read = self._read_by_readers(arm)
        own = [f"{self.root}/readers/{reader}/{name}.parquet" for name in read]
        others = [name for name in self.cohorts_with_view(self.study.view_of(self.arm(arm))) if name not in read]
        return own + (self.cohort_tables("labels", others) if others else [])

    def agreements(self, arm: str | None = None) -> list[str]:
        """Accounts of how readers agree with the reference: of an arm's own reader (none without
        one), or of all that arms name.
        """
        arms = [self.arm(arm)] if arm else self.study.arms_table()
        found = [f"{self.root}/readers/{one.reader}/{name}.json" for one in arms if one.reader for name in self._read_by_readers(one.name)]
        return list(dict.fromkeys(found))

    def _read_by_readers(self, arm: str) -> list[str]:
        cohorts = self.cohorts_with_view(self.study.view_of(self.arm(arm)))
        return [name for name in cohorts if self.study.cohorts[name].role == "develop"]

    def runs(self, pattern: str) -> list[str]:
        """``pattern`` (below the study's folder, with {arm} and {seed}) for every run."""
        names = [arm.name for arm in self.study.arms_table()]
        return [f"{self.root}/" + pattern.format(arm=arm, seed=run_key(seed)) for arm, seed in product(names, self.study.seeds)]

    def first_runs(self, pattern: str) -> list[str]:
        """``pattern`` for every arm's lowest seed: what pictures of single runs show."""
        return [f"{self.root}/" + pattern.format(arm=arm.name, seed=run_key(min(self.study.seeds))) for arm in self.study.arms_table()]

    def untrained(self) -> dict[str, str]:
        """Arms whose networks are also measured untrained, and their names: one for each backbone
        and input, as modes share it.
        """
        groups: dict[tuple[str, ...], str] = {}
        for arm in self.study.arms_table() if self.study.geometry.untrained else ():
            groups.setdefault((arm.backbone, self.study.view_of(arm), arm.grid or ""), arm.name)
        backbones = [key[0] for key in groups]
        return {
            name: f"untrained-{key[0] if backbones.count(key[0]) == 1 else '-'.join(filter(None, key))}" for key, name in groups.items()
        }

    def raw_images(self) -> dict[str, str]:
        """The views whose images are measured themselves, and what to call them."""
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
        """Tables of the cases' places along the severity axes of every run; none without grades."""
        return self.runs("geometry/{arm}/seed-{seed}.axis.parquet") if self.has_axis() else []

    def measures(self) -> list[str]:
        """Tables of the measures of every representation: of the runs, and of the baselines where
        there are any; none without grades.
        """
        if not self.has_axis():
            return []
        own = self.runs("geometry/{arm}/seed-{seed}.measures.parquet")
        return own + ([f"{self.root}/geometry/baselines.parquet"] if self.untrained_networks() or self.raw_components() else [])

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
        own = self.runs("predictions/{arm}/seed-{seed}.parquet")
        return own + [f"{self.root}/predictions/{name}/{which}.parquet" for name in self.study.ensembles for which in self.pools(name)]

    def import_accounts(self) -> list[str]:
        """Accounts of the imported tables; none where predictions are the study's."""
        arms = self.study.imports.arms if self.study.imports is not None else ()
        return [f"{self.root}/predictions/{arm}/imported.json" for arm in arms]

    def pools(self, ensemble: str) -> list[str]:
        """What the tables of an ensemble are called: one for each seed, or one of all seeds."""
        together = self.study.ensembles[ensemble].seeds == TOGETHER
        return [ALL_SEEDS] if together else [f"seed-{run_key(seed)}" for seed in self.study.seeds]

    def pooled(self, ensemble: str, which: str) -> list[str]:
        """The members' prediction tables of one of :meth:`pools`."""
        seeds = [f"seed-{run_key(seed)}" for seed in self.study.seeds] if which == ALL_SEEDS else [which]
        members = self.study.ensembles[ensemble].members
        return [f"{self.root}/predictions/{member}/{seed}.parquet" for member, seed in product(members, seeds)]

    def compared(self) -> ArmsTable:
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

    def varied(self) -> list[str]:
        """The factor that figures tell arms apart by, that of the primary contrast, else of the
        first, else the mode; then the factors that follow it.
        """
        contrasts, primary = self.study.statistics.contrasts, self.study.statistics.primary
        chosen = [one for one in contrasts if primary is None or one.name == primary.contrast]
        return [chosen[0].factor, *chosen[0].follows] if chosen else ["mode"]

    def unanswered(self) -> dict[str, list[str]]:
        """Contrast -> a sentence, without its full stop, for each arm that it names and has no
        counterpart for.
        """
        arms = self.compared()
        return {one.name: sentences for one in self.study.statistics.contrasts if (sentences := unanswered(one, arms))}

    def quality(self) -> list[str]:
        """Tables of quality control, one for each cohort and view; its pages lie beside it."""
        return [f"{self.root}/quality/{name}/{view}.parquet" for name, cohort in self.study.cohorts.items() for view in cohort.views]

    def has_masks(self) -> bool:
        """Whether saliency can be held against anatomy."""
        return self.has_saliency() and any(cohort.tissues for cohort in self.study.cohorts.values()) and bool(self.study.anatomy.targets)

    def has_saliency(self) -> bool:
        """Whether there is a level that maps of every arm can explain."""
        return bool(self.study.cohorts) and level_roles.explained_target(self.study) is not None

    def has_axis(self) -> bool:
        """Whether there are grades for a severity axis to order."""
        return bool(self.study.cohorts) and level_roles.axis_level(self.study) is not None

    def has_readers(self) -> bool:
        """Whether an arm learns from a noisy reader."""
        return any(arm.reader for arm in self.study.arms_table())

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
            "contrasts_at_readers": self._compares_arms([one for one in contrasts if "reader" not in (one.factor, *one.follows)]),
            "subgroups": bool(contrasts and self.study.statistics.subgroups),
            "readers": self.has_readers(),
            "sanity": self.has_sanity(),
            "deletion": self.has_deletion(),
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
