"""Input functions and params of the rules of raters."""


def confusion_of(wildcards):
    """Confusion matrix of a noisy rater at the level that is read; None for one that permutes
    labels.
    """
    classes = len(STUDY.rated_level(wildcards.rater).classes)
    matrix = STUDY.raters[wildcards.rater].matrix(classes)
    return matrix and [list(row) for row in matrix]
