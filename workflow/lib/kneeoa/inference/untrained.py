"""Embed cases with an untrained network, whose weights are those that a run of the same seed starts
from: the baseline of every geometry.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from kneeoa.errors import KneeoaError
from kneeoa.network.model import ModelSpec, build
from kneeoa.tables.runs import embeddings
from kneeoa.training.dataset import evaluation_batches
from kneeoa.training.device import reproducible
from kneeoa.training.seeding import Purpose, derive_seed
from kneeoa.training.shards import Shards

_log = logging.getLogger(__name__)


def embed_untrained(
    *,
    study: str,
    name: str,
    seed: int,
    spec: ModelSpec,
    arrays: Sequence[Path],
    indices: Sequence[Path],
    splits: Sequence[Path],
    batch: int,
    threads: int,
    out: Path,
) -> None:
    """Write EMBEDDINGS of every case by the freshly initialised network of ``spec``.

    The backbone draws its weights before the heads, from the stream that training seeds, so all
    modes of one backbone and seed begin with these same embeddings. Batch normalisation has no
    running statistics yet and is the identity.

    Args:
        study: name of the study, copied to the rows.
        name: written to the rows' column ``arm``.
        seed: seed of the run.
        spec: the network.
        arrays: float16 ``.npy`` shards ``[rows, *spec.shape]``.
        indices: the VOLUMES table of each of ``arrays``.
        splits: SPLITS tables.
        batch: cases at a time.
        threads: CPU threads.
        out: table to write.

    Raises:
        KneeoaError: the files do not fit the network or each other, or an embedding is not finite.
    """
    with reproducible(threads) as device:
        torch.manual_seed(derive_seed(seed, Purpose.WEIGHTS))
        network = build(spec).to(device)
        shards = Shards(arrays, indices, spec.shape)
        cases = shards.locate(splits)
        places = cases[["file", "row"]].to_numpy()
        network.eval()
        with torch.inference_mode():
            parts = []
            for rows in evaluation_batches(len(cases), batch):
                images = np.stack([shards.read(file, row) for file, row in places[rows]])[:, None]
                parts.append(network(torch.from_numpy(images).to(device).float()).embedding.float().cpu())
        values = torch.cat(parts).numpy()
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        first = cases.iloc[wrong[0]]
        raise KneeoaError(
            f"{name}, seed {seed}: the untrained embedding of {first['case_id']} of cohort {first['cohort']} is not finite; "
            "look at its volume for values that are not finite."
        )
    table = cases[["cohort", "split", "case_id", "subject"]].assign(study=study, arm=name, seed=seed, embedding=list(values))
    embeddings(values.shape[1]).write(out, table)
    _log.info("%d cases embedded by an untrained network", len(cases))
