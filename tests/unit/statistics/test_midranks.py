import numpy as np
import pytest
from scipy.stats import rankdata

from kneeoa.statistics.midranks import midranks


@pytest.mark.parametrize("shape", [(0,), (1,), (500,), (4, 5, 6)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_they_are_scipys_ranks_to_the_last_bit(shape: tuple[int, ...], kind: type) -> None:
    generator = np.random.default_rng(len(shape))
    for values in (generator.normal(size=shape), generator.integers(0, 4, size=shape), np.zeros(shape)):
        ranks = midranks(values.astype(kind))
        assert ranks.shape == shape
        np.testing.assert_array_equal(ranks.ravel(), rankdata(values.astype(kind), axis=None))
