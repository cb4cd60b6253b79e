"""Synthetic tables for the figures' tests: three backbones, three modes, two seeds, 64 test knees
of 52 subjects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.atomic_io import write_json
from kneeoa.tables.cohort import EXCLUSIONS, LABELS, SPLITS
from kneeoa.tables.geometry import AXIS, GEOMETRY
from kneeoa.tables.runs import HISTORY, PREDICTIONS
from kneeoa.tables.saliency import ANATOMY, SALIENCY
from kneeoa.tables.shards import MASKS, VOLUMES
from kneeoa.tables.statistics import CONTRASTS, METRICS

BACKBONES = ("resnet3d", "m3t", "nnmamba")
MODES = {"single_oa": ("oa",), "single_kl": ("kl",), "dual": ("oa", "kl")}
ARM_ROWS: list[dict[str, Any]] = [
    {"name": f"{backbone}-{mode}", "backbone": backbone, "mode": mode, "grid": None, "view": "sag_dess"}
    for backbone in BACKBONES
    for mode in MODES
]
FACTORS = {row["name"]: {"backbone": row["backbone"], "mode": row["mode"]} for row in ARM_ROWS}
SEEDS = (1, 2)
TISSUES = ("femoral_cartilage", "tibial_cartilage")
_GRADES = [0] * 14 + [1] * 10 + [2] * 16 + [3] * 14 + [4] * 10


def cases() -> pd.DataFrame:
    """64 cases of 52 subjects: twelve people have both knees."""
    rows = []
    for index, grade in enumerate(_GRADES):
        subject, side = (f"s{index:03d}", "R") if index < 52 else (f"s{index - 52:03d}", "L")
        rows.append(
            {"cohort": "phantom", "case_id": f"{subject}-{side}-00m", "subject": subject, "side": side, "visit": "00m", "grade": grade}
        )
    return pd.DataFrame(rows)


def quality(arm: dict[str, Any]) -> float:
    """Separation of an arm of the synthetic study: duals beat singles, ResNet3D beats the
    others.
    """
    return {"resnet3d": 1.5, "m3t": 0.9, "nnmamba": 1.2}[arm["backbone"]] * {"single_oa": 0.9, "single_kl": 0.7, "dual": 1.3}[arm["mode"]]


def predictions(folder: Path, seeds: tuple[int, ...] = SEEDS) -> list[Path]:
    """PREDICTIONS of every arm and seed."""
    paths = []
    for number, arm in enumerate(ARM_ROWS):
        for seed in seeds:
            rng = np.random.default_rng([number, seed])
            rows = []
            for case in cases().to_dict("records"):
                latent = (case["grade"] - 1.9) * quality(arm) + rng.normal(0, 1.8)
                oa = 1 / (1 + np.exp(-latent))
                kl = np.exp(-np.abs(np.arange(5) - 1.9 - latent / 1.4) * 1.3)
                kl /= kl.sum()
                shared = {key: case[key] for key in ("cohort", "case_id", "subject", "side", "visit")}
                shared |= {"study": "synthetic", "arm": arm["name"], "seed": seed, "members": None, "split": "test", "logits": None}
                shared |= {"label_source": "reader", "calibrated": False}
                levels = MODES[arm["mode"]]
                coarse, fine = [int(case["grade"] >= 2)], [case["grade"]]
                derived = [float(kl[:2].sum()), float(kl[2:].sum())]
                if "oa" in levels:
                    rows.append({**shared, "level": "oa", "head": "oa", "truth": coarse, "probabilities": [1 - oa, oa]})
                if "kl" in levels:
                    rows.append({**shared, "level": "kl", "head": "kl", "truth": fine, "probabilities": kl.tolist()})
                    rows.append({**shared, "level": "oa", "head": "kl", "truth": coarse, "probabilities": derived})
            paths.append(folder / f"predictions-{arm['name']}-{seed}.parquet")
            PREDICTIONS.write(paths[-1], rows)
    return paths


def metrics(folder: Path) -> Path:
    """METRICS: each seed and the mean over seeds."""
    rng = np.random.default_rng(3)
    rows = []
    for arm in ARM_ROWS:
        levels = MODES[arm["mode"]]
        heads = [(level, level) for level in levels] + ([("oa", "kl")] if "kl" in levels else [])
        for level, head in heads:
            names = ("auc", "accuracy", "f1", "brier") if level == "oa" else ("macro_auc", "accuracy", "macro_f1", "quadratic_kappa", "mae")
            for metric in names:
                for seed in (None, *SEEDS):
                    base = {"brier": 0.15, "mae": 0.6, "quadratic_kappa": 0.7}.get(metric, 0.55 + 0.15 * quality(arm) + rng.normal(0, 0.01))
                    rows.append(
                        {"study": "synthetic", "arm": arm["name"], "seed": seed, "seeds": 2 if seed is None else 1, "cohort": "phantom"}
                        | {"split": "test", "level": level, "head": head, "metric": metric, "estimate": min(base, 0.97)}
                        | {"low": base - 0.07, "high": min(base + 0.05, 1.0), "interval": "cluster-bootstrap", "cases": 64, "subjects": 52}
                        | {"note": ""}
                    )
    path = folder / "metrics.parquet"
    METRICS.write(path, rows)
    return path


def contrast(**changes: Any) -> dict[str, Any]:
    """One row of CONTRASTS."""
    row: dict[str, Any] = {"contrast": "oa-dual-single", "factor": "mode", "backbone": "resnet3d", "level": "oa", "metric": "auc"}
    row |= {"reference_value": "single_oa", "candidate_value": "dual"}
    row |= {"reference": "resnet3d-single_oa", "candidate": "resnet3d-dual", "estimate_reference": 0.84, "estimate_candidate": 0.9}
    row |= {"difference": 0.06, "low": 0.01, "high": 0.11, "p": 0.02, "p_adjusted": 0.04, "test": "bootstrap", "family": "primary"}
    row |= {"adjustment": "bh", "m": 18, "statistic": None, "cohort": "phantom", "split": "test", "cases": 64, "subjects": 52, "seeds": 2}
    row |= {"generalises": "subjects", "standard_error": 0.025, "df": None, "detectable": 0.07, "margin": None, "verdict": ""}
    return row | {"degenerate": False, "note": ""} | changes


def contrasts(folder: Path, extra: bool = False) -> Path:
    """CONTRASTS of the published shape: 7 rows a backbone (21), or with a second reference mode and
    more metrics (45).
    """
    rng = np.random.default_rng(5)
    rows = []
    for backbone in BACKBONES:
        pairs = [("oa", "single_oa", [("auc", "bootstrap"), ("auc", "delong"), ("accuracy", "mcnemar"), ("f1", "bootstrap")])]
        pairs += [("kl", "single_kl", [("macro_auc", "bootstrap"), ("accuracy", "bootstrap"), ("macro_f1", "bootstrap")])]
        if extra:
            pairs[1][2].extend([("quadratic_kappa", "bootstrap"), ("mae", "bootstrap")])
            pairs += [("oa", "single_kl", [("auc", "bootstrap"), ("auc", "delong"), ("accuracy", "mcnemar"), ("f1", "bootstrap")])]
            pairs[2][2].extend([("brier", "bootstrap"), ("balanced_accuracy", "bootstrap")])
        for level, reference, tests in pairs:
            for metric, test in tests:
                scale = 0.3 if metric == "mae" else 0.06
                difference = float(rng.normal(-scale if metric in ("mae", "brier") else scale, scale * 0.7))
                width, reference_value = float(rng.uniform(0.8, 1.4)) * scale, float(rng.uniform(0.5, 0.85))
                p = float(min(1.0, np.exp(-((difference / width * 2) ** 2))))
                rows.append(
                    contrast(contrast=f"{level}-dual-{reference}", backbone=backbone, level=level, metric=metric, test=test, p=p)
                    | {"reference": f"{backbone}-{reference}", "candidate": f"{backbone}-dual", "difference": difference}
                    | {"reference_value": reference}
                    | {"estimate_reference": reference_value, "estimate_candidate": reference_value + difference}
                    | {"low": difference - width, "high": difference + width, "p_adjusted": min(1.0, p * 2)}
                    | {"family": "delong" if test == "delong" else "primary", "adjustment": "none" if test == "delong" else "bh"}
                )
    path = folder / "contrasts.parquet"
    CONTRASTS.write(path, rows)
    return path


def histories(folder: Path, epochs: int = 30) -> list[Path]:
    """HISTORY of every run: losses by level and in total, and validation AUC."""
    paths = []
    for number, arm in enumerate(ARM_ROWS):
        for seed in SEEDS:
            rng, rows = np.random.default_rng([7, number, seed]), []
            for epoch in range(1, epochs + 1):
                fall, total = np.exp(-epoch * quality(arm) / 12), {"train": 0.0, "val": 0.0}
                for level in MODES[arm["mode"]]:
                    start = {"oa": 0.69, "kl": 1.6}[level]
                    for split, floor in (("train", 0.1), ("val", 0.45)):
                        value = start * (floor + (1 - floor) * fall) + rng.normal(0, 0.02) + (0.006 * epoch if split == "val" else 0)
                        total[split] += value
                        shared = {"arm": arm["name"], "seed": seed, "epoch": epoch, "split": split, "level": level}
                        rows.append({**shared, "measure": "loss", "value": max(value, 0.01)})
                        if split == "val":
                            auc = 0.88 - 0.38 * fall + rng.normal(0, 0.01)
                            rows.append({**shared, "measure": "auc" if level == "oa" else "accuracy", "value": auc})
                for split, value in total.items():
                    shared = {"arm": arm["name"], "seed": seed, "epoch": epoch, "split": split, "level": "total"}
                    rows.append({**shared, "measure": "loss", "value": value})
                rows.append({**shared, "split": "train", "measure": "learning_rate", "value": 1e-4})
            paths.append(folder / f"history-{arm['name']}-{seed}.parquet")
            HISTORY.write(paths[-1], rows)
    return paths


def geometry(folder: Path) -> tuple[list[Path], list[Path]]:
    """AXIS and GEOMETRY of every run."""
    axis_paths, measure_paths = [], []
    table = cases()
    for number, arm in enumerate(ARM_ROWS):
        for seed in SEEDS:
            rng, rows = np.random.default_rng([9, number, seed]), []
            for axis in ("pc1", "centroid"):
                position = (table["grade"].to_numpy() - 2) * 0.5 * quality(arm) + rng.normal(0, 0.8, len(table))
                across = rng.normal(0, 1, len(table)) + 0.15 * position**2
                for case, along, other in zip(table.to_dict("records"), position, across, strict=True):
                    shared = {key: case[key] for key in ("cohort", "case_id", "subject", "grade")}
                    shared |= {"study": "synthetic", "arm": arm["name"], "seed": seed, "axis": axis, "split": "test"}
                    rows.append({**shared, "position": along, "across": other})
            axis_paths.append(folder / f"axis-{arm['name']}-{seed}.parquet")
            AXIS.write(axis_paths[-1], rows)
            rho = min(0.45 + 0.2 * quality(arm), 0.92) + 0.02 * seed
            shared = {"study": "synthetic", "arm": arm["name"], "seed": seed, "cohort": "phantom", "split": "test", "note": ""}
            shared |= {"cases": 64, "subjects": 52}
            measures = [
                {**shared, "axis": axis, "against": "kl", "measure": "spearman", "estimate": rho, "low": rho - 0.12, "high": rho + 0.06}
                for axis in ("pc1", "centroid")
            ]
            measures += [
                {
                    **shared,
                    "axis": "pc1",
                    "against": "latent_severity",
                    "measure": "spearman",
                    "estimate": rho,
                    "low": rho - 0.1,
                    "high": rho + 0.05,
                },
                {**shared, "axis": "pc1", "against": "", "measure": "explained_variance", "estimate": 0.4, "low": None, "high": None},
                {**shared, "axis": "space", "against": "", "measure": "participation_ratio", "estimate": None, "low": None, "high": None},
            ]
            measure_paths.append(folder / f"measures-{arm['name']}-{seed}.parquet")
            GEOMETRY.write(measure_paths[-1], measures)
    return axis_paths, measure_paths


def anatomy(folder: Path, tissues: tuple[str, ...] = ("cartilage", "bone")) -> Path:
    """ANATOMY: arms and contrasts of dual against the single modes."""
    rng = np.random.default_rng(13)
    rows = []
    for tissue in tissues:
        for measure in ("enrichment", "mass"):
            chance, scale = (1.0, 1.0) if measure == "enrichment" else (0.05, 0.05)
            shared = {"study": "synthetic", "cohort": "phantom", "tissue": tissue, "measure": measure, "cases": 60, "subjects": 50}
            shared |= {"seeds": 2, "note": "", "method": "smoothgrad_input", "grade": None, "p_adjusted": None, "rank_biserial": None}
            shared |= dict.fromkeys(("null_z", "null_p", "others_mean", "others_z", "others_p"))
            for arm in ARM_ROWS:
                value = scale * (1.1 + 0.8 * quality(arm) + rng.normal(0, 0.1)) if tissue == "cartilage" else scale * 1.1
                rows.append(
                    {
                        **shared,
                        "kind": "arm",
                        "arm": arm["name"],
                        "factor": None,
                        "reference": None,
                        "estimate": value,
                        "low": value * 0.85,
                        "high": value * 1.16,
                    }
                    | {
                        "chance": chance,
                        "null_mean": chance * 1.15,
                        "null_p": 0.01,
                        "others_mean": chance * 1.3,
                        "others_p": 0.2,
                        "p": None,
                        "effect": None,
                    }
                )
            for backbone in BACKBONES:
                for reference in ("single_oa", "single_kl"):
                    value = scale * float(rng.normal(0.4, 0.2))
                    rows.append(
                        {
                            **shared,
                            "kind": "contrast",
                            "factor": "mode",
                            "arm": f"{backbone}-dual",
                            "reference": f"{backbone}-{reference}",
                            "estimate": value,
                        }
                        | {
                            "low": value - 0.3 * scale,
                            "high": value + 0.3 * scale,
                            "chance": None,
                            "null_mean": None,
                            "p": 0.03,
                            "effect": 0.4,
                        }
                    )
    path = folder / "anatomy.parquet"
    ANATOMY.write(path, rows)
    return path


def exclusions(folder: Path) -> list[Path]:
    """EXCLUSIONS with cases, masks and free text that LaTeX must escape."""
    path = folder / "exclusions.parquet"
    shared = {"cohort": "phantom", "view": "sag_dess", "stage": "volumes", "scope": "case", "subject": "s900"}
    rows = [
        {**shared, "case_id": f"s90{index}-R-00m", "reason": "slice-gap", "detail": "slices 4 & 6 are 5.6 mm apart (100 % too far)"}
        for index in range(3)
    ]
    rows += [
        {**shared, "case_id": "s910-L-00m", "stage": "masks", "scope": "mask", "reason": "misaligned-mask", "detail": "inside 0.42 < 0.9"}
    ]
    EXCLUSIONS.write(path, rows)
    return [path]


def images(folder: Path, shape: tuple[int, int, int] = (32, 80, 80), keep: int = 4) -> dict[str, list[Path] | Path]:
    """Volumes, masks, labels, splits and saliency of the first grades: a knee made of two discs
    with cartilage between them.
    """
    rng = np.random.default_rng(17)
    table = pd.concat([rows.head(4) for _, rows in cases().groupby("grade")], ignore_index=True)
    index = np.stack(np.meshgrid(*[np.linspace(-1, 1, size) for size in shape], indexing="ij"))
    spacing = [3.5, 1.75, 1.75]
    volumes, labelled, volume_rows, mask_rows = [], [], [], []
    for row, case in enumerate(table.to_dict("records")):
        space = 0.16 - 0.025 * case["grade"]
        femur = (index[0] / 0.8) ** 2 + ((index[1] + 0.55) / 0.5) ** 2 + (index[2] / 0.7) ** 2 < 1
        tibia = (np.abs(index[0]) < 0.75) & (index[1] > 0.05 + space / 2) & (index[1] < 0.75) & (np.abs(index[2]) < 0.55)
        shell = (index[0] / 0.8) ** 2 + ((index[1] + 0.55) / (0.5 + space)) ** 2 + (index[2] / 0.7) ** 2 < 1
        femoral = shell & ~femur & (index[1] > -0.3)
        tibial = (np.abs(index[0]) < 0.75) & (np.abs(index[1] - 0.05) < space / 2) & (np.abs(index[2]) < 0.55) & ~femoral
        image = 0.2 + 0.5 * femur + 0.45 * tibia + 1.6 * (femoral | tibial) + rng.normal(0, 0.12, shape)
        volumes.append(((image - image.mean()) / image.std()).astype(np.float16))
        labelled.append((femoral * 1 + tibial * 2).astype(np.uint8))
        shared = {
            "cohort": "phantom",
            "case_id": case["case_id"],
            "view": "sag_dess",
            "shard": 0,
            "row": row,
            "digest": "0" * 32,
            "source_digest": "0" * 64,
        }
        affine = [0, 0, 0, 0] * 4
        affine[0], affine[9], affine[6], affine[15] = spacing[0], -spacing[1], -spacing[2], 1
        volume_rows.append(
            {**shared, "source_shape": list(shape), "source_spacing": spacing, "affine": [float(value) for value in affine]}
            | {"source_centre": [0.0] * 3, "mirrored": case["side"] == "L", "low": 0.0, "high": 1.0, "mean": 0.5, "sd": 0.2}
            | dict.fromkeys(("joint_row", "joint_column", "joint_fit", "negative"))
        )
        mask_rows.append(
            {**shared, "inside": 1.0, "contrast": 0.9, "cartilage_mm3": 9e3, "cartilage_thickness_mm": 2.0, "flags": [], "usable": row != 1}
        )
    result: dict[str, list[Path] | Path] = {}
    for stage, arrays, rows, schema in (("volumes", volumes, volume_rows, VOLUMES), ("masks", labelled, mask_rows, MASKS)):
        path = folder / stage / "shard-0.parquet"
        schema.write(path, rows)
        np.save(path.with_suffix(".npy"), np.stack(arrays))
        result[stage] = [path]
    SPLITS.write(folder / "splits.parquet", [{**case, "split": "test"} for case in table.drop(columns="grade").to_dict("records")])
    LABELS.write(
        folder / "labels.parquet",
        [
            {"cohort": "phantom", "case_id": case["case_id"], "level": level, "source": "reader", "readings": 1, "disagreement": False}
            | {"value": [case["grade"] if level == "kl" else int(case["grade"] >= 2)]}
            for case in table.to_dict("records")
            for level in ("oa", "kl")
        ],
    )
    result |= {"splits": [folder / "splits.parquet"], "labels": [folder / "labels.parquet"], "saliency": []}
    coarse = tuple(size // keep for size in shape)
    for number, arm in enumerate(ARM_ROWS[:3]):
        maps, rows = [], []
        for row, case in enumerate(table.to_dict("records")):
            mask = labelled[row].reshape(coarse[0], keep, coarse[1], keep, coarse[2], keep).mean((1, 3, 5))
            value = mask * (0.2 + 0.3 * number) + np.abs(rng.normal(0, 0.12, coarse)) - 0.05
            maps.append(value.astype(np.float16))
            rows.append(
                {"study": "synthetic", "arm": arm["name"], "seed": 1, "cohort": "phantom", "case_id": case["case_id"], "view": "sag_dess"}
                | {
                    "row": row,
                    "method": "smoothgrad_input",
                    "weights": "trained",
                    "target": "oa" if number != 1 else "oa<-kl",
                    "score": 1.0,
                    "scale": 0.01,
                }
            )
        path = folder / "saliency" / arm["name"] / "seed-1.parquet"
        SALIENCY.write(path, rows)
        both = np.stack(maps)
        np.save(path.with_suffix(".npy"), np.stack([both, both * 0], axis=1))
        result["saliency"].append(path)  # type: ignore[union-attr]
    return result


def flow(folder: Path, cohort: str = "phantom", excluded: bool = True) -> Path:
    """A cohort's account, as the splits' stage writes it."""
    grades = {"0": 14, "1": 10, "2": 16, "3": 14, "4": 10}
    rows = [
        {"stage": "cohort", "reason": "no-label", "cases": 3, "subjects": 3},
        {"stage": "volumes", "reason": "missing-file", "cases": 1, "subjects": 1},
        {"stage": "volumes", "reason": "slice-gap", "cases": 2, "subjects": 2},
    ]
    splits = {
        name: {"cases": cases, "subjects": subjects, "levels": {"oa": {"no": 24, "yes": cases - 24}, "kl": grades}}
        for name, cases, subjects in (("test", 64, 52), ("train", 160, 126), ("val", 36, 30))
    }
    account = {
        "cohort": cohort,
        "found": {"cases": 266, "subjects": 210},
        "excluded": rows if excluded else [],
        "analysed": {"cases": 260, "subjects": 208},
        "splits": splits if excluded else {"test": splits["test"]},
        "masks": [{"reason": "misaligned-mask", "cases": 2}] if excluded else [],
        "loose": [{"stage": "cohort", "reason": "unknown-file", "rows": 1}] if excluded else [],
    }
    path = folder / f"{cohort}.flow.json"
    write_json(path, account)
    return path
