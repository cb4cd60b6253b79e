from pathlib import Path

import numpy as np
import pytest

from kneeoa.config.analysis import Geometry
from kneeoa.geometry.cases import CaseTables, read_embeddings
from kneeoa.geometry.raw_images import block_means, embed_raw_images
from kneeoa.geometry.run_measures import measure_baselines
from kneeoa.tables.cohort import SPLITS
from kneeoa.tables.geometry import GEOMETRY
from kneeoa.tables.shards import VOLUMES
from tests.unit.geometry.planted import LEVELS, cases, write


def test_images_are_shrunk_by_means_of_whole_blocks() -> None:
    image = np.arange(5 * 4 * 2, dtype=np.float16).reshape(5, 4, 2)
    means = block_means(image, 2)
    assert means.shape == (1, 2, 2)  # five voxels in blocks of three: one block, and a rest of two
    assert means[0, 0, 0] == image[:3, :2, 0].astype(float).mean()
    np.testing.assert_array_equal(block_means(image, 5), image)


@pytest.mark.parametrize("grid", [4, 8])
def test_raw_images_are_placed_on_the_training_images_components(tmp_path: Path, grid: int) -> None:
    frame, rng = cases(train=30, test=20), np.random.default_rng(0)
    images = rng.normal(scale=0.3, size=(50, 8, 8, 8)) + np.einsum("i,jkl->ijkl", frame["severity"], rng.normal(size=(8, 8, 8)))
    np.save(tmp_path / "shard.npy", images.astype(np.float16))
    SPLITS.write(tmp_path / "splits.parquet", frame[["cohort", "case_id", "subject", "split"]].assign(side=None, visit="00m"))
    rows = frame[["cohort", "case_id"]].assign(view="v", shard=0, row=range(50), digest="0", source_digest="0", mirrored=False)
    rows = rows.assign(source_shape=[[8] * 3] * 50, source_spacing=[[1.0] * 3] * 50, affine=[[0.0] * 16] * 50)
    rows = rows.assign(low=0.0, high=1.0, mean=0.5, sd=0.2, source_centre=[[0.0] * 3] * 50)
    VOLUMES.write(tmp_path / "shard.parquet", rows.astype(object).reindex(columns=VOLUMES.schema.names, fill_value=None))
    embed_raw_images(
        study="s",
        name="raw-images",
        arrays=[tmp_path / "shard.npy"],
        indices=[tmp_path / "shard.parquet"],
        splits=[tmp_path / "splits.parquet"],
        shape=(8, 8, 8),
        grid=grid,
        out=tmp_path / "raw.parquet",
    )
    data = read_embeddings(tmp_path / "raw.parquet")
    small = np.stack([block_means(image, grid).ravel() for image in images.astype(np.float16)]).astype(float)
    small -= small[:30].mean(axis=0)
    _, singular, directions = np.linalg.svd(small[:30], full_matrices=False)
    first = data.values[:, 0]
    assert abs(np.corrcoef(first, small @ directions[0])[0, 1]) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(first[:30]) == pytest.approx(singular[0], rel=1e-4)
    assert abs(np.corrcoef(first, frame["severity"])[0, 1]) > 0.9
    labels = write(tmp_path / "labels", frame, np.zeros((50, 2)))
    measure_baselines(
        [], [tmp_path / "raw.parquet"], CaseTables([labels["labels"]], [labels["truth"]]), LEVELS,
        Geometry(axes=("pc1",), resamples=50, permutations=20), "s", tmp_path / "out.parquet",
    )  # fmt: skip
    measured = GEOMETRY.read(tmp_path / "out.parquet")
    assert set(measured["arm"]) == {"raw-images"}
    row = measured[(measured["measure"] == "spearman") & (measured["against"] == "latent_severity") & (measured["axis"] == "pc1")].iloc[0]
    assert row["low"] > 0.7
