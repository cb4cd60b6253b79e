"""An untrained network predicts what a run of that seed begins with, whatever the mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kneeoa.inference.predict import predict
from kneeoa.inference.untrained import embed_untrained
from kneeoa.network.model import build, save
from kneeoa.tables.runs import embeddings
from kneeoa.training.seeding import Purpose, derive_seed
from tests.unit.training import tiny_study
from tests.unit.training.tiny_study import DUAL, LEVELS, SINGLE_OA


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tiny_study.make(tmp_path_factory.mktemp("study"), levels=("kl",), unread=1)


def embed(folder, files, mode, seed=3):
    inputs = {name: paths for name, paths in files.arguments().items() if name in ("arrays", "indices", "splits")}
    out = folder / f"{seed}.parquet"
    embed_untrained(study="tiny", name="untrained-resnet3d", seed=seed, spec=tiny_study.spec(mode), **inputs, batch=8, threads=1, out=out)
    return embeddings(32).read(out)


def test_it_is_the_first_network_of_a_run_of_that_seed_whatever_the_mode(files, tmp_path):
    embedded = embed(tmp_path, files, DUAL)
    torch.manual_seed(derive_seed(3, Purpose.WEIGHTS))
    spec = tiny_study.spec(SINGLE_OA)
    save(build(spec), spec, tmp_path)
    out = {"out_predictions": tmp_path / "p.parquet", "out_embeddings": tmp_path / "e.parquet", "out_temperature": tmp_path / "t.json"}
    predict(study="tiny", arm="a", seed=3, run=tmp_path, **files.arguments(), levels=LEVELS, batch=8, threads=1, **out)
    begun = embeddings(32).read(out["out_embeddings"])
    assert embedded["case_id"].tolist() == begun["case_id"].tolist()
    np.testing.assert_allclose(np.stack(embedded["embedding"]), np.stack(begun["embedding"]), rtol=1e-5, atol=1e-6)
    assert set(embedded["arm"]) == {"untrained-resnet3d"}


def test_seeds_differ(files, tmp_path):
    one, other = (np.stack(embed(tmp_path, files, DUAL, seed)["embedding"]) for seed in (1, 2))
    assert not np.allclose(one, other)
