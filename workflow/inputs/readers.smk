"""What the rules of readers take: input functions and params."""


def confusion_of(wildcards):
    """A noisy reader's confusion at the level that he reads; None for one who permutes labels."""
    classes = len(STUDY.level_read(wildcards.reader).classes)
    matrix = STUDY.readers[wildcards.reader].matrix(classes)
    return matrix and [list(row) for row in matrix]
