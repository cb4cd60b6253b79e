"""Random studies of knees with a known truth, for the calibration of the tests: binormal scores,
subjects of one or two knees.

A subject's knees share what makes the subject ill (the label) and what each model makes of the
subject (the scores); an unclustered study has one knee a subject. Models a and b are exchangeable,
so that every difference between them is truly zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, softmax

SHARED = 0.8


@dataclass(frozen=True)
class Study:
    """Cases of one simulated study: truth ``[n]``, two models' outputs, and subjects (None: a case
    a subject).
    """

    truth: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cluster: np.ndarray | None


def knees(rng: np.random.Generator, subjects: int, clustered: bool) -> np.ndarray:
    """Subject of each knee: where clustered, two knees of seven subjects in ten and one of the
    rest.
    """
    return np.repeat(np.arange(subjects), rng.choice([1, 2], p=[0.3, 0.7], size=subjects) if clustered else 1)


def noise(rng: np.random.Generator, subject: np.ndarray, *columns: int) -> np.ndarray:
    """Standard normal noise ``[n, *columns]``, of whose variance a subject's knees share
    ``SHARED``.
    """
    of_subject, of_knee = rng.normal(size=(subject[-1] + 1, *columns)), rng.normal(size=(subject.size, *columns))
    return np.sqrt(SHARED) * of_subject[subject] + np.sqrt(1 - SHARED) * of_knee


def binary(rng: np.random.Generator, subjects: int, clustered: bool, auc: float, prevalence: float = 0.4) -> Study:
    """Two binormal models of the same AUC whose scores correlate (0.5) given the truth."""
    subject = knees(rng, subjects, clustered)
    truth = (noise(rng, subject) > ndtri(1 - prevalence)).astype(np.int64)
    shift = np.sqrt(2) * ndtri(auc)
    scores = shift * truth[:, None] + np.sqrt(0.5) * (noise(rng, subject)[:, None] + noise(rng, subject, 2))
    return Study(truth, scores[:, 0], scores[:, 1], subject if clustered else None)


def graded(rng: np.random.Generator, subjects: int, clustered: bool) -> Study:
    """Two models' probabilities of five grades, unequally common, from a latent severity that both
    see through noise.
    """
    subject = knees(rng, subjects, clustered)
    severity = noise(rng, subject)
    grade = np.digitize(severity, ndtri([0.35, 0.55, 0.75, 0.9]))
    centres = np.linspace(-1.5, 1.8, 5)
    perceived = severity[:, None] + 0.6 * noise(rng, subject)[:, None] + 0.8 * noise(rng, subject, 2)
    a, b = (softmax(-((perceived[:, [model]] - centres) ** 2) + 0.3 * noise(rng, subject, 5), axis=1) for model in range(2))
    return Study(grade, a, b, subject if clustered else None)


def calls(rng: np.random.Generator, subjects: int, clustered: bool) -> Study:
    """Whether two models of accuracy 0.75 are right, correlated between models and knees."""
    subject = knees(rng, subjects, clustered)
    ease = np.sqrt(0.5) * (noise(rng, subject)[:, None] + noise(rng, subject, 2))
    right = (ease > ndtri(0.25)).astype(np.int64)
    return Study(np.ones(subject.size, dtype=np.int64), right[:, 0], right[:, 1], subject if clustered else None)
