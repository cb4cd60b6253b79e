"""Input functions and params of the rules of report."""


def words_of(declared):
    """The declared section and texts of a figure or table."""
    return declared.model_dump(include={"section", "title", "caption", "alternative"})


def digests():
    """Digests of the configuration and of each stage's code, for the report."""
    stages = [
        "make_volumes",
        "make_masks",
        "train_run",
        "predict",
        "metrics",
        "contrasts",
        "geometry",
        "saliency",
        "overlap",
    ]
    wanted = ["import_predictions", "metrics", "contrasts"] if STUDY.imports is not None else stages
    return {
        "Configuration (digest)": digest(plain(STUDY)),
        "Code of the stages (digests)": {stage: code(stage) for stage in wanted},
    }
