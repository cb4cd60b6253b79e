"""What the rules of readers take: input functions and params."""


def confusion_of(wildcards):
    """A noisy reader's confusion at the level that he reads."""
    classes = len(STUDY.level_read(wildcards.reader).classes)
    return [list(row) for row in STUDY.readers[wildcards.reader].matrix(classes)]
