"""Input functions and params of the rules of readers."""


def confusion_of(wildcards):
    """Confusion matrix of a noisy reader at the level that is read; None for one who permutes
    labels.
    """
    classes = len(STUDY.level_read(wildcards.reader).classes)
    matrix = STUDY.readers[wildcards.reader].matrix(classes)
    return matrix and [list(row) for row in matrix]
