"""Edits of the keys that say what is asked, of which images and labels. One row a key."""

from tests.rerun.row import WIDE, row
from tests.rerun.rules import ARMS, CONTRASTED, CURVES, EVERYTHING, FINEST, IMAGES, LEVELS, NETWORKS, OVERLAPS, PHANTOM, VIEW

NOT_SHOWN = {"ensemble", "figure_saliency"}
"""What does not take the arms that learn from a reader: the ensemble's members and the picture's arms are others."""

ROWS = [
    row("study", {"study": "other"}, EVERYTHING),
    row("title", {"title": "Another"}, set()),
    row("question", {"question": "Why?"}, set()),
    row("levels.name", {"rename": "kl grade"}, LEVELS | FINEST | CURVES | CONTRASTED | {"table_arms", "figure_volumes", "figure_saliency"}),
    row(
        "levels.kind",
        {"levels.1.kind": "multiclass", "statistics.contrasts.1.tests": {"macro_auc": ["delong"], "macro_f1": ["bootstrap"]}},
        LEVELS | FINEST | CONTRASTED,
    ),
    row("levels.classes", {"levels.1.classes.0": "none"}, LEVELS | FINEST),
    row("levels.parent", {"levels.1.parent": None, "levels.1.parent_class": None}, LEVELS | FINEST),
    row("levels.parent_class", {"levels.1.parent_class": [0, 1, 1, 1, 1]}, LEVELS | FINEST),
    row("cohorts.role", {"cohorts.clinic.role": "external"}, {"make_splits"} | NETWORKS, WIDE),
    row(
        "cohorts.reader",
        {"cohorts.clinic.reader": "grades_folder", "cohorts.clinic.manifest": None, "cohorts.clinic.labels": {}},
        {"read_cohort", "describe_shard volumes", "make_volumes"},
        WIDE,
    ),
    row(
        "cohorts.root",
        {"cohorts.clinic.root": "$KNEEOA_RERUN/../raw"},
        {"read_cohort", "describe_shard volumes", "make_volumes"},
        WIDE,
    ),
    row("cohorts.phantom.seed", {"cohorts.phantom.phantom.seed": 4}, PHANTOM),
    row("cohorts.phantom.subjects", {"cohorts.phantom.phantom.subjects": 49}, PHANTOM),
    row("cohorts.phantom.both_knees", {"cohorts.phantom.phantom.both_knees": 0.4}, PHANTOM),
    row("cohorts.phantom.shape", {"cohorts.phantom.phantom.shape": [28, 64, 66]}, PHANTOM),
    row("cohorts.phantom.spacing", {"cohorts.phantom.phantom.spacing": [4.0, 2.2, 2.3]}, PHANTOM),
    row("cohorts.phantom.noise", {"cohorts.phantom.phantom.noise": 0.07}, PHANTOM),
    row("cohorts.phantom.bias", {"cohorts.phantom.phantom.bias": 0.3}, PHANTOM),
    row("cohorts.phantom.scanners", {"cohorts.phantom.phantom.scanners": 4}, PHANTOM),
    row("cohorts.phantom.lesions", {"cohorts.phantom.phantom.lesions": 0.5}, PHANTOM),
    row("cohorts.phantom.effect", {"cohorts.phantom.phantom.effect": 0.5}, PHANTOM),
    row("cohorts.phantom.variation", {"cohorts.phantom.phantom.variation": 0.5}, PHANTOM),
    row("cohorts.phantom.nifti", {"cohorts.phantom.phantom.nifti": 0.4}, PHANTOM),
    row("cohorts.phantom.faults", {"cohorts.phantom.phantom.faults": False}, PHANTOM),
    row("cohorts.phantom.parts", {"cohorts.phantom.phantom.parts": 3}, PHANTOM | {"read_cohort", "make_volumes", "make_masks"}),
    row("cohorts.phantom.reader.cuts", {"cohorts.phantom.phantom.reader": {"cuts": [0.1, 0.4, 0.6, 0.8]}}, PHANTOM),
    row(
        "cohorts.phantom.reader.confusion",
        {
            "cohorts.phantom.phantom.reader": {
                "confusion": [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]
            }
        },
        PHANTOM,
    ),
    row(
        "cohorts.views",
        {"cohorts.phantom.views": ["sag_dess", "pa"]},
        {"read_cohort", "describe_shard", "make_volumes", "make_masks", "make_splits", "quality", "list_shards"} | IMAGES,
        WIDE,
        without={"make_inputs"},
    ),
    row("cohorts.visits", {"cohorts.clinic.visits": ["12m"]}, {"read_cohort", "describe_shard volumes"}, WIDE),
    row("cohorts.series", {"cohorts.phantom.series": {"sag_dess": "SAG_(?P<side>RIGHT|LEFT)"}}, {"read_cohort"}),
    row("cohorts.labels.columns", {"cohorts.clinic.labels": {"kl": {"columns": ["grade_{side}"]}}}, {"read_cohort"}, WIDE),
    row(
        "cohorts.labels.values",
        {"cohorts.clinic.labels": {"kl": {"columns": ["kl_{side}"], "values": {"doubtful": 1}}}},
        {"read_cohort"},
        WIDE,
    ),
    row("cohorts.labels.at_least", {"cohorts.clinic.labels": {"kl": {"columns": ["kl_{side}"], "at_least": 1}}}, {"read_cohort"}, WIDE),
    row(
        "cohorts.labels.separator",
        {"cohorts.clinic.labels": {"kl": {"columns": ["kl_{side}"], "values": {"a": 1}, "separator": ";"}}},
        {"read_cohort"},
        WIDE,
    ),
    row("cohorts.labels.missing", {"cohorts.clinic.labels": {"kl": {"columns": ["kl_{side}"], "missing": ["?"]}}}, {"read_cohort"}, WIDE),
    row("cohorts.reading_project", {"cohorts.phantom.reading_project": 15}, {"read_cohort"}),
    row("cohorts.readings", {"cohorts.phantom.readings": "median"}, {"read_cohort"}),
    row("cohorts.landmarks", {"cohorts.clinic.landmarks": "centres.csv"}, {"read_cohort", "describe_shard volumes"}, WIDE),
    row(
        "cohorts.manifest.table",
        {
            "cohorts.clinic.manifest": {
                "table": "others.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.sheet",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "sheet": "one",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.subject",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "person",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.side",
        {
            "cohorts.clinic.manifest": {"table": "knees.csv", "subject": "subject", "path": "file", "shows": "both", "side": "which"},
            "cohorts.clinic.labels": {"kl": {"columns": ["kl_right"]}},
        },
        {"read_cohort", "describe_shard volumes"},
        WIDE,
    ),
    row(
        "cohorts.manifest.visit",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "visit": "visit",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.view",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "view": "view",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.path",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "picture",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.mask",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "mask": "mask",
            }
        },
        {"read_cohort", "describe_shard volumes"},
        WIDE,
    ),
    row(
        "cohorts.manifest.folder",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "folder": "files",
            }
        },
        {"read_cohort", "describe_shard volumes"},
        WIDE,
    ),
    row(
        "cohorts.manifest.shows",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "knee",
                "sides": {"R": "right", "L": "left"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.row",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "row": "row",
                "column": "column",
            }
        },
        {"read_cohort", "describe_shard volumes"},
        WIDE,
    ),
    row(
        "cohorts.manifest.column",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "row": "row",
                "column": "column",
            }
        },
        {"read_cohort", "describe_shard volumes"},
        WIDE,
    ),
    row(
        "cohorts.manifest.split",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "split": "part",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.site",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "site": "site",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.sex",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "sex": "sex",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.age",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "age": "age",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.project",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "project": "project",
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.sides",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "r", "L": "l"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.visits",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "visits": {"00m": "V0"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.views",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "views": {"pa": "PA"},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.manifest.values",
        {
            "cohorts.clinic.manifest": {
                "table": "knees.csv",
                "subject": "subject",
                "path": "file",
                "shows": "both",
                "sides": {"R": "right", "L": "left"},
                "values": {"sex": {"w": "F"}},
            }
        },
        {"read_cohort"},
        WIDE,
    ),
    row(
        "cohorts.tissues",
        {"cohorts.phantom.tissues.patella": [5, 7]},
        {"read_cohort", "describe_shard masks", "make_masks", "deletion"} | OVERLAPS,
    ),
    row(
        "cohorts.shards",
        {"cohorts.phantom.shards": 3},
        {"read_cohort", "describe_shard", "make_volumes", "make_masks", "make_inputs"},
    ),
    row("cohorts.split.method", {"cohorts.phantom.split.method": "given"}, {"make_splits"}),
    row("cohorts.split.stratify", {"cohorts.phantom.split.stratify": "oa"}, {"make_splits"}),
    row("cohorts.split.val", {"cohorts.phantom.split.val": 0.25}, {"make_splits"}),
    row("cohorts.split.test", {"cohorts.phantom.split.test": 0.3}, {"make_splits"}),
    row("cohorts.split.seed", {"cohorts.phantom.split.seed": 1}, {"make_splits"}),
    row(
        "views.dimensions",
        {
            "views.pa": {"dimensions": 3, "shape": [64, 96, 96], "spacing": [1.0, 1.0, 1.0]},
            "arms.4.backbone": ["densenet121", "efficientnet", "resnet50"],
        },
        VIEW | ARMS | IMAGES | {"table_arms", "embed_raw_images"},
        WIDE,
    ),
    row("views.shape", {"views.pa.shape": [96, 128]}, VIEW | {"embed_raw_images"}, WIDE),
    row("views.spacing", {"views.sag_dess.spacing": [4.2, 3.9, 4.0]}, VIEW | OVERLAPS | {"deletion"}),
    row("views.fit", {"views.pa": {"dimensions": 2, "shape": [96, 96], "fit": "extent"}}, VIEW, WIDE),
    row("views.region.around", {"views.sag_dess.region": {"around": "foreground"}}, VIEW),
    row("views.region.offset", {"views.sag_dess.region": {"offset": [0.0, 0.0, 5.0]}}, VIEW),
    row("views.antialias", {"views.sag_dess.antialias": False}, VIEW),
    row("views.intensity.n4", {"views.sag_dess.intensity": {"n4": True}}, VIEW),
    row("views.intensity.n4_fit.shrink", {"views.sag_dess.intensity": {"n4_fit": {"shrink": 2}}}, VIEW),
    row("views.intensity.n4_fit.iterations", {"views.sag_dess.intensity": {"n4_fit": {"iterations": [20]}}}, VIEW),
    row("views.intensity.n4_fit.convergence", {"views.sag_dess.intensity": {"n4_fit": {"convergence": 0.01}}}, VIEW),
    row("views.intensity.clip", {"views.sag_dess.intensity": {"clip": [1, 99]}}, VIEW),
    row("views.intensity.zscore", {"views.sag_dess.intensity": {"zscore": False}}, VIEW),
    row("views.intensity.over", {"views.sag_dess.intensity": {"over": "centre"}}, VIEW),
    row("views.echo", {"views.sag_dess.echo": 2}, VIEW),
    row("views.projection", {"views.pa.projection": "lateral"}, VIEW, WIDE),
    row("views.field", {"views.pa.field": 2.0}, VIEW, WIDE),
    row("views.negatives", {"views.pa.negatives": "keep"}, VIEW, WIDE),
    row("masks.minimum_inside", {"masks.minimum_inside": 0.91}, {"describe_shard masks", "make_masks"}),
    row("masks.minimum_contrast", {"masks.minimum_contrast": 0.61}, {"describe_shard masks", "make_masks"}),
    row("masks.minimum_boundary", {"masks.minimum_boundary": 0.71}, {"describe_shard masks", "make_masks"}),
    row("masks.cartilage", {"masks.cartilage": "dark"}, {"describe_shard masks", "make_masks"}),
    row("masks.interpolation", {"masks.interpolation": "nearest"}, {"describe_shard masks", "make_masks"}),
    row("masks.repair", {"masks.repair": "header"}, {"describe_shard masks", "make_masks"}),
    row("masks.required", {"masks.required": True}, {"describe_shard masks", "make_masks", "make_splits"}),
    row("quality.cases", {"quality.cases": 10}, {"quality"}),
    row(
        "grids.shape",
        {"grids.cube.shape": [32, 32, 32]},
        NETWORKS | {"describe_shard inputs", "make_inputs"},
        without={"figure_saliency"},
    ),
    row("readers.adjacent", {"readers.careless": {"adjacent": 0.3}}, {"reread_labels"}, WIDE, without=NOT_SHOWN),
    row(
        "readers.confusion",
        {"readers.careless": {"confusion": [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0]]}},
        {"reread_labels"},
        WIDE,
        without=NOT_SHOWN,
    ),
    row("readers.permute", {"readers.careless": {"permute": True}}, {"reread_labels"}, WIDE, without=NOT_SHOWN),
    row("readers.level", {"readers.careless": {"adjacent": 0.2, "level": "kl"}}, set(), WIDE),
    row("readers.seed", {"readers.careless": {"adjacent": 0.2, "seed": 1}}, {"reread_labels"}, WIDE, without=NOT_SHOWN),
]
