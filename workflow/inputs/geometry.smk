"""What the rules of geometry take: input functions and params."""


def measured_as():
    """How representations are measured; which baselines there are changes no measure of a run."""
    return STUDY.geometry.model_dump(mode="json", exclude={"untrained", "raw_images", "raw_grid"})
