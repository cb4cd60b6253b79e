"""Edits of the keys that say how runs are compared, measured, explained and shown. One row a
key.
"""

from tests.rerun.row import WIDE, row
from tests.rerun.rules import BOOTSTRAPPED, CONTRASTED, FIGURES, INTERVALS, MEASURED, OVERLAPS, TABLES, VARIED, taking

THRESHOLDED = {"metrics", "contrasts", "subgroups", "external", "part_metrics"}
"""Take the threshold of binary levels."""
SHIFTED = OVERLAPS | {"selection_shares"}
"""Take the nulls of overlap."""

ROWS = [
    row("statistics.confidence", {"statistics.confidence": 0.9}, INTERVALS),
    row("statistics.resamples", {"statistics.resamples": 201}, BOOTSTRAPPED),
    row("statistics.seed", {"statistics.seed": 43}, BOOTSTRAPPED | {"external"}),
    row("statistics.mcnemar", {"statistics.mcnemar": "exact"}, {"contrasts"}),
    row("statistics.threshold.rule", {"statistics.threshold.rule": "specificity"}, THRESHOLDED, WIDE),
    row("statistics.threshold.value", {"statistics.threshold.value": 0.8}, THRESHOLDED, WIDE),
    row("statistics.power", {"statistics.power": 0.9}, {"contrasts"}),
    row("statistics.contrasts.name", {"rename": "kl-dual-single kl-change"}, CONTRASTED),
    row(
        "statistics.contrasts.level",
        {"statistics.contrasts.1.level": "oa", "statistics.contrasts.1.tests": {"auc": ["delong"]}},
        CONTRASTED,
    ),
    row("statistics.contrasts.candidate", {"statistics.contrasts.1.candidate": "single_oa"}, CONTRASTED),
    row("statistics.contrasts.reference", {"statistics.contrasts.1.reference": "single_oa"}, CONTRASTED),
    row(
        "statistics.contrasts.factor",
        {
            "statistics.contrasts.0.factor": "backbone",
            "statistics.contrasts.0.candidate": "m3t",
            "statistics.contrasts.0.reference": "resnet3d",
            "statistics.contrasts.0.follows": ["grid"],
        },
        CONTRASTED | VARIED,
    ),
    row("statistics.contrasts.follows", {"statistics.contrasts.1.follows": ["grid"]}, CONTRASTED),
    row("statistics.contrasts.tests", {"statistics.contrasts.1.tests": {"macro_auc": ["delong"]}}, CONTRASTED),
    row("statistics.contrasts.margin", {"statistics.contrasts.1.margin": 0.05}, CONTRASTED),
    row("statistics.primary.contrast", {"statistics.primary": {"contrast": "kl-dual-single", "metric": "macro_auc"}}, {"contrasts"}),
    row("statistics.primary.metric", {"statistics.primary.metric": "accuracy"}, {"contrasts"}),
    row("statistics.primary.backbone", {"statistics.primary.backbone": "resnet3d"}, {"contrasts"}),
    row("statistics.primary.where", {"statistics.primary.where": {"grid": "canonical"}}, {"contrasts"}),
    row("statistics.primary.cohort", {"statistics.primary.cohort": "phantom"}, {"contrasts"}),
    row("statistics.families.name", {"statistics.families.0.name": "others"}, {"contrasts"}),
    row("statistics.families.adjust", {"statistics.families.0.adjust": "bh"}, {"contrasts"}),
    row("statistics.families.tests", {"statistics.families.0.tests": ["delong"]}, {"contrasts"}),
    row("statistics.families.contrasts", {"statistics.families.0.contrasts": ["oa-dual-single"]}, {"contrasts"}),
    row("statistics.families.metrics", {"statistics.families.0.metrics": ["auc"]}, {"contrasts"}),
    row("statistics.subgroups.bands", {"statistics.subgroups.age.bands": [0, 50, 100]}, {"subgroups"}, WIDE),
    row("statistics.claim.axis", {"statistics.claim": {"axis": "lda"}}, {"claim"}),
    row("statistics.claim.tissue", {"statistics.claim": {"tissue": "bone"}}, {"claim"}),
    row("statistics.claim.measure", {"statistics.claim": {"measure": "mass"}}, {"claim", "associations"}),
    row("geometry.axes", {"geometry.axes": ["lda", "pc1", "ridge"]}, MEASURED | taking("axis")),
    row("geometry.level", {"geometry.level": "kl"}, MEASURED),
    row("geometry.resamples", {"geometry.resamples": 101}, MEASURED),
    row("geometry.confidence", {"geometry.confidence": 0.9}, MEASURED | {"similarity"} | taking("confidence_of_geometry")),
    row("geometry.seed", {"geometry.seed": 12}, MEASURED),
    row("geometry.permutations", {"geometry.permutations": 51}, MEASURED),
    row("geometry.untrained", {"geometry.untrained": False}, {"geometry_baselines"}),
    row("geometry.raw_images", {"geometry.raw_images": False}, {"geometry_baselines"}),
    row("geometry.raw_grid", {"geometry.raw_grid": 8}, {"embed_raw_images"}),
    row(
        "saliency.methods",
        {"saliency.methods": ["smoothgrad_input", "grad_cam"]},
        {"saliency", "anatomy", "associations"} | OVERLAPS,
        without={"claim", "figure claim", "table claim", "figure saliency"},
    ),
    row("saliency.target", {"saliency.target": "oa"}, set()),
    row("saliency.samples", {"saliency.samples": 3}, {"saliency"}),
    row("saliency.noise", {"saliency.noise": 0.1}, {"saliency"}),
    row("saliency.steps", {"saliency.steps": 16}, set()),
    row("saliency.cube", {"saliency.cube": 4}, set()),
    row("saliency.keep", {"saliency.keep": 2}, {"saliency"}),
    row("saliency.cases", {"saliency.cases": 5}, {"saliency"}),
    row("saliency.randomised", {"saliency.randomised": 4}, {"saliency"}),
    row("anatomy.targets", {"anatomy.targets.bone": ["femur"]}, SHIFTED | {"deletion"} | taking("targets")),
    row("anatomy.shifts", {"anatomy.shifts": 51}, SHIFTED),
    row("anatomy.partners", {"anatomy.partners": 10}, SHIFTED),
    row("anatomy.dilations", {"anatomy.dilations": [1]}, OVERLAPS),
    row("anatomy.tolerance_mm", {"anatomy.tolerance_mm": 4.0}, OVERLAPS),
    row("anatomy.region_mm", {"anatomy.region_mm": 10.0}, OVERLAPS | {"deletion"}),
    row("anatomy.seed", {"anatomy.seed": 8}, SHIFTED | {"deletion"}),
    row("anatomy.deletion", {"anatomy.deletion": 3}, {"deletion"}),
    row("anatomy.controls", {"anatomy.controls": 2}, {"deletion"}),
    row("anatomy.blur_mm", {"anatomy.blur_mm": 5.0}, {"deletion"}),
    row("figures.dpi", {"figures.dpi": 90}, FIGURES | {"quality"}),
    row("figures.font_size", {"figures.font_size": 9}, FIGURES | {"quality"}),
    row("figures.palette", {"figures.palette": {"dual": "#000000"}}, FIGURES | {"quality"}),
    row("figures.labels", {"figures.labels": {"m3t": "M3T"}}, FIGURES | TABLES | {"quality"}),
    row("figures.example_cases", {"figures.example_cases": 3}, FIGURES | {"quality"}),
]
