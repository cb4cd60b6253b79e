"""Edits of the keys that say what is trained, and what jobs ask for. One row a key."""

from tests.rerun.row import IMPORTS, WIDE, row
from tests.rerun.rules import ARMS, COMPARED, CONTRASTED, IMAGES, LEARNED, NETWORKS, OF_PLUGINS, PREDICTED, RUNS, VARIED

OF_A_RUN = OF_PLUGINS | {"train_run", "predict", "embed_untrained", "geometry", "saliency", "overlap", "ensemble"}
"""Made for each run by itself: an arm that goes leaves the others' as they are."""
OTHERS = {"ensemble", "figure saliency"}
"""Are not made from the wide study's arm with a plug-in."""

ROWS = [
    row(
        "backbones.kind",
        {"backbones.resnet50.kind": "densenet121", "backbones.resnet50.options": {}},
        IMAGES | {"table arms"},
        WIDE,
        without={"ensemble", "figure saliency"},
    ),
    row("backbones.options", {"backbones.resnet3d.options": {"width": 8}}, NETWORKS | {"table arms"}),
    row("modes.kind", {"modes.dual_stacked.kind": "dual"}, LEARNED, WIDE, without=OF_PLUGINS | {"ensemble"}),
    row("modes.levels", {"modes.single_kl.levels": ["oa"]}, LEARNED | {"table arms"}),
    row("modes.weights", {"modes.dual.weights": {"oa": 2.0}}, NETWORKS),
    row("modes.losses", {"modes.single_kl.losses": {"kl": "corn"}}, LEARNED),
    row("plugins.kind", {"plugins.second": {"kind": "pim"}}, set(), WIDE),
    *(
        row(f"plugins.{key}", {f"plugins.pim.{key}": value}, NETWORKS | {"table arms"}, WIDE, without=OTHERS)
        for key, value in {
            "width": 32,
            "select": [16, 32, 8, 8],
            "maps": "public",
            "weights.levels": 1.0,
            "weights.selected": 0.5,
            "weights.dropped": 1.0,
            "weights.combiner": 2.0,
        }.items()
    ),
    *(
        row(f"plugins.pretrained.{key}", {"plugins.pim.pretrained": value}, {"train_run", "table arms"}, WIDE, without=OTHERS)
        for key, value in {
            "file": {"file": "config.yaml", "shape": [96, 96]},  # any file that is there: a dry run reads none
            "shape": {"file": "config.yaml", "shape": [64, 64]},
        }.items()
    ),
    row("training.protocol", {"training": {"protocol": "as-published"}}, ARMS | {"train_run", "table arms"}),
    row("training.epochs", {"training.epochs": 3}, ARMS | {"train_run", "table arms"}),
    row("training.batch", {"training.batch": 4}, ARMS | {"train_run", "table arms"}),
    row("training.learning_rate", {"training.learning_rate": 0.002}, ARMS | {"train_run", "table arms"}),
    row("training.weight_decay", {"training.weight_decay": 0.01}, ARMS | {"train_run", "table arms"}),
    row("training.warmup", {"training.warmup": 0.1}, ARMS | {"train_run", "table arms"}),
    row("training.schedule", {"training.schedule": "constant"}, ARMS | {"train_run", "table arms"}),
    row("training.checkpoint", {"training.checkpoint": "last"}, ARMS | {"train_run", "table arms"}),
    row(
        "training.augmentation.shift",
        {"training.augmentation": {"shift": 0.05, "scale": 0.1, "noise": 0.05}},
        ARMS | {"train_run", "table arms"},
    ),
    row(
        "training.augmentation.scale",
        {"training.augmentation": {"shift": 0.04, "scale": 0.2, "noise": 0.05}},
        ARMS | {"train_run", "table arms"},
    ),
    row(
        "training.augmentation.noise",
        {"training.augmentation": {"shift": 0.04, "scale": 0.1, "noise": 0.1}},
        ARMS | {"train_run", "table arms"},
    ),
    row(
        "training.augmentation.rotation",
        {"training.augmentation": {"shift": 0.04, "scale": 0.1, "noise": 0.05, "rotation": 5}},
        ARMS | {"train_run", "table arms"},
    ),
    row(
        "training.augmentation.zoom",
        {"training.augmentation": {"shift": 0.04, "scale": 0.1, "noise": 0.05, "zoom": 0.1}},
        ARMS | {"train_run", "table arms"},
    ),
    row(
        "training.augmentation.gamma",
        {"training.augmentation": {"shift": 0.04, "scale": 0.1, "noise": 0.05, "gamma": 0.3}},
        ARMS | {"train_run", "table arms"},
    ),
    row("training.class_weights", {"training.class_weights": "balanced"}, ARMS | {"train_run", "table arms"}),
    row("training.precision", {"training.precision": "bfloat16"}, ARMS | {"train_run", "table arms"}),
    row("training.clip", {"training.clip": 1.0}, ARMS | {"train_run", "table arms"}),
    row("training.micro_batch", {"training.micro_batch": 4}, ARMS | {"train_run", "table arms"}),
    row("training.recompute", {"training.recompute": True}, {"table arms"}),
    row("training.compile", {"training.compile": True}, ARMS | {"train_run", "table arms"}),
    row("training.data", {"training.data": "streamed"}, {"table arms"}),
    row("training.predict_batch", {"training.predict_batch": 4}, ARMS | IMAGES | {"table arms"}),
    row("training.save_every", {"training.save_every": 60}, {"table arms"}),
    row("training.tensorboard", {"training.tensorboard": True}, {"table arms"}),
    row(
        "arms.backbone",
        {"arms.4.backbone": ["densenet121", "efficientnet", "resnet50"]},
        RUNS | ARMS | {"table arms"},
        WIDE,
        without=OF_A_RUN,
    ),
    row("arms.mode", {"arms.1.mode": "single_kl"}, RUNS | ARMS | {"table arms"}),
    row("arms.grid", {"arms.0.grid": "cube"}, RUNS | ARMS | {"table arms"}),
    row(
        "arms.view",
        {"arms.4.view": "sag_dess", "arms.4.backbone": ["densenet121"]},
        RUNS | ARMS | {"table arms"},
        WIDE,
        without=OF_PLUGINS | {"ensemble"},
    ),
    row(
        "arms.plugin",
        {"plugins.second": {"kind": "pim", "width": 16, "select": [32, 32, 8, 8]}, "arms.5.plugin": "second"},
        RUNS | ARMS | {"table arms"},
        WIDE,
        without={"ensemble"},
    ),
    row(
        "arms.rater",
        {"arms.1.rater": "none"},
        RUNS | ARMS | {"table arms"},
        WIDE,
        without=OF_PLUGINS | {"embed_untrained", "geometry_baselines", "ensemble", "raters", "figure raters"},
    ),
    row("arms.training", {"arms.1.training": {"epochs": 3}}, ARMS | {"train_run", "table arms"}),
    row("arms.name", {"arms.1.name": "transformer"}, RUNS | ARMS | {"table arms"}),
    row("seeds", {"seeds": [1, 2, 3]}, RUNS, without={"figure saliency"}),
    row("predict.flips", {"predict.flips": ["left_right"]}, {"predict"}),
    row("predict.temperature", {"predict.temperature": True}, {"predict"}),
    row("ensembles.members", {"ensembles.committee.members": ["resnet3d-single-oa", "resnet3d-dual"]}, COMPARED | {"ensemble"}, WIDE),
    row("ensembles.combine", {"ensembles.committee.combine": "logit_mean"}, COMPARED | {"ensemble"}, WIDE),
    row("ensembles.seeds", {"ensembles.committee.seeds": "together"}, COMPARED | PREDICTED | {"ensemble"}, WIDE),
    row("imports.folder", {"imports.folder": "$KNEEOA_RERUN/../raw/tables"}, {"import_predictions"}, IMPORTS),
    row("imports.case_id", {"imports.case_id": "case"}, {"import_predictions"}, IMPORTS),
    row("imports.subject", {"imports.subject": "person"}, {"import_predictions"}, IMPORTS),
    row("imports.cohort", {"imports.cohort": "other"}, {"import_predictions"}, IMPORTS),
    row("imports.split_column", {"imports.split_column": "set"}, {"import_predictions"}, IMPORTS),
    row("imports.visit", {"imports.visit": "12m"}, {"import_predictions"}, IMPORTS),
    row(
        "imports.arms.backbone",
        {"imports.arms.resnet3d-dual.backbone": "m3t", "imports.arms.resnet3d-single-oa.backbone": "m3t"},
        ARMS | {"import_predictions", "table arms"},
        IMPORTS,
    ),
    row(
        "imports.arms.factors",
        {"imports.arms.resnet3d-dual.factors": {"plugin": "pim"}, "imports.arms.resnet3d-single-oa.factors": {"plugin": "pim"}},
        ARMS | {"import_predictions", "table arms"},
        IMPORTS,
    ),
    row(
        "imports.arms.members",
        {
            "imports.arms.resnet3d-dual.members": ["resnet3d-single-oa"],
            "statistics.contrasts.0": {
                "name": "pooled",
                "level": "oa",
                "factor": "ensemble",
                "candidate": "ensemble",
                "reference": "none",
                "follows": ["mode"],
                "tests": {"auc": ["delong"]},
            },
        },
        ARMS | {"import_predictions", "table arms"} | CONTRASTED | VARIED,
        IMPORTS,
    ),
    row(
        "imports.arms.mode",
        {"imports.arms.resnet3d-dual.mode": "stacked", "statistics.contrasts.0.candidate": "stacked"},
        ARMS | {"import_predictions", "table arms"} | CONTRASTED,
        IMPORTS,
    ),
    row("imports.arms.file", {"imports.arms.resnet3d-dual.file": "single.csv"}, {"import_predictions", "table arms"}, IMPORTS),
    row("imports.arms.levels.truth", {"imports.arms.resnet3d-dual.levels.oa.truth": "y"}, {"import_predictions"}, IMPORTS),
    row(
        "imports.arms.levels.probabilities", {"imports.arms.resnet3d-dual.levels.oa.probabilities": ["q"]}, {"import_predictions"}, IMPORTS
    ),
    row("resources.phantom.threads", {"resources.phantom.threads": 2}, set()),
    row("resources.phantom.memory_mb", {"resources.phantom.memory_mb": 3000}, set()),
    row("resources.phantom.minutes", {"resources.phantom.minutes": 30}, set()),
    row("resources.phantom.gpus", {"resources.phantom.gpus": 1}, set()),
    row("resources.ingest.threads", {"resources.ingest.threads": 2}, set()),
    row("resources.ingest.memory_mb", {"resources.ingest.memory_mb": 3000}, set()),
    row("resources.ingest.minutes", {"resources.ingest.minutes": 30}, set()),
    row("resources.ingest.gpus", {"resources.ingest.gpus": 1}, set()),
    row("resources.train.threads", {"resources.train.threads": 2}, {"train_run", "predict", "predict_parts"}),
    row("resources.train.memory_mb", {"resources.train.memory_mb": 3000}, set()),
    row("resources.train.minutes", {"resources.train.minutes": 30}, set()),
    row("resources.train.gpus", {"resources.train.gpus": 0}, set()),
    row("resources.explain.threads", {"resources.explain.threads": 2}, {"saliency", "deletion", "embed_untrained", "selections"}),
    row("resources.explain.memory_mb", {"resources.explain.memory_mb": 3000}, set()),
    row("resources.explain.minutes", {"resources.explain.minutes": 30}, set()),
    row("resources.explain.gpus", {"resources.explain.gpus": 0}, set()),
    row("resources.analyse.threads", {"resources.analyse.threads": 2}, set()),
    row("resources.analyse.memory_mb", {"resources.analyse.memory_mb": 3000}, set()),
    row("resources.analyse.minutes", {"resources.analyse.minutes": 30}, set()),
    row("resources.analyse.gpus", {"resources.analyse.gpus": 1}, set()),
]
