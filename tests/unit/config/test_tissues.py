"""The meaning of the labels of masks: numbers, names of segments, and both."""

import pytest

from kneeoa.config.cohorts import Cohort


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([2], (2,)),
        ([4, 5], (4, 5)),
        (["2", "04"], (2, 4)),
        (["Femoral Cartilage"], ("Femoral Cartilage",)),
        ([4, 5, "MTC", "LTC"], (4, 5, "MTC", "LTC")),
    ],
)
def test_labels_are_numbers_or_names_and_stay_what_they_are_in_params(given: list[int | str], expected: tuple[int | str, ...]) -> None:
    cohort = Cohort.model_validate({"reader": "oai", "root": "raw", "tissues": {"femoral_cartilage": given}})
    assert cohort.tissues == {"femoral_cartilage": expected}
    assert cohort.model_dump(mode="json")["tissues"] == {"femoral_cartilage": list(expected)}


@pytest.mark.parametrize("given", [[None], [1.5], [[2]], "2", [{"a": 1}]])
def test_other_values_are_refused(given: object) -> None:
    with pytest.raises(ValueError, match="tissues"):
        Cohort.model_validate({"reader": "oai", "root": "raw", "tissues": {"femoral_cartilage": given}})
