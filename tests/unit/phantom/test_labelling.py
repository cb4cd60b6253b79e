from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from pydantic import ValidationError

from kneeoa.config.phantom import PhantomRater
from kneeoa.phantom.findings import Findings, draw_findings
from kneeoa.phantom.labelling import oarsi_grades, read_grade, true_grade


def mean_findings(severity, effect=1.0, lesions=1.0):
    drawn = [draw_findings(severity, effect, lesions, np.random.default_rng(seed)) for seed in range(60)]
    return {field.name: np.mean([getattr(one, field.name) for one in drawn]) for field in fields(Findings)}


@pytest.mark.parametrize(("severity", "grade"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.4, 2), (0.65, 3), (0.8, 4), (1.0, 4)])
def test_true_grade_steps_at_the_cuts(severity, grade):
    assert true_grade(severity, PhantomRater()) == grade


def test_the_rater_errs_as_configured():
    rng = np.random.default_rng(0)
    counts = Counter(read_grade(1, PhantomRater(), rng) for _ in range(4000))
    assert set(counts) == {0, 1, 2}
    np.testing.assert_allclose([counts[grade] / 4000 for grade in (0, 1, 2)], [0.15, 0.70, 0.15], atol=0.025)


def test_a_perfect_rater_never_errs():
    rater = PhantomRater(confusion=tuple(tuple(float(row == column) for column in range(5)) for row in range(5)))
    rng = np.random.default_rng(1)
    assert all(read_grade(grade, rater, rng) == grade for grade in range(5) for _ in range(50))


def test_a_confusion_that_does_not_add_up_is_refused():
    with pytest.raises(ValidationError, match="row 2 of 'confusion'"):
        PhantomRater(confusion=((1.0, 0, 0, 0, 0), (0, 1.0, 0, 0, 0), (0, 0, 0.5, 0, 0), (0, 0, 0, 1.0, 0), (0, 0, 0, 0, 1.0)))


def test_cuts_that_do_not_rise_are_refused():
    with pytest.raises(ValidationError, match="must rise"):
        PhantomRater(cuts=(0.2, 0.2, 0.6, 0.8))


def test_findings_grow_with_severity_medial_before_lateral():
    steps = [mean_findings(severity) for severity in (0.0, 0.35, 0.7, 1.0)]
    for name in steps[0]:
        values = [step[name] for step in steps]
        assert values == sorted(values), name
    for step in steps[1:]:
        assert step["medial_narrowing"] > step["lateral_narrowing"] + 0.1


def test_effect_and_lesions_scale_their_own():
    full, weak = mean_findings(0.9), mean_findings(0.9, effect=0.4)
    assert weak["medial_narrowing"] < 0.5 * full["medial_narrowing"]
    bright = mean_findings(0.9, lesions=2.0)
    assert bright["effusion"] == pytest.approx(2 * full["effusion"])
    assert bright["medial_narrowing"] == full["medial_narrowing"]


def test_features_are_graded_from_findings():
    signs = draw_findings(0.0, 1.0, 1.0, np.random.default_rng(0))
    signs = replace(signs, medial_narrowing=0.85, lateral_narrowing=0.3, osteophyte_tibia_medial=0.55, osteophyte_femur_medial=0.1)
    graded = oarsi_grades(signs)
    assert (graded["XRJSM"], graded["XRJSL"], graded["XROSTM"], graded["XROSFM"]) == (3, 1, 2, 0)
