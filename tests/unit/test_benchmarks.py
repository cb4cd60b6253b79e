"""Benchmarks keep up with the library: the loops that training is timed by run, and learn the
same.
"""

import pytest
import torch

from benchmarks import train_loops
from kneeoa.training.device import reproducible

SHAPE = (16, 16, 16)


def test_the_loops_that_training_is_timed_by(monkeypatch, tmp_path):
    monkeypatch.setattr(train_loops, "FILE", (16, 16, 12))
    train_loops.make_files(tmp_path, 3)
    train_loops.make_shard(tmp_path, SHAPE)

    torch.manual_seed(train_loops.SEED)
    losses = {"plain": [loss for _, loss in train_loops.plain(tmp_path, SHAPE, epochs=1, workers=0)]}
    for kind in ("resident", "streamed"):
        with reproducible(1) as device:
            torch.manual_seed(train_loops.SEED)
            losses[kind] = [loss for _, loss, _ in train_loops.ours(kind, tmp_path, SHAPE, 1, device)]
    assert losses["resident"] == losses["streamed"]
    assert losses["plain"] == pytest.approx(losses["resident"], rel=1e-3)
