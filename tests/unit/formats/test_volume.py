"""The digest of a volume: the same for the same voxels in the same place of memory, another for
anything else.
"""

import numpy as np
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.limits import require_size, require_spacing
from kneeoa.formats.volume import Volume
from tests.unit.formats.made import grid, pattern

AFFINE = grid("RAS", (1.0, 2.0, 3.0))


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_digest_tells_every_change(order: str) -> None:
    values = np.asarray(pattern((3, 4, 5)), order=order)  # type: ignore[call-overload]
    base = Volume(values, AFFINE).digest()
    assert Volume(values.copy(order="K"), AFFINE.copy()).digest() == base
    changed, moved = values.copy(order="K"), AFFINE.copy()
    changed[1, 2, 3] += 1
    moved[0, 3] += 1e-9
    others = [
        Volume(changed, AFFINE),
        Volume(values, moved),
        Volume(values.astype(np.uint16), AFFINE),
        Volume(values[::-1], AFFINE),
        Volume(values[:, ::-1, ::-1], AFFINE),
        Volume(values.transpose(2, 1, 0), AFFINE),
        Volume(values.reshape(3, 5, 4), AFFINE),
    ]
    assert len({base, *(other.digest() for other in others)}) == 8


def test_limits_of_size_and_spacing() -> None:
    require_spacing((0.01, 30.0, 0.3646), "a")
    require_size((384, 384, 160), "a")
    for spacing in ((0.0, 1.0), (-1.0, 1.0), (np.nan, 1.0), (30.1, 1.0), (np.inf, 1.0)):
        with pytest.raises(UnusableImage, match="a: its voxels measure") as caught:
            require_spacing(spacing, "a")
        assert caught.value.reason == "absurd-spacing"
    with pytest.raises(UnusableImage, match="more than any scan"):
        require_size((65535, 65535, 65535), "a")
