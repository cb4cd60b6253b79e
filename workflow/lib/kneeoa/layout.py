"""Where every file of a study lies: the interface between stages, in one place.

Names with braces are Snakemake wildcards; methods fill them in. The library itself never builds such a path elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from kneeoa.config.arms import Arm
from kneeoa.config.study import Study
from kneeoa.files import digest


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
        return next(arm for arm in self.study.arms_table() if arm.name == name)

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
        """The ``cases``, ``images``, ``labels`` or ``exclusions`` tables of cohorts (default all)."""
        return [f"{self.root}/cohorts/{name}/{kind}.parquet" for name in cohorts or self.study.cohorts]

    def shard_files(self, stage: str, view: str, suffix: str, cohorts: list[str]) -> list[str]:
        """Files of ``stage`` (volumes, masks) of every shard of the cohorts."""
        return [f"{self.root}/{stage}/{name}/{view}/shard-{shard}{suffix}" for name in cohorts for shard in self.shards(name)]

    def arrays(self, arm: str) -> list[str]:
        """The input arrays of an arm: the canonical volumes, or their resampling to the arm's grid."""
        factors = self.arm(arm)
        view = self.study.view_of(factors)
        cohorts = self.cohorts_with_view(view)
        if self.study.input_shape(factors) == tuple(self.study.views[view].shape):
            return self.shard_files("volumes", view, ".npy", cohorts)
        return self.shard_files(f"inputs/{factors.grid}", view, ".npy", cohorts)

    def indices(self, arm: str) -> list[str]:
        """The volumes' index tables, one for each of :meth:`arrays`."""
        view = self.study.view_of(self.arm(arm))
        return self.shard_files("volumes", view, ".parquet", self.cohorts_with_view(view))

    def masks(self, arm: str, suffix: str) -> list[str]:
        """Mask arrays (``.npy``) or index tables (``.parquet``) in an arm's view."""
        view = self.study.view_of(self.arm(arm))
        return self.shard_files("masks", view, suffix, self.cohorts_with_masks(view))

    def splits(self, arm: str | None = None) -> list[str]:
        """Split tables of the cohorts that an arm can read (default all)."""
        cohorts = self.cohorts_with_view(self.study.view_of(self.arm(arm))) if arm else list(self.study.cohorts)
        return [f"{self.root}/splits/{name}.parquet" for name in cohorts]

    def truths(self) -> list[str]:
        """Tables of the truth, of phantom cohorts alone."""
        return [f"{self.root}/truth/{name}.parquet" for name, cohort in self.study.cohorts.items() if cohort.phantom is not None]

    def labels(self, arm: str) -> list[str]:
        """Label tables of the cohorts that an arm can read."""
        return self.cohort_tables("labels", self.cohorts_with_view(self.study.view_of(self.arm(arm))))

    def runs(self, pattern: str) -> list[str]:
        """``pattern`` (below the study's folder, with {arm} and {seed}) for every run."""
        names = [arm.name for arm in self.study.arms_table()]
        return [f"{self.root}/" + pattern.format(arm=arm, seed=seed) for arm, seed in product(names, self.study.seeds)]

    def predictions(self) -> list[str]:
        """The prediction tables of the study: of its runs, or imported."""
        if self.study.imports is not None:
            return [f"{self.root}/predictions/{arm}/imported.parquet" for arm in self.study.imports.arms]
        return self.runs("predictions/{arm}/seed-{seed}.parquet")

    def factors(self) -> dict[str, dict[str, str]]:
        """The arms table that analyses read: name -> factors. Arms are compared where all factors but one are equal."""
        if self.study.imports is not None:
            return {name: {"backbone": arm.backbone, "mode": arm.mode} for name, arm in self.study.imports.arms.items()}
        return {
            arm.name: {
                "backbone": arm.backbone,
                "mode": arm.mode,
                "view": self.study.view_of(arm),
                "grid": arm.grid or "canonical",
                "training": digest(arm.training.model_dump(mode="json")),
            }
            for arm in self.study.arms_table()
        }

    def has_masks(self) -> bool:
        """Whether saliency can be held against anatomy."""
        return any(cohort.tissues for cohort in self.study.cohorts.values()) and bool(self.study.anatomy.targets)

    def figures(self) -> list[str]:
        """Names of the figures that the study's inputs allow."""
        names = ["roc", "reliability", "confusion", "forest"]
        if self.study.cohorts:
            names = ["flow", "volumes", "learning", *names, "axis", "saliency"]
            if self.has_masks():
                names.append("anatomy")
        return names

    def tables(self) -> list[str]:
        """Names of the tables that the study's inputs allow."""
        names = ["arms", "metrics", "contrasts"]
        if self.study.cohorts:
            names += ["exclusions", "geometry"]
            if self.has_masks():
                names.append("anatomy")
        return names
