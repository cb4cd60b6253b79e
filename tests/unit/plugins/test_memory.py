"""The memory that is estimated before anything is built is of the size of what a step keeps for its
gradient.
"""

from __future__ import annotations

import pytest
import torch

from kneeoa.config.hierarchy import Level
from kneeoa.heads.interface import Supervision
from kneeoa.heads.losses.registry import build as criterion
from kneeoa.plugins.interface import Maps
from kneeoa.plugins.options.pim import Options
from kneeoa.plugins.pim import Pim

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))


def kept_mb(module: Pim, maps: list[torch.Tensor]) -> float:
    """Megabytes of the tensors that are kept for the gradient of the module's forward pass; weights
    and the maps themselves are not its own.
    """
    excluded = {each.untyped_storage().data_ptr() for each in (*module.parameters(), *maps)}
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in excluded:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = module.read_maps(maps)
    assert result
    return sum(storages.values()) / 1e6


@pytest.mark.parametrize(
    ("sizes", "levels"), [(((24, 24), (12, 12)), (KL,)), (((24, 24), (12, 12)), (OA, KL)), (((10, 8, 8), (5, 4, 4)), (OA, KL))]
)
def test_the_estimate_is_of_the_right_size(sizes: tuple[tuple[int, ...], ...], levels: tuple[Level, ...]) -> None:
    torch.manual_seed(0)
    options = Options(width=64)
    supervisions = tuple(Supervision(criterion("cross_entropy", level), 1.0) for level in levels)
    module = Pim(options, supervisions, Maps((16, 32), sizes), len(sizes[0]), "parallel").train()
    maps = [torch.randn(4, locations, width) for locations, width in zip(module.maps.locations, (16, 32), strict=True)]
    estimate = options.memory_mb(sizes, 4, len(sizes[0]), len(levels))
    assert 0.9 * kept_mb(module, maps) < estimate < 2 * kept_mb(module, maps)


def test_layers_across_the_locations_of_sequences_are_counted() -> None:
    options = Options(width=4)
    plain = options.memory_mb(((100, 100), (50, 50)), 1, 2, 1)
    sequences = options.memory_mb(((10_000,), (2500,)), 1, 2, 1)
    assert sequences - plain == pytest.approx(16 * 10_000 * 2500 / 1e6)
