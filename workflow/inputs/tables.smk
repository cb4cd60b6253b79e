"""What the rules of tables take: input functions and params."""


def arms_rows():
    """The arms table in full: every factor of every arm."""
    if STUDY.imports is not None:
        return [
            {"name": name} | arm.model_dump(mode="json", include={"backbone", "mode", "file"})
            for name, arm in STUDY.imports.arms.items()
        ]
    return [
        plain(arm)
        | {"options": plain(STUDY.backbones[arm.backbone])["options"], "levels": list(STUDY.modes[arm.mode].levels)}
        for arm in STUDY.arms_table()
    ]
