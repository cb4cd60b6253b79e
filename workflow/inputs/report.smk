"""What the rules of report take: input functions and params."""


def words_of(declared):
    """What a figure or table declares of its part in the report."""
    return declared.model_dump(include={"section", "title", "caption", "alternative"})


def digests():
    """What the results were made from: digests of the configuration and of each stage's code."""
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
