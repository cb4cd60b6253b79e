"""A study whose networks have all spoken: synthetic files with the tables' real schemas where
figures and statistics read them, empty ones elsewhere. What ``dag.py`` times figures on.

Nothing here is a result: severity is drawn at random, and every arm sees it through noise of its
own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.atomic_io import write_json
from kneeoa.config.study import Study
from kneeoa.ingestion.shard_list import list_shards
from kneeoa.layout import Layout
from kneeoa.tables.cohort import CASES, LABELS, SPLITS
from kneeoa.tables.geometry import AXIS, GEOMETRY, SIMILARITY
from kneeoa.tables.runs import HISTORY, PREDICTIONS
from kneeoa.tables.saliency import ANATOMY, OVERLAP, SALIENCY
from kneeoa.tables.shards import MASKS, SHIFTS, VOLUMES

COHORT, VIEW, GRADES = "oai", "sag_dess", 5


class FinishedStudy:
    """Writes the files of one study below ``folder``; equal arguments give equal files."""

    def __init__(self, folder: Path, study: Study, knees: int) -> None:
        """Draw ``knees`` test knees, two a person, and half as many validation knees."""
        self.folder, self.study, self.layout = folder, study, Layout(study)
        rng = np.random.default_rng(0)
        number = np.arange(knees + knees // 2)
        self.cases = pd.DataFrame({"cohort": COHORT, "subject": [f"9{index // 2:06d}" for index in number], "visit": "00m"})
        self.cases["side"] = np.where(number % 2, "R", "L")
        self.cases["case_id"] = self.cases["subject"] + "-" + self.cases["side"] + "-00m"
        self.cases["split"] = np.where(number < knees, "test", "val")
        self.cases["grade"] = rng.choice(GRADES, len(number), p=[0.35, 0.2, 0.2, 0.15, 0.1])
        self.test = self.cases[self.cases["split"] == "test"].reset_index(drop=True)
        arms = study.arms_table()
        self.pictured = [arm.name for arm in arms if arm.backbone == arms[0].backbone]
        self.explained = self.test.head(study.saliency.cases or knees)

    def write(self) -> None:
        """Write what figures and statistics read: of the cohort, of every run, and of all runs
        together.
        """
        self._cohort()
        self._pictures()
        runs = [(arm.name, seed) for arm in self.study.arms_table() for seed in self.study.seeds]
        for number, (arm, seed) in enumerate(runs):
            rng = np.random.default_rng([1, number])
            self._predictions(arm, seed, rng)
            self._history(arm, seed, rng)
            self._geometry(arm, seed, rng)
            self._saliency(arm, seed, rng)
        self._similarity(runs)
        self._anatomy()

    def _path(self, name: str) -> Path:
        path = self.folder / self.layout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _cohort(self) -> None:
        for name in (COHORT, f"{COHORT}.evaluated"):  # nobody is in two cohorts
            SPLITS.write(self._path(f"splits/{name}.parquet"), self.cases.drop(columns="grade"))
        people = np.arange(len(self.cases)) // 2
        who = {"site": None, "sex": np.array(["F", "M"])[people % 2], "age": 45.0 + people % 35, "given_split": None, "shard": 0}
        CASES.write(self._path(f"cohorts/{COHORT}/cases.parquet"), self.cases.drop(columns=["split", "grade"]).assign(**who))
        grades = {"oa": self.cases["grade"] >= 2, "kl": self.cases["grade"]}
        labels = [
            self.cases[["cohort", "case_id"]].assign(level=level, value=[[int(value)] for value in values])
            for level, values in grades.items()
        ]
        columns = {"source": "reader", "readings": 1, "disagreement": False, "all_values": None}
        LABELS.write(self._path(f"cohorts/{COHORT}/labels.parquet"), pd.concat(labels).assign(**columns))
        counts = {"cases": len(self.cases), "subjects": self.cases["subject"].nunique()}
        splits = {
            split: {
                "cases": len(rows),
                "subjects": rows["subject"].nunique(),
                "levels": {"kl": rows["grade"].value_counts(sort=False).to_dict()},
            }
            for split, rows in self.cases.groupby("split")
        }
        flow = {"cohort": COHORT, "found": counts, "excluded": [], "masks": [], "analysed": counts, "splits": splits}
        write_json(self._path(f"splits/{COHORT}.flow.json"), flow | {"loose": [], "readings": [], "repaired": 0})

    def _pictures(self) -> None:
        """The explained knees as volumes and masks at the study's full size, in the first shard;
        the others hold no row.
        """
        shape = self.study.views[VIEW].shape
        rows = self._explained_rows().assign(shard=0, digest="0" * 32, source_digest="0" * 64)
        grid = np.indices(shape, dtype=np.float32) / np.reshape(shape, (3, 1, 1, 1)) - 0.5
        radius = np.sqrt((grid**2).sum(axis=0))
        picture, mask = (np.cos(12 * radius).astype(np.float16), (np.abs(radius - 0.3) < 0.03).astype(np.uint8))
        affine = np.diag([*self.study.views[VIEW].spacing, 1.0]).ravel().tolist()
        volumes = rows.assign(source_shape=[list(shape)] * len(rows), affine=[affine] * len(rows), source_spacing=[[1.0] * 3] * len(rows))
        volumes = volumes.assign(source_centre=[[0.0] * 3] * len(rows), mirrored=False, low=0.0, high=1.0, mean=0.0, sd=1.0)
        volumes = volumes.assign(joint_row=None, joint_column=None, joint_fit=None, negative=None, orientation=None)
        masks = rows.assign(inside=1.0, contrast=0.9, boundary=0.9, offset_mm=1.0, cartilage_mm3=9e3, cartilage_thickness_mm=2.0)
        masks = masks.assign(flags=[[] for _ in range(len(rows))], usable=True, repair=None, **dict.fromkeys(SHIFTS))
        for stage, schema, table, voxels in (("volumes", VOLUMES, volumes, picture), ("masks", MASKS, masks, mask)):
            shards = [self._path(f"{stage}/{COHORT}/{VIEW}/shard-{shard}.parquet") for shard in self.layout.shards(COHORT)]
            for shard, path in enumerate(shards):
                schema.write(path, table if shard == 0 else table.head(0))
                stack = np.lib.format.open_memmap(path.with_suffix(".npy"), "w+", voxels.dtype, (len(table) if shard == 0 else 0, *shape))
                stack[:] = voxels
            list_shards([path.with_suffix(".npy") for path in shards], shards, self._path(f"{stage}/{COHORT}/{VIEW}/shards.json"))

    def _explained_rows(self) -> pd.DataFrame:
        return self.explained[["cohort", "case_id"]].assign(view=VIEW, row=np.arange(len(self.explained)))

    def _predictions(self, arm: str, seed: int, rng: np.random.Generator) -> None:
        levels = self.study.modes[self.layout.arm(arm).mode].levels
        perceived = self.cases["grade"].to_numpy() - 1.9 + rng.normal(0, 1.2, len(self.cases))
        fine = _softmax(-np.abs(np.arange(GRADES) - 1.9 - perceived[:, None]))
        coarse = _softmax(np.stack([-perceived, perceived], axis=1) / 2)
        summed = np.stack([fine[:, :2].sum(axis=1), fine[:, 2:].sum(axis=1)], axis=1)
        heads = [("oa", "oa", coarse)] if "oa" in levels else []
        heads += [("kl", "kl", fine), ("oa", "kl", summed)] if "kl" in levels else []
        parts = []
        for level, head, probabilities in heads:
            truth = self.cases["grade"] if level == "kl" else (self.cases["grade"] >= 2).astype(int)
            rows = self.cases.drop(columns="grade").assign(level=level, head=head, truth=truth.map(lambda value: [value]))
            parts.append(rows.assign(probabilities=list(probabilities), logits=list(np.log(probabilities))))
        columns = {"study": self.study.study, "arm": arm, "seed": seed, "members": None, "label_source": "reader", "calibrated": False}
        PREDICTIONS.write(self._path(f"predictions/{arm}/seed-{seed}.parquet"), pd.concat(parts).assign(**columns))

    def _history(self, arm: str, seed: int, rng: np.random.Generator) -> None:
        epochs, parts = np.arange(1, self.study.training.epochs + 1), []
        levels = self.study.modes[self.layout.arm(arm).mode].levels
        for level in ("total", *levels):
            for split, floor in (("train", 0.1), ("val", 0.4)):
                loss = floor + np.exp(-epochs / 20) + rng.uniform(0, 0.03, len(epochs))
                parts.append(pd.DataFrame({"epoch": epochs, "split": split, "level": level, "measure": "loss", "value": loss}))
            if level != "total":
                rise = pd.DataFrame({"epoch": epochs, "split": "val", "level": level, "measure": "auc", "value": 0.9 - 0.4 / epochs})
                parts.append(rise)
        HISTORY.write(self._path(f"runs/{arm}/seed-{seed}/history.parquet"), pd.concat(parts).assign(arm=arm, seed=seed))

    def _geometry(self, arm: str, seed: int, rng: np.random.Generator) -> None:
        columns = {"study": self.study.study, "arm": arm, "seed": seed}
        cases = self.cases[["cohort", "split", "case_id", "subject", "grade"]]
        axes = [
            cases.assign(axis=axis, position=(cases["grade"] - 2) / 2 + rng.normal(0, 0.8, len(cases)), across=rng.normal(0, 1, len(cases)))
            for axis in self.study.geometry.axes
        ]
        AXIS.write(self._path(f"geometry/{arm}/seed-{seed}.axis.parquet"), pd.concat(axes).assign(**columns))
        shared = columns | {
            "cohort": COHORT,
            "split": "test",
            "against": "kl",
            "measure": "spearman",
            "estimate": 0.6,
            "low": 0.5,
            "high": 0.7,
        }
        shared |= {"cases": len(self.test), "subjects": self.test["subject"].nunique(), "note": ""}
        measures = [{**shared, "axis": axis} for axis in self.study.geometry.axes]
        GEOMETRY.write(self._path(f"geometry/{arm}/seed-{seed}.measures.parquet"), measures)

    def _saliency(self, arm: str, seed: int, rng: np.random.Generator) -> None:
        columns = {"study": self.study.study, "arm": arm, "seed": seed, "method": self.study.saliency.methods[0]}
        name = f"{arm}/seed-{seed}.{columns['method']}"
        index = self._explained_rows().assign(weights="trained", target="oa", score=0.0, scale=1.0, **columns)
        SALIENCY.write(self._path(f"saliency/{name}.parquet"), index)
        coarse = tuple(max(size // self.study.saliency.keep, 1) for size in self.study.input_shape(self.layout.arm(arm)))
        maps = np.lib.format.open_memmap(self._path(f"saliency/{name}.npy"), "w+", np.float16, (len(index), 2, *coarse))
        if arm in self.pictured and seed == min(self.study.seeds):  # the others are holes: nothing but their size is looked at
            maps[:] = np.abs(rng.normal(0, 1, (2, *coarse)))
        cases = self.explained[["cohort", "case_id", "subject"]].assign(chance=1.0, null_mean=1.1, others_mean=1.2, **columns)
        cases = cases.assign(**dict.fromkeys(("null_z", "null_p", "others_z", "others_p")))
        measured = [
            cases.assign(tissue=tissue, measure="enrichment", value=rng.uniform(0.5, 3, len(cases)))
            for tissue in self.study.anatomy.targets
        ]
        OVERLAP.write(self._path(f"anatomy/{name}.parquet"), pd.concat(measured))

    def _similarity(self, runs: list[tuple[str, int]]) -> None:
        a, b = np.triu_indices(len(runs), 1)
        arms, seeds = np.array([arm for arm, _ in runs]), np.array([seed for _, seed in runs])
        pairs = pd.DataFrame({"arm_a": arms[a], "seed_a": seeds[a], "arm_b": arms[b], "seed_b": seeds[b]})
        columns = {
            "study": self.study.study,
            "cohort": COHORT,
            "kind": "runs",
            "factor": None,
            "measure": "cka",
            "pairs": 1,
            "low": None,
            "high": None,
            "note": "",
        }
        columns |= {"cases": len(self.test), "subjects": self.test["subject"].nunique()}
        estimates = np.random.default_rng(2).uniform(0.3, 0.9, len(pairs))
        SIMILARITY.write(self._path("geometry/similarity.parquet"), pairs.assign(estimate=estimates, **columns))

    def _anatomy(self) -> None:
        names = [arm.name for arm in self.study.arms_table()]
        shared = {field.name: None for field in ANATOMY.schema}
        shared |= {
            "study": self.study.study,
            "method": self.study.saliency.methods[0],
            "cohort": COHORT,
            "measure": "enrichment",
            "note": "",
        }
        shared |= {"cases": len(self.explained), "subjects": self.explained["subject"].nunique(), "seeds": len(self.study.seeds)}
        limits = {"estimate": 1.5, "low": 1.2, "high": 1.8}
        rows = [shared | limits | {"kind": "arm", "arm": arm, "tissue": tissue} for tissue in self.study.anatomy.targets for arm in names]
        rows = [row | {"chance": 1.0, "null_mean": 1.1, "null_p": 0.01, "others_mean": 1.2, "others_p": 0.2} for row in rows]
        for contrast in self.study.statistics.contrasts:
            for arm in (name for name in names if self.layout.arm(name).mode == contrast.candidate):
                factors = self.layout.arm(arm)
                reference = next(o.name for o in self.study.arms_table() if (o.backbone, o.mode) == (factors.backbone, contrast.reference))
                compared = shared | {"kind": "contrast", "arm": arm, "factor": contrast.factor, "reference": reference, "p": 0.03}
                rows += [compared | limits | {"tissue": tissue} for tissue in self.study.anatomy.targets]
        frame = pd.DataFrame(rows).drop_duplicates(list(ANATOMY.key))
        ANATOMY.write(self._path("anatomy/summary.parquet"), frame)


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    strong = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(strong / strong.sum(axis=1, keepdims=True))
