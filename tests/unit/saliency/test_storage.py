import numpy as np
import pytest

from kneeoa.saliency.storage import pack, unpack


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_maps_of_any_size_keep_their_values(size: float) -> None:
    values = np.geomspace(size * 1e-7, size, 50)
    stored, scale = pack(values)
    assert stored.dtype == np.float16
    np.testing.assert_allclose(unpack(stored, scale), values, rtol=1e-3)


def test_a_zero_map_stays_zero() -> None:
    stored, scale = pack(np.zeros((2, 3)))
    assert scale == 1
    assert not unpack(stored, scale).any()
