"""Input functions and params of the rules of geometry."""


def geometry_settings():
    """The settings that decide the measures of a run; those of the baselines do not."""
    return STUDY.geometry.model_dump(mode="json", exclude={"untrained", "raw_images", "raw_grid"})
